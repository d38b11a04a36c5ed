-- AN INVOICE PAID BY WALLET AND CARD
--
-- A studio sends an invoice with tax. The customer pays a part from her wallet, and has the rest charged to her card.
-- Here are the invoice, its payment intent, the worker's calls and Stripe's webhook. docs/payments.md has the states.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-01 09:00+00';

-- What is set up once. (The results of these calls do not matter here; docs/webhooks.md shows how to set a real secret
-- so that no log has it.)
\o /dev/null
CREATE EXTENSION pgcrypto;
SELECT FROM credits.currency_create('GBP', 'Pound sterling', kind => 'fiat', symbol => '£');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page',
                                         checkout_url_template => 'https://studio.example/pay/{payment_intent_id}');
SELECT FROM credits.outbox_consumer_create('charger');
SELECT FROM credits.customer_upsert('ines', 'Ines Moore', 'ines@example.com', tax_rate => 20,
                                    address => '{"line1": "4 Mill Lane", "city": "Bath", "country": "GB"}');
SELECT FROM credits.wallet_credit('ines', 100, 'GBP', 'paid', description => 'A workshop that was called off');
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

-- 1. SENT
--
-- The rate of tax is Ines's own. 'send_invoice' asks nobody to charge: she pays as she likes.
SELECT invoice_id, payment_intent_id AS payment
FROM credits.invoice_create('ines', currency => 'GBP', description => 'Summer workshops', days_until_due => 14,
    collection_method => 'send_invoice', auto_finalize => true, lines => '[
        {"description": "Workshop, days", "unit_amount": 180, "quantity": 2},
        {"description": "Clay, kilograms", "unit_amount": 2.4, "quantity": 12.5}]') \gset
SELECT description, quantity, unit_amount, amount, tax FROM credits.invoice_lines
WHERE invoice_id = :'invoice_id' ORDER BY line_no;
SELECT status, subtotal, tax, total, due_date, customer_name, customer_address ->> 'city' AS city
FROM credits.invoices WHERE invoice_id = :'invoice_id';
-- Its payment intent is what is to come from a provider. The address is for the mail: where she can pay it.
SELECT status, amount, currency, replace(checkout_url, payment_intent_id::text, '(its id)') AS checkout_url
FROM credits.payment_intents WHERE payment_intent_id = :'payment';

-- 2. A PART FROM THE WALLET
--
-- The 100 pounds that Ines has with the studio. What the intent is for becomes less by that.
SELECT status, amount_paid, amount_remaining
FROM credits.invoice_pay('ines', :'invoice_id', 'wallet', 100, idempotency_key => 'workshops-wallet');
SELECT status, amount FROM credits.payment_intents WHERE payment_intent_id = :'payment';

-- 3. THE REST BY CARD
--
-- She has a card saved at Stripe, and presses "pay with my card". That asks the worker: a row of the outbox.
SELECT provider, provider_customer, reference, is_default
FROM credits.payment_method_attach('ines', 'stripe', 'cus_Ines', 'pm_Visa4242');
SELECT status, amount_remaining FROM credits.invoice_pay('ines', :'invoice_id', 'provider');
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'amount' AS amount, payload ->> 'currency' AS currency, payload ->> 'provider' AS provider,
       payload ->> 'payment_intent_id' = :'payment' AS is_of_this_intent
FROM work WHERE type = 'payment.requested';
-- The worker asks whether it still may, and how much by now. Then it charges the card, with attempt_key as Stripe's
-- idempotency key, and customer_id and payment_intent_id as metadata: that is how Stripe's events find the payment.
CREATE TEMP TABLE attempt AS SELECT * FROM credits.payment_intent_begin('ines', :'payment');
SELECT go, status, attempt, amount, minor_units, currency, provider_customer, payment_method FROM attempt;
-- Where it crashes, and another worker begins, that one gets the same key: Stripe charges once.
SELECT again.go, again.attempt, again.attempt_key = attempt.attempt_key AS same_key
FROM attempt, credits.payment_intent_begin('ines', :'payment') AS again;
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;
-- While money is on its way nothing else can pay the invoice (PC020).
\set VERBOSITY sqlstate
SELECT status FROM credits.invoice_pay('ines', :'invoice_id', 'outside', 368, 'Cash');
\set VERBOSITY default

-- 4. STRIPE REPORTS IT
--
-- The body and the header Stripe-Signature go to webhook_receive as they come.
SET credits.test_clock = '2026-06-01 09:01+00';
SELECT jsonb_build_object('id', 'pi_1', 'object', 'payment_intent', 'amount', 36800, 'amount_received', 36800,
    'currency', 'gbp', 'status', 'succeeded',
    'metadata', jsonb_build_object('customer_id', 'ines', 'payment_intent_id', :'payment'::text)) AS paid \gset
SELECT type, outcome, customer_id, status FROM pg_temp.stripe_sends('payment_intent.succeeded', :'paid');
SELECT status, amount_paid, amount_remaining, paid_at FROM credits.invoices WHERE invoice_id = :'invoice_id';
-- What paid it:
SELECT payment_no, paid_from, amount, payment_intent_id = :'payment' AS by_this_intent
FROM credits.invoice_payments WHERE invoice_id = :'invoice_id' ORDER BY payment_no;
-- Another event about the same payment changes nothing.
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.succeeded', :'paid');

-- 5. WHAT HAPPENED
--
-- For a page, or an audit: each event was written in the transaction that it tells of.
SELECT type, data -> 'object' ->> 'status' AS status, data -> 'object' ->> 'amount_remaining' AS remaining
FROM credits.billing_events WHERE object_type IN ('invoice', 'payment_intent') ORDER BY event_id;
SELECT * FROM credits.verify();
