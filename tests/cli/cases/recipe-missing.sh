$RETORT distill --config none.yaml
