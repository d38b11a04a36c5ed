-- The gate before work begins.

CREATE TYPE credits.availability AS (
    can_continue boolean, reason text, available numeric, pending numeric, recharge_in_progress boolean,
    limit_remaining numeric, invoiced numeric);
COMMENT ON TYPE credits.availability IS 'The answer of credit_availability().';
COMMENT ON COLUMN credits.availability.can_continue IS 'Whether the work may begin.';
COMMENT ON COLUMN credits.availability.reason IS
'''sufficient'', ''within_max_pending'', ''recharge_in_progress'', ''insufficient_credits'' or ''limit_exceeded''.';
COMMENT ON COLUMN credits.availability.available IS
'What a plain debit may take; with event_name, what the events of that meter may.';
COMMENT ON COLUMN credits.availability.pending IS 'Usage that the customer owes now.';
COMMENT ON COLUMN credits.availability.recharge_in_progress IS 'Whether an auto-recharge is under way.';
COMMENT ON COLUMN credits.availability.limit_remaining IS
'What the limits that refuse spending leave for it, in credits; NULL where none applies.';
COMMENT ON COLUMN credits.availability.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';

CREATE FUNCTION credits.credit_availability(
    customer_id text, amount numeric DEFAULT NULL, currency text DEFAULT NULL, max_pending numeric DEFAULT 0,
    max_recharges integer DEFAULT NULL, event_name text DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.availability
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_availability_2_wrapper';
COMMENT ON FUNCTION credits.credit_availability IS
'Returns whether work that would cost so many credits may begin.

customer_id: the customer.
amount: how many credits the work would cost; NULL asks whether there are any credits at all.
currency: the currency; NULL for credits.default_currency.
max_pending: how much usage the customer may owe, in credits.
max_recharges: how many times the credits of an auto-recharge that is under way may be counted on; NULL for none.
event_name: the meter whose usage the work is: credits that only certain meters may use count too. NULL for none.
member_id: the member who would spend: the member''s own limits count too. NULL for none.

It reserves nothing (hold_create() does) and writes nothing; an unknown customer has nothing.

reason is ''sufficient'' (and no more than max_pending is pending), ''within_max_pending'' (short, but no more than
max_pending would be owed afterwards, with what is invoiced), ''recharge_in_progress'' (short, but an auto-recharge
is under way, and max_recharges times what it brings would cover the rest) or ''insufficient_credits''. It is
''limit_exceeded'', whatever the balance, where a limit of usage_limit_set() or member_limit_set() would refuse the
spending (PC021).

Raises PC004, PC005, PC007, PC008, PC013.
Example: SELECT can_continue, reason FROM credits.credit_availability(''ann'', 12.5);';
