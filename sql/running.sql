-- Running it: maintenance. verify() is in verify.sql.

CREATE FUNCTION credits.maintain_batch(
    batch_size integer DEFAULT 100, work text DEFAULT NULL, due_by timestamptz DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'maintain_batch_wrapper';
COMMENT ON FUNCTION credits.maintain_batch IS
'One batch of what CALL credits.maintain() does, and how much it was. work: ''accounts'' posts what fell due in at most batch_size accounts; ''inbox'' and ''deferred'' settle at most 1,000 events, as settle() does; ''recharges'' looks at at most batch_size accounts that recharge themselves at a price that something changed for; ''outbox'' deletes at most batch_size rows that nobody wanted within credits.outbox_retention, ''webhooks'' those that were ignored, after credits.webhook_retention; NULL does one batch of each. due_by: counts what was due or had come by then, and leaves later work where it can. Waits for no other session longer than a moment, and skips what it would have to wait for. Raises PC013.';

-- No SECURITY DEFINER and no SET: a procedure with either cannot commit. It calls maintain_batch, which has both.
CREATE PROCEDURE credits.maintain(batch_size integer DEFAULT 100)
LANGUAGE c
AS 'MODULE_PATHNAME', 'maintain_wrapper';
COMMENT ON PROCEDURE credits.maintain IS
'Posts everything that time brought: grants that began or expired, holds that ran out, and the pending usage that is paid by what came in; requests of auto-recharge that timed out, and those that cooldown and limits allow again; switches auto-recharge off where it became impossible; settles the usage that waits: the inbox, and what deferred meters recorded; deletes rows of the outbox that nobody wanted within credits.outbox_retention, and webhooks that were ignored, after credits.webhook_retention. Balances are right without it (but for the inbox); the ledger shows it after. Rows of the inbox are charged as of when they were put in, so while some of a customer''s wait the customer''s accounts are brought no further than the oldest that waits, for at most a day. A batch of each kind of work in turn, a commit after each, until all that was due when it began is done: what comes in meanwhile neither keeps it going nor holds back the rest. An account that cannot be worked on holds back no other: it is left alone and tried again after growing pauses (backlog.failed_accounts; verify() lists them). Where a whole kind of work fails the others are done all the same, and its error is raised at the end. Does one batch of each where it is called inside a transaction. Waits for no other session longer than a moment: what it would have to wait for stays for a later call, and a table that cannot be read for two seconds is such a failure (55P03). Is safe to run twice at once. Raises PC013.';

CREATE FUNCTION credits.error_code_list()
RETURNS TABLE (code text, name text, raised_when text, detail text)
LANGUAGE c STABLE ROWS 15 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'error_code_list_wrapper';
COMMENT ON FUNCTION credits.error_code_list IS 'What the view error_codes shows.';

CREATE VIEW credits.error_codes AS SELECT e.code, e.name, e.raised_when, e.detail FROM credits.error_code_list() e;
COMMENT ON VIEW credits.error_codes IS
'Every error that pg_credits raises: its SQLSTATE, its name, when it is raised, and the keys of its DETAIL, which is JSON.';
