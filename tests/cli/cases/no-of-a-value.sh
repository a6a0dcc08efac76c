$RETORT distill --no-model
