$RETORT --help && $RETORT -h >again && $RETORT help | cmp - again
