-- Prices of products.

CREATE TYPE credits.price AS (
    price_id uuid, product_id uuid, type text, unit_amount numeric, currency text, metadata jsonb, active boolean,
    created_at timestamptz, recurring jsonb, nickname text, lookup_key text, currency_options jsonb, pricing jsonb,
    quantity_limit_per_checkout integer, credit_config jsonb, tax_behavior text, updated_at timestamptz,
    replayed boolean, quantity_available integer, quantity_taken integer, quantity_sold integer);
COMMENT ON TYPE credits.price IS
'A price, as price_create() and the functions that change it return it. The view prices has all of them.';
COMMENT ON COLUMN credits.price.price_id IS 'The price.';
COMMENT ON COLUMN credits.price.product_id IS 'The product.';
COMMENT ON COLUMN credits.price.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits.price.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits.price.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.price.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.price.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.price.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.price.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits.price.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits.price.lookup_key IS 'A name that programs find it by.';
COMMENT ON COLUMN credits.price.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits.price.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits.price.quantity_limit_per_checkout IS 'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits.price.credit_config IS 'What one unit grants; NULL for what the product''s says.';
COMMENT ON COLUMN credits.price.tax_behavior IS
'''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.';
COMMENT ON COLUMN credits.price.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.price.replayed IS
'Whether this call had been made before, or would have created what is there.';
COMMENT ON COLUMN credits.price.quantity_available IS 'How many units there are in all; NULL for any number.';
COMMENT ON COLUMN credits.price.quantity_taken IS
'How many of them are reserved or sold; NULL where they were never limited.';
COMMENT ON COLUMN credits.price.quantity_sold IS
'How many of those are sold, or being paid: they do not come back by time.';

CREATE FUNCTION credits.price_create(
    product_id uuid, type text DEFAULT 'one_time', unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    recurring jsonb DEFAULT NULL, nickname text DEFAULT NULL, lookup_key text DEFAULT NULL,
    currency_options jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    quantity_limit_per_checkout integer DEFAULT NULL, credit_config jsonb DEFAULT NULL,
    tax_behavior text DEFAULT 'exclusive', metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
    quantity_available integer DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_create_2_wrapper';
COMMENT ON FUNCTION credits.price_create IS
'Creates a price of a product.

product_id: the product.
type: ''one_time'', or ''recurring'' for subscriptions.
unit_amount: what one unit costs, in major units, with at most 12 decimals; 0 for nothing. Required without pricing.
currency: the currency that is paid; required. One of kind ''credit'' is paid from the wallet.
recurring: how often a recurring price is due: interval (''hour'', ''day'', ''week'', ''month'', ''year''),
  interval_count, usage_type (''licensed'', ''metered''), and where it is metered aggregate_usage and meter.
nickname: for the merchant.
lookup_key: a name that programs find it by: of one price on sale at a time.
currency_options: what it costs in other currencies: an array of objects with currency, and unit_amount or pricing.
pricing: what a quantity costs, as meters have it: tiers, or blocks. See the page Pricing.
quantity_limit_per_checkout: the most that one purchase may buy; NULL for any number.
credit_config: what one unit grants; NULL for what the product''s says.
tax_behavior: ''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s price; such keys are apart from those of customers.
quantity_available: how many units there are to sell, 0 for none yet; NULL for any number.

A price on sale that has the lookup key and is the same in all but nickname, metadata and quantity_available is
returned; PC002 says what differs. What one purchase costs is rounded to the currency''s decimals. Top-ups and
auto-recharges sell prices that are paid once, in money, and grant credits.

Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT * FROM credits.price_create((SELECT product_id FROM credits.products),
  unit_amount => 18, currency => ''USD'', lookup_key => ''pack-usd'');';

CREATE FUNCTION credits.price_update(
    price_id uuid, unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL, recurring jsonb DEFAULT NULL,
    nickname text DEFAULT NULL, lookup_key text DEFAULT NULL, currency_options jsonb DEFAULT NULL,
    pricing jsonb DEFAULT NULL, quantity_limit_per_checkout integer DEFAULT NULL, credit_config jsonb DEFAULT NULL,
    tax_behavior text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    quantity_available integer DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_update_wrapper';
COMMENT ON FUNCTION credits.price_update IS
'Changes a price. NULL leaves a value unchanged.

price_id: the price.
unit_amount: what one unit costs; it takes the place of a pricing.
currency: the currency that is paid.
recurring: how often it is due.
nickname: for the merchant.
lookup_key: a name that programs find it by; '''' takes it away.
currency_options: what it costs in other currencies.
pricing: what a quantity costs; it takes the place of a unit amount.
quantity_limit_per_checkout: the most that one purchase may buy.
credit_config: what one unit grants.
tax_behavior: ''exclusive'' or ''inclusive''.
metadata: the application''s own data.
quantity_available: how many units there are in all, at least as many as are taken; -1 for any number.

Once it was used, only nickname, lookup_key, quantity_limit_per_checkout, quantity_available and metadata change:
anything else is PC020.
It was used where anything was sold with it, paid or not, or where it was chosen for recharges.

Raises PC004, PC007, PC008, PC013, PC015, PC020.
Example: SELECT * FROM credits.price_update((SELECT price_id FROM credits.packages), nickname => ''For teams'');';

