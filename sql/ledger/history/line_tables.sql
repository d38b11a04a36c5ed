-- Operations and the lines of the ledger. Debits and events that one grant paid are lines of their own: see line.sql.

CREATE TABLE credits_internal.operations (
    customer_id     text COLLATE "C" NOT NULL,
    operation_id    uuid NOT NULL,
    function        text NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    amount          numeric NOT NULL,
    category        text,
    grant_id        uuid,
    counterparty    text COLLATE "C",
    reason          text,
    idempotency_key text COLLATE "C",
    description     text,
    metadata        jsonb,
    created_at      timestamptz NOT NULL,
    line_no         bigint,
    running_balance numeric,
    member_id       text COLLATE "C",
    CONSTRAINT operations_key UNIQUE (customer_id, idempotency_key)
);

COMMENT ON TABLE credits_internal.operations IS
'What a caller asked for once: debits, holds, adjustments, reversals, transfers (one row on either side), and grants
under an idempotency key.';
COMMENT ON COLUMN credits_internal.operations.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.operations.operation_id IS 'UUID version 7.';
COMMENT ON COLUMN credits_internal.operations.function IS
'The function that was called; wallet_try_debit counts as wallet_debit.';
COMMENT ON COLUMN credits_internal.operations.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.operations.amount IS
'Credits taken, granted, held or moved; of an adjustment signed, of an import how many entries it had.';
COMMENT ON COLUMN credits_internal.operations.category IS 'Of the grant, where it made one.';
COMMENT ON COLUMN credits_internal.operations.grant_id IS
'The grant, where it made one or ended part of one; of a debit that is its own line, the grant that paid.';
COMMENT ON COLUMN credits_internal.operations.counterparty IS 'For a transfer, the other customer.';
COMMENT ON COLUMN credits_internal.operations.reason IS
'For an adjustment, its reason; for a reversal, what a repeat of it is compared by; where part of a grant was ended,
''pending'' if spent credits are owed; of an import, a digest of its entries.';
COMMENT ON COLUMN credits_internal.operations.idempotency_key IS
'Unique per customer for ever, over all functions; NULL for none.';
COMMENT ON COLUMN credits_internal.operations.description IS 'The caller''s description.';
COMMENT ON COLUMN credits_internal.operations.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.operations.created_at IS
'When it was called; of a debit that is its own line, when that was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.operations.line_no IS
'The number of its line in the ledger, where one grant paid a debit and it is its own line; NULL where its lines are in
credit_transactions.';
COMMENT ON COLUMN credits_internal.operations.running_balance IS
'Of its own line, the balance after it: available and restricted.';
COMMENT ON COLUMN credits_internal.operations.member_id IS 'The member who spent; NULL where the caller named none.';

-- Debits that one grant paid: each is its own line of the ledger, and found by that. Of the other operations each has
-- lines of its own, and is found by its id. So each has one key of the two; a primary key, an index by id over both,
-- would cost every debit.
CREATE UNIQUE INDEX operations_line ON credits_internal.operations (customer_id, currency, line_no)
    WHERE line_no IS NOT NULL;
CREATE UNIQUE INDEX operations_id ON credits_internal.operations (customer_id, operation_id) WHERE line_no IS NULL;

-- So it has no one key by which a publication could identify a row that is updated or deleted, which few ever are: it
-- is published whole.
ALTER TABLE credits_internal.operations REPLICA IDENTITY FULL;
ALTER TABLE credits_internal.operations ALTER customer_id SET (n_distinct = -0.05);

-- Lines of the ledger, except for those that an event or a debit carries itself: the view lines has both.
CREATE TABLE credits_internal.credit_transactions (
    customer_id     text COLLATE "C" NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    line_no         bigint NOT NULL,
    type            text NOT NULL,
    amount          numeric NOT NULL,
    running_balance numeric NOT NULL,
    grant_id        uuid,
    operation_id    uuid,
    identifier      text COLLATE "C",
    effective_at    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    held            numeric,
    pending         numeric,
    PRIMARY KEY (customer_id, currency, line_no)
);

COMMENT ON TABLE credits_internal.credit_transactions IS
'The ledger: append-only lines, never updated, never deleted; except for those that an event or a debit carries itself.
The view lines has all of them.';
COMMENT ON COLUMN credits_internal.credit_transactions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.credit_transactions.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.credit_transactions.line_no IS
'Counts from 1 in each account, without a gap, in posting order.';
COMMENT ON COLUMN credits_internal.credit_transactions.type IS
'''grant'' (credits took effect), ''consumption'' (they paid usage), ''debit'', ''debt'' (usage that no credit
covered), ''reversal'' (usage was taken back, or an operation reversed), ''hold'', ''capture'', ''release'',
''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund'', ''suspension'', ''resumption'', ''reinstatement'',
''rollover''.';
COMMENT ON COLUMN credits_internal.credit_transactions.amount IS 'What it does to the balance, signed.';
COMMENT ON COLUMN credits_internal.credit_transactions.running_balance IS
'The balance after it: available and restricted.';
COMMENT ON COLUMN credits_internal.credit_transactions.grant_id IS 'The grant whose credits they are; NULL for a debt.';
COMMENT ON COLUMN credits_internal.credit_transactions.operation_id IS 'The operation or the hold that moved them.';
COMMENT ON COLUMN credits_internal.credit_transactions.identifier IS
'The meter event that they paid for, or that is owed.';
COMMENT ON COLUMN credits_internal.credit_transactions.effective_at IS
'When the balance changed: for an expiration the grant''s expires_at, or the moment at which credits came back to it if
that is later.';
COMMENT ON COLUMN credits_internal.credit_transactions.created_at IS
'When it was posted, at the account''s time; of imported history, when it was imported.';
COMMENT ON COLUMN credits_internal.credit_transactions.held IS
'What it does to the credits held, signed; NULL for nothing.';
COMMENT ON COLUMN credits_internal.credit_transactions.pending IS
'What it does to the pending usage, signed; NULL for nothing.';

ALTER TABLE credits_internal.credit_transactions ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.operations', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.credit_transactions', '');
