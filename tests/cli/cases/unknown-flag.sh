$RETORT distill --learning-rat 1
