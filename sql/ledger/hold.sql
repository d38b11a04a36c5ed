-- Holds.

CREATE TYPE credits.hold AS (
    hold_id uuid, customer_id text, currency text, status text, amount numeric, captured numeric, released numeric,
    expires_at timestamptz, available numeric, replayed boolean, charged numeric, capture_id uuid,
    capture_amount numeric, pending numeric, event_name text);
COMMENT ON TYPE credits.hold IS
'A hold, as hold_create(), hold_update(), hold_capture() and hold_release() return it. The view holds has all of them.';
COMMENT ON COLUMN credits.hold.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.hold.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.hold.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.hold.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.hold.amount IS 'What was set aside.';
COMMENT ON COLUMN credits.hold.captured IS 'What was spent of it so far.';
COMMENT ON COLUMN credits.hold.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.hold.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.hold.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.hold.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.hold.charged IS
'What its captures spent in addition, from the balance, or left owed.';
COMMENT ON COLUMN credits.hold.capture_id IS
'The capture that this call made, as in the view hold_captures; NULL where the hold alone says it all.';
COMMENT ON COLUMN credits.hold.capture_amount IS 'What this call captured; NULL where it was no capture.';
COMMENT ON COLUMN credits.hold.pending IS 'What is owed of what this call captured; NULL where it was no capture.';
COMMENT ON COLUMN credits.hold.event_name IS 'The meter whose usage alone may be captured; NULL for anything.';

CREATE FUNCTION credits.hold_create(
    customer_id text, amount numeric, currency text DEFAULT NULL, expires_in interval DEFAULT '15 minutes',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    event_name text DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_create_2_wrapper';
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
event_name: the meter whose usage the hold is for: credits are held as an event of that meter would draw them, those too
  that only certain meters may use, and only events of that meter capture them. NULL for none.
member_id: the member who spends, whose limits the hold and its captures count towards; NULL for none.

The credits leave available at once. If a grant ends meanwhile, what is held of it is not affected. Where a limit has
too little left it is PC021: see the view limits.

Raises PC001, PC002, PC003, PC004, PC005, PC007, PC008, PC013, PC021.
Example: SELECT hold_id, expires_at FROM credits.hold_create(''ann'', 20, expires_in => ''10 minutes'');';

CREATE FUNCTION credits.hold_update(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    expires_in interval DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_update_wrapper';
COMMENT ON FUNCTION credits.hold_update IS
'Changes an open hold: more credits or fewer, more time or less.

customer_id: the customer.
hold_id: the hold.
amount: how many credits are to be set aside in all, those already captured counted; NULL leaves it. Less than is
  captured is PC007.
expires_at: until when the hold is to last; NULL leaves it. At most ten years from now.
expires_in: the same as an interval from now; NULL leaves it. One of the two.

More is taken all or nothing, from the grants that hold_create() would draw on now, as far as limits allow (PC021). Less
goes back to the grants that it came from, the newest draw first, and pays what is owed.

Where the hold has that amount and lasts so long already, nothing changes (replayed = true). A hold that was captured or
released, or has expired, is PC010.

Raises PC001, PC007, PC010, PC013, PC021.
Example: SELECT amount, expires_at FROM credits.hold_update(''ann'', (SELECT hold_id FROM credits.holds
  WHERE status = ''open''), amount => 30, expires_in => ''1 hour'');';

CREATE FUNCTION credits.hold_release(customer_id text, hold_id uuid)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_release_wrapper';
COMMENT ON FUNCTION credits.hold_release IS
'Gives all that an open hold has back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.

For a hold that was released or has expired nothing happens (replayed = true). One that was captured, or never
existed, is PC010.

Raises PC010, PC013.
Example: SELECT * FROM credits.hold_release(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''));';

CREATE VIEW credits.holds AS
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, 0::numeric AS released, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at > credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, 'expired', h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.expires_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at <= credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status <> 'open';
COMMENT ON VIEW credits.holds IS
'Every hold at this moment.

A hold that has expired shows as ''expired'' from that moment, whether or not anything has posted it. What is set aside
now: status = ''open''.';
COMMENT ON COLUMN credits.holds.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.holds.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.holds.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.holds.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.holds.amount IS 'What was set aside in all.';
COMMENT ON COLUMN credits.holds.captured IS 'What was spent of it so far.';
COMMENT ON COLUMN credits.holds.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.holds.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.holds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.holds.capture_description IS 'The caller''s description of what was spent.';
COMMENT ON COLUMN credits.holds.capture_metadata IS 'The application''s own data about what was spent.';
COMMENT ON COLUMN credits.holds.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.holds.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.holds.closed_at IS 'When it was captured or released, or expired; NULL while it is open.';
COMMENT ON COLUMN credits.holds.charged IS
'What its captures spent in addition, from the balance, or left owed.';
COMMENT ON COLUMN credits.holds.updated_at IS 'When hold_update() changed it last; NULL where it did not.';
COMMENT ON COLUMN credits.holds.event_name IS 'The meter whose usage alone may be captured; NULL for anything.';
COMMENT ON COLUMN credits.holds.member_id IS 'The member who spends; NULL where the caller named none.';
