-- A deposit pays what the last retry of a renewal could not. The clock is moved by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-01 00:00:00+00';
SET credits.subscription_retries = '1, 3';
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g') FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail]) s;
END $$;
CREATE FUNCTION due(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT i.payment_intent_id FROM credits.invoices i WHERE i.customer_id = customer AND i.status = 'open'
        ORDER BY i.created_at LIMIT 1);
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s WHERE s.customer_id = customer);
CREATE VIEW state AS
SELECT s.customer_id, s.status, s.overdraft_protection AS protected, s.past_due_at, w.available
FROM credits.subscriptions s LEFT JOIN credits.wallets w ON w.customer_id = s.customer_id AND w.currency = 'CREDIT'
ORDER BY s.customer_id;
CREATE VIEW bills AS
SELECT i.customer_id, i.billing_reason, i.status, i.total, i.amount_paid, p.paid_from, p.amount,
       p.deposit_id IS NOT NULL AS by_deposit
FROM credits.invoices i LEFT JOIN credits.invoice_payments p USING (customer_id, invoice_id)
ORDER BY i.customer_id, i.created_at, i.invoice_id, p.payment_no;
CREATE VIEW deposits AS
SELECT d.* FROM credits.invoices i, credits.invoice_return_deposit_info(i.customer_id, i.invoice_id) d
WHERE i.billing_reason IN ('deposit', 'overdraft_protection') ORDER BY d.customer_id, i.created_at, i.invoice_id;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 100, "schedule": {"expire_with_next_grant": true}}');
-- Everybody has a card, and pays January; Ben has no protection.
SELECT count(*) FROM (VALUES ('ann'), ('ben'), ('cat'), ('dan'), ('eve')) AS v (name),
    credits.customer_upsert(v.name) c,
    credits.payment_method_attach(c.customer_id, 'acmepay', NULL, 'card of ' || v.name) m,
    credits.subscription_create(m.customer_id, '[{"lookup_key": "pro"}]', days_until_cancel => 10,
        overdraft_protection => v.name <> 'ben') s;
SELECT count(*) FROM credits.subscriptions s,
    credits.payment_succeeded(s.customer_id, due(s.customer_id), 'acmepay', 'january ' || s.customer_id) p;
