-- The outbox: rows that other systems act on.

CREATE TABLE credits_internal.outbox (
    customer_id text COLLATE "C" NOT NULL,
    outbox_no   bigint NOT NULL,
    outbox_id   uuid NOT NULL,
    type        text NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (customer_id, outbox_no)
);

COMMENT ON TABLE credits_internal.outbox IS
'What other systems must act on: rows that some consumer has not acknowledged yet.';
COMMENT ON COLUMN credits_internal.outbox.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.outbox.outbox_no IS
'Its place among the customer''s, in the order in which they were committed.';
COMMENT ON COLUMN credits_internal.outbox.outbox_id IS 'What outbox_ack takes.';
COMMENT ON COLUMN credits_internal.outbox.type IS 'What happened.';
COMMENT ON COLUMN credits_internal.outbox.payload IS 'The particulars; amounts are strings of digits.';
COMMENT ON COLUMN credits_internal.outbox.created_at IS 'When it was written.';

CREATE INDEX outbox_oldest ON credits_internal.outbox (created_at);
CREATE INDEX outbox_by_id ON credits_internal.outbox (outbox_id);

CREATE TABLE credits_internal.outbox_counters (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY,
    last_no     bigint NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.outbox_counters IS 'How many rows of the outbox each customer ever had.';
COMMENT ON COLUMN credits_internal.outbox_counters.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.outbox_counters.last_no IS 'The number of the last.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_counters', '');
