# On a terminal progress is one line that is redrawn; elsewhere it is silent about what took no time.
. "$ROOT/tests/cli/fixture.sh"
command -v script >/dev/null || exit 77
script -qec true /dev/null >/dev/null 2>&1 || exit 77 # no pseudo-terminals here
TERM=xterm script -qec "\"$RETORT\" data --split test --count 50 --output t.jsonl" /dev/null >drawn
tr '\r' '\n' <drawn | grep -o '\[=* *\] 100% 50/50 problems' | tail -n 1
tr '\r' '\n' <drawn | grep -c 'K$' >/dev/null && echo 'redrawn'
"$RETORT" data --split test --count 50 --output t.jsonl
TERM=xterm script -qec "\"$RETORT\" data --quiet --split test --count 50 --output t.jsonl" /dev/null
