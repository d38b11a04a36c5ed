-- Requests of auto-recharge.

CREATE TABLE credits_internal.recharges (
    customer_id    text COLLATE "C" NOT NULL,
    recharge_id    uuid NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    top_up_id      uuid NOT NULL,
    status         text NOT NULL CHECK (status IN ('requested', 'processing', 'paid', 'failed', 'timed_out',
        'canceled')),
    amount         numeric NOT NULL,
    price_currency text COLLATE "C" NOT NULL,
    credits        numeric NOT NULL,
    payment_method text,
    reason         text,
    requested_at   timestamptz NOT NULL,
    started_at     timestamptz,
    expires_at     timestamptz NOT NULL,
    closed_at      timestamptz,
    quantity       integer,
    scheduled      boolean NOT NULL DEFAULT false,
    price_id       uuid,
    rate           numeric,
    PRIMARY KEY (customer_id, recharge_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.recharges IS 'Auto-recharge''s attempts.';
COMMENT ON COLUMN credits_internal.recharges.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.recharges.recharge_id IS 'Its id: the provider''s idempotency key.';
COMMENT ON COLUMN credits_internal.recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.recharges.top_up_id IS
'The top-up that pays it, and so its payment intent: it begins with the worker, or with its payment.';
COMMENT ON COLUMN credits_internal.recharges.status IS
'''requested'', ''processing'', ''paid'', ''failed'', ''timed_out'', ''canceled''.';
COMMENT ON COLUMN credits_internal.recharges.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits_internal.recharges.price_currency IS 'The payment currency.';
COMMENT ON COLUMN credits_internal.recharges.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits_internal.recharges.payment_method IS 'What the worker charges.';
COMMENT ON COLUMN credits_internal.recharges.reason IS 'Why it ended as it did.';
COMMENT ON COLUMN credits_internal.recharges.requested_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.recharges.started_at IS 'When a worker began with it.';
COMMENT ON COLUMN credits_internal.recharges.expires_at IS 'When it times out.';
COMMENT ON COLUMN credits_internal.recharges.closed_at IS 'When it ended; NULL while it is open.';
COMMENT ON COLUMN credits_internal.recharges.quantity IS
'Units of the price; NULL where it is bought by amount, and in rows of before 0.3.0.';
COMMENT ON COLUMN credits_internal.recharges.scheduled IS 'Whether the schedule asked for it.';
COMMENT ON COLUMN credits_internal.recharges.price_id IS 'The price; NULL where it is bought by amount.';
COMMENT ON COLUMN credits_internal.recharges.rate IS 'The price of one credit; NULL where it is bought by price.';

-- At most one is open in an account.
CREATE UNIQUE INDEX recharges_open ON credits_internal.recharges (customer_id, currency)
    WHERE status IN ('requested', 'processing');
CREATE INDEX recharges_of_top_up ON credits_internal.recharges (top_up_id, customer_id);
CREATE INDEX recharges_recent ON credits_internal.recharges (customer_id, currency, requested_at);
ALTER TABLE credits_internal.recharges ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharges', '');
