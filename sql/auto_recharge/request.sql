-- Requests of auto-recharge.

CREATE TYPE credits.recharge_attempt AS (
    go boolean, recharge_id uuid, top_up_id uuid, status text, amount numeric, minor_units numeric, currency text,
    payment_method text, expires_at timestamptz, credits numeric, quantity integer);
COMMENT ON TYPE credits.recharge_attempt IS 'What a worker is to charge, as recharge_begin() returns it.';
COMMENT ON COLUMN credits.recharge_attempt.go IS 'Whether the worker may charge.';
COMMENT ON COLUMN credits.recharge_attempt.recharge_id IS 'The auto-recharge request.';
COMMENT ON COLUMN credits.recharge_attempt.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.recharge_attempt.status IS
'''requested'', ''processing'' (a worker is on it), ''paid'', ''failed'', ''timed_out'' or ''canceled''.';
COMMENT ON COLUMN credits.recharge_attempt.amount IS 'What to charge, in major units of currency.';
COMMENT ON COLUMN credits.recharge_attempt.minor_units IS 'What to charge, in minor units (cents).';
COMMENT ON COLUMN credits.recharge_attempt.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.recharge_attempt.payment_method IS 'What the worker charges, in the worker''s own terms.';
COMMENT ON COLUMN credits.recharge_attempt.expires_at IS 'When the request times out.';
COMMENT ON COLUMN credits.recharge_attempt.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits.recharge_attempt.quantity IS 'Units of the price; NULL where it is bought by amount.';

CREATE FUNCTION credits.recharge_begin(customer_id text, recharge_id uuid)
RETURNS credits.recharge_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_begin_wrapper';
COMMENT ON FUNCTION credits.recharge_begin IS
'Returns whether a worker may charge, and what. Call it right before charging.

customer_id: the customer.
recharge_id: the request.

Limits are judged again here. go is false where the request was answered, has timed out, was canceled (the customer
topped up by hand meanwhile, or switched it off), or is beyond a limit that was lowered.

Give the provider recharge_id as the idempotency key, and customer_id and top_up_id as metadata, so that its webhook
finds the top-up. A repeat, for one that is being processed, returns go = true again where all that still holds: the
provider''s idempotency key keeps it one charge.

Raises PC013, PC014.
Example: SELECT * FROM credits.recharge_begin(''cy'', (SELECT recharge_id FROM credits.recharge_log));';

CREATE VIEW credits.recharge_log AS
SELECT r.customer_id, r.recharge_id, r.currency, CASE WHEN o.over THEN 'timed_out' ELSE r.status END AS status,
       r.amount,
       r.price_currency, r.credits, r.top_up_id,
       CASE WHEN o.over THEN 'nobody answered in time' ELSE r.reason END AS reason,
       r.requested_at, r.started_at, r.expires_at, CASE WHEN o.over THEN r.expires_at ELSE r.closed_at END AS closed_at,
       r.quantity, r.scheduled
FROM credits_internal.recharges r
CROSS JOIN LATERAL (SELECT r.status IN ('requested', 'processing') AND r.expires_at <= credits.clock() AS over) o;
COMMENT ON VIEW credits.recharge_log IS
'Requests of auto-recharge, with their outcome.

A request is canceled if, before a worker began, there were enough credits again (for one of the schedule: its target
was reached), auto-recharge was switched off, or a limit was lowered. A time-out shows at its moment, whether or not
anything has posted it.';
COMMENT ON COLUMN credits.recharge_log.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.recharge_log.recharge_id IS 'The auto-recharge request.';
COMMENT ON COLUMN credits.recharge_log.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharge_log.status IS
'''requested'', ''processing'' (a worker is on it), ''paid'', ''failed'', ''timed_out'' or ''canceled''.';
COMMENT ON COLUMN credits.recharge_log.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits.recharge_log.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.recharge_log.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits.recharge_log.top_up_id IS 'The top-up that pays for it.';
COMMENT ON COLUMN credits.recharge_log.reason IS 'Why it ended as it did.';
COMMENT ON COLUMN credits.recharge_log.requested_at IS 'When it was requested.';
COMMENT ON COLUMN credits.recharge_log.started_at IS 'When a worker began.';
COMMENT ON COLUMN credits.recharge_log.expires_at IS 'When it times out.';
COMMENT ON COLUMN credits.recharge_log.closed_at IS 'When it ended; NULL while it is open.';
COMMENT ON COLUMN credits.recharge_log.quantity IS
'Units of the price; NULL where it is bought by amount, and in rows of before 0.3.0.';
COMMENT ON COLUMN credits.recharge_log.scheduled IS 'Whether the schedule asked for it, whatever the balance.';
