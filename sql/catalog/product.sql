-- Products.

CREATE TYPE credits.product AS (
    product_id uuid, name text, description text, credit_currency text, credits numeric, category text,
    priority integer, time_to_live interval, applicable_meters text[], metadata jsonb, active boolean,
    created_at timestamptz, type text, images text[], features text[], unit_label text, statement_descriptor text,
    credit_config jsonb, price_ids uuid[], updated_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.product IS
'A product, as product_create() and the functions that change it return it. The view products has all of them.';
COMMENT ON COLUMN credits.product.product_id IS 'The product.';
COMMENT ON COLUMN credits.product.name IS 'What people call it.';
COMMENT ON COLUMN credits.product.description IS 'For people.';
COMMENT ON COLUMN credits.product.credit_currency IS 'The currency of the credits; NULL where it grants none.';
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
COMMENT ON COLUMN credits.product.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.product.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits.product.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits.product.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits.product.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits.product.credit_config IS 'What one unit grants, in one form; NULL for nothing.';
COMMENT ON COLUMN credits.product.price_ids IS 'Its prices on sale, the oldest first.';
COMMENT ON COLUMN credits.product.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.product.replayed IS 'Whether this replays an earlier call.';

CREATE FUNCTION credits.product_create(
    name text, type text DEFAULT NULL, description text DEFAULT NULL, images text[] DEFAULT NULL,
    features text[] DEFAULT NULL, unit_label text DEFAULT NULL, statement_descriptor text DEFAULT NULL,
    credit_config jsonb DEFAULT NULL, prices jsonb DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, credits numeric DEFAULT NULL, credit_currency text DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_create_2_wrapper';
COMMENT ON FUNCTION credits.product_create IS
'Creates a product, and its prices where they are given: a service, a thing, or credits.

name: what people call it, and its grants.
type: ''service'', ''good'' or ''credit''; NULL for ''credit'' where credits is given, and for ''service'' otherwise.
description: for people.
images: addresses of pictures.
features: what it has to offer, for people.
unit_label: what one unit is called: ''seat''.
statement_descriptor: what a card''s statement says, of 1 to 22 characters.
credit_config: what one unit grants, of every price that has no credit_config of its own; NULL for nothing.
prices: an array of objects, with a key for each parameter of price_create() but product_id and idempotency_key.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s product; such keys are apart from those of customers.
credits: credits that one unit grants; with the parameters that follow, credit_config by single terms.
credit_currency: the currency of its credits; NULL for credits.default_currency.
category: the category of its grants: ''paid'' or ''promotional''; NULL for ''paid''.
priority: the priority of its grants: 0 to 100, lower is used first; NULL for 50.
time_to_live: how long the credits last from the payment on, on the calendar in UTC; NULL for ever. At most ten years,
  and more than nothing in every month.
applicable_meters: the event names that its grants may pay for; NULL for anything.

credit_config has amount and may have currency, category, priority, name, applicable_meters, valid_for, schedule and
rollover; other names that keys have elsewhere are taken too. See the page Payments. A replay must have the same name,
type, credit_config and prices.

Raises PC002, PC004, PC007, PC008, PC013, PC015.
Example: SELECT * FROM credits.product_create(''Pack of 500'', ''credit'',
  credit_config => ''{"amount": 500, "valid_for": "1 year"}'',
  prices => ''[{"unit_amount": 9.99, "currency": "USD"}]'');';

CREATE FUNCTION credits.product_update(
    product_id uuid, name text DEFAULT NULL, description text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL, type text DEFAULT NULL,
    images text[] DEFAULT NULL, features text[] DEFAULT NULL, unit_label text DEFAULT NULL,
    statement_descriptor text DEFAULT NULL, credit_config jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_update_2_wrapper';
COMMENT ON FUNCTION credits.product_update IS
'Changes a product, and what it grants from now on. NULL leaves a value unchanged.

product_id: the product.
name: what people call it, and its grants.
description: for people.
credits: how many credits one unit grants.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on.
applicable_meters: the event names that its grants may pay for.
metadata: the application''s own data.
type: ''service'', ''good'' or ''credit''.
images: addresses of pictures.
features: what it has to offer, for people.
unit_label: what one unit is called.
statement_descriptor: what a card''s statement says, of 1 to 22 characters.
credit_config: what one unit grants, as a whole; credits to applicable_meters change single terms of it.

A top-up that was created before grants what the product said then. An auto-recharge that can buy it no longer
switches itself off.

Raises PC004, PC007, PC008, PC013, PC015, PC019.
Example: SELECT * FROM credits.product_update((SELECT product_id FROM credits.products), credits => 1200);';

CREATE FUNCTION credits.product_archive(product_id uuid)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_archive_wrapper';
COMMENT ON FUNCTION credits.product_archive IS
'Takes a product off sale, with all its prices.

product_id: the product.

Nothing is deleted, and what was begun with it can still be paid. A repeat changes nothing.

Raises PC013, PC019.
Example: SELECT * FROM credits.product_archive((SELECT product_id FROM credits.products));';

CREATE FUNCTION credits.product_delete(product_id uuid)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_delete_wrapper';
COMMENT ON FUNCTION credits.product_delete IS
'Deletes a product with its prices, none of which was ever used. Returns what it was.

product_id: the product.

Once a price of it was sold, or chosen for recharges, it can only be archived: PC020.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.product_delete((SELECT product_id FROM credits.product_create(''A mistake'')));';

CREATE VIEW credits.products AS
SELECT d.product_id, d.name, d.description, (d.credit_config->>'currency') COLLATE "C" AS credit_currency,
       (d.credit_config->>'amount')::numeric AS credits, d.credit_config->>'category' AS category,
       (d.credit_config->>'priority')::integer AS priority, (d.credit_config->>'valid_for')::interval AS time_to_live,
       CASE WHEN d.credit_config ? 'applicable_meters'
            THEN ARRAY(SELECT jsonb_array_elements_text(d.credit_config->'applicable_meters')) END AS applicable_meters,
       d.metadata, d.archived_at IS NULL AS active, d.created_at, d.archived_at, d.type, d.images, d.features,
       d.unit_label, d.statement_descriptor, d.credit_config, d.updated_at
FROM credits_internal.products d;
COMMENT ON VIEW credits.products IS 'Every product: what is or was sold. Its prices are in the view prices.';
COMMENT ON COLUMN credits.products.product_id IS 'The product.';
COMMENT ON COLUMN credits.products.name IS 'What people call it.';
COMMENT ON COLUMN credits.products.description IS 'For people.';
COMMENT ON COLUMN credits.products.credit_currency IS 'The currency of the credits; NULL where it grants none.';
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
COMMENT ON COLUMN credits.products.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.products.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits.products.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits.products.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits.products.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits.products.credit_config IS
'What one unit grants, in one form, unless its price says otherwise; NULL for nothing.';
COMMENT ON COLUMN credits.products.updated_at IS 'When it last changed.';
