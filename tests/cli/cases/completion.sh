# The bash completion, asked as the shell would ask.
command -v bash >/dev/null || exit 77
bash -u -c '
source "$ROOT/completions/retort.bash"
ask() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _retort
    echo "${COMPREPLY[*]-}"
}
touch traces.jsonl
ask retort dis
ask retort help re
ask retort distill --learning
ask retort distill --lr-scheduler-type co
ask retort distill --dataset tr
ask retort distill --seed ""
ask retort model con
ask retort model convert --dtype q
ask retort model convert --ov
'
