-- Credit transactions: what usage took from grants.

CREATE TYPE credits.transaction_total AS (
    event_name text, currency text, unit text, total_quantity numeric, total_credits numeric,
    transaction_count bigint);
COMMENT ON TYPE credits.transaction_total IS
'What a meter''s usage consumed in a currency, as credit_transaction_summary() returns it.';
COMMENT ON COLUMN credits.transaction_total.event_name IS 'The meter.';
COMMENT ON COLUMN credits.transaction_total.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.transaction_total.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.transaction_total.total_quantity IS
'The usage that was paid, in the meter''s unit: of an event that was paid in part, that part.';
COMMENT ON COLUMN credits.transaction_total.total_credits IS
'Credits that paid for usage, less those that came back.';
COMMENT ON COLUMN credits.transaction_total.transaction_count IS 'How many lines of the ledger paid.';

CREATE FUNCTION credits.credit_transaction_summary(
    customer_id text, event_name text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL,
    start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL)
RETURNS SETOF credits.transaction_total
LANGUAGE c STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_transaction_summary_wrapper';
COMMENT ON FUNCTION credits.credit_transaction_summary IS
'Sums up what a customer''s usage consumed in a period, without what is owed: one row per meter and currency.

customer_id: the customer.
event_name: only this meter; NULL for all.
currency: only this currency; NULL for all.
subscription_id: only usage that was reported with this subscription; NULL for all.
start_at: from when on (included), by effective_at of the ledger; NULL for no bound.
end_at: until when (not included); NULL for no bound.

It counts credits when they are paid: usage that was owed counts once credits pay it, usage that is taken back counts
against the period in which it is, and free usage does not count. So the periods of a customer add up. usage_summary()
counts usage by when it occurred, paid or not.

It shows what is posted, as wallet_history() does: CALL maintain() first to include what fell due meanwhile.

Raises PC004, PC008, PC013.
Example: SELECT * FROM credits.credit_transaction_summary(''ann'', start_at => date_trunc(''month'', now()));';
