-- Webhooks: signed, claimed once, applied; and the signed links to billing pages. Signatures against the providers' own
-- libraries: tests/payments.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
-- HMAC-SHA256. Source: RFC 2104.
CREATE FUNCTION hmac(secret text, message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH k AS (SELECT convert_to(rpad(secret, 64, chr(1)), 'UTF8') AS padded, length(secret) AS n),
         b AS (SELECT i, CASE WHEN i < k.n THEN get_byte(k.padded, i) ELSE 0 END AS byte
FROM k, generate_series(0, 63) AS i)
    SELECT encode(sha256((SELECT string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY i) FROM b)
                  || sha256((SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY i) FROM b)
                            || convert_to(message, 'UTF8'))), 'hex')
$$;
SELECT hmac('Jefe', 'what do ya want for nothing?');
CREATE FUNCTION stripe(payload text, at timestamptz DEFAULT '2026-03-01 12:00+00', secret text DEFAULT 'whsec_of_the_test') RETURNS text
LANGUAGE sql AS $$ SELECT format('t=%s,v1=%s', n, hmac(secret, n || '.' || payload)) FROM (SELECT extract(epoch FROM at)::bigint AS n) x $$;
CREATE FUNCTION send(payload text) RETURNS TABLE (event_id text, type text, outcome text, customer_id text, status text, replayed boolean)
LANGUAGE sql AS $$ SELECT event_id, type, outcome, customer_id, status, replayed FROM credits.webhook_receive('stripe', payload, stripe(payload)) $$;

SELECT credits.webhook_receive('stripe', '{}', 't=1,v1=00');
SELECT * FROM credits.payment_provider_set('stripe', 'whsec_of_the_test', 'https://pay.example/{top_up_id}');
SELECT * FROM credits.payment_provider_set('shop', 'secret of the shop', previous_secret => 'the older of the two', tolerance => 60);

