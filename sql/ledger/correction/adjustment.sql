-- Corrections.

CREATE TYPE credits.adjustment AS (
    operation_id uuid, grant_id uuid, currency text, adjusted numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.adjustment IS 'A correction, as wallet_adjust() returns it.';
COMMENT ON COLUMN credits.adjustment.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.adjustment.grant_id IS 'The new grant; NULL where credits were taken.';
COMMENT ON COLUMN credits.adjustment.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.adjustment.adjusted IS 'The signed amount: above zero credits were added, below zero taken.';
COMMENT ON COLUMN credits.adjustment.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.adjustment.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_adjust(
    customer_id text, amount numeric, reason text, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.adjustment
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_adjust_wrapper';
COMMENT ON FUNCTION credits.wallet_adjust IS
'Corrects a balance for something that happened elsewhere.

customer_id: the customer.
amount: how many credits, signed. Above zero it adds a grant; below zero it takes available credits, and more than is
  available is PC001.
reason: above zero ''external_topup'' (a paid grant), ''gift'' or another (a promotional one). Below zero ''refund''
  (their price was paid back; ledger type ''refund''), ''charge'' (they were spent; ''debit'') or ''correction'' (they
  were never due; ''adjustment''). ''external_topup'' and ''gift'' only add. ''opening_balance'', for customers who come
  from another system, adds a paid grant, or below zero takes what there is and owes the rest: the next credits pay it.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
expires_at: until when the added credits can be spent; NULL for ever.
description: for people; the ledger line has it.
metadata: the application''s own data.

An opening balance is a fact, so it is recorded whatever overdraft_limit says. credit_grant() takes more particulars of
credits that are brought along, and history_import() brings the past along too.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.wallet_adjust(''ann'', 50, ''gift'', description => ''sorry for the outage'');';
