-- What providers reported of payments.

-- Claimed before any account is locked: the key is nobody's own, so that one payment pays one customer's purchase.
CREATE TABLE credits_internal.payment_references (
    provider    text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('payment', 'refund', 'dispute')),
    reference   text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    top_up_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (provider, kind, reference)
);

COMMENT ON TABLE credits_internal.payment_references IS
'Whose a provider''s payment, refund or dispute is: the first payment intent in its currency that it was reported of.';
COMMENT ON COLUMN credits_internal.payment_references.provider IS 'The provider.';
COMMENT ON COLUMN credits_internal.payment_references.kind IS
'''payment'', ''refund'' or ''dispute'': each kind has names of its own.';
COMMENT ON COLUMN credits_internal.payment_references.reference IS 'What the provider calls it.';
COMMENT ON COLUMN credits_internal.payment_references.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_references.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits_internal.payment_references.created_at IS 'When it was first reported.';

CREATE TABLE credits_internal.payment_totals (
    customer_id        text COLLATE "C" NOT NULL,
    top_up_id          uuid NOT NULL,
    payment_no         bigint NOT NULL CHECK (payment_no > 0),
    provider           text COLLATE "C" NOT NULL,
    provider_reference text COLLATE "C",
    paid_amount        numeric CHECK (paid_amount >= 0),
    tax                numeric CHECK (tax >= 0),
    shipping           numeric CHECK (shipping >= 0),
    discount           numeric CHECK (discount >= 0),
    subtotal           numeric CHECK (subtotal >= 0),
    refunded_amount    numeric NOT NULL CHECK (refunded_amount >= 0),
    disputed_amount    numeric NOT NULL CHECK (disputed_amount >= 0),
    PRIMARY KEY (customer_id, top_up_id, payment_no)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.payment_totals IS
'Payments of payment intents, each with its refunds and disputes: derived from the table payments.';
COMMENT ON COLUMN credits_internal.payment_totals.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_totals.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits_internal.payment_totals.payment_no IS
'Its place among the intent''s: in the order in which they were reported, then those that are only named by a refund or
a dispute.';
COMMENT ON COLUMN credits_internal.payment_totals.provider IS 'Who took it.';
COMMENT ON COLUMN credits_internal.payment_totals.provider_reference IS
'What the provider calls it; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.payment_totals.paid_amount IS
'How much, in major units; NULL while it is only named by a refund or a dispute.';
COMMENT ON COLUMN credits_internal.payment_totals.tax IS 'Tax in it; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_totals.shipping IS 'Shipping in it; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_totals.discount IS 'What the provider took off the price; NULL for nothing.';
COMMENT ON COLUMN credits_internal.payment_totals.subtotal IS
'The price before that, as the provider says it beside a tax; NULL where it does not.';
COMMENT ON COLUMN credits_internal.payment_totals.refunded_amount IS
'What was paid back of it. What names no payment is taken from the latest with money left, and moves where a later one
is reported: nobody said which, and the order of reports must not matter.';
COMMENT ON COLUMN credits_internal.payment_totals.disputed_amount IS
'What disputes that are open or lost come to, likewise.';

ALTER TABLE credits_internal.payment_totals ALTER customer_id SET (n_distinct = -0.05);

CREATE TABLE credits_internal.payments (
    customer_id        text COLLATE "C" NOT NULL,
    payment_id         uuid NOT NULL,
    top_up_id          uuid NOT NULL,
    type               text NOT NULL CHECK (type IN ('succeeded', 'failed', 'expired', 'refunded', 'refund_failed',
        'disputed',
                                                     'dispute_won', 'dispute_lost', 'processing', 'requires_action')),
    provider           text COLLATE "C" NOT NULL,
    provider_reference text COLLATE "C",
    payment_reference  text COLLATE "C",
    amount             numeric,
    total_refunded     numeric,
    tax                numeric,
    shipping           numeric,
    discount           numeric,
    subtotal           numeric,
    currency           text COLLATE "C" NOT NULL,
    counts             boolean NOT NULL,
    contradiction      text,
    operation_id       uuid,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (customer_id, payment_id)
);

COMMENT ON TABLE credits_internal.payments IS 'What was reported of payments: one row per report, never changed.';
COMMENT ON COLUMN credits_internal.payments.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payments.payment_id IS 'Its id, in the order in which it was recorded.';
COMMENT ON COLUMN credits_internal.payments.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits_internal.payments.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'',
''dispute_lost'', ''processing'' or ''requires_action''.';
COMMENT ON COLUMN credits_internal.payments.provider IS 'Who said so.';
COMMENT ON COLUMN credits_internal.payments.provider_reference IS
'What the provider calls the payment, the refund or the dispute.';
COMMENT ON COLUMN credits_internal.payments.payment_reference IS
'What the provider calls the payment that a refund or a dispute is of; NULL where nobody said: it is of the latest with
money left, whichever that is by now.';
COMMENT ON COLUMN credits_internal.payments.amount IS 'Of how much, in major units; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.payments.total_refunded IS
'Of a refund: how much by all so far; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.payments.tax IS 'Of a payment: tax in it; NULL for none.';
COMMENT ON COLUMN credits_internal.payments.shipping IS 'Of a payment: shipping in it; NULL for none.';
COMMENT ON COLUMN credits_internal.payments.discount IS
'Of a payment: what the provider took off the price; NULL for nothing.';
COMMENT ON COLUMN credits_internal.payments.subtotal IS
'Of a payment: the price before that, as the provider says it beside a tax; NULL where it does not.';
COMMENT ON COLUMN credits_internal.payments.currency IS 'The currency of its amounts.';
COMMENT ON COLUMN credits_internal.payments.counts IS
'Whether it counts for what is paid and paid back: of what contradicts what was known some does not, nor a refund or a
dispute of an unknown payment that was reported again of a known one.';
COMMENT ON COLUMN credits_internal.payments.contradiction IS 'What does not fit what was known; NULL where all does.';
COMMENT ON COLUMN credits_internal.payments.operation_id IS 'The operation that took credits for it; NULL for none.';
COMMENT ON COLUMN credits_internal.payments.created_at IS 'When it was recorded.';

CREATE INDEX payments_of_top_up ON credits_internal.payments (customer_id, top_up_id, payment_id);
ALTER TABLE credits_internal.payments ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_references', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_totals', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.payments', '');
