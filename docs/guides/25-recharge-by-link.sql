-- RECHARGE BY A LINK
--
-- An application has a button "Buy credits". It opens payment_url of the currency's recharge configuration as it is;
-- the page behind it opens a checkout for whoever is logged in, and a worker charges the card that is on file.
-- docs/reference/checkout.md has the rules, docs/payments.md the worker's calls.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-09-07 09:00+00';

-- What is set up once. (The results of these calls do not matter here.)
\o /dev/null
CREATE EXTENSION pgcrypto;
SELECT FROM credits.currency_create('USD', 'US dollar', kind => 'fiat', symbol => '$');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page');
SELECT FROM credits.outbox_consumer_create('charger');
SELECT FROM credits.wallet_credit('omar', 20, description => 'To begin with');
SELECT price_id AS pack FROM credits.package_create('1,000 credits', 1000, 15, 'USD', lookup_key => 'pack') \gset
\o
CREATE TEMP SEQUENCE events;
CREATE FUNCTION pg_temp.stripe_sends(type text, object jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH event AS (
        SELECT extract(epoch FROM credits.clock())::bigint::text AS t, jsonb_build_object('id',
            'evt_' || nextval('events'), 'type', type, 'data', jsonb_build_object('object', object))::text AS body)
    SELECT received FROM event, credits.webhook_receive('stripe', body,
        't=' || t || ',v1=' || encode(hmac(t || '.' || body, 'whsec_of_this_page', 'sha256'), 'hex')) AS received
$$;

-- 1. WHAT THE BUTTON OPENS
--
-- Before anything is configured the answer is a row of NULLs, and no error: the button is not shown.
SELECT currency, base_price_id, payment_url FROM credits.recharge_config('CREDIT');
-- The page where checkouts are is a setting of the database; here it is set for this session.
SET credits.checkout_url = 'https://app.example/checkout';
SELECT currency, base_price_id = :'pack' AS base_price, price ->> 'unit_amount' AS unit_amount,
       product ->> 'name' AS product, replace(payment_url, payment_link_id::text, '(its id)') AS payment_url
FROM credits.configure_recharge('CREDIT', :'pack', max_amount => 150);

-- 2. OMAR PRESSES IT
--
-- The address has the link's id; the page's server says who is there. He takes three packs.
SELECT split_part(payment_url, 'payment_link=', 2) AS link FROM credits.recharge_config('CREDIT') \gset
SELECT checkout_session_id AS session, status, amount_total
FROM credits.payment_link_open('omar', :'link', quantities => '{"pack": 3}') \gset
\echo :status :amount_total
-- His card is on file, so submitting asks the worker that charges.
SELECT is_default FROM credits.payment_method_attach('omar', 'stripe', 'cus_Omar', 'pm_Visa4242');
SELECT status, payment_status FROM credits.checkout_session_submit('omar', :'session');
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'amount' AS amount FROM work WHERE type = 'payment.requested';
SELECT go, minor_units, currency, payment_method FROM credits.payment_intent_begin('omar', :'session');
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;

-- 3. STRIPE SAYS NO, THEN YES
--
-- The card is declined. The session stays open, and Omar presses the button again: the worker is asked once more.
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.payment_failed', jsonb_build_object('id', 'pi_1',
    'currency', 'usd', 'last_payment_error', '{"message": "Your card has insufficient funds."}'::jsonb,
    'metadata', jsonb_build_object('customer_id', 'omar', 'payment_intent_id', :'session')));
SELECT status, payment_status FROM credits.checkout_sessions WHERE checkout_session_id = :'session';
SELECT status, replayed FROM credits.checkout_session_submit('omar', :'session');
SELECT type, payload ->> 'amount' AS amount FROM credits.outbox_claim('charger') WHERE type = 'payment.requested';
SELECT go, attempt FROM credits.payment_intent_begin('omar', :'session');
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.succeeded', jsonb_build_object('id', 'pi_2',
    'amount_received', 4500, 'currency', 'usd',
    'metadata', jsonb_build_object('customer_id', 'omar', 'payment_intent_id', :'session')));
SELECT status, payment_status, amount_total FROM credits.checkout_sessions WHERE checkout_session_id = :'session';
SELECT available FROM credits.wallet_balance('omar', 'CREDIT');
SELECT name, amount, cost_amount, cost_currency FROM credits.grants WHERE granted_by = 'checkout';

-- 4. ANOTHER PRICE
--
-- Configuring another price changes what the same address sells.
SELECT price_id AS larger FROM credits.package_create('5,000 credits', 5000, 60, 'USD') \gset
SELECT unit_amount, payment_link_id = :'link' AS same_link FROM credits.configure_recharge('CREDIT', :'larger');
SELECT amount_total FROM credits.payment_link_open('omar', :'link');
SELECT * FROM credits.verify();
