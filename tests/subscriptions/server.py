"""A story's calls, made to a server: with a clock of its own, one customer a story."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import psycopg
from periods import Interval, text_of
from snapshot import number

CURRENCIES = {0: "JPY", 2: "USD", 3: "KWD"}

SUBSCRIPTIONS = """
SELECT s.subscription_id::text AS id, s.status, s.billing_cycle_anchor, s.cancel_at, s.cancel_at_period_end, s.canceled_at,
       s.ended_at, s.past_due_at, s.resumes_at,
       (SELECT json_agg(json_build_array(p.kind, p.period_start, p.period_end) ORDER BY p.period_start)
        FROM credits_internal.subscription_periods p
        WHERE p.customer_id = s.customer_id AND p.subscription_id = s.subscription_id) AS periods,
       (SELECT json_agg(json_build_array(i.metadata->>'item', p.metadata->>'name', i.quantity::text))
        FROM credits_internal.subscription_items i JOIN credits_internal.prices p USING (price_id)
        WHERE i.customer_id = s.customer_id AND i.subscription_id = s.subscription_id AND i.removed_at IS NULL) AS items
FROM credits.subscriptions s WHERE s.customer_id = %s"""

INVOICES = """
SELECT i.invoice_id::text AS id, i.subscription_id::text AS subscription, i.billing_reason, i.status, i.subtotal, i.discount,
       i.tax, i.total, i.amount_paid, i.due_date
FROM credits_internal.invoices i WHERE i.customer_id = %s ORDER BY i.invoice_id"""

LINES = """
SELECT l.invoice_id::text AS invoice, split_part(coalesce(l.description, ''), ' ', 1) AS kind,
       l.from_invoice_id IS NOT NULL AS left_over, l.was_pending, i.metadata->>'item' AS item, l.amount,
       CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE l.discount END AS discount, l.tax, l.period_start, l.period_end
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.subscription_items i
  ON i.customer_id = l.customer_id AND i.subscription_item_id = l.subscription_item_id
WHERE l.customer_id = %s"""

GRANTS = """
SELECT i.metadata->>'item' AS item, i.subscription_id::text AS subscription, c.status, c.amount, c.remaining, c.consumed,
       c.effective_at, c.expires_at
FROM credits_internal.invoice_line_grants g
JOIN credits_internal.invoice_lines l ON l.customer_id = g.customer_id AND l.invoice_line_id = g.invoice_line_id
JOIN credits_internal.subscription_items i
  ON i.customer_id = l.customer_id AND i.subscription_item_id = l.subscription_item_id
