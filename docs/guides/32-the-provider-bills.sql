-- THE PROVIDER BILLS, WE GIVE THE CREDITS
--
-- A company has its plans in Stripe Billing: Stripe makes the invoices, charges the cards, tries again. What it wants
-- here are the credits of each month that is paid. Here are a customer whom the application knows, one who comes by
-- Stripe's own checkout, an upgrade, a renewal that is paid late, a refund and the end.
-- docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01 09:00+00';

-- 0. FOR THIS PAGE ALONE: STRIPE
--
-- Your endpoint passes on what Stripe sends and signs. Here Stripe is a function: event() says what it would send, as
-- its API has it since 2025-03-31, signed by HMAC-SHA256 (RFC 2104).
CREATE FUNCTION pg_temp.hmac(secret text, message text) RETURNS text LANGUAGE sql AS $$
    WITH k AS (SELECT convert_to(rpad(secret, 64, chr(1)), 'UTF8') AS padded, length(secret) AS n),
         b AS (SELECT i, CASE WHEN i < k.n THEN get_byte(k.padded, i) ELSE 0 END AS byte
               FROM k, generate_series(0, 63) AS i)
    SELECT encode(sha256((SELECT string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY i) FROM b)
                  || sha256((SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY i) FROM b)
                            || convert_to(message, 'UTF8'))), 'hex')
$$;
CREATE FUNCTION pg_temp.unix(at timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT extract(epoch FROM at)::bigint';
CREATE FUNCTION pg_temp.event(type text, object jsonb) RETURNS TABLE (outcome text, customer_id text)
LANGUAGE plpgsql AS $$
DECLARE seconds text := pg_temp.unix(credits.clock());
        body text := jsonb_build_object('id', 'evt_' || gen_random_uuid(), 'type', type, 'created', seconds::bigint,
                                        'livemode', true, 'data', jsonb_build_object('object', object));
        header text := format('t=%s,v1=%s', seconds, pg_temp.hmac('whsec_of_your_endpoint', seconds || '.' || body));
BEGIN
    RETURN QUERY SELECT w.outcome, w.customer_id FROM credits.webhook_receive('stripe', body, header) AS w;
END $$;
CREATE FUNCTION pg_temp.subscription(id text, price text, start_at timestamptz, metadata jsonb,
                                     status text DEFAULT 'active') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'status', status, 'currency', 'usd', 'metadata', metadata,
        'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_' || id, 'quantity', 1,
            'price', jsonb_build_object('id', 'price_' || price, 'lookup_key', price),
            'current_period_start', pg_temp.unix(start_at),
            'current_period_end', pg_temp.unix(start_at + interval '1 month')))))
$$;
CREATE FUNCTION pg_temp.invoice(id text, subscription text, price text, start_at timestamptz, cents integer)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'number', upper(id), 'currency', 'usd', 'amount_paid', cents,
        'billing_reason', 'subscription_cycle',
        'parent', jsonb_build_object('subscription_details', jsonb_build_object('subscription', subscription)),
        'lines', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('amount', cents, 'quantity', 1,
            'period', jsonb_build_object('start', pg_temp.unix(start_at),
                                         'end', pg_temp.unix(start_at + interval '1 month')),
            'pricing', jsonb_build_object('price_details', jsonb_build_object('price', 'price_' || price)),
            'parent', jsonb_build_object('subscription_item_details',
                jsonb_build_object('subscription_item', 'si_' || subscription, 'proration', false))))))
$$;

-- 1. WHAT IS SOLD
--
-- The prices are those of Stripe, with the lookup keys that they have there; and what each grants in a month.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT provider FROM credits.payment_provider_set('stripe', 'whsec_of_your_endpoint');
SELECT p.lookup_key, p.unit_amount
FROM (VALUES ('Pro', 'pro', 20, 1000), ('Team', 'team', 60, 4000)) AS v (name, key, dollars, credits),
    credits.product_create(v.name) AS d,
    credits.price_create(d.product_id, 'recurring', v.dollars, 'USD', recurring => '{"interval": "month"}',
        lookup_key => v.key, credit_config => jsonb_build_object('amount', v.credits, 'schedule',
            jsonb_build_object('expire_with_next_grant', true))) AS p;

-- 2. ANN, WHOM THE APPLICATION SIGNS UP
--
-- It creates the subscription at Stripe, and here with Stripe's name for it. Nothing is invoiced here. As Stripe says
-- that the month is paid, its credits are there; said again, nothing changes.
SELECT subscription_id AS ann, status FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]',
    collection_method => 'external', provider => 'stripe', provider_reference => 'sub_1') \gset
