# What distill will train on, shown before it does: by hand, as JSON, with too long examples, with a chat template.
. "$ROOT/tests/cli/fixture.sh"
make_model
printf '%s\n' '{"problem": "Use 1 and 2 to make 3.", "response": "1 + 2 = 3: yes. \\boxed{1 + 2}"}' \
    '{"problem": "Use 2 and 2 to make 4.", "response": "\\boxed{2 + 2}"}' >two.jsonl
# Counts change with the corpus that the tokenizer was trained on.
inspect() {
    "$RETORT" distill --quiet --model model --dataset two.jsonl "$@" >said 2>&1
    status=$?
    sed -E '/^ *[0-9]+ - /d; /^[0-9* ]+$/d; s/"input_ids".*"text"/"text"/; s/"histogram".*//; s/[0-9]{2,}/N/g' said
    echo "  exit $status"
}
inspect --inspect
inspect --inspect=2 --json
inspect --inspect 0
inspect --inspect 1 --max-length 40 | tail -3
inspect --inspect 1 --max-length 40 --truncate | tail -2
inspect --output-dir cut --max-length 40 --truncate --max-steps 1 | grep -E 'cut_|exit'
inspect --inspect --system-prompt 'Be brief.'
# The template of the shipped base, without the one that is put before it.
sed -i '/retort_prompt_template/d' model/tokenizer_config.json
inspect --inspect --instruction 'Please: {problem}' | head -6
inspect --inspect --instruction 'Please' | head -6
sed -i 's/ + eos_token//' model/tokenizer_config.json
inspect --inspect
