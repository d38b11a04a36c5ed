-- Subscriptions whose plan a provider bills: its webhooks say when a period is paid, and the credits of it are there.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS team FROM credits.product_create('Team') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'team', 'recurring', 60, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'team', credit_config => '{"amount": 4000, "schedule": {"expire_with_next_grant": true}}');
SELECT provider FROM credits.payment_provider_set('stripe', 'whsec_of_the_test');

-- A signed event, as Stripe sends it. HMAC-SHA256. Source: RFC 2104.
CREATE FUNCTION hmac(secret text, message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH k AS (SELECT convert_to(rpad(secret, 64, chr(1)), 'UTF8') AS padded, length(secret) AS n),
         b AS (SELECT i, CASE WHEN i < k.n THEN get_byte(k.padded, i) ELSE 0 END AS byte FROM k, generate_series(0,
    63) AS i)
    SELECT encode(sha256((SELECT string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY i) FROM b)
                  || sha256((SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY i) FROM b)
                            || convert_to(message, 'UTF8'))), 'hex')
$$;
CREATE FUNCTION unix(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT extract(epoch FROM
    at)::bigint $$;
CREATE FUNCTION send(id text, type text, at timestamptz, object jsonb)
RETURNS TABLE (outcome text, customer_id text, status text, replayed boolean, reason text) LANGUAGE plpgsql AS $$
DECLARE payload text := jsonb_build_object('id', id, 'type', type, 'created', unix(at), 'livemode', true,
                                           'data', jsonb_build_object('object', object))::text;
        signed_at text := unix(credits.clock())::text;
BEGIN
    RETURN QUERY SELECT w.outcome, w.customer_id, w.status, w.replayed, w.reason
        FROM credits.webhook_receive('stripe', payload, format('t=%s,v1=%s', signed_at, hmac('whsec_of_the_test',
    signed_at || '.' || payload))) w;
END $$;
-- A subscription, and an invoice of one, in the shapes of Stripe's API since 2025-03-31.
CREATE FUNCTION sub(id text, metadata jsonb, price text, start_at timestamptz, end_at timestamptz,
    status text DEFAULT 'active')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'object', 'subscription', 'status', status, 'currency', 'usd', 'metadata',
    metadata,
        'billing_cycle_anchor', unix(start_at), 'cancel_at', NULL, 'cancel_at_period_end', false, 'items',
    jsonb_build_object('data',
            jsonb_build_array(jsonb_build_object('id', 'si_' || id, 'quantity', 1, 'current_period_start',
    unix(start_at),
                'current_period_end', unix(end_at),
                'price', jsonb_build_object('id', 'price_' || price, 'lookup_key', price)))))
$$;
CREATE FUNCTION inv(id text, sub text, price text, start_at timestamptz, end_at timestamptz, cents int,
                    reason text DEFAULT 'subscription_cycle', metadata jsonb DEFAULT '{}')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'object', 'invoice', 'currency', 'usd', 'amount_paid', cents, 'number',
    'S-' || id,
        'billing_reason', reason, 'total_taxes', '[]'::jsonb, 'payments', jsonb_build_object('data', jsonb_build_array(
            jsonb_build_object('payment', jsonb_build_object('type', 'payment_intent', 'payment_intent',
    'pi_' || id)))),
        'parent', jsonb_build_object('subscription_details', jsonb_build_object('subscription', sub, 'metadata',
    metadata)),
        'lines', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('amount', cents, 'quantity', 1,
            'period', jsonb_build_object('start', unix(start_at), 'end', unix(end_at)),
            'pricing', jsonb_build_object('price_details', jsonb_build_object('price', 'price_' || price)),
            'parent', jsonb_build_object('subscription_item_details', jsonb_build_object('subscription', sub,
                'subscription_item', 'si_' || sub, 'proration', false))))))
$$;
CREATE VIEW subs AS
SELECT customer_id, status, collection_method, provider, provider_reference, current_period_start, current_period_end
FROM credits.subscriptions ORDER BY customer_id;
CREATE VIEW given AS
SELECT customer_id, amount, round(remaining, 2) AS remaining, status, effective_at, expires_at FROM credits.grants
ORDER BY customer_id, effective_at, amount;

