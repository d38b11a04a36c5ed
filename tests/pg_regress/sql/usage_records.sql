-- Usage of metered items: what is recorded is invoiced once, after its period, at the price of its time. The clock is
-- moved by hand; the figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-01 00:00:00+00';
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
-- Dates in UTC, as text: the session's time zone is another.
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
-- The metered item that a customer had last.
CREATE FUNCTION item(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT i.subscription_item_id FROM credits.subscription_items i
    WHERE i.customer_id = customer AND i.quantity IS NULL
    ORDER BY i.created_at DESC, i.subscription_item_id DESC LIMIT 1);
CREATE FUNCTION used(customer text, n numeric, action text DEFAULT 'increment', at timestamptz DEFAULT NULL)
RETURNS numeric LANGUAGE sql
RETURN (SELECT u.total_usage FROM credits.usage_record_create(customer, item(customer), n, action, at) u);
CREATE VIEW bills AS
SELECT i.customer_id, i.status, i.billing_reason, d(i.created_at) AS made, i.subtotal, i.discount, i.tax, i.total
FROM credits.invoices i ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW bill_lines AS
SELECT l.customer_id, l.description, l.quantity, l.unit_amount AS unit, l.amount, l.discount, d(l.period_start) AS from,
       d(l.period_end) AS until
FROM credits.invoice_lines l ORDER BY l.customer_id, l.created_at, l.invoice_id, l.line_no;
CREATE VIEW summed AS
SELECT s.customer_id, s.aggregate_usage AS how, d(s.period_start) AS from, d(s.period_end) AS until, s.records,
       s.total_usage, s.invoiced_usage, s.invoiced_amount, s.invoice_id IS NOT NULL AS invoiced,
       d(s.closes_at) AS closes
FROM credits.usage_record_summaries s ORDER BY s.customer_id, s.period_start, s.usage_record_summary_id;
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS api FROM credits.product_create('API calls') \gset
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 100, "schedule": {"delivery": "invoice"}}');
SELECT FROM credits.price_create(:'api', 'recurring', 0.002, 'USD', lookup_key => 'calls',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT FROM credits.price_create(:'api', 'recurring', 0.01, 'USD', lookup_key => 'dear',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT FROM credits.price_create(:'api', 'recurring', currency => 'USD', lookup_key => 'tiers',
    recurring => '{"interval": "month", "usage_type": "metered"}',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 1000, "unit_price": 0}, {"unit_price": 0.01}]}');
SELECT FROM credits.price_create(:'api', 'recurring', 3, 'USD', lookup_key => 'peak',
    recurring => '{"interval": "month", "usage_type": "metered", "aggregate_usage": "max"}');
SELECT FROM credits.price_create(:'api', 'recurring', 3, 'USD', lookup_key => 'last',
    recurring => '{"interval": "month", "usage_type": "metered", "aggregate_usage": "last_during_period"}');
SELECT FROM credits.price_create(:'api', 'recurring', 3, 'USD', lookup_key => 'ever',
    recurring => '{"interval": "month", "usage_type": "metered", "aggregate_usage": "last_ever"}');

