-- The plain way to add credits.

CREATE TYPE credits.credit AS (
    grant_id uuid, currency text, credited numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.credit IS 'Credits added, as wallet_credit() returns it.';
COMMENT ON COLUMN credits.credit.grant_id IS 'The new grant.';
COMMENT ON COLUMN credits.credit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.credit.credited IS 'How many credits were added.';
COMMENT ON COLUMN credits.credit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.credit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_credit(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.credit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_credit_wrapper';
COMMENT ON FUNCTION credits.wallet_credit IS
'Adds credits: a grant that never expires, at priority 50.

customer_id: the customer, who is created where missing.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
category: ''promotional'' or ''paid''.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
description: the name of the grant.
metadata: the application''s own data.

The credits pay pending usage first, so available may rise by less than was credited. For other terms see
credit_grant().

Raises PC002, PC007, PC008, PC013.
Example: SELECT credited, available FROM credits.wallet_credit(''ann'', 100, idempotency_key => ''order-17'');';
