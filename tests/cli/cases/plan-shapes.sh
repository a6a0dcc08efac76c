# What published shapes cost on a machine that is told: no data, no weights, nothing measured.
server='--cores 64 --peak-gflops 80 --bandwidth 300 --threads 1'
sizes() { sed -E 's/[0-9.]+ ([KMGT]iB)/N \1/g'; }
# shellcheck disable=SC2086  # several words
"$RETORT" plan --shape qwen2.5-0.5b,Qwen2.5-32B $server --context 512,32768 --batch 1,64 | sizes
# shellcheck disable=SC2086
"$RETORT" plan --model "$MODEL" $server --context 256 --tokens 8192 --batch 1 --dtype f32 --json |
    sed -E 's/(seconds|second|bytes)":[^,}]*/\1":S/g'
mkdir shape
cp "$MODEL/config.json" shape/
# shellcheck disable=SC2086
"$RETORT" plan --model shape --shape smollm2-135m $server --context 256 --batch 8 | sizes
attempt() {
    # shellcheck disable=SC2086
    "$RETORT" plan $server "$@" 2>&1 | head -1
}
attempt
attempt --shape qwen2.5-0.6b
attempt --shape qwen2.5-0.5b --context 32769
attempt --shape qwen2.5-0.5b --context 0
attempt --shape qwen2.5-0.5b --context 1,2,x
attempt --shape qwen2.5-0.5b --batch 99999999999999999999
attempt --shape qwen2.5-0.5b --cores -1
attempt --shape qwen2.5-0.5b --peak-gflops nan
attempt --shape qwen2.5-0.5b --bandwidth 1e300
attempt --model nowhere
