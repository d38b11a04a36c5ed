-- CREDIT PACKS AND A GATE
--
-- Pictures cost credits, and credits are sold in packs. Here a billing page is drawn with one call, a gate stops
-- work that is not paid for, a pack is sold through Stripe, and work goes on the moment Stripe reports the payment.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-05-18 09:00+00';

-- What is set up once: the money, two packs, a meter, and how Stripe signs what it sends. (docs/webhooks.md shows
-- how to set a real secret so that no log has it. The results of these calls do not matter here.)
\o /dev/null
SELECT FROM credits.currency_create('USD', 'US dollar', kind => 'fiat');
SELECT FROM credits.package_create('Small', credits => 100, unit_amount => 5, price_currency => 'USD');
SELECT FROM credits.package_create('Large', credits => 1000, unit_amount => 40, price_currency => 'USD',
                                   description => 'A fifth off');
SELECT FROM credits.meter_create('pictures', unit => 'picture', unit_price => 4, overage => 'reject');
SELECT FROM credits.payment_provider_set('stripe', webhook_secret => 'whsec_of_this_page',
                                         checkout_url_template => 'https://app.example/pay/{top_up_id}');
SELECT FROM credits.customer_upsert('mia', 'Mia', 'mia@example.com');
SELECT FROM credits.credit_grant('mia', 6, name => 'Trial');
\o

-- 1. THE PAGE
--
-- Everything that it draws, in one call, as JSON. Amounts are strings of digits, so that no browser rounds them. Its
-- parts:
SELECT jsonb_object_keys(credits.billing_bootstrap('mia')) AS part;
SELECT page -> 'customer' ->> 'name' AS name, balance ->> 'currency' AS currency, balance ->> 'available' AS available
FROM credits.billing_bootstrap('mia') AS page, jsonb_array_elements(page -> 'balances') AS balance;

-- The packs, the cheapest first, and what things cost. (A pack also has the id with which it is bought.)
SELECT pack ->> 'name' AS pack, pack ->> 'description' AS description, pack ->> 'credits' AS credits,
       pack ->> 'unit_amount' AS unit_amount, pack ->> 'price_currency' AS price_currency
FROM jsonb_array_elements(credits.billing_bootstrap('mia') -> 'packages') AS pack;
SELECT jsonb_pretty(credits.billing_bootstrap('mia') -> 'meters') AS meters;

-- 2. THE GATE
--
-- Before it begins, the work asks: one picture for 4 credits? Yes. Another one? No.
SELECT can_continue, reason, available FROM credits.credit_availability('mia', 4);
SELECT status, consumed, available FROM credits.report_meter_event('mia', 'pictures', 1, 'picture-1');
SELECT can_continue, reason, available FROM credits.credit_availability('mia', 4);

-- The gate reserves nothing, so the meter decides again when the work is reported; this one refuses what no credit
-- covers (PC001).
\set VERBOSITY terse
SELECT FROM credits.report_meter_event('mia', 'pictures', 1, 'picture-2');

-- 3. A PACK IS CHOSEN
--
-- The purchase carries the pack and its credits. checkout_url is a page of the application's own, which creates a
-- Checkout Session at Stripe for this amount, with customer_id and top_up_id as metadata: that is how Stripe's
-- events find the purchase.
SELECT price_id AS small FROM credits.packages WHERE name = 'Small' \gset
SELECT top_up_id AS bought, replace(checkout_url, top_up_id::text, '(its id)') AS checkout_url
FROM credits.top_up_create('mia', :'small', idempotency_key => 'cart-1') \gset
SELECT :'checkout_url' AS checkout_url;
SELECT package.name AS package, bought.status, bought.amount, bought.currency, bought.credits, bought.provider
FROM credits.top_ups AS bought JOIN credits.packages AS package USING (price_id) WHERE bought.customer_id = 'mia';

