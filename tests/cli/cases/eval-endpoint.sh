# Evaluations of a model behind a real HTTP server, `retort serve`: at temperature 0 the texts of a local run, whole, gone
# on with, and cut by budgets; a store from which a run goes on; what never came.
. "$ROOT/tests/cli/fixture.sh"
make_model
"$RETORT" data --quiet --split test --count 3 --output a.jsonl
: >served # the file is there before the server writes to it
"$RETORT" serve --model model --port 0 >served 2>&1 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    grep -q 'http://' served && break
    sleep 0.25
done
url=$(grep -o 'http://[^;]*' served)/v1
here() {
    "$RETORT" eval --quiet model --problems a.jsonl --n 2 --temperature 0 "$@"
}
there() {
    "$RETORT" eval --quiet model --base-url "$url" --store run.db --problems a.jsonl --n 2 --temperature 0 "$@"
}
completes() {
    there --api completions --template-dir model "$@"
}
# Of a line all but the places in tokens, which an endpoint does not tell.
plain() {
    sed -e 's/"answer_tokens":[0-9]*,//' -e 's/"token_ids":\[[0-9,]*\],//' "$1"
}
same() {
    plain "$1" >one && plain "$2" >two && cmp one two && echo "$3"
}

here --max-new-tokens 24 --output local.jsonl >/dev/null
there --max-new-tokens 24 --output chat.jsonl --json >chat.json && same local.jsonl chat.jsonl 'chat: the local texts'
completes --max-new-tokens 24 --output whole.jsonl >/dev/null && same local.jsonl whole.jsonl 'completions: the local texts'
grep -o '"max_new_tokens": 24' chat.json

# The same once more costs nothing.
there --max-new-tokens 24 --output again.jsonl --json >again.json && cmp chat.jsonl again.jsonl &&
    grep -o -e '"asked": [0-9]*' -e '"reused": [0-9]*' again.json

completes --max-new-tokens 9 --output short.jsonl >/dev/null
completes --max-new-tokens 24 --extend short.jsonl --output long.jsonl >/dev/null && same local.jsonl long.jsonl 'went on'
here --max-new-tokens 24 --budget 5 --budget-text '\n</think>\n' --answer-tokens 6 --output cut.jsonl >/dev/null
completes --max-new-tokens 24 --budget 5 --budget-text '\n</think>\n' --answer-tokens 6 --output far.jsonl >/dev/null
same cut.budget-5.jsonl far.budget-5.jsonl 'the same thoughts closed'
# Samples have seeds of their own.
there --max-new-tokens 24 --temperature 1 --output warm.jsonl >/dev/null && sort -u warm.jsonl | wc -l

attempt 'chat cannot go on' eval --quiet model --base-url "$url" --store run.db --problems a.jsonl --n 2 \
    --extend short.jsonl --max-new-tokens 24
attempt 'chat cannot be cut' eval --quiet model --base-url "$url" --store run.db --problems a.jsonl --budget 5
attempt 'no store' eval --quiet model --base-url "$url" --problems a.jsonl
attempt 'bans' eval --quiet model --base-url "$url" --store run.db --problems a.jsonl --ban-list logical
attempt 'replay' eval --quiet --replay chat.manifest.json --output x.jsonl
there --dry-run --max-new-tokens 24 --seed 7 --json | grep -o '"asked": [0-9]*'

# Fewer than asked for: the money ran out behind a few. The rest is scored if every problem has a response.
there --max-new-tokens 24 --seed 9 --n 4 --concurrency 1 --price-input 0 --price-output 1000000 --max-cost 100 \
    --output few.jsonl --json >few.json 2>few.txt
echo "exit $?"
grep -o -e '"errors": [0-9]*' -e '"avg": null' few.json
wc -l <few.jsonl
sed 's/.*stopped/stopped/;s/: .*//' few.txt
ls few.manifest.json 2>/dev/null
kill $server
wait $server
exit 0
