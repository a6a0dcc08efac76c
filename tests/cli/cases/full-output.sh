# A full disk behind standard output is a failure, not silence.
test -w /dev/full || exit 77
$RETORT --help >/dev/full
