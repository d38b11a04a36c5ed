-- Products: what is sold.

CREATE TABLE credits_internal.products (
    product_id           uuid NOT NULL PRIMARY KEY,
    name                 text NOT NULL CHECK (name <> ''),
    description          text,
    metadata             jsonb,
    created_at           timestamptz NOT NULL,
    archived_at          timestamptz,
    type                 text NOT NULL CHECK (type IN ('service', 'good', 'credit')),
    images               text[],
    features             text[],
    unit_label           text,
    statement_descriptor text,
    credit_config        jsonb,
    updated_at           timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.products IS 'What is sold, and what one unit of it grants.';
COMMENT ON COLUMN credits_internal.products.product_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.products.name IS 'What people call it, and its grants.';
COMMENT ON COLUMN credits_internal.products.description IS 'For people.';
COMMENT ON COLUMN credits_internal.products.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.products.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';
COMMENT ON COLUMN credits_internal.products.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits_internal.products.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits_internal.products.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits_internal.products.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits_internal.products.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits_internal.products.credit_config IS
'What one unit grants, unless its price says otherwise; NULL for nothing. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.products.updated_at IS 'When it last changed.';

-- Idempotency keys of what is created without a customer.
CREATE TABLE credits_internal.catalog_keys (
    idempotency_key text COLLATE "C" NOT NULL PRIMARY KEY,
    function        text NOT NULL,
    object_id       uuid NOT NULL,
    inputs          jsonb NOT NULL,
    created_at      timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.catalog_keys IS
'Idempotency keys of what is created without a customer, and what was created.';
COMMENT ON COLUMN credits_internal.catalog_keys.idempotency_key IS 'The key.';
COMMENT ON COLUMN credits_internal.catalog_keys.function IS 'The function that it was given to.';
COMMENT ON COLUMN credits_internal.catalog_keys.object_id IS 'What that created.';
COMMENT ON COLUMN credits_internal.catalog_keys.inputs IS 'What a replay must be the same in.';
COMMENT ON COLUMN credits_internal.catalog_keys.created_at IS 'When it was first used.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.products', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.catalog_keys', '');
