"""What is in a database since 0.3.0, filled in addition: an older one, filled to be upgraded, has no such functions."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filled import Filler


def fill(filler: Filler) -> None:
    """A row at least in each new table, through each new function."""
    fallbacks(filler)
    reversals(filler)
    captures(filler)
    limits(filler)
    overrides(filler)
    costs(filler)
    rollovers(filler)
    adjustments(filler)
    invoices(filler)
    history(filler)
    customers(filler)
    values(filler)
    calendars(filler)
    catalog(filler)
    events(filler)
    stock(filler)
    discounts(filler)
    checkout(filler)
    subscriptions(filler)
    webhooks(filler)


def fallbacks(filler: Filler) -> None:
    """Usage that two currencies paid."""
    filler.call("meter_create", "'both', currency => 'COIN', unit_price => 2")
    filler.call("meter_update", "'both', fallback_currency => 'CREDIT', fallback_rate => 0.25")
    filler.call("wallet_credit", "'dan', 5, 'COIN'")
    filler.call("wallet_credit", "'dan', 5")
    filler.event("dan", "both", 8, "both paid")
    filler.event("dan", "both", 1, "the second paid")
    fixed = ("identifier", "status", "returned")
    filler.keep("meter_event_cancel", "'dan', 'the second paid'", fixed=fixed)


def reversals(filler: Filler) -> None:
    """What operations took, given back in part."""
    fixed = ("operation_id", "reversed_operation_id", "currency", "taken", "returned")
    filler.keep("operation_reverse", "'ann', NULL, 'd1', 0.5, 'Half of it failed', 'r1'", fixed=fixed)


def captures(filler: Filler) -> None:
    """A hold that was changed, and captured in parts: under a key, as usage, and leaving something owed."""
    hold = filler.call("hold_create", "'ann', 8, NULL, '1 year', 'in parts'")["hold_id"]
    fixed = ("hold_id", "capture_id", "capture_amount")
    part = "'ann', %s, 2, 'A part', final => false, idempotency_key => 'part'"
    filler.keep("hold_capture", part, hold, fixed=fixed)
    usage = "'ann', %s, event_name => 'tokens', value => 700, identifier => 'held', final => false"
    filler.keep("hold_capture", usage, hold, fixed=fixed)
    filler.call("hold_update", "'ann', %s, amount => 7", hold)


def limits(filler: Filler) -> None:
    """What a customer and a member may spend."""
    filler.call("balance_alert_set", "'ann', levels => '{40, 15}', kind => 'percent'")
    filler.call("usage_limit_set", "'ann', NULL, 1000, 'month'")
    filler.call("usage_limit_set", "'ann', 'tokens', 5000, 'day', 'notify'")
    filler.call("member_limit_set", "'ann', 'kim', 20, '90 days'")
    debit = ("operation_id", "currency", "debited")
    filler.keep("wallet_debit", "'ann', 0.5, NULL, 'by kim', member_id => 'kim'", fixed=debit)
    filler.keep("report_meter_event", "'ann', 'tokens', 100, 'kim 1', member_id => 'kim'", fixed=("identifier",))


def overrides(filler: Filler) -> None:
    """A price of a customer's own."""
    filler.call("meter_price_override", "'ann', 'tiers', discount_percent => 50")
    filler.event("ann", "tiers", 1, "tiers 3")


def costs(filler: Filler) -> None:
    """A grant that says what was paid for it."""
    filler.grant("ann", 3, "cost", "category => 'paid', priority => 60, cost_amount => 9.99, cost_currency => 'COIN'")


def rollovers(filler: Filler) -> None:
    """Grants that have rolled over, one of them with a cost, and one that has yet to."""
    terms = "priority => 95, expires_at => '2025-01-06 00:00+00', rollover => %s"
    twice = '{"percent": 50, "max": 9, "max_times": 2, "expires_after": "10 days"}'
    filler.grant("ann", 12, "rolls", f"category => 'paid', cost_amount => 10, cost_currency => 'COIN', {terms % _text(twice)}")
    filler.grant("ann", 6, "rolls on", terms % _text('{"expires_after": "1 month"}'))


