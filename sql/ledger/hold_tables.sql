-- Holds.

-- What each grant gave to a hold is in its row: parts in drawdown order, so that what is not captured finds its way
-- back.
CREATE TABLE credits_internal.holds (
    customer_id         text COLLATE "C" NOT NULL,
    hold_id             uuid NOT NULL,
    currency            text COLLATE "C" NOT NULL,
    status              text NOT NULL CHECK (status IN ('open', 'captured', 'released', 'expired')),
    amount              numeric NOT NULL CHECK (amount > 0),
    captured            numeric NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    grant_ids           uuid[] NOT NULL,
    grant_amounts       numeric[] NOT NULL CHECK (cardinality(grant_amounts) = cardinality(grant_ids)),
    description         text,
    metadata            jsonb,
    capture_description text,
    capture_metadata    jsonb,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL CHECK (expires_at > created_at),
    closed_at           timestamptz CHECK ((closed_at IS NULL) = (status = 'open')),
    member_id           text COLLATE "C",
    PRIMARY KEY (customer_id, hold_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.holds IS
'Credits set aside for work in progress. The hold''s id is that of its operation.';
COMMENT ON COLUMN credits_internal.holds.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.holds.hold_id IS 'UUID version 7, and the operation_id of its ledger lines.';
COMMENT ON COLUMN credits_internal.holds.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.holds.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits_internal.holds.amount IS 'What was set aside.';
COMMENT ON COLUMN credits_internal.holds.captured IS 'What of it was spent.';
COMMENT ON COLUMN credits_internal.holds.grant_ids IS 'The grants that gave to it, in drawdown order.';
COMMENT ON COLUMN credits_internal.holds.grant_amounts IS 'What each of them gave.';
COMMENT ON COLUMN credits_internal.holds.description IS 'The caller''s description.';
COMMENT ON COLUMN credits_internal.holds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.holds.capture_description IS 'The caller''s description of what was spent.';
COMMENT ON COLUMN credits_internal.holds.capture_metadata IS 'The application''s own data about what was spent.';
COMMENT ON COLUMN credits_internal.holds.created_at IS 'When it was made, at the account''s time.';
COMMENT ON COLUMN credits_internal.holds.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits_internal.holds.closed_at IS 'When it was captured, released or ran out; NULL while open.';
COMMENT ON COLUMN credits_internal.holds.member_id IS 'The member who spends; NULL where the caller named none.';

-- Open holds, the first to run out first.
CREATE INDEX holds_open ON credits_internal.holds (customer_id, currency, expires_at) WHERE status = 'open';
ALTER TABLE credits_internal.holds ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.holds', '');
