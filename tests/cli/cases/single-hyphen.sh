$RETORT distill -model x
