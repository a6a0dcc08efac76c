# A small cache and speculation change no byte of what is sampled; a cache too small for one response is refused.
"$RETORT" data --quiet --split test --count 12 --output problems.jsonl
draw() {
    "$RETORT" sample --quiet --model "$MODEL" --prompts problems.jsonl --n 3 --batch 16 --max-new-tokens 200 "$@"
}
draw --output all.jsonl
draw --output small.jsonl --cache-memory 1MiB
draw --output guessed.jsonl --speculative-tokens 6 --batch 2
draw --output both.jsonl --speculative-tokens 15 --cache-memory 1MiB --batch 3 --threads 1
for name in small guessed both; do
    cmp all.jsonl $name.jsonl && echo "$name: the same bytes"
done
wc -l <all.jsonl
draw --output none.jsonl --cache-memory 100KiB 2>&1
echo "exit $?"
