#!/bin/sh
# Installs what is missing, builds retort, runs the whole comparison and says where the report is.
#
#   ./study.sh                 the default study (recipes/study.yaml), a quarter of an hour on two free cores
#   ./study.sh --quick         the same walk with smaller numbers
#   ./study.sh --out DIR ...   every argument goes to 'retort study'; folders are relative to this one
#
# A study that was stopped goes on where it was when the same command is given again.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$root/scripts/setup.sh"

install_missing need_build_tools
check_meson
mkdir -p "$root/build"
cd "$root"
configure build/release --buildtype=release -Dtests=false
ninja -C build/release src/cli/retort
exec build/release/src/cli/retort study "$@"
