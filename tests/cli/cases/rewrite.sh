# retort rewrite: both styles, what it refuses, and that nothing refused is kept.
"$RETORT" data --quiet --split distill --count 40 --seed 3 --output "p.jsonl"
"$RETORT" teach --quiet --problems "p.jsonl" --seed 3 --output "f.jsonl"
"$RETORT" teach --quiet --problems "p.jsonl" --teacher rigid --seed 3 --output "r.jsonl"
"$RETORT" rewrite --quiet "f.jsonl" --output "plain.jsonl"
"$RETORT" rewrite --quiet "r.jsonl" --style sprinkled --match "f.jsonl" --output "sprinkled.jsonl"
sed -n 1p "plain.jsonl"
sed -n 2p "sprinkled.jsonl"
echo "--- plain again: nothing to change"
"$RETORT" rewrite --quiet "plain.jsonl" --output "again.jsonl" | sed 1q
cmp "plain.jsonl" "again.jsonl" && echo same
echo "--- not a teacher's trace"
{ sed 2q "f.jsonl"; echo '{"problem":"?","response":"I think it is 7."}'; } >"mixed.jsonl"
"$RETORT" rewrite --quiet "mixed.jsonl" --output "kept.jsonl" | sed 2q
wc -l <"kept.jsonl" | tr -d ' '
sed -n 3p "mixed.jsonl" >"none.jsonl"
"$RETORT" rewrite --quiet "none.jsonl" --output "no.jsonl" 2>&1; echo "exit $?"
[ -e "no.jsonl" ] || echo "no file"
echo "--- sprinkled needs a rate"
"$RETORT" rewrite --quiet "r.jsonl" --style sprinkled --output "no.jsonl" 2>&1; echo "exit $?"
"$RETORT" rewrite --quiet "r.jsonl" --style sprinkled --match "r.jsonl" --output "no.jsonl" 2>&1
