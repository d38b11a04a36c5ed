-- Holds.

CREATE TYPE credits.hold AS (
    hold_id uuid, customer_id text, currency text, status text, amount numeric, captured numeric, released numeric,
    expires_at timestamptz, available numeric, replayed boolean);
COMMENT ON TYPE credits.hold IS
'A hold, as hold_create(), hold_capture() and hold_release() return it. The view holds has all of them.';
COMMENT ON COLUMN credits.hold.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.hold.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.hold.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.hold.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.hold.amount IS 'What was set aside.';
COMMENT ON COLUMN credits.hold.captured IS 'What was spent of it.';
COMMENT ON COLUMN credits.hold.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.hold.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.hold.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.hold.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.hold_create(
    customer_id text, amount numeric, currency text DEFAULT NULL, expires_in interval DEFAULT '15 minutes',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_create_wrapper';
COMMENT ON FUNCTION credits.hold_create IS
'Sets credits aside for work in progress, all or nothing, from the grants that a debit would draw on.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
expires_in: how long the hold lasts: at most ten years, on the calendar in UTC. After that it counts as released,
  whether or not any job has run.
idempotency_key: a repeat with the same key returns the hold as it stands now with replayed = true; NULL for none.
description: for people; the ledger lines have it.
metadata: the application''s own data.

The credits leave available at once. If a grant ends meanwhile, what is held of it is not affected.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT hold_id, expires_at FROM credits.hold_create(''ann'', 20, expires_in => ''10 minutes'');';

CREATE FUNCTION credits.hold_capture(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_capture_wrapper';
COMMENT ON FUNCTION credits.hold_capture IS
'Spends an open hold, or part of it, and gives the rest back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.
amount: how many credits to spend; NULL for all of it. Zero is a release, more than is held is PC007.
description: for people; the ledger lines have it instead of the hold''s. NULL keeps the hold''s.
metadata: the application''s own data, instead of the hold''s. NULL keeps the hold''s.

The newest draw goes back first. What goes back to a grant that has ended meanwhile ends the same way at once.

The same amount again is a repeat (replayed = true); another amount is PC010, and so is a hold that was released or
expired.

Raises PC007, PC010, PC013.
Example: SELECT * FROM credits.hold_capture(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''),
  12.5);';

CREATE FUNCTION credits.hold_release(customer_id text, hold_id uuid)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_release_wrapper';
COMMENT ON FUNCTION credits.hold_release IS
'Gives all of an open hold back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.

For a hold that was released or has expired nothing happens (replayed = true). One that was captured, or never
existed, is PC010.

Raises PC010, PC013.
Example: SELECT * FROM credits.hold_release(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''));';

CREATE VIEW credits.holds AS
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, 0::numeric AS released, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at > credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, 'expired', h.amount, h.captured, h.amount, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.expires_at
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at <= credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at
FROM credits_internal.holds h WHERE h.status <> 'open';
COMMENT ON VIEW credits.holds IS
'Every hold at this moment.

A hold that has expired shows as ''expired'' from that moment, whether or not anything has posted it. What is set aside
now: status = ''open''.';
COMMENT ON COLUMN credits.holds.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.holds.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.holds.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.holds.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.holds.amount IS 'What was set aside.';
COMMENT ON COLUMN credits.holds.captured IS 'What was spent of it.';
COMMENT ON COLUMN credits.holds.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.holds.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.holds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.holds.capture_description IS 'The caller''s description of what was spent.';
COMMENT ON COLUMN credits.holds.capture_metadata IS 'The application''s own data about what was spent.';
COMMENT ON COLUMN credits.holds.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.holds.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.holds.closed_at IS 'When it was captured or released, or expired; NULL while it is open.';