SELECT top_up_id FROM credits.top_up_create('u1', :'price_id', provider => 'stripe') \gset
SELECT format('{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 2000, "currency": "usd", "client_reference_id": "%s", "metadata": {"customer_id": "u1"}}}}', :'top_up_id') AS paid \gset
SELECT * FROM send(:'paid');
SELECT * FROM send(:'paid');
SELECT available FROM credits.wallet_balance('u1', 'CREDIT');
-- The same payment under another event; a refund that names nothing but the payment; a dispute.
SELECT * FROM send('{"id": "evt_2", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", "amount_received": 2000, "currency": "usd"}}}');
SELECT * FROM send('{"id": "evt_3", "type": "payment_intent.payment_failed", "data": {"object": {"id": "pi_1"}}}');
SELECT * FROM send('{"id": "evt_4", "type": "charge.refunded", "data": {"object": {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 500, "currency": "usd"}}}');
SELECT * FROM send('{"id": "evt_5", "type": "refund.updated", "data": {"object": {"id": "re_1", "payment_intent": "pi_1", "amount": 500, "currency": "usd", "status": "succeeded"}}}');
SELECT * FROM send('{"id": "evt_6", "type": "charge.dispute.created", "data": {"object": {"id": "dp_1", "payment_intent": "pi_1", "amount": 1000, "currency": "usd", "status": "needs_response"}}}');
SELECT available FROM credits.wallet_balance('u1', 'CREDIT');
SELECT * FROM send('{"id": "evt_7", "type": "charge.dispute.closed", "data": {"object": {"id": "dp_1", "payment_intent": "pi_1", "status": "won"}}}');
SELECT available FROM credits.wallet_balance('u1', 'CREDIT');
-- What means nothing here is kept and answered; what is about another's payment too.
SELECT * FROM send('{"id": "evt_8", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}');
SELECT * FROM send('{"id": "evt_9", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_other", "amount_received": 1, "currency": "usd"}}}');
-- Another currency is not the money that was due.
SELECT top_up_id FROM credits.top_up_create('u2', :'price_id', provider => 'stripe') \gset
SELECT * FROM send(format('{"id": "evt_10", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_2", "amount_received": 2000, "currency": "eur", "metadata": {"customer_id": "u2", "top_up_id": "%s"}}}}', :'top_up_id'));
-- A dispute of a payment that nobody knows yet waits for it.
SELECT * FROM send('{"id": "evt_11", "type": "charge.dispute.created", "data": {"object": {"id": "dp_2", "payment_intent": "pi_3", "amount": 2000, "currency": "usd"}}}');
SELECT * FROM send(format('{"id": "evt_12", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_3", "amount_received": 2000, "currency": "usd", "metadata": {"customer_id": "u2", "top_up_id": "%s"}}}}', :'top_up_id'));
SELECT available FROM credits.wallet_balance('u2', 'CREDIT');
-- Signatures.
SELECT credits.webhook_receive('stripe', '{}', stripe('{} '));
SELECT credits.webhook_receive('stripe', '{}', stripe('{}', secret => 'another secret of it'));
SELECT credits.webhook_receive('stripe', '{}', stripe('{}', '2026-03-01 11:54:59+00'));
SELECT credits.webhook_receive('stripe', '{}', '');
SELECT credits.webhook_receive('stripe', '{}', NULL);
SELECT credits.webhook_receive('stripe', '{}', repeat('t=1,', 2000));
-- Of one's own: plain HMAC-SHA256, also with the older secret.
SELECT top_up_id FROM credits.top_up_create('u3', :'price_id', provider => 'shop') \gset
SELECT format('{"id": "1", "type": "payment.succeeded", "customer_id": "u3", "top_up_id": "%s", "reference": "p1", "amount": "20.00", "currency": "USD"}', :'top_up_id') AS own \gset
SELECT outcome, status FROM credits.webhook_receive('shop', :'own', 'sha256=' || hmac('the older of the two', :'own'));
SELECT outcome, status, replayed FROM credits.webhook_receive('shop', :'own', hmac('secret of the shop', :'own'));
SELECT credits.webhook_receive('shop', :'own', hmac('the oldest of all', :'own'));
SELECT type, outcome FROM credits.webhook_receive('shop', '{"id": "2", "type": "payment.thanks"}', hmac('secret of the shop', '{"id": "2", "type": "payment.thanks"}'));
-- What is signed and no event.
SELECT credits.webhook_receive('shop', p, hmac('secret of the shop', p)) FROM (VALUES ('')) v (p);
SELECT credits.webhook_receive('shop', p, hmac('secret of the shop', p)) FROM (VALUES ('[1]')) v (p);
SELECT credits.webhook_receive('shop', p, hmac('secret of the shop', p)) FROM (VALUES ('{"id": "3"}')) v (p);
SELECT credits.webhook_receive('nobody', '{}', '');
SELECT credits.webhook_receive(NULL, '{}', '');
SELECT credits.webhook_receive('shop', NULL, '');
SELECT credits.payment_provider_set('', 'x');
SELECT credits.payment_provider_set('x', NULL);
SELECT credits.payment_provider_set('x', 'a secret of the x', tolerance => 0);
SELECT event_id, type, outcome, customer_id FROM credits.webhook_log ORDER BY provider DESC, length(event_id), event_id;
SELECT customer_id, type, provider, provider_reference, amount, contradiction FROM credits.payment_log ORDER BY payment_id;

-- Links to billing pages.
SET credits.portal_url = 'https://app.example/billing?lang=en';
SELECT token, url = 'https://app.example/billing?lang=en&token=' || token AS url, expires_at
FROM credits.billing_portal_session_create('u1', 'https://app.example/back', 'https://app.example/sorry') \gset
SELECT :'url' AS url, :'expires_at' AS expires_at;
SELECT * FROM credits.billing_portal_session_verify(:'token');
RESET credits.portal_url;
SELECT url FROM credits.billing_portal_session_create('u1');
SELECT credits.billing_portal_session_verify('x' || :'token');
SELECT credits.billing_portal_session_verify(replace(:'token', '.', '.A'));
SELECT credits.billing_portal_session_verify('');
SELECT credits.billing_portal_session_verify('.');
SELECT credits.billing_portal_session_verify(NULL);
SET credits.test_clock = '2026-03-01 12:10+00';
SELECT credits.billing_portal_session_verify(:'token');
SELECT credits.billing_portal_session_create('nobody');

-- All that a billing page draws.
SELECT jsonb_pretty(b #- '{packages,0,price_id}' #- '{packages,0,product_id}' #- '{availablePackages,0,id}'
    #- '{purchases,0,top_up_id}' #- '{purchases,0,price_id}') FROM credits.billing_bootstrap('u3') b;
SELECT credits.billing_bootstrap(NULL);
-- What providers sent may name the person.
SELECT customer_id FROM credits.customer_erase('u1');
SELECT count(*), count(payload) AS kept FROM credits_internal.webhook_events WHERE customer_id = 'u1';
SELECT * FROM credits.verify();