-- Created here: nothing is invoiced, and it is incomplete until its provider says how it stands.
SELECT subscription_id AS plan, status, provider, latest_invoice_id FROM credits.subscription_create('ann',
    '[{"lookup_key": "pro"}]', collection_method => 'external', provider => 'stripe', idempotency_key => 'ann') \gset
\echo :status
SELECT * FROM credits.invoices;
SELECT replayed FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]', collection_method => 'external',
    provider => 'stripe', idempotency_key => 'ann');
SELECT jsonb_build_object('customer_id', 'ann', 'subscription_id', :'plan') AS metadata \gset
SELECT * FROM send('evt_1', 'customer.subscription.created', '2026-03-01 12:00Z', sub('sub_1', :'metadata', 'pro',
    '2026-03-01 12:00Z', '2026-04-01 12:00Z', 'incomplete'));
SELECT * FROM subs;
SELECT * FROM send('evt_2', 'invoice.paid', '2026-03-01 12:01Z', inv('in_1', 'sub_1', 'pro', '2026-03-01 12:00Z',
    '2026-04-01 12:00Z', 2000, 'subscription_create'));
SELECT * FROM send('evt_2', 'invoice.paid', '2026-03-01 12:01Z', inv('in_1', 'sub_1', 'pro', '2026-03-01 12:00Z',
    '2026-04-01 12:00Z', 2000, 'subscription_create'));
-- The same invoice under another event.
SELECT * FROM send('evt_3', 'invoice.payment_succeeded', '2026-03-01 12:01Z', inv('in_1', 'sub_1', 'pro',
    '2026-03-01 12:00Z', '2026-04-01 12:00Z', 2000, 'subscription_create'));
SELECT * FROM subs;
SELECT * FROM given;
SELECT billing_reason, status, total, amount_paid, description FROM credits.invoices;
SELECT * FROM credits.verify();

-- First heard of by the provider: the customer is in its metadata, and prices are known by their lookup keys. What came
-- before waits for it.
SELECT * FROM send('evt_4', 'invoice.paid', '2026-03-01 12:01Z', inv('in_2', 'sub_2', 'pro', '2026-03-01 12:00Z',
    '2026-04-01 12:00Z', 2000, 'subscription_create', '{"customer_id": "ben"}'));
SELECT * FROM send('evt_5', 'customer.subscription.created', '2026-03-01 12:00Z', sub('sub_2',
    '{"customer_id": "ben"}', 'pro', '2026-03-01 12:00Z', '2026-04-01 12:00Z', 'incomplete'));
SELECT * FROM subs WHERE customer_id = 'ben';
SELECT * FROM given WHERE customer_id = 'ben';
SELECT event_id, outcome FROM credits.webhook_log ORDER BY event_id;
-- None of its prices is one of ours; and one that nobody knows.
SELECT * FROM send('evt_6', 'customer.subscription.created', '2026-03-01 12:00Z', sub('sub_9',
    '{"customer_id": "cid"}', 'other', '2026-03-01 12:00Z', '2026-04-01 12:00Z'));
SELECT * FROM send('evt_7', 'customer.subscription.updated', '2026-03-01 12:00Z', sub('sub_9', '{}', 'pro',
    '2026-03-01 12:00Z', '2026-04-01 12:00Z'));

-- Ten days later Ann is upgraded at the provider: the same credits as with subscription_update().
SET credits.test_clock = '2026-03-11 12:00+00';
SELECT debited FROM credits.wallet_debit('ann', 900);
SELECT * FROM send('evt_8', 'customer.subscription.updated', '2026-03-11 12:00Z', sub('sub_1', :'metadata', 'team',
    '2026-03-01 12:00Z', '2026-04-01 12:00Z'));
SELECT * FROM given WHERE customer_id = 'ann';
SELECT l.line_no, l.description, l.amount,
    l.period_start FROM credits.invoice_lines l JOIN credits.invoices i USING (customer_id, invoice_id)
WHERE i.billing_reason = 'subscription_update' ORDER BY 1;
SELECT * FROM credits.verify();

