-- Forgetting a person: wherever something of one was written, and whatever is kept.
SET credits.test_clock = '2026-03-01 12:00+00';
CREATE EXTENSION pgcrypto;
CREATE FUNCTION shop(payload text) RETURNS TABLE (outcome text, reason text) LANGUAGE sql AS $$
    SELECT outcome, reason
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
CREATE FUNCTION money() RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(l::text, E'\n' ORDER BY l.customer_id, l.currency, l.line_no))
    FROM (SELECT customer_id, currency, line_no, type, amount, running_balance, held, pending, identifier, quantity, effective_at
          FROM credits.ledger) l
$$;
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop', 'https://pay.example/{customer_id}?to={return_url}');
SELECT FROM credits.meter_create('llm', pricing => '{"by": "model", "prices": {"large": {"unit_price": 10}, "7": {"unit_price": 7}}, "default": {"unit_price": 1}}');
SELECT FROM credits.meter_create('llm.best', aggregation => 'max', pricing => '{"by": "model", "prices": {"large": {"unit_price": 10}}, "default": {"unit_price": 1}}');
SELECT FROM credits.meter_create('later', settlement => 'deferred');

-- PERSON stands wherever somebody may have written who it is.
SELECT FROM credits.customer_upsert('ann', 'PERSON', 'PERSON@example.com', '{"a": "PERSON"}', 'phone of PERSON',
    'PERSON calls often', '{"line1": "house of PERSON"}', '{"name": "PERSON"}', preferences => '{"call me": "PERSON"}');
SELECT FROM credits.payment_method_attach('ann', 'shop', 'cus_PERSON', 'card of PERSON',
    name => 'PERSON''s', metadata => '{"a": "PERSON"}');
SELECT payment_method_id FROM credits.payment_method_attach('ann', 'shop', 'cus_PERSON', 'other of PERSON') \gset
SELECT status FROM credits.payment_method_detach('ann', :'payment_method_id');
SELECT FROM credits.credit_grant('ann', 500, name => 'Gift', metadata => '{"for": "PERSON"}');
SELECT grant_id FROM credits.credit_grant('ann', 5, name => 'Mistake') \gset
SELECT FROM credits.credit_grant_void('ann', :'grant_id', 'PERSON asked');
SELECT FROM credits.wallet_debit('ann', 5, idempotency_key => 'd1', description => 'of PERSON', metadata => '{"a": "PERSON"}');
SELECT hold_id FROM credits.hold_create('ann', 10, description => 'of PERSON', metadata => '{"a": "PERSON"}') \gset
SELECT FROM credits.hold_capture('ann', :'hold_id', 4, description => 'by PERSON', metadata => '{"a": "PERSON"}');
SELECT FROM credits.hold_create('ann', 10, description => 'of PERSON');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm', 2, 'e1', source_data => '{"ip": "PERSON"}', metadata => '{"model": "large", "user": "PERSON"}');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm', 2, 'e2', metadata => '{"model": 7, "user": "PERSON"}');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm', 2, 'e3', metadata => '{"model": "PERSON", "user": "PERSON"}');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm', 2, 'e4', metadata => '{"model": ["large", "PERSON"]}');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm.best', 3, 'e5', metadata => '{"model": "large", "user": "PERSON"}');
SELECT status, consumed FROM credits.report_meter_event('ann', 'llm.best', 4, 'e6', metadata => '{"user": "PERSON"}');
SELECT status FROM credits.report_meter_event('ann', 'later', 4, 'e7', metadata => '{"user": "PERSON"}', source_data => '"PERSON"');
SELECT status FROM credits.meter_event_cancel('ann', 'e4', 'said PERSON');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, source_data, metadata)
VALUES ('ann', 'none', 1, 'i1', '2026-03-01 12:00+00', '"PERSON"', '{"user": "PERSON"}');
SELECT credits.settle();
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, source_data, metadata)
VALUES ('ann', 'llm', 1, 'i2', '2026-03-01 12:00+00', '"PERSON"', '{"model": "large", "user": "PERSON"}');
SELECT top_up_id FROM credits.top_up_create('ann', :'price_id', return_url => 'https://app.example/?who=PERSON', failure_url => 'https://app.example/?who=PERSON', description => 'of PERSON', metadata => '{"a": "PERSON"}') \gset
SELECT * FROM shop(format('{"id": "1", "type": "payment.succeeded", "customer_id": "ann", "top_up_id": "%s", "reference": "p1", "payer": "PERSON"}', :'top_up_id'));
SELECT * FROM shop('{"id": "2", "type": "payment.seen", "reference": "p1", "payer": "PERSON"}');
SELECT top_up_id FROM credits.top_up_create('ann', amount => 5, currency => 'USD', credit_currency => 'CREDIT', rate => 0.1, description => 'for PERSON') \gset
SELECT status FROM credits.payment_succeeded('ann', :'top_up_id');
SELECT FROM credits.configure_auto_recharge('ann', threshold => 10000, price_id => :'price_id', payment_method => 'card of PERSON');
-- A plan, which is over.
SELECT FROM credits.price_create((credits.product_create('Plan')).product_id, 'recurring', 0, 'USD',
    lookup_key => 'plan', recurring => '{"interval": "month"}', credit_config => '{"amount": 3, "currency": "USD"}');
