-- Top-ups, from their beginning to their payment: whatever is repeated, late or out of order, credits are granted once.
SET credits.test_clock = '2026-03-01 12:00';
-- What is refused, without the ids.
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g');
END $$;
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_update('USD', min_payment => 1, max_payment => 1000);
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD', time_to_live => '1 year') \gset
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.03);
SELECT FROM credits.configure_recharge('CREDIT', :'price_id', 'https://pay.example/?a={minor_units}&c={currency}&r={return_url}', 2);

-- By price: so many units. Credits come with the payment, not before.
SELECT top_up_id, status, replace(checkout_url, top_up_id::text, '…') AS checkout_url, expires_at, credits, credit_currency, amount,
       currency, rate, grant_id, replayed
FROM credits.top_up_create('u1', :'price_id', quantity => 2, return_url => 'https://app/?x', idempotency_key => 'k') \gset
SELECT :'status' AS status, :'checkout_url' AS checkout_url, :'expires_at' AS expires_at, :credits AS credits, :amount AS amount, :'replayed' AS replayed;
SELECT customer_id FROM credits_internal.customers;
SELECT available FROM credits.wallet_balance('u1', 'CREDIT');
SELECT top_up_id = :'top_up_id' AS same, status, replayed
FROM credits.top_up_create('u1', :'price_id', quantity => 2, idempotency_key => 'k');
SELECT credits.top_up_create('u1', :'price_id', idempotency_key => 'k');
\set VERBOSITY sqlstate
SELECT credits.top_up_create('u1', amount => 40, currency => 'USD', credit_currency => 'CREDIT', idempotency_key => 'k');
\set VERBOSITY default
SELECT credits.wallet_credit('u1', 40, idempotency_key => 'k');

SELECT status, credits, credit_currency, available, contradiction, replayed
FROM credits.payment_succeeded('u1', :'top_up_id', 'stripe', 'pi_1', 40);
SELECT status, available, contradiction, replayed
FROM credits.payment_succeeded('u1', :'top_up_id', 'stripe', 'pi_1', 40);
SELECT status, available, contradiction, replayed FROM credits.payment_succeeded('u1', :'top_up_id');
-- A second payment for it, a failure after the success: recorded, and nothing else.
SELECT status, available, contradiction, replayed
FROM credits.payment_succeeded('u1', :'top_up_id', 'stripe', 'pi_2', 40);
SELECT status, available, contradiction, replayed
FROM credits.payment_failed('u1', :'top_up_id', 'stripe', 'pi_1', 'card declined');
SELECT status, replayed FROM credits.top_up_expire('u1', :'top_up_id');
SELECT name, category, amount, cost_basis, granted_by, expires_at FROM credits.grants;
SELECT status, replayed FROM credits.top_up_create('u1', :'price_id', quantity => 2, idempotency_key => 'k');

-- By amount: at the rate of this moment, or its own; rounded down. Without a credit currency the money itself is counted.
SELECT credits, credit_currency, amount, currency, rate
FROM credits.top_up_create('u2', amount => 25, currency => 'USD', credit_currency => 'CREDIT');
SELECT credits, rate FROM credits.top_up_create('u2', amount => 25, currency => 'USD', credit_currency => 'CREDIT', rate => 0.02);
SELECT credits, credit_currency, rate FROM credits.top_up_create('u2', amount => 25, currency => 'USD');

-- Success after failure, after the expiry, and given up.
SELECT top_up_id FROM credits.top_up_create('u3', :'price_id') \gset
SELECT status, contradiction, replayed
FROM credits.payment_failed('u3', :'top_up_id', 'stripe', 'pi_3', 'card declined');
SELECT status, replayed FROM credits.payment_failed('u3', :'top_up_id', 'stripe', 'pi_3', 'card declined');
SELECT status, available, contradiction FROM credits.payment_succeeded('u3', :'top_up_id', 'stripe', 'pi_3');
SELECT top_up_id FROM credits.top_up_create('u3', :'price_id', expires_in => '1 hour', idempotency_key => 'late') \gset
SET credits.test_clock = '2026-03-01 13:00';
SELECT status FROM credits.top_ups WHERE top_up_id = :'top_up_id';
SELECT status, replayed FROM credits.top_up_create('u3', :'price_id', idempotency_key => 'late');
SELECT status FROM credits.top_up_expire('u3', :'top_up_id');
SELECT status, replayed FROM credits.top_up_expire('u3', :'top_up_id');
SELECT status, available, contradiction FROM credits.payment_succeeded('u3', :'top_up_id');

