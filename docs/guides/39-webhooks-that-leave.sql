-- WEBHOOKS THAT LEAVE
--
-- A shop's accounting wants to hear of every invoice that is paid. Its programmers give an address. Here are the
-- endpoint, an event, what is sent, how they check that it is genuine, an answer that fails, another secret, and the
-- end of an endpoint that nobody answers for. examples/webhook_sender.py does what this guide does by hand.
-- docs/reference/webhook_endpoints.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-09-01 09:00+00';

-- 1. AN ENDPOINT
--
-- The secret is in this answer, and in no other: it goes to whoever has to check signatures. Names of events that are
-- known to billing SDKs are accepted; what is never sent is in never_sent.
SELECT webhook_endpoint_id AS endpoint, secret, never_sent
FROM credits.webhook_endpoint_create('https://hooks.accounting.example/credits',
    '{invoice.paid,invoice.voided,plan.created}', 'Accounting', idempotency_key => 'accounting') \gset
SELECT :'secret' LIKE 'whsec_%' AS has_secret, :'never_sent' AS never_sent;
SELECT url, enabled_events, status, failing_since, undelivered FROM credits.webhook_endpoints;
-- Addresses that are not of the internet, and names that nobody has, are refused.
SELECT FROM credits.webhook_endpoint_create('https://192.168.0.7/', '{*}');
SELECT FROM credits.webhook_endpoint_create('https://hooks.accounting.example/', '{invoice.payed}');

-- 2. SOMETHING HAPPENS
--
-- Whoever pays the invoice writes its events, and nothing more: who is to be sent what is worked out by the sender.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.customer_upsert('ann', 'Ann');
SELECT invoice_id AS invoice FROM credits.invoice_create('ann', '[{"description": "Set-up", "amount": 100}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_pay('ann', :'invoice', 'outside', reference => 'transfer 1');

-- 3. IT IS SENT
--
-- A sender claims what is due, posts the body to the url with the headers, and reports what was answered. Of all the
-- invoice's events this endpoint asked for one.
SELECT attempt_id AS attempt, url, headers->>'Credits-Signature' AS signature, body
FROM credits.webhook_claim('sender 1') \gset
\echo :url
SELECT b->>'type' AS type, b->>'object_type' AS object_type, b->'data'->'object'->>'total' AS total,
       b->>'created_at' AS created_at
FROM (SELECT :'body'::jsonb AS b) x;

-- 4. IS IT GENUINE?
--
-- The signature is Stripe's scheme: t=time,v1=HMAC-SHA256 of 'time.body' with the secret. Programs have a function for
-- that; here it is by hand, of a key that is longer than a block.
CREATE FUNCTION pg_temp.hmac_sha256(key text, message text) RETURNS text
BEGIN ATOMIC
    WITH padded AS (SELECT sha256(convert_to($1, 'UTF8')) || decode(repeat('00', 32), 'hex') AS key),
    mixed AS (
        SELECT (SELECT string_agg(decode(lpad(to_hex(get_byte(p.key, i) # 54), 2, '0'), 'hex'), '' ORDER BY i)
                FROM generate_series(0, 63) i) AS inner_key,
               (SELECT string_agg(decode(lpad(to_hex(get_byte(p.key, i) # 92), 2, '0'), 'hex'), '' ORDER BY i)
                FROM generate_series(0, 63) i) AS outer_key
        FROM padded p)
    SELECT encode(sha256(m.outer_key || sha256(m.inner_key || convert_to($2, 'UTF8'))), 'hex') FROM mixed m;
END;
SELECT pg_temp.hmac_sha256(:'secret', substring(:'signature', 't=(\d+)') || '.' || :'body')
     = substring(:'signature', 'v1=([0-9a-f]+)') AS genuine;

-- 5. IT IS NOT TAKEN
--
-- Accounting's server is being restarted. The event is sent again after a minute, then after 5 and 30 minutes, 2 and 8
-- hours, and daily; later events of the same invoice wait for it, those of other invoices do not.
SELECT status, delivery_status, next_attempt_at FROM credits.webhook_report(:'attempt', 503, 'restarting');
SELECT count(*) AS to_send FROM credits.webhook_claim('sender 1');
SET credits.test_clock = '2026-09-01 09:01+00';
SELECT attempt_id AS attempt, attempt_no FROM credits.webhook_claim('sender 2') \gset
SELECT status, delivery_status FROM credits.webhook_report(:'attempt', 200, 'thanks');
SELECT type, attempt_no, worker, status, response_status, response_body FROM credits.webhook_attempts
ORDER BY attempt_id;

-- 6. AGAIN, AND A TEST
--
-- Somebody deleted the wrong row over there. Any event that is kept can be sent again, and a test at any time.
SELECT credits.webhook_resend(event_id) AS endpoints FROM credits.billing_events WHERE type = 'invoice.paid';
SELECT credits.webhook_test(:'endpoint') IS NOT NULL AS asked;
SELECT body::jsonb->>'type' AS type, status
FROM credits.webhook_claim('sender 1') c CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, 204) r ORDER BY type;

-- 7. ANOTHER SECRET
--
-- For two days both sign, so that accounting can change theirs when it suits them.
SELECT secret <> :'secret' AS is_new, previous_secret_expires_at
FROM credits.webhook_endpoint_update(:'endpoint', new_secret => true, overlap => '2 days');
SELECT credits.webhook_test(:'endpoint') IS NOT NULL AS asked;
SELECT regexp_count(headers->>'Credits-Signature', 'v1=') AS signatures, status
FROM credits.webhook_claim('sender 1') c CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, 204) r;

-- 8. NOBODY ANSWERS ANY MORE
--
-- Accounting has moved. After three days without any success the endpoint is disabled, and an event says so, for other
-- endpoints and for whoever reads events.
SELECT invoice_id AS invoice FROM credits.invoice_create('ann', '[{"description": "More", "amount": 5}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_pay('ann', :'invoice', 'outside', reference => 'transfer 2');
SELECT r.delivery_status, r.next_attempt_at FROM credits.webhook_claim('sender 1') c
CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, NULL, 'no such host') r;
SET credits.test_clock = '2026-09-04 09:02+00';
SELECT r.delivery_status, r.endpoint_disabled FROM credits.webhook_claim('sender 1') c
CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, NULL, 'no such host') r;
SELECT status, disabled_reason, failing_since FROM credits.webhook_endpoints;
SELECT type, data->'object'->>'url' AS url FROM credits.billing_events WHERE object_type = 'webhook_endpoint'
ORDER BY event_id DESC LIMIT 1;
-- With another address it begins anew.
SELECT url, status
FROM credits.webhook_endpoint_update(:'endpoint', 'https://ledger.example/credits', status => 'enabled');
SELECT * FROM credits.verify();
