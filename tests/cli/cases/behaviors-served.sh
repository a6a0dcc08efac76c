# A model that cannot judge, behind `retort serve`: every reply is unparsed, and nothing becomes a zero.
. "$ROOT/tests/cli/fixture.sh"
"$RETORT" pretrain --quiet --vocab-size 300 --hidden-size 16 --intermediate-size 32 --num-hidden-layers 1 \
    --num-attention-heads 2 --num-key-value-heads 1 --max-position-embeddings 16384 --tokenizer-documents 50 \
    --batch-tokens 512 --max-steps 1 --output-dir model >/dev/null
cat >responses.jsonl <<'END'
{"problem_id": "a", "model": "m", "text": "I add. Wait, that is wrong. Alternatively, I multiply."}
{"problem_id": "b", "model": "m", "text": "It is \\boxed{4}."}
END
: >served # the file is there before the server writes to it
"$RETORT" serve --quiet --model model --port 0 >served 2>&1 &
server=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    url=$(grep -o 'http://127[0-9.:]*' served) && break
    sleep 0.5
done
judge() {
    "$RETORT" behaviors responses.jsonl --quiet --judges none --base-url "$url/v1" --api completions --model model --store run.db --max-tokens 20 \
        --output judged.jsonl --retries 0 "$@"
}
judge >table
status=$?
kill $server
wait $server
echo "exit $status"
grep -E '^(judge|judged|votes|unparsed|refused|asked|reused) ' table
grep -E '^(perspective|metacognitive|verification) ' table
grep -o '"status":.*' judged.jsonl
"$RETORT" store run.db --check | grep -E '^(responses|check)'
echo '-- once more, with nobody there: the replies are in the store'
judge | grep -E '^(unparsed|asked|reused) '
