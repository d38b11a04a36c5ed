-- Products.

CREATE TYPE credits.product AS (
    product_id uuid, name text, description text, credit_currency text, credits numeric, category text,
    priority integer, time_to_live interval, applicable_meters text[], metadata jsonb, active boolean,
    created_at timestamptz);
COMMENT ON TYPE credits.product IS
'A product, as product_create() and the functions that change it return it. The view products has all of them.';
COMMENT ON COLUMN credits.product.product_id IS 'The product.';
COMMENT ON COLUMN credits.product.name IS 'What people call it.';
COMMENT ON COLUMN credits.product.description IS 'For people.';
COMMENT ON COLUMN credits.product.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.product.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.product.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.product.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.product.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.product.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.product.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.product.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.product.created_at IS 'When it was created.';

CREATE FUNCTION credits.product_create(
    name text, description text DEFAULT NULL, credit_currency text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT 'paid', priority integer DEFAULT 50, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_create_wrapper';
COMMENT ON FUNCTION credits.product_create IS
'Creates a product: what one unit of it grants. What it costs is set by price_create().

name: what people call it, and its grants.
description: for people.
credit_currency: the currency of its credits; NULL for credits.default_currency.
credits: how many credits one unit grants; required.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on, on the calendar in UTC; NULL for ever. At most ten years,
  and more than nothing in every month.
applicable_meters: the event names that its grants may pay for; NULL for anything.
metadata: the application''s own data.

Raises PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.product_create(''Pack of 500'', credits => 500, time_to_live => ''1 year'');';

CREATE FUNCTION credits.product_update(
    product_id uuid, name text DEFAULT NULL, description text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_update_wrapper';
COMMENT ON FUNCTION credits.product_update IS
'Changes what a product grants from now on. NULL leaves a value unchanged.

product_id: the product.
name: what people call it, and its grants.
description: for people.
credits: how many credits one unit grants.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on.
applicable_meters: the event names that its grants may pay for.
metadata: the application''s own data.

A top-up that was created before grants what the product said then. An auto-recharge that can buy it no longer
switches itself off.

Raises PC004, PC007, PC013.
Example: SELECT * FROM credits.product_update((SELECT product_id FROM credits.products), credits => 1200);';

CREATE FUNCTION credits.product_archive(product_id uuid)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_archive_wrapper';
COMMENT ON FUNCTION credits.product_archive IS
'Takes a product off sale, with all its prices.

product_id: the product.

Nothing is deleted, and what was begun with it can still be paid. A repeat changes nothing.

Raises PC013.
Example: SELECT * FROM credits.product_archive((SELECT product_id FROM credits.products));';

CREATE VIEW credits.products AS
SELECT d.product_id, d.name, d.description, d.credit_currency, d.credits, d.category, d.priority::integer AS priority,
       d.time_to_live, d.applicable_meters, d.metadata, d.archived_at IS NULL AS active, d.created_at, d.archived_at
FROM credits_internal.products d;
COMMENT ON VIEW credits.products IS 'Every product: what is or was sold. Its prices are in the view prices.';
COMMENT ON COLUMN credits.products.product_id IS 'The product.';
COMMENT ON COLUMN credits.products.name IS 'What people call it.';
COMMENT ON COLUMN credits.products.description IS 'For people.';
COMMENT ON COLUMN credits.products.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.products.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.products.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.products.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.products.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.products.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.products.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.products.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.products.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';
