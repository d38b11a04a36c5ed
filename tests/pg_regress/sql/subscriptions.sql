-- Subscriptions: periods from their anchor, an invoice for each, credits once it is paid, a pause, changes in mid-
-- period, ends of
-- every kind, and money that goes back. The clock is moved by hand; the figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-31 00:00:00+00';
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
-- Dates in UTC, as text: the session's time zone is another.
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
CREATE VIEW state AS
SELECT s.customer_id, s.status, d(s.current_period_start) AS from, d(s.current_period_end) AS until,
    d(s.cancel_at) AS ends,
       d(s.past_due_at) AS past_due FROM credits.subscriptions s ORDER BY s.customer_id, s.created_at;
CREATE VIEW bills AS
SELECT i.customer_id, i.number IS NOT NULL AS given_out, i.status, i.billing_reason, i.subtotal, i.discount, i.tax,
    i.total
FROM credits.invoices i ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW bill_lines AS
SELECT l.customer_id, l.invoice_id IS NULL AS pending, l.description, l.quantity, l.amount, l.discount,
    d(l.period_start) AS from,
       d(l.period_end) AS until
FROM credits.invoice_lines l ORDER BY l.customer_id, l.created_at, l.invoice_line_id;
CREATE VIEW given AS
SELECT g.customer_id, g.status, g.amount, g.remaining, d(g.effective_at) AS from, nullif(d(g.expires_at),
    'infinity') AS until,
       g.cost_amount AS cost
FROM credits.grants g ORDER BY g.customer_id, g.effective_at, g.created_at, g.grant_id;
-- What is open of a customer's is paid by card.
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS team FROM credits.product_create('Team') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro',
    credit_config => '{"amount": 1000, "schedule": {"delivery": "schedule", "every": "10 days",
        "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'team', 'recurring', 50, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'team',
    credit_config => '{"amount": 3000, "schedule": {"delivery": "invoice", "expire_with_next_grant": true,
    "first_grant": "after_trial"}}');
SELECT FROM credits.price_create(:'team', 'recurring', 500, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'team_year',
    credit_config => '{"amount": 3000, "schedule": {"delivery": "schedule", "every": "1 month",
        "amount_per_grant": 3000,
    "expire_with_next_grant": true, "first_grant": "after_trial"}}');
SELECT FROM credits.price_create(:'team', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'seat');

-- 1. A MONTH AFTER ANOTHER
--
-- The first invoice is given out at once. The credits come as it is paid: a third each ten days, and what is left of
-- each ends
-- with the next. Periods are counted from the 31st.
SELECT status, d(current_period_end), collection_method, jsonb_array_length(items) AS items
FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]', idempotency_key => 'once');
SELECT status, replayed FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]', idempotency_key => 'once');
SELECT * FROM bills;
SELECT * FROM given;
SELECT pay('ann');
SELECT * FROM state;
SELECT * FROM given;
-- Nothing can be charged: it is past due as its next invoice is made. What is paid late begins then, and ends as
-- planned.
SET credits.test_clock = '2026-03-02 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT pay('ann');
SELECT * FROM state;
SELECT * FROM bills;
SELECT * FROM given WHERE status IN ('granted', 'pending');

-- 2. A PAUSE
--
-- What has not begun ends. Going on in the same period brings back what is still to begin, at the cost that it had.
SELECT status, d(paused_at) FROM credits.subscription_pause('ann', sub('ann'));
SELECT status, replayed FROM credits.subscription_pause('ann', sub('ann'));
SELECT status, amount, "from", cost FROM given WHERE "from" >= '2026-03-02';
SET credits.test_clock = '2026-03-12 00:00:00+00';
SELECT status, replayed FROM credits.subscription_resume('ann', sub('ann'));
SELECT status, amount, remaining, "from", until, cost FROM given WHERE "from" >= '2026-03-02';
-- It goes on by itself: what begins after that is left alone. After its period a new one begins, from which it is
-- counted.
SELECT status, d(resumes_at) FROM credits.subscription_pause('ann', sub('ann'), '2026-03-25 00:00:00+00');
SELECT status, amount, "from" FROM given WHERE "from" >= '2026-03-12';
SET credits.test_clock = '2026-03-26 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT FROM credits.subscription_pause('ann', sub('ann'));
SET credits.test_clock = '2026-04-10 12:00:00+00';
SELECT status, d(current_period_start), d(current_period_end), d(billing_cycle_anchor)
    FROM credits.subscription_resume('ann', sub('ann'));
