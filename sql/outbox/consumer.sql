-- Consumers of the outbox.

CREATE TYPE credits.outbox_consumer AS (consumer text, created_at timestamptz);
COMMENT ON TYPE credits.outbox_consumer IS 'A consumer, as outbox_consumer_create() returns it.';
COMMENT ON COLUMN credits.outbox_consumer.consumer IS 'The consumer''s name.';
COMMENT ON COLUMN credits.outbox_consumer.created_at IS 'When it was created.';

CREATE FUNCTION credits.outbox_consumer_create(consumer text)
RETURNS credits.outbox_consumer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_create_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_create IS
'Creates a consumer of the outbox: a name that any number of sessions share.

consumer: its name.

It is handed every row that waits in the outbox, and every row that is written from now on; a row is kept until each
consumer has acknowledged it. A repeat changes nothing.

Raises PC013.
Example: SELECT * FROM credits.outbox_consumer_create(''mailer'');';

CREATE FUNCTION credits.outbox_consumer_remove(consumer text)
RETURNS bigint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_remove_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_remove IS
'Removes a consumer of the outbox, with its leases, and returns how many rows that deleted.

consumer: its name.

Rows that every other consumer has acknowledged are deleted; where it was the last, what waits is kept for the next.
It waits for transactions that claim or acknowledge. Created again, it is handed all that waits.

Raises PC013.
Example: SELECT credits.outbox_consumer_remove(''worker'');';
