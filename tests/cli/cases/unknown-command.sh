$RETORT destill --model x
