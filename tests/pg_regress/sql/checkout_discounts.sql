-- Discounts of checkout sessions: a code or a coupon that is judged with each change and when the session is submitted,
-- reserved until it is paid or over, and used once it is paid.
SET credits.test_clock = '2026-06-01 09:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g') FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail]) s;
END $$;
CREATE VIEW used AS
SELECT r.customer_id, p.code, r.amount,
       CASE WHEN r.over_quota THEN 'over quota' WHEN r.confirmed_at IS NOT NULL THEN 'used'
            WHEN r.released_at IS NOT NULL THEN 'released' WHEN r.expires_at IS NULL THEN 'kept'
            ELSE 'reserved' END AS state
FROM credits_internal.redemptions r LEFT JOIN credits.promotion_codes p USING (promotion_code_id)
ORDER BY r.customer_id, r.holder_id;
CREATE FUNCTION cart(customer text, items jsonb, discounts jsonb DEFAULT NULL) RETURNS uuid LANGUAGE sql
RETURN (SELECT c.checkout_session_id FROM credits.checkout_session_create(customer, line_items => items,
    discounts => discounts, allow_promotion_codes => true) c);
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more',
    checkout_url_template => 'https://pay.example/{payment_intent_id}?amount={minor_units}');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good') \gset
SELECT price_id AS large FROM credits.price_create(:'shirt', unit_amount => 20, currency => 'USD',
    lookup_key => 'large', quantity_available => 3) \gset
SELECT price_id AS pack FROM credits.package_create('Pack of 100', 100, 10, 'USD') \gset
SELECT product_id AS pack_product FROM credits.prices WHERE price_id = :'pack' \gset
SELECT jsonb_build_array(jsonb_build_object('lookup_key', 'large', 'quantity', 1,
    'adjustable_quantity', '{"maximum": 2}'::jsonb), jsonb_build_object('price_id', :'pack')) AS both,
    jsonb_build_array(jsonb_build_object('price_id', :'pack')) AS one \gset
SELECT FROM credits.coupon_create('In spring', percent_off => 20, promotion_codes => '[{"code": "SPRING"}]');
SELECT coupon_id AS welcome FROM credits.coupon_create('Welcome', amount_off => 5, currency => 'USD',
    max_redemptions_per_customer => 1, promotion_codes => '[{"code": "FIRST", "restrictions": {"first_time_transaction":
    true}}]') \gset
SELECT FROM credits.coupon_create('Last one', percent_off => 50, max_redemptions => 1,
    promotion_codes => '[{"code": "LAST"}]');
SELECT FROM credits.coupon_create('Shirts', percent_off => 10, applies_to_products => ARRAY[:'shirt']::uuid[],
    promotion_codes => '[{"code": "SHIRTS"}]');
SELECT FROM credits.coupon_create('All', percent_off => 100, promotion_codes => '[{"code": "FREE"}]');
SELECT FROM credits.coupon_create('Europe', amount_off => 5, currency => 'EUR',
    promotion_codes => '[{"code": "EURO"}]');
SELECT FROM credits.coupon_create('Large carts', percent_off => 10, promotion_codes =>
    '[{"code": "LARGE", "restrictions": {"minimum_amount": 50, "minimum_amount_currency": "USD"}}]');
SELECT FROM credits.coupon_create('Old', percent_off => 10, redeem_by => '2026-06-02 00:00+00',
    promotion_codes => '[{"code": "OLD"}]');
SELECT FROM credits.coupon_create('Gift', credit_config => '{"amount": 5}', promotion_codes => '[{"code": "GIFT"}]');
SELECT FROM credits.customer_upsert('ann', tax_rate => 19);

-- A code is taken off both lines, before tax, and stays with what changes in the cart.
SELECT cart('ann', :'both') AS s \gset
SELECT amount_subtotal, amount_discount, amount_tax, amount_total, discounts->0->>'code' AS code,
       discounts->0->>'amount' AS amount
FROM credits.checkout_session_apply_promotion_code('ann', :'s', ' spring ');
SELECT item->>'amount' AS amount, item->>'amount_discount' AS discount, item->>'amount_tax' AS tax
FROM credits.checkout_sessions s, jsonb_array_elements(s.line_items) item WHERE s.checkout_session_id = :'s';
SELECT amount_subtotal, amount_discount, amount_tax, amount_total
FROM credits.checkout_session_update('ann', :'s', quantities => '{"large": 2}');
SELECT amount_discount, amount_total, discounts->0->>'code' AS code
FROM credits.checkout_session_apply_promotion_code('ann', :'s', 'SHIRTS');
SELECT refused(format('SELECT credits.checkout_session_update(''ann'', %L, line_items => %L)', :'s', :'one'));
SELECT amount_discount, amount_total, discounts, replayed
FROM credits.checkout_session_remove_promotion_code('ann', :'s');
SELECT replayed FROM credits.checkout_session_remove_promotion_code('ann', :'s');
SELECT amount_discount FROM credits.checkout_session_apply_promotion_code('ann', :'s', 'SPRING');
SELECT * FROM used;