\echo :status
SELECT * FROM pg_temp.event('customer.subscription.created',
    pg_temp.subscription('sub_1', 'pro', '2026-03-01 09:00+00', '{}', 'incomplete'));
SELECT * FROM pg_temp.event('invoice.paid', pg_temp.invoice('in_1', 'sub_1', 'pro', '2026-03-01 09:00+00', 2000));
SELECT * FROM pg_temp.event('invoice.paid', pg_temp.invoice('in_1', 'sub_1', 'pro', '2026-03-01 09:00+00', 2000));
SELECT status, current_period_end FROM credits.subscriptions WHERE customer_id = 'ann';
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');

-- 3. BEN, WHO COMES BY STRIPE'S CHECKOUT
--
-- Nobody calls anything here: the metadata of his subscription, which the Checkout Session had as
-- subscription_data.metadata, say who he is. The invoice comes first, and waits.
SELECT * FROM pg_temp.event('invoice.paid', pg_temp.invoice('in_2', 'sub_2', 'pro', '2026-03-01 09:00+00', 2000));
SELECT * FROM pg_temp.event('customer.subscription.created',
    pg_temp.subscription('sub_2', 'pro', '2026-03-01 09:00+00', '{"customer_id": "ben"}'));
SELECT status, provider_reference FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT available FROM credits.wallet_balance('ben', 'CREDIT');

-- 4. ANN IS UPGRADED AT STRIPE
--
-- 21 of March's 31 days are left: so much of Team's credits come, and of Pro's go, as far as they are unspent.
SET credits.test_clock = '2026-03-11 09:00+00';
SELECT debited FROM credits.wallet_debit('ann', 900);
SELECT * FROM pg_temp.event('customer.subscription.updated',
    pg_temp.subscription('sub_1', 'team', '2026-03-01 09:00+00', '{}'));
SELECT round(available) AS available FROM credits.wallet_balance('ann', 'CREDIT');

-- 5. APRIL IS PAID LATE
--
-- Her card is declined, and Stripe tries again. Until that is paid there are no credits; then all of them, until the
-- month ends. The invoice has the upgrade's part of March as well: 40 dollars for 21 of 31 days.
SET credits.test_clock = '2026-04-01 10:00+00';
SELECT * FROM pg_temp.event('invoice.payment_failed',
    pg_temp.invoice('in_3', 'sub_1', 'team', '2026-04-01 09:00+00', 0));
SELECT status FROM credits.subscriptions WHERE customer_id = 'ann';
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');
SET credits.test_clock = '2026-04-04 10:00+00';
SELECT * FROM pg_temp.event('invoice.paid',
    pg_temp.invoice('in_3', 'sub_1', 'team', '2026-04-01 09:00+00', 6000) || '{"amount_paid": 8710}');
SELECT status, current_period_end FROM credits.subscriptions WHERE customer_id = 'ann';
SELECT available, next_expiry_at FROM credits.wallet_balance('ann', 'CREDIT');
SELECT i.description AS invoice, i.total, i.amount_paid, l.description AS line, l.amount
FROM credits.invoices AS i JOIN credits.invoice_lines AS l USING (customer_id, invoice_id)
WHERE i.customer_id = 'ann' AND i.billing_reason = 'subscription_cycle' ORDER BY i.created_at, l.line_no;

-- 6. A REFUND, AND THE END
--
-- A refund names a payment. Which invoice that paid, Stripe says in an event of its own.
SELECT * FROM pg_temp.event('invoice_payment.paid',
    '{"invoice": "in_3", "payment": {"type": "payment_intent", "payment_intent": "pi_3"}}');
SELECT * FROM pg_temp.event('charge.refunded',
    '{"id": "ch_3", "payment_intent": "pi_3", "amount_refunded": 4355, "currency": "usd"}');
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');
-- To cancel is for Stripe, which says when it did.
\set VERBOSITY sqlstate
SELECT FROM credits.subscription_cancel('ann', :'ann');
\set VERBOSITY terse
SELECT * FROM pg_temp.event('customer.subscription.deleted',
    pg_temp.subscription('sub_1', 'team', '2026-04-01 09:00+00', '{}'));
SELECT status, ended_at FROM credits.subscriptions WHERE customer_id = 'ann';
-- Who has not paid lately? Ben: nobody told of his April.
SELECT customer_id, status, current_period_end FROM credits.subscriptions
WHERE collection_method = 'external' AND ended_at IS NULL AND current_period_end < credits.clock();
SELECT * FROM credits.verify();
