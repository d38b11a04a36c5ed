#!/usr/bin/env bash
# Runs the tests in order and stops at the first step that fails, by name. What is tested is in src/ and tests/; here is
# only how each step is run.
#
#   scripts/test.sh                  STEP=regress runs that step alone

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top"
logs=$build/test
steps=(lint unit build regress rights restore upgrade replay metering payments invoicing subscriptions webhooks pages concurrency crash clients)

# The server tests' own cluster, with PostgreSQL's defaults where it counts.
on_new_cluster() {
    scripts/cluster.sh with test -c fsync=on -c max_connections=100 -c shared_buffers=256MB -- "$@"
}

program() {
    [ -x "$1" ] || die "$1 is missing"
    on_new_cluster "$@"
}

lint() {
    cargo fmt --check
    cargo_for "$pg_config" clippy --all-targets --features pg_test -- -D warnings
    tests/tidy/run "$build/tidy/bin/ruff"
}

# Pure tests, and those that hold what we lay out against PostgreSQL's own: a server loads these from a library that has
# them, beside the one that is installed.
unit() {
    local where
    where=$(place)
    cargo_for "$pg_config" test --lib
    cargo_for "$pg_config" build --features pg_test
    install -m 755 "${CARGO_TARGET_DIR:-build/target}/debug/libpg_credits.so" "$where/pg_credits_tests.so"
    on_new_cluster tests/in_server/run "$where/pg_credits_tests.so"
    rm "$where/pg_credits_tests.so"
}

build() { scripts/build.sh; }
# The pages that the catalogue writes are checked on the way: they need the same server.
regress() { on_new_cluster sh -c 'tests/pg_regress/run && scripts/reference.sh check'; }
rights() { program tests/rights/test; }
replay() { program tests/replay/test; }
restore() {
    program tests/restore/test
    scripts/cluster.sh with test -c wal_level=logical -c max_connections=100 -- tests/restore/copies
}
upgrade() { program tests/upgrade/test; }
metering() { program tests/metering/test; }
payments() { program tests/payments/test; }
invoicing() { program tests/invoicing/test; }
subscriptions() { program tests/subscriptions/test; }
webhooks() { program tests/webhooks/test; }
pages() { program tests/pages/test; }
concurrency() { program tests/concurrency/test; }
crash() { program tests/crash/test; }
clients() { program tests/clients/test; }

PG=$(pg_major)
export PG
pg_config=$(machines "$PG")

# One step, in a shell of its own: in the condition below 'set -e' would not hold.
if [ "${1:-}" = --step ]; then "$2"; exit; fi

if [ -n "${STEP:-}" ]; then
    [[ " ${steps[*]} " == *" $STEP "* ]] || die "STEP is one of: ${steps[*]}"
    case $STEP in
        lint | unit | build) steps=("$STEP") ;;
        *) steps=(build "$STEP") ;;
    esac
fi
[ ! -t 1 ] || export CARGO_TERM_COLOR=always
export PYTHONUNBUFFERED=1   # progress is to be seen as it happens, through the pipe below
rm -rf "$logs"
mkdir -p "$logs"
: >"$logs/summary"
for step in "${steps[@]}"; do
    printf '\n=== %s\n' "$step"
    from=$SECONDS
    result=passed
    "$0" --step "$step" 2>&1 | tee "$logs/$step.log" || result=FAILED
    closing=$(sed 's/\x1b\[[0-9;]*m//g' "$logs/$step.log" | grep -E '^(test result: |.*[0-9]+ passed, [0-9]+ failed)' |
        grep -v ' 0 passed; 0 failed' | sed 's/^/    /' || true)
    {
        printf '%-12s %s in %s min\n' "$step" "$result" "$(awk -v s=$((SECONDS - from)) 'BEGIN { printf "%.1f", s / 60 }')"
        [ -z "$closing" ] || say "$closing"
    } >>"$logs/summary"
    [ "$result" = passed ] || break
done
printf '\n=== summary\n'
cat "$logs/summary"
[ "$result" = passed ] || die "make test: failed in step $step (its output: $logs/$step.log)"
say "make test: ${#steps[@]} steps passed"