def _text(json_text: str) -> str:
    return f"'{json_text}'"


def adjustments(filler: Filler) -> None:
    """Usage that had another value: of an event that is its own line, and of one that owes."""
    filler.event("ann", "tokens", 50, "adjusted")
    fixed = ("identifier", "value")
    filler.keep("meter_event_adjust", "'ann', 'adjusted', 30, 'counted again'", fixed=fixed)
    filler.keep("meter_event_adjust", "'cid', 'owed', 11000", fixed=fixed)


def invoices(filler: Filler) -> None:
    """One that is paid from the wallet and outside, a draft, one that left something over, and a void one."""
    filler.call("wallet_credit", "'ann', 50, 'COIN'")
    lines = """'[{"unit_amount": 2.5, "quantity": 4}, {"amount": 3, "discount": 1, "tax_behavior": "inclusive"}]'"""
    fixed = ("invoice_id", "total")
    sent = "auto_finalize => true, collection_method => 'send_invoice'"
    create = f"'ann', {lines}, 'COIN', tax_rate => 20, {sent}, idempotency_key => 'an invoice'"
    invoice_id = filler.keep("invoice_create", create, fixed=fixed)["invoice_id"]
    part = "'ann', %s, 'wallet', 5, idempotency_key => 'a part'"
    filler.keep("invoice_pay", part, invoice_id, fixed=("invoice_id",))
    filler.call("invoice_pay", "'ann', %s, 'outside', reference => 'a transfer'", invoice_id)
    void = filler.call("invoice_create", f"'ann', '[{{\"amount\": 9}}]', 'COIN', {sent}")["invoice_id"]
    filler.call("invoice_pay", "'ann', %s, 'wallet', 4", void)
    filler.call("invoice_void", "'ann', %s", void)
    create = "'ann', '[{\"amount\": 1}]', 'COIN', auto_finalize => true, idempotency_key => 'from the wallet'"
    filler.keep("invoice_create", create, fixed=fixed)
    filler.call("invoice_create", "'ann', '[{\"amount\": -2}]', 'COIN', auto_finalize => true")
    filler.keep("invoice_item_create", "'ann', 'COIN', 1, 'pending', idempotency_key => 'an item'", fixed=("invoice_line_id",))
    filler.call("invoice_create", "'ann', '[{\"amount\": 6}]', 'COIN', pending_items => 'exclude'")


def refunds(filler: Filler) -> None:
    """An invoice that a provider's payment paid, and what goes back of it: asked for, begun, and failed."""
    filler.call("payment_method_attach", "'ann', 'shop', 'cus_1', 'pm_9'")
    create = "'ann', '[{\"amount\": 30}, {\"amount\": 10}]', 'USD', auto_finalize => true, idempotency_key => 'charged'"
    intent = filler.keep("invoice_create", create, fixed=("payment_intent_id",))["payment_intent_id"]
    filler.call("payment_intent_begin", "'ann', %s", intent)
    filler.keep("payment_succeeded", "'ann', %s, 'shop', 'charge 9', 40", intent, fixed=("top_up_id", "status"))
    filler.keep("refund_create", "'ann', %s, 4, idempotency_key => 'a refund'", intent, fixed=("refund_id", "amount"))
    begun = filler.call("refund_create", "'ann', %s, 5", intent)["refund_id"]
    filler.call("refund_begin", "'ann', %s", begun)
    failed = filler.call("refund_create", "'ann', %s, 6", intent)["refund_id"]
    filler.call("payment_refund_failed", "'ann', %s, 'shop', 'refund 9', refund_id => %s", intent, failed)


