-- Holds.

-- What a hold has of each grant is in its row: parts in the order in which they gave it, so that what is not captured
-- finds its way back. A column that the table did not always have stands last.
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
    charged             numeric NOT NULL DEFAULT 0 CONSTRAINT holds_charged_check CHECK (charged >= 0),
    updated_at          timestamptz,
    event_name          text COLLATE "C",
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
COMMENT ON COLUMN credits_internal.holds.grant_ids IS
'The grants that it has credits of, in the order in which they gave.';
COMMENT ON COLUMN credits_internal.holds.grant_amounts IS
'What it has of each of them: while it is open, what is neither spent nor given back; then what it had before it was
closed.';
COMMENT ON COLUMN credits_internal.holds.description IS 'The caller''s description.';
COMMENT ON COLUMN credits_internal.holds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.holds.capture_description IS 'The caller''s description of what was spent.';
COMMENT ON COLUMN credits_internal.holds.capture_metadata IS 'The application''s own data about what was spent.';
COMMENT ON COLUMN credits_internal.holds.created_at IS 'When it was made, at the account''s time.';
COMMENT ON COLUMN credits_internal.holds.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits_internal.holds.closed_at IS 'When it was captured, released or ran out; NULL while open.';
COMMENT ON COLUMN credits_internal.holds.member_id IS 'The member who spends; NULL where the caller named none.';
COMMENT ON COLUMN credits_internal.holds.charged IS 'What its captures spent in addition to what was set aside.';
COMMENT ON COLUMN credits_internal.holds.updated_at IS
'When its amount or its end was changed last; NULL where neither was.';
COMMENT ON COLUMN credits_internal.holds.event_name IS
'The meter whose usage alone may be captured, so that credits for that meter may be held; NULL for anything.';

-- Open holds, the first to run out first.
CREATE INDEX holds_open ON credits_internal.holds (customer_id, currency, expires_at) WHERE status = 'open';
ALTER TABLE credits_internal.holds ALTER customer_id SET (n_distinct = -0.05);

-- Captures that have a record of their own: in parts, under a key, as an event, of more than is held, or late.
CREATE TABLE credits_internal.hold_captures (
    customer_id text COLLATE "C" NOT NULL,
    hold_id     uuid NOT NULL,
    capture_id  uuid NOT NULL,
    amount      numeric NOT NULL CHECK (amount >= 0),
    held        numeric NOT NULL CHECK (held BETWEEN 0 AND amount),
    final       boolean NOT NULL,
    late        boolean NOT NULL,
    identifier  text COLLATE "C",
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (customer_id, hold_id, capture_id)
);

COMMENT ON TABLE credits_internal.hold_captures IS
'Captures of holds, except for those that spent no more than was held, closed the hold and had neither a key nor an
event: these are in the hold''s row. Each is an operation.';
COMMENT ON COLUMN credits_internal.hold_captures.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.hold_captures.hold_id IS 'The hold.';
COMMENT ON COLUMN credits_internal.hold_captures.capture_id IS 'The operation: of its ledger lines too.';
COMMENT ON COLUMN credits_internal.hold_captures.amount IS 'What was captured.';
COMMENT ON COLUMN credits_internal.hold_captures.held IS 'What of it the hold paid; the rest came from the balance.';
COMMENT ON COLUMN credits_internal.hold_captures.final IS 'Whether it was the last of the hold.';
COMMENT ON COLUMN credits_internal.hold_captures.late IS 'Whether it came after the hold had run out.';
COMMENT ON COLUMN credits_internal.hold_captures.identifier IS 'The meter event that it was; NULL for none.';
COMMENT ON COLUMN credits_internal.hold_captures.created_at IS 'When it was made, at the account''s time.';

-- The capture that an event was.
CREATE UNIQUE INDEX hold_captures_event ON credits_internal.hold_captures (customer_id, identifier)
    WHERE identifier IS NOT NULL;
ALTER TABLE credits_internal.hold_captures ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.holds', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.hold_captures', '');
