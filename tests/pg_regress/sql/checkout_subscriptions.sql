-- Checkout sessions that begin a subscription: the cart and what is paid now, trials, discounts that go on, payments
-- that fail or come late, the end with the session, payment links, and what Stripe reports. The clock is moved by hand.
CREATE EXTENSION pgcrypto;
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-06-01 09:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}(?= of)';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g') FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail]) s;
END $$;
-- Dates in UTC, as text: the session's time zone is another.
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS setup FROM credits.product_create('Setup') \gset
SELECT product_id AS badge FROM credits.product_create('Badge', 'good') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"delivery": "invoice",
        "first_grant": "after_trial"}}');
SELECT FROM credits.price_create(:'pro', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'seat', quantity_limit_per_checkout => 9);
SELECT FROM credits.price_create(:'pro', 'recurring', 200, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'yearly');
SELECT FROM credits.price_create(:'pro', 'recurring', 18, 'EUR', recurring => '{"interval": "month"}',
    lookup_key => 'euro');
SELECT FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'eager', credit_config => '{"amount": 300, "schedule": {"delivery": "invoice",
        "first_grant": "immediate"}}');
SELECT FROM credits.price_create(:'setup', unit_amount => 50, currency => 'USD', lookup_key => 'setup');
SELECT FROM credits.price_create(:'badge', unit_amount => 3, currency => 'USD', lookup_key => 'badge',
    quantity_available => 2);
SELECT FROM credits.coupon_create('Once', percent_off => 50, promotion_codes => '[{"code": "ONCE"}]');
SELECT FROM credits.coupon_create('Two months', amount_off => 5, currency => 'USD', duration => 'repeating',
    duration_in_months => 2, max_redemptions => 2, promotion_codes => '[{"code": "TWO"}]');
SELECT FROM credits.coupon_create('Free', percent_off => 100, promotion_codes => '[{"code": "FREE"}]');
CREATE FUNCTION session(customer text, items text, data text DEFAULT NULL, code text DEFAULT NULL) RETURNS uuid
LANGUAGE sql AS $$
    SELECT c.checkout_session_id FROM credits.checkout_session_create(customer, 'subscription',
        (SELECT jsonb_agg(jsonb_build_object('lookup_key', i)) FROM unnest(string_to_array(items, ' ')) i),
        subscription_data => data::jsonb, allow_promotion_codes => true,
        discounts => CASE WHEN code IS NOT NULL THEN jsonb_build_array(jsonb_build_object('code', code)) END) c
$$;
CREATE VIEW state AS
SELECT s.customer_id, s.status, s.payment_status AS paid, s.amount_subtotal AS subtotal, s.amount_discount AS off,
       s.amount_total AS total, b.status AS subscription, d(b.current_period_start) AS from,
       d(b.current_period_end) AS until, p.status AS intent
FROM credits.checkout_sessions s
LEFT JOIN credits.subscriptions b ON b.customer_id = s.customer_id AND b.subscription_id = s.subscription_id
LEFT JOIN credits.payment_intents p ON p.customer_id = s.customer_id AND p.payment_intent_id = s.payment_intent_id
ORDER BY s.customer_id, s.created_at, s.checkout_session_id;
CREATE VIEW bills AS
SELECT i.customer_id, i.number IS NOT NULL AS given_out, i.status, i.billing_reason, i.subtotal, i.discount, i.tax,
       i.total
FROM credits.invoices i ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW given AS
SELECT g.customer_id, g.status, g.amount, d(g.effective_at) AS from, g.cost_amount AS cost
FROM credits.grants g ORDER BY g.customer_id, g.effective_at, g.created_at, g.grant_id;
CREATE VIEW redeemed AS
SELECT l.customer_id, l.action, l.amount, r.holder_type
FROM credits_internal.discount_log l JOIN credits_internal.redemptions r USING (customer_id, holder_id)
ORDER BY l.customer_id, l.created_at, l.log_no;

