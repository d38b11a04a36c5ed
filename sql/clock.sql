-- What the extension takes for now(). It reads a setting and no table, so it needs nobody's rights and no search_path.

CREATE FUNCTION credits.clock()
RETURNS timestamptz
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'clock_wrapper';
COMMENT ON FUNCTION credits.clock IS 'What pg_credits takes for now(): the start of the transaction, or credits.test_clock.';
