-- Prices of products.

CREATE TABLE credits_internal.prices (
    price_id    uuid NOT NULL PRIMARY KEY,
    product_id  uuid NOT NULL,
    type        text NOT NULL CHECK (type = 'one_time'),
    unit_amount numeric NOT NULL CHECK (unit_amount > 0),
    currency    text COLLATE "C" NOT NULL,
    metadata    jsonb,
    created_at  timestamptz NOT NULL,
    archived_at timestamptz
);

COMMENT ON TABLE credits_internal.prices IS
'What one unit of a product costs. A row is never changed except for archived_at.';
COMMENT ON COLUMN credits_internal.prices.price_id IS 'Its id: what a top-up names.';
COMMENT ON COLUMN credits_internal.prices.product_id IS 'Of which product.';
COMMENT ON COLUMN credits_internal.prices.type IS '''one_time''.';
COMMENT ON COLUMN credits_internal.prices.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits_internal.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';

CREATE INDEX prices_of_product ON credits_internal.prices (product_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.prices', '');
