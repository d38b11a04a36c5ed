"""A shop of some years, for tests of search and of lists: customers, their invoices, payment intents and refunds, written into
the tables at once."""

from __future__ import annotations

from typing import Any

import psycopg

# Names of two parts, of syllables: as many different ones as a shop of that size has.
NAMES = """
CREATE FUNCTION pg_temp.name(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(initcap((ARRAY['ka', 'lo', 'mi', 'ren', 'su', 'tor', 'vel', 'dan'])[1 + (h >> 0) % 8]
                      || (ARRAY['ba', 'ne', 'ri', 'sa', 'to', 'wen', 'xi', 'zu'])[1 + (h >> 3) % 8]
                      || (ARRAY['d', 'l', 'n', 'r', 's', 't', 'm', 'k'])[1 + (h >> 6) % 8]
                      || (ARRAY['', 'a', 'berg', 'eva', 'ic', 'o', 'sen', 'ski'])[1 + (h >> 9) % 8]), ' ')
    FROM (VALUES (n * 2654435761), (n * 40503 + 7)) v (x) CROSS JOIN LATERAL (SELECT abs(hashint8(x)) AS h) k
$$;
"""

CUSTOMERS = """
INSERT INTO credits_internal.customers (customer_id, name, email, phone, address, currency, invoice_prefix, metadata,
                                        created_at, updated_at)
SELECT 'cust_' || n, m.name, lower(replace(m.name, ' ', '.')) || n || '@' || (ARRAY['example.com', 'example.org',
       'mail.example'])[1 + n %% 3], '+49 30 ' || 1000000 + n,
       jsonb_build_object('line1', 'Street ' || n %% 900, 'city', (ARRAY['Berlin', 'Lagos', 'Łódź', 'São Paulo'])[1 + n %% 4],
                          'postal_code', lpad((n %% 99999)::text, 5, '0'), 'country', 'DE'),
       'USD', 'P' || lpad(n::text, 8, '0'),
       jsonb_build_object('crm_id', 'CRM-' || n, 'segment', (ARRAY['retail', 'agency', 'school'])[1 + n %% 3]),
       timestamptz '2023-01-01' + n * (interval '1000 days' / %(customers)s), now()
FROM generate_series(1, %(customers)s::bigint) n CROSS JOIN LATERAL (SELECT pg_temp.name(n) AS name) m;
"""

# Newest last, as rows come. Words of every frequency: all have usd, most paid, a hundredth autumn, a ten-thousandth seldom;
# legacy is frequent among the oldest alone.
INVOICES = """
INSERT INTO credits_internal.invoices (
    customer_id, invoice_id, status, billing_reason, currency, number, number_prefix, number_no, description, metadata,
    given_discount, subtotal, tax, total, total_excluding_tax, amount_due, amount_paid, customer_name, customer_email,
    customer_address, collection_method, created_at, updated_at, finalized_at, paid_at)
SELECT c.customer_id, gen_random_uuid(), CASE WHEN n %% 10 = 0 THEN 'open' ELSE 'paid' END,
       CASE WHEN n %% 4 = 3 THEN 'recharge' ELSE 'manual' END, 'USD',
       c.invoice_prefix || '-' || lpad((n / %(customers)s + 1)::text, 4, '0'), c.invoice_prefix, n / %(customers)s + 1,
       'Plan ' || (ARRAY['basic', 'pro', 'team'])[1 + n %% 3] || ' for ' || 1 + n %% 40 || ' seats'
       || CASE WHEN n %% 100 = 1 THEN ', autumn offer' ELSE '' END
       || CASE WHEN n %% 10000 = 2 THEN ', seldom sold' ELSE '' END
       || CASE WHEN n < %(invoices)s * 0.3 THEN ', legacy terms' ELSE '' END,
       jsonb_build_object('order', 'ORD-' || lpad(n::text, 8, '0'), 'region', (ARRAY['eu-west', 'us-east'])[1 + n %% 2]),
       0, a.amount, round(a.amount * 0.19, 2), round(a.amount * 1.19, 2), a.amount, round(a.amount * 1.19, 2),
       CASE WHEN n %% 10 = 0 THEN 0 ELSE round(a.amount * 1.19, 2) END, c.name, c.email, c.address,
       'charge_automatically', t.at, t.at, t.at, CASE WHEN n %% 10 = 0 THEN NULL ELSE t.at END
FROM generate_series(1, %(invoices)s::bigint) n
JOIN credits_internal.customers c ON c.customer_id = 'cust_' || 1 + n %% %(customers)s
CROSS JOIN LATERAL (SELECT timestamptz '2023-02-01' + n * (interval '1000 days' / %(invoices)s) AS at) t
CROSS JOIN LATERAL (SELECT 5 + (n * 7919 %% 90000) / 100.0 AS amount) a;
"""

