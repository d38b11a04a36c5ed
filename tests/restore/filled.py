"""A database with some of everything, filled through the public functions, and what its callers remember of it: the
calls that can be made again, with their first answers.

It is filled at BEGIN and in the days after it, and left with much due that nothing has posted; NOW is when it is dumped
and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import since_0_3
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]

BEGIN = "2025-01-01 00:00:00+00"
LATER = "2025-01-10 00:00:00+00"
NOW = "2025-02-01 00:00:00+00"
CUSTOMERS = ("ann", "bob", "cid", "dan")


@dataclass
class Made:
    """A call that a repeat has to answer as it was answered at first, in the columns that are its own."""

    statement: str
    values: list[Any]
    row: Row
    fixed: tuple[str, ...]


class Filler:
    """Fills it, and remembers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.made: list[Made] = []
        self.open_hold = ""

    def at(self, moment: str) -> None:
        self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [moment])

    def call(self, function: str, arguments: str, *values: Any) -> Row:
        return rows(self.connection, f"SELECT * FROM credits.{function}({arguments})", list(values))[0]

    def keep(self, function: str, arguments: str, *values: Any, fixed: tuple[str, ...]) -> Row:
        """A call to be repeated later; `fixed` are the columns that no repeat may answer differently."""
        row = self.call(function, arguments, *values)
        self.made.append(Made(f"SELECT * FROM credits.{function}({arguments})", list(values), row, fixed))
        return row

    def fill(self) -> None:
        self.at(BEGIN)
        self.catalog()
        self.grants()
        self.usage()
        self.metering()
        self.wallets()
        self.holds()
        if rows(self.connection, "SELECT extversion >= '0.3' AS later FROM pg_extension WHERE extname = 'pg_credits'")[0]["later"]:
            since_0_3.fill(self)
        self.at(LATER)
        self.connection.execute("CALL credits.maintain()")
        self.after_some_days()

    def catalog(self) -> None:
        self.call("currency_create", "'COIN', 'Coins', 3, symbol => '¢', metadata => '{\"a\": [1, null]}'")
        self.call("currency_create", "'EUR', 'Euro', 2, 'fiat'")
        self.call("currency_update", "'EUR', min_payment => 5, max_payment => 500, active => false")
        odd = '{"t": "\\\\ \\t"}'
        self.call("meter_create", "'tokens', unit_price => 0.0015, unit => 'token', metadata => %s", odd)
        self.call("meter_create", "'calls', currency => 'COIN', aggregation => 'count', overage => 'reject'")
        self.call("meter_create", "'old', unit_price => 0")
        self.call("meter_deactivate", "'old'")
        self.call("customer_upsert", "'ann', E'Ann \\\\N \\t \\n ü', 'ann@example.com', '{}'")
        self.call("customer_upsert", "'dan', 'Dan', 'dan@example.com'")
        self.call("customer_erase", "'dan'")

    def grant(self, customer: str, amount: Any, key: str, terms: str = "") -> Row:
        fixed = ("grant_id", "amount", "currency", "category", "created_at")
        arguments = "%s, %s, idempotency_key => %s" + (f", {terms}" if terms else "")
        return self.keep("credit_grant", arguments, customer, amount, key, fixed=fixed)

    def grants(self) -> None:
        self.grant("ann", 100, "g1", "name => 'Pack', category => 'paid', cost_basis => 0.0123, priority => 60")
        self.grant("ann", 40, "g2", "applicable_meters => ARRAY['tokens', 'old'], metadata => '{\"b\": 1.50}'")
        self.grant("ann", 30, "posted", "expires_at => '2025-01-05 00:00+00', priority => 90")
        self.grant("ann", 25, "due", "expires_at => '2025-01-20 00:00+00', priority => 90, granted_by => 'ops'")
        self.grant("ann", 20, "begins, due", "effective_at => '2025-01-25 00:00+00'")
        self.grant("ann", 15, "begins later", "effective_at => '2027-01-01 00:00+00', category => 'paid'")
        self.grant("ann", "12.345", "coins", "currency => 'COIN'")
        self.grant("dan", 5, "due too", "currency => 'COIN', expires_at => '2025-01-20 00:00+00'")
        self.grant("bob", "0.000001", "least")
        self.grant("bob", "1234567890123456789012.345678", "most", "expires_at => '2099-01-01 00:00+00'")
        voided = self.grant("ann", 8, "voided")
        fixed = ("grant_id", "amount", "status", "remaining")
        self.keep("credit_grant_void", "'ann', %s, 'a mistake'", voided["grant_id"], fixed=fixed)
        ended = self.grant("ann", 9, "ended")
        self.keep("credit_grant_expire", "'ann', %s", ended["grant_id"], fixed=fixed)
        changed = self.grant("ann", 7, "changed", "expires_at => '2025-03-01 00:00+00'")
        self.call("credit_grant_update", "'ann', %s, 'New name', '{}', 10, 'infinity'", changed["grant_id"])
        self.keep("wallet_credit", "'cid', 3, idempotency_key => 'c1'", fixed=("grant_id", "credited", "currency"))
        self.call("account_configure", "'ann', NULL, 500, 10")
        self.call("account_configure", "'cid', NULL, 50, 4.5")

    def event(self, customer: str, meter: str, value: Any, identifier: str) -> Row:
        """An event; what is owed of it may be paid later, so a repeat answers the sum."""
        return self.keep("report_meter_event", "%s, %s, %s, %s, NULL, 'sub', '{\"x\": 1}', '{\"y\": 2}'",
                         customer, meter, value, identifier, fixed=("identifier",))  # fmt: skip

    def usage(self) -> None:
        self.event("ann", "tokens", "1000.5", "e1")
        self.event("ann", "calls", 1, "e2")
        self.event("cid", "tokens", 10_000, "owed")  # 15, of which 3 are there
        self.event("cid", "tokens", 0, "nothing")
        batch = "ARRAY['ann', 'cid', 'cid'], ARRAY['tokens', 'tokens', 'none'], ARRAY[10, 20, 30], %s"
        self.call("report_meter_events", batch, ["b1", "b2", "b3"])
        self.event("ann", "tokens", 40, "taken back")
        fixed = ("identifier", "status", "returned")
        self.keep("meter_event_cancel", "'ann', 'taken back', 'counted twice'", fixed=fixed)

    def metering(self) -> None:
        """Usage that is priced together, that waits to be charged, and that is on its way in."""
        tiers = '{"mode": "graduated", "tiers": [{"up_to": 3, "unit_price": 2}, {"unit_price": 1}]}'
        self.call("meter_create", "'gauge', aggregation => 'last', period => 'day', unit_price => 0.5")
        self.call("meter_create", "'tiers', period => 'month', pricing => %s", tiers)
        self.call("meter_create", "'later', settlement => 'deferred'")
        self.event("ann", "gauge", 8, "gauge 1")
        self.event("ann", "gauge", 3, "gauge 2")
        self.event("cid", "gauge", 5, "gauge, owed")
        self.event("ann", "tiers", 5, "tiers 1")
        self.call("meter_update", "'tiers', unit_price => 3")
        self.event("ann", "tiers", 1, "tiers 2")
        fixed = ("identifier", "status", "returned")
        self.keep("meter_event_cancel", "'ann', 'gauge 1', 'wrong'", fixed=fixed)
        self.event("ann", "later", 2, "settled")
        self.inbox("ann", "none such", 1, "put aside")
        self.inbox("ann", "tokens", 1, "drained")
        self.call("settle", "")

    def inbox(self, *row: Any) -> None:
        into = "INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at)"
        self.connection.execute(f"{into} VALUES (%s, %s, %s, %s, '2025-01-01 00:00+00')", row)

    def wallets(self) -> None:
        debit = ("operation_id", "currency", "debited")
        self.keep("wallet_debit", "'ann', 1.5, NULL, 'd1', 'Work', '{\"k\": \"v\"}'", fixed=debit)
        self.keep("wallet_debit", "'ann', 0.345, 'COIN', 'd2'", fixed=debit)
        self.call("wallet_debit", "'ann', 1")
        self.keep("wallet_try_debit", "'ann', 2, NULL, 'd3'", fixed=(*debit, "ok", "shortfall"))
        adjusted = ("operation_id", "grant_id", "currency", "adjusted")
        self.keep("wallet_adjust", "'ann', 5, 'external_topup', NULL, 'a1', '2026-01-01 00:00+00'", fixed=adjusted)
        self.keep("wallet_adjust", "'ann', -1, 'refund', NULL, 'a2', description => 'back'", fixed=adjusted)
        self.keep("wallet_adjust", "'ann', -2, 'charge', NULL, 'a3'", fixed=adjusted)
        self.keep("wallet_adjust", "'ann', -3, 'correction', NULL, 'a4'", fixed=adjusted)
        self.keep("wallet_adjust", "'dan', 5, 'gift', 'COIN', 'a1'", fixed=adjusted)
        moved = ("operation_id", "to_customer_id", "transferred", "currency")
        self.keep("wallet_transfer", "'ann', 'bob', 9, NULL, 't1', 'A present'", fixed=moved)
        self.keep("wallet_transfer", "'bob', 'cid', 4, NULL, 't2'", fixed=moved)

    def hold(self, amount: Any, lasts: str, key: str) -> Row:
        fixed = ("hold_id", "amount", "currency", "expires_at")
        return self.keep("hold_create", "'ann', %s, NULL, %s, %s, 'Job'", amount, lasts, key, fixed=fixed)

    def holds(self) -> None:
        self.open_hold = str(self.hold(10, "1 year", "open")["hold_id"])
        self.hold(4, "2 years", "open too")
        self.hold(3, "1 day", "ran out")
        self.hold(2, "20 days", "runs out, due")
        fixed = ("hold_id", "status", "captured", "released")
        part = self.hold(6, "1 day", "captured")
        self.keep("hold_capture", "'ann', %s, 2.5, 'Done', '{\"n\": 1}'", part["hold_id"], fixed=fixed)
        whole = self.hold(5, "1 day", "captured whole")
        self.keep("hold_capture", "'ann', %s", whole["hold_id"], fixed=fixed)
        released = self.hold(1, "1 day", "released")
        self.keep("hold_release", "'ann', %s", released["hold_id"], fixed=fixed)

    def after_some_days(self) -> None:
        self.event("ann", "tokens", 700, "e3")
        self.event("dan", "tokens", 500, "owed too")
        self.keep("wallet_debit", "'ann', 30, NULL, 'd4'", fixed=("operation_id", "currency", "debited"))
        self.event("ann", "later", 3, "waits")
        self.event("dan", "later", 4, "waits")
        self.inbox("ann", "tokens", 2, "on its way")


