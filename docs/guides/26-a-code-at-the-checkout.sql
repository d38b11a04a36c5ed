-- A CODE AT THE CHECKOUT
--
-- A shop sells prints and credits for its workshop. In autumn a code takes 20 percent off; newcomers get 5 euros off
-- their first purchase; and the last use of a code goes to whoever pays. Here are the cart, the page's calls, Stripe's
-- webhook, and the worker that delivers. docs/reference/checkout.md and docs/reference/coupons.md have the rules.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-09-01 09:00+00';
SET credits.test_clock_drives_billing = on;

-- What is set up once. (The results of these calls do not matter here; docs/webhooks.md shows how to set a real secret
-- so that no log has it.)
\o /dev/null
CREATE EXTENSION pgcrypto;
SET credits.checkout_url = 'https://shop.example/checkout';
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page',
                                         checkout_url_template => 'https://shop.example/stripe/{checkout_session_id}');
SELECT FROM credits.product_create('Print', 'good', prices => '[{"unit_amount": 25, "currency": "EUR",
    "lookup_key": "print"}]');
SELECT FROM credits.package_create('50 workshop credits', 50, 10, 'EUR', lookup_key => 'workshop');
SELECT FROM credits.outbox_consumer_create('delivery');
\o
-- There is no Stripe here, so this page signs in its place, as Stripe does: HMAC-SHA256 of the time, a dot and the
-- body.
CREATE TEMP SEQUENCE events;
CREATE FUNCTION pg_temp.stripe_sends(type text, object jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH event AS (
        SELECT extract(epoch FROM credits.clock())::bigint::text AS t, jsonb_build_object('id',
            'evt_' || nextval('events'), 'type', type, 'data', jsonb_build_object('object', object))::text AS body)
    SELECT received FROM event, credits.webhook_receive('stripe', body,
        't=' || t || ',v1=' || encode(hmac(t || '.' || body, 'whsec_of_this_page', 'sha256'), 'hex')) AS received
$$;
-- Stripe's Checkout reports what the customer paid. Its metadata name the session.
CREATE FUNCTION pg_temp.pays(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT w.outcome || ', ' || w.status
    FROM credits.checkout_sessions s, pg_temp.stripe_sends('checkout.session.completed', jsonb_build_object(
        'id', 'cs_' || customer, 'mode', 'payment', 'payment_status', 'paid', 'currency', 'eur',
        'amount_subtotal', (s.amount_total * 100)::int, 'amount_total', (s.amount_total * 100)::int,
        'payment_intent', 'pi_' || customer,
        'metadata', jsonb_build_object('customer_id', customer, 'checkout_session_id', s.checkout_session_id))) w
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1
$$;

-- 1. THE CODES
SELECT name, percent_off FROM credits.coupon_create('Autumn', percent_off => 20,
    promotion_codes => '[{"code": "AUTUMN"}]');
SELECT name, amount_off, currency FROM credits.coupon_create('Welcome', amount_off => 5, currency => 'EUR',
    promotion_codes => '[{"code": "HELLO", "restrictions": {"first_time_transaction": true}}]');
SELECT name, percent_off, max_redemptions FROM credits.coupon_create('One of a kind', percent_off => 50,
    max_redemptions => 1, promotion_codes => '[{"code": "ONLYONE"}]');
SELECT name FROM credits.coupon_create('From a friend', credit_config => '{"amount": 10}',
    promotion_codes => '[{"code": "FRIEND10"}]');

-- 2. ANN'S CART
--
-- A print and 50 credits, with 19 percent tax. She makes it two prints, and types the code in.
SELECT checkout_session_id AS ann, amount_subtotal, amount_tax, amount_total
FROM credits.checkout_session_create('ann', line_items => '[
    {"lookup_key": "print", "adjustable_quantity": {"enabled": true, "maximum": 5}}, {"lookup_key": "workshop"}]',
    tax_rate => 19, allow_promotion_codes => true, success_url => 'https://shop.example/thanks') \gset
\echo :amount_subtotal :amount_tax :amount_total
SELECT amount_subtotal, amount_total
FROM credits.checkout_session_update('ann', :'ann', quantities => '{"print": 2}');
SELECT amount_subtotal, amount_discount, amount_tax, amount_total
FROM credits.checkout_session_apply_promotion_code('ann', :'ann', 'autumn');
SELECT item->>'name' AS item, item->>'quantity' AS quantity, item->>'amount' AS amount,
       item->>'amount_discount' AS discount, item->>'amount_tax' AS tax
FROM credits.checkout_sessions s, jsonb_array_elements(s.line_items) item WHERE s.customer_id = 'ann';
-- She pays. Before Stripe has told us, nothing is delivered; then all of it is.
SELECT status, payment_status FROM credits.checkout_session_submit('ann', :'ann');
SELECT pg_temp.pays('ann');
SELECT status, payment_status FROM credits.checkout_sessions WHERE customer_id = 'ann';
SELECT number, subtotal, discount, tax, total, amount_paid FROM credits.invoices WHERE customer_id = 'ann';
SELECT available FROM credits.wallets WHERE customer_id = 'ann' AND currency = 'CREDIT';

-- 3. A NEWCOMER
--
-- HELLO is for the first purchase: bob's, and not ann's second.
\set VERBOSITY sqlstate
SELECT FROM credits.checkout_session_create('ann', line_items => '[{"lookup_key": "print"}]',
                                            discounts => '[{"code": "HELLO"}]');
\set VERBOSITY default
SELECT checkout_session_id AS bob, amount_discount, amount_total
FROM credits.checkout_session_create('bob', line_items => '[{"lookup_key": "print"}]',
                                     discounts => '[{"code": "HELLO"}]') \gset
\echo :amount_discount :amount_total
SELECT status FROM credits.checkout_session_submit('bob', :'bob');
SELECT pg_temp.pays('bob');

-- 4. THE LAST USE OF A CODE
--
-- Cid submits first, so the only use is reserved for him, and dan is told that there is none (PC016). Cid's card is
-- declined: the use is anybody's again, and dan gets it.
SELECT checkout_session_id AS cid FROM credits.checkout_session_create('cid', line_items =>
    '[{"lookup_key": "print"}]', discounts => '[{"code": "ONLYONE"}]') \gset
SELECT checkout_session_id AS dan FROM credits.checkout_session_create('dan', line_items =>
    '[{"lookup_key": "print"}]', discounts => '[{"code": "ONLYONE"}]') \gset
SELECT amount_total FROM credits.checkout_session_submit('cid', :'cid');
\set VERBOSITY sqlstate
SELECT amount_total FROM credits.checkout_session_submit('dan', :'dan');
\set VERBOSITY default
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.payment_failed', jsonb_build_object('id', 'pi_cid',
    'amount', 1250, 'currency', 'eur', 'last_payment_error', '{"code": "card_declined"}'::jsonb,
    'metadata', jsonb_build_object('customer_id', 'cid', 'payment_intent_id', :'cid')));
SELECT amount_total FROM credits.checkout_session_submit('dan', :'dan');
SELECT pg_temp.pays('dan');
SELECT code, times_redeemed FROM credits.promotion_codes WHERE code IN ('AUTUMN', 'HELLO', 'ONLYONE') ORDER BY code;

-- 5. A VOUCHER
--
-- A code for credits is no discount: it needs no cart, and gives them at once.
SELECT credits, currency, available FROM credits.voucher_redeem('dan', 'FRIEND10', idempotency_key => 'a gift');

-- 6. THE WORKER THAT DELIVERS
--
-- It reads the outbox, and acknowledges what it has packed.
SELECT type, count(*) FROM credits.outbox_claim('delivery', 100) GROUP BY 1 ORDER BY 1;
SELECT customer_id, action, amount, currency FROM credits.discount_log ORDER BY created_at, holder_id, log_no;
SELECT * FROM credits.verify();
