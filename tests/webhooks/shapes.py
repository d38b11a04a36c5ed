"""What each event says: every name of the contract is produced by a story, but for those that webhook_endpoint_create() says are
never sent, and its object has the columns that docs/reference/billing_events.md says."""

from __future__ import annotations

from string import Template
from typing import Any

import psycopg

from support import harness
from support.harness import Checks

# Names that are fixed: those of customers, what is sold, payments, invoices, subscriptions and credits.
NAMES = """
customer.created customer.updated customer.deleted product.created product.updated product.deleted price.created price.updated
price.deleted coupon.created coupon.updated coupon.deleted promotion_code.created promotion_code.updated promotion_code.deleted
customer.discount.created customer.discount.updated customer.discount.deleted checkout.session.created checkout.session.completed
checkout.session.expired payment_link.created payment_link.updated payment_intent.created payment_intent.processing
payment_intent.requires_action payment_intent.succeeded payment_intent.payment_failed payment_intent.canceled refund.created
refund.succeeded refund.failed refund.canceled invoice.created invoice.updated invoice.finalized invoice.paid
invoice.payment_failed invoice.voided invoice.marked_uncollectible invoice.upcoming invoice.deleted customer.subscription.created
customer.subscription.started customer.subscription.updated customer.subscription.renewed customer.subscription.renew_failed
customer.subscription.past_due customer.subscription.paused customer.subscription.resumed customer.subscription.recovered
customer.subscription.upgraded customer.subscription.trial_start customer.subscription.trial_will_end
customer.subscription.trial_end customer.subscription.deleted customer.credit_grant.granted customer.credit_grant.depleted
customer.credit_grant.expired customer.credit_grant.expiring customer.credit.low_balance customer.credit.insufficient
webhook_endpoint.test webhook_endpoint.disabled
""".split()

# Which view has the object, and what of its columns events leave out.
VIEWS = {
    "customer": ("customers", set()), "product": ("products", set()),
    "price": ("prices", {"quantity_taken", "quantity_sold"}),
    "coupon": ("coupons", {"times_redeemed", "times_over_quota", "valid"}),
    "promotion_code": ("promotion_codes", {"times_redeemed", "times_over_quota", "valid", "coupon_valid", "customer_ids"}),
    "checkout_session": ("checkout_sessions", {"url"}), "payment_link": ("payment_links", set()),
    "payment_intent": ("payment_intents", set()), "refund": ("refunds", set()), "invoice": ("invoices", set()),
    "subscription": ("subscriptions", {"service_actions"}),  # only where an action names the event
}  # fmt: skip
OBJECTS = {
    "credit_grant": "customer_id grant_id currency category name status amount remaining priority effective_at expires_at ended_at"
    " ended_reason applicable_meters granted_by metadata created_at",
    "discount": "customer_id holder_type holder_id coupon_id promotion_code_id code amount currency status over_quota"
    " discount_start discount_end reserved_at confirmed_at released_at",
    "account": "customer_id currency available restricted held pending low_balance_threshold",
    "webhook_endpoint.test": "webhook_endpoint_id message",
    "webhook_endpoint.disabled": "webhook_endpoint_id url enabled_events description status disabled_reason failing_since",
    "customer.deleted": "customer_id deleted",
    "invoice.upcoming": "customer_id subscription_id billing_reason collection_method currency period_start period_end subtotal"
    " discount tax total pending lines",
}

