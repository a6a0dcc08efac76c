$RETORT distill --warmup_ratio=1.5