JOIN credits.grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.customer_id = %s"""

REFUNDS = "SELECT r.invoice_id::text AS invoice, r.amount, r.reason FROM credits.refunds r WHERE r.customer_id = %s"

MAINTAIN = "SELECT credits.maintain_batch(1000, work => 'subscriptions')"


class Server:
    """One story's customer."""

    def __init__(self, connection: psycopg.Connection[Any], customer: str, decimals: int) -> None:
        self.connection = connection
        self.customer_id = customer
        self.currency = CURRENCIES[decimals]
        self.products: dict[str, str] = {}
        self.prices: dict[str, str] = {}
        self.coupons: dict[str, str] = {}
        self.subscriptions: dict[str, str] = {}
        self.payments = 0
        # What the first payment of an invoice is called.
        self.paid_by: dict[str, str] = {}
        self.method_id: str | None = None
        # The last error, for people.
        self.said = ""

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    def clock(self, at: datetime) -> None:
        self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [text_of(at)])

    def due(self) -> None:
        """Whatever is due, done."""
        while self.one(MAINTAIN)["maintain_batch"]:
            pass

    def call(self, name: str, arguments: dict[str, Any]) -> str | None:
        """One line of a script; the SQLSTATE where it is refused."""
        try:
            getattr(self, name)(**arguments)
        except KeyError as missing:
            return f"no {missing}"
        except psycopg.Error as error:
            self.said = f"{error} {error.diag.message_detail}"
            return error.sqlstate or str(error)
        return None

    def maintain(self) -> None:
        self.due()

    def customer(self, name: str, method: bool = True, rate: str = "0") -> None:
        self.one("SELECT FROM credits.customer_upsert(%s, tax_rate => %s::numeric)", self.customer_id, rate)
        if method:
            self.method(name, True)

    def method(self, customer: str, attached: bool) -> None:
        if attached and self.method_id is None:
            query = "SELECT payment_method_id AS id FROM credits.payment_method_attach(%s, 'manual', NULL, %s, is_default => true)"
            self.payments += 1
            self.method_id = str(self.one(query, self.customer_id, f"{self.customer_id} card {self.payments}")["id"])
        elif not attached and self.method_id is not None:
            self.one("SELECT FROM credits.payment_method_detach(%s, %s)", self.customer_id, self.method_id)
            self.method_id = None

    def product(self, name: str) -> str:
        if name not in self.products:
            row = self.one("SELECT product_id FROM credits.product_create(%s)", f"{self.customer_id} {name or 'other'}")
            self.products[name] = str(row["product_id"])
        return self.products[name]

    def price(self, name: str, interval: str, unit_amount: str, pricing: dict[str, Any] | None = None,
              inclusive: bool = False, product: str = "", plan: dict[str, Any] | None = None) -> None:  # fmt: skip
        step = Interval.parse(interval)
        if name in self.prices:
            self.one("SELECT FROM credits.price_archive(%s)", self.prices[name])
        row = self.one(
            "SELECT price_id FROM credits.price_create(%s, 'recurring', %s::numeric, %s, recurring => %s, pricing => %s,"
            " credit_config => %s, tax_behavior => %s, metadata => %s)",
            self.product(product), None if pricing else unit_amount, self.currency,
            json.dumps({"interval": step.unit, "interval_count": step.count}), pricing and json.dumps(pricing),
            plan and json.dumps(spelled(plan)), "inclusive" if inclusive else "exclusive", json.dumps({"name": name}),
        )  # fmt: skip
        self.prices[name] = str(row["price_id"])

    def coupon(self, name: str, duration: str, percent: str | None = None, amount_off: str | None = None,
               months: int = 0, products: list[str] | None = None) -> None:  # fmt: skip
        row = self.one(
            "SELECT coupon_id FROM credits.coupon_create(%s, %s::numeric, %s::numeric, %s, duration => %s,"
            " duration_in_months => %s, applies_to_products => %s::uuid[])",
            f"{self.customer_id} {name}", percent, amount_off, self.currency if amount_off else None, duration, months or None,
            products and [self.product(product) for product in products],
        )  # fmt: skip
        self.coupons[name] = str(row["coupon_id"])

    def items(self, given: list[dict[str, Any]], subscription: str | None = None) -> str:
        known = {}
        if subscription:
            query = """SELECT i.metadata->>'item' AS item, i.subscription_item_id::text AS id FROM credits.subscription_items i
                       WHERE i.customer_id = %s AND i.subscription_id = %s AND i.removed_at IS NULL"""
            known = {row["item"]: row["id"] for row in self.all(query, self.customer_id, self.subscriptions[subscription])}
        items = []
        for one in given:
            item: dict[str, Any] = {}
            if one["item"] in known:
                item["subscription_item_id"] = known[one["item"]]
            else:
                item["metadata"] = {"item": one["item"]}
            if "price" in one:
                item["price_id"] = self.prices[one["price"]]
            items.append(item | {key: one[key] for key in ("quantity", "deleted") if key in one})
        return json.dumps(items)

    def create(self, subscription: str, customer: str, items: list[dict[str, Any]], trial_days: int | None = None,
               trial_end: str | None = None, trial_end_behavior: str = "charge", anchor: str | None = None,
               collection: str = "charge_automatically", proration_behavior: str = "create_prorations",
               coupon: str | None = None, days_until_due: int = 30, days_until_cancel: int = 30,
               cancel_at_period_end: bool = False) -> None:  # fmt: skip
        row = self.one(
            "SELECT subscription_id AS id FROM credits.subscription_create(%s, %s, %s, %s::timestamptz, %s, %s::timestamptz,"
            " %s, %s, %s, NULL, %s, NULL, %s, %s)",
            self.customer_id, self.items(items), trial_days, trial_end, trial_end_behavior, anchor, collection,
            days_until_due, days_until_cancel, proration_behavior, coupon and self.coupons[coupon], cancel_at_period_end,
        )  # fmt: skip
        self.subscriptions[subscription] = str(row["id"])

    def update(self, subscription: str, items: list[dict[str, Any]], proration_behavior: str = "create_prorations",
               credits: str = "prorate") -> None:  # fmt: skip
        self.one("SELECT FROM credits.subscription_update(%s, %s, %s, %s, %s)", self.customer_id,
                 self.subscriptions[subscription], self.items(items, subscription), proration_behavior, credits)  # fmt: skip

    def preview(self, subscription: str, items: list[dict[str, Any]], proration_behavior: str = "create_prorations",
                credits: str = "prorate") -> dict[str, Any]:  # fmt: skip
        return self.one("SELECT * FROM credits.subscription_preview(%s, %s, %s, %s, %s)", self.customer_id,
                        self.subscriptions[subscription], self.items(items, subscription), proration_behavior,
                        credits)  # fmt: skip

    def named(self, function: str, subscription: str, *more: Any) -> None:
        marks = ", ".join(["%s"] * (2 + len(more)))
        query = f"SELECT FROM credits.subscription_{function}({marks})"
        self.one(query, self.customer_id, self.subscriptions[subscription], *more)

    def cancel(self, subscription: str, at: str = "period_end", refund: str = "none") -> None:
        self.named("cancel", subscription, at, refund)

    def recover(self, subscription: str) -> None:
        self.named("recover", subscription)

    def pause(self, subscription: str, resumes_at: str | None = None) -> None:
        self.named("pause", subscription, resumes_at)

    def resume(self, subscription: str) -> None:
        self.named("resume", subscription)

    def invoice_ids(self) -> dict[str, str]:
        """By the model's names; that of a trial is none."""
        trials = {row["id"] for row in self.all(INVOICE_OF_TRIAL, self.customer_id)}
        names, counts = {}, dict.fromkeys(self.subscriptions.values(), 0)
        by_id = {value: key for key, value in self.subscriptions.items()}
        for row in self.all(INVOICES, self.customer_id):
            if row["id"] not in trials:
                counts[row["subscription"]] += 1
                names[f"{by_id[row['subscription']]}#{counts[row['subscription']]}"] = row["id"]
        return names

    def intent(self, invoice: str) -> tuple[str, Any] | None:
        rows = self.all(
            "SELECT t.payment_intent_id::text AS id, i.total FROM credits.payment_intents t JOIN credits.invoices i USING"
            " (customer_id, invoice_id) WHERE t.customer_id = %s AND t.invoice_id = %s ORDER BY t.payment_intent_id DESC LIMIT 1",
            self.customer_id, self.invoice_ids()[invoice],
        )  # fmt: skip
        return (rows[0]["id"], rows[0]["total"]) if rows and rows[0]["total"] > 0 else None

    def paid(self, invoice: str) -> None:
        found = self.intent(invoice)
        self.payments += 1
        if found:
            name = f"{self.customer_id} paid {self.payments}"
            self.one("SELECT FROM credits.payment_succeeded(%s, %s, 'manual', %s, %s)", self.customer_id, found[0], name, found[1])
            self.paid_by.setdefault(invoice, name)

    def failed(self, invoice: str) -> None:
        found = self.intent(invoice)
        self.payments += 1
        if found:
            self.one("SELECT FROM credits.payment_failed(%s, %s, 'manual', %s, 'declined')", self.customer_id, found[0],
                     f"{self.customer_id} failed {self.payments}")  # fmt: skip

    def disputed(self, invoice: str) -> None:
        intent, _ = self.intent(invoice) or (None, None)
        self.one("SELECT FROM credits.payment_disputed(%s, %s, 'manual', %s, payment_reference => %s)", self.customer_id, intent,
                 f"{self.paid_by[invoice]} disputed", self.paid_by[invoice])  # fmt: skip

    def decided(self, invoice: str, won: bool) -> None:
        intent, _ = self.intent(invoice) or (None, None)
        self.one("SELECT FROM credits.payment_dispute_closed(%s, %s, 'manual', %s, %s)", self.customer_id, intent,
                 f"{self.paid_by[invoice]} disputed", won)  # fmt: skip

    def void(self, invoice: str) -> None:
        self.one("SELECT FROM credits.invoice_void(%s, %s)", self.customer_id, self.invoice_ids()[invoice])

    def uncollectible(self, invoice: str) -> None:
        self.one("SELECT FROM credits.invoice_mark_uncollectible(%s, %s)", self.customer_id, self.invoice_ids()[invoice])

    def spend(self, customer: str, credits: str) -> None:
        self.one("SELECT FROM credits.wallet_debit(%s, %s::numeric, 'COIN')", self.customer_id, credits)

    def end(self) -> None:
        """So that nothing is left for the next story's clock to find."""
        for subscription in self.subscriptions:
            self.call("cancel", {"subscription": subscription, "at": "now"})

    def snapshot(self) -> dict[str, Any]:
        """As snapshot.of() has it of the model."""
        customer = self.customer_id
        names = {value: key for key, value in self.invoice_ids().items()}
        by_id = {value: key for key, value in self.subscriptions.items()}
        # What a void invoice had taken waits again: it has copies.
        void = {row["id"] for row in self.all(INVOICES, customer) if row["status"] == "void"}
        lines: dict[str | None, list[list[Any]]] = {}
        for row in self.all(LINES, customer):
            if row["amount"] and not (row["was_pending"] and row["invoice"] in void):
                lines.setdefault(row["invoice"], []).append(line(row))
        grants: dict[str, list[Any]] = {}
        for row in self.all(GRANTS, customer):
            if row["remaining"] or row["consumed"] or row["status"] == "expired":
                grants.setdefault(row["subscription"], []).append(grant(row))
        invoices = {names[row["id"]]: invoice(row) for row in self.all(INVOICES, customer) if row["id"] in names}
        for key, name in names.items():
            invoices[name]["lines"] = sorted(lines.get(key, []), key=str)
        found = {}
        for row in self.all(SUBSCRIPTIONS, customer):
            if row["ended_at"]:
                row["cancel_at"], row["cancel_at_period_end"] = None, False
            found[by_id[row["id"]]] = subscription(row) | {"grants": sorted(grants.get(row["id"], []))}
        refunds = summed([(names[row["invoice"]], row["amount"]) for row in self.all(REFUNDS, customer)])
        return {"subscriptions": found, "invoices": invoices, "pending": sorted(lines.get(None, []), key=str),
                "refunds": refunds}  # fmt: skip


