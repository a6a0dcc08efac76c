# Problem sets from files: what is known, a file that is not the known set, one's own CSV, and what is refused.
"$RETORT" data --list | head -4
cat >mine.csv <<'CSV'
id,question,answer
q1,"What is 1 + 1,
in words?",two
q2,What is 2 + 2?,4
CSV
"$RETORT" data --input mine.csv --output mine.jsonl
cat mine.jsonl
"$RETORT" data --input mine.csv --output again.jsonl --json
echo '{"problem": "Q", "answer": "042"}' >one.jsonl
"$RETORT" data --set AIME24 --input one.jsonl --output out.jsonl 2>&1
echo "exit $?"
test -e out.jsonl || echo 'nothing was written'
"$RETORT" data --set AIME24 --input one.jsonl --output out.jsonl --allow-changed
cat out.jsonl
echo '{"problem": "Q", "answer": "x"}' >one.jsonl
"$RETORT" data --set aime_2024 --input one.jsonl --output out.jsonl 2>&1
echo "exit $?"
"$RETORT" data --set hmmt --output out.jsonl 2>&1
HF_HUB_CACHE=hub "$RETORT" data --set math500 --output out.jsonl 2>&1
echo "exit $?"
mkdir -p hub/datasets--HuggingFaceH4--MATH-500/refs hub/datasets--HuggingFaceH4--MATH-500/snapshots/0123456789012345678901234567890123456789
printf 0123456789012345678901234567890123456789 >hub/datasets--HuggingFaceH4--MATH-500/refs/main
echo '{"problem": "Q", "answer": "x", "unique_id": "test/1"}' >hub/datasets--HuggingFaceH4--MATH-500/snapshots/0123456789012345678901234567890123456789/test.jsonl
HF_HUB_CACHE=hub "$RETORT" data --set math500 --output out.jsonl --allow-changed
cat out.jsonl
"$RETORT" data --set chess --output out.jsonl 2>&1
echo "exit $?"
printf 'id,problem,answer\na,Q,1\na,R,2\n' >twice.csv
"$RETORT" data --input twice.csv --output out.jsonl 2>&1
echo "exit $?"
"$RETORT" data --split test --count 3 --output world.jsonl --json
