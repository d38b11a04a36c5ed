-- Customers and currencies.
SELECT customer_id, name, email, metadata
FROM credits.customer_upsert('ada', 'Ada', 'ada@example.com', '{"plan": "pro"}');
-- NULL leaves a thing as it is.
SELECT customer_id, name, email, metadata FROM credits.customer_upsert('ada', email => 'a@example.com');
SELECT FROM credits.wallet_credit('ada', 5);
-- Forgetting the person keeps the ledger.
SELECT customer_id, erased_at IS NOT NULL AS erased FROM credits.customer_erase('ada');
SELECT name, email, metadata, erased_at IS NOT NULL AS erased FROM credits_internal.customers;
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
-- Again is a no-op.
SELECT a.erased_at = b.erased_at AS same FROM credits_internal.customers a, credits.customer_erase('ada') b;
-- Who comes back is known again.
SELECT name FROM credits.customer_upsert('ada', 'Ada again');
SELECT erased_at FROM credits_internal.customers;

SELECT * FROM credits.currency_create('USD', 'US dollar', 2, 'fiat', '$', '{"iso": 840}');
SELECT * FROM credits.currency_create('GPU_HOUR', decimals => 4);
SELECT * FROM credits.currency_update('USD', name => 'Dollar', min_payment => 5, max_payment => 500);
SELECT * FROM credits.currency_update('USD', min_payment => 'infinity', active => false);
SELECT * FROM credits.currency_update('USD', max_payment => 'infinity', active => true, kind => 'fiat');
SELECT credits.currency_update('USD', min_payment => 0.001);

-- A wallet has an account a currency.
SELECT FROM credits.wallet_credit('ada', 1.5, 'USD');
SELECT FROM credits.wallet_credit('ada', 2.25, 'GPU_HOUR');
SELECT currency, available FROM credits.wallet_balance('ada');
SELECT currency, available FROM credits.wallet_balance('ada', 'USD');
SELECT * FROM credits.wallet_balance('ada', 'CREDIT');
-- Zeros where there is nothing; no rows for all the currencies of nobody.
SELECT currency, available, restricted, held, pending FROM credits.wallet_balance('nobody', 'USD');
SELECT currency FROM credits.wallet_balance('nobody');

-- The default currency is a setting.
SET credits.default_currency = 'USD';
SELECT currency, available FROM credits.wallet_debit('ada', 0.5);
SET credits.default_currency = 'NONE';
SELECT credits.wallet_debit('ada', 0.5);
RESET credits.default_currency;

-- The application's role calls, and touches no table.
CREATE ROLE regress_customers_app IN ROLE credits_app;
SET ROLE regress_customers_app;
SELECT available FROM credits.wallet_debit('ada', 1);
SELECT count(*) FROM credits_internal.accounts;
SELECT credits.meter_create('mine');
RESET ROLE;
CREATE ROLE regress_customers_nobody;
SET ROLE regress_customers_nobody;
SELECT credits.wallet_debit('ada', 1);
RESET ROLE;
DROP ROLE regress_customers_app, regress_customers_nobody;

SELECT * FROM credits.verify();
