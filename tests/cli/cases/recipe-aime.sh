# The paper's set-up, recipes/aime920-r1.yaml, from end to end with small numbers: a served model as the teacher, a student
# distilled from its traces, both asked real problems of AIME, HMMT and MATH-500, the student once more as a served model.
# GPQA's questions may not be handed on: two of our own stand in its file's form. Scores are near zero, and reported so.
data=$ROOT/../shared/data
if [ ! -f "$data/aime_1983_2023.jsonl" ]; then
    echo "# skipped: ../shared/data is not here" >&2
    exit 77
fi
OMP_NUM_THREADS=2
export OMP_NUM_THREADS
mkdir -p data out/aime920-r1 sources

# serve_model DIR: $url is then its address.
serve_model() {
    : >served
    "$RETORT" serve --model "$1" --port 0 >served 2>&1 &
    server=$!
    tries=0
    until grep -q 'http://' served || [ $tries -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    url=$(grep -o 'http://[^;]*' served)/v1
}
trap 'kill $server 2>/dev/null' EXIT

# The shortest problems of each set: the little model reads 512 tokens.
shortest() {
    awk '{print length($0) "\t" $0}' "$data/$1.jsonl" | sort -n | cut -f 2- | head -n "$2"
}
shortest math500 3 >sources/math500.jsonl
shortest aime_2024 2 >sources/aime24.jsonl
shortest aime_2025 2 >sources/aime25.jsonl
shortest hmmt_feb_2025 2 >sources/hmmt_feb_2025.jsonl
shortest aime_1983_2023 6 >sources/aime.jsonl
cat >sources/gpqa.csv <<'END'
Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3
rec1,Which is the lightest atom?,Hydrogen,Helium,Iron,Gold
rec2,What falls down?,A stone,A cloud,A star,A balloon
END

sections() {
    for name in aime_1983_2023:aime.jsonl aime_2024:aime24.jsonl aime_2025:aime25.jsonl gpqa_diamond:gpqa.csv \
        hmmt_feb_2025:hmmt_feb_2025.jsonl math500:math500.jsonl; do
        printf 'data %s:\n  input: sources/%s\n  allow_changed: true\n' "${name%%:*}" "${name#*:}"
    done
}
# The known sets are whole, so files stand in their place.
benchmarks='data/aime_2024.jsonl@2, data/aime_2025.jsonl@2, data/hmmt_feb_2025.jsonl@2, data/gpqa_diamond.jsonl@2, data/math500.jsonl@4'
with() {
    sections
    cat <<END
teach:
  base_url: $url
  model: $1
  max_tokens: 48
distill:
  model: $MODEL
  num_train_epochs: 1
  train_batch_size: 2
  max_length: 512
eval base:
  model: $MODEL
  tasks:
  problems: [$benchmarks]
  max_new_tokens: 48
eval student:
  tasks:
  problems: [$benchmarks]
  max_new_tokens: 48
END
    if [ -n "${2-}" ]; then printf '  base_url: %s\n  model: %s\n  output: out/aime920-r1/served\n' "$url" "$2"; fi
}

serve_model "$MODEL"
with countdown-base >mine.yaml
echo 'the whole walk'
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --with mine.yaml --quiet --json >all.json 2>all.err || cat all.err
# The line of what teach did, and what the benchmarks came to.
grep -o '{"traces": [0-9]*, "right": [0-9]*' all.json
grep -o '"avg": [0-9.]*' all.json | awk '{n++; if ($2 > 0.3) high++} END {print (n >= 10 ? "scored" : "not scored"), high + 0, "above 0.3"}'
wc -l <out/aime920-r1/traces.jsonl
cat out/aime920-r1/base/*.jsonl | wc -l
cat out/aime920-r1/student-responses/*.jsonl | wc -l
ls out/aime920-r1/student-responses out/aime920-r1/report | grep -e jsonl -e html
ls out/aime920-r1/student | grep safetensors
kill $server
wait $server

echo 'the student, served'
serve_model out/aime920-r1/student
with countdown-base student >mine.yaml
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --with mine.yaml --only 'eval student' --quiet --json >served.json || exit 1
cat out/aime920-r1/served/*.jsonl | wc -l
"$RETORT" store out/aime920-r1/run.db --check --list --json >store.json
grep -o '"command": "teach"' store.json
grep -o -e '"model": "[a-z-]*"' store.json

echo 'nothing is paid for twice'
with countdown-base >mine.yaml
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --with mine.yaml --only teach --quiet --json | grep -o '"asked": [0-9]*, "reused": [0-9]*'

echo 'what cannot be'
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --only nothing 2>&1 | sed 's/^.*has no/has no/'
printf 'eval studnet:\n  n: 3\n' >wrong.yaml
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --with wrong.yaml 2>&1
printf 'eval student:\n  nn: 3\n' >wrong.yaml
"$RETORT" run "$ROOT/recipes/aime920-r1.yaml" --with wrong.yaml 2>&1
printf 'evla:\n  n: 3\n' >wrong.yaml
"$RETORT" run wrong.yaml 2>&1
printf 'n: 3\n' >wrong.yaml
"$RETORT" run wrong.yaml 2>&1
exit 0
