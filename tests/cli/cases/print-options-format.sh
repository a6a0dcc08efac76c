$RETORT model --print-options html
