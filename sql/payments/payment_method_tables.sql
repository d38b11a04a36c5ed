-- Payment methods: what a provider keeps of a customer that can be charged.

CREATE TABLE credits_internal.payment_methods (
    customer_id       text COLLATE "C" NOT NULL,
    payment_method_id uuid NOT NULL,
    provider          text COLLATE "C" NOT NULL,
    provider_customer text COLLATE "C",
    reference         text COLLATE "C",
    name              text,
    expires_at        timestamptz,
    is_default        boolean NOT NULL CHECK (NOT is_default OR detached_at IS NULL),
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    detached_at       timestamptz,
    PRIMARY KEY (customer_id, payment_method_id),
    CHECK (reference IS NOT NULL OR detached_at IS NOT NULL)
);

COMMENT ON TABLE credits_internal.payment_methods IS
'Payment methods of customers, by what providers call them. What is detached stays as a row, and is charged no more.';
COMMENT ON COLUMN credits_internal.payment_methods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_methods.payment_method_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.payment_methods.provider IS 'Who keeps it.';
COMMENT ON COLUMN credits_internal.payment_methods.provider_customer IS
'What the provider calls the customer; NULL where it does not matter, and once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.reference IS
'What the provider calls it: never the number of a card. NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.name IS 'What people call it; NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits_internal.payment_methods.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits_internal.payment_methods.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_methods.detached_at IS 'When it was detached; NULL where it is not.';

-- Attached once; and one is the default.
CREATE UNIQUE INDEX payment_methods_attached ON credits_internal.payment_methods (customer_id, provider, reference)
    WHERE detached_at IS NULL;
CREATE UNIQUE INDEX payment_methods_default ON credits_internal.payment_methods (customer_id) WHERE is_default;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_methods', '');
