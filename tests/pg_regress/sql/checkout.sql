-- Checkout sessions: a cart, what it comes to, its submission and payment, stock that is reserved for it, and how it
-- ends otherwise.
SET credits.test_clock = '2026-06-01 09:00:00+00';
SET credits.checkout_url = 'https://app.example/checkout?lang=en';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}(?= of)';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g')
                 FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail, hint]) s;
END $$;
CREATE VIEW stock AS SELECT nickname, quantity_available, quantity_taken, quantity_sold
FROM credits.prices WHERE quantity_available IS NOT NULL ORDER BY nickname COLLATE "C";
CREATE VIEW events AS SELECT type, customer_id, data->'object'->>'status' AS status FROM credits.billing_events
WHERE object_type = 'checkout_session' ORDER BY event_id;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more',
    checkout_url_template => 'https://pay.example/{checkout_session_id}?amount={minor_units}&to={return_url}');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good') \gset
SELECT price_id AS large FROM credits.price_create(:'shirt', unit_amount => 20, currency => 'USD', nickname => 'large',
    lookup_key => 'large', quantity_available => 5, quantity_limit_per_checkout => 4) \gset
SELECT price_id AS pack FROM credits.package_create('Pack of 100', 100, 10, 'USD') \gset
SELECT FROM credits.customer_upsert('ann', tax_rate => 19);

-- A cart of a plain product and of credits, with the customer's tax.
SELECT checkout_session_id AS s, status, payment_status, currency, amount_subtotal, amount_tax, amount_total,
       split_part(url, 'token=', 1) AS url, split_part(url, 'token=', 2) AS token, invoice_id, payment_intent_id,
       expires_at, replayed
FROM credits.checkout_session_create('ann', line_items => format(
    '[{"lookup_key": "large", "quantity": 2, "adjustable_quantity": {"enabled": true, "maximum": 3}},
      {"price_id": "%s", "description": "Credits for the shop"}]', :'pack')::jsonb,
    success_url => 'https://app.example/done', client_reference_id => 'order 1', idempotency_key => 'cart 1') \gset
\echo :status :payment_status :currency :amount_subtotal :amount_tax :amount_total :url :expires_at :replayed
SELECT item - 'price_id' AS item
FROM credits.checkout_sessions s, jsonb_array_elements(s.line_items) WITH ORDINALITY AS e (item, n) ORDER BY n;
SELECT checkout_session_id = :'s' AS same, replayed FROM credits.checkout_session_create('ann', line_items => format(
    '[{"price_id": "%s", "quantity": 2}, {"price_id": "%s"}]', :'large', :'pack')::jsonb, idempotency_key => 'cart 1');
SELECT refused(format('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"price_id": "%s"}]'',
    idempotency_key => ''cart 1'')', :'pack'));

-- Its token says which it is, and opens no other.
SELECT customer_id, checkout_session_id = :'s' AS same, status FROM credits.checkout_session_verify(:'token');
SELECT refused(format('SELECT credits.checkout_session_verify(%L)', 'x' || :'token'));
SELECT refused(format('SELECT credits.billing_portal_session_verify(%L)', :'token'));
SELECT refused(format('SELECT credits.checkout_session_verify(%L)', p.token))
FROM credits.billing_portal_session_create('ann') p;
SELECT refused(format('SELECT credits.checkout_session_submit(''bob'', %L)', :'s'));
SELECT FROM credits.customer_upsert('bob');
SELECT refused(format('SELECT credits.checkout_session_submit(''bob'', %L)', :'s'));

-- While it is open it can be changed: by the customer within what is adjustable.
SELECT amount_subtotal, amount_total FROM credits.checkout_session_update('ann', :'s', quantities => '{"large": 3}');
SELECT refused(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => ''{"large": 4}'')', :'s'));
SELECT refused(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => ''{"%s": 2}'')', :'s',
    :'pack'));
SELECT amount_tax, amount_total FROM credits.checkout_session_update('ann', :'s', tax_rate => 7);
SELECT amount_tax, amount_total, metadata FROM credits.checkout_session_update('ann', :'s', tax_rate => 19,
    metadata => '{"shop": 7}');
SELECT * FROM stock;

-- Submitted: an invoice as a draft, a payment intent, and stock that is reserved.
SELECT status, payment_status, invoice_id IS NOT NULL AS invoice, payment_intent_id = :'s' AS same_id,
       replace(checkout_url, :'s', '…') AS checkout_url, amount_total, replayed
FROM credits.checkout_session_submit('ann', :'s');
SELECT replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT * FROM stock;
SELECT status, billing_reason, number, subtotal, tax, total, amount_due FROM credits.invoices WHERE customer_id = 'ann';
SELECT refused(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => ''{"large": 1}'')', :'s'));
SELECT refused(format('SELECT credits.invoice_finalize(''ann'', %L)', invoice_id)) FROM credits.invoices;
SELECT refused(format('SELECT credits.invoice_delete(''ann'', %L)', invoice_id)) FROM credits.invoices;
SELECT * FROM credits.verify();