SELECT pay('ann');
SELECT * FROM credits.verify();

-- 3. CHANGES IN MID-PERIOD
--
-- 10 April 12:00 to 10 May 12:00 are 30 days; 20 of them are left on 20 April. Of 20.00 for Pro 13.33 are not used, and
-- 20 of 30 days of Team are 33.33. Pro's second instalment has just begun: it goes whole, and so does the third; of
-- Team's
-- 3,000 credits 2,000 come, once they are paid.
SET credits.test_clock = '2026-04-20 12:00:00+00';
SELECT jsonb_build_array(jsonb_build_object('subscription_item_id', subscription_item_id, 'lookup_key',
    'team')) AS to_team,
       jsonb_build_array(jsonb_build_object('subscription_item_id', subscription_item_id, 'lookup_key',
           'pro')) AS to_pro,
       jsonb_build_array(jsonb_build_object('subscription_item_id', subscription_item_id, 'quantity', 3)) AS to_three
FROM credits.subscription_items WHERE customer_id = 'ann' \gset
SELECT total, l->>'description' AS line, l->>'amount' AS amount, credits
FROM credits.subscription_preview('ann', sub('ann'), :'to_team', 'always_invoice'), jsonb_array_elements(lines) l;
SELECT status, items->0->>'quantity' AS quantity FROM credits.subscription_update('ann', sub('ann'), :'to_team',
    'always_invoice');
SELECT * FROM bill_lines WHERE "from" >= '2026-04-20';
SELECT status, amount, remaining, "from", until FROM given WHERE "from" >= '2026-04-10';
SELECT pay('ann');
SELECT status, amount, remaining, "from", until, cost FROM given WHERE "from" >= '2026-04-10';
-- There and back at one moment is nothing, to the last digit, and the credits too.
SELECT status FROM credits.subscription_update('ann', sub('ann'), :'to_three', 'create_prorations');
SELECT * FROM bill_lines WHERE pending;
SELECT status FROM credits.subscription_update('ann', sub('ann'),
    (SELECT jsonb_build_array(jsonb_build_object('subscription_item_id', subscription_item_id, 'quantity', 1))
     FROM credits.subscription_items WHERE customer_id = 'ann'), 'create_prorations');
SELECT sum(amount - discount) AS both FROM bill_lines WHERE pending;
-- 'none': the next period is of the new.
SELECT status FROM credits.subscription_update('ann', sub('ann'), '[{"lookup_key": "seat", "quantity": 2}]', 'none');
SELECT count(*) FROM bill_lines WHERE "from" >= '2026-04-21';
SELECT * FROM credits.verify();
SET credits.test_clock = '2026-05-10 12:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines WHERE until > '2026-05-11';
SELECT pay('ann');

-- 4. THE END
--
-- At a moment: what would begin later does not, unless it is taken back.
SELECT status, cancel_at_period_end FROM credits.subscription_cancel('ann', sub('ann'));
SELECT * FROM state;
SELECT cancel_at, canceled_at, replayed FROM credits.subscription_recover('ann', sub('ann'));
SELECT replayed FROM credits.subscription_recover('ann', sub('ann'));
-- Now, with what is not used of the money: half of 10 May to 10 June, of 50.00 and 10.00.
SET credits.test_clock = '2026-05-26 00:00:00+00';
SELECT status, d(ended_at), cancel_reason FROM credits.subscription_cancel('ann', sub('ann'), 'now',
    refund => 'proration',
    reason => 'moved away', feedback => 'too_expensive', comment => 'bye');
SELECT status, replayed FROM credits.subscription_cancel('ann', sub('ann'), 'now');
SELECT r.amount, r.status, r.reason, l.parts FROM credits.refunds r CROSS JOIN LATERAL (
    SELECT jsonb_agg(l->>'amount') AS parts FROM jsonb_array_elements(r.lines) l) l WHERE r.customer_id = 'ann';
