-- Currencies: what credits and money are counted in.

CREATE TABLE credits_internal.currencies (
    currency    text COLLATE "C" NOT NULL PRIMARY KEY CHECK (currency <> '' AND length(currency) <= 32),
    name        text,
    decimals    smallint NOT NULL DEFAULT 2 CHECK (decimals BETWEEN 0 AND 18),
    kind        text NOT NULL DEFAULT 'credit' CHECK (kind IN ('credit', 'fiat')),
    symbol      text,
    active      boolean NOT NULL DEFAULT true,
    min_payment numeric CHECK (min_payment > 0),
    max_payment numeric CHECK (max_payment >= min_payment),
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE credits_internal.currencies IS 'What is counted: credit units and money.';
COMMENT ON COLUMN credits_internal.currencies.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits_internal.currencies.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.currencies.decimals IS
'The most decimals that an amount may have, 0 to 18; fixed for ever.';
COMMENT ON COLUMN credits_internal.currencies.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits_internal.currencies.symbol IS 'For display.';
COMMENT ON COLUMN credits_internal.currencies.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits_internal.currencies.min_payment IS 'The smallest payment, in this currency; NULL for none.';
COMMENT ON COLUMN credits_internal.currencies.max_payment IS 'The largest payment, in this currency; NULL for none.';
COMMENT ON COLUMN credits_internal.currencies.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.currencies.created_at IS 'When it was created.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.currencies', '');
