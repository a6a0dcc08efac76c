#!/bin/sh
# Makes the manual, the command reference and the shell completions again from the option tables.
#   scripts/documents.sh [PROGRAM]
set -eu
cd "$(dirname "$0")/.."
program=${1:-build/release/src/cli/retort}
mkdir -p man docs completions
"$program" --print-options man >man/retort.1
"$program" --print-options markdown >docs/cli.md
"$program" --print-options bash >completions/retort.bash
"$program" --print-options zsh >completions/_retort
