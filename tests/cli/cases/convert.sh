# A model to a GGUF file and back: the same weights, ids and prompts; what is refused.
. "$ROOT/tests/cli/fixture.sh"
"$RETORT" model convert --quiet --in "$MODEL" --out model.gguf --dtype f32 && echo 'to gguf'
"$RETORT" model convert --quiet --in model.gguf --out back && ls back
for model in "$MODEL" model.gguf back; do
    printf 'Numbers: 3, 5 \303\251' | "$RETORT" tokenize --quiet --model "$model" --json >"ids-$(basename "$model")"
    "$RETORT" model info "$model" --json | grep -e '"parameters"' -e '"layers"' -e '"prompt_template"'
done
cmp ids-countdown-base ids-model.gguf && cmp ids-countdown-base ids-back && echo 'the same ids'
"$RETORT" data --quiet --split test --count 2 --output problems.jsonl
for model in model.gguf back; do
    "$RETORT" sample --quiet --model "$model" --prompts problems.jsonl --n 2 --seed 3 --max-new-tokens 24 --json |
        sed 's/"model": *"[^"]*"//' >"responses-$model"
done
cmp responses-model.gguf responses-back && echo 'the same responses'
"$RETORT" model convert --quiet --in back --out small.gguf --dtype q8_0
"$RETORT" model info small.gguf | sed -n '1p'
attempt 'a file in the way' model convert --quiet --in back --out model.gguf
attempt 'a folder in the way' model convert --quiet --in model.gguf --out back
attempt 'a quantised folder' model convert --quiet --in model.gguf --out other --dtype q8_0
attempt 'no such model' model convert --quiet --in nowhere --out other
head -c 5000 model.gguf >cut.gguf
attempt 'a truncated file' model info cut.gguf
attempt 'an unknown type' model convert --quiet --in back --out x.gguf --dtype q4_k
[ ! -e other ] && [ ! -e x.gguf ] && ls *.tmp 2>/dev/null || echo 'nothing is left behind'
