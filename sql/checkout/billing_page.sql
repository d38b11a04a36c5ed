-- What a billing page draws.

CREATE FUNCTION credits.billing_bootstrap(customer_id text)
RETURNS jsonb
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_bootstrap_wrapper';
COMMENT ON FUNCTION credits.billing_bootstrap IS
'Returns all that a billing page draws: {customer, balances, packages, availablePackages, meters, history, purchases,
auto_recharge}.

customer_id: the customer.

Amounts are strings of digits. history has the last 20 ledger lines, purchases the last 20 top-ups.

availablePackages has the packages in the shape of a wallet SDK, with numbers in place of strings: {id, name,
description, credits, creditCurrency, priceMinor, currency}. priceMinor is the price in minor units (cents), as the
payment provider counts them; priceKobo is the same for a price in NGN.

Raises PC013.
Example: SELECT jsonb_pretty(credits.billing_bootstrap(''ann''));';
