-- Stripe's Checkout: its tax, discounts and shipping; sessions and PaymentIntents that are one payment; refunds and disputes
-- that find the payment that they name; what is told of another top-up, or in another currency.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT FROM credits.payment_provider_set('stripe', 'a secret of stripe');
SELECT FROM credits.payment_provider_set('shop', 'a secret of the shop');
-- HMAC-SHA256. Source: RFC 2104.
CREATE FUNCTION hmac(secret text, message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH k AS (SELECT convert_to(rpad(secret, 64, chr(1)), 'UTF8') AS padded, length(secret) AS n),
         b AS (SELECT i, CASE WHEN i < k.n THEN get_byte(k.padded, i) ELSE 0 END AS byte
FROM k, generate_series(0, 63) AS i)
    SELECT encode(sha256((SELECT string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY i) FROM b)
                  || sha256((SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY i) FROM b)
                            || convert_to(message, 'UTF8'))), 'hex')
$$;
CREATE SEQUENCE events;
CREATE FUNCTION begun(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.top_up_create(customer, price)
$$;
-- What Stripe sends: a type and an object, of live mode; metadata names the customer and its only top-up.
CREATE FUNCTION send(kind text, about jsonb, customer text DEFAULT NULL) RETURNS TABLE (outcome text, customer_id text, status text, available numeric)
LANGUAGE plpgsql AS $$
DECLARE payload text; n text := extract(epoch FROM timestamptz '2026-03-01 12:00+00')::bigint;
BEGIN
    IF customer IS NOT NULL THEN
        about := about || jsonb_build_object('metadata', jsonb_build_object('customer_id', customer, 'top_up_id',
            (SELECT p.top_up_id FROM credits.top_ups p WHERE p.customer_id = customer)));
    END IF;
    payload := jsonb_build_object('id', 'evt_' || nextval('events'), 'type', kind, 'livemode', true,
                                  'data', jsonb_build_object('object', about || '{"currency": "usd"}' || about));
    SELECT w.outcome, w.customer_id, w.status INTO outcome, customer_id, status
    FROM credits.webhook_receive('stripe', payload, format('t=%s,v1=%s', n, hmac('a secret of stripe', n || '.' || payload))) w;
    available := (SELECT b.available FROM credits.wallet_balance(coalesce(customer_id, customer), 'CREDIT') b);
    RETURN NEXT;
END $$;
CREATE FUNCTION stands(customer text) RETURNS TABLE (status text, paid numeric, refunded numeric, disputed numeric, due numeric, reclaimed numeric, cost_basis numeric, problems bigint)
LANGUAGE sql AS $$
    SELECT p.status, p.paid_amount, p.refunded_amount, p.disputed_amount, p.due_amount, p.reclaimed, g.cost_basis, (SELECT count(*) FROM credits.verify())
    FROM credits.top_ups p LEFT JOIN credits.grants g USING (grant_id) WHERE p.customer_id = customer
$$;

-- Tax on top: no contradiction, and given back it takes nothing; half of it all takes what is missing of the price.
SELECT FROM begun('ann', :'pack');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_1", "mode": "payment", "payment_intent": "pi_1", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 1190, "total_details": {"amount_tax": 190, "amount_discount": 0, "amount_shipping": 0}}', 'ann');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_1", "amount_received": 1190}', 'ann');
SELECT * FROM stands('ann');
SELECT * FROM send('refund.updated', '{"id": "re_1", "payment_intent": "pi_1", "amount": 190, "status": "succeeded"}');
SELECT * FROM send('charge.refunded', '{"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 595}');
SELECT * FROM stands('ann');
-- The intent first: then it is more than was due, until the session says why.
SELECT FROM begun('bob', :'pack');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_2", "amount_received": 1190}', 'bob');
SELECT * FROM stands('bob');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_2", "mode": "payment", "payment_intent": "pi_2", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 1190, "total_details": {"amount_tax": 190, "amount_discount": 0, "amount_shipping": 0}}', 'bob');
SELECT * FROM send('refund.created', '{"id": "re_2", "payment_intent": "pi_2", "amount": 190, "status": "succeeded"}');
SELECT * FROM stands('bob');
SELECT type, provider_reference, amount, tax, contradiction, corrected FROM credits.payment_log WHERE customer_id = 'bob' ORDER BY payment_id;
SELECT type, payload - '{top_up_id,grant_id,refund_id,invoice_id,payment_intent_id}'::text[] AS payload
FROM credits.outbox_rows WHERE customer_id = 'bob' ORDER BY outbox_no;
-- A discount, the session first and the intent first: then it is too little, until the session says why.
SELECT FROM begun('cyd', :'pack');
SELECT FROM begun('dan', :'pack');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_3", "mode": "payment", "payment_intent": "pi_3", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 800, "total_details": {"amount_tax": 0, "amount_discount": 200, "amount_shipping": 0}}', 'cyd');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_3", "amount_received": 800}', 'cyd');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_4", "amount_received": 800}', 'dan');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_4", "mode": "payment", "payment_intent": "pi_4", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 800, "total_details": {"amount_tax": 0, "amount_discount": 200, "amount_shipping": 0}}', 'dan');
SELECT * FROM stands('cyd');
SELECT * FROM stands('dan');
SELECT * FROM send('refund.created', '{"id": "re_4", "payment_intent": "pi_4", "amount": 400, "status": "succeeded"}');
-- Nothing to be paid; with and without the particulars. A session that sells nothing says so as well.
SELECT FROM begun('eve', :'pack');
SELECT FROM begun('fay', :'pack');
SELECT FROM begun('gil', :'pack');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_5", "mode": "payment", "payment_intent": null, "payment_status": "no_payment_required", "amount_subtotal": 1000, "amount_total": 0, "total_details": {"amount_tax": 0, "amount_discount": 1000, "amount_shipping": 0}}', 'eve');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_6", "payment_status": "no_payment_required", "amount_total": 0}', 'fay');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_7", "mode": "setup", "payment_status": "no_payment_required", "amount_total": null, "currency": null}', 'gil');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_8", "mode": "subscription", "payment_status": "no_payment_required", "amount_total": 0}', 'gil');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_9", "mode": "payment", "payment_status": "no_payment_required", "amount_subtotal": 500, "amount_total": 0, "total_details": {"amount_discount": 500}}', 'gil');
SELECT * FROM stands('eve');
-- Tax in the price; a price that is not the one that was due; shipping, tax and a discount at once.
SELECT FROM begun('hal', :'pack');
SELECT FROM begun('ivy', :'pack');
SELECT FROM begun('jon', :'pack');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_10", "mode": "payment", "payment_intent": "pi_10", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 1000, "total_details": {"amount_tax": 160, "amount_discount": 0, "amount_shipping": 0}}', 'hal');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_11", "mode": "payment", "payment_intent": "pi_11", "payment_status": "paid", "amount_subtotal": 840, "amount_total": 1000, "total_details": {"amount_tax": 160, "amount_discount": 0, "amount_shipping": 0}}', 'ivy');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_12", "mode": "payment", "payment_intent": "pi_12", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 1427, "total_details": {"amount_tax": 127, "amount_discount": 200, "amount_shipping": 500}}', 'jon');
SELECT * FROM stands('hal');
SELECT * FROM stands('jon');

