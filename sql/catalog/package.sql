-- Packages: a product and its price in one.

CREATE TYPE credits.package AS (
    price_id uuid, product_id uuid, name text, credits numeric, credit_currency text, unit_amount numeric,
    price_currency text, lookup_key text, replayed boolean);
COMMENT ON TYPE credits.package IS 'A product with its price, as package_create() returns it.';
COMMENT ON COLUMN credits.package.price_id IS 'The price.';
COMMENT ON COLUMN credits.package.product_id IS 'The product.';
COMMENT ON COLUMN credits.package.name IS 'What people call it.';
COMMENT ON COLUMN credits.package.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.package.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.package.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.package.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.package.lookup_key IS 'A name that programs find its price by.';
COMMENT ON COLUMN credits.package.replayed IS 'Whether it was there before this call, which would have created it.';

CREATE FUNCTION credits.package_create(
    name text, credits numeric, unit_amount numeric, price_currency text, credit_currency text DEFAULT NULL,
    description text DEFAULT NULL, category text DEFAULT 'paid', priority integer DEFAULT 50,
    time_to_live interval DEFAULT NULL, applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL,
    if_not_exists boolean DEFAULT NULL, lookup_key text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.package
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'package_create_2_wrapper';
COMMENT ON FUNCTION credits.package_create IS
'Creates a product and its price in one call: a credit pack.

name: what people call it, and its grants.
credits: how many credits it grants.
unit_amount: its price, in major units, with at most 12 decimals.
price_currency: the currency that is paid, of kind ''fiat''.
credit_currency: the currency of its credits; NULL for credits.default_currency.
description: for people.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on; NULL for ever.
applicable_meters: the event names that its grants may pay for; NULL for anything.
metadata: the application''s own data.
if_not_exists: true returns a package that is on sale under that name, in these two currencies, if it is the same;
  PC002 says what differs. NULL or false makes another.
lookup_key: a name that programs find its price by. A package on sale that has it is returned if it is the same;
  PC002 says what differs.
idempotency_key: makes a replay return the first call''s package; such keys are apart from those of customers.

With if_not_exists or lookup_key, a description and metadata that are left out may be anything. Archived packages do not
count. Two sessions that make the same package at once get the same one.

Raises PC002, PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.package_create(''Pack of 5,000'', 5000, 80, ''USD'', time_to_live => ''1 year'');';

CREATE VIEW credits.packages AS
SELECT p.price_id, d.product_id, d.name, d.description, (c.config->>'amount')::numeric AS credits,
       (c.config->>'currency') COLLATE "C" AS credit_currency, p.unit_amount, p.currency AS price_currency,
       c.config->>'category' AS category, (c.config->>'priority')::integer AS priority,
       (c.config->>'valid_for')::interval AS time_to_live,
       CASE WHEN c.config ? 'applicable_meters'
            THEN ARRAY(SELECT jsonb_array_elements_text(c.config->'applicable_meters')) END AS applicable_meters,
       d.metadata, p.created_at, p.lookup_key, p.quantity_limit_per_checkout
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
JOIN credits_internal.currencies f ON f.currency = p.currency AND f.kind = 'fiat'
CROSS JOIN LATERAL (SELECT coalesce(p.credit_config, d.credit_config)) AS c (config)
WHERE p.archived_at IS NULL AND d.archived_at IS NULL AND p.type = 'one_time' AND p.unit_amount > 0
  AND c.config IS NOT NULL;
COMMENT ON VIEW credits.packages IS
'What top-ups and auto-recharges can sell: each price on sale that is paid once, in money, and grants credits.';
COMMENT ON COLUMN credits.packages.price_id IS 'The price.';
COMMENT ON COLUMN credits.packages.product_id IS 'The product.';
COMMENT ON COLUMN credits.packages.name IS 'What people call it.';
COMMENT ON COLUMN credits.packages.description IS 'For people.';
COMMENT ON COLUMN credits.packages.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.packages.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.packages.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.packages.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.packages.category IS 'The category of the grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.packages.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.packages.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.packages.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.packages.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.packages.created_at IS 'When the price was created.';
COMMENT ON COLUMN credits.packages.lookup_key IS 'A name that programs find its price by.';
COMMENT ON COLUMN credits.packages.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
