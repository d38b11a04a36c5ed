-- Customers.

CREATE TYPE credits.customer AS (
    customer_id text, name text, email text, metadata jsonb, created_at timestamptz, updated_at timestamptz);
COMMENT ON TYPE credits.customer IS 'A customer, as customer_upsert() returns it.';
COMMENT ON COLUMN credits.customer.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customer.name IS 'The name of the person or company.';
COMMENT ON COLUMN credits.customer.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customer.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.customer.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customer.updated_at IS 'When it last changed.';

CREATE FUNCTION credits.customer_upsert(
    customer_id text, name text DEFAULT NULL, email text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_upsert_wrapper';
COMMENT ON FUNCTION credits.customer_upsert IS
'Creates a customer or updates one. NULL leaves a value unchanged.

customer_id: the application''s own key, 1 to 255 characters.
name: the name of the person or company.
email: an address; it is not checked.
metadata: the application''s own data.

Raises PC013.
Example: SELECT * FROM credits.customer_upsert(''ann'', name => ''Ann Lee'', email => ''ann@example.com'');';

CREATE TYPE credits.erasure AS (customer_id text, erased_at timestamptz);
COMMENT ON TYPE credits.erasure IS 'What customer_erase() returns.';
COMMENT ON COLUMN credits.erasure.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.erasure.erased_at IS 'When the person was first erased.';

CREATE FUNCTION credits.customer_erase(customer_id text)
RETURNS credits.erasure
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_erase_wrapper';
COMMENT ON FUNCTION credits.customer_erase IS
'Forgets the person and keeps the ledger.

customer_id: the customer.

It clears name, email and metadata; payment methods, also in the outbox; the addresses of purchases; and what payment
providers sent, and will send, including why a payment failed. Auto-recharge is switched off (outbox:
''recharge.disabled''), and a request that no worker has begun is canceled.

Invoices that were given out keep the customer''s name and address for credits.invoice_retention: maintain() clears
them after that.

What the application wrote with usage, spending and purchases stays: see customer_metadata_clear().

A repeat clears what came since, and returns when it was first done.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_erase(''ann'');';

CREATE TYPE credits.metadata_clearance AS (cleared bigint, waiting bigint);
COMMENT ON TYPE credits.metadata_clearance IS 'What customer_metadata_clear() returns.';
COMMENT ON COLUMN credits.metadata_clearance.cleared IS 'How many rows had something.';
COMMENT ON COLUMN credits.metadata_clearance.waiting IS
'Rows of the inbox that still have it, since it may decide their price: call again once they are settled.';

CREATE FUNCTION credits.customer_metadata_clear(customer_id text)
RETURNS credits.metadata_clearance
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_metadata_clear_wrapper';
COMMENT ON FUNCTION credits.customer_metadata_clear IS
'Clears what the application wrote with a customer''s usage, spending, grants and purchases.

customer_id: the customer.

It clears metadata and source_data of meter events and of rejected rows of the inbox; metadata and descriptions of
operations, holds and top-ups; metadata of grants, invoices and their lines; and the reasons of cancellations,
adjustments and voids. No amount, line, key or identifier is touched. If a price depends on one value of an event''s
metadata, that value stays.

It locks the customer''s accounts until the transaction ends, and takes longer the more events there are.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_metadata_clear(''ann'');';

CREATE VIEW credits.customers AS
SELECT c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, c.erased_at
FROM credits_internal.customers c;
COMMENT ON VIEW credits.customers IS 'Every customer, erased ones too.';
COMMENT ON COLUMN credits.customers.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits.customers.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customers.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.customers.erased_at IS 'When customer_erase() cleared the person; NULL otherwise.';
