#!/bin/sh
# Style arms and sweeps through the real program: shared work is done once, and doing it elsewhere changes nothing.
#   sweep.sh RETORT REPORT_EQUAL SOURCE_ROOT
set -eu
retort=$(realpath "$1") equal=$(realpath "$2") root=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$root"
test_number=0
ok() { test_number=$((test_number + 1)); echo "ok $test_number - $1"; }
fail() { test_number=$((test_number + 1)); echo "not ok $test_number - $1"; echo "1..$test_number"; exit 1; }
quietly() { "$retort" "$@" --quiet >"$work/std" 2>"$work/err" || { cat "$work/err" >&2; return 1; }; }
has() { grep -q "$1" "$2" || fail "$2 has $1"; }

tiny='hidden_size: 16, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1,
    vocab_size: 300, tokenizer_documents: 200, batch_tokens: 512, max_position_embeddings: 2048, max_steps: 1'
echo "{$tiny}" >"$work/base.yaml"
quietly pretrain --config "$work/base.yaml" --output-dir "$work/base" || fail "a tiny base"

cat >"$work/common.yaml" <<EOF
base: $work/base
test_problems: 4
samples: 2
max_new_tokens: 30
distill: {num_train_epochs: 1, train_batch_size: 4}
distill_rigid: {num_train_epochs: 1, train_batch_size: 4}
EOF
{
    cat "$work/common.yaml"
    echo 'arms: [base, distilled, distilled-rigid, distilled-plain, distilled-sprinkled]'
    printf 'examples: 8\nhard_problems: 2\ntransfer_problems: 2\nbrowser_problems: 1\n'
} >"$work/study.yaml"
{
    cat "$work/common.yaml"
    echo 'teachers: [flexible, rigid, plain, sprinkled]'
    printf 'examples: [4, 8]\nseeds: [1, 2]\n'
    echo "pretrain: {$tiny}"
} >"$work/sweep.yaml"
stamps() { (cd "$1/stages" && cat ./*.json | cksum); }

quietly study "$work/study.yaml" --out "$work/a/seed-1" || fail "a study of the style arms ends"
for claim in teacher-matters strategy strategy-breadth style style-breadth; do
    has "\"id\": \"$claim\"" "$work/a/seed-1/report.json"
done
if grep -q '"id": "less-cost"' "$work/a/seed-1/report.json"; then fail "no claim about an arm that is off"; fi
[ ! -e "$work/a/seed-1/data/rl.jsonl" ] || fail "no problems for arms that are off"
[ "$(wc -l <"$work/a/seed-1/traces/plain.jsonl")" -eq 8 ] || fail "a plain trace for each flexible one"
ok "a study of the style arms makes their traces, models and claims, and nothing of arms that are off"

before=$(cat "$work"/a/seed-1/stages/*.json | cksum)
names=$(ls "$work/a/seed-1/stages")
quietly sweep "$work/sweep.yaml" --out "$work/a" || fail "a sweep ends"
[ "$before" = "$(cd "$work/a/seed-1/stages" && cat $names | cksum)" ] || fail "what the study made is not made again"
for part in '"axis": "examples"' '"measure": "pass@1"' '"seeds_interval"' '"id": "pays-from"' '"id": "more-examples-plain"'; do
    has "$part" "$work/a/report.json"
done
has '<title>' "$work/a/report.html"
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -n "$browser" ]; then
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
        --disable-background-networking --disable-dev-shm-usage --host-resolver-rules="MAP * ~NOTFOUND" \
        --user-data-dir="$work/profile" --virtual-time-budget=5000 --dump-dom "file://$work/a/report.html" \
        >"$work/dom" 2>"$work/log" || fail "the browser opens the page"
    has 'data-ready="true"' "$work/dom"
    for id in sweep claims; do has "<section id=\"$id\"" "$work/dom"; done
    if grep -q 'role="alert"' "$work/dom"; then fail "every part of the page is drawn"; fi
else
    echo "# skipped: no chromium here to open the page with"
fi
ok "a sweep takes over a study's stages and writes curves, pairs and claims"

quietly sweep "$work/sweep.yaml" --out "$work/b" --threads 1 --batch 3 || fail "the sweep without the study ends"
"$equal" "$work/a/report.json" "$work/b/report.json" || fail "the same figures whoever did the work"
ok "the same report from an empty folder, with other threads and another batch"

before=$(stamps "$work/b/seed-1")
quietly sweep "$work/sweep.yaml" --out "$work/b" --teachers rigid --max-lengths 0,40 || fail "other lists in the same folder"
[ -s "$work/b/seed-1/stages/train-distilled-rigid-e4-l40.json" ] || fail "a cut student is trained"
rm "$work"/b/seed-*/stages/*-l40*.json
[ "$before" = "$(stamps "$work/b/seed-1")" ] || fail "a longer list runs only what is new"
has '"axis": "max_length"' "$work/b/report.json"
ok "a longer list runs only what is new"

quietly sweep "$work/sweep.yaml" --out "$work/c" --teachers rigid --seeds 3 --examples 4 --exposures 0,0.5 ||
    fail "a sweep over exposures"
[ -s "$work/c/bases/x0.5/model.safetensors" ] && [ -s "$work/c/stages/pretrain-x0.json" ] || fail "a base for each exposure"
has '"axis": "exposure"' "$work/c/report.json"
ok "a base is pre-trained for each exposure"

refused() { # message, then the arguments
    wanted=$1
    shift
    if "$retort" "$@" --quiet --out "$work/no" >"$work/std" 2>"$work/err"; then fail "refused: $*"; fi
    grep -q -- "$wanted" "$work/err" || { cat "$work/err" >&2; fail "refused with '$wanted'"; }
}
refused "must ascend" sweep "$work/sweep.yaml" --examples 8,4
refused "no whole number" sweep "$work/sweep.yaml" --seeds 1,x
refused "unknown teacher 'strict'" sweep "$work/sweep.yaml" --teachers strict
refused "stands there twice" sweep "$work/sweep.yaml" --teachers rigid,rigid
refused "no share" sweep "$work/sweep.yaml" --exposures 2
refused "at least one" sweep "$work/sweep.yaml" --examples 0
refused "unknown arm 'best'" study "$work/study.yaml" --arms base,best
refused "must name base" study "$work/study.yaml" --arms distilled
refused "needs arm 'distilled'" study "$work/study.yaml" --arms base,distilled-banned
ok "lists that cannot be are refused with a reason"
echo "1..$test_number"
