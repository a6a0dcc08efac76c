#!/bin/sh
# Installs what is missing, builds retort, runs the whole comparison and says where the report is.
#
#   ./study.sh                 the default study (recipes/study.yaml), about 20 minutes on two cores
#   ./study.sh --quick         the same walk with smaller numbers
#   ./study.sh --out DIR ...   every argument goes to 'retort study'; a *.yaml argument replaces the recipe
#
# A study that was stopped goes on where it was when the same command is given again.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$root/scripts/setup.sh"

install_missing need_build_tools
check_meson
mkdir -p "$root/build"
(cd "$root" && configure build/release --buildtype=release -Dtests=false && ninja -C build/release src/cli/retort)

default=yes
for argument in "$@"; do
    case $argument in
    *.yaml | *.yml | --recipe | --recipe=* | --config | --config=* | -h | --help) default=no ;;
    esac
done
if [ "$default" = yes ] && [ "$(pwd -P)" = "$(cd "$root" && pwd -P)" ]; then
    set -- recipes/study.yaml "$@"
elif [ "$default" = yes ]; then
    set -- "$root/recipes/study.yaml" --base "$root/assets/countdown-base" "$@"
fi
exec "$root/build/release/src/cli/retort" study "$@"
