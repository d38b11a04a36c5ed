-- Endpoints that others give us, for billing events.

-- Hardly ever changes, and sessions remember which events are wanted: how an endpoint fares is in a table of its own.
CREATE TABLE credits_internal.webhook_endpoints (
    webhook_endpoint_id uuid NOT NULL PRIMARY KEY,
    url                 text NOT NULL,
    enabled_events      text[] NOT NULL CHECK (cardinality(enabled_events) > 0),
    description         text,
    metadata            jsonb,
    status              text NOT NULL CHECK (status IN ('enabled', 'disabled')),
    disabled_reason     text CHECK (disabled_reason IS NULL OR status = 'disabled'),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.webhook_endpoints IS 'Who is sent billing events.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.webhook_endpoint_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.url IS 'Where events are sent.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.description IS 'For people.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.disabled_reason IS
'Why it was disabled by itself: ''no_success''; NULL where somebody did it.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.updated_at IS 'When it last changed.';

CREATE TABLE credits_internal.webhook_secrets (
    webhook_endpoint_id        uuid NOT NULL PRIMARY KEY,
    secret                     text NOT NULL,
    previous_secret            text,
    previous_secret_expires_at timestamptz,
    CHECK ((previous_secret IS NULL) = (previous_secret_expires_at IS NULL))
);

COMMENT ON TABLE credits_internal.webhook_secrets IS
'What events are signed with. Only the owner can read it, and no function returns a secret a second time.';
COMMENT ON COLUMN credits_internal.webhook_secrets.webhook_endpoint_id IS 'Of which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_secrets.secret IS 'The secret.';
COMMENT ON COLUMN credits_internal.webhook_secrets.previous_secret IS
'The one before, which signs as well until previous_secret_expires_at.';
COMMENT ON COLUMN credits_internal.webhook_secrets.previous_secret_expires_at IS 'Until when it does.';

CREATE TABLE credits_internal.webhook_health (
    webhook_endpoint_id uuid NOT NULL PRIMARY KEY,
    failing_since       timestamptz,
    last_success_at     timestamptz
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.webhook_health IS 'How each endpoint fares.';
COMMENT ON COLUMN credits_internal.webhook_health.webhook_endpoint_id IS 'Which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_health.failing_since IS
'When it failed first without any success since; NULL where it did not.';
COMMENT ON COLUMN credits_internal.webhook_health.last_success_at IS 'When it last took an event, to the minute.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_endpoints', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_secrets', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_health', '');
