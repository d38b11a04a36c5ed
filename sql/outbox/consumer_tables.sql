-- Consumers of the outbox.

CREATE TABLE credits_internal.outbox_consumers (
    consumer   text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.outbox_consumers IS 'Who is handed rows of the outbox.';
COMMENT ON COLUMN credits_internal.outbox_consumers.consumer IS 'The name that its sessions share.';
COMMENT ON COLUMN credits_internal.outbox_consumers.created_at IS 'When it was created.';

CREATE TABLE credits_internal.outbox_positions (
    customer_id   text COLLATE "C" NOT NULL,
    consumer      text COLLATE "C" NOT NULL,
    acked_no      bigint NOT NULL DEFAULT 0,
    claimed_no    bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (customer_id, consumer)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.outbox_positions IS 'How far each consumer is with each customer.';
COMMENT ON COLUMN credits_internal.outbox_positions.customer_id IS 'With whose rows.';
COMMENT ON COLUMN credits_internal.outbox_positions.consumer IS 'Which consumer.';
COMMENT ON COLUMN credits_internal.outbox_positions.acked_no IS 'Up to which row all are acknowledged.';
COMMENT ON COLUMN credits_internal.outbox_positions.claimed_no IS 'Up to which row they are handed out.';
COMMENT ON COLUMN credits_internal.outbox_positions.claimed_until IS
'Until when nobody else of that consumer gets them.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_consumers', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_positions', '');
