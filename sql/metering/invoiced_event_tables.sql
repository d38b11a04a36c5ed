-- Events of meters that are invoiced, and what took each.

CREATE TABLE credits_internal.invoiced_events (
    customer_id             text COLLATE "C" NOT NULL,
    identifier              text COLLATE "C" NOT NULL,
    event_name              text COLLATE "C" NOT NULL,
    quantity                numeric NOT NULL CHECK (quantity >= 0),
    counted                 text COLLATE "C",
    occurred_at             timestamptz NOT NULL,
    created_at              timestamptz NOT NULL,
    usage_record_summary_id uuid,
    closing_no              integer CHECK (closing_no > 0),
    PRIMARY KEY (customer_id, identifier),
    CONSTRAINT invoiced_events_taken CHECK ((usage_record_summary_id IS NULL) = (closing_no IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.invoiced_events IS
'Events of meters whose settlement is invoice, which have a row in meter_events too. A subscription takes those that it
can see, under its customer''s lock, as the usage of a period closes: what commits later is left for the next closing.';
COMMENT ON COLUMN credits_internal.invoiced_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoiced_events.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.invoiced_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits_internal.invoiced_events.quantity IS
'What it counts as: its value, or one where the meter counts events or different values.';
COMMENT ON COLUMN credits_internal.invoiced_events.counted IS
'Where the meter counts different values: which it has, as in usage_values.';
COMMENT ON COLUMN credits_internal.invoiced_events.occurred_at IS 'When the usage happened.';
COMMENT ON COLUMN credits_internal.invoiced_events.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits_internal.invoiced_events.usage_record_summary_id IS
'The period of a subscription''s item that took it; NULL for none yet.';
COMMENT ON COLUMN credits_internal.invoiced_events.closing_no IS 'And the closing of that.';

-- What waits to be taken.
CREATE INDEX invoiced_events_waiting ON credits_internal.invoiced_events (customer_id, event_name, occurred_at)
    WHERE usage_record_summary_id IS NULL;
-- Which values a period has counted.
CREATE INDEX invoiced_events_counted
    ON credits_internal.invoiced_events (customer_id, usage_record_summary_id, counted)
    WHERE counted IS NOT NULL AND usage_record_summary_id IS NOT NULL;
ALTER TABLE credits_internal.invoiced_events ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoiced_events', '');
