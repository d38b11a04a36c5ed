-- EVENTS THAT ARE INVOICED
--
-- An API costs what is used of it, in dollars, by invoice: no wallet, no credits. The application reports each call as
-- it would for credits. Here are the plan in the checkout, a month, a correction, what comes late, and another price.
-- docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 09:00+00';

-- 1. WHAT IS SOLD
--
-- The meter is in dollars, and its settlement is 'invoice': the first 1,000 calls of a month are free, others a cent.
-- The price names the meter, which says what a call costs.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT event_name, settlement FROM credits.meter_create('api.calls', currency => 'USD', settlement => 'invoice',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 1000, "unit_price": 0}, {"unit_price": 0.01}]}');
SELECT product_id AS api FROM credits.product_create('API calls') \gset
SELECT lookup_key FROM credits.price_create(:'api', 'recurring', currency => 'USD', lookup_key => 'api',
    recurring => '{"interval": "month", "usage_type": "metered", "meter": "api.calls"}');

-- 2. ANN SIGNS UP
--
-- Nothing is due, so the checkout is complete as she submits it.
SELECT FROM credits.customer_upsert('ann', 'Ann');
SELECT checkout_session_id AS cart, amount_total FROM credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "api"}]', collection_method => 'send_invoice',
    subscription_data => '{"days_until_due": 90}') \gset
\echo :amount_total
SELECT status, payment_status FROM credits.checkout_session_submit('ann', :'cart');
SELECT subscription_id AS sub, status, current_period_end FROM credits.subscriptions \gset
\echo :status until :current_period_end

-- 3. WHAT SHE USES
--
-- Each report has an identifier, which makes it safe to repeat. It charges nothing, and locks nothing of hers.
SET credits.test_clock = '2026-09-10 09:00+00';
SELECT status, consumed, available, replayed FROM credits.report_meter_event('ann', 'api.calls', 1200, 'calls 1');
SELECT status, replayed FROM credits.report_meter_event('ann', 'api.calls', 1200, 'calls 1');
SET credits.test_clock = '2026-09-20 09:00+00';
SELECT count(*) FROM credits.report_meter_events('[
    {"customer_id": "ann", "event_name": "api.calls", "value": 500, "identifier": "calls 2"},
    {"customer_id": "ann", "event_name": "api.calls", "value": 700, "identifier": "calls 3"}]');
-- The last 700 were an outage of ours.
SELECT status FROM credits.meter_event_cancel('ann', 'calls 3', reason => 'an outage');
SELECT event_name, period_end, total_usage, closes_at FROM credits.usage_record_summaries;

-- 4. THE INVOICE
--
-- An hour after the month: 800 calls beyond the free ones. What is reported until then for September is on it.
SET credits.test_clock = '2026-10-01 09:30+00';
SELECT status FROM credits.report_meter_event('ann', 'api.calls', 100, 'calls 4', '2026-10-01 08:59+00');
SET credits.test_clock = '2026-10-01 10:00+00';
CALL credits.maintain();
SELECT i.number, i.created_at, l.description, l.quantity, l.amount, l.period_start FROM credits.invoice_lines l
JOIN credits.invoices i USING (customer_id, invoice_id) ORDER BY i.number, l.line_no;
-- What was invoiced stays as it is: money goes back by an item of the next invoice.
SELECT status FROM credits.usage WHERE identifier = 'calls 1';
SELECT amount FROM credits.invoice_item_create('ann', 'USD', -2, 'Slow on 10 September');

-- 5. WHAT COMES LATE, AND ANOTHER PRICE
--
-- A server was cut off, and 300 calls of September are reported on the 2nd: they are on the next invoice. The price of
-- the 11th holds from November on.
SET credits.test_clock = '2026-10-02 09:00+00';
SELECT status FROM credits.report_meter_event('ann', 'api.calls', 300, 'calls 5', '2026-09-30 12:00+00');
SET credits.test_clock = '2026-10-11 09:00+00';
SELECT event_name FROM credits.meter_update('api.calls', unit_price => 0.02);
SELECT status FROM credits.report_meter_event('ann', 'api.calls', 1500, 'calls 6');
SET credits.test_clock = '2026-11-10 09:00+00';
SELECT status FROM credits.report_meter_event('ann', 'api.calls', 50, 'calls 7');
SET credits.test_clock = '2026-12-02 09:00+00';
CALL credits.maintain();
SELECT i.number, l.description, l.quantity, l.amount, l.period_start FROM credits.invoice_lines l
JOIN credits.invoices i USING (customer_id, invoice_id) WHERE i.created_at > '2026-10-02'
ORDER BY i.number, l.period_start, l.line_no;
SELECT identifier, quantity, occurred_at, closed_at FROM credits.invoiced_events ORDER BY occurred_at;
SELECT * FROM credits.verify();
