-- Another value for the same usage.

CREATE TYPE credits.event_adjustment AS (
    identifier text, status text, value numeric, value_before numeric, consumed numeric, pending numeric,
    charged numeric, returned numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.event_adjustment IS 'An adjusted event, as meter_event_adjust() returns it.';
COMMENT ON COLUMN credits.event_adjustment.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.event_adjustment.status IS
'''processed'', ''pending'' while credits are owed, or ''recorded'' where the meter is invoiced.';
COMMENT ON COLUMN credits.event_adjustment.value IS 'The value of the event by now.';
COMMENT ON COLUMN credits.event_adjustment.value_before IS 'The value before.';
COMMENT ON COLUMN credits.event_adjustment.consumed IS
'Credits paid for the event; below zero where it brought credits back.';
COMMENT ON COLUMN credits.event_adjustment.pending IS 'Credits owed for the event.';
COMMENT ON COLUMN credits.event_adjustment.charged IS 'Credits that were charged in addition, paid or owed.';
COMMENT ON COLUMN credits.event_adjustment.returned IS 'Credits that came back to grants.';
COMMENT ON COLUMN credits.event_adjustment.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.event_adjustment.replayed IS
'Whether the event had that value already, so that nothing changed.';

CREATE FUNCTION credits.meter_event_adjust(
    customer_id text, identifier text, value numeric DEFAULT NULL, reason text DEFAULT NULL)
RETURNS credits.event_adjustment
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_adjust_wrapper';
COMMENT ON FUNCTION credits.meter_event_adjust IS
'Gives an event another value, less or more, and charges the difference: at the price that the event had.

customer_id: the customer.
identifier: the reporter''s own key of the event.
value: what the usage really was, in the meter''s unit; required. Zero is allowed.
reason: why; it is kept with the adjustment.

Where it costs less, less is owed for it first; then credits go back to the grants that paid, newest draw first, and
pay what is owed otherwise. What comes back to a grant that has ended ends the same way at once. Where it costs more,
that is charged now as the meter''s usage is: what no credit covers is owed, or the whole call is PC001. Limits apply
(PC021).

One that is priced with others of its period (last, max, tiers) changes what they add up to, and what the period costs.
Events that are not settled yet are settled first. A canceled event is PC013, and so is one that the meter''s second
currency paid in part: cancel it and report the usage anew.

usage and all statistics have the new value; the view usage_adjustments has what it was before. Its report may still
be repeated, with the value that was reported then. Where it has that value already, nothing changes (replayed =
true).

An event of a meter whose settlement is ''invoice'' can be adjusted until the usage of its period is invoiced (PC020).

Raises PC001, PC003, PC007, PC013, PC020, PC021.
Example: SELECT value_before, value, charged, returned, available
  FROM credits.meter_event_adjust(''ann'', ''req-1'', 1500, reason => ''the provider counted again'');';

CREATE VIEW credits.usage_adjustments AS
SELECT a.customer_id, a.identifier, e.event_name, e.currency, a.adjustment_no, a.value_before AS quantity_before,
       a.value AS quantity, a.charged, a.returned, a.reason, a.adjusted_at
FROM credits_internal.event_adjustments a
JOIN credits_internal.meter_events e ON e.customer_id = a.customer_id AND e.identifier = a.identifier;
COMMENT ON VIEW credits.usage_adjustments IS
'What meter_event_adjust() did: what an event''s value was before, and what the difference came to.';
COMMENT ON COLUMN credits.usage_adjustments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_adjustments.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.usage_adjustments.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_adjustments.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_adjustments.adjustment_no IS 'Which adjustment of the event it is, from 1.';
COMMENT ON COLUMN credits.usage_adjustments.quantity_before IS
'How much it was before, in the meter''s unit; of the first adjustment what was reported.';
COMMENT ON COLUMN credits.usage_adjustments.quantity IS 'How much it was from then on.';
COMMENT ON COLUMN credits.usage_adjustments.charged IS 'Credits that were charged in addition, paid or owed.';
COMMENT ON COLUMN credits.usage_adjustments.returned IS 'Credits that came back to grants.';
COMMENT ON COLUMN credits.usage_adjustments.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits.usage_adjustments.adjusted_at IS 'When it was posted.';
