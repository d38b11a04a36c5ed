-- The clock. It reads a setting and no table, so it needs no rights and no search_path.

CREATE FUNCTION credits.clock()
RETURNS timestamptz
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'clock_wrapper';
COMMENT ON FUNCTION credits.clock IS
'Returns what pg_credits takes for now(): the start of the transaction, or credits.test_clock where that is set.

Raises PC013.
Example: SELECT credits.clock();';
