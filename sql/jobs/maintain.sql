-- Maintenance.

CREATE FUNCTION credits.maintain_batch(
    batch_size integer DEFAULT 100, work text DEFAULT NULL, due_by timestamptz DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'maintain_batch_wrapper';
COMMENT ON FUNCTION credits.maintain_batch IS
'Does one batch of what CALL credits.maintain() does, and returns how much it was.

batch_size: the most accounts or rows.
work: ''accounts'' posts what fell due; ''inbox'' and ''deferred'' settle at most 1,000 events, as settle() does;
  ''recharges'' reviews accounts that recharge themselves at a price that something changed for; ''notices'' publishes
  which grants are about to end, where credits.expiring_notice is set; ''outbox'' deletes rows that nobody wanted
  within credits.outbox_retention; ''events'' deletes billing events after credits.event_retention; ''webhooks''
  deletes those that were ignored, after credits.webhook_retention; ''invoices'' clears whom old invoices of erased
  customers were for, after credits.invoice_retention; ''sessions'' ends checkout sessions
  whose time is over; ''subscriptions'' renews subscriptions, and does what else is due of them; ''stock'' and
  ''discounts'' release what was reserved for too long, of prices and of coupons.
  NULL does one batch of each.
due_by: counts what was due or had come by then, and leaves later work where it can; NULL for now.

It waits for no other session longer than a moment, and skips what it would have to wait for.

Raises PC013.
Example: SELECT credits.maintain_batch(work => ''accounts'');';

-- No SECURITY DEFINER and no SET: a procedure with either cannot commit. It calls maintain_batch, which has both.
CREATE PROCEDURE credits.maintain(batch_size integer DEFAULT 100)
LANGUAGE c
AS 'MODULE_PATHNAME', 'maintain_wrapper';
COMMENT ON PROCEDURE credits.maintain IS
'Posts everything that fell due, and settles the usage that waits.

batch_size: the most accounts or rows per batch.

It posts grants that began or expired, holds that expired, and pending usage that is paid by what came in; requests of
auto-recharge that timed out, and those that cooldown and limits allow again. It switches off auto-recharge that
became impossible. It publishes which grants are about to end, where credits.expiring_notice is set. It charges the
inbox, and what deferred meters recorded. It deletes rows of the outbox that nobody
wanted within credits.outbox_retention, billing events after credits.event_retention, webhooks that were ignored, after
credits.webhook_retention, and whom invoices of erased customers were for, after credits.invoice_retention. It releases
stock and coupons that were reserved for too long, which views count as free without it. Balances
are right without it (except for the inbox); the ledger shows it afterwards.

Rows of the inbox are charged as of when they were put in, so while some of a customer''s wait, the customer''s
accounts are brought no further than the oldest that waits, for at most a day.

It does a batch of each kind of work in turn, with a commit after each, until all that was due when it began is done:
what comes in meanwhile neither keeps it going nor holds back the rest. An account that cannot be worked on holds back
no other: it is left alone and tried again after growing pauses (backlog.failed_accounts; verify() lists them). Where
a whole kind of work fails, the others are done all the same, and its error is raised at the end. Inside a transaction
it does one batch of each.

It waits for no other session longer than a moment: what it would have to wait for stays for a later call, and a table
that cannot be read for two seconds is such a failure (55P03). Two may run at once.

Raises PC013.
Example: CALL credits.maintain();';
