# Data files that cannot be used: named by file and line, and no output folder is left.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces
distill() {
    attempt "$1" distill --quiet --model model --dataset "$2" --output-dir out --max-steps 1
    if [ -e out ]; then
        echo "  left behind: $(ls -A out)"
        rm -rf out
    fi
}

: >empty.jsonl
distill 'empty file' empty.jsonl
printf '\n\n' >blank.jsonl
distill 'blank lines only' blank.jsonl
distill 'no such file' nowhere.jsonl
distill 'a folder' model
{ head -n 2 traces.jsonl && echo 'not JSON' && tail -n 2 traces.jsonl; } >third.jsonl
distill 'third line is no JSON' third.jsonl
{ head -n 1 traces.jsonl && echo '[1, 2]'; } >array.jsonl
distill 'second line is an array' array.jsonl
echo '{"id": "x"}' >keys.jsonl
distill 'no known keys' keys.jsonl
{
    printf '{"prompt": "p", "completion": "'
    i=0
    while [ $i -lt 200 ]; do
        printf '1 2 3 '
        i=$((i + 1))
    done
    printf '"}\n'
} >long.jsonl
distill 'longer than the context' long.jsonl |
    sed '/^1 examples/,/^longer than 128/d; s/the longest with [0-9]*/the longest with N/'
attempt 'unknown split' eval --quiet --model model --split tset --count 2
attempt 'more problems than the world holds' data --quiet --split validation --count 100000000 --output many.jsonl
ls many.jsonl* 2>/dev/null
attempt 'no teacher of that name' teach problems.jsonl --teacher lazy --output t.jsonl
