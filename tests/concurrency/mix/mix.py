"""One session of the random mix: calls of every kind over a few wallets, seeded, each answer judged as it comes.

What a session was told went through is recorded; audit.py holds all of it against the database at the end.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from calls import BATCH, BUDGETED, LIMITED, METERS, PLACED, WALLETS, Call, Done, answered, plausible, refusal_fits, shared_call
from support import harness

BALANCE = (
    "SELECT b.*,"
    " (w.available, w.restricted, w.held, w.pending) = (b.available, b.restricted, b.held, b.pending) AS same"
    " FROM credits.wallet_balance(%s, 'CREDIT') AS b JOIN credits.wallets AS w ON w.customer_id = %s"
)
# Any session's, so that several meet on one: a hold that is open (or, seldom, was), a grant that has not ended.
A_HOLD = (
    "SELECT hold_id, amount FROM credits_internal.holds WHERE customer_id = %s AND (status = 'open' OR random() < 0.02)"
    " ORDER BY random() LIMIT 1"
)
A_GRANT = (
    "SELECT grant_id FROM credits_internal.credit_grants WHERE customer_id = %s AND status IN ('pending', 'granted')"
    " AND (granted_by IS NULL AND transferred_from IS NULL OR %s) ORDER BY random() LIMIT 1"
)
A_DEBIT = (
    "SELECT operation_id, amount FROM credits_internal.operations WHERE customer_id = %s AND function = 'wallet_debit'"
    " ORDER BY random() LIMIT 1"
)
PLACE = "SELECT last_line, clock_timestamp() AS at FROM credits_internal.accounts WHERE customer_id = %s AND currency = 'CREDIT'"


@dataclass
class Report:
    """What one session brings home."""

    done: list[Done] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Mix:
    """The session at work."""

    def __init__(self, database: str, number: int, seed: int, seconds: float) -> None:
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        self.report = Report()
        self.serial = 0
        self.rolled_back: list[Call] = []
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.maintained = self.begun

    def run(self) -> Report:
        kinds = [
            (self.single, 50), (self.batch, 8), (self.repeat, 10), (self.conflict, 4), (self.shared, 14),
            (self.several, 8), (self.balance, 6), (self.repeatable_read, 3), (self.again_after_rollback, 3),
        ]  # fmt: skip
        work, weights = zip(*kinds)
        while time.monotonic() < self.until:
            if self.number == 0 and time.monotonic() > self.maintained + 0.5:
                self.maintain()
            self.random.choices(work, weights)[0]()
        self.connection.close()
        return self.report

    # --- what a session does -------------------------------------------------------------------------------------

    def single(self) -> None:
        self.make([self.new_call(self.random.choice(WALLETS))])

    def repeat(self) -> None:
        """A call of its own again, with the same inputs: the same answer."""
        known = self.known()
        if known is None:
            return
        done = self.make([known.call])
        if done and not (done[0].replayed and (done[0].id, done[0].amount) == (known.id, known.amount)):
            self.wrong(f"repeat of {known} answered {done[0]}")

    def conflict(self) -> None:
        """A key of its own with another amount."""
        known = self.known()
        if known is not None:
            other = known.call.amount + (1 if known.call.amount >= 0 else -1)
            self.make([replace(known.call, amount=other)], allowed=("PC002",), due="PC002")

    def shared(self) -> None:
        """A call that other sessions make at the same time, with the same key and the same inputs."""
        window = int((time.monotonic() - self.begun) * 25) + self.random.randint(0, 3)
        self.make([shared_call(window)])

    def again_after_rollback(self) -> None:
        """A key whose transaction was rolled back is unused."""
        if self.rolled_back:
            call = self.rolled_back.pop()
            for one in self.make([call]):
                if one.replayed:
                    self.wrong(f"{call} was rolled back and answers replayed = true")

    def several(self) -> None:
        """A transaction of several calls over up to three wallets, in the order of the wallets; some roll back. None is
        a transfer, which would take a second wallet out of that order."""
        wallets = sorted(self.random.sample(WALLETS, self.random.randint(1, 3)))
        calls = [self.new_call(wallet) for wallet in wallets for _ in range(self.random.randint(1, 2))]
        calls = [call for call in calls if call.function != "wallet_transfer"]
        if calls:
            self.make(calls, commit=self.random.random() < 0.7)

    def repeatable_read(self) -> None:
        call = self.new_call(self.random.choice(WALLETS))
        self.make([call], allowed=("40001",), isolation="REPEATABLE READ")

    def batch(self) -> None:
        """Events of several wallets in one call: new ones, shared ones, and now and then one twice."""
        calls = [self.new_event(self.random.choice(WALLETS)) for _ in range(self.random.randint(1, 5))]
        window = int((time.monotonic() - self.begun) * 25)
        shared = [call for call in map(shared_call, range(window, window + 6)) if call.function == "report_meter_event"]
        calls += shared[: self.random.randint(0, 3)]
        if self.random.random() < 0.3:
            calls.append(self.random.choice(calls))
        self.random.shuffle(calls)
        arrays = [
            [call.customer for call in calls], [call.target for call in calls], [call.amount for call in calls],
            [call.key for call in calls], [call.member for call in calls],
        ]  # fmt: skip
        try:
            rows = self.connection.execute(BATCH, arrays, prepare=True).fetchall()
        except psycopg.Error as error:
            self.unexpected("a batch", error)
            return
        self.count("report_meter_events")
        if [row["identifier"] for row in rows] != arrays[3]:
            self.wrong(f"a batch of {arrays[3]} answered {[row['identifier'] for row in rows]}")
            return
        for call, row in zip(calls, rows):
            if row["error"] is not None:
                self.count_refusal(call, row["error"])
                if row["error"] not in call.refusals:
                    self.wrong(f"{call} in a batch: {row['error']}")
            else:
                self.acknowledge([self.judge(call, row)])

    def balance(self) -> None:
        wallet = self.random.choice(WALLETS)
        row = self.connection.execute(BALANCE, [wallet, wallet], prepare=True).fetchone()
        assert row is not None
        self.count("wallet_balance")
        if min(row["available"], row["restricted"], row["held"], row["pending"]) < 0 or not row["same"]:
            self.wrong(f"{wallet} is below zero, or another in the view wallets: {row}")
        if row["available"] > 0 and row["pending"] > 0:
            self.wrong(f"{wallet} owes while it has credits: {row}")

    def maintain(self) -> None:
        self.maintained = time.monotonic()
        try:
            self.connection.execute("CALL credits.maintain()")
            self.count("maintain")
        except psycopg.Error as error:
            self.unexpected("maintain()", error)

    # --- new calls -----------------------------------------------------------------------------------------------

    def new_call(self, wallet: str) -> Call:
        """A call that nobody made before, or an event where there is nothing for what was to be called."""
        new = self.random.choices(
            (self.new_event, self.new_spend, self.new_grant, self.new_credit, self.new_hold, self.end_of_hold,
             self.new_transfer, self.new_adjustment, self.change_of_grant, self.new_limit, self.new_reversal),
            (34, 22, 14, 3, 16, 16, 7, 6, 7, 4, 8),
        )[0]  # fmt: skip
        return new(wallet) or self.new_event(wallet)

    def new_event(self, wallet: str) -> Call:
        event_name = self.random.choice(list(METERS))
        value = Decimal(self.random.randint(0, 4) if event_name == "gated" else self.random.randint(0, 2_000))
        return Call("report_meter_event", wallet, value, self.new_key(), event_name)

    def new_spend(self, wallet: str) -> Call:
        function = self.random.choice(("wallet_debit", "wallet_try_debit"))
        return Call(function, wallet, self.amount(14), self.key_or_none())

    def new_credit(self, wallet: str) -> Call:
        return Call("wallet_credit", wallet, self.amount(12), self.key_or_none())

    def new_grant(self, wallet: str) -> Call:
        begins = self.random.choice((None, None, None, self.random.randint(1, 3)))
        ends = self.random.choice((None, None, (begins or 0) + self.random.randint(1, 5)))
        meters = self.random.choice((None, None, None, ["calls"], ["tokens", "gated"]))
        category = self.random.choice(("paid", "promotional"))
        cost_basis = self.random.choice((Decimal("0.02"), Decimal("0.0125"))) if category == "paid" else None
        # Cents that no number of credits divides.
        paid = (Decimal(self.random.randint(0, 4_999)).scaleb(-2), "USD") if category == "paid" else (None, None)
        terms = (category, self.random.choice((0, 10, 50, 50, 90)), begins, ends, meters, cost_basis, *paid)
        return Call("credit_grant", wallet, self.amount(30), self.key_or_none(), terms=terms)

    def new_hold(self, wallet: str) -> Call:
        """Most run out within the mix, some stay open beyond it."""
        expires_in = self.random.choice((1, 3, 5, 900))
        return Call("hold_create", wallet, self.amount(9), self.key_or_none(), terms=(expires_in,))

    def end_of_hold(self, wallet: str) -> Call | None:
        hold = self.connection.execute(A_HOLD, [wallet], prepare=True).fetchone()
        if hold is None:
            return None
        if self.random.random() < 0.2:
            return Call("hold_release", wallet, target=str(hold["hold_id"]))
        # In few sizes, so that two sessions happen to capture the same.
        spent = max(round(hold["amount"] / self.random.choice((1, 1, 2, 3)), 6), Decimal("0.000001"))
        return Call("hold_capture", wallet, spent, target=str(hold["hold_id"]))

    def new_reversal(self, wallet: str) -> Call | None:
        """Of any session's debits, so that some go back in parts, and of some too much is asked for."""
        debit = self.connection.execute(A_DEBIT, [wallet], prepare=True).fetchone()
        if debit is None:
            return None
        back = max(round(debit["amount"] / self.random.choice((1, 2, 2, 3)), 6), Decimal("0.000001"))
        return Call("operation_reverse", wallet, back, self.key_or_none(), str(debit["operation_id"]))

    def new_transfer(self, wallet: str) -> Call:
        to = self.random.choice([other for other in WALLETS if other != wallet])
        return Call("wallet_transfer", wallet, self.amount(9), self.key_or_none(), to)

    def new_adjustment(self, wallet: str) -> Call:
        if self.random.random() < 0.5:
            reason = self.random.choice(("refund", "charge", "correction"))
            return Call("wallet_adjust", wallet, -self.amount(5), self.key_or_none(), terms=(reason, None))
        reason = self.random.choice(("external_topup", "gift", "refund", "charge", "correction"))
        terms = (reason, self.random.choice((None, self.random.randint(1, 5))))
        return Call("wallet_adjust", wallet, self.amount(9), self.key_or_none(), terms=terms)

    def change_of_grant(self, wallet: str) -> Call | None:
        """Of those that a transfer or an adjustment brought only the end: nobody was told how those began."""
        function = self.random.choice(("credit_grant_void", "credit_grant_expire", *["credit_grant_update"] * 4))
        grant = self.connection.execute(A_GRANT, [wallet, function != "credit_grant_update"], prepare=True).fetchone()
        if grant is None:
            return None
        terms: tuple[Any, ...] = ()
        if function == "credit_grant_update":
            ends = self.random.choice((None, None, self.random.randint(3, 5)))
            terms = (self.random.choice((None, 0, 20, 50, 80)), ends is None and self.random.random() < 0.5, ends)
        return Call(function, wallet, target=str(grant["grant_id"]), terms=terms)

    def new_limit(self, wallet: str) -> Call:
        limits = [Decimal(limit) for limit in (0, 3, 10, 30, "Infinity")] if wallet in LIMITED else [None]
        terms = (self.random.choice(limits), Decimal(self.random.randint(1, 20)))
        return Call("account_configure", wallet, terms=terms)

    def amount(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 1_000_000)).scaleb(-6)

    def key_or_none(self) -> str | None:
        return self.new_key() if self.random.random() < 0.5 else None

    def new_key(self) -> str:
        self.serial += 1
        return f"session {self.number} key {self.serial}"

    def known(self) -> Done | None:
        """One of its own latest acknowledged calls with a key."""
        latest = [done for done in self.report.done[-100:] if done.call.key and not done.replayed]
        return self.random.choice(latest) if latest else None

    # --- making calls --------------------------------------------------------------------------------------------

    def make(
        self,
        calls: list[Call],
        commit: bool = True,
        allowed: tuple[str, ...] = (),
        due: str | None = None,
        isolation: str | None = None,
    ) -> list[Done]:
        """Makes the calls, several or an isolation level as one transaction. `due` is the error that has to come."""
        together = len(calls) > 1 or not commit or isolation is not None or calls[0].function in PLACED
        done: list[Done] = []
        try:
            if together:
                self.connection.execute(f"BEGIN ISOLATION LEVEL {isolation or 'READ COMMITTED'}")
            for call in calls:
                query, values = call.sql()
                row = self.connection.execute(query, values, prepare=True).fetchone()
                self.count(call.function)
                if row is None or (call.function == "wallet_try_debit" and not row["ok"]):
                    self.refused_politely(call, row)
                else:
                    done.append(self.judge(call, row, together))
            if together:
                self.connection.execute("COMMIT" if commit else "ROLLBACK")
        except psycopg.Error as error:
            self.refused(call, error, allowed, alone=not together)
            if together:
                self.connection.execute("ROLLBACK")
            return []
        if due is not None:
            self.wrong(f"{calls[0]} went through where {due} was due")
        if not commit:
            self.count("rolled back")
            self.rolled_back += [one.call for one in done if one.call.key]
            return []
        self.acknowledge(done)
        return done

    def judge(self, call: Call, row: dict[str, Any], together: bool = False) -> Done:
        """Turns an answer into what it says was done, after a look at whether it can be. In a transaction the account
        is still locked by what was done, and so can be asked how far its lines go."""
        if not plausible(call, row):
            self.wrong(f"{call} answers {row}")
        done = answered(call, row)
        if together and not done.replayed:
            place = self.connection.execute(PLACE, [call.customer], prepare=True).fetchone()
            assert place is not None
            done = replace(done, **place)
        return done

    def acknowledge(self, done: list[Done]) -> None:
        self.report.done += done
        self.report.counts["replayed"] += sum(1 for one in done if one.replayed)

    def refused_politely(self, call: Call, row: dict[str, Any] | None) -> None:
        self.count("ok = false")
        if row is not None and row["reason"] == "limit_exceeded":
            self.count("PC021")
            if call.customer not in BUDGETED or not 0 < row["shortfall"] <= call.amount:
                self.wrong(f"{call} answers {row}")
        elif row is None or not row["shortfall"] == call.amount - row["available"] > 0:
            self.wrong(f"{call} answers {row}")

    def refused(self, call: Call, error: psycopg.Error, allowed: tuple[str, ...], alone: bool) -> None:
        """An error: one that may come here is counted, with its DETAIL looked at; any other is wrong."""
        state = error.sqlstate or "no connection"
        detail = json.loads(error.diag.message_detail or "{}", parse_float=Decimal)
        if state in call.refusals:
            if not refusal_fits(call, state, detail):
                self.wrong(f"{call} is refused with {detail}")
        elif state not in allowed:
            self.unexpected(f"{call}{' alone' if alone else ' in a transaction'}", error)
        self.count_refusal(call, state)

    def count_refusal(self, call: Call, state: str) -> None:
        self.count(state)
        if state == "PC001" and call.function == "report_meter_event" and METERS[call.target or ""][2] == "pending":
            self.count("overdraft refused")

    def unexpected(self, what: str, error: psycopg.Error) -> None:
        self.wrong(f"{what}: {harness.described(error)}")
        if error.sqlstate is None:
            raise error

    def wrong(self, what: str) -> None:
        self.count("wrong")
        if len(self.report.wrong) < 20:
            self.report.wrong.append(f"session {self.number}: {what}")

    def count(self, what: str) -> None:
        self.report.counts[what] += 1


def run_session(database: str, number: int, seed: int, seconds: float) -> Report:
    """What the process of one session does."""
    return Mix(database, number, seed, seconds).run()
