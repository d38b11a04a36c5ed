-- Subscriptions whose price is in credits: the wallet pays, at once, and where it cannot they are past due.
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
CREATE FUNCTION items(customer text, key text, many int DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', key,
                                        'quantity', many))
    FROM credits.subscription_items i WHERE i.customer_id = customer AND i.removed_at IS NULL $$;
CREATE VIEW state AS
SELECT s.customer_id, s.status, d(s.current_period_start) AS from, d(s.current_period_end) AS until,
       d(s.past_due_at) AS past_due FROM credits.subscriptions s ORDER BY s.customer_id, s.created_at;
CREATE VIEW bills AS
SELECT i.customer_id, i.status, i.billing_reason, i.currency, i.total, i.amount_due, i.amount_paid
FROM credits.invoices i ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW left_over AS
SELECT a.customer_id, a.currency, w.available FROM credits_internal.accounts a,
       credits.wallet_balance(a.customer_id, a.currency) w ORDER BY a.customer_id, a.currency;
SELECT FROM credits.currency_create('GEM', kind => 'credit');
SELECT product_id AS studio FROM credits.product_create('Studio') \gset
SELECT FROM credits.price_create(:'studio', 'recurring', 300, 'CREDIT', recurring => '{"interval": "month"}',
    lookup_key => 'studio', credit_config => '{"amount": 30, "currency": "GEM",
        "schedule": {"delivery": "schedule", "every": "10 days", "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'studio', 'recurring', 3000, 'CREDIT', recurring => '{"interval": "year"}',
    lookup_key => 'studio_year');
SELECT FROM credits.price_create(:'studio', 'recurring', 60, 'CREDIT', recurring => '{"interval": "month"}',
    lookup_key => 'room');

-- 1. PAID AT ONCE
--
-- With too little nothing begins (PC001). Otherwise the wallet pays in the same transaction, and what comes with it is
-- there.
SELECT FROM credits.wallet_credit('ann', 200, 'CREDIT', 'paid');
SELECT refused($$SELECT credits.subscription_create('ann', '[{"lookup_key": "studio"}]')$$);
SELECT count(*) FROM credits.subscriptions;
SELECT FROM credits.wallet_credit('ann', 500, 'CREDIT', 'paid');
SELECT status, currency, replayed FROM credits.subscription_create('ann', '[{"lookup_key": "studio"}]',
    idempotency_key => 'once');
SELECT status, replayed FROM credits.subscription_create('ann', '[{"lookup_key": "studio"}]',
    idempotency_key => 'once');
SELECT * FROM bills;
SELECT * FROM left_over;
SELECT type, currency, amount, description IS NOT NULL AS described FROM credits.ledger WHERE customer_id = 'ann'
    AND type = 'debit';
SELECT count(*) AS payment_intents FROM credits.payment_intents;
SELECT * FROM credits.verify();

-- 2. CHANGES
--
-- 15 of April's 30 days are left. 150 are not used, and two of it are 300 until the end: 150 more, at once. With too
-- little nothing changes.
SET credits.test_clock = '2026-04-16 00:00:00+00';
SELECT total FROM credits.subscription_preview('ann', sub('ann'), items('ann', 'studio', 2), 'always_invoice');
SELECT status FROM credits.subscription_update('ann', sub('ann'), items('ann', 'studio', 2), 'always_invoice');
SELECT refused($$SELECT credits.subscription_update('ann', sub('ann'), items('ann', 'studio', 9), 'always_invoice')$$);
SELECT items->0->>'quantity' AS quantity FROM credits.subscriptions;
SELECT * FROM bills;
SELECT * FROM left_over;
-- Back to one, with the next invoice: 150 come back then.
SELECT status FROM credits.subscription_update('ann', sub('ann'), items('ann', 'studio'));
SELECT sum(amount) AS pending FROM credits.invoice_lines WHERE customer_id = 'ann' AND invoice_id IS NULL;
SELECT * FROM credits.verify();

-- 3. RENEWALS
--
-- 300 less 150 in May. In June the wallet has too little: it is past due, and credits do not come. A retry pays as soon
-- as there is enough.
SELECT FROM credits.wallet_debit('ann', 100, 'CREDIT');
SET credits.test_clock = '2026-05-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT * FROM bills WHERE billing_reason = 'subscription_cycle';
SELECT * FROM left_over;
SET credits.test_clock = '2026-06-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT * FROM bills WHERE billing_reason = 'subscription_cycle';
SELECT * FROM left_over;
SELECT type FROM credits.billing_events WHERE customer_id = 'ann' AND created_at >= '2026-06-01'
    AND type NOT LIKE 'customer.credit%' ORDER BY event_id;
SET credits.test_clock = '2026-06-02 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT FROM credits.wallet_credit('ann', 1000, 'CREDIT', 'paid');
SELECT * FROM state;
SET credits.test_clock = '2026-06-04 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state;
SELECT * FROM bills WHERE billing_reason = 'subscription_cycle';
SELECT * FROM left_over;
SELECT * FROM credits.verify();

-- 4. PAID BY HAND, AND NEVER
SELECT FROM credits.wallet_credit('ben', 60, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_create('ben', '[{"lookup_key": "room"}]', days_until_cancel => 5);
SET credits.test_clock = '2026-07-04 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ben';
SELECT FROM credits.wallet_credit('ben', 60, 'CREDIT', 'paid');
SELECT invoice_id AS due FROM credits.invoices WHERE customer_id = 'ben' AND status = 'open' \gset
SELECT status FROM credits.invoice_pay('ben', :'due', 'wallet');
SELECT * FROM state WHERE customer_id = 'ben';
SET credits.test_clock = '2026-08-09 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'ben';
SELECT * FROM bills WHERE customer_id = 'ben';
SELECT * FROM credits.verify();

-- 5. A TRIAL, ANOTHER INTERVAL, SENT, AND A LIMIT
SELECT FROM credits.wallet_credit('cleo', 4000, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_create('cleo', '[{"lookup_key": "room"}]', trial_period_days => 5,
    trial_end_behavior => 'cancel');
SET credits.test_clock = '2026-08-14 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'cleo';
SET credits.test_clock = '2026-08-24 00:00:00+00';
SELECT status, "interval" FROM credits.subscription_update('cleo', sub('cleo'), items('cleo', 'studio_year'));
SELECT * FROM bills WHERE customer_id = 'cleo';
SELECT * FROM left_over WHERE customer_id = 'cleo';
SELECT status FROM credits.subscription_create('dan', '[{"lookup_key": "room"}]', collection_method => 'send_invoice');
SELECT * FROM bills WHERE customer_id = 'dan';
-- What it costs counts in the customer's limits.
SELECT FROM credits.wallet_credit('eve', 400, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_create('eve', '[{"lookup_key": "room"}]');
SELECT FROM credits.usage_limit_set('eve', NULL, 50, 'day');
SET credits.test_clock = '2026-09-24 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'eve';
SELECT * FROM credits.verify();

-- 6. WHAT IS REFUSED
--
-- Credits of the currency that it costs; what the wallet owes, on an invoice that it would pay; and a refund, which is
-- for money.
SELECT FROM credits.price_create(:'studio', 'recurring', 60, 'CREDIT', recurring => '{"interval": "month"}',
    lookup_key => 'circle', credit_config => '{"amount": 30}');
SELECT refused($$SELECT credits.subscription_create('ann', '[{"lookup_key": "circle"}]')$$);
SELECT refused($$SELECT credits.subscription_item_create('ann', sub('ann'), lookup_key => 'circle')$$);
SELECT refused($$SELECT credits.subscription_update('ann', sub('ann'), at_period_end => 'invoice',
    overage_rate => 1)$$);
SELECT refused($$SELECT credits.subscription_cancel('ann', sub('ann'), 'now', refund => 'last')$$);
SELECT status FROM credits.subscription_cancel('ann', sub('ann'), 'now');
SELECT * FROM credits.verify();

-- 7. USAGE
--
-- It is paid for afterwards: 30 calls are 60, an hour after their period. 50 calls are 100, of which there are 40: the
-- invoice stays open, the plan is past due, and the wallet is tried again a day later, and two days after that.
CREATE FUNCTION item(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT i.subscription_item_id FROM credits.subscription_items i JOIN credits.prices p USING (price_id)
    WHERE i.customer_id = customer AND p.lookup_key = 'calls');
CREATE VIEW told AS
SELECT e.customer_id, d(e.created_at) AS at, e.type FROM credits.billing_events e
WHERE e.type LIKE 'invoice.%' AND e.type <> 'invoice.created'
   OR e.type IN ('customer.subscription.renewed', 'customer.subscription.renew_failed',
                 'customer.subscription.past_due', 'customer.subscription.recovered')
ORDER BY e.event_id;
SET credits.test_clock = '2026-10-01 00:00:00+00';
SELECT FROM credits.price_create(:'studio', 'recurring', 2, 'CREDIT', lookup_key => 'calls',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT FROM credits.wallet_credit('fay', 100, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_create('fay', '[{"lookup_key": "calls"}]');
SELECT total_usage FROM credits.usage_record_create('fay', item('fay'), 30);
SET credits.test_clock = '2026-11-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT total_usage FROM credits.usage_record_create('fay', item('fay'), 50);
SET credits.test_clock = '2026-12-01 01:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'fay';
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT * FROM left_over WHERE customer_id = 'fay';
SET credits.test_clock = '2026-12-02 01:00:00+00';
CALL credits.maintain();
SELECT FROM credits.wallet_credit('fay', 60, 'CREDIT', 'paid');
SELECT * FROM state WHERE customer_id = 'fay';
SET credits.test_clock = '2026-12-04 01:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'fay';
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT * FROM left_over WHERE customer_id = 'fay';
SELECT at, type FROM told WHERE customer_id = 'fay' AND at >= '2026-12-01';
SELECT total_usage, invoiced_amount FROM credits.usage_record_summaries WHERE customer_id = 'fay' ORDER BY period_start;
SELECT * FROM credits.verify();
-- What was used until the end stays owed, and nobody asks for it any more: it is paid by hand.
SELECT total_usage FROM credits.usage_record_create('fay', item('fay'), 5);
SELECT status FROM credits.subscription_cancel('fay', sub('fay'), 'now');
SET credits.test_clock = '2026-12-04 02:00:00+00';
CALL credits.maintain();
SELECT status FROM credits.subscriptions WHERE customer_id = 'fay';
SELECT status, amount_remaining FROM credits.invoices WHERE customer_id = 'fay' ORDER BY created_at DESC LIMIT 1;
SELECT FROM credits.wallet_credit('fay', 10, 'CREDIT', 'paid');
SET credits.test_clock = '2026-12-12 00:00:00+00';
CALL credits.maintain();
SELECT (pay).status, (pay).amount_remaining FROM (SELECT credits.invoice_pay('fay', i.invoice_id, 'wallet') AS pay
    FROM credits.invoices i WHERE i.customer_id = 'fay' AND i.status = 'open') p;
SELECT * FROM credits.verify();

-- 8. USAGE OF A PAUSE
--
-- 5 calls before it are 10. They are invoiced in the pause, and the wallet has nothing. As it goes on a new period is
-- paid, and the 10 are still owed: it is past due, until a retry.
SELECT FROM credits.wallet_credit('gus', 60, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_create('gus', '[{"lookup_key": "room"}, {"lookup_key": "calls"}]');
SELECT total_usage FROM credits.usage_record_create('gus', item('gus'), 5);
SELECT status FROM credits.subscription_pause('gus', sub('gus'));
SET credits.test_clock = '2027-01-12 01:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'gus';
SELECT * FROM bills WHERE customer_id = 'gus';
SELECT FROM credits.wallet_credit('gus', 65, 'CREDIT', 'paid');
SELECT status FROM credits.subscription_resume('gus', sub('gus'));
SELECT * FROM bills WHERE customer_id = 'gus';
SELECT FROM credits.wallet_credit('gus', 5, 'CREDIT', 'paid');
SET credits.test_clock = '2027-01-13 01:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'gus';
SELECT * FROM left_over WHERE customer_id = 'gus';
-- A renewal while it is past due fails as well, and says so. One top-up pays both, the older first.
SET credits.test_clock = '2027-02-12 01:00:00+00';
CALL credits.maintain();
SELECT FROM credits.usage_record_create('gus', item('gus'), 5, "timestamp" => '2027-02-12 00:30:00+00');
SET credits.test_clock = '2027-02-12 02:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'gus';
SELECT at, type FROM told WHERE customer_id = 'gus' AND at >= '2027-02-12';
SELECT FROM credits.wallet_credit('gus', 70, 'CREDIT', 'paid');
SET credits.test_clock = '2027-02-13 02:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'gus';
SELECT * FROM bills WHERE customer_id = 'gus';
SELECT * FROM left_over WHERE customer_id = 'gus';
SELECT * FROM credits.verify();

-- 9. IN A CHECKOUT
--
-- Submitting pays. With too little it is as if it had not been submitted.
SELECT checkout_session_id AS cart, amount_total FROM credits.checkout_session_create('hal', 'subscription',
    '[{"lookup_key": "room"}]') \gset
\echo :amount_total
SELECT refused(format('SELECT credits.checkout_session_submit(%L, %L)', 'hal', :'cart'));
SELECT count(*) FROM credits.subscriptions WHERE customer_id = 'hal';
SELECT FROM credits.wallet_credit('hal', 60, 'CREDIT', 'paid');
SELECT status, payment_status FROM credits.checkout_session_submit('hal', :'cart');
SELECT * FROM state WHERE customer_id = 'hal';
SELECT * FROM bills WHERE customer_id = 'hal';
SELECT * FROM left_over WHERE customer_id = 'hal';
SELECT * FROM credits.verify();
