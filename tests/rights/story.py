"""One customer's story in which every function that anybody may call is called with real arguments, and every view
read.

It is told several times under different conditions and must come out the same each time, so each telling has a
customer, a currency and a meter of its own, and what is never the same twice (ids, names, today) is left out.
No statement here uses an operator, a function or a type without its schema: what is under test is the extension's SQL.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from typing import Any

import psycopg
import purchases
from psycopg.rows import dict_row

# The superuser prepares at the first moment; the story is told at the second, when much of it has fallen due.
BEFORE = "2020-01-01 00:00:00+00"
NOW = "2020-03-01 00:00:00+00"
# Never the same twice, and no ids or moments that can be told as such: what is signed.
HIDDEN = ("token", "secret", "headers")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Of an invoice: it follows from the customer's name.
NUMBER = re.compile(r"\b[0-9A-Z]{10}-\d{4}\b")
# A moment in JSON, whose offset is the session's.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


def prepare(owner: psycopg.Connection[Any], name: str) -> None:
    """What falls due before the story begins: a grant ends, one begins, a hold runs out, usage is owed, and nobody
    answers an auto-recharge."""
    coin, tokens = f"coin_{name}", f"tokens_{name}"
    with owner.transaction():
        owner.execute("SELECT set_config('credits.test_clock', %s, true)", [BEFORE])
        # What other stories left: rows that are handed out to whoever asks, and a provider beside this one's.
        tables = ("inbox_rejected", "outbox", "payment_providers")
        owner.execute(f"TRUNCATE {', '.join(f'credits_internal.{table}' for table in tables)}")
        owner.execute("SELECT credits.currency_create(%s, decimals => 4)", [coin])
        owner.execute("SELECT credits.meter_create(%s, currency => %s, unit_price => 0.5)", [tokens, coin])
        grant = "SELECT credits.credit_grant(%s, %s, %s, name => %s, granted_by => %s"
        owner.execute(grant + ", expires_at => '2020-02-01 00:00+00')", [name, 100, coin, "ending", name])
        paid = ", effective_at => '2020-02-15 00:00+00', category => 'paid')"
        owner.execute(grant + paid, [name, 40, coin, "coming", name])
        owner.execute(grant + ", applicable_meters => ARRAY[%s])", [name, 30, coin, "for tokens", name, tokens])
        owner.execute("SELECT credits.hold_create(%s, 20, %s, '1 day')", [name, coin])
        owner.execute("SELECT credits.wallet_debit(%s, 80, %s)", [name, coin])
        owner.execute("SELECT credits.report_meter_event(%s, %s, 400, 'before')", [name, tokens])
        purchases.prepare(owner, name)


class Story:
    """Tells it in one session and remembers what was called and what each call answered."""

    def __init__(self, connection: psycopg.Connection[Any], name: str) -> None:
        self.connection = connection
        self.name = name
        self.coin = f"coin_{name}"
        self.cash = f"cash_{name}"
        self.tokens = f"tokens_{name}"
        self.called: set[str] = set()
        self.answers: list[tuple[str, object]] = []

    def session(self, what: str) -> psycopg.Connection[Any]:
        """Where a function is called or a view is read."""
        return self.connection

    def run(self, what: str, statement: str, arguments: list[Any]) -> list[dict[str, Any]]:
        """Runs one statement; its answer is its rows, or the error it raised. Returns the rows."""
        self.called.add(what)
        try:
            # Binary, so that it does not matter how the session writes a date.
            cursor = self.session(what).cursor(row_factory=dict_row, binary=True).execute(statement, arguments)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            self.answers.append((what, f"{error.sqlstate} {self.same(error.diag.message_primary)}"))
            return []
        self.answers.append((what, [{k: self.same(v) for k, v in row.items() if k not in HIDDEN} for row in rows]))
        return rows

    def call(self, function: str, arguments: str = "", *values: Any) -> dict[str, Any]:
        """Calls a function and returns its first row, empty where it raised an error."""
        rows = self.run(function, f"SELECT * FROM credits.{function}({arguments})", list(values))
        return rows[0] if rows else {}

    def read(self, view: str, order: str, column: str | None = "customer_id") -> list[dict[str, Any]]:
        """Reads a view's rows of this story."""
        own = {"customer_id": self.name, "currency": self.coin, "credit_currency": self.coin, None: None}
        values = own[column]
        where = f"WHERE {column} OPERATOR(pg_catalog.=) %s " if column else ""
        return self.run(view, f"SELECT * FROM credits.{view} {where}ORDER BY {order}", [values] if column else [])

    def same(self, value: Any) -> Any:
        """A value without what differs from one telling to the next."""
        match value:
            case uuid.UUID():
                return "id"
            case datetime.datetime():
                today = abs(datetime.datetime.now(datetime.timezone.utc) - value) < datetime.timedelta(days=1)
                return "today" if today else value.astimezone(datetime.timezone.utc).isoformat()
            case str() if MOMENT.fullmatch(value):
                return self.same(datetime.datetime.fromisoformat(value))
            case str():
                return NUMBER.sub("NUMBER", UUID.sub("id", value.replace(self.name, "NAME")))
            case list():
                return [self.same(one) for one in value]
            case dict():
                return {key: self.same(one) for key, one in value.items()}
            case _:
                return str(value)

    def tell(self) -> None:
        self.read_all()
        self.call("maintain_batch", "10")
        self.run("maintain", "CALL credits.maintain(10)", [])
        self.grants()
        self.wallet()
        self.holds()
        self.usage()
        self.inbox()
        purchases.tell(self)
        self.read_all()
        self.call("customer_metadata_clear", "%s", self.name)
        self.call("customer_erase", "%s", self.name)
        self.call("customer_upsert", "%s", self.name + "_3")
        self.call("customer_delete", "%s", self.name + "_3")

    def read_all(self) -> None:
        """Every function and view that only reads."""
        name, coin = self.name, self.coin
        year = "'2020-01-01 00:00+00', '2021-01-01 00:00+00'"
        choice = "SELECT pg_catalog.set_config('credits.current_customer', %s, false)"
        self.session("current_customer").execute(choice, [name])
        self.call("clock")
        self.call("help", "%s", "hold_create")
        self.run("wallet_balance", "SELECT * FROM credits.wallet_balance(%s, NULL) ORDER BY currency", [name])
        self.call("wallet_balance_at", "%s, %s, '2020-01-15 00:00+00'", name, coin)
        self.call("wallet_history", "%s, %s", name, coin)
        self.call("pending_amount", "%s, %s", name, coin)
        self.call("usage_summary", "%s, '2020-01-01 00:00+00', NULL, %s, %s", name, self.tokens, coin)
        self.call("credit_transaction_summary", "%s, %s, %s", name, self.tokens, coin)
        self.call("meter_event_stats", f"%s, {year}, 'hour', %s, 'Asia/Tokyo'", self.tokens, name)
        self.call("usage_price", "%s, 2.5, '{}'", self.tokens)
        self.call("explain_drawdown", "%s, 7, %s", name, coin)
        self.call("explain_drawdown", "%s, 7, %s, event_name => %s", name, coin, self.tokens)
        self.call("credit_availability", "%s, 7, %s", name, coin)
        self.call("credit_grant_summary", "%s", name)
        self.call("credit_grant_holders", "%s", coin)
        self.call("credit_grant_stats", f"%s, {year}, NULL, %s, 'Asia/Tokyo'", coin, name)
        self.call("verify", "%s", name)
        self.call("verify")
        self.call("current_customer")
        self.call("customer_me")
        self.read("wallets", "currency")
        self.read("customers", "customer_id")
        self.read("payment_methods", "payment_method_id")
        self.read("currencies", "currency", "currency")
        self.read("grants", "grant_id")
        self.read("holds", "hold_id")
        self.read("limits", "member_id, event_name, per")
        self.read("balance_alerts", "kind")
        self.read("hold_captures", "capture_id")
        self.read("usage", "identifier")
        self.read("usage_adjustments", "identifier")
        self.read("usage_by_period", "event_name")
        self.read("meters", "event_name", "currency")
        self.read("price_versions", "event_name, price_version", "currency")
        self.read("price_overrides", "event_name, override_no", "currency")
        self.read("rejected_events", "identifier")
        self.read("backlog", "1", None)
        self.read("ledger", "currency, line_no")
        self.read("journal", "currency, line_no, account")
        self.read("trial_balance", "account", "currency")
        self.read("revenue", "day, category", "currency")
        self.read("error_codes", "code", None)
        self.read("my_wallets", "currency", None)
        self.read("my_grants", "grant_id", None)
        self.read("my_ledger", "currency, line_no", None)
        self.read("my_invoices", "invoice_id", None)
        self.read("my_invoice_lines", "invoice_line_id", None)
        self.read("my_payment_methods", "payment_method_id", None)
        self.read("my_payment_intents", "payment_intent_id", None)
        self.read("my_refunds", "refund_id", None)
        self.read("my_checkout_sessions", "checkout_session_id", None)
        self.read("my_subscriptions", "subscription_id", None)
        self.read("my_usage_records", "usage_record_id", None)
        self.read("my_usage_record_summaries", "usage_record_summary_id", None)
        purchases.read_all(self)

    def grants(self) -> None:
        name, coin = self.name, self.coin
        self.call("customer_upsert", "%s, 'A name', 'a@example.com', '{\"a\": 1}'", name)
        card = self.call("payment_method_attach", "%s, 'stripe', 'cus_1', 'pm_1', name => 'A card'", name)
        self.call("payment_method_attach", "%s, 'stripe', 'cus_1', 'pm_2'", name)
        self.call("payment_method_detach", "%s, %s", name, card.get("payment_method_id"))
        self.call("currency_create", "%s, 'Another', 2", coin + "_2")
        self.call("currency_update", "%s, 'Ours', active => true", coin)
        self.call("account_configure", "%s, %s, 500, 10", name, coin)
        self.call("balance_alert_set", "%s, %s, '{20, 5}'", name, coin)
        self.call("meter_event_cancel", "%s, 'before', 'a test'", name)
        self.call("meter_update", "%s, 'Tokens', 0.5, 'token', 'pending'", self.tokens)
        self.call("meter_price_override", "%s, %s, discount_percent => 10", name, self.tokens)
        self.call("meter_price_override_end", "%s, %s", name, self.tokens)
        terms = "%s, 200, %s, 'paid', 'Pack', 40, NULL, '2021-01-01 00:00+00', NULL, 0.02, %s, 'pack', '{\"b\": 2}'"
        pack = self.call("credit_grant", terms, name, coin, name)
        self.call("credit_grant", terms, name, coin, name)
        self.call("credit_grant", "%s, 201, %s, idempotency_key => 'pack'", name, coin)
        self.call("credit_grant_update", "%s, %s, 'A pack', '{}', 30, 'infinity'", name, pack.get("grant_id"))
        wrong = self.call("credit_grant", "%s, 9, %s", name, coin)
        self.call("credit_grant_void", "%s, %s, 'a mistake'", name, wrong.get("grant_id"))
        old = self.call("credit_grant", "%s, 8, %s, cost_amount => 3, cost_currency => %s", name, coin, coin)
        self.call("credit_grant_suspend", "%s, %s, 'under review'", name, old.get("grant_id"))
        self.call("credit_grant_resume", "%s, %s", name, old.get("grant_id"))
        self.call("credit_grant_expire", "%s, %s, 3", name, old.get("grant_id"))
        self.call("credit_grant_expire", "%s, %s", name, old.get("grant_id"))
        short = self.call("credit_grant", "%s, 1, %s, expires_at => '2030-01-01 00:00+00'", name, coin)
        self.call("credit_grant_extend", "%s, %s, '2031-01-01 00:00+00'", name, short.get("grant_id"))
        self.call("credit_grant_void", "%s, %s, spent => 'pending'", name, short.get("grant_id"))

    def wallet(self) -> None:
        name, coin = self.name, self.coin
        self.call("wallet_credit", "%s, 50, %s, 'promotional', 'credit', 'Gift'", name, coin)
        self.call("wallet_debit", "%s, 12.5, %s, 'debit', 'Work', '{}'", name, coin)
        self.call("wallet_debit", "%s, 12.5, %s, 'debit', 'Work', '{}'", name, coin)
        self.call("wallet_debit", "%s, 100000, %s", name, coin)
        self.call("wallet_try_debit", "%s, 100000, %s", name, coin)
        self.call("wallet_try_debit", "%s, 2, %s", name, coin)
        self.call("operation_reverse", "%s, NULL, 'debit', 2.5, 'half of it'", name)
        self.call("member_limit_set", "%s, 'a member', 3, '2 days', %s", name, coin)
        self.call("wallet_try_debit", "%s, 2, %s, member_id => 'a member'", name, coin)
        self.call("wallet_try_debit", "%s, 2, %s, member_id => 'a member'", name, coin)
        self.call("wallet_adjust", "%s, 5, 'gift', %s", name, coin)
        self.call("wallet_adjust", "%s, -3, 'correction', %s", name, coin)
        self.call("wallet_transfer", "%s, %s, 6, %s, 'transfer'", name, name + "_2", coin)

    def holds(self) -> None:
        name, coin = self.name, self.coin
        first = self.call("hold_create", "%s, 10, %s, '1 hour', 'hold', 'Work'", name, coin)
        self.call("hold_capture", "%s, %s, 4", name, first.get("hold_id"))
        self.call("hold_capture", "%s, %s, 5", name, first.get("hold_id"))
        second = self.call("hold_create", "%s, 10, %s", name, coin)
        self.call("hold_update", "%s, %s, 8", name, second.get("hold_id"))
        part = "%s, %s, 2, final => false, idempotency_key => 'part'"
        self.call("hold_capture", part, name, second.get("hold_id"))
        self.call("hold_release", "%s, %s", name, second.get("hold_id"))

    def usage(self) -> None:
        name, tokens = self.name, self.tokens
        self.call("meter_create", "%s, currency => %s, aggregation => 'count'", tokens + "_2", self.coin)
        self.call("meter_deactivate", "%s", tokens + "_2")
        self.call("meter_activate", "%s", tokens + "_2")
        self.call("report_meter_event", "%s, %s, 3, 'e1'", name, tokens)
        self.call("report_meter_event", "%s, %s, 3, 'e1'", name, tokens)
        batch = "ARRAY[%s, %s], ARRAY[%s, 'none such'], ARRAY[4, 5], ARRAY['e2', 'e3']"
        self.call("report_meter_events", batch, name, name, tokens)
        events = json.dumps([{"customer_id": name, "event_name": tokens, "value": 6, "identifier": "e5", "metadata": [1]}])
        self.call("report_meter_events", "%s::pg_catalog.jsonb", events)
        self.call("report_meter_event", "%s, %s, 3000, 'e4'", name, tokens)
        self.call("usage_limit_set", "%s, %s, 10000, 'month', 'notify'", name, tokens)
        self.metering()

    def metering(self) -> None:
        """Usage that is priced together, and usage that is charged later."""
        name, coin = self.name, self.coin
        peak, later = f"peak_{name}", f"later_{name}"
        tiers = '{"mode": "graduated", "tiers": [{"up_to": 5, "unit_price": 2}, {"unit_price": 1}]}'
        self.call("meter_create", "%s, currency => %s, aggregation => 'last', period => 'day', pricing => %s",
                  peak, coin, tiers)  # fmt: skip
        self.call("report_meter_event", "%s, %s, 7, 'p1'", name, peak)
        self.call("report_meter_event", "%s, %s, 3, 'p2'", name, peak)
        self.call("meter_event_cancel", "%s, 'p2'", name)
        self.call("meter_event_adjust", "%s, 'p1', 6, 'counted again'", name)
        self.call("meter_create", "%s, currency => %s, settlement => 'deferred'", later, coin)
        self.call("report_meter_event", "%s, %s, 2, 'l1'", name, later)
        self.call("settle", "10")
        self.call("report_meter_event", "%s, %s, 2, 'l2'", name, later)

    def inbox(self) -> None:
        """Rows of the inbox: one that is charged, two that are put aside."""
        into = "INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at)"
        row = f"{into} VALUES (%s, %s, %s, %s, '2020-02-20 00:00+00')"
        for value, identifier in ((2, "i1"), (-2, "i2"), (-3, "i3")):
            self.run("inbox", row, [self.name, self.tokens, value, identifier])
        self.call("settle", "10")
        session = self.session("rejected_events")
        rejected = session.cursor(binary=True).execute("SELECT rejected_id FROM credits.rejected_events")
        mine = sorted(rejected_id for (rejected_id,) in rejected)
        self.call("inbox_retry", "%s, 'PC007'", mine[:1])
        self.call("settle", "10")
        self.call("inbox_discard", "%s", mine[:2])
