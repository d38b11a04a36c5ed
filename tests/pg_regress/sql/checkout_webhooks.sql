-- What providers report of checkout sessions: by Stripe's Checkout Sessions and PaymentIntents in any order, together
-- or one without the other, by Paystack, and of carts that nobody submitted.
CREATE EXTENSION pgcrypto;
SET credits.test_clock = '2026-06-01 09:00:00+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('NGN', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more');
SELECT FROM credits.payment_provider_set('paystack', 'sk of sixteen and more');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT price_id AS naira FROM credits.package_create('Naira pack', 50, 2500, 'NGN') \gset
CREATE FUNCTION cart(customer text, price uuid, submit boolean DEFAULT true) RETURNS uuid LANGUAGE sql AS $$
    SELECT CASE WHEN submit THEN (credits.checkout_session_submit(customer, c.checkout_session_id)).checkout_session_id
                ELSE c.checkout_session_id END
    FROM credits.checkout_session_create(customer,
        line_items => jsonb_build_array(jsonb_build_object('price_id', price))) c
$$;
CREATE FUNCTION stripe(event text, type text, object jsonb)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    WITH sent AS (SELECT jsonb_build_object('id', event, 'type', type, 'data',
                                            jsonb_build_object('object', object))::text AS body,
                         extract(epoch FROM credits.clock())::bigint::text AS t)
    SELECT r.type, r.outcome, r.status, r.reason
    FROM sent s, credits.webhook_receive('stripe', s.body,
        't=' || s.t || ',v1=' || encode(hmac(s.t || '.' || s.body, 'whsec of sixteen and more', 'sha256'), 'hex')) r
$$;
CREATE FUNCTION paystack(type text, data jsonb) RETURNS TABLE (kind text, outcome text, status text, reason text)
LANGUAGE sql AS $$
    WITH sent AS (SELECT jsonb_build_object('event', type, 'data', data)::text AS body)
    SELECT r.type, r.outcome, r.status, r.reason
    FROM sent s, credits.webhook_receive('paystack', s.body,
        encode(hmac(s.body, 'sk of sixteen and more', 'sha512'), 'hex')) r
$$;
CREATE FUNCTION session(reference text, customer text, id uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', 'cs_' || reference, 'mode', 'payment', 'payment_status', 'paid', 'currency', 'usd',
        'amount_total', 1000, 'amount_subtotal', 1000, 'payment_intent', 'pi_' || reference,
        'metadata', jsonb_build_object('customer_id', customer, 'checkout_session_id', id))
$$;
CREATE FUNCTION intent(reference text, customer text, id uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', 'pi_' || reference, 'currency', 'usd', 'amount_received', 1000,
        'metadata', jsonb_build_object('customer_id', customer, 'payment_intent_id', id))
$$;
CREATE VIEW state AS
SELECT s.customer_id, s.status, s.payment_status, i.status AS invoice, p.status AS intent,
       (SELECT count(*) FROM credits.grants g WHERE g.customer_id = s.customer_id) AS grants
FROM credits.checkout_sessions s
LEFT JOIN credits.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
LEFT JOIN credits.payment_intents p ON p.customer_id = s.customer_id AND p.payment_intent_id = s.payment_intent_id
ORDER BY 1;

-- One after the other, either way round, and each alone.
SELECT cart('both', :'pack') AS id \gset
SELECT * FROM stripe('e1', 'checkout.session.completed', session('1', 'both', :'id'));
SELECT * FROM stripe('e2', 'payment_intent.succeeded', intent('1', 'both', :'id'));
SELECT cart('turned', :'pack') AS id \gset
SELECT * FROM stripe('e3', 'payment_intent.succeeded', intent('2', 'turned', :'id'));
SELECT * FROM stripe('e4', 'checkout.session.completed', session('2', 'turned', :'id'));
SELECT cart('one', :'pack') AS id \gset
SELECT * FROM stripe('e5', 'checkout.session.completed', session('3', 'one', :'id'));
SELECT cart('other', :'pack') AS id \gset
SELECT * FROM stripe('e6', 'payment_intent.succeeded', intent('4', 'other', :'id'));
SELECT * FROM state;
-- Again, and as Stripe's client_reference_id.
SELECT * FROM stripe('e5', 'checkout.session.completed', session('3', 'one', (SELECT checkout_session_id
    FROM credits.checkout_sessions WHERE customer_id = 'one')));
SELECT cart('referred', :'pack') AS id \gset
SELECT * FROM stripe('e7', 'checkout.session.completed',
    session('5', 'referred', :'id') - 'metadata' || jsonb_build_object('client_reference_id', :'id'));
-- Of another customer.
SELECT cart('ann', :'pack') AS id \gset
SELECT * FROM stripe('e8', 'checkout.session.completed', session('6', 'bob', :'id'));
-- Expired at Stripe, expired here; paid after all.
SELECT * FROM stripe('e9', 'checkout.session.expired', session('7', 'ann', :'id') - 'payment_intent');
SELECT * FROM state WHERE customer_id = 'ann';
SELECT * FROM stripe('e10', 'payment_intent.succeeded', intent('7', 'ann', :'id'));
SELECT * FROM state WHERE customer_id = 'ann';
-- Tax and a discount of Stripe's own.
SELECT cart('taxed', :'pack') AS id \gset
SELECT * FROM stripe('e11', 'checkout.session.completed', session('8', 'taxed', :'id') || '{"amount_total": 952,
    "total_details": {"amount_tax": 152, "amount_discount": 200, "amount_shipping": 0}}');
SELECT amount_subtotal, amount_discount, amount_tax, amount_total FROM credits.checkout_sessions
WHERE customer_id = 'taxed';
-- Paystack.
SELECT cart('ada', :'naira') AS id \gset
SELECT * FROM paystack('charge.success', jsonb_build_object('reference', 'r1', 'amount', 250000, 'currency', 'NGN',
    'metadata', jsonb_build_object('customer_id', 'ada', 'checkout_session_id', :'id')));
SELECT * FROM state WHERE customer_id = 'ada';

-- Nobody submitted it, and it is paid: it counts all the same.
SELECT cart('eager', :'pack', false) AS id \gset
SELECT * FROM state WHERE customer_id = 'eager';
SELECT * FROM stripe('e12', 'checkout.session.completed', session('9', 'eager', :'id'));
SELECT * FROM state WHERE customer_id = 'eager';
-- Its price is off sale, and its time is over.
SELECT cart('late', :'pack', false) AS id \gset
SELECT FROM credits.price_archive(:'pack');
SELECT FROM credits.checkout_session_expire('late', :'id');
SELECT * FROM stripe('e13', 'payment_intent.payment_failed', intent('10', 'late', :'id'));
SELECT * FROM state WHERE customer_id = 'late';
SELECT * FROM stripe('e14', 'payment_intent.succeeded', intent('11', 'late', :'id'));
SELECT * FROM state WHERE customer_id = 'late';
-- And there is none left: the money goes back.
SELECT price_id AS few FROM credits.price_create((SELECT product_id FROM credits.product_create('Poster', 'good')),
    unit_amount => 10, currency => 'USD', quantity_available => 0) \gset
SELECT cart('unlucky', :'few', false) AS id \gset
SELECT * FROM stripe('e15', 'payment_intent.succeeded', intent('12', 'unlucky', :'id'));
SELECT * FROM state WHERE customer_id = 'unlucky';
SELECT reason, amount, status FROM credits.refunds WHERE customer_id = 'unlucky';
SELECT * FROM credits.verify();