-- 1. A PLAN WITH SEATS, AND A FEE THAT IS PAID ONCE
SELECT checkout_session_id AS s, mode, status, amount_subtotal, amount_tax, amount_total, subscription_id
FROM credits.checkout_session_create('ann', 'subscription', '[{"lookup_key": "pro", "metadata": {"plan": 1}},
        {"lookup_key": "setup", "description": "Setup of your account"},
        {"lookup_key": "seat", "quantity": 2, "adjustable_quantity": {"enabled": true, "maximum": 5}}]', tax_rate => 10,
    subscription_data => '{"description": "Pro for Ann", "metadata": {"team": 7}, "days_until_cancel": 9,
        "service_actions": [{"type": "notification", "link": "https://app.example/started",
            "triggerEvents": ["customer.subscription.started"]}]}', idempotency_key => 'ann 1') \gset
\echo :mode :status :amount_subtotal :amount_tax :amount_total :subscription_id
SELECT checkout_session_id = :'s' AS same, replayed FROM credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "setup"}, {"lookup_key": "seat", "quantity": 2}]', tax_rate => 10,
    subscription_data => '{"description": "Another text"}', idempotency_key => 'ann 1');
SELECT refused($$SELECT credits.checkout_session_create('ann', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "setup"}, {"lookup_key": "seat", "quantity": 2}]', tax_rate => 10,
    subscription_data => '{"trial_period_days": 7}', idempotency_key => 'ann 1')$$);
SELECT item - 'price_id' AS item
FROM credits.checkout_sessions s, jsonb_array_elements(s.line_items) WITH ORDINALITY AS e (item, n) ORDER BY n;
SELECT amount_subtotal, amount_tax, amount_total FROM credits.checkout_session_update('ann', :'s',
    quantities => '{"seat": 3}');
SELECT subscription_data FROM credits.checkout_sessions;
-- Submitted, its subscription begins. Declined, it stays; submitted again, it is the same one.
SELECT status, invoice_id IS NOT NULL AS invoice, payment_intent_id = :'s' AS same_id,
       subscription_id IS NOT NULL AS subscription, replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT * FROM state;
SELECT * FROM bills;
SELECT l.line_no, l.description, l.quantity, l.amount, l.tax, d(l.period_start) AS from, d(l.period_end) AS until
FROM credits.invoice_lines l ORDER BY l.line_no;
SELECT status, description, metadata, days_until_cancel, collection_method, checkout_session_id = :'s' AS same,
       jsonb_path_query_array(items, '$[*].quantity') AS quantities, items->0->'metadata' AS metadata
FROM credits.subscriptions;
SELECT status FROM credits.payment_failed('ann', :'s', 'stripe', 'pi_1', 'Your card was declined.');
SELECT status, replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT * FROM state;
SELECT * FROM credits.verify();
SELECT status FROM credits.payment_succeeded('ann', :'s', 'stripe', 'pi_2', 93.5);
SELECT status FROM credits.payment_succeeded('ann', :'s', 'stripe', 'pi_2', 93.5);
SELECT * FROM state;
SELECT * FROM bills;
SELECT * FROM given;
SELECT count(*) AS subscriptions FROM credits.subscriptions;
SELECT replayed FROM credits.checkout_session_submit('ann', :'s');
-- What is to be done at an event is with that event, and with no other.
SELECT e.type, e.data->'object'->>'status' AS status, e.data->'object'->'service_actions' AS actions
FROM credits.billing_events e WHERE e.object_type = 'subscription' ORDER BY e.event_id;
SELECT service_actions FROM credits.subscriptions;
-- It renews without the fee, by the customer's own tax.
SET credits.test_clock = '2026-07-01 09:00:00+00';
CALL credits.maintain();
SELECT * FROM bills;
SELECT * FROM credits.verify();
SELECT status FROM credits.subscription_cancel('ann', (SELECT subscription_id FROM credits.subscriptions), 'now');

