-- Which grants pay first.

CREATE TYPE credits.drawdown AS (
    grant_id uuid, amount numeric, remaining_after numeric, decided_by text, category text, priority integer,
    expires_at timestamptz);
COMMENT ON TYPE credits.drawdown IS 'A grant in the order of drawdown, as explain_drawdown() returns it.';
COMMENT ON COLUMN credits.drawdown.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.drawdown.amount IS 'How much the grant would pay.';
COMMENT ON COLUMN credits.drawdown.remaining_after IS 'What would remain of the grant.';
COMMENT ON COLUMN credits.drawdown.decided_by IS
'The first rule that puts the grant before the next: ''priority'', ''expires_at'', ''category'', ''effective_at'',
''age'' or ''only grant''.';
COMMENT ON COLUMN credits.drawdown.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.drawdown.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.drawdown.expires_at IS 'From when on its credits cannot be spent; NULL for never.';

CREATE FUNCTION credits.explain_drawdown(
    customer_id text, amount numeric, currency text DEFAULT NULL, event_name text DEFAULT NULL)
RETURNS SETOF credits.drawdown
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'explain_drawdown_wrapper';
COMMENT ON FUNCTION credits.explain_drawdown IS
'Shows which grants would pay a debit or an event at this moment, in order.

customer_id: the customer.
amount: how many credits the debit or the event costs.
currency: the currency; NULL for credits.default_currency.
event_name: the meter whose usage is to be paid; NULL for a plain debit.

It changes nothing, and raises what the spend itself would.

Raises PC001, PC003, PC004, PC005, PC007, PC008, PC013.
Example: SELECT grant_id, amount, remaining_after, decided_by FROM credits.explain_drawdown(''ann'', 250);';
