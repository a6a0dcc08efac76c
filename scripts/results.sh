#!/bin/sh
# The tables of docs/results.md from the report.json of several runs of the same study with other seeds:
#     scripts/results.sh out/study-*/report.json
# Prints, for each arm and split, the score of every seed, their mean and their standard deviation, then each claim's
# verdict by seed. Needs jq (Debian: apt-get install jq); nothing that retort itself does needs it.
set -eu
[ $# -gt 0 ] || { echo "usage: scripts/results.sh REPORT.json ..." >&2; exit 2; }
command -v jq >/dev/null || { echo "results.sh: jq is missing (apt-get install jq)" >&2; exit 1; }
jq -rs '
def pct: . * 1000 | round / 10;
def mean: add / length;
def sd: mean as $m | if length < 2 then 0 else (map((. - $m) * (. - $m)) | add / (length - 1)) | sqrt end;
def row($runs; f): ($runs | map(f)) as $v | ($v | map(pct | tostring) | join(" | ")) + " | **\($v | mean | pct)** | \($v | sd | pct)";
def table($runs; $title; $split; f):
  "### \($title)\n", "| arm | \($runs | map("seed \(.seed)") | join(" | ")) | mean | s.d. |", "|---|\($runs | map("---") | join("|"))|---|---|",
  ($runs[0].scores[] | select(.split == $split) | .arm as $arm |
    "| \($arm) | " + row($runs; .scores[] | select(.split == $split and .arm == $arm) | f) + " |"), "";
. as $runs |
(["test", "hard", "transfer"][] as $split | table($runs; "\($split): avg@\($runs[0].scores[0].n_samples), percent"; $split; .avg)),
table($runs; "test: pass@16, percent"; "test"; .pass_at["16"]),
table($runs; "test: no answer that can be read, percent"; "test"; .unparsed_rate),
table($runs; "test: cut at the length limit, percent"; "test"; .length_rate)
' "$@"
jq -rs '
def short: if . == null then "-" elif fabs >= 10 then . * 10 | round / 10 else . * 10000 | round / 10000 end;
def cell: "\(.verdict) (\(.statistic | short)" + (if .p == null then ")" else ", p \(.p | short))" end);
. as $runs |
"### Claims: verdict (statistic, p)\n",
"| claim | \($runs | map("seed \(.seed)") | join(" | ")) |", "|---|\($runs | map("---") | join("|"))|",
($runs[0].claims | to_entries[] | .key as $k | "| \(.value.statement) | " + ($runs | map(.claims[$k] | cell) | join(" | ")) + " |"),
"", "### What the statistics are, from the first run\n", ($runs[0].claims[] | "- *\(.id)*: \(.detail)")
' "$@"
