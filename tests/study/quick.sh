#!/bin/sh
# The quick study through the real program: it ends, it repeats, it survives kill -9, it skips what is done.
#   quick.sh RETORT REPORT_EQUAL SOURCE_ROOT
set -eu
# Meson names programs relative to the build folder, which is where it starts this script.
retort=$(realpath "$1") equal=$(realpath "$2") root=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$root"
test_number=0
ok() { test_number=$((test_number + 1)); echo "ok $test_number - $1"; }
fail() { test_number=$((test_number + 1)); echo "not ok $test_number - $1"; echo "1..$test_number"; exit 1; }

study() { "$retort" study --quick "$@" 2>"$work/err" >"$work/std" || { cat "$work/err" >&2; return 1; }; }

study --out "$work/a" --threads 1 || fail "the quick study ends"
for file in report.html report.json manifest.json; do
    [ -s "$work/a/$file" ] || fail "$file is written"
done
ok "the quick study ends and leaves report.html, report.json and manifest.json"

# Killed at a random moment, then resumed with other threads: the same report.
"$retort" study --quick --out "$work/b" --threads 2 >/dev/null 2>&1 &
pid=$!
sleep "$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%.2f", 0.5 + $1 / 64 }')"
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
study --out "$work/b" --threads 2 || fail "a killed study goes on"
"$equal" "$work/a/report.json" "$work/b/report.json" || fail "a killed and resumed study gives the same report"
for arm in distilled distilled-rigid zero-rl distilled-rl; do
    cmp -s "$work/a/models/$arm/model.safetensors" "$work/b/models/$arm/model.safetensors" ||
        fail "$arm has the same weights after kill -9"
done
ok "kill -9, --threads and a resume change nothing in the report or the weights"

# Finished stages are not run again: no stamp is rewritten, even though the page is made anew.
before=$(cd "$work/a/stages" && cat ./*.json | cksum)
study --out "$work/a" || fail "a finished study can be run again"
[ "$before" = "$(cd "$work/a/stages" && cat ./*.json | cksum)" ] || fail "finished stages are left alone"
ok "finished stages are not run again"
echo "1..$test_number"