-- 4. STRIPE REPORTS THE PAYMENT
--
-- An endpoint, in any language, passes on the raw body of the request and the header Stripe-Signature:
-- SELECT * FROM credits.webhook_receive('stripe', $1, $2). There is no Stripe here, so this page signs in its place, as
-- Stripe does: HMAC-SHA256 of the time, a dot and the body.
CREATE FUNCTION pg_temp.hmac(secret text, message text) RETURNS text LANGUAGE sql AS $$
    WITH key AS (SELECT decode(rpad(encode(convert_to(secret, 'UTF8'), 'hex'), 128, '0'), 'hex') AS bytes),
         pad AS (SELECT string_agg(set_byte('\x00', 0, get_byte(bytes, n) # 54), '' ORDER BY n) AS inner_pad,
                        string_agg(set_byte('\x00', 0, get_byte(bytes, n) # 92), '' ORDER BY n) AS outer_pad
                 FROM key, generate_series(0, 63) AS n)
    SELECT encode(sha256(outer_pad || sha256(inner_pad || convert_to(message, 'UTF8'))), 'hex') FROM pad
$$;
CREATE FUNCTION pg_temp.signed(payload text, secret text DEFAULT 'whsec_of_this_page') RETURNS text LANGUAGE sql AS $$
    SELECT 't=' || t || ',v1=' || pg_temp.hmac(secret, t || '.' || payload)
    FROM (SELECT extract(epoch FROM credits.clock())::bigint::text AS t) AS now
$$;
-- Is it right? RFC 4231 has this as its second test case:
SELECT pg_temp.hmac('Jefe', 'what do ya want for nothing?')
    = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' AS is_hmac;

-- Five minutes later Stripe sends its event:
SET credits.test_clock = '2026-05-18 09:05+00';
SELECT format('{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": "cs_1",
    "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 500, "currency": "usd",
    "metadata": {"customer_id": "mia", "top_up_id": "%s"}}}}', :'bought') AS paid \gset
SELECT event_id, type, outcome, customer_id, status, replayed
FROM credits.webhook_receive('stripe', :'paid', pg_temp.signed(:'paid'));

-- The event, the payment and the grant are one transaction. So the gate is open, at once:
SELECT can_continue, reason, available FROM credits.credit_availability('mia', 4);
SELECT status, consumed, available FROM credits.report_meter_event('mia', 'pictures', 1, 'picture-2');

-- 5. AGAIN, WRONG, LATE
--
-- Providers send an event until it is answered, and sometimes again. Its id is known, and nothing changes.
SELECT event_id, outcome, status, replayed FROM credits.webhook_receive('stripe', :'paid', pg_temp.signed(:'paid'));

-- Stripe reports this payment by another event as well. It names the same payment, and so is no second one.
SELECT format('{"id": "evt_2", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1",
    "amount_received": 500, "currency": "usd", "metadata": {"customer_id": "mia", "top_up_id": "%s"}}}}', :'bought')
    AS also_paid \gset
SELECT event_id, outcome, status FROM credits.webhook_receive('stripe', :'also_paid', pg_temp.signed(:'also_paid'));
SELECT available FROM credits.wallet_balance('mia', 'CREDIT');

-- A body that was changed, one that somebody else signed, and one that was signed too long ago: PC012, to which an
-- endpoint answers 400.
SELECT FROM credits.webhook_receive('stripe', replace(:'paid', 'evt_1', 'evt_3'), pg_temp.signed(:'paid'));
SELECT FROM credits.webhook_receive('stripe', :'paid', pg_temp.signed(:'paid', secret => 'a guess'));
SELECT pg_temp.signed(:'paid') AS old_signature \gset
SET credits.test_clock = '2026-05-18 09:11+00';
SELECT FROM credits.webhook_receive('stripe', :'paid', :'old_signature');

-- A purchase that cannot be found and whose id was made lately may not have committed yet: PC014, to which an endpoint
-- answers 503, so that the provider tries again. Nothing was claimed, so the retry is a first time.
BEGIN;
SELECT top_up_id AS unseen FROM credits.top_up_create('mia', :'small') \gset
ROLLBACK;
SELECT format('{"id": "evt_3", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_9",
    "amount_received": 500, "currency": "usd", "metadata": {"customer_id": "mia", "top_up_id": "%s"}}}}', :'unseen')
    AS early \gset