-- 2. TRIALS
SET credits.test_clock = '2026-08-01 00:00:00+00';
-- Nothing is to be paid: it is complete at once, without an invoice.
SELECT session('bea', 'pro', '{"trial_period_days": 14, "trial_end_behavior": "pause"}') AS s \gset
SELECT status, payment_status, invoice_id, payment_intent_id, subscription_id IS NOT NULL AS subscription, replayed
FROM credits.checkout_session_submit('bea', :'s');
SELECT status, replayed FROM credits.checkout_session_submit('bea', :'s');
-- What its credits are for is granted in the trial: an invoice of nothing.
SELECT session('bo', 'eager', '{"trial_end": "2026-08-15T00:00:00Z"}') AS s \gset
SELECT status, payment_status FROM credits.checkout_session_submit('bo', :'s');
-- What is paid once is paid now, and then the trial begins.
SELECT session('bix', 'pro setup', '{"trial_period_days": 14}') AS s \gset
SELECT status, payment_status, amount_total FROM credits.checkout_session_submit('bix', :'s');
SELECT * FROM state WHERE customer_id = 'bix';
SELECT status FROM credits.payment_succeeded('bix', :'s', 'stripe', 'pi_3', 50);
SELECT * FROM state WHERE customer_id LIKE 'b%';
SELECT * FROM bills WHERE customer_id LIKE 'b%';
SELECT * FROM given WHERE customer_id LIKE 'b%';
SELECT * FROM credits.verify();
-- A payment method comes later: at the trial's end it is asked for.
SELECT FROM credits.payment_method_attach('bea', 'stripe', 'cus_bea', 'pm_bea');
SET credits.test_clock = '2026-08-15 00:00:00+00';
CALL credits.maintain();
SELECT * FROM state WHERE customer_id LIKE 'b%';
SELECT type, payload->>'amount' AS amount FROM credits_internal.outbox
WHERE customer_id = 'bea' AND type = 'payment.requested';
SELECT * FROM credits.verify();
-- A trial that was to end before it is submitted is over.
SELECT session('boe', 'pro', '{"trial_end": "2026-08-15T01:00:00Z"}') AS s \gset
SELECT amount_total FROM credits.checkout_sessions WHERE customer_id = 'boe';
SET credits.test_clock = '2026-08-15 02:00:00+00';
SELECT status, amount_total FROM credits.checkout_session_submit('boe', :'s');
SELECT status FROM credits.checkout_session_expire('boe', :'s');

-- 3. A PART OF A PERIOD
-- From the 16th to the 1st half a month is charged, or nothing.
SET credits.test_clock = '2026-09-16 00:00:00+00';
SELECT session('cy', 'pro', '{"billing_cycle_anchor": "2026-10-01T00:00:00Z"}') AS s \gset
SELECT status, amount_total FROM credits.checkout_session_submit('cy', :'s');
SELECT status FROM credits.payment_succeeded('cy', :'s', 'stripe', 'pi_4', 10);
SELECT session('cyn', 'pro', '{"billing_cycle_anchor": "2026-10-01T00:00:00Z", "proration_behavior": "none",
    "cancel_at_period_end": true}') AS s \gset
SELECT status, payment_status, amount_total FROM credits.checkout_session_submit('cyn', :'s');
SELECT * FROM state WHERE customer_id LIKE 'c%';
SELECT * FROM given WHERE customer_id LIKE 'c%';
SELECT d(cancel_at) AS cancel_at, cancel_at_period_end FROM credits.subscriptions WHERE customer_id = 'cyn';
SELECT * FROM credits.verify();

