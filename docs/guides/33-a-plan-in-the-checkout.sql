-- A PLAN IN THE CHECKOUT
--
-- A design tool sells Pro from its pricing page: 20 dollars a month with 1,000 credits, 5 dollars for each further
-- seat, and 50 once for the setup. Here are the cart and what becomes of it, a renewal, a trial, a code that goes on
-- for three months, and somebody who does not pay. docs/reference/subscriptions.md and docs/reference/checkout.md have
-- the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 09:00+00';

-- What is set up once. (The results of these calls do not matter here; docs/webhooks.md shows how to set a real secret
-- so that no log has it.)
\o /dev/null
CREATE EXTENSION pgcrypto;
SET credits.checkout_url = 'https://tool.example/checkout';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page',
                                         checkout_url_template => 'https://tool.example/stripe/{checkout_session_id}');
SELECT FROM credits.outbox_consumer_create('charger');
\o
-- There is no Stripe here, so this page signs in its place, as Stripe does: HMAC-SHA256 of the time, a dot and the
-- body. Its Checkout reports what the customer paid, and names the session in its metadata.
CREATE TEMP SEQUENCE events;
CREATE FUNCTION pg_temp.stripe_sends(type text, object jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH event AS (
        SELECT extract(epoch FROM credits.clock())::bigint::text AS t, jsonb_build_object('id',
            'evt_' || nextval('events'), 'type', type, 'data', jsonb_build_object('object', object))::text AS body)
    SELECT received FROM event, credits.webhook_receive('stripe', body,
        't=' || t || ',v1=' || encode(hmac(t || '.' || body, 'whsec_of_this_page', 'sha256'), 'hex')) AS received
$$;
CREATE FUNCTION pg_temp.pays(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT w.outcome || ', ' || w.status
    FROM credits.checkout_sessions s, pg_temp.stripe_sends('checkout.session.completed', jsonb_build_object(
        'id', 'cs_' || customer, 'mode', 'payment', 'payment_status', 'paid', 'currency', 'usd',
        'amount_subtotal', (s.amount_total * 100)::int, 'amount_total', (s.amount_total * 100)::int,
        'payment_intent', 'pi_' || customer,
        'metadata', jsonb_build_object('customer_id', customer, 'checkout_session_id', s.checkout_session_id))) w
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1
$$;

-- 1. WHAT IS SOLD
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS setup FROM credits.product_create('Setup') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"first_grant": "after_trial",
        "expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'seat');
SELECT lookup_key FROM credits.price_create(:'setup', unit_amount => 50, currency => 'USD', lookup_key => 'setup');
SELECT name, duration, duration_in_months FROM credits.coupon_create('Three months half price', percent_off => 50,
    duration => 'repeating', duration_in_months => 3, promotion_codes => '[{"code": "AUTUMN"}]');

-- 2. ANN BUYS
--
-- Pro, two seats more, and the setup. On the page she makes it three seats. service_actions are the tool's own: it
-- wants to be reminded of them when the subscription has started.
SELECT checkout_session_id AS ann, mode, amount_total
FROM credits.checkout_session_create('ann', 'subscription', '[{"lookup_key": "pro"}, {"lookup_key": "seat",
    "quantity": 2, "adjustable_quantity": {"enabled": true, "maximum": 20}}, {"lookup_key": "setup"}]',
    success_url => 'https://tool.example/welcome', subscription_data => '{"description": "Pro",
        "service_actions": [{"type": "mail", "template": "welcome",
            "trigger_events": ["customer.subscription.started"]}]}') \gset
\echo :mode :amount_total
SELECT amount_total FROM credits.checkout_session_update('ann', :'ann', quantities => '{"seat": 3}');
-- Submitted, the subscription begins: incomplete, with a draft of its first invoice.
SELECT status, replace(checkout_url, :'ann', '(its id)') AS checkout_url, amount_total
FROM credits.checkout_session_submit('ann', :'ann');
SELECT status, current_period_start, current_period_end FROM credits.subscriptions WHERE checkout_session_id = :'ann';
-- Her first card is declined. She submits again, and it is the same subscription.
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.payment_failed', jsonb_build_object('id', 'pi_0',
    'amount', 8500, 'currency', 'usd', 'last_payment_error', '{"code": "card_declined"}'::jsonb,
    'metadata', jsonb_build_object('customer_id', 'ann', 'payment_intent_id', :'ann')));
