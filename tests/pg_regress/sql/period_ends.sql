-- What becomes of credits that are owed as a period ends: they stay owed, are written off, or go on the next invoice.
-- The clock is moved by hand; the figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-01 00:00:00+00';
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
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
-- What is open of a customer's is paid by card.
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
CREATE VIEW purses AS
SELECT w.customer_id, w.currency, w.available, w.restricted, w.pending, w.invoiced FROM credits.wallets w
ORDER BY w.customer_id, w.currency;
CREATE VIEW bills AS
SELECT i.customer_id, i.status, i.billing_reason, i.tax, i.total FROM credits.invoices i
ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW bill_lines AS
SELECT l.customer_id, l.description, l.quantity, l.unit_amount, l.amount, l.period_start::date AS from,
       l.period_end::date AS until
FROM credits.invoice_lines l ORDER BY l.customer_id, l.created_at, l.line_no;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('CREDIT', decimals => 6);
SELECT FROM credits.currency_create('GPU', decimals => 3);
SELECT FROM credits.meter_create('chat', currency => 'CREDIT');
SELECT FROM credits.meter_create('draw', currency => 'CREDIT');
SELECT FROM credits.meter_create('train', currency => 'GPU');
SELECT FROM credits.meter_create('later', currency => 'CREDIT', settlement => 'deferred');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro',
    credit_config => '{"amount": 100, "schedule": {"delivery": "invoice", "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'pro', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'gpu', credit_config => '{"amount": 10, "currency": "GPU",
        "schedule": {"delivery": "invoice", "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'pro', 'recurring', 1, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'bare');
CREATE FUNCTION used(customer text, name text, amount numeric, key text) RETURNS text LANGUAGE sql
RETURN (SELECT e.status || ' ' || e.consumed || ' + ' || e.pending
    FROM credits.report_meter_event(customer, name, amount, key) e);

-- What is refused.
SELECT refused($$SELECT credits.subscription_create('x', '[{"lookup_key": "pro"}]', at_period_end => 'never')$$);
SELECT refused($$SELECT credits.subscription_create('x', '[{"lookup_key": "pro"}]', at_period_end => 'invoice')$$);
SELECT refused($$SELECT credits.subscription_create('x', '[{"lookup_key": "pro"}]', overage_rate => 0)$$);
SELECT refused($$SELECT credits.subscription_create('x', '[{"lookup_key": "pro"}]', overage_rate => 0.0000000000001)$$);
SELECT count(*) FROM credits.subscriptions;

-- Three customers, one for each: in January each uses 130 of 100.
SELECT s.customer_id, s.at_period_end, s.overage_rate
FROM (VALUES ('carry', NULL), ('forgive', NULL), ('invoice', 0.025)) AS v (name, rate),
     credits.subscription_create(v.name, '[{"lookup_key": "pro"}]', at_period_end => v.name, overage_rate => v.rate) s;
SELECT pay('carry'), pay('forgive'), pay('invoice');
SELECT refused(format($$SELECT credits.subscription_update('carry', %L, at_period_end => 'invoice')$$, sub('carry')));
SELECT refused($$SELECT credits.subscription_create('invoice', '[{"lookup_key": "pro"}]', at_period_end => 'invoice',
    overage_rate => 1)$$);
SELECT used(v.name, 'chat', 130, 'january') FROM (VALUES ('carry'), ('forgive'), ('invoice')) AS v (name);
SELECT * FROM purses;

-- Nobody looked until the 3rd of February. Meanwhile 8 more were used, which are none of January's.
SET credits.test_clock = '2026-02-02 00:00:00+00';
SELECT used(v.name, 'draw', 8, 'february') FROM (VALUES ('carry'), ('forgive'), ('invoice')) AS v (name);
SET credits.test_clock = '2026-02-03 00:00:00+00';
CALL credits.maintain();
SELECT * FROM purses;
SELECT * FROM bills WHERE customer_id <> 'forgive';
SELECT * FROM bill_lines WHERE customer_id = 'invoice';
-- The event says that it is paid, and the ledger by what.
SELECT customer_id, identifier, credits, consumed, pending, status FROM credits.usage WHERE identifier = 'january'
ORDER BY customer_id;
SELECT customer_id, name, category, granted_by, amount, remaining, status, cost_amount FROM credits.grants
WHERE granted_by = 'subscription' ORDER BY customer_id;
SELECT type, amount, running_balance, pending, grant_name FROM credits.wallet_history('invoice', 'CREDIT');
-- New credits pay what is pending, not what is invoiced.
SELECT FROM credits.wallet_credit('invoice', 10);
SELECT available, pending, invoiced FROM credits.wallets WHERE customer_id = 'invoice' AND currency = 'CREDIT';
SELECT * FROM credits.pending_amount('invoice');
-- overdraft_limit counts both.
SELECT FROM credits.account_configure('invoice', overdraft_limit => 40);
SELECT refused($$SELECT credits.report_meter_event('invoice', 'chat', 13, 'too much')$$);
SELECT used('invoice', 'chat', 12, 'just so');
SELECT available, pending, invoiced FROM credits.wallets WHERE customer_id = 'invoice' AND currency = 'CREDIT';
SELECT can_continue, reason, pending, invoiced FROM credits.credit_availability('invoice', 1, max_pending => 40);
SELECT can_continue, reason, pending, invoiced FROM credits.credit_availability('invoice', 1, max_pending => 41);
SELECT refused(format($$SELECT credits.credit_grant_void('invoice', %L, spent => 'pending')$$,
    (SELECT grant_id FROM credits.grants WHERE name = 'Owed credits, invoiced')));
SELECT * FROM credits.verify();
-- Paid: it is closed, and February's credits pay what is pending first.
SELECT pay('invoice');
SELECT * FROM purses WHERE customer_id = 'invoice';
SELECT currency, balance, pending, invoiced FROM credits.wallet_balance_at('invoice', 'CREDIT', '2026-02-01 12:00+00');
SET credits.test_clock = '2026-02-04 00:00:00+00';
SELECT currency, balance, pending, invoiced FROM credits.wallet_balance_at('invoice', 'CREDIT', '2026-02-03 00:00+00');
SELECT * FROM credits.verify();

-- Usage that is taken back: what was invoiced comes back as credits, what was written off is gone.
SELECT status FROM credits.meter_event_cancel('invoice', 'january', 'a mistake');
SELECT status FROM credits.meter_event_cancel('forgive', 'january', 'a mistake');
SELECT * FROM purses WHERE customer_id IN ('forgive', 'invoice');
SELECT * FROM credits.verify();

-- The line: rounded once, with the customer's tax, of each account that the plan grants in; with events of a deferred
-- meter. The other subscription grants nothing: it is about credits.default_currency.
SET credits.test_clock = '2026-03-01 00:00:00+00';
SELECT FROM credits.customer_upsert('both', tax_rate => 20);
SELECT status FROM credits.subscription_create('both', '[{"lookup_key": "pro"}, {"lookup_key": "gpu"}]',
    at_period_end => 'invoice', overage_rate => 0.0333);
SELECT pay('both');
SELECT used('both', 'chat', 100.111, '1'), used('both', 'draw', 50.5, '2'), used('both', 'train', 11.125, '3');
SELECT status FROM credits.report_meter_event('both', 'later', 2, '4');
-- One subscription of an account may say so.
SELECT refused($$SELECT credits.subscription_create('both', '[{"lookup_key": "gpu"}]', at_period_end => 'invoice',
    overage_rate => 1)$$);
SET credits.test_clock = '2026-03-01 00:01:00+00';
SELECT status FROM credits.subscription_create('both', '[{"lookup_key": "bare"}]', overage_rate => 1);
SELECT refused(format($$SELECT credits.subscription_update('both', %L, at_period_end => 'invoice')$$, sub('both')));
-- Nor does an item that is added, by whichever call, or only looked at.
SELECT status FROM credits.subscription_create('items', '[{"lookup_key": "pro"}]', at_period_end => 'invoice',
    overage_rate => 1);
SELECT status FROM credits.subscription_create('items', '[{"lookup_key": "gpu"}]', at_period_end => 'invoice',
    overage_rate => 1, collection_method => 'send_invoice');
CREATE FUNCTION of_gpu() RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = 'items' AND s.collection_method = 'send_invoice');
SELECT refused(format($$SELECT credits.subscription_item_create('items', %L, lookup_key => 'pro')$$, of_gpu()));
SELECT refused(format($$SELECT credits.subscription_update('items', %L, '[{"lookup_key": "pro"}]')$$, of_gpu()));
SELECT refused(format($$SELECT credits.subscription_preview('items', %L, '[{"lookup_key": "pro"}]')$$, of_gpu()));
SELECT status FROM credits.subscription_update('items', of_gpu(), description => 'what it says of itself is free');
SELECT pay('both');
SET credits.test_clock = '2026-04-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM purses WHERE customer_id = 'both';
SELECT * FROM bill_lines WHERE customer_id = 'both' AND "from" < '2026-04-01' AND description LIKE 'Credits%';
SELECT * FROM bills WHERE customer_id = 'both';
SELECT * FROM credits.verify();

-- Void: it is owed again, by the meters that may pay it. Uncollectible: it stays on the invoice, until that is paid.
SELECT invoice_id AS bill FROM credits.invoices
WHERE customer_id = 'both' AND status = 'open' AND total > 10 \gset
SELECT status FROM credits.invoice_void('both', :'bill');
SELECT * FROM purses WHERE customer_id = 'both';
SELECT FROM credits.credit_grant('both', 30, applicable_meters => ARRAY['draw']);
SELECT * FROM purses WHERE customer_id = 'both';
SELECT * FROM credits.verify();
SET credits.test_clock = '2026-05-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM purses WHERE customer_id = 'both';
SELECT invoice_id AS bill FROM credits.invoices
WHERE customer_id = 'both' AND status = 'open' AND total > 20 \gset
SELECT status FROM credits.invoice_mark_uncollectible('both', :'bill');
SELECT * FROM purses WHERE customer_id = 'both';
SELECT status FROM credits.invoice_pay('both', :'bill', 'outside', reference => 'a transfer');
SELECT * FROM purses WHERE customer_id = 'both';
SELECT * FROM credits.verify();

-- The end: what is owed then is on a last invoice, or written off.
SELECT FROM credits.account_configure('invoice', overdraft_limit => 'infinity');
SELECT used('carry', 'chat', 500, 'last'), used('forgive', 'chat', 500, 'last'), used('invoice', 'chat', 500, 'last');
SELECT s.customer_id, s.status FROM (VALUES ('carry'), ('forgive'), ('invoice')) AS v (name),
    credits.subscription_cancel(v.name, sub(v.name), 'now') s;
SELECT customer_id, pending > 0 AS pending, invoiced > 0 AS invoiced FROM purses
WHERE customer_id IN ('carry', 'forgive', 'invoice');
SELECT * FROM bills WHERE customer_id = 'invoice';
SELECT pay('invoice');
SELECT * FROM purses WHERE customer_id = 'invoice';
SELECT * FROM credits.verify();
-- Given up, since nobody paid: what its invoices hold is owed again.
SELECT status FROM credits.subscription_create('gone', '[{"lookup_key": "pro"}]', at_period_end => 'invoice',
    overage_rate => 0.1, days_until_cancel => 5);
SELECT pay('gone');
SELECT used('gone', 'chat', 150, 'all');
SET credits.test_clock = '2026-06-02 00:00:00+00';
CALL credits.maintain();
SELECT * FROM purses WHERE customer_id = 'gone';
SET credits.test_clock = '2026-06-09 00:00:00+00';
CALL credits.maintain();
SELECT * FROM purses WHERE customer_id = 'gone';
SELECT status FROM credits.subscriptions WHERE customer_id = 'gone';
SELECT * FROM bills WHERE customer_id = 'gone';
SELECT * FROM credits.verify();

-- Each rule of verify() finds what breaks it.
BEGIN;
UPDATE credits_internal.accounts SET invoiced = 1 WHERE customer_id = 'carry';
SELECT problem, expected, found FROM credits.verify('carry');
ROLLBACK;
BEGIN;
UPDATE credits_internal.invoiced_credits SET status = 'paid' WHERE customer_id = 'gone';
SELECT problem FROM credits.verify('gone');
ROLLBACK;
BEGIN;
UPDATE credits_internal.invoiced_credits SET credits = credits + 1 WHERE customer_id = 'gone';
SELECT problem, expected, found FROM credits.verify('gone');
ROLLBACK;
