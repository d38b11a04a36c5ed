-- Payment intents: money that is to come for an invoice. What is bought with it is the invoice's.

CREATE TABLE credits_internal.payment_intents (
    customer_id        text COLLATE "C" NOT NULL,
    payment_intent_id  uuid NOT NULL,
    invoice_id         uuid NOT NULL,
    status             text NOT NULL CHECK (status IN ('requires_payment_method', 'requires_action', 'processing',
                                                       'succeeded', 'canceled')),
    amount             numeric NOT NULL CHECK (amount > 0),
    currency           text COLLATE "C" NOT NULL,
    due_amount         numeric NOT NULL CHECK (due_amount BETWEEN 0 AND amount),
    paid_amount        numeric,
    refunded_amount    numeric NOT NULL DEFAULT 0,
    disputed_amount    numeric NOT NULL DEFAULT 0,
    dispute_status     text CHECK (dispute_status IN ('open', 'won', 'lost')),
    is_refunded        boolean NOT NULL DEFAULT false,
    provider           text COLLATE "C",
    provider_reference text COLLATE "C",
    payment_method_id  uuid,
    requested_at       timestamptz,
    attempts           integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    attempt_key        uuid,
    failed_at          timestamptz,
    last_payment_error text,
    action_url         text,
    recharge_id        uuid,
    return_url         text,
    failure_url        text,
    checkout_url       text,
    description        text,
    metadata           jsonb,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    expires_at         timestamptz,
    paid_at            timestamptz,
    closed_at          timestamptz,
    PRIMARY KEY (customer_id, payment_intent_id),
    CONSTRAINT payment_intents_paid CHECK ((status = 'succeeded') = (paid_at IS NOT NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.payment_intents IS
'Money that is to come for invoices, and what became of it. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.payment_intents.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_intents.payment_intent_id IS
'Its id: what its payment names. A top-up''s is the top-up''s id.';
COMMENT ON COLUMN credits_internal.payment_intents.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits_internal.payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.payment_intents.due_amount IS
'What is due, excluding a tax in the price and a discount that the provider reported, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.paid_amount IS
'What was paid in all payments, in major units; NULL before any.';
COMMENT ON COLUMN credits_internal.payment_intents.refunded_amount IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.disputed_amount IS
'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.dispute_status IS
'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_intents.is_refunded IS 'Whether all that was paid was paid back.';
COMMENT ON COLUMN credits_internal.payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits_internal.payment_intents.provider_reference IS 'What the provider calls the payment.';
COMMENT ON COLUMN credits_internal.payment_intents.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits_internal.payment_intents.requested_at IS
'When a worker was asked to charge; NULL where none is to.';
COMMENT ON COLUMN credits_internal.payment_intents.attempts IS 'How many times a worker began with it.';
COMMENT ON COLUMN credits_internal.payment_intents.attempt_key IS
'The provider''s idempotency key for the attempt that is under way; NULL where none is.';
COMMENT ON COLUMN credits_internal.payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits_internal.payment_intents.last_payment_error IS
'Why it failed, in the provider''s words; NULL once the person is erased.';
COMMENT ON COLUMN credits_internal.payment_intents.action_url IS
'Where the customer confirms the payment; NULL where nothing is to be confirmed.';
COMMENT ON COLUMN credits_internal.payment_intents.recharge_id IS
'The auto-recharge that asked for it; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_intents.return_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits_internal.payment_intents.failure_url IS 'Where the customer goes when it is not.';
COMMENT ON COLUMN credits_internal.payment_intents.checkout_url IS 'Where to pay.';
COMMENT ON COLUMN credits_internal.payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits_internal.payment_intents.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.payment_intents.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits_internal.payment_intents.paid_at IS 'When its payments first covered what is due.';
COMMENT ON COLUMN credits_internal.payment_intents.closed_at IS 'When its status last changed.';

-- How a provider's event finds its intent: by its id alone, or by the provider's own reference (payment_references).
CREATE INDEX payment_intents_by_id ON credits_internal.payment_intents (payment_intent_id);
CREATE INDEX payment_intents_of_invoice ON credits_internal.payment_intents (customer_id, invoice_id);
-- One open intent per invoice.
CREATE UNIQUE INDEX payment_intents_open ON credits_internal.payment_intents (customer_id, invoice_id)
    WHERE status IN ('requires_payment_method', 'requires_action', 'processing');
ALTER TABLE credits_internal.payment_intents ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_intents', '');