-- Submitted, it is reserved; paid, it is used; and it is on the invoice.
SELECT status, amount_total, invoice_id AS i, checkout_url ~ 'amount=4760' AS asks_for_it
FROM credits.checkout_session_submit('ann', :'s') \gset
\echo :status :amount_total :asks_for_it
SELECT * FROM used;
SELECT refused(format('SELECT credits.checkout_session_remove_promotion_code(''ann'', %L)', :'s'));
SELECT replayed, amount_total FROM credits.checkout_session_submit('ann', :'s');
SELECT FROM credits.payment_succeeded('ann', :'s', 'stripe', 'pi_1', 47.60);
SELECT * FROM used;
SELECT i.status, i.subtotal, i.discount, i.tax, i.total, i.checkout_session_id = s.checkout_session_id AS its,
       i.coupon_id = s.coupon_id AS coupon, i.promotion_code_id = s.promotion_code_id AS code
FROM credits.invoices i JOIN credits.checkout_sessions s USING (invoice_id) WHERE invoice_id = :'i';
SELECT unit_amount, quantity, amount, discount FROM credits.invoice_lines WHERE invoice_id = :'i' ORDER BY amount DESC;
SELECT balance FROM credits.wallets WHERE customer_id = 'ann' AND currency = 'CREDIT';

-- Why a code is not good for a cart.
SELECT cart('bob', :'one') AS s \gset
SELECT c.code, refused(format('SELECT credits.checkout_session_apply_promotion_code(''bob'', %L, %L)', :'s', c.code))
FROM unnest(ARRAY['NONE', 'EURO', 'SHIRTS', 'LARGE', 'GIFT']) WITH ORDINALITY AS c (code, n) ORDER BY n;
SELECT checkout_session_id AS no_codes FROM credits.checkout_session_create('bob', line_items => :'one') \gset
SELECT refused(format('SELECT credits.checkout_session_apply_promotion_code(''bob'', %L, ''SPRING'')', :'no_codes'));
SELECT refused(format('SELECT cart(''bob'', %L, %L)', :'one', '[{"code": "FIRST"}, {"code": "SPRING"}]'));
SELECT refused(format('SELECT cart(''bob'', %L, %L)', :'one', '[{"cod": "FIRST"}]'));

-- A coupon without a code; a first purchase, which is not the first any more once another is paid.
SELECT amount_discount, amount_total FROM credits.checkout_session_create('bob', line_items => :'one',
    discounts => jsonb_build_array(jsonb_build_object('coupon', :'welcome')));
SELECT refused(format('SELECT credits.checkout_session_apply_promotion_code(''ann'', cart(''ann'', %L), ''FIRST'')',
    :'one'));
SELECT amount_discount, amount_total FROM credits.checkout_session_apply_promotion_code('bob', :'s', 'FIRST');
SELECT cart('bob', :'one', '[{"code": "FIRST"}]') AS again \gset
SELECT status FROM credits.checkout_session_submit('bob', :'s');
SELECT refused(format('SELECT credits.checkout_session_submit(''bob'', %L)', :'again'));
SELECT FROM credits.payment_succeeded('bob', :'s', 'stripe', 'pi_2', 5);
SELECT refused(format('SELECT credits.checkout_session_submit(''bob'', %L)', :'again'));

-- The last of a code: reserved by whoever submits first; after a payment that failed it is anybody's; the payment that
-- comes later is honoured, over quota.
SELECT cart('cat', :'one', '[{"code": "LAST"}]') AS cat, cart('dan', :'one', '[{"code": "LAST"}]') AS dan \gset
SELECT amount_total FROM credits.checkout_session_submit('cat', :'cat');
SELECT refused(format('SELECT credits.checkout_session_submit(''dan'', %L)', :'dan'));
SELECT FROM credits.payment_failed('cat', :'cat', 'stripe', 'pi_3', 'card_declined');
SELECT * FROM used WHERE code = 'LAST';
SELECT amount_total FROM credits.checkout_session_submit('dan', :'dan');
SELECT refused(format('SELECT credits.checkout_session_submit(''cat'', %L)', :'cat'));
SELECT FROM credits.payment_succeeded('cat', :'cat', 'stripe', 'pi_4', 5);
SELECT FROM credits.payment_processing('dan', :'dan', 'stripe', 'pi_5');
SELECT * FROM used WHERE code = 'LAST';
SELECT FROM credits.payment_succeeded('dan', :'dan', 'stripe', 'pi_5', 5);
SELECT * FROM used WHERE code = 'LAST';

