-- What each credit currency is recharged with.

CREATE TABLE credits_internal.recharge_configs (
    currency      text COLLATE "C" NOT NULL PRIMARY KEY,
    base_price_id uuid NOT NULL,
    checkout_url  text,
    min_amount    numeric CHECK (min_amount > 0),
    max_amount    numeric CHECK (max_amount >= min_amount),
    updated_at    timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.recharge_configs IS 'What credit currencies are recharged with.';
COMMENT ON COLUMN credits_internal.recharge_configs.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.recharge_configs.base_price_id IS 'Its price.';
COMMENT ON COLUMN credits_internal.recharge_configs.checkout_url IS 'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits_internal.recharge_configs.min_amount IS
'The least that one top-up may cost, in the price''s currency; NULL for any.';
COMMENT ON COLUMN credits_internal.recharge_configs.max_amount IS 'The most; NULL for any.';
COMMENT ON COLUMN credits_internal.recharge_configs.updated_at IS 'When it was last set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharge_configs', '');
