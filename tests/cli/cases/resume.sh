# Resuming: to the same bits as an uninterrupted run, and not with other hyper-parameters.
. "$ROOT/tests/cli/fixture.sh"
make_model
make_traces
distill() {
    "$RETORT" distill --quiet --model model --dataset traces.jsonl --save-steps 1 --train-batch-size 2 \
        --learning-rate 1e-3 --truncate "$@"
}

distill --max-steps 10 --output-dir whole >/dev/null || exit 1
"$RETORT" distill --quiet --model model --dataset traces.jsonl --save-steps 1 --train-batch-size 2 --learning-rate 1e-3 \
    --truncate --max-steps 10 --output-dir pieces >/dev/null 2>&1 &
until ls pieces/checkpoint* >/dev/null 2>&1 || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
distill --max-steps 10 --output-dir pieces --resume >/dev/null || exit 1
cmp whole/model.safetensors pieces/model.safetensors && echo 'the same weights'
distill --max-steps 10 --output-dir pieces --resume --weight-decay 0.5 2>&1
echo "exit $?"
