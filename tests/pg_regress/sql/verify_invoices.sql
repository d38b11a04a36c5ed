-- verify() sees each of these, broken on purpose.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT FROM credits.wallet_credit('ann', 100, 'USD');
SELECT invoice_id FROM credits.invoice_create('ann', format('[{"price_id": "%s"}, {"amount": 5}]', :'price_id')::jsonb,
    tax_rate => 19, auto_finalize => true) \gset paid_
SELECT status FROM credits.invoice_pay('ann', :'paid_invoice_id', 'wallet');
SELECT invoice_id FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'price_id')::jsonb,
    auto_finalize => true) \gset open_
SELECT status FROM credits.invoice_pay('ann', :'open_invoice_id', 'outside', 4, 'Cash', 'k');
SELECT status FROM credits.invoice_create('ann', '[{"amount": -7}]', 'USD', auto_finalize => true);
SELECT * FROM credits.verify();

CREATE FUNCTION pg_temp.broken(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE statement;
    SELECT array_agg(DISTINCT d.problem ORDER BY d.problem) INTO found FROM credits.verify('ann') d;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;

SELECT pg_temp.broken('UPDATE credits_internal.invoices SET total = total + 1');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_lines SET amount_excluding_tax = 1 WHERE amount = 5');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_lines SET tax = tax + 1 WHERE amount = 5');
SELECT pg_temp.broken('UPDATE credits_internal.invoices SET amount_due = amount_due + 1 WHERE amount_due > 0');
SELECT pg_temp.broken('UPDATE credits_internal.currencies SET decimals = 0');
SELECT pg_temp.broken('DELETE FROM credits_internal.invoice_payments WHERE paid_from = ''outside''');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_payments SET operation_id = gen_random_uuid()
                       WHERE paid_from = ''wallet''');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_lines SET grant_id = NULL');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_lines SET grant_id = gen_random_uuid() WHERE credits > 0');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_lines l SET grant_id = g.grant_id
                       FROM credits_internal.invoice_lines g WHERE g.grant_id IS NOT NULL AND l.credits > 0');
SELECT pg_temp.broken('DELETE FROM credits_internal.invoice_lines WHERE from_invoice_id IS NOT NULL');
SELECT pg_temp.broken('UPDATE credits_internal.invoice_numbers SET last_no = last_no + 1');
SELECT pg_temp.broken('DELETE FROM credits_internal.invoice_numbers');
SELECT pg_temp.broken('DELETE FROM credits_internal.invoices WHERE status = ''open''');
SELECT * FROM credits.verify();
