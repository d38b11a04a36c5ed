-- Billing events: what happened to customers, products, prices and invoices.

CREATE TABLE credits_internal.billing_events (
    event_id    uuid NOT NULL PRIMARY KEY,
    type        text NOT NULL,
    object_type text NOT NULL,
    object_id   text COLLATE "C" NOT NULL,
    object_seq  bigint NOT NULL CHECK (object_seq > 0),
    customer_id text COLLATE "C",
    data        jsonb,
    created_at  timestamptz NOT NULL,
    to_send     boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE credits_internal.billing_events IS
'What happened to each object of billing, for credits.event_retention.';
COMMENT ON COLUMN credits_internal.billing_events.event_id IS 'Its id, in the order of time.';
COMMENT ON COLUMN credits_internal.billing_events.type IS
'What happened: a name of src/outbox/billing_event/event_type.rs.';
COMMENT ON COLUMN credits_internal.billing_events.object_type IS
'What it happened to: as the type says it, in one word.';
COMMENT ON COLUMN credits_internal.billing_events.object_id IS 'Which one: its id as text; of a customer its key.';
COMMENT ON COLUMN credits_internal.billing_events.object_seq IS
'Its place among the object''s: from 1 without gaps. The oldest are deleted first.';
COMMENT ON COLUMN credits_internal.billing_events.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits_internal.billing_events.data IS
'The object after it, and what was before of what changed; NULL once the customer is erased.';
COMMENT ON COLUMN credits_internal.billing_events.created_at IS
'When it happened: of one object never before the last one.';
COMMENT ON COLUMN credits_internal.billing_events.to_send IS
'Whether an endpoint wants it, and no delivery is written yet.';

CREATE UNIQUE INDEX billing_events_of_object ON credits_internal.billing_events (object_type, object_id, object_seq);
CREATE INDEX billing_events_of_customer ON credits_internal.billing_events (customer_id, event_id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX billing_events_oldest ON credits_internal.billing_events (created_at, object_seq);
CREATE INDEX billing_events_to_send ON credits_internal.billing_events (created_at, object_seq) WHERE to_send;

-- Apart from the objects' own rows: an object may be gone, and its key come back.
CREATE TABLE credits_internal.billing_event_counters (
    object_type text NOT NULL,
    object_id   text COLLATE "C" NOT NULL,
    last_seq    bigint NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (object_type, object_id)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.billing_event_counters IS
'How many events each object ever had. It changes under the object''s own lock, so nobody waits for it.';
COMMENT ON COLUMN credits_internal.billing_event_counters.object_type IS 'What it is.';
COMMENT ON COLUMN credits_internal.billing_event_counters.object_id IS 'Which one.';
COMMENT ON COLUMN credits_internal.billing_event_counters.last_seq IS 'The number of the last.';
COMMENT ON COLUMN credits_internal.billing_event_counters.last_at IS 'When that was.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.billing_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.billing_event_counters', '');
