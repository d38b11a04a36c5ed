-- The errors that pg_credits raises. The list is in src/error/codes.rs.

CREATE TYPE credits_internal.error_code AS (code text, name text, raised_when text, detail text);
COMMENT ON TYPE credits_internal.error_code IS 'What error_code_list() returns.';
COMMENT ON COLUMN credits_internal.error_code.code IS 'The error code (SQLSTATE).';
COMMENT ON COLUMN credits_internal.error_code.name IS 'The error''s name.';
COMMENT ON COLUMN credits_internal.error_code.raised_when IS 'When it is raised.';
COMMENT ON COLUMN credits_internal.error_code.detail IS 'The keys of its DETAIL, which is JSON.';

CREATE FUNCTION credits_internal.error_code_list()
RETURNS SETOF credits_internal.error_code
LANGUAGE c STABLE ROWS 15 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'error_code_list_wrapper';
COMMENT ON FUNCTION credits_internal.error_code_list IS 'Returns what the view error_codes shows.';

CREATE VIEW credits.error_codes AS
SELECT e.code, e.name, e.raised_when, e.detail FROM credits_internal.error_code_list() e;
COMMENT ON VIEW credits.error_codes IS
'Every error that pg_credits raises: its SQLSTATE, its name, when it is raised, and the keys of its DETAIL.';
COMMENT ON COLUMN credits.error_codes.code IS 'The error code (SQLSTATE).';
COMMENT ON COLUMN credits.error_codes.name IS 'The error''s name.';
COMMENT ON COLUMN credits.error_codes.raised_when IS 'When it is raised.';
COMMENT ON COLUMN credits.error_codes.detail IS 'The keys of its DETAIL, which is JSON.';
