-- Accounts: one per customer and currency.

-- What every debit changes stands last, so that the log of an update holds little more than that.
CREATE TABLE credits_internal.accounts (
    customer_id           text COLLATE "C" NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT now(),
    overdraft_limit       numeric NOT NULL DEFAULT 'infinity',
    low_balance_threshold numeric NOT NULL DEFAULT 0,
    reported_level        smallint NOT NULL DEFAULT 0,
    issued                numeric NOT NULL DEFAULT 0,
    evaluate_above        numeric NOT NULL DEFAULT 'infinity',
    evaluate_below        numeric NOT NULL DEFAULT 0,
    restricted            numeric NOT NULL DEFAULT 0,
    held                  numeric NOT NULL DEFAULT 0,
    pending               numeric NOT NULL DEFAULT 0,
    last_debt             bigint NOT NULL DEFAULT 0,
    next_change_at        timestamptz NOT NULL DEFAULT 'infinity',
    defers                boolean NOT NULL DEFAULT false,
    head_grant_id         uuid,
    head_floor            numeric NOT NULL DEFAULT 0,
    charge_above          numeric NOT NULL DEFAULT 0,
    available             numeric NOT NULL DEFAULT 0,
    posted_at             timestamptz NOT NULL DEFAULT '-infinity',
    last_line             bigint NOT NULL DEFAULT 0,
    limited               boolean NOT NULL DEFAULT false,
    invoiced              numeric,
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.accounts IS
'One currency of a customer''s wallet. Its row is the lock of all that belongs to it, and right as posted until
next_change_at.';
COMMENT ON COLUMN credits_internal.accounts.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.accounts.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.accounts.created_at IS 'When it was first used.';
COMMENT ON COLUMN credits_internal.accounts.overdraft_limit IS
'The most that it may owe, pending and invoiced; ''infinity'' for any.';
COMMENT ON COLUMN credits_internal.accounts.low_balance_threshold IS
'Available below this is a low balance; 0 for never.';
COMMENT ON COLUMN credits_internal.accounts.reported_level IS
'What was last published of the balance: 0 nothing, 1 that it is low, 2 that nothing is left.';
COMMENT ON COLUMN credits_internal.accounts.issued IS
'All that it was ever granted, of its currency at most 28 digits: no more can be available, held or come back.';
COMMENT ON COLUMN credits_internal.accounts.evaluate_above IS
'Once so much is available again, policies of the balance are evaluated. infinity: never.';
COMMENT ON COLUMN credits_internal.accounts.evaluate_below IS 'Once less is available, likewise.';
COMMENT ON COLUMN credits_internal.accounts.restricted IS 'What remains in grants for certain meters only.';
COMMENT ON COLUMN credits_internal.accounts.held IS 'Set aside for work in progress.';
COMMENT ON COLUMN credits_internal.accounts.pending IS 'Owed: usage that no credit covered yet.';
COMMENT ON COLUMN credits_internal.accounts.last_debt IS 'The last number given to something owed.';
COMMENT ON COLUMN credits_internal.accounts.next_change_at IS
'The first moment at which time alone changes a balance: a grant begins or ends, a hold runs out. Never later than
that.';
COMMENT ON COLUMN credits_internal.accounts.defers IS
'Whether an event of a deferred meter was ever reported for it: only then can usage wait to be charged.';
COMMENT ON COLUMN credits_internal.accounts.head_grant_id IS 'The grant that pays the next plain debit.';
COMMENT ON COLUMN credits_internal.accounts.head_floor IS
'What is available once that grant is used up, so that available less this is what remains of it: its own row is out of
date. A charge changes available alone.';
COMMENT ON COLUMN credits_internal.accounts.charge_above IS
'What a charge by that grant alone must leave more of available than: head_floor or evaluate_below, whichever is more;
infinity, for not at all, where limits are set, and where posted_at is later than its last line, until the next.';
COMMENT ON COLUMN credits_internal.accounts.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits_internal.accounts.posted_at IS 'The time of the last posting; the next is not earlier.';
COMMENT ON COLUMN credits_internal.accounts.last_line IS 'The number of the last ledger line.';
COMMENT ON COLUMN credits_internal.accounts.limited IS
'Whether limits of what may be spent are set: see spending_limits.';
COMMENT ON COLUMN credits_internal.accounts.invoiced IS
'Owed, and on invoices that are not paid: no credits pay it, overdraft_limit counts it; NULL for nothing.';

-- What maintain() has to do next.
CREATE INDEX accounts_due ON credits_internal.accounts (next_change_at) WHERE next_change_at < 'infinity';

-- Accounts that maintenance failed on: left alone until retry_at.
CREATE TABLE credits_internal.account_failures (
    customer_id  text COLLATE "C" NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    error        text NOT NULL,
    message      text NOT NULL,
    attempts     integer NOT NULL,
    failed_since timestamptz NOT NULL,
    failed_at    timestamptz NOT NULL,
    retry_at     timestamptz NOT NULL,
    PRIMARY KEY (customer_id, currency)
);

COMMENT ON TABLE credits_internal.account_failures IS
'Accounts that settle() or maintain() failed on. Each is left alone until retry_at, so that it holds back no other; the
row is gone once it works again. verify() lists them.';
COMMENT ON COLUMN credits_internal.account_failures.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.account_failures.currency IS 'Which account.';
COMMENT ON COLUMN credits_internal.account_failures.error IS 'The SQLSTATE of the last failure.';
COMMENT ON COLUMN credits_internal.account_failures.message IS 'What it said.';
COMMENT ON COLUMN credits_internal.account_failures.attempts IS 'How often it failed.';
COMMENT ON COLUMN credits_internal.account_failures.failed_since IS 'When it failed first.';
COMMENT ON COLUMN credits_internal.account_failures.failed_at IS 'When it failed last.';
COMMENT ON COLUMN credits_internal.account_failures.retry_at IS
'When it is tried again: after a minute, then after twice as long each time, up to an hour.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.accounts', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.account_failures', '');