SELECT status, amount, remaining, "from", until FROM given WHERE "from" >= '2026-05-10';
SELECT * FROM credits.verify();

-- 5. A TRIAL, AND A YEAR WITH MONTHLY CREDITS
SET credits.test_clock = '2026-06-01 00:00:00+00';
SELECT status, d(trial_end), d(current_period_end) FROM credits.subscription_create('ben',
    '[{"lookup_key": "team_year"}]',
    trial_period_days => 14, trial_end_behavior => 'cancel');
SELECT count(*) FROM bills WHERE customer_id = 'ben';
-- With nothing to charge it ends with its trial. A customer with a card goes on.
SELECT FROM credits.subscription_create('cleo', '[{"lookup_key": "team_year"}]', trial_period_days => 14,
    trial_end_behavior => 'cancel');
SELECT FROM credits.payment_method_attach('cleo', 'manual', NULL, 'card 1');
SET credits.test_clock = '2026-06-20 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id IN ('ben', 'cleo');
SELECT pay('cleo');
SELECT status, amount, "from", until, cost FROM given WHERE customer_id = 'cleo';
-- Half of the price goes back after six months: of twelve instalments the last six, which have not begun.
SET credits.test_clock = '2026-09-15 00:00:00+00';
SELECT payment_intent_id AS paid FROM credits.payment_intents WHERE customer_id = 'cleo' AND status = 'succeeded' \gset
SELECT refund_id FROM credits.refund_create('cleo', :'paid', 230) \gset
SELECT status, amount, remaining, "from", cost FROM given WHERE customer_id = 'cleo' AND "from" > '2026-09';
SELECT * FROM credits.verify();
-- It failed: all is there again.
SELECT status FROM credits.payment_refund_failed('cleo', :'paid', 'manual', 'back 1', refund_id => :'refund_id');
SELECT status, amount, remaining, "from", cost FROM given WHERE customer_id = 'cleo' AND "from" > '2026-12'
    AND status = 'pending';
SELECT * FROM credits.verify();

-- 6. WHAT IS NOT PAID
--
-- The first invoice within 23 hours; a renewal within days_until_cancel of its first failure, asked for again
-- meanwhile.
SET credits.test_clock = '2026-07-01 00:00:00+00';
SELECT status FROM credits.subscription_create('dan', '[{"lookup_key": "seat", "quantity": 3}]');
SELECT FROM credits.customer_upsert('eve');
SELECT FROM credits.payment_method_attach('eve', 'manual', NULL, 'card 2');
SELECT status FROM credits.subscription_create('eve', '[{"lookup_key": "pro"}]', days_until_cancel => 10);
SELECT pay('eve');
SET credits.test_clock = '2026-07-01 23:00:00+00';
SELECT * FROM state WHERE customer_id = 'dan';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'dan';
SET credits.test_clock = '2026-08-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'eve';
SELECT p.status FROM credits.payment_intents t, credits.payment_failed('eve', t.payment_intent_id, 'manual', 'no 1',
    'declined') p
WHERE t.customer_id = 'eve' AND t.status <> 'succeeded';
SELECT * FROM state WHERE customer_id = 'eve';
SELECT count(*) AS asked FROM credits.payment_intents WHERE customer_id = 'eve' AND requested_at IS NOT NULL
    AND status <> 'succeeded';
SET credits.test_clock = '2026-08-02 00:00:00+00';
CALL credits.maintain();
SELECT count(*) AS asked FROM credits.payment_intents WHERE customer_id = 'eve' AND requested_at IS NOT NULL
    AND status <> 'succeeded';
SET credits.test_clock = '2026-08-11 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'eve';
SELECT * FROM bills WHERE customer_id = 'eve';
-- Money that comes after that is asked back.
SELECT p.status, p.contradiction FROM credits.payment_intents t,
    credits.payment_succeeded('eve', t.payment_intent_id, 'manual', 'late') p WHERE t.customer_id = 'eve'
        AND t.status = 'canceled';
SELECT amount, status FROM credits.refunds WHERE customer_id = 'eve';
SELECT * FROM credits.verify();