-- Ann has two deposits: one for this alone, which is used first, and another. Cat's is too small, Dan's in another
-- currency, and Eve's was given back.
CREATE FUNCTION deposit(customer text, amount numeric, reason text DEFAULT 'deposit', code text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
    SELECT i.status FROM credits.invoice_create(customer, jsonb_build_array(jsonb_build_object('amount', amount)), code,
        billing_reason => reason, auto_finalize => true) AS i $$;
CREATE FUNCTION received() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM credits.invoices i,
        credits.payment_succeeded(i.customer_id, i.payment_intent_id, 'acmepay', 'deposit ' || i.invoice_id) AS p
    WHERE i.status = 'open' AND i.billing_reason IN ('deposit', 'overdraft_protection') $$;
SELECT deposit('ann', 50), deposit('ann', 15, 'overdraft_protection'), deposit('ben', 50), deposit('cat', 19.99),
    deposit('dan', 50, code => 'EUR'), deposit('eve', 50);
SELECT received();
SELECT refused($$SELECT credits.invoice_create('ann', '[{"amount": 1}]', 'USD', billing_reason => 'stake')$$);
SELECT r.amount_returned FROM credits.invoices i, credits.invoice_return_deposit('eve', i.invoice_id) r
WHERE i.customer_id = 'eve' AND i.billing_reason = 'deposit';
SELECT * FROM state;

-- February: all cards are declined, and so is the first retry.
CREATE FUNCTION declined(number integer) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT p.status FROM (SELECT DISTINCT customer_id FROM credits.invoices WHERE status = 'open'
                          ORDER BY customer_id) AS i,
    LATERAL (SELECT * FROM credits.payment_failed(i.customer_id, due(i.customer_id), 'acmepay',
        i.customer_id || number, 'declined')) AS p $$;
SET credits.test_clock = '2026-02-01 00:00:00+00';
CALL credits.maintain();
SELECT count(*) FROM declined(1);
SET credits.test_clock = '2026-02-02 00:00:00+00';
CALL credits.maintain();
SELECT count(*) FROM declined(2);
CALL credits.maintain();
SELECT * FROM state;
-- The last retry: as it fails the deposit pays, with the next maintain() or call.
SET credits.test_clock = '2026-02-04 00:00:00+00';
CALL credits.maintain();
SELECT customer_id, status FROM credits.subscriptions WHERE status <> 'past_due';
SELECT count(*) FROM declined(3);
CALL credits.maintain();
SELECT * FROM state;
SELECT * FROM bills WHERE customer_id IN ('ann', 'cat');
SELECT customer_id, currency, amount, amount_used, amount_returned, amount_returnable FROM deposits;
SELECT i.status, t.status AS intent FROM credits.invoices i
JOIN credits.payment_intents t USING (customer_id, payment_intent_id)
WHERE i.customer_id = 'ann' AND i.billing_reason = 'subscription_cycle';
SELECT * FROM credits.verify();
-- What is used does not go back: not as the deposit's return, nor as a refund.
SELECT invoice_id AS own FROM credits.invoices
WHERE customer_id = 'ann' AND billing_reason = 'overdraft_protection' \gset
SELECT invoice_id AS other, payment_intent_id AS paid FROM credits.invoices
WHERE customer_id = 'ann' AND billing_reason = 'deposit' \gset
SELECT refused(format($$SELECT credits.invoice_return_deposit('ann', %L)$$, :'own'));
SELECT refused(format($$SELECT credits.invoice_return_deposit('ann', %L, 45.01)$$, :'other'));
SELECT refused(format($$SELECT credits.refund_create('ann', %L, 45.01)$$, :'paid'));
SELECT amount_used, amount_returned, amount_returnable FROM credits.invoice_return_deposit('ann', :'other', 30);
-- March: 15 are left, and 20 due. Nothing is paid in part.
SET credits.test_clock = '2026-03-01 00:00:00+00';
CALL credits.maintain();
SELECT count(*) FROM declined(4);
SET credits.test_clock = '2026-03-04 00:00:00+00';
CALL credits.maintain();
SELECT count(*) FROM declined(5);
SET credits.test_clock = '2026-03-06 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ann';
-- Another deposit: it is tried once more before the subscription is given up.
SELECT deposit('ann', 5, 'overdraft_protection');
SELECT received();
SET credits.test_clock = '2026-03-12 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT * FROM bills WHERE customer_id = 'ann' AND billing_reason = 'subscription_cycle';
SELECT customer_id, currency, amount, amount_used, amount_returned, amount_returnable FROM deposits
WHERE customer_id = 'ann';
SELECT * FROM credits.verify();

-- Nobody has a card any more: the last retry asks nobody, and the deposit pays at once. Switched off, it does not.
SELECT deposit('ann', 40);
SELECT received();
SELECT overdraft_protection FROM credits.subscription_update('ann', sub('ann'), overdraft_protection => false);
SELECT count(*) FROM credits.payment_methods m, credits.payment_method_detach('ann', m.payment_method_id) d
WHERE m.customer_id = 'ann';
SET credits.test_clock = '2026-04-01 00:00:00+00';
CALL credits.maintain();
SELECT status FROM credits.subscriptions WHERE customer_id = 'ann';
SELECT overdraft_protection FROM credits.subscription_update('ann', sub('ann'), overdraft_protection => true);
SET credits.test_clock = '2026-04-05 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ann';
SELECT * FROM credits.verify();
-- No retries at all: the first failure is the last. May is covered, and June is not.
SET credits.subscription_retries = '';
SET credits.test_clock = '2026-05-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ann';
SET credits.test_clock = '2026-06-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ann';
SELECT * FROM credits.verify();

-- The rule of verify() finds what breaks it.
BEGIN;
UPDATE credits_internal.invoice_payments SET amount = amount + 100 WHERE deposit_id IS NOT NULL AND customer_id = 'ann';
SELECT problem, expected, found FROM credits.verify('ann') WHERE problem LIKE 'deposit%';
ROLLBACK;
BEGIN;
UPDATE credits_internal.invoice_payments p SET deposit_id = p.invoice_id
WHERE deposit_id IS NOT NULL AND customer_id = 'ann';
SELECT DISTINCT problem FROM credits.verify('ann') WHERE problem LIKE 'deposit%';
ROLLBACK;
