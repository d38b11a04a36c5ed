-- Transfers between customers.

CREATE TYPE credits.transfer AS (
    operation_id uuid, to_customer_id text, currency text, transferred numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.transfer IS 'A transfer, as wallet_transfer() returns it.';
COMMENT ON COLUMN credits.transfer.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.transfer.to_customer_id IS 'The recipient.';
COMMENT ON COLUMN credits.transfer.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.transfer.transferred IS 'How many credits were moved.';
COMMENT ON COLUMN credits.transfer.available IS 'What a plain debit of the sender may take afterwards.';
COMMENT ON COLUMN credits.transfer.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_transfer(
    customer_id text, to_customer_id text, amount numeric, currency text DEFAULT NULL,
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.transfer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_transfer_wrapper';
COMMENT ON FUNCTION credits.wallet_transfer IS
'Moves available credits to another customer, all or nothing, from the grants that a debit would draw on.

customer_id: the sender.
to_customer_id: the recipient, who is created where missing.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
description: for people; both ledger lines have it.
metadata: the application''s own data.

Each part arrives as a grant of its own with the category, priority, expiry, cost basis, name and metadata of the
grant that it came from. What the recipient owes is paid first.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.wallet_transfer(''ann'', ''ben'', 20);';
