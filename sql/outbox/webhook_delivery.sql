-- Deliveries of billing events to endpoints.

CREATE TYPE credits.webhook_request AS (
    attempt_id uuid, webhook_endpoint_id uuid, event_id uuid, url text, headers jsonb, body text, attempt_no integer,
    leased_until timestamptz);
COMMENT ON TYPE credits.webhook_request IS 'What is to be sent, as webhook_claim() returns it.';
COMMENT ON COLUMN credits.webhook_request.attempt_id IS 'The attempt, for webhook_report().';
COMMENT ON COLUMN credits.webhook_request.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits.webhook_request.event_id IS 'Which event.';
COMMENT ON COLUMN credits.webhook_request.url IS 'Where it is to be sent, by POST.';
COMMENT ON COLUMN credits.webhook_request.headers IS 'The headers by their names, with the signature.';
COMMENT ON COLUMN credits.webhook_request.body IS 'What is to be sent, to the byte, in UTF-8: it is signed.';
COMMENT ON COLUMN credits.webhook_request.attempt_no IS 'The how manieth attempt it is, from 1.';
COMMENT ON COLUMN credits.webhook_request.leased_until IS 'When others get it, unless it was reported.';

CREATE TYPE credits.webhook_outcome AS (
    attempt_id uuid, status text, delivery_status text, next_attempt_at timestamptz, endpoint_disabled boolean,
    replayed boolean);
COMMENT ON TYPE credits.webhook_outcome IS 'What comes of an attempt, as webhook_report() returns it.';
COMMENT ON COLUMN credits.webhook_outcome.attempt_id IS 'The attempt.';
COMMENT ON COLUMN credits.webhook_outcome.status IS '''succeeded'' or ''failed''.';
COMMENT ON COLUMN credits.webhook_outcome.delivery_status IS
'''succeeded''; ''due'' (at next_attempt_at), ''sending'' (by another attempt), or ''failed'': given up.';
COMMENT ON COLUMN credits.webhook_outcome.next_attempt_at IS 'When it is tried again; NULL where it is not.';
COMMENT ON COLUMN credits.webhook_outcome.endpoint_disabled IS
'Whether this disabled the endpoint: it took nothing for three days.';
COMMENT ON COLUMN credits.webhook_outcome.replayed IS 'Whether it was reported before.';

CREATE FUNCTION credits.webhook_claim(
    worker text, batch_size integer DEFAULT 20, lease interval DEFAULT '1 minute')
RETURNS SETOF credits.webhook_request
LANGUAGE c VOLATILE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_claim_wrapper';
COMMENT ON FUNCTION credits.webhook_claim IS
'Hands out billing events to be sent to endpoints, at least once each, in order for each object.

worker: who sends them, as webhook_attempts shows it.
batch_size: the most requests, 1 to 1,000.
lease: what is not reported when it has passed is handed out again; at most 1 hour.

Of one object''s events an endpoint is sent one at a time: the next follows once that is delivered or given up. Up to 8
are under way to an endpoint at once, 2 while it fails, and those are next that have the fewest, so that none holds back
another. Commit before sending. Any number of sessions may call it at once. examples/webhook_sender.py does.

Raises PC013.
Example: SELECT attempt_id, url, headers, body FROM credits.webhook_claim(''sender 1'', batch_size => 10);';

CREATE FUNCTION credits.webhook_report(
    attempt_id uuid, response_status integer DEFAULT NULL, response_body text DEFAULT NULL)
RETURNS credits.webhook_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_report_wrapper';
COMMENT ON FUNCTION credits.webhook_report IS
'Reports what an endpoint answered: an event is delivered, sent again later, or given up.

attempt_id: of webhook_claim().
response_status: the status of the answer: 200 to 299 is a success, anything else is not; NULL for no answer.
response_body: how the answer begins, or why there is none; 2,000 characters are kept.

What failed is sent again after 1 minute, 5 minutes, 30 minutes, 2 hours and 8 hours, then daily, last 3 days after it
first failed. An endpoint that takes nothing for 3 days is disabled, with an event webhook_endpoint.disabled. A repeat
changes nothing. Commit after each.

