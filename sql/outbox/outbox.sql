-- The outbox: how its rows are handed out.

CREATE TYPE credits.outbox_row AS (
    outbox_id uuid, customer_id text, outbox_no bigint, type text, payload jsonb, created_at timestamptz);
COMMENT ON TYPE credits.outbox_row IS 'A row of the outbox, as outbox_claim() returns it.';
COMMENT ON COLUMN credits.outbox_row.outbox_id IS 'The row''s id, for outbox_ack().';
COMMENT ON COLUMN credits.outbox_row.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.outbox_row.outbox_no IS 'The row''s place among the customer''s rows, in commit order.';
COMMENT ON COLUMN credits.outbox_row.type IS 'What happened: ''recharge.requested'' and so on.';
COMMENT ON COLUMN credits.outbox_row.payload IS 'The details. Amounts are strings of digits.';
COMMENT ON COLUMN credits.outbox_row.created_at IS 'When it was written.';

CREATE FUNCTION credits.outbox_claim(
    consumer text, batch_size integer DEFAULT 100, lease interval DEFAULT '5 minutes')
RETURNS SETOF credits.outbox_row
LANGUAGE c VOLATILE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_claim_wrapper';
COMMENT ON FUNCTION credits.outbox_claim IS
'Hands out what other systems must act on, at least once to each consumer, in order within a customer.

consumer: a name that was created by outbox_consumer_create(); any other is PC013.
batch_size: the most rows, 1 to 50,000.
lease: until it has passed, or all of them are acknowledged, no other session of the same consumer gets rows of the
  same customers; at most 24 hours.

Rows that are not acknowledged when the lease has passed are handed out again. Commit before acting on them. Any
number of sessions may call it at once. LISTEN credits_outbox announces new rows; poll as well.

Raises PC013.
Example: SELECT * FROM credits.outbox_claim(''worker'', batch_size => 10, lease => ''1 minute'');';

CREATE FUNCTION credits.outbox_ack(consumer text, ids uuid[])
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_ack_wrapper';
COMMENT ON FUNCTION credits.outbox_ack IS
'Acknowledges rows, and returns how many are acknowledged by it.

consumer: a name that was created by outbox_consumer_create(); any other is PC013.
ids: the outbox_id of each row.

Within a customer those are acknowledged that have no unacknowledged row before them. Rows that every consumer has
acknowledged are deleted.

Raises PC013.
Example: SELECT credits.outbox_ack(''worker'', ARRAY(SELECT outbox_id FROM credits.outbox_claim(''worker'')));';

CREATE FUNCTION credits.outbox_release(consumer text, customer_id text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_release_wrapper';
COMMENT ON FUNCTION credits.outbox_release IS
'Ends the leases of a consumer, and returns for how many customers.

consumer: its name.
customer_id: only for this customer; NULL for all.

What was handed out and not acknowledged is handed out again by the next outbox_claim(). A session that still works on
such rows may acknowledge them all the same.

Raises PC013.
Example: SELECT credits.outbox_release(''worker'');';

CREATE VIEW credits.outbox_rows AS
SELECT o.customer_id, o.outbox_no, o.outbox_id, o.type, o.payload, o.created_at FROM credits_internal.outbox o;
COMMENT ON VIEW credits.outbox_rows IS 'What waits in the outbox: rows that some consumer has not acknowledged yet.';
COMMENT ON COLUMN credits.outbox_rows.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.outbox_rows.outbox_no IS 'The row''s place among the customer''s rows, in commit order.';
COMMENT ON COLUMN credits.outbox_rows.outbox_id IS 'The row''s id, for outbox_ack().';
COMMENT ON COLUMN credits.outbox_rows.type IS 'What happened: ''recharge.requested'' and so on.';
COMMENT ON COLUMN credits.outbox_rows.payload IS 'The details. Amounts are strings of digits.';
COMMENT ON COLUMN credits.outbox_rows.created_at IS 'When it was written.';

CREATE VIEW credits.outbox_backlog AS
SELECT c.consumer, c.created_at, w.waiting, w.oldest_at, l.leased_customers, l.leased_until
FROM credits_internal.outbox_consumers c
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(o.created_at) AS oldest_at
    FROM credits_internal.outbox o
    LEFT JOIN credits_internal.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = c.consumer
    WHERE o.outbox_no > coalesce(p.acked_no, 0)) w
CROSS JOIN LATERAL (
    SELECT count(*) AS leased_customers, max(p.claimed_until) AS leased_until
    FROM credits_internal.outbox_positions p WHERE p.consumer = c.consumer AND p.claimed_until > credits.clock()) l;
COMMENT ON VIEW credits.outbox_backlog IS
'Every consumer of the outbox, with what it has not acknowledged and what is leased to its sessions.';
COMMENT ON COLUMN credits.outbox_backlog.consumer IS 'The consumer''s name.';
COMMENT ON COLUMN credits.outbox_backlog.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.outbox_backlog.waiting IS 'How many rows it has not acknowledged.';
COMMENT ON COLUMN credits.outbox_backlog.oldest_at IS 'When the oldest of them was written.';
COMMENT ON COLUMN credits.outbox_backlog.leased_customers IS 'How many customers'' rows are leased to its sessions.';
COMMENT ON COLUMN credits.outbox_backlog.leased_until IS 'Until when at the latest; NULL where none are leased.';
