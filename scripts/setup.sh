#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine with a Rust toolchain able to build, run and (with the argument 'test') test the
# extension, or to build it for the PostgreSQL of PG_CONFIG (with the argument 'machine'). Installs only what is missing,
# and says so; what is there already is left alone, a running PostgreSQL above all. Building the extension is build.sh's,
# running servers cluster.sh's.
#
#   scripts/setup.sh [demo|test|machine]      PG=16 chooses the major version

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
scope=${1:-demo}
log=$build/setup.log

mkdir -p "$build" 2>/dev/null || true
[ -w "$build" ] || die "$build cannot be written by $(id -un): it was made by another user. Delete it, or work as that user."
: >"$log"

note() { say "set-up: $*"; }

# Runs a command into the log, and shows the end of the log where it fails.
quietly() {
    "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "set-up: failed: $* (all of it: $log)"; }
}

# --- the distribution's packages ---

updated=
update_lists() {
    [ -z "$updated" ] || return 0
    updated=yes
    command -v apt-get >/dev/null || return 0
    if is_root || command -v sudo >/dev/null; then
        as_root apt-get update -q >>"$log" 2>&1 || note "apt-get update failed; going on with the lists that are there"
    fi
}

available() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; }

# 15 where this machine or its distribution has it, otherwise the newest of the others.
choose_major() {
    for PG in 15 18 17 16; do
        if [ -x "/usr/lib/postgresql/$PG/bin/postgres" ] || available "postgresql-$PG"; then return 0; fi
    done
    PG=
}

missing=()
# need PACKAGE TEST…: the package is missing where the test fails.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_libclang() {
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' && compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h'
}

# Debian's PostgreSQL makes and starts a cluster on port 5432 as it is installed. This file tells it not to, and is
# there only while it is.
no_cluster=/etc/postgresql-common/createcluster.d/pg_credits.conf
without_new_cluster() {
    local dir=${no_cluster%/*} made='' status=0
    [ -d "$dir" ] || made=yes
    trap 'as_root rm -f "$no_cluster"' EXIT
    as_root mkdir -p "$dir" &&
        say "create_main_cluster = false" | as_root tee "$no_cluster" >/dev/null &&
        "$@" || status=$?
    as_root rm -f "$no_cluster"
    trap - EXIT
    [ -z "$made" ] || as_root rmdir --ignore-fail-on-non-empty "$dir"
    return "$status"
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "set-up: missing: ${missing[*]}. There is no apt-get here: install what corresponds to these Debian packages."
    is_root || command -v sudo >/dev/null || die "set-up: missing, and there is no sudo: as root, apt-get install --no-install-recommends ${missing[*]}"
    update_lists
    local package server=
    for package in "${missing[@]}"; do
        if ! available "$package"; then
            case $package in
                postgresql-*) die "set-up: $package cannot be had from this distribution. Choose another major version (make PG=…), or add the PostgreSQL project's own apt repository: the script in /usr/share/postgresql-common/pgdg (package postgresql-common) does that." ;;
                *) die "set-up: $package cannot be had from this distribution. Install what corresponds to it by hand, then run this again." ;;
            esac
        fi
        note "installing $package (distribution's package)"
        [ "$package" != "postgresql-$PG" ] || server=yes
    done
    if [ -n "$server" ]; then
        quietly without_new_cluster apt_install "${missing[@]}"
    else
        quietly apt_install "${missing[@]}"
    fi
    missing=()
}

# --- Rust ---

check_rust() {
    local least found
    least=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$top/Cargo.toml")
    command -v cargo >/dev/null || die "set-up: there is no Rust here. Install Rust $least or newer with rustup, then run this again."
    found=$(rustc --version | cut -d' ' -f2)
    [ "$(printf '%s\n' "$least" "$found" | sort -V | head -n1)" = "$least" ] ||
        die "set-up: Rust is $found, and $least or newer is needed: 'rustup update stable', then run this again."
}

# --- the private PostgreSQL ---

# A copy of the machine's PostgreSQL under the place. PostgreSQL looks for its files relative to its own program, so that
# the extension can be installed into the copy without root, and the machine's own server never sees it. Made anew when
# the machine's PostgreSQL changed.
make_tree() {
    local from=/usr/lib/postgresql/$PG where tree stamp libdir
    where=$(place)
    tree=$where/pgsql-$PG
    stamp="$("$from/bin/postgres" --version) of $(stat -c %y "$from/bin/postgres")"
    if [ "$(cat "$tree/stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    if [ -e "$tree" ]; then
        note "the machine's PostgreSQL changed: stopping the private clusters"
        "$top/scripts/cluster.sh" stop
    fi
    note "copying PostgreSQL $("$from/bin/pg_config" --version | cut -d' ' -f2) to ${tree#"$top/"}"
    rm -rf "$tree"
    mkdir -p "$tree/usr/lib/postgresql" "$tree/usr/share/postgresql" "$tree/usr/include"
    cp -a "$from" "$tree/usr/lib/postgresql/"
    cp -a "/usr/share/postgresql/$PG" "$tree/usr/share/postgresql/"
    # What 'make install' may have put into the machine's own PostgreSQL is not to be taken for ours.
    rm -f "$tree/usr/lib/postgresql/$PG/lib"/pg_credits* "$tree/usr/share/postgresql/$PG/extension"/pg_credits*
    ln -s /usr/include/postgresql "$tree/usr/include/postgresql"
    libdir=$("$from/bin/pg_config" --libdir)
    ln -s "$libdir" "$tree/usr/lib/${libdir##*/}"
    say "$stamp" >"$tree/stamp"
}

