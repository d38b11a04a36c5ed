"""What the sessions know against what the database has after the restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.rows import dict_row

from calls import TEAM, WALLETS, Answer, Call, Trace, Unit, spent, traces, wallets
from sessions import REFUSALS, Report
from support import harness
from support.harness import Checks

Connection = psycopg.Connection[Any]
# What gives an event another value, or a hold another amount.
CHANGES = ("meter_event_adjust", "meter_event_cancel", "hold_update")
BALANCE = "SELECT available, restricted, held, pending FROM credits.wallet_balance(%s, 'CREDIT')"
HELD = "SELECT coalesce(sum(amount - captured), 0) FROM credits.holds WHERE status = 'open' AND customer_id = %s"


class Judge:
    """Over all rounds: `done` is every call that is in the database."""

    def __init__(self, checks: Checks, database: str, before: list[Call]) -> None:
        self.checks = checks
        self.database = database
        self.done = before
        self.counts: Counter[str] = Counter()

    def judge(self, reports: list[Report]) -> None:
        """One round, after the restart. The sessions' calls are in `done` when it ends."""
        acknowledged = [one for report in reports for one in report.acknowledged]
        under_way = [report.under_way for report in reports if report.under_way is not None]
        with harness.connect(self.database) as connection:
            checks = self.checks
            checks.none(harness.verify(connection), "verify() finds nothing")
            found = traces(connection)
            self.done += [call for unit, _ in acknowledged for call in unit.calls]
            checks.none([call for call in self.done if call.trace not in found], "nothing acknowledged is missing")
            nothing = [call for report in reports for unit in report.nothing for call in unit.calls if call.key]
            checks.none([call for call in nothing if call.trace in found], "nothing refused or rolled back is there")
            whole = self.whole(under_way, found)
            known = {call.trace for call in self.done} | self.ends()
            checks.none(sorted(found - known), "nothing is there that nobody asked for")
            checks.none(self.balances(connection), "balances are what the calls that are there come to")

            sums = harness.table_checksums(connection)
            checks.none(self.repeats(acknowledged), "everything acknowledged answers as a repeat, as it did at first")
            checks.equal(harness.table_checksums(connection), sums, "and no table is changed by that")

            answers, wrong = self.made_again(under_way, whole)
            checks.none(wrong, "what was under way answers as a repeat if it is there, and is done now if not")
            sums = harness.table_checksums(connection)
            checks.none(self.repeats(answers), "and then as a repeat of that")
            checks.equal(harness.table_checksums(connection), sums, "which changes no table either")
            checks.none(self.balances(connection), "balances: each of these was done once")
            checks.none(harness.verify(connection), "verify() finds nothing then")
        for unit, _ in acknowledged:
            self.counts.update([unit.kind, *(call.function for call in unit.calls)])
        self.counts["acknowledged"] += len(acknowledged)
        self.counts["refused or rolled back"] += sum(len(report.nothing) for report in reports)
        self.counts["under way"] += len(under_way)

    def whole(self, under_way: list[Unit], found: set[Trace]) -> set[Trace]:
        """The traces of what was under way and is there; a unit of which only a part is there is a failure."""
        there: set[Trace] = set()
        parts = []
        for unit in under_way:
            present = [call for call in unit.calls if call.trace in found]
            there.update(call.trace for call in present)
            self.done += present
            self.counts["there without an answer"] += bool(present)
            self.counts["not there"] += not present
            if 0 < len(present) < len(unit.calls):
                parts.append(f"of {unit} only {present}")
        self.checks.none(parts, "what was under way is there as a whole or not at all")
        return there

    def balances(self, connection: Connection) -> list[str]:
        """What readers see of every wallet, against the calls that are there."""
        books = wallets(self.done)
        wrong = []
        for customer in WALLETS:
            balance = connection.execute(BALANCE, [customer]).fetchone()
            if balance != books[customer].balance():
                wrong.append(f"{customer} has {balance}, its calls come to {books[customer].balance()}")
            held = connection.execute(HELD, [customer]).fetchone()
            if held != (books[customer].held,):
                wrong.append(f"{customer}'s open holds hold {held}, its calls come to {books[customer].held}")
        rows = connection.execute("SELECT member_id, used FROM credits.limits WHERE customer_id = %s", [TEAM]).fetchall()
        for member, used in rows:
            if used != spent(self.done, TEAM, member):
                wrong.append(f"{used} spent by {member or 'all'}, their calls come to {spent(self.done, TEAM, member)}")
        return wrong if len(rows) == 2 else [*wrong, "a limit is gone"]

    def ends(self) -> set[Trace]:
        """Holds that were ended by a capture that has a key, and so another trace."""
        return {("end of hold", call.customer, str(call.other)) for call in self.done if call.function == "hold_more"}

    def repeats(self, answered: Iterable[tuple[Unit, list[Answer]]]) -> list[str]:
        """Makes the calls again; what is wrong where an answer is not that of a repeat."""
        wrong = []
        # Of what was changed since, a repeat tells how it stands.
        changed = {(call.customer, str(call.other)) for call in self.done if call.function in CHANGES}
        ended = self.ends() | {call.trace for call in self.done}
        with harness.connect(self.database, row_factory=dict_row) as connection:
            for unit, answers in answered:
                for call, answer in zip(unit.calls, answers, strict=True):
                    row = again(connection, call)
                    if call.function == "hold_update" and ("end of hold", call.customer, str(call.other)) in ended:
                        same = row.get("sqlstate") == "PC010"
                    elif (call.customer, answer[0]) in changed:
                        same = bool(row.get("replayed")) and call.answer(row)[0] == answer[0]
                    else:
                        same = bool(row.get("replayed")) and call.answer(row) == answer
                    if not same:
                        wrong.append(f"{call} answered {answer}, and now {row}")
        return wrong

    def made_again(self, under_way: list[Unit], whole: set[Trace]) -> tuple[list[tuple[Unit, list[Answer]]], list[str]]:
        """Makes again what had no answer. Returns what was answered now, and what is wrong."""
        answered, wrong = [], []
        with harness.connect(self.database, row_factory=dict_row) as connection:
            for call in [call for unit in under_way for call in unit.calls]:
                there = call.trace in whole
                row = again(connection, call)
                if not there and (row.get("ok") is False or row.get("sqlstate") in REFUSALS):
                    continue  # not there, and no credits for it now
                if row.get("replayed") is not there or call.answer(row)[1] != call.charge:
                    wrong.append(f"{call}, {'there' if there else 'not there'}: answered {row}")
                    continue
                if not there:
                    self.done.append(call)
                answered.append((Unit("a call", (call,)), [call.answer(row)]))
        return answered, wrong


def again(connection: Connection, call: Call) -> dict[str, Any]:
    """The answer to a call, or its error."""
    try:
        row = connection.execute(call.sql, vars(call), prepare=True).fetchone()
    except psycopg.Error as error:
        return {"sqlstate": error.sqlstate, "error": harness.described(error)}
    assert row is not None
    return row