def history(filler: Filler) -> None:
    """A past that was imported, with something owed in it, and a balance below zero that was brought along."""
    entries = """[
        {"type": "grant", "at": "2024-06-01T00:00:00Z", "amount": 20, "expires_at": "2024-07-01T00:00:00Z"},
        {"type": "debit", "at": "2024-06-10T00:00:00Z", "amount": 4, "idempotency_key": "then"},
        {"type": "usage", "at": "2024-07-02T00:00:00Z", "event_name": "tokens", "value": 70, "identifier": "then"},
        {"type": "usage", "at": "2024-07-03T00:00:00Z", "event_name": "tokens", "identifier": "charged", "credits": 2},
        {"type": "debit", "at": "2024-07-04T00:00:00Z", "amount": 3}]"""
    fixed = ("customer_id", "entries", "first_at", "last_at", "finished")
    filler.keep("history_import", "'moved', %s, idempotency_key => 'move'", entries, fixed=fixed)
    fixed = ("operation_id", "adjusted")
    filler.keep("wallet_adjust", "'negative', -15, 'opening_balance', idempotency_key => 'opening'", fixed=fixed)


def customers(filler: Filler) -> None:
    """More of a customer, who can be charged; and one who cannot any more."""
    details = (
        "phone => '1'", "description => 'Often'", "currency => 'COIN'", "invoice_prefix => 'ANN'", "tax_rate => 19",
        """address => '{"line1": "Main Street 1", "city": "Bonn", "country": "DE"}'""",
        """shipping => '{"name": "Ann"}'""", """preferences => '{"a": 1}'""",
    )  # fmt: skip
    filler.call("customer_upsert", "'ann', " + ", ".join(details))
    fixed = ("payment_method_id", "reference")
    filler.keep("payment_method_attach", "'ann', 'stripe', 'cus_1', 'pm_1', '2031-01-01', name => 'A card'", fixed=fixed)
    other = filler.call("payment_method_attach", "'ann', 'stripe', 'cus_1', 'pm_2'")
    fixed = ("payment_method_id", "status")
    filler.keep("payment_method_detach", "'ann', %s", other["payment_method_id"], fixed=fixed)


def values(filler: Filler) -> None:
    """Usage of different values, of which one was taken back."""
    filler.call("meter_create", "'users', currency => 'COIN', aggregation => 'unique', unique_by => 'user', period => 'month'")
    for number, user in enumerate(("kim", "kim", "lee", 7)):
        metadata = json.dumps({"user": user})
        event = "'ann', 'users', 1, %s, metadata => %s"
        filler.keep("report_meter_event", event, f"user {number}", metadata, fixed=("identifier",))
    filler.keep("meter_event_cancel", "'ann', 'user 2'", fixed=("identifier", "status", "returned"))


def calendars(filler: Filler) -> None:
    """Usage of a period that begins in a time zone, and of one that begins at a billing date."""
    filler.call("customer_upsert", "'ann', time_zone => 'Asia/Kathmandu', billing_anchor => '2026-01-31 09:30Z'")
    for name, begins in (("in a zone", "time_zone => 'Europe/Berlin'"), ("billed", "period_from => 'billing_date'"),
                         ("at home", "period_from => 'customer'")):  # fmt: skip
        filler.call("meter_create", f"%s, aggregation => 'max', period => 'month', {begins}", name)
        filler.event("ann", name, 3, f"{name} 1")


def catalog(filler: Filler) -> None:
    """Products and prices of other kinds, each under a key; one that was sold, and one with tiers."""
    filler.call("currency_create", "'GBP', kind => 'fiat'")
    prices = '[{"type": "recurring", "unit_amount": 12.5, "currency": "GBP", "recurring": {"interval": "month"}}]'
    plan = '{"amount": 300, "schedule": {"delivery": "schedule", "every": "1 day"}, "rollover": {"percent": 50}}'
    terms = f"'Team', credit_config => '{plan}', prices => '{prices}', idempotency_key => 'team'"
    made = filler.keep("product_create", terms, fixed=("product_id", "credit_config"))
    tiers = '{"mode": "volume", "tiers": [{"up_to": 9, "unit_price": 2}, {"unit_price": 1.5}]}'
    terms = f"%s, currency => 'GBP', pricing => '{tiers}', lookup_key => 'tiers', idempotency_key => 'tiers'"
    made = filler.keep("price_create", terms, made["product_id"], fixed=("price_id", "pricing", "lookup_key"))
    filler.call("top_up_create", "'ann', %s, quantity => 10", made["price_id"])