-- 7. A DISCOUNT
--
-- 25 % for two months, and a code that is used up; a stub until the first of the month: 10 of 31 days.
SELECT FROM credits.coupon_create('Spring', percent_off => 25, duration => 'repeating', duration_in_months => 2,
    max_redemptions => 1, promotion_codes => '[{"code": "SPRING"}]');
SET credits.test_clock = '2026-08-22 00:00:00+00';
SELECT status, d(discount_end), d(current_period_end) FROM credits.subscription_create('fay',
    '[{"lookup_key": "seat", "quantity": 4}]',
    collection_method => 'send_invoice', days_until_due => 7, promotion_code => 'spring',
    billing_cycle_anchor => '2026-09-01 00:00:00+00');
SELECT refused($$SELECT credits.subscription_create('gus', '[{"lookup_key": "seat"}]', promotion_code => 'spring')$$);
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT pay('fay');
SELECT times_redeemed, (SELECT string_agg(action, ', ' ORDER BY log_no) FROM credits.discount_log
    WHERE customer_id = 'fay')
FROM credits.coupons WHERE name = 'Spring';
SET credits.test_clock = '2026-11-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT * FROM state WHERE customer_id = 'fay';
SELECT * FROM credits.verify();

-- 8. WHAT IS REFUSED
SELECT FROM credits.price_create(:'team', 'recurring', 500, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'hourly', credit_config => '{"amount": 8760, "schedule": {"delivery": "schedule",
    "every": "1 hour"}}');
SELECT refused($$SELECT credits.subscription_create('gus', '[{"lookup_key": "hourly"}]')$$);
SELECT refused(format('SELECT credits.subscription_%s', call)) FROM (VALUES
    ($$create(NULL, '[]')$$), ($$create('gus', '[]')$$), ($$create('gus', '[{}]')$$), ($$create('gus', '{}')$$),
    ($$create('gus', '[{"lookup_key": "none"}]')$$), ($$create('gus', '[{"lookup_key": "pro", "quantity": -1}]')$$),
    ($$create('gus', '[{"lookup_key": "pro"}, {"lookup_key": "team_year"}]')$$),
    ($$create('gus', '[{"lookup_key": "pro", "qty": 1}]')$$),
    ($$create('gus', '[{"lookup_key": "pro"}]', trial_period_days => -1)$$),
    ($$create('gus', '[{"lookup_key": "pro"}]', trial_end => '2020-01-01')$$),
    ($$create('gus', '[{"lookup_key": "pro"}]', billing_cycle_anchor => 'infinity')$$),
    ($$create('gus', '[{"lookup_key": "pro"}]', days_until_due => 99999)$$),
    ($$create('ann', '[{"lookup_key": "seat"}]', idempotency_key => 'once')$$),
    ($$cancel('ann', gen_random_uuid())$$), ($$cancel('fay', sub('ann'))$$), ($$cancel('fay', sub('fay'),
        'tomorrow')$$),
    ($$cancel('fay', sub('fay'), '2020-01-01 00:00:00+00')$$), ($$cancel('fay', sub('fay'), refund => 'last')$$),
    ($$recover('ann', sub('ann'))$$), ($$pause('ann', sub('ann'))$$), ($$resume('ann', sub('ann'))$$),
    ($$pause('fay', sub('fay'), '2020-01-01')$$), ($$update('ann', sub('ann'), '[]')$$),
    ($$update('fay', sub('fay'), '[]')$$), ($$update('fay', sub('fay'), '[{"lookup_key": "team_year"}]')$$),
    ($$update('fay', sub('fay'), '[{"deleted": true}]')$$),
    ($$update('fay', sub('fay'), (SELECT jsonb_build_array(jsonb_build_object('subscription_item_id',
        subscription_item_id,
        'deleted', true)) FROM credits.subscription_items WHERE customer_id = 'fay'))$$),
    ($$update('fay', sub('fay'), (SELECT jsonb_build_array(jsonb_build_object('subscription_item_id',
        subscription_item_id,
        'deleted', true)) FROM credits.subscription_items WHERE customer_id = 'ann' LIMIT 1))$$)) AS calls (call);
SELECT refused($$SELECT credits.customer_erase('fay')$$);
SELECT * FROM credits.verify();
