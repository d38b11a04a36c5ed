-- Prices of products.

CREATE TABLE credits_internal.prices (
    price_id                    uuid NOT NULL PRIMARY KEY,
    product_id                  uuid NOT NULL,
    type                        text NOT NULL CHECK (type IN ('one_time', 'recurring')),
    unit_amount                 numeric CHECK (unit_amount >= 0),
    currency                    text COLLATE "C" NOT NULL,
    metadata                    jsonb,
    created_at                  timestamptz NOT NULL,
    archived_at                 timestamptz,
    recurring                   jsonb,
    nickname                    text,
    lookup_key                  text COLLATE "C",
    currency_options            jsonb,
    pricing                     jsonb,
    quantity_limit_per_checkout integer CHECK (quantity_limit_per_checkout > 0),
    credit_config               jsonb,
    tax_behavior                text NOT NULL DEFAULT 'exclusive' CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    updated_at                  timestamptz NOT NULL,
    CONSTRAINT prices_recurring CHECK ((recurring IS NULL) = (type = 'one_time')),
    CONSTRAINT prices_amount CHECK (pricing IS NULL OR unit_amount IS NULL)
);

COMMENT ON TABLE credits_internal.prices IS
'What one unit of a product costs, and how it is paid. What it comes to never changes once it was used.';
COMMENT ON COLUMN credits_internal.prices.price_id IS 'Its id: what a top-up names.';
COMMENT ON COLUMN credits_internal.prices.product_id IS 'Of which product.';
COMMENT ON COLUMN credits_internal.prices.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits_internal.prices.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits_internal.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';
COMMENT ON COLUMN credits_internal.prices.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits_internal.prices.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.prices.lookup_key IS
'A name that programs find it by: of one price on sale at a time.';
COMMENT ON COLUMN credits_internal.prices.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits_internal.prices.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits_internal.prices.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits_internal.prices.credit_config IS
'What one unit grants; NULL for what the product''s says. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.prices.tax_behavior IS '''exclusive'' or ''inclusive''.';
COMMENT ON COLUMN credits_internal.prices.updated_at IS 'When it last changed.';

CREATE INDEX prices_of_product ON credits_internal.prices (product_id);
CREATE UNIQUE INDEX prices_lookup_key ON credits_internal.prices (lookup_key)
    WHERE lookup_key IS NOT NULL AND archived_at IS NULL;

-- Apart from the catalogue's rows, which sales only read.
CREATE TABLE credits_internal.price_usage (
    price_id      uuid NOT NULL PRIMARY KEY,
    first_used_at timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.price_usage IS
'Prices that were used: sold, or chosen for recharges. What they come to is frozen, and they cannot be deleted.';
COMMENT ON COLUMN credits_internal.price_usage.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.price_usage.first_used_at IS 'When it was first used.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.prices', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_usage', '');