-- Paid twice, and the second is given back: by a webhook that has the metadata, and by one that names the payment alone.
SELECT FROM begun('kim', :'pack');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_20", "amount_received": 1000}', 'kim');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_21", "amount_received": 1000}', 'kim');
SELECT * FROM send('refund.created', '{"id": "re_21", "payment_intent": "pi_21", "amount": 1000, "status": "succeeded"}', 'kim');
SELECT * FROM send('charge.refunded', '{"id": "ch_21", "payment_intent": "pi_21", "amount_refunded": 1000}');
SELECT * FROM send('charge.dispute.created', '{"id": "dp_20", "payment_intent": "pi_20", "amount": 1000, "status": "needs_response"}');
SELECT * FROM send('charge.dispute.closed', '{"id": "dp_20", "payment_intent": "pi_20", "amount": 1000, "status": "won"}');
SELECT type, provider_reference, payment_reference, amount, contradiction FROM credits.payment_log WHERE customer_id = 'kim' ORDER BY payment_id;
SELECT * FROM stands('kim');
-- A refund is of the top-up whose payment it names, whatever its metadata say.
SELECT FROM begun('lea', :'pack');
SELECT * FROM send('refund.created', '{"id": "re_20", "payment_intent": "pi_20", "amount": 500, "status": "succeeded"}', 'lea');
SELECT * FROM stands('kim');
-- A PaymentIntent of one top-up whose Checkout Session names another: the first is paid.
SELECT FROM begun('max', :'pack');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_22", "amount_received": 1000}', 'lea');
SELECT * FROM send('checkout.session.completed', '{"id": "cs_22", "mode": "payment", "payment_intent": "pi_22", "payment_status": "paid", "amount_subtotal": 1000, "amount_total": 1000}', 'max');
SELECT * FROM stands('max');
-- In another currency: recorded with its own amount and currency; so is its refund; nothing is granted or taken.
SELECT FROM begun('ned', :'pack');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_23", "amount_received": 1500, "currency": "jpy"}', 'ned');
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_24", "amount_received": 1000}', 'ned');
SELECT * FROM send('refund.created', '{"id": "re_23", "payment_intent": "pi_23", "amount": 1500, "currency": "jpy", "status": "succeeded"}', 'ned');
SELECT type, provider_reference, amount, currency, counts, contradiction FROM credits.payment_log WHERE customer_id = 'ned' ORDER BY payment_id;
SELECT type, payload - '{top_up_id,grant_id,refund_id,invoice_id,payment_intent_id}'::text[] AS payload
FROM credits.outbox_rows WHERE customer_id = 'ned' ORDER BY outbox_no;
SELECT * FROM stands('ned');
-- The same payment with another amount.
SELECT * FROM send('payment_intent.succeeded', '{"id": "pi_24", "amount_received": 1200}', 'ned');
SELECT * FROM send('charge.dispute.created', '{"id": "dp_24", "payment_intent": "pi_24", "amount": 1000, "status": "needs_response"}');
SELECT * FROM send('refund.created', '{"id": "re_24", "payment_intent": "pi_24", "amount": 1000, "status": "succeeded"}');
SELECT * FROM send('charge.dispute.closed', '{"id": "dp_24", "payment_intent": "pi_24", "amount": 1000, "status": "lost"}');
SELECT type, provider_reference, amount, counts, contradiction FROM credits.payment_log WHERE customer_id = 'ned' AND contradiction IS NOT NULL ORDER BY payment_id;

