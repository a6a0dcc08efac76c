#!/bin/sh
# Every check of the project; sets the machine up first. The last line says "N passed, N failed, N skipped".
#
#   ./check.sh                     everything
#   ./check.sh --only gcc,format   some stages of: gcc clang sanitize format tidy valgrind runner, and (not part of
#                                  everything) fuzz: every fuzz target for twenty seconds (their corpora are
#                                  given to them once by every stage that runs tests), and explorer: every control of a
#                                  report on 50,000 responses in Chromium, with times (needs node, and once
#                                  'npm install --prefix build/browser playwright-core axe-core')
#   ./check.sh --self-test         proves that a failing test makes this script fail
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$root" || exit 1
. scripts/setup.sh

stages=gcc,clang,sanitize,format,tidy,valgrind,runner
case ${1-} in
'') ;;
--only) stages=${2-} ;;
--self-test) stages=runner ;;
*)
    echo "usage: $0 [--only STAGE,... | --self-test]" >&2
    exit 2
    ;;
esac

jobs=$(nproc 2>/dev/null || echo 2)
logs=build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# Tests run side by side; a waiting OpenMP thread must not spin on the processor that another test needs.
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY

# tally STATUS NAME [LOG]: one check of this script's own.
tally() {
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $2"
    else
        failed=$((failed + 1))
        echo "FAILED  $2"
        if [ -n "${3-}" ]; then tail -n 40 "$3"; fi
    fi
}

# A number out of the summary of 'meson test'.
summary() {
    sed -n "s/^$1: *\([0-9][0-9]*\) *$/\1/p" "$2" | tail -n 1
}

# tests NAME FOLDER ARGUMENTS...: runs 'meson test' and adds its counts; a run that gives no counts has failed.
tests() {
    name=$1 folder=$2
    shift 2
    log=$logs/$name-tests.log
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 5 "$@" >"$log" 2>&1
    status=$?
    ok=$(summary Ok "$log") bad=$(summary Fail "$log") late=$(summary Timeout "$log")
    odd=$(summary 'Unexpected Pass' "$log") left=$(summary Skipped "$log")
    if [ -z "$ok" ]; then
        tally 1 "$name: tests did not run" "$log"
        return
    fi
    bad=$((${bad:-0} + ${late:-0} + ${odd:-0}))
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + ${left:-0}))
    echo "$name: $ok passed, $bad failed, ${left:-0} skipped"
    if [ "$bad" -gt 0 ]; then tail -n 200 "$log"; fi
}

# build NAME CC ARGUMENTS...
build() {
    name=$1 compiler=$2
    shift 2
    CC=$compiler configure "build/$name" "$@" >"$logs/$name-build.log" 2>&1 &&
        ninja -C "build/$name" >>"$logs/$name-build.log" 2>&1
    tally $? "$name: builds without a warning" "$logs/$name-build.log"
}

stage_gcc() {
    build gcc gcc --buildtype=release -Dwerror=true
    tests gcc build/gcc
}

stage_clang() {
    build clang clang --buildtype=release -Dwerror=true
    tests clang build/clang --no-suite study
}

# The study walks the whole way once, in the gcc stage; here it would take many times as long.
stage_sanitize() {
    build sanitize gcc --buildtype=debug -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false
    ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:strict_string_checks=1:detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tests sanitize build/sanitize --no-suite study
}

# Every C file of ours: what git knows, or (in an unpacked archive) what is there.
sources() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files '*.c' '*.h'
    else
        find include src tests bench fuzz -name '*.[ch]'
    fi
}

stage_format() {
    sources | xargs clang-format --dry-run -Werror >"$logs/format.log" 2>&1
    tally $? 'clang-format' "$logs/format.log"
}

stage_tidy() {
    [ -f build/clang/compile_commands.json ] || CC=clang configure build/clang --buildtype=release >"$logs/tidy.log" 2>&1
    sources | grep '^src/.*\.c$' | xargs -P "$jobs" -n 4 clang-tidy -p build/clang --quiet >"$logs/tidy.log" 2>&1
    tally $? 'clang-tidy' "$logs/tidy.log"
}

