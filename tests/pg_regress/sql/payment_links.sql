-- Payment links: one cart for whoever opens them, and the one with which credits are recharged.
SET credits.test_clock = '2026-06-01 09:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE ids text := '[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}(?= of)';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    RETURN NEXT regexp_replace(SQLSTATE || ' ' || SQLERRM, ids, '…', 'g');
END $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good') \gset
SELECT price_id AS large FROM credits.price_create(:'shirt', unit_amount => 20, currency => 'USD',
    lookup_key => 'large') \gset
SELECT price_id AS pack FROM credits.package_create('Pack of 100', 100, 10, 'USD') \gset

SELECT payment_link_id AS l, name, active, currency, line_items, url
FROM credits.payment_link_create('A shirt', '[{"lookup_key": "large", "adjustable_quantity": {"maximum": 3}}]',
    after_completion => '{"type": "redirect", "redirect": {"url": "https://app.example/thanks"}}',
    lookup_key => 'shirt', metadata => '{"campaign": "summer"}', idempotency_key => 'link 1') \gset
\echo :name :active :currency
SELECT payment_link_id = :'l' AS same, replayed FROM credits.payment_link_create('A shirt',
    '[{"lookup_key": "large"}]', lookup_key => 'shirt', idempotency_key => 'link 1');
SELECT refused('SELECT credits.payment_link_create(''Another'', ''[{"lookup_key": "large"}]'',
    idempotency_key => ''link 1'')');
SELECT refused('SELECT credits.payment_link_create(''Another'', ''[{"lookup_key": "large"}]'',
    lookup_key => ''shirt'')');
-- Where it is opened depends on where the page is now.
SET credits.checkout_url = 'https://app.example/pay#top';
SELECT replace(url, :'l', '…') AS url FROM credits.payment_links;

-- Each customer gets a session of their own.
SELECT status, amount_total, success_url, payment_link_id = :'l' AS of_link, metadata
FROM credits.payment_link_open('ann', :'l');
SELECT amount_total, success_url FROM credits.payment_link_open('bob', lookup_key => 'shirt',
    quantities => '{"large": 3}', success_url => 'https://app.example/other', idempotency_key => 'bob 1');
SELECT amount_total, replayed FROM credits.payment_link_open('bob', lookup_key => 'shirt', quantities => '{"large": 3}',
    idempotency_key => 'bob 1');
SELECT refused('SELECT credits.payment_link_open(''bob'', lookup_key => ''shirt'', idempotency_key => ''bob 1'')');
SELECT refused('SELECT credits.payment_link_open(''bob'', lookup_key => ''shirt'', quantities => ''{"large": 4}'')');
SELECT refused('SELECT credits.payment_link_open(''bob'', lookup_key => ''no such'')');
SELECT refused('SELECT credits.payment_link_open(''bob'')');
SELECT refused(format('SELECT credits.payment_link_open(''bob'', %L, ''shirt'')', :'l'));

-- Changed, for whoever opens it then; archived, for nobody.
SELECT name, line_items->0->'quantity' AS quantity FROM credits.payment_link_update(:'l', 'Two shirts',
    '[{"lookup_key": "large", "quantity": 2}]');
SELECT amount_total FROM credits.payment_link_open('cid', :'l');
SELECT count(*), sum(amount_total) FROM credits.checkout_sessions WHERE payment_link_id = :'l';
SELECT active, replayed FROM credits.payment_link_archive(:'l');
SELECT active, replayed FROM credits.payment_link_archive(:'l');
SELECT refused(format('SELECT credits.payment_link_open(''cid'', %L)', :'l'));
SELECT refused(format('SELECT credits.payment_link_update(%L, ''again'')', :'l'));
SELECT refused('SELECT credits.payment_link_archive(gen_random_uuid())');
SELECT active FROM credits.payment_link_create('Another', '[{"lookup_key": "large"}]', lookup_key => 'shirt');

-- What is wrong is refused.
SELECT a, r FROM (VALUES (1, '1'), (2, '{"type": "redirect"}'), (3, '{"type": "redirect", "redirect": {"url": "x"}}'),
    (4, '{"type": "later"}'), (5, '{"type": "redirect", "url": "https://app.example"}')) AS v (n, a),
    refused(format('SELECT credits.payment_link_create(''x'', ''[{"lookup_key": "large"}]'',
                    after_completion => %L)', a)) r
ORDER BY n;
SELECT refused('SELECT credits.payment_link_create(''x'', NULL)');
SELECT refused('SELECT credits.payment_link_create(NULL, ''[{"lookup_key": "large"}]'')');
SELECT refused(format('SELECT credits.price_delete(%L)', :'large'));
SELECT FROM credits.price_archive(:'large');
SELECT refused('SELECT credits.payment_link_open(''cid'', lookup_key => ''shirt'')');

-- A currency that nothing is configured for is a row of NULLs, and no error.
SELECT FROM credits.wallet_credit('dan', 1);
SELECT num_nonnulls(currency, price_id, payment_url, payment_link_id, price, product)
FROM credits.recharge_config('CREDIT');
-- With a configuration, payment_url opens as it is.
RESET credits.checkout_url;
SELECT payment_url, checkout_url FROM credits.configure_recharge('CREDIT', :'pack', 'https://pay.example/{top_up_id}');
SELECT payment_url FROM credits.configure_recharge('CREDIT', :'pack', 'https://pay.example/packs');
SET credits.checkout_url = 'https://app.example/pay';
SELECT currency, base_price_id = :'pack' AS base, price->>'unit_amount' AS unit_amount, product->>'name' AS product,
       replace(payment_url, payment_link_id::text, '…') AS payment_url, payment_link_id AS r
FROM credits.recharge_config('CREDIT') \gset
\echo :currency :base :unit_amount :product :payment_url
SELECT s.status, s.payment_status, p.status AS paid, p.credits, p.available
FROM credits.payment_link_open('dan', :'r', quantities => jsonb_build_object(:'pack', 2)) o,
     credits.checkout_session_submit('dan', o.checkout_session_id) s,
     credits.payment_succeeded('dan', s.checkout_session_id, 'stripe', 'pi_1', 20) p;
-- Another price is another cart, of the same link.
SELECT price_id AS large_pack FROM credits.package_create('Pack of 1000', 1000, 80, 'USD') \gset
SELECT payment_link_id = :'r' AS same_link, unit_amount FROM credits.configure_recharge('CREDIT', :'large_pack');
SELECT name, line_items->0->>'price_id' = :'large_pack' AS sells_it, recharge_currency FROM credits.payment_links
WHERE payment_link_id = :'r';
SELECT type, object_seq, data->'previous_attributes'->>'name' AS before FROM credits.billing_events
WHERE object_type = 'payment_link' ORDER BY event_id;
SELECT * FROM credits.verify();
