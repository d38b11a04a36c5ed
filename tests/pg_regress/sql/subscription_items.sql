-- Items of subscriptions one by one: added, changed and removed, each as one change of the subscription; and deleting a
-- subscription that never was anything. The figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 00:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g')
        FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail, hint]) s WHERE s <> '';
END $$;
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC, s.subscription_id DESC LIMIT 1);
CREATE FUNCTION item(customer text, key text) RETURNS uuid LANGUAGE sql
RETURN (SELECT i.subscription_item_id FROM credits.subscription_items i JOIN credits.prices p ON p.price_id = i.price_id
    WHERE i.customer_id = customer AND p.lookup_key = key ORDER BY i.created_at DESC LIMIT 1);
CREATE VIEW bill_lines AS
SELECT l.customer_id, l.invoice_id IS NULL AS pending, l.description, l.quantity, l.amount, d(l.period_start) AS from,
       d(l.period_end) AS until
FROM credits.invoice_lines l ORDER BY l.customer_id, l.created_at, l.invoice_line_id;
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS seat FROM credits.product_create('Seat') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro',
    credit_config => '{"amount": 3000, "schedule": {"delivery": "schedule", "every": "10 days",
        "expire_with_next_grant": true}}');
SELECT FROM credits.price_create(:'pro', 'recurring', 300, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'pro_year');
SELECT price_id AS seat FROM credits.price_create(:'seat', 'recurring', 5, 'USD',
    recurring => '{"interval": "month"}', lookup_key => 'seat') \gset
SELECT FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]');
SELECT pay('ann');

-- 1. ADDED
--
-- 20 of April's 30 days are left: of three seats at 5.00 that is 10.00. A repeat with the key adds nothing.
SET credits.test_clock = '2026-04-11 00:00:00+00';
SELECT quantity, metadata, d(created_at), replayed
FROM credits.subscription_item_create('ann', sub('ann'), lookup_key => 'seat', quantity => 3, metadata => '{"a": 1}',
    idempotency_key => 'seats');
SELECT p.name FROM credits.subscription_items i JOIN credits.products p ON p.product_id = i.product_id ORDER BY 1;
SELECT quantity, replayed, removed_at FROM credits.subscription_item_create('ann', sub('ann'), :'seat', quantity => 3,
    idempotency_key => 'seats');
SELECT refused(format($$SELECT credits.subscription_item_create('ann', sub('ann'), %L, quantity => 4,
    idempotency_key => 'seats')$$, :'seat'));
SELECT * FROM bill_lines WHERE pending;
SELECT jsonb_array_length(items) AS items FROM credits.subscriptions WHERE customer_id = 'ann';

-- 2. CHANGED
--
-- What is pending is lowered, and charged anew: two seats are 6.67. Metadata alone changes no money, a repeat
-- nothing.
SELECT quantity, metadata, replayed FROM credits.subscription_item_update('ann', item('ann', 'seat'), quantity => 2);
SELECT quantity, metadata FROM credits.subscription_item_update('ann', item('ann', 'seat'), metadata => '{"a": 2}');
SELECT quantity, metadata FROM credits.subscription_item_update('ann', item('ann', 'seat'), quantity => 2);
SELECT * FROM bill_lines WHERE pending;
-- At once: the other 3.33 of a third one.
SELECT quantity FROM credits.subscription_item_update('ann', item('ann', 'seat'), quantity => 3,
    proration_behavior => 'always_invoice');
SELECT billing_reason, total, status FROM credits.invoices WHERE customer_id = 'ann' ORDER BY created_at;
SELECT pay('ann');
SELECT * FROM credits.verify();

