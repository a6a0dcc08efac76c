$RETORT model nowhere