CREATE FUNCTION credits.price_inventory(
    price_id uuid, quantity integer, action text, idempotency_key text DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_inventory_wrapper';
COMMENT ON FUNCTION credits.price_inventory IS
'Changes how many units of a price there are: more came in, or some are not for sale any more.

price_id: the price.
quantity: by how many; at least 1.
action: ''increment'', or ''decrement''.
idempotency_key: makes a replay change nothing; such keys are apart from those of customers.

It changes quantity_available, never below what is taken: PC013 says by how many it may. What is taken changes with
sales alone. A price of which any number may be sold is PC020: price_update() limits it.

Raises PC002, PC013, PC015, PC020.
Example: SELECT quantity_available, quantity_taken FROM credits.price_inventory((SELECT price_id
  FROM credits.price_create((SELECT product_id FROM credits.products), unit_amount => 1, currency => ''USD'',
    quantity_available => 50)), 10, ''increment'');';

CREATE FUNCTION credits.price_archive(price_id uuid)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_archive_wrapper';
COMMENT ON FUNCTION credits.price_archive IS
'Takes a price off sale.

price_id: the price.

What was begun with it can still be paid, and an auto-recharge that uses it switches itself off. Its lookup key is free
for another. A repeat changes nothing.

Raises PC013, PC015.
Example: SELECT * FROM credits.price_archive((SELECT price_id FROM credits.packages));';

CREATE FUNCTION credits.price_delete(price_id uuid)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_delete_wrapper';
COMMENT ON FUNCTION credits.price_delete IS
'Deletes a price that was never used. Returns what it was.

price_id: the price.

Once it was sold, or chosen for recharges, it can only be archived: PC020.

Raises PC013, PC015, PC020.
Example: SELECT * FROM credits.price_delete((SELECT price_id FROM credits.price_create(
  (SELECT product_id FROM credits.products), unit_amount => 1, currency => ''USD'')));';

CREATE VIEW credits_internal.offers AS
SELECT p.price_id, p.product_id, d.name AS product_name, p.type, p.unit_amount, p.currency,
       (c.credit_config->>'amount')::numeric AS credits,
       (c.credit_config->>'currency') COLLATE "C" AS credit_currency,
       c.credit_config ? 'applicable_meters' AS restricted, p.pricing,
       p.archived_at IS NULL AND d.archived_at IS NULL AS active
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
CROSS JOIN LATERAL (SELECT coalesce(p.credit_config, d.credit_config)) AS c (credit_config);
COMMENT ON VIEW credits_internal.offers IS
'Each price with what one unit of it grants, by its own credit_config or its product''s.';

CREATE VIEW credits_internal.stock AS
SELECT s.price_id, s.quantity_available, (s.taken - r.late)::integer AS quantity_taken,
       (s.taken - r.expiring)::integer AS quantity_sold
FROM credits_internal.price_stock s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.quantity) FILTER (WHERE r.expires_at <= credits.clock()), 0) AS late,
           coalesce(sum(r.quantity), 0) AS expiring
    FROM credits_internal.stock_reservations r
    WHERE r.price_id = s.price_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL) r;
COMMENT ON VIEW credits_internal.stock IS
'Each price that has a limit, or had one, with what is taken at the moment of reading: what ran out is not, whether or
not it is released.';

CREATE VIEW credits.prices AS
SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata, o.active, p.created_at,
       coalesce(p.archived_at, d.archived_at) AS archived_at, d.name AS product_name, o.credits, o.credit_currency,
       p.recurring, p.recurring->>'interval' AS recurring_interval, p.nickname, p.lookup_key, p.currency_options,
       p.pricing, p.quantity_limit_per_checkout, p.credit_config, p.tax_behavior, d.type AS product_type,
       u.price_id IS NOT NULL AS used, p.updated_at, s.quantity_available, s.quantity_taken, s.quantity_sold
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
JOIN credits_internal.offers o ON o.price_id = p.price_id
LEFT JOIN credits_internal.price_usage u ON u.price_id = p.price_id
LEFT JOIN credits_internal.stock s ON s.price_id = p.price_id;
COMMENT ON VIEW credits.prices IS 'Every price of every product, archived ones too.';
COMMENT ON COLUMN credits.prices.price_id IS 'The price.';
COMMENT ON COLUMN credits.prices.product_id IS 'The product.';
COMMENT ON COLUMN credits.prices.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits.prices.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.prices.active IS 'Whether it is on sale: neither it nor its product is archived.';
COMMENT ON COLUMN credits.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';
COMMENT ON COLUMN credits.prices.product_name IS 'The product''s name.';
COMMENT ON COLUMN credits.prices.credits IS 'Credits that one unit grants; NULL for none.';
COMMENT ON COLUMN credits.prices.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.prices.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits.prices.recurring_interval IS
'The unit of its period: ''hour'', ''day'', ''week'', ''month'' or ''year''; NULL for once.';
COMMENT ON COLUMN credits.prices.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits.prices.lookup_key IS 'A name that programs find it by: of one price on sale at a time.';
COMMENT ON COLUMN credits.prices.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits.prices.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits.prices.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits.prices.credit_config IS 'What one unit grants; NULL for what the product''s says.';
COMMENT ON COLUMN credits.prices.tax_behavior IS
'''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.';
COMMENT ON COLUMN credits.prices.product_type IS 'The product''s type: ''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.prices.used IS
'Whether it was sold, or chosen for recharges: then what it comes to is frozen.';
COMMENT ON COLUMN credits.prices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.prices.quantity_available IS
'How many units there are in all, those that are taken included; NULL for any number.';
COMMENT ON COLUMN credits.prices.quantity_taken IS
'How many of them are reserved or sold; NULL where they were never limited.';
COMMENT ON COLUMN credits.prices.quantity_sold IS
'How many of those are sold, or being paid: they do not come back by time.';