-- 4. DISCOUNTS
-- Once: off the first invoice. A payment that fails gives it back, and the next one takes it again.
SELECT session('dan', 'pro setup', NULL, 'ONCE') AS s \gset
SELECT * FROM state WHERE customer_id = 'dan';
SELECT status FROM credits.checkout_session_submit('dan', :'s');
SELECT status FROM credits.payment_failed('dan', :'s', 'stripe', 'pi_5', 'Declined.');
SELECT status FROM credits.checkout_session_submit('dan', :'s');
SELECT status FROM credits.payment_succeeded('dan', :'s', 'stripe', 'pi_6', 35);
SELECT * FROM redeemed WHERE customer_id = 'dan';
-- For two months, by a code that the customer enters; one redemption, which the session's end gives back.
SELECT session('dee', 'pro') AS s \gset
SELECT amount_discount, amount_total FROM credits.checkout_session_apply_promotion_code('dee', :'s', 'two');
SELECT amount_discount, amount_total FROM credits.checkout_session_remove_promotion_code('dee', :'s');
SELECT amount_discount, amount_total FROM credits.checkout_session_apply_promotion_code('dee', :'s', 'TWO');
SELECT status FROM credits.checkout_session_submit('dee', :'s');
SELECT session('dix', 'pro', NULL, 'TWO') AS other \gset
SELECT status FROM credits.checkout_session_submit('dix', :'other');
SELECT refused($$SELECT session('doc', 'pro', NULL, 'TWO')$$);
SELECT status FROM credits.checkout_session_expire('dix', :'other');
SELECT status FROM credits.payment_succeeded('dee', :'s', 'stripe', 'pi_7', 15);
-- Nothing is left to pay.
SELECT session('dot', 'pro', NULL, 'FREE') AS s \gset
SELECT status, payment_status FROM credits.checkout_session_submit('dot', :'s');
-- Of a trial it takes nothing off, but off the first invoice after it.
SELECT session('dru', 'pro', '{"trial_period_days": 3}', 'TWO') AS s \gset
SELECT status, payment_status, discounts->0->>'code' AS code, discounts->0->>'amount' AS amount
FROM credits.checkout_session_submit('dru', :'s');
SELECT * FROM state WHERE customer_id LIKE 'd%';
SELECT * FROM credits.verify();
SET credits.test_clock = '2026-10-16 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id IN ('dan', 'dee', 'dot', 'dru');
SET credits.test_clock = '2026-11-16 00:00:00+00';
SELECT * FROM redeemed WHERE customer_id LIKE 'd%';
SELECT name, times_redeemed FROM credits.coupons ORDER BY name;
SELECT * FROM credits.verify();

-- 5. NOBODY PAYS
-- The subscription expires with its session, for every reader at once; what was set aside is there again.
SELECT session('eli', 'pro badge', NULL, 'ONCE') AS s \gset
SELECT status FROM credits.checkout_session_submit('eli', :'s');
SELECT quantity_taken FROM credits.prices WHERE lookup_key = 'badge';
SELECT d(expires_at) AS expires FROM credits.checkout_sessions WHERE customer_id = 'eli';
SET credits.test_clock = '2026-11-17 00:00:00+00';
SELECT * FROM state WHERE customer_id = 'eli';
SELECT refused(format('SELECT credits.checkout_session_submit(''eli'', %L)', :'s'));
CALL credits.maintain();
SELECT * FROM state WHERE customer_id = 'eli';
SELECT quantity_taken FROM credits.prices WHERE lookup_key = 'badge';
SELECT d(ended_at) AS ended, latest_invoice_id IS NOT NULL AS invoice FROM credits.subscriptions
WHERE customer_id = 'eli';
SELECT * FROM credits.verify();
-- Money that comes later is for nothing, and is asked back: also where nobody has written down yet that it is over.
SELECT status, contradiction FROM credits.payment_succeeded('eli', :'s', 'stripe', 'pi_8', 11.5);
SELECT session('eve', 'pro') AS s \gset
SELECT status FROM credits.checkout_session_submit('eve', :'s');
SET credits.test_clock = '2026-11-18 01:00:00+00';
SELECT status, contradiction FROM credits.payment_succeeded('eve', :'s', 'stripe', 'pi_9', 20);
SELECT type, customer_id, payload->>'amount' AS amount, payload->>'reason' AS reason FROM credits_internal.outbox
WHERE type = 'refund.requested' AND customer_id LIKE 'e%' ORDER BY created_at;
CALL credits.maintain();
SELECT * FROM state WHERE customer_id LIKE 'e%';
-- By a call, and with the subscription that is canceled before it is paid.
SELECT session('ena', 'pro') AS s \gset
SELECT status FROM credits.checkout_session_submit('ena', :'s');
SELECT status, replayed FROM credits.checkout_session_expire('ena', :'s');
SELECT status, replayed FROM credits.checkout_session_expire('ena', :'s');
SELECT session('eno', 'pro badge') AS s \gset
SELECT status FROM credits.checkout_session_submit('eno', :'s');
SELECT status FROM credits.subscription_cancel('eno', (SELECT subscription_id FROM credits.subscriptions
    WHERE customer_id = 'eno'));
