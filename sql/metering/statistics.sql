-- Usage over time.

CREATE TYPE credits.usage_bucket AS (
    bucket timestamptz, event_count bigint, total_value numeric, total_credits numeric, canceled_credits numeric);
COMMENT ON TYPE credits.usage_bucket IS 'The usage of a minute, hour or day, as meter_event_stats() returns it.';
COMMENT ON COLUMN credits.usage_bucket.bucket IS 'When the minute, hour or day begins.';
COMMENT ON COLUMN credits.usage_bucket.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_bucket.total_value IS
'What those events add up to, as the meter aggregates, in the meter''s unit.';
COMMENT ON COLUMN credits.usage_bucket.total_credits IS
'What the events were charged: paid, owed or unsettled, less what came back.';
COMMENT ON COLUMN credits.usage_bucket.canceled_credits IS
'The part of total_credits that stands with canceled events.';

CREATE FUNCTION credits.meter_event_stats(
    event_name text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    granularity text DEFAULT 'day', customer_id text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS SETOF credits.usage_bucket
LANGUAGE c STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_stats_wrapper';
COMMENT ON FUNCTION credits.meter_event_stats IS
'Returns a meter''s usage over time: one row per minute, hour or day that has events.

event_name: the meter.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
granularity: ''minute'', ''hour'' or ''day''.
customer_id: only this customer; NULL for all.
time_zone: the time zone that says where days begin.

total_value is what the events of the row add up to, as the meter aggregates: values added up, counted, the last or
the highest (of several at one moment the one reported last, as for the charge), or the different values of unique_by
in that minute, hour or day; for all customers, each one''s last, highest or number of values, added up.

canceled_credits is the part of total_credits that stands with canceled events. One that was priced by itself leaves
nothing. One that was priced with others of its period (tiers, last, max, unique) leaves what those cost more (or,
below zero, less) without it than they were charged when they came: so a day without events can have credits, and the
days of a period add up to what the period costs.

It writes nothing, and reads only the events of that time, or of that customer where those are fewer.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_event_stats(''llm.tokens'', now() - interval ''7 days'',
  granularity => ''hour'');';