-- 3. REMOVED
--
-- Ten days later, of the 10.00 that are charged by now, 5.00 come back. The view keeps it; a repeat changes nothing.
SET credits.test_clock = '2026-04-21 00:00:00+00';
SELECT d(removed_at), replayed FROM credits.subscription_item_delete('ann', item('ann', 'seat'));
SELECT d(removed_at), replayed FROM credits.subscription_item_delete('ann', item('ann', 'seat'));
SELECT sum(amount) FROM bill_lines WHERE "from" >= '2026-04-21';
SELECT quantity, d(removed_at) FROM credits.subscription_items WHERE customer_id = 'ann' ORDER BY created_at;
-- Credits go and come with it: of the instalment that has just begun, and of that which has not.
SELECT FROM credits.subscription_item_update('ann', item('ann', 'pro'), quantity => 2, credits => 'keep');
SELECT status, amount, d(effective_at) FROM credits.grants WHERE customer_id = 'ann' ORDER BY effective_at, created_at;
SELECT type, data->'previous_attributes' ? 'items' AS items FROM credits.billing_events
WHERE customer_id = 'ann' AND type IN ('customer.subscription.updated', 'customer.subscription.upgraded')
ORDER BY object_seq;
SELECT * FROM credits.verify();

-- 4. WHAT IS REFUSED
--
-- The last one stays. So does what is removed.
SELECT refused($$SELECT credits.subscription_item_delete('ann', item('ann', 'pro'))$$);
SELECT refused($$SELECT credits.subscription_item_update('ann', item('ann', 'seat'), quantity => 2)$$);
SELECT refused(format('SELECT credits.subscription_item_%s', call)) FROM (VALUES
    ($$create(NULL, NULL)$$), ($$create('ann', NULL)$$), ($$create('ann', sub('ann'))$$),
    ($$create('ann', gen_random_uuid(), lookup_key => 'seat')$$), ($$create('ann', sub('ann'), lookup_key => 'none')$$),
    ($$create('ann', sub('ann'), gen_random_uuid(), 'seat')$$),
    ($$create('ann', sub('ann'), lookup_key => 'seat', quantity => 0)$$),
    ($$create('ann', sub('ann'), lookup_key => 'seat', quantity => 'NaN')$$),
    ($$create('ann', sub('ann'), lookup_key => 'seat', proration_behavior => 'never')$$),
    ($$create('ann', sub('ann'), lookup_key => 'seat', credits => 'lose')$$),
    ($$create('ann', sub('ann'), lookup_key => 'pro_year')$$),
    ($$create('nobody', sub('ann'), lookup_key => 'seat')$$),
    ($$update('ann', NULL)$$), ($$update('ann', gen_random_uuid(), quantity => 2)$$),
    ($$update('ann', item('ann', 'pro'), quantity => -1)$$),
    ($$update('nobody', item('ann', 'pro'), quantity => 2)$$),
    ($$delete('ann', NULL)$$), ($$delete('ann', gen_random_uuid())$$)) AS calls (call);

-- 5. DELETED, AS IF IT HAD NEVER BEEN
--
-- One that is tried out has no invoice: it vanishes. What has an invoice, also one that is void, stays.
SELECT status FROM credits.subscription_create('ben', '[{"lookup_key": "seat"}]', trial_period_days => 5);
SELECT FROM credits.subscription_item_update('ben', item('ben', 'seat'), quantity => 2);
SELECT status, jsonb_array_length(items) FROM credits.subscription_delete('ben', sub('ben'));
SELECT count(*) FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT count(*) FROM credits.subscription_items WHERE customer_id = 'ben';
SELECT refused($$SELECT credits.subscription_delete('ben', gen_random_uuid())$$);
SELECT refused($$SELECT credits.subscription_delete('ann', sub('ann'))$$);
SELECT refused($$SELECT credits.subscription_delete('ann', NULL)$$);
SELECT status FROM credits.subscription_create('cleo', '[{"lookup_key": "seat"}]');
SELECT refused($$SELECT credits.subscription_delete('cleo', sub('cleo'))$$);
SELECT status FROM credits.subscription_cancel('cleo', sub('cleo'), 'now');
SELECT refused($$SELECT credits.subscription_delete('cleo', sub('cleo'))$$);
SELECT FROM credits.coupon_create('Ten', percent_off => 10, promotion_codes => '[{"code": "TEN"}]');
SELECT status FROM credits.subscription_create('dan', '[{"lookup_key": "seat"}]', trial_period_days => 5,
    promotion_code => 'ten');
SELECT refused($$SELECT credits.subscription_delete('dan', sub('dan'))$$);
SELECT type FROM credits.billing_events WHERE customer_id = 'ben' AND object_type = 'subscription' ORDER BY object_seq;
SELECT * FROM credits.verify();
