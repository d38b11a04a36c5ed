-- Customers and currencies: the functions that programs call. The work is in src/ledger/customer.rs and currency.rs, and in
-- src/topup/erasure.rs.
--
-- In this and the files beside it: every function runs as the owner of the extension with a pinned search_path, so a
-- caller needs the right to call and no right on a table; none is STRICT, because a missing argument is PC013.

CREATE FUNCTION credits.customer_upsert(
    customer_id text, name text DEFAULT NULL, email text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT customer_id text, OUT name text, OUT email text, OUT metadata jsonb,
    OUT created_at timestamptz, OUT updated_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_upsert_wrapper';
COMMENT ON FUNCTION credits.customer_upsert IS
'Creates a customer or updates one. customer_id: the application''s own key, 1 to 255 characters. What is NULL stays as it is. Raises PC013.';

CREATE FUNCTION credits.customer_erase(
    customer_id text,
    OUT customer_id text, OUT erased_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_erase_wrapper';
COMMENT ON FUNCTION credits.customer_erase IS
'Forgets the person (name, email, metadata; payment methods, also in the outbox; addresses of purchases; what payment providers sent, and will send, why a payment failed included) and keeps the ledger. Switches auto-recharge off (outbox: ''recharge.disabled''): a request that no worker has begun is canceled. What the application wrote beside usage, spending and purchases stays: customer_metadata_clear. Again is a no-op that returns when it was done, and clears what came since. Raises PC003, PC013.';

CREATE FUNCTION credits.customer_metadata_clear(
    customer_id text,
    OUT cleared bigint, OUT waiting bigint)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_metadata_clear_wrapper';
COMMENT ON FUNCTION credits.customer_metadata_clear IS
'Clears what the application wrote beside a customer''s usage, spending, grants and purchases: metadata and source_data of meter events and of rejected rows of the inbox; metadata and descriptions of operations, holds and top-ups; metadata of grants; reasons of cancellations and voids. No amount, line, key or identifier is touched. Of an event''s metadata there stays the value that its price goes by, where the price names it. cleared: how many rows had something. waiting: rows of the inbox that wait to be charged and still have it, since it may decide their price: call again when they are settled. Locks the customer''s accounts until the transaction ends, and takes as long as there are events. Raises PC003, PC013.';

CREATE FUNCTION credits.currency_create(
    currency text, name text DEFAULT NULL, decimals integer DEFAULT 2, kind text DEFAULT 'credit',
    symbol text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT currency text, OUT name text, OUT decimals integer, OUT kind text, OUT symbol text, OUT active boolean,
    OUT min_payment numeric, OUT max_payment numeric, OUT metadata jsonb)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_create_wrapper';
COMMENT ON FUNCTION credits.currency_create IS
'Makes a currency: a credit unit (kind ''credit'') or money (kind ''fiat''). decimals: 0 to 18, fixed for ever. ''CREDIT'' with 6 decimals makes itself on first use. Raises PC013 (also where the currency exists).';

CREATE FUNCTION credits.currency_update(
    currency text, name text DEFAULT NULL, kind text DEFAULT NULL, symbol text DEFAULT NULL,
    active boolean DEFAULT NULL, min_payment numeric DEFAULT NULL, max_payment numeric DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    OUT currency text, OUT name text, OUT decimals integer, OUT kind text, OUT symbol text, OUT active boolean,
    OUT min_payment numeric, OUT max_payment numeric, OUT metadata jsonb)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_update_wrapper';
COMMENT ON FUNCTION credits.currency_update IS
'Changes all of a currency but its code and decimals. What is NULL stays; ''infinity'' removes min_payment or max_payment (in the currency itself). A currency that is not active takes no new grants, debits or usage (PC008). Raises PC007, PC008, PC013.';
