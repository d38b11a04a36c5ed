-- Products: what is sold.

CREATE TABLE credits_internal.products (
    product_id        uuid NOT NULL PRIMARY KEY,
    name              text NOT NULL CHECK (name <> ''),
    description       text,
    credit_currency   text COLLATE "C" NOT NULL,
    credits           numeric NOT NULL CHECK (credits > 0),
    category          text NOT NULL CHECK (category IN ('paid', 'promotional')),
    priority          smallint NOT NULL CHECK (priority BETWEEN 0 AND 100),
    time_to_live      interval CHECK (timestamp '2001-02-01' + time_to_live > timestamp '2001-02-01'),
    applicable_meters text[],
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    archived_at       timestamptz
);

COMMENT ON TABLE credits_internal.products IS 'What is sold: what one unit grants.';
COMMENT ON COLUMN credits_internal.products.product_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.products.name IS 'What people call it, and its grants.';
COMMENT ON COLUMN credits_internal.products.description IS 'For people.';
COMMENT ON COLUMN credits_internal.products.credit_currency IS 'The currency of what it grants.';
COMMENT ON COLUMN credits_internal.products.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits_internal.products.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits_internal.products.priority IS '0 to 100: of its grants.';
COMMENT ON COLUMN credits_internal.products.time_to_live IS
'How long its grants last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits_internal.products.applicable_meters IS
'The meters that its grants may pay for; NULL for anything.';
COMMENT ON COLUMN credits_internal.products.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.products.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.products', '');
