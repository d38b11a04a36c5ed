-- Meters whose events are invoiced: recorded without a wallet, and taken once by the period in which they happened. The
-- clock is moved by hand; the figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-01 00:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g')
                 FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail, hint]) s WHERE s <> '';
END $$;
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
CREATE FUNCTION item(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT i.subscription_item_id FROM credits.subscription_items i
    WHERE i.customer_id = customer AND i.quantity IS NULL
    ORDER BY i.created_at DESC, i.subscription_item_id DESC LIMIT 1);
CREATE VIEW bill_lines AS
SELECT l.customer_id, d(i.created_at) AS made, l.description, l.quantity, l.unit_amount AS unit, l.amount,
       d(l.period_start) AS from, d(l.period_end) AS until
FROM credits.invoice_lines l JOIN credits.invoices i USING (customer_id, invoice_id)
ORDER BY l.customer_id, l.created_at, l.invoice_id, l.line_no;
CREATE VIEW summed AS
SELECT s.customer_id, s.event_name AS meter, s.aggregate_usage AS how, d(s.period_start) AS from,
       d(s.period_end) AS until, s.records, s.total_usage, s.invoiced_usage, s.invoiced_amount, d(s.closes_at) AS closes
FROM credits.usage_record_summaries s ORDER BY s.customer_id, s.event_name, s.period_start, s.usage_record_summary_id;
CREATE VIEW went AS
SELECT e.customer_id, e.identifier, e.quantity, d(e.occurred_at) AS occurred, d(e.created_at) AS reported,
       d(e.closed_at) AS closed, e.invoice_id IS NOT NULL AS invoiced
FROM credits.invoiced_events e ORDER BY e.customer_id, e.occurred_at, e.identifier;
CREATE VIEW told AS
SELECT u.customer_id, u.identifier, u.quantity, u.credits, u.status FROM credits.usage u ORDER BY 1, 2;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT product_id AS api FROM credits.product_create('API calls') \gset

-- 1. THE METER
--
-- It is in money, and its period is the subscription's.
SELECT event_name, currency, unit_price, settlement
FROM credits.meter_create('calls', currency => 'USD', unit_price => 0.002, settlement => 'invoice');
SELECT refused($$SELECT credits.meter_create('x', settlement => 'invoice')$$);
SELECT refused($$SELECT credits.meter_create('x', currency => 'USD', settlement => 'invoice', period => 'month')$$);
SELECT refused($$SELECT credits.meter_create('x', currency => 'USD', settlement => 'invoice', overage => 'reject')$$);
SELECT refused($$SELECT credits.meter_create('x', currency => 'USD', settlement => 'invoice',
    pricing => '{"by": "model", "prices": {"a": {"unit_price": 1}}, "default": {"unit_price": 2}}')$$);
SELECT refused($$SELECT credits.meter_create('x', currency => 'USD', settlement => 'later')$$);
SELECT refused($$SELECT credits.meter_update('calls', overage => 'reject')$$);
SELECT refused($$SELECT credits.meter_update('calls', fallback_currency => 'CREDIT', fallback_rate => 1)$$);
SELECT FROM credits.meter_create('storage', currency => 'USD', aggregation => 'max', unit_price => 3,
    settlement => 'invoice');
SELECT FROM credits.meter_create('seats', currency => 'USD', aggregation => 'last', unit_price => 30,
    settlement => 'invoice');
SELECT FROM credits.meter_create('jobs', currency => 'USD', aggregation => 'count', settlement => 'invoice',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 2, "unit_price": 0}, {"unit_price": 5}]}');
SELECT FROM credits.meter_create('users', currency => 'USD', aggregation => 'unique', unique_by => 'user_id',
    unit_price => 2, settlement => 'invoice');
