-- Customers.

CREATE TABLE credits_internal.customers (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (customer_id <> '' AND length(customer_id) <= 255),
    name        text,
    email       text,
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz
);

COMMENT ON TABLE credits_internal.customers IS 'Customers: whoever owns credits.';
COMMENT ON COLUMN credits_internal.customers.customer_id IS 'The application''s own key, 1 to 255 characters.';
COMMENT ON COLUMN credits_internal.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.email IS 'Not checked; gone once erased.';
COMMENT ON COLUMN credits_internal.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.customers.updated_at IS 'When customer_upsert last touched it.';
COMMENT ON COLUMN credits_internal.customers.erased_at IS 'When customer_erase forgot the person; NULL otherwise.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.customers', '');
