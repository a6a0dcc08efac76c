#!/bin/sh
# Opens a report on runs in headless Chromium: the page of figures and the explorer, with texts that try to break out. No
# console message, every section drawn, the search finds what is there, texts marked where the spans say. Without
# Chromium it is skipped (exit status 77).
#
#   check_runs.sh RETORT RUNS.jsonl JUDGEMENTS.jsonl
set -u
retort=$1
runs=$2
judgements=$3
browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then browser=$name && break; fi
done
if [ -z "$browser" ]; then
    echo "skipped: no chromium here; install the package 'chromium' to check the pages"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_runs: $1" >&2
    exit 1
}

"$retort" report "$runs" --judgements "$judgements" --output "$work/report" || fail "retort report failed"

# open_page PAGE: its DOM, once its script has done its work, is in $work/dom.
open_page() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
        --disable-background-networking --disable-component-update --disable-dev-shm-usage \
        --host-resolver-rules="MAP * ~NOTFOUND" --user-data-dir="$work/profile" --enable-logging=stderr --v=0 \
        --virtual-time-budget=8000 --window-size=1400,1000 --dump-dom "file://$work/report/$1" \
        >"$work/dom" 2>"$work/log" || fail "$browser failed on $1: $(tail -n 3 "$work/log")"
    grep -a 'CONSOLE' "$work/log" && fail "$1: the console has messages"
    grep -aq 'data-ready="true"' "$work/dom" || fail "$1: the page's script did not come to its end"
    grep -aq 'role="alert"' "$work/dom" && fail "$1: a part of the page could not be drawn"
    grep -aq '<title>broken out' "$work/dom" && fail "$1: a text ran as a script"
    return 0
}
has() {
    grep -aq "$1" "$work/dom" || fail "$2"
}

open_page index.html
for id in scores differences lengths tokens behaviors measures; do
    has "<section id=\"$id\"" "the section '$id' is missing"
done
has 'do not say how they ended' "a note is missing"
has '75.0' "the accuracy of the first model is missing"

open_page explorer.html
has 'aria-setsize="8"' "the list does not have all responses"
has '&lt;script&gt;document.title' "the text of a response is not shown as it is"
# Offsets are bytes of UTF-8; the marked words come after characters of two, three and four bytes.
has '<mark class="k-anthropomorphic"[^>]*>Wait</mark>' "a word is marked at the wrong place"
has '<mark class="k-b0"[^>]*>12 is not 7.</mark>' "a judge's span is marked at the wrong place"

# A word by its beginning, a phrase with its signs, and what must not be there.
open_page 'explorer.html#q=wait'
has 'aria-setsize="3"' "the search for a word finds another number of responses"
open_page 'explorer.html#q=wait+-but'
has 'aria-setsize="2"' "a word to be left out is not"
open_page 'explorer.html#q=%22let+me+check%22'
has 'aria-setsize="1"' "the search for a phrase finds another number of responses"
has 'class="[^"]*hit"[^>]*>Let' "the phrase is not marked"
open_page 'explorer.html#q=%5Cboxed%7B9%7D'
has 'aria-setsize="2"' "the search for signs finds another number of responses"
# A link to a response, another beside it.
open_page 'explorer.html#model=distilled&benchmark=aime&problem=a1&sample=1&beside=%3Dcmd%7C%27+%2FC+calc%27%21A0%3Cb%3E'
has 'class="responses two"' "no second response beside the first"
has 'aria-label="distilled, sample 1"' "the link does not lead to its response"
exit 0
