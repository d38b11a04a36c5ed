-- A change to another interval: a new period begins at that moment, from which periods are counted. The figures were
-- worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 00:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g') FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail]) s;
END $$;
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
-- All items of a customer's, each with another price.
CREATE FUNCTION moved(customer text, VARIADIC keys text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', keys[i.no])
                     ORDER BY i.no)
    FROM (SELECT subscription_item_id, row_number() OVER (ORDER BY created_at, subscription_item_id) AS no
          FROM credits.subscription_items WHERE customer_id = customer AND removed_at IS NULL) i $$;
CREATE VIEW state AS
SELECT s.customer_id, s.status, s.interval, d(s.billing_cycle_anchor) AS anchor, d(s.current_period_start) AS from,
       d(s.current_period_end) AS until, d(s.cancel_at) AS ends
FROM credits.subscriptions s ORDER BY s.customer_id, s.created_at;
CREATE VIEW periods AS
SELECT p.customer_id, d(p.period_start) AS from, d(p.period_end) AS until, p.kind, i.billing_reason, i.status, i.total,
       i.amount_due
FROM credits_internal.subscription_periods p
LEFT JOIN credits.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
ORDER BY p.customer_id, p.period_start;
CREATE VIEW bill_lines AS
SELECT l.customer_id, l.invoice_id IS NULL AS pending, l.description, l.quantity, l.amount, l.discount,
       d(l.period_start) AS from, d(l.period_end) AS until
FROM credits.invoice_lines l ORDER BY l.customer_id, l.created_at, l.invoice_line_id;
CREATE VIEW given AS
SELECT g.customer_id, g.status, g.amount, g.remaining, d(g.effective_at) AS from,
       nullif(d(g.expires_at), 'infinity') AS until, g.cost_amount AS cost
FROM credits.grants g ORDER BY g.customer_id, g.effective_at, g.created_at, g.grant_id;
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS seat FROM credits.product_create('Seat') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro',
    credit_config => '{"amount": 300, "schedule": {"delivery": "schedule", "every": "10 days",
        "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'pro', 'recurring', 300, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'pro_year',
    credit_config => '{"amount": 3600, "schedule": {"delivery": "schedule", "every": "1 month",
        "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'seat', 'recurring', 3, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'seat');
SELECT FROM credits.price_create(:'seat', 'recurring', 33, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'seat_year');

-- 1. FROM MONTHS TO YEARS
--
-- 20 of April's 30 days are left: of 30.00 that are 20.00. A year from then on costs 300.00, at once. Of the second
-- instalment, which began then, all goes, and the third does not begin; the year's first has begun.
SELECT FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]');
SELECT pay('ann');
SELECT FROM credits.wallet_debit('ann', 30, 'CREDIT');
SET credits.test_clock = '2026-04-11 00:00:00+00';
SELECT subtotal, discount, total, credits, lowered FROM credits.subscription_preview('ann', sub('ann'),
    moved('ann', 'pro_year'));
SELECT l->>'description' AS line, l->>'amount' AS amount FROM credits.subscription_preview('ann', sub('ann'),
    moved('ann', 'pro_year')), jsonb_array_elements(lines) l;
SELECT * FROM state;
SELECT status, d(current_period_end), interval FROM credits.subscription_update('ann', sub('ann'),
    moved('ann', 'pro_year'));
SELECT * FROM state;
SELECT * FROM periods;
SELECT * FROM bill_lines;
SELECT pay('ann');
SELECT status, amount, remaining, "from", until, cost FROM given WHERE "from" < '2026-07';
SELECT sum(amount) FILTER (WHERE status IN ('granted', 'pending')) AS all, sum(cost) FROM given
WHERE "from" >= '2026-04-11' AND until > '2026-05-01';
SELECT * FROM credits.verify();

-- 2. AND BACK
--
-- After 73 of 365 days 240.00 of 300.00 are not used. A month is 30.00: 210.00 are left over, for the invoices to come.
SET credits.test_clock = '2026-06-23 00:00:00+00';
SELECT subtotal, total, credits FROM credits.subscription_preview('ann', sub('ann'), moved('ann', 'pro'),
    'always_invoice');
SELECT status FROM credits.subscription_update('ann', sub('ann'), moved('ann', 'pro'), 'always_invoice');
SELECT * FROM state;
SELECT * FROM periods;
SELECT regexp_replace(description, '[0-9A-Z]{10}-', '…-') AS line, amount, pending, "from", until FROM bill_lines
WHERE "from" >= '2026-06-23' OR pending;
SELECT status, amount, remaining, "from", until, cost FROM given WHERE "from" >= '2026-06-01' AND "from" < '2026-09';
SET credits.test_clock = '2026-07-23 00:00:00+00';
CALL credits.maintain();
SELECT * FROM periods WHERE "from" >= '2026-06-23';
SELECT * FROM credits.verify();

-- 3. BEFORE IT IS PAID
--
-- What is open is lowered; what is pending comes on the invoice. Back at the same moment: the year is lowered to
-- nothing, and a month is charged from then on.
SET credits.test_clock = '2026-08-01 00:00:00+00';
SELECT FROM credits.subscription_create('ben', '[{"lookup_key": "pro"}, {"lookup_key": "seat"}]',
    collection_method => 'send_invoice');
