#!/usr/bin/env bash
# Builds the extension in release mode and installs it: into the private PostgreSQL, where nothing happens if no source
# changed since, or with the argument 'machine' into the machine's own. What the build needs is setup.sh's.
#
#   scripts/build.sh            QUIET=1 keeps cargo's output in build/build.log and shows it only where it fails
#   scripts/build.sh machine    PG_CONFIG=… says which PostgreSQL

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top"

# Everything that the installed files are made of, as one number. Not times: a checkout changes those and nothing else.
fingerprint() {
    {
        find src sql Cargo.toml Cargo.lock .cargo/config.toml ./*.control -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        rustc --version
        cat "$tree/stamp"
    } | sha256sum
}

install_into() {
    local pg_config=$1 major
    shift
    # Removed, not written over: servers that have it loaded keep the old one.
    local remove=(rm -f)
    [[ " $* " != *" --sudo "* ]] || remove=(sudo rm -f)
    "${remove[@]}" "$("$pg_config" --pkglibdir)/pg_credits.so"
    major=$("$pg_config" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
    pgrx install --release --pg-config "$pg_config" --no-default-features --features "pg$major" "$@"
}

case ${1:-private} in
    private)
        tree=$(place)/pgsql-$(pg_major)
        [ -s "$tree/stamp" ] || die "The private PostgreSQL is missing: run 'make setup' first."
        made_of=$(fingerprint)
        if [ "$(cat "$tree/installed" 2>/dev/null)" = "$made_of" ]; then say "build: up to date"; exit; fi
        rm -f "$tree/installed"
        say "build: the extension, for PostgreSQL $(pg_major) (2 to 5 minutes from scratch on two cores)"
        if [ -n "${QUIET:-}" ]; then
            install_into "$(bin_of "$(pg_major)")/pg_config" >"$build/build.log" 2>&1 ||
                { tail -n 40 "$build/build.log" >&2; die "build: failed; all of it: $build/build.log"; }
        else
            install_into "$(bin_of "$(pg_major)")/pg_config"
        fi
        say "$made_of" >"$tree/installed"
        say "build: installed into ${tree#"$top/"}"
        ;;
    machine)
        pg_config=${PG_CONFIG:-/usr/lib/postgresql/$(pg_major)/bin/pg_config}
        sudo=()
        [ -w "$("$pg_config" --pkglibdir)" ] || sudo=(--sudo)
        install_into "$pg_config" "${sudo[@]}"
        say "Installed into $("$pg_config" --version). In a database of it: CREATE EXTENSION pg_credits;"
        ;;
    *) die "scripts/build.sh [machine]" ;;
esac