def events(filler: Filler) -> None:
    """Billing events of a product that was deleted, and of a customer that was: its numbers go on where it comes back."""
    product_id = filler.call("product_create", "'Gone', prices => '[{\"unit_amount\": 1, \"currency\": \"COIN\"}]'")["product_id"]
    filler.call("product_delete", "%s", product_id)
    filler.call("customer_upsert", "'gone', 'Gone', 'gone@example.com'")
    filler.call("customer_delete", "'gone'")
    filler.call("customer_upsert", "'gone'")


def stock(filler: Filler) -> None:
    """A price with few units, of which one is sold, and one was given back; and one that has any number again."""
    terms = "(SELECT product_id FROM credits.products WHERE name = 'Team'), unit_amount => 2, currency => 'GBP', %s => %s"
    keyed = terms % ("idempotency_key => 'few', quantity_available", 3)
    few = filler.keep("price_create", keyed, fixed=("price_id",))["price_id"]
    fixed = ("price_id", "quantity_available")
    filler.keep("price_inventory", "%s, 2, 'decrement', idempotency_key => 'stock'", few, fixed=fixed)
    for void in (True, False):
        invoice = f"""'ann', '[{{"price_id": "{few}"}}]', auto_finalize => true"""
        invoice_id = filler.call("invoice_create", invoice)["invoice_id"]
        if void:
            filler.call("invoice_void", "'ann', %s", invoice_id)
    any_number = filler.call("price_create", terms % ("quantity_available", 0))["price_id"]
    filler.call("price_update", "%s, quantity_available => -1", any_number)


def discounts(filler: Filler) -> None:
    """A coupon with a code for certain customers, a voucher that was redeemed under a key, and one that nobody used."""
    codes = '[{"code": "GIFT", "customer_ids": ["ann", "dan"]}]'
    gift = f"""'Gift', credit_config => '{{"amount": 5, "currency": "COIN"}}', max_redemptions => 9, promotion_codes => '{codes}'"""
    fixed = ("coupon_id", "credit_config")
    coupon_id = filler.keep("coupon_create", f"{gift}, idempotency_key => 'gift'", fixed=fixed)["coupon_id"]
    terms = "%s, 'PROOF', verification_type => 'attested', max_redemptions => 2, idempotency_key => 'proof'"
    filler.keep("promotion_code_create", terms, coupon_id, fixed=("promotion_code_id", "code"))
    redeem = "'ann', 'gift', idempotency_key => 'voucher'"
    filler.keep("voucher_redeem", redeem, fixed=("grant_id", "credits", "promotion_code_id"))
    filler.call("voucher_redeem", """'dan', 'proof', verification_data => '{"seen": true}'""")
    filler.call("coupon_create", "'Ten', amount_off => 10, currency => 'GBP', redeem_by => now() + interval '1 year'")


def subscriptions(filler: Filler) -> None:
    """One that is paid, with instalments to come and a change that is pending; one that is tried out, with a code."""
    terms = "(SELECT product_id FROM credits.products WHERE name = 'Team'), 'recurring', 30, 'GBP', "
    credits = """credit_config => '{"amount": 12, "currency": "COIN", "schedule": {"delivery": "schedule", "every": "10 days"}}'"""
    filler.call("price_create", f"""{terms} recurring => '{{"interval": "month"}}', lookup_key => 'plan', {credits}""")
    create = """'ann', '[{"lookup_key": "plan"}]', idempotency_key => 'a plan'"""
    fixed = ("subscription_id", "billing_cycle_anchor")
    plan = filler.keep("subscription_create", create, fixed=fixed)
    due = filler.call("invoice_finalize", "'ann', %s", plan["latest_invoice_id"])["payment_intent_id"]
    filler.call("payment_succeeded", "'ann', %s, 'shop', 'plan 1'", due)
    usage(filler)  # before the change, since an invoice for usage takes what is pending too
    more = """'ann', %s, '[{"lookup_key": "plan", "quantity": 2}]'"""
    filler.call("subscription_update", more, plan["subscription_id"])
    filler.call("coupon_create", """'Plans', percent_off => 5, duration => 'forever', promotion_codes => '[{"code": "PLANS"}]'""")
    tried = """'bob', '[{"lookup_key": "plan"}]', trial_period_days => 9, promotion_code => 'plans'"""
    filler.call("subscription_create", tried)
    # And of those that begin in checkout sessions, one that is paid, one that is not, and one that is tried out.
    begins = """'bob', 'subscription', '[{"lookup_key": "plan"}]', collection_method => 'send_invoice', subscription_data => """
    actions = """'{"service_actions": [{"trigger_events": ["customer.subscription.deleted"]}]}'"""
    for end, data in (("paid", actions), ("open", "NULL"), ("trial", """'{"trial_period_days": 9}'""")):
        cart_id = filler.call("checkout_session_create", begins + data)["checkout_session_id"]
        filler.call("checkout_session_submit", "'bob', %s", cart_id)
        if end == "paid":
            filler.call("payment_succeeded", "'bob', %s, 'shop', 'plan 2', 30", cart_id)
    link = """'A plan', '[{"lookup_key": "plan"}]', subscription_data => '{"trial_period_days": 9}'"""
    filler.call("payment_link_create", link)
    owed(filler)
    provided(filler)


