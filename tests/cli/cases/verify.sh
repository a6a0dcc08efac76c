# One pair in text and as JSON, a file of pairs in order, and what is refused. Verdicts never change the exit status.
"$RETORT" verify --gold '1+\sqrt{2}' --pred 'so it is \boxed{\sqrt{3+2\sqrt2}}.' --explain
"$RETORT" verify --gold 5 --pred '\boxed{6}' --json
"$RETORT" verify --gold 3.14 --pred '\boxed{\pi}' --rounding
"$RETORT" verify --gold 12 --pred 'The answer is 12.'
"$RETORT" verify --gold 12 --pred 'The answer is 12.' --profile tolerant
cat >pairs.jsonl <<'EOF'
{"id": "a", "gold": "\\frac{1}{2}", "pred": "\\boxed{0.5}"}
{"id": 2, "gold": 7, "pred": "7", "profile": "tolerant"}
{"gold": "5", "pred": "\\boxed{\\frac{5}{0}}"}

{"id": "d", "gold": "1", "pred": "\\boxed{(1+10^{-9})^{10^{15}}-e^{e^{e^{e^{e^{e}}}}}}", "profile": null}
EOF
"$RETORT" verify --jsonl pairs.jsonl --json
echo '{"gold": "1"}' >>pairs.jsonl
"$RETORT" verify --jsonl pairs.jsonl 2>&1
echo "exit $?"
"$RETORT" verify --gold 5 --jsonl pairs.jsonl 2>&1
echo "exit $?"
# Whatever the number of threads.
i=0
while [ $i -lt 300 ]; do
    echo '{"gold": "'$i'", "pred": "\\boxed{'$((i + i % 3))'}"}'
    i=$((i + 1))
done >many.jsonl
OMP_NUM_THREADS=1 "$RETORT" verify --jsonl many.jsonl --json >one
OMP_NUM_THREADS=4 "$RETORT" verify --jsonl many.jsonl --json >four
cmp one four
