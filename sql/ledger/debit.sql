-- Debits.

CREATE TYPE credits.debit AS (
    operation_id uuid, currency text, debited numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.debit IS 'A debit, as wallet_debit() returns it.';
COMMENT ON COLUMN credits.debit.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.debit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.debit.debited IS 'How many credits were taken.';
COMMENT ON COLUMN credits.debit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.debit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_debit_2_wrapper';
COMMENT ON FUNCTION credits.wallet_debit IS
'Takes credits, all or nothing, from the usable grants in drawdown order.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.
member_id: the member who spends, whose limits it counts towards; NULL for none.

Where there are too few it is PC001, whose DETAIL has customer_id, currency, available, requested and shortfall.
wallet_try_debit() returns the shortfall instead. Where a limit has too little left it is PC021: see the view limits.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC021.
Example: SELECT debited, available FROM credits.wallet_debit(''ann'', 5, description => ''one picture'');';

CREATE TYPE credits.try_debit AS (
    ok boolean, shortfall numeric, operation_id uuid, currency text, debited numeric, available numeric,
    replayed boolean, reason text);
COMMENT ON TYPE credits.try_debit IS 'A debit or the shortfall, as wallet_try_debit() returns it.';
COMMENT ON COLUMN credits.try_debit.ok IS 'Whether the credits were taken.';
COMMENT ON COLUMN credits.try_debit.shortfall IS
'How many credits were missing, or how many too few the limit had left; 0 where none were.';
COMMENT ON COLUMN credits.try_debit.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.try_debit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.try_debit.debited IS 'How many credits were taken.';
COMMENT ON COLUMN credits.try_debit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.try_debit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.try_debit.reason IS
'Why nothing was taken: ''insufficient_credits'' or ''limit_exceeded''; NULL where it was.';

CREATE FUNCTION credits.wallet_try_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.try_debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_try_debit_2_wrapper';
COMMENT ON FUNCTION credits.wallet_try_debit IS
'Takes credits as wallet_debit() does, but returns ok = false where there are too few or a limit has too little left.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.
member_id: the member who spends, whose limits it counts towards; NULL for none.

With ok = false, shortfall is how many were missing or how many too few the limit has left, reason says which of the
two, nothing is taken, idempotency_key stays unused and the transaction goes on. Every other error is raised.

Raises PC002, PC003, PC007, PC008, PC013.
Example: SELECT ok, shortfall, available FROM credits.wallet_try_debit(''ann'', 5000);';
