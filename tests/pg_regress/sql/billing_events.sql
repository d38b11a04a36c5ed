-- Billing events: what happened to customers, products, prices and invoices, one row each, numbered per object.
SET credits.test_clock = '2026-03-01 12:00Z';
\pset format unaligned
SELECT FROM credits.currency_create('USD', kind => 'fiat');
-- What happened since this was last asked. Ids are shown as the names of what they are of.
CREATE TABLE seen (event_id uuid PRIMARY KEY);
CREATE TABLE named (id text PRIMARY KEY, name text);
CREATE FUNCTION news() RETURNS TABLE (type text, object text, seq bigint, customer text, previous text)
LANGUAGE sql AS $$
    WITH new AS (
        INSERT INTO seen SELECT e.event_id FROM credits.billing_events e ON CONFLICT DO NOTHING RETURNING event_id)
    SELECT e.type, concat_ws(' ', e.object_type, coalesce(n.name, of_invoice.name, e.object_id)), e.object_seq,
           e.customer_id,
           e.data->>'previous_attributes'
    FROM new JOIN credits.billing_events e USING (event_id) LEFT JOIN named n ON n.id = e.object_id
    LEFT JOIN credits.payment_intents p ON e.object_type = 'payment_intent' AND p.payment_intent_id::text = e.object_id
    LEFT JOIN named of_invoice ON of_invoice.id = p.invoice_id::text
    ORDER BY e.event_id
$$;

-- A customer: created, changed, and not changed.
SELECT FROM credits.customer_upsert('ann', 'Ann', 'ann@example.com', '{"plan": "pro"}');
SET TimeZone = 'Asia/Kathmandu';
SELECT FROM credits.customer_upsert('ann', tax_rate => 19, address => '{"city": "Bonn"}',
    billing_anchor => '2026-01-31 00:00Z');
RESET TimeZone;
SELECT FROM credits.customer_upsert('ann', 'Ann', tax_rate => 19.0);
SELECT FROM credits.customer_upsert('ann');
SELECT * FROM news();
-- Times are those of UTC, whatever the session's are. A customer's are the server's own.
SELECT jsonb_pretty(data #- '{object,created_at}' #- '{object,updated_at}') FROM credits.billing_events
WHERE object_id = 'ann' ORDER BY object_seq;
-- Whatever of it changes, or is removed: one event, however often it is said.
DO $$
DECLARE
    given text;
BEGIN
    FOREACH given IN ARRAY ARRAY[
        $g$name => 'A'$g$, $g$email => 'a@b'$g$, $g$metadata => '{"a": 1}'$g$, $g$phone => '1'$g$,
        $g$description => 'D'$g$, $g$address => '{"city": "Kyiv"}'$g$, $g$shipping => '{"name": "A"}'$g$,
        $g$currency => 'USD'$g$, $g$invoice_prefix => 'ALL'$g$, $g$tax_rate => 0$g$, $g$preferences => '{"b": 1}'$g$,
        $g$time_zone => 'Asia/Tokyo'$g$, $g$billing_anchor => '2026-01-31 00:00Z'$g$, $g$name => ''$g$,
        $g$email => ''$g$, $g$metadata => '{}'$g$, $g$phone => ''$g$, $g$description => ''$g$, $g$address => '{}'$g$,
        $g$shipping => '{}'$g$, $g$currency => ''$g$, $g$invoice_prefix => ''$g$, $g$tax_rate => 'infinity'$g$,
        $g$preferences => '{}'$g$, $g$time_zone => ''$g$, $g$billing_anchor => 'infinity'$g$]
    LOOP
        EXECUTE format('SELECT credits.customer_upsert(%L, %s)', 'all', given);
        EXECUTE format('SELECT credits.customer_upsert(%L, %s)', 'all', given);
    END LOOP;
END $$;
SELECT seq, previous FROM news();
-- One that comes about by the way, by a grant, a transfer or an invoice; what an existing customer does is none.
SELECT FROM credits.wallet_credit('bob', 100);
SELECT FROM credits.wallet_transfer('bob', 'cid', 10);
SELECT FROM credits.wallet_debit('bob', 5);
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.report_meter_event('bob', 'calls', 1, 'e1');
SELECT * FROM news();

-- Products and prices. A product and its prices are archived one by one, and only once.
SELECT product_id FROM credits.product_create('Team', unit_label => 'seat', prices => '[{"unit_amount": 12.50,
    "currency": "USD", "nickname": "monthly", "type": "recurring", "recurring": {"interval": "month"}}]') \gset
SELECT price_id FROM credits.prices WHERE product_id = :'product_id' \gset
SELECT price_id AS other_id FROM credits.price_create(:'product_id', unit_amount => 20, currency => 'USD',
    quantity_limit_per_checkout => 3) \gset
