-- Promotion codes: what people type in to use a coupon.

CREATE TABLE credits_internal.promotion_codes (
    promotion_code_id uuid NOT NULL PRIMARY KEY,
    coupon_id         uuid NOT NULL,
    code              text NOT NULL CHECK (code <> ''),
    code_key          text COLLATE "C" NOT NULL,
    active            boolean NOT NULL,
    description       text,
    starts_at         timestamptz,
    expires_at        timestamptz,
    verification_type text NOT NULL CHECK (verification_type IN ('code', 'user_restricted', 'attested')),
    for_customers     boolean NOT NULL,
    restrictions      jsonb,
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.promotion_codes IS
'Codes of coupons, with what each asks of whoever uses it. That never changes once it was used.';
COMMENT ON COLUMN credits_internal.promotion_codes.promotion_code_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.promotion_codes.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.promotion_codes.code IS 'The code, as it was given.';
COMMENT ON COLUMN credits_internal.promotion_codes.code_key IS
'The code in lower case: of one active code at a time. Written by src/catalog/promotion_code/terms.rs.';
COMMENT ON COLUMN credits_internal.promotion_codes.active IS 'Whether it may be used.';
COMMENT ON COLUMN credits_internal.promotion_codes.description IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.promotion_codes.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits_internal.promotion_codes.expires_at IS
'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits_internal.promotion_codes.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits_internal.promotion_codes.for_customers IS
'Whether it is for those in promotion_code_customers alone.';
COMMENT ON COLUMN credits_internal.promotion_codes.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits_internal.promotion_codes.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.promotion_codes.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.promotion_codes.updated_at IS 'When it last changed.';

CREATE INDEX promotion_codes_of_coupon ON credits_internal.promotion_codes (coupon_id, promotion_code_id);
CREATE INDEX promotion_codes_by_key ON credits_internal.promotion_codes (code_key, active, promotion_code_id);
CREATE UNIQUE INDEX promotion_codes_active ON credits_internal.promotion_codes (code_key) WHERE active;

CREATE TABLE credits_internal.promotion_code_customers (
    customer_id       text COLLATE "C" NOT NULL,
    promotion_code_id uuid NOT NULL,
    PRIMARY KEY (customer_id, promotion_code_id)
);

COMMENT ON TABLE credits_internal.promotion_code_customers IS
'Who may use a code that is for certain customers. They need not exist yet.';
COMMENT ON COLUMN credits_internal.promotion_code_customers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.promotion_code_customers.promotion_code_id IS 'The code.';

CREATE INDEX promotion_code_customers_of_code ON credits_internal.promotion_code_customers (promotion_code_id);

-- Apart from the catalogue's rows: the counter changes with each purchase.
CREATE TABLE credits_internal.promotion_code_counters (
    promotion_code_id uuid NOT NULL PRIMARY KEY,
    max_redemptions   integer CHECK (max_redemptions > 0),
    taken             integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    first_used_at     timestamptz,
    CONSTRAINT promotion_code_counters_taken CHECK (taken <= max_redemptions)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.promotion_code_counters IS
'How often each code may be used, and how often it is. It changes under the lock of its coupon''s counter.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.promotion_code_id IS 'The code.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.max_redemptions IS
'How often in all; NULL for any number.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.taken IS
'What is reserved or used and not released, as of a coupon.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.first_used_at IS 'When it was first used; NULL for never.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_codes', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_code_customers', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_code_counters', '');
