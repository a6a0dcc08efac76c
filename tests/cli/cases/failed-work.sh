# The input is good and the work fails: exit status 1, one sentence, nothing half-written.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces

echo 'a file stands where the folder should be'
echo taken >taken
"$RETORT" distill --quiet --model model --dataset traces.jsonl --output-dir taken/out --max-steps 1 2>&1
echo "  exit $?"
cat taken

echo 'no room for the weights'
(
    trap '' XFSZ
    ulimit -f 8
    "$RETORT" distill --quiet --model model --dataset traces.jsonl --output-dir full --max-steps 1 2>&1
    echo "  exit $?"
)
find full -name '*.tmp' -o -name '*.safetensors' | sed 's/^/  left behind: /'

echo 'a loss that is no number'
cp -r model huge
size=$(wc -c <huge/model.safetensors)
# The final norm's last weights become 3e38, the largest bfloat16.
printf '\177\177\177\177\177\177\177\177' | dd of=huge/model.safetensors bs=1 seek=$((size - 8)) conv=notrunc 2>/dev/null
"$RETORT" distill --quiet --model huge --dataset traces.jsonl --output-dir out --max-steps 1 2>&1
echo "  exit $?"
find out -name '*.safetensors' 2>/dev/null | sed 's/^/  left behind: /'
