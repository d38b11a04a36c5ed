-- What a webhook is trusted with: whose events count, what may be asked for again, and whatever JSON can hold.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
CREATE EXTENSION pgcrypto;
CREATE FUNCTION signed(secret text, message text, type text DEFAULT 'sha256') RETURNS text LANGUAGE sql AS $$
    SELECT encode(public.hmac(convert_to(message, 'UTF8'), convert_to(secret, 'UTF8'), type), 'hex')
$$;
CREATE FUNCTION stripe(payload text) RETURNS TABLE (event_id text, outcome text, reason text, customer_id text, status text)
LANGUAGE sql AS $$
    SELECT event_id, outcome, reason, customer_id, status FROM credits.webhook_receive('stripe', payload,
        format('t=1772366400,v1=%s', signed('whsec_of_the_test', '1772366400.' || payload)))
$$;
CREATE FUNCTION shop(payload text) RETURNS TABLE (event_id text, outcome text, reason text, customer_id text, status text)
LANGUAGE sql AS $$
    SELECT event_id, outcome, reason, customer_id, status
    FROM credits.webhook_receive('shop', payload, signed('secret of the shop', payload))
$$;
-- A paid session of a customer's new top-up, with whatever else is said beside it.
CREATE FUNCTION paid(event_id text, customer_id text, top_up_id text, beside text DEFAULT '', payment text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT format('{"id": "%s", "type": "checkout.session.completed"%s, "data": {"object": {"id": "cs_%s", "payment_intent": "pi_%s", '
                  '"payment_status": "paid", "amount_total": 2000, "currency": "usd", "metadata": {"customer_id": "%s", "top_up_id": "%s"}}}}',
                  event_id, beside, event_id, coalesce(payment, event_id), customer_id, top_up_id)
$$;
CREATE FUNCTION begun(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT top_up_id::text FROM credits.top_up_create(customer, (SELECT price_id
FROM credits.packages), provider => 'stripe')
$$;
SELECT * FROM credits.payment_provider_set('stripe', 'whsec_of_the_test');
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop');

-- Real money is expected, and no connected account's. What is another's grants nothing, whatever it names.
SELECT * FROM stripe(paid('evt_1', 'u1', begun('u1'), ', "livemode": false'));
SELECT * FROM stripe(paid('evt_2', 'u1', begun('u1'), ', "livemode": true, "account": "acct_1"'));
SELECT * FROM stripe(paid('evt_3', 'u1', begun('u1'), ', "livemode": true'));
SELECT * FROM stripe(paid('evt_4', 'u1', begun('u1'), ', "livemode": true, "account": null'));
SELECT livemode, account FROM credits.payment_provider_set('stripe', 'whsec_of_the_test', livemode => false, account => 'acct_1');
SELECT * FROM stripe(paid('evt_5', 'u1', begun('u1'), ', "livemode": false, "account": "acct_1"'));
SELECT * FROM stripe(paid('evt_6', 'u1', begun('u1'), ', "livemode": false, "account": "acct_2"'));
SELECT * FROM stripe(paid('evt_7', 'u1', begun('u1'), ', "livemode": false'));
SELECT * FROM stripe(paid('evt_8', 'u1', begun('u1'), ', "livemode": true, "account": "acct_1"'));
SELECT livemode, account FROM credits.payment_provider_set('stripe', 'whsec_of_the_test');
-- What says neither that it is real money nor that it is not is neither, whichever is expected.
SELECT v.n, s.outcome, s.reason FROM (VALUES (1, '"false"'), (2, '"true"'), (3, '0'), (4, '1'), (5, 'null'), (6, '{}'), (7, '[true]')) v (n, said),
    LATERAL stripe(paid('evt_said_' || v.n, 'u9', begun('u9'), ', "livemode": ' || v.said)) s ORDER BY v.n;
SELECT outcome, reason FROM shop('{"id": "said", "type": "payment.succeeded", "livemode": "false"}');
SELECT FROM credits.payment_provider_set('paystack', 'secret of the test');
SELECT outcome, reason FROM credits.webhook_receive('paystack', '{"event": "charge.success", "data": {"id": 1, "domain": null, "reference": "none", "amount": 2000, "currency": "USD"}}',
    signed('secret of the test', '{"event": "charge.success", "data": {"id": 1, "domain": null, "reference": "none", "amount": 2000, "currency": "USD"}}', 'sha512'));
SELECT FROM credits.payment_provider_set('stripe', 'whsec_of_the_test', livemode => false);
SELECT outcome, reason FROM stripe(paid('evt_said_8', 'u9', begun('u9'), ', "livemode": "true"'));
SELECT outcome, reason FROM stripe(paid('evt_unsaid', 'u9', begun('u9')));
SELECT FROM credits.payment_provider_set('stripe', 'whsec_of_the_test');
-- What was ignored by mistake is judged again when the provider is asked to send it again; then it is a repeat.
SELECT paid('evt_again', 'u6', begun('u6'), ', "livemode": false') AS again \gset
SELECT outcome, reason, replayed FROM credits.webhook_receive('stripe', :'again', format('t=1772366400,v1=%s', signed('whsec_of_the_test', '1772366400.' || :'again')));
SELECT outcome, reason, replayed FROM credits.webhook_receive('stripe', :'again', format('t=1772366400,v1=%s', signed('whsec_of_the_test', '1772366400.' || :'again')));
SELECT FROM credits.payment_provider_set('stripe', 'whsec_of_the_test', livemode => false);
SELECT outcome, reason, replayed FROM credits.webhook_receive('stripe', :'again', format('t=1772366400,v1=%s', signed('whsec_of_the_test', '1772366400.' || :'again')));
SELECT outcome, reason, replayed FROM credits.webhook_receive('stripe', :'again', format('t=1772366400,v1=%s', signed('whsec_of_the_test', '1772366400.' || :'again')));
SELECT available FROM credits.wallet_balance('u6', 'CREDIT');
SELECT FROM credits.payment_provider_set('stripe', 'whsec_of_the_test');
-- What is ignored stays so when its payment is known.
SELECT * FROM stripe('{"id": "evt_9", "type": "charge.refunded", "livemode": false, "data": {"object": {"payment_intent": "pi_evt_10", "amount_refunded": 2000, "currency": "usd"}}}');
SELECT * FROM stripe(paid('evt_10', 'u1', begun('u1'), ', "livemode": true'));
SELECT event_id, outcome, reason FROM credits.webhook_log WHERE event_id = 'evt_9';
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop', livemode => false);
SELECT * FROM shop('{"id": "1", "type": "payment.succeeded", "livemode": true}');
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop');
SELECT available FROM credits.wallet_balance('u1', 'CREDIT');

-- Only what may be a top-up whose transaction has not committed yet is asked for again.
CREATE FUNCTION v7(at timestamptz) RETURNS text LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7abc8abcdef012345678')::uuid::text
$$;
CREATE FUNCTION answer(payload text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT concat_ws(': ', outcome, reason) FROM stripe(payload));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT what, answer(paid('evt_' || what, customer, id)) FROM (VALUES
    ('just made', 'u2', v7(clock_timestamp())),
    ('made within the hour', 'u2', v7(clock_timestamp() - interval '59 minutes')),
    ('made by a clock that is ahead', 'u2', v7(clock_timestamp() + interval '4 minutes')),
    ('made earlier', 'u2', v7(clock_timestamp() - interval '61 minutes')),
    ('made in time to come', 'u2', v7(clock_timestamp() + interval '6 minutes')),
    ('made otherwise', 'u2', '6ba7b810-9dad-41d1-80b4-00c04fd430c8'),
    ('of nobody', '', v7(clock_timestamp())),
    ('nothing at all', 'u2', '00000000-0000-0000-0000-000000000000'),
    ('no id', 'u2', 'order 17'),
    ('another customer''s', 'u2', begun('u1'))) AS v (what, customer, id);
SELECT answer(format('{"id": "evt_ref", "type": "checkout.session.completed", "data": {"object": {"id": "cs_ref", "payment_status": "paid", "amount_total": 2000, "currency": "usd", "client_reference_id": "%s"}}}', gen_random_uuid()));
-- What was refused so left no claim.
SELECT count(*) FROM credits.webhook_log WHERE event_id = 'evt_just made';
-- An id that is none of ours stands in nobody's way: the payment is known.
SELECT * FROM stripe('{"id": "evt_11", "type": "charge.refunded", "data": {"object": {"payment_intent": "pi_evt_3", "amount_refunded": 2000, "currency": "usd", "metadata": {"top_up_id": "order 17"}}}}');

-- Whatever JSON can hold, a genuine event is taken, and kept as it came.
SELECT what, outcome, reason FROM (VALUES
    ('a key that serde_json has for itself', '{"$serde_json::private::Number": "x"}'),
    ('the same, deep', repeat('{"$serde_json::private::Number": ', 200) || '1' || repeat('}', 200)),
    ('the same in a key of another library', '{"$serde_json::private::RawValue": "{"}'),
    ('U+0000', '"\u0000"'), ('U+0000 in a key', '{"\u0000": 1}'),
    ('half a character', '["\ud83d", "\ude80", "\ud83d\ud83d"]'),
    ('deep', repeat('[', 200000) || repeat(']', 200000)),
    ('deep objects', repeat('{"a":', 100000) || '0' || repeat('}', 100000)),
    ('a key twice', '{"a": 1, "a": 2}'),
    ('huge numbers', '[1e999999999, -1e-999999999, ' || repeat('9', 100000) || ']')) AS v (what, json),
    LATERAL stripe(paid('evt_' || what, 'u3', begun('u3'), ', "livemode": true, "beside": ' || json));
SELECT available FROM credits.wallet_balance('u3', 'CREDIT');
SELECT count(*), count(*) FILTER (WHERE payload LIKE '%"beside": %') AS as_it_came
FROM credits_internal.webhook_events WHERE customer_id = 'u3';
-- What people wrote into the metadata is in the way of nothing either.
SELECT FROM credits.payment_provider_set('paystack', 'sk_live_of_the_test');
SELECT begun('u4') AS top_up_id \gset
SELECT format('{"event": "charge.success", "data": {"id": 1, "domain": "live", "reference": "r1", "amount": 2000, "currency": "USD", "metadata": {"note": "\u0000", "$serde_json::private::Number": [], "customer_id": "u4", "top_up_id": "%s"}}}', :'top_up_id') AS p \gset
SELECT outcome, status FROM credits.webhook_receive('paystack', :'p', signed('sk_live_of_the_test', :'p', 'sha512'));
SELECT '{"event": "charge.success", "data": {"id": 2, "domain": "test", "reference": "r2", "amount": 2000, "currency": "USD"}}' AS p \gset
SELECT outcome, reason FROM credits.webhook_receive('paystack', :'p', signed('sk_live_of_the_test', :'p', 'sha512'));
-- Text that a person reads later, with U+0000 in it.
SELECT begun('u5') AS top_up_id \gset
SELECT * FROM shop(format('{"id": "2", "type": "payment.failed", "customer_id": "u5", "top_up_id": "%s", "reason": "a\u0000b"}', :'top_up_id'));
-- Too much is refused before anything of it is looked at.
SELECT credits.webhook_receive('stripe', repeat(' ', 1024 * 1024 + 1), '');
SELECT answer(paid('evt_long', 'u3', begun('u3'), ', "beside": "' || repeat('x', 1000000) || '"'));

-- Secrets: not short, and the older one not for ever.
SELECT credits.payment_provider_set('shop', 'only 15 letters');
SELECT credits.payment_provider_set('shop', 'secret of the shop', previous_secret => 'short');
SELECT credits.payment_provider_set('shop', 'secret of the shop', previous_secret_expires_at => '2026-04-01 00:00+00');
SELECT credits.payment_provider_set('shop', 'secret of the shop', previous_secret => 'the older of the two', previous_secret_expires_at => '2026-03-01 12:00+00');
SELECT credits.payment_provider_set('shop', 'secret of the shop', previous_secret => 'the older of the two', previous_secret_expires_at => 'infinity');
SELECT has_previous_secret, previous_secret_expires_at
FROM credits.payment_provider_set('shop', 'the newer of the two', previous_secret => 'secret of the shop');
SELECT outcome FROM shop('{"id": "3", "type": "nothing"}');
SET credits.test_clock = '2026-03-08 11:59:59+00';
SELECT outcome FROM shop('{"id": "4", "type": "nothing"}');
SET credits.test_clock = '2026-03-08 12:00+00';
SELECT outcome FROM shop('{"id": "5", "type": "nothing"}');
SELECT previous_secret_expires_at FROM credits.payment_provider_set('shop', 'the newer of the two', previous_secret => 'secret of the shop', previous_secret_expires_at => '2026-03-09 00:00+00');
SELECT outcome FROM shop('{"id": "6", "type": "nothing"}');
SELECT * FROM credits.verify();
