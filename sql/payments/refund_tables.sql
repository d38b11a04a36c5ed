-- Refunds that were asked for: money that is to go back.

CREATE TABLE credits_internal.refunds (
    customer_id        text COLLATE "C" NOT NULL,
    refund_id          uuid NOT NULL,
    payment_intent_id  uuid NOT NULL,
    invoice_id         uuid NOT NULL,
    status             text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
    amount             numeric NOT NULL CHECK (amount > 0),
    currency           text COLLATE "C" NOT NULL,
    takes_credits      boolean NOT NULL,
    lines              jsonb,
    reason             text NOT NULL,
    description        text,
    provider           text COLLATE "C" NOT NULL,
    payment_reference  text COLLATE "C",
    provider_reference text COLLATE "C",
    attempt_key        uuid,
    metadata           jsonb,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    closed_at          timestamptz,
    PRIMARY KEY (customer_id, refund_id),
    CONSTRAINT refunds_closed CHECK ((status = 'pending') = (closed_at IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.refunds IS
'Refunds that were asked for, here or by the application. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.refunds.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.refunds.refund_id IS 'Its id: what the provider''s refund names.';
COMMENT ON COLUMN credits_internal.refunds.payment_intent_id IS 'Of which payment intent.';
COMMENT ON COLUMN credits_internal.refunds.invoice_id IS 'Of which invoice.';
COMMENT ON COLUMN credits_internal.refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits_internal.refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.refunds.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits_internal.refunds.lines IS
'What of which lines, as objects of invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits_internal.refunds.reason IS 'Why: a word of the application''s, or of ours.';
COMMENT ON COLUMN credits_internal.refunds.description IS 'For people.';
COMMENT ON COLUMN credits_internal.refunds.provider IS 'Who took the payment.';
COMMENT ON COLUMN credits_internal.refunds.payment_reference IS
'What the provider calls the payment; NULL where it has no name.';
COMMENT ON COLUMN credits_internal.refunds.provider_reference IS
'What the provider calls the refund; NULL until it is reported.';
COMMENT ON COLUMN credits_internal.refunds.attempt_key IS
'The provider''s idempotency key; NULL until a worker begins with it.';
COMMENT ON COLUMN credits_internal.refunds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits_internal.refunds.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';

CREATE INDEX refunds_of_intent ON credits_internal.refunds (customer_id, payment_intent_id);
CREATE INDEX refunds_by_id ON credits_internal.refunds (refund_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.refunds', '');
