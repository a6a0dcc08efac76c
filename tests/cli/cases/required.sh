$RETORT distill --model x
