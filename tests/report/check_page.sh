#!/bin/sh
# Opens a report's page in headless Chromium: no console message of a script's error, every section drawn, texts marked
# where the spans say. Without Chromium it is skipped (exit status 77).
#
#   check_page.sh RETORT REPORT.json
set -u
retort=$1
report=$2
browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then browser=$name && break; fi
done
if [ -z "$browser" ]; then
    echo "skipped: no chromium here; install the package 'chromium' to check the page"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_page: $1" >&2
    exit 1
}

"$retort" report "$report" --output "$work/page.html" || fail "retort report failed"
# DNS leads nowhere, so that a page with a network address would log an error.
timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
    --disable-background-networking --disable-component-update --disable-dev-shm-usage \
    --host-resolver-rules="MAP * ~NOTFOUND" --user-data-dir="$work/profile" --enable-logging=stderr --v=0 \
    --virtual-time-budget=5000 --window-size=1280,2000 --dump-dom "file://$work/page.html" \
    >"$work/dom" 2>"$work/log" || fail "$browser failed: $(tail -n 3 "$work/log")"

grep -a 'CONSOLE' "$work/log" && fail "the console has messages"
grep -aq 'data-ready="true"' "$work/dom" || fail "the page's script did not come to its end"
grep -aq 'role="alert"' "$work/dom" && fail "a part of the page could not be drawn: $(grep -ao 'A part of this report[^<]*' "$work/dom")"
for id in results claims tokens bans behaviors lengths curves cost paired browser settings measures; do
    grep -aq "<section id=\"$id\"" "$work/dom" || fail "the section '$id' is missing"
done
# The rest holds for the fixture only.
case $report in *fixture.json) ;; *) exit 0 ;; esac
grep -aq '<title>A report made by hand</title>' "$work/dom" || fail "a text of the report ran as a script"
grep -aq 'Quick run' "$work/dom" || fail "the banner of a quick run is missing"
grep -aq 'Distillation wins on test: 50.0' "$work/dom" || fail "the verdict is missing or another"
# Offsets are bytes of UTF-8; the marked words come after characters of two, three and four bytes.
grep -aq '<mark class="k-anthropomorphic k-doubts"[^>]*>Wait</mark>' "$work/dom" || fail "a word is marked at the wrong place"
grep -aq '<mark class="k-logical"[^>]*>so</mark>' "$work/dom" || fail "a connector is marked at the wrong place"
grep -aq '&lt;script&gt;document.title' "$work/dom" || fail "the text of a response is not shown as it is"
