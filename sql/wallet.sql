-- The wallet: the functions that programs call. The work is in src/ledger/ (balance.rs, debit.rs, grant.rs).

CREATE FUNCTION credits.wallet_balance(customer_id text, currency text DEFAULT NULL)
RETURNS TABLE (
    currency text, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric)
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_balance_wrapper';
COMMENT ON FUNCTION credits.wallet_balance IS
'What a customer has, right at this moment whether or not any job has run: a row an account, or with a currency exactly one row, zeros where there is nothing. available: what a plain debit may take. restricted: what only certain meters'' events may take. held: set aside. pending: usage not yet paid. next_expiry_at, next_expiry_amount: what is lost next, NULL where nothing expires. Writes nothing and runs on a standby. Raises PC008, PC013.';

CREATE FUNCTION credits.wallet_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT operation_id uuid, OUT currency text, OUT debited numeric, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_debit IS
'Guarded spend: takes amount credits, all or nothing, from the usable grants in drawdown order. available: what is left for plain debits. A repeat of idempotency_key returns the first debit with replayed = true. Raises PC001 (DETAIL: customer_id, currency, available, requested, shortfall), PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_try_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT ok boolean, OUT shortfall numeric,
    OUT operation_id uuid, OUT currency text, OUT debited numeric, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_try_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_try_debit IS
'wallet_debit without the error: where the credits are short it returns ok = false with the shortfall, writes nothing, leaves idempotency_key unused and the transaction going. Every other error is raised: PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_credit(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT grant_id uuid, OUT currency text, OUT credited numeric, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_credit_wrapper';
COMMENT ON FUNCTION credits.wallet_credit IS
'The plain "add credits": a grant that never expires, at priority 50, named by description. Pays pending usage first, so available may rise by less than credited. A repeat of idempotency_key returns the first with replayed = true. Raises PC002, PC007, PC008, PC013.';