-- A renewal whose payment failed, and then came days late.
SET credits.test_clock = '2026-04-02 12:00+00';
SELECT * FROM send('evt_9', 'invoice.payment_failed', '2026-04-01 13:00Z', inv('in_3', 'sub_1', 'team',
    '2026-04-01 12:00Z', '2026-05-01 12:00Z', 8667));
SELECT * FROM subs WHERE customer_id = 'ann';
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');
SET credits.test_clock = '2026-04-05 12:00+00';
SELECT * FROM send('evt_10', 'invoice.paid', '2026-04-05 12:00Z', jsonb_set(inv('in_3', 'sub_1', 'team',
    '2026-04-01 12:00Z', '2026-05-01 12:00Z', 6000), '{amount_paid}', '8667'));
SELECT * FROM subs WHERE customer_id = 'ann';
SELECT * FROM given WHERE customer_id = 'ann';
SELECT total, amount_paid FROM credits.invoices WHERE description = 'stripe S-in_3';
-- An older event changes nothing.
SELECT * FROM send('evt_11', 'customer.subscription.updated', '2026-03-01 12:00Z', sub('sub_1', :'metadata', 'pro',
    '2026-03-01 12:00Z', '2026-04-01 12:00Z', 'past_due'));
SELECT * FROM subs WHERE customer_id = 'ann';

-- Half of it is refunded: half of its credits go.
SELECT * FROM send('evt_12', 'charge.refunded', '2026-04-05 13:00Z',
    '{"id": "ch_3", "payment_intent": "pi_in_3", "amount_refunded": 4333, "currency": "usd"}');
SELECT * FROM given WHERE customer_id = 'ann' AND expires_at > '2026-04-30';
SELECT * FROM credits.verify();

-- Another currency is not the money of this plan: that is recorded, published, and nothing is done.
SELECT * FROM send('evt_c', 'invoice.paid', '2026-04-05 12:00Z', inv('in_c', 'sub_2', 'pro', '2026-04-01 12:00Z',
    '2026-05-01 12:00Z', 2000) || '{"currency": "eur"}');
SELECT customer_id, payload->>'contradiction' AS contradiction FROM credits.outbox_rows
WHERE type = 'subscription.contradiction';

-- What is the provider's is done there.
CREATE FUNCTION refused(call text) RETURNS TABLE (code text, state text, hint text) LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    EXECUTE call;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    state := detail::jsonb->>'state';
    RETURN NEXT;
END $$;
SELECT * FROM refused(format('SELECT credits.subscription_cancel(''ann'', %L)', :'plan'));
\set VERBOSITY sqlstate
SELECT credits.subscription_pause('ann', :'plan');
SELECT credits.subscription_resume('ann', :'plan');
SELECT credits.subscription_recover('ann', :'plan');
SELECT credits.subscription_update('ann', :'plan', days_until_cancel => 3);
SELECT credits.subscription_update('ann', :'plan', '[{"lookup_key": "team"}]');
SELECT credits.subscription_preview('ann', :'plan', '[{"lookup_key": "team"}]');
SELECT description, metadata FROM credits.subscription_update('ann', :'plan', description => 'Team',
    metadata => '{"a": 1}');
\set VERBOSITY terse
SELECT credits.subscription_create('dan', '[{"lookup_key": "pro"}]', collection_method => 'external');
SELECT credits.subscription_create('dan', '[{"lookup_key": "pro"}]', provider => 'stripe');
SELECT credits.subscription_create('dan', '[{"lookup_key": "pro"}]', collection_method => 'external',
    provider => 'stripe', trial_period_days => 3);
SELECT * FROM refused($$SELECT credits.subscription_create('dan', '[{"lookup_key": "pro"}]', collection_method =>
    'external', provider => 'stripe', provider_reference => 'sub_1')$$);

-- One that is known by its provider's name; what came before it was known is applied. Its first invoice is free: of a
-- trial, in which its price grants.
SELECT * FROM send('evt_13', 'customer.subscription.created', '2026-04-05 12:00Z', sub('sub_3', '{}', 'pro',
    '2026-04-05 12:00Z', '2026-04-12 12:00Z', 'trialing'));
