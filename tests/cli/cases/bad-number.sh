$RETORT distill --learning-rate fast
