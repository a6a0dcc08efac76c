$RETORT distill --model
