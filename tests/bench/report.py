"""What the benchmark prints: the machine, the table, the verdict, and the notes of progress that are not kept."""

import datetime
import os
import re
import statistics
import sys
from pathlib import Path

WIDTHS = "{:<18}{:>10}{:>10}{:>10}{:>12}{:>11}{:>12}   {}"


class Paper:
    """Everything said, on the terminal at once and in a file at the end."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        forget_notes()
        print(text, flush=True)
        self.lines.append(text)

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n")


class Row:
    """A case and what its rounds gave."""

    def __init__(self, case, rounds):
        self.case = case
        self.rounds = rounds

    def rate(self, side):
        return statistics.median(one[side] for one in self.rounds)

    def ratios(self, side, to):
        return [one[side] / one[to] for one in self.rounds]

    def ratio(self, side, to):
        return statistics.median(self.ratios(side, to))

    def below(self):
        """The goals that it does not reach: what was reached, the goal, and of which baseline."""
        reached = ((self.ratio("ours", of), goal, of) for goal, of in self.case.goals)
        return [(ratio, goal, of) for ratio, goal, of in reached if ratio < goal]

    def line(self):
        spread = self.ratios("ours", "hand")
        text = WIDTHS.format(
            self.case.name,
            *(self.number(self.rate(side)) for side in ("floor", "hand", "ours")),
            *(f"{self.ratio(*pair):.2f}" for pair in (("ours", "floor"), ("ours", "hand"), ("hand", "floor"))),
            f"{min(spread):.2f} to {max(spread):.2f}",
        )
        low = " and ".join(f"{goal} of {of}" for _, goal, of in self.below())
        return text + (f"   below {low}" if low else "")

    def number(self, rate):
        """Events a second, or bytes an event."""
        return f"{1 / rate:,.0f} B" if self.case.name.startswith("bytes_") else f"{rate:,.0f}"


def machine(database):
    return f"PostgreSQL {database.setting('server_version')} on {cpu_model()}, {os.cpu_count()} cores, {memory()} of memory"


def heading(database, machine, rounds, seconds):
    extension = database.query("SELECT default_version FROM pg_available_extensions WHERE name = 'pg_credits'")
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    load = os.getloadavg()[0]
    settings = ("fsync", "full_page_writes", "autovacuum", "shared_buffers", "max_wal_size")
    lines = [
        f"pg_credits {extension or '(not installed)'}, {when}",
        f"machine: {machine}; load {load:.2f} at the start",
        "server:  " + ", ".join(f"{name} {database.setting(name)}" for name in settings),
        f"medians of {rounds} alternating rounds of {seconds} s each, pgbench -M prepared on the same machine",
    ]
    if load > 0.5:
        lines.append("NOTE: something else is running on this machine. The ratios are less certain for it.")
    if database.setting("fsync") != "on":
        lines.append("NOTE: fsync is off, so nothing here is durable and no rate is what a real server does.")
    return "\n".join(lines) + "\n"


def columns():
    above = WIDTHS.format("", "events a", "second", "", "ratio", "", "", "")
    titles = ("case", "floor", "hand", "ours", "ours/floor", "ours/hand", "hand/floor", "ours/hand by round")
    names = WIDTHS.format(*titles)
    return f"{above.rstrip()}\n{names}"


def legend():
    return """
floor  one UPDATE and one INSERT with a unique key, in one statement: no guard, no grants, no ledger
hand   a PL/pgSQL function: once a key, guarded, paid by grants in order, each draw a line of a ledger. Of a batch: event,
       account, grant and ledger rows as one set-based statement, with no guard
ours   event and deferred: report_meter_event, debit: wallet_debit, both called as hand is, SELECT f(...), and event_from
       as SELECT * FROM f(...); batch: report_meter_events, inbox: COPY and settle(), balance: wallet_balance
case   many: 10,000 wallets, one: a single wallet; then the clients, or the events in a batch (one client);
       off: synchronous_commit off, otherwise durable. A balance counts as one event.
       deferred: reported and not yet charged, where floor and hand charge. inbox_accept: rows copied into a table, for
       the floor one without a key; inbox_settle: such rows charged, so many at a time.
       Where ours stands in the place of the floor: grants, an account with a single grant beside one with 10,000; limit, an
       account without limits beside a member who has one; two, one
       session beside two with wallets of their own; inbox_settle, a batch of as many events.
       renewals: subscriptions that renew at one moment; what each of the three writes is in renewals.sql.
       bytes: what a charge leaves in tables, indexes and log (but for pages logged whole after a checkpoint); the ratio is
       that of charges a byte.
"""


def verdict(rows, low):
    if not low:
        return f"Every one of the {len(rows)} rows reaches what cases.txt asks for."
    lines = (f"  {r.case.name}: {ratio:.2f} of {of}, at least {goal}" for r in low for ratio, goal, of in r.below())
    return f"Below what cases.txt asks for, {len(low)} of {len(rows)} rows:\n" + "\n".join(lines)


def cpu_model():
    found = re.search(r"^model name\s*: (.+)$", read("/proc/cpuinfo"), re.M)
    return found.group(1).strip() if found else os.uname().machine


def memory():
    found = re.search(r"^MemTotal:\s+(\d+) kB", read("/proc/meminfo"), re.M)
    return f"{int(found.group(1)) / 1024 / 1024:.0f} GB" if found else "unknown amount"


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def note(text):
    """Progress, on a terminal only, each over the last."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def forget_notes():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