SET credits.test_clock = '2026-08-16 12:00:00+00';
SELECT FROM credits.subscription_update('ben', sub('ben'), '[{"lookup_key": "seat", "quantity": 2}]');
SELECT total, l->>'amount' AS lowered FROM credits.subscription_preview('ben', sub('ben'),
    moved('ben', 'pro_year', 'seat_year', 'seat_year')), jsonb_array_elements(lowered) l;
SELECT status FROM credits.subscription_update('ben', sub('ben'), moved('ben', 'pro_year', 'seat_year', 'seat_year'));
SELECT billing_reason, subtotal, total, amount_due, status FROM credits.invoices WHERE customer_id = 'ben'
ORDER BY created_at, invoice_id;
SELECT * FROM bill_lines WHERE customer_id = 'ben';
SELECT status FROM credits.subscription_update('ben', sub('ben'), moved('ben', 'pro', 'seat', 'seat'));
SELECT billing_reason, subtotal, total, amount_due, status FROM credits.invoices WHERE customer_id = 'ben'
ORDER BY created_at, invoice_id;
SELECT * FROM periods WHERE customer_id = 'ben';
SELECT * FROM state WHERE customer_id = 'ben';
SELECT pay('ben');
SELECT status, amount, remaining, "from", until, cost FROM given WHERE customer_id = 'ben';
SELECT * FROM credits.verify();

-- 4. 'NONE', 'KEEP', AND AN END THAT WAS SET
--
-- Nothing of the old is given back, and what has begun of its credits stays; what has not does not begin. The end of
-- the period is the new period's.
SET credits.test_clock = '2026-09-01 00:00:00+00';
SELECT FROM credits.subscription_create('cleo', '[{"lookup_key": "pro"}]');
SELECT pay('cleo');
SELECT FROM credits.subscription_cancel('cleo', sub('cleo'));
SET credits.test_clock = '2026-09-13 00:00:00+00';
SELECT status FROM credits.subscription_update('cleo', sub('cleo'), moved('cleo', 'pro_year'), 'none');
SELECT * FROM state WHERE customer_id = 'cleo';
SELECT * FROM periods WHERE customer_id = 'cleo';
SELECT pay('cleo');
SELECT status, amount, "from", until, cost FROM given WHERE customer_id = 'cleo' AND "from" < '2026-11';
SELECT FROM credits.subscription_recover('cleo', sub('cleo'));
SELECT status, jsonb_array_length(items) FROM credits.subscription_update('cleo', sub('cleo'), moved('cleo', 'pro'),
    credits => 'keep');
SELECT pay('cleo');
SELECT status, amount, "from", until, cost FROM given WHERE customer_id = 'cleo' AND "from" < '2026-11';
SELECT * FROM credits.verify();

-- 5. IN A TRIAL, WITH A DISCOUNT, AND PAST DUE
SET credits.test_clock = '2026-10-01 00:00:00+00';
SELECT FROM credits.coupon_create('Half', percent_off => 50, duration => 'repeating', duration_in_months => 3,
    promotion_codes => '[{"code": "HALF"}]');
SELECT FROM credits.subscription_create('dan', '[{"lookup_key": "pro"}]', trial_period_days => 10,
    promotion_code => 'half');
SELECT status FROM credits.subscription_update('dan', sub('dan'), moved('dan', 'pro_year'));
SELECT * FROM state WHERE customer_id = 'dan';
SET credits.test_clock = '2026-10-11 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'dan';
SELECT * FROM bill_lines WHERE customer_id = 'dan';
-- Nobody has paid: the year is lowered to nothing but for one day of it, half price, and the month costs half.
SET credits.test_clock = '2026-10-12 00:00:00+00';
SELECT status FROM credits.subscription_update('dan', sub('dan'), moved('dan', 'pro'));
SELECT * FROM bill_lines WHERE customer_id = 'dan';
SELECT * FROM state WHERE customer_id = 'dan';
SELECT pay('dan');
SELECT * FROM state WHERE customer_id = 'dan';
SELECT type FROM credits.billing_events WHERE customer_id = 'dan' AND object_type = 'subscription' ORDER BY object_seq;
SELECT * FROM credits.verify();

-- 6. WHAT IS REFUSED
--
-- One item alone, and what is not going on.
SELECT refused($$SELECT credits.subscription_update('ben', sub('ben'), moved('ben', 'pro_year', 'seat', 'seat'))$$);
SELECT refused($$SELECT credits.subscription_update('ben', sub('ben'), '[{"lookup_key": "seat_year"}]')$$);
SELECT FROM credits.subscription_pause('ben', sub('ben'));
SELECT refused($$SELECT credits.subscription_update('ben', sub('ben'),
    moved('ben', 'pro_year', 'seat_year', 'seat_year'))$$);
SELECT FROM credits.subscription_create('eve', '[{"lookup_key": "pro"}]');
SELECT refused($$SELECT credits.subscription_update('eve', sub('eve'), moved('eve', 'pro_year'))$$);
SELECT * FROM credits.verify();
