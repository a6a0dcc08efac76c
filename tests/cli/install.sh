#!/bin/sh
# Installs into an empty folder and builds a program against what is there, with nothing but pkg-config.
#   install.sh BUILD_FOLDER COMPILER
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root meson install -C "$1" --no-rebuild --quiet
file=$(find "$work/root" -name retort.pc)
test -n "$file"
prefix=$work/root$(sed -n 's/^prefix=//p' "$file")
PKG_CONFIG_PATH=$(dirname "$file")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags are separate words
$2 -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$work/example" "$here/example.c" \
    $(pkg-config --define-variable=prefix="$prefix" --cflags --libs retort)
"$work/example"
test -x "$prefix/bin/retort"
test -f "$prefix/share/man/man1/retort.1"
test -f "$prefix/share/bash-completion/completions/retort"
test -f "$prefix/share/retort/recipes/study.yaml"
"$prefix/bin/retort" --version
"$prefix/bin/retort" model "$prefix/share/retort/assets/countdown-base"