SELECT * FROM send('evt_14', 'invoice.paid', '2026-04-05 12:00Z', inv('in_4', 'sub_3', 'pro', '2026-04-05 12:00Z',
    '2026-04-12 12:00Z', 0, 'subscription_create'));
SELECT status, current_period_end FROM credits.subscription_create('dan', '[{"lookup_key": "pro"}]',
    collection_method => 'external', provider => 'stripe', provider_reference => 'sub_3');
SELECT * FROM given WHERE customer_id = 'dan';
SELECT * FROM credits.verify();

-- Usage is invoiced here, so an item whose price is metered is no item of these.
SELECT lookup_key FROM credits.price_create(:'team', 'recurring', 1, 'USD', lookup_key => 'calls',
    recurring => '{"interval": "month", "usage_type": "metered"}');
SELECT credits.subscription_create('dan', '[{"lookup_key": "calls"}]', collection_method => 'external',
    provider => 'stripe', provider_reference => 'sub_4');
SELECT * FROM send('evt_m', 'customer.subscription.created', '2026-04-05 12:00Z', sub('sub_4',
    '{"customer_id": "dan"}', 'calls', '2026-04-05 12:00Z', '2026-05-05 12:00Z'));

-- It ends: what was to begin does not, and money for later is for nothing.
SET credits.test_clock = '2026-04-20 12:00+00';
SELECT * FROM send('evt_15', 'customer.subscription.deleted', '2026-04-20 12:00Z', sub('sub_1', :'metadata',
    'team', '2026-04-01 12:00Z', '2026-05-01 12:00Z') || '{"ended_at": 1776686400}');
SELECT * FROM subs WHERE customer_id = 'ann';
SELECT * FROM send('evt_16', 'invoice.paid', '2026-05-01 12:00Z', inv('in_5', 'sub_1', 'team', '2026-05-01 12:00Z',
    '2026-06-01 12:00Z', 6000));
SELECT amount, status, reason FROM credits.refunds;
SELECT status, total FROM credits.invoices WHERE description = 'stripe S-in_5';
-- What was added to an invoice by hand is no item of it, and a price in tiers, which has a line for
-- each, is granted once.
SELECT inv('in_6', 'sub_2', 'pro', '2026-04-01 12:00Z', '2026-05-01 12:00Z', 2000) AS renewal \gset
SELECT :'renewal'::jsonb #> '{lines,data,0}' AS line \gset
SELECT * FROM send('evt_20', 'invoice.paid', '2026-04-20 12:00Z', jsonb_set(:'renewal', '{lines,data}',
    jsonb_build_array(:'line'::jsonb || '{"quantity": 0, "amount": 500}',
    :'line'::jsonb || '{"quantity": 1, "amount": 0}',
    :'line'::jsonb, '{"amount": 900, "quantity": 1, "parent": {"invoice_item_details": {"proration": false}}}'::jsonb))
    || '{"amount_paid": 3400}');
SELECT amount, effective_at, expires_at FROM given WHERE customer_id = 'ben';
SELECT l.line_no, l.quantity, l.amount
FROM credits.invoice_lines l JOIN credits.invoices i USING (customer_id, invoice_id)
WHERE i.description = 'stripe S-in_6' ORDER BY 1;

-- A renewal that says another price than the subscription did so far: that price is used now. The change itself,
-- which is told afterwards, brings nothing more.
SELECT price_id AS big FROM credits.price_create(:'pro', 'recurring', 99, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'big', credit_config => '{"amount": 9000, "schedule": {"expire_with_next_grant": true}}') \gset
SET credits.test_clock = '2026-05-01 13:00+00';
SELECT * FROM send('evt_21', 'invoice.paid', '2026-05-01 12:01Z', jsonb_set(inv('in_7', 'sub_2', 'big',
    '2026-05-01 12:00Z', '2026-06-01 12:00Z', 9900) #- '{lines,data,0,pricing}', '{lines,data,0,price}',
    '{"id": "price_big", "lookup_key": "big"}'));
