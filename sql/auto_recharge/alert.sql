-- Balance alerts.

CREATE TYPE credits.balance_alert AS (
    customer_id text, currency text, kind text, levels numeric[], reached integer);
COMMENT ON TYPE credits.balance_alert IS 'The alerts of an account''s balance, as balance_alert_set() returns them.';
COMMENT ON COLUMN credits.balance_alert.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.balance_alert.currency IS 'The currency of the account.';
COMMENT ON COLUMN credits.balance_alert.kind IS '''absolute'' or ''percent''.';
COMMENT ON COLUMN credits.balance_alert.levels IS 'The levels, highest first; empty where there are none any more.';
COMMENT ON COLUMN credits.balance_alert.reached IS 'How many of them the balance is at or below.';

CREATE FUNCTION credits.balance_alert_set(
    customer_id text, currency text DEFAULT NULL, levels numeric[] DEFAULT NULL, kind text DEFAULT NULL)
RETURNS credits.balance_alert
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'balance_alert_set_wrapper';
COMMENT ON FUNCTION credits.balance_alert_set IS
'Sets the levels of an account''s balance at which balance.alert is published, once per crossing.

customer_id: the customer.
currency: the currency of the account; NULL for credits.default_currency.
levels: at most 20 levels, required; they replace those of that kind. An empty array removes them.
kind: ''absolute'': credits. ''percent'': percent of what was available when credits last came in, or since, if that was
  more. NULL for ''absolute''. Both kinds may be set.

A level is reached once that much or less is available to plain debits. The outbox then has one row per level, in the
transaction that spent; the next one follows after the balance was above the level. A level that the balance is at
already is published at once. low_balance_threshold of account_configure() is beside it.

Raises PC003, PC007, PC008, PC013.
Example: SELECT levels, reached FROM credits.balance_alert_set(''ann'', levels => ''{100, 20}'');';

CREATE VIEW credits.balance_alerts AS
SELECT b.customer_id, b.currency, b.kind, b.levels, b.reached,
       CASE b.kind WHEN 'percent' THEN b.full_balance END AS full_balance
FROM credits_internal.balance_alerts b;
COMMENT ON VIEW credits.balance_alerts IS
'Levels of balances at which balance.alert is published, as posted.';
COMMENT ON COLUMN credits.balance_alerts.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.balance_alerts.currency IS 'The currency of the account.';
COMMENT ON COLUMN credits.balance_alerts.kind IS '''absolute'' or ''percent''.';
COMMENT ON COLUMN credits.balance_alerts.levels IS 'The levels, highest first: credits, or percent of full_balance.';
COMMENT ON COLUMN credits.balance_alerts.reached IS 'How many of them the balance is at or below.';
COMMENT ON COLUMN credits.balance_alerts.full_balance IS
'What was available when credits last came in, or since, if that was more; NULL where levels are absolute.';
