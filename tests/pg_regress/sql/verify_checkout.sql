-- verify() sees each of these in checkout sessions and payment links, broken on purpose.
SET credits.test_clock = '2026-06-01 09:00:00+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT jsonb_build_array(jsonb_build_object('price_id', :'price_id', 'quantity', 2)) AS items \gset
SELECT FROM credits.configure_recharge('CREDIT', :'price_id');
SELECT checkout_session_id AS open FROM credits.checkout_session_create('ann', line_items => :'items',
    tax_rate => 19) \gset
SELECT checkout_session_id AS paid FROM credits.checkout_session_create('ann', line_items => :'items') \gset
SELECT FROM credits.checkout_session_submit('ann', :'paid');
SELECT FROM credits.payment_succeeded('ann', :'paid', 'stripe', 'pi_1', 20);
SELECT checkout_session_id AS sent FROM credits.checkout_session_create('ann', line_items => :'items') \gset
SELECT FROM credits.checkout_session_submit('ann', :'sent');
SELECT FROM credits.payment_processing('ann', :'sent', 'stripe', 'pi_2');
SELECT checkout_session_id AS over FROM credits.checkout_session_create('ann', line_items => :'items') \gset
SELECT FROM credits.checkout_session_submit('ann', :'over');
SELECT FROM credits.checkout_session_expire('ann', :'over');
SELECT * FROM credits.verify();

CREATE FUNCTION pg_temp.broken(statement text, VARIADIC ids text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE format('UPDATE credits_internal.checkout_sessions SET ' || statement
                   || ' WHERE checkout_session_id = ANY (%L)', ids);
    SELECT array_agg(DISTINCT d.problem ORDER BY d.problem) INTO found FROM credits.verify('ann') d;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;
CREATE FUNCTION pg_temp.breaking(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE statement;
    SELECT array_agg(DISTINCT d.problem ORDER BY d.problem) INTO found FROM credits.verify() d;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;

-- Complete without a payment, and paid without being complete.
SELECT pg_temp.broken('status = ''complete'', payment_status = ''paid'', completed_at = now()', :'open');
SELECT pg_temp.broken('status = ''open'', payment_status = ''unpaid'', completed_at = NULL', :'paid');
SELECT pg_temp.broken('payment_status = ''no_payment_required''', :'paid');
-- Another amount than its invoice's, than its lines', than its prices'.
SELECT pg_temp.broken('amount_total = amount_total + 1', :'paid');
SELECT pg_temp.broken('amount_tax = amount_tax + 1', :'open');
SELECT pg_temp.broken('line_items = jsonb_set(line_items, ''{0,quantity}'', ''3'')', :'open');
-- Over while its payment is alive, and under way while it is not.
SELECT pg_temp.broken('status = ''expired'', under_way = false', :'sent');
SELECT pg_temp.broken('under_way = true', :'open');
SELECT pg_temp.broken('status = ''open''', :'over');
-- An invoice of another.
SELECT pg_temp.breaking('UPDATE credits_internal.invoices SET checkout_session_id = gen_random_uuid()
                         WHERE status = ''paid''');
SELECT pg_temp.breaking('DELETE FROM credits_internal.checkout_sessions WHERE under_way');
-- What is sold, and nobody knows.
SELECT pg_temp.breaking('UPDATE credits_internal.payment_links
                         SET line_items = jsonb_set(line_items, ''{0,price_id}'', to_jsonb(gen_random_uuid()::text))');
SELECT pg_temp.breaking('DELETE FROM credits_internal.payment_links');
SELECT * FROM credits.verify();
