-- Guarded spend.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.wallet_credit('ada', 10);

SELECT currency, debited, available, replayed FROM credits.wallet_debit('ada', 2.5, description => 'a picture');
SELECT currency, debited, available FROM credits.wallet_debit('ada', amount => 7.5, metadata => '{"job": 1}');

-- All or nothing: the code and the values for programs, a sentence for people.
\set VERBOSITY verbose
SELECT credits.wallet_debit('ada', 0.1);
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE

-- Without the error.
SELECT FROM credits.wallet_credit('ada', 3);
SELECT * FROM credits.wallet_try_debit('ada', 5);
SELECT ok, shortfall, debited, available FROM credits.wallet_try_debit('ada', 3);

-- The caller's transaction and the debit commit or fail as one.
SELECT FROM credits.wallet_credit('ada', 5);
CREATE TABLE jobs (id int);
BEGIN;
INSERT INTO jobs VALUES (1);
SELECT available FROM credits.wallet_debit('ada', 5);
ROLLBACK;
SELECT count(*) AS jobs, (SELECT available FROM credits.wallet_balance('ada', 'CREDIT')) FROM jobs;

-- … savepoints too.
BEGIN;
SELECT available FROM credits.wallet_debit('ada', 1, idempotency_key => 'kept');
SAVEPOINT s;
SELECT available FROM credits.wallet_debit('ada', 1, idempotency_key => 'lost');
SELECT credits.wallet_debit('ada', 100);
ROLLBACK TO s;
SELECT available FROM credits.wallet_debit('ada', 1);
COMMIT;
SELECT idempotency_key, amount FROM credits_internal.operations WHERE idempotency_key IS NOT NULL;

-- A customer with no credits in that currency, and one that was never made.
SELECT FROM credits.customer_upsert('new');
SELECT credits.wallet_debit('new', 1);
SELECT credits.wallet_debit('nobody', 1);
SELECT * FROM credits.wallet_try_debit('nobody', 1);

-- Called in one statement for many customers.
SELECT FROM generate_series(1, 3) i, credits.wallet_credit('many_' || i, 10);
SELECT customer_id, d.available FROM credits_internal.customers, LATERAL credits.wallet_debit(customer_id, 1) d
WHERE customer_id LIKE 'many%' ORDER BY 1;

SELECT * FROM credits.verify();

-- A refusal makes no account.
SELECT FROM credits.customer_upsert('bare');
SELECT ok, shortfall FROM credits.wallet_try_debit('bare', 1);
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT identifier, consumed, error FROM credits.report_meter_events('{bare,bare}', '{strict,strict}', '{1,0}', '{a,b}');
SELECT count(*) AS accounts FROM credits_internal.accounts WHERE customer_id = 'bare';
SELECT * FROM credits.verify();