-- All of it off: nothing to pay, and used at once. One that is over gives it back, and it is judged when it is
-- submitted.
SELECT cart('eve', :'one', '[{"code": "FREE"}]') AS s \gset
SELECT status, payment_status, amount_total, payment_intent_id FROM credits.checkout_session_submit('eve', :'s');
SELECT cart('eve', :'one', '[{"code": "SPRING"}]') AS over, cart('eve', :'one', '[{"code": "OLD"}]') AS old \gset
SELECT status FROM credits.checkout_session_submit('eve', :'over');
SELECT status FROM credits.checkout_session_expire('eve', :'over');
SELECT * FROM used WHERE customer_id = 'eve';
-- Paid after all, it is used after all.
SELECT status FROM credits.payment_succeeded('eve', :'over', 'stripe', 'pi_6', 8);
SELECT * FROM used WHERE customer_id = 'eve';
SELECT expires_at FROM credits.checkout_session_update('eve', :'old', expires_at => '2026-07-01 00:00+00');
SET credits.test_clock = '2026-06-02 09:00:00+00';
SELECT refused(format('SELECT credits.checkout_session_submit(''eve'', %L)', :'old'));
SELECT amount_discount FROM credits.checkout_session_remove_promotion_code('eve', :'old');

-- A cart that nobody submitted is paid: at what it was to cost. Its code is used, where there is one left.
SELECT cart('gus', :'one', '[{"code": "SPRING"}]') AS s \gset
SELECT status FROM credits.payment_succeeded('gus', :'s', 'stripe', 'pi_7', 8);
SELECT FROM credits.coupon_create('Few', percent_off => 50, max_redemptions => 1,
    promotion_codes => '[{"code": "FEW"}]');
SELECT cart('gus', :'one', '[{"code": "FEW"}]') AS s \gset
SELECT cart('hal', :'one', '[{"code": "FEW"}]') AS h \gset
SELECT status FROM credits.checkout_session_submit('hal', :'h');
SELECT status FROM credits.payment_succeeded('gus', :'s', 'stripe', 'pi_8', 5);
SELECT amount_discount, amount_total, payment_status, discounts->0->>'code' AS code FROM credits.checkout_sessions
WHERE customer_id = 'gus' ORDER BY checkout_session_id;
SELECT * FROM used WHERE customer_id IN ('gus', 'hal');

-- A payment that is under way keeps the code beyond the session's time; without one, others get it by its time alone.
SELECT FROM credits.payment_processing('hal', :'h', 'stripe', 'pi_9');
SELECT cart('ida', :'one', '[{"code": "SPRING"}]') AS i \gset
SELECT status FROM credits.checkout_session_submit('ida', :'i');
SET credits.test_clock = '2026-06-05 09:00:00+00';
SET credits.test_clock_drives_billing = on;
CALL credits.maintain();
SELECT * FROM used WHERE customer_id IN ('hal', 'ida');
SELECT refused(format('SELECT cart(''gus'', %L, ''[{"code": "FEW"}]'')', :'one'));

-- Paid late, when what was bought is gone: nothing is done, and the code is not used.
SELECT cart('jim', '[{"lookup_key": "large"}]', '[{"code": "SHIRTS"}]') AS j \gset
SELECT status FROM credits.checkout_session_submit('jim', :'j');
SELECT status FROM credits.checkout_session_expire('jim', :'j');
SELECT quantity_available FROM credits.price_inventory(:'large', 1, 'decrement');
SELECT status, contradiction FROM credits.payment_succeeded('jim', :'j', 'stripe', 'pi_10', 18);
CALL credits.maintain();
SELECT * FROM used WHERE customer_id = 'jim';

-- What an application vouches with is gone with the person.
SELECT FROM credits.checkout_session_create('fay', line_items => :'one', discounts => '[{"code": "SPRING",
    "verification_method": "card", "verification_data": {"number": 7}}]');
SELECT verification_method, verification_data FROM credits_internal.checkout_sessions WHERE customer_id = 'fay';
SELECT FROM credits.customer_erase('fay');
SELECT verification_method, verification_data FROM credits_internal.checkout_sessions WHERE customer_id = 'fay';

-- verify() sees a discount that is not its invoice's, or not used by what is paid.
SELECT * FROM credits.verify();
CREATE FUNCTION pg_temp.broken(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE statement;
    SELECT array_agg(DISTINCT d.problem ORDER BY d.problem) INTO found FROM credits.verify() d;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;
SELECT pg_temp.broken('UPDATE credits_internal.checkout_sessions SET coupon_id = gen_random_uuid()
    WHERE coupon_id IS NOT NULL AND status = ''complete''');
SELECT pg_temp.broken('UPDATE credits_internal.checkout_sessions SET amount_off = amount_off + 1
    WHERE status = ''open''');
SELECT pg_temp.broken('UPDATE credits_internal.redemptions SET confirmed_at = NULL, over_quota = false
    WHERE customer_id = ''ann''');
SELECT pg_temp.broken('UPDATE credits_internal.invoices SET promotion_code_id = NULL WHERE customer_id = ''ann''');
