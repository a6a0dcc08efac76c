# Prompts and token ids that cannot be used.
. "$ROOT/tests/cli/fixture.sh"
make_model
sample() {
    label=$1
    shift
    attempt "$label" sample --quiet --model model --max-new-tokens 4 --json "$@"
}

echo '{"id": "p", "prompt": "1 + 1"}' >good.jsonl
sample 'end id outside the vocabulary' --prompts good.jsonl --stop-ids 300
sample 'banned id outside the vocabulary' --prompts good.jsonl --banned-ids 12,-3
sample 'ids that are no numbers' --prompts good.jsonl --banned-ids a,b
sample 'no such ban list' --prompts good.jsonl --ban-list nowhere
sample 'response longer than the context' --prompts good.jsonl --max-new-tokens 400
{
    printf '{"id": "long", "prompt": "'
    i=0
    while [ $i -lt 200 ]; do
        printf '1 2 3 '
        i=$((i + 1))
    done
    printf '"}\n'
} >long.jsonl
sample 'prompt longer than the context' --prompts long.jsonl
: >empty.jsonl
sample 'empty file' --prompts empty.jsonl
echo '{"id": "p"}' >keys.jsonl
sample 'nothing to ask' --prompts keys.jsonl
printf '{"id": "p", "prompt": "1"}\n{"id": \n' >broken.jsonl
sample 'second line is no JSON' --prompts broken.jsonl
sample 'unwritable output' --prompts good.jsonl --output nowhere/deep/out.jsonl
ls
