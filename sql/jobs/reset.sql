-- Emptying a database of tests.

-- With its caller's rights: a superuser's.
CREATE FUNCTION credits.reset()
RETURNS void
LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reset_wrapper';
COMMENT ON FUNCTION credits.reset IS
'Empties a database of tests: all customers with everything that they have, usage on its way in, and the outbox.

What the application configured stays: currencies, meters and their prices, products, prices, exchange rates, recharge
configurations, payment providers, the names of outbox consumers, and the key that signs links.

It needs a superuser, and the setting credits.production switched off, which is on by default. It waits for the
transactions of other sessions to end, without blocking them. What other sessions remember stays right. Where the
calling transaction is rolled back, everything is there again.

Raises PC013.
Example: SELECT credits.reset();';