\set VERBOSITY sqlstate
SELECT FROM credits.price_delete(:'big');
\set VERBOSITY terse
SELECT * FROM send('evt_22', 'customer.subscription.updated', '2026-05-01 12:00Z', sub('sub_2', '{}', 'big',
    '2026-05-01 12:00Z', '2026-06-01 12:00Z'));
SELECT amount, status, effective_at, expires_at FROM given WHERE customer_id = 'ben' AND expires_at > '2026-05-31';
SELECT * FROM credits.verify();

SET credits.test_clock = '2026-05-09 12:00+00';
-- Money that comes in a pause does not end it; what was to be its end was none, where a later time is paid.
SELECT * FROM send('evt_23', 'customer.subscription.paused', '2026-05-02 12:00Z', sub('sub_2', '{}', 'big',
    '2026-05-01 12:00Z', '2026-06-01 12:00Z', 'paused') || '{"cancel_at_period_end": true}');
SELECT status, cancel_at FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT * FROM send('evt_24', 'invoice.paid', '2026-05-03 12:00Z', inv('in_8', 'sub_2', 'big', '2026-06-01 12:00Z',
    '2026-07-01 12:00Z', 9900));
SELECT status, cancel_at FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT * FROM send('evt_25', 'customer.subscription.resumed', '2026-05-04 12:00Z', sub('sub_2', '{}', 'big',
    '2026-05-01 12:00Z', '2026-06-01 12:00Z'));
SELECT status FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT * FROM credits.verify();

-- An item that goes, and comes again under its name, is the same one.
SELECT sub('sub_2', '{}', 'big', '2026-05-01 12:00Z', '2026-06-01 12:00Z') AS both_of \gset
SELECT jsonb_set(:'both_of', '{items,data,1}',
    '{"id": "si_more", "quantity": 1, "price": {"id": "price_team"}}') AS both_of \gset
SELECT * FROM send('evt_26', 'customer.subscription.updated', '2026-05-05 12:00Z', :'both_of');
SELECT * FROM send('evt_27', 'customer.subscription.updated', '2026-05-06 12:00Z', sub('sub_2', '{}', 'big',
    '2026-05-01 12:00Z', '2026-06-01 12:00Z'));
SELECT * FROM send('evt_28', 'customer.subscription.updated', '2026-05-07 12:00Z', :'both_of');
SELECT * FROM send('evt_29', 'customer.subscription.updated', '2026-05-08 12:00Z', :'both_of');
SELECT p.lookup_key, i.removed_at FROM credits.subscription_items i JOIN credits.prices p USING (price_id)
WHERE i.customer_id = 'ben' ORDER BY 1;
SELECT * FROM credits.verify();

-- A price that was heard of, never used, and made anew: the lookup key says which.
SELECT price_id AS once FROM credits.price_create(:'pro', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'small') \gset
SELECT * FROM send('evt_30', 'customer.subscription.created', '2026-05-08 12:00Z', sub('sub_6', '{}', 'small',
    '2026-05-08 12:00Z', '2026-06-08 12:00Z'));
SELECT * FROM send('evt_31', 'customer.subscription.created', '2026-05-08 12:00Z', sub('sub_6',
    '{"customer_id": "eve"}', 'small', '2026-05-08 12:00Z', '2026-06-08 12:00Z') || '{"currency": "xxx"}');
SELECT FROM credits.price_delete(:'once');
SELECT FROM credits.price_create(:'pro', 'recurring', 5, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'small', credit_config => '{"amount": 50, "schedule": {"expire_with_next_grant": true}}');
SELECT * FROM send('evt_32', 'customer.subscription.updated', '2026-05-08 12:01Z', sub('sub_6',
    '{"customer_id": "eve"}', 'small', '2026-05-08 12:00Z', '2026-06-08 12:00Z'));
-- Nothing is paid yet that is ours: such an invoice waits, also one of nothing.
SELECT * FROM send('evt_33', 'invoice.paid', '2026-05-08 12:01Z', inv('in_9', 'sub_6', 'unheard', '2026-05-08 12:00Z',
    '2026-06-08 12:00Z', 0));
SELECT * FROM send('evt_34', 'invoice.paid', '2026-05-08 12:01Z', inv('in_10', 'sub_6', 'small', '2026-05-08 12:00Z',
    '2026-06-08 12:00Z', 500));
