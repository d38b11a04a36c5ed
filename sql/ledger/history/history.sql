-- The history of an account.

CREATE TYPE credits.ledger_line AS (
    currency text, line_no bigint, type text, amount numeric, running_balance numeric, held numeric, pending numeric,
    grant_id uuid, grant_name text, operation_id uuid, identifier text, event_name text, unit text, quantity numeric,
    description text, metadata jsonb, effective_at timestamptz, created_at timestamptz,
    reversed_operation_id uuid, member_id text, transaction_id uuid, subscription_id text, display_title text);
COMMENT ON TYPE credits.ledger_line IS 'A line of the ledger, as wallet_history() returns it.';
COMMENT ON COLUMN credits.ledger_line.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.ledger_line.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.ledger_line.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.ledger_line.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.ledger_line.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.ledger_line.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.ledger_line.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.ledger_line.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.ledger_line.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.ledger_line.operation_id IS 'The operation, or the hold, that moved the credits.';
COMMENT ON COLUMN credits.ledger_line.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.ledger_line.event_name IS 'The meter.';
COMMENT ON COLUMN credits.ledger_line.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.ledger_line.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.ledger_line.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.ledger_line.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.ledger_line.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.ledger_line.created_at IS 'When the line was posted.';
COMMENT ON COLUMN credits.ledger_line.reversed_operation_id IS
'Where operation_reverse() gave credits back, the operation that had taken them.';
COMMENT ON COLUMN credits.ledger_line.member_id IS 'The member who spent; NULL where the caller named none.';
COMMENT ON COLUMN credits.ledger_line.transaction_id IS
'The line by one key: made of the customer, the currency and line_no, so it is the same for ever.';
COMMENT ON COLUMN credits.ledger_line.subscription_id IS 'The application''s own subscription id, of usage.';
COMMENT ON COLUMN credits.ledger_line.display_title IS
'What to call the line where the customer reads it: see the view ledger.';

CREATE FUNCTION credits.wallet_history(
    customer_id text, currency text DEFAULT NULL, page_size integer DEFAULT 50, before bigint DEFAULT NULL,
    subscription_id text DEFAULT NULL, grant_id uuid DEFAULT NULL, event_name text DEFAULT NULL,
    type text DEFAULT NULL, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    transaction_id uuid DEFAULT NULL)
RETURNS SETOF credits.ledger_line
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_history_2_wrapper';
COMMENT ON FUNCTION credits.wallet_history IS
'Returns a customer''s ledger lines, newest first.

customer_id: the customer.
currency: the currency; NULL for the newest of all currencies.
page_size: 1 to 1,000 lines.
before: the line_no of the last line of the previous page, within one currency; NULL for the newest.
subscription_id: only lines of usage reported with this subscription; NULL for all.
grant_id: only lines of this grant; NULL for all.
event_name: only lines of this meter''s usage; NULL for all.
type: only lines of this type, as in the view ledger; NULL for all.
start_at: from when on (included), by effective_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
transaction_id: only this line; NULL for all.

It shows what is posted: CALL maintain() first to include what fell due meanwhile, such as grants that expired.

A time, a grant and a transaction are found by their place in the account. The other filters look at the account''s
lines of that time, newest first, until the page is full.

Raises PC004, PC008, PC009, PC013.
Example: SELECT line_no, type, amount, display_title FROM credits.wallet_history(''ann'', type => ''consumption'',
  start_at => now() - interval ''30 days'', page_size => 20);';

CREATE TYPE credits.past_balance AS (
    currency text, as_of timestamptz, balance numeric, available numeric, restricted numeric, held numeric,
    pending numeric, invoiced numeric);
COMMENT ON TYPE credits.past_balance IS 'One account''s balance at a past moment, as wallet_balance_at() returns it.';
COMMENT ON COLUMN credits.past_balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.past_balance.as_of IS 'The moment.';
COMMENT ON COLUMN credits.past_balance.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.past_balance.available IS 'What a plain debit could have taken.';
COMMENT ON COLUMN credits.past_balance.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.past_balance.held IS 'Credits that were set aside.';
COMMENT ON COLUMN credits.past_balance.pending IS 'Usage that was owed.';
COMMENT ON COLUMN credits.past_balance.invoiced IS 'Usage owed that was on invoices that were not paid then.';

