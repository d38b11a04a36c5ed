-- Adjusted events: what their value was before, each time.

CREATE TABLE credits_internal.event_adjustments (
    customer_id   text COLLATE "C" NOT NULL,
    identifier    text COLLATE "C" NOT NULL,
    adjustment_no integer NOT NULL,
    value_before  numeric NOT NULL,
    value         numeric NOT NULL,
    charged       numeric NOT NULL CHECK (charged >= 0),
    returned      numeric NOT NULL CHECK (returned >= 0),
    reason        text,
    adjusted_at   timestamptz NOT NULL,
    PRIMARY KEY (customer_id, identifier, adjustment_no)
);

COMMENT ON TABLE credits_internal.event_adjustments IS
'Events whose value was adjusted, each time that it was: the event''s row has the last value.';
COMMENT ON COLUMN credits_internal.event_adjustments.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.event_adjustments.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.event_adjustments.adjustment_no IS 'Counts from 1 for each event.';
COMMENT ON COLUMN credits_internal.event_adjustments.value_before IS
'The value until then; of the first, what was reported.';
COMMENT ON COLUMN credits_internal.event_adjustments.value IS 'The value from then on.';
COMMENT ON COLUMN credits_internal.event_adjustments.charged IS 'Credits that it charged in addition, paid or owed.';
COMMENT ON COLUMN credits_internal.event_adjustments.returned IS 'Credits that it returned to grants.';
COMMENT ON COLUMN credits_internal.event_adjustments.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.event_adjustments.adjusted_at IS 'When it was posted, at the account''s time.';

ALTER TABLE credits_internal.event_adjustments ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_adjustments', '');
