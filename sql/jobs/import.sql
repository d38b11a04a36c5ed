-- Importing history.

CREATE TYPE credits.imported_history AS (
    customer_id text, currency text, entries bigint, lines bigint, first_at timestamptz, last_at timestamptz,
    finished boolean, available numeric, restricted numeric, pending numeric, replayed boolean);
COMMENT ON TYPE credits.imported_history IS 'An account whose history was imported, as history_import() returns it.';
COMMENT ON COLUMN credits.imported_history.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.imported_history.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.imported_history.entries IS 'How many entries were imported by now.';
COMMENT ON COLUMN credits.imported_history.lines IS 'How many lines the account has in the ledger.';
COMMENT ON COLUMN credits.imported_history.first_at IS 'When the first entry happened; NULL where there was none.';
COMMENT ON COLUMN credits.imported_history.last_at IS 'When the last entry happened; NULL where there was none.';
COMMENT ON COLUMN credits.imported_history.finished IS 'Whether that was all.';
COMMENT ON COLUMN credits.imported_history.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.imported_history.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.imported_history.pending IS 'What is owed.';
COMMENT ON COLUMN credits.imported_history.replayed IS
'Whether this call repeated an earlier one and changed nothing.';

-- With its caller's rights: a superuser's.
CREATE FUNCTION credits.history_import(
    customer_id text, entries jsonb, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    finished boolean DEFAULT true)
RETURNS credits.imported_history
LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'history_import_wrapper';
COMMENT ON FUNCTION credits.history_import IS
'Imports what happened to an account before the application moved here, as if it had happened here.

customer_id: the customer, who is created where missing.
entries: a JSON array of objects, in any order, at most 100,000: each has a type, at (when it happened), and what
  belongs to its type.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the account with replayed = true; NULL for none.
finished: false where more follows, in the order of time, by further calls in the same transaction.

Each entry happens at its own moment: what expired until then has expired, the drawdown order is that of then, and
what no credit covered is owed until credits come. So wallet_balance_at() answers for the past, the ledger and its
running balances are whole, and identifiers and idempotency keys are claimed for ever. A ledger line''s effective_at is
when it happened, its created_at when it was imported.

A ''grant'' has amount, and what credit_grant() takes: category, name, priority, effective_at, expires_at,
applicable_meters, cost_basis, cost_amount, cost_currency, granted_by, idempotency_key, metadata. It expires by itself.

''usage'' has event_name, value (1 where left out), identifier, and may have occurred_at (at, where left out),
subscription_id, source_data, metadata, member_id and credits: what it was charged. Without credits it costs what the
meter''s prices of that time say; with credits it counts in no period of its meter, so that tiers do not go on from it.

A ''debit'' has amount, and may have idempotency_key, description, metadata, member_id; an ''adjustment'' has amount and
reason as wallet_adjust() takes them, and may have expires_at, idempotency_key, description, metadata.

A ''reversal'' gives back what an earlier debit or adjustment took, named by its operation_key: amount, or all of it;
it may have reason and idempotency_key. A ''cancellation'' takes earlier usage back, named by its identifier. A ''void''
or an ''expiration'' ends the rest of an earlier grant, or amount of it, named by its grant_key, before its time is up.

Times are as in 2026-03-01T12:00:00Z. Of several entries at one moment, the earlier in the array happens first. One
that is wrong is an error that names its number, and nothing is imported.

The account must be empty: only configured, if it exists. Nothing that is set today judges history: not limits, not
overdraft_limit, not a meter''s overage. Nothing is announced either, and no recharge is requested for a low balance
of then; what is low once all is imported is, like after any posting. Holds, transfers and a meter''s second currency
are not part of it: a transfer is a debit here and a grant there.

It needs a superuser.

Raises PC001, PC002, PC004, PC006, PC007, PC008, PC013.
Example: SELECT * FROM credits.history_import(''eve'', ''[
  {"type": "grant", "at": "2026-01-01T00:00:00Z", "amount": 100, "expires_at": "2026-02-01T00:00:00Z"},
  {"type": "debit", "at": "2026-01-09T12:00:00Z", "amount": 30, "idempotency_key": "job-1"}]'');';
