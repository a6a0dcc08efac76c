# bash completion for retort. Made by 'retort --print-options bash'; do not edit.
_retort() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local flags='' words='' kind=''
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$previous" = help ]; }; then
        mapfile -t COMPREPLY < <(compgen -W 'help agreement ban-bias behaviors compare contamination data distill eval label model plan pretrain pull regrade report rewrite rl run sample serve store study substitution sweep teach template tokenize tokens verify --help --version' -- "$current")
        return
    fi
    local command=${COMP_WORDS[1]}
    case "$command ${COMP_WORDS[2]}" in
    'model convert') [ "$COMP_CWORD" -le 2 ] || command='model convert' ;;
    'model info') [ "$COMP_CWORD" -le 2 ] || command='model info' ;;
    'model merge') [ "$COMP_CWORD" -le 2 ] || command='model merge' ;;
    esac
    case "$command" in
    'agreement')
        flags='--help --judgements --responses --seed --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --judgements) kind=file ;;
            --responses) kind=file ;;
            --seed) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'ban-bias')
        flags='--help --model --ban-list --collateral --most --examples --output --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --ban-list) kind=none ;;
            --collateral) kind=none ;;
            --most) kind=none ;;
            --examples) kind=none ;;
            --output) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'behaviors')
        flags='--help --responses --problems --behaviors --judges --output --seed --base-url --api-key-file --api --extra-body --stream --no-stream --model --store --prompt --votes --max-tokens --temperature --top-p --segment --overlap --concurrency --requests-per-minute --tokens-per-minute --retries --retry-pause --timeout --first-token-timeout --price-input --price-output --prices --max-cost --dry-run --no-dry-run --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --responses) kind=file ;;
            --problems) kind=file ;;
            --behaviors) kind=file ;;
            --judges) kind=none ;;
            --output) kind=file ;;
            --seed) kind=none ;;
            --base-url) kind=none ;;
            --api-key-file) kind=file ;;
            --api) words='chat completions' ;;
            --extra-body) kind=none ;;
            --model) kind=file ;;
            --store) kind=file ;;
            --prompt) kind=file ;;
            --votes) kind=none ;;
            --max-tokens) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --segment) kind=none ;;
            --overlap) kind=none ;;
            --concurrency) kind=none ;;
            --requests-per-minute) kind=none ;;
            --tokens-per-minute) kind=none ;;
            --retries) kind=none ;;
            --retry-pause) kind=none ;;
            --timeout) kind=none ;;
            --first-token-timeout) kind=none ;;
            --price-input) kind=none ;;
            --price-output) kind=none ;;
            --prices) kind=file ;;
            --max-cost) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'compare')
        flags='--help --runs --grader --common --no-common --seed --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --runs) kind=file ;;
            --grader) words='verdict strict tolerant' ;;
            --seed) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'contamination')
        flags='--help --problems --against --clean --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --problems) kind=file ;;
            --against) kind=none ;;
            --clean) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'data')
        flags='--help --output --set --input --allow-changed --no-allow-changed --list --no-list --split --count --seed --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --output) kind=file ;;
            --set) kind=none ;;
            --input) kind=file ;;
            --split) words='pretrain distill rl validation test hard transfer' ;;
            --count) kind=none ;;
            --seed) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'distill')
        flags='--help --model --dataset --max-examples --max-length --truncate --no-truncate --inspect --system-prompt --instruction --completion-only-loss --no-completion-only-loss --assistant-only-loss --no-assistant-only-loss --num-train-epochs --train-batch-size --use-peft --no-use-peft --lora-r --lora-alpha --lora-target-modules --dtype --kv-dtype --learning-rate --lr-scheduler-type --warmup-ratio --min-lr-rate --weight-decay --adam-beta1 --adam-beta2 --adam-epsilon --max-grad-norm --output-dir --max-steps --seed --threads --micro-batch-tokens --gradient-checkpointing --no-gradient-checkpointing --logging-steps --save-steps --save-total-limit --resume --no-resume --memory-limit --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --dataset) kind=file ;;
            --max-examples) kind=none ;;
            --max-length) kind=none ;;
            --inspect) kind=none ;;
            --system-prompt) kind=none ;;
            --instruction) kind=none ;;
            --num-train-epochs) kind=none ;;
            --train-batch-size) kind=none ;;
            --lora-r) kind=none ;;
            --lora-alpha) kind=none ;;
            --lora-target-modules) kind=none ;;
            --dtype) words='auto f32 bf16 int8' ;;
            --kv-dtype) words='f32 bf16' ;;
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
            --memory-limit) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'eval')
        flags='--help --model --adapter --problems --tasks --data-dir --split --count --problems-seed --system-prompt --instruction --output --grader --n --seed --max-new-tokens --temperature --top-p --top-k --min-p --ban-list --ban-mode --ban-penalty --ban-cap --budget --budget-text --answer-tokens --extend --replay --dtype --kv-dtype --batch --threads --memory-limit --base-url --api-key-file --api --extra-body --stream --no-stream --store --template-dir --concurrency --requests-per-minute --tokens-per-minute --retries --retry-pause --timeout --first-token-timeout --price-input --price-output --prices --max-cost --dry-run --no-dry-run --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --adapter) kind=dir ;;
            --problems) kind=file ;;
            --tasks) kind=none ;;
            --data-dir) kind=dir ;;
            --split) kind=none ;;
            --count) kind=none ;;
            --problems-seed) kind=none ;;
            --system-prompt) kind=none ;;
            --instruction) kind=none ;;
            --output) kind=file ;;
            --grader) words='strict tolerant' ;;
            --n) kind=none ;;
            --seed) kind=none ;;
            --max-new-tokens) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --top-k) kind=none ;;
            --min-p) kind=none ;;
            --ban-list) kind=none ;;
            --ban-mode) words='hard penalty cap' ;;
            --ban-penalty) kind=none ;;
            --ban-cap) kind=none ;;
            --budget) kind=none ;;
            --budget-text) kind=none ;;
            --answer-tokens) kind=none ;;
            --extend) kind=file ;;
            --replay) kind=file ;;
            --dtype) words='auto f32 bf16 int8' ;;
            --kv-dtype) words='f32 bf16' ;;
            --batch) kind=none ;;
            --threads) kind=none ;;
            --memory-limit) kind=none ;;
            --base-url) kind=none ;;
            --api-key-file) kind=file ;;
            --api) words='chat completions' ;;
            --extra-body) kind=none ;;
            --store) kind=file ;;
            --template-dir) kind=dir ;;
            --concurrency) kind=none ;;
            --requests-per-minute) kind=none ;;
            --tokens-per-minute) kind=none ;;
            --retries) kind=none ;;
            --retry-pause) kind=none ;;
            --timeout) kind=none ;;
            --first-token-timeout) kind=none ;;
            --price-input) kind=none ;;
            --price-output) kind=none ;;
            --prices) kind=file ;;
            --max-cost) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'label')
        flags='--help --responses --behaviors --store --name --seed --count --config --quiet --no-quiet'
        case "$previous" in
            --responses) kind=file ;;
            --behaviors) kind=file ;;
            --store) kind=file ;;
            --name) kind=none ;;
            --seed) kind=none ;;
            --count) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'model')
        flags='--help --model --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --config) kind=file ;;
        esac
        if [ "$COMP_CWORD" -eq 2 ] && [ "${current#-}" = "$current" ]; then
            mapfile -t COMPREPLY < <(compgen -f -W 'convert info merge ' -- "$current")
            return
        fi
        ;;
    'model convert')
        flags='--help --in --out --format --dtype --overwrite --no-overwrite --config --quiet --no-quiet'
        case "$previous" in
            --in) kind=file ;;
            --out) kind=file ;;
            --format) words='auto hf gguf' ;;
            --dtype) words='auto f32 bf16 f16 q8_0' ;;
            --config) kind=file ;;
        esac
        ;;
    'model info')
        flags='--help --model --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'model merge')
        flags='--help --in --adapter --out --dtype --config --quiet --no-quiet'
        case "$previous" in
            --in) kind=dir ;;
            --adapter) kind=dir ;;
            --out) kind=dir ;;
            --dtype) words='f32 bf16 f16' ;;
            --config) kind=file ;;
        esac
        ;;
    'plan')
        flags='--help --shape --model --context --batch --tokens --micro-batch-tokens --gradient-checkpointing --no-gradient-checkpointing --dtype --threads --cores --peak-gflops --bandwidth --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --shape) kind=none ;;
            --model) kind=file ;;
            --context) kind=none ;;
            --batch) kind=none ;;
            --tokens) kind=none ;;
            --micro-batch-tokens) kind=none ;;
            --dtype) words='bf16 f32 int8' ;;
            --threads) kind=none ;;
            --cores) kind=none ;;
            --peak-gflops) kind=none ;;
            --bandwidth) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'pretrain')
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
    'pull')
        flags='--help --repo --revision --repo-type --include --exclude --local-dir --cache-dir --token-file --max-workers --retries --retry-pause --timeout --offline --no-offline --verify --no-verify --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --repo) kind=none ;;
            --revision) kind=none ;;
            --repo-type) words='model dataset' ;;
            --include) kind=none ;;
            --exclude) kind=none ;;
            --local-dir) kind=dir ;;
            --cache-dir) kind=dir ;;
            --token-file) kind=file ;;
            --max-workers) kind=none ;;
            --retries) kind=none ;;
            --retry-pause) kind=none ;;
            --timeout) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'regrade')
        flags='--help --run --problems --grader --output --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --run) kind=file ;;
            --problems) kind=file ;;
            --grader) words='strict tolerant' ;;
            --output) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'report')
        flags='--help --input --output --title --judgements --problems --lexicon --models --benchmarks --top --seed --config --quiet --no-quiet'
        case "$previous" in
            --input) kind=none ;;
            --output) kind=file ;;
            --title) kind=none ;;
            --judgements) kind=file ;;
            --problems) kind=file ;;
            --lexicon) kind=none ;;
            --models) kind=none ;;
            --benchmarks) kind=none ;;
            --top) kind=none ;;
            --seed) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'rewrite')
        flags='--help --input --output --style --match --seed --base-url --api-key-file --api --extra-body --stream --no-stream --model --store --tries --max-tokens --temperature --concurrency --requests-per-minute --tokens-per-minute --retries --retry-pause --timeout --first-token-timeout --price-input --price-output --prices --max-cost --dry-run --no-dry-run --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --input) kind=file ;;
            --output) kind=file ;;
            --style) words='plain sprinkled' ;;
            --match) kind=file ;;
            --seed) kind=none ;;
            --base-url) kind=none ;;
            --api-key-file) kind=file ;;
            --api) words='chat completions' ;;
            --extra-body) kind=none ;;
            --model) kind=file ;;
            --store) kind=file ;;
            --tries) kind=none ;;
            --max-tokens) kind=none ;;
            --temperature) kind=none ;;
            --concurrency) kind=none ;;
            --requests-per-minute) kind=none ;;
            --tokens-per-minute) kind=none ;;
            --retries) kind=none ;;
            --retry-pause) kind=none ;;
            --timeout) kind=none ;;
            --first-token-timeout) kind=none ;;
            --price-input) kind=none ;;
            --price-output) kind=none ;;
            --prices) kind=file ;;
            --max-cost) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'rl')
        flags='--help --model --dataset --system-prompt --instruction --num-train-epochs --prompts-per-step --num-generations --steps-per-generation --num-iterations --loss-type --scale-rewards --epsilon --epsilon-high --beta --mask-truncated-completions --no-mask-truncated-completions --reward --format-reward --dynamic-sampling --no-dynamic-sampling --max-refills --probe-problems --max-completion-length --temperature --top-p --top-k --min-p --rollout-batch --use-peft --no-use-peft --lora-r --lora-alpha --lora-target-modules --dtype --kv-dtype --learning-rate --lr-scheduler-type --warmup-ratio --min-lr-rate --weight-decay --adam-beta1 --adam-beta2 --adam-epsilon --max-grad-norm --output-dir --max-steps --seed --threads --micro-batch-tokens --gradient-checkpointing --no-gradient-checkpointing --logging-steps --save-steps --save-total-limit --resume --no-resume --memory-limit --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --dataset) kind=file ;;
            --system-prompt) kind=none ;;
            --instruction) kind=none ;;
            --num-train-epochs) kind=none ;;
            --prompts-per-step) kind=none ;;
            --num-generations) kind=none ;;
            --steps-per-generation) kind=none ;;
            --num-iterations) kind=none ;;
            --loss-type) words='grpo bnpo dr_grpo dapo' ;;
            --scale-rewards) words='group batch none' ;;
            --epsilon) kind=none ;;
            --epsilon-high) kind=none ;;
            --beta) kind=none ;;
            --reward) words='format signed' ;;
            --format-reward) kind=none ;;
            --max-refills) kind=none ;;
            --probe-problems) kind=none ;;
            --max-completion-length) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --top-k) kind=none ;;
            --min-p) kind=none ;;
            --rollout-batch) kind=none ;;
            --lora-r) kind=none ;;
            --lora-alpha) kind=none ;;
            --lora-target-modules) kind=none ;;
            --dtype) words='auto f32 bf16 int8' ;;
            --kv-dtype) words='f32 bf16' ;;
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
            --memory-limit) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'run')
        flags='--help --recipe --with --from --only --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --recipe) kind=none ;;
            --with) kind=file ;;
            --from) kind=none ;;
            --only) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'sample')
        flags='--help --model --adapter --prompts --system-prompt --instruction --output --json --no-json --n --seed --max-new-tokens --temperature --top-p --top-k --min-p --stop --stop-ids --ignore-eos --no-ignore-eos --banned-ids --ban-list --ban-mode --ban-penalty --ban-cap --dtype --kv-dtype --batch --threads --speculative-tokens --cache-memory --memory-limit --config --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --adapter) kind=dir ;;
            --prompts) kind=file ;;
            --system-prompt) kind=none ;;
            --instruction) kind=none ;;
            --output) kind=file ;;
            --n) kind=none ;;
            --seed) kind=none ;;
            --max-new-tokens) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --top-k) kind=none ;;
            --min-p) kind=none ;;
            --stop) kind=none ;;
            --stop-ids) kind=none ;;
            --banned-ids) kind=none ;;
            --ban-list) kind=none ;;
            --ban-mode) words='hard penalty cap' ;;
            --ban-penalty) kind=none ;;
            --ban-cap) kind=none ;;
            --dtype) words='auto f32 bf16 int8' ;;
            --kv-dtype) words='f32 bf16' ;;
            --batch) kind=none ;;
            --threads) kind=none ;;
            --speculative-tokens) kind=none ;;
            --cache-memory) kind=none ;;
            --memory-limit) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'serve')
        flags='--help --model --adapter --served-model-name --host --port --api-key --max-connections --max-body --read-timeout --max-tokens --ban-list --dtype --kv-dtype --batch --max-model-len --speculative-tokens --cache-memory --memory-limit --max-queue --request-timeout --drain-timeout --threads --config --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --adapter) kind=dir ;;
            --served-model-name) kind=none ;;
            --host) kind=none ;;
            --port) kind=none ;;
            --api-key) kind=none ;;
            --max-connections) kind=none ;;
            --max-body) kind=none ;;
            --read-timeout) kind=none ;;
            --max-tokens) kind=none ;;
            --ban-list) kind=none ;;
            --dtype) words='auto f32 bf16 int8' ;;
            --kv-dtype) words='f32 bf16' ;;
            --batch) kind=none ;;
            --max-model-len) kind=none ;;
            --speculative-tokens) kind=none ;;
            --cache-memory) kind=none ;;
            --memory-limit) kind=none ;;
            --max-queue) kind=none ;;
            --request-timeout) kind=none ;;
            --drain-timeout) kind=none ;;
            --threads) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'store')
        flags='--help --store --check --no-check --list --no-list --import --requests --export --format --table --model --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --store) kind=file ;;
            --import) kind=none ;;
            --requests) kind=none ;;
            --export) kind=file ;;
            --format) words='rows trl lighteval openai-requests openai-results' ;;
            --table) words='responses problems prompts traces scores judgements metrics manifests' ;;
            --model) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'study')
        flags='--help --recipe --out --base --quick --no-quick --seed --threads --arms --examples --rl-problems --teacher-budget --test-problems --hard-problems --transfer-problems --samples --max-new-tokens --batch --temperature --top-p --browser-problems --config --quiet --no-quiet'
        case "$previous" in
            --recipe) kind=file ;;
            --out) kind=dir ;;
            --base) kind=dir ;;
            --seed) kind=none ;;
            --threads) kind=none ;;
            --arms) kind=none ;;
            --examples) kind=none ;;
            --rl-problems) kind=none ;;
            --teacher-budget) kind=none ;;
            --test-problems) kind=none ;;
            --hard-problems) kind=none ;;
            --transfer-problems) kind=none ;;
            --samples) kind=none ;;
            --max-new-tokens) kind=none ;;
            --batch) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --browser-problems) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'substitution')
        flags='--help --banned --free --phrase --least --top --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --banned) kind=file ;;
            --free) kind=file ;;
            --phrase) kind=none ;;
            --least) kind=none ;;
            --top) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'sweep')
        flags='--help --recipe --out --base --threads --seeds --examples --teachers --max-lengths --exposures --teacher-budget --test-problems --samples --max-new-tokens --batch --temperature --top-p --config --quiet --no-quiet'
        case "$previous" in
            --recipe) kind=file ;;
            --out) kind=dir ;;
            --base) kind=dir ;;
            --threads) kind=none ;;
            --seeds) kind=none ;;
            --examples) kind=none ;;
            --teachers) kind=none ;;
            --max-lengths) kind=none ;;
            --exposures) kind=none ;;
            --teacher-budget) kind=none ;;
            --test-problems) kind=none ;;
            --samples) kind=none ;;
            --max-new-tokens) kind=none ;;
            --batch) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'teach')
        flags='--help --problems --output --seed --max-examples --keep --against --teacher --budget --base-url --api-key-file --api --extra-body --stream --no-stream --model --store --system-prompt --instruction --n --max-tokens --temperature --top-p --think --batch-requests --batch-results --import-traces --concurrency --requests-per-minute --tokens-per-minute --retries --retry-pause --timeout --first-token-timeout --price-input --price-output --prices --max-cost --dry-run --no-dry-run --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --problems) kind=file ;;
            --output) kind=file ;;
            --seed) kind=none ;;
            --max-examples) kind=none ;;
            --keep) words='all correct' ;;
            --against) kind=none ;;
            --teacher) words='flexible rigid terse' ;;
            --budget) kind=none ;;
            --base-url) kind=none ;;
            --api-key-file) kind=file ;;
            --api) words='chat completions' ;;
            --extra-body) kind=none ;;
            --model) kind=file ;;
            --store) kind=file ;;
            --system-prompt) kind=none ;;
            --instruction) kind=none ;;
            --n) kind=none ;;
            --max-tokens) kind=none ;;
            --temperature) kind=none ;;
            --top-p) kind=none ;;
            --think) words='tags drop only' ;;
            --batch-requests) kind=file ;;
            --batch-results) kind=none ;;
            --import-traces) kind=none ;;
            --concurrency) kind=none ;;
            --requests-per-minute) kind=none ;;
            --tokens-per-minute) kind=none ;;
            --retries) kind=none ;;
            --retry-pause) kind=none ;;
            --timeout) kind=none ;;
            --first-token-timeout) kind=none ;;
            --price-input) kind=none ;;
            --price-output) kind=none ;;
            --prices) kind=file ;;
            --max-cost) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'template')
        flags='--help --model --messages --add-generation-prompt --no-add-generation-prompt --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --messages) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'tokenize')
        flags='--help --model --file --decode --no-decode --special-tokens --no-special-tokens --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --model) kind=file ;;
            --file) kind=file ;;
            --config) kind=file ;;
        esac
        ;;
    'tokens')
        flags='--help --responses --by --text-key --problem-key --lexicon --part --starts-in-thought --no-starts-in-thought --keep --tokenizer --first-words --reference --top --seed --resamples --threads --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --responses) kind=file ;;
            --by) kind=none ;;
            --text-key) kind=none ;;
            --problem-key) kind=none ;;
            --lexicon) kind=none ;;
            --part) words='both thought answer' ;;
            --keep) kind=none ;;
            --tokenizer) kind=dir ;;
            --first-words) kind=none ;;
            --reference) kind=none ;;
            --top) kind=none ;;
            --seed) kind=none ;;
            --resamples) kind=none ;;
            --threads) kind=none ;;
            --config) kind=file ;;
        esac
        ;;
    'verify')
        flags='--help --gold --pred --jsonl --profile --rounding --no-rounding --budget --explain --no-explain --config --json --no-json --quiet --no-quiet'
        case "$previous" in
            --gold) kind=none ;;
            --pred) kind=none ;;
            --jsonl) kind=file ;;
            --profile) words='strict tolerant' ;;
            --budget) kind=none ;;
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
