-- A DEPOSIT
--
-- A studio lends cameras against a deposit. It is an invoice whose billing_reason is 'deposit': paid by card or from
-- the wallet, never revenue, and given back in one call, to where it came from.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-01 10:00+00';
SELECT currency FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
SELECT provider FROM credits.payment_provider_set('paystack', 'a secret of sixteen and more');
SELECT customer_id FROM credits.customer_upsert('nils', 'Nils Berg', 'nils@example.com');
-- What Paystack sends: an event, signed with HMAC-SHA512 of the body.
CREATE EXTENSION pgcrypto;
CREATE FUNCTION paystack(event text, data jsonb) RETURNS TABLE (outcome text, status text) LANGUAGE sql AS $$
    SELECT w.outcome, w.status
    FROM (SELECT jsonb_build_object('event', event, 'data', data)::text AS body) b,
         credits.webhook_receive('paystack', b.body,
                                 encode(hmac(b.body, 'a secret of sixteen and more', 'sha512'), 'hex')) w
$$;

-- 1. TAKEN
--
-- 300 for the camera. Nils has 50 in his wallet, from an earlier job; the rest he pays by card.
SELECT credited FROM credits.wallet_credit('nils', 50, 'EUR');
SELECT invoice_id, payment_intent_id, status, amount_remaining FROM credits.invoice_create('nils', '[{"amount": 300,
    "description": "Deposit, camera 12"}]', 'EUR', billing_reason => 'deposit', auto_finalize => true) \gset
\echo :status :amount_remaining
SELECT amount_remaining FROM credits.invoice_pay('nils', :'invoice_id', 'wallet', 50);
SELECT * FROM paystack('charge.success', jsonb_build_object('reference', 'T1', 'amount', 25000, 'currency', 'EUR',
    'metadata', jsonb_build_object('customer_id', 'nils', 'payment_intent_id', :'payment_intent_id')));
SELECT amount, amount_returned, amount_returnable FROM credits.invoice_return_deposit_info('nils', :'invoice_id');
-- It is nobody's revenue.
SELECT count(*) FROM credits.revenue WHERE currency = 'EUR' AND recognised > 0;

-- 2. GIVEN BACK
--
-- The camera comes back without its lens cap: 20 stay. What Paystack took goes back first, then what the wallet paid,
-- to the same grant.
SELECT amount_returned, amount_returning, amount_returnable
FROM credits.invoice_return_deposit('nils', :'invoice_id', 280, 'camera_returned', idempotency_key => 'camera 12 back');
SELECT available FROM credits.wallet_balance('nils', 'EUR');
-- The worker reads that a refund is requested, begins with it, and asks Paystack for it.
SELECT refund_id, amount, reason, status FROM credits.refunds \gset
\echo :amount :reason :status
SELECT go, minor_units, payment_reference FROM credits.refund_begin('nils', :'refund_id');
-- Days later Paystack says that it is done.
SELECT * FROM paystack('refund.processed', jsonb_build_object('id', 9, 'amount', 25000, 'currency', 'EUR',
    'transaction_reference', 'T1', 'metadata', jsonb_build_object('customer_id', 'nils', 'refund_id', :'refund_id')));
SELECT amount, amount_returned, amount_returning, amount_returnable
FROM credits.invoice_return_deposit_info('nils', :'invoice_id');

-- 3. NOTHING IS LOST
SELECT * FROM credits.verify();
