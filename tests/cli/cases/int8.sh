# Weights held as int8: the same bytes for any machine; of a Q8_0 file, whose numbers int8 keeps, those of float32.
"$RETORT" data --quiet --split test --count 6 --output problems.jsonl
"$RETORT" model convert --in "$MODEL" --out base.gguf --dtype q8_0 >/dev/null
draw() {
    "$RETORT" sample --quiet --prompts problems.jsonl --n 2 --max-new-tokens 60 "$@"
}
draw --model base.gguf --output f32.jsonl
draw --model base.gguf --output int8.jsonl --dtype int8
cmp f32.jsonl int8.jsonl && echo "Q8_0 as int8: the same bytes as float32"
draw --model "$MODEL" --output all.jsonl --dtype int8
draw --model "$MODEL" --output one.jsonl --dtype int8 --batch 1 --threads 1
RETORT_ISA=scalar draw --model "$MODEL" --output scalar.jsonl --dtype int8 --batch 5 --threads 3
for name in one scalar; do
    cmp all.jsonl $name.jsonl && echo "$name: the same bytes"
done
"$RETORT" distill --quiet --model "$MODEL" --dataset problems.jsonl --output-dir run --dtype int8 2>&1
echo "exit $?"
