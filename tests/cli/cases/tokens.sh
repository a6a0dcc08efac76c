# Counting responses: groups, what is left out, a lexicon of one's own, and mistakes that are named.
cat >r.jsonl <<'END'
{"model":"a","problem_id":1,"text":"<think>Wait, so I think it is 2.</think>Because 1 + 1 = 2.","correct":true}
{"model":"a","problem_id":2,"text":"Hmm, but maybe not","finish_reason":"length"}
{"model":"b","problem_id":1,"response":"The sum is 2, so it is 2.","correct":false}
END
cat >own.yaml <<'END'
categories:
  own:
    entries: [sum, {text: so, not: [solve]}]
END
cat >broken.yaml <<'END'
categories:
  own:
    entries: [{text: so, not: [so what]}]
END
"$RETORT" tokens --quiet r.jsonl --lexicon own.yaml --resamples 100
for part in thought answer; do
    "$RETORT" tokens --quiet r.jsonl --lexicon own.yaml --resamples 100 --part $part | grep -A8 '^model  *a'
done
"$RETORT" tokens --quiet r.jsonl --keep truncated --json | grep -c '"reason": "truncated"'
"$RETORT" tokens --quiet r.jsonl --by model,problem_id | grep '^model  '
attempt() {
    "$RETORT" tokens --quiet r.jsonl "$@" 2>&1
    echo "exit $?"
}
attempt --lexicon broken.yaml
attempt --lexicon nowhere.yaml
attempt --keep all
attempt --reference c
attempt --text-key nothing
attempt --tokenizer r.jsonl
