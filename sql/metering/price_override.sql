-- Prices of customers' own: setting and ending them, and what they are.

CREATE TYPE credits.price_override AS (
    customer_id text, event_name text, override_no integer, unit_price numeric, pricing jsonb, discount_percent numeric,
    effective_at timestamptz, ends_at timestamptz, status text, created_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.price_override IS
'What a customer pays instead of a meter''s prices, as meter_price_override() returns it. The view price_overrides has
all of them.';
COMMENT ON COLUMN credits.price_override.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.price_override.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_override.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits.price_override.unit_price IS 'Credits per unit; NULL where another column says more.';
COMMENT ON COLUMN credits.price_override.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where another column says it.';
COMMENT ON COLUMN credits.price_override.discount_percent IS
'Percent off the meter''s prices; NULL where the price is the customer''s own.';
COMMENT ON COLUMN credits.price_override.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits.price_override.ends_at IS 'Until when it is in force; NULL for no end.';
COMMENT ON COLUMN credits.price_override.status IS
'''scheduled'' until it begins, then ''active'', at last ''ended''.';
COMMENT ON COLUMN credits.price_override.created_at IS 'When it was set.';
COMMENT ON COLUMN credits.price_override.replayed IS 'Whether it was so already, and this call changed nothing.';

CREATE FUNCTION credits.meter_price_override(
    customer_id text, event_name text, pricing jsonb DEFAULT NULL, unit_price numeric DEFAULT NULL,
    discount_percent numeric DEFAULT NULL, effective_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    unpriced text DEFAULT NULL)
RETURNS credits.price_override
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_price_override_wrapper';
COMMENT ON FUNCTION credits.meter_price_override IS
'Sets what one customer pays for a meter''s usage instead of the meter''s price.

customer_id: the customer, who must exist.
event_name: the meter.
pricing: prices of their own by block, tier or metadata: see docs/pricing.md.
unit_price: a price of their own per unit.
discount_percent: percent off the meter''s prices, more than 0 and at most 100. It follows every change of them.
effective_at: from when on; NULL for now. Not in the past.
ends_at: until when; NULL for no end.
unpriced: with a pricing by metadata, ''reject'' refuses usage that it has no price for, as "unpriced" in it does.

Exactly one of pricing, unit_price and discount_percent is given. An event has the override that was in force when it
occurred; of several that which began last, so a special price may stand over a general one and fall back to it. A
price of their own takes the place of all of the meter''s prices, tiers and blocks too. A discount is taken off what
the meter''s price comes to exactly, before that is rounded. Either way tiers begin anew with the override.

The same again, while it is in force, changes nothing (replayed = true).

Raises PC003, PC004, PC007, PC013.
Example: SELECT override_no, discount_percent, status FROM credits.meter_price_override(''ann'', ''llm.tokens'',
  discount_percent => 20, ends_at => now() + interval ''1 year'');';

CREATE FUNCTION credits.meter_price_override_end(
    customer_id text, event_name text, override_no integer DEFAULT NULL, ends_at timestamptz DEFAULT NULL)
RETURNS SETOF credits.price_override
LANGUAGE c VOLATILE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_price_override_end_wrapper';
COMMENT ON FUNCTION credits.meter_price_override_end IS
'Ends what a customer pays instead of a meter''s price: one override or all, now or at a moment.

customer_id: the customer.
event_name: the meter.
override_no: which; NULL for all that have not ended by then.
ends_at: when; NULL for now. Not in the past.

Returns what ends. One that has not begun by then never begins. What ends earlier stays as it is (replayed = true).
Usage that occurred before keeps its price, however late it is reported.

Raises PC004, PC013.
Example: SELECT override_no, status FROM credits.meter_price_override_end(''ann'', ''llm.tokens'');';

CREATE VIEW credits.price_overrides AS
SELECT o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, m.currency,
       o.effective_at, o.ends_at,
       CASE WHEN o.ends_at <= greatest(credits.clock(), o.effective_at) THEN 'ended'
            WHEN o.effective_at > credits.clock() THEN 'scheduled' ELSE 'active' END AS status,
       o.created_at
FROM credits_internal.price_overrides o
LEFT JOIN credits_internal.meters m ON m.event_name = o.event_name;
COMMENT ON VIEW credits.price_overrides IS
'What customers pay, paid or will pay instead of a meter''s prices. Of several that are active, that which began last is
in force.';
COMMENT ON COLUMN credits.price_overrides.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.price_overrides.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_overrides.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits.price_overrides.unit_price IS 'Credits per unit; NULL where another column says more.';
COMMENT ON COLUMN credits.price_overrides.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where another column says it.';
COMMENT ON COLUMN credits.price_overrides.discount_percent IS
'Percent off the meter''s prices; NULL where the price is the customer''s own.';
COMMENT ON COLUMN credits.price_overrides.currency IS 'The currency that the meter charges.';
COMMENT ON COLUMN credits.price_overrides.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits.price_overrides.ends_at IS 'Until when it is in force; NULL for no end.';
COMMENT ON COLUMN credits.price_overrides.status IS
'''scheduled'' until it begins, then ''active'', at last ''ended''.';
COMMENT ON COLUMN credits.price_overrides.created_at IS 'When it was set.';
