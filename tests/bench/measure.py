"""One measurement: one script for some seconds, and the events a second that it did. pgbench sends it, or psql where it
copies rows in.

The rate of pgbench is taken from pgbench's log of every transaction, between two completions of a client, for three reasons: the
first second, in which sessions load libraries and make plans, is left out; a last transaction that ends late costs
nothing; and it is exact for a handful of large batches too.
"""

import contextlib
import os
import re
import shutil
import time
from collections import defaultdict

import server

WARM_UP = 1  # seconds that are run and not counted
INPUT = "/* input */"  # marks the statement of a script that only makes what the next one sends
ROWS = """COPY (SELECT 'cus_' || (1 + floor(random() * {wallets}))::int, 'api_calls', 10,
                    'evt_' || (1 + floor(random() * 9e15))::bigint FROM generate_series(1, {events})) TO STDOUT"""


def run(database, out, script, case, clients, seconds):
    """Events a second, and how many transactions were done in all, the uncounted ones included."""
    text = script.read_text()
    if text.startswith("COPY "):
        return copy(database, text, case, seconds)
    makes_input = INPUT in text
    arguments = ["pgbench", "-n", "-M", "prepared", "-T", str(WARM_UP + seconds)]
    arguments += ["-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1))]
    arguments += ["-D", f"wallets={case.wallets}", "-D", f"events={case.events}"]
    arguments += ["-f", str(script)] + (["-r"] if makes_input else [])
    with fresh_folder(out / "logs") as logs:
        arguments += ["-l", f"--log-prefix={logs}/log"]
        summary = server.command(arguments, database.env(synchronous_commit=case.commit))
        transactions = read_logs(logs)
    done = int(re.search(r"^number of transactions actually processed: (\d+)", summary, re.M).group(1))
    if done == 0 or done != sum(len(one) for one in transactions.values()):
        raise server.Problem(f"{script.name}: pgbench counts {done} transactions, and its log does not.\n{summary}")
    return case.events * rate(transactions, input_seconds(summary) if makes_input else 0.0), done


CHARGES = 20_000  # that are weighed


def weigh(database, script, case, side):
    """One byte over the bytes that a charge leaves: those of its tables and indexes and of its log records, without the pages
    that are logged whole after a checkpoint, which depend on how long that was ago."""
    arguments = ["pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(CHARGES), "-D", f"wallets={case.wallets}"]
    size, place = database.weight(side)
    server.command([*arguments, "-f", str(script)], database.env(synchronous_commit="off"))
    grown = database.weight(side)[0] - size
    return CHARGES / (grown + database.logged_since(place)), CHARGES


RENEWALS = "renewals"  # the script of the case that renews subscriptions
# What renews those of each side, and when their periods end next; a round is an hour.
RENEW = {
    "floor": ("CALL floor_renew(:'due')", "floor_subscription", "period_end"),
    "hand": ("CALL hand_renew(:'due')", "hand_subscription", "period_end"),
    "ours": ("CALL credits.maintain()", "credits.subscriptions", "current_period_end"),
}


def renew(database, case, side):
    """Renewals a second, of all subscriptions of a side at the moment at which their periods end."""
    call, table, column = RENEW[side]
    database.query(f"VACUUM ANALYZE {'credits_internal.subscriptions' if side == 'ours' else table}")
    due = database.query(f"SELECT min({column}) FROM {table}")
    clock = f"SET credits.test_clock_drives_billing = on; SET credits.test_clock = '{due}'; " if side == "ours" else ""
    began = time.monotonic()
    database.query(f"SET synchronous_commit = {case.commit}; {clock}{call}", due=due)
    took = time.monotonic() - began
    left = int(database.query(f"SELECT count(*) FROM {table} WHERE {column} <= '{due}'"))
    if left:
        raise server.Problem(f"{left:,} of {case.events:,} subscriptions are not renewed")
    return case.events / took


def copy(database, statement, case, seconds):
    """Rows a second, and how often they were copied. They are thrown away each time: what is accepted is not charged."""
    table = statement.split()[1]
    rows = database.query(ROWS.format(wallets=case.wallets, events=case.events)) + "\n"
    arguments = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
    took, done = 0.0, 0
    while took < seconds:
        began = time.monotonic()
        server.command(arguments, database.env(synchronous_commit=case.commit), rows)
        took, done = took + time.monotonic() - began, done + 1
        kept = int(database.query(f"SELECT count(*) FROM {table}"))
        if kept != case.events:
            raise server.Problem(f"{table} has {kept:,} rows where {case.events:,} were copied")
        database.query(f"TRUNCATE {table}")
    return done * case.events / took, done


@contextlib.contextmanager
def fresh_folder(path):
    """An empty folder, gone at the end; what a run that was killed left in it goes first."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def read_logs(folder):
    """By client: (when it was complete, how long it took) of every transaction, in seconds and in order."""
    clients = defaultdict(list)
    for log in folder.iterdir():
        for line in log.read_text().splitlines():
            client, _, took, _, epoch, micros = line.split()[:6]
            clients[client].append((int(epoch) + int(micros) / 1e6, int(took) / 1e6))
    return clients


def rate(clients, apart):
    """Transactions a second of all clients; `apart` seconds of each transaction are not the work that is measured."""
    begin = min(end - took for transactions in clients.values() for end, took in transactions)
    total = 0.0
    for transactions in clients.values():
        uncounted = [end for end, _ in transactions if end <= begin + WARM_UP]
        since = uncounted[-1] if uncounted else transactions[0][0]
        counted = [end for end, _ in transactions if end > since]
        if counted:
            total += len(counted) / (counted[-1] - since - len(counted) * apart)
        else:  # so slow that there was but one
            total += 1 / (transactions[-1][1] - apart)
    return total


def input_seconds(summary):
    """The mean time of the statement that makes the input, from pgbench's report by statement."""
    found = re.search(r"^\s+([\d.]+)\s[\d\s]*SELECT " + re.escape(INPUT), summary, re.M)
    if not found:
        raise server.Problem(f"pgbench does not tell how long {INPUT} took:\n{summary}")
    return float(found.group(1)) / 1000