# Valgrind sees what the sanitizers cannot: reads of memory that nobody wrote.
stage_valgrind() {
    [ -d build/gcc/tests/core ] || build gcc gcc --buildtype=release -Dwerror=true
    for test in build/gcc/tests/core/test_json build/gcc/tests/core/test_options build/gcc/tests/core/test_file; do
        valgrind -q --error-exitcode=9 --leak-check=full "$test" >"$logs/valgrind.log" 2>&1
        tally $? "valgrind: $(basename "$test")" "$logs/valgrind.log"
    done
    count_instructions
}

# Instructions of the hot kernels beside those recorded for this compiler (bench/instructions).
count_instructions() {
    bench/count_instructions.sh build/gcc >"$logs/instructions.log" 2>&1
    status=$?
    if grep '^# skipped' "$logs/instructions.log"; then
        skipped=$((skipped + 1))
    else
        tally "$status" 'instructions of the kernels are those recorded' "$logs/instructions.log"
    fi
}

# A runner that cannot fail proves nothing: the failing test of tests/cli/selftest must make this very script fail.
stage_runner() {
    "$0" --only failing >"$logs/runner.log" 2>&1
    status=$?
    [ "$status" -eq 1 ] && [ "$(tail -n 1 "$logs/runner.log")" = '0 passed, 1 failed, 0 skipped' ]
    tally $? 'a failing test makes the checks fail' "$logs/runner.log"
}

stage_failing() {
    configure build/failing tests/cli/selftest
    tests failing build/failing
}

stage_fuzz() {
    build fuzz clang --buildtype=release -Dfuzz=true -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false
    for target in build/fuzz/fuzz/fuzz_*; do
        [ -f "$target" ] && [ -x "$target" ] || continue
        name=$(basename "$target")
        name=${name#fuzz_}
        set -- "build/fuzz/found-$name" # what is new goes to the first folder
        mkdir -p "$1"
        if [ -d "fuzz/corpus/$name" ]; then set -- "$@" "fuzz/corpus/$name"; fi
        if [ -f "fuzz/dictionary/$name.dict" ]; then set -- "-dict=fuzz/dictionary/$name.dict" "$@"; fi
        "$target" -max_total_time=20 -rss_limit_mb=2048 -artifact_prefix="$logs/" "$@" >"$logs/fuzz.log" 2>&1
        tally $? "fuzz: $name" "$logs/fuzz.log"
    done
}

# Times are printed, not judged; what is judged is that every control works and that axe-core finds nothing serious.
stage_explorer() {
    modules=build/browser/node_modules
    if ! command -v node >/dev/null 2>&1 || ! command -v chromium >/dev/null 2>&1 || [ ! -d "$modules/playwright-core" ] ||
        [ ! -d "$modules/axe-core" ]; then
        echo "# skipped: the explorer's walk needs node, chromium and" \
            "'npm install --prefix build/browser playwright-core axe-core'"
        skipped=$((skipped + 1))
        return
    fi
    [ -x build/gcc/src/cli/retort ] || build gcc gcc --buildtype=release -Dwerror=true
    made=build/explorer
    node tests/report/browser/make_responses.mjs "$made" "${EXPLORER_RESPONSES:-50000}" 1000 >"$logs/explorer.log" 2>&1 &&
        build/gcc/src/cli/retort report "$made/responses.jsonl" --judgements "$made/judgements.jsonl" \
            --output "$made/report" >>"$logs/explorer.log" 2>&1
    tally $? 'explorer: the report is made' "$logs/explorer.log"
    NODE_MODULES=$modules node tests/report/browser/walk.mjs "$made/report" "$logs/explorer" >"$logs/explorer.log" 2>&1
    walked=$?
    cat "$logs/explorer.log"
    tally $walked 'explorer: every control, and axe-core'
}

needs() {
    need_build_tools
    need_check_tools
}

install_missing needs
check_meson
for stage in $(echo "$stages" | tr ',' ' '); do
    case $stage in
    gcc | clang | sanitize | format | tidy | valgrind | runner | fuzz | explorer | failing) ;;
    *)
        echo "$0: unknown stage '$stage'" >&2
        exit 2
        ;;
    esac
    echo "== $stage"
    "stage_$stage"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