# --- what only tests need ---

# Debian's node-pg wants Debian's own node, and would not go beside another: its files are unpacked into build/node,
# whatever node there is.
install_node_pg() {
    local package
    export NODE_PATH=$build/node/usr/share/nodejs
    command -v node >/dev/null || return 0
    if node -e 'require("pg")' 2>/dev/null; then return 0; fi
    command -v apt-get >/dev/null && update_lists
    note "unpacking node-pg into build/node (distribution's package)"
    mkdir -p "$build/node"
    for package in node-pg node-split2; do
        (cd "$build/node" && apt-get download -q "$package" && dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb) \
            >>"$log" 2>&1 || true
    done
    node -e 'require("pg")' 2>/dev/null ||
        note "node-pg cannot be had from this distribution: the test of node-postgres will fail. 'npm install pg' in a folder above tests/ makes it work."
}

# No distribution has ruff: it goes into an environment of its own, under build/tidy.
install_ruff() {
    local home=$build/tidy list=$top/tests/tidy/requirements.txt
    if cmp -s "$list" "$home/made_from.txt"; then return 0; fi
    note "installing ruff into build/tidy"
    if /usr/bin/python3 -m venv --clear "$home" >>"$log" 2>&1 &&
        "$home/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" >>"$log" 2>&1; then
        cp "$list" "$home/made_from.txt"
    else
        note "ruff cannot be had: the lint step will fail (why: $log)"
    fi
}

# What only some tests use: where it is missing that is no reason to test nothing else, and they say that they failed.
want() {
    local package=$1
    shift
    if "$@" >/dev/null 2>&1; then return 0; fi
    update_lists
    if available "$package"; then
        missing+=("$package")
    else
        note "$package cannot be had from this distribution: what tests with it will fail until it is installed by hand."
    fi
}

# Shows pages and prints them. Ubuntu has it as a snap alone: there, pages are tested without a browser, which says so.
want_browser() {
    if command -v chromium >/dev/null; then return 0; fi
    update_lists
    if available chromium; then
        missing+=(chromium)
    else
        note "chromium cannot be had from this distribution: how pages look and print is not tested."
    fi
}

# --- in order ---

if [ "$scope" = machine ] && [ -n "${PG_CONFIG:-}" ]; then
    PG=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
fi
if [ -z "${PG:-}" ]; then
    choose_major
    if [ -z "$PG" ]; then update_lists; choose_major; fi
    [ -n "$PG" ] || die "set-up: neither this machine nor its distribution has PostgreSQL 15, 16, 17 or 18. The PostgreSQL project's own apt repository has them all: the script in /usr/share/postgresql-common/pgdg (package postgresql-common) adds it."
fi
case $PG in 15 | 16 | 17 | 18) ;; *) die "set-up: PG=$PG: the extension runs on PostgreSQL 15, 16, 17 and 18" ;; esac

check_rust

need gcc command -v cc
need libc6-dev test -e /usr/include/stdio.h
need make command -v make
need libclang-dev has_libclang
need "postgresql-$PG" test -x "/usr/lib/postgresql/$PG/bin/postgres"
need "postgresql-server-dev-$PG" test -e "/usr/include/postgresql/$PG/server/postgres.h"
if [ "$scope" = test ]; then
    want python3-psycopg /usr/bin/python3 -c 'import psycopg'
    want python3-venv /usr/bin/python3 -c 'import ensurepip, venv'
    want nodejs command -v node
    want shellcheck command -v shellcheck
    want poppler-utils command -v pdftotext
    want fonts-dejavu-core test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
    want_browser
fi
install_missing

say "$PG" >"$build/pg"
make_tree
if [ "$scope" = test ]; then
    install_node_pg
    install_ruff
    cargo fmt --version >/dev/null 2>&1 || note "rustfmt is missing, the lint step will fail: 'rustup component add rustfmt'"
    cargo clippy --version >/dev/null 2>&1 || note "clippy is missing, the lint step will fail: 'rustup component add clippy'"
fi
note "ready: $("$(bin_of "$PG")/postgres" --version), $(rustc --version | cut -d' ' -f1,2)"
