-- The outbox: who consumes it, and how its rows are handed out. The work is in src/topup/outbox.rs and consumer.rs.

CREATE FUNCTION credits.outbox_consumer_create(
    consumer text,
    OUT consumer text, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_create_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_create IS
'Makes a consumer of the outbox: a name that any number of sessions share. It is handed every row that waits in the outbox, and every row that is written from now on; a row is kept until each consumer has acknowledged it. Again is a no-op. Raises PC013.';

CREATE FUNCTION credits.outbox_consumer_remove(consumer text)
RETURNS bigint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_remove_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_remove IS
'Removes a consumer of the outbox, with its leases, and deletes the rows that every other consumer has acknowledged; returns how many. Where it was the last, what waits is kept for the next. Waits for transactions that claim or acknowledge. Made again, it is handed all that waits. Raises PC013.';

CREATE FUNCTION credits.outbox_release(consumer text, customer_id text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_release_wrapper';
COMMENT ON FUNCTION credits.outbox_release IS
'Ends the leases of a consumer, for one customer or (NULL) for all: what was handed out and not acknowledged is handed out again by the next outbox_claim. Returns for how many customers. Whoever still works on such rows may acknowledge them all the same. Raises PC013.';

CREATE FUNCTION credits.outbox_claim(consumer text, batch_size integer DEFAULT 100, lease interval DEFAULT '5 minutes')
RETURNS TABLE (
    outbox_id uuid, customer_id text, outbox_no bigint, type text, payload jsonb, created_at timestamptz)
LANGUAGE c VOLATILE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_claim_wrapper';
COMMENT ON FUNCTION credits.outbox_claim IS
'Hands out what other systems must act on, at least once to each consumer (outbox_consumer_create), in order within a customer. Until it is acknowledged or lease has passed, no other session of the same consumer gets rows of the same customers; after that they are handed out again. batch_size: at most 50000 rows; lease: at most 24 hours. Commit before acting on them. Any number of sessions may call it at once. LISTEN credits_outbox tells of new rows; poll as well. Raises PC013, also for a consumer that was never made.';

CREATE FUNCTION credits.outbox_ack(consumer text, ids uuid[])
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_ack_wrapper';
COMMENT ON FUNCTION credits.outbox_ack IS
'Acknowledges rows by their outbox_id, and returns how many are acknowledged by it: within a customer those without an unacknowledged one before them. Rows that every consumer has acknowledged are deleted. Raises PC013, also for a consumer that was never made.';

CREATE VIEW credits.outbox_rows AS
SELECT o.customer_id, o.outbox_no, o.outbox_id, o.type, o.payload, o.created_at FROM credits.outbox o;
COMMENT ON VIEW credits.outbox_rows IS 'What waits in the outbox: rows that some consumer has not acknowledged yet.';

CREATE VIEW credits.outbox_backlog AS
SELECT c.consumer, c.created_at, w.waiting, w.oldest_at, l.leased_customers, l.leased_until
FROM credits.outbox_consumers c
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(o.created_at) AS oldest_at
    FROM credits.outbox o
    LEFT JOIN credits.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = c.consumer
    WHERE o.outbox_no > coalesce(p.acked_no, 0)) w
CROSS JOIN LATERAL (
    SELECT count(*) AS leased_customers, max(p.claimed_until) AS leased_until
    FROM credits.outbox_positions p WHERE p.consumer = c.consumer AND p.claimed_until > credits.clock()) l;
COMMENT ON VIEW credits.outbox_backlog IS
'Every consumer of the outbox: how many rows it has not acknowledged and since when the oldest of them waits; how many customers'' rows are leased to its sessions, and until when at the latest.';
