# The committed manual, completions and command reference are what the option tables say; scripts/documents.sh makes
# them again.
compare() {
    "$RETORT" --print-options "$1" >made || exit 1
    diff -u "$ROOT/$2" made || echo "$2 is out of date: run scripts/documents.sh"
}
compare man man/retort.1
compare markdown docs/cli.md
compare bash completions/retort.bash
compare zsh completions/_retort