-- Declined, its stock goes back; submitted again, it is reserved again, and paid.
SELECT status FROM credits.payment_failed('ann', :'s', 'stripe', 'pi_1', 'Your card was declined.');
SELECT quantity_taken FROM stock;
SELECT status, replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT quantity_taken FROM stock;
SELECT status, credits, available, contradiction FROM credits.payment_succeeded('ann', :'s', 'stripe', 'pi_2', 83.30);
SELECT status, payment_status, amount_total, completed_at FROM credits.checkout_sessions WHERE customer_id = 'ann';
SELECT status, number, total, amount_paid FROM credits.invoices WHERE customer_id = 'ann';
SELECT line_no, description, quantity, amount, tax, credits FROM credits.invoice_lines WHERE customer_id = 'ann'
ORDER BY line_no;
SELECT amount, name, cost_amount, granted_by FROM credits.grants WHERE customer_id = 'ann';
SELECT status, replayed FROM credits.checkout_session_submit('ann', :'s');
SELECT refused(format('SELECT credits.checkout_session_expire(''ann'', %L)', :'s'));
SELECT client_reference_id FROM credits.checkout_session_update('ann', :'s', client_reference_id => 'order 1a');
SELECT * FROM stock;
SELECT * FROM events;
SELECT * FROM credits.verify();

-- A worker charges where the customer can be charged; while it does, time does not end the session.
SELECT FROM credits.customer_upsert('cid');
SELECT FROM credits.payment_method_attach('cid', 'stripe', 'cus_1', 'pm_1');
SELECT checkout_session_id AS c FROM credits.checkout_session_create('cid', line_items => '[{"lookup_key": "large"}]',
    expires_at => '2026-06-01 10:00:00+00') \gset
SELECT status, payment_status FROM credits.checkout_session_submit('cid', :'c');
SELECT go, amount FROM credits.payment_intent_begin('cid', :'c');
SELECT refused(format('SELECT credits.checkout_session_expire(''cid'', %L)', :'c'));
SET credits.test_clock = '2026-06-01 11:00:00+00';
SELECT status FROM credits.checkout_sessions WHERE customer_id = 'cid';
SELECT * FROM stock;
SELECT status FROM credits.payment_failed('cid', :'c', 'stripe', 'pi_3');
SELECT status, expired_at FROM credits.checkout_sessions WHERE customer_id = 'cid';
SELECT status FROM credits.payment_intents WHERE customer_id = 'cid';
SELECT refused(format('SELECT credits.checkout_session_submit(''cid'', %L)', :'c'));
SELECT * FROM stock;
-- maintain() writes it down, where the clock is everybody's or is said to drive it.
CALL credits.maintain();
SELECT status, expired_at FROM credits_internal.checkout_sessions WHERE customer_id = 'cid';
SET credits.test_clock_drives_billing = on;
CALL credits.maintain();
SELECT status, expired_at FROM credits_internal.checkout_sessions WHERE customer_id = 'cid';
SELECT status FROM credits_internal.payment_intents WHERE customer_id = 'cid';
SELECT status, replayed FROM credits.checkout_session_expire('cid', :'c');

-- Paid after all: while there is some left it is sold, and else the money goes back.
SELECT status, contradiction FROM credits.payment_succeeded('cid', :'c', 'stripe', 'pi_4', 20);
SELECT status, payment_status FROM credits.checkout_sessions WHERE customer_id = 'cid';
SELECT checkout_session_id AS d
FROM credits.checkout_session_create('dan', line_items => '[{"lookup_key": "large"}]') \gset
SELECT status FROM credits.checkout_session_submit('dan', :'d');
SELECT * FROM stock;
SELECT status, replayed FROM credits.checkout_session_expire('dan', :'d');
SELECT status, replayed FROM credits.checkout_session_expire('dan', :'d');
SELECT quantity_available FROM credits.price_inventory(:'large', 1, 'decrement');
SELECT status, contradiction FROM credits.payment_succeeded('dan', :'d', 'stripe', 'pi_5', 20);
SELECT status, payment_status FROM credits.checkout_sessions WHERE customer_id = 'dan';
SELECT reason, amount, status FROM credits.refunds WHERE customer_id = 'dan';
SELECT * FROM events;
SELECT * FROM credits.verify();

-- Nothing to pay, and a price in credits that the wallet pays: complete at once.
SELECT price_id AS gift FROM credits.price_create(:'shirt', unit_amount => 0, currency => 'USD',
    nickname => 'gift') \gset
SELECT s.status, s.payment_status, s.amount_total, s.payment_intent_id
FROM credits.checkout_session_create('eve', line_items => format('[{"price_id": "%s"}]', :'gift')::jsonb) c,
     credits.checkout_session_submit('eve', c.checkout_session_id) s;
SELECT price_id AS badge FROM credits.price_create(:'shirt', unit_amount => 30, currency => 'CREDIT') \gset
SELECT checkout_session_id AS e FROM credits.checkout_session_create('eve',
    line_items => format('[{"price_id": "%s", "quantity": 2}]', :'badge')::jsonb) \gset
