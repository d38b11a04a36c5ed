-- USAGE THAT IS INVOICED
--
-- A company sells an API: 20 dollars a month in advance, and calls by the thousand afterwards. Here are the plan, what
-- the application records, the invoice for it, what comes late, a change of price and the end.
-- docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 09:00+00';

-- 1. WHAT IS SOLD
--
-- Calls are metered: the first 1,000 of a month are free, others a cent. Seats are as many as there were at most.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS plan FROM credits.product_create('API plan') \gset
SELECT product_id AS calls FROM credits.product_create('API calls') \gset
SELECT product_id AS seats FROM credits.product_create('Seats') \gset
SELECT lookup_key FROM credits.price_create(:'plan', 'recurring', 20, 'USD', lookup_key => 'api',
    recurring => '{"interval": "month"}');
SELECT lookup_key FROM credits.price_create(:'calls', 'recurring', currency => 'USD', lookup_key => 'calls',
    recurring => '{"interval": "month", "usage_type": "metered"}',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 1000, "unit_price": 0}, {"unit_price": 0.01}]}');
SELECT lookup_key FROM credits.price_create(:'seats', 'recurring', 30, 'USD', lookup_key => 'seats',
    recurring => '{"interval": "month", "usage_type": "metered", "aggregate_usage": "max"}');

-- 2. ANN SIGNS UP
--
-- Items of metered prices have no quantity. The plan itself is paid in advance.
SELECT FROM credits.customer_upsert('ann', 'Ann');
SELECT subscription_id AS sub, status FROM credits.subscription_create('ann',
    '[{"lookup_key": "api"}, {"lookup_key": "calls"}, {"lookup_key": "seats"}]',
    collection_method => 'send_invoice') \gset
\echo :status
SELECT i.subscription_item_id AS her_calls FROM credits.subscription_items i
WHERE i.customer_id = 'ann' AND i.product_id = :'calls' \gset
SELECT i.subscription_item_id AS her_seats FROM credits.subscription_items i
WHERE i.customer_id = 'ann' AND i.product_id = :'seats' \gset

-- 3. WHAT SHE USES
--
-- Each day the application records what was used: a key makes it safe to repeat. 'set' replaces what was recorded
-- for the same moment.
SET credits.test_clock = '2026-09-10 09:00+00';
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 1200, idempotency_key => 'calls 09-10');
SELECT total_usage, replayed FROM credits.usage_record_create('ann', :'her_calls', 1200,
    idempotency_key => 'calls 09-10');
SELECT total_usage FROM credits.usage_record_create('ann', :'her_seats', 4, 'set');
SET credits.test_clock = '2026-09-20 09:00+00';
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 800);
SELECT total_usage FROM credits.usage_record_create('ann', :'her_seats', 2, 'set');
SELECT period_end, total_usage, invoiced_usage, closes_at FROM credits.usage_record_summaries ORDER BY total_usage;

-- 4. THE INVOICE
--
-- As October begins the plan is due in advance. September's usage is on an invoice of its own an hour later: what is
-- recorded until then is on it.
SET credits.test_clock = '2026-10-01 09:20+00';
CALL credits.maintain();
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 100, "timestamp" => '2026-10-01 08:59+00');
SET credits.test_clock = '2026-10-01 10:00+00';
CALL credits.maintain();
SELECT i.number, i.created_at, l.description, l.quantity, l.amount, l.period_start FROM credits.invoice_lines l
JOIN credits.invoices i USING (customer_id, invoice_id) ORDER BY i.number, l.line_no;

-- 5. WHAT COMES LATE
--
-- A server was cut off, and 300 calls of September are recorded on the 2nd. They are on the next invoice of usage,
-- once. What was invoiced until now is paid by bank transfer.
SET credits.test_clock = '2026-10-02 09:00+00';
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 300, "timestamp" => '2026-09-30 12:00+00');
SELECT period_start, total_usage, invoiced_usage, closes_at FROM credits.usage_record_summaries
WHERE subscription_item_id = :'her_calls' ORDER BY 1;
SELECT p.number, p.status FROM credits.invoices i,
    credits.invoice_pay('ann', i.invoice_id, 'outside', reference => 'transfer ' || i.number) p ORDER BY 1;

-- 6. ANOTHER PRICE, AND THE END
--
-- From the 11th on a call costs 2 cents. Until then it is a cent, also of what is recorded later for the time before.
SET credits.test_clock = '2026-10-11 09:00+00';
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 1500);
SELECT lookup_key FROM credits.price_create(:'calls', 'recurring', 0.02, 'USD', lookup_key => 'calls_2',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT status FROM credits.subscription_update('ann', :'sub',
    jsonb_build_array(jsonb_build_object('subscription_item_id', :'her_calls', 'lookup_key', 'calls_2')));
SELECT total_usage FROM credits.usage_record_create('ann', :'her_calls', 50);
-- She leaves: the rest is invoiced an hour later. Of seats she pays the time that she had them.
SET credits.test_clock = '2026-10-16 21:00+00';
SELECT total_usage FROM credits.usage_record_create('ann', :'her_seats', 3, 'set');
SELECT status FROM credits.subscription_cancel('ann', :'sub', 'now');
SET credits.test_clock = '2026-10-16 22:00+00';
CALL credits.maintain();
SELECT i.number, l.description, l.quantity, l.amount, l.period_start, l.period_end FROM credits.invoice_lines l
JOIN credits.invoices i USING (customer_id, invoice_id) WHERE i.created_at > '2026-10-02'
ORDER BY i.number, l.line_no;
SELECT * FROM credits.verify();
