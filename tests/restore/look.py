"""What two databases are compared by: what readers are told, and what rights there are."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import bought
import psycopg
from filled import CUSTOMERS, NOW, rows

Connection = psycopg.Connection[Any]

VIEWS = {
    "customers": "1", "currencies": "1", "wallets": "1, 2", "grants": "1, 2", "holds": "1, 2", "trial_balance": "1, 2",
    "ledger": "1, 2, 3", "usage": "1, 2", "usage_by_period": "1, 2, period_start, price_version", "meters": "1",
    "rejected_events": "1",
    "backlog": "1", "packages": "price_id", "products": "1", "prices": "1", "exchange_rates": "1, 2, 4",
    "top_ups": "1, 2", "top_up_payments": "1, 2, 3", "payment_log": "payment_id", "webhook_log": "1, 2", "recharge_log": "1, 2",
    "outbox_rows": "1, 2",
}  # fmt: skip
CONFIGURATIONS = (
    "recharge_config()", "auto_recharge_config('hal')", "auto_recharge_config('ida')",
    "exchange_rate('CREDIT', 'USD')", "exchange_rate('CREDIT', 'USD', '2025-07-01 00:00+00')",
    "billing_bootstrap('fay')", "billing_bootstrap('hal')", "search('hal')", "search('usd', page_size => 1000)",
)  # fmt: skip
# Lists of rights in a fixed order: that in which they were given is nobody's business.
ACL = "SELECT array_agg(one::text ORDER BY one::text COLLATE \"C\") FROM unnest({}) AS one"
RIGHTS = f"""
    SELECT 'schema' AS kind, nspname::text AS name, ({ACL.format("nspacl")}) AS rights
    FROM pg_namespace WHERE nspname IN ('credits', 'credits_internal')
    UNION ALL
    SELECT 'relation', pg_class.oid::regclass::text, ({ACL.format("relacl")}) FROM pg_class
    WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'column', attrelid::regclass || '.' || attname, ({ACL.format("attacl")}) FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND attacl IS NOT NULL
    UNION ALL
    SELECT 'routine', pg_proc.oid::regprocedure::text, ({ACL.format("proacl")}) FROM pg_proc
    WHERE pronamespace::regnamespace::text ~ '^credits(_internal)?$'
    UNION ALL
    SELECT 'type', pg_type.oid::regtype::text, ({ACL.format("typacl")}) FROM pg_type
    WHERE typnamespace::regnamespace::text ~ '^credits(_internal)?$' AND typtype = 'c'
"""
# What a dump would leave out, in whole or in part, except the key that links are signed with.
LEFT_OUT = """
    SELECT relname FROM pg_class
    WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$'
      AND relkind IN ('r', 'p', 'S') AND relname <> 'signing_keys' AND NOT EXISTS (
        SELECT FROM pg_extension CROSS JOIN unnest(extconfig, extcondition) AS dumped (relation, condition)
        WHERE extname = 'pg_credits' AND dumped.relation = pg_class.oid AND dumped.condition = '')
"""


def let_it_be_now(connection: Connection) -> None:
    """From here on it is NOW in this session."""
    connection.execute("SELECT set_config('credits.test_clock', %s, false)", [NOW])


def answers(connection: Connection) -> dict[str, Any]:
    """What readers are told, by what they asked."""
    found: dict[str, Any] = {
        f"wallet_balance of {customer}": rows(connection, "SELECT * FROM credits.wallet_balance(%s) ORDER BY currency", [customer])
        for customer in (*CUSTOMERS, *bought.CUSTOMERS)
    }
    for call in CONFIGURATIONS:
        found[call] = rows(connection, f"SELECT * FROM credits.{call}")
    for view, order in VIEWS.items():
        found[view] = rows(connection, f"SELECT * FROM credits.{view} ORDER BY {order}")
    return found


def summary(connection: Connection) -> dict[str, Any]:
    """The same without ids and the times of the calls, for what happened in two databases and not in one."""
    lines = (
        "SELECT customer_id, currency, line_no, type, amount, running_balance, held, pending, grant_name, identifier,"
        " effective_at FROM credits.ledger ORDER BY 1, 2, 3"
    )
    purchases = (
        "SELECT customer_id, status, quantity, amount, currency, credits, provider_reference, paid_amount,"
        " refunded_amount, disputed_amount, dispute_status, reclaimed, description FROM credits.top_ups"
        " ORDER BY customer_id, top_up_id"
    )
    payments = (
        "SELECT customer_id, type, provider, provider_reference, payment_reference, amount, counts, contradiction"
        " FROM credits.payment_log"
        " ORDER BY payment_id"
    )
    recharges = "SELECT customer_id, status, amount, reason FROM credits.recharge_log ORDER BY customer_id, recharge_id"
    outbox = (
        "SELECT customer_id, outbox_no, type, payload - '{top_up_id,grant_id,recharge_id}'::text[] AS payload"
        " FROM credits.outbox_rows ORDER BY 1, 2"
    )
    return {
        "purchases": rows(connection, purchases),
        "payments": rows(connection, payments),
        "recharges": rows(connection, recharges),
        "outbox": rows(connection, outbox),
        "wallets": rows(connection, "SELECT w.*, NULL AS created_at FROM credits.wallets AS w ORDER BY 1, 2"),
        "trial_balance": rows(connection, "SELECT * FROM credits.trial_balance"),
        "ledger": rows(connection, lines),
    }


def rights(connection: Connection) -> dict[tuple[str, str], Any]:
    return {(row["kind"], row["name"]): row["rights"] for row in rows(connection, RIGHTS)}


def different(one: dict[Any, Any], other: dict[Any, Any]) -> list[str]:
    """What two of these do not have in common, each in a line; of lists of rows the first row that is another."""
    wrong = []
    for key in one.keys() | other.keys():
        first, second = one.get(key, "missing"), other.get(key, "missing")
        if first == second:
            continue
        if isinstance(first, list) and isinstance(second, list):
            first, second = next(pair for pair in zip_longest(first, second) if pair[0] != pair[1])
        wrong.append(f"{key}: {shown(first)}, restored {shown(second)}")
    return wrong


def shown(value: Any) -> str:
    """A value as it is printed; of a row what is in it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items() if one is not None)
    return str(value)