INVOICE_OF_TRIAL = """
SELECT p.invoice_id::text AS id FROM credits_internal.subscription_periods p
WHERE p.customer_id = %s AND p.kind = 'trial' AND p.invoice_id IS NOT NULL"""


def spelled(plan: dict[str, Any]) -> dict[str, Any]:
    """Lengths as they are written: '1 day' for 'day'."""
    found = dict(plan) | {"currency": "COIN"}
    schedule = dict(plan.get("schedule", {}))
    if "every" in schedule and " " not in schedule["every"]:
        schedule["every"] = "1 " + schedule["every"]
    if schedule:
        found["schedule"] = schedule
    return found


def summed(parts: list[tuple[str, Any]]) -> dict[str, str]:
    """What goes back of each invoice."""
    return {name: number(sum(amount for one, amount in parts if one == name)) for name, _ in parts}


def line(row: dict[str, Any]) -> list[Any]:
    kind = {"Unused": "unused", "Remaining": "remaining"}.get(row["kind"], "period")
    if row["left_over"]:
        kind = "left_over"
    tax = row["tax"] if row["invoice"] else 0
    return [kind, row["item"], number(row["amount"]), number(row["discount"]), number(tax),
            text_of(row["period_start"]), text_of(row["period_end"])]  # fmt: skip


