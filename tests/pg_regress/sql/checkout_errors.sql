-- Checkout sessions, their codes and payment links: what a caller can get wrong. Nothing of it is left behind.
SET credits.test_clock = '2026-06-01 09:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION why(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail jsonb;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || coalesce(detail->>'reason', detail->>'argument', detail->>'object', detail->>'subject',
                                       detail->>'customer_id', '') || coalesce(' ' || (detail->>'state'), '');
END $$;
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || left(regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g'), 150);
END $$;
CREATE FUNCTION cart(customer text, code text DEFAULT NULL, data jsonb DEFAULT NULL) RETURNS uuid LANGUAGE sql
RETURN (SELECT c.checkout_session_id FROM credits.checkout_session_create(customer,
    line_items => '[{"lookup_key": "shirt", "adjustable_quantity": {"maximum": 9}}, {"lookup_key": "mug"}]',
    discounts => CASE WHEN code IS NOT NULL THEN
        jsonb_build_array(jsonb_build_object('code', code, 'verification_data', data)) END,
    allow_promotion_codes => true, client_reference_id => code) c);
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good', prices => '[
    {"unit_amount": 20, "currency": "USD", "lookup_key": "shirt"},
    {"unit_amount": 18, "currency": "EUR", "lookup_key": "shirt in euros"}]') \gset
SELECT product_id AS mug FROM credits.product_create('Mug', 'good', prices => '[
    {"unit_amount": 5, "currency": "USD", "lookup_key": "mug"}]') \gset

-- Codes that are good for ann's carts, each of which gets one.
SELECT FROM credits.coupon_create('All of it', percent_off => 10, promotion_codes => '[{"code": "OFF"},
    {"code": "LATER"}, {"code": "ENDED"}, {"code": "FEW", "max_redemptions": 1}, {"code": "FRIENDS"},
    {"code": "FIRST", "restrictions": {"first_time_transaction": true}}, {"code": "VOUCHED",
    "verification_type": "attested"}, {"code": "TWICE"}, {"code": "PLENTY", "restrictions": {"minimum_amount": 40,
    "currency": "USD"}}, {"code": "EUROS", "restrictions": {"minimum_amount": 4, "currency": "EUR"}}]');
SELECT FROM (VALUES ('COUPONOFF', NULL, NULL), ('BYDATE', NULL, NULL), ('LAST', 1, NULL), ('ONCE', NULL, 1))
    AS n (code, most, each), credits.coupon_create(code, percent_off => 10, max_redemptions => most,
    max_redemptions_per_customer => each, promotion_codes => jsonb_build_array(jsonb_build_object('code', code)));
SELECT FROM credits.coupon_create('In euros', amount_off => 5, currency => 'EUR',
    promotion_codes => '[{"code": "EURO"}]');
SELECT FROM credits.coupon_create('Mugs', amount_off => 50, currency => 'USD',
    applies_to_products => ARRAY[:'mug']::uuid[], promotion_codes => '[{"code": "MUGS"}]');
SELECT FROM credits.coupon_create('A gift', credit_config => '{"amount": 5}', promotion_codes => '[{"code": "GIFT"}]');
CREATE TABLE carts AS
SELECT n, code, cart('ann', code, CASE WHEN code = 'VOUCHED' THEN '{"number": 7}'::jsonb END) AS id
FROM unnest(ARRAY['OFF', 'COUPONOFF', 'LATER', 'ENDED', 'BYDATE', 'LAST', 'FEW', 'ONCE', 'FRIENDS', 'VOUCHED', 'FIRST',
    'MUGS']) WITH ORDINALITY AS c (code, n);
SELECT code, amount_discount, amount_total FROM carts JOIN credits.checkout_sessions ON checkout_session_id = id
ORDER BY n;

-- Each of them is good for nothing any more: the merchant switched it off, time went by, somebody else was faster.
SELECT FROM credits.promotion_code_archive((credits.promotion_code_by_code('OFF')).promotion_code_id);
SELECT FROM credits.coupon_update((credits.promotion_code_by_code('COUPONOFF')).coupon_id, active => false);
SELECT FROM credits.coupon_update((credits.promotion_code_by_code('BYDATE')).coupon_id,
    redeem_by => '2026-06-01 09:30+00');
SELECT FROM credits.promotion_code_update((credits.promotion_code_by_code('LATER')).promotion_code_id,
    starts_at => '2026-06-02 09:00+00');
SELECT FROM credits.promotion_code_update((credits.promotion_code_by_code('ENDED')).promotion_code_id,
    expires_at => '2026-06-01 10:00+00');
SELECT FROM credits.promotion_code_update((credits.promotion_code_by_code('FRIENDS')).promotion_code_id,
    customer_ids => '{bob}');
SET credits.test_clock = '2026-06-01 10:00+00';
SELECT s.status FROM unnest(ARRAY['LAST', 'FEW']) code, credits.checkout_session_submit('bob', cart('bob', code)) s;
SELECT s.status FROM credits.checkout_session_submit('ann', cart('ann', 'ONCE')) s;
SELECT id AS paid, status FROM cart('ann') id, credits.checkout_session_submit('ann', id) \gset
SELECT status FROM credits.payment_succeeded('ann', :'paid', 'stripe', 'pi_1', 25);

-- So says whatever is asked: a new cart, a code that is typed in, a cart that has it and changes, and its submission.
CREATE TABLE before AS TABLE credits_internal.checkout_sessions;
SELECT cart('ann') AS plain \gset
SELECT code, why(format('SELECT cart(''ann'', %L)', code)) AS created,
       why(format('SELECT credits.checkout_session_apply_promotion_code(''ann'', %L, %L)', :'plain', code)) AS typed,
       why(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => ''{"shirt": 3}'')', id))
           AS changed,
       why(format('SELECT credits.checkout_session_submit(''ann'', %L)', id)) AS submitted
FROM carts WHERE code NOT IN ('VOUCHED', 'MUGS') ORDER BY n;
SELECT code, why(format('SELECT cart(''ann'', %L)', code)) AS created,
       why(format('SELECT credits.checkout_session_apply_promotion_code(''ann'', %L, %L)', :'plain', code)) AS typed
FROM unnest(ARRAY['VOUCHED', 'EURO', 'EUROS', 'GIFT', 'PLENTY', 'NONE', ' ', repeat('X', 1000000)]) WITH ORDINALITY
    AS c (code, n) WHERE length(code) < 50 ORDER BY n;
-- What is in the cart decides.
SELECT why(format('SELECT credits.checkout_session_update(''ann'', %L, line_items => ''[{"lookup_key": "shirt"}]'')',
    id)) FROM carts WHERE code = 'MUGS';
SELECT s.amount_discount FROM credits.checkout_session_update('ann', :'plain', quantities => '{"shirt": 2}') s;
SELECT s.amount_discount FROM credits.checkout_session_apply_promotion_code('ann', :'plain', 'plenty') s;
SELECT why(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => ''{"shirt": 1}'')', :'plain'));
SELECT s.amount_discount, s.amount_total FROM credits.checkout_session_remove_promotion_code('ann', :'plain') s;
SELECT count(*) AS changed FROM (TABLE before EXCEPT TABLE credits_internal.checkout_sessions) c;
-- What an application vouches with is an object.
SELECT data, why(format('SELECT credits.checkout_session_apply_promotion_code(''ann'', %L, ''VOUCHED'',
           verification_data => %L)', :'plain', data)) AS typed,
       why(format('SELECT cart(''ann'', ''VOUCHED'', %L)', data)) AS created,
       why(format('SELECT credits.voucher_redeem(''ann'', ''GIFT'', verification_data => %L)', data)) AS redeemed
FROM unnest(ARRAY['1', '[]', '"yes"', 'null']) data;
SELECT s.amount_discount FROM credits.checkout_session_apply_promotion_code('ann', :'plain', 'VOUCHED', 'desk', '{}') s;

-- A payment that fails gives a code back; tried again, it is judged anew.
SELECT cart('cid', 'FIRST') AS one, cart('cid', 'FIRST') AS two \gset
SELECT s.amount_total FROM credits.checkout_session_submit('cid', :'one') s;
SELECT status FROM credits.payment_failed('cid', :'one', 'stripe', 'pi_2');
SELECT s.amount_total, s.replayed FROM credits.checkout_session_submit('cid', :'one') s;
SELECT replayed FROM credits.checkout_session_submit('cid', :'one');
-- A second failure is another.
SELECT status FROM credits.payment_failed('cid', :'one', 'stripe', 'pi_3');
SELECT times_redeemed FROM credits.promotion_codes WHERE code = 'FIRST';
SELECT s.amount_total FROM credits.checkout_session_submit('cid', :'two') s;
SELECT why(format('SELECT credits.checkout_session_submit(''cid'', %L)', :'one'));
SELECT status FROM credits.payment_succeeded('cid', :'two', 'stripe', 'pi_4', 22.50);
SELECT why(format('SELECT credits.checkout_session_submit(''cid'', %L)', :'one'));
SELECT cart('dan', 'TWICE') AS d \gset
SELECT s.amount_total FROM credits.checkout_session_submit('dan', :'d') s;
SELECT status FROM credits.payment_failed('dan', :'d', 'stripe', 'pi_5');
SELECT FROM credits.promotion_code_archive((credits.promotion_code_by_code('TWICE')).promotion_code_id);
SELECT why(format('SELECT credits.checkout_session_submit(''dan'', %L)', :'d'));
SELECT FROM credits.promotion_code_update((credits.promotion_code_by_code('TWICE')).promotion_code_id, active => true);
SELECT s.amount_total, s.replayed FROM credits.checkout_session_submit('dan', :'d') s;

-- Frozen: what is in a cart, and what was reserved.
SELECT refused(format('SELECT credits.coupon_update(%L, percent_off => 11)', coupon_id)) AS coupon,
       refused(format('SELECT credits.coupon_delete(%L)', coupon_id)) AS deleted,
       refused(format('SELECT credits.promotion_code_update(%L, restrictions => ''{"first_time_transaction": true}'')',
                      promotion_code_id)) AS code,
       refused(format('SELECT credits.promotion_code_delete(%L)', promotion_code_id)) AS code_deleted
FROM credits.promotion_code_by_code('TWICE') \gx
SELECT refused(format('SELECT credits.price_update(%L, unit_amount => 1)', price_id)) FROM credits.prices
WHERE lookup_key = 'mug';

-- Another customer's: a session, what it is for, and what pays it.
SELECT why(format(call, :'d', invoice_id)) AS "said", call FROM credits.checkout_sessions, unnest(ARRAY[
    'SELECT credits.checkout_session_update(''ann'', %1$L, metadata => ''{}'')',
    'SELECT credits.checkout_session_apply_promotion_code(''ann'', %1$L, ''MUGS'')',
    'SELECT credits.checkout_session_remove_promotion_code(''ann'', %1$L)',
    'SELECT credits.checkout_session_submit(''ann'', %1$L)', 'SELECT credits.checkout_session_expire(''ann'', %1$L)',
    'SELECT credits.checkout_session_submit(''nobody'', %1$L)',
    'SELECT credits.invoice_pay(''ann'', %2$L, ''wallet'')', 'SELECT credits.invoice_void(''ann'', %2$L)',
    'SELECT credits.invoice_html(''ann'', %2$L)', 'SELECT credits.payment_intent_begin(''ann'', %1$L)',
    'SELECT credits.payment_succeeded(''ann'', %1$L)', 'SELECT credits.payment_failed(''ann'', %1$L)',
    'SELECT credits.refund_create(''ann'', %1$L)', 'SELECT credits.payment_link_open(''ann'', %1$L)',
    'SELECT credits.coupon_used(%1$L)', 'SELECT credits.promotion_code_used(%2$L)']) WITH ORDINALITY AS c (call, n)
WHERE checkout_session_id = :'d' ORDER BY n;

-- Nothing where something is required.
SELECT why(call) AS said, call FROM unnest(ARRAY[
    'SELECT credits.checkout_session_create(NULL)', 'SELECT credits.checkout_session_create(''ann'', NULL)',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''null'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[null]'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": null}]'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "mug"}]'',
        discounts => ''null'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "mug"}]'',
        discounts => ''[null]'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "mug"}]'',
        discounts => ''[{"code": null}]'')',
    'SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "mug"}]'', discounts => ''[]'',
        allow_promotion_codes => NULL, collection_method => NULL, mode => NULL)',
    'SELECT credits.checkout_session_update(NULL, NULL)', 'SELECT credits.checkout_session_update(''ann'', NULL)',
    'SELECT credits.checkout_session_apply_promotion_code(NULL, NULL, NULL)',
    'SELECT credits.checkout_session_apply_promotion_code(''ann'', gen_random_uuid(), NULL)',
    'SELECT credits.checkout_session_apply_promotion_code(''ann'', gen_random_uuid(), '''')',
    'SELECT credits.checkout_session_remove_promotion_code(''ann'', NULL)',
    'SELECT credits.checkout_session_submit(''ann'', NULL)', 'SELECT credits.checkout_session_submit(NULL, NULL)',
    'SELECT credits.checkout_session_expire(''ann'', NULL)', 'SELECT credits.checkout_session_verify(NULL)',
    'SELECT credits.payment_link_create(NULL, NULL)', 'SELECT credits.payment_link_open(NULL, NULL)',
    'SELECT credits.payment_link_update(NULL)', 'SELECT credits.payment_link_archive(NULL)']) WITH ORDINALITY
    AS c (call, n) ORDER BY n;

-- How many: whole numbers that are more than nothing, of what is in the cart.
SELECT given, why(format('SELECT credits.checkout_session_update(''ann'', %L, quantities => %L)', :'plain', given))
FROM unnest(ARRAY['{"shirt": -1}', '{"shirt": 0}', '{"shirt": 1.5}', '{"shirt": "1e1"}', '{"shirt": null}',
    '{"shirt": 10}', '{"shirt": 1e400}', '{"shirt": 2147483648}', '{"shirt": [1]}', '{"mug": 2}', '{"cup": 2}',
    '{"": 1}', '[]', '1', 'null', '"shirt"', '{"shirt": " 2"}', '{"shirt": "2"}', '{}']) WITH ORDINALITY
    AS g (given, n) ORDER BY n;
SELECT given, why(format('SELECT credits.checkout_session_create(''ann'', line_items => %L)', format('[%s]', given)))
FROM unnest(ARRAY['{"lookup_key": "mug", "quantity": -1}', '{"lookup_key": "mug", "quantity": "-1"}',
    '{"lookup_key": "mug", "quantity": 1e30}', '{"lookup_key": "mug", "quantity": true}',
    '{"lookup_key": "mug", "custom_amount": -5}', '{"lookup_key": "mug", "custom_amount": "NaN"}',
    '{"lookup_key": "mug", "custom_amount": 1e40}', '{"lookup_key": "mug", "tax_rate": -1}',
    '{"lookup_key": "mug", "tax_behavior": "none"}', '{"lookup_key": "mug", "metadata": 1}',
    '{"lookup_key": 7}', '{"lookup_key": "mug", "price_id": "mug"}',
    '{"lookup_key": "mug", "adjustable_quantity": {"minimum": -1}}']) WITH ORDINALITY AS g (given, n) ORDER BY n;

-- One currency.
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "shirt"},
    {"lookup_key": "shirt in euros"}]'')');
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "shirt"}]'',
    currency => ''EUR'')');
SELECT refused('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "shirt"}]'',
    currency => ''XXX'')');
SELECT refused(format('SELECT credits.checkout_session_update(''ann'', %L,
    line_items => ''[{"lookup_key": "shirt in euros"}]'')', :'plain'));
SELECT refused('SELECT credits.payment_link_create(''Both'', ''[{"lookup_key": "shirt"},
    {"lookup_key": "shirt in euros"}]'')');

-- Very much of it.
SELECT what, refused(call) FROM (VALUES
    (1, 'items', format('SELECT credits.checkout_session_create(''ann'', line_items => %L)',
        (SELECT jsonb_agg('{"lookup_key": "mug"}'::jsonb) FROM generate_series(1, 100000)))),
    (2, 'a key', format('SELECT credits.checkout_session_create(''ann'', line_items => %L)',
        jsonb_build_array(jsonb_build_object('lookup_key', repeat('x', 1000000))))),
    (3, 'digits', format('SELECT credits.checkout_session_create(''ann'', line_items => %L)',
        format('[{"lookup_key": "mug", "custom_amount": %s}]', repeat('9', 100000)))),
    (4, 'depth', format('SELECT credits.checkout_session_create(''ann'', line_items => %L)',
        format('[{"lookup_key": "mug", "metadata": {"a": %s1%s}}]', repeat('[', 1000), repeat(']', 1000)))),
    (5, 'quantities', format('SELECT credits.checkout_session_update(''ann'', %L, quantities => %L)', :'plain',
        (SELECT jsonb_object_agg('price ' || n, n) FROM generate_series(1, 100000) n))),
    (6, 'discounts', format('SELECT credits.checkout_session_create(''ann'', line_items => ''[{"lookup_key": "mug"}]'',
        discounts => %L)', (SELECT jsonb_agg('{"code": "MUGS"}'::jsonb) FROM generate_series(1, 100000)))),
    (7, 'a code', format('SELECT credits.checkout_session_apply_promotion_code(''ann'', %L, %L)', :'plain',
        repeat('X', 1000000))),
    (8, 'codes', format('SELECT credits.coupon_create(''x'', percent_off => 5, promotion_codes => %L)',
        (SELECT jsonb_agg(jsonb_build_object('code', 'C' || n)) FROM generate_series(1, 100000) n))),
    (9, 'currencies', format('SELECT credits.coupon_create(''x'', amount_off => 5, currency => ''USD'',
        currency_options => %L)', (SELECT jsonb_object_agg('C' || n, '{"amount_off": 1}'::jsonb)
                                   FROM generate_series(1, 100000) n))),
    (10, 'customers', format('SELECT credits.promotion_code_create(%L, ''X'', customer_ids => %L)',
        (SELECT coupon_id FROM credits.coupons LIMIT 1),
        (SELECT array_agg('c' || n) FROM generate_series(1, 100000) n))),
    (11, 'products', format('SELECT credits.coupon_create(''x'', percent_off => 5, applies_to_products => %L)',
        (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, 100000)))))
    AS v (n, what, call) ORDER BY n;
SELECT count(*) AS sessions, sum(amount_total) FROM credits.checkout_sessions WHERE customer_id = 'ann';
SELECT * FROM credits.verify();
