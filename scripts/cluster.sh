#!/usr/bin/env bash
# Private PostgreSQL clusters: made, started, stopped and used here, and nowhere else. They listen on a Unix socket that
# only their owner can reach, and never touch a server that was there already. What runs against them is not known here.
#
#   cluster.sh start NAME [-c setting=value …]     makes it where it is missing; settings stay until others are given
#   cluster.sh stop [NAME]                         without a name: all of them
#   cluster.sh destroy NAME                        stops it and deletes its data
#   cluster.sh run NAME -- COMMAND …               with PGHOST and so on set, and this PostgreSQL's programs first in PATH
#   cluster.sh env NAME                            the same as export lines, for eval
#   cluster.sh with NAME [-c …] -- COMMAND …       a new cluster for one command, stopped whatever becomes of that

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() { sed -n '/^#   cluster/s/^#   //p' "$0" >&2; exit 2; }

use() {
    [[ ${1:-} =~ ^[a-z][a-z0-9_]{0,15}$ ]] || die "A cluster's name is 1 to 16 of a-z, 0-9 and _, and starts with a letter."
    name=$1
    where=$(place)
    home=$where/clusters/$name
    data=$home/data
    socket=$home/s
}

bin() { bin_of "$(cat "$data/PG_VERSION")"; }

# The server's pid, if that is a server of this data folder: the pid in a file that a crash left behind may by now be
# any other process.
server_pid() {
    local pid
    pid=$(head -n1 "$data/postmaster.pid" 2>/dev/null) || return 1
    [ "$(readlink "/proc/$pid/cwd")" = "$data" ] && say "$pid"
}

# Processes of this data folder: the server's, or what a killed server left behind.
processes() {
    { find /proc -maxdepth 2 -name cwd -printf '%h\t%l\n' 2>/dev/null || true; } |
        data=$data awk -F '\t' '$2 == ENVIRON["data"] { print substr($1, 7) }'
}

# After kill -9 of a server its backends end by themselves, but a busy one not before its statement ends, and until
# then no new server starts. Its lock files go too: their pid may stay a while (in a container for ever) as that of a
# zombie, which PostgreSQL takes for a living server.
end_left_behind() {
    local from=$SECONDS pids
    while pids=$(processes) && [ -n "$pids" ]; do
        # shellcheck disable=SC2086 # one word a pid
        case $((SECONDS - from)) in
            [0-2]) ;;
            [3-7]) kill -QUIT $pids 2>/dev/null || true ;;
            [89]) kill -KILL $pids 2>/dev/null || true ;;
            *) die "cluster $name: processes of a server that was killed are still there: $pids" ;;
        esac
        sleep 0.1
    done
    rm -f "$data/postmaster.pid" "$socket/.s.PGSQL.5432" "$socket/.s.PGSQL.5432.lock"
}

create() {
    local bin locale=C
    bin=$(bin_of "$(pg_major)")
    [ -x "$bin/initdb" ] || die "The private PostgreSQL is missing: run 'make setup' first."
    case $(locale -a) in *C.utf8* | *C.UTF-8*) locale=C.UTF-8 ;; esac
    mkdir -p "$where/clusters"
    rm -rf "$home"
    mkdir -m 700 "$home" "$socket"
    if is_root; then chown -R postgres: "$home"; fi
    as_server "$bin/initdb" --auth=trust -U postgres -E UTF8 --locale="$locale" -D "$data.new" >"$where/initdb.log" 2>&1 ||
        { cat "$where/initdb.log" >&2; die "cluster $name: initdb failed"; }
    as_server tee -a "$data.new/postgresql.conf" >/dev/null <<<"include 'private.conf'"
    as_server mv "$data.new" "$data"   # last, so that a half-made one is never taken for whole
}

# Reachable through the socket alone, whose folder only the owner may enter.
configure() {
    {
        say "listen_addresses = ''"
        say "unix_socket_directories = '${socket//\'/\'\'}'"
        say "unix_socket_permissions = 0700"
        say "port = 5432"
        say "cluster_name = 'pg_credits $name'"
        local setting value
        for setting in "$@"; do
            value=${setting#*=}
            say "${setting%%=*} = '${value//\'/\'\'}'"
        done
    } | as_server tee "$data/private.conf" >/dev/null
}

wait_ready() {
    local from=$SECONDS
    until "$(bin)/pg_isready" -q -h "$socket" -p 5432; do
        [ $((SECONDS - from)) -lt 60 ] || die "cluster $name does not answer; its log: $home/log"
        sleep 0.1
    done
}

start() {
    local settings=()
    while [ "${1:-}" = -c ]; do
        [[ ${2:-} == *=* ]] || usage
        settings+=("$2")
        shift 2
    done
    [ $# = 0 ] || usage
    if server_pid >/dev/null; then wait_ready; return; fi
    [ -s "$data/PG_VERSION" ] || create
    [ "$(cat "$data/PG_VERSION")" = "$(pg_major)" ] ||
        die "cluster $name is of PostgreSQL $(cat "$data/PG_VERSION"), not $(pg_major): 'scripts/cluster.sh destroy $name' deletes it."
    if [ ${#settings[@]} -gt 0 ] || [ ! -e "$data/private.conf" ]; then configure "${settings[@]}"; fi
    end_left_behind
    as_server "$(bin)/pg_ctl" -D "$data" -l "$home/log" -w -t 120 start >/dev/null ||
        { tail -n 20 "$home/log" >&2; die "cluster $name did not start; its log: $home/log"; }
}

stop() {
    if server_pid >/dev/null; then
        as_server "$(bin)/pg_ctl" -D "$data" -m fast -w -t 120 stop >/dev/null ||
            as_server "$(bin)/pg_ctl" -D "$data" -m immediate -w stop >/dev/null
    elif [ -d "$data" ]; then
        end_left_behind
    fi
}

stop_all() {
    local dir
    [ -s "$build/pg" ] || return 0   # nothing was set up, so nothing runs
    for dir in "$(place)"/clusters/*/; do
        if [ -d "$dir" ]; then use "$(basename "$dir")"; stop; fi
    done
}

environment() {
    [ -s "$data/PG_VERSION" ] || die "There is no cluster $name: 'scripts/cluster.sh start $name' makes it."
    export PGHOST=$socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres PGDATA=$data
    PATH=$(bin):$PATH
    export NODE_PATH=$build/node/usr/share/nodejs   # where the set-up put node-pg
}

[ $# -gt 0 ] || usage
action=$1
shift
if [ "$action" = stop ] && [ $# = 0 ]; then stop_all; exit; fi
use "${1:-}"
shift
case $action in
    start) start "$@" ;;
    stop) stop ;;
    destroy)
        stop
        rm -rf "$home"
        ;;
    env)
        environment
        for variable in PGHOST PGPORT PGUSER PGDATABASE PGDATA NODE_PATH PATH; do
            printf 'export %s=%q\n' "$variable" "${!variable}"
        done
        ;;
    run)
        [ "${1:-}" = -- ] && shift
        [ $# -gt 0 ] || usage
        environment
        exec "$@"
        ;;
    with)
        settings=()
        while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1"); shift; done
        [ $# -gt 1 ] || usage
        shift
        stop
        rm -rf "$home"
        trap stop EXIT
        trap 'exit 130' INT TERM
        start "${settings[@]}"
        (environment && "$@")
        ;;
    *) usage ;;
esac