-- Less than was due grants nothing; more grants what was bought.
SELECT top_up_id FROM credits.top_up_create('u4', :'price_id') \gset
SELECT status, available, contradiction FROM credits.payment_succeeded('u4', :'top_up_id', 'stripe', 'pi_4', 19.99);
SELECT status, available, contradiction FROM credits.payment_succeeded('u4', :'top_up_id', 'stripe', 'pi_5', 20.01);
SELECT type, provider_reference, amount, contradiction FROM credits.payment_log WHERE customer_id = 'u4'
ORDER BY payment_id;

-- What customers owe is paid first.
SELECT FROM credits.meter_create('tokens');
SELECT pending FROM credits.report_meter_event('u4', 'tokens', 1500, 'owed');
SELECT top_up_id FROM credits.top_up_create('u4', :'price_id') \gset
SELECT available FROM credits.payment_succeeded('u4', :'top_up_id');

-- Wrong arguments.
SELECT credits.top_up_create(NULL, :'price_id');
SELECT credits.top_up_create('u5');
SELECT credits.top_up_create('u5', :'price_id', 5, 'USD');
SELECT credits.top_up_create('u5', :'price_id', quantity => 0);
SELECT credits.top_up_create('u5', :'price_id', quantity => 51);
SELECT credits.top_up_create('u5', '00000000-0000-0000-0000-000000000000');
SELECT credits.top_up_create('u5', amount => 25);
SELECT credits.top_up_create('u5', amount => 25, currency => 'EUR');
SELECT credits.top_up_create('u5', amount => 25, currency => 'CREDIT');
SELECT credits.top_up_create('u5', amount => 25.001, currency => 'USD');
SELECT credits.top_up_create('u5', amount => 0.5, currency => 'USD');
SELECT credits.top_up_create('u5', amount => 1, currency => 'USD', credit_currency => 'CREDIT');
SELECT credits.top_up_create('u5', amount => 1001, currency => 'USD');
SELECT credits.top_up_create('u5', amount => 25, currency => 'USD', credit_currency => 'NONE');
SELECT credits.top_up_create('u5', amount => 25, currency => 'USD', credit_currency => 'CREDIT', rate => 0);
SELECT credits.top_up_create('u5', amount => 25, currency => 'USD', credit_currency => 'CREDIT', rate => 1e9);
SELECT credits.top_up_create('u5', amount => 25, currency => 'USD', quantity => 2);
SELECT credits.top_up_create('u5', :'price_id', provider => 'nobody');
SELECT credits.top_up_create('u5', :'price_id', expires_in => '-1 hour');
SELECT credits.payment_succeeded('u5', '00000000-0000-0000-0000-000000000000');
SELECT refused(format('SELECT credits.payment_succeeded(''u5'', %L)', :'top_up_id'));
SELECT credits.payment_succeeded('u4', NULL);
SELECT credits.payment_succeeded('u4', :'top_up_id', amount => 1.001);
SELECT credits.payment_failed('u5', '00000000-0000-0000-0000-000000000000');
SELECT credits.top_up_expire('u5', '00000000-0000-0000-0000-000000000000');
SELECT count(*) FROM credits_internal.customers WHERE customer_id = 'u5';
SELECT customer_id, status, amount, currency, credits, credit_currency, paid_amount FROM credits.top_ups
ORDER BY created_at, top_up_id;
SELECT customer_id, type, payload - '{top_up_id,grant_id,refund_id,invoice_id,payment_intent_id}'::text[] AS payload
FROM credits.outbox_rows
ORDER BY customer_id, outbox_no;
SELECT * FROM credits.verify();