-- A provider of one's own says the same in its own words.
SELECT begun('ola', :'pack') AS ola \gset
CREATE FUNCTION own(about jsonb) RETURNS TABLE (outcome text, status text, available numeric) LANGUAGE plpgsql AS $$
DECLARE payload text := jsonb_build_object('id', nextval('events'), 'currency', 'USD') || about;
BEGIN
    SELECT w.outcome, w.status INTO outcome, status FROM credits.webhook_receive('shop', payload, hmac('a secret of the shop', payload)) w;
    available := (SELECT b.available FROM credits.wallet_balance('ola', 'CREDIT') b);
    RETURN NEXT;
END $$;
SELECT * FROM own(jsonb_build_object('type', 'payment.succeeded', 'customer_id', 'ola', 'top_up_id', :'ola', 'reference', 'p1', 'amount', '11.90', 'tax', '1.90', 'discount', 2, 'shipping', '2.00'));
SELECT * FROM own(jsonb_build_object('type', 'payment.succeeded', 'customer_id', 'ola', 'top_up_id', :'ola', 'reference', 'p2', 'amount', 10));
SELECT * FROM own('{"type": "payment.refunded", "payment": "p2", "reference": "r2", "amount": 10}');
SELECT * FROM own('{"type": "payment.refunded", "payment": "p1", "reference": "r1", "amount": "11.90"}');
SELECT * FROM own('{"type": "payment.refund_failed", "payment": "p1", "reference": "r1", "amount": "11.90"}');
SELECT * FROM stands('ola');
SELECT credits.webhook_receive('shop', p, hmac('a secret of the shop', p))
FROM (VALUES ('{"id": "x", "type": "payment.succeeded", "amount": 10, "tax": -1}')) v (p);
SELECT currency, sum(balance) FROM credits.trial_balance GROUP BY 1;
SELECT * FROM credits.verify();
