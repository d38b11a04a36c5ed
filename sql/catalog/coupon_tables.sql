-- Coupons: what is taken off a purchase, or given for nothing.

CREATE TABLE credits_internal.coupons (
    coupon_id                    uuid NOT NULL PRIMARY KEY,
    name                         text NOT NULL CHECK (name <> ''),
    description                  text,
    percent_off                  numeric CHECK (percent_off > 0 AND percent_off <= 100),
    amount_off                   numeric CHECK (amount_off > 0),
    currency                     text COLLATE "C",
    currency_options             jsonb,
    credit_config                jsonb,
    duration                     text NOT NULL CHECK (duration IN ('once', 'repeating', 'forever')),
    duration_in_months           integer CHECK (duration_in_months > 0),
    applies_to_products          uuid[],
    max_redemptions_per_customer integer CHECK (max_redemptions_per_customer > 0),
    redeem_by                    timestamptz,
    active                       boolean NOT NULL,
    metadata                     jsonb,
    created_at                   timestamptz NOT NULL,
    updated_at                   timestamptz NOT NULL,
    CONSTRAINT coupons_kind CHECK (num_nonnulls(percent_off, amount_off, credit_config) = 1),
    CONSTRAINT coupons_currency CHECK ((amount_off IS NULL) = (currency IS NULL)),
    CONSTRAINT coupons_repeating CHECK ((duration = 'repeating') = (duration_in_months IS NOT NULL))
);

COMMENT ON TABLE credits_internal.coupons IS
'What a coupon takes off, or what credits it gives. That never changes once it was used.';
COMMENT ON COLUMN credits_internal.coupons.coupon_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.coupons.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.coupons.description IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.coupons.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits_internal.coupons.amount_off IS 'Or so much off, in major units.';
COMMENT ON COLUMN credits_internal.coupons.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits_internal.coupons.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits_internal.coupons.credit_config IS
'Or the credits that it gives: a voucher''s. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.coupons.duration IS '''once'', ''repeating'' or ''forever''.';
COMMENT ON COLUMN credits_internal.coupons.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits_internal.coupons.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits_internal.coupons.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits_internal.coupons.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits_internal.coupons.active IS 'Whether it may be used.';
COMMENT ON COLUMN credits_internal.coupons.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.coupons.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.coupons.updated_at IS 'When it last changed.';

-- Apart from the catalogue's rows: the counter changes with each purchase.
CREATE TABLE credits_internal.coupon_counters (
    coupon_id       uuid NOT NULL PRIMARY KEY,
    max_redemptions integer CHECK (max_redemptions > 0),
    taken           integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    first_used_at   timestamptz,
    CONSTRAINT coupon_counters_taken CHECK (taken <= max_redemptions)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.coupon_counters IS
'How often each coupon may be used, and how often it is. It is locked before the counters of the coupon''s codes.';
COMMENT ON COLUMN credits_internal.coupon_counters.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.coupon_counters.max_redemptions IS 'How often in all; NULL for any number.';
COMMENT ON COLUMN credits_internal.coupon_counters.taken IS
'What is reserved or used and not released: also what ran out, until it is needed or maintain() comes by. What is over
quota is not in it.';
COMMENT ON COLUMN credits_internal.coupon_counters.first_used_at IS 'When it was first used; NULL for never.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.coupons', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.coupon_counters', '');
