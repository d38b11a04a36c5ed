-- What the inbox rejected.

CREATE FUNCTION credits.inbox_retry(rejected_ids uuid[] DEFAULT NULL, error text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM credits_internal.inbox_rejected r
        WHERE ($1 IS NULL OR r.rejected_id = ANY ($1)) AND ($2 IS NULL OR r.error = $2)
        RETURNING r.*
    ), back AS (
        INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, subscription_id,
            source_data,
                                   metadata, received_at, member_id)
        SELECT g.customer_id, g.event_name, g.value, g.identifier, g.occurred_at, g.subscription_id, g.source_data,
               g.metadata, g.received_at, g.member_id
        FROM gone g ORDER BY g.rejected_id
        RETURNING 1
    )
    SELECT count(*) FROM back
$$;
COMMENT ON FUNCTION credits.inbox_retry IS
'Puts rejected rows back into the inbox, as of when they were received, and returns how many.

rejected_ids: which rows; NULL for all.
error: only rows with this error code; NULL for any.

It is for rows whose cause has been put right. See the view rejected_events.

Example: SELECT credits.inbox_retry(error => ''PC004'');';

CREATE FUNCTION credits.inbox_discard(rejected_ids uuid[])
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM credits_internal.inbox_rejected r WHERE r.rejected_id = ANY ($1) RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION credits.inbox_discard IS
'Deletes rejected rows for good and returns how many.

rejected_ids: which rows.

See the view rejected_events.

Example: SELECT credits.inbox_discard(
  ARRAY(SELECT rejected_id FROM credits.rejected_events WHERE error = ''PC004''));';

CREATE VIEW credits.rejected_events AS
SELECT r.rejected_id, r.customer_id, r.event_name, r.value, r.identifier, r.occurred_at, r.subscription_id,
       r.source_data,
       r.metadata, r.received_at, r.error, r.message, r.rejected_at, r.member_id
FROM credits_internal.inbox_rejected r;
COMMENT ON VIEW credits.rejected_events IS
'Rows of the inbox that could not be charged, with the error that report_meter_event() would have raised.

inbox_retry() puts them back once that is put right, inbox_discard() deletes them.';
COMMENT ON COLUMN credits.rejected_events.rejected_id IS
'Its id, for inbox_retry() and inbox_discard(); ids are in the order of rejection.';
COMMENT ON COLUMN credits.rejected_events.customer_id IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.event_name IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.value IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.identifier IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.rejected_events.subscription_id IS 'The application''s own subscription id.';
COMMENT ON COLUMN credits.rejected_events.source_data IS 'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits.rejected_events.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.rejected_events.received_at IS 'When it was put into the inbox.';
COMMENT ON COLUMN credits.rejected_events.error IS 'The code that report_meter_event() would have raised.';
COMMENT ON COLUMN credits.rejected_events.message IS 'The error message.';
COMMENT ON COLUMN credits.rejected_events.rejected_at IS 'When it was rejected.';
COMMENT ON COLUMN credits.rejected_events.member_id IS 'The member whose usage it is; NULL for none.';
