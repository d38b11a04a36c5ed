-- Accounts: their limits.

CREATE TYPE credits.account AS (
    customer_id text, currency text, overdraft_limit numeric, low_balance_threshold numeric);
COMMENT ON TYPE credits.account IS 'An account''s limits, as account_configure() returns them.';
COMMENT ON COLUMN credits.account.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.account.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.account.overdraft_limit IS 'The most usage that the account may owe; NULL for no limit.';
COMMENT ON COLUMN credits.account.low_balance_threshold IS
'The balance is low while less than this is available; NULL for none.';

CREATE FUNCTION credits.account_configure(
    customer_id text, currency text DEFAULT NULL, overdraft_limit numeric DEFAULT NULL,
    low_balance_threshold numeric DEFAULT NULL)
RETURNS credits.account
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'account_configure_wrapper';
COMMENT ON FUNCTION credits.account_configure IS
'Sets how much an account may owe, and when its balance is low. NULL leaves a value unchanged; ''infinity'' removes a
limit.

customer_id: the customer.
currency: the currency of the account; NULL for credits.default_currency.
overdraft_limit: the most usage that the account may owe, in credits, pending and on unpaid invoices. An event that
  would exceed it is refused in full (PC001).
low_balance_threshold: the balance is low while less than this many credits are available: see is_low of the view
  wallets.

Raises PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.account_configure(''ann'', overdraft_limit => 50, low_balance_threshold => 10);';
