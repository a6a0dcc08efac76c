# The nearest logit_bias: what it catches, and the file that a request takes.
printf 'so\nwait\n' >words.txt
"$RETORT" ban-bias --model "$MODEL" --ban-list words.txt --examples 3 --output bias.json --json
cat bias.json
"$RETORT" ban-bias --model "$MODEL" --ban-list nowhere
echo "exit $?"
