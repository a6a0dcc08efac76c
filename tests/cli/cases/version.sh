$RETORT --version
