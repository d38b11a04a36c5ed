"""The chapters of the story about money that comes in: every function and view of it that anybody may call, with real
arguments. It is paid in a currency of the story's own, so that nothing here meets another story.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from story import Story

# What is handed out to one consumer is deleted once it is acknowledged; another story's would keep it.
CONSUMER = "worker"
# Of every story's provider; no answer may have it in it.
SECRET = "whsec that nobody may read"
NOBODYS = "00000000-0000-0000-0000-000000000000"


def prepare(owner: psycopg.Connection[Any], name: str) -> None:
    """A purchase that nobody pays in time, and an account that has too little and asks for credits."""
    coin, cash = f"coin_{name}", f"cash_{name}"
    owner.execute("SELECT credits.currency_create(%s, decimals => 2, kind => 'fiat')", [cash])
    pack = "SELECT price_id FROM credits.package_create('Pack', 50, 5, %s, %s, time_to_live => '1 year')"
    (price_id,) = owner.execute(pack, [cash, coin]).fetchone()
    owner.execute("SELECT credits.top_up_create(%s, %s)", [name, price_id])
    owner.execute("SELECT credits.configure_recharge(%s, %s)", [coin, price_id])
    auto = "SELECT credits.configure_auto_recharge(%s, %s, threshold => 15, cooldown => '1 hour', timeout => '1 hour')"
    owner.execute(auto, [name, coin])


def read_all(it: Story) -> None:
    """Every function and view that only reads."""
    name, coin, cash = it.name, it.coin, it.cash
    it.call("exchange_rate", "%s, %s, '2020-06-02 00:00+00'", coin, cash)
    it.call("recharge_config", "%s", coin)
    it.call("auto_recharge_config", "%s, %s", name, coin)
    # Without what is every story's: what is on sale and metered.
    page = "SELECT pg_catalog.jsonb_delete(credits.billing_bootstrap(%s), 'packages', 'availablePackages', 'meters') AS page"
    it.run("billing_bootstrap", page, [name])
    it.read("packages", "price_id", "credit_currency")
    it.read("products", "product_id", "credit_currency")
    it.read("prices", "price_id", "credit_currency")
    it.read("exchange_rates", "effective_at", "currency")
    it.read("top_ups", "top_up_id")
    it.read("top_up_payments", "top_up_id, payment_no")
    it.read("payment_log", "payment_id")
    it.read("webhook_log", "event_id")
    it.read("recharge_log", "recharge_id")
    it.read("outbox_rows", "outbox_no")
    it.call("customer_overdue_invoices", "%s", name)
    it.run("search", "SELECT object, customer_id FROM credits.search(%s, '{customers,invoices}')", [name])
    it.read("invoices", "invoice_id")
    it.read("invoice_lines", "invoice_line_id")
    it.read("invoice_payments", "invoice_id, payment_no")
    it.read("checkout_sessions", "checkout_session_id")
    it.read("subscriptions", "subscription_id")
    it.read("subscription_items", "subscription_item_id")
    it.read("usage_records", "usage_record_id")
    it.read("usage_record_summaries", "usage_record_summary_id")
    it.read("invoiced_events", "identifier")
    links = "SELECT * FROM credits.payment_links WHERE currency OPERATOR(pg_catalog.=) %s ORDER BY payment_link_id"
    it.run("payment_links", links, [cash])
    it.call("checkout_session_verify", "'no token'")
    it.read("billing_events", "event_id")
    it.read("coupons", "coupon_id", "currency")
    it.read("promotion_codes", "promotion_code_id", "currency")
    it.read("discount_log", "holder_id, log_no")


def tell(it: Story) -> None:
    price_id = it.read("packages", "price_id", "credit_currency")[0]["price_id"]
    catalog(it, price_id)
    top_up_id = buy(it, price_id)
    take_back(it, top_up_id)
    webhooks(it, price_id)
    recharge(it)
    checkout(it, price_id)
    subscriptions(it)
    invoices(it, price_id)
    discounts(it)
    portal(it)
    outbox(it)
    endpoints(it)


def discounts(it: Story) -> None:
    """Coupons and codes that are made, changed, used and deleted."""
    name, coin = it.name, it.coin
    gift = json.dumps({"amount": 3, "currency": coin})
    given = it.call("coupon_create", "'Gift', credit_config => %s", gift).get("coupon_id")
    code = f"code_{name}"
    made = it.call("promotion_code_create", "%s, %s, customer_ids => ARRAY[%s, 'x']", given, code, name)
    it.call("promotion_code_update", "%s, max_redemptions => 5", made.get("promotion_code_id"))
    it.call("promotion_code_by_code", "%s", code)
    it.call("voucher_redeem", "%s, %s, 'voucher'", name, code)
    it.call("voucher_redeem", "%s, %s, 'voucher'", name, code)
    it.call("coupon_used", "%s", given)
    it.call("coupon_redemptions", "%s", given)
    it.call("promotion_code_used", "%s", made.get("promotion_code_id"))
    it.call("promotion_code_redemptions", "%s", made.get("promotion_code_id"))
    it.call("promotion_code_archive", "%s", made.get("promotion_code_id"))
    off = it.call("coupon_create", "'Off', amount_off => 2, currency => %s", coin).get("coupon_id")
    it.call("coupon_update", "%s, 'Off, too', redeem_by => '2131-01-01 00:00+00'", off)
    mistake = it.call("promotion_code_create", "%s, %s", off, f"mistake_{name}")
    it.call("promotion_code_delete", "%s", mistake.get("promotion_code_id"))
    it.call("coupon_delete", "%s", it.call("coupon_create", "'A mistake', percent_off => 5").get("coupon_id"))


def invoices(it: Story, price_id: Any) -> None:
    """What is written, given out, paid from the wallet and outside, voided, given up and deleted."""
    name, cash = it.name, it.cash
    item = it.call("invoice_item_create", "%s, %s, 2, 'A courier', tax_rate => 20, idempotency_key => 'item'", name, cash)
    it.call("invoice_item_delete", "%s, %s", name, item.get("invoice_line_id"))
    it.call("invoice_item_create", "%s, %s, 3, 'Stamps'", name, cash)
    lines = [{"price_id": str(price_id), "quantity": 2}, {"unit_amount": "0.105", "quantity": 3, "tax_behavior": "inclusive"}]
    terms = "%s, %s, tax_rate => 19, days_until_due => 0, idempotency_key => 'invoice'"
    paid = it.call("invoice_create", terms, name, json.dumps(lines)).get("invoice_id")
    it.call("invoice_update", "%s, %s, 'For a test', discount => 1", name, paid)
    it.call("invoice_finalize", "%s, %s", name, paid)
    it.call("wallet_credit", "%s, 4, %s", name, cash)
    it.call("invoice_pay", "%s, %s, 'wallet', 4, idempotency_key => 'part'", name, paid)
    it.call("invoice_pay", "%s, %s, 'outside', reference => 'a transfer'", name, paid)
    page = "SELECT pg_catalog.regexp_replace({}, 'datetime=\"[^\"]*\"', '', 'g') AS page"
    it.run("invoice_html", page.format("credits.invoice_html(%s, %s)"), [name, paid])
    it.run("my_invoice_html", page.format("credits.my_invoice_html(%s)"), [paid])
    it.call("payment_method_attach", "%s, 'shop', 'cus_9', 'pm_9', name => 'Another card'", name)
    terms = "%s, '[{\"amount\": 8}]', %s, auto_finalize => true, collection_method => 'send_invoice'"
    charged = it.call("invoice_create", terms, name, cash)
    it.call("invoice_pay", "%s, %s, 'provider'", name, charged.get("invoice_id"))
    intent = charged.get("payment_intent_id")
    it.call("payment_intent_begin", "%s, %s", name, intent)
    it.call("payment_processing", f"%s, %s, 'bank of {it.name}', 'p9'", name, intent)
    it.call("payment_requires_action", f"%s, %s, 'https://a.example/', 'bank of {it.name}', 'p9'", name, intent)
    it.call("payment_intent_update", "%s, %s, '{\"a\": 1}'", name, intent)
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p9'", name, intent)
    it.read("payment_intents", "payment_intent_id")
    refund = it.call("refund_create", "%s, %s, 2, description => 'Too much'", name, intent).get("refund_id")
    it.call("refund_cancel", "%s, %s", name, refund)
    refund = it.call("payment_intent_refund", "%s, %s, 3, 'duplicate'", name, intent).get("refund_id")
    it.call("refund_begin", "%s, %s", name, refund)
    it.call("payment_refund_failed", f"%s, %s, 'bank of {it.name}', 'r9', refund_id => %s", name, intent, refund)
    it.read("refunds", "refund_id")
    terms = "%s, '[{\"amount\": 9}]', %s, auto_finalize => true, billing_reason => 'deposit', collection_method => 'send_invoice'"
    deposit = it.call("invoice_create", terms, name, cash)
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p10'", name, deposit.get("payment_intent_id"))
    it.call("invoice_return_deposit", "%s, %s, 4, idempotency_key => 'back'", name, deposit.get("invoice_id"))
    it.call("invoice_return_deposit_info", "%s, %s", name, deposit.get("invoice_id"))
    for last in ("invoice_void", "invoice_mark_uncollectible", "invoice_delete"):
        terms = "%s, '[{\"amount\": 7}]', %s, auto_finalize => %s, due_date => '2020-02-01 00:00+00'"
        other = it.call("invoice_create", terms, name, cash, last != "invoice_delete").get("invoice_id")
        it.call(last, "%s, %s", name, other)


def checkout(it: Story, price_id: Any) -> None:
    """A cart that is changed, discounted, submitted and paid, one that is ended, and a link that is opened once."""
    name = it.name
    code = f"cart_{name}"
    it.call("promotion_code_create", "%s, %s", it.call("coupon_create", "'Less', percent_off => 20").get("coupon_id"), code)
    items = [{"price_id": str(price_id), "adjustable_quantity": {"maximum": 3}}]
    terms = "%s, line_items => %s, tax_rate => 19, collection_method => 'send_invoice', idempotency_key => 'cart',"
    terms += " allow_promotion_codes => true"
    cart = it.call("checkout_session_create", terms, name, json.dumps(items)).get("checkout_session_id")
    it.call("checkout_session_update", "%s, %s, quantities => %s", name, cart, json.dumps({str(price_id): 2}))
    it.call("checkout_session_apply_promotion_code", "%s, %s, %s", name, cart, code)
    it.call("checkout_session_remove_promotion_code", "%s, %s", name, cart)
    it.call("checkout_session_apply_promotion_code", "%s, %s, %s", name, cart, code)
    it.call("checkout_session_submit", "%s, %s", name, cart)
    it.call("checkout_session_submit", "%s, %s", name, cart)
    it.call("payment_succeeded", f"%s, %s, 'bank of {name}', 'p20', 9.52", name, cart)
    link = it.call("payment_link_create", "%s, %s", f"A pack of {name}", json.dumps(items)).get("payment_link_id")
    it.call("payment_link_update", "%s, metadata => '{\"c\": 3}'", link)
    other = it.call("payment_link_open", "%s, %s, quantities => %s", name, link, json.dumps({str(price_id): 3}))
    it.call("checkout_session_expire", "%s, %s", name, other.get("checkout_session_id"))
    it.call("payment_link_archive", "%s", link)


def subscriptions(it: Story) -> None:
    """A plan that is begun, changed, paused and taken up again, and whose end is taken back and comes."""
    name, key = it.name, f"plan_{it.name}"
    product_id = it.call("product_create", "%s", f"Plan of {name}").get("product_id")
    terms = """%s, 'recurring', 3, %s, recurring => '{"interval": "month"}', lookup_key => %s"""
    it.call("price_create", terms, product_id, it.cash, key)
    create = "%s, %s, collection_method => 'send_invoice', idempotency_key => 'plan'"
    plan = it.call("subscription_create", create, name, json.dumps([{"lookup_key": key}])).get("subscription_id")
    more = json.dumps([{"lookup_key": key, "quantity": 2}])
    it.call("subscription_preview", "%s, %s, %s", name, plan, more)
    it.call("subscription_update", "%s, %s, %s", name, plan, more)
    item = it.call("subscription_item_create", "%s, %s, lookup_key => %s", name, plan, key).get("subscription_item_id")
    it.call("subscription_item_update", "%s, %s, quantity => 2", name, item)
    it.call("subscription_item_delete", "%s, %s", name, item)
    it.call("subscription_pause", "%s, %s", name, plan)
    it.call("subscription_resume", "%s, %s", name, plan)
    it.call("subscription_cancel", "%s, %s", name, plan)
    it.call("subscription_recover", "%s, %s", name, plan)
    it.call("subscription_cancel", "%s, %s, 'now'", name, plan)
    tried = it.call("subscription_create", "%s, %s, 9", name, json.dumps([{"lookup_key": key}])).get("subscription_id")
    it.call("subscription_delete", "%s, %s", name, tried)
    usage(it, product_id)


def usage(it: Story, product_id: Any) -> None:
    """A plan whose usage is recorded."""
    # Until its usage is invoiced, nobody is erased.
    name, key = f"{it.name}_used", f"metered_{it.name}"
    terms = """%s, 'recurring', 3, %s, recurring => '{"interval": "month", "usage_type": "metered"}', lookup_key => %s"""
    it.call("price_create", terms, product_id, it.cash, key)
    plan = it.call("subscription_create", "%s, %s", name, json.dumps([{"lookup_key": key}])).get("items")
    item = plan[0]["subscription_item_id"] if plan else None
    it.call("usage_record_create", "%s, %s, 5, idempotency_key => 'used'", name, item)


def catalog(it: Story, price_id: Any) -> None:
    """What an administrator sells, for how much, and what no longer."""
    coin, cash = it.coin, it.cash
    terms = "'Box', description => 'A box', credit_currency => %s, credits => 100, category => 'paid', priority => 40,"
    terms += " time_to_live => '1 year', applicable_meters => ARRAY[%s], metadata => '{\"a\": 1}'"
    product_id = it.call("product_create", terms, coin, it.tokens).get("product_id")
    price_id = it.call("price_create", "%s, 'one_time', 9.99, %s", product_id, cash).get("price_id")
    it.call("price_update", "%s, nickname => 'A box', quantity_available => 5", price_id)
    it.call("price_inventory", "%s, 1, 'decrement'", price_id)
    it.call("price_delete", "%s", price_id)
    it.call("product_update", "%s, 'Bigger box', credits => 120", product_id)
    it.call("product_delete", "%s", product_id)
    old = it.call("package_create", "'Old pack', 10, 1, %s, %s", cash, coin)
    it.call("price_archive", "%s", old.get("price_id"))
    it.call("product_archive", "%s", old.get("product_id"))
    it.call("top_up_create", "%s, %s", it.name, old.get("price_id"))
    it.call("exchange_rate_set", "%s, %s, 0.05", coin, cash)
    it.call("exchange_rate_set", "%s, %s, 0.06, '2020-06-01 00:00+00'", coin, cash)
    it.call("configure_recharge", "%s, %s, 'https://pay.example/{customer_id}', 1, 500", coin, price_id)
    it.call("recharge_config", "%s", coin + "_2")
    template = "https://shop.example/?of={customer_id}&amount={amount}"
    it.call("payment_provider_set", "%s, %s, %s, 'the one that was before', 60", provider(it), SECRET, template)


def provider(it: Story) -> str:
    return f"shop_{it.name}"


def buy(it: Story, price_id: Any) -> Any:
    """A purchase by a price, paid; one by amount that fails; one that is given up. Returns the one that is paid."""
    name, coin = it.name, it.coin
    terms = "%s, %s, quantity => %s, return_url => 'https://a.example/', idempotency_key => 'buy', provider => %s"
    by_price = it.call("top_up_create", terms, name, price_id, 2, provider(it)).get("top_up_id")
    it.call("top_up_create", terms, name, price_id, 2, provider(it))
    it.call("top_up_create", terms, name, price_id, 3, provider(it))
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p1', 10", name, by_price)
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p1', 10", name, by_price)
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p2', 10", name, by_price)
    terms = "%s, amount => 4, currency => %s, credit_currency => %s, description => 'A few', metadata => '{\"b\": 2}'"
    by_amount = it.call("top_up_create", terms, name, it.cash, coin).get("top_up_id")
    it.call("payment_failed", f"%s, %s, 'bank of {it.name}', 'p3', 'no funds'", name, by_amount)
    given_up = it.call("top_up_create", "%s, %s", name, price_id).get("top_up_id")
    it.call("top_up_expire", "%s, %s", name, given_up)
    it.call("payment_succeeded", "%s, %s", name, NOBODYS)
    return by_price


def take_back(it: Story, top_up_id: Any) -> None:
    """Parts of a payment go back: some do not after all, and one dispute is won."""
    this = (it.name, top_up_id)
    it.call("payment_refunded", f"%s, %s, 'bank of {it.name}', 'r1', 4", *this)
    it.call("payment_refunded", f"%s, %s, 'bank of {it.name}', 'r1', 4", *this)
    it.call("payment_refund_failed", f"%s, %s, 'bank of {it.name}', 'r1'", *this)
    it.call("payment_refunded", "%s, %s, total_refunded => 2", *this)
    it.call("payment_disputed", f"%s, %s, 'bank of {it.name}', 'd1', 3", *this)
    it.call("payment_dispute_closed", f"%s, %s, 'bank of {it.name}', 'd1', true", *this)
    it.call("payment_disputed", f"%s, %s, 'bank of {it.name}', 'd2', 1, 'forgive'", *this)
    it.call("payment_dispute_closed", f"%s, %s, 'bank of {it.name}', 'd2', false", *this)


def webhooks(it: Story, price_id: Any) -> None:
    """A refund that waits for its payment, the payment, the payment again, and what nobody signed."""
    top_up_id = it.call("top_up_create", "%s, %s, provider => %s", it.name, price_id, provider(it)).get("top_up_id")
    back = {"id": "1", "type": "payment.refunded", "reference": "w1 back", "payment": "w1", "amount": 2}
    paid = {"id": "2", "type": "payment.succeeded", "reference": "w1", "amount": 5, "currency": it.cash,
            "customer_id": it.name, "top_up_id": str(top_up_id)}  # fmt: skip
    for event in (back, paid, paid):
        payload = json.dumps(event)
        signature = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        it.call("webhook_receive", "%s, %s, %s", provider(it), payload, signature)
    it.call("webhook_receive", "%s, %s, %s", provider(it), json.dumps(paid), "00" * 32)


def recharge(it: Story) -> None:
    """The account asks for credits, a worker begins, and the payment comes; then it asks no more."""
    name, coin = it.name, it.coin
    it.call("auto_recharge_config", "%s, %s", name, coin + "_2")
    terms = "%s, %s, true, 100000, quantity => 3, payment_method => 'card', max_amount_per_day => 100, cooldown => '0'"
    it.call("configure_auto_recharge", terms, name, coin)
    (open_one,) = (row for row in it.read("recharge_log", "recharge_id") if row["status"] == "requested")
    begun = it.call("recharge_begin", "%s, %s", name, open_one["recharge_id"])
    it.call("payment_succeeded", f"%s, %s, 'bank of {it.name}', 'p4'", name, begun.get("top_up_id"))
    it.call("recharge_begin", "%s, %s", name, open_one["recharge_id"])
    it.call("configure_auto_recharge", "%s, %s, false", name, coin)


def portal(it: Story) -> None:
    """A link to a billing page, as it was made and as somebody changed it."""
    made = it.call("billing_portal_session_create", "%s, 'https://a.example/back'", it.name)
    for token in (made.get("token"), f"x{made.get('token')}"):
        it.call("billing_portal_session_verify", "%s", token)
    it.call("billing_portal_key_rotate")
    it.call("billing_portal_session_verify", "%s", made.get("token"))


def outbox(it: Story) -> None:
    """A consumer is made, takes some, acknowledges what it did, takes more, and is removed."""
    it.call("outbox_consumer_create", "%s", CONSUMER)
    claim = "SELECT * FROM credits.outbox_claim(%s, %s, '1 hour')"
    taken = [row["outbox_id"] for row in it.run("outbox_claim", claim, [CONSUMER, 4])]
    it.run("outbox_claim", claim, [CONSUMER, 4])
    it.call("outbox_ack", "%s, %s", CONSUMER, taken[1:])
    it.call("outbox_ack", "%s, %s", CONSUMER, taken)
    it.run("outbox_claim", claim, [CONSUMER, 100])
    it.read("outbox_backlog", "consumer", None)
    it.call("outbox_release", "%s", CONSUMER)
    it.call("outbox_consumer_remove", "%s", CONSUMER)


def endpoints(it: Story) -> None:
    """An endpoint is made, sent an event, tried again, changed, looked at and deleted."""
    create = "'https://hooks.example/credits', ARRAY['webhook_endpoint.test'], idempotency_key => %s"
    endpoint = it.call("webhook_endpoint_create", create, it.name).get("webhook_endpoint_id")
    it.call("webhook_test", "%s", endpoint)
    for status in (503, 200):
        request = it.call("webhook_claim", "'sender', 20, '1 hour'")
        it.call("webhook_report", "%s, %s, 'answer'", request.get("attempt_id"), status)
        it.call("webhook_resend", "%s, %s", request.get("event_id"), endpoint)
    it.call("webhook_endpoint_update", "%s, description => 'Changed', new_secret => true", endpoint)
    for view in ("webhook_endpoints", "webhook_attempts"):
        it.run(view, f"SELECT * FROM credits.{view} WHERE webhook_endpoint_id OPERATOR(pg_catalog.=) %s ORDER BY 1", [endpoint])
    it.call("webhook_endpoint_delete", "%s", endpoint)
