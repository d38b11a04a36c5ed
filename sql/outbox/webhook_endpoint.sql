-- Endpoints for billing events.

CREATE TYPE credits.webhook_endpoint AS (
    webhook_endpoint_id uuid, url text, enabled_events text[], never_sent text[], description text, metadata jsonb,
    status text, disabled_reason text, secret text, previous_secret_expires_at timestamptz, created_at timestamptz,
    updated_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.webhook_endpoint IS 'An endpoint, as the functions webhook_endpoint_* return it.';
COMMENT ON COLUMN credits.webhook_endpoint.webhook_endpoint_id IS 'The endpoint''s id.';
COMMENT ON COLUMN credits.webhook_endpoint.url IS 'Where events are sent.';
COMMENT ON COLUMN credits.webhook_endpoint.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits.webhook_endpoint.never_sent IS
'Those of enabled_events that nothing writes: names of billing SDKs, for what is not here.';
COMMENT ON COLUMN credits.webhook_endpoint.description IS 'For people.';
COMMENT ON COLUMN credits.webhook_endpoint.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.webhook_endpoint.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits.webhook_endpoint.disabled_reason IS
'Why it was disabled by itself: ''no_success'' (for three days); NULL where somebody did it.';
COMMENT ON COLUMN credits.webhook_endpoint.secret IS
'What events are signed with, in the answer of the call that made it; NULL in any other.';
COMMENT ON COLUMN credits.webhook_endpoint.previous_secret_expires_at IS
'Until when events are signed with the secret before as well; NULL where they are not.';
COMMENT ON COLUMN credits.webhook_endpoint.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.webhook_endpoint.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.webhook_endpoint.replayed IS 'Whether an earlier call did this.';

CREATE FUNCTION credits.webhook_endpoint_create(
    url text, enabled_events text[], description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_create_wrapper';
COMMENT ON FUNCTION credits.webhook_endpoint_create IS
'Creates an endpoint, to be sent billing events, and returns its secret, once.

url: where events are sent: https, at an address of the internet. credits.webhook_http and
  credits.webhook_private_addresses allow others.
enabled_events: which types are sent, as ''invoice.paid''; ''*'' is all. Every name that billing SDKs have is accepted;
  those that are never sent are in the answer''s never_sent.
description: for people.
metadata: your own data.
idempotency_key: a repeat returns the endpoint, without its secret.

Events that happen from now on are sent, by a program that calls webhook_claim(). Keep the secret where the endpoint
can read it: nothing returns it again, and webhook_endpoint_update() makes another.

Raises PC002, PC013.
Example: SELECT webhook_endpoint_id, secret
  FROM credits.webhook_endpoint_create(''https://hooks.shop.example/credits'', ''{invoice.paid,invoice.voided}'');';

CREATE FUNCTION credits.webhook_endpoint_update(
    webhook_endpoint_id uuid, url text DEFAULT NULL, enabled_events text[] DEFAULT NULL, status text DEFAULT NULL,
    new_secret boolean DEFAULT false, overlap interval DEFAULT '24 hours', description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_update_wrapper';
COMMENT ON FUNCTION credits.webhook_endpoint_update IS
'Changes an endpoint: its address, its events, whether it is sent any, and its secret.

webhook_endpoint_id: the endpoint.
url: another address; NULL leaves it.
enabled_events: which types are sent; NULL leaves them.
status: ''enabled'' or ''disabled''; NULL leaves it.
new_secret: whether to make another secret, which is returned, once.
overlap: for how long events are signed with the secret before as well, at most 31 days; 0 for not at all.
description: for people; NULL leaves it.
metadata: your own data; NULL leaves it.

A disabled endpoint is sent nothing, and what happens meanwhile is not sent later; what waited for it before is, once
it is enabled again, for as long as events are kept.

Raises PC013, PC019.
Example: SELECT secret, previous_secret_expires_at
  FROM credits.webhook_endpoint_update((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
    ORDER BY created_at LIMIT 1), new_secret => true, overlap => ''2 days'');';

CREATE FUNCTION credits.webhook_endpoint_delete(webhook_endpoint_id uuid)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_delete_wrapper';
COMMENT ON FUNCTION credits.webhook_endpoint_delete IS
'Deletes an endpoint, with what waits for it and what was sent, and returns what it was.

webhook_endpoint_id: the endpoint.

It waits for transactions that claim. To keep what was sent, disable it instead.

Raises PC013, PC019.
Example: SELECT url FROM credits.webhook_endpoint_delete((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
  ORDER BY created_at LIMIT 1));';

CREATE VIEW credits.webhook_endpoints AS
SELECT w.webhook_endpoint_id, w.url, w.enabled_events, w.description, w.metadata, w.status, w.disabled_reason,
       CASE WHEN s.previous_secret_expires_at > credits.clock() THEN s.previous_secret_expires_at END
           AS previous_secret_expires_at,
       h.failing_since, h.last_success_at,
       (SELECT count(*) FROM credits_internal.webhook_deliveries d
        WHERE d.webhook_endpoint_id = w.webhook_endpoint_id AND d.status IN ('waiting', 'due', 'sending'))
           AS undelivered,
       w.created_at, w.updated_at
FROM credits_internal.webhook_endpoints w
LEFT JOIN credits_internal.webhook_health h ON h.webhook_endpoint_id = w.webhook_endpoint_id
LEFT JOIN credits_internal.webhook_secrets s ON s.webhook_endpoint_id = w.webhook_endpoint_id;
COMMENT ON VIEW credits.webhook_endpoints IS 'Endpoints that are sent billing events, and how they fare.';
COMMENT ON COLUMN credits.webhook_endpoints.webhook_endpoint_id IS 'The endpoint''s id.';
COMMENT ON COLUMN credits.webhook_endpoints.url IS 'Where events are sent.';
COMMENT ON COLUMN credits.webhook_endpoints.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits.webhook_endpoints.description IS 'For people.';
COMMENT ON COLUMN credits.webhook_endpoints.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.webhook_endpoints.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits.webhook_endpoints.disabled_reason IS
'Why it was disabled by itself: ''no_success'' (for three days); NULL where somebody did it.';
COMMENT ON COLUMN credits.webhook_endpoints.previous_secret_expires_at IS
'Until when events are signed with the secret before as well; NULL where they are not.';
COMMENT ON COLUMN credits.webhook_endpoints.failing_since IS
'When it failed first without any success since; NULL where it does not fail.';
COMMENT ON COLUMN credits.webhook_endpoints.last_success_at IS 'When it last took an event, to the minute.';
COMMENT ON COLUMN credits.webhook_endpoints.undelivered IS
'How many events are on their way to it, or wait. Those that no claim has looked at yet are not counted.';
COMMENT ON COLUMN credits.webhook_endpoints.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.webhook_endpoints.updated_at IS 'When it last changed.';