SELECT refused(format('SELECT credits.checkout_session_submit(''eno'', %L)', :'s'));
SELECT * FROM state WHERE customer_id IN ('ena', 'eno');
SELECT quantity_taken FROM credits.prices WHERE lookup_key = 'badge';
-- Nor is a session open longer than the first period that it is for.
SELECT session('ela', 'pro', '{"billing_cycle_anchor": "2026-11-18T03:00:00Z"}') AS s \gset
SELECT d(expires_at) AS expires FROM credits.checkout_session_submit('ela', :'s');
SELECT status FROM credits.checkout_session_expire('ela', :'s');
SELECT * FROM credits.verify();

-- 6. STOCK
SELECT session('fay', 'pro badge') AS s \gset
SELECT session('fil', 'pro badge') AS other \gset
SELECT session('fox', 'pro badge') AS third \gset
SELECT status FROM credits.checkout_session_submit('fay', :'s');
SELECT status FROM credits.checkout_session_submit('fil', :'other');
SELECT refused(format('SELECT credits.checkout_session_submit(''fox'', %L)', :'third'));
SELECT count(*) AS subscriptions FROM credits.subscriptions WHERE customer_id = 'fox';
SELECT status FROM credits.payment_succeeded('fay', :'s', 'stripe', 'pi_10', 23);
SELECT status FROM credits.checkout_session_expire('fil', :'other');
SELECT quantity_taken, quantity_sold FROM credits.prices WHERE lookup_key = 'badge';
SELECT * FROM credits.verify();

-- 7. PAYMENT LINKS
SELECT payment_link_id AS link, mode, subscription_data FROM credits.payment_link_create('Pro, two weeks for nothing',
    '[{"lookup_key": "pro"}, {"lookup_key": "seat", "adjustable_quantity": {"enabled": true}}]',
    allow_promotion_codes => true, subscription_data => '{"trial_period_days": 14}') \gset
\echo :mode :subscription_data
SELECT mode, amount_total, subscription_data FROM credits.payment_link_open('gil', :'link',
    quantities => '{"seat": 4}', idempotency_key => 'gil');
SELECT replayed FROM credits.payment_link_open('gil', :'link', quantities => '{"seat": 4}', idempotency_key => 'gil');
SELECT s.status, s.payment_status FROM credits.checkout_sessions c,
    credits.checkout_session_submit('gil', c.checkout_session_id) s WHERE c.customer_id = 'gil';
SELECT jsonb_path_query_array(items, '$[*].quantity') AS quantities, status FROM credits.subscriptions
WHERE customer_id = 'gil';
SELECT mode, subscription_data
FROM credits.payment_link_update(:'link', subscription_data => '{"days_until_cancel": 3}');
SELECT mode, amount_total FROM credits.payment_link_open('gus', :'link');
SELECT mode, subscription_data FROM credits.payment_link_update(:'link', line_items => '[{"lookup_key": "setup"}]');
SELECT mode, amount_total FROM credits.payment_link_open('guy', :'link');
SELECT refused(format('SELECT credits.payment_link_update(%L, subscription_data => ''{}'')', :'link'));
SELECT refused($$SELECT credits.payment_link_create('Wrong', '[{"lookup_key": "pro"}, {"lookup_key": "yearly"}]')$$);

-- 8. WHAT STRIPE REPORTS
CREATE FUNCTION stripe(event text, type text, object jsonb)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    WITH sent AS (SELECT jsonb_build_object('id', event, 'type', type, 'data',
                                            jsonb_build_object('object', object))::text AS body,
                         extract(epoch FROM credits.clock())::bigint::text AS t)
    SELECT r.type, r.outcome, r.status, r.reason
    FROM sent s, credits.webhook_receive('stripe', s.body,
        't=' || s.t || ',v1=' || encode(hmac(s.t || '.' || s.body, 'whsec of sixteen and more', 'sha256'), 'hex')) r
$$;
CREATE FUNCTION completed(n text, customer text, id uuid, cents int DEFAULT 2000)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    SELECT * FROM stripe('completed ' || n, 'checkout.session.completed', jsonb_build_object('id', 'cs_' || n,
        'mode', 'payment', 'payment_status', 'paid', 'currency', 'usd', 'amount_total', cents,
        'amount_subtotal', cents, 'payment_intent', 'pi_' || n,
        'metadata', jsonb_build_object('customer_id', customer, 'checkout_session_id', id))) $$;
