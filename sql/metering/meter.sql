-- Meters.

CREATE TYPE credits.meter AS (
    event_name text, name text, currency text, unit_price numeric, aggregation text, unit text, overage text,
    active boolean, period text, settlement text, pricing jsonb, next_price_at timestamptz,
    fallback_currency text, fallback_rate numeric, unique_by text, time_zone text, period_from text);
COMMENT ON TYPE credits.meter IS
'A meter, as meter_create() and meter_update() return it. The view meters has all of them.';
COMMENT ON COLUMN credits.meter.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits.meter.name IS 'What people call it.';
COMMENT ON COLUMN credits.meter.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits.meter.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.meter.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.meter.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.meter.overage IS
'Usage that no credit covers is recorded as owed (''pending'') or refused (''reject'').';
COMMENT ON COLUMN credits.meter.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits.meter.period IS
'What is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all (NULL).
period_from says when it begins.';
COMMENT ON COLUMN credits.meter.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits.meter.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';
COMMENT ON COLUMN credits.meter.next_price_at IS
'When another price takes effect that is set already; NULL where none is. The view price_versions has it.';
COMMENT ON COLUMN credits.meter.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits.meter.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits.meter.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits.meter.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits.meter.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';

CREATE FUNCTION credits.meter_create(
    event_name text, name text DEFAULT NULL, currency text DEFAULT NULL, unit_price numeric DEFAULT 1,
    aggregation text DEFAULT 'sum', unit text DEFAULT NULL, period text DEFAULT NULL, overage text DEFAULT 'pending',
    settlement text DEFAULT 'immediate', description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    pricing jsonb DEFAULT NULL, if_not_exists boolean DEFAULT NULL,
    unique_by text DEFAULT NULL, unpriced text DEFAULT NULL, time_zone text DEFAULT NULL,
    period_from text DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_create_2_wrapper';
COMMENT ON FUNCTION credits.meter_create IS
'Creates a meter: a billable kind of usage.

event_name: its key: what events call it, 1 to 255 characters.
name: what people call it.
currency: the currency that it charges; NULL for credits.default_currency.
unit_price: credits per unit, zero or more.
aggregation: what is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value by
  occurred_at, the highest (''max''), or how many different ones (''unique'') there are of unique_by.
unit: for display.
period: what is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all
  (NULL).
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
settlement: ''immediate'' charges at once. ''deferred'' only records, locks nothing, and is charged by settle() as of
  the report: for sum and count, without tiers or whole blocks, with overage ''pending''. ''invoice'' only records, and
  the customer''s subscription with the meter invoices it after its period: in a currency of kind fiat, without a
  period of its own, with one price for all metadata, and overage ''pending''.
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md. NULL for unit_price.
if_not_exists: true returns a meter that exists already, if it is the same; PC002 says what differs. NULL or false
  refuses it (PC013).
unique_by: with aggregation ''unique'', the key of the events'' metadata whose different values are counted, as in
  user_id for monthly active users; then value does not matter, and an event without the key is PC013.
unpriced: ''reject'' refuses usage for which a pricing by metadata has no price, as "unpriced" in it does; PC013 where
  it has a default. NULL for what the pricing says.
time_zone: the time zone of its calendar, as Europe/Berlin, where it has a period; NULL for UTC.
period_from: where its periods begin: on its own calendar (''meter'', or NULL), on the calendar of the customer''s
  time_zone (''customer''), or at the customer''s billing_anchor (''billing_date''). A customer who has none has the
  meter''s calendar.

Usage is priced event by event, except for last, max, unique, tiers and whole blocks, which are priced by period.
Prices are rounded half away from zero to the currency''s decimals.

With if_not_exists, a name, unit, description and metadata that are left out may be anything, and the price is that of
now. A meter that is switched off stays so.

Raises PC002, PC007, PC008, PC013.
Example: SELECT * FROM credits.meter_create(''image.render'', unit_price => 4, unit => ''image'');';

CREATE FUNCTION credits.meter_update(
    event_name text, name text DEFAULT NULL, unit_price numeric DEFAULT NULL, unit text DEFAULT NULL,
    overage text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    effective_at timestamptz DEFAULT NULL,
    fallback_currency text DEFAULT NULL, fallback_rate numeric DEFAULT NULL,
    continue_tiers boolean DEFAULT NULL,
    unpriced text DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_update_2_wrapper';
COMMENT ON FUNCTION credits.meter_update IS
'Changes a meter. NULL leaves a value unchanged.

event_name: the meter.
name: what people call it.
unit_price: credits per unit, zero or more.
unit: for display.
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md.
effective_at: from when on unit_price or pricing is in force; NULL for now. Not in the past.
fallback_currency: the currency that pays what the meter''s own does not cover, with fallback_rate.
fallback_rate: units of that currency per unit of the meter''s own. Zero, without fallback_currency, removes both.
continue_tiers: true lets its tiers and blocks go on, in a period that has begun, from what was used under the price
  before. For graduated tiers and blocks of a sum, a count or unique.
unpriced: with a pricing by metadata, ''reject'' refuses usage that it has no price for, as "unpriced" in it does.

Another unit_price or pricing, or one in place of the other, is a new version. An event takes the version that was in
force when it occurred, so one that is reported late takes the price of before. What was charged stays, and tiers
begin anew, unless continue_tiers is true. A price for a moment that has one already takes its place. The same price as
is in force then changes nothing. Currency, aggregation, period, time_zone, period_from
and settlement cannot be changed.

Where a customer''s credits in the meter''s own currency are used up, the rest of an event is charged in
fallback_currency, rounded half away from zero; what neither covers is owed in the meter''s own. That is for events
reported from now on, of meters that add up or count without tiers or rounds and are charged at once.

Raises PC004, PC007, PC008, PC013.
Example: SELECT unit_price, next_price_at FROM credits.meter_update(''llm.tokens'', unit_price => 0.002,
  effective_at => now() + interval ''30 days'');';

CREATE TYPE credits.meter_status AS (event_name text, active boolean);
COMMENT ON TYPE credits.meter_status IS
'Whether a meter takes events, as meter_activate() and meter_deactivate() return it.';
COMMENT ON COLUMN credits.meter_status.event_name IS 'The meter.';
COMMENT ON COLUMN credits.meter_status.active IS 'Whether it takes new events.';

CREATE FUNCTION credits.meter_activate(event_name text)
RETURNS credits.meter_status
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_activate_wrapper';
COMMENT ON FUNCTION credits.meter_activate IS
'Accepts the meter''s events again.

event_name: the meter.

A repeat changes nothing.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_activate(''llm.tokens'');';

CREATE FUNCTION credits.meter_deactivate(event_name text)
RETURNS credits.meter_status
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_deactivate_wrapper';
COMMENT ON FUNCTION credits.meter_deactivate IS
'Refuses the meter''s new events from now on (PC005).

event_name: the meter.

Repeats of earlier events are still answered. A repeat of the call changes nothing.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_deactivate(''llm.tokens'');';

-- What began last is in force; of several that began at once, what was set last.
CREATE VIEW credits_internal.price_schedule AS
SELECT p.event_name, p.version, p.unit_price, p.pricing, p.created_at, a.effective_at,
       CASE WHEN p.version = 1 THEN timestamptz '-infinity' ELSE a.effective_at END AS since,
       p.effective_at IS NULL AS numbers_as_written, coalesce(p.continue_tiers, false) AS continue_tiers
FROM credits_internal.meter_prices p
CROSS JOIN LATERAL (SELECT coalesce(p.effective_at, p.created_at) AS effective_at) a;
COMMENT ON VIEW credits_internal.price_schedule IS
'From when on each price of a meter is in force (since): until another one is. The first is so for all that occurred
before, too.

numbers_as_written: of a price by metadata that was set before 0.3.0, 1.0 and 1 are two values, as events have been
  charged.';

CREATE VIEW credits.meters AS
SELECT m.event_name, m.name, m.currency, p.unit_price, m.aggregation, m.unit, m.overage, m.active, m.period,
       m.settlement, p.pricing, p.version AS price_version,
       p.effective_at AS price_since, m.description, m.metadata, m.created_at,
       (SELECT min(s.since) FROM credits_internal.price_schedule s
        WHERE s.event_name = m.event_name AND s.since > credits.clock()) AS next_price_at,
       m.fallback_currency, m.fallback_rate, m.unique_by, m.time_zone, m.period_from
FROM credits_internal.meters m
CROSS JOIN LATERAL (SELECT s.* FROM credits_internal.price_schedule s
                    WHERE s.event_name = m.event_name AND s.since <= credits.clock()
                    ORDER BY s.since DESC, s.version DESC LIMIT 1) p;
COMMENT ON VIEW credits.meters IS 'Meters and what their usage costs now.';
COMMENT ON COLUMN credits.meters.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits.meters.name IS 'What people call it.';
COMMENT ON COLUMN credits.meters.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits.meters.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.meters.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.meters.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.meters.overage IS
'Usage that no credit covers is recorded as owed (''pending'') or refused (''reject'').';
COMMENT ON COLUMN credits.meters.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits.meters.period IS
'What is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all (NULL).
period_from says when it begins.';
COMMENT ON COLUMN credits.meters.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits.meters.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';
COMMENT ON COLUMN credits.meters.price_version IS 'The version of the price that is in force.';
COMMENT ON COLUMN credits.meters.price_since IS 'Since when this price is in force.';
COMMENT ON COLUMN credits.meters.description IS 'For people.';
COMMENT ON COLUMN credits.meters.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.meters.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.meters.next_price_at IS
'When another price takes effect that is set already; NULL where none is.';
COMMENT ON COLUMN credits.meters.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits.meters.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits.meters.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits.meters.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits.meters.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';

CREATE VIEW credits.price_versions AS
SELECT p.event_name, p.version AS price_version, p.unit_price, p.pricing, m.currency, p.effective_at AS price_since,
       p.created_at,
       lead(p.effective_at) OVER (PARTITION BY p.event_name ORDER BY p.since, p.version) AS price_until,
       p.continue_tiers
FROM credits_internal.price_schedule p LEFT JOIN credits_internal.meters m ON m.event_name = p.event_name;
COMMENT ON VIEW credits.price_versions IS
'Every price that a meter has, had or will have. Events have the price_version that was in force when they occurred
(view usage).';
COMMENT ON COLUMN credits.price_versions.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_versions.price_version IS 'The version of the meter''s prices.';
COMMENT ON COLUMN credits.price_versions.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.price_versions.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';
COMMENT ON COLUMN credits.price_versions.currency IS 'The currency that the meter charges.';
COMMENT ON COLUMN credits.price_versions.price_since IS 'From when on it is in force.';
COMMENT ON COLUMN credits.price_versions.created_at IS 'When it was set.';
COMMENT ON COLUMN credits.price_versions.price_until IS
'Until when it is in force; NULL where nothing follows. The same as price_since where another took its place.';
COMMENT ON COLUMN credits.price_versions.continue_tiers IS
'Whether its tiers go on from what was used under the price before in the same period.';
