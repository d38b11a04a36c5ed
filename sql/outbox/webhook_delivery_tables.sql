-- Deliveries of billing events to endpoints. Whoever writes an event writes none of them: webhook_claim() does.

CREATE TABLE credits_internal.webhook_deliveries (
    webhook_endpoint_id uuid NOT NULL,
    event_id            uuid NOT NULL,
    object_type         text NOT NULL,
    object_id           text COLLATE "C" NOT NULL,
    object_seq          bigint NOT NULL,
    status              text NOT NULL CHECK (status IN ('waiting', 'due', 'sending', 'succeeded', 'failed')),
    due_at              timestamptz NOT NULL,
    attempts            integer NOT NULL DEFAULT 0,
    failures            integer NOT NULL DEFAULT 0,
    failed_first_at     timestamptz,
    attempt_id          uuid CHECK (attempt_id IS NOT NULL OR status <> 'sending'),
    in_order            boolean NOT NULL DEFAULT true,
    once                boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (webhook_endpoint_id, event_id)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.webhook_deliveries IS
'One row per event and endpoint that is sent it. Of an object''s at most one is due or being sent; those after it
wait.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.event_id IS 'Of which event.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_type IS 'What that happened to.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_id IS 'Which one.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_seq IS 'The event''s place among those of its object.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.status IS
'''waiting'' for an earlier one of the object, ''due'' at due_at, ''sending'' until due_at, ''succeeded'' or ''failed'',
which is given up.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.due_at IS
'When it is sent; of what is being sent when the lease ends.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.attempts IS 'How often it was handed out.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.failures IS 'How often that was reported as failed.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.failed_first_at IS 'When it was for the first time.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.attempt_id IS 'The last attempt.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.in_order IS
'Whether others of the object wait for it: not for one that is sent again.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.once IS 'Whether one failure is enough: of a test.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.created_at IS
'When its event was written: both are kept for as long.';

CREATE INDEX webhook_deliveries_due ON credits_internal.webhook_deliveries (webhook_endpoint_id, due_at)
    WHERE status IN ('due', 'sending');
CREATE INDEX webhook_deliveries_open ON credits_internal.webhook_deliveries (webhook_endpoint_id)
    WHERE status IN ('waiting', 'due', 'sending');
CREATE INDEX webhook_deliveries_sending ON credits_internal.webhook_deliveries (webhook_endpoint_id)
    WHERE status = 'sending';
CREATE INDEX webhook_deliveries_of_object
    ON credits_internal.webhook_deliveries (webhook_endpoint_id, object_type, object_id, object_seq) WHERE in_order;
CREATE INDEX webhook_deliveries_oldest ON credits_internal.webhook_deliveries (created_at);

CREATE TABLE credits_internal.webhook_attempts (
    attempt_id          uuid NOT NULL PRIMARY KEY,
    webhook_endpoint_id uuid NOT NULL,
    event_id            uuid NOT NULL,
    attempt_no          integer NOT NULL,
    worker              text NOT NULL,
    status              text NOT NULL CHECK (status IN ('sending', 'succeeded', 'failed', 'lost')),
    response_status     integer,
    response_body       text,
    started_at          timestamptz NOT NULL,
    ended_at            timestamptz
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.webhook_attempts IS 'Each time that an event was handed out to be sent.';
COMMENT ON COLUMN credits_internal.webhook_attempts.attempt_id IS 'Its id, in the order of time.';
COMMENT ON COLUMN credits_internal.webhook_attempts.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_attempts.event_id IS 'Which event.';
COMMENT ON COLUMN credits_internal.webhook_attempts.attempt_no IS 'The how manieth it is, from 1.';
COMMENT ON COLUMN credits_internal.webhook_attempts.worker IS 'Who sends it.';
COMMENT ON COLUMN credits_internal.webhook_attempts.status IS
'''sending'', ''succeeded'', ''failed'', or ''lost'': nobody reported it before the lease ended.';
COMMENT ON COLUMN credits_internal.webhook_attempts.response_status IS 'The answer''s status; NULL for no answer.';
COMMENT ON COLUMN credits_internal.webhook_attempts.response_body IS
'How the answer begins, or why there is none; cleared with the customer.';
COMMENT ON COLUMN credits_internal.webhook_attempts.started_at IS 'When it was handed out.';
COMMENT ON COLUMN credits_internal.webhook_attempts.ended_at IS 'When it was reported, or lost.';

CREATE INDEX webhook_attempts_of_event ON credits_internal.webhook_attempts (event_id);
CREATE INDEX webhook_attempts_of_endpoint ON credits_internal.webhook_attempts (webhook_endpoint_id, attempt_id);
CREATE INDEX webhook_attempts_oldest ON credits_internal.webhook_attempts (started_at);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_deliveries', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_attempts', '');
