"""Every function that writes is in the mix that is killed, or it is said here why not."""

from __future__ import annotations

from typing import Any

import psycopg

from calls import SQL
from support.harness import Checks
from support.writing import uncalled

ONE_ROW = "one row of the catalogue or the settings, in one statement: PostgreSQL's own"
ENDS = "it writes what credit_grant_void does, under the same lock"
TIME = "it posts what time brings, and nothing falls due here: the state at any moment is in tests/concurrency/mix"
SAME = "it is written as another is: "
EXCEPTED = {
    **dict.fromkeys(
        ("account_configure", "balance_alert_set", "billing_portal_key_rotate", "billing_portal_session_create",
         "configure_recharge", "coupon_create", "coupon_delete", "coupon_update",
         "currency_create", "currency_update", "customer_erase", "customer_metadata_clear",
         "customer_delete", "customer_upsert", "exchange_rate_set", "meter_activate", "meter_create", "meter_deactivate",
         "meter_price_override",
         "meter_price_override_end", "meter_update", "outbox_consumer_create", "outbox_consumer_remove", "package_create",
         "payment_link_archive", "payment_link_create", "payment_link_update", "payment_method_attach",
         "payment_method_detach", "payment_provider_set", "price_archive", "price_create",
         "price_delete", "price_inventory", "price_update", "product_archive", "product_create", "product_delete",
         "product_update", "promotion_code_archive", "promotion_code_create", "promotion_code_delete",
         "promotion_code_update"),
        ONE_ROW,
    ),
    "credit_grant_suspend": ENDS, "credit_grant_resume": ENDS, "credit_grant_update": ENDS,
    "maintain": TIME, "maintain_batch": TIME, "settle": "deferred usage is settled in a crash in tests/metering",
    "inbox_discard": ONE_ROW, "inbox_retry": ONE_ROW,
    "payment_failed": SAME + "payment_succeeded", "payment_disputed": SAME + "payment_refunded",
    "payment_dispute_closed": SAME + "payment_refunded", "payment_refund_failed": SAME + "payment_refunded",
    "top_up_expire": SAME + "payment_succeeded", "webhook_receive": SAME + "what it reports, in one transaction with that",
    "configure_auto_recharge": SAME + "top_up_create", "recharge_begin": SAME + "top_up_create",
    "outbox_claim": "what is claimed comes back by itself: at least once", "outbox_ack": ONE_ROW, "outbox_release": ONE_ROW,
    "usage_limit_set": "set before the mix, whose spending it counts", "member_limit_set": "as usage_limit_set",
    **dict.fromkeys(
        ("invoice_create", "invoice_delete", "invoice_finalize", "invoice_item_create", "invoice_item_delete",
         "invoice_mark_uncollectible", "invoice_update", "invoice_void"),
        "rows of an invoice alone, in one statement or under the lock of the customer's",
    ),
    **dict.fromkeys(
        ("payment_intent_begin", "payment_intent_update", "payment_processing", "payment_requires_action", "refund_begin"),
        "rows of a payment intent alone, in one statement or under the lock of the customer's",
    ),
    **dict.fromkeys(("payment_intent_refund", "refund_cancel", "refund_create"), SAME + "payment_refunded"),
    "invoice_return_deposit": SAME + "operation_reverse and payment_refunded",
    "invoice_pay": SAME + "wallet_debit and credit_grant, with the invoice's row",
    **dict.fromkeys(
        ("checkout_session_apply_promotion_code", "checkout_session_create", "checkout_session_expire",
         "checkout_session_remove_promotion_code", "checkout_session_submit", "checkout_session_update",
         "payment_link_open"),
        SAME + "top_up_create, with a row of its own, in one transaction",
    ),
    **dict.fromkeys(
        ("subscription_delete", "subscription_item_create", "subscription_item_delete", "subscription_item_update",
         "subscription_preview", "subscription_recover", "subscription_resume", "subscription_update"),
        SAME + "subscription_create and subscription_pause, in one transaction; what time does is in renewals.py",
    ),
    "usage_record_create": SAME + "wallet_debit, with rows of its own",
    **dict.fromkeys(
        ("webhook_claim", "webhook_report", "webhook_resend", "webhook_test"),
        "what is claimed comes back by itself: at least once; a sender is killed in tests/webhooks",
    ),
    **dict.fromkeys(("webhook_endpoint_create", "webhook_endpoint_delete", "webhook_endpoint_update"), ONE_ROW),
    "history_import": "one transaction of what the others write: tests/replay/moved.py has it fail half-way",
    "voucher_redeem": SAME + "credit_grant, with a redemption and a counter",
    "reset": "it empties the database",
}  # fmt: skip


def run(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    called = {text.partition("(")[0] for text in SQL.values()} | {"report_meter_events"}
    checks.none(uncalled(connection, called, EXCEPTED), "every function that writes is in the mix, or excepted with a reason")
