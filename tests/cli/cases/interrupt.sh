# Ctrl-C: the run stops at a safe point, says how to go on, and exits with 130.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces
distill() {
    exec "$RETORT" distill --quiet --model model --dataset traces.jsonl --train-batch-size 2 --truncate \
        --max-steps 2000 --logging-steps 1 --output-dir out "$@"
}

(distill) >stopped 2>&1 &
until [ -s out/metrics.jsonl ] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
kill -TERM $!
wait $!
echo "exit $?"
grep -o 'resume' stopped | head -n 1
ls out | grep -c checkpoint
