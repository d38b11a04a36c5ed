-- Meters and their events: the functions that programs call. The work is in src/metering/. Usage asked about, settled and put
-- in by pipelines: usage.sql.

CREATE FUNCTION credits.meter_create(
    event_name text, name text DEFAULT NULL, currency text DEFAULT NULL, unit_price numeric DEFAULT 1,
    aggregation text DEFAULT 'sum', unit text DEFAULT NULL, period text DEFAULT NULL,
    overage text DEFAULT 'pending', settlement text DEFAULT 'immediate', description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    OUT event_name text, OUT name text, OUT currency text, OUT unit_price numeric, OUT aggregation text,
    OUT unit text, OUT overage text, OUT active boolean, OUT period text, OUT settlement text, OUT pricing jsonb)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_create_wrapper';
COMMENT ON FUNCTION credits.meter_create IS
'Makes a meter: a billable kind of usage, found by its event_name. unit_price: credits for one unit, zero or more; or pricing instead: prices by block, tier or metadata, as docs/pricing.md has them. aggregation: what is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value by occurred_at, or the highest (''max''). period: what of it is priced together: the events of a ''day'' or a ''month'' (UTC), or all (NULL); it matters for last, max, tiers and whole blocks. All else is priced event by event. Rounded half away from zero to the currency''s decimals. overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001). settlement: ''immediate'' charges at once; ''deferred'' only records, locks nothing, and is charged by settle() as of the report: for sum and count, without tiers or whole blocks, overage ''pending''. Raises PC007, PC008, PC013 (also where the meter exists).';

CREATE FUNCTION credits.meter_update(
    event_name text, name text DEFAULT NULL, unit_price numeric DEFAULT NULL, unit text DEFAULT NULL,
    overage text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    OUT event_name text, OUT name text, OUT currency text, OUT unit_price numeric, OUT aggregation text,
    OUT unit text, OUT overage text, OUT active boolean, OUT period text, OUT settlement text, OUT pricing jsonb)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_update_wrapper';
COMMENT ON FUNCTION credits.meter_update IS
'Changes a meter; what is NULL stays. Another unit_price or pricing, one in the place of the other, is a new version: it holds for events reported from now on, whenever they occurred, and tiers begin anew; earlier events keep what they were charged. The same price again changes nothing. Currency, aggregation, period and settlement cannot be changed. Raises PC004, PC007, PC013.';

CREATE FUNCTION credits.meter_activate(event_name text, OUT event_name text, OUT active boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_activate_wrapper';
COMMENT ON FUNCTION credits.meter_activate IS 'Takes the meter''s events again. Again is a no-op. Raises PC004, PC013.';

CREATE FUNCTION credits.meter_deactivate(event_name text, OUT event_name text, OUT active boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_deactivate_wrapper';
COMMENT ON FUNCTION credits.meter_deactivate IS
'Refuses the meter''s new events from now on (PC005); repeats of earlier ones are still answered. Again is a no-op. Raises PC004, PC013.';

-- Sessions remember meters, their prices and currencies; this is how they learn of a change, by whatever hand: also by that of a
-- subscription, which fires only what is a row's and always enabled. TRUNCATE has no rows.
CREATE FUNCTION credits.forget_remembered() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'forget_remembered_wrapper';
COMMENT ON FUNCTION credits.forget_remembered IS
'Trigger: tells every session that a meter, a price or a currency changed. Changes nothing itself.';

CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits.meters
FOR EACH ROW EXECUTE FUNCTION credits.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits.meters
FOR EACH STATEMENT EXECUTE FUNCTION credits.forget_remembered();
ALTER TABLE credits.meters ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits.meter_prices
FOR EACH ROW EXECUTE FUNCTION credits.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits.meter_prices
FOR EACH STATEMENT EXECUTE FUNCTION credits.forget_remembered();
ALTER TABLE credits.meter_prices ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits.currencies
FOR EACH ROW EXECUTE FUNCTION credits.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits.currencies
FOR EACH STATEMENT EXECUTE FUNCTION credits.forget_remembered();
ALTER TABLE credits.currencies ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;

CREATE FUNCTION credits.meter_event_cancel(
    customer_id text, identifier text, reason text DEFAULT NULL,
    OUT identifier text, OUT status text, OUT consumed numeric, OUT pending numeric, OUT returned numeric,
    OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_cancel_wrapper';
COMMENT ON FUNCTION credits.meter_event_cancel IS
'Takes one event''s usage back: the event stays, with status ''canceled''. Priced by itself it costs nothing any more: what it owed is no longer owed; what grants paid for it comes back to them, newest draw first (returned), and pays what is owed otherwise; what comes back to a grant that has ended ends the same way at once. Priced with others of its period (last, max, tiers) it leaves what they add up to, and the period''s usage comes to cost less, or the same, or (a value that counts instead may be higher) more: consumed and pending are what stays with the event. reason is kept with it. Again is a no-op (replayed = true), and its identifier stays used. Raises PC007, PC013 (also for an identifier without an event).';

-- A type of its own and no OUT parameters: of those PostgreSQL makes a row's description anew for every call.
CREATE TYPE credits.reported_event AS (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.reported_event IS 'What report_meter_event returns.';

CREATE FUNCTION credits.report_meter_event(
    customer_id text, event_name text, value numeric DEFAULT 1, identifier text DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL, subscription_id text DEFAULT NULL, source_data jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.reported_event
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_event_wrapper';
COMMENT ON FUNCTION credits.report_meter_event IS
'Reports usage once per (customer_id, identifier) for ever and charges it. identifier: required, 1 to 255 characters. value: zero or more. occurred_at: default now, at most credits.event_max_future ahead and credits.event_max_age behind. status: ''processed'', ''pending'' while credits are owed, or ''unsettled'' where its meter is deferred. consumed: credits paid; below zero where its period (last, max, tiers) costs less by it and credits came back. pending: credits owed. available: NULL where the event is unsettled. A repeat changes nothing and returns replayed = true. Raises PC001 (overage ''reject'', overdraft_limit), PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013.';

CREATE FUNCTION credits.report_meter_events(
    customer_ids text[], event_names text[], event_values numeric[], identifiers text[],
    occurred_ats timestamptz[] DEFAULT NULL, all_or_nothing boolean DEFAULT false)
RETURNS TABLE (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean,
    error text, message text)
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean) IS
'Reports a batch of usage in one call: one row an event, in input order, each as if it had been reported alone. The arrays have one element an event; occurred_ats may be NULL for now. error, message: the code that the event alone would have raised (''PC004'' and so on) and what it says, NULL where there was none; one bad event does not lose the others, nor does one account that cannot be charged at all, unless all_or_nothing, which raises the first error and writes nothing. Raises PC013.';

CREATE FUNCTION credits.report_meter_events(events jsonb, all_or_nothing boolean DEFAULT false)
RETURNS TABLE (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean,
    error text, message text)
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_json_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(jsonb, boolean) IS
'Reports a batch of usage in one call: events is a JSON array of objects with the keys customer_id, event_name, identifier, value (default 1; a number, or its digits as a text), occurred_at (a time with its offset, like 2026-03-01T12:00:00Z; default now), subscription_id, source_data, metadata. One row an event, in input order, each as if it had been reported alone, with the error code and the message of those that were refused (PC013 also for a key that there is not), unless all_or_nothing, which raises the first error and writes nothing. Raises PC013.';