# Calls in their order; `name := call` keeps the id of what it makes as $name, and `@ moment` sets the clock.
STORY = """
@ 2026-03-01
currency_create('USD', kind => 'fiat')
customer_upsert('ann', 'Ann')
customer_upsert('ann', 'Anna')
customer_upsert('tmp')
customer_delete('tmp')
product := product_create('Pro')
product_update('$product', description => 'For all')
price := price_create('$product', unit_amount => 5, currency => 'USD')
price_update('$price', nickname => 'once')
other := product_create('Gone', prices => '[{"unit_amount": 1, "currency": "USD"}]')
product_delete('$other')
coupon := coupon_create('Ten', percent_off => 10)
coupon_update('$coupon', 'Ten percent')
code := promotion_code_create('$coupon', 'TEN')
promotion_code_update('$code', description => 'For friends')
promotion_code_delete('$code')
coupon_delete('$coupon')
link := payment_link_create('A link', '[{"price_id": "$price"}]')
payment_link_update('$link', 'Another name')
session := checkout_session_create('ann', 'payment', '[{"price_id": "$price"}]')
checkout_session_submit('ann', '$session')
payment_succeeded('ann', '$session', 'acme', 'p1')
late := checkout_session_create('ann', 'payment', '[{"price_id": "$price"}]')
checkout_session_expire('ann', '$late')
draft := invoice_create('ann', '[{"amount": 1}]', 'USD')
invoice_update('ann', '$draft', description => 'March')
invoice_delete('ann', '$draft')
bad := invoice_create('ann', '[{"amount": 1}]', 'USD', auto_finalize => true)
invoice_mark_uncollectible('ann', '$bad')
void := invoice_create('ann', '[{"amount": 1}]', 'USD', auto_finalize => true)
invoice_void('ann', '$void')
payment_method_attach('ann', 'acme', NULL, 'card')
due := invoice_create('ann', '[{"amount": 9}]', 'USD', auto_finalize => true)
intent = SELECT payment_intent_id FROM credits.invoices WHERE invoice_id = '$due'
payment_failed('ann', '$intent', 'acme', 'p2', 'declined')
payment_requires_action('ann', '$intent', 'https://bank.example/', 'acme', 'p3')
payment_processing('ann', '$intent', 'acme', 'p3')
payment_succeeded('ann', '$intent', 'acme', 'p3')
refund := refund_create('ann', '$intent', 1)
refund_cancel('ann', '$refund')
refund := refund_create('ann', '$intent', 2)
payment_refunded('ann', '$intent', 'acme', 'r1', 2, refund_id => '$refund')
refund := refund_create('ann', '$intent', 3)
payment_refund_failed('ann', '$intent', 'acme', 'r2', refund_id => '$refund')
plan := price_create('$product', 'recurring', 20, 'USD', recurring => '{"interval": "month"}')
customer_upsert('sue')
payment_method_attach('sue', 'acme', NULL, 'card')
sub := subscription_create('sue', '[{"price_id": "$plan"}]', 3)
subscription_update('sue', '$sub', description => 'Monthly')
@ 2026-03-04 00:00:01
maintain
intent = SELECT payment_intent_id FROM credits.invoices WHERE customer_id = 'sue' AND status = 'open'
payment_succeeded('sue', '$intent', 'acme', 's1')
more := price_create('$product', 'recurring', 5, 'USD', recurring => '{"interval": "month"}')
subscription_item_create('sue', '$sub', '$more')
subscription_pause('sue', '$sub')
subscription_resume('sue', '$sub')
subscription_cancel('sue', '$sub', 'period_end')
subscription_recover('sue', '$sub')
half := coupon_create('Half', percent_off => 50, duration => 'repeating', duration_in_months => 1)
customer_upsert('dan')
payment_method_attach('dan', 'acme', NULL, 'card')
off := subscription_create('dan', '[{"price_id": "$plan"}]', coupon_id => '$half')
intent = SELECT payment_intent_id FROM credits.invoices WHERE customer_id = 'dan' AND status = 'open'
payment_succeeded('dan', '$intent', 'acme', 'd1')
customer_upsert('tim')
payment_method_attach('tim', 'acme', NULL, 'card')
first := subscription_create('tim', '[{"price_id": "$plan"}]')
intent = SELECT payment_intent_id FROM credits.invoices WHERE customer_id = 'tim' AND status = 'open'
payment_succeeded('tim', '$intent', 'acme', 't1')
subscription_cancel('tim', '$first', 'now')
@ 2026-04-01 00:00:01
maintain
@ 2026-04-04 00:00:01
maintain
intent = SELECT payment_intent_id FROM credits.invoices WHERE customer_id = 'sue' AND status = 'open'
payment_failed('sue', '$intent', 'acme', 's2', 'declined')
payment_succeeded('sue', '$intent', 'acme', 's3')
@ 2026-05-04 00:00:01
maintain
subscription_cancel('sue', '$sub', 'now')
customer_upsert('bob')
meter_create('calls')
account_configure('bob', low_balance_threshold => 5)
credit_grant('bob', 10, expires_at => '2026-05-06')
credit_grant('bob', 1, expires_at => '2026-05-05')
maintain
@ 2026-05-05 12:00
maintain
wallet_debit('bob', 6)
report_meter_event('bob', 'calls', 10, 'e1')
webhook_test('$endpoint')
"""