\set VERBOSITY sqlstate
SELECT FROM credits.webhook_receive('stripe', :'early', pg_temp.signed(:'early'));
\set VERBOSITY default

-- An event that means nothing here is recorded and answered, or the provider would send it for days.
SELECT '{"id": "evt_4", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}' AS other \gset
SELECT event_id, type, outcome, reason FROM credits.webhook_receive('stripe', :'other', pg_temp.signed(:'other'));

-- The payment that had succeeded is now reported as failed. That takes nothing away; it is recorded for a person to
-- look at. (The event has no metadata: by now the payment that it names is known.)
SELECT '{"id": "evt_5", "type": "payment_intent.payment_failed", "data": {"object": {"id": "pi_1",
    "last_payment_error": {"message": "card declined"}}}}' AS failed \gset
SELECT event_id, outcome, status FROM credits.webhook_receive('stripe', :'failed', pg_temp.signed(:'failed'));
SELECT available FROM credits.wallet_balance('mia', 'CREDIT');

-- 6. WITHOUT A STOP
--
-- Mia's account buys a pack whenever less than 50 are left. Once that is under way, a job may ask the gate to count
-- on it: may it begin, if the recharge comes?
SELECT enabled, threshold FROM credits.configure_auto_recharge('mia', threshold => 50, price_id => :'small',
                                                               payment_method => 'cus_1/pm_1');
SELECT debited, available FROM credits.wallet_debit('mia', 60, description => 'An album');
SELECT can_continue, reason, recharge_in_progress FROM credits.credit_availability('mia', 80);
SELECT can_continue, reason, recharge_in_progress FROM credits.credit_availability('mia', 80, max_recharges => 1);

-- A worker charges the card, with the top-up of the recharge in the metadata, and Stripe's event does the rest.
SET credits.test_clock = '2026-05-18 09:12+00';
SELECT recharge_id AS recharge, top_up_id AS recharged FROM credits.recharge_log WHERE customer_id = 'mia' \gset
SELECT go, minor_units, currency, payment_method FROM credits.recharge_begin('mia', :'recharge');
SELECT format('{"id": "evt_6", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_2",
    "amount_received": 500, "currency": "usd", "metadata": {"customer_id": "mia", "top_up_id": "%s"}}}}', :'recharged')
    AS recharged_paid \gset
SELECT event_id, outcome, status
FROM credits.webhook_receive('stripe', :'recharged_paid', pg_temp.signed(:'recharged_paid'));
SELECT can_continue, reason, available FROM credits.credit_availability('mia', 80);

-- 7. THREE LOGS
--
-- What providers sent: each event that was accepted, once, with its outcome. What was refused left no trace.
SELECT event_id, type, outcome, customer_id, received_at FROM credits.webhook_log ORDER BY received_at, event_id;

-- What was reported about payments, with what did not fit what was known:
SELECT type, provider_reference, amount, currency, contradiction, created_at
FROM credits.payment_log ORDER BY payment_id;

-- What auto-recharge did:
SELECT status, amount, price_currency, credits, requested_at, started_at, closed_at FROM credits.recharge_log;

-- And the page, as Mia sees it now:
SELECT purchase ->> 'status' AS status, purchase ->> 'amount' AS amount, purchase ->> 'currency' AS currency,
       purchase ->> 'credits' AS credits, purchase ->> 'paid_at' AS paid_at
FROM jsonb_array_elements(credits.billing_bootstrap('mia') -> 'purchases') AS purchase;
SELECT line ->> 'type' AS type, line ->> 'amount' AS amount, line ->> 'running_balance' AS balance,
       line ->> 'event_name' AS event_name, line ->> 'description' AS description
FROM jsonb_array_elements(credits.billing_bootstrap('mia') -> 'history') AS line;
SELECT * FROM credits.verify();
