-- Deposits: paid by card, from the wallet and from outside, and given back in parts.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
CREATE FUNCTION refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; more text;
BEGIN
    EXECUTE 'SELECT ' || call;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ': ' || regexp_replace(said, '[0-9a-f-]{36}', '…', 'g')
        || coalesce(' (' || (more::jsonb->>'state') || ')', '');
END $$;
CREATE FUNCTION stands(customer text, invoice uuid) RETURNS TABLE (paid numeric, returned numeric, asked numeric,
    returnable numeric, outside numeric) LANGUAGE sql AS $$
    SELECT amount, amount_returned, amount_returning, amount_returnable, amount_outside
    FROM credits.invoice_return_deposit_info(customer, invoice)
$$;

-- What is pending is not of it, and it grants no credits.
SELECT FROM credits.invoice_item_create('ann', 'USD', 3, 'for the next invoice');
SELECT FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'price_id')::jsonb,
    billing_reason => 'deposit');
SELECT invoice_id AS dep, payment_intent_id AS pi, billing_reason, total
FROM credits.invoice_create('ann', '[{"amount": 100, "description": "Deposit for a GPU"}]', 'USD',
    billing_reason => 'deposit', auto_finalize => true) \gset
\echo :billing_reason :total
SELECT * FROM stands('ann', :'dep');
SELECT refused(format('credits.invoice_return_deposit(%L, %L)', 'ann', :'dep'));

-- Ten from the wallet, 30 from outside, the rest by two payments of a provider.
SELECT FROM credits.credit_grant('ann', 10, 'USD', expires_at => '2026-05-01');
SELECT amount_remaining FROM credits.invoice_pay('ann', :'dep', 'wallet', 10);
SELECT amount_remaining FROM credits.invoice_pay('ann', :'dep', 'outside', 30, 'transfer 7');
SELECT contradiction FROM credits.payment_succeeded('ann', :'pi', 'stripe', 'pi_1', 20);
SELECT status FROM credits.payment_succeeded('ann', :'pi', 'stripe', 'pi_2', 40);
SELECT * FROM stands('ann', :'dep');
SELECT refused(format('credits.invoice_return_deposit(%L, %L, 70.01)', 'ann', :'dep'));
-- Fifty: the latest payment first, then the other. With a key it happens once.
SELECT amount_returned, amount_returning, amount_returnable, replayed
FROM credits.invoice_return_deposit('ann', :'dep', 50, 'returned_hardware', 'back');
SELECT amount_returned, amount_returning, amount_returnable, replayed
FROM credits.invoice_return_deposit('ann', :'dep', 50, 'returned_hardware', 'back');
SELECT amount, status, payment_reference, reason FROM credits.refunds WHERE customer_id = 'ann' ORDER BY refund_id;
SELECT count(*) AS requested FROM credits.outbox_rows WHERE customer_id = 'ann' AND type = 'refund.requested';
-- One is made, one fails: that can be given back again.
SELECT refunded FROM credits.payment_refunded('ann', :'pi', 'stripe', 're_1', 40, payment_reference => 'pi_2');
SELECT refund_id FROM credits.refunds WHERE status = 'pending' \gset
SELECT refunded FROM credits.payment_refund_failed('ann', :'pi', 'stripe', 're_2', refund_id => :'refund_id');
SELECT * FROM stands('ann', :'dep');
-- All that is left: of the card, and of the wallet, to the grant that paid, with its end.
SELECT amount_returned, amount_returning, amount_returnable FROM credits.invoice_return_deposit('ann', :'dep');
SELECT amount, remaining, expires_at::date FROM credits.grants WHERE customer_id = 'ann';
SELECT amount, status, payment_reference, reason FROM credits.refunds WHERE customer_id = 'ann' ORDER BY refund_id;
SELECT refused(format('credits.invoice_return_deposit(%L, %L)', 'ann', :'dep'));
SELECT status, amount_paid, amount_refunded FROM credits.invoices WHERE invoice_id = :'dep';
SELECT count(*) AS recognised FROM credits.revenue WHERE recognised <> 0;

-- An invoice that is none, one that is not there, and wrong arguments.
SELECT invoice_id AS other FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', auto_finalize => true) \gset
SELECT refused(format('credits.invoice_return_deposit_info(%L, %L)', 'ann', :'other'));
SELECT refused(format('credits.invoice_return_deposit(%L, %L)', 'ann', :'other'));
SELECT FROM credits.invoice_return_deposit_info('ann', '00000000-0000-0000-0000-000000000001');
SELECT FROM credits.invoice_return_deposit('ann', NULL);
SELECT FROM credits.invoice_return_deposit('ann', '00000000-0000-0000-0000-000000000001', 0);
SELECT * FROM credits.verify();