def usage(filler: Filler) -> None:
    """Usage of a plan that goes on, recorded under a key; and of one that has ended, which is invoiced."""
    metered = """'{"interval": "month", "usage_type": "metered", "aggregate_usage": "last_ever"}'"""
    terms = f"(SELECT product_id FROM credits.products WHERE name = 'Team'), 'recurring', 2, 'GBP', recurring => {metered}"
    filler.call("price_create", f"{terms}, lookup_key => 'usage'")
    filler.connection.execute("SET credits.usage_grace = 0")
    for name in ("bob", "ann"):
        plan = filler.call("subscription_create", f"""'{name}', '[{{"lookup_key": "usage"}}]'""")
        used = f"'{name}', %s, 2.5, 'set', idempotency_key => 'used'"
        fixed = ("usage_record_id", "quantity", "timestamp", "total_usage")
        filler.keep("usage_record_create", used, plan["items"][0]["subscription_item_id"], fixed=fixed)
    # The first call ends it, the second finds that its usage is to be invoiced.
    filler.call("subscription_cancel", "'ann', %s, 'now'", plan["subscription_id"])
    filler.call("subscription_cancel", "'ann', %s, 'now'", plan["subscription_id"])
    usage_by_events(filler)
    filler.connection.execute("RESET credits.usage_grace")


def owed(filler: Filler) -> None:
    """What a customer owed as a subscription ended, on its last invoice."""
    filler.call("wallet_adjust", "'eve', -15, 'opening_balance', 'COIN'")
    plan = """'eve', '[{"lookup_key": "plan"}]', at_period_end => 'invoice', overage_rate => 0.5"""
    plan = filler.call("subscription_create", plan + ", idempotency_key => 'eve''s plan'")
    due = filler.call("invoice_finalize", "'eve', %s", plan["latest_invoice_id"])["payment_intent_id"]
    filler.call("payment_succeeded", "'eve', %s, 'shop', 'eve 1'", due)
    filler.call("subscription_cancel", "'eve', %s, 'now'", plan["subscription_id"])


def usage_by_events(filler: Filler) -> None:
    """Usage that a meter's events say: what was invoiced, and what waits; and what happened before there was a plan."""
    filler.call("meter_create", "'metered', currency => 'GBP', aggregation => 'max', settlement => 'invoice'")
    recurring = """'{"interval": "month", "usage_type": "metered", "meter": "metered"}'"""
    terms = "(SELECT product_id FROM credits.products WHERE name = 'Team'), 'recurring', currency => 'GBP', lookup_key => 'metered'"
    filler.call("price_create", f"{terms}, recurring => {recurring}")
    filler.call("report_meter_event", "'ann', 'metered', 1, 'before the plan'")
    for name in ("bob", "ann"):
        plan = filler.call("subscription_create", f"""'{name}', '[{{"lookup_key": "metered"}}]'""")
        fixed = ("identifier", "status", "consumed")
        filler.keep("report_meter_event", f"'{name}', 'metered', 2.5, 'metered 1'", fixed=fixed)
    filler.call("subscription_cancel", "'ann', %s, 'now'", plan["subscription_id"])
    filler.call("subscription_cancel", "'ann', %s, 'now'", plan["subscription_id"])