SELECT amount FROM given WHERE customer_id = 'eve';
\set VERBOSITY terse
SELECT * FROM send('evt_35', 'invoice.paid', '2026-05-08 12:01Z', inv('in_11', 'sub_6', 'small', '2026-05-08 12:00Z',
    '2026-06-08 12:00Z', -500));

-- Of one that names another customer's plan, or another provider's, nothing is done.
SELECT * FROM send('evt_36', 'invoice.paid', '2026-05-08 12:02Z', inv('in_12', 'sub_x', 'small', '2026-05-08 12:00Z',
    '2026-06-08 12:00Z', 500, 'subscription_cycle',
    jsonb_build_object('customer_id', 'eve', 'subscription_id', :'plan')));
SELECT * FROM send('evt_37', 'customer.subscription.updated', '2026-05-08 12:02Z', sub('sub_x', jsonb_build_object(
    'subscription_id', :'plan'), 'small', '2026-05-08 12:00Z', '2026-06-08 12:00Z'));
SELECT provider FROM credits.payment_provider_set('paystack', 'sk_test_of_paystack');
CREATE EXTENSION pgcrypto;
CREATE FUNCTION paystack(event text, data jsonb)
RETURNS TABLE (outcome text, customer_id text, status text, reason text) LANGUAGE plpgsql AS $$
DECLARE payload text := jsonb_build_object('event', event, 'data', data || '{"domain": "live"}');
BEGIN
    RETURN QUERY SELECT w.outcome, w.customer_id, w.status, w.reason
        FROM credits.webhook_receive('paystack', payload,
            encode(public.hmac(payload, 'sk_test_of_paystack', 'sha512'), 'hex')) w;
END $$;
SELECT * FROM paystack('charge.success', jsonb_build_object('reference', 'r0', 'amount', 2000, 'currency', 'USD',
    'metadata', jsonb_build_object('customer_id', 'ann', 'subscription_id', :'plan')));
SELECT customer_id, payload->>'contradiction' AS contradiction FROM credits.outbox_rows
WHERE type = 'subscription.contradiction' ORDER BY customer_id, outbox_no;
-- Paystack's subscriptions have no metadata: the transaction that begins one says whose it is, and has the same
-- customer and plan as the subscription, whichever comes first. So its invoices are known.
SELECT FROM credits.price_create(:'pro', 'recurring', 44, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'PLN_1', credit_config => '{"amount": 700, "schedule": {"expire_with_next_grant": true}}');
SELECT subscription_id AS fay FROM credits.subscription_create('fay', '[{"lookup_key": "PLN_1"}]',
    collection_method => 'external', provider => 'paystack') \gset
SELECT '{"plan": {"plan_code": "PLN_1", "currency": "USD"}, "customer": {"customer_code": "CUS_1"}}' AS pair \gset
SELECT '{"subscription_code": "SUB_1", "createdAt": "2026-05-08T12:00:05Z",
    "next_payment_date": "2026-06-08T12:00:00Z"}' AS sub \gset
SELECT * FROM paystack('invoice.payment_failed', '{"invoice_code": "INV_0",
    "subscription": {"subscription_code": "SUB_1"},
    "created_at": "2026-05-08T12:00:04Z"}');
SELECT * FROM paystack('subscription.create', :'pair'::jsonb || :'sub');
SELECT * FROM paystack('charge.success', :'pair'::jsonb || jsonb_build_object('reference', 'r1', 'amount', 4400,
    'currency', 'USD', 'paid_at', '2026-05-08T12:00:00Z',
    'metadata', jsonb_build_object('customer_id', 'fay', 'subscription_id', :'fay')));
SELECT provider_reference, status, current_period_end FROM credits.subscriptions WHERE customer_id = 'fay';
SET credits.test_clock = '2026-06-08 12:30+00';
SELECT '{"invoice_code": "INV_1", "period_start": "2026-06-08T12:00:00Z", "period_end": "2026-07-08T11:59:59Z",
    "paid_at": "2026-06-08T12:30:00Z", "subscription": {"subscription_code": "SUB_1"}, "amount": 4400,
    "transaction": {"reference": "r2", "amount": 4400, "currency": "USD"}}' AS renewal \gset
