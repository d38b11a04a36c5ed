-- Coupons and promotion codes: what they say, what is refused, and what stays as it is once they were used.
SET credits.test_clock = '2026-05-01 09:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g')
                 FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail, hint]) s;
END $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT FROM credits.currency_create('JPY', decimals => 0, kind => 'fiat');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good') \gset
SELECT product_id AS mug FROM credits.product_create('Mug', 'good') \gset

-- Percent, an amount, or credits; with codes, or without.
\x on
SELECT coupon_id AS spring FROM credits.coupon_create('Spring', percent_off => 20, max_redemptions => 3,
    redeem_by => '2026-06-01Z', applies_to_products => ARRAY[:'shirt', :'mug', :'shirt']::uuid[],
    promotion_codes => '[{"code": "Spring20", "expires_at": "2026-05-20T00:00:00Z", "restrictions": {
        "minimum_amount": 10, "currency": "USD", "first_time_transaction": true}}, {"max_redemptions": 1}]',
    metadata => '{"a": 1}', idempotency_key => 'spring') \gset
SELECT name, description, percent_off, amount_off, currency, currency_options, credit_config, duration,
       duration_in_months, cardinality(applies_to_products) AS products, max_redemptions, max_redemptions_per_customer,
       redeem_by, times_redeemed, active, valid, used, metadata, created_at, updated_at, times_over_quota
FROM credits.coupons;
SELECT coupon_name, percent_off, amount_off, currency, active, description, max_redemptions, starts_at, expires_at,
       customer_ids, verification_type, restrictions, times_redeemed, valid, used, metadata, coupon_valid
FROM credits.promotion_codes WHERE code = 'Spring20';
\x off
SELECT code ~ '^[0-9A-HJKMNP-TV-Z]{12}$' AS is_random, max_redemptions FROM credits.promotion_codes
WHERE code <> 'Spring20';
SELECT coupon_id = :'spring' AS same, cardinality(promotion_codes) AS codes, replayed
FROM credits.coupon_create('Spring', percent_off => 20.00, max_redemptions => 3, redeem_by => '2026-06-01Z',
    applies_to_products => ARRAY[:'mug', :'shirt']::uuid[], promotion_codes => '[{"code": "Spring20",
    "expires_at": "2026-05-20T00:00:00Z", "restrictions": {"minimum_amount": "10.0", "currency": "USD",
    "first_time_transaction": true}}, {"max_redemptions": 1}]', idempotency_key => 'spring');
SELECT refused('SELECT credits.coupon_create(''Spring'', percent_off => 25, idempotency_key => ''spring'')');
SELECT coupon_id AS ten, amount_off, currency, currency_options, duration, duration_in_months
FROM credits.coupon_create('Ten', amount_off => 10, currency => 'USD', duration => 'repeating', duration_in_months => 3,
    currency_options => '[{"currency": "EUR", "amount_off": 9.50}, {"currency_id": "JPY", "amount_off": "1500"}]') \gset
SELECT name, amount_off, currency, currency_options, duration, duration_in_months FROM credits.coupons
WHERE coupon_id = :'ten';
SELECT coupon_id AS gift FROM credits.coupon_create('Gift', credit_config => '{"amount": 5, "valid_for": "30 days"}',
    promotion_codes => '[{"code": "GIFT5"}]') \gset
SELECT name, credit_config, max_redemptions_per_customer FROM credits.coupons WHERE coupon_id = :'gift';

-- One of them, and what belongs to it.
SELECT refused('SELECT credits.coupon_create(''x'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, amount_off => 5, currency => ''USD'')');
SELECT refused('SELECT credits.coupon_create(NULL, percent_off => 5)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 0)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 100.5)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => ''NaN'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, currency => ''USD'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5)');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => -5, currency => ''USD'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5.001, currency => ''USD'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5, currency => ''USB'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5, currency => ''USD'',
    currency_options => ''{"JPY": {"amount_off": 0.5}}'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5, currency => ''USD'',
    currency_options => ''{"EUR": {"amount": 5}}'')');
SELECT refused('SELECT credits.coupon_create(''x'', amount_off => 5, currency => ''USD'',
    currency_options => ''{"USD": {"amount_off": 5}}'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, duration => ''always'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, duration => ''repeating'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, duration_in_months => 5)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, duration => ''repeating'',
    duration_in_months => 0)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, applies_to_products => ''{}'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5,
    applies_to_products => ''{00000000-0000-0000-0000-000000000000}'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, max_redemptions => 0)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, max_redemptions_per_customer => -1)');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, redeem_by => ''2026-04-01Z'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, redeem_by => ''infinity'')');
