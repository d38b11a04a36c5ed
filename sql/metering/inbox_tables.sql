-- The inbox: usage on its way in, and what was rejected.

-- Where pipelines put usage, and nothing is refused. settle() drains it in the order of received_at, then of where
-- rows are: so no sequence decides, which a logical replica would not have. It has no index, which would cost more
-- than the row: see src/metering/inbox/cursor.rs.
CREATE TABLE credits.inbox (
    customer_id     text COLLATE "C",
    event_name      text COLLATE "C",
    value           numeric DEFAULT 1,
    identifier      text COLLATE "C",
    occurred_at     timestamptz,
    subscription_id text,
    source_data     jsonb,
    metadata        jsonb,
    received_at     timestamptz NOT NULL DEFAULT now(),
    member_id       text COLLATE "C"
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

COMMENT ON TABLE credits.inbox IS
'Usage on its way in: COPY or INSERT it here, naming the columns, and settle() or maintain() charges it in this order,
each row as report_meter_event would. Nothing is refused here: rows with an error are set aside (view
rejected_events), repeats are dropped.';
COMMENT ON COLUMN credits.inbox.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.inbox.event_name IS 'The meter.';
COMMENT ON COLUMN credits.inbox.value IS 'How much, in the meter''s unit; 1 where it is left out.';
COMMENT ON COLUMN credits.inbox.identifier IS
'The reporter''s own key of the event, unique per customer for ever.';
COMMENT ON COLUMN credits.inbox.occurred_at IS 'When the usage happened; left out or NULL: when the row was put in.';
COMMENT ON COLUMN credits.inbox.subscription_id IS 'The application''s own data.';
COMMENT ON COLUMN credits.inbox.source_data IS 'The application''s own data.';
COMMENT ON COLUMN credits.inbox.metadata IS 'The application''s own data; one key of it may decide the price.';
COMMENT ON COLUMN credits.inbox.received_at IS
'When the row was put in. It is charged as of then, or at the account''s time where that is later. Rows of one
transaction are charged in the order in which they are stored.';
COMMENT ON COLUMN credits.inbox.member_id IS 'The member whose usage it is; NULL for none.';

-- Where a publication has it, a row that is deleted is published whole.
ALTER TABLE credits.inbox REPLICA IDENTITY FULL;

-- What came out of it with an error.
CREATE TABLE credits_internal.inbox_rejected (
    rejected_id     uuid NOT NULL PRIMARY KEY,
    customer_id     text COLLATE "C",
    event_name      text COLLATE "C",
    value           numeric,
    identifier      text COLLATE "C",
    occurred_at     timestamptz,
    subscription_id text,
    source_data     jsonb,
    metadata        jsonb,
    received_at     timestamptz NOT NULL,
    error           text NOT NULL,
    message         text NOT NULL,
    rejected_at     timestamptz NOT NULL,
    member_id       text COLLATE "C"
);

COMMENT ON TABLE credits_internal.inbox_rejected IS
'Rows of the inbox that could not be charged, with the error. inbox_retry() puts them back, inbox_discard() deletes
them.';
COMMENT ON COLUMN credits_internal.inbox_rejected.rejected_id IS
'Made when it was put aside; in the order in which rows were.';
COMMENT ON COLUMN credits_internal.inbox_rejected.customer_id IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.event_name IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.value IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.identifier IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.occurred_at IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.subscription_id IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.source_data IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.metadata IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.received_at IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.error IS 'The code that report_meter_event would have raised.';
COMMENT ON COLUMN credits_internal.inbox_rejected.message IS 'The message with it.';
COMMENT ON COLUMN credits_internal.inbox_rejected.rejected_at IS 'When it was put aside.';
COMMENT ON COLUMN credits_internal.inbox_rejected.member_id IS 'As in the inbox.';

SELECT pg_catalog.pg_extension_config_dump('credits.inbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.inbox_rejected', '');
