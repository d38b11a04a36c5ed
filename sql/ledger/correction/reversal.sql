-- Taking back what an operation took.

CREATE TYPE credits.reversal AS (
    operation_id uuid, reversed_operation_id uuid, currency text, taken numeric, returned numeric,
    total_returned numeric, available numeric, replayed boolean, forgiven numeric);
COMMENT ON TYPE credits.reversal IS 'A reversal, as operation_reverse() returns it.';
COMMENT ON COLUMN credits.reversal.operation_id IS 'The operation of the reversal itself.';
COMMENT ON COLUMN credits.reversal.reversed_operation_id IS 'The operation that is reversed.';
COMMENT ON COLUMN credits.reversal.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.reversal.taken IS
'How many credits the reversed operation took, what it left owed included.';
COMMENT ON COLUMN credits.reversal.returned IS
'How many credits this reversal gave back, what is owed no longer included.';
COMMENT ON COLUMN credits.reversal.total_returned IS
'How many credits all reversals of that operation gave back so far.';
COMMENT ON COLUMN credits.reversal.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.reversal.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.reversal.forgiven IS 'How many of the returned credits were owed, and are owed no longer.';

CREATE FUNCTION credits.operation_reverse(
    customer_id text, operation_id uuid DEFAULT NULL, operation_key text DEFAULT NULL, amount numeric DEFAULT NULL,
    reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.reversal
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'operation_reverse_wrapper';
COMMENT ON FUNCTION credits.operation_reverse IS
'Gives back what a debit, a captured hold or an adjustment took, in whole or in parts, until all of it is back.

customer_id: the customer.
operation_id: which operation: the operation_id that wallet_debit() or wallet_adjust() returned, a hold_id, or the
  capture_id of a capture that is in the view hold_captures.
operation_key: instead of operation_id, the idempotency_key of that call.
amount: how many credits go back; NULL for all that is left. More than is left is PC007.
reason: why, for people: the description of the ledger lines.
idempotency_key: a repeat with the same key returns the first reversal with replayed = true; NULL for none.

What a capture left owed, and still owes, is owed no longer. The rest goes back to the grants that gave it, newest draw
first, with their terms, and pays what is owed otherwise. What comes back to a grant that has ended meanwhile ends the
same way at once. What an opening balance left owed is put right by an adjustment.

The ledger has lines of type ''reversal'', whose reversed_operation_id names the operation; in the journal they take
back what it was booked as. Nothing else can be reversed: credits that were added are taken back with
credit_grant_void(), usage with meter_event_cancel() or meter_event_adjust(). Those are PC013, and so is an operation
that is not there.

Where amount is NULL and all is back already, nothing changes and the last reversal is returned (replayed = true).

Raises PC002, PC003, PC007, PC013.
Example: SELECT * FROM credits.wallet_debit(''ann'', 5, idempotency_key => ''picture 1'');
  SELECT returned, available
  FROM credits.operation_reverse(''ann'', operation_key => ''picture 1'', reason => ''the render failed'');';
