#!/usr/bin/env bash
# Builds the extension and installs it: into the private PostgreSQL, where nothing happens if no source changed since, or
# elsewhere. It is the library, which cargo makes, the control file, and scripts: that of this version, and what
# sql/upgrade keeps of others. What the build needs is setup.sh's.
#
#   scripts/build.sh            QUIET=1 keeps cargo's output in build/build.log and shows it only where it fails
#   scripts/build.sh quick      the same for a first look: optimised less, unless what is installed is of these sources
#   scripts/build.sh machine    into the machine's own PostgreSQL; PG_CONFIG=… says which
#   scripts/build.sh package    the same files as an archive under build/package, to be unpacked in /
#   scripts/build.sh script     prints this version's script, of what sql/files.txt lists
#   scripts/build.sh scripts DIR      writes the control file and every script that is installed into a folder
#   scripts/build.sh frozen     whether what sql/upgrade keeps is what it was when it was frozen
#   scripts/build.sh step       writes anew what can be derived of the step to this version from the release before
#   scripts/build.sh freeze     keeps this version's script there, with its checksum and those of the steps that lead to it

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top"
version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n1)

# Everything that the installed files are made of, as one number. Not times: a checkout changes those and nothing else.
fingerprint() {
    {
        find src sql templates Cargo.toml Cargo.lock .cargo/config.toml ./*.control -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        rustc --version
        cat "$tree/stamp"
    } | sha256sum
}

# Each file of the list, in order; one that is listed and missing, or there and not listed, was forgotten.
script() {
    local files file
    mapfile -t files < <(grep -v '^ *\(#\|$\)' sql/files.txt)
    diff <(printf '%s\n' "${files[@]}" | LC_ALL=C sort) \
        <(cd sql && find . -path ./upgrade -prune -o -name '*.sql' -printf '%P\n' | LC_ALL=C sort) >&2 ||
        die "sql/files.txt (<) does not list what is in sql/ (>)."
    # For whoever hands the script to psql.
    say "\\echo Use \"CREATE EXTENSION pg_credits\" to load this file. \\quit"
    for file in "${files[@]}"; do
        cat "sql/$file"
        echo
    done
}

kept=sql/upgrade
own=pg_credits--$version.sql

# What CREATE and ALTER EXTENSION read: this version's script as sql/ makes it, and the scripts and steps of the others.
write_scripts() {
    local file
    script >"$1/$own"
    sed "s/@CARGO_VERSION@/$version/" pg_credits.control >"$1/pg_credits.control"
    for file in "$kept"/pg_credits--*.sql; do
        if [ -e "$file" ] && [ "$file" != "$kept/$own" ]; then cp "$file" "$1/"; fi
    done
}

# What was shipped stays as it was shipped: a database that has it was made of it.
frozen() {
    local file
    (cd "$kept" && sha256sum --check --quiet --strict checksums) >&2 ||
        die "$kept: a frozen script is not what it was when it was frozen. Take it back; what has to change is a step's."
    # Of a version that is kept, its script and every step that leads to it.
    for file in "$kept"/pg_credits--*.sql; do
        [ -e "$kept/pg_credits--${file##*--}" ] || continue
        grep -q " ${file##*/}\$" "$kept/checksums" || die "$file has no checksum: 'scripts/build.sh freeze' writes it."
    done
    if [ -e "$kept/$own" ] && ! script | cmp -s - "$kept/$own"; then
        die "sql/ has changed since $version was frozen: raise the version and write $kept/pg_credits--$version--<next>.sql"
    fi
}

# The step from the newest release that is kept. Its part by hand stays.
step() {
    local before now
    before=$(cd "$kept" && printf '%s\n' pg_credits--*.sql | grep -v -e '--.*--' | grep -v -F "$own" | sort -V | tail -n1)
    now=$(mktemp)
    script >"$now"
    scripts/step.py "$kept/$before" "$now" "$kept/${before%.sql}--$version.sql"
    rm "$now"
}

