-- Forgetting a person: what payment providers said of one, in their own words, before and after.
SET credits.test_clock = '2026-03-01 12:00+00';
CREATE EXTENSION pgcrypto;
CREATE FUNCTION shop(payload text) RETURNS TABLE (outcome text, reason text, customer_id text) LANGUAGE sql AS $$
    SELECT outcome, reason, customer_id
    FROM credits.webhook_receive('shop', payload, encode(public.hmac(payload, 'secret of the shop', 'sha256'), 'hex'))
$$;
-- The tables that have a text somewhere in a row.
CREATE FUNCTION who_has(wanted text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT relname FROM pg_class WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND relkind = 'r' ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM %I.%I t WHERE strpos(t::text, $1) > 0',
                       CASE relation WHEN 'inbox' THEN 'credits' ELSE 'credits_internal' END, relation) INTO rows USING wanted;
        IF rows > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop');
SELECT FROM credits.customer_upsert('ann', 'Ann');

-- Why a payment failed: of a purchase, and of a recharge.
SELECT top_up_id FROM credits.top_up_create('ann', :'price_id') \gset
SELECT status FROM credits.payment_failed('ann', :'top_up_id', 'shop', 'p1', 'Visa 4242 of PERSON declined');
SELECT FROM credits.configure_auto_recharge('ann', threshold => 10, price_id => :'price_id');
SELECT top_up_id AS recharge FROM credits.recharge_log WHERE customer_id = 'ann' \gset
SELECT outcome FROM shop(format('{"id": "failed", "type": "payment.failed", "customer_id": "ann", "top_up_id": "%s", "reference": "p2", "reason": "Visa 4242 of PERSON declined"}', :'recharge'));
-- What was ignored: it names the customer, or only a purchase or a payment of theirs, for whichever reason it was.
SELECT * FROM shop('{"id": "named", "type": "payer.seen", "customer_id": "ann", "payer": "PERSON"}');
SELECT * FROM shop('{"id": "test", "type": "payment.succeeded", "livemode": false, "customer_id": "ann", "payer": "PERSON"}');
SELECT * FROM shop('{"id": "unknown", "type": "payment.succeeded", "customer_id": "ann", "reference": "p3", "payer": "PERSON"}');
SELECT * FROM shop(format('{"id": "purchase", "type": "payer.seen", "top_up_id": "%s", "payer": "PERSON"}', :'top_up_id'));
SELECT status FROM credits.payment_succeeded('ann', :'top_up_id', 'shop', 'p4');
SELECT * FROM shop('{"id": "payment", "type": "payer.seen", "reference": "p4", "payer": "PERSON"}');
SELECT * FROM shop('{"id": "another", "type": "payer.seen", "customer_id": "bob", "payer": "PERSON too"}');
SELECT * FROM shop('{"id": "nobody", "type": "payer.seen", "payer": "PERSON too"}');
SELECT event_id, outcome, reason, customer_id, top_up_id IS NOT NULL AS of_a_top_up FROM credits.webhook_log ORDER BY 1;
SELECT * FROM who_has('PERSON');
-- Not while a payment is on its way, a purchase's, one that is to be confirmed or a recharge's: nothing is cleared.
\set VERBOSITY sqlstate
SELECT top_up_id AS under_way FROM credits.top_up_create('ann', :'price_id') \gset
SELECT status FROM credits.payment_processing('ann', :'under_way', 'shop', 'p6');
SELECT FROM credits.customer_erase('ann');
SELECT status FROM credits.payment_failed('ann', :'under_way', 'shop', 'p6');
SELECT status FROM credits.payment_requires_action('ann', :'under_way', 'https://shop.example/confirm', 'shop', 'p7');
SELECT FROM credits.customer_erase('ann');
SELECT status FROM credits.payment_failed('ann', :'under_way', 'shop', 'p7');
SELECT FROM credits.customer_upsert('bob');
SELECT FROM credits.configure_auto_recharge('bob', threshold => 10, price_id => :'price_id');
SELECT recharge_id AS bobs FROM credits.recharge_log WHERE customer_id = 'bob' \gset
SELECT go FROM credits.recharge_begin('bob', :'bobs');
SELECT FROM credits.customer_erase('bob');
\set VERBOSITY default
SELECT name FROM credits.customers WHERE customer_id = 'ann';
SELECT FROM credits.customer_erase('ann');
SELECT * FROM who_has('PERSON');
SELECT event_id FROM credits_internal.webhook_events WHERE payload IS NOT NULL ORDER BY 1;
SELECT status, reason FROM credits.recharge_log WHERE customer_id = 'ann';
SELECT type, payload - 'recharge_id' - 'top_up_id' AS payload FROM credits.outbox_rows WHERE customer_id = 'ann'
AND type LIKE '%failed' ORDER BY outbox_no;

-- What comes later.
SELECT * FROM shop('{"id": "named 2", "type": "payer.seen", "customer_id": "ann", "payer": "PERSON"}');
SELECT * FROM shop('{"id": "named", "type": "payer.seen", "customer_id": "ann", "payer": "PERSON"}');
SELECT * FROM shop('{"id": "payment 2", "type": "payer.seen", "reference": "p4", "payer": "PERSON"}');
SELECT top_up_id FROM credits.top_up_create('ann', :'price_id') \gset
SELECT status FROM credits.payment_failed('ann', :'top_up_id', 'shop', 'p5', 'Visa 4242 of PERSON declined');
SELECT * FROM who_has('PERSON');
SELECT * FROM credits.verify();
