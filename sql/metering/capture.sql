-- Captures of holds: some are events of a meter.

CREATE FUNCTION credits.hold_capture(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, event_name text DEFAULT NULL, value numeric DEFAULT NULL,
    identifier text DEFAULT NULL, more text DEFAULT NULL, final boolean DEFAULT NULL, late text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_capture_2_wrapper';
COMMENT ON FUNCTION credits.hold_capture IS
'Spends an open hold, or part of it, and gives the rest back to the grants that it came from; also as usage.

customer_id: the customer.
hold_id: the hold.
amount: how many credits to spend; NULL for all that it has, or for what the event costs. Zero is a release.
description: for people; the ledger lines have it instead of the hold''s. NULL keeps the hold''s where the capture has
  no record of its own.
metadata: the application''s own data, likewise; with event_name that of the event, whose price it may decide.
event_name: the meter whose usage it is; NULL where it is none, or the meter that the hold is for.
value: of the event, how much, in the meter''s unit; NULL is 1.
identifier: of the event, the caller''s own key: required with event_name, unique per customer for ever.
more: where the amount is more than the hold has: ''refuse'' (PC007; so does NULL) or ''available'', which takes
  the rest from the balance, or is PC001, or ''pending'', which takes what there is, and has the customer owe the rest.
final: whether it is the last: NULL or true gives the rest back and closes the hold; false keeps the rest set aside, for
  further captures.
late: after the hold has expired: ''refuse'' (PC010; so does NULL) or ''charge'', which takes the amount from
  the balance, or is PC001.
idempotency_key: a repeat with the same key returns the hold as it stands now with replayed = true; NULL for none.

With event_name the captured credits are an event of that meter, as report_meter_event() would have charged it, paid
by the hold: it is in the view usage and in all statistics, and meter_event_cancel() takes it back, to the grants that
paid. amount is NULL, or exactly what the event costs (PC013). Usage that lowers the price of its period captures
nothing. A hold for a meter can be captured only so.

What is owed is paid by the next credits, like other pending usage; it may not go beyond the account''s overdraft_limit,
and nothing may be owed for a meter whose overage is ''reject'': PC001.

A capture that is not the last wants an idempotency_key or an identifier: that alone decides what is a repeat. Without
either, the same amount again is a repeat of the last capture (replayed = true), and another amount is PC010, like any
capture of a hold that was released or expired.

The newest draw goes back first. What goes back to a grant that has ended meanwhile ends the same way at once.

What the hold has was in the limits of what may be spent when it was made. What the capture takes in addition has to
keep to them, and so has all of an event in a limit on its meter that the hold was not counted in: PC021.

Raises PC001, PC002, PC004, PC005, PC007, PC008, PC010, PC013, PC021.
Example: SELECT * FROM credits.hold_capture(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''),
  12.5);';

CREATE VIEW credits.hold_captures AS
SELECT c.customer_id, c.hold_id, c.capture_id, o.currency, c.amount, c.held, c.amount - c.held AS charged, c.final,
       c.late, e.event_name, c.identifier, e.value AS quantity, o.idempotency_key, o.description,
       coalesce(o.metadata, e.metadata) AS metadata, c.created_at
FROM credits_internal.hold_captures c
LEFT JOIN credits_internal.operations o
       ON o.customer_id = c.customer_id AND o.operation_id = c.capture_id AND o.line_no IS NULL
LEFT JOIN credits_internal.meter_events e ON e.customer_id = c.customer_id AND e.identifier = c.identifier;
COMMENT ON VIEW credits.hold_captures IS
'Captures of holds that were made in parts, under an idempotency key, as an event, of more than was held, or late.

A capture that spent no more than was held, closed the hold, and had neither a key nor an event, is in the view holds.';
COMMENT ON COLUMN credits.hold_captures.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.hold_captures.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.hold_captures.capture_id IS 'The capture: the operation of its ledger lines.';
COMMENT ON COLUMN credits.hold_captures.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.hold_captures.amount IS 'What was captured.';
COMMENT ON COLUMN credits.hold_captures.held IS 'What of it the hold paid.';
COMMENT ON COLUMN credits.hold_captures.charged IS 'What of it came from the balance, or was owed.';
COMMENT ON COLUMN credits.hold_captures.final IS 'Whether it was the last of the hold.';
COMMENT ON COLUMN credits.hold_captures.late IS 'Whether it came after the hold had expired.';
COMMENT ON COLUMN credits.hold_captures.event_name IS 'The meter; NULL where it was no event.';
COMMENT ON COLUMN credits.hold_captures.identifier IS 'The caller''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.hold_captures.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.hold_captures.idempotency_key IS 'The idempotency key; NULL for none.';
COMMENT ON COLUMN credits.hold_captures.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.hold_captures.metadata IS 'The application''s own data, of the capture or the event.';
COMMENT ON COLUMN credits.hold_captures.created_at IS 'When it was made.';