INSERT INTO named VALUES (:'product_id', 'Team'), (:'price_id', 'monthly'), (:'other_id', 'once');
SELECT FROM credits.product_update(:'product_id', description => 'For teams', metadata => '{"a": 1}');
SELECT FROM credits.product_update(:'product_id', 'Team');
SELECT FROM credits.price_update(:'price_id', unit_amount => 13, nickname => 'by month');
SELECT FROM credits.price_archive(:'other_id');
SELECT FROM credits.price_archive(:'other_id');
SELECT * FROM news();
SELECT FROM credits.product_archive(:'product_id');
SELECT FROM credits.product_archive(:'product_id');
SELECT * FROM news();
SELECT FROM credits.price_delete(:'other_id');
SELECT FROM credits.product_delete(:'product_id');
SELECT * FROM news();
SELECT object_type, (data->'object') - '{product_id,price_id}'::text[] AS object,
       data->'previous_attributes' AS previous
FROM credits.billing_events WHERE object_type IN ('product', 'price') ORDER BY event_id;
-- A package is both.
SELECT price_id AS pack_id, product_id AS pack_product
FROM credits.package_create('Pack', 100, 5, 'USD', if_not_exists => true) \gset
SELECT FROM credits.package_create('Pack', 100, 5, 'USD', if_not_exists => true);
INSERT INTO named VALUES (:'pack_product', 'Pack'), (:'pack_id', 'of Pack');
SELECT * FROM news();

-- Invoices.
SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 10}]', 'USD', metadata => '{"order": 7}') \gset
SELECT invoice_id AS gone FROM credits.invoice_create('ann', '[{"amount": 3}]', 'USD') \gset
SELECT invoice_id AS free FROM credits.invoice_create('dan', '[{"amount": 0}]', 'USD', auto_finalize => true,
    idempotency_key => 'free') \gset
INSERT INTO named VALUES (:'invoice_id', 'A'), (:'gone', 'B'), (:'free', 'C');
SELECT FROM credits.invoice_update('ann', :'invoice_id', description => 'March', lines => '[{"amount": 20}]');
SELECT FROM credits.invoice_update('ann', :'invoice_id', description => 'March');
SELECT FROM credits.invoice_finalize('ann', :'invoice_id');
SELECT FROM credits.invoice_finalize('ann', :'invoice_id');
SELECT FROM credits.invoice_mark_uncollectible('ann', :'invoice_id');
SELECT FROM credits.invoice_mark_uncollectible('ann', :'invoice_id');
SELECT FROM credits.invoice_pay('ann', :'invoice_id', 'outside', 3.8, reference => 'part', idempotency_key => 'part');
SELECT FROM credits.invoice_pay('ann', :'invoice_id', 'outside', 3.8, reference => 'part', idempotency_key => 'part');
SELECT FROM credits.invoice_pay('ann', :'invoice_id', 'outside', reference => 'rest');
SELECT FROM credits.invoice_delete('ann', :'gone');
SELECT invoice_id AS void FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', auto_finalize => true) \gset
INSERT INTO named VALUES (:'void', 'D');
SELECT FROM credits.invoice_void('ann', :'void');
SELECT FROM credits.invoice_void('ann', :'void');
SELECT * FROM news();
SELECT type, data->'object'->>'status' AS status, data->'object'->>'number' AS number,
       data->'object'->>'amount_paid' AS paid, data->'object'->>'customer_name' AS name
FROM credits.billing_events WHERE object_id = :'invoice_id' ORDER BY object_seq;
SELECT jsonb_pretty((data->'object') - 'invoice_id' - 'payment_intent_id') FROM credits.billing_events
WHERE object_id = :'invoice_id' AND type = 'invoice.paid';
-- Of all that a view shows as JSON numbers, what counts things stays one: these columns.
SELECT a.attrelid::regclass AS view, a.attname AS column FROM pg_attribute a
WHERE a.attrelid = ANY ('{credits.customers,credits.products,credits.prices,credits.invoices}'::regclass[])
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) ORDER BY 1, 2;

-- What is rolled back, as a whole or in part, or refused, leaves no event and no gap.
BEGIN;
SELECT FROM credits.customer_upsert('ann', 'Other');
SELECT FROM credits.wallet_credit('eve', 1);
SAVEPOINT s;
SELECT FROM credits.customer_upsert('bob', 'Bob');
ROLLBACK TO s;
SELECT type, object_id, object_seq FROM credits.billing_events
WHERE event_id NOT IN (SELECT event_id FROM seen) ORDER BY event_id;
ROLLBACK;
\set VERBOSITY sqlstate
SELECT credits.invoice_void('ann', :'invoice_id');
SELECT FROM credits.customer_upsert('ann', 'Ann Lee');
SELECT * FROM news();
SELECT * FROM credits.verify();