def rows(connection: Connection, statement: str, values: list[Any] | None = None) -> list[Row]:
    return connection.cursor(row_factory=dict_row).execute(statement, values).fetchall()


def story_goes_on(connection: Connection, open_hold: str) -> None:
    """What happens after the restore, in any of the databases."""
    for statement in (
        "SELECT credits.wallet_debit('ann', 2.25, idempotency_key => 'after')",
        f"SELECT credits.hold_capture('ann', '{open_hold}', 4)",
        "SELECT credits.report_meter_event('ann', 'tokens', 1234, 'after')",
        "SELECT credits.report_meter_event('cid', 'tokens', 2000, 'after')",
        "SELECT credits.hold_create('bob', 3, idempotency_key => 'after')",
        "SELECT credits.report_meter_event('ann', 'gauge', 1, 'after, too', '2025-01-01 00:00+00')",
        "SELECT credits.meter_event_cancel('ann', 'tiers 1')",
        "SELECT credits.settle()",
        "SELECT credits.inbox_retry()",
        "SELECT credits.wallet_transfer('ann', 'eve', 5, idempotency_key => 'after, too')",
        "SELECT credits.credit_grant('cid', 6, expires_at => '2025-06-01 00:00+00')",
        "CALL credits.maintain()",
    ):
        connection.execute(statement)
