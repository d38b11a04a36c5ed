"""What a session of the purchases' mix does with credits, and what it brings home of all that it did."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness
from told import Purchase, Told

# In the first, nothing runs out and nothing is forgiven.
PLAIN = [f"plain {number}" for number in range(3)]
WILD = [f"wild {number}" for number in range(3)]
WALLETS = [*PLAIN, *WILD]
METER = "calls"

A_HOLD = "SELECT hold_id, amount FROM credits.holds WHERE status = 'open' AND customer_id = %s ORDER BY random() LIMIT 1"
AN_EVENT = (
    "SELECT identifier, quantity FROM credits.usage WHERE customer_id = %s AND canceled_at IS NULL"
    " ORDER BY random() LIMIT 1"
)
A_GRANT = "SELECT grant_id FROM credits.grants WHERE customer_id = %s AND status = 'granted' ORDER BY random() LIMIT 1"
BALANCE = (
    "SELECT b.*,"
    " (w.available, w.restricted, w.held, w.pending) = (b.available, b.restricted, b.held, b.pending) AS same"
    " FROM credits.wallet_balance(%s, 'CREDIT') AS b JOIN credits.wallets AS w ON w.customer_id = %s"
)
# What each act may be refused with: too little; a hold that somebody else ended; an expiry that passed while it waited;
# a snapshot that is too old; a payment that is on its way.
REFUSALS = {
    "debit": "PC001", "hold": "PC001", "transfer": "PC001", "several": "PC001", "end_hold": "PC010", "give": "PC013",
    "tell_late": "40001", "erase": "PC020",
}  # fmt: skip


@dataclass
class Report:
    """What one session brings home: what it gave less what it spent, by wallet; what it bought and what it told, both
    with whether that was new; and which rows of the outbox it was handed."""

    net: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    bought: list[tuple[Purchase, bool]] = field(default_factory=list)
    told: list[tuple[str, Told, str, bool]] = field(default_factory=list)
    handed: set[tuple[str, int]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        for wallet, amount in other.net.items():
            self.net[wallet] += amount
        self.bought += other.bought
        self.told += other.told
        self.handed |= other.handed
        self.counts += other.counts
        self.wrong += other.wrong


class Spender:
    """A session that spends."""

    def __init__(self, database: str, number: int) -> None:
        self.number = number
        self.random = random.Random(f"purchases/{number}")
        self.report = Report()
        self.serial = 0
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")
        self.begun = self.maintained = time.monotonic()

    def debit(self, wallet: str) -> None:
        amount = self.amount(40)
        self.one("SELECT * FROM credits.wallet_debit(%s, %s)", wallet, amount)
        self.report.net[wallet] -= amount

    def use(self, wallet: str) -> None:
        self.serial += 1
        value = self.random.randint(1, 50)
        identifier = f"{self.number} {self.serial}"
        self.one("SELECT * FROM credits.report_meter_event(%s, %s, %s, %s)", wallet, METER, value, identifier)
        self.report.net[wallet] -= value

    def cancel(self, wallet: str) -> None:
        for event in self.all(AN_EVENT, wallet):
            row = self.one("SELECT * FROM credits.meter_event_cancel(%s, %s)", wallet, event["identifier"])
            if not row["replayed"]:
                self.report.net[wallet] += event["quantity"]
                self.count("canceled")

    def hold(self, wallet: str) -> None:
        lasts = f"{self.random.choice((0.3, 2, 4))} s"
        self.one("SELECT * FROM credits.hold_create(%s, %s, expires_in => %s)", wallet, self.amount(90), lasts)

    def end_hold(self, wallet: str) -> None:
        for hold in self.all(A_HOLD, wallet):
            if self.random.random() < 0.3:
                self.one("SELECT * FROM credits.hold_release(%s, %s)", wallet, hold["hold_id"])
                self.count("released")
                continue
            spent = max(round(hold["amount"] / self.random.choice((1, 2, 3)), 6), Decimal("0.000001"))
            row = self.one("SELECT * FROM credits.hold_capture(%s, %s, %s)", wallet, hold["hold_id"], spent)
            if not row["replayed"]:
                self.report.net[wallet] -= spent
                self.count("captured")

    def transfer(self, wallet: str) -> None:
        """Between wallets of a kind, so that nothing that runs out comes to a plain one."""
        to = self.random.choice([other for other in (PLAIN if wallet in PLAIN else WILD) if other != wallet])
        amount = self.amount(30)
        self.one("SELECT * FROM credits.wallet_transfer(%s, %s, %s)", wallet, to, amount)
        self.report.net[wallet] -= amount
        self.report.net[to] += amount
        self.count("transferred")

    def give(self, wallet: str) -> None:
        amount, ends = self.amount(9), None
        if wallet in WILD and self.random.random() < 0.5:
            ends = f"{self.random.randint(1, 3)} s"
        grant = "SELECT * FROM credits.credit_grant(%s, %s, priority => %s, expires_at => now() + %s::interval)"
        self.one(grant, wallet, amount, self.random.choice((10, 50, 90)), ends)
        self.report.net[wallet] += amount

    def end_grant(self, wallet: str) -> None:
        """By hand: a purchase's as well."""
        if wallet in WILD:
            for grant in self.all(A_GRANT, wallet):
                end = self.random.choice(("void", "expire"))
                self.one(f"SELECT * FROM credits.credit_grant_{end}(%s, %s)", wallet, grant["grant_id"])
                self.count({"void": "voided", "expire": "expired"}[end])

    def look(self, wallet: str) -> None:
        row = self.one(BALANCE, wallet, wallet)
        if min(row["available"], row["restricted"], row["held"], row["pending"]) < 0 or not row["same"]:
            self.wrong(f"{wallet} is below zero, or another in the view wallets: {row}")
        if row["available"] > 0 and row["pending"] > 0:
            self.wrong(f"{wallet} owes while it has credits: {row}")

    # --- calls ---------------------------------------------------------------------------------------------------

    def amount(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 1_000_000)).scaleb(-6)

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values, prepare=True).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    @contextlib.contextmanager
    def transaction(self, commit: bool = True) -> Iterator[None]:
        """What is done in it was done if it is committed."""
        before, self.report = self.report, Report()
        try:
            with self.connection.transaction(force_rollback=not commit):
                yield
            if commit:
                before.add(self.report)
        finally:
            self.report = before

    def refused(self, act: str, error: psycopg.Error) -> None:
        self.count(str(error.sqlstate))
        if error.sqlstate != REFUSALS.get(act):
            self.wrong(f"{act}: {harness.described(error)}")

    def wrong(self, what: str) -> None:
        self.count("wrong")
        self.report.wrong.append(f"session {self.number}: {what}")

    def count(self, what: str) -> None:
        self.report.counts[what] += 1
