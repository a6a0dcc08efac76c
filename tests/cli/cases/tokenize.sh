# Tokens and templates of a model: ids for a script, a table for people, back to text, and what cannot be used.
. "$ROOT/tests/cli/fixture.sh"
model=$ROOT/assets/countdown-base
printf 'Numbers: 3, 5 \303\251' >text
"$RETORT" tokenize --quiet --model "$model" --file text --json >ids.json
"$RETORT" tokenize --quiet --model "$model" --decode --file ids.json | cmp - text && echo 'back to the same bytes'
"$RETORT" tokenize --quiet --model "$model" <text | awk '{ split($2, s, "-"); if (s[1] != last + 0) print "gap"; last = s[2] } END { print last " bytes" }'
printf '<|endoftext|>' | "$RETORT" tokenize --quiet --model "$model" --json
echo '0 0' | "$RETORT" tokenize --quiet --model "$model" --decode --no-special-tokens --json
echo '[{"role": "user", "content": "A question"}, {"role": "assistant", "content": "7"}]' >chat.json
"$RETORT" template --quiet --model "$model" --messages chat.json && echo
echo '[{"role": "system", "content": "Be brief"}]' >system.json
attempt 'a refused message' template --quiet --model "$model" --messages system.json
echo '{"messages": 7}' >seven.json
attempt 'no messages' template --quiet --model "$model" --messages seven.json
mkdir bare && echo '{}' >bare/tokenizer_config.json
attempt 'no template' template --quiet --model bare --messages chat.json
attempt 'no tokenizer' tokenize --quiet --model bare --file text
echo '1 x' >words
attempt 'no ids' tokenize --quiet --model "$model" --decode --file words
echo 999999 >large
attempt 'no such id' tokenize --quiet --model "$model" --decode --file large | sed 's,of [0-9]*$,of N,'