SELECT status, replayed FROM credits.checkout_session_submit('ann', :'ann');
SELECT pg_temp.pays('ann');
SELECT s.status, s.payment_status, b.status AS subscription
FROM credits.checkout_sessions s JOIN credits.subscriptions b USING (subscription_id) WHERE s.customer_id = 'ann';
SELECT number LIKE '%-0001' AS first, billing_reason, total, status FROM credits.invoices WHERE customer_id = 'ann';
SELECT available FROM credits.wallet_balance('ann');
SELECT type, data->'object'->'service_actions' AS service_actions FROM credits.billing_events
WHERE object_type = 'subscription' AND customer_id = 'ann' ORDER BY event_id;

-- 3. A TRIAL
--
-- Bob tries it out for two weeks, and needs no card for that: submitted, the session is complete. When he saves a card
-- before the trial ends, it is asked for then.
SELECT checkout_session_id AS bob, amount_total
FROM credits.checkout_session_create('bob', 'subscription', '[{"lookup_key": "pro"}]',
    subscription_data => '{"trial_period_days": 14, "trial_end_behavior": "pause"}') \gset
\echo :amount_total
SELECT status, payment_status FROM credits.checkout_session_submit('bob', :'bob');
SELECT status, trial_end FROM credits.subscriptions WHERE customer_id = 'bob';
SELECT FROM credits.payment_method_attach('bob', 'stripe', 'cus_bob', 'pm_bob');

-- 4. A CODE THAT GOES ON
--
-- Cleo types AUTUMN in: half price now, and for the two renewals after that. It is used once.
SELECT checkout_session_id AS cleo FROM credits.checkout_session_create('cleo', 'subscription',
    '[{"lookup_key": "pro"}]', allow_promotion_codes => true) \gset
SELECT amount_discount, amount_total
FROM credits.checkout_session_apply_promotion_code('cleo', :'cleo', 'autumn');
SELECT status FROM credits.checkout_session_submit('cleo', :'cleo');
SELECT pg_temp.pays('cleo');
SELECT status, discount_end FROM credits.subscriptions WHERE customer_id = 'cleo';
SELECT code, times_redeemed FROM credits.promotion_codes;

-- 5. WHO DOES NOT PAY
--
-- Dan goes away. A day later his session is over, and so is the subscription, for whoever looks.
SELECT checkout_session_id AS dan FROM credits.checkout_session_create('dan', 'subscription',
    '[{"lookup_key": "pro"}]') \gset
SELECT status FROM credits.checkout_session_submit('dan', :'dan');
SET credits.test_clock = '2026-09-02 09:00+00';
SELECT s.status, b.status AS subscription
FROM credits.checkout_sessions s JOIN credits.subscriptions b USING (subscription_id) WHERE s.customer_id = 'dan';

-- 6. WHAT TIME BRINGS
--
-- maintain() makes the invoices: bob's, whose trial is over, and the renewals, without the setup. What is to be charged
-- is in the outbox. Ann and cleo let nobody save their cards: they are past due until they pay.
SET credits.test_clock = '2026-09-15 09:00+00';
CALL credits.maintain();
SELECT customer_id, type, payload->>'amount' AS amount FROM credits.outbox_rows WHERE type = 'payment.requested';
SET credits.test_clock = '2026-10-01 09:00+00';
CALL credits.maintain();
SELECT customer_id, billing_reason, subtotal, discount, total, status FROM credits.invoices
WHERE number IS NOT NULL ORDER BY customer_id, number;
SELECT customer_id, status FROM credits.subscriptions ORDER BY customer_id;
SELECT * FROM credits.verify();
