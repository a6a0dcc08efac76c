$RETORT distill --lr-scheduler-type cosin
