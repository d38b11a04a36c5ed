-- Items of subscriptions, one by one.

CREATE VIEW credits.subscription_items AS
SELECT i.customer_id, i.subscription_item_id, i.subscription_id, i.price_id, p.product_id, i.quantity, i.metadata,
       i.created_at, i.updated_at, i.removed_at
FROM credits_internal.subscription_items i
LEFT JOIN credits_internal.prices p ON p.price_id = i.price_id;
COMMENT ON VIEW credits.subscription_items IS 'What subscriptions are for, and what they were for.';
COMMENT ON COLUMN credits.subscription_items.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription_items.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.subscription_items.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_items.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits.subscription_items.product_id IS 'The price''s product.';
COMMENT ON COLUMN credits.subscription_items.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits.subscription_items.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription_items.created_at IS 'When it was added.';
COMMENT ON COLUMN credits.subscription_items.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription_items.removed_at IS 'When it was removed; NULL while it is there.';

CREATE TYPE credits.subscription_item AS (
    customer_id text, subscription_item_id uuid, subscription_id uuid, price_id uuid, product_id uuid, quantity numeric,
    metadata jsonb, created_at timestamptz, updated_at timestamptz, removed_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.subscription_item IS
'An item of a subscription, as functions return it. The view subscription_items has all of them.';
COMMENT ON COLUMN credits.subscription_item.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription_item.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.subscription_item.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_item.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits.subscription_item.product_id IS 'The price''s product.';
COMMENT ON COLUMN credits.subscription_item.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits.subscription_item.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription_item.created_at IS 'When it was added.';
COMMENT ON COLUMN credits.subscription_item.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription_item.removed_at IS 'When it was removed; NULL while it is there.';
COMMENT ON COLUMN credits.subscription_item.replayed IS
'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.subscription_item_create(
    customer_id text, subscription_id uuid, price_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL,
    quantity numeric DEFAULT NULL, metadata jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate', idempotency_key text DEFAULT NULL)
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_create_wrapper';
COMMENT ON FUNCTION credits.subscription_item_create IS
'Adds an item to a subscription: subscription_update() with one item that is new.

customer_id: the customer.
subscription_id: the subscription.
price_id: a recurring price of its currency and interval.
lookup_key: or that price by its key.
quantity: how many; NULL for one, and where the price is metered.
metadata: the application''s own data.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

Raises PC001, PC002, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT quantity FROM credits.subscription_item_create(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1), lookup_key => ''pro_monthly'', quantity => 3);';

CREATE FUNCTION credits.subscription_item_update(
    customer_id text, subscription_item_id uuid, price_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL,
    quantity numeric DEFAULT NULL, metadata jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate')
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_update_wrapper';
COMMENT ON FUNCTION credits.subscription_item_update IS
'Changes an item of a subscription: subscription_update() with that item. NULL leaves a thing as it is.

customer_id: the customer.
subscription_item_id: the item.
price_id: another recurring price.
lookup_key: or that price by its key.
quantity: how many.
metadata: the application''s own data.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.

A repeat changes nothing. Several items change at once by subscription_update(); those of another interval have to.

Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT quantity FROM credits.subscription_item_update(''ben'', (SELECT subscription_item_id
  FROM credits.subscription_items WHERE customer_id = ''ben'' LIMIT 1), quantity => 4);';

CREATE FUNCTION credits.subscription_item_delete(
    customer_id text, subscription_item_id uuid, proration_behavior text DEFAULT NULL, credits text DEFAULT 'prorate')
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_delete_wrapper';
COMMENT ON FUNCTION credits.subscription_item_delete IS
'Removes an item from a subscription: subscription_update() with that item deleted. The last one stays.

customer_id: the customer.
subscription_item_id: the item.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.

The view subscription_items goes on having it, with removed_at. A repeat returns it with replayed = true.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT removed_at IS NOT NULL AS removed FROM credits.subscription_item_delete(''ben'',
  (SELECT max(subscription_item_id::text)::uuid FROM credits.subscription_items WHERE customer_id = ''ben''));';