-- 1. A MONTH OF USAGE
--
-- The plan is paid in advance, as without usage. What was used is on an invoice of its own, an hour after the period.
SELECT status FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}, {"lookup_key": "calls"}]');
SELECT pay('ann');
SELECT quantity, removed_at FROM credits.subscription_items WHERE customer_id = 'ann' ORDER BY quantity;
SET credits.test_clock = '2026-01-10 00:00:00+00';
SELECT used('ann', 1000);
SELECT used('ann', 500);
-- What is set replaces what its moment has, and no other.
SELECT used('ann', 100, 'set');
SELECT used('ann', 40, at => '2026-01-05 00:00:00+00');
SELECT action, quantity, d("timestamp") AS at, d(created_at) AS recorded
FROM credits.usage_records WHERE customer_id = 'ann' ORDER BY usage_record_id;
SELECT * FROM summed;
-- By key: once.
SELECT total_usage, replayed FROM credits.usage_record_create('ann', item('ann'), 7, idempotency_key => 'k');
SELECT total_usage, replayed FROM credits.usage_record_create('ann', item('ann'), 7, idempotency_key => 'k');
SELECT refused($$SELECT credits.usage_record_create('ann', item('ann'), 8, idempotency_key => 'k')$$);
-- The period is over. What is recorded in the hour after it for then is on the same invoice.
SET credits.test_clock = '2026-02-01 00:30:00+00';
SELECT used('ann', 1000, at => '2026-01-31 23:59:00+00');
SELECT used('ann', 10);
SELECT * FROM bills;
SET credits.test_clock = '2026-02-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bills;
SELECT * FROM bill_lines;
SELECT * FROM summed;
-- Later it is on the next one, once: 500 for January, and 10 for February. What was invoiced is not lowered.
SELECT used('ann', 500, at => '2026-01-31 23:59:00+00');
SELECT used('ann', 0, 'set', '2026-01-05 00:00:00+00');
SELECT * FROM summed;
SELECT pay('ann');
SET credits.test_clock = '2026-03-02 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE made > '2026-02-02';
SELECT * FROM bill_lines WHERE "from" >= '2026-01-01' OFFSET 3;
SELECT * FROM summed;
SELECT * FROM credits.verify();

