-- A PAYMENT LINK
--
-- A shop mails one address to a hundred customers: a print, of which there are 30, and credits for its workshop. Each
-- of them gets a checkout of their own. Here are the link, the page's calls, Stripe's webhook, and what becomes of
-- those who come too late. docs/reference/checkout.md has the rules.
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
    "lookup_key": "print", "quantity_available": 30, "quantity_limit_per_checkout": 2}]');
SELECT FROM credits.package_create('50 workshop credits', 50, 10, 'EUR', lookup_key => 'workshop');
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

-- 1. THE LINK
--
-- What is sold, and where a customer goes once it is paid. The address is the same for everybody.
SELECT payment_link_id AS link, name, active, replace(url, payment_link_id::text, '(its id)') AS url
FROM credits.payment_link_create('Autumn print', '[
    {"lookup_key": "print", "adjustable_quantity": {"enabled": true, "minimum": 1, "maximum": 2}},
    {"lookup_key": "workshop"}]',
    after_completion => '{"type": "redirect", "redirect": {"url": "https://shop.example/thanks"}}',
    lookup_key => 'autumn-print') \gset
\echo :name :active :url

-- 2. A HUNDRED OPEN IT
--
-- The page's server knows who is logged in, and opens the link for that customer. A reload with the same key finds the
-- same session.
SELECT count(*) AS opened, count(DISTINCT s.checkout_session_id) AS sessions, sum(s.amount_total) AS total
FROM generate_series(1, 100) n,
     credits.payment_link_open('customer ' || n, :'link', idempotency_key => 'autumn print') s;
SELECT status, amount_total, success_url, replayed
FROM credits.payment_link_open('customer 7', :'link', idempotency_key => 'autumn print');
-- Each url has a token that says whose session it is. Nothing is reserved yet: a cart is no promise.
SELECT count(DISTINCT url) AS urls FROM credits.checkout_sessions;
SELECT quantity_available, quantity_taken FROM credits.prices WHERE lookup_key = 'print';

-- 3. FORTY WANT IT
--
-- Submitting reserves a print for each, as long as there are some. The others are told so (PC017), and keep their cart.
CREATE FUNCTION pg_temp.submit(customer text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits.checkout_session_submit(s.customer_id, s.checkout_session_id)
    FROM credits.checkout_sessions s WHERE s.customer_id = customer;
    RETURN 'reserved';
EXCEPTION WHEN SQLSTATE 'PC017' THEN
    RETURN 'sold out';
END $$;
SELECT outcome, count(*) FROM generate_series(1, 40) n, pg_temp.submit('customer ' || n) AS outcome
GROUP BY 1 ORDER BY 1;
SELECT quantity_available, quantity_taken FROM credits.prices WHERE lookup_key = 'print';

-- 4. TWENTY PAY
--
-- The page makes Stripe's own Checkout Session, with customer_id and checkout_session_id as its metadata. Stripe
-- reports it: the session is complete, its invoice has a number, and the credits are there.
SELECT w.status, count(*) FROM generate_series(1, 20) n
JOIN credits.checkout_sessions s ON s.customer_id = 'customer ' || n
CROSS JOIN LATERAL pg_temp.stripe_sends('checkout.session.completed', jsonb_build_object('id', 'cs_' || n,
    'mode', 'payment', 'payment_status', 'paid', 'currency', 'eur', 'amount_subtotal', 3500, 'amount_total', 3500,
    'payment_intent', 'pi_' || n,
    'metadata', jsonb_build_object('customer_id', s.customer_id, 'checkout_session_id', s.checkout_session_id))) w
WHERE w.outcome = 'applied' GROUP BY 1;
SELECT count(*) AS paid, sum(total) AS revenue FROM credits.invoices WHERE status = 'paid';
SELECT sum(available) AS workshop_credits FROM credits.wallets;

-- 5. TEN DO NOT
--
-- A day later their sessions are over, for everybody who looks, and their prints are for sale again.
SET credits.test_clock = '2026-09-02 10:00+00';
SELECT status, payment_status, count(*) FROM credits.checkout_sessions GROUP BY 1, 2 ORDER BY 1, 2;
CALL credits.maintain();
SELECT quantity_taken FROM credits.prices WHERE lookup_key = 'print';
-- One of them had paid at the last minute, and Stripe reports it now. There is a print left, so she gets it.
SELECT outcome, w.status FROM credits.checkout_sessions s, pg_temp.stripe_sends('payment_intent.succeeded',
    jsonb_build_object('id', 'pi_late', 'amount_received', 3500, 'currency', 'eur', 'metadata',
        jsonb_build_object('customer_id', s.customer_id, 'payment_intent_id', s.checkout_session_id))) w
WHERE s.customer_id = 'customer 21';
SELECT status, payment_status FROM credits.checkout_sessions WHERE customer_id = 'customer 21';
-- The next one is later still: the shop has sold what was left elsewhere. The money is asked back by itself.
SELECT quantity_available FROM credits.price_inventory(
    (SELECT price_id FROM credits.prices WHERE lookup_key = 'print'), 9, 'decrement');
SELECT outcome, w.status FROM credits.checkout_sessions s, pg_temp.stripe_sends('payment_intent.succeeded',
    jsonb_build_object('id', 'pi_too_late', 'amount_received', 3500, 'currency', 'eur', 'metadata',
        jsonb_build_object('customer_id', s.customer_id, 'payment_intent_id', s.checkout_session_id))) w
WHERE s.customer_id = 'customer 22';
SELECT customer_id, reason, amount, status FROM credits.refunds;

-- 6. THE END
--
-- Archived, the link opens nothing any more (PC020). What it sold is in the view checkout_sessions.
SELECT active FROM credits.payment_link_archive(:'link');
\set VERBOSITY sqlstate
SELECT status FROM credits.payment_link_open('customer 101', :'link');
\set VERBOSITY default
SELECT status, count(*), sum(amount_total) FROM credits.checkout_sessions WHERE payment_link_id = :'link'
GROUP BY 1 ORDER BY 1;
SELECT * FROM credits.verify();
