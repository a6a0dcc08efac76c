# bash completion for retort. Made by 'retort --print-options bash'; do not edit.
_retort() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local flags='' words='' kind=''
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$previous" = help ]; }; then
        mapfile -t COMPREPLY < <(compgen -W 'help distill model pretrain report --help --version' -- "$current")
        return
    fi
    case "${COMP_WORDS[1]}" in
    distill)
        flags='--help --model --dataset --max-examples --max-length --truncate --no-truncate --num-train-epochs --train-batch-size --learning-rate --lr-scheduler-type --warmup-ratio --min-lr-rate --weight-decay --adam-beta1 --adam-beta2 --adam-epsilon --max-grad-norm --output-dir --max-steps --seed --threads --micro-batch-tokens --gradient-checkpointing --no-gradient-checkpointing --logging-steps --save-steps --save-total-limit --resume --no-resume --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=dir ;;
            --dataset) kind=file ;;
            --max-examples) kind=none ;;
            --max-length) kind=none ;;
            --num-train-epochs) kind=none ;;
            --train-batch-size) kind=none ;;
            --learning-rate) kind=none ;;
            --lr-scheduler-type) words='cosine linear constant' ;;
            --warmup-ratio) kind=none ;;
            --min-lr-rate) kind=none ;;
            --weight-decay) kind=none ;;
            --adam-beta1) kind=none ;;
            --adam-beta2) kind=none ;;
            --adam-epsilon) kind=none ;;
            --max-grad-norm) kind=none ;;
            --output-dir) kind=dir ;;
            --max-steps) kind=none ;;
            --seed) kind=none ;;
            --threads) kind=none ;;
            --micro-batch-tokens) kind=none ;;
            --logging-steps) kind=none ;;
            --save-steps) kind=none ;;
            --save-total-limit) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    model)
        flags='--help --model --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=dir ;;
            --config) kind=file ;;
        esac
        ;;
    pretrain)
        flags='--help --vocab-size --hidden-size --intermediate-size --num-hidden-layers --num-attention-heads --num-key-value-heads --max-position-embeddings --rope-theta --tie-word-embeddings --no-tie-word-embeddings --dtype --exploratory-rate --tokenizer-documents --batch-tokens --learning-rate --lr-scheduler-type --warmup-ratio --min-lr-rate --weight-decay --adam-beta1 --adam-beta2 --adam-epsilon --max-grad-norm --output-dir --max-steps --seed --threads --micro-batch-tokens --gradient-checkpointing --no-gradient-checkpointing --logging-steps --save-steps --save-total-limit --resume --no-resume --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --vocab-size) kind=none ;;
            --hidden-size) kind=none ;;
            --intermediate-size) kind=none ;;
            --num-hidden-layers) kind=none ;;
            --num-attention-heads) kind=none ;;
            --num-key-value-heads) kind=none ;;
            --max-position-embeddings) kind=none ;;
            --rope-theta) kind=none ;;
            --dtype) words='f32 bf16' ;;
            --exploratory-rate) kind=none ;;
            --tokenizer-documents) kind=none ;;
            --batch-tokens) kind=none ;;
            --learning-rate) kind=none ;;
            --lr-scheduler-type) words='cosine linear constant' ;;
            --warmup-ratio) kind=none ;;
            --min-lr-rate) kind=none ;;
            --weight-decay) kind=none ;;
            --adam-beta1) kind=none ;;
            --adam-beta2) kind=none ;;
            --adam-epsilon) kind=none ;;
            --max-grad-norm) kind=none ;;
            --output-dir) kind=dir ;;
            --max-steps) kind=none ;;
            --seed) kind=none ;;
            --threads) kind=none ;;
            --micro-batch-tokens) kind=none ;;
            --logging-steps) kind=none ;;
            --save-steps) kind=none ;;
            --save-total-limit) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    report)
        flags='--help --input --output --config --quiet --no-quiet'
        case "$previous" in
            --input) kind=file ;;
            --output) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    esac
    case "$kind" in
    none) COMPREPLY=(); return ;;
    dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    elif [ "${current#-}" != "$current" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _retort retort