CREATE FUNCTION credits.wallet_balance_at(
    customer_id text, currency text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
RETURNS credits.past_balance
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_balance_at_wrapper';
COMMENT ON FUNCTION credits.wallet_balance_at IS
'Returns what a customer had at a past moment.

customer_id: the customer.
currency: the currency; NULL for credits.default_currency.
as_of: the moment; required.

It comes from the ledger: everything that took effect until then counts, whenever it was posted. The cost grows with
the lines since then. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.wallet_balance_at(''ann'', as_of => now() - interval ''1 day'');';

CREATE VIEW credits.ledger AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, coalesce(l.held, 0) AS held,
       coalesce(l.pending, 0) AS pending, l.grant_id, g.name AS grant_name, g.category, l.operation_id,
       coalesce(l.function, o.function) AS function,
       CASE WHEN r.operation_id IS NULL THEN o.reason END AS reason, o.counterparty,
       coalesce(l.idempotency_key, o.idempotency_key) AS idempotency_key, l.identifier, e.event_name, m.unit,
       e.value AS quantity, coalesce(l.description, h.capture_description, o.description) AS description,
       coalesce(l.metadata, h.capture_metadata, o.metadata, e.metadata) AS metadata, l.effective_at, l.created_at,
       r.reversed_operation_id, coalesce(l.member_id, e.member_id, o.member_id) AS member_id,
       l.transaction_id, e.subscription_id,
       coalesce(l.description, h.capture_description, o.description,
                CASE WHEN l.type = 'grant' THEN coalesce(g.name, 'Credits')
                     WHEN l.type = 'transfer' THEN
                         CASE WHEN l.amount < 0 THEN 'Transfer to ' ELSE 'Transfer from ' END || o.counterparty
                     WHEN l.type = 'adjustment' THEN
                         'Adjustment' || coalesce(': ' || replace(o.reason, '_', ' '), '')
                     ELSE CASE l.type WHEN 'consumption' THEN '' WHEN 'debt' THEN 'Owed: ' WHEN 'reversal' THEN
                              'Returned: ' ELSE NULL END || coalesce(m.name, e.event_name) END,
                CASE l.type WHEN 'expiration' THEN 'Expired' WHEN 'void' THEN 'Withdrawn'
                            WHEN 'refund' THEN 'Refunded' WHEN 'reversal' THEN 'Returned'
                            WHEN 'release' THEN 'Hold released' WHEN 'capture' THEN 'Hold captured'
                            WHEN 'rollover' THEN 'Rolled over'
                            ELSE upper(left(l.type, 1)) || substr(l.type, 2) END
                || CASE WHEN l.type IN ('expiration', 'void', 'refund', 'rollover') THEN coalesce(': ' || g.name, '')
                        ELSE '' END)
           AS display_title
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
    AND l.type = 'reversal'
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
    AND l.type = 'capture'
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name;
COMMENT ON VIEW credits.ledger IS
'Ledger lines as posted, with what they are about.

amount, held and pending are what a line did to the balance, to the held credits and to the usage owed. The operation
of a hold''s lines is the hold, or the capture where it is in the view hold_captures; a capture has the description and
metadata of hold_capture() where it was given any, and the event where it was one.
Month-end runs CALL maintain() first.';
COMMENT ON COLUMN credits.ledger.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.ledger.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.ledger.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.ledger.type IS
'''grant'' (credits took effect), ''consumption'' (they paid usage), ''debit'', ''debt'' (usage that no credit
covered), ''reversal'' (usage was canceled, or an operation reversed), ''hold'', ''capture'' (held credits were
spent), ''release'' (they came back), ''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund'', ''suspension''
(of a grant), ''resumption'' (of it), ''reinstatement'' (what lapsed with a grant''s time came back), ''rollover'' (what
remained of a grant went on as another).';
COMMENT ON COLUMN credits.ledger.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.ledger.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.ledger.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.ledger.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.ledger.grant_id IS 'The grant whose credits moved; NULL for a debt.';
COMMENT ON COLUMN credits.ledger.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.ledger.category IS 'The category of the grant.';
COMMENT ON COLUMN credits.ledger.operation_id IS
'The operation that moved the credits: of a hold the hold, or its capture.';
COMMENT ON COLUMN credits.ledger.function IS 'The function that was called.';
COMMENT ON COLUMN credits.ledger.reason IS 'For an adjustment, its reason.';
COMMENT ON COLUMN credits.ledger.counterparty IS 'For a transfer, the other customer.';
COMMENT ON COLUMN credits.ledger.idempotency_key IS 'The idempotency key of the operation; NULL for none.';
COMMENT ON COLUMN credits.ledger.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.ledger.event_name IS 'The meter.';
COMMENT ON COLUMN credits.ledger.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.ledger.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.ledger.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.ledger.metadata IS 'The application''s own data, of the operation, the capture or the event.';
COMMENT ON COLUMN credits.ledger.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.ledger.created_at IS 'When the line was posted.';
COMMENT ON COLUMN credits.ledger.reversed_operation_id IS
'Where operation_reverse() gave credits back, the operation that had taken them.';
COMMENT ON COLUMN credits.ledger.member_id IS
'The member who spent, whose usage it is, or who made the hold; NULL where the caller named none.';
COMMENT ON COLUMN credits.ledger.transaction_id IS
'The line by one key: made of the customer, the currency and line_no, so it is the same for ever. wallet_history()
finds a line by it.';
COMMENT ON COLUMN credits.ledger.subscription_id IS 'The application''s own subscription id, of usage.';
COMMENT ON COLUMN credits.ledger.display_title IS
'What to call the line where the customer reads it: its description; else the meter''s name, for usage; the grant''s
name, where it began or ended; or what happened, such as ''Transfer from ben''.';
