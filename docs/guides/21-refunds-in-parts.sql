-- REFUNDS IN PARTS
--
-- Ada bought a shirt and a pack of credits on one invoice, paid through Paystack. First half of the pack goes back,
-- then all the rest. Credits go as a refund is asked for, and come back where it fails.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-22 09:00+00';

-- What is set up once. (The results of these calls do not matter here.)
\o /dev/null
CREATE EXTENSION pgcrypto;
SELECT FROM credits.currency_create('NGN', 'Naira', kind => 'fiat', symbol => '₦');
SELECT FROM credits.payment_provider_set('paystack', webhook_secret => 'sk_live_of_this_page',
                                         checkout_url_template => 'https://shop.example/pay/{payment_intent_id}');
SELECT FROM credits.outbox_consumer_create('refunder');
SELECT FROM credits.customer_upsert('ada', 'Ada Obi', 'ada@example.com', tax_rate => 7.5);
SELECT FROM credits.package_create('1,000 credits', 1000, 10000, 'NGN', lookup_key => 'pack-1000');
SELECT FROM credits.product_create('Shirt', 'good',
    prices => '[{"unit_amount": 15000, "currency": "NGN", "lookup_key": "shirt"}]');
\o
-- There is no Paystack here, so this page signs in its place, as Paystack does: HMAC-SHA512 of the body.
CREATE FUNCTION pg_temp.paystack_sends(event text, data jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH sent AS (SELECT jsonb_build_object('event', event, 'data', data || '{"domain": "live"}')::text AS body)
    SELECT received FROM sent, credits.webhook_receive('paystack', body,
        encode(hmac(body, 'sk_live_of_this_page', 'sha512'), 'hex')) AS received
$$;

-- 1. BOUGHT
--
-- 15,000 and 10,000 naira, with 7.5 % tax on top.
SELECT invoice_id, payment_intent_id AS payment FROM credits.invoice_create('ada', auto_finalize => true, lines => (
    SELECT jsonb_agg(jsonb_build_object('price_id', price_id) ORDER BY lookup_key DESC) FROM credits.prices)) \gset
SELECT line_no, description, amount, tax FROM credits.invoice_lines WHERE invoice_id = :'invoice_id' ORDER BY line_no;
-- She pays at the address of the invoice. Paystack counts in kobo, and reports what it was given as metadata.
SELECT outcome, status FROM pg_temp.paystack_sends('charge.success', jsonb_build_object('id', 302961,
    'reference', 'T-ada-1', 'status', 'success', 'amount', 2687500, 'currency', 'NGN',
    'metadata', jsonb_build_object('customer_id', 'ada', 'payment_intent_id', :'payment'::text)));
SELECT status, total, amount_paid FROM credits.invoices WHERE invoice_id = :'invoice_id';
SELECT available FROM credits.wallet_balance('ada');

-- 2. HALF OF THE PACK
--
-- By lines: 5,375 of the pack's 10,750, tax included. 500 credits go at once, before anybody pays anything back.
SELECT refund_id AS half FROM credits.refund_create('ada', :'payment', description => 'Half a pack',
    idempotency_key => 'ada-half', lines => (
        SELECT jsonb_build_array(jsonb_build_object('invoice_line_id', invoice_line_id, 'amount', 5375))
        FROM credits.invoice_lines WHERE invoice_id = :'invoice_id' AND line_no = 2)) \gset
SELECT status, amount, reason, description FROM credits.refunds WHERE refund_id = :'half';
SELECT available FROM credits.wallet_balance('ada');
-- The worker is asked by a row of the outbox, and asks in turn whether it still may.
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('refunder');
SELECT type, payload ->> 'amount' AS amount, payload ->> 'payment_reference' AS payment
FROM work WHERE type = 'refund.requested';
SELECT go, amount, minor_units, payment_reference FROM credits.refund_begin('ada', :'half');
SELECT credits.outbox_ack('refunder', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;
-- Paystack's event names its transaction, and no metadata: the one pending refund of that payment and amount is meant.
SELECT outcome, status FROM pg_temp.paystack_sends('refund.processed', jsonb_build_object('status', 'processed',
    'transaction_reference', 'T-ada-1', 'refund_reference', 'R-1', 'amount', '537500', 'currency', 'NGN'));
SELECT status, provider_reference FROM credits.refunds WHERE refund_id = :'half';

-- 3. ALL THE REST
--
-- Without an amount or lines it is all that is left of the payment. Ada has spent 200 credits of the pack meanwhile:
-- 300 go, and 200 are owed. (spent => 'forgive' would let her off.)
SELECT debited, available FROM credits.wallet_debit('ada', 200);
SELECT refund_id AS rest FROM credits.refund_create('ada', :'payment') \gset
SELECT status, amount, reason FROM credits.refunds WHERE refund_id = :'rest';
SELECT available, pending FROM credits.wallet_balance('ada');
SELECT go, amount, minor_units FROM credits.refund_begin('ada', :'rest');
-- Paystack refuses it, since the shop's balance there is too low this morning, and the worker says so. Exactly what was
-- taken comes back, and what was owed is owed no longer.
SELECT refunded, taken, pending, available
FROM credits.payment_refund_failed('ada', :'payment', 'paystack', refund_id => :'rest');
SELECT status FROM credits.refunds WHERE refund_id = :'rest';
SELECT available, pending FROM credits.wallet_balance('ada');

-- 4. AGAIN
--
-- In the afternoon it is asked for again, and arrives.
SELECT refund_id AS again FROM credits.refund_create('ada', :'payment') \gset
SELECT go, amount FROM credits.refund_begin('ada', :'again');
SELECT outcome, status FROM pg_temp.paystack_sends('refund.processed', jsonb_build_object('status', 'processed',
    'transaction_reference', 'T-ada-1', 'refund_reference', 'R-2', 'amount', '2150000', 'currency', 'NGN'));
SELECT available, pending FROM credits.wallet_balance('ada');
-- Nothing more can go back (PC007).
\set VERBOSITY sqlstate
SELECT status FROM credits.refund_create('ada', :'payment', 1);
\set VERBOSITY default

-- 5. HOW IT STANDS
--
-- The invoice was paid and stays paid; what went back is beside it.
SELECT status, total, amount_paid, amount_refunded FROM credits.invoices WHERE invoice_id = :'invoice_id';
SELECT status, amount, amount_received, amount_refunded FROM credits.payment_intents WHERE customer_id = 'ada';
SELECT amount, status, provider_reference FROM credits.refunds WHERE customer_id = 'ada' ORDER BY refund_id;
SELECT * FROM credits.verify();
