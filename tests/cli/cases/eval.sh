# Evaluations of a model directory: several benchmarks, manifests, going on, replay, budgets, refusals.
. "$ROOT/tests/cli/fixture.sh"
make_model
"$RETORT" data --quiet --split test --count 3 --output a.jsonl
"$RETORT" data --quiet --split hard --count 2 --output b.jsonl
evaluate() {
    "$RETORT" eval --quiet --model model --temperature 1 "$@"
}

# Several benchmarks, each with its own number of samples.
evaluate --problems a.jsonl@4,b.jsonl --n 2 --max-new-tokens 6 --output both --json >both.json && ls both
grep -c '"benchmark":"a"' both/a.jsonl
grep -c '"benchmark":"b"' both/b.jsonl
sed -n '/"summary"/,/]/p' both.json | grep '"n_samples"'
evaluate --problems a.jsonl@4 --max-new-tokens 6 --output alone.jsonl --json >alone.json && cmp alone.jsonl both/a.jsonl &&
    echo 'a benchmark does not see the others'

# Going on: the bytes of the longer run; and a run without a limit of its own ends where the context does.
evaluate --problems a.jsonl --n 4 --max-new-tokens 20 --output whole.jsonl >whole.txt
evaluate --problems a.jsonl --n 4 --max-new-tokens 7 --output short.jsonl >short.txt
evaluate --problems a.jsonl --n 4 --max-new-tokens 20 --extend short.jsonl --output long.jsonl --json >long.json &&
    cmp whole.jsonl long.jsonl && echo 'went on to the same bytes' && grep -o '"extended": [0-9]*' long.json
grep -c token_ids short.jsonl
attempt 'going on to less' eval --quiet --model model --temperature 1 --problems a.jsonl --n 4 --max-new-tokens 7 \
    --extend short.jsonl
attempt 'going on with another seed' eval --quiet --model model --temperature 1 --problems a.jsonl --n 4 \
    --max-new-tokens 20 --extend short.jsonl --seed 2
sed 's/"token_ids":\[[0-9]*,/"token_ids":[1,/' short.jsonl >forged.jsonl && cp short.manifest.json forged.manifest.json
attempt 'tokens that spell another text' eval --quiet --model model --temperature 1 --problems a.jsonl --n 4 \
    --max-new-tokens 20 --extend forged.jsonl
attempt 'more samples than there are' eval --quiet --model model --temperature 1 --problems a.jsonl --n 5 \
    --max-new-tokens 20 --extend short.jsonl
rm forged.manifest.json
attempt 'without a manifest' eval --quiet --model model --temperature 1 --problems a.jsonl --n 4 --max-new-tokens 20 \
    --extend forged.jsonl

# Replay: the same bytes from the manifest alone, with another batch, in another place; or what changed.
"$RETORT" eval --quiet --replay whole.manifest.json --output again.jsonl --batch 3 >/dev/null && cmp whole.jsonl again.jsonl &&
    cmp whole.manifest.json again.manifest.json && echo 'replayed to the same bytes'
mv model moved
"$RETORT" eval --quiet --replay both/manifest.json --model moved --output replayed --json >/dev/null && cmp both/a.jsonl replayed/a.jsonl &&
    echo 'replayed with the model elsewhere'
mv moved model
rm -r replayed
"$RETORT" eval --quiet --replay both/manifest.json --output replayed --json >/dev/null && cmp both/a.jsonl replayed/a.jsonl &&
    cmp both/b.jsonl replayed/b.jsonl && echo 'several benchmarks replayed'
sed 's/"answer":"/&1 + /' a.jsonl >other.jsonl
"$RETORT" eval --quiet --replay whole.manifest.json --problems other.jsonl --output again.jsonl 2>&1 | sed 's/[0-9a-f]\{64\}/HASH/g'
cp model/tokenizer_config.json kept && sed 's/Target/Goal/;s/{problem}/ {problem}/' kept >model/tokenizer_config.json
"$RETORT" eval --quiet --replay whole.manifest.json --output again.jsonl 2>&1 | sed 's/[0-9a-f]\{64\}/HASH/g'
cp kept model/tokenizer_config.json
printf 'x' | dd of=model/model.safetensors bs=1 seek=4000 conv=notrunc 2>/dev/null
"$RETORT" eval --quiet --replay whole.manifest.json --output again.jsonl 2>&1 | sed 's/[0-9a-f]\{64\}/HASH/g'
attempt 'no manifest' eval --quiet --replay a.jsonl --output again.jsonl
attempt 'nowhere to write' eval --quiet --replay whole.manifest.json

# The run store has the same run once, whatever the batch.
evaluate --problems a.jsonl --n 4 --max-new-tokens 20 --store run.db >/dev/null
evaluate --problems a.jsonl --n 4 --max-new-tokens 20 --store run.db --batch 2 >/dev/null
"$RETORT" store run.db | tr -s ' ' | grep -e '^responses' -e '^problems'
"$RETORT" store run.db --check >/dev/null && echo 'store intact'

# Budgets: one run serves them all; at a budget nobody reaches, nothing changes.
evaluate --problems a.jsonl --n 4 --max-new-tokens 20 --budget 30,5 --answer-tokens 4 --output cut.jsonl --json >cut.json &&
    grep -o '"closed": [0-9]*' cut.json && ls cut.budget-*
sed 's/"benchmark":"[a-z]*",//' cut.jsonl >x && sed 's/"benchmark":"[a-z]*",//' cut.budget-30.jsonl >y && cmp x y &&
    echo 'the largest budget cuts nothing'
grep -c 'The final answer is' cut.budget-5.jsonl
attempt 'a budget beyond the context' eval --quiet --model model --problems a.jsonl --budget 4000 | sed 's/[0-9][0-9]* /N /g'
attempt 'no number' eval --quiet --model model --problems a.jsonl --budget 10,x
attempt 'budget and extend' eval --quiet --model model --problems a.jsonl --n 4 --max-new-tokens 20 --budget 5 \
    --extend short.jsonl

# Refusals.
attempt 'no model' eval --quiet --problems a.jsonl
attempt 'two of a name' eval --quiet --model model --problems a.jsonl,./a.jsonl
attempt 'samples' eval --quiet --model model --problems a.jsonl@none
attempt 'unknown set' eval --quiet --model model --tasks aime_1066
attempt 'set that is not there' eval --quiet --model model --tasks aime_2024@64
mkdir data && cp a.jsonl data/aime_2024.jsonl
"$RETORT" eval --quiet --model model --tasks aime_2024@64 2>&1 | sed 's/[0-9a-f]\{64\}/HASH/g'
attempt 'files and sets' eval --quiet --model model --problems a.jsonl --tasks aime_2024
attempt 'responses beyond the context' eval --quiet --model model --problems a.jsonl --max-new-tokens 4000 | sed 's/the [0-9]* that/the N that/'
attempt 'no memory' eval --quiet --model model --problems a.jsonl --memory-limit 1M |
    sed -e '/^  [a-z].*iB/d' -e 's/need [0-9.]* MiB/need N MiB/'
"$RETORT" plan eval --model model --problems a.jsonl@5 --json | grep -o '"command":"eval"'