def provided(filler: Filler) -> None:
    """One whose plan a provider bills, and an invoice of it that is paid."""
    # As bought.py sets it.
    secret = "whsec of stripe, whole"
    filler.call("payment_provider_set", "'stripe', %s, tolerance => 8640000", secret)
    named = "collection_method => 'external', provider => 'stripe', provider_reference => 'sub_1'"
    create = """'ann', '[{"lookup_key": "plan"}]', """ + named
    filler.call("subscription_create", create)
    span = {"start": 1700000000, "end": 1702592000}
    line = {"amount": 3000, "period": span, "price": {"id": "price_1", "lookup_key": "plan"}, "subscription_item": "si_1"}
    invoice = {"id": "in_1", "subscription": "sub_1", "currency": "gbp", "amount_paid": 3000, "lines": {"data": [line]}}
    event = {"id": "evt_plan_1", "type": "invoice.paid", "created": 1700000001, "data": {"object": invoice}}
    body = json.dumps(event)
    digest = hmac.new(secret.encode(), f"1738368000.{body}".encode(), hashlib.sha256).hexdigest()
    fixed = ("event_id", "outcome", "customer_id", "top_up_id")
    filler.keep("webhook_receive", "'stripe', %s, %s", body, f"t=1738368000,v1={digest}", fixed=fixed)


def checkout(filler: Filler) -> None:
    """Carts: one that is open, one that is paid for, one that waits for its payment, and one that was ended; and a link."""
    terms = "(SELECT product_id FROM credits.products WHERE name = 'Team'), unit_amount => 3, currency => 'GBP'"
    price = filler.call("price_create", f"{terms}, lookup_key => 'cart', quantity_available => 9")["price_id"]
    items = '[{"lookup_key": "cart", "adjustable_quantity": {"maximum": 4}}]'
    fixed = ("checkout_session_id", "amount_subtotal")
    create = f"'ann', line_items => '{items}', tax_rate => 20, idempotency_key => 'a cart'"
    filler.keep("checkout_session_create", create, fixed=fixed)
    for end in ("paid", "submitted", "expired"):
        cart = filler.call("checkout_session_create", f"'ann', line_items => '{items}', collection_method => 'send_invoice'")
        cart_id = cart["checkout_session_id"]
        filler.call("checkout_session_submit", "'ann', %s", cart_id)
        if end == "paid":
            due = filler.call("checkout_session_submit", "'ann', %s", cart_id)["amount_total"]
            filler.call("payment_succeeded", "'ann', %s, 'shop', 'cart 1', %s", cart_id, due)
        if end == "expired":
            filler.call("checkout_session_expire", "'ann', %s", cart_id)
    create = f"'A link', '{items}', lookup_key => 'link', idempotency_key => 'a link'"
    link = filler.keep("payment_link_create", create, fixed=("payment_link_id", "name"))["payment_link_id"]
    filler.keep("payment_link_open", "'bob', %s, idempotency_key => 'opened'", link, fixed=fixed)
    filler.call("price_inventory", "%s, 1, 'decrement'", price)


def webhooks(filler: Filler) -> None:
    """An endpoint, and an event that it was sent, did not take, and is sent again."""
    endpoint = filler.call("webhook_endpoint_create", "'https://hooks.example/credits', '{*}', 'All'")["webhook_endpoint_id"]
    filler.call("webhook_endpoint_update", "%s, new_secret => true, overlap => '30 days'", endpoint)
    filler.call("customer_upsert", "'hooked', 'Hooked'")
    filler.call("customer_upsert", "'hooked', 'Hooked again'")
    attempt = filler.call("webhook_claim", "'filler', lease => '1 hour'")["attempt_id"]
    filler.call("webhook_report", "%s, 503, 'busy'", attempt)
