$RETORT distill --no-resume=yes
