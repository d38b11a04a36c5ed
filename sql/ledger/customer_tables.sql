-- Customers.

CREATE TABLE credits_internal.customers (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (customer_id <> '' AND length(customer_id) <= 255),
    name        text,
    email       text,
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz,
    phone          text,
    description    text,
    address        jsonb,
    shipping       jsonb,
    currency       text COLLATE "C",
    invoice_prefix text COLLATE "C",
    tax_rate       numeric CHECK (tax_rate BETWEEN 0 AND 100),
    preferences    jsonb,
    time_zone      text,
    billing_anchor timestamptz
);

COMMENT ON TABLE credits_internal.customers IS 'Customers: whoever owns credits.';
COMMENT ON COLUMN credits_internal.customers.customer_id IS 'The application''s own key, 1 to 255 characters.';
COMMENT ON COLUMN credits_internal.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.email IS 'Not checked; gone once erased.';
COMMENT ON COLUMN credits_internal.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.customers.updated_at IS 'When customer_upsert last touched it.';
COMMENT ON COLUMN credits_internal.customers.erased_at IS 'When customer_erase forgot the person; NULL otherwise.';
COMMENT ON COLUMN credits_internal.customers.phone IS 'Not checked; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.description IS 'The application''s own words; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.address IS 'Where it is billed; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.shipping IS 'Where goods are sent, and to whom; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.customers.invoice_prefix IS
'What the numbers of its invoices begin with, its own for ever: see invoice_prefixes.';
COMMENT ON COLUMN credits_internal.customers.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.customers.preferences IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.time_zone IS
'The time zone whose calendar the periods of some meters are on; NULL for none, and once erased.';
COMMENT ON COLUMN credits_internal.customers.billing_anchor IS
'A moment at which a period of some meters begins; the others are counted from it. NULL for none.';

-- Claimed before any customer is locked. It stays when the customer takes another: invoices may have numbers of it.
CREATE TABLE credits_internal.invoice_prefixes (
    invoice_prefix text COLLATE "C" NOT NULL PRIMARY KEY CHECK (invoice_prefix ~ '^[0-9A-Z]{3,12}$'),
    customer_id    text COLLATE "C" NOT NULL
);

COMMENT ON TABLE credits_internal.invoice_prefixes IS
'Whose invoices have numbers that begin with it, for ever: no two customers have the same.';
COMMENT ON COLUMN credits_internal.invoice_prefixes.invoice_prefix IS '3 to 12 capital letters and digits.';
COMMENT ON COLUMN credits_internal.invoice_prefixes.customer_id IS 'The customer.';

CREATE INDEX invoice_prefixes_of_customer ON credits_internal.invoice_prefixes (customer_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.customers', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_prefixes', '');
