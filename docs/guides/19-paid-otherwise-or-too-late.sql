-- PAID OTHERWISE, OR TOO LATE
--
-- An invoice that is to be charged to a card is paid by bank transfer before that; and one that was voided is paid
-- after all. The first charges nobody, the second gives the money back.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-08 09:00+00';

-- What is set up once, and how this page signs in Stripe's place: see the guide "An invoice paid by wallet and card".
\o /dev/null
CREATE EXTENSION pgcrypto;
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page',
                                         checkout_url_template => 'https://studio.example/pay/{payment_intent_id}');
SELECT FROM credits.outbox_consumer_create('charger');
SELECT FROM credits.customer_upsert('otto', 'Otto Brandt', 'otto@example.com');
\o
CREATE TEMP SEQUENCE events;
CREATE FUNCTION pg_temp.stripe_sends(type text, object jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH event AS (
        SELECT extract(epoch FROM credits.clock())::bigint::text AS t, jsonb_build_object('id',
            'evt_' || nextval('events'), 'type', type, 'data', jsonb_build_object('object', object))::text AS body)
    SELECT received FROM event, credits.webhook_receive('stripe', body,
        't=' || t || ',v1=' || encode(hmac(t || '.' || body, 'whsec_of_this_page', 'sha256'), 'hex')) AS received
$$;

-- 1. PAID BY BANK TRANSFER
--
-- Otto has a card saved, so that a worker is asked to charge it the moment the invoice is given out.
SELECT reference, is_default FROM credits.payment_method_attach('otto', 'stripe', 'cus_Otto', 'pm_Mastercard4444');
SELECT invoice_id, payment_intent_id AS payment
FROM credits.invoice_create('otto', '[{"description": "Photographs", "amount": 340}]', 'EUR', 'A house',
                            tax_rate => 19, auto_finalize => true) \gset
SELECT status, total, collection_method FROM credits.invoices WHERE invoice_id = :'invoice_id';
SELECT type, payload ->> 'amount' AS amount FROM credits.outbox_rows WHERE customer_id = 'otto';
-- The worker is down this morning. At ten the bank reports 404.60, and the office books them.
SET credits.test_clock = '2026-06-08 10:00+00';
SELECT status, amount_paid, amount_remaining
FROM credits.invoice_pay('otto', :'invoice_id', 'outside', reference => 'SEPA 2026-06-08/12',
                         idempotency_key => 'SEPA 2026-06-08/12');
SELECT status FROM credits.payment_intents WHERE payment_intent_id = :'payment';
-- The worker comes back and finds the row. It asks first, and is told not to charge.
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type FROM work;
SELECT go, status FROM credits.payment_intent_begin('otto', :'payment');
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;

-- 2. VOIDED, AND PAID AFTER ALL
--
-- The next invoice is sent, and Otto opens the page where it can be paid. Meanwhile the job is called off.
SELECT invoice_id, payment_intent_id AS payment
FROM credits.invoice_create('otto', '[{"description": "Photographs", "amount": 250}]', 'EUR', 'A garden',
                            tax_rate => 19, auto_finalize => true, collection_method => 'send_invoice') \gset
SET credits.test_clock = '2026-06-08 11:00+00';
SELECT status, total FROM credits.invoice_void('otto', :'invoice_id');
SELECT status FROM credits.payment_intents WHERE payment_intent_id = :'payment';
-- Otto presses "pay" all the same. The money is there, so it is recorded; it is for nothing, which is a contradiction.
SET credits.test_clock = '2026-06-08 11:02+00';
SELECT type, outcome, status FROM pg_temp.stripe_sends('payment_intent.succeeded', jsonb_build_object(
    'id', 'pi_7', 'object', 'payment_intent', 'amount', 29750, 'amount_received', 29750, 'currency', 'eur',
    'status', 'succeeded',
    'metadata', jsonb_build_object('customer_id', 'otto', 'payment_intent_id', :'payment'::text)));
SELECT type, provider_reference, amount, contradiction FROM credits.payment_log
WHERE customer_id = 'otto' ORDER BY payment_id;
SELECT status, amount_paid FROM credits.invoices WHERE invoice_id = :'invoice_id';
-- It is asked back by itself. Nobody's credits are touched for it.
SELECT status, amount, currency, reason, payment_reference, takes_credits
FROM credits.refunds WHERE customer_id = 'otto';

-- 3. THE WORKER GIVES IT BACK
--
-- A row of another type, and the same steps: ask, pay back with attempt_key as the idempotency key, acknowledge. Of the
-- contradiction a person may want to know.
DROP TABLE work;
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'amount' AS amount, payload ->> 'payment_reference' AS payment, payload ->> 'reason' AS reason
FROM work ORDER BY outbox_id;
SELECT payload ->> 'refund_id' AS refund FROM work WHERE type = 'refund.requested' \gset
SELECT go, status, amount, minor_units, payment_reference FROM credits.refund_begin('otto', :'refund');
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;
-- Stripe's refund has customer_id and refund_id as metadata, and comes back with them. First it is pending, which says
-- nothing new.
SELECT jsonb_build_object('id', 're_7', 'object', 'refund', 'payment_intent', 'pi_7', 'amount', 29750,
    'currency', 'eur', 'metadata', jsonb_build_object('customer_id', 'otto', 'refund_id', :'refund'::text))
    AS refund_object \gset
SELECT type, outcome, reason
FROM pg_temp.stripe_sends('refund.created', :'refund_object'::jsonb || '{"status": "pending"}');
SET credits.test_clock = '2026-06-08 11:10+00';
SELECT type, outcome, status
FROM pg_temp.stripe_sends('refund.updated', :'refund_object'::jsonb || '{"status": "succeeded"}');
SELECT status, provider_reference, closed_at FROM credits.refunds WHERE refund_id = :'refund';

-- 4. HOW IT STANDS
--
-- A void invoice has nothing that was paid. What came and went is its payment intent's.
SELECT i.description, i.status AS invoice, i.amount_paid, p.status AS payment_intent, p.amount_received,
       p.amount_refunded
FROM credits.invoices i JOIN credits.payment_intents p USING (customer_id, invoice_id)
WHERE i.customer_id = 'otto' ORDER BY i.created_at;
SELECT * FROM credits.verify();
