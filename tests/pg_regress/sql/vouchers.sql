-- Vouchers: codes that give credits; what is refused and why; the log, and what verify() makes of it.
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
CREATE FUNCTION reason(customer text, code text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    PERFORM credits.voucher_redeem(customer, code);
    RETURN 'redeemed';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || coalesce(detail::jsonb->>'reason', SQLERRM);
END $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('COIN', decimals => 2);
SELECT FROM credits.meter_create('chat', currency => 'COIN');

-- It gives credits at once, under the terms of its coupon, to a customer who need not be there yet.
SELECT coupon_id AS gift FROM credits.coupon_create('Gift', credit_config => '{"amount": 7.5, "currency": "COIN",
    "valid_for": "30 days", "priority": 10, "applicable_meters": ["chat"], "name": "A gift"}',
    promotion_codes => '[{"code": "Gift"}]') \gset
SELECT grant_id AS given, code, currency, credits, expires_at, available, replayed
FROM credits.voucher_redeem('ann', ' gift ', 'key 1') \gset
SELECT :'code' AS code, :'currency' AS currency, :'credits' AS credits, :'expires_at' AS expires, :'available' AS left;
SELECT name, category, amount, remaining, priority, expires_at, applicable_meters, granted_by, cost_amount
FROM credits.grants WHERE grant_id = :'given';
SELECT type, amount FROM credits.ledger WHERE customer_id = 'ann';
SELECT grant_id = :'given' AS same, credits, replayed FROM credits.voucher_redeem('ann', 'GIFT', 'key 1');
SELECT refused('SELECT credits.voucher_redeem(''ann'', ''other'', ''key 1'')');

-- Once per customer, unless the coupon says otherwise.
SELECT reason('ann', 'Gift'), reason('ben', 'Gift'), reason('ben', 'Gift') AS again;
SELECT refused('SELECT credits.voucher_redeem(''ann'', ''Gift'')');
SELECT max_redemptions_per_customer FROM credits.coupon_update(:'gift', max_redemptions_per_customer => 2);
SELECT reason('ann', 'Gift'), reason('ann', 'Gift') AS again;
SELECT times_redeemed FROM credits.coupons WHERE coupon_id = :'gift';
SELECT customer_id, holder_type, code, amount, currency, status, over_quota, confirmed_at
FROM credits.coupon_redemptions(:'gift');
SELECT customer_id FROM credits.coupon_redemptions(:'gift', page_size => 1,
    after => (SELECT holder_id FROM credits.coupon_redemptions(:'gift', page_size => 1)));
SELECT count(*) FROM credits.coupon_redemptions(:'gift', 'subscription');
SELECT count(*) FROM credits.promotion_code_redemptions((SELECT promotion_code_id
    FROM credits.promotion_code_by_code('gift')));
SELECT refused(format('SELECT credits.coupon_redemptions(%L, ''invoice'')', :'gift'));
SELECT refused(format('SELECT credits.coupon_redemptions(%L, page_size => 0)', :'gift'));
SELECT refused('SELECT credits.coupon_redemptions(''00000000-0000-0000-0000-000000000000'')');
SELECT refused('SELECT credits.promotion_code_redemptions(''00000000-0000-0000-0000-000000000000'')');
SELECT customer_id, holder_type, log_no, action, code, amount, currency, created_at FROM credits.discount_log
ORDER BY customer_id, holder_id, log_no;

-- Every reason, each before those that come after it.
SELECT coupon_id AS all_of_them FROM credits.coupon_create('All', credit_config => '{"amount": 1}',
    max_redemptions => 1) \gset
SELECT promotion_code_id AS no FROM credits.promotion_code_create(:'all_of_them', 'NO', verification_type => 'attested',
    customer_ids => '{cid}', restrictions => '{"first_time_transaction": true}', starts_at => '2026-05-02Z',
    expires_at => '2026-05-03Z') \gset
SELECT FROM credits.invoice_create('dot', '[{"amount": 3}]', 'USD', auto_finalize => true);
SELECT FROM credits.invoice_pay('dot', (SELECT invoice_id FROM credits.invoices), 'outside', reference => 'cash');
SELECT FROM credits.promotion_code_archive(:'no');
SELECT reason('dot', 'no');
SELECT FROM credits.promotion_code_update(:'no', active => true);
SELECT FROM credits.coupon_update(:'all_of_them', active => false, redeem_by => '2026-05-01Z');
SELECT reason('dot', 'no');
SELECT FROM credits.coupon_update(:'all_of_them', active => true);
SELECT reason('dot', 'no');
SET credits.test_clock = '2026-05-03Z';
SELECT reason('dot', 'no');
SELECT FROM credits.promotion_code_update(:'no', expires_at => 'infinity');
SELECT reason('dot', 'no');
SELECT FROM credits.coupon_update(:'all_of_them', redeem_by => 'infinity');
SELECT FROM credits.voucher_redeem('cid', 'no', verification_data => '{"role": "holder"}',
    verification_method => 'wallet');
