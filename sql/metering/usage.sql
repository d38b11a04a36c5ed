-- Usage: what it was, what it cost, what is owed.

CREATE TYPE credits.pending_usage AS (currency text, pending numeric);
COMMENT ON TYPE credits.pending_usage IS 'What is owed in a currency, as pending_amount() returns it.';
COMMENT ON COLUMN credits.pending_usage.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.pending_usage.pending IS 'Usage that is owed.';

CREATE FUNCTION credits.pending_amount(
    customer_id text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.pending_usage
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pending_amount_2_wrapper';
COMMENT ON FUNCTION credits.pending_amount IS
'Returns what is owed at this moment: usage that no credit covered yet, one row per currency.

customer_id: the customer; NULL for what all customers owe together.
currency: the currency; NULL for all.
subscription_id: only usage that was reported with this subscription; NULL for everything that is owed.

With a currency it returns exactly one row. With a subscription there is a row for each currency in which usage of it
is owed. What all customers owe is read from all accounts. It writes nothing. What is on an invoice is not among it:
see invoiced of wallets.

Raises PC008, PC013.
Example: SELECT * FROM credits.pending_amount(''ann'');';

CREATE TYPE credits.usage_total AS (
    event_name text, currency text, unit text, total_quantity numeric, total_credits numeric, event_count bigint,
    canceled_credits numeric);
COMMENT ON TYPE credits.usage_total IS 'A meter''s usage in a currency, as usage_summary() returns it.';
COMMENT ON COLUMN credits.usage_total.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_total.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_total.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage_total.total_quantity IS
'What the events add up to, as the meter aggregates, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_total.total_credits IS
'What the events were charged: paid, owed or unsettled, less what came back.';
COMMENT ON COLUMN credits.usage_total.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_total.canceled_credits IS 'The part of total_credits that stands with canceled events.';

CREATE FUNCTION credits.usage_summary(
    customer_id text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    event_name text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.usage_total
LANGUAGE c STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_summary_wrapper';
COMMENT ON FUNCTION credits.usage_summary IS
'Sums up a customer''s usage of a period: one row per meter and currency.

customer_id: the customer.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
event_name: only this meter; NULL for all.
currency: only this currency; NULL for all.
subscription_id: only this subscription; NULL for all.

total_quantity is what the events add up to as the meter aggregates: values added up, counted, the last or the
highest, or the different values of unique_by. It writes nothing.

Raises PC004, PC008, PC013.
Example: SELECT * FROM credits.usage_summary(''ann'', start_at => date_trunc(''month'', now()));';

CREATE FUNCTION credits.usage_price(
    event_name text, quantity numeric, metadata jsonb DEFAULT NULL, price_version integer DEFAULT NULL,
    price_class text DEFAULT NULL, customer_id text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL,
    override_no integer DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_price_2_wrapper';
COMMENT ON FUNCTION credits.usage_price IS
'Returns what a quantity of a meter''s usage costs, if nothing was used before: for an estimate or a hold.

event_name: the meter.
quantity: how much, in the meter''s unit.
metadata: what an event would have, where that decides the price.
price_version: one of the meter''s prices, earlier or later; NULL for that in force.
price_class: the name of the price, instead of metadata.
customer_id: whose usage, where the customer may have an override; NULL for the meter''s prices.
occurred_at: when the usage happens, which decides what is in force; NULL for now.
override_no: one of the customer''s overrides, in force or not, over that price; NULL for that in force, unless
  price_version is given.

It writes nothing. Usage that the pricing has no price for, and rejects, is PC013.

Raises PC004, PC007, PC013.
Example: SELECT credits.usage_price(''llm.tokens'', 2000);';

CREATE VIEW credits.usage AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, m.unit, e.value AS quantity,
       n.credits, n.consumed, n.pending,
       CASE WHEN e.canceled THEN 'canceled' WHEN u.identifier IS NOT NULL THEN 'unsettled'
            WHEN n.pending > 0 THEN 'pending' WHEN e.price_version <> 0 THEN 'processed'
            ELSE coalesce((SELECT CASE WHEN i.usage_record_summary_id IS NULL THEN 'recorded' ELSE 'invoiced' END
                           FROM credits_internal.invoiced_events i
                           WHERE i.customer_id = e.customer_id AND i.identifier = e.identifier), 'processed')
       END AS status,
       e.canceled_at, e.cancel_reason, e.returned,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at,
       nullif(e.price_version % 65536, 0) AS price_version, e.period_key,
       e.member_id, nullif(e.price_version / 65536, 0) AS override_no,
       f.currency AS fallback_currency, f.covered AS fallback_covered, f.amount AS fallback_consumed
FROM credits_internal.events e
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.event_fallbacks f ON f.customer_id = e.customer_id AND f.identifier = e.identifier
LEFT JOIN credits_internal.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                    AND u.created_at = e.created_at AND u.identifier = e.identifier
LEFT JOIN (SELECT x.customer_id, c.identifier, c.consumed, c.pending
           FROM credits_internal.accounts x CROSS JOIN LATERAL credits_internal.due_events(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock() AND x.pending > 0) d
       ON d.customer_id = e.customer_id AND d.identifier = e.identifier
CROSS JOIN LATERAL (SELECT e.consumed + e.pending AS credits,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.consumed, e.consumed) ELSE 0 END AS consumed,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.pending, e.pending) ELSE 0 END AS pending) n;
COMMENT ON VIEW credits.usage IS
'Meter events at this moment: the quantity, the credits that it cost, what of them is paid and what is owed.

Where period_key is not NULL the event is priced with others of its period: credits are what it changed of the
period''s price, below zero where credits came back. What the period costs is in usage_by_period.';
COMMENT ON COLUMN credits.usage.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.usage.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage.quantity IS 'How much, in the meter''s unit.';
COMMENT ON COLUMN credits.usage.credits IS 'Credits that the event cost; below zero where credits came back.';
COMMENT ON COLUMN credits.usage.consumed IS 'Credits paid for the event.';
COMMENT ON COLUMN credits.usage.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.usage.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' until a deferred event is charged, or ''canceled''. Of
a meter that is invoiced ''recorded'', and ''invoiced'' once the usage of its period is: see the view invoiced_events.';
COMMENT ON COLUMN credits.usage.canceled_at IS 'When the event was canceled; NULL otherwise.';
COMMENT ON COLUMN credits.usage.cancel_reason IS 'Why the event was canceled, as the caller said.';
COMMENT ON COLUMN credits.usage.returned IS 'Credits that came back when the event was canceled.';
COMMENT ON COLUMN credits.usage.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.usage.subscription_id IS 'The application''s own subscription id.';
COMMENT ON COLUMN credits.usage.source_data IS 'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits.usage.metadata IS 'The application''s own data; keys of it may decide the price.';
COMMENT ON COLUMN credits.usage.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits.usage.price_version IS
'The version of the meter''s prices; NULL where the customer had a price of their own.';
COMMENT ON COLUMN credits.usage.period_key IS
'The day, week, month, year or ''always'' that the event is priced in, as in the view usage_by_period; NULL where it is
priced by itself.';
COMMENT ON COLUMN credits.usage.member_id IS 'The member whose usage it is; NULL where the reporter named none.';
COMMENT ON COLUMN credits.usage.override_no IS
'The customer''s override of the meter''s prices (view price_overrides); NULL for none.';
COMMENT ON COLUMN credits.usage.fallback_currency IS
'The meter''s second currency, where it paid for the event; NULL where it did not.';
COMMENT ON COLUMN credits.usage.fallback_covered IS
'In currency: what the second currency covered of the price, beside credits.';
COMMENT ON COLUMN credits.usage.fallback_consumed IS
'In fallback_currency: what was paid for that; it came back where the event is canceled.';

CREATE VIEW credits.usage_by_period AS
SELECT u.customer_id, u.event_name, u.currency, m.unit, m.aggregation, m.period,
       u.period_key, nullif(u.period_start, '-infinity') AS period_start, u.quantity, u.event_count, u.credits,
       nullif(u.price_version % 65536, 0) AS price_version,
       nullif(u.price_class, '') AS price_class, nullif(u.price_version / 65536, 0) AS override_no,
       u.carried,
       coalesce(u.period_end,
                (nullif(u.period_start, '-infinity') AT TIME ZONE 'UTC' + ('1 ' || m.period)::interval)
                    AT TIME ZONE 'UTC') AS period_end
FROM credits_internal.usage_periods u LEFT JOIN credits_internal.meters m ON m.event_name = u.event_name;
COMMENT ON VIEW credits.usage_by_period IS
'Usage that is priced as one (last, max, unique, tiers, whole blocks): what its events add up to, and what that costs.

A sum, a count or unique has one row per price: price_version of the meter, and price_class where the events''
metadata decide.';
COMMENT ON COLUMN credits.usage_by_period.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_by_period.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_by_period.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_by_period.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage_by_period.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.usage_by_period.period IS
'''day'', ''week'', ''month'' or ''year''; NULL for one period for ever.';
COMMENT ON COLUMN credits.usage_by_period.period_key IS
'The day, week, month, year or ''always'', or where the period is not of the calendar in UTC, the moment at which it
begins; for a sum, a count or unique, together with the price that its events have.';
COMMENT ON COLUMN credits.usage_by_period.period_start IS
'When the period begins; NULL for one period for ever. Of a time zone, what date_trunc() says.';
COMMENT ON COLUMN credits.usage_by_period.quantity IS 'What the events add up to, in the meter''s unit.';
COMMENT ON COLUMN credits.usage_by_period.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_by_period.credits IS 'What the usage of the period costs.';
COMMENT ON COLUMN credits.usage_by_period.price_version IS
'The version of the meter''s prices; NULL where the customer had a price of their own.';
COMMENT ON COLUMN credits.usage_by_period.price_class IS
'The name of the price that the events'' metadata chose; NULL for the default.';
COMMENT ON COLUMN credits.usage_by_period.override_no IS
'The customer''s override of the meter''s prices (view price_overrides); NULL for none.';
COMMENT ON COLUMN credits.usage_by_period.carried IS
'What was used under the price before, where this one goes on from there: quantity is beyond that.';
COMMENT ON COLUMN credits.usage_by_period.period_end IS
'When the period ends, and the next one begins; NULL for one period for ever.';
