-- Customers.

CREATE TYPE credits.customer AS (
    customer_id text, name text, email text, metadata jsonb, created_at timestamptz, updated_at timestamptz,
    phone text, description text, address jsonb, shipping jsonb, currency text, invoice_prefix text, tax_rate numeric,
    preferences jsonb, time_zone text, billing_anchor timestamptz);
COMMENT ON TYPE credits.customer IS 'A customer, as customer_upsert() and customer_delete() return it.';
COMMENT ON COLUMN credits.customer.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customer.name IS 'The name of the person or company.';
COMMENT ON COLUMN credits.customer.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customer.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.customer.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customer.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.customer.phone IS 'The customer''s telephone number, not checked.';
COMMENT ON COLUMN credits.customer.description IS 'What the application says of it.';
COMMENT ON COLUMN credits.customer.address IS
'Where it is billed: line1, line2, city, state, postal_code, country (two letters).';
COMMENT ON COLUMN credits.customer.shipping IS 'Where goods are sent, and to whom: name, phone, address.';
COMMENT ON COLUMN credits.customer.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.invoice_prefix IS
'What the numbers of its invoices begin with; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.preferences IS 'What the customer prefers, in the application''s own words.';
COMMENT ON COLUMN credits.customer.time_zone IS
'The time zone of the calendar of meters whose period_from is ''customer''; NULL for none, and once erased.';
COMMENT ON COLUMN credits.customer.billing_anchor IS
'The billing date: a moment at which a period of meters whose period_from is ''billing_date'' begins; NULL for none.';

CREATE FUNCTION credits.customer_upsert(
    customer_id text, name text DEFAULT NULL, email text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    phone text DEFAULT NULL, description text DEFAULT NULL, address jsonb DEFAULT NULL, shipping jsonb DEFAULT NULL,
    currency text DEFAULT NULL, invoice_prefix text DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    preferences jsonb DEFAULT NULL, time_zone text DEFAULT NULL, billing_anchor timestamptz DEFAULT NULL)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_upsert_2_wrapper';
COMMENT ON FUNCTION credits.customer_upsert IS
'Creates a customer or updates one. NULL leaves a value unchanged.

customer_id: the application''s own key, 1 to 255 characters.
name: the name of the person or company.
email: an address; it is not checked.
metadata: the application''s own data.
phone: a telephone number; it is not checked.
description: what the application says of the customer.
address: where it is billed, an object of texts: line1, line2, city, state, postal_code, country (the two letters of
  ISO 3166). Another key is refused. It replaces the whole address.
shipping: where goods are sent, and to whom: an object with name, phone and address. It replaces all of it.
currency: the currency that the customer pays in.
invoice_prefix: what the numbers of its invoices begin with from now on: 3 to 12 letters and digits, kept as capitals.
  No two customers ever have the same.
tax_rate: percent of tax on invoices that name none, 0 to 100 with at most 6 decimals; ''infinity'' removes it.
preferences: an object of the application''s own.
time_zone: the time zone whose calendar the periods of meters with period_from ''customer'' are on, as Europe/Berlin.
  An empty text removes it.
billing_anchor: the billing date: a moment at which a period of meters with period_from ''billing_date'' begins. The
  others begin so many periods before and after it, at the end of a month that is too short. ''infinity'' removes it.

Another time_zone or billing_anchor is for events that are reported from then on: those that were keep their period.
Where a period begins at another moment then, its tiers begin anew.

An empty text removes a text, and {} removes address, shipping and preferences. A prefix that is removed or replaced
stays the customer''s: invoices may have it.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.customer_upsert(''ann'', name => ''Ann Lee'', email => ''ann@example.com'',
  address => ''{"line1": "Main Street 1", "city": "Bonn", "country": "DE"}'', tax_rate => 19);';

CREATE FUNCTION credits.customer_delete(customer_id text)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_delete_wrapper';
COMMENT ON FUNCTION credits.customer_delete IS
'Deletes a customer that was created by mistake: one without history.

customer_id: the customer.

History is a ledger line, a grant, an operation, a hold, usage (also in the inbox, and rejected), a top-up, a payment, a
recharge, or a webhook that names the customer. With any of it, it is PC020: customer_erase() forgets the person and
keeps what happened.

What is configured for the customer goes with it: accounts, limits, alerts, prices of its own, auto-recharge, payment
methods, and its invoice prefix. Rows of the outbox stay, and so do billing events, without what they said.

Raises PC003, PC013, PC020.
Example: SELECT * FROM credits.customer_delete(''created by mistake'');';

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

It clears name, email, phone, description, address, shipping, preferences, time_zone and metadata; payment methods,
which are detached, also in the outbox; the addresses of purchases; and what payment providers sent, and will send,
including why a payment failed. Auto-recharge is switched off (outbox: ''recharge.disabled''), and a request that no
worker has begun is canceled. Currency, rate of tax, invoice prefix and billing_anchor stay.

Billing events stay, without what they said, and a customer.updated says what is left.

Invoices that were given out keep the customer''s name and address for credits.invoice_retention: maintain() clears
them after that.

What the application wrote with usage, spending and purchases stays: see customer_metadata_clear().

While a payment is on its way (a payment intent that is ''processing'' or ''requires_action''), it is PC020: what comes
of that would be reported of a person who was forgotten. A worker that took an auto-recharge has to answer first too.

A repeat clears what came since, and returns when it was first done.

Raises PC003, PC013, PC020.
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
operations, holds and top-ups; metadata of grants, invoices and their lines, also in billing events; and the reasons
of cancellations, adjustments and voids. No amount, line, key or identifier is touched. If a price depends on one value
of an event''s metadata, that value stays.

It locks the customer''s accounts until the transaction ends, and takes longer the more events there are.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_metadata_clear(''ann'');';

CREATE VIEW credits.customers AS
SELECT c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, c.erased_at, c.phone, c.description,
       c.address, c.shipping, c.currency, c.invoice_prefix, c.tax_rate, c.preferences, c.time_zone,
       c.billing_anchor
FROM credits_internal.customers c;
COMMENT ON VIEW credits.customers IS 'Every customer, erased ones too.';
COMMENT ON COLUMN credits.customers.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits.customers.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customers.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.customers.erased_at IS 'When customer_erase() cleared the person; NULL otherwise.';
COMMENT ON COLUMN credits.customers.phone IS 'The customer''s telephone number, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customers.description IS 'What the application says of it; NULL once erased.';
COMMENT ON COLUMN credits.customers.address IS
'Where it is billed: line1, line2, city, state, postal_code, country (two letters); NULL once erased.';
COMMENT ON COLUMN credits.customers.shipping IS
'Where goods are sent, and to whom: name, phone, address; NULL once erased.';
COMMENT ON COLUMN credits.customers.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.invoice_prefix IS
'What the numbers of its invoices begin with; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.preferences IS
'What the customer prefers, in the application''s own words; NULL once erased.';
COMMENT ON COLUMN credits.customers.time_zone IS
'The time zone of the calendar of meters whose period_from is ''customer''; NULL for none, and once erased.';
COMMENT ON COLUMN credits.customers.billing_anchor IS
'The billing date: a moment at which a period of meters whose period_from is ''billing_date'' begins; NULL for none.';
