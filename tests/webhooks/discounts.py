"""What is said of discounts: when one begins, is paid for, has its dates, is given back, and ends with its duration or its
subscription; each once, whatever repeats."""

from __future__ import annotations

from typing import Any

import psycopg

from shapes import Teller
from support import harness
from support.harness import Checks

# Of each customer what happens, as in shapes.py, and what is said of the discount: what happened, its status, and whether it has
# dates.
CREATED, DATED, PAID = ("created", "reserved", False), ("updated", "reserved", True), ("updated", "confirmed", True)
ENDED = ("deleted", "ended", True)
BEGIN = """
@ 2026-01-31
customer_upsert('{who}')
payment_method_attach('{who}', 'acme', NULL, 'card')
sub := subscription_create('{who}', '[{{"price_id": "$plan"}}]', {discount})
"""
PAY = """
intent = SELECT payment_intent_id FROM credits.invoices WHERE customer_id = '{who}' AND status = 'open'
payment_succeeded('{who}', '$intent', 'acme', '{who} $intent')
"""
MARCH, MAY = "@ 2026-03-01\nmaintain\n", "@ 2026-05-01\nmaintain\n"
CANCEL = "subscription_cancel('{who}', '$sub', 'now')\n"
CART = """
@ 2026-01-31
customer_upsert('{who}')
cart := checkout_session_create('{who}', 'payment', '[{{"price_id": "$price"}}]', allow_promotion_codes => true)
checkout_session_apply_promotion_code('{who}', '$cart', 'HALF')
"""
SUBMIT = "checkout_session_submit('{who}', '$cart')\n"
STORIES: dict[str, tuple[str, str, list[tuple[str, str, bool]]]] = {
    "once": ("coupon_id => '$once'", BEGIN + PAY + MARCH + MAY + CANCEL, [CREATED, DATED, PAID, ENDED]),
    "month": ("promotion_code => 'half'", BEGIN + PAY + MARCH + PAY + MAY, [CREATED, DATED, PAID, ENDED]),
    "ever": ("coupon_id => '$ever'", BEGIN + PAY + MARCH + MAY + CANCEL, [CREATED, DATED, PAID, ENDED]),
    "late": ("coupon_id => '$once'", BEGIN + MARCH, [CREATED, DATED, ("deleted", "released", True)]),
    "cart": ("", CART + SUBMIT + "payment_succeeded('{who}', '$cart', 'acme', '{who}')\n", [
        ("created", "reserved", False), ("updated", "confirmed", False)]),
    "left": ("", CART + SUBMIT + "checkout_session_expire('{who}', '$cart')\n", [
        ("created", "reserved", False), ("deleted", "released", False)]),
    "idle": ("", CART + "checkout_session_expire('{who}', '$cart')\n", []),
    "gift": ("", "customer_upsert('{who}')\nvoucher_redeem('{who}', 'GIFT')\n", []),
}  # fmt: skip
PREPARED = """
@ 2026-01-01
currency_create('USD', kind => 'fiat')
product := product_create('Pro')
price := price_create('$product', unit_amount => 5, currency => 'USD')
plan := price_create('$product', 'recurring', 20, 'USD', recurring => '{"interval": "month"}')
once := coupon_create('Once', percent_off => 50)
ever := coupon_create('Ever', amount_off => 1, currency => 'USD', duration => 'forever')
half := coupon_create('Half', percent_off => 50, duration => 'repeating', duration_in_months => 1)
code := promotion_code_create('$half', 'HALF')
gift := coupon_create('Gift', credit_config => '{"amount": 3}')
given := promotion_code_create('$gift', 'GIFT')
"""
SAID = """
    SELECT type, data FROM credits.billing_events WHERE object_type = 'discount' AND customer_id = %s ORDER BY object_seq
"""


def check(checks: Checks, database: str) -> None:
    for who, (discount, story, expected) in STORIES.items():
        with harness.fresh_database(f"{database}_{who}") as own, harness.connect(own) as connection:
            tell(connection, who, story.replace("{discount}", discount))
            checks.equal(said(connection, who), expected, f"{who}: what is said of its discount")
            checks.none(harness.verify(connection), f"{who}: verify() finds nothing")
    with harness.fresh_database(f"{database}_void") as own, harness.connect(own) as connection:
        teller = tell(connection, "void", BEGIN.replace("{discount}", "coupon_id => '$ever'"))
        for line in ("bill = SELECT invoice_id FROM credits.invoices", "invoice_void('void', '$bill')"):
            teller.tell(line)
        found = said(connection, "void")
        checks.equal(found[:3], [CREATED, DATED, ("updated", "reserved", False)], "void: it is as if it had not begun")
        rows = connection.execute(SAID, ["void"]).fetchall()
        changes = [sorted(data["previous_attributes"]) for name, data in rows if name.endswith("updated")]
        checks.equal(changes[0], ["discount_start"], "of an update what was before")
        checks.none(harness.verify(connection), "void: verify() finds nothing")


def tell(connection: psycopg.Connection[Any], who: str, story: str) -> Teller:
    connection.execute("SET credits.test_clock_drives_billing = on")
    connection.execute("SET credits.event_retention = '3650 d'")
    connection.execute("SET TimeZone = 'UTC'")
    teller = Teller(connection)
    for line in (PREPARED + story.replace("{who}", who).replace("{{", "{").replace("}}", "}")).splitlines():
        teller.tell(line)
    return teller


def said(connection: psycopg.Connection[Any], who: str) -> list[tuple[str, str, bool]]:
    rows = connection.execute(SAID, [who]).fetchall()
    objects = [(name.rsplit(".", 1)[1], data["object"]) for name, data in rows]
    return [(what, one["status"], one["discount_start"] is not None) for what, one in objects]
