-- Prices of customers' own.

-- Set, and ended, under the lock of the meter's row; else never changed: events that had it point here.
CREATE TABLE credits_internal.price_overrides (
    customer_id      text COLLATE "C" NOT NULL,
    event_name       text COLLATE "C" NOT NULL,
    override_no      integer NOT NULL CHECK (override_no BETWEEN 1 AND 32767),
    unit_price       numeric CHECK (unit_price >= 0),
    pricing          jsonb,
    discount_percent numeric CHECK (discount_percent > 0 AND discount_percent <= 100),
    effective_at     timestamptz NOT NULL,
    ends_at          timestamptz CHECK (ends_at >= effective_at),
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (customer_id, event_name, override_no),
    CHECK (num_nonnulls(unit_price, pricing, discount_percent) = 1)
);
CREATE INDEX price_overrides_by_meter ON credits_internal.price_overrides (event_name, customer_id, override_no);

COMMENT ON TABLE credits_internal.price_overrides IS
'What a customer pays instead of a meter''s prices. Of those in force at a moment, that which began last holds.';
COMMENT ON COLUMN credits_internal.price_overrides.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.price_overrides.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.price_overrides.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits_internal.price_overrides.unit_price IS 'Credits for one unit.';
COMMENT ON COLUMN credits_internal.price_overrides.pricing IS
'Prices by block, tier or metadata, as meter_price_override checked them.';
COMMENT ON COLUMN credits_internal.price_overrides.discount_percent IS
'Percent off what the meter''s prices come to, whichever are in force.';
COMMENT ON COLUMN credits_internal.price_overrides.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits_internal.price_overrides.ends_at IS 'Until when; NULL for no end.';
COMMENT ON COLUMN credits_internal.price_overrides.created_at IS 'When it was set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_overrides', '');
