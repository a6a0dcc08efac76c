#!/bin/sh
# Measures retort beside its peers on this machine: one command, from nothing.
#
#   ./bench.sh                        every row but the study; an hour or two on a quiet machine
#   ./bench.sh --quick                3 samples instead of 7, smaller sizes
#   ./bench.sh --rows matmul,decode   some rows; --help names them
#   ./bench.sh --table                the tables of what was measured so far, all machines and days
#
# Peers go into a folder of their own, outside of the tree: $RETORT_BENCH_CACHE, by default
# ${XDG_CACHE_HOME:-~/.cache}/retort-bench (some 6 GB with models). RETORT_BENCH_VENV names a Python environment that has
# them already; RETORT_BENCH_TORCH what pip is given to install PyTorch ("torch==2.13.0"; with an index of CPU builds behind
# it, the download is a tenth). RETORT_BENCH_LLMC names a checkout of llm.c, which has no package. A peer that is not there
# costs its own columns. Results: bench/results/MACHINE-DATE.json; MACHINE.md and MACHINE.svg show the newest of each row.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$root"
. scripts/setup.sh

cache=${RETORT_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/retort-bench}
venv=${RETORT_BENCH_VENV:-$cache/venv}
build=build/bench

needs() {
    need_build_tools
    need_command c++ g++ # llama-cpp-python and torch.compile build C++
    need_command cmake cmake
    need_command python3 python3
    need_python_header # torch.compile
    python3 -c 'import ensurepip' 2>/dev/null || note_missing python3-venv
}

need_python_header() {
    folder=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])' 2>/dev/null)
    [ -f "$folder/Python.h" ] || note_missing libpython3-dev
}

# Peers from PyPI. llama-cpp-python is built here, for this processor. The next run tries again what did not install.
install_peers() {
    if [ -n "${RETORT_BENCH_VENV-}" ] || [ -f "$venv/complete" ]; then return; fi
    echo "installing the peers into $venv" >&2
    python3 -m venv "$venv"
    failed=''
    # shellcheck disable=SC2086  # several words
    "$venv/bin/pip" install --quiet ${RETORT_BENCH_TORCH:-torch==2.13.0} || failed=torch
    if ! "$venv/bin/pip" install --quiet -r bench/peers/requirements.txt; then
        while read -r package; do
            "$venv/bin/pip" install --quiet "$package" </dev/null || failed="$failed $package"
        done <bench/peers/requirements.txt
    fi
    if [ -z "$failed" ]; then
        touch "$venv/complete"
    else
        echo "could not be installed, and is left out: $failed" >&2
    fi
}

# BLAS libraries of Debian, unpacked beside the models and not installed.
unpack_libraries() {
    if [ -d "$cache/debian" ] || ! command -v apt-get >/dev/null; then return; fi
    mkdir -p "$cache/debian.new/packages"
    (cd "$cache/debian.new/packages" && apt-get download -qq libblis4-openmp libopenblas0-openmp \
        libdnnl2 libgfortran5 libquadmath0 ocl-icd-libopencl1 2>/dev/null) ||
        echo "Debian's BLAS libraries could not be downloaded; their columns are left out" >&2
    for package in "$cache/debian.new/packages"/*.deb; do
        if [ -f "$package" ]; then dpkg -x "$package" "$cache/debian.new"; fi
    done
    rm -rf "$cache/debian"
    mv "$cache/debian.new" "$cache/debian"
}

case " $* " in
*" --table "* | *" --help "* | *" -h "*) ;;
*)
    install_missing needs
    check_meson
    mkdir -p "$cache"
    install_peers
    unpack_libraries
    configure "$build" --buildtype=release
    ninja -C "$build" src/cli/retort bench/bench_worker bench/bench_tokenizer >"$build.log" || {
        cat "$build.log" >&2
        exit 1
    }
    ;;
esac
if [ -x "$venv/bin/python" ]; then python=$venv/bin/python; else python=python3; fi
PYTHONPATH=bench exec "$python" -m suite --build "$build" --cache "$cache" "$@"
