-- Top-ups.

CREATE TABLE credits_internal.top_ups (
    customer_id        text COLLATE "C" NOT NULL,
    top_up_id          uuid NOT NULL,
    status             text NOT NULL CHECK (status IN ('initiated', 'failed', 'expired', 'paid', 'refunded')),
    price_id           uuid,
    quantity           integer NOT NULL CHECK (quantity > 0),
    amount             numeric NOT NULL CHECK (amount > 0),
    currency           text COLLATE "C" NOT NULL,
    credits            numeric NOT NULL CHECK (credits > 0),
    credit_currency    text COLLATE "C" NOT NULL,
    rate               numeric,
    category           text NOT NULL,
    priority           smallint NOT NULL,
    time_to_live       interval,
    applicable_meters  text[],
    name               text,
    provider           text COLLATE "C",
    provider_reference text COLLATE "C",
    grant_id           uuid,
    recharge_id        uuid,
    due_amount         numeric NOT NULL CHECK (due_amount BETWEEN 0 AND amount),
    paid_amount        numeric,
    refunded_amount    numeric NOT NULL DEFAULT 0,
    disputed_amount    numeric NOT NULL DEFAULT 0,
    dispute_status     text CHECK (dispute_status IN ('open', 'won', 'lost')),
    reclaimed          numeric NOT NULL DEFAULT 0,
    return_url         text,
    failure_url        text,
    checkout_url       text,
    description        text,
    metadata           jsonb,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    paid_at            timestamptz,
    closed_at          timestamptz,
    PRIMARY KEY (customer_id, top_up_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.top_ups IS 'Purchases. What one buys is fixed when it begins.';
COMMENT ON COLUMN credits_internal.top_ups.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.top_ups.top_up_id IS 'Its id: what its payment names.';
COMMENT ON COLUMN credits_internal.top_ups.status IS
'''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits_internal.top_ups.price_id IS 'The price; NULL where it was bought by amount.';
COMMENT ON COLUMN credits_internal.top_ups.quantity IS 'How many units.';
COMMENT ON COLUMN credits_internal.top_ups.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits_internal.top_ups.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.top_ups.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits_internal.top_ups.credit_currency IS 'Of which currency.';
COMMENT ON COLUMN credits_internal.top_ups.rate IS 'The price of one credit; NULL where it was bought by price.';
COMMENT ON COLUMN credits_internal.top_ups.category IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.top_ups.priority IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.top_ups.time_to_live IS 'Of its grant, from the payment on; NULL for ever.';
COMMENT ON COLUMN credits_internal.top_ups.applicable_meters IS 'Of its grant; NULL for anything.';
COMMENT ON COLUMN credits_internal.top_ups.name IS 'The name of its grant.';
COMMENT ON COLUMN credits_internal.top_ups.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits_internal.top_ups.provider_reference IS 'What the provider calls the payment.';
COMMENT ON COLUMN credits_internal.top_ups.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits_internal.top_ups.recharge_id IS
'The auto-recharge that asked for it; NULL where a person did.';
COMMENT ON COLUMN credits_internal.top_ups.due_amount IS
'What is due, excluding a tax in the price and the provider''s discount, in major units.';
COMMENT ON COLUMN credits_internal.top_ups.paid_amount IS
'What was paid in all payments, in major units; NULL before any.';
COMMENT ON COLUMN credits_internal.top_ups.refunded_amount IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits_internal.top_ups.disputed_amount IS
'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits_internal.top_ups.dispute_status IS
'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits_internal.top_ups.reclaimed IS
'Credits that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits_internal.top_ups.return_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits_internal.top_ups.failure_url IS 'Where the customer goes when it is not.';
COMMENT ON COLUMN credits_internal.top_ups.checkout_url IS 'Where to pay.';
COMMENT ON COLUMN credits_internal.top_ups.description IS 'For people.';
COMMENT ON COLUMN credits_internal.top_ups.metadata IS 'The application''s own data: the grant''s too.';
COMMENT ON COLUMN credits_internal.top_ups.created_at IS 'When it began.';
COMMENT ON COLUMN credits_internal.top_ups.expires_at IS
'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits_internal.top_ups.paid_at IS 'When its credits were granted.';
COMMENT ON COLUMN credits_internal.top_ups.closed_at IS 'When its status last changed.';

-- How a provider's event finds its top-up: by its id alone, or by the provider's own reference (payment_references).
CREATE INDEX top_ups_by_id ON credits_internal.top_ups (top_up_id);
ALTER TABLE credits_internal.top_ups ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.top_ups', '');
