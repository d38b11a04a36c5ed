#!/usr/bin/env bash
# Writes what docs/reference says of functions, views and errors, from the comments in the catalogue of the extension that
# is installed. A page keeps what stands outside of its lines `<!-- catalogue: … -->` and `<!-- end -->`.
# Where the server is, the PG* environment variables say.
#
#   reference.sh            writes the pages
#   reference.sh check      says what differs, and fails where something does

set -euo pipefail
cd "$(dirname "$0")/.."
pages=docs/reference
new=$(mktemp -d)
database=reference_pages
trap 'rm -rf "$new"; psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null' EXIT

export PGTZ=UTC PGOPTIONS='-c client_min_messages=error' LC_ALL=C.UTF-8
psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database TEMPLATE template0"
psql -X -q -d "$database" -c 'CREATE EXTENSION pg_credits'
differ=0
for page in functions views errors; do
    # Each part that the page names is put between its lines.
    while IFS= read -r line; do
        case $line in
            '<!-- catalogue: '*' -->')
                part=${line#<!-- catalogue: }
                printf '%s\n\n' "$line"
                psql -X -q -A -t -d "$database" -v ON_ERROR_STOP=1 -v page="${part%% *}" -f scripts/reference.sql
                skip=1
                ;;
            '<!-- end -->') skip='' && printf '%s\n' "$line" ;;
            *) [ -n "${skip:-}" ] || printf '%s\n' "$line" ;;
        esac
    done <"$pages/$page.md" >"$new/$page.md"
    if [ "${1:-}" != check ]; then
        cp "$new/$page.md" "$pages/$page.md"
    elif ! diff -u --label "$pages/$page.md" --label "the catalogue" "$pages/$page.md" "$new/$page.md"; then
        differ=1
    fi
done
if [ "$differ" = 1 ]; then
    echo "The pages are not what the catalogue says: make reference writes them."
    exit 1
fi
echo "reference: 3 pages passed, 0 failed"