SELECT * FROM paystack('invoice.update', :'renewal'::jsonb || '{"paid": false}');
SELECT * FROM paystack('invoice.update', :'renewal'::jsonb || '{"paid": true}');
SELECT * FROM paystack('charge.success', :'pair'::jsonb || '{"reference": "r2", "amount": 4400, "currency": "USD"}');
SELECT amount, status, effective_at, expires_at FROM given WHERE customer_id = 'fay';
SELECT * FROM paystack('subscription.not_renew', :'sub');
SELECT status, cancel_at FROM credits.subscriptions WHERE customer_id = 'fay';
SELECT * FROM paystack('invoice.update', (:'renewal'::jsonb || '{"paid": true, "invoice_code": "INV_2",
    "period_start": "2026-07-08T12:00:00Z", "period_end": "2026-08-08T12:00:00Z"}') - 'transaction'
    || '{"transaction": {"reference": "r3", "amount": 4400, "currency": "USD"}}');
SELECT status, cancel_at FROM credits.subscriptions WHERE customer_id = 'fay';
SELECT type, reference, outcome FROM credits_internal.webhook_events WHERE provider = 'paystack' ORDER BY event_id;
SELECT credits.subscription_create('eve', '[{"lookup_key": "small"}]', collection_method => 'external',
    provider => 'shop');
SELECT * FROM credits.verify();

-- One of which its provider says nothing any more is ended here; what is paid for later is asked back.
SELECT subscription_id AS eve FROM credits.subscriptions WHERE customer_id = 'eve' \gset
SELECT status, ended_at FROM credits.subscription_cancel('eve', :'eve', 'now', reason => 'the account there is closed');
SELECT * FROM send('evt_38', 'invoice.paid', '2026-06-08 12:01Z', inv('in_13', 'sub_6', 'small', '2026-07-08 12:00Z',
    '2026-08-08 12:00Z', 500));
SELECT amount, status, reason FROM credits.refunds WHERE customer_id = 'eve';
SELECT * FROM send('evt_39', 'customer.subscription.updated', '2026-06-08 12:02Z', sub('sub_6', '{}', 'small',
    '2026-06-08 12:00Z', '2026-07-08 12:00Z'));
SELECT status FROM credits.subscriptions WHERE customer_id = 'eve';
SELECT * FROM credits.verify();

-- Nothing is due of them by time, and a period that nobody paid gives nothing.
SET credits.test_clock = '2026-09-01 12:00+00';
CALL credits.maintain();
SELECT customer_id, status, current_period_end < credits.clock() AS "not paid since" FROM credits.subscriptions
    ORDER BY 1;
SELECT count(*) FROM credits.invoices WHERE status = 'open';
-- Signatures are as of every event.
SELECT credits.webhook_receive('stripe', '{"id": "evt_17", "type": "invoice.paid"}', 't=1788264000,v1=00');
SELECT * FROM credits.verify();

-- What verify() checks of them, each broken on purpose.
CREATE FUNCTION broken(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    BEGIN
        EXECUTE change;
        found := ARRAY(SELECT DISTINCT v.problem FROM credits.verify() v ORDER BY 1);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN QUERY SELECT unnest(found);
    END;
END $$;
SELECT broken($$UPDATE credits_internal.subscriptions SET next_change_at = '2026-10-01Z' WHERE customer_id = 'ben'$$);
SELECT broken($$UPDATE credits_internal.subscriptions SET provider_reference = 'sub_1' WHERE customer_id = 'ben'$$);
SELECT broken($$UPDATE credits_internal.subscriptions SET current_period_start = '2026-02-01Z' WHERE customer_id =
    'ben'$$);
SELECT broken($$UPDATE credits_internal.invoices SET status = 'open', paid_at = NULL WHERE customer_id = 'ben'$$);
SELECT broken($$UPDATE credits_internal.invoice_lines SET period_start = '2026-03-01 12:00Z', proration = false
    WHERE customer_id = 'ann' AND credits > 0$$);
SELECT * FROM credits.verify();