Raises PC013, PC019.
Example: SELECT r.status, r.next_attempt_at FROM credits.webhook_claim(''sender 1'') c
  CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, 503, ''busy'') r;';

CREATE FUNCTION credits.webhook_test(webhook_endpoint_id uuid)
RETURNS uuid
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_test_wrapper';
COMMENT ON FUNCTION credits.webhook_test IS
'Has an event webhook_endpoint.test sent to an endpoint, whatever types it asked for, and returns the event''s id.

webhook_endpoint_id: the endpoint.

It is tried once. webhook_attempts shows what came of it.

Raises PC013, PC019, PC020.
Example: SELECT credits.webhook_test((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
  WHERE status = ''enabled'' ORDER BY created_at LIMIT 1));';

CREATE FUNCTION credits.webhook_resend(event_id uuid, webhook_endpoint_id uuid DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_resend_wrapper';
COMMENT ON FUNCTION credits.webhook_resend IS
'Has a billing event sent again, and returns to how many endpoints.

event_id: an event of billing_events.
webhook_endpoint_id: the endpoint, whatever types it asked for; NULL for each that asks for the event''s type.

It is sent at once, and its object''s later events do not wait for it. Where the event is still on its way nothing
changes.

Raises PC013, PC019, PC020.
Example: SELECT credits.webhook_resend(event_id) FROM credits.billing_events ORDER BY event_id DESC LIMIT 1;';

CREATE VIEW credits.webhook_attempts AS
SELECT a.attempt_id, a.webhook_endpoint_id, a.event_id, e.type, e.object_type, e.object_id, e.customer_id, a.attempt_no,
       a.worker, a.status, a.response_status, a.response_body, a.started_at, a.ended_at, d.status AS delivery_status,
       CASE WHEN d.status = 'due' AND d.attempt_id = a.attempt_id THEN d.due_at END AS next_attempt_at
FROM credits_internal.webhook_attempts a
LEFT JOIN credits_internal.webhook_deliveries d
       ON d.webhook_endpoint_id = a.webhook_endpoint_id AND d.event_id = a.event_id
LEFT JOIN credits_internal.billing_events e ON e.event_id = a.event_id;
COMMENT ON VIEW credits.webhook_attempts IS
'Each time that an event was handed out to be sent to an endpoint, for credits.event_retention. Page by attempt_id.';
COMMENT ON COLUMN credits.webhook_attempts.attempt_id IS 'The attempt: in the order of time, as a key to page by.';
COMMENT ON COLUMN credits.webhook_attempts.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits.webhook_attempts.event_id IS 'Which event.';
COMMENT ON COLUMN credits.webhook_attempts.type IS 'What happened: ''invoice.paid'' and so on.';
COMMENT ON COLUMN credits.webhook_attempts.object_type IS 'What it happened to.';
COMMENT ON COLUMN credits.webhook_attempts.object_id IS 'Which one.';
COMMENT ON COLUMN credits.webhook_attempts.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.webhook_attempts.attempt_no IS 'The how manieth attempt of the event there, from 1.';
COMMENT ON COLUMN credits.webhook_attempts.worker IS 'Who sent it.';
COMMENT ON COLUMN credits.webhook_attempts.status IS
'''sending'', ''succeeded'', ''failed'', or ''lost'': nobody reported it before the lease ended.';
COMMENT ON COLUMN credits.webhook_attempts.response_status IS 'The answer''s status; NULL for no answer.';
COMMENT ON COLUMN credits.webhook_attempts.response_body IS
'How the answer begins, or why there is none; cleared with the customer.';
COMMENT ON COLUMN credits.webhook_attempts.started_at IS 'When it was handed out.';
COMMENT ON COLUMN credits.webhook_attempts.ended_at IS 'When it was reported, or lost.';
COMMENT ON COLUMN credits.webhook_attempts.delivery_status IS
'The event at that endpoint: ''due'', ''sending'', ''succeeded'', or ''failed'', which is given up.';
COMMENT ON COLUMN credits.webhook_attempts.next_attempt_at IS
'When it is sent again, on the line of the last attempt; NULL where it is not.';
