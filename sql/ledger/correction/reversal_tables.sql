-- Reversals of operations.

CREATE TABLE credits_internal.reversals (
    customer_id           text COLLATE "C" NOT NULL,
    operation_id          uuid NOT NULL,
    reversed_operation_id uuid NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    reversed_type         text NOT NULL CHECK (reversed_type IN ('debit', 'capture', 'adjustment', 'refund')),
    amount                numeric NOT NULL CHECK (amount > 0),
    created_at            timestamptz NOT NULL,
    spent_at              timestamptz,
    forgiven              numeric NOT NULL DEFAULT 0 CHECK (forgiven BETWEEN 0 AND amount),
    PRIMARY KEY (customer_id, operation_id)
);

COMMENT ON TABLE credits_internal.reversals IS
'What went back of what operations took, one operation each.';
COMMENT ON COLUMN credits_internal.reversals.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.reversals.operation_id IS 'The reversal''s own operation.';
COMMENT ON COLUMN credits_internal.reversals.reversed_operation_id IS
'The operation, or the hold, that took the credits.';
COMMENT ON COLUMN credits_internal.reversals.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.reversals.reversed_type IS
'The type of the lines that took them, which says where in the journal they come back from: ''debit'', ''capture'',
''adjustment'' or ''refund''.';
COMMENT ON COLUMN credits_internal.reversals.amount IS 'How many went back.';
COMMENT ON COLUMN credits_internal.reversals.created_at IS 'When it was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.reversals.spent_at IS
'When the credits were spent, in whose window they give room back to limits; NULL for an adjustment, which counts
towards none.';
COMMENT ON COLUMN credits_internal.reversals.forgiven IS 'What of amount was owed, and is owed no longer.';

CREATE INDEX reversals_of ON credits_internal.reversals (customer_id, reversed_operation_id);
ALTER TABLE credits_internal.reversals ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.reversals', '');
