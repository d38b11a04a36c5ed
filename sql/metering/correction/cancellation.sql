-- Taking an event's usage back.

CREATE TYPE credits.cancellation AS (
    identifier text, status text, consumed numeric, pending numeric, returned numeric, available numeric,
    replayed boolean);
COMMENT ON TYPE credits.cancellation IS 'A canceled event, as meter_event_cancel() returns it.';
COMMENT ON COLUMN credits.cancellation.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.cancellation.status IS '''canceled''.';
COMMENT ON COLUMN credits.cancellation.consumed IS
'Credits that stay charged to the event: none, unless it is priced with others of its period.';
COMMENT ON COLUMN credits.cancellation.pending IS 'Credits that stay owed for the event.';
COMMENT ON COLUMN credits.cancellation.returned IS 'Credits that came back.';
COMMENT ON COLUMN credits.cancellation.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.cancellation.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.meter_event_cancel(customer_id text, identifier text, reason text DEFAULT NULL)
RETURNS credits.cancellation
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_cancel_wrapper';
COMMENT ON FUNCTION credits.meter_event_cancel IS
'Takes one event''s usage back. The event stays, with status ''canceled'', and its identifier stays used.

customer_id: the customer.
identifier: the reporter''s own key of the event.
reason: why; it is kept with the event.

An event that is priced by itself costs nothing any more: what it owed is no longer owed; what grants paid for it
comes back to them, newest draw first, and pays what is owed otherwise. What comes back to a grant that has ended ends
the same way at once.

One that is priced with others of its period (last, max, tiers) leaves what they add up to, and the period then costs
less, the same, or more (a value that counts instead may be higher); consumed and pending are what stays with the
event.

A repeat changes nothing (replayed = true). An identifier without an event is PC013.

An event of a meter whose settlement is ''invoice'' can be canceled until the usage of its period is invoiced (PC020).

Raises PC003, PC007, PC013, PC020.
Example: SELECT * FROM credits.meter_event_cancel(''ann'', ''req-1'', reason => ''the request failed'');';
