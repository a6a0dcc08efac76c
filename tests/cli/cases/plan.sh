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
