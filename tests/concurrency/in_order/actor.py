"""One session of the mix in order: it makes calls of every kind, each in a transaction that notes when it had its locks."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from acts import (
    CATALOGUE, CAUTIOUS, CREDIT, CUSTOMERS, LIMITED, MEMBERS, OTHER, RECHARGED, REFUSALS, Act, Posted, Refusal, Turn,
)  # fmt: skip
from charges import METERS
from support import harness

BEGUN = "SELECT now() AS now, clock_timestamp() AS begun"
POSTED = (
    "SELECT customer_id, currency, greatest(posted_at, 'epoch') AS posted_at, last_line, available, restricted, held, pending,"
    " clock_timestamp() AS at"
    " FROM (SELECT 1) AS one LEFT JOIN credits_internal.accounts ON customer_id = ANY (%s)"
)
# Among the latest of whoever made them, so that several sessions meet on one.
A_GRANT = (
    "SELECT grant_id::text AS id, remaining FROM (SELECT * FROM credits_internal.credit_grants WHERE customer_id = %s"
    " AND currency = %s ORDER BY created_at DESC LIMIT 12) AS g ORDER BY random() LIMIT 1"
)
# One that an open hold has something of.
A_HELD_GRANT = (
    "SELECT p.grant_id::text AS id, p.amount AS remaining FROM credits_internal.holds AS h"
    " CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)"
    " WHERE h.customer_id = %s AND h.currency = %s AND h.status = 'open' ORDER BY random() LIMIT 1"
)
A_HOLD = (
    "SELECT hold_id::text AS id, amount, captured, status, event_name FROM (SELECT * FROM credits_internal.holds"
    " WHERE customer_id = %s ORDER BY status = 'open' AND random() < 0.8 DESC, created_at DESC LIMIT 6) AS h"
    " ORDER BY random() LIMIT 1"
)
AN_EVENT = (
    "SELECT identifier AS id, value FROM (SELECT * FROM credits_internal.meter_events WHERE customer_id = %s"
    " AND event_name = ANY (%s) ORDER BY created_at DESC LIMIT 20) AS e ORDER BY random() LIMIT 1"
)
AN_OPERATION = (
    "SELECT operation_id::text AS id, abs(amount) AS amount FROM (SELECT * FROM credits_internal.operations"
    " WHERE customer_id = %s AND currency = 'CREDIT' AND (function IN ('wallet_debit', 'hold_capture', 'hold_create')"
    " OR function = 'wallet_adjust' AND amount < 0) ORDER BY created_at DESC LIMIT 20) AS o"
    # Rather one that has something left to pay.
    " ORDER BY random() < 0.8 AND EXISTS (SELECT FROM credits_internal.reclaims AS r WHERE r.customer_id = o.customer_id"
    " AND r.operation_id = o.operation_id AND r.pending > 0) DESC, random() LIMIT 1"
)
FIXED = [name for name, meter in METERS.items() if meter.unit_price is not None]
FLAT = ("calls", "tokens", "gated")
# Transactions of a session at most, so that the model is soon done with them on a fast machine too.
MOST = 1_500
# Behind every name.
LAST = ("~", "")


@dataclass
class Report:
    """What one session brings home."""

    turns: list[Turn] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Actor:
    """The session at work."""

    def __init__(self, database: str, number: int, seed: int, seconds: float) -> None:
        self.number = number
        self.random = random.Random(f"in order/{seed}/{number}")
        self.report = Report()
        self.serial = 0
        self.known: list[Act] = []
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.maintained = self.begun

    def run(self) -> Report:
        for _ in range(MOST):
            if time.monotonic() > self.until:
                break
            if self.number == 0 and time.monotonic() > self.maintained + 0.5:
                self.maintained = time.monotonic()
                self.connection.execute("CALL credits.maintain()")
                self.report.counts["maintain"] += 1
            kind = self.random.choices((self.single, self.repeat, self.shared, self.several), (70, 8, 8, 8))[0]
            kind()
        self.connection.close()
        return self.report

    # --- what a session does -----------------------------------------------------------------------------------------

    def single(self) -> None:
        self.make([self.act(self.random.choice(CUSTOMERS))])

    def repeat(self) -> None:
        """A call of its own with a key again."""
        if self.known:
            self.make([self.random.choice(self.known[-30:])])

    def shared(self) -> None:
        """A call that other sessions make at the same time, with the same key."""
        number = int((time.monotonic() - self.begun) * 20) + self.random.randint(0, 2)
        chosen = random.Random(f"shared/{number}")
        customer, key = CUSTOMERS[number % len(CUSTOMERS)], f"shared {number}"
        amount = Decimal(chosen.randint(1, 5_000_000)).scaleb(-6)
        kinds = (
            Act("wallet_debit", customer, {"amount": amount, "currency": CREDIT, "member": "kim", "key": key}),
            Act("hold_create", customer, {"amount": amount, "ends": 3, "meter": None, "member": None, "key": key}),
            Act("report_meter_event", customer, {"meter": "tokens", "value": Decimal(700), "member": "lee",
                                                 "identifier": key, "occurred_at": None}),
        )  # fmt: skip
        self.make([chosen.choice(kinds)])

    def several(self) -> None:
        """A transaction of several calls, in the order of the locks: the catalogue, then the customers; some roll back."""
        customers = sorted(self.random.choices(CUSTOMERS, k=self.random.randint(2, 3)))
        calls = [self.act(customer) for customer in customers]
        alone = ("both", OTHER)
        calls = [one for one in calls if one.name not in ("meter_event_cancel", "wallet_try_debit") and not
                 {one.fields.get("meter"), one.fields.get("currency")} & set(alone)]  # fmt: skip
        calls.sort(key=lambda one: (one.name, one.fields.get("meter", "")) if one.name in CATALOGUE else LAST)
        self.make(calls, commit=self.random.random() < 0.75)

    # --- new calls ---------------------------------------------------------------------------------------------------

    def act(self, customer: str) -> Act:
        new = self.random.choices(
            (self.event, self.debit, self.grant, self.hold, self.of_hold, self.of_hold, self.of_grant, self.of_event,
             self.reversal, self.adjustment, self.limit),
            (26, 14, 16, 14, 12, 12, 18, 9, 12, 3, 6),
        )[0]  # fmt: skip
        return new(customer) or self.event(customer)

    def event(self, customer: str) -> Act:
        meter = self.random.choice(list(METERS))
        value = Decimal(self.random.randint(0, 5) if meter == "gated" else self.random.randint(0, 1_500))
        ago = self.random.choice((None, None, 1, 2, 4)) if meter in FLAT else None
        occurred_at = datetime.now().astimezone() - timedelta(seconds=ago) if ago else None
        fields = {"meter": meter, "value": value, "member": self.member(), "identifier": self.key()}
        return Act("report_meter_event", customer, fields | {"occurred_at": occurred_at})

    def debit(self, customer: str) -> Act:
        fields = {"amount": self.amount(8), "currency": self.random.choice((CREDIT, CREDIT, CREDIT, OTHER))}
        name = self.random.choice(("wallet_debit", "wallet_try_debit"))
        return Act(name, customer, fields | {"member": self.member(), "key": self.key_or_none()})

    def grant(self, customer: str) -> Act:
        begins = self.random.choice((None, None, None, self.random.randint(1, 2)))
        ends = self.random.choice((None, (begins or 0) + self.random.randint(1, 4), (begins or 0) + self.random.randint(1, 4)))
        fields = {
            "amount": self.amount(16), "currency": self.random.choice((CREDIT, CREDIT, CREDIT, OTHER)),
            "category": self.random.choice(("paid", "promotional")), "priority": self.random.choice((10, 50, 50, 90)),
            "begins": begins, "ends": ends, "key": self.key_or_none(),
            "meters": self.random.choice((None, None, None, ["calls", "gated"], ["tokens"])),
        }  # fmt: skip
        return Act("credit_grant", customer, fields)

    def hold(self, customer: str) -> Act:
        fields = {"amount": self.amount(9), "ends": self.random.choice((1, 2, 3, 900)), "member": self.member()}
        meter = self.random.choice((None, None, *FLAT))
        return Act("hold_create", customer, fields | {"meter": meter, "key": self.key_or_none()})

    def of_hold(self, customer: str) -> Act | None:
        hold = self.one(A_HOLD, customer)
        if hold is None:
            return None
        what = self.random.choices(("hold_capture", "hold_update", "hold_release"), (10, 4, 2))[0]
        fields: dict[str, Any] = {"hold": hold["id"]}
        if what == "hold_update":
            amount = hold["amount"] * self.random.choice((1, Decimal("0.5"), Decimal("1.5"), Decimal("0.25")))
            fields |= {"amount": self.random.choice((None, self.small(amount))), "ends": self.random.choice((None, 1, 3))}
        if what == "hold_capture":
            part = self.small((hold["amount"] - hold["captured"]) * self.random.choice((1, 1, Decimal("0.5"), Decimal("1.4"))))
            final = self.random.random() < 0.5
            fields |= {"amount": part, "meter": None, "value": None, "identifier": None, "final": final}
            fields |= {"more": self.random.choice((None, "available", "pending")), "late": self.random.choice((None, "charge"))}
            if self.random.random() < 0.4:
                fields |= {"amount": 5 * part, "more": "pending"}
            if hold["event_name"] or self.random.random() < 0.3:
                meter = hold["event_name"] or self.random.choice((*FLAT, "tiers"))
                value = Decimal(self.random.randint(0, 5)) if meter == "gated" else Decimal(self.random.randint(0, 2_000))
                fields |= {"amount": None, "meter": meter, "value": value, "identifier": self.key()}
            fields["key"] = self.key_or_none() if final or fields["identifier"] else self.key()
        return Act(what, customer, fields)

    def of_grant(self, customer: str) -> Act | None:
        currency = self.random.choice((CREDIT, CREDIT, CREDIT, OTHER))
        grant = self.one(A_GRANT, customer, currency)
        if grant is None:
            return None
        what = self.random.choices(
            ("void", "expire", "update", "extend", "suspend", "resume"), (10, 4, 8, 8, 6, 8)
        )[0]  # fmt: skip
        fields: dict[str, Any] = {"grant": grant["id"], "currency": currency}
        if what == "void" and self.random.random() < 0.4:
            return self.of_held_grant(customer, currency)
        if what in ("void", "expire"):
            part = self.small(grant["remaining"] * self.random.choice((Decimal("0.3"), Decimal("0.5"), Decimal("1.1"), 3)))
            whole = self.random.random() < 0.3
            fields |= {"amount": None if whole else part, "key": None if whole else self.key_or_none()}
            fields["spent"] = self.random.choice((None, "pending")) if what == "void" else None
        elif what == "update":
            ends = self.random.choice((None, None, 2, 4))
            fields |= {"priority": self.random.choice((None, 20, 70)), "ends": ends, "expired": None}
            fields["never"] = ends is None and self.random.random() < 0.3
            if self.random.random() < 0.2:
                fields |= {"priority": None, "ends": None, "expired": True, "never": False}
        elif what == "extend":
            fields["ends"] = self.random.choice((1, 3, 5))
        return Act(f"credit_grant_{what}", customer, fields)

    def of_held_grant(self, customer: str, currency: str) -> Act | None:
        """Part of what is held was a mistake: it is taken when it comes back, or owed when it is spent."""
        grant = self.one(A_HELD_GRANT, customer, currency)
        if grant is None:
            return None
        part = self.small(grant["remaining"] * self.random.choice((Decimal("0.5"), 1, 1)))
        fields = {"grant": grant["id"], "currency": currency, "amount": part, "key": self.key_or_none(), "spent": "pending"}
        return Act("credit_grant_void", customer, fields)

    def of_event(self, customer: str) -> Act | None:
        event = self.one(AN_EVENT, customer, FIXED)
        if event is None:
            return None
        if self.random.random() < 0.3:
            return Act("meter_event_cancel", customer, {"identifier": event["id"]})
        value = (event["value"] * self.random.choice((0, Decimal("0.5"), 1, 2))).quantize(Decimal(1))
        return Act("meter_event_adjust", customer, {"identifier": event["id"], "value": value})

    def reversal(self, customer: str) -> Act | None:
        operation = self.one(AN_OPERATION, customer)
        if operation is None:
            return None
        part = self.small(operation["amount"] * self.random.choice((Decimal("0.5"), Decimal("0.4"), 1)))
        fields = {"operation": operation["id"], "amount": self.random.choice((None, part, part)), "key": self.key_or_none()}
        return Act("operation_reverse", customer, fields)

    def adjustment(self, customer: str) -> Act:
        reason = self.random.choice(("refund", "charge", "correction"))
        return Act("wallet_adjust", customer, {"amount": -self.amount(4), "reason": reason, "key": self.key_or_none()})

    def limit(self, customer: str) -> Act | None:
        """Limits, and what only says what things cost."""
        some = self.random.choice
        what = some(("limit", "limit", "owe", "alert", "price", "price", "override", "override", "recharge", "seed"))
        if what == "limit" and customer in LIMITED:
            amount, seconds = Decimal(some((3, 8, 20, 40, "Infinity"))), some((2, 4))
            if self.random.random() < 0.5:
                return Act("member_limit_set", customer, {"member": some(MEMBERS[:2]), "amount": amount, "seconds": seconds})
            fields = {"meter": some((None, "tokens")), "amount": amount, "seconds": seconds}
            return Act("usage_limit_set", customer, fields | {"action": some((None, "reject", "notify"))})
        if what == "owe" and customer in CAUTIOUS:
            return Act("account_configure", customer, {"overdraft_limit": Decimal(some((0, 5, 20, "Infinity")))})
        if what == "alert":
            kind, levels = some((("absolute", [Decimal(5), Decimal(20)]), ("percent", [Decimal(30)]), ("absolute", [])))
            return Act("balance_alert_set", customer, {"kind": kind, "levels": levels})
        if what == "price":
            fields: dict[str, Any] = {"meter": "priced", "unit_price": Decimal(some(("0.003", "0.0041", "0.00205")))}
            fields |= {"pricing": None, "continues": None}
            if some((True, False)):
                pricing = json.dumps({"mode": "graduated", "tiers": some(LISTS)})
                fields = {"meter": "tiers", "unit_price": None, "pricing": pricing, "continues": some((True, True, None))}
            return Act("meter_update", customer, fields | {"begins": some((None, None, 1))})
        if what == "override":
            if self.random.random() < 0.3:
                return Act("meter_price_override_end", customer, {"meter": "priced", "begins": some((None, 1))})
            terms = some(({"unit_price": Decimal("0.0017"), "percent": None}, {"unit_price": None, "percent": Decimal("12.5")}))
            return Act("meter_price_override", customer, {"meter": "priced", "begins": some((None, 1)), "ends": some((None, 3))}
                       | terms)  # fmt: skip
        if what == "recharge" and customer in RECHARGED:
            fields = {"threshold": Decimal(some((5, 10))), "target": Decimal(some((50, 220)))}
            return Act("configure_auto_recharge", customer, fields | {"attempts": 6, "money": Decimal(2_000)})
        return Act(some(("currency_create", "meter_create", "package_create")), customer) if what == "seed" else None

    def one(self, query: str, *values: Any) -> dict[str, Any] | None:
        return self.connection.execute(query, values, prepare=True).fetchone()

    def member(self) -> str | None:
        return self.random.choice(MEMBERS)

    def amount(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 1_000_000)).scaleb(-6)

    def small(self, amount: Decimal) -> Decimal:
        return max(amount, Decimal("0.000001")).quantize(Decimal("0.000001"))

    def key(self) -> str:
        self.serial += 1
        return f"session {self.number} key {self.serial}"

    def key_or_none(self) -> str | None:
        return self.key() if self.random.random() < 0.4 else None

    # --- making calls ------------------------------------------------------------------------------------------------

    def make(self, calls: list[Act], commit: bool = True) -> None:
        """Makes the calls as one transaction, and keeps what was answered, with when it had its locks."""
        done: list[tuple[Act, dict[str, Any]]] = []
        self.connection.execute("BEGIN")
        times = self.one(BEGUN)
        assert times is not None
        for call in calls:
            try:
                rows = self.connection.execute(call.query, call.values, prepare=True).fetchall()
            except psycopg.Error as error:
                self.connection.execute("ROLLBACK")
                self.refused(call, error, times, alone=len(calls) == 1)
                return
            self.report.counts[call.name] += 1
            row = rows[0] if rows else {}
            if row.get("ok") is False:
                self.connection.execute("ROLLBACK")
                self.refused_politely(call, row, times)
                return
            self.report.counts["debts dropped"] += bool(row.get("forgiven"))
            done.append((call, row))
        if not commit:
            self.connection.execute("ROLLBACK")
            self.report.counts["rolled back"] += 1
            return
        customers = [one.customer for one in calls]
        found = self.connection.execute(POSTED, [customers], prepare=True).fetchall()
        self.connection.execute("COMMIT")
        ended = datetime.now().astimezone()
        posted = {
            (one["customer_id"], one["currency"]): Posted(
                one["posted_at"], one["last_line"], (one["available"], one["restricted"], one["held"], one["pending"])
            )
            for one in found
            if one["customer_id"]
        }
        self.report.turns.append(Turn(times["begun"], times["now"], found[0]["at"], ended, done, posted))
        self.known += [call for call, row in done if call.key and not row.get("replayed")]

    def refused_politely(self, call: Act, row: dict[str, Any], times: dict[str, Any]) -> None:
        state = "PC021" if row["reason"] == "limit_exceeded" else "PC001"
        self.keep(call, times, state, {"available": row["available"], "shortfall": row["shortfall"], "ok": False})
        self.report.counts["ok = false"] += 1

    def refused(self, call: Act, error: psycopg.Error, times: dict[str, Any], alone: bool) -> None:
        state = error.sqlstate or "no connection"
        if state not in REFUSALS:
            self.report.counts[state] += 1
            self.report.wrong.append(f"{call}: {harness.described(error)}")
            if error.sqlstate is None:
                raise error
            return
        if alone:
            self.keep(call, times, state, json.loads(error.diag.message_detail or "{}", parse_float=Decimal))

    def keep(self, call: Act, times: dict[str, Any], state: str, detail: dict[str, Any]) -> None:
        ended = self.one("SELECT clock_timestamp() AS at")
        assert ended is not None
        self.report.counts[state] += 1
        self.report.counts[f"{state} of {call.name}"] += 1
        self.report.refusals.append(Refusal(times["begun"], times["now"], ended["at"], call, state, detail))


# Prices of the meter with tiers: one that is as the first, and two others.
LISTS: tuple[list[dict[str, Any]], ...] = (
    [{"up_to": 1_000, "unit_price": 0}, {"up_to": 5_000, "unit_price": 0.002}, {"unit_price": 0.001}],
    [{"up_to": 1_500, "unit_price": 0.001}, {"unit_price": 0.003}],
    [{"up_to": 1_000, "unit_price": 0.001}, {"up_to": 4_000, "unit_price": 0.002}, {"unit_price": 0.0005}],
)


def run_session(database: str, number: int, seed: int, seconds: float) -> Report:
    """What the process of one session does."""
    return Actor(database, number, seed, seconds).run()
