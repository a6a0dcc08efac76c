# Sourced by cases that need a model: a tiny one is made in a moment, so that no case depends on what is shipped.
export OMP_NUM_THREADS=1

make_model() {
    "$RETORT" pretrain --quiet --vocab-size 300 --hidden-size 16 --intermediate-size 32 --num-hidden-layers 1 \
        --num-attention-heads 2 --num-key-value-heads 1 --max-position-embeddings 128 --tokenizer-documents 50 \
        --batch-tokens 512 --max-steps 1 --output-dir model >/dev/null
}

make_traces() {
    "$RETORT" data --quiet --split distill --count 8 --output problems.jsonl &&
        "$RETORT" teach --quiet --teacher rigid problems.jsonl --output traces.jsonl >/dev/null
}

# attempt LABEL ARGUMENTS...: what the program says and its exit status, on standard output. Counts of tokens are
# masked, because they change with the corpus the tokenizer was trained on.
attempt() {
    echo "$1"
    shift
    said=$("$RETORT" "$@" 2>&1)
    status=$?
    printf '%s\n' "$said" | sed -e 's/[0-9][0-9]* tokens/N tokens/g'
    echo "  exit $status"
}