CREATE FUNCTION succeeded(n text, customer text, id uuid, cents int DEFAULT 2000)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    SELECT * FROM stripe('succeeded ' || n, 'payment_intent.succeeded', jsonb_build_object('id', 'pi_' || n,
        'currency', 'usd', 'amount_received', cents,
        'metadata', jsonb_build_object('customer_id', customer, 'payment_intent_id', id))) $$;
-- Submitted: one after the other, either way round, and each alone.
SELECT session('hal', 'pro') AS s \gset
SELECT FROM credits.checkout_session_submit('hal', :'s');
SELECT * FROM completed('h1', 'hal', :'s');
SELECT * FROM succeeded('h1', 'hal', :'s');
SELECT session('han', 'pro') AS s \gset
SELECT FROM credits.checkout_session_submit('han', :'s');
SELECT * FROM succeeded('h2', 'han', :'s');
SELECT * FROM completed('h2', 'han', :'s');
SELECT session('hao', 'pro') AS s \gset
SELECT FROM credits.checkout_session_submit('hao', :'s');
SELECT * FROM completed('h3', 'hao', :'s');
-- Nobody submitted it, and it is paid: the subscription begins all the same, with its discount; also when it was over.
SELECT session('hap', 'pro badge', NULL, 'ONCE') AS s \gset
SELECT * FROM completed('h4', 'hap', :'s', 1150);
SELECT * FROM succeeded('h4', 'hap', :'s', 1150);
SELECT session('haz', 'pro') AS s \gset
SELECT session('heb', 'pro', '{"billing_cycle_anchor": "2026-12-18T01:00:00Z", "trial_period_days": 0}') AS stub \gset
SELECT amount_total FROM credits.checkout_sessions WHERE customer_id = 'heb';
SET credits.test_clock = '2026-11-20 02:00:00+00';
CALL credits.maintain();
SELECT * FROM succeeded('h5', 'haz', :'s');
SELECT * FROM succeeded('h6', 'heb', :'stub', 2000);
SELECT * FROM state WHERE customer_id LIKE 'h%';
SELECT * FROM bills WHERE customer_id LIKE 'h%';
SELECT * FROM given WHERE customer_id LIKE 'h%';
SELECT * FROM redeemed WHERE customer_id LIKE 'h%';
-- Tax of Stripe's own replaces ours.
SELECT session('hew', 'pro') AS s \gset
SELECT FROM credits.checkout_session_submit('hew', :'s');
SELECT * FROM stripe('completed h7', 'checkout.session.completed', jsonb_build_object('id', 'cs_h7', 'mode', 'payment',
    'payment_status', 'paid', 'currency', 'usd', 'amount_total', 2380, 'amount_subtotal', 2000,
    'payment_intent', 'pi_h7',
    'total_details', '{"amount_tax": 380, "amount_discount": 0, "amount_shipping": 0}'::jsonb,
    'metadata', jsonb_build_object('customer_id', 'hew', 'checkout_session_id', :'s'::uuid)));
SELECT * FROM bills WHERE customer_id = 'hew';
SELECT * FROM state WHERE customer_id = 'hew';
-- Money back: its share of the credits goes.
SELECT status FROM credits.payment_refunded('hal', (SELECT checkout_session_id FROM credits.checkout_sessions
    WHERE customer_id = 'hal'), 'stripe', 'pi_h1', 5);
SELECT balance FROM credits.wallets WHERE customer_id = 'hal';
SELECT * FROM credits.verify();

-- 9. WHAT IS WRONG
SELECT refused($$SELECT credits.checkout_session_create('ida', line_items => '[{"lookup_key": "pro"}]')$$);
SELECT refused($$SELECT credits.checkout_session_create('ida', 'setup', '[{"lookup_key": "pro"}]')$$);
SELECT refused($$SELECT credits.checkout_session_create('ida', line_items => '[{"lookup_key": "setup"}]',
    subscription_data => '{}')$$);
