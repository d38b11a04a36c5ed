-- Prices of products.

CREATE TYPE credits.price AS (
    price_id uuid, product_id uuid, type text, unit_amount numeric, currency text, metadata jsonb, active boolean,
    created_at timestamptz);
COMMENT ON TYPE credits.price IS
'A price, as price_create() and price_archive() return it. The view prices has all of them.';
COMMENT ON COLUMN credits.price.price_id IS 'The price.';
COMMENT ON COLUMN credits.price.product_id IS 'The product.';
COMMENT ON COLUMN credits.price.type IS '''one_time''.';
COMMENT ON COLUMN credits.price.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.price.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.price.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.price.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.price.created_at IS 'When it was created.';

CREATE FUNCTION credits.price_create(
    product_id uuid, type text DEFAULT 'one_time', unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_create_wrapper';
COMMENT ON FUNCTION credits.price_create IS
'Creates a price of a product. A price never changes: create another and archive this one.

product_id: the product.
type: ''one_time''.
unit_amount: what one unit costs, in major units; required.
currency: the currency that is paid, of kind ''fiat''; required.
metadata: the application''s own data.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.price_create((SELECT product_id FROM credits.products),
  unit_amount => 18, currency => ''USD'');';

CREATE FUNCTION credits.price_archive(price_id uuid)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_archive_wrapper';
COMMENT ON FUNCTION credits.price_archive IS
'Takes a price off sale.

price_id: the price.

What was begun with it can still be paid, and an auto-recharge that uses it switches itself off. A repeat changes
nothing.

Raises PC013, PC015.
Example: SELECT * FROM credits.price_archive((SELECT price_id FROM credits.prices));';

CREATE VIEW credits.prices AS
SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata,
       p.archived_at IS NULL AND d.archived_at IS NULL AS active, p.created_at,
       coalesce(p.archived_at, d.archived_at) AS archived_at, d.name AS product_name, d.credits, d.credit_currency
FROM credits_internal.prices p JOIN credits_internal.products d ON d.product_id = p.product_id;
COMMENT ON VIEW credits.prices IS 'Every price of every product, archived ones too.';
COMMENT ON COLUMN credits.prices.price_id IS 'The price.';
COMMENT ON COLUMN credits.prices.product_id IS 'The product.';
COMMENT ON COLUMN credits.prices.type IS '''one_time''.';
COMMENT ON COLUMN credits.prices.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.prices.active IS 'Whether it is on sale: neither it nor its product is archived.';
COMMENT ON COLUMN credits.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';
COMMENT ON COLUMN credits.prices.product_name IS 'The product''s name.';
COMMENT ON COLUMN credits.prices.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.prices.credit_currency IS 'The currency of the credits.';
