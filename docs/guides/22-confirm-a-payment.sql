-- A PAYMENT THAT THE CUSTOMER CONFIRMS
--
-- Banks ask for a confirmation (3-D Secure), or decline. Here are a card whose owner confirms the payment, and one that
-- is declined, replaced by another, and charged again.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-29 09:00+00';

-- What is set up once, and how this page signs in Stripe's place: see the guide "An invoice paid by wallet and card".
\o /dev/null
CREATE EXTENSION pgcrypto;
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page');
SELECT FROM credits.outbox_consumer_create('charger');
SELECT FROM credits.package_create('1,000 renderings', 1000, 100, 'EUR', lookup_key => 'renderings');
SELECT FROM credits.customer_upsert('lena', 'Lena Roth', 'lena@example.com');
SELECT FROM credits.payment_method_attach('lena', 'stripe', 'cus_Lena', 'pm_Visa3184');
\o
CREATE TEMP SEQUENCE events;
CREATE FUNCTION pg_temp.stripe_sends(type text, object jsonb) RETURNS credits.received_webhook LANGUAGE sql AS $$
    WITH event AS (
        SELECT extract(epoch FROM credits.clock())::bigint::text AS t, jsonb_build_object('id',
            'evt_' || nextval('events'), 'type', type, 'data', jsonb_build_object('object', object))::text AS body)
    SELECT received FROM event, credits.webhook_receive('stripe', body,
        't=' || t || ',v1=' || encode(hmac(t || '.' || body, 'whsec_of_this_page', 'sha256'), 'hex')) AS received
$$;
-- What Stripe says of a PaymentIntent of this page: id and metadata, and what is new.
CREATE FUNCTION pg_temp.stripe_payment(id text, intent uuid, more jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'object', 'payment_intent', 'amount', 11900, 'currency', 'eur',
        'metadata', jsonb_build_object('customer_id', 'lena', 'payment_intent_id', intent)) || more
$$;

-- 1. THE BANK ASKS
--
-- 1,000 renderings on an invoice. Lena has a card, so a worker is asked; it begins, and charges.
SELECT invoice_id, payment_intent_id AS payment FROM credits.invoice_create('lena', tax_rate => 19,
    auto_finalize => true, lines => (
        SELECT jsonb_build_array(jsonb_build_object('price_id', price_id)) FROM credits.prices)) \gset
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'amount' AS amount, payload ->> 'currency' AS currency FROM work;
SELECT go, status, attempt, amount, payment_method FROM credits.payment_intent_begin('lena', :'payment');
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;
-- The bank wants to hear from her. Stripe says where.
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.requires_action', pg_temp.stripe_payment('pi_1',
    :'payment', '{"status": "requires_action", "next_action": {"type": "redirect_to_url", "redirect_to_url":
        {"url": "https://hooks.stripe.example/3d_secure/1", "return_url": "https://app.example/done"}}}'));
SELECT status, action_url FROM credits.payment_intents WHERE payment_intent_id = :'payment';
-- The outbox has it too, for a mail to Lena.
DROP TABLE work;
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'action_url' AS action_url FROM work;
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;
-- Nobody charges it meanwhile, and credits come with the money only.
SELECT go, status FROM credits.payment_intent_begin('lena', :'payment');
SELECT available FROM credits.wallet_balance('lena');

-- 2. SHE CONFIRMS
--
-- Lena opens the address, and her bank is content. Stripe reports the money.
SET credits.test_clock = '2026-06-29 09:20+00';
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.succeeded', pg_temp.stripe_payment('pi_1',
    :'payment', '{"status": "succeeded", "amount_received": 11900}'));
SELECT status, action_url FROM credits.payment_intents WHERE payment_intent_id = :'payment';
SELECT status, total, tax, amount_paid FROM credits.invoices WHERE invoice_id = :'invoice_id';
SELECT available FROM credits.wallet_balance('lena');
-- The outbox has what other programs act on: the credits, and the payment.
DROP TABLE work;
CREATE TEMP TABLE work AS SELECT * FROM credits.outbox_claim('charger');
SELECT type FROM work ORDER BY outbox_id;
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM work)) AS acknowledged;

-- 3. DECLINED
--
-- The month after, the same again. The worker reads its row and begins. This time the card is declined.
SET credits.test_clock = '2026-07-29 09:00+00';
SELECT invoice_id, payment_intent_id AS payment FROM credits.invoice_create('lena', tax_rate => 19,
    auto_finalize => true, lines => (
        SELECT jsonb_build_array(jsonb_build_object('price_id', price_id)) FROM credits.prices)) \gset
SELECT go, attempt, attempt_key AS first FROM credits.payment_intent_begin('lena', :'payment') \gset
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.payment_failed', pg_temp.stripe_payment('pi_2',
    :'payment', '{"status": "requires_payment_method", "last_payment_error":
        {"code": "card_declined", "message": "Your card has insufficient funds."}}'));
SELECT status, attempts, last_payment_error FROM credits.payment_intents WHERE payment_intent_id = :'payment';
-- Nothing is tried again by itself: the invoice stays open, and the worker is told not to charge.
SELECT go, status FROM credits.payment_intent_begin('lena', :'payment');

-- 4. ANOTHER CARD
--
-- Lena saves another card, as her default, and the invoice is asked for again. A new attempt has a new key, since
-- Stripe answers a key that it knows with the old decline.
SELECT reference, is_default
FROM credits.payment_method_attach('lena', 'stripe', 'cus_Lena', 'pm_Amex0005', is_default => true);
SELECT status, amount_remaining FROM credits.invoice_pay('lena', :'invoice_id', 'provider');
SELECT go, attempt, payment_method, attempt_key <> :'first' AS new_key
FROM credits.payment_intent_begin('lena', :'payment');
SELECT outcome, status FROM pg_temp.stripe_sends('payment_intent.succeeded', pg_temp.stripe_payment('pi_3',
    :'payment', '{"status": "succeeded", "amount_received": 11900}'));
SELECT status, attempts, last_payment_error, provider_reference
FROM credits.payment_intents WHERE payment_intent_id = :'payment';

-- 5. HOW IT STANDS
SELECT status, total, amount_paid, paid_at FROM credits.invoices WHERE customer_id = 'lena' ORDER BY created_at;
SELECT type, provider_reference, amount, contradiction FROM credits.payment_log
WHERE customer_id = 'lena' ORDER BY payment_id;
SELECT available FROM credits.wallet_balance('lena');
SELECT * FROM credits.verify();
