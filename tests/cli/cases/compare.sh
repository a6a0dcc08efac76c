# Two runs side by side: better and worse problems, changed responses, other problems, folders.
run() {
    while read -r problem sample verdict text; do
        echo "{\"problem_id\": \"$problem\", \"sample\": $sample, \"verdict\": \"$verdict\", \"text\": \"$text\"}"
    done
}
run >a.jsonl <<'END'
p 0 right x
p 1 wrong y
q 0 wrong x
q 1 wrong y
r 0 unparsed x
r 1 wrong y
END
run >b.jsonl <<'END'
r 1 right yes
r 0 unparsed x
q 0 right x
q 1 wrong y
p 0 right x
p 1 wrong z
END
"$RETORT" compare a.jsonl b.jsonl
echo "exit $?"
# A run is no better than itself, and that is not certain to the last digit.
"$RETORT" compare a.jsonl a.jsonl --json | sed -n '/"paired"/,/]$/p' | grep -v '^ *[0-9]' | head -12
# Verdicts of one grader where the lines have them.
sed 's/"verdict": "wrong"/"verdict": "wrong", "strict": "wrong", "tolerant": "right"/' a.jsonl >c.jsonl
"$RETORT" compare a.jsonl c.jsonl --json | grep '"difference"'
"$RETORT" compare a.jsonl c.jsonl --grader tolerant --json | grep '"difference"'

# Other problems are refused unless asked for.
grep -v '"q"' b.jsonl >few.jsonl
echo '{"problem_id": "s", "correct": true, "response": "x"}' >>few.jsonl
"$RETORT" compare a.jsonl few.jsonl
echo "exit $?"
"$RETORT" compare a.jsonl few.jsonl --common --json | grep -e '"problems"' -e '"problems_only' -e '"responses_paired' -e '"responses_only'

mkdir one two
cp a.jsonl one/math.jsonl && cp b.jsonl two/math.jsonl && cp a.jsonl one/more.jsonl
"$RETORT" compare one two
echo "exit $?"
"$RETORT" compare one two --common --json | grep -c '"difference"'
cp a.jsonl two/more.jsonl
"$RETORT" compare one two --json | grep -c '"measure": "avg"'

echo '{"problem_id": "p", "text": "x"}' >bare.jsonl
"$RETORT" compare a.jsonl bare.jsonl --common
echo "exit $?"
cat a.jsonl a.jsonl >twice.jsonl
"$RETORT" compare a.jsonl twice.jsonl
echo "exit $?"
"$RETORT" compare a.jsonl
echo "exit $?"
"$RETORT" compare a.jsonl one
echo "exit $?"
exit 0
