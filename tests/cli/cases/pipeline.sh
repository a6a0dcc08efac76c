# The way of the data, command by command, on a tiny model.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces
"$RETORT" distill --quiet --model model --dataset traces.jsonl --output-dir student --max-steps 2 --json >account.json &&
    grep -q '"steps": 2' account.json && echo distilled
"$RETORT" data --quiet --split test --count 3 --output test.jsonl
"$RETORT" eval --quiet --model student --problems test.jsonl --n 2 --max-new-tokens 8 --output r.jsonl --json >score.json &&
    grep -q '"n_samples": 2' score.json && wc -l <r.jsonl
"$RETORT" eval --quiet --model student --problems test.jsonl --n 2 --max-new-tokens 8 --output s.jsonl --batch 1 \
    --json >again.json
cmp r.jsonl s.jsonl && cmp score.json again.json && echo 'the same for any batch'
sample() {
    "$RETORT" sample --quiet --model student --prompts test.jsonl --n 3 --seed 5 --max-new-tokens 12 --temperature 1 --json "$@"
}
sample >one.jsonl && wc -l <one.jsonl
sample --batch 1 --threads 1 >two.jsonl && sample --batch 7 --threads 3 >three.jsonl
cmp one.jsonl two.jsonl && cmp one.jsonl three.jsonl && echo 'the same bytes for any batch and threads'
sed 's/: .*//' one.jsonl | sort -u
"$RETORT" tokens r.jsonl --json >tokens.json && grep -q '"per_1000"' tokens.json && echo 'tokens counted'
"$RETORT" behaviors r.jsonl --problems test.jsonl --json >b.json && grep -q '"metacognitive"' b.json && echo 'behaviours read'
"$RETORT" model student --json | grep -c '"parameters": 7184'
# The same results as tables.
"$RETORT" eval --quiet --model student --problems test.jsonl --n 2 --max-new-tokens 8 | grep -c '^avg  *0'
"$RETORT" tokens r.jsonl | grep -o '^category  *count  *per_1000  *interval' | tr -s ' '
"$RETORT" behaviors r.jsonl --problems test.jsonl | grep -o '^name  *mean  *interval  *share' | tr -s ' '
# Both graders' verdicts are stored, and grading again without sampling comes to the same.
grep -c '"strict": *"[a-z]*", *"tolerant": *"[a-z]*"' r.jsonl
"$RETORT" regrade --quiet r.jsonl --output again.jsonl --json >again.json && cmp r.jsonl again.jsonl &&
    grep -q '"changed": \[\]' again.json && echo 'graded again'
