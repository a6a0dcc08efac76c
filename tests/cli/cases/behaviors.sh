# Behaviours by rules and exactly, of a file of any tool and of behaviours of one's own; agreement across files; errors.
. "$ROOT/tests/cli/fixture.sh"
"$RETORT" data --quiet --split test --count 40 --output problems.jsonl
"$RETORT" teach --quiet problems.jsonl --output traces.jsonl >/dev/null
sed 's/"id"/"problem_id"/' traces.jsonl >responses.jsonl
"$RETORT" behaviors responses.jsonl --problems problems.jsonl --output judged.jsonl >table
grep -E '^(judge|judged|unparsed) ' table
grep -o '^behavior .*' table | tr -s ' '
grep -E '^verification +exact +rules' table | tr -s ' ' | cut -d' ' -f 1-6
wc -l <judged.jsonl
grep -c '"judge": *"exact"' judged.jsonl
echo '-- the same figures from the file, as from the run'
"$RETORT" agreement judged.jsonl | sed -n '/^pairs/,$p' >from-file
sed -n '/^pairs/,$p' table | cmp - from-file && echo same
echo '-- another tool, behaviours of our own, one without rules'
cat >other.jsonl <<'END'
{"problem_id": 1, "model": "x", "response": "Hello. I add 2 + 2 = 4. Goodbye.", "truncated": true}
{"problem_id": 2, "model": "x", "response": "I add 3 + 3 = 7. No, 3 + 3 = 6."}
{"problem_id": 2, "model": "y", "response": "Hello! Hello!"}
END
cat >own.yaml <<'END'
name: own
behaviors:
  - {name: greets, definition: says hello, rules: [{any: [hello]}]}
  - {name: recomputes, definition: works a step out again, rules: [{needs: [recomputed]}]}
  - {name: hopes, definition: for judging models only}
END
"$RETORT" behaviors other.jsonl --behaviors own.yaml --output own.jsonl | sed 's/own:.*/own/'
cat own.jsonl | sed 's/own:[0-9a-f]*/own/'
echo '-- errors'
attempt 'no such judge' behaviors other.jsonl --judges oracle
attempt 'a world that is none' behaviors other.jsonl --judges exact
attempt 'a problem that is not there' behaviors other.jsonl --problems problems.jsonl
printf 'name: x\nbehaviors: [{name: a, definition: d, rules: [{any: [b], neds: [c]}]}]\n' >bad.yaml
attempt 'a rule misspelt' behaviors other.jsonl --behaviors bad.yaml
attempt 'a model without an address' behaviors other.jsonl --model gpt
attempt 'the same file twice' agreement own.jsonl,own.jsonl
attempt 'no judgements' agreement other.jsonl
attempt 'labels without a terminal' label other.jsonl --store run.db --name ada
attempt 'labels without a name' label other.jsonl --store run.db
