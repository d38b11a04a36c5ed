# shellcheck shell=bash
# What the scripts share: where things are, which PostgreSQL is meant, who runs the server, and how to speak.
# Sourced, never run. What does the work of one script belongs in that script.

set -euo pipefail
umask 022   # the server's user has to read what is made here, whoever makes it

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$top/build

# Settings of the caller's shell would send a client to another server than ours; make's would reach cargo.
for variable in ${!PG@}; do
    case $variable in PG | PG_CONFIG) ;; *) unset "$variable" ;; esac
done
unset variable MAKEFLAGS MFLAGS MAKELEVEL

command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
export PATH

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }

# As root, or through sudo.
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# As the user who runs the private servers: PostgreSQL refuses to run as root. From /, because that user may not be
# allowed into the caller's folder.
as_server() (
    cd /
    if is_root; then exec runuser -u postgres -- "$@"; else exec "$@"; fi
)

# The major version in use: what the caller asked for, or what the set-up chose last.
pg_major() {
    if [ -n "${PG:-}" ]; then
        say "$PG"
    elif [ -s "$build/pg" ]; then
        cat "$build/pg"
    else
        die "Nothing is set up yet: run 'make setup' first."
    fi
}

# Where the private PostgreSQL and its clusters are: in build/, unless a server could not work there. Then it is a
# folder of our own in /var/tmp, remembered in build/place; the name of its owner's clone in it keeps two copies of a
# clone apart.
place() {
    local dir why
    if [ -s "$build/place" ]; then
        dir=$(<"$build/place")
        if [ -O "$dir" ] && [ "$(cat "$dir/clone" 2>/dev/null)" = "$top" ]; then say "$dir"; return; fi
    fi
    if is_root && ! id postgres >/dev/null 2>&1; then die "Nothing is set up yet: run 'make setup' first."; fi
    if ! as_server test -r "$build" -a -x "$build"; then
        why="the user postgres cannot reach $build"
    elif [ "$(printf %s "$build" | wc -c)" -gt 56 ]; then
        why="$build is too long a path for a Unix socket"   # at most 107 bytes, and /clusters/… comes after it
    else
        say "$build"
        return
    fi
    dir=$(mktemp -d /var/tmp/pg_credits.XXXXXX)
    chmod 755 "$dir"
    say "$top" >"$dir/clone"
    say "$dir" >"$build/place"
    say "The private PostgreSQL and its clusters go to $dir, because $why." >&2
    say "$dir"
}

# The programs of the private copy of a major version.
bin_of() { say "$(place)/pgsql-$1/usr/lib/postgresql/$1/bin"; }

# What tells cargo where the machine's own PostgreSQL of a major version is. The private copy has no other headers: one
# build serves both.
machines() { say "/usr/lib/postgresql/$1/bin/pg_config"; }

# The major version of a pg_config's PostgreSQL.
major_of() { "$1" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'; }

# cargo_for PG_CONFIG COMMAND …: runs cargo for that PostgreSQL, which is all that pgrx has to be told.
cargo_for() {
    local pg_config=$1 command=$2
    shift 2
    PGRX_PG_CONFIG_PATH=$pg_config cargo "$command" --no-default-features --features "pg$(major_of "$pg_config")" "$@"
}
