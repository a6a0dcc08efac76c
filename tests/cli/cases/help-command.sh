$RETORT help model
$RETORT help model >a
$RETORT model --help >b
$RETORT model --json -h >c
cmp a b && cmp a c
