-- Whose a payment, a refund or a dispute is: each kind has names of its own, and what is told in another currency claims none.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_create('EUR', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT price_id AS packet FROM credits.package_create('Packet', 100, 10, 'EUR') \gset
CREATE FUNCTION begun(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.top_up_create(customer, price)
$$;

-- A provider that counts payments, refunds and disputes each from 1.
SELECT begun('ann', :'pack') AS ann, begun('bob', :'pack') AS bob, begun('cyd', :'pack') AS cyd \gset
SELECT available, contradiction FROM credits.payment_succeeded('ann', :'ann', 'shop', '16', 10);
SELECT taken, contradiction FROM credits.payment_refunded('ann', :'ann', 'shop', '17', 4, payment_reference => '16');
SELECT available, contradiction FROM credits.payment_succeeded('bob', :'bob', 'shop', '17', 10);
SELECT available, contradiction FROM credits.payment_succeeded('cyd', :'cyd', 'shop', '18', 10);
SELECT taken, contradiction FROM credits.payment_disputed('cyd', :'cyd', 'shop', '17', 5, payment_reference => '18');
SELECT taken, contradiction FROM credits.payment_refunded('bob', :'bob', 'shop', '18', 3, payment_reference => '17');
-- Whose top-up a contradiction names, in place of its id, which is another in each run.
CREATE FUNCTION plain(said text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT replace(said, p.top_up_id::text, p.customer_id || '''s') FROM credits.top_ups p
                     WHERE position(p.top_up_id::text IN said) > 0), said)
$$;
-- Of one kind one name is still one thing.
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_refunded('bob', :'bob', 'shop', '17', 4, payment_reference => '17');
SELECT taken, plain(contradiction) AS contradiction FROM credits.payment_disputed('bob', :'bob', 'shop', '17', 4);
SELECT taken, plain(contradiction) AS contradiction FROM credits.payment_refund_failed('bob', :'bob', 'shop', '17');
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_dispute_closed('bob', :'bob', 'shop', '17', true);
SELECT taken, plain(contradiction) AS contradiction FROM credits.payment_refund_failed('ann', :'ann', 'shop', '17');
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_dispute_closed('cyd', :'cyd', 'shop', '17', true);
-- An event that names a payment finds that, and no refund of the same name.
SELECT FROM credits.payment_provider_set('shop', 'a secret of the shop');
-- HMAC-SHA256. Source: RFC 2104.
CREATE FUNCTION hmac(secret text, message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH k AS (SELECT convert_to(rpad(secret, 64, chr(1)), 'UTF8') AS padded, length(secret) AS n),
         b AS (SELECT i, CASE WHEN i < k.n THEN get_byte(k.padded, i) ELSE 0 END AS byte FROM k, generate_series(0, 63) AS i)
    SELECT encode(sha256((SELECT string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY i) FROM b)
                  || sha256((SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY i) FROM b)
                            || convert_to(message, 'UTF8'))), 'hex')
$$;
SELECT '{"id": "e1", "type": "payment.refunded", "payment": "17", "reference": "19", "amount": "1.00", "currency": "USD"}' AS event \gset
SELECT customer_id, outcome FROM credits.webhook_receive('shop', :'event', hmac('a secret of the shop', :'event'));
SELECT customer_id, kind, reference FROM credits_internal.payment_references ORDER BY kind, reference;

-- Told of the wrong purchase, in another currency than that one's: the one that it paid is paid by it all the same.
SELECT begun('dan', :'pack') AS dan, begun('eve', :'packet') AS eve \gset
SELECT status, contradiction FROM credits.payment_succeeded('dan', :'dan', 'bank', 'p', 10, currency => 'EUR');
SELECT status, available, contradiction FROM credits.payment_succeeded('eve', :'eve', 'bank', 'p', 10, currency => 'EUR');
SELECT status, contradiction FROM credits.payment_succeeded('dan', :'dan', 'bank', 'p', 10, currency => 'USD');
SELECT contradiction FROM credits.payment_refunded('dan', :'dan', 'bank', 'r', 2, currency => 'EUR');
SELECT taken, contradiction FROM credits.payment_refunded('eve', :'eve', 'bank', 'r', 2, payment_reference => 'p', currency => 'EUR');
SELECT contradiction FROM credits.payment_disputed('dan', :'dan', 'bank', 'd', 3, currency => 'EUR');
SELECT taken, contradiction FROM credits.payment_disputed('eve', :'eve', 'bank', 'd', 3, payment_reference => 'p', currency => 'EUR');
SELECT * FROM credits.verify();
