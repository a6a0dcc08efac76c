# Sourced by study.sh and check.sh: finds out what is missing and installs it with apt-get.
#
#   need_command COMMAND PACKAGE   a program that must be on the path
#   need_module  MODULE  PACKAGE   a library that pkg-config must know
#   need_header  HEADER  PACKAGE   a header that the compiler must find
#   install_missing                says what it will install, installs it, and checks again
#
# Nothing is asked of the network when nothing is missing, so a second run works offline. Everything here is POSIX sh,
# because a bare system has nothing else.

missing=''

note_missing() {
    case " $missing " in
    *" $1 "*) ;;
    *) missing="$missing $1" ;;
    esac
}

need_command() {
    command -v "$1" >/dev/null 2>&1 || note_missing "$2"
}

need_module() {
    pkg-config --exists "$1" 2>/dev/null || note_missing "$2"
}

need_header() {
    echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1 || note_missing "$2"
}

# clang's runtimes of the fuzzer and the sanitizers lie in a package of their own.
need_fuzzer() {
    folder=$(clang -print-resource-dir 2>/dev/null) || folder=/nonexistent
    [ -n "$(find "$folder/lib" -name 'libclang_rt.fuzzer*' 2>/dev/null)" ] || note_missing libclang-rt-dev
}

# What building the program takes.
need_build_tools() {
    need_command cc gcc
    need_header stdio.h libc6-dev
    need_command meson meson
    need_command ninja ninja-build
    need_command pkg-config pkg-config
    need_module jansson libjansson-dev
    need_module yaml-0.1 libyaml-dev
    need_module libpcre2-8 libpcre2-dev
    need_module libutf8proc libutf8proc-dev
    need_module nettle nettle-dev
    need_module zlib zlib1g-dev
    need_header microhttpd.h libmicrohttpd-dev
    need_module sqlite3 libsqlite3-dev
    need_module libcurl libcurl4-openssl-dev
    need_header gmp.h libgmp-dev
    need_header flint/fmpq.h libflint-dev
    need_header acb.h libflint-arb-dev
    need_header calcium/fmpz_mpoly_q.h libcalcium-dev
}

# What the checks take besides.
need_check_tools() {
    need_command gcc gcc
    need_command clang clang
    need_header omp.h gcc
    echo '#include <omp.h>' | clang -fopenmp -E -x c - >/dev/null 2>&1 || note_missing libomp-dev
    need_command clang-format clang-format
    need_command clang-tidy clang-tidy
    need_module cmocka libcmocka-dev
    need_command valgrind valgrind
    need_fuzzer
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# $1: the name of the function that says what is needed.
install_missing() {
    missing=''
    "$1"
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "$0: this system has no apt-get; please install what these Debian packages hold and run again:" >&2
        for package in $missing; do echo "    $package" >&2; done
        exit 2
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        echo "$0: packages are missing and there is no sudo; please run this as root, then run again:" >&2
        echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
        exit 2
    fi
    echo "Installing these packages with apt-get:$missing"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
        echo "$0: apt-get update failed; trying with the package lists that are there" >&2
    # shellcheck disable=SC2086  # one word a package
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o Dpkg::Use-Pty=0 \
        --no-install-recommends $missing >/dev/null || {
        echo "$0: apt-get could not install:$missing" >&2
        exit 1
    }
    missing=''
    "$1"
    if [ -n "$missing" ]; then
        echo "$0: still missing after the installation:$missing" >&2
        exit 1
    fi
}

# Meson before 1.0 cannot read our build files.
check_meson() {
    version=$(meson --version)
    if [ "${version%%.*}" -lt 1 ]; then
        echo "$0: meson 1.0 or newer is needed, this is $version; 'pip install --user meson' has a newer one" >&2
        exit 2
    fi
}

# configure FOLDER ARGUMENTS...: sets a build folder up, or brings an existing one up to date.
configure() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        meson configure "$folder" "$@" >/dev/null
    else
        mkdir -p "$(dirname -- "$folder")"
        meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
            cat "$folder.log" >&2
            return 1
        }
    fi
}