SELECT refused(format('SELECT credits.checkout_session_submit(''eve'', %L)', :'e'));
SELECT FROM credits.wallet_credit('eve', 100);
SELECT status, payment_status, amount_total FROM credits.checkout_session_submit('eve', :'e');
SELECT available FROM credits.wallet_balance('eve', 'CREDIT');
SELECT status, currency, total, amount_paid FROM credits.invoices WHERE customer_id = 'eve' ORDER BY invoice_id;

-- A custom amount, and tax in the price, of a line.
SELECT amount_subtotal, amount_tax, amount_total FROM credits.checkout_session_create('fay', line_items => format(
    '[{"price_id": "%s", "custom_amount": "12.34", "tax_rate": 7, "tax_behavior": "inclusive"},
      {"price_id": "%s", "tax_rate": 0}]', :'pack', :'gift')::jsonb, tax_rate => 20);

-- What the provider's checkout added replaces ours.
SELECT checkout_session_id AS f FROM credits.checkout_session_create('fay', line_items => format(
    '[{"price_id": "%s", "quantity": 3}, {"price_id": "%s", "custom_amount": 15}]', :'pack', :'gift')::jsonb) \gset
SELECT status, amount_total FROM credits.checkout_session_submit('fay', :'f');
SELECT status, contradiction FROM credits.payment_succeeded('fay', :'f', 'stripe', 'pi_6', 47.60, tax => 6.60,
    shipping => 5, discount => 9);
SELECT amount_subtotal, amount_discount, amount_tax, amount_total FROM credits.checkout_sessions
WHERE checkout_session_id = :'f';
SELECT line_no, amount, discount, tax, amount_excluding_tax, credits FROM credits.invoice_lines
WHERE customer_id = 'fay' ORDER BY line_no;
SELECT cost_amount FROM credits.grants WHERE customer_id = 'fay';
SELECT * FROM credits.verify();

-- Customers with overdue invoices buy nothing.
SELECT FROM credits.invoice_create('gus', '[{"amount": 5}]', 'USD', due_date => '2026-05-01', auto_finalize => true);
SELECT refused('SELECT credits.checkout_session_create(''gus'', line_items => ''[{"lookup_key": "large"}]'')');

-- Anything else that is wrong.
SELECT refused('SELECT credits.checkout_session_create(''ann'')');
SELECT refused(format('SELECT credits.checkout_session_create(''ann'', mode => ''subscription'', line_items =>
    ''[{"price_id": "%s"}]'')', :'pack'));
SELECT i.items, r FROM (VALUES (1, '{}'), (2, '[]'), (3, '[1]'), (4, '[{}]'), (5, '[{"price": 1}]'),
    (6, '[{"price_id": "x"}]'),
    (7, '[{"price_id": "00000000-0000-7000-8000-000000000000"}]'), (8, '[{"lookup_key": "none"}]'),
    (9, '[{"lookup_key": "large", "quantity": -1}]'), (10, '[{"lookup_key": "large", "quantity": 1.5}]'),
    (11, '[{"lookup_key": "large", "quantity": 5}]'), (12, '[{"lookup_key": "large"}, {"lookup_key": "large"}]'),
    (13, '[{"lookup_key": "large", "custom_amount": -1}]'), (14, '[{"lookup_key": "large", "custom_amount": 0.001}]'),
    (15, '[{"lookup_key": "large", "adjustable_quantity": {"maximum": 0}}]'),
    (16, '[{"lookup_key": "large", "adjustable_quantity": {"minimum": 2}}]'),
    (17, '[{"lookup_key": "large", "tax_rate": 101}]')) AS i (n, items),
    LATERAL (SELECT r FROM refused(format('SELECT credits.checkout_session_create(''ann'', line_items => %L)', i.items))
                 AS r LIMIT 1) r ORDER BY n;
SELECT refused(format('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"price_id": "%s"},
    {"price_id": "%s"}]'')', :'pack', :'badge'));
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "large"}]'',
    currency => ''CREDIT'')');
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "large"}]'',
    expires_at => ''2026-05-01'')');
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "large"}]'',
    success_url => ''javascript:alert(1)'')');
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "large"}]'',
    provider => ''nobody'')');
SELECT refused('SELECT credits.checkout_session_expire(''ann'', gen_random_uuid())');
-- More than are left: all or nothing.
SELECT checkout_session_id AS m FROM credits.checkout_session_create('may', line_items => '[{"lookup_key": "large",
    "quantity": 4}]') \gset
SELECT refused(format('SELECT credits.checkout_session_submit(''may'', %L)', :'m'));
SELECT status, invoice_id FROM credits.checkout_sessions WHERE customer_id = 'may';

-- An end user's own login sees its own, with its own url.
SET credits.current_customer = 'ann';
SET ROLE credits_customer;
SELECT status, payment_status, amount_total, url IS NOT NULL AS url FROM credits.my_checkout_sessions;
RESET ROLE;

-- Erased: what says who it was.
SELECT FROM credits.customer_erase('ann');
SELECT FROM credits.customer_metadata_clear('ann');
SELECT status, url, success_url, client_reference_id, metadata FROM credits_internal.checkout_sessions
WHERE customer_id = 'ann';
SELECT * FROM credits.verify();
