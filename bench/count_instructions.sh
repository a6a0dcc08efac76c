#!/bin/sh
# Instructions of each hot kernel, counted by callgrind and compared with what was recorded: a guard against slower code
# that no loaded machine disturbs.
#
#   bench/count_instructions.sh BUILD            compares; exit status 1 where a kernel takes TOLERANCE % more
#   bench/count_instructions.sh BUILD --update   records what is
#
# Another compiler makes other code, so there is a record for each: bench/instructions/COMPILER-MAJOR-ISA. Where there is
# none, the last line begins with "# skipped". Kernels that take less than recorded are shown: record them.
set -eu
build=$1 update=${2-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
TOLERANCE=2

program=$build/bench/count_kernels
if ! ninja -C "$build" bench/count_kernels >/dev/null 2>&1 || ! command -v valgrind >/dev/null; then
    echo "# skipped: no valgrind, or not its headers"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
valgrind -q --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" "$program" >"$work/about" 2>"$work/errors" || {
    cat "$work/errors" >&2
    exit 1
}
read -r compiler isa <"$work/about"
record=$here/instructions/$compiler-$isa
sed -n -e 's/^desc: Trigger: Client Request: //p' -e 's/^totals: //p' "$work"/out.* /dev/null |
    paste -d ' ' - - | sort >"$work/counts"
if [ "$update" = --update ]; then
    mkdir -p "$here/instructions"
    cp "$work/counts" "$record"
    echo "recorded: bench/instructions/$compiler-$isa"
    exit 0
fi
if [ ! -f "$record" ]; then
    echo "# skipped: no record for $compiler and $isa; 'bench/count_instructions.sh BUILD --update' makes one"
    exit 0
fi
awk -v tolerance=$TOLERANCE '
    NR == FNR { recorded[$1] = $2; next }
    {
        seen[$1] = 1
        if (!($1 in recorded)) { printf "%-20s %12d  not recorded\n", $1, $2; bad = 1; next }
        change = 100 * ($2 / recorded[$1] - 1)
        note = change > tolerance ? "  MORE than recorded" : change < -tolerance ? "  less: record it" : ""
        printf "%-20s %12d %+7.2f %%%s\n", $1, $2, change, note
        if (change > tolerance) bad = 1
    }
    END {
        for (name in recorded) if (!(name in seen)) { print name, "is recorded and was not counted"; bad = 1 }
        exit bad
    }' "$record" "$work/counts"
