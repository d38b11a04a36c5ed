-- Currencies.

CREATE TYPE credits.currency AS (
    currency text, name text, decimals integer, kind text, symbol text, active boolean, min_payment numeric,
    max_payment numeric, metadata jsonb);
COMMENT ON TYPE credits.currency IS 'A currency, as currency_create() and currency_update() return it.';
COMMENT ON COLUMN credits.currency.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits.currency.name IS 'What people call it.';
COMMENT ON COLUMN credits.currency.decimals IS 'The most decimals that an amount may have, 0 to 18. Fixed.';
COMMENT ON COLUMN credits.currency.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits.currency.symbol IS 'For display: ''$''.';
COMMENT ON COLUMN credits.currency.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits.currency.min_payment IS 'The smallest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currency.max_payment IS 'The largest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currency.metadata IS 'The application''s own data.';

CREATE FUNCTION credits.currency_create(
    currency text, name text DEFAULT NULL, decimals integer DEFAULT 2, kind text DEFAULT 'credit',
    symbol text DEFAULT NULL, metadata jsonb DEFAULT NULL, if_not_exists boolean DEFAULT NULL)
RETURNS credits.currency
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_create_2_wrapper';
COMMENT ON FUNCTION credits.currency_create IS
'Creates a currency: a credit unit or money.

currency: its code, 1 to 32 characters.
name: what people call it.
decimals: the most decimals that an amount may have, 0 to 18. It cannot be changed.
kind: ''credit'' for a credit unit, ''fiat'' for money.
symbol: for display.
metadata: the application''s own data.
if_not_exists: true returns a currency that exists already, if it is the same; PC002 says what differs. NULL or false
  refuses it (PC013).

The currency CREDIT, with 6 decimals, is created when it is first used.

With if_not_exists, a name, symbol and metadata that are left out may be anything. So a script can make what it needs
each time that it runs.

Raises PC002, PC013.
Example: SELECT * FROM credits.currency_create(''EUR'', ''Euro'', decimals => 2, kind => ''fiat'', symbol => ''€'');';

CREATE FUNCTION credits.currency_update(
    currency text, name text DEFAULT NULL, kind text DEFAULT NULL, symbol text DEFAULT NULL,
    active boolean DEFAULT NULL, min_payment numeric DEFAULT NULL, max_payment numeric DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.currency
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_update_wrapper';
COMMENT ON FUNCTION credits.currency_update IS
'Changes a currency, except its code and decimals. NULL leaves a value unchanged.

currency: its code.
name: what people call it.
kind: ''credit'' for a credit unit, ''fiat'' for money.
symbol: for display.
active: false refuses new grants, debits and usage (PC008); true accepts them again.
min_payment: the smallest payment in it, in major units; ''infinity'' removes the limit.
max_payment: the largest payment in it, in major units; ''infinity'' removes the limit.
metadata: the application''s own data.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.currency_update(''USD'', min_payment => 5, max_payment => 500);';

CREATE VIEW credits.currencies AS
SELECT c.currency, c.name, c.decimals::integer AS decimals, c.kind, c.symbol, c.active, c.min_payment, c.max_payment,
       c.metadata, c.created_at
FROM credits_internal.currencies c;
COMMENT ON VIEW credits.currencies IS 'Every currency: credit units and money.';
COMMENT ON COLUMN credits.currencies.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits.currencies.name IS 'What people call it.';
COMMENT ON COLUMN credits.currencies.decimals IS 'The most decimals that an amount may have, 0 to 18. Fixed.';
COMMENT ON COLUMN credits.currencies.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits.currencies.symbol IS 'For display: ''$''.';
COMMENT ON COLUMN credits.currencies.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits.currencies.min_payment IS 'The smallest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currencies.max_payment IS 'The largest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currencies.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.currencies.created_at IS 'When it was created.';
