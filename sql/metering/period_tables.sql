-- Usage that is priced as one per period: last, max, unique, tiers, whole blocks.

-- Usage that is priced as one: what it stands at. A row changes only under its account's lock.
CREATE TABLE credits_internal.usage_periods (
    customer_id   text COLLATE "C" NOT NULL,
    event_name    text COLLATE "C" NOT NULL,
    period_key    text COLLATE "C" NOT NULL,
    period_start  timestamptz NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    quantity      numeric NOT NULL,
    event_count   bigint NOT NULL,
    last_no       bigint NOT NULL,
    credits       numeric NOT NULL,
    counted_no    bigint,
    counted_at    timestamptz,
    price_version integer NOT NULL,
    price_class   text NOT NULL,
    carried       numeric NOT NULL DEFAULT 0,
    period_end    timestamptz,
    PRIMARY KEY (customer_id, event_name, period_key)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.usage_periods IS
'Usage that is priced as one, because one event decides (last, max), a value counts once (unique) or the price depends
on what was used before (tiers, whole blocks): what it stands at.';
COMMENT ON COLUMN credits_internal.usage_periods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_periods.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.usage_periods.period_key IS
'The day, week, month, year or ''always'', as in 2026-03 or 2026-W09, or where it begins at another moment than those of
the calendar in UTC, that moment. Of a sum, a count or unique also the price that its events have, since those of
several prices do not add up: v and the version, o and the override_no, and the price_class, as far as there are any.';
COMMENT ON COLUMN credits_internal.usage_periods.period_start IS
'When it begins; ''-infinity'' where there is one period for ever.';
COMMENT ON COLUMN credits_internal.usage_periods.currency IS 'What it is charged in.';
COMMENT ON COLUMN credits_internal.usage_periods.quantity IS 'What the events add up to, those taken back not counted.';
COMMENT ON COLUMN credits_internal.usage_periods.event_count IS 'How many they are.';
COMMENT ON COLUMN credits_internal.usage_periods.last_no IS 'How many there were, those taken back counted.';
COMMENT ON COLUMN credits_internal.usage_periods.credits IS 'The price of it: what its events consumed and owe.';
COMMENT ON COLUMN credits_internal.usage_periods.counted_no IS
'Of a last or a max the number of the event that counts; NULL for none.';
COMMENT ON COLUMN credits_internal.usage_periods.counted_at IS 'When that event happened.';
COMMENT ON COLUMN credits_internal.usage_periods.price_version IS
'The version of the meter''s prices that prices it, with an override as in meter_events.';
COMMENT ON COLUMN credits_internal.usage_periods.price_class IS
'Which of those prices it is: the value of the metadata, empty for the default.';
COMMENT ON COLUMN credits_internal.usage_periods.carried IS
'What had been used under the price before when the first event came, where this price goes on from there.';
COMMENT ON COLUMN credits_internal.usage_periods.period_end IS
'When it ends; NULL where its meter''s periods are on the calendar in UTC, or there is one for ever. As it was when its
events came: time zones, and customers'' time zones and billing dates, may have changed since.';

ALTER TABLE credits_internal.usage_periods ALTER customer_id SET (n_distinct = -0.05);

-- What each line took from a grant for such usage and has not come back: where it goes when the usage comes to cost
-- less.
CREATE TABLE credits_internal.usage_draws (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    line_no      bigint NOT NULL,
    grant_id     uuid NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, line_no)
);

COMMENT ON TABLE credits_internal.usage_draws IS
'What each ledger line took from a grant for usage that is priced as one and has not come back. It comes back newest
first.';
COMMENT ON COLUMN credits_internal.usage_draws.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_draws.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits_internal.usage_draws.period_key IS 'Likewise.';
COMMENT ON COLUMN credits_internal.usage_draws.line_no IS 'The ledger line, in the account of the period''s currency.';
COMMENT ON COLUMN credits_internal.usage_draws.grant_id IS 'The grant that paid.';
COMMENT ON COLUMN credits_internal.usage_draws.amount IS 'Credits that have not come back.';

ALTER TABLE credits_internal.usage_draws ALTER customer_id SET (n_distinct = -0.05);

-- The events of a last or a max that are not taken back, in the order in which they would count.
CREATE TABLE credits_internal.usage_ranks (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    rank         numeric NOT NULL,
    event_no     bigint NOT NULL,
    identifier   text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, rank, event_no)
);

COMMENT ON TABLE credits_internal.usage_ranks IS
'The events of a last or a max that are not taken back, in the order in which they would count.';
COMMENT ON COLUMN credits_internal.usage_ranks.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_ranks.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits_internal.usage_ranks.period_key IS 'Likewise.';
COMMENT ON COLUMN credits_internal.usage_ranks.rank IS
'The highest counts: the value, or of a last the time in seconds since 2000.';
COMMENT ON COLUMN credits_internal.usage_ranks.event_no IS
'Its number in the period: of equals a max counts the first, a last the last.';
COMMENT ON COLUMN credits_internal.usage_ranks.identifier IS 'The event.';

ALTER TABLE credits_internal.usage_ranks ALTER customer_id SET (n_distinct = -0.05);

-- The values that unique meters count: each once in a period, in one row of usage_periods. A row changes only under its
-- account's lock.
CREATE TABLE credits_internal.usage_values (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period       text COLLATE "C" NOT NULL,
    value        text COLLATE "C" NOT NULL,
    event_count  bigint NOT NULL CHECK (event_count > 0),
    period_key   text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, event_name, period, value)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.usage_values IS
'The values that events of unique meters have in a period, those taken back not counted: each counts once.';
COMMENT ON COLUMN credits_internal.usage_values.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_values.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.usage_values.period IS
'The day, week, month, year or ''always'': what its period_key begins with.';
COMMENT ON COLUMN credits_internal.usage_values.value IS
'The value of the metadata, a number without zeros at its end; one of more than 255 bytes, or that begins like this, as
sha256: and its digest.';
COMMENT ON COLUMN credits_internal.usage_values.event_count IS 'How many events have it.';
COMMENT ON COLUMN credits_internal.usage_values.period_key IS
'The usage_periods row that counts it: that of the price of the event that brought it, and of all its events.';

ALTER TABLE credits_internal.usage_values ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_periods', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_draws', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_ranks', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_values', '');
