-- Canceled events.

-- Usage that was taken back.
CREATE TABLE credits_internal.canceled_events (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    canceled_at timestamptz NOT NULL,
    reason      text,
    returned    numeric NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.canceled_events IS 'Events whose usage was taken back.';
COMMENT ON COLUMN credits_internal.canceled_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.canceled_events.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.canceled_events.canceled_at IS 'When it was taken back, at the account''s time.';
COMMENT ON COLUMN credits_internal.canceled_events.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.canceled_events.returned IS 'The credits that came back.';

ALTER TABLE credits_internal.canceled_events ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.canceled_events', '');
