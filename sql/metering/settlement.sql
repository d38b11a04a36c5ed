-- Charging the usage that waits.

CREATE FUNCTION credits.settle(batch_size integer DEFAULT 1000)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'settle_wrapper';
COMMENT ON FUNCTION credits.settle IS
'Settles one batch of usage that waits, and returns how many events it was: 0 when nothing waits.

batch_size: the most events.

First it takes rows of the inbox in their order, and charges each as report_meter_event() would have done when it was
put in (received_at), or at the account''s time where something was posted to it since; repeats are dropped, and rows
with errors are set aside. Then it charges events that deferred meters recorded, as of when they were reported.

It waits for no other session longer than a moment: what needs an account or an identifier that another session has
locked stays for a later call, and a table that cannot be read for two seconds is an error (55P03).

It may run in several sessions at once: one of them drains the inbox, the others charge what deferred meters recorded,
and say in a NOTICE that they were kept out of the inbox where there was nothing else (backlog.inbox_drained_by). An
account that cannot be worked on is left alone for a while (backlog.failed_accounts; verify() lists them), and its
rows of the inbox are set aside. CALL maintain() does this batch by batch.

Raises PC013.
Example: SELECT credits.settle();';
