-- Running it: maintenance. verify() is in verify.sql.

CREATE FUNCTION credits.maintain_batch(batch_size integer DEFAULT 100)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'maintain_batch_wrapper';
COMMENT ON FUNCTION credits.maintain_batch IS
'One batch of what CALL credits.maintain() does: posts what fell due in at most batch_size accounts, skipping those that another session holds, and returns how many accounts it brought up to date; where there are none, one batch of settle() and how many events that was, and where there are none of those, how many rows of the outbox it deleted because nobody wanted them within credits.outbox_retention. Raises PC013.';

-- No SECURITY DEFINER and no SET: a procedure with either cannot commit. It calls maintain_batch, which has both.
CREATE PROCEDURE credits.maintain(batch_size integer DEFAULT 100)
LANGUAGE c
AS 'MODULE_PATHNAME', 'maintain_wrapper';
COMMENT ON PROCEDURE credits.maintain IS
'Posts everything that time brought: grants that began or expired, holds that ran out, and the pending usage that is paid by what came in; requests of auto-recharge that timed out, and those that cooldown and limits allow again; then settles the usage that waits: the inbox, and what deferred meters recorded; then deletes rows of the outbox that nobody wanted within credits.outbox_retention. Balances are right without it (but for the inbox); the ledger shows it after. Commits after each batch of accounts, or does one batch where it is called inside a transaction. Never waits for a lock and is safe to run twice at once. Raises PC013.';

CREATE FUNCTION credits.error_code_list()
RETURNS TABLE (code text, name text, raised_when text, detail text)
LANGUAGE c STABLE ROWS 15 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'error_code_list_wrapper';
COMMENT ON FUNCTION credits.error_code_list IS 'What the view error_codes shows.';

CREATE VIEW credits.error_codes AS SELECT e.code, e.name, e.raised_when, e.detail FROM credits.error_code_list() e;
COMMENT ON VIEW credits.error_codes IS
'Every error that pg_credits raises: its SQLSTATE, its name, when it is raised, and the keys of its DETAIL, which is JSON.';
