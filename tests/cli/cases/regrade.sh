# Stored responses graded again: golds in the lines or in a file, old verdicts beside new ones, folders.
cat >answers.jsonl <<'END'
{"problem_id": "half", "sample": 0, "response": "So \\boxed{0.5}.", "answer": "\\frac{1}{2}", "correct": false}
{"problem_id": "half", "sample": 1, "response": "The answer is 1/2.", "answer": "\\frac{1}{2}", "correct": true}
{"problem_id": "half", "sample": 2, "response": "So \\boxed{2}.", "answer": "\\frac{1}{2}", "correct": true, "truncated": true}
{"problem_id": 7, "response": "\\boxed{x^2-1}", "answer": "(x-1)(x+1)", "correct": true, "note": "kept"}
END
"$RETORT" regrade --quiet answers.jsonl --output graded.jsonl
echo "exit $?"
cat graded.jsonl
# What eval writes grades itself again to the same verdicts.
"$RETORT" regrade --quiet graded.jsonl --json | grep '"changed"'

# Without answers in the lines the problems are needed; worlds have their closed grammar.
cat >plain.jsonl <<'END'
{"problem_id": "w", "text": "\\boxed{(11 - 5) * (7 - 3)}"}
{"problem_id": "w", "sample": 1, "text": "\\boxed{(11 - 5)(7 - 3)}"}
END
cat >problems.jsonl <<'END'
{"id": "w", "problem": "?", "world": {"family": "countdown", "numbers": [3, 5, 7, 11], "target": 24}}
{"id": "unused", "problem": "?", "answer": "1"}
END
"$RETORT" regrade --quiet plain.jsonl
echo "exit $?"
"$RETORT" regrade --quiet plain.jsonl --problems problems.jsonl --grader strict
echo "exit $?"

# A study's folder finds its own problems.
mkdir -p run/responses run/data
cp plain.jsonl run/responses/arm.test.jsonl
cp problems.jsonl run/data/test.jsonl
"$RETORT" regrade --quiet run --output again --json >run.json && grep -c '"verdict":"right"' again/arm.test.jsonl

# Bad input is told by file and line.
echo '{"problem_id": "other", "text": "1"}' >other.jsonl
"$RETORT" regrade --quiet other.jsonl --problems problems.jsonl
echo "exit $?"
printf '%s\n' '{"problem_id": "a", "text": "1", "answer": "1"}' '{"problem_id": "a", "text": "1", "answer": "2"}' >two.jsonl
"$RETORT" regrade --quiet two.jsonl
echo "exit $?"
echo '{"problem_id": "a", "text": "1", "answer": "1", "verdict": "fine"}' >odd.jsonl
"$RETORT" regrade --quiet odd.jsonl
echo "exit $?"
mkdir empty
"$RETORT" regrade --quiet empty
echo "exit $?"
"$RETORT" regrade --quiet missing.jsonl
echo "exit $?"
exit 0
