-- Reports on grants.

CREATE TYPE credits.grant_summary AS (
    currency text, granted numeric, remaining numeric, usable_grants bigint, scheduled numeric,
    suspended numeric, usable_granted numeric, grants bigint, consumed numeric);
COMMENT ON TYPE credits.grant_summary IS
'A customer''s grants in one currency, as credit_grant_summary() returns them.';
COMMENT ON COLUMN credits.grant_summary.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_summary.granted IS 'Credits of all grants that ever took effect.';
COMMENT ON COLUMN credits.grant_summary.remaining IS
'What is left of the grants that can be spent from, not counting held credits.';
COMMENT ON COLUMN credits.grant_summary.usable_grants IS 'How many grants can be spent from.';
COMMENT ON COLUMN credits.grant_summary.scheduled IS 'Credits that take effect later.';
COMMENT ON COLUMN credits.grant_summary.suspended IS 'What is left of suspended grants; not in remaining.';
COMMENT ON COLUMN credits.grant_summary.usable_granted IS
'Credits of the grants that can be spent from, as they were granted.';
COMMENT ON COLUMN credits.grant_summary.grants IS 'How many grants ever took effect.';
COMMENT ON COLUMN credits.grant_summary.consumed IS 'What was spent of all grants, by now.';

CREATE FUNCTION credits.credit_grant_summary(customer_id text, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.grant_summary
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_summary_2_wrapper';
COMMENT ON FUNCTION credits.credit_grant_summary IS
'Sums up a customer''s grants, those that can be spent from beside all that there ever were: one row per currency.

customer_id: the customer.
subscription_id: only grants that usage of this subscription can draw on; NULL for all.

What a subscription uses are the meters that reported usage with its subscription_id. Its grants are those for any of
these meters, and those without applicable_meters. What rolled over is granted once. It writes nothing.

Raises PC013.
Example: SELECT * FROM credits.credit_grant_summary(''ann'');';

CREATE TYPE credits.grant_holder AS (
    customer_id text, currency text, balance numeric, available numeric, restricted numeric,
    usable_grants bigint, usable_granted numeric, holder_count bigint, total_balance numeric);
COMMENT ON TYPE credits.grant_holder IS 'A customer with a balance, as credit_grant_holders() returns it.';
COMMENT ON COLUMN credits.grant_holder.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.grant_holder.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_holder.balance IS 'Available and restricted credits at this moment.';
COMMENT ON COLUMN credits.grant_holder.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.grant_holder.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.grant_holder.usable_grants IS 'How many grants the customer can spend from.';
COMMENT ON COLUMN credits.grant_holder.usable_granted IS 'Credits of these grants, as they were granted.';
COMMENT ON COLUMN credits.grant_holder.holder_count IS
'How many customers have a balance in the currency, on all pages together.';
COMMENT ON COLUMN credits.grant_holder.total_balance IS 'What they have together.';

CREATE FUNCTION credits.credit_grant_holders(
    currency text DEFAULT NULL, page_size integer DEFAULT 50, after text DEFAULT NULL,
    after_balance numeric DEFAULT NULL)
RETURNS SETOF credits.grant_holder
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_holders_wrapper';
COMMENT ON FUNCTION credits.credit_grant_holders IS
'Lists customers with a balance at this moment, largest first.

currency: the currency; NULL for the largest of each currency, page_size of each.
page_size: 1 to 1,000 customers.
after: the customer_id of the last row of the previous page, within one currency; NULL for the first page.
after_balance: the balance of that row. Without it the customer''s present balance counts, and the page may skip or
  repeat customers where that has changed.

It writes nothing.

Raises PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.credit_grant_holders(''CREDIT'', page_size => 10);';

CREATE TYPE credits.grant_stats AS (
    currency text, day date, grants bigint, granted numeric, remaining numeric, consumed numeric);
COMMENT ON TYPE credits.grant_stats IS 'The grants of a day, or of all days, as credit_grant_stats() returns them.';
COMMENT ON COLUMN credits.grant_stats.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_stats.day IS 'The day in time_zone; NULL in the row for all of them.';
COMMENT ON COLUMN credits.grant_stats.grants IS 'How many grants were made.';
COMMENT ON COLUMN credits.grant_stats.granted IS 'The credits granted.';
COMMENT ON COLUMN credits.grant_stats.remaining IS 'What is left of them now.';
COMMENT ON COLUMN credits.grant_stats.consumed IS 'What was spent of them by now.';

CREATE FUNCTION credits.credit_grant_stats(
    currency text DEFAULT NULL, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    category text DEFAULT NULL, granted_by text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS SETOF credits.grant_stats
LANGUAGE c STABLE ROWS 30 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_stats_wrapper';
COMMENT ON FUNCTION credits.credit_grant_stats IS
'Counts the grants made in a period: per currency one row for all (day NULL), then one per day that had any.

currency: only this currency; NULL for all.
start_at: from when on (included); NULL for no bound.
end_at: until when (not included); NULL for no bound.
category: only this category; NULL for both.
granted_by: only grants by this one; NULL for all.
time_zone: the time zone that says where days begin.

Held, expired and voided credits are in neither remaining nor consumed; transferred credits count as consumed; what
arrived by a transfer is no grant of its own here. What went on by rollover is none either: it counts in remaining and
consumed, on the day on which it did. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.credit_grant_stats(''CREDIT'', now() - interval ''30 days'', now());';