-- 2. NOTHING BUT USAGE
--
-- There is nothing to pay at first: it is active, and has no invoice until something was used.
SET credits.test_clock = '2026-01-01 00:00:00+00';
SELECT status, latest_invoice_id IS NULL AS "no invoice"
FROM credits.subscription_create('bob', '[{"lookup_key": "tiers"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-01-20 00:00:00+00';
SELECT used('bob', 900);
SET credits.test_clock = '2026-02-20 00:00:00+00';
-- Nobody looked for a month: this call does what was due.
SELECT used('bob', 1500);
-- An invoice of 0 says what was used; what is late costs what it adds to the whole: 200 more are 100 over the 1,000.
SELECT used('bob', 200, at => '2026-01-31 00:00:00+00');
SET credits.test_clock = '2026-03-20 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'bob';
SELECT * FROM bill_lines WHERE customer_id = 'bob';
SELECT d(period_start), invoice_id IS NULL AS "no invoice" FROM credits_internal.subscription_periods
WHERE customer_id = 'bob' ORDER BY 1;
SELECT * FROM credits.verify();

-- 3. HOW IT ADDS UP
SET credits.test_clock = '2026-01-01 00:00:00+00';
SELECT status FROM credits.subscription_create('max', '[{"lookup_key": "peak"}]', collection_method => 'send_invoice');
SELECT status FROM credits.subscription_create('lou', '[{"lookup_key": "last"}]', collection_method => 'send_invoice');
SELECT status FROM credits.subscription_create('eve', '[{"lookup_key": "ever"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-01-10 00:00:00+00';
SELECT used(c, 5, 'set'), used(c, 2) FROM unnest('{max, lou, eve}'::text[]) c;
SET credits.test_clock = '2026-01-11 00:00:00+00';
SELECT used(c, 4, 'set') FROM unnest('{max, lou, eve}'::text[]) c;
-- The most was at a moment that has less now: all are looked at.
SELECT used('max', 1, 'set', '2026-01-10 00:00:00+00');
-- In February nothing is recorded, and what was there last still is, where that counts.
SET credits.test_clock = '2026-03-01 02:00:00+00';
CALL credits.maintain();
SELECT * FROM summed WHERE customer_id IN ('max', 'lou', 'eve') AND "from" < '2026-03-01';
-- A later one for January goes on in February, and both are invoiced for it.
SELECT used('eve', 6, 'set', '2026-01-31 00:00:00+00');
SELECT * FROM summed WHERE customer_id = 'eve';
SET credits.test_clock = '2026-04-01 02:00:00+00';
CALL credits.maintain();
SELECT * FROM summed WHERE customer_id = 'eve';
SELECT * FROM bill_lines WHERE customer_id = 'eve';
SELECT * FROM credits.verify();

-- 4. CHANGES IN MID-PERIOD
--
-- Until then at the old price, after it at the new one, on one invoice.
SET credits.test_clock = '2026-04-01 00:00:00+00';
SELECT status FROM credits.subscription_create('cat', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SELECT status FROM credits.subscription_create('dan', '[{"lookup_key": "peak"}, {"lookup_key": "calls"}]',
    collection_method => 'send_invoice');
SET credits.test_clock = '2026-04-11 00:00:00+00';
SELECT used('cat', 1000);
SELECT status FROM credits.subscription_update('cat', sub('cat'),
    jsonb_build_array(jsonb_build_object('subscription_item_id', item('cat'), 'lookup_key', 'dear')));
SELECT used('cat', 1000);
SELECT used('cat', 100, at => '2026-04-10 00:00:00+00');
-- How much there is costs what its time is of the month: 10 of 30 days. What is removed takes usage until then.
SELECT i.subscription_item_id AS peak FROM credits.subscription_items i JOIN credits.prices p USING (price_id)
WHERE i.customer_id = 'dan' AND p.lookup_key = 'peak' \gset
SELECT total_usage FROM credits.usage_record_create('dan', :'peak', 30, 'set', '2026-04-05 00:00:00+00');
SELECT status FROM credits.subscription_update('dan', sub('dan'),
    jsonb_build_array(jsonb_build_object('subscription_item_id', :'peak', 'deleted', true)));
SELECT refused(format($$SELECT credits.usage_record_create('dan', %L, 30)$$, :'peak'));
SELECT total_usage FROM credits.usage_record_create('dan', :'peak', 60, 'set', '2026-04-06 00:00:00+00');
-- From an agreed quantity to usage, and back.
SELECT status FROM credits.subscription_create('fay', '[{"lookup_key": "pro", "quantity": 3}]',
    collection_method => 'send_invoice');
SELECT subscription_item_id AS fays FROM credits.subscription_items WHERE customer_id = 'fay' \gset
SET credits.test_clock = '2026-04-21 00:00:00+00';
SELECT status, items->0->>'quantity' AS quantity FROM credits.subscription_update('fay', sub('fay'),
    jsonb_build_array(jsonb_build_object('subscription_item_id', :'fays', 'lookup_key', 'calls')));
SELECT total_usage FROM credits.usage_record_create('fay', :'fays', 5000);
SET credits.test_clock = '2026-05-01 00:00:00+00';
SELECT status, items->0->>'quantity' AS quantity FROM credits.subscription_update('fay', sub('fay'),
    jsonb_build_array(jsonb_build_object('subscription_item_id', :'fays', 'lookup_key', 'pro')));
SET credits.test_clock = '2026-05-11 00:00:01+00';
CALL credits.maintain();
SELECT * FROM summed WHERE customer_id IN ('cat', 'dan', 'fay') AND "from" < '2026-05-01';
SELECT * FROM bills WHERE customer_id IN ('cat', 'dan', 'fay');
SELECT * FROM bill_lines WHERE customer_id IN ('cat', 'dan', 'fay');
SELECT * FROM credits.verify();

-- 5. THE END, A PAUSE, A TRIAL, A STUB
--
-- Canceled at once, the usage until then is invoiced an hour later, and is owed. It can be recorded until then.
SET credits.test_clock = '2026-06-01 00:00:00+00';
SELECT status FROM credits.subscription_create('gus', '[{"lookup_key": "calls"}]');
SET credits.test_clock = '2026-06-10 00:00:00+00';
SELECT used('gus', 1000);
SELECT status FROM credits.subscription_cancel('gus', sub('gus'), 'now');
SET credits.test_clock = '2026-06-10 00:59:00+00';
SELECT used('gus', 500, at => '2026-06-09 00:00:00+00');
SELECT refused($$SELECT used('gus', 500)$$);
SELECT refused($$SELECT credits.customer_erase('gus')$$);
SET credits.test_clock = '2026-06-10 01:00:00+00';
SELECT refused($$SELECT used('gus', 500, at => '2026-06-09 00:00:00+00')$$);
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'gus';
SELECT pay('gus');
SELECT status, d(ended_at) FROM credits.subscriptions WHERE customer_id = 'gus';
-- An invoice of usage that is not paid stays owed as the subscription ends.
SELECT status FROM credits.subscription_create('hal', '[{"lookup_key": "calls"}]');
SELECT used('hal', 1000);
SET credits.test_clock = '2026-07-11 00:00:00+00';
CALL credits.maintain();
SELECT status FROM credits.subscriptions WHERE customer_id = 'hal';
SELECT status FROM credits.subscription_cancel('hal', sub('hal'), 'now');
SELECT * FROM bills WHERE customer_id = 'hal';
-- In a pause nothing is used; what was used before is invoiced all the same.
SET credits.test_clock = '2026-07-12 00:00:00+00';
SELECT status FROM credits.subscription_create('ida', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SELECT used('ida', 1000);
SET credits.test_clock = '2026-07-20 00:00:00+00';
SELECT status FROM credits.subscription_pause('ida', sub('ida'));
SET credits.test_clock = '2026-07-21 00:00:00+00';
SELECT refused($$SELECT used('ida', 500)$$);
SELECT used('ida', 500, at => '2026-07-19 00:00:00+00');
SET credits.test_clock = '2026-09-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'ida';
SELECT status, d(current_period_start) FROM credits.subscription_resume('ida', sub('ida'));
SELECT refused($$SELECT used('ida', 1, at => '2026-08-20 00:00:00+00')$$);
SELECT used('ida', 2000);
-- In a trial it is recorded, and free. A stub: what was used costs what it does, what there is costs its part.
SET credits.test_clock = '2026-09-01 00:00:00+00';
SELECT status FROM credits.subscription_create('jon', '[{"lookup_key": "calls"}]', trial_period_days => 14,
    collection_method => 'send_invoice', billing_cycle_anchor => '2026-10-01 00:00:00+00');
SELECT status FROM credits.subscription_create('kim', '[{"lookup_key": "peak"}, {"lookup_key": "calls"}]',
    collection_method => 'send_invoice', billing_cycle_anchor => '2026-09-16 00:00:00+00');
SELECT used('jon', 1000);
SELECT count(u.*) FROM credits.subscription_items i,
    credits.usage_record_create('kim', i.subscription_item_id, 1000) u WHERE i.customer_id = 'kim';
SET credits.test_clock = '2026-09-20 00:00:00+00';
SELECT used('jon', 2000);
SET credits.test_clock = '2026-10-02 00:00:00+00';
CALL credits.maintain();
SELECT * FROM summed WHERE customer_id IN ('jon', 'kim', 'ida');
SELECT * FROM bill_lines WHERE customer_id IN ('jon', 'kim', 'ida');
SELECT * FROM credits.verify();

-- Another interval: what was used until then is invoiced an hour later, and the new period counts by itself.
SELECT FROM credits.price_create(:'api', 'recurring', 0.001, 'USD', lookup_key => 'by_year',
    recurring => '{"interval": "year", "usage_type": "metered"}');
SELECT status FROM credits.subscription_create('sue', '[{"lookup_key": "calls"}]', collection_method => 'send_invoice');
SELECT refused($$SELECT credits.subscription_delete('sue', sub('sue'))$$) FROM used('sue', 1000);
SELECT quantity FROM credits.subscription_item_update('sue', item('sue'), lookup_key => 'by_year');
SELECT used('sue', 3000);
SELECT * FROM summed WHERE customer_id = 'sue';
SELECT subscription_item_id IS NOT NULL AS added, quantity
FROM credits.subscription_item_create('sue', sub('sue'), lookup_key => 'by_year');
SET credits.test_clock = '2026-10-02 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines WHERE customer_id = 'sue';
SELECT * FROM bills WHERE customer_id = 'sue';
-- What was never used can be deleted.
SELECT status FROM credits.subscription_create('tom', '[{"lookup_key": "calls"}]');
SELECT status FROM credits.subscription_delete('tom', sub('tom'));
SELECT * FROM summed WHERE customer_id IN ('sue', 'tom');
SELECT * FROM credits.verify();

-- 6. DISCOUNTS AND TAX
--
-- 25 off each period: of the plan and its usage together. A percentage of each. Tax as of other lines.
SELECT coupon_id AS ten FROM credits.coupon_create('Ten', amount_off => 25, currency => 'USD',
    duration => 'forever') \gset
SELECT coupon_id AS half FROM credits.coupon_create('Half', percent_off => 50, duration => 'once') \gset
SELECT FROM credits.customer_upsert('lea', tax_rate => 10);
SELECT status FROM credits.subscription_create('lea', '[{"lookup_key": "pro"}, {"lookup_key": "calls"}]',
    coupon_id => :'ten', collection_method => 'send_invoice');
SELECT status FROM credits.subscription_create('moe', '[{"lookup_key": "calls"}]', coupon_id => :'half',
    collection_method => 'send_invoice');
SELECT used('lea', 5000), used('moe', 5000);
SET credits.test_clock = '2026-11-10 00:00:00+00';
CALL credits.maintain();
SELECT used('moe', 5000);
SET credits.test_clock = '2026-12-10 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id IN ('lea', 'moe');
SELECT * FROM credits.verify();

-- 7. A GRACE OF ANOTHER LENGTH, AND WHAT IS GIVEN UP
--
SET credits.usage_grace = '2 d';
SELECT status FROM credits.subscription_create('ned', '[{"lookup_key": "calls"}]');
SELECT used('ned', 1000);
SELECT * FROM summed WHERE customer_id = 'ned';
SET credits.usage_grace = 0;
SELECT status FROM credits.subscription_create('oma', '[{"lookup_key": "calls"}]', days_until_cancel => 1);
SELECT used('oma', 1000);
SET credits.test_clock = '2027-01-10 00:00:00+00';
CALL credits.maintain();
SELECT status, d(past_due_at) FROM credits.subscriptions WHERE customer_id = 'oma';
SELECT used('oma', 1000);
SET credits.test_clock = '2027-01-11 00:00:00+00';
CALL credits.maintain();
SELECT status FROM credits.subscriptions WHERE customer_id = 'oma';
SELECT * FROM summed WHERE customer_id = 'oma';
SELECT * FROM bills WHERE customer_id = 'oma';
RESET credits.usage_grace;
SELECT * FROM credits.verify();

-- 8. REFUSED
SELECT status FROM credits.subscription_create('ray', '[{"lookup_key": "pro"}, {"lookup_key": "peak"}]',
    collection_method => 'send_invoice');
SELECT item('ray') AS it \gset
SELECT subscription_item_id AS plan FROM credits.subscription_items WHERE customer_id = 'ray' AND quantity = 1 \gset
SELECT status FROM credits.subscription_create('pam', '[{"lookup_key": "pro"}, {"lookup_key": "calls"}]');
SELECT s.arguments, refused(format('SELECT credits.usage_record_create(%s)', replace(replace(replace(s.arguments,
    'METERED', quote_literal(:'it')), 'LICENSED', quote_literal(:'plan')), 'PAM', quote_literal(item('pam')))))
FROM unnest(ARRAY[
    'NULL, METERED, 1',
    $$'nobody', METERED, 1$$,
    $$'ray', NULL, 1$$,
    $$'ray', '00000000-0000-0000-0000-000000000000', 1$$,
    $$'ray', LICENSED, 1$$,
    $$'ray', METERED, NULL$$,
    $$'ray', METERED, -1$$,
    $$'ray', METERED, 'NaN'$$,
    $$'ray', METERED, 'Infinity'$$,
    -- It can be counted, and not added to; it could be added to, and not be priced.
    $$'ray', METERED, 1e28$$,
    $$'ray', METERED, 9e27$$,
    $$'ray', METERED, 1, 'add'$$,
    $$'ray', METERED, 1, "timestamp" => 'infinity'$$,
    $$'ray', METERED, 1, "timestamp" => '2027-01-11 00:00:01+00'$$,
    $$'ray', METERED, 1, "timestamp" => '2026-10-01 00:00:00+00'$$,
    $$'pam', PAM, 1$$
]) s (arguments) \g (format=unaligned)
SELECT refused($$SELECT credits.subscription_create('quo', '[{"lookup_key": "calls", "quantity": 2}]')$$);
SELECT count(*) FROM credits.usage_records WHERE customer_id IN ('ray', 'pam');
SELECT * FROM credits.verify();

-- 9. WHAT A CUSTOMER SEES
SET credits.current_customer = 'moe';
SELECT action, quantity FROM credits.my_usage_records ORDER BY usage_record_id;
SELECT d(period_start) AS from, total_usage, invoiced_amount FROM credits.my_usage_record_summaries ORDER BY 1 LIMIT 2;

-- 10. EACH RULE BROKEN
CREATE FUNCTION broken(statement text) RETURNS TABLE (problem text, should_be numeric, it_is numeric)
LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        SET CONSTRAINTS ALL IMMEDIATE;
        problem := (SELECT string_agg(DISTINCT v.problem, '; ') FROM credits.verify() v);
        should_be := (SELECT min(v.expected) FROM credits.verify() v);
        it_is := (SELECT min(v.found) FROM credits.verify() v);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN NEXT;
    END;
END $$;
SELECT usage_record_summary_id AS first FROM credits.usage_record_summaries
WHERE customer_id = 'moe' ORDER BY period_start LIMIT 1 \gset
SELECT s.no, b.* FROM unnest(ARRAY[
    format('UPDATE credits_internal.usage_record_summaries SET usage = 1 WHERE usage_record_summary_id = %L', :'first'),
    format('UPDATE credits_internal.usage_closings SET usage = 1 WHERE usage_record_summary_id = %L', :'first'),
    format('UPDATE credits_internal.usage_record_summaries SET last_value = 1 WHERE usage_record_summary_id = %L',
        :'first'),
    format('DELETE FROM credits_internal.usage_records WHERE usage_record_summary_id = %L', :'first'),
    format('UPDATE credits_internal.usage_records SET quantity = 4000 WHERE usage_record_summary_id = %L', :'first'),
    format('UPDATE credits_internal.usage_record_summaries SET period_end = whole_end - interval ''30 days'',
        last_at = whole_end - interval ''1 day'' WHERE usage_record_summary_id = %L', :'first'),
    format('UPDATE credits_internal.usage_record_summaries SET period_start = period_start - interval ''1 day'',
        whole_start = whole_start - interval ''1 day'' WHERE customer_id = ''moe'' AND usage_record_summary_id <> %L',
        :'first'),
    format('UPDATE credits_internal.usage_record_summaries SET invoiced_amount = 1 WHERE usage_record_summary_id = %L',
        :'first'),
    -- Invoiced twice.
    format('INSERT INTO credits_internal.usage_closings SELECT customer_id, usage_record_summary_id, 2, records, usage,
        amount, invoice_line_id, closed_at FROM credits_internal.usage_closings WHERE usage_record_summary_id = %L',
        :'first'),
    format('UPDATE credits_internal.usage_closings SET records = 0, usage = 0 WHERE usage_record_summary_id = %L',
        :'first'),
    format('UPDATE credits_internal.usage_closings SET invoice_line_id = NULL WHERE usage_record_summary_id = %L',
        :'first'),
    'UPDATE credits_internal.subscriptions SET usage_closes_at = NULL WHERE customer_id = ''ray''',
    'DELETE FROM credits_internal.usage_record_summaries WHERE customer_id = ''ray'''
]) WITH ORDINALITY s (statement, no), broken(s.statement) b \g (format=unaligned)
SELECT * FROM credits.verify();