SELECT reason('dot', 'no');
SELECT FROM credits.coupon_update(:'all_of_them', max_redemptions => -1);
SELECT reason('cid', 'no');
SELECT reason('dot', 'no');
SELECT FROM credits.promotion_code_update(:'no', customer_ids => '{}');
SELECT reason('dot', 'no');
SELECT refused('SELECT credits.voucher_redeem(''dot'', ''NO'', verification_data => ''{}'')');
SELECT credits FROM credits.voucher_redeem('eve', 'NO', verification_data => '{}');
SELECT verification_method, verification_data FROM credits.coupon_redemptions(:'all_of_them')
WHERE customer_id = 'cid';

-- A code that takes something off gives no credits. Other wrong input.
SELECT FROM credits.coupon_create('Off', percent_off => 5, promotion_codes => '[{"code": "OFF"}]');
SELECT refused('SELECT credits.voucher_redeem(''ann'', ''off'')');
SELECT refused('SELECT credits.voucher_redeem(''ann'', ''nothing'')');
SELECT refused('SELECT credits.voucher_redeem(NULL, ''off'')');
SELECT refused('SELECT credits.voucher_redeem(''ann'', NULL)');
SELECT refused('SELECT credits.voucher_redeem(''ann'', '''')');
SELECT count(*) FROM credits.customers WHERE customer_id = 'fay';
SELECT reason('fay', 'off');
SELECT count(*) FROM credits.customers WHERE customer_id = 'fay';

-- Who used one has a history. An erased person leaves no proof, and no place among those that a code is for.
SELECT refused('SELECT credits.customer_delete(''eve'')');
SELECT promotion_code_id AS few FROM credits.promotion_code_create(:'gift', 'FEW', customer_ids => '{cid, gil}') \gset
SELECT FROM credits.customer_upsert('gil');
SELECT FROM credits.customer_delete('gil');
SELECT customer_ids FROM credits.promotion_codes WHERE code = 'FEW';
SELECT FROM credits.customer_erase('cid');
SELECT customer_ids FROM credits.promotion_codes WHERE code = 'FEW';
SELECT reason('cid', 'few'), reason('ann', 'few');
SELECT customer_ids FROM credits.promotion_code_update(:'few', description => 'nobody is left');
SELECT verification_method, verification_data FROM credits.coupon_redemptions(:'all_of_them')
WHERE customer_id = 'cid';
SELECT cleared FROM credits.customer_metadata_clear('eve');
SELECT verification_data FROM credits.coupon_redemptions(:'all_of_them') WHERE customer_id = 'eve';

-- verify() sees each of these, broken on purpose.
CREATE FUNCTION pg_temp.broken(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE statement;
    SELECT array_agg(DISTINCT d.problem ORDER BY d.problem) INTO found FROM credits.verify() d;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;
SELECT * FROM credits.verify();
SELECT * FROM credits.verify('ann');
SELECT pg_temp.broken('UPDATE credits_internal.coupon_counters SET taken = taken + 1 WHERE max_redemptions IS NULL
    AND taken > 2');
SELECT pg_temp.broken('UPDATE credits_internal.promotion_code_counters SET taken = taken + 1 WHERE taken > 2');
SELECT pg_temp.broken('DELETE FROM credits_internal.coupon_counters WHERE taken = 0');
SELECT pg_temp.broken('DELETE FROM credits_internal.promotion_code_counters WHERE taken = 0');
SELECT pg_temp.broken('UPDATE credits_internal.coupon_counters SET first_used_at = NULL WHERE taken > 2');
SELECT pg_temp.broken(format('UPDATE credits_internal.redemptions SET promotion_code_id = %L
    WHERE customer_id = ''eve''', :'few'));
SELECT pg_temp.broken('UPDATE credits_internal.redemptions SET amount = amount + 1 WHERE customer_id = ''eve''');
SELECT pg_temp.broken('UPDATE credits_internal.redemptions SET over_quota = true WHERE customer_id = ''eve''');
SELECT pg_temp.broken('UPDATE credits_internal.redemptions SET released_at = confirmed_at, confirmed_at = NULL
    WHERE customer_id = ''eve''');
SELECT pg_temp.broken('UPDATE credits_internal.discount_log SET action = ''released'' WHERE customer_id = ''eve''
    AND log_no = 2');
SELECT pg_temp.broken('DELETE FROM credits_internal.discount_log WHERE customer_id = ''eve'' AND log_no = 1');
SELECT pg_temp.broken('DELETE FROM credits_internal.redemptions WHERE customer_id = ''eve''');
SELECT pg_temp.broken('INSERT INTO credits_internal.discount_log SELECT customer_id, holder_id, 3, action, coupon_id,
    promotion_code_id, amount, currency, created_at FROM credits_internal.discount_log
    WHERE customer_id = ''eve'' AND log_no = 2');
-- The counters themselves refuse the impossible.
SELECT refused('UPDATE credits_internal.coupon_counters SET taken = -1');
SELECT refused('UPDATE credits_internal.coupon_counters SET max_redemptions = 1');

-- Emptied, a database of tests has its coupons again.
SET credits.production = off;
SELECT credits.reset();
SELECT name, times_redeemed, used FROM credits.coupons ORDER BY coupon_id;
SELECT count(*) FROM credits.discount_log;
SELECT * FROM credits.verify();
