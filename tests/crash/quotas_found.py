"""What is for sale in quotas.py, what its tables say at each moment, and at the end."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness
from support.harness import Checks, say

TICKETS, COUPON, CODE = 50, 125, 100

# In one snapshot: the counters, what is held, what the log says of that, and what was paid for.
LOOK = """
    SELECT u.taken AS coupon, w.taken AS code, s.taken AS tickets,
           (SELECT count(*) FROM credits_internal.redemptions r WHERE r.released_at IS NULL AND NOT r.over_quota) AS held,
           (SELECT count(*) FROM credits_internal.redemptions r WHERE r.promotion_code_id = p.promotion_code_id
                AND r.released_at IS NULL AND NOT r.over_quota) AS held_by_code,
           (SELECT count(*) FROM credits_internal.redemptions r
            JOIN credits_internal.discount_log l ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id
                AND l.log_no = r.last_log_no WHERE l.action IN ('applied', 'confirmed')) AS logged,
           (SELECT count(*) FROM credits_internal.redemptions r
            WHERE r.confirmed_at IS NOT NULL AND NOT r.over_quota) AS used,
           (SELECT count(*) FROM credits_internal.invoices i
            WHERE i.status = 'paid' AND i.coupon_id IS NOT NULL) AS honoured,
           (SELECT count(*) FROM credits_internal.redemptions r WHERE r.confirmed_at IS NOT NULL) AS confirmed,
           (SELECT coalesce(sum(r.quantity), 0) FROM credits_internal.stock_reservations r
            WHERE r.released_at IS NULL) AS held_tickets,
           (SELECT coalesce(sum(l.quantity), 0) FROM credits_internal.invoice_lines l
            JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
            WHERE l.price_id = s.price_id AND i.status = 'paid') AS sold
    FROM credits_internal.price_stock s, credits_internal.coupon_counters u, credits_internal.promotion_code_counters w
    JOIN credits_internal.promotion_codes p ON p.promotion_code_id = w.promotion_code_id AND p.code = 'LAUNCH'"""

FOUND = """
    SELECT s.customer_id, s.checkout_session_id::text AS id, s.status, s.invoice_id::text AS invoice, i.status AS is,
           s.amount_total AS total, coalesce(t.amount_received, 0) AS received, t.status AS intent,
           s.coupon_id IS NOT NULL AS has_code, jsonb_array_length(s.line_items) AS lines,
           (SELECT count(*) FROM jsonb_array_elements(s.line_items) e WHERE e->>'price_id' = %s) AS tickets,
           (SELECT count(*) FROM credits.grants g WHERE g.customer_id = s.customer_id) AS grants,
           (SELECT coalesce(sum(r.amount), 0) FROM credits.refunds r WHERE r.customer_id = s.customer_id) AS asked,
           (SELECT coalesce(sum((o.payload->>'amount')::numeric), 0) FROM credits_internal.outbox o
            WHERE o.customer_id = s.customer_id AND o.type = 'refund.requested') AS requested,
           (SELECT coalesce(sum(r.quantity), 0) FROM credits_internal.stock_reservations r
            WHERE r.customer_id = s.customer_id AND r.released_at IS NULL) AS held,
           CASE WHEN r.over_quota THEN 'over quota' WHEN r.confirmed_at IS NOT NULL THEN 'used'
                WHEN r.released_at IS NOT NULL THEN 'released' WHEN r.holder_id IS NOT NULL THEN 'held' END AS use,
           ARRAY(SELECT l.action FROM credits.discount_log l WHERE l.customer_id = s.customer_id
                 AND l.holder_id = s.invoice_id ORDER BY l.log_no) AS log
    FROM credits.checkout_sessions s
    LEFT JOIN credits.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
    LEFT JOIN credits.payment_intents t ON t.customer_id = s.customer_id AND t.payment_intent_id = s.payment_intent_id
    LEFT JOIN credits_internal.redemptions r ON r.customer_id = s.customer_id AND r.holder_id = s.invoice_id"""
OVER = """
    SELECT credits.checkout_session_expire(s.customer_id, s.checkout_session_id) FROM credits.checkout_sessions s
    WHERE s.status = 'open'"""
PAY = "SELECT credits.payment_succeeded(%s, %s, 'stripe', %s, %s)"
LAST = """
    SELECT (credits.checkout_session_submit(%s, c.checkout_session_id)).status
    FROM credits.checkout_session_create(%s, line_items => %s, discounts => %s) c"""


def set_up(connection: psycopg.Connection[Any], secret: str) -> dict[str, str]:
    """A price with 50 units, one with any number, and a coupon with a code that 100 may use, and another."""
    # Compiling what looks at it would take longer than looking.
    connection.execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END $$")
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.outbox_consumer_create('worker')")
    connection.execute("SELECT credits.payment_provider_set('stripe', %s)", [secret])
    connection.execute(
        "SELECT credits.coupon_create('Launch', percent_off => 20, max_redemptions => %s, promotion_codes => %s)",
        [COUPON, json.dumps([{"code": "LAUNCH", "max_redemptions": CODE}, {"code": "FRIENDS"}])],
    )
    prices = {}
    for what, count in (("ticket", TICKETS), ("pack", None)):
        row = connection.execute(
            "SELECT price_id::text FROM credits.price_create((credits.product_create(%s, 'good')).product_id,"
            " unit_amount => 10, currency => 'USD', quantity_available => %s, credit_config => %s)",
            [what, count, json.dumps({"currency": "CREDIT", "amount": 100})],
        ).fetchone()
        assert row is not None
        prices[what] = row[0]
    return prices


def is_wrong(row: dict[str, Any]) -> bool:
    """Whether at that moment more is taken than there is, or counters, what is held, the log and the invoices differ."""
    most = row["coupon"] <= COUPON and row["code"] <= CODE and row["tickets"] <= TICKETS
    held = (row["coupon"], row["code"], row["tickets"]) == (row["held"], row["held_by_code"], row["held_tickets"])
    paid = row["used"] <= row["held"] and row["sold"] <= row["held_tickets"] and row["honoured"] == row["confirmed"]
    return not (most and held and paid and row["logged"] == row["held"])


def look_back(checks: Checks, database: str, prices: dict[str, str], reports: list[Any]) -> None:
    """Everything against everything: what was acknowledged, what is there, and what can be sold after all."""
    with harness.connect(database, row_factory=dict_row) as connection:
        checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
        connection.execute(OVER)
        connection.execute("CALL credits.maintain()")
        checks.none(harness.verify(connection), "nor once nobody can pay any more")
        found = {row["customer_id"]: row for row in connection.execute(FOUND, [prices["ticket"]]).fetchall()}
        acknowledged(checks, found, reports)
        checks.none([row for row in found.values() if wrong_of(row)], "each session, its money, grants and quotas agree")
        over = [row for row in found.values() if row["use"] == "over quota"]
        kept = {customer for report in reports for customer in report.kept}
        wrong = [row for row in over if row["customer_id"] in kept]
        checks.none(wrong, f"none of {len(over)} over quota had a use that was kept for it")
        sell_the_rest(checks, connection, prices, found)
        pay_what_is_gone(checks, connection, prices, found)
        checks.none(harness.verify(connection), "verify() finds nothing after that")


def acknowledged(checks: Checks, found: dict[str, dict[str, Any]], reports: list[Any]) -> None:
    received: Counter[str] = sum((report.received for report in reports), Counter())
    wrong = []
    for report in reports:
        for customer, session_id in report.sessions.items():
            if customer not in found or found[customer]["id"] != session_id:
                wrong.append(f"{customer}: session {session_id}")
        for customer, invoice_id in report.invoices.items():
            if found[customer]["invoice"] != invoice_id:
                wrong.append(f"{customer}: invoice {invoice_id}")
        wrong += [f"{customer}: paid" for customer in report.paid if found[customer]["status"] != "complete"]
    wrong += [f"{one}: {row['received']}" for one, row in found.items() if row["received"] != received[one]]
    checks.none(wrong, "what was acknowledged is there, once: sessions, invoices, and all the money")
    paid = {customer for report in reports for customer in report.paid}
    complete = {customer for customer, row in found.items() if row["status"] == "complete"}
    checks.equal(complete - paid, set(), "and nothing is complete that was not")


def wrong_of(row: dict[str, Any]) -> bool:
    """Whether a session that is over is other than its payment says."""
    is_paid = row["status"] == "complete"
    # Of all that came, one payment paid for something.
    asked = row["received"] - (row["total"] if is_paid else 0)
    granted = (row["grants"], row["held"]) == ((row["lines"], row["tickets"]) if is_paid else (0, 0))
    if not is_paid:
        used = row["use"] in (None, "released")
    elif row["has_code"]:
        used = row["use"] in ("used", "over quota")
    else:
        used = row["use"] is None
    # Over quota is what had nothing when it was paid.
    log = [None, *row["log"]]
    logged = row["use"] != "over quota" or (log[-1] == "over_quota" and log[-2] in (None, "released"))
    return not (granted and used and logged and (row["asked"], row["requested"]) == (asked, asked))


def sell_the_rest(
    checks: Checks, connection: psycopg.Connection[Any], prices: dict[str, str], found: dict[str, dict[str, Any]]
) -> None:
    """The counters are what was paid for; so many more can be had, and then there are none left."""
    row = connection.execute(LOOK).fetchone()
    assert row is not None
    sold = sum(one["tickets"] for one in found.values() if one["status"] == "complete")
    used = sum(one["use"] == "used" for one in found.values())
    checks.equal((row["tickets"], row["coupon"]), (sold, used), "all that failed is given back")
    by_code = min(CODE - row["code"], COUPON - used)
    left = (("ticket", None, TICKETS - sold), ("pack", "LAUNCH", by_code), ("pack", "FRIENDS", COUPON - used - by_code))
    for what, code, count in left:
        items, discounts = json.dumps([{"price_id": prices[what]}]), json.dumps([{"code": code}] if code else [])
        for number in range(count):
            connection.execute(LAST, [f"last {code or what} {number}"] * 2 + [items, discounts])
        try:
            connection.execute(LAST, [f"no {code or what}"] * 2 + [items, discounts])
            refusal = None
        except psycopg.Error as error:
            refusal = error.sqlstate
        wanted = "PC016" if code else "PC017"
        checks.equal(refusal, wanted, f"{count} more of {code or what} can be had, and then there is none left")
    say(f"        {sold} tickets sold, {used} uses, {row['code']} by the code")


def pay_what_is_gone(
    checks: Checks, connection: psycopg.Connection[Any], prices: dict[str, str], found: dict[str, dict[str, Any]]
) -> None:
    """Who pays now that there is nothing left has the discount, over quota, and no ticket."""
    unpaid = [one for one in found.values() if one["status"] != "complete" and one["has_code"]]
    for one in unpaid:
        connection.execute(PAY, [one["customer_id"], one["id"], f"after all of {one['customer_id']}", one["total"]])
    again = {row["customer_id"]: row for row in connection.execute(FOUND, [prices["ticket"]]).fetchall()}
    wrong = []
    for one in unpaid:
        row = again[one["customer_id"]]
        state = ("complete", "over quota") if not one["tickets"] else (one["status"], "released")
        if (row["status"], row["use"]) != state or wrong_of(row):
            wrong.append(row)
    checks.none(wrong, f"{len(unpaid)} pay when there is nothing left: the code is over quota, for a ticket the money goes back")