SELECT refused($$SELECT session('ida', 'setup')$$);
SELECT refused($$SELECT session('ida', 'pro yearly')$$);
SELECT refused($$SELECT session('ida', 'pro euro')$$);
SELECT refused($$SELECT session('ida', 'euro setup')$$);
SELECT refused($$SELECT credits.checkout_session_create('ida', 'subscription', '[{"lookup_key": "pro"}]', 'EUR')$$);
SELECT refused(format($$SELECT credits.checkout_session_create('ida', 'subscription',
    '[{"lookup_key": "pro", %s}]')$$, w))
FROM unnest(ARRAY['"custom_amount": 3', '"tax_rate": 3', '"tax_behavior": "inclusive"', '"description": "x"']) w;
SELECT refused($$SELECT credits.checkout_session_create('ida', 'subscription',
    '[{"lookup_key": "pro"}, {"lookup_key": "seat", "quantity": 10}]')$$);
SELECT refused(format($$SELECT session('ida', 'pro', %L)$$, w))
FROM unnest(ARRAY['[]', '{"trial_days": 3}', '{"trial_period_days": -1}', '{"trial_end": "2026-01-01T00:00:00Z"}',
    '{"trial_end": "2027-01-01T00:00:00Z", "trial_period_days": 3}', '{"trial_end": "soon"}', '{"trial_end": 1}',
    '{"trial_end_behavior": "stop"}', '{"billing_cycle_anchor": "1"}', '{"days_until_due": 1.5}',
    '{"proration_behavior": "always"}', '{"cancel_at_period_end": "yes"}', '{"metadata": [1]}', '{"description": 3}',
    '{"service_actions": {}}', '{"service_actions": [{"type": "custom"}]}',
    '{"service_actions": [{"trigger_events": ["invoice.paid"]}]}']) w;
SELECT session('ida', 'pro setup') AS s \gset
SELECT refused(format('SELECT credits.checkout_session_update(''ida'', %L,
    line_items => ''[{"lookup_key": "setup"}]'')', :'s'));
SELECT amount_total FROM credits.checkout_session_update('ida', :'s', subscription_data => '{"trial_period_days": 5}');
SELECT status FROM credits.checkout_session_submit('ida', :'s');
SELECT refused(format('SELECT credits.checkout_session_update(''ida'', %L, subscription_data => ''{}'')', :'s'));
SELECT s.checkout_session_id AS p
FROM credits.checkout_session_create('ida', line_items => '[{"lookup_key": "setup"}]') s \gset
SELECT refused(format('SELECT credits.checkout_session_update(''ida'', %L, subscription_data => ''{}'')', :'p'));
SELECT * FROM credits.verify();

-- 10. A PERSON IS FORGOTTEN
SELECT FROM credits.checkout_session_expire('ida', :'s');
SELECT session('jo', 'pro', '{"metadata": {"who": "Jo"}, "description": "Jo''s", "days_until_cancel": 3,
    "service_actions": [{"trigger_events": ["customer.subscription.deleted"], "to": "Jo"}]}') AS s \gset
SELECT FROM credits.checkout_session_submit('jo', :'s');
SELECT refused($$SELECT credits.customer_erase('jo')$$);
SELECT FROM credits.checkout_session_expire('jo', :'s');
SELECT FROM credits.customer_erase('jo');
SELECT cleared > 0 AS cleared FROM credits.customer_metadata_clear('jo');
SELECT s.subscription_data, b.metadata, b.description, b.service_actions
FROM credits.checkout_sessions s JOIN credits.subscriptions b USING (customer_id, subscription_id)
WHERE s.customer_id = 'jo';
SELECT * FROM credits.verify();

-- 11. WHAT verify() FINDS
BEGIN;
UPDATE credits_internal.subscriptions SET status = 'active', next_change_at = now(), ended_at = NULL
WHERE customer_id = 'ida' AND status = 'incomplete_expired';
SELECT problem, customer_id FROM credits.verify() WHERE customer_id = 'ida' ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE credits_internal.subscriptions SET checkout_session_id = NULL WHERE customer_id = 'hal';
SELECT problem, customer_id FROM credits.verify() WHERE customer_id = 'hal' ORDER BY 1;
ROLLBACK;
