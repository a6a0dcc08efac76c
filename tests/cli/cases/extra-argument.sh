$RETORT model one two