SELECT subscription_id AS plan FROM credits.subscription_create('ann',
    '[{"lookup_key": "plan", "metadata": {"seat of": "PERSON"}}]', description => 'for PERSON',
    metadata => '{"a": "PERSON"}') \gset
SELECT status FROM credits.subscription_cancel('ann', :'plan', 'now', reason => 'PERSON left', feedback => 'PERSON',
    comment => 'Bye, PERSON');
-- Of others, which stays.
SELECT FROM credits.customer_upsert('bob', 'PERSON too');
SELECT * FROM shop('{"id": "3", "type": "payment.seen", "reference": "p2", "payer": "PERSON too"}');
SELECT * FROM who_has('PERSON');

SELECT customer_id, erased_at IS NOT NULL AS erased FROM credits.customer_erase('ann');
SELECT * FROM who_has('PERSON');
SELECT enabled, payment_method, disabled_reason, recharge_in_progress FROM credits.auto_recharge_config('ann');
SELECT status, reason FROM credits.recharge_log WHERE customer_id = 'ann';
SELECT type, payload - 'recharge_id' - 'top_up_id' - 'grant_id' AS payload FROM credits.outbox_rows
WHERE customer_id = 'ann' AND type LIKE 'recharge.%' ORDER BY outbox_no;
-- Again: nothing happens, and what came since is cleared.
SELECT a.erased_at = b.erased_at AS same FROM credits_internal.customers a, credits.customer_erase('ann') b
WHERE a.customer_id = 'ann';
SELECT count(*) FROM credits.outbox_rows WHERE customer_id = 'ann' AND type = 'recharge.disabled';
SELECT * FROM shop('{"id": "4", "type": "payment.refunded", "payment": "p1", "reference": "r1", "amount": 1, "payer": "PERSON"}');
SELECT type, outcome, payload IS NULL AS forgotten FROM credits_internal.webhook_events ORDER BY event_id;
-- It asks for no recharge any more.
SELECT FROM credits.wallet_debit('ann', 5);
SELECT count(*) FROM credits.recharge_log WHERE customer_id = 'ann' AND status = 'requested';

-- Of the ledger nothing is touched.
SELECT money() AS before \gset
SELECT * FROM credits.customer_metadata_clear('ann');
SELECT money() = :'before' AS same;
SELECT * FROM who_has('PERSON');
SELECT identifier, source_data, metadata FROM credits.usage WHERE customer_id = 'ann' ORDER BY identifier;
SELECT name FROM credits.grants WHERE customer_id = 'ann' ORDER BY amount;
-- Once what waited is settled, the rest goes; then there is nothing left.
SELECT credits.settle();
SELECT consumed FROM credits.usage WHERE customer_id = 'ann' AND identifier = 'i2';
SELECT * FROM credits.customer_metadata_clear('ann');
SELECT * FROM who_has('PERSON');
SELECT * FROM credits.customer_metadata_clear('ann');
-- Repeats are known, and corrections cost what they would have.
SELECT replayed FROM credits.wallet_debit('ann', 5, idempotency_key => 'd1');
SELECT replayed, consumed FROM credits.report_meter_event('ann', 'llm', 2, 'e1', metadata => '{"model": "large"}');
SELECT v.identifier, c.returned FROM (VALUES (1, 'e1'), (2, 'e2'), (3, 'e3'), (4, 'e6')) v (n, identifier),
LATERAL credits.meter_event_cancel('ann', v.identifier) c ORDER BY n;
SELECT * FROM credits.verify();

-- What was ignored is kept for a while; what changed something stays.
SELECT event_id, outcome FROM credits.webhook_log ORDER BY event_id;
SET credits.test_clock = '2026-05-30 12:00+00';
SELECT credits.maintain_batch(work => 'webhooks');
SET credits.test_clock = '2026-05-30 12:00:01+00';
SELECT credits.maintain_batch(1, work => 'webhooks');
SET credits.webhook_retention = '1 min';
CALL credits.maintain();
SELECT event_id, outcome FROM credits.webhook_log ORDER BY event_id;
CREATE ROLE regress_erasure_app IN ROLE credits_app;
SET ROLE regress_erasure_app;
SELECT credits.customer_metadata_clear('ann');
SET credits.webhook_retention = '1 h';
RESET ROLE;
DROP ROLE regress_erasure_app;
SELECT credits.customer_metadata_clear('nobody');
SELECT credits.customer_metadata_clear(NULL);
SELECT * FROM credits.verify();
