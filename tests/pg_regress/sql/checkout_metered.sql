-- Metered prices in checkout sessions and payment links: no quantity, nothing due at first, then as
-- subscription_create() has it. The clock is moved by hand.
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
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE VIEW subs AS
SELECT s.customer_id, s.status, s.latest_invoice_id IS NOT NULL AS invoiced, d(s.current_period_start) AS from,
       d(s.current_period_end) AS until
FROM credits.subscriptions s ORDER BY s.customer_id, s.created_at;
CREATE VIEW bill_lines AS
SELECT l.customer_id, d(i.created_at) AS made, i.status, l.description, l.quantity, l.amount, l.discount
FROM credits.invoice_lines l JOIN credits.invoices i USING (customer_id, invoice_id)
ORDER BY l.customer_id, l.created_at, l.invoice_id, l.line_no;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS api FROM credits.product_create('API calls') \gset
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro');
SELECT FROM credits.price_create(:'pro', unit_amount => 50, currency => 'USD', lookup_key => 'setup');
SELECT FROM credits.price_create(:'api', 'recurring', 0.5, 'USD', lookup_key => 'calls',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT FROM credits.meter_create('jobs', currency => 'USD', unit_price => 2, settlement => 'invoice');
SELECT FROM credits.price_create(:'api', 'recurring', currency => 'USD', lookup_key => 'jobs',
    recurring => '{"interval": "month", "usage_type": "metered", "meter": "jobs"}');
SELECT FROM credits.coupon_create('Half', percent_off => 50, duration => 'forever',
    promotion_codes => '[{"code": "HALF"}]');

-- 1. BESIDE WHAT IS PAID IN ADVANCE
SELECT refused($$SELECT credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "calls", "quantity": 2}]')$$);
SELECT refused($$SELECT credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "calls", "adjustable_quantity": {"enabled": true}}]')$$);
SELECT refused($$SELECT credits.checkout_session_create('ann', 'payment', '[{"lookup_key": "calls"}]')$$);
SELECT checkout_session_id AS cart, amount_total FROM credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "calls"}, {"lookup_key": "pro"}, {"lookup_key": "setup"}, {"lookup_key": "jobs"}]') \gset
\echo :amount_total
SELECT i->>'name' AS name, i->>'quantity' AS quantity, i->>'amount' AS amount
FROM credits.checkout_sessions s, jsonb_array_elements(s.line_items) i WHERE s.checkout_session_id = :'cart';
SELECT status, payment_status FROM credits.checkout_session_submit('ann', :'cart');
SELECT * FROM subs;
-- What is used before it is paid is used.
SELECT status FROM credits.report_meter_event('ann', 'jobs', 3, 'early');
SELECT refused($$SELECT credits.usage_record_create('ann', (SELECT i.subscription_item_id
    FROM credits.subscription_items i WHERE i.customer_id = 'ann' AND i.quantity IS NULL LIMIT 1), 1)$$);
SELECT status FROM credits.payment_succeeded('ann', :'cart', 'acmepay', 'pay_1', 70);
SELECT * FROM subs;
SELECT * FROM bill_lines;
SELECT total_usage FROM credits.usage_record_create('ann', (SELECT i.subscription_item_id
    FROM credits.subscription_items i JOIN credits.prices p USING (price_id)
    WHERE i.customer_id = 'ann' AND p.lookup_key = 'calls'), 10);
SELECT status FROM credits.report_meter_event('ann', 'jobs', 4, 'later');
SET credits.test_clock = '2026-02-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines;
SELECT * FROM credits.verify();

-- 2. NOTHING ELSE
--
-- It is complete as it is submitted, and active. Its code goes on.
SELECT checkout_session_id AS cart, amount_total FROM credits.checkout_session_create('ben', 'subscription',
    '[{"lookup_key": "jobs"}]', collection_method => 'send_invoice', allow_promotion_codes => true) \gset
\echo :amount_total
SELECT amount_total, amount_discount
FROM credits.checkout_session_apply_promotion_code('ben', :'cart', 'half');
SELECT status, payment_status, subscription_id IS NOT NULL AS begun
FROM credits.checkout_session_submit('ben', :'cart');
SELECT status, payment_status, replayed FROM credits.checkout_session_submit('ben', :'cart');
SELECT * FROM subs WHERE customer_id = 'ben';
SELECT type FROM credits.billing_events WHERE customer_id = 'ben' AND object_type = 'subscription' ORDER BY object_seq;
SELECT status FROM credits.report_meter_event('ben', 'jobs', 5, 'b1');
SET credits.test_clock = '2026-03-01 02:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines WHERE customer_id = 'ben';
SELECT * FROM credits.verify();

-- 3. A TRIAL, AND WHO DOES NOT PAY
SELECT checkout_session_id AS cart FROM credits.checkout_session_create('cat', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "jobs"}]', collection_method => 'send_invoice',
    subscription_data => '{"trial_period_days": 5}') \gset
SELECT status, payment_status FROM credits.checkout_session_submit('cat', :'cart');
SELECT status FROM credits.report_meter_event('cat', 'jobs', 7, 'tried');
SET credits.test_clock = '2026-03-07 02:00:00+00';
SELECT status FROM credits.report_meter_event('cat', 'jobs', 8, 'charged');
SELECT checkout_session_id AS cart FROM credits.checkout_session_create('dan', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "jobs"}]') \gset
SELECT status FROM credits.checkout_session_submit('dan', :'cart');
SELECT status FROM credits.report_meter_event('dan', 'jobs', 9, 'unpaid');
-- A second cart may begin another, since the first may never be paid.
SELECT checkout_session_id AS again FROM credits.checkout_session_create('dan', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "jobs"}]') \gset
SELECT status FROM credits.checkout_session_submit('dan', :'again');
SELECT status FROM credits.payment_succeeded('dan', :'again', 'acmepay', 'pay_2', 20);
SET credits.test_clock = '2026-04-08 05:00:00+00';
CALL credits.maintain();
SELECT * FROM subs WHERE customer_id IN ('cat', 'dan');
SELECT * FROM bill_lines WHERE customer_id IN ('cat', 'dan');
SELECT e.customer_id, e.identifier, d(e.closed_at) AS closed, e.invoice_id IS NOT NULL AS invoiced
FROM credits.invoiced_events e WHERE e.customer_id IN ('cat', 'dan') ORDER BY 1, 2;
-- One that is paid has the meter: another is refused as it is submitted.
SELECT checkout_session_id AS third FROM credits.checkout_session_create('dan', 'subscription',
    '[{"lookup_key": "jobs"}]') \gset
SELECT refused(format($$SELECT credits.checkout_session_submit('dan', %L)$$, :'third'));
-- Nobody submitted it, and a payment comes.
SELECT checkout_session_id AS cart FROM credits.checkout_session_create('eli', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "jobs"}]') \gset
SELECT status FROM credits.payment_succeeded('eli', :'cart', 'acmepay', 'pay_3', 20);
SELECT * FROM subs WHERE customer_id = 'eli';

-- 4. A LINK
SELECT payment_link_id AS link, mode FROM credits.payment_link_create('Jobs', '[{"lookup_key": "jobs"}]') \gset
\echo :mode
SELECT checkout_session_id AS cart, amount_total FROM credits.payment_link_open('fay', :'link') \gset
\echo :amount_total
SELECT status, payment_status FROM credits.checkout_session_submit('fay', :'cart');
SELECT * FROM subs WHERE customer_id = 'fay';
SELECT refused($$SELECT credits.payment_link_create('Jobs', '[{"lookup_key": "jobs", "quantity": 3}]')$$);
SELECT * FROM credits.verify();
