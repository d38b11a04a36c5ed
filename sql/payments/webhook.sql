-- Webhooks.

CREATE TYPE credits.received_webhook AS (
    event_id text, type text, outcome text, customer_id text, top_up_id uuid, status text, replayed boolean,
    reason text);
COMMENT ON TYPE credits.received_webhook IS 'A webhook and its outcome, as webhook_receive() returns it.';
COMMENT ON COLUMN credits.received_webhook.event_id IS 'The provider''s id of the event.';
COMMENT ON COLUMN credits.received_webhook.type IS 'The provider''s name of what happened.';
COMMENT ON COLUMN credits.received_webhook.outcome IS
'''applied'', ''contradiction'' (recorded, see payment_log) or ''ignored''.';
COMMENT ON COLUMN credits.received_webhook.customer_id IS 'The customer whose payment it is about; NULL for none.';
COMMENT ON COLUMN credits.received_webhook.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s; NULL for none.';
COMMENT ON COLUMN credits.received_webhook.status IS 'The status of the top-up, or of the payment intent, afterwards.';
COMMENT ON COLUMN credits.received_webhook.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.received_webhook.reason IS
'Why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase), ''other_customer''; NULL where it was not.';

CREATE FUNCTION credits.webhook_receive(provider text, payload text, signature text)
RETURNS credits.received_webhook
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_receive_wrapper';
COMMENT ON FUNCTION credits.webhook_receive IS
'Takes a provider''s webhook: checks its signature, and applies the payment and its credits.

provider: as set by payment_provider_set().
payload: the raw request body, at most 1 MiB.
signature: the header: Stripe-Signature, x-paystack-signature, or HMAC-SHA256 in hexadecimal.

All of it is in the caller''s transaction: a failure leaves nothing behind, and the provider''s retry does it. A
repeat returns the first outcome with replayed = true; what was ignored is judged again, so that a provider can be
asked to send it again.

outcome is ''applied'', ''contradiction'' (recorded: see the view payment_log) or ''ignored'' (kept and answered).
reason says why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase; what names a payment is applied once that is known),
''other_customer'' (it names one customer and another''s purchase).

PC012 is the signature, PC013 the provider or the payload, and PC014 a purchase that may not have committed yet: its
id was created within the last hour.

Raises PC012, PC013, PC014.
Example: SELECT * FROM credits.webhook_receive(''acmepay'', ''{"id": "evt_1", "type": "ping"}'',
  ''f0f44b83558b38bc44dd7b83cd7e010718dd2a0ad14f668c0531b91827abbb2e'');';

CREATE VIEW credits.webhook_log AS
SELECT w.provider, w.event_id, w.type, w.outcome, w.customer_id, w.top_up_id, w.received_at, w.reason
FROM credits_internal.webhook_events w;
COMMENT ON VIEW credits.webhook_log IS 'Webhooks that were received and accepted, each event once.';
COMMENT ON COLUMN credits.webhook_log.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.webhook_log.event_id IS 'The provider''s id of the event.';
COMMENT ON COLUMN credits.webhook_log.type IS 'The provider''s name of what happened.';
COMMENT ON COLUMN credits.webhook_log.outcome IS
'''applied'', ''contradiction'' (recorded, see payment_log) or ''ignored''.';
COMMENT ON COLUMN credits.webhook_log.customer_id IS
'The customer whose payment it is about; for an ignored webhook, the customer that it names.';
COMMENT ON COLUMN credits.webhook_log.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s; NULL for none.';
COMMENT ON COLUMN credits.webhook_log.received_at IS 'When it was received.';
COMMENT ON COLUMN credits.webhook_log.reason IS
'Why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase), ''other_customer''; NULL where it was not.';
