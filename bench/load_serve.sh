#!/bin/sh
# 200 clients on `retort serve` with the mini model, and `retort sample` at the same batch before and after:
#   bench/load_serve.sh BUILD [CLIENTS 200] [SECONDS 300]      BUILD: the build folder, such as build/gcc
# Prints the server's memory and descriptors over time, and tokens/s of both. `sample` is timed from outside as a whole; it
# draws one response to each prompt, because no two requests to the server share one.
set -eu
build=$1 clients=${2:-200} seconds=${3:-300}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
model=$here/../assets/countdown-base
retort=$build/src/cli/retort
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT
ninja -C "$build" bench/load_serve >/dev/null
"$retort" data --split test --count 12000 --output "$work/problems.jsonl" --quiet
# The same bytes as load_serve asks with.
sed 's/"problem":"\([^"]*\)"/"prompt":"\1\\n"/' "$work/problems.jsonl" >"$work/prompts.jsonl"
sample() {
    begin=$(date +%s.%N)
    "$retort" sample --quiet --model "$model" --prompts "$work/prompts.jsonl" --batch "$clients" \
        --max-new-tokens 320 --output "$work/sampled.jsonl"
    end=$(date +%s.%N)
    tokens=$(sed 's/.*"token_ids": *\[\([^]]*\)\].*/\1/' "$work/sampled.jsonl" | tr -cd ',\n' | wc -c)
    echo "sample: $tokens tokens, $(echo "$tokens / ($end - $begin)" | bc) tokens/s"
}
sample
: >"$work/log"
: >"$work/address"
"$retort" serve --quiet --model "$model" --port 0 --batch "$clients" --max-model-len 512 2>"$work/log" >"$work/address" &
server=$!
while ! grep -q 'http://' "$work/address" "$work/log"; do
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
address=$(cat "$work/address" "$work/log" | grep -o 'http://[0-9.:]*' | head -n 1)
"$build/bench/load_serve" "$address/v1" "$server" "$work/problems.jsonl" "$clients" "$seconds"
kill "$server"
wait "$server"
server=
sample
