-- What waits to be settled.

CREATE VIEW credits.backlog AS
SELECT (SELECT count(*) FROM credits.inbox) AS inbox, (SELECT min(received_at) FROM credits.inbox) AS inbox_since,
       (SELECT count(*) FROM credits_internal.unsettled_events) AS unsettled,
       (SELECT min(created_at) FROM credits_internal.unsettled_events) AS unsettled_since,
       (SELECT count(*) FROM credits_internal.inbox_rejected) AS rejected,
       -- The lock that the drainer has: src/pg/locking/lock.rs.
       (SELECT coalesce(l.pid, 0) FROM pg_locks l
        WHERE l.locktype = 'object' AND l.classid = 'credits.inbox'::regclass AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        LIMIT 1) AS inbox_drained_by,
       (SELECT count(*) FROM credits_internal.account_failures) AS failed_accounts,
       (SELECT min(failed_since) FROM credits_internal.account_failures) AS failed_since;
COMMENT ON VIEW credits.backlog IS
'What waits to be settled, as committed.

Watch it from another session while settle() or maintain() works: it changes with every batch.';
COMMENT ON COLUMN credits.backlog.inbox IS 'Rows in the inbox.';
COMMENT ON COLUMN credits.backlog.inbox_since IS 'When the oldest of them was put in.';
COMMENT ON COLUMN credits.backlog.unsettled IS 'Events of deferred meters that are not charged yet.';
COMMENT ON COLUMN credits.backlog.unsettled_since IS 'When the oldest of them was reported.';
COMMENT ON COLUMN credits.backlog.rejected IS 'Rows of the inbox that were rejected: see rejected_events.';
COMMENT ON COLUMN credits.backlog.inbox_drained_by IS
'The process id of the session whose transaction drains the inbox (see pg_stat_activity), 0 for a prepared transaction,
NULL for none. No other session can drain the inbox until that transaction ends.';
COMMENT ON COLUMN credits.backlog.failed_accounts IS
'How many accounts settle() and maintain() cannot work on. They are left alone and tried again after growing pauses;
verify() lists them with what went wrong.';
COMMENT ON COLUMN credits.backlog.failed_since IS 'When the first of them failed.';
