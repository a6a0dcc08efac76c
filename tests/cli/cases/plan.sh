# What a run would take, and the refusal of one that cannot fit.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces
plan() {
    "$RETORT" plan "$@" >said 2>&1
    status=$?
    sed -E 's/ +[0-9.]+ [KMGT]?i?B.*//; s/: .*//; s/[0-9.e+]+ tokens.*/N tokens/; s/[0-9]{2,}/N/g' said | grep -E '^memory|peak|work|retort'
    echo "  exit $status"
}
plan distill --model model --dataset traces.jsonl --max-steps 2 --threads 1
printf 'model: model\ndataset: problems.jsonl\nprompts_per_step: 2\nmax_completion_length: 8\n' >rl.yaml
plan rl.yaml --max-steps 2 --threads 1
plan sample --model model --prompts problems.jsonl --max-new-tokens 8 --threads 1 --json | tail -1
plan distill --model model --dataset traces.jsonl --max-steps 2 --threads 1 --memory-limit 1M
plan distill --model model --dataset traces.jsonl --memory-limit much
plan nothing
"$RETORT" distill --quiet --model model --dataset traces.jsonl --output-dir none --memory-limit 1M >said 2>&1
echo "exit $?: $(grep -c 'peak' said) table, $(ls none 2>/dev/null | wc -l) files"
# Without weights, for a machine that is not at hand; the tokenizer and the configuration are enough.
mkdir bare
cp model/config.json model/tokenizer.json model/tokenizer_config.json bare/
elsewhere() {
    "$RETORT" plan "$@" --cores 64 --peak-gflops 80 --bandwidth 300 2>&1 |
        sed -E 's/ [0-9.e-]+ s of/ S s of/g; s/[0-9]+ % /N % /g; s/ +[0-9.]+ [KMGT]?i?B  of/ SIZE  of/; s/need [0-9.]+ MiB/need SIZE/' |
        grep -E 'peak|predicted|cores of|retort'
}
elsewhere distill --model bare --dataset traces.jsonl --max-steps 2 --threads 1 --memory 512GiB
elsewhere rl.yaml --model bare --max-steps 2 --threads 1 --memory 512GiB
elsewhere eval --model bare --problems problems.jsonl --max-new-tokens 8 --threads 1 --memory 512GiB
elsewhere distill --model bare --dataset traces.jsonl --max-steps 2 --threads 1 --memory 1M
"$RETORT" plan distill --model bare --dataset traces.jsonl --max-steps 2 --threads 1 --cores 64 --peak-gflops 80 \
    --bandwidth 300 --json | sed -E 's/.*("machine":\{[^}]*\}).*"train":\{"seconds":[0-9.e-]+.*/\1/'
"$RETORT" distill --quiet --model bare --dataset traces.jsonl --output-dir none 2>&1 | sed 's/; .*//'
"$RETORT" distill --model bare --dataset traces.jsonl --output-dir none --cores 64 2>&1 | head -1