SELECT FROM credits.meter_create('tokens', unit_price => 1);
SELECT count(*) FROM (VALUES ('calls'), ('storage'), ('seats'), ('jobs'), ('users'), ('tokens')) m (name),
    credits.price_create(:'api', 'recurring', currency => 'USD', lookup_key => m.name,
        recurring => jsonb_build_object('interval', 'month', 'usage_type', 'metered', 'meter', m.name));
SELECT FROM credits.price_create(:'api', 'recurring', 0.01, 'USD', lookup_key => 'dear',
    recurring => '{"interval": "month", "usage_type": "metered", "meter": "calls"}');
SELECT FROM credits.price_create(:'api', 'recurring', currency => 'EUR', lookup_key => 'euro',
    recurring => '{"interval": "month", "usage_type": "metered", "meter": "calls"}');
SELECT FROM credits.price_create(:'api', 'recurring', 20, 'USD', lookup_key => 'pro',
    recurring => '{"interval": "month"}');

-- 2. A MONTH
--
-- Nothing is due at first, and reports charge nothing: there is no account.
SELECT FROM credits.customer_upsert('ann');
SELECT status, latest_invoice_id IS NULL AS "no invoice"
FROM credits.subscription_create('ann', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-01-10 00:00:00+00';
SELECT * FROM credits.report_meter_event('ann', 'calls', 1000, 'a1');
SELECT * FROM credits.report_meter_event('ann', 'calls', 1000, 'a1');
SELECT refused($$SELECT credits.report_meter_event('ann', 'calls', 999, 'a1')$$);
SELECT refused($$SELECT credits.report_meter_event('nobody', 'calls', 999, 'a1')$$);
SELECT refused($$SELECT credits.report_meter_events(ARRAY['nobody'], ARRAY['calls'], ARRAY[1.0], ARRAY['a'],
    all_or_nothing => true)$$);
SELECT identifier, status, consumed, pending, available, replayed, error
FROM credits.report_meter_events(ARRAY['ann', 'ann', 'ann', 'ann'], ARRAY['calls', 'calls', 'tokens', 'calls'],
    ARRAY[500, 500, 3, 7], ARRAY['a2', 'a2', 't1', 'a1']);
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('ann', 'calls', 40, 'a3');
SELECT credits.settle();
SELECT * FROM told;
SELECT currency, pending FROM credits.pending_amount('ann');
-- Views say what it comes to, right away.
SELECT * FROM summed;
SELECT event_name, total_quantity, total_credits, event_count FROM credits.usage_summary('ann', event_name => 'calls');
-- What is recorded can be corrected.
SELECT status, value, value_before, charged, returned, replayed FROM credits.meter_event_adjust('ann', 'a2', 300);
SELECT status, value, value_before, charged, returned, replayed FROM credits.meter_event_adjust('ann', 'a2', 300);
SELECT FROM credits.report_meter_event('ann', 'calls', 9999, 'wrong');
SELECT status, returned, replayed FROM credits.meter_event_cancel('ann', 'wrong', reason => 'a test');
SELECT status, returned, replayed FROM credits.meter_event_cancel('ann', 'wrong');
SELECT status, replayed FROM credits.report_meter_event('ann', 'calls', 9999, 'wrong');
SELECT refused($$SELECT credits.meter_event_adjust('ann', 'wrong', 1)$$);
-- An hour after the period it is invoiced: 1440 calls. What happened after the period is not in it.
SET credits.test_clock = '2026-02-01 00:30:00+00';
SELECT status FROM credits.report_meter_event('ann', 'calls', 60, 'a4');
SELECT status FROM credits.report_meter_event('ann', 'calls', 100, 'a5', '2026-01-31 23:59:59.999999+00');
SET credits.test_clock = '2026-02-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines;
SELECT * FROM summed;
SELECT * FROM told;
SELECT * FROM went;
-- Now it stays.
SELECT refused($$SELECT credits.meter_event_cancel('ann', 'a1')$$);
SELECT refused($$SELECT credits.meter_event_adjust('ann', 'a1', 1)$$);
SELECT status, replayed FROM credits.report_meter_event('ann', 'calls', 1000, 'a1');
-- What comes late is on the next invoice, as a line of its own.
SET credits.test_clock = '2026-02-03 00:00:00+00';
SELECT status FROM credits.report_meter_event('ann', 'calls', 250, 'late', '2026-01-20 00:00:00+00');
SELECT * FROM summed;
-- Events are not recorded by hand.
SELECT refused($$SELECT credits.usage_record_create('ann', item('ann'), 1)$$);
SET credits.test_clock = '2026-03-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines;
SELECT * FROM credits.verify();

-- 3. WHO TAKES THEM
--
-- One subscription of a customer has a meter, and once.
SELECT refused($$SELECT credits.subscription_create('ann', '[{"lookup_key": "dear"}]')$$);
SELECT refused($$SELECT credits.subscription_item_create('ann', sub('ann'), lookup_key => 'dear')$$);
SELECT refused($$SELECT credits.subscription_create('eve', '[{"lookup_key": "calls"}, {"lookup_key": "dear"}]')$$);
SELECT refused($$SELECT credits.subscription_create('eve', '[{"lookup_key": "euro"}]')$$);
SELECT refused($$SELECT credits.subscription_create('eve', '[{"lookup_key": "calls", "quantity": 2}]')$$);
-- What happened before there was one is taken by nothing.
SELECT FROM credits.customer_upsert('ben');
SELECT status FROM credits.report_meter_event('ben', 'calls', 11, 'before');
SET credits.test_clock = '2026-03-02 00:00:00+00';
SELECT FROM credits.subscription_create('ben', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SELECT status FROM credits.report_meter_event('ben', 'calls', 22, 'on the dot');
-- Another price from the 12th on: each event is at the price of its time.
SET credits.test_clock = '2026-03-12 00:00:00+00';
SELECT status FROM credits.report_meter_event('ben', 'calls', 1000, 'cheap', '2026-03-11 23:59:59+00');
SELECT status FROM credits.subscription_update('ben', sub('ben'),
    jsonb_build_array(jsonb_build_object('subscription_item_id', item('ben'), 'lookup_key', 'dear')));
SELECT status FROM credits.report_meter_event('ben', 'calls', 1000, 'dear');
-- The end: what was used until then is invoiced an hour later, and what comes after that by none.
SET credits.test_clock = '2026-03-20 00:00:00+00';
SELECT status FROM credits.subscription_cancel('ben', sub('ben'), 'now');
SELECT status FROM credits.report_meter_event('ben', 'calls', 5, 'at the end');
SELECT status FROM credits.report_meter_event('ben', 'calls', 500, 'in time', '2026-03-19 23:00:00+00');
SET credits.test_clock = '2026-03-20 01:00:00+00';
CALL credits.maintain();
SELECT status FROM credits.report_meter_event('ben', 'calls', 6, 'too late', '2026-03-19 23:00:00+00');
SELECT * FROM bill_lines WHERE customer_id = 'ben';
SELECT * FROM went WHERE customer_id = 'ben';
-- The next one has what happens from its beginning on.
SELECT FROM credits.subscription_create('ben', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-04-20 02:00:00+00';
CALL credits.maintain();
SELECT * FROM went WHERE customer_id = 'ben' AND closed IS NULL;
SELECT * FROM credits.verify();

-- 4. HOW THEY ADD UP
SELECT FROM credits.customer_upsert('cat');
SELECT FROM credits.subscription_create('cat', '[{"lookup_key": "storage"}, {"lookup_key": "seats"},
    {"lookup_key": "jobs"}, {"lookup_key": "users"}, {"lookup_key": "tokens"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-04-21 00:00:00+00';
SELECT count(*) FILTER (WHERE error IS NULL) FROM credits.report_meter_events('[
    {"customer_id": "cat", "event_name": "storage", "value": 7, "identifier": "s1"},
    {"customer_id": "cat", "event_name": "storage", "value": 5, "identifier": "s2"},
    {"customer_id": "cat", "event_name": "seats", "value": 5, "identifier": "e1",
     "occurred_at": "2026-04-20T12:00:00Z"},
    {"customer_id": "cat", "event_name": "seats", "value": 9, "identifier": "e2",
     "occurred_at": "2026-04-20T11:00:00Z"},
    {"customer_id": "cat", "event_name": "jobs", "value": 100, "identifier": "j1"},
    {"customer_id": "cat", "event_name": "jobs", "value": 100, "identifier": "j2"},
    {"customer_id": "cat", "event_name": "jobs", "value": 100, "identifier": "j3"},
    {"customer_id": "cat", "event_name": "users", "value": 1, "identifier": "u1", "metadata": {"user_id": "x"}},
    {"customer_id": "cat", "event_name": "users", "value": 1, "identifier": "u2", "metadata": {"user_id": "y"}},
    {"customer_id": "cat", "event_name": "users", "value": 1, "identifier": "u3", "metadata": {"user_id": "x"}},
    {"customer_id": "cat", "event_name": "tokens", "value": 1, "identifier": "t1"}]');
SELECT refused($$SELECT credits.report_meter_event('cat', 'users', 1, 'u4')$$);
SELECT meter, how, records, total_usage FROM summed WHERE customer_id = 'cat';
-- Tokens are credits: charged at once, and not invoiced.
SELECT currency, pending FROM credits.pending_amount('cat');
SET credits.test_clock = '2026-05-20 03:00:00+00';
CALL credits.maintain();
SELECT description, quantity, unit, amount FROM bill_lines WHERE customer_id = 'cat' ORDER BY amount;
-- Late: a value that is counted already, and another; less than the most; and an earlier last one.
SELECT count(*) FILTER (WHERE error IS NULL) FROM credits.report_meter_events('[
    {"customer_id": "cat", "event_name": "storage", "value": 6, "identifier": "s3",
     "occurred_at": "2026-04-22T00:00:00Z"},
    {"customer_id": "cat", "event_name": "seats", "value": 8, "identifier": "e3",
     "occurred_at": "2026-04-20T10:00:00Z"},
    {"customer_id": "cat", "event_name": "jobs", "value": 1, "identifier": "j4",
     "occurred_at": "2026-04-22T00:00:00Z"},
    {"customer_id": "cat", "event_name": "users", "value": 1, "identifier": "u5",
     "occurred_at": "2026-04-22T00:00:00Z", "metadata": {"user_id": "y"}},
    {"customer_id": "cat", "event_name": "users", "value": 1, "identifier": "u6",
     "occurred_at": "2026-04-22T00:00:00Z", "metadata": {"user_id": "z"}}]');
SELECT meter, "from", records, total_usage, invoiced_usage FROM summed WHERE customer_id = 'cat';
SET credits.test_clock = '2026-06-20 03:00:00+00';
CALL credits.maintain();
SELECT made, description, quantity, unit, amount, "from" FROM bill_lines
WHERE customer_id = 'cat' AND made > '2026-06' ORDER BY amount;
SELECT meter, "from", records, total_usage, invoiced_usage, invoiced_amount FROM summed WHERE customer_id = 'cat';
SELECT * FROM credits.verify();

-- 5. ITS OWN PRICE
--
-- A period costs what the meter did as it began; a customer's own price is theirs.
SELECT FROM credits.customer_upsert('dan');
SELECT FROM credits.customer_upsert('dot');
SELECT FROM credits.meter_price_override('dot', 'calls', discount_percent => 50);
SELECT FROM credits.subscription_create('dan', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SELECT FROM credits.subscription_create('dot', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-06-21 00:00:00+00';
SELECT unit_price FROM credits.meter_update('calls', unit_price => 0.005);
SELECT status FROM credits.report_meter_event('dan', 'calls', 1000, 'd1');
SELECT status FROM credits.report_meter_event('dot', 'calls', 1000, 'd1');
SET credits.test_clock = '2026-07-21 00:00:00+00';
SELECT status FROM credits.report_meter_event('dan', 'calls', 1000, 'd2');
SELECT status FROM credits.report_meter_event('dot', 'calls', 1000, 'd2');
SET credits.test_clock = '2026-08-20 05:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines WHERE customer_id IN ('dan', 'dot');
SELECT * FROM credits.verify();

-- 6. WHEN NOBODY LOOKED
--
-- Whoever looks only now makes the same invoices: what was reported late was late then.
SELECT FROM credits.customer_upsert('fay');
SELECT FROM credits.subscription_create('fay', '[{"lookup_key": "pro"}, {"lookup_key": "dear"}]',
    trial_period_days => 10, collection_method => 'send_invoice');
SET credits.test_clock = '2026-08-25 00:00:00+00';
SELECT status FROM credits.report_meter_event('fay', 'calls', 1, 'free');
SET credits.test_clock = '2026-09-10 00:00:00+00';
SELECT status FROM credits.report_meter_event('fay', 'calls', 100, 'f1');
SET credits.test_clock = '2026-09-30 06:00:00+00';
SELECT status FROM credits.report_meter_event('fay', 'calls', 20, 'in time', '2026-09-30 00:00:00+00');
SET credits.test_clock = '2026-09-30 06:00:00.000001+00';
SELECT status FROM credits.report_meter_event('fay', 'calls', 3, 'late', '2026-09-30 00:00:00+00');
SET credits.test_clock = '2026-12-01 00:00:00+00';
CALL credits.maintain();
SELECT description, quantity, amount, "from", until FROM bill_lines WHERE customer_id = 'fay' ORDER BY "from", amount;
SELECT * FROM went WHERE customer_id = 'fay';
SELECT * FROM credits.verify();

-- 7. WHAT IS CHARGED ONLY
--
-- Neither holds nor history are invoiced.
SELECT FROM credits.credit_grant('ann', 10, 'USD');
SELECT hold_id AS hold FROM credits.hold_create('ann', 5, 'USD') \gset
SELECT refused(format($$SELECT credits.hold_capture('ann', %L, event_name => 'calls', value => 1, identifier => 'h')$$,
    :'hold'));
SELECT refused($$SELECT credits.history_import('eli', '[{"type": "usage", "event_name": "calls", "value": 1,
    "identifier": "i", "at": "2026-01-01T00:00:00Z"}]', 'USD')$$);

-- 8. WHAT VERIFY() FINDS
BEGIN;
UPDATE credits_internal.invoiced_events SET quantity = 1001 WHERE customer_id = 'ann' AND identifier = 'a1';
SELECT problem, expected, found FROM credits.verify('ann') ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE credits_internal.invoiced_events SET usage_record_summary_id = NULL, closing_no = NULL
WHERE customer_id = 'ann' AND identifier = 'a1';
SELECT problem, expected, found FROM credits.verify('ann') ORDER BY 1, 2;
ROLLBACK;
BEGIN;
DELETE FROM credits_internal.invoiced_events WHERE customer_id = 'ann' AND identifier = 'late';
SELECT problem, expected, found FROM credits.verify('ann') ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE credits_internal.usage_record_summaries SET period_end = period_start WHERE customer_id = 'dan';
SELECT problem, count(*) FROM credits.verify('dan') GROUP BY 1 ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE credits_internal.invoice_lines SET quantity = quantity + 1 WHERE customer_id = 'dan';
SELECT problem, expected, found FROM credits.verify('dan') ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE credits_internal.prices p SET unit_amount = NULL WHERE p.lookup_key = 'dear';
SELECT DISTINCT problem FROM credits.verify('fay') ORDER BY 1;
ROLLBACK;
SELECT * FROM credits.verify();
