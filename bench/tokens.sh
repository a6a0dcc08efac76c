#!/bin/sh
# Time and memory of `retort tokens` on a gigabyte of synthetic responses.
#   tokens.sh RETORT [MEGABYTES]
set -eu
retort=$1
megabytes=${2-1024}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/make_responses.py" "$work/responses.jsonl" "$megabytes"
echo "$(wc -l <"$work/responses.jsonl") responses, $megabytes MiB"
for threads in 1 2; do
    /usr/bin/time -f "threads $threads: %e s, %U s of processor time, %M KiB at most" "$retort" tokens --quiet --threads $threads --json "$work/responses.jsonl" >"$work/$threads.json"
done
cmp "$work/1.json" "$work/2.json" && echo 'the same figures'
