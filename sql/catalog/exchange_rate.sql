-- Exchange rates.

CREATE TYPE credits.exchange_rate AS (
    currency text, fiat_currency text, rate numeric, effective_at timestamptz);
COMMENT ON TYPE credits.exchange_rate IS 'An exchange rate, as exchange_rate_set() returns it.';
COMMENT ON COLUMN credits.exchange_rate.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.exchange_rate.fiat_currency IS 'The money that the price is in.';
COMMENT ON COLUMN credits.exchange_rate.rate IS 'The price of one credit, in major units.';
COMMENT ON COLUMN credits.exchange_rate.effective_at IS 'From when on it applies.';

CREATE FUNCTION credits.exchange_rate_set(
    currency text, fiat_currency text, rate numeric, effective_at timestamptz DEFAULT NULL)
RETURNS credits.exchange_rate
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_set_wrapper';
COMMENT ON FUNCTION credits.exchange_rate_set IS
'Sets the price of one credit in money, from a moment on.

currency: the credit currency.
fiat_currency: the money.
rate: the price of one credit, in major units of fiat_currency.
effective_at: from when on; NULL for now. Up to 5 minutes before now counts as now.

A later moment schedules the change; the same moment again replaces what was scheduled, as long as it has not come. An
earlier one is PC013 without credits.allow_backdating: what was bought was bought at the rate of then.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.exchange_rate_set(''CREDIT'', ''USD'', 0.025,
  effective_at => now() + interval ''30 days'');';

CREATE FUNCTION credits.exchange_rate(currency text, fiat_currency text, at timestamptz DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_wrapper';
COMMENT ON FUNCTION credits.exchange_rate IS
'Returns the price of one credit at a moment: NULL where there is none.

currency: the credit currency.
fiat_currency: the money.
at: the moment; NULL for now.

Between a currency and itself it is 1 where none was set.

Raises PC013.
Example: SELECT credits.exchange_rate(''CREDIT'', ''USD'');';

CREATE VIEW credits.exchange_rates AS
SELECT r.currency, r.fiat_currency, r.rate, r.effective_at, r.created_at FROM credits_internal.exchange_rates r;
COMMENT ON VIEW credits.exchange_rates IS
'Every exchange rate that was set, scheduled ones too: the price of one credit from effective_at on.';
COMMENT ON COLUMN credits.exchange_rates.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.exchange_rates.fiat_currency IS 'The money that the price is in.';
COMMENT ON COLUMN credits.exchange_rates.rate IS 'The price of one credit, in major units.';
COMMENT ON COLUMN credits.exchange_rates.effective_at IS 'From when on it applies.';
COMMENT ON COLUMN credits.exchange_rates.created_at IS 'When it was set.';
