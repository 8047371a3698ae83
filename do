#!/bin/sh
# ./do demo   everything set up, then a real boot in a private network, on this machine
# ./do test   everything set up, then lint, types and all tests
# ./do unit   of these the tests that need neither root nor firmware
# ./do lock   the newest versions that pyproject.toml allows, into packaging/*.lock
# For Debian 12 or later and Ubuntu 24.04 or later. Root installs what is missing; other users are told.
set -eu
cd "$(dirname "$0")"

RUN="python3 python3-venv iproute2 ca-certificates dpkg-dev qemu-system-x86 seabios ipxe-qemu ovmf"
TEST="$RUN qemu-system-arm qemu-efi-aarch64 qemu-utils dnsmasq-base kea-admin udhcpc isc-dhcp-client tftp-hpa atftp
busybox-static cpio curl grub-common procps nftables iptables e2fsprogs libvirt-clients libxml2-utils lzop tshark"
# Ubuntu's chromium is a snap, and has no driver package: the pages' tests in a browser are left out there
[ ! -e /etc/debian_version ] || grep -q '^ID=ubuntu' /etc/os-release || TEST="$TEST chromium chromium-driver"

usage() {
    sed -n '2,6s/^# //p' "$0"
    exit 2
}

say() { printf './do: %s\n' "$*" >&2; }

missing() { # PACKAGE...: those that are not installed
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || printf '%s ' "$package"
    done
}

packages() { # PACKAGE...
    command -v dpkg-query >/dev/null || { say "this is not Debian or Ubuntu: install what answers to: $*"; return 0; }
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        say "missing packages; as root: apt-get install $wanted"
        return 0
    fi
    say "installing: $wanted"
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $wanted; } \
        >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        say "apt-get failed: its last lines are above"
        exit 1
    fi
    rm -f "$log"
}

python() { # run|test: a virtual environment in .venv with what that lock names, and netprov, editable
    command -v python3 >/dev/null || { say "python3 is missing"; exit 1; }
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "Python 3.11 or later is needed, this is $(python3 --version)"
        exit 1
    }
    locked=packaging/$1.lock
    stamp="$1 $(python3 --version) $(cat pyproject.toml "$locked" | cksum) $PWD"
    [ "$(cat .venv/netprov-stamp 2>/dev/null)" = "$stamp" ] && return 0
    say "making .venv"
    # an environment moved from elsewhere, or of another Python, cannot be repaired: a new one
    python3 -m venv --clear .venv || { say "python3 -m venv failed: install python3-venv"; exit 1; }
    # a constraint file of this machine's own pip could only contradict the lock, which names every version
    export PIP_CONSTRAINT=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
    .venv/bin/pip install --quiet --require-hashes -r "$locked"
    .venv/bin/pip install --quiet --no-deps --no-build-isolation -e .
    printf '%s' "$stamp" >.venv/netprov-stamp
}

demo() {
    # shellcheck disable=SC2086
    packages $RUN
    python run
    exec .venv/bin/netprov demo "$@"
}

ready() { # for tests
    # shellcheck disable=SC2086
    packages $TEST
    python test
}

unit() {
    .venv/bin/python -m pytest -m "not e2e" -n auto --maxprocesses 4 --dist worksteal --durations 10 "$@"
}

tests() {
    .venv/bin/ruff check .
    .venv/bin/ruff format --check --quiet .
    .venv/bin/mypy
    unit "$@"
    if [ "$(id -u)" != 0 ]; then
        say "not root: the tests that need network namespaces and firmware were left out"
        return 0
    fi
    # one worker boots guests, which takes the processors; the other the tests that wait for clients and servers
    .venv/bin/python -m pytest -m e2e -n 2 --dist loadfile --durations 10 "$@"
}

lock() {
    tools=$(mktemp -d)
    trap 'rm -rf "$tools"' EXIT
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet uv
    # the build backend too: netprov itself is installed without build isolation, which would fetch it unlocked
    python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
        >"$tools/build.in"
    compile test --extra test
    compile run --constraint packaging/test.lock
}

compile() { # run|test [OPTION...]: for every Python and platform at once
    name=$1
    shift
    "$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
        --custom-compile-command "./do lock" --output-file "packaging/$name.lock" "$@" pyproject.toml "$tools/build.in"
}

case ${1-} in
demo) shift; demo "$@" ;;
test) shift; ready; tests "$@" ;;
unit) shift; ready; unit "$@" ;;
lock) lock ;;
*) usage ;;
esac
