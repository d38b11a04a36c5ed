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

-- Apart from the catalogue's rows likewise: the counter changes with each sale.
CREATE TABLE credits_internal.price_stock (
    price_id           uuid NOT NULL PRIMARY KEY,
    quantity_available integer CHECK (quantity_available >= 0),
    taken              integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    CONSTRAINT price_stock_taken CHECK (taken <= quantity_available)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.price_stock IS
'How many units of a price there are, and how many are taken: a row for each price that has a limit, or had one.';
COMMENT ON COLUMN credits_internal.price_stock.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.price_stock.quantity_available IS
'How many there are in all, those that are taken included; NULL for any number.';
COMMENT ON COLUMN credits_internal.price_stock.taken IS
'What is reserved and not released: also what ran out, until it is needed or maintain() comes by.';

CREATE TABLE credits_internal.stock_reservations (
    customer_id text COLLATE "C" NOT NULL,
    holder_id   uuid NOT NULL,
    price_id    uuid NOT NULL,
    quantity    integer NOT NULL CHECK (quantity > 0),
    reserved_at timestamptz NOT NULL,
    expires_at  timestamptz,
    released_at timestamptz,
    PRIMARY KEY (customer_id, holder_id, price_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.stock_reservations IS
'Units of prices that are set aside or sold: of each price that has a limit, what each holder has.';
COMMENT ON COLUMN credits_internal.stock_reservations.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.stock_reservations.holder_id IS 'The invoice, by its id.';
COMMENT ON COLUMN credits_internal.stock_reservations.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.stock_reservations.quantity IS 'How many units.';
COMMENT ON COLUMN credits_internal.stock_reservations.reserved_at IS 'When they were last reserved.';
COMMENT ON COLUMN credits_internal.stock_reservations.expires_at IS 'When they may go to others; NULL for never.';
COMMENT ON COLUMN credits_internal.stock_reservations.released_at IS
'When they were given back; NULL while they are held.';

CREATE INDEX stock_reservations_late ON credits_internal.stock_reservations (expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX stock_reservations_of_price ON credits_internal.stock_reservations (price_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.prices', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_usage', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_stock', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.stock_reservations', '');