# Again, too, until the version has its tag. A step to it is frozen with it.
freeze() {
    local file files=("$own")
    [ -z "$(git tag --list "v$version" 2>/dev/null)" ] || die "$version is released (tag v$version): raise the version in Cargo.toml."
    mkdir -p "$kept"
    touch "$kept/checksums"
    for file in "$kept"/pg_credits--*--"$version.sql"; do [ ! -e "$file" ] || files+=("${file##*/}"); done
    [ ${#files[@]} -gt 1 ] || ! grep -qv " $own\$" "$kept/checksums" ||
        die "No step leads to $version: write $kept/pg_credits--<version before>--$version.sql first."
    script >"$kept/$own.new"
    mv "$kept/$own.new" "$kept/$own"
    for file in "${files[@]}"; do
        { grep -v " $file\$" "$kept/checksums" || true; } >"$kept/checksums.new"
        mv "$kept/checksums.new" "$kept/checksums"
    done
    (cd "$kept" && sha256sum "${files[@]}" >>checksums && LC_ALL=C sort -k 2 -o checksums checksums)
    frozen
    say "frozen: ${files[*]}"
}

# install_files PG_CONFIG INTO: puts the files where that PostgreSQL looks for them, below the folder INTO, with the rights
# of $as.
as=()
install_files() {
    local lib share into=$2 made
    lib=$into$("$1" --pkglibdir)
    share=$into$("$1" --sharedir)/extension
    made=$(mktemp -d)
    write_scripts "$made"
    # Removed, not written over: servers that have it loaded keep the old one.
    "${as[@]}" rm -f "$lib/pg_credits.so"
    "${as[@]}" install -D -m 755 "${CARGO_TARGET_DIR:-build/target}/release/libpg_credits.so" "$lib/pg_credits.so"
    "${as[@]}" install -D -m 644 -t "$share" "$made"/*
    rm -r "$made"
}

compile() { cargo_for "$1" build --release "${flags[@]}"; }

# Of our own crate alone, so that what it is built on serves the whole build too.
flags=()
quick=(--config "profile.release.package.pg_credits.opt-level=1" --config "profile.release.package.pg_credits.codegen-units=16")

case ${1:-private} in
    private | quick)
        tree=$(place)/pgsql-$(pg_major)
        [ -s "$tree/stamp" ] || die "The private PostgreSQL is missing: run 'make setup' first."
        made_of=$(fingerprint)
        installed=$(cat "$tree/installed" 2>/dev/null) || true
        if [ "${1:-private}" = quick ]; then
            if [ "$installed" = "$made_of" ]; then say "build: up to date"; exit; fi
            flags=("${quick[@]}")
            made_of="$made_of quick"
        fi
        if [ "$installed" = "$made_of" ]; then say "build: up to date"; exit; fi
        rm -f "$tree/installed"
        say "build: the extension, for PostgreSQL $(pg_major) (about 2 minutes from scratch on two cores)"
        if [ -n "${QUIET:-}" ]; then
            compile "$(machines "$(pg_major)")" >"$build/build.log" 2>&1 ||
                { tail -n 40 "$build/build.log" >&2; die "build: failed; all of it: $build/build.log"; }
        else
            compile "$(machines "$(pg_major)")"
        fi
        # This PostgreSQL is ours alone: what other states of the sources left there goes.
        rm -f "$tree/usr/share/postgresql/$(pg_major)/extension"/pg_credits--*.sql
        install_files "$(bin_of "$(pg_major)")/pg_config" ""
        say "$made_of" >"$tree/installed"
        say "build: installed into ${tree#"$top/"}"
        ;;
    machine)
        pg_config=${PG_CONFIG:-$(machines "$(pg_major)")}
        compile "$pg_config"
        [ -w "$("$pg_config" --pkglibdir)" ] || as=(sudo)
        install_files "$pg_config" ""
        say "Installed into $("$pg_config" --version). In a database of it: CREATE EXTENSION pg_credits;"
        ;;
    package)
        frozen
        pg_config=${PG_CONFIG:-$(machines "$(pg_major)")}
        compile "$pg_config"
        name=pg_credits-$version-pg$(major_of "$pg_config")-$(uname -m)
        rm -rf "$build/package/$name"
        install_files "$pg_config" "$build/package/$name"
        # The files alone: unpacked, folders would take their owner and mode from the archive.
        (cd "$build/package/$name" && find . -type f -printf '%P\n' | LC_ALL=C sort) |
            tar -C "$build/package/$name" --owner=0 --group=0 -czf "$build/package/$name.tar.gz" -T -
        rm -r "${build:?}/package/$name"
        say "build/package/$name.tar.gz, for $("$pg_config" --version). To install it there: tar -C / -xzf $name.tar.gz"
        ;;
    script) script ;;
    scripts) write_scripts "${2:?a folder}" ;;
    frozen) frozen ;;
    step) step ;;
    freeze) freeze ;;
    *) die "scripts/build.sh [quick|machine|package|script|scripts DIR|frozen|step|freeze]" ;;
esac
