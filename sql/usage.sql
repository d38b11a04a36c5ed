-- Usage: what is asked about it, what it costs, and how what was recorded or put into the inbox is settled. The work is in
-- src/metering/.

CREATE FUNCTION credits.pending_amount(customer_id text, currency text DEFAULT NULL)
RETURNS TABLE (currency text, pending numeric)
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pending_amount_wrapper';
COMMENT ON FUNCTION credits.pending_amount IS
'What a customer owes at this moment: usage that no credit covered yet, a row an account; with a currency exactly one row. Writes nothing. Raises PC008, PC013.';

CREATE FUNCTION credits.usage_summary(
    customer_id text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL, event_name text DEFAULT NULL,
    currency text DEFAULT NULL, subscription_id text DEFAULT NULL)
RETURNS TABLE (
    event_name text, currency text, unit text, total_quantity numeric, total_credits numeric, event_count bigint,
    canceled_credits numeric)
LANGUAGE c STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_summary_wrapper';
COMMENT ON FUNCTION credits.usage_summary IS
'A customer''s usage by occurred_at from start_at (included) to end_at (not included), NULL for no bound: a row a meter and currency. total_quantity: the events that are not taken back, aggregated as the meter does: values added up, counted, the last or the highest. total_credits: what the events were charged, paid, owed or unsettled, less what came back; canceled_credits: what of it stands with events that were taken back (see meter_event_stats). event_name, currency, subscription_id: only those. Writes nothing. Raises PC004, PC008, PC013.';

CREATE FUNCTION credits.meter_event_stats(
    event_name text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    granularity text DEFAULT 'day', customer_id text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS TABLE (
    bucket timestamptz, event_count bigint, total_value numeric, total_credits numeric, canceled_credits numeric)
LANGUAGE c STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_stats_wrapper';
COMMENT ON FUNCTION credits.meter_event_stats IS
'A meter''s usage over time, of one customer or (NULL) of all: a row for each ''minute'', ''hour'' or ''day'' (granularity; days begin in time_zone) that has events, by occurred_at from start_at (included) to end_at (not included). event_count: the events that are not taken back. total_value: what they come to, in the meter''s unit, as the meter aggregates them: values added up, counted, the last or the highest of the row''s time (of several at one moment the one reported last, as for the charge); of all customers each one''s last or highest, added up. total_credits: what the events of that time were charged, paid, owed or unsettled, less what came back. canceled_credits: what of total_credits stands with events that were taken back. One that was priced by itself leaves nothing. One that was priced with others of its period (tiers, last, max) leaves what those cost more, or below zero less, without it than they were charged when they came: so a day without events can have credits, and the days of a period add up to what the period costs. Reads the events of that time alone, or of that customer where those are fewer. Writes nothing. Raises PC004, PC013.';

CREATE FUNCTION credits.usage_price(
    event_name text, quantity numeric, metadata jsonb DEFAULT NULL, price_version integer DEFAULT NULL,
    price_class text DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_price_wrapper';
COMMENT ON FUNCTION credits.usage_price IS
'What a quantity of a meter''s usage costs, in credits, if nothing was used before: for an estimate or a hold. metadata: what an event with it would have, where that decides the price; or price_class, the name of the price itself. price_version: of the meter''s earlier prices; default today''s. Writes nothing. Raises PC004, PC007, PC013.';

CREATE FUNCTION credits.settle(batch_size integer DEFAULT 1000)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'settle_wrapper';
COMMENT ON FUNCTION credits.settle IS
'Settles one batch of usage that waits, at most batch_size events: rows of the inbox in their order, each charged as report_meter_event would have done when it was put in (received_at), or at the account''s time where something was posted to it since; dropped where it is a repeat, or put aside with its error; then events that deferred meters recorded, charged as of when they were reported. Returns how many it was, 0 when nothing waits. Waits for no other session longer than a moment: what needs an account or an identifier that one has stays for a later call, and a table that cannot be read for two seconds is an error (55P03). It is safe to run in several sessions at once: one of them drains the inbox, the others charge what deferred meters recorded, and say in a NOTICE that they were kept out of the inbox where there was nothing else (backlog.inbox_drained_by). An account that cannot be worked on is left alone for a while (backlog.failed_accounts; verify() lists them), and its rows of the inbox are put aside. CALL maintain() does it batch by batch. Raises PC013.';

CREATE FUNCTION credits.inbox_retry(rejected_ids uuid[] DEFAULT NULL, error text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM credits.inbox_rejected r
        WHERE ($1 IS NULL OR r.rejected_id = ANY ($1)) AND ($2 IS NULL OR r.error = $2)
        RETURNING r.*
    ), back AS (
        INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data,
                                   metadata, received_at)
        SELECT g.customer_id, g.event_name, g.value, g.identifier, g.occurred_at, g.subscription_id, g.source_data,
               g.metadata, g.received_at
        FROM gone g ORDER BY g.rejected_id
        RETURNING 1
    )
    SELECT count(*) FROM back
$$;
COMMENT ON FUNCTION credits.inbox_retry IS
'Puts rows that were put aside back into the inbox, as of when they were received, once what was wrong is put right: those of rejected_ids (NULL for all), with that error (NULL for any). Returns how many.';

CREATE FUNCTION credits.inbox_discard(rejected_ids uuid[])
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM credits.inbox_rejected r WHERE r.rejected_id = ANY ($1) RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION credits.inbox_discard IS 'Deletes rows that were put aside, for good: those of rejected_ids. Returns how many.';
