"""Every function that writes is called by one of the random mixes, beside a model, or it is said here why not."""

from __future__ import annotations

from typing import Any

import psycopg

import acts
import calls
import told
from support.harness import Checks
from support.writing import uncalled

# By the purchases, which hold what they come to against what was told.
BY_PURCHASES = (
    *(function for function, _ in told.CALLS.values()), "top_up_create", "recharge_begin", "configure_auto_recharge",
    "outbox_claim", "outbox_ack", "webhook_receive", "customer_erase",
)  # fmt: skip
BY_STRESS = "by all sessions at once in lock_order.py, where nothing but order and verify() is looked at"
BY_PAIRS = "by two sessions at once in two_sessions/, where it waits for the other"
ONE_ROW = "a row of the catalogue that no balance depends on: its writers wait for each other"
OF_INVOICES = "under the lock of the customer's invoices: two_sessions/billing, and beside a model in tests/invoicing"
EXCEPTED = {
    **dict.fromkeys(
        ("invoice_create", "invoice_delete", "invoice_finalize", "invoice_item_create", "invoice_item_delete",
         "invoice_mark_uncollectible", "invoice_pay", "invoice_return_deposit", "invoice_update", "invoice_void"),
        OF_INVOICES,
    ),
    **dict.fromkeys(
        ("payment_intent_begin", "payment_intent_refund", "payment_intent_update", "payment_processing",
         "payment_requires_action", "refund_begin", "refund_cancel", "refund_create"),
        "under the lock of the customer's payment intents: two_sessions/same_intent.py",
    ),
    **dict.fromkeys(
        ("checkout_session_apply_promotion_code", "checkout_session_create", "checkout_session_expire",
         "checkout_session_remove_promotion_code", "checkout_session_submit", "checkout_session_update",
         "payment_link_open"),
        "under the lock of the customer's sessions: two_sessions/billing/same_session.py and same_subscribed_session.py",
    ),
    **dict.fromkeys(
        ("subscription_delete", "subscription_item_create", "subscription_item_delete", "subscription_item_update",
         "subscription_cancel", "subscription_create", "subscription_pause", "subscription_preview", "subscription_recover",
         "subscription_resume", "subscription_update"),
        "under the lock of the customer's subscriptions: two_sessions/billing/same_subscription.py",
    ),
    "usage_record_create": "under the lock of the customer's subscriptions: two_sessions/billing/same_usage.py",
    "payment_link_archive": ONE_ROW, "payment_link_create": ONE_ROW, "payment_link_update": ONE_ROW,
    "customer_delete": BY_PAIRS, "payment_method_attach": BY_PAIRS, "payment_method_detach": BY_PAIRS,
    "history_import": "into an empty account, which nothing else may use: six sessions at once in tests/replay/moved.py",
    "customer_metadata_clear": BY_STRESS, "customer_upsert": BY_STRESS,
    "exchange_rate_set": BY_STRESS, "configure_recharge": BY_STRESS, "maintain_batch": BY_STRESS, "settle": BY_STRESS,
    "currency_update": BY_PAIRS, "meter_activate": BY_PAIRS, "meter_deactivate": BY_PAIRS,
    "outbox_consumer_create": BY_STRESS, "payment_provider_set": BY_STRESS,
    "outbox_consumer_remove": ONE_ROW, "outbox_release": "tests/payments/outbox.py: rows come back to whoever claims next",
    **dict.fromkeys(
        ("price_archive", "price_create", "price_delete", "price_update", "product_archive", "product_create",
         "product_delete", "product_update"),
        "a row of the catalogue that no balance depends on, beside a sale: two_sessions/catalog",
    ),
    **dict.fromkeys(
        ("coupon_create", "coupon_delete", "coupon_update", "promotion_code_archive", "promotion_code_create",
         "promotion_code_delete", "promotion_code_update", "voucher_redeem"),
        "a row of the catalogue and a counter, beside those who use it: two_sessions/catalog/same_coupon.py and discounts.py",
    ),
    **dict.fromkeys(
        ("webhook_claim", "webhook_endpoint_create", "webhook_endpoint_delete", "webhook_endpoint_update", "webhook_report",
         "webhook_resend", "webhook_test"),
        "rows of deliveries, which no balance depends on: two senders at once, and each pair of calls, in tests/webhooks",
    ),
    "price_inventory": "a counter, beside sales of the same price: stock.py",
    "inbox_discard": "of rows that were rejected, which nobody else touches: tests/pg_regress/sql/inbox.sql",
    "inbox_retry": "as inbox_discard",
    "billing_portal_key_rotate": "it writes a key of the whole database, and touches no customer",
    "billing_portal_session_create": "it writes nothing but a key where there is none",
    "reset": "it empties the database, under a lock against everybody",
}  # fmt: skip


def run(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    called = {*calls.FUNCTIONS, *acts.SQL, *BY_PURCHASES}
    called -= {"wallet_balance"}
    checks.none(uncalled(connection, called, EXCEPTED), "every function that writes is in a mix, or excepted with a reason")