-- Erased: what happened stays, what it said goes, also of what comes later about an invoice that was given out.
SELECT invoice_id AS open FROM credits.invoice_create('ann', '[{"amount": 2}]', 'USD', auto_finalize => true) \gset
INSERT INTO named VALUES (:'open', 'E');
SELECT count(*) FROM news();
SELECT FROM credits.customer_erase('ann');
SELECT FROM credits.invoice_pay('ann', :'open', 'outside', reference => 'late');
SELECT * FROM news();
SELECT count(*), count(data) FROM credits.billing_events WHERE customer_id = 'ann';
SELECT count(*) FROM credits.billing_events e WHERE e.data::text ~ 'Ann|ann@|Bonn';
SELECT type, data->'object'->'name' AS name, data->'object'->'customer_name' AS customer_name
FROM credits.billing_events
WHERE customer_id = 'ann' AND data IS NOT NULL ORDER BY event_id;
SELECT customer_name FROM credits.invoices WHERE invoice_id = :'open';
-- Nobody else's are touched.
SELECT count(*) FROM credits.billing_events WHERE customer_id IS DISTINCT FROM 'ann' AND data IS NULL;
-- What the application wrote with invoices is cleared in their events, too.
SELECT invoice_id AS noted FROM credits.invoice_create('bob', '[{"amount": 2}]', 'USD',
    metadata => '{"note": "secret"}') \gset
INSERT INTO named VALUES (:'noted', 'F');
SELECT FROM credits.invoice_update('bob', :'noted', metadata => '{"note": "other secret"}');
SELECT * FROM news();
SELECT * FROM credits.customer_metadata_clear('bob');
SELECT object_seq, data->'object'->'metadata' AS metadata, data->'previous_attributes' AS previous
FROM credits.billing_events
WHERE object_id = :'noted' ORDER BY object_seq;
SELECT cleared FROM credits.customer_metadata_clear('bob');
-- Deleted: nobody could erase the person later. Where the key comes back, its numbers go on.
SELECT FROM credits.customer_upsert('tst', 'Test', 'test@example.com');
SELECT FROM credits.customer_delete('tst');
SELECT FROM credits.customer_upsert('tst');
SELECT * FROM news();
SELECT object_seq, type, data->'object'->'name' AS name, data->'object'->'deleted' AS deleted
FROM credits.billing_events
WHERE object_id = 'tst' ORDER BY object_seq;
SELECT * FROM credits.verify();

-- Kept for credits.event_retention, then deleted in steps, the oldest first. Numbers go on.
SET credits.test_clock = '2026-03-20 12:00Z';
SELECT FROM credits.customer_upsert('bob', 'Bob');
SELECT count(*) > 40 AS many FROM credits.billing_events;
SET credits.test_clock = '2026-03-31 12:00Z';
SELECT credits.maintain_batch(5, 'events');
SET credits.test_clock = '2026-03-31 12:00:01Z';
SELECT credits.maintain_batch(5, 'events'), credits.maintain_batch(1, 'events');
SELECT * FROM credits.verify();
CALL credits.maintain();
SELECT type, object_id, object_seq FROM credits.billing_events;
SELECT FROM credits.customer_upsert('ann', phone => '1');
SELECT type, object_id, object_seq FROM credits.billing_events ORDER BY event_id;
SET credits.event_retention = '1 min';
SET credits.test_clock = '2026-03-31 12:01:02Z';
SELECT credits.maintain_batch(work => 'events');
-- The clock of an object never goes back.
SET credits.test_clock = '2026-01-01';
SELECT FROM credits.customer_upsert('ann', phone => '2');
SELECT type, object_id, object_seq, created_at FROM credits.billing_events ORDER BY event_id;
SELECT * FROM credits.verify();
-- A gap is found.
SELECT FROM generate_series(1, 3) n, credits.customer_upsert('gap', phone => n::text);
DELETE FROM credits_internal.billing_events WHERE object_id = 'gap' AND object_seq = 2;
SELECT * FROM credits.verify();
SELECT * FROM credits.verify('gap');
SELECT * FROM credits.verify('bob');
DELETE FROM credits_internal.billing_events WHERE object_id = 'gap' AND object_seq = 3;
SELECT problem, subject, expected, found FROM credits.verify();

-- Who may see them: no customer's own login, since they say what the application keeps to itself.
SELECT r AS role, has_table_privilege(r, 'credits.billing_events', 'SELECT') AS sees FROM unnest(ARRAY[
    'credits_app', 'credits_read', 'credits_admin', 'credits_customer', 'credits_webhook', 'credits_worker',
    'credits_sender', 'credits_meter']) r;