class Teller:
    """Tells the story, and keeps what calls return."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.kept: dict[str, Any] = {}

    def tell(self, line: str) -> None:
        line = line.strip()
        if line.startswith("@"):
            self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [line[1:].strip() + "+00"])
        elif line == "maintain":
            self.connection.execute("CALL credits.maintain()")
        elif " := " in line:
            name, _, call = line.partition(" := ")
            self.kept[name] = self.value(f"SELECT * FROM credits.{call}", own_id=True)
        elif " = SELECT" in line:
            name, _, text = line.partition(" = ")
            self.kept[name] = self.value(text)
        elif line:
            self.connection.execute(self.filled(f"SELECT FROM credits.{line}"))

    def filled(self, text: str) -> bytes:
        return Template(text).substitute(self.kept).encode()

    def value(self, text: str, own_id: bool = False) -> Any:
        """The first value of the first row, or the id of what was made: it is called as its function is."""
        cursor = self.connection.execute(self.filled(text))
        row = cursor.fetchone()
        assert row is not None and cursor.description is not None, text
        noun = text.partition("credits.")[2].partition("_create")[0]
        names = [column.name for column in cursor.description]
        return row[names.index(f"{noun}_id")] if own_id else row[0]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on")
        connection.execute("SET credits.expiring_notice = '2 d'")
        connection.execute("SET credits.event_retention = '3650 d'")
        connection.execute("SET TimeZone = 'UTC'")
        teller = Teller(connection)
        teller.kept["endpoint"], never = connection.execute(
            "SELECT webhook_endpoint_id, never_sent FROM credits.webhook_endpoint_create('https://h.example', %s)", [[*NAMES, "*"]]
        ).fetchone()
        for line in STORY.splitlines():
            teller.tell(line)
        disable(connection)
        rows = connection.execute("SELECT type, object_type, data FROM credits.billing_events ORDER BY event_id").fetchall()
        produced = {row[0] for row in rows}
        checks.none(sorted(set(NAMES) - produced - set(never)), "every name is produced by a story")
        checks.none(sorted(produced & set(never)), "and none that is said to be never sent")
        checks.none(sorted(produced - set(NAMES)), "and no other")
        for event_type in sorted(produced):
            found = [(kind, data) for name, kind, data in rows if name == event_type]
            expected = columns(connection, event_type, found[0][0])
            # What was said of a customer that was deleted is gone.
            found = [(kind, data) for kind, data in found if data is not None]
            wrong = [sorted(set(data["object"]) ^ expected) for _, data in found if set(data["object"]) != expected]
            checks.none(wrong, f"{event_type}: its object has what is said")
            more = {key for _, data in found for key in data} - {"object"}
            allowed = {"previous_attributes"} if event_type.endswith(("updated",)) else set()
            checks.check(more <= allowed, f"{event_type}: and beside it what was before, of an update", more)
        checks.none(harness.verify(connection), "verify() finds nothing")


def columns(connection: psycopg.Connection[Any], event_type: str, object_type: str) -> set[str]:
    fixed = OBJECTS.get(event_type) or OBJECTS.get(object_type)
    if fixed is not None:
        return set(fixed.split())
    view, without = VIEWS[object_type]
    rows = connection.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = ('credits.' || %s)::regclass AND attnum > 0", [view]
    ).fetchall()
    return {name for (name,) in rows} - without


def disable(connection: psycopg.Connection[Any]) -> None:
    """An endpoint that takes nothing for three days."""
    connection.execute("SELECT set_config('credits.test_clock', '2026-06-01 00:00+00', false)")
    report = "SELECT FROM credits.webhook_claim('x', 1) c CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, 500) r"
    connection.execute(report)
    connection.execute("SELECT set_config('credits.test_clock', '2026-06-05 00:00+00', false)")
    connection.execute(report)
