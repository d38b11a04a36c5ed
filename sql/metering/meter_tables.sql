-- Meters and their prices.

CREATE TABLE credits_internal.meters (
    event_name    text COLLATE "C" NOT NULL PRIMARY KEY CHECK (event_name <> '' AND length(event_name) <= 255),
    name          text,
    currency      text COLLATE "C" NOT NULL,
    aggregation   text NOT NULL CHECK (aggregation IN ('sum', 'count', 'last', 'max', 'unique')),
    period        text CHECK (period IN ('day', 'week', 'month', 'year')),
    unit          text,
    overage       text NOT NULL CHECK (overage IN ('pending', 'reject')),
    settlement    text NOT NULL DEFAULT 'immediate' CHECK (settlement IN ('immediate', 'deferred', 'invoice')),
    active        boolean NOT NULL DEFAULT true,
    price_version integer NOT NULL DEFAULT 1,
    description   text,
    metadata      jsonb,
    created_at    timestamptz NOT NULL DEFAULT now(),
    fallback_currency text COLLATE "C",
    fallback_rate     numeric CHECK (fallback_rate > 0),
    unique_by         text CHECK (unique_by <> '' AND length(unique_by) <= 255),
    time_zone         text,
    period_from       text NOT NULL DEFAULT 'meter' CHECK (period_from IN ('meter', 'customer', 'billing_date')),
    CONSTRAINT meters_unique_check CHECK ((aggregation = 'unique') = (unique_by IS NOT NULL)),
    CONSTRAINT meters_fallback_check CHECK ((fallback_currency IS NULL) = (fallback_rate IS NULL)
                                            AND fallback_currency <> currency),
    CONSTRAINT meters_calendar_check CHECK (period IS NOT NULL OR (time_zone IS NULL AND period_from = 'meter'))
);

COMMENT ON TABLE credits_internal.meters IS 'Billable kinds of usage.';
COMMENT ON COLUMN credits_internal.meters.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits_internal.meters.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.meters.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits_internal.meters.aggregation IS
'''sum'' of the values, ''count'' of the events, the ''last'' value, the highest (''max''), or how many different ones
there are of unique_by (''unique'').';
COMMENT ON COLUMN credits_internal.meters.period IS
'What adds up: the events of a ''day'', a ''week'', a ''month'' or a ''year'' (by occurred_at), or all of them (NULL).
Matters for last, max, unique, tiers and whole blocks.';
COMMENT ON COLUMN credits_internal.meters.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits_internal.meters.overage IS
'What happens to usage that no credit covers: ''pending'' records it as owed, ''reject'' refuses the event.';
COMMENT ON COLUMN credits_internal.meters.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits_internal.meters.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits_internal.meters.price_version IS
'The last version of its prices, in force already or not; price_schedule says which is in force when.';
COMMENT ON COLUMN credits_internal.meters.description IS 'For people.';
COMMENT ON COLUMN credits_internal.meters.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.meters.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.meters.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits_internal.meters.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits_internal.meters.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits_internal.meters.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits_internal.meters.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';

CREATE TABLE credits_internal.meter_prices (
    event_name text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    unit_price numeric CHECK (unit_price >= 0),
    pricing    jsonb CHECK ((pricing IS NULL) <> (unit_price IS NULL)),
    created_at timestamptz NOT NULL DEFAULT now(),
    effective_at timestamptz,
    continue_tiers boolean,
    PRIMARY KEY (event_name, version)
);

COMMENT ON TABLE credits_internal.meter_prices IS
'The prices that a meter has and had. A row is never changed: another price is another version.';
COMMENT ON COLUMN credits_internal.meter_prices.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.meter_prices.version IS 'Counts from 1 in each meter.';
COMMENT ON COLUMN credits_internal.meter_prices.unit_price IS 'Credits for one unit; NULL where pricing says more.';
COMMENT ON COLUMN credits_internal.meter_prices.pricing IS
'Prices by block, tier or metadata, as meter_create checked them; NULL where unit_price is all.';
COMMENT ON COLUMN credits_internal.meter_prices.created_at IS 'When it was set.';
COMMENT ON COLUMN credits_internal.meter_prices.effective_at IS
'From when on it is in force, for events that occur from then on; NULL for since created_at. The first is in force for
whatever occurred before, too.';
COMMENT ON COLUMN credits_internal.meter_prices.continue_tiers IS
'Whether its tiers go on from what was used under the price before in the same period; NULL or false: they begin anew.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.meters', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.meter_prices', '');