def grant(row: dict[str, Any]) -> list[Any]:
    """Item; start, expiry, credits; what is left, where it has not expired, and what was spent."""
    left = "expired" if row["status"] == "expired" else number(row["remaining"])
    return [row["item"], text_of(row["effective_at"]), text_of(row["expires_at"]) or "never", number(row["amount"]), left,
            number(row["consumed"])]  # fmt: skip


def invoice(row: dict[str, Any]) -> dict[str, Any]:
    return {"reason": row["billing_reason"], "status": row["status"], "subtotal": number(row["subtotal"]),
            "discount": number(row["discount"]), "tax": number(row["tax"]), "total": number(row["total"]),
            "paid": number(row["amount_paid"]), "due_date": text_of(row["due_date"]) if row["total"] > 0 else None}  # fmt: skip


def subscription(row: dict[str, Any]) -> dict[str, Any]:
    def moment(text: str) -> str | None:
        return text_of(datetime.fromisoformat(text))

    return {
        "status": row["status"],
        "items": sorted([item, price, number(quantity)] for item, price, quantity in row["items"] or []),
        "anchor": text_of(row["billing_cycle_anchor"]),
        "periods": [[kind, moment(start), moment(end)] for kind, start, end in row["periods"]],
        **{name: text_of(row[name]) for name in ("cancel_at", "canceled_at", "ended_at", "past_due_at", "resumes_at")},
        "cancel_at_period_end": row["cancel_at_period_end"],
    }