SELECT refused('SELECT credits.coupon_create(''x'', credit_config => ''{"amount": 5}'', duration => ''forever'')');
SELECT refused('SELECT credits.coupon_create(''x'', credit_config => ''{"amount": 5, "rollover": {"percent": 5}}'')');
SELECT refused('SELECT credits.coupon_create(''x'', credit_config => ''{"amount": 0.0000001}'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, promotion_codes => ''{"code": "X"}'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, promotion_codes => ''[{"coupon_id": "X"}]'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5, promotion_codes => ''[{"code": "spring20"}]'')');
SELECT refused('SELECT credits.coupon_create(''x'', percent_off => 5,
    promotion_codes => ''[{"code": "TWICE"}, {"code": "twice"}]'')');
SELECT count(*) AS coupons FROM credits.coupons;

-- Codes of their own.
SELECT promotion_code_id AS friends, code, verification_type, customer_ids, valid, replayed
FROM credits.promotion_code_create(:'ten', 'Friends', customer_ids => '{ben, ann, ben}', starts_at => '2026-05-02Z',
    idempotency_key => 'friends') \gset
SELECT code, verification_type, customer_ids, starts_at, valid FROM credits.promotion_codes
WHERE promotion_code_id = :'friends';
SELECT promotion_code_id = :'friends' AS same, replayed FROM credits.promotion_code_create(:'ten', 'Friends',
    customer_ids => '{ann, ben}', starts_at => '2026-05-02Z', idempotency_key => 'friends');
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''Friends'', idempotency_key => ''friends'')', :'ten'));
SELECT verification_type FROM credits.promotion_code_create(:'ten', 'HOLDERS', verification_type => 'nft');
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''FRIENDS'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''MY FRIENDS'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, '''')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', verification_type => ''user_restricted'')',
    :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', customer_ids => ''{}'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', customer_ids => ''{ann, NULL}'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', verification_type => ''oath'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', max_redemptions => 0)', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', expires_at => ''2026-04-01Z'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', starts_at => ''2026-07-01Z'',
    expires_at => ''2026-07-01Z'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'',
    restrictions => ''{"minimum_amount": 5}'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'',
    restrictions => ''{"minimum_amount": 5, "currency": "USB"}'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'', restrictions => ''{"minimum": 5}'')', :'ten'));
SELECT refused(format('SELECT credits.promotion_code_create(%L, ''x'',
    restrictions => ''{"minimum_amount": 5, "currency": "USD"}'')', :'gift'));
SELECT refused('SELECT credits.promotion_code_create(''00000000-0000-0000-0000-000000000000'', ''x'')');
SELECT refused('SELECT credits.promotion_code_create(NULL, ''x'')');

-- Found by what people type.
SELECT code, coupon_name, amount_off, currency FROM credits.promotion_code_by_code(E' friends\t');
SELECT refused('SELECT credits.promotion_code_by_code(''FRIEND'')');
SELECT refused('SELECT credits.promotion_code_by_code(NULL)');

-- What nobody used changes, and NULL leaves.
SELECT name, percent_off, amount_off, currency, currency_options, duration, duration_in_months
FROM credits.coupon_update(:'ten', 'Ten percent', percent_off => 10);
SELECT percent_off, amount_off, currency, duration, duration_in_months
FROM credits.coupon_update(:'ten', amount_off => 10, currency => 'USD', duration => 'once');
SELECT cardinality(applies_to_products) AS products, max_redemptions, redeem_by
FROM credits.coupon_update(:'spring', applies_to_products => '{}', max_redemptions => -1, redeem_by => 'infinity');
SELECT valid FROM credits.coupon_update(:'spring', redeem_by => '2026-05-01 08:59Z');
SELECT valid, active FROM credits.coupon_update(:'spring', redeem_by => '2026-05-01 09:00Z', active => true);
SELECT active, valid FROM credits.coupon_update(:'spring', active => false, max_redemptions => 2);
SELECT active, valid, coupon_valid FROM credits.promotion_codes WHERE code = 'Spring20';
SELECT active, valid FROM credits.coupon_update(:'spring', active => true, redeem_by => 'infinity');
SELECT refused(format('SELECT credits.coupon_update(%L, currency => ''EUR'')', :'spring'));
SELECT refused(format('SELECT credits.coupon_update(%L, max_redemptions => 0)', :'spring'));
SELECT refused(format('SELECT credits.coupon_update(%L, credit_config => ''{"amount": 5}'')', :'spring'));
SELECT refused('SELECT credits.coupon_update(''00000000-0000-0000-0000-000000000000'', ''x'')');
SELECT customer_ids, verification_type, restrictions, starts_at, expires_at, valid
FROM credits.promotion_code_update(:'friends', customer_ids => '{cid}', restrictions => '{"minimum_amount": 20,
    "currency": "USD"}', starts_at => '-infinity', expires_at => '2026-09-01Z');
SELECT customer_ids, verification_type, restrictions, expires_at
FROM credits.promotion_code_update(:'friends', customer_ids => '{}', verification_type => 'code',
    restrictions => '{}', expires_at => 'infinity');
SELECT refused(format('SELECT credits.promotion_code_update(%L, verification_type => ''user_restricted'')',
    :'friends'));

-- A code that is switched off leaves its name to another.
SELECT active, valid FROM credits.promotion_code_archive(:'friends');
SELECT active FROM credits.promotion_code_archive(:'friends');
SELECT active FROM credits.promotion_code_by_code('friends');
SELECT promotion_code_id AS others FROM credits.promotion_code_create(:'gift', 'FRIENDS') \gset
SELECT active, coupon_name FROM credits.promotion_code_by_code('friends');
SELECT refused(format('SELECT credits.promotion_code_update(%L, active => true)', :'friends'));
SELECT code, active FROM credits.promotion_code_delete(:'others');
SELECT active FROM credits.promotion_code_update(:'friends', active => true);

-- Once it was used, what it gives is frozen, and it stays. Its limits change all the same.
SELECT credits.coupon_used(:'gift'), credits.promotion_code_used(promotion_code_id) AS code
FROM credits.promotion_code_by_code('gift5');
SELECT credits FROM credits.voucher_redeem('ann', 'gift5');
SELECT credits.coupon_used(:'gift'), credits.promotion_code_used(promotion_code_id) AS code
FROM credits.promotion_code_by_code('gift5');
SELECT refused(format('SELECT credits.coupon_update(%L, credit_config => ''{"amount": 6}'')', :'gift'));
SELECT refused(format('SELECT credits.coupon_update(%L, percent_off => 6)', :'gift'));
SELECT refused(format('SELECT credits.coupon_delete(%L)', :'gift'));
SELECT promotion_code_id AS gift5 FROM credits.promotion_code_by_code('gift5') \gset
SELECT refused(format('SELECT credits.promotion_code_update(%L,
    restrictions => ''{"first_time_transaction": true}'')', :'gift5'));
SELECT refused(format('SELECT credits.promotion_code_delete(%L)', :'gift5'));
SELECT name, max_redemptions, max_redemptions_per_customer, redeem_by, times_redeemed
FROM credits.coupon_update(:'gift', 'A gift', max_redemptions => 2, max_redemptions_per_customer => 2,
    redeem_by => '2026-08-01Z', credit_config => '{"amount": 5.0, "valid_for": "P30D"}');
SELECT max_redemptions, description, times_redeemed, customer_ids
FROM credits.promotion_code_update(:'gift5', max_redemptions => 1, description => 'one', customer_ids => '{ann}',
    verification_type => 'code');
SELECT refused('SELECT credits.coupon_used(NULL)');
SELECT refused('SELECT credits.coupon_used(''00000000-0000-0000-0000-000000000000'')');
SELECT refused('SELECT credits.promotion_code_used(''00000000-0000-0000-0000-000000000000'')');

-- What nobody used goes, with its codes.
SELECT name, active, valid, cardinality(promotion_codes) AS codes FROM credits.coupon_delete(:'spring');
SELECT refused('SELECT credits.promotion_code_by_code(''spring20'')');
SELECT refused(format('SELECT credits.coupon_delete(%L)', :'spring'));
SELECT count(*) FROM credits.promotion_codes WHERE coupon_id = :'spring';

-- What happened is in the events, without how often each was used, and without whom a code is for.
SELECT type, object_seq, data->'object'->>'name' AS name, data->'object'->>'code' AS code,
       regexp_replace(data->>'previous_attributes', '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g') AS before
FROM credits.billing_events WHERE object_type IN ('coupon', 'promotion_code')
    AND coalesce(data->'object'->>'code', '') !~ '^[0-9A-Z]{12}$'
ORDER BY event_id;
SELECT count(*) FROM credits.billing_events
WHERE object_type IN ('coupon', 'promotion_code') AND data::text ~ 'times_|customer_ids';
SELECT * FROM credits.verify();
