-- Exchange rates.

CREATE TABLE credits_internal.exchange_rates (
    currency      text COLLATE "C" NOT NULL,
    fiat_currency text COLLATE "C" NOT NULL,
    effective_at  timestamptz NOT NULL,
    rate          numeric NOT NULL CHECK (rate > 0),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (currency, fiat_currency, effective_at)
);

COMMENT ON TABLE credits_internal.exchange_rates IS 'The price of one credit in money, from a moment on.';
COMMENT ON COLUMN credits_internal.exchange_rates.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.exchange_rates.fiat_currency IS 'In which money.';
COMMENT ON COLUMN credits_internal.exchange_rates.effective_at IS 'From when on it holds.';
COMMENT ON COLUMN credits_internal.exchange_rates.rate IS 'The price of one credit, in major units of the money.';
COMMENT ON COLUMN credits_internal.exchange_rates.created_at IS 'When it was set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.exchange_rates', '');
