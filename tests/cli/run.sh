#!/bin/sh
# Runs one case of the command line: a script, and beside it what is expected of it.
#
#   run.sh PROGRAM CASE.sh
#
#   CASE.exit         exit status; 0 where the file is missing
#   CASE.stdout       exactly what is printed; nothing where neither this nor the next is there
#   CASE.stdout.has   lines that must each occur somewhere in it
#   CASE.stderr, CASE.stderr.has likewise
#
# The script runs in an empty folder with $RETORT, $ROOT (the source tree) and $MODEL (the shipped base model); exit
# status 77 from the script says that the case cannot run here. UPDATE=1 rewrites .exit, .stdout and .stderr.
set -u
RETORT=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
case=$2
base=${case%.sh}
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
MODEL=$ROOT/assets/countdown-base
LC_ALL=C
TERM=dumb
export RETORT ROOT MODEL LC_ALL TERM
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/in"
(cd "$work/in" && sh -u "$case") >"$work/stdout" 2>"$work/stderr" </dev/null
status=$?
[ "$status" -eq 77 ] && exit 77

# The temporary folder and the tree have other names on every machine.
for stream in stdout stderr; do
    sed -e "s|$work/in|WORK|g" -e "s|$ROOT|ROOT|g" "$work/$stream" >"$work/$stream.plain"
done

if [ -n "${UPDATE-}" ]; then
    rm -f "$base.exit" "$base.stdout" "$base.stderr"
    if [ "$status" -ne 0 ]; then echo "$status" >"$base.exit"; fi
    for stream in stdout stderr; do
        if [ -s "$work/$stream.plain" ] && [ ! -f "$base.$stream.has" ]; then
            cp "$work/$stream.plain" "$base.$stream"
        fi
    done
    exit 0
fi

result=0
expected=0
if [ -f "$base.exit" ]; then expected=$(cat "$base.exit"); fi
if [ "$status" -ne "$expected" ]; then
    echo "exit status $status, expected $expected"
    result=1
fi
for stream in stdout stderr; do
    if [ -f "$base.$stream.has" ]; then
        while IFS= read -r line; do
            grep -qF -e "$line" "$work/$stream.plain" && continue
            echo "$stream lacks: $line"
            result=1
        done <"$base.$stream.has"
        [ "$result" -eq 0 ] && continue
    elif [ -f "$base.$stream" ]; then
        diff -u "$base.$stream" "$work/$stream.plain" && continue
        result=1
    else
        [ -s "$work/$stream.plain" ] || continue
        echo "nothing was expected on $stream"
        result=1
    fi
    echo "--- $stream was:"
    cat "$work/$stream.plain"
done
exit "$result"