LINES = """
INSERT INTO credits_internal.invoice_lines (
    customer_id, invoice_line_id, invoice_id, line_no, currency, description, amount, given_discount, tax_behavior, discount,
    tax, amount_excluding_tax, created_at, updated_at)
SELECT i.customer_id, gen_random_uuid(), i.invoice_id, 1, i.currency, 'Seats', i.subtotal, 0, 'exclusive', 0, i.tax,
       i.subtotal, i.created_at, i.created_at
FROM credits_internal.invoices i;
"""

INTENTS = """
INSERT INTO credits_internal.payment_intents (
    customer_id, payment_intent_id, invoice_id, status, amount, currency, due_amount, paid_amount, provider,
    provider_reference, created_at, updated_at, paid_at)
SELECT i.customer_id, gen_random_uuid(), i.invoice_id, CASE WHEN i.paid_at IS NULL THEN 'canceled' ELSE 'succeeded' END,
       i.total, i.currency, i.total, i.amount_paid, 'stripe', 'pi_' || md5(i.invoice_id::text), i.created_at, i.created_at,
       i.paid_at
FROM credits_internal.invoices i;
"""

REFUNDS = """
INSERT INTO credits_internal.refunds (
    customer_id, refund_id, payment_intent_id, invoice_id, status, amount, currency, takes_credits, reason, description,
    provider, created_at, updated_at, closed_at)
SELECT t.customer_id, gen_random_uuid(), t.payment_intent_id, t.invoice_id, 'succeeded', t.amount, t.currency, true,
       'requested_by_customer', 'Wrong plan', 'stripe', t.created_at, t.created_at, t.created_at
FROM credits_internal.payment_intents t WHERE t.paid_at IS NOT NULL AND hashtext(t.provider_reference) %% 50 = 0;
"""

# What lists have besides: a coupon and its code, a link and a session for some customers, all of them expired.
COUPONS = """
INSERT INTO credits_internal.coupons (coupon_id, name, percent_off, duration, active, created_at, updated_at)
SELECT gen_random_uuid(), 'Spring ' || n, 10, 'once', true, now(), now()
FROM generate_series(1, %(customers)s::bigint / 2) n;
"""

CODES = """
INSERT INTO credits_internal.promotion_codes (promotion_code_id, coupon_id, code, code_key, active, verification_type,
                                              for_customers, created_at, updated_at)
SELECT gen_random_uuid(), c.coupon_id, c.name, c.name, true, 'code', false, c.created_at, c.created_at
FROM credits_internal.coupons c;
"""

COUNTERS = """
INSERT INTO credits_internal.coupon_counters (coupon_id) SELECT coupon_id FROM credits_internal.coupons;
INSERT INTO credits_internal.promotion_code_counters (promotion_code_id)
SELECT promotion_code_id FROM credits_internal.promotion_codes;
"""

LINKS = """
INSERT INTO credits_internal.payment_links (payment_link_id, name, line_items, currency, allow_promotion_codes, created_at,
                                            updated_at)
SELECT gen_random_uuid(), 'Link ' || n, '[]', 'USD', false, now(), now()
FROM generate_series(1, %(customers)s::bigint / 2) n;
"""

SESSIONS = """
INSERT INTO credits_internal.checkout_sessions (
    customer_id, checkout_session_id, mode, status, payment_status, currency, line_items, amount_subtotal, amount_discount,
    amount_tax, amount_total, collection_method, allow_promotion_codes, created_at, updated_at, expires_at)
SELECT c.customer_id, gen_random_uuid(), 'payment', 'expired', 'unpaid', 'USD', '[]', 1, 0, 0, 1, 'charge_automatically',
       false, c.created_at, c.created_at, c.created_at
FROM credits_internal.customers c;
"""


def fill(connection: psycopg.Connection[Any], customers: int, invoices: int) -> None:
    """Puts so many there, a payment intent for each invoice and a refund for a few."""
    sizes = {"customers": customers, "invoices": invoices}
    connection.execute(NAMES)
    for statement in (CUSTOMERS, INVOICES, LINES, INTENTS, REFUNDS, COUPONS, CODES, LINKS, SESSIONS):
        connection.execute(statement, sizes)
    connection.execute(COUNTERS)
    connection.execute("VACUUM ANALYZE")
