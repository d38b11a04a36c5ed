-- Reporting usage, one event or a batch.

CREATE TYPE credits.reported_event AS (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.reported_event IS 'An event and its charge, as report_meter_event() returns it.';
COMMENT ON COLUMN credits.reported_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.reported_event.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' where the meter is deferred, or ''recorded'' where it
is invoiced.';
COMMENT ON COLUMN credits.reported_event.consumed IS 'Credits paid for the event; below zero where credits came back.';
COMMENT ON COLUMN credits.reported_event.pending IS 'Credits still owed for the event.';
COMMENT ON COLUMN credits.reported_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled or recorded.';
COMMENT ON COLUMN credits.reported_event.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.report_meter_event(
    customer_id text, event_name text, value numeric DEFAULT 1, identifier text DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL, subscription_id text DEFAULT NULL, source_data jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.reported_event
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_event_2_wrapper';
COMMENT ON FUNCTION credits.report_meter_event IS
'Reports usage once per customer_id and identifier, for ever, and charges it.

customer_id: the customer.
event_name: the meter.
value: how much, in the meter''s unit; zero or more.
identifier: the reporter''s own key of the event, required, 1 to 255 characters.
occurred_at: when the usage happened; NULL for now. At most credits.event_max_future ahead and credits.event_max_age
  behind.
subscription_id: the application''s own subscription id.
source_data: the application''s own data: what the event was made of.
metadata: the application''s own data; keys of it may decide the price.
member_id: the member whose usage it is, whose limits it counts towards; NULL for none.

A repeat changes nothing and returns replayed = true. Where the meter''s settlement is ''invoice'' no wallet is charged,
and the view invoiced_events says where the event went.

PC001 is raised where the meter''s overage is ''reject'', or overdraft_limit would be exceeded; PC021 where a limit has
too little left, unless the meter is deferred: see the view limits; PC013 where the meter''s pricing has no price for
the event''s metadata and rejects such usage.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT status, consumed, available FROM credits.report_meter_event(''ann'', ''llm.tokens'', 2000,
  ''req-2'');';

CREATE TYPE credits.batch_event AS (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean, error text,
    message text);
COMMENT ON TYPE credits.batch_event IS 'One event of a batch, as report_meter_events() returns it.';
COMMENT ON COLUMN credits.batch_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.batch_event.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' where the meter is deferred, or ''recorded'' where it
is invoiced.';
COMMENT ON COLUMN credits.batch_event.consumed IS 'Credits paid for the event; below zero where credits came back.';
COMMENT ON COLUMN credits.batch_event.pending IS 'Credits still owed for the event.';
COMMENT ON COLUMN credits.batch_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled or recorded.';
COMMENT ON COLUMN credits.batch_event.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.batch_event.error IS
'The code of the error that the event alone would have raised; NULL for none.';
COMMENT ON COLUMN credits.batch_event.message IS 'The error message; NULL for none.';

CREATE FUNCTION credits.report_meter_events(
    customer_ids text[], event_names text[], event_values numeric[], identifiers text[],
    occurred_ats timestamptz[] DEFAULT NULL, all_or_nothing boolean DEFAULT false, member_ids text[] DEFAULT NULL)
RETURNS SETOF credits.batch_event
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_2_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

customer_ids: the customers.
event_names: the meters.
event_values: how much, in the meter''s unit.
identifiers: the reporter''s own keys of the events.
occurred_ats: when the usage happened; NULL, for one or for all, for now.
all_or_nothing: true raises the first error and writes nothing.
member_ids: the members whose usage it is; NULL, for one or for all, for none.

The arrays have one element per event. One bad event does not affect the others, nor does an account that cannot be
charged at all: its row has the error''s code (''PC004'' and so on) and message.

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT * FROM credits.report_meter_events(ARRAY[''ann'', ''ben''], ARRAY[''llm.tokens'', ''llm.tokens''],
  ARRAY[1200, 300], ARRAY[''req-2'', ''req-3'']);';

CREATE FUNCTION credits.report_meter_events(events jsonb, all_or_nothing boolean DEFAULT false)
RETURNS SETOF credits.batch_event
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_json_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(jsonb, boolean) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

events: a JSON array of objects with the keys customer_id, event_name, identifier, value (default 1; a number, or its
  digits as text), occurred_at (a time with its offset, like 2026-03-01T12:00:00Z; default now), subscription_id,
  source_data, metadata and member_id.
all_or_nothing: true raises the first error and writes nothing.

One bad event does not affect the others, nor does an account that cannot be charged at all: its row has the error''s
code and message (PC013 also for an unknown key).

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT * FROM credits.report_meter_events(
  ''[{"customer_id": "ann", "event_name": "llm.tokens", "value": 1200, "identifier": "req-2"}]'');';

CREATE TYPE credits_internal.due_event AS (identifier text, consumed numeric, pending numeric);
COMMENT ON TYPE credits_internal.due_event IS 'What due_events() returns.';
COMMENT ON COLUMN credits_internal.due_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits_internal.due_event.consumed IS 'Credits that were spent.';
COMMENT ON COLUMN credits_internal.due_event.pending IS 'Usage owed: not covered by credits yet.';

CREATE FUNCTION credits_internal.due_events(customer_id text, currency text)
RETURNS SETOF credits_internal.due_event
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_events_wrapper';
COMMENT ON FUNCTION credits_internal.due_events IS
'Returns an account''s events whose pending usage time has paid and nothing has posted yet.

For the view usage. Writes nothing.

customer_id: the customer.
currency: the currency of the account.

Raises PC013.';

-- What an event that was taken back still counts for is decided here alone.
CREATE VIEW credits_internal.events AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value,
       CASE WHEN x.identifier IS NULL OR e.period_key IS NOT NULL THEN e.consumed ELSE 0 END AS consumed, e.pending,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key,
       e.grant_id, x.identifier IS NOT NULL AS canceled, x.canceled_at, x.reason AS cancel_reason, x.returned,
       e.member_id, coalesce(a.value_before, e.value) AS reported_value
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN credits_internal.event_adjustments a ON a.customer_id = e.customer_id AND a.identifier = e.identifier
    AND a.adjustment_no = 1;
COMMENT ON VIEW credits_internal.events IS
'Meter events as posted, with their cancellation, and what was reported before any adjustment. For the view usage, and
the functions that read events.

consumed: credits paid for it; of a canceled event none, except that one priced with others of its period keeps what
  it changed of the period''s price.';

-- A number is named without zeros at its end, as prices by metadata take 1.0 and 1 for one: as in
-- src/metering/period/value.rs.
CREATE VIEW credits_internal.event_values AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.consumed, e.pending, e.occurred_at, e.subscription_id,
       e.price_version, e.period_key, e.canceled, split_part(e.period_key, ' ', 1) AS period,
       CASE WHEN octet_length(n.name) > 255 OR n.name LIKE 'sha256:%'
            THEN 'sha256:' || encode(sha256(convert_to(n.name, 'UTF8')), 'hex') ELSE n.name END
           COLLATE "C" AS value
FROM credits_internal.events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.unique_by IS NOT NULL
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(e.metadata -> m.unique_by)
                           WHEN 'number' THEN trim_scale((e.metadata ->> m.unique_by)::numeric)::text
                           WHEN 'string' THEN e.metadata ->> m.unique_by
                           WHEN 'boolean' THEN e.metadata ->> m.unique_by END AS name) n;
COMMENT ON VIEW credits_internal.event_values IS
'Events of meters that count different values, each with its value as usage_values has it. For verify(), and the
functions that sum usage up.';
