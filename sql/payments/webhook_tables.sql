-- Webhooks that were received.

CREATE TABLE credits_internal.webhook_events (
    provider    text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('applied', 'contradiction', 'ignored')),
    customer_id text COLLATE "C",
    top_up_id   uuid,
    reference   text COLLATE "C",
    reason      text CHECK (reason IS NULL OR outcome = 'ignored'),
    payload     text,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);

COMMENT ON TABLE credits_internal.webhook_events IS 'Webhooks that were received and accepted, each event once.';
COMMENT ON COLUMN credits_internal.webhook_events.provider IS 'Who sent it.';
COMMENT ON COLUMN credits_internal.webhook_events.event_id IS 'The provider''s id of it.';
COMMENT ON COLUMN credits_internal.webhook_events.type IS 'The provider''s word for what happened.';
COMMENT ON COLUMN credits_internal.webhook_events.outcome IS '''applied'', ''contradiction'' or ''ignored''.';
COMMENT ON COLUMN credits_internal.webhook_events.customer_id IS
'Whose payment it is about; for what was ignored, whom it names or whose payment it names, so that it is forgotten with
that customer; NULL for none.';
COMMENT ON COLUMN credits_internal.webhook_events.top_up_id IS
'Which that is; NULL for none, and for what was ignored.';
COMMENT ON COLUMN credits_internal.webhook_events.reference IS 'What the provider calls the payment that it names.';
COMMENT ON COLUMN credits_internal.webhook_events.reason IS
'Why it was ignored: ''kind'', ''livemode'', ''account'', ''unknown'', ''other_customer''; NULL where it was not.';
COMMENT ON COLUMN credits_internal.webhook_events.payload IS
'What was sent, as it was sent: some of what JSON may have no jsonb can keep. NULL once it was forgotten.';
COMMENT ON COLUMN credits_internal.webhook_events.received_at IS 'When it was received.';

CREATE INDEX webhook_events_of_customer ON credits_internal.webhook_events (customer_id) WHERE customer_id IS NOT NULL;

-- What came for a payment before anybody knew whose it is, and what is to be deleted.
CREATE INDEX webhook_events_ignored ON credits_internal.webhook_events (provider, reference) WHERE outcome = 'ignored';
CREATE INDEX webhook_events_old ON credits_internal.webhook_events (received_at) WHERE outcome = 'ignored';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_events', '');
