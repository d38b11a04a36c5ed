-- Payment links: one cart for whoever opens them.

CREATE FUNCTION credits_internal.payment_link_url(payment_link_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_url_wrapper';
COMMENT ON FUNCTION credits_internal.payment_link_url IS
'Returns where a payment link is opened: credits.checkout_url with its id; NULL where that is not set.';

CREATE TYPE credits.payment_link AS (
    payment_link_id uuid, name text, active boolean, line_items jsonb, currency text, after_completion jsonb,
    allow_promotion_codes boolean, lookup_key text, url text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, archived_at timestamptz, replayed boolean, mode text, subscription_data jsonb);
COMMENT ON TYPE credits.payment_link IS
'A payment link, as functions return it. The view payment_links has all of them.';
COMMENT ON COLUMN credits.payment_link.payment_link_id IS 'The payment link.';
COMMENT ON COLUMN credits.payment_link.name IS 'What people call it.';
COMMENT ON COLUMN credits.payment_link.active IS 'Whether it can be opened: it is not archived.';
COMMENT ON COLUMN credits.payment_link.line_items IS
'What is sold: an array of objects, as checkout_session_create() takes them.';
COMMENT ON COLUMN credits.payment_link.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_link.after_completion IS
'What the customer sees once it is paid: type ''redirect'' with a url, or ''hosted_confirmation'' with a message.';
COMMENT ON COLUMN credits.payment_link.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits.payment_link.lookup_key IS 'A name that programs find it by: of one link that is active.';
COMMENT ON COLUMN credits.payment_link.url IS
'Where any customer opens it: credits.checkout_url with its id; NULL where that is not set.';
COMMENT ON COLUMN credits.payment_link.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_link.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_link.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_link.archived_at IS 'When it was archived; NULL where it is active.';
COMMENT ON COLUMN credits.payment_link.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.payment_link.mode IS
'''payment'', or ''subscription'' where one of its prices is recurring.';
COMMENT ON COLUMN credits.payment_link.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';

CREATE FUNCTION credits.payment_link_create(
    name text, line_items jsonb, currency text DEFAULT NULL, after_completion jsonb DEFAULT NULL,
    lookup_key text DEFAULT NULL, allow_promotion_codes boolean DEFAULT false, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_create_wrapper';
COMMENT ON FUNCTION credits.payment_link_create IS
'Creates a payment link: an address for a mail or a page, where each customer who opens it gets a checkout of their own.

name: what people call it.
line_items: what is sold: an array of 1 to 100 objects, as checkout_session_create() takes them.
currency: the currency of the amounts; NULL for that of the first price.
after_completion: what the customer sees once it is paid: {"type": "redirect", "redirect": {"url": …}}, or
  {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": …}}.
lookup_key: a name that programs find it by: of one link that is active.
allow_promotion_codes: whether customers may enter a code.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none. It is unique among
  what is created without a customer.
subscription_data: where a price is recurring, so that its sessions begin subscriptions: what is said of those, as
  checkout_session_create() takes it.

url is credits.checkout_url with the parameter payment_link. The page''s server, which knows who the customer is, calls
payment_link_open().

Raises PC002, PC007, PC008, PC013, PC015, PC019.
Example: SELECT name, active FROM credits.payment_link_create(''Starter'', jsonb_build_array(
  jsonb_build_object(''price_id'', (SELECT price_id FROM credits.prices LIMIT 1))));';

CREATE FUNCTION credits.payment_link_update(
    payment_link_id uuid, name text DEFAULT NULL, line_items jsonb DEFAULT NULL, after_completion jsonb DEFAULT NULL,
    lookup_key text DEFAULT NULL, allow_promotion_codes boolean DEFAULT NULL, metadata jsonb DEFAULT NULL,
    subscription_data jsonb DEFAULT NULL)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_update_wrapper';
COMMENT ON FUNCTION credits.payment_link_update IS
'Changes a payment link, for whoever opens it from then on. NULL leaves a thing as it is.

payment_link_id: the payment link.
name: what people call it.
line_items: replaces what is sold, in the same currency.
after_completion: what the customer sees once it is paid.
lookup_key: a name that programs find it by: of one link that is active.
allow_promotion_codes: whether customers may enter a code.
metadata: the application''s own data.
subscription_data: replaces what is said of the subscriptions that its sessions begin.

PC020 is one that was archived.

Raises PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT name FROM credits.payment_link_update((SELECT payment_link_id FROM credits.payment_links
  WHERE active LIMIT 1), ''Starter, in autumn'');';

CREATE FUNCTION credits.payment_link_archive(payment_link_id uuid)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_archive_wrapper';
COMMENT ON FUNCTION credits.payment_link_archive IS
'Ends a payment link: nobody can open it any more. Sessions that were opened with it stay as they are.

payment_link_id: the payment link.

A repeat is returned with replayed = true.

Raises PC013, PC019.
Example: SELECT active FROM credits.payment_link_archive((SELECT payment_link_id FROM credits.payment_links
  WHERE active LIMIT 1));';

CREATE FUNCTION credits.payment_link_open(
    customer_id text, payment_link_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL, quantities jsonb DEFAULT NULL,
    success_url text DEFAULT NULL, cancel_url text DEFAULT NULL, client_reference_id text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, collection_method text DEFAULT 'charge_automatically',
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_open_wrapper';
COMMENT ON FUNCTION credits.payment_link_open IS
'Opens a payment link for a customer: returns a new checkout session with what is sold there.

customer_id: the customer, who is created where missing.
payment_link_id: the payment link; NULL where lookup_key names it.
lookup_key: the name of an active payment link.
quantities: an object of how many, by price_id or lookup_key, of items with an adjustable_quantity.
success_url: where the customer goes once it is paid; NULL for what the link says.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls the session.
expires_at: when the session ends; NULL for a day from now.
collection_method: ''charge_automatically'' or ''send_invoice'', as of checkout_session_create().
metadata: the application''s own data, of the session.
idempotency_key: a repeat with the same key returns the first session with replayed = true; NULL for none.

PC020 is a link that was archived.

Raises PC002, PC007, PC008, PC013, PC015, PC018, PC019, PC020.
Example: SELECT status, amount_total FROM credits.payment_link_open(''ben'', (SELECT payment_link_id
  FROM credits.payment_links WHERE active LIMIT 1));';

CREATE VIEW credits.payment_links AS
SELECT l.payment_link_id, l.name, l.archived_at IS NULL AS active, l.line_items, l.currency, l.after_completion,
       l.allow_promotion_codes, l.lookup_key, credits_internal.payment_link_url(l.payment_link_id) AS url, l.metadata,
       l.created_at, l.updated_at, l.archived_at, l.recharge_currency,
       CASE WHEN l.subscription_data IS NULL THEN 'payment' ELSE 'subscription' END AS mode, l.subscription_data
FROM credits_internal.payment_links l;
COMMENT ON VIEW credits.payment_links IS 'Payment links, archived ones too.';
COMMENT ON COLUMN credits.payment_links.payment_link_id IS 'The payment link.';
COMMENT ON COLUMN credits.payment_links.name IS 'What people call it.';
COMMENT ON COLUMN credits.payment_links.active IS 'Whether it can be opened: it is not archived.';
COMMENT ON COLUMN credits.payment_links.line_items IS
'What is sold: an array of objects, as checkout_session_create() takes them.';
COMMENT ON COLUMN credits.payment_links.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_links.after_completion IS
'What the customer sees once it is paid: type ''redirect'' with a url, or ''hosted_confirmation'' with a message.';
COMMENT ON COLUMN credits.payment_links.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits.payment_links.lookup_key IS 'A name that programs find it by: of one link that is active.';
COMMENT ON COLUMN credits.payment_links.url IS
'Where any customer opens it: credits.checkout_url with its id; NULL where that is not set.';
COMMENT ON COLUMN credits.payment_links.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_links.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_links.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_links.archived_at IS 'When it was archived; NULL where it is active.';
COMMENT ON COLUMN credits.payment_links.recharge_currency IS
'The credit currency whose recharge configuration it belongs to; NULL for none.';
COMMENT ON COLUMN credits.payment_links.mode IS
'''payment'', or ''subscription'' where one of its prices is recurring.';
COMMENT ON COLUMN credits.payment_links.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';
