\echo Use "CREATE EXTENSION pg_credits" to load this file. \quit
-- The schemas, and what holds for all tables. Loaded first.
--
-- credits has what users call and read: functions, their row types, views, and one table, inbox. credits_internal has
-- the tables and what the functions and views need; only the owner may look into it.
--
-- What holds for every table:
--   * Every customer table has customer_id first in its primary key and in every unique key: it is the sharding key.
--   * Everything of an account changes only under the lock of its row in accounts.
--   * Keys are compared byte by byte (COLLATE "C"): faster, in one order everywhere, and safe from a change of locale.
--   * There are no foreign keys: PostgreSQL would check them again whenever a row is written twice in a transaction.
--     The functions keep what they would say, and verify() checks it afterwards.
--   * No index has a column, or a predicate on a column, that every debit changes, so debits are HOT updates.
--   * The tables that every charge writes have no CHECK: PostgreSQL parses its text again in every statement, which
--     took a fifth of a charge. posting.rs asserts it before it writes, and verify() checks it afterwards.
--   * Times without an end and limits that do not limit are 'infinity' in the tables and NULL in what functions return.
--   * The planner is told (n_distinct) that an average customer has twenty rows in the large tables, each worth finding
--     by its own key. By its own count that is often one, and then it reads all rows of a customer who has a hundred
--     thousand, for each row that it looks up.
--   * pg_dump carries every row (pg_extension_config_dump), since the script inserts none.
--
-- What holds for every function: it runs as the owner of the extension with a pinned search_path, so a caller needs the
-- right to call it and no right on a table; none is STRICT, because a missing argument is PC013.

-- Nothing that others put into a schema becomes part of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'pg_credits needs a database with encoding UTF8, this one has %',
            pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0';
    END IF;
END $$;

CREATE SCHEMA credits;
COMMENT ON SCHEMA credits IS
'pg_credits: prepaid credits, metered usage and the ledger of both: the functions to call and the views to read.';

CREATE SCHEMA credits_internal;
COMMENT ON SCHEMA credits_internal IS
'The tables and helpers of pg_credits. Nobody but the owner has rights in it; call and read what is in schema credits.';

-- Currencies: what credits and money are counted in.

CREATE TABLE credits_internal.currencies (
    currency    text COLLATE "C" NOT NULL PRIMARY KEY CHECK (currency <> '' AND length(currency) <= 32),
    name        text,
    decimals    smallint NOT NULL DEFAULT 2 CHECK (decimals BETWEEN 0 AND 18),
    kind        text NOT NULL DEFAULT 'credit' CHECK (kind IN ('credit', 'fiat')),
    symbol      text,
    active      boolean NOT NULL DEFAULT true,
    min_payment numeric CHECK (min_payment > 0),
    max_payment numeric CHECK (max_payment >= min_payment),
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE credits_internal.currencies IS 'What is counted: credit units and money.';
COMMENT ON COLUMN credits_internal.currencies.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits_internal.currencies.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.currencies.decimals IS
'The most decimals that an amount may have, 0 to 18; fixed for ever.';
COMMENT ON COLUMN credits_internal.currencies.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits_internal.currencies.symbol IS 'For display.';
COMMENT ON COLUMN credits_internal.currencies.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits_internal.currencies.min_payment IS 'The smallest payment, in this currency; NULL for none.';
COMMENT ON COLUMN credits_internal.currencies.max_payment IS 'The largest payment, in this currency; NULL for none.';
COMMENT ON COLUMN credits_internal.currencies.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.currencies.created_at IS 'When it was created.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.currencies', '');

-- Customers.

CREATE TABLE credits_internal.customers (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (customer_id <> '' AND length(customer_id) <= 255),
    name        text,
    email       text,
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz
);

COMMENT ON TABLE credits_internal.customers IS 'Customers: whoever owns credits.';
COMMENT ON COLUMN credits_internal.customers.customer_id IS 'The application''s own key, 1 to 255 characters.';
COMMENT ON COLUMN credits_internal.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.email IS 'Not checked; gone once erased.';
COMMENT ON COLUMN credits_internal.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.customers.updated_at IS 'When customer_upsert last touched it.';
COMMENT ON COLUMN credits_internal.customers.erased_at IS 'When customer_erase forgot the person; NULL otherwise.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.customers', '');

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
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.accounts IS
'One currency of a customer''s wallet. Its row is the lock of all that belongs to it, and right as posted until
next_change_at.';
COMMENT ON COLUMN credits_internal.accounts.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.accounts.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.accounts.created_at IS 'When it was first used.';
COMMENT ON COLUMN credits_internal.accounts.overdraft_limit IS
'The most pending usage that it may owe; ''infinity'' for any.';
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
infinity, for not at all, where posted_at is later than its last line, until the next.';
COMMENT ON COLUMN credits_internal.accounts.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits_internal.accounts.posted_at IS 'The time of the last posting; the next is not earlier.';
COMMENT ON COLUMN credits_internal.accounts.last_line IS 'The number of the last ledger line.';

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

-- Credit grants.

CREATE TABLE credits_internal.credit_grants (
    customer_id         text COLLATE "C" NOT NULL,
    grant_id            uuid NOT NULL,
    currency            text COLLATE "C" NOT NULL,
    category            text NOT NULL CHECK (category IN ('paid', 'promotional')),
    status              text NOT NULL CHECK (status IN ('pending', 'granted', 'depleted', 'expired', 'voided')),
    priority            smallint NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),
    amount              numeric NOT NULL CHECK (amount > 0),
    remaining           numeric NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    lapsed              numeric NOT NULL DEFAULT 0 CHECK (lapsed BETWEEN 0 AND amount),
    effective_at        timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL DEFAULT 'infinity' CHECK (expires_at > effective_at),
    applicable_meters   text[],
    cost_basis          numeric CHECK (cost_basis >= 0),
    name                text,
    granted_by          text,
    metadata            jsonb,
    created_at          timestamptz NOT NULL,
    ended_at            timestamptz,
    ended_reason        text,
    transferred_from    text COLLATE "C",
    clawback_operations uuid[],
    clawback_amounts    numeric[],
    clawback_owes       boolean[],
    PRIMARY KEY (customer_id, grant_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.credit_grants IS 'Credits given at one time under one set of terms.';
COMMENT ON COLUMN credits_internal.credit_grants.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.credit_grants.grant_id IS 'UUID version 7: of two grants the older sorts first.';
COMMENT ON COLUMN credits_internal.credit_grants.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.credit_grants.category IS
'''paid'' or ''promotional''; promotional is used first where priority and expiry tie.';
COMMENT ON COLUMN credits_internal.credit_grants.status IS
'As posted: ''pending'' (not yet effective), ''granted'', ''depleted'', ''expired'', ''voided''.';
COMMENT ON COLUMN credits_internal.credit_grants.priority IS '0 to 100, lower is used first.';
COMMENT ON COLUMN credits_internal.credit_grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits_internal.credit_grants.remaining IS
'What is left as posted; of the head grant the account''s row has it: available less head_floor.';
COMMENT ON COLUMN credits_internal.credit_grants.lapsed IS
'What of it expired, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits_internal.credit_grants.effective_at IS 'When it can first be drawn on.';
COMMENT ON COLUMN credits_internal.credit_grants.expires_at IS 'From when on it cannot; ''infinity'' for never.';
COMMENT ON COLUMN credits_internal.credit_grants.applicable_meters IS
'The event names that it may pay for; NULL for anything.';
COMMENT ON COLUMN credits_internal.credit_grants.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits_internal.credit_grants.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.credit_grants.granted_by IS 'Who granted it.';
COMMENT ON COLUMN credits_internal.credit_grants.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.credit_grants.created_at IS 'When it was made, at the account''s time.';
COMMENT ON COLUMN credits_internal.credit_grants.ended_at IS 'When it was voided or expired by hand; NULL otherwise.';
COMMENT ON COLUMN credits_internal.credit_grants.ended_reason IS 'Why it was voided, as the caller said.';
COMMENT ON COLUMN credits_internal.credit_grants.transferred_from IS
'The customer that the credits came from; NULL unless a transfer created it.';
COMMENT ON COLUMN credits_internal.credit_grants.clawback_operations IS
'Which operations take credits of it when they come back: their price was paid back while they were held, or they were
forgiven. The oldest first; NULL for none.';
COMMENT ON COLUMN credits_internal.credit_grants.clawback_amounts IS 'How many credits each of them takes.';
COMMENT ON COLUMN credits_internal.credit_grants.clawback_owes IS
'Of each whether they are owed once their hold is captured.';

-- Grants that can be drawn on, in the order in which they are.
CREATE INDEX credit_grants_drawdown ON credits_internal.credit_grants
    (customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) WHERE status = 'granted';

-- What time changes next: the first to end, the first to begin.
CREATE INDEX credit_grants_ending ON credits_internal.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'granted';
CREATE INDEX credit_grants_beginning ON credits_internal.credit_grants (customer_id, currency, effective_at)
    WHERE status = 'pending';
ALTER TABLE credits_internal.credit_grants ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.credit_grants', '');

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
    CONSTRAINT operations_key UNIQUE (customer_id, idempotency_key)
);

COMMENT ON TABLE credits_internal.operations IS
'What a caller asked for once: debits, holds, adjustments, transfers (one row on either side), and grants under an
idempotency key.';
COMMENT ON COLUMN credits_internal.operations.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.operations.operation_id IS 'UUID version 7.';
COMMENT ON COLUMN credits_internal.operations.function IS
'The function that was called; wallet_try_debit counts as wallet_debit.';
COMMENT ON COLUMN credits_internal.operations.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.operations.amount IS
'Credits taken, granted, held or moved; of an adjustment signed.';
COMMENT ON COLUMN credits_internal.operations.category IS 'Of the grant, where it made one.';
COMMENT ON COLUMN credits_internal.operations.grant_id IS
'The grant, where it made one; of a debit that is its own line, the grant that paid.';
COMMENT ON COLUMN credits_internal.operations.counterparty IS 'For a transfer, the other customer.';
COMMENT ON COLUMN credits_internal.operations.reason IS 'For an adjustment, its reason.';
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
covered), ''reversal'' (usage was taken back), ''hold'', ''capture'', ''release'', ''expiration'', ''void'',
''transfer'', ''adjustment'', ''refund''.';
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
COMMENT ON COLUMN credits_internal.credit_transactions.created_at IS 'When it was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.credit_transactions.held IS
'What it does to the credits held, signed; NULL for nothing.';
COMMENT ON COLUMN credits_internal.credit_transactions.pending IS
'What it does to the pending usage, signed; NULL for nothing.';

ALTER TABLE credits_internal.credit_transactions ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.operations', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.credit_transactions', '');

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

-- Open holds, the first to run out first.
CREATE INDEX holds_open ON credits_internal.holds (customer_id, currency, expires_at) WHERE status = 'open';
ALTER TABLE credits_internal.holds ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.holds', '');

-- Meters and their prices.

CREATE TABLE credits_internal.meters (
    event_name    text COLLATE "C" NOT NULL PRIMARY KEY CHECK (event_name <> '' AND length(event_name) <= 255),
    name          text,
    currency      text COLLATE "C" NOT NULL,
    aggregation   text NOT NULL CHECK (aggregation IN ('sum', 'count', 'last', 'max')),
    period        text CHECK (period IN ('day', 'month')),
    unit          text,
    overage       text NOT NULL CHECK (overage IN ('pending', 'reject')),
    settlement    text NOT NULL DEFAULT 'immediate' CHECK (settlement IN ('immediate', 'deferred')),
    active        boolean NOT NULL DEFAULT true,
    price_version integer NOT NULL DEFAULT 1,
    description   text,
    metadata      jsonb,
    created_at    timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE credits_internal.meters IS 'Billable kinds of usage.';
COMMENT ON COLUMN credits_internal.meters.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits_internal.meters.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.meters.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits_internal.meters.aggregation IS
'''sum'' of the values, ''count'' of the events, the ''last'' value or the highest (''max'').';
COMMENT ON COLUMN credits_internal.meters.period IS
'What adds up: the events of a ''day'' or a ''month'' (UTC, by occurred_at), or all of them (NULL). Matters for last,
max, tiers and whole blocks.';
COMMENT ON COLUMN credits_internal.meters.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits_internal.meters.overage IS
'What happens to usage that no credit covers: ''pending'' records it as owed, ''reject'' refuses the event.';
COMMENT ON COLUMN credits_internal.meters.settlement IS
'When events are charged: ''immediate'', or ''deferred'': recorded at once and charged by settle().';
COMMENT ON COLUMN credits_internal.meters.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits_internal.meters.price_version IS 'The version of the price that new events are charged by.';
COMMENT ON COLUMN credits_internal.meters.description IS 'For people.';
COMMENT ON COLUMN credits_internal.meters.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.meters.created_at IS 'When it was created.';

CREATE TABLE credits_internal.meter_prices (
    event_name text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    unit_price numeric CHECK (unit_price >= 0),
    pricing    jsonb CHECK ((pricing IS NULL) <> (unit_price IS NULL)),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_name, version)
);

COMMENT ON TABLE credits_internal.meter_prices IS
'The prices that a meter has and had. A row is never changed: another price is another version.';
COMMENT ON COLUMN credits_internal.meter_prices.event_name IS 'The customer.';
COMMENT ON COLUMN credits_internal.meter_prices.version IS 'Counts from 1 in each meter.';
COMMENT ON COLUMN credits_internal.meter_prices.unit_price IS 'Credits for one unit; NULL where pricing says more.';
COMMENT ON COLUMN credits_internal.meter_prices.pricing IS
'Prices by block, tier or metadata, as meter_create checked them; NULL where unit_price is all.';
COMMENT ON COLUMN credits_internal.meter_prices.created_at IS 'When it was set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.meters', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.meter_prices', '');

-- Meter events, with what they owe and what is not charged yet.

-- Every column of it costs each charge something, a NULL too: what few events have is elsewhere. period_key is that of
-- usage_periods, NULL where an event is priced by itself.
CREATE TABLE credits_internal.meter_events (
    customer_id     text COLLATE "C" NOT NULL,
    identifier      text COLLATE "C" NOT NULL,
    event_name      text COLLATE "C" NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    value           numeric NOT NULL,
    consumed        numeric NOT NULL,
    pending         numeric NOT NULL DEFAULT 0,
    occurred_at     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    price_version   integer NOT NULL DEFAULT 1,
    subscription_id text,
    source_data     jsonb,
    metadata        jsonb,
    period_key      text COLLATE "C",
    line_no         bigint,
    running_balance numeric,
    grant_id        uuid,
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.meter_events IS 'Reports of usage, each charged once.';
COMMENT ON COLUMN credits_internal.meter_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.meter_events.identifier IS 'The reporter''s own, unique per customer for ever.';
COMMENT ON COLUMN credits_internal.meter_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits_internal.meter_events.currency IS 'What it was charged in.';
COMMENT ON COLUMN credits_internal.meter_events.value IS 'How much, in the meter''s unit.';
COMMENT ON COLUMN credits_internal.meter_events.consumed IS
'Credits paid for it, less those that it brought back; while it is unsettled what it will cost. What came back when it
was taken back is in canceled_events.';
COMMENT ON COLUMN credits_internal.meter_events.pending IS 'Credits still owed for it.';
COMMENT ON COLUMN credits_internal.meter_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits_internal.meter_events.created_at IS
'When it was reported; where it is its own line, when that was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.meter_events.price_version IS
'The version of its meter''s prices that it was reported under.';
COMMENT ON COLUMN credits_internal.meter_events.subscription_id IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.meter_events.source_data IS
'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits_internal.meter_events.metadata IS
'The application''s own data; one key of it may decide the price.';
COMMENT ON COLUMN credits_internal.meter_events.period_key IS
'The usage_periods row that it is priced in; NULL where it is priced by itself.';
COMMENT ON COLUMN credits_internal.meter_events.line_no IS
'The number of its line in the ledger, where one grant paid all of it at once and it is its own line; NULL where its
lines are in credit_transactions.';
COMMENT ON COLUMN credits_internal.meter_events.running_balance IS
'Of its own line, the balance after it: available and restricted.';
COMMENT ON COLUMN credits_internal.meter_events.grant_id IS 'Of its own line, the grant that paid.';

-- Where in the table a time's usage is: what statistics read. Events come in the order of time, except for some that
-- come late, so a summary of each stretch of pages finds them; a charge writes nothing for it, autovacuum does once a
-- stretch is full.
CREATE INDEX meter_events_time ON credits_internal.meter_events USING brin (occurred_at timestamptz_minmax_multi_ops)
    WITH (autosummarize = on);

-- Events that one grant paid: each is its own line of the ledger.
CREATE INDEX meter_events_line ON credits_internal.meter_events (customer_id, currency, line_no)
    WHERE line_no IS NOT NULL;
ALTER TABLE credits_internal.meter_events ALTER customer_id SET (n_distinct = -0.05);

-- Events that owe: no credit covered them yet.
CREATE TABLE credits_internal.event_debts (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    debt_no     bigint NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.event_debts IS
'Events that owe, in the order in which the next credits pay them; what each owes is its pending. A row goes when its
event owes nothing more.';
COMMENT ON COLUMN credits_internal.event_debts.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.event_debts.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.event_debts.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.event_debts.debt_no IS 'Its place in its account''s order of payment.';

-- Oldest first: what the next credits pay.
CREATE INDEX event_debts_order ON credits_internal.event_debts (customer_id, currency, debt_no);
ALTER TABLE credits_internal.event_debts ALTER customer_id SET (n_distinct = -0.05);

-- Deferred usage that waits to be charged. Its rows come and go, so it is cleaned up often.
CREATE TABLE credits_internal.unsettled_events (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    cost        numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, created_at, identifier)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

COMMENT ON TABLE credits_internal.unsettled_events IS
'Events of deferred meters that are recorded and not charged yet.';
COMMENT ON COLUMN credits_internal.unsettled_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.unsettled_events.currency IS 'What it will be charged in.';
COMMENT ON COLUMN credits_internal.unsettled_events.created_at IS
'When it was reported: as of when it will be charged.';
COMMENT ON COLUMN credits_internal.unsettled_events.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.unsettled_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits_internal.unsettled_events.cost IS 'Credits that it will cost.';

ALTER TABLE credits_internal.unsettled_events ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.meter_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_debts', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.unsettled_events', '');

-- Canceled events.

-- Usage that was taken back.
CREATE TABLE credits_internal.canceled_events (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    canceled_at timestamptz NOT NULL,
    reason      text,
    returned    numeric NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.canceled_events IS 'Events whose usage was taken back.';
COMMENT ON COLUMN credits_internal.canceled_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.canceled_events.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.canceled_events.canceled_at IS 'When it was taken back, at the account''s time.';
COMMENT ON COLUMN credits_internal.canceled_events.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.canceled_events.returned IS 'The credits that came back.';

ALTER TABLE credits_internal.canceled_events ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.canceled_events', '');

-- Usage that is priced as one per period: last, max, tiers, whole blocks.

-- Usage that is priced as one: what it stands at. A row changes only under its account's lock.
CREATE TABLE credits_internal.usage_periods (
    customer_id   text COLLATE "C" NOT NULL,
    event_name    text COLLATE "C" NOT NULL,
    period_key    text COLLATE "C" NOT NULL,
    period_start  timestamptz NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    quantity      numeric NOT NULL,
    event_count   bigint NOT NULL,
    last_no       bigint NOT NULL,
    credits       numeric NOT NULL,
    counted_no    bigint,
    counted_at    timestamptz,
    price_version integer NOT NULL,
    price_class   text NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.usage_periods IS
'Usage that is priced as one, because one event decides (last, max) or the price depends on what was used before
(tiers, whole blocks): what it stands at.';
COMMENT ON COLUMN credits_internal.usage_periods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_periods.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.usage_periods.period_key IS
'The day, month or ''always'', as in 2026-03; of a sum or a count also the price that its events have, since those of
several prices do not add up: v and the version, and the price_class where there is one.';
COMMENT ON COLUMN credits_internal.usage_periods.period_start IS
'When the day or month begins, in UTC; ''-infinity'' where there is one period for ever.';
COMMENT ON COLUMN credits_internal.usage_periods.currency IS 'What it is charged in.';
COMMENT ON COLUMN credits_internal.usage_periods.quantity IS 'What the events add up to, those taken back not counted.';
COMMENT ON COLUMN credits_internal.usage_periods.event_count IS 'How many they are.';
COMMENT ON COLUMN credits_internal.usage_periods.last_no IS 'How many there were, those taken back counted.';
COMMENT ON COLUMN credits_internal.usage_periods.credits IS 'The price of it: what its events consumed and owe.';
COMMENT ON COLUMN credits_internal.usage_periods.counted_no IS
'Of a last or a max the number of the event that counts; NULL for none.';
COMMENT ON COLUMN credits_internal.usage_periods.counted_at IS 'When that event happened.';
COMMENT ON COLUMN credits_internal.usage_periods.price_version IS 'The version of the meter''s prices that prices it.';
COMMENT ON COLUMN credits_internal.usage_periods.price_class IS
'Which of those prices it is: the value of the metadata, empty for the default.';

ALTER TABLE credits_internal.usage_periods ALTER customer_id SET (n_distinct = -0.05);

-- What each line took from a grant for such usage and has not come back: where it goes when the usage comes to cost
-- less.
CREATE TABLE credits_internal.usage_draws (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    line_no      bigint NOT NULL,
    grant_id     uuid NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, line_no)
);

COMMENT ON TABLE credits_internal.usage_draws IS
'What each ledger line took from a grant for usage that is priced as one and has not come back. It comes back newest
first.';
COMMENT ON COLUMN credits_internal.usage_draws.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_draws.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits_internal.usage_draws.period_key IS 'Likewise.';
COMMENT ON COLUMN credits_internal.usage_draws.line_no IS 'The ledger line, in the account of the period''s currency.';
COMMENT ON COLUMN credits_internal.usage_draws.grant_id IS 'The grant that paid.';
COMMENT ON COLUMN credits_internal.usage_draws.amount IS 'Credits that have not come back.';

ALTER TABLE credits_internal.usage_draws ALTER customer_id SET (n_distinct = -0.05);

-- The events of a last or a max that are not taken back, in the order in which they would count.
CREATE TABLE credits_internal.usage_ranks (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    rank         numeric NOT NULL,
    event_no     bigint NOT NULL,
    identifier   text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, rank, event_no)
);

COMMENT ON TABLE credits_internal.usage_ranks IS
'The events of a last or a max that are not taken back, in the order in which they would count.';
COMMENT ON COLUMN credits_internal.usage_ranks.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_ranks.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits_internal.usage_ranks.period_key IS 'Likewise.';
COMMENT ON COLUMN credits_internal.usage_ranks.rank IS
'The highest counts: the value, or of a last the time in seconds since 2000.';
COMMENT ON COLUMN credits_internal.usage_ranks.event_no IS
'Its number in the period: of equals a max counts the first, a last the last.';
COMMENT ON COLUMN credits_internal.usage_ranks.identifier IS 'The event.';

ALTER TABLE credits_internal.usage_ranks ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_periods', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_draws', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_ranks', '');

-- The inbox: usage on its way in, and what was rejected.

-- Where pipelines put usage, and nothing is refused. settle() drains it in the order of received_at, then of where
-- rows are: so no sequence decides, which a logical replica would not have. It has no index, which would cost more
-- than the row: see src/metering/inbox/cursor.rs.
CREATE TABLE credits.inbox (
    customer_id     text COLLATE "C",
    event_name      text COLLATE "C",
    value           numeric DEFAULT 1,
    identifier      text COLLATE "C",
    occurred_at     timestamptz,
    subscription_id text,
    source_data     jsonb,
    metadata        jsonb,
    received_at     timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

COMMENT ON TABLE credits.inbox IS
'Usage on its way in: COPY or INSERT it here, naming the columns, and settle() or maintain() charges it in this order,
each row as report_meter_event would. Nothing is refused here: rows with an error are set aside (view
rejected_events), repeats are dropped.';
COMMENT ON COLUMN credits.inbox.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.inbox.event_name IS 'The meter.';
COMMENT ON COLUMN credits.inbox.value IS 'How much, in the meter''s unit; 1 where it is left out.';
COMMENT ON COLUMN credits.inbox.identifier IS
'The reporter''s own key of the event, unique per customer for ever.';
COMMENT ON COLUMN credits.inbox.occurred_at IS 'When the usage happened; left out or NULL: when the row was put in.';
COMMENT ON COLUMN credits.inbox.subscription_id IS 'The application''s own data.';
COMMENT ON COLUMN credits.inbox.source_data IS 'The application''s own data.';
COMMENT ON COLUMN credits.inbox.metadata IS 'The application''s own data; one key of it may decide the price.';
COMMENT ON COLUMN credits.inbox.received_at IS
'When the row was put in. It is charged as of then, or at the account''s time where that is later. Rows of one
transaction are charged in the order in which they are stored.';

-- Where a publication has it, a row that is deleted is published whole.
ALTER TABLE credits.inbox REPLICA IDENTITY FULL;

-- What came out of it with an error.
CREATE TABLE credits_internal.inbox_rejected (
    rejected_id     uuid NOT NULL PRIMARY KEY,
    customer_id     text COLLATE "C",
    event_name      text COLLATE "C",
    value           numeric,
    identifier      text COLLATE "C",
    occurred_at     timestamptz,
    subscription_id text,
    source_data     jsonb,
    metadata        jsonb,
    received_at     timestamptz NOT NULL,
    error           text NOT NULL,
    message         text NOT NULL,
    rejected_at     timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.inbox_rejected IS
'Rows of the inbox that could not be charged, with the error. inbox_retry() puts them back, inbox_discard() deletes
them.';
COMMENT ON COLUMN credits_internal.inbox_rejected.rejected_id IS
'Made when it was put aside; in the order in which rows were.';
COMMENT ON COLUMN credits_internal.inbox_rejected.customer_id IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.event_name IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.value IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.identifier IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.occurred_at IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.subscription_id IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.source_data IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.metadata IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.received_at IS 'As in the inbox.';
COMMENT ON COLUMN credits_internal.inbox_rejected.error IS 'The code that report_meter_event would have raised.';
COMMENT ON COLUMN credits_internal.inbox_rejected.message IS 'The message with it.';
COMMENT ON COLUMN credits_internal.inbox_rejected.rejected_at IS 'When it was put aside.';

SELECT pg_catalog.pg_extension_config_dump('credits.inbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.inbox_rejected', '');

-- Products: what is sold.

CREATE TABLE credits_internal.products (
    product_id        uuid NOT NULL PRIMARY KEY,
    name              text NOT NULL CHECK (name <> ''),
    description       text,
    credit_currency   text COLLATE "C" NOT NULL,
    credits           numeric NOT NULL CHECK (credits > 0),
    category          text NOT NULL CHECK (category IN ('paid', 'promotional')),
    priority          smallint NOT NULL CHECK (priority BETWEEN 0 AND 100),
    time_to_live      interval CHECK (timestamp '2001-02-01' + time_to_live > timestamp '2001-02-01'),
    applicable_meters text[],
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    archived_at       timestamptz
);

COMMENT ON TABLE credits_internal.products IS 'What is sold: what one unit grants.';
COMMENT ON COLUMN credits_internal.products.product_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.products.name IS 'What people call it, and its grants.';
COMMENT ON COLUMN credits_internal.products.description IS 'For people.';
COMMENT ON COLUMN credits_internal.products.credit_currency IS 'The currency of what it grants.';
COMMENT ON COLUMN credits_internal.products.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits_internal.products.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits_internal.products.priority IS '0 to 100: of its grants.';
COMMENT ON COLUMN credits_internal.products.time_to_live IS
'How long its grants last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits_internal.products.applicable_meters IS
'The meters that its grants may pay for; NULL for anything.';
COMMENT ON COLUMN credits_internal.products.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.products.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.products', '');

-- Prices of products.

CREATE TABLE credits_internal.prices (
    price_id    uuid NOT NULL PRIMARY KEY,
    product_id  uuid NOT NULL,
    type        text NOT NULL CHECK (type = 'one_time'),
    unit_amount numeric NOT NULL CHECK (unit_amount > 0),
    currency    text COLLATE "C" NOT NULL,
    metadata    jsonb,
    created_at  timestamptz NOT NULL,
    archived_at timestamptz
);

COMMENT ON TABLE credits_internal.prices IS
'What one unit of a product costs. A row is never changed except for archived_at.';
COMMENT ON COLUMN credits_internal.prices.price_id IS 'Its id: what a top-up names.';
COMMENT ON COLUMN credits_internal.prices.product_id IS 'Of which product.';
COMMENT ON COLUMN credits_internal.prices.type IS '''one_time''.';
COMMENT ON COLUMN credits_internal.prices.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits_internal.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';

CREATE INDEX prices_of_product ON credits_internal.prices (product_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.prices', '');

-- Exchange rates.

CREATE TABLE credits_internal.exchange_rates (
    currency      text COLLATE "C" NOT NULL,
    fiat_currency text COLLATE "C" NOT NULL,
    effective_at  timestamptz NOT NULL,
    rate          numeric NOT NULL CHECK (rate > 0),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (currency, fiat_currency, effective_at)
);

COMMENT ON TABLE credits_internal.exchange_rates IS 'The price of one credit in money, from a moment on.';
COMMENT ON COLUMN credits_internal.exchange_rates.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.exchange_rates.fiat_currency IS 'In which money.';
COMMENT ON COLUMN credits_internal.exchange_rates.effective_at IS 'From when on it holds.';
COMMENT ON COLUMN credits_internal.exchange_rates.rate IS 'The price of one credit, in major units of the money.';
COMMENT ON COLUMN credits_internal.exchange_rates.created_at IS 'When it was set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.exchange_rates', '');

-- Payment providers. Only the owner can read this table: it holds secrets.

CREATE TABLE credits_internal.payment_providers (
    provider              text COLLATE "C" NOT NULL PRIMARY KEY,
    webhook_secret        text NOT NULL,
    previous_secret       text,
    checkout_url_template text,
    tolerance             integer NOT NULL CHECK (tolerance > 0),
    livemode              boolean NOT NULL,
    account               text COLLATE "C",
    updated_at            timestamptz NOT NULL,
    previous_secret_expires_at timestamptz CHECK ((previous_secret_expires_at IS NULL) = (previous_secret IS NULL))
);

COMMENT ON TABLE credits_internal.payment_providers IS
'Who takes payments. Only the owner can read it: it has the secrets.';
COMMENT ON COLUMN credits_internal.payment_providers.provider IS 'Its name, which also says how it signs.';
COMMENT ON COLUMN credits_internal.payment_providers.webhook_secret IS 'What its webhooks are signed with.';
COMMENT ON COLUMN credits_internal.payment_providers.previous_secret IS
'What they were signed with before; accepted until previous_secret_expires_at.';
COMMENT ON COLUMN credits_internal.payment_providers.checkout_url_template IS
'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits_internal.payment_providers.tolerance IS 'How old a signed time may be, in seconds.';
COMMENT ON COLUMN credits_internal.payment_providers.livemode IS
'Whether its events are about real money; others are ignored.';
COMMENT ON COLUMN credits_internal.payment_providers.account IS
'The connected account whose events count; NULL: only those that are no connected account''s.';
COMMENT ON COLUMN credits_internal.payment_providers.updated_at IS 'When it was last set.';
COMMENT ON COLUMN credits_internal.payment_providers.previous_secret_expires_at IS
'Until when that is accepted; NULL where there is none.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_providers', '');

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
'Whose a provider''s payment, refund or dispute is: the first top-up in its currency that it was reported of.';
COMMENT ON COLUMN credits_internal.payment_references.provider IS 'The provider.';
COMMENT ON COLUMN credits_internal.payment_references.kind IS
'''payment'', ''refund'' or ''dispute'': each kind has names of its own.';
COMMENT ON COLUMN credits_internal.payment_references.reference IS 'What the provider calls it.';
COMMENT ON COLUMN credits_internal.payment_references.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_references.top_up_id IS 'Of which top-up.';
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
'Payments of top-ups, each with its refunds and disputes: derived from the table payments.';
COMMENT ON COLUMN credits_internal.payment_totals.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_totals.top_up_id IS 'Of which top-up.';
COMMENT ON COLUMN credits_internal.payment_totals.payment_no IS
'Its place among the top-up''s: in the order in which they were reported, then those that are only named by a refund or
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
                                                     'dispute_won', 'dispute_lost')),
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
COMMENT ON COLUMN credits_internal.payments.top_up_id IS 'Of which top-up.';
COMMENT ON COLUMN credits_internal.payments.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'',
''dispute_lost''.';
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

-- Credits taken back for refunds and disputes.

CREATE TABLE credits_internal.reclaims (
    customer_id  text COLLATE "C" NOT NULL,
    operation_id uuid NOT NULL,
    top_up_id    uuid NOT NULL,
    grant_id     uuid NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    credits      numeric NOT NULL CHECK (credits > 0),
    owes         boolean NOT NULL,
    event_name   text COLLATE "C",
    taken        numeric NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND credits),
    consumed     numeric NOT NULL DEFAULT 0 CHECK (consumed >= 0),
    pending      numeric NOT NULL DEFAULT 0 CHECK (pending >= 0),
    debt_no      bigint,
    created_at   timestamptz NOT NULL,
    undone_at    timestamptz,
    PRIMARY KEY (customer_id, operation_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.reclaims IS
'Credits of purchases whose price was paid back, one operation each. credits are taken, paid, owed, waited for by the
grant (claim), or gone: expired, voided or forgiven.';
COMMENT ON COLUMN credits_internal.reclaims.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.reclaims.operation_id IS 'The operation.';
COMMENT ON COLUMN credits_internal.reclaims.top_up_id IS 'Of which purchase.';
COMMENT ON COLUMN credits_internal.reclaims.grant_id IS 'The purchase''s grant.';
COMMENT ON COLUMN credits_internal.reclaims.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.reclaims.credits IS 'How many are to go back.';
COMMENT ON COLUMN credits_internal.reclaims.owes IS 'Whether those that were spent are owed; else they are forgiven.';
COMMENT ON COLUMN credits_internal.reclaims.event_name IS
'The meter whose payers may pay what is owed; NULL for what only plain credits may pay.';
COMMENT ON COLUMN credits_internal.reclaims.taken IS 'Taken from the grant itself.';
COMMENT ON COLUMN credits_internal.reclaims.consumed IS 'Paid by other credits, for what was owed.';
COMMENT ON COLUMN credits_internal.reclaims.pending IS 'Still owed.';
COMMENT ON COLUMN credits_internal.reclaims.debt_no IS 'Its place in the order of payment, where it ever owed.';
COMMENT ON COLUMN credits_internal.reclaims.created_at IS 'When it was posted.';
COMMENT ON COLUMN credits_internal.reclaims.undone_at IS 'When all of it was given back; NULL where it was not.';

CREATE INDEX reclaims_owing ON credits_internal.reclaims (customer_id, currency, debt_no) WHERE pending > 0;
ALTER TABLE credits_internal.reclaims ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.reclaims', '');

-- Webhooks that were received.

CREATE TABLE credits_internal.webhook_events (
    provider    text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('applied', 'contradiction', 'ignored')),
    customer_id text COLLATE "C",
    top_up_id   uuid,
    reference   text COLLATE "C",
    reason      text CHECK (reason IS NULL OR outcome = 'ignored'),
    payload     text,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);

COMMENT ON TABLE credits_internal.webhook_events IS 'Webhooks that were received and accepted, each event once.';
COMMENT ON COLUMN credits_internal.webhook_events.provider IS 'Who sent it.';
COMMENT ON COLUMN credits_internal.webhook_events.event_id IS 'The provider''s id of it.';
COMMENT ON COLUMN credits_internal.webhook_events.type IS 'The provider''s word for what happened.';
COMMENT ON COLUMN credits_internal.webhook_events.outcome IS '''applied'', ''contradiction'' or ''ignored''.';
COMMENT ON COLUMN credits_internal.webhook_events.customer_id IS
'Whose payment it is about; for what was ignored, whom it names or whose payment it names, so that it is forgotten with
that customer; NULL for none.';
COMMENT ON COLUMN credits_internal.webhook_events.top_up_id IS
'Which that is; NULL for none, and for what was ignored.';
COMMENT ON COLUMN credits_internal.webhook_events.reference IS 'What the provider calls the payment that it names.';
COMMENT ON COLUMN credits_internal.webhook_events.reason IS
'Why it was ignored: ''kind'', ''livemode'', ''account'', ''unknown'', ''other_customer''; NULL where it was not.';
COMMENT ON COLUMN credits_internal.webhook_events.payload IS
'What was sent, as it was sent: some of what JSON may have no jsonb can keep. NULL once it was forgotten.';
COMMENT ON COLUMN credits_internal.webhook_events.received_at IS 'When it was received.';

CREATE INDEX webhook_events_of_customer ON credits_internal.webhook_events (customer_id) WHERE customer_id IS NOT NULL;

-- What came for a payment before anybody knew whose it is, and what is to be deleted.
CREATE INDEX webhook_events_ignored ON credits_internal.webhook_events (provider, reference) WHERE outcome = 'ignored';
CREATE INDEX webhook_events_old ON credits_internal.webhook_events (received_at) WHERE outcome = 'ignored';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_events', '');

-- What each credit currency is recharged with.

CREATE TABLE credits_internal.recharge_configs (
    currency      text COLLATE "C" NOT NULL PRIMARY KEY,
    base_price_id uuid NOT NULL,
    checkout_url  text,
    min_amount    numeric CHECK (min_amount > 0),
    max_amount    numeric CHECK (max_amount >= min_amount),
    updated_at    timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.recharge_configs IS 'What credit currencies are recharged with.';
COMMENT ON COLUMN credits_internal.recharge_configs.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.recharge_configs.base_price_id IS 'Its price.';
COMMENT ON COLUMN credits_internal.recharge_configs.checkout_url IS 'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits_internal.recharge_configs.min_amount IS
'The least that one top-up may cost, in the price''s currency; NULL for any.';
COMMENT ON COLUMN credits_internal.recharge_configs.max_amount IS 'The most; NULL for any.';
COMMENT ON COLUMN credits_internal.recharge_configs.updated_at IS 'When it was last set.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharge_configs', '');

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

-- Keys that sign links to billing pages. Only the owner can read this table.

CREATE TABLE credits_internal.signing_keys (
    purpose    text COLLATE "C" NOT NULL PRIMARY KEY,
    key        text NOT NULL,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.signing_keys IS
'Keys that the extension made for what it signs itself. Only the owner can read it, and no dump has it: a key is made
where it is first needed.';
COMMENT ON COLUMN credits_internal.signing_keys.purpose IS '''portal'': links to billing pages.';
COMMENT ON COLUMN credits_internal.signing_keys.key IS '244 random bits, as text.';
COMMENT ON COLUMN credits_internal.signing_keys.created_at IS 'When it was created.';

-- No pg_extension_config_dump: a dump has no key, and whoever restores it makes a new one.

-- Auto-recharge: who has it, and which prices are to be reviewed.

CREATE TABLE credits_internal.auto_recharges (
    customer_id          text COLLATE "C" NOT NULL,
    currency             text COLLATE "C" NOT NULL,
    enabled              boolean NOT NULL,
    threshold            numeric NOT NULL CHECK (threshold > 0),
    price_id             uuid NOT NULL,
    quantity             integer NOT NULL CHECK (quantity > 0),
    payment_method       text,
    max_attempts_per_day integer CHECK (max_attempts_per_day > 0),
    max_amount_per_day   numeric CHECK (max_amount_per_day > 0),
    cooldown             interval NOT NULL CHECK (timestamp '2001-02-01' + cooldown >= timestamp '2001-02-01'),
    timeout              interval NOT NULL CHECK (timestamp '2001-02-01' + timeout > timestamp '2001-02-01'),
    failures             integer NOT NULL DEFAULT 0,
    disabled_reason      text,
    waits_for_spend      boolean NOT NULL DEFAULT false,
    due_at               timestamptz NOT NULL DEFAULT 'infinity',
    updated_at           timestamptz NOT NULL,
    PRIMARY KEY (customer_id, currency)
);

COMMENT ON TABLE credits_internal.auto_recharges IS 'How accounts recharge themselves.';
COMMENT ON COLUMN credits_internal.auto_recharges.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.auto_recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.auto_recharges.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits_internal.auto_recharges.threshold IS 'Below this many available credits are bought.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_id IS 'At which price.';
COMMENT ON COLUMN credits_internal.auto_recharges.quantity IS 'How many units.';
COMMENT ON COLUMN credits_internal.auto_recharges.payment_method IS 'What the worker charges, in its own terms.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_day IS 'Within 24 hours; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_day IS
'Within 24 hours, in major units of the price''s currency, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.cooldown IS 'The least time between two requests.';
COMMENT ON COLUMN credits_internal.auto_recharges.timeout IS 'How long a request waits for an answer.';
COMMENT ON COLUMN credits_internal.auto_recharges.failures IS 'How many attempts in a row failed or timed out.';
COMMENT ON COLUMN credits_internal.auto_recharges.disabled_reason IS
'The code of why it switched itself off, as configure_auto_recharge lists them; NULL where it did not.';
COMMENT ON COLUMN credits_internal.auto_recharges.waits_for_spend IS
'Whether only the customer''s next spend, or enough credits, end a pause: credits were taken back, and too few were
left.';
COMMENT ON COLUMN credits_internal.auto_recharges.due_at IS
'When time alone calls for an evaluation: an open request times out, or another may be made. infinity: never.';
COMMENT ON COLUMN credits_internal.auto_recharges.updated_at IS 'When it was last configured.';

CREATE INDEX auto_recharges_of_price ON credits_internal.auto_recharges (price_id, customer_id);

CREATE TABLE credits_internal.recharge_reviews (
    price_id       uuid NOT NULL PRIMARY KEY,
    after_customer text COLLATE "C" NOT NULL DEFAULT ''
);

COMMENT ON TABLE credits_internal.recharge_reviews IS
'Prices that something changed for: maintain() reviews the accounts that recharge themselves at them.';
COMMENT ON COLUMN credits_internal.recharge_reviews.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.recharge_reviews.after_customer IS 'Up to which customer they were reviewed.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.auto_recharges', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharge_reviews', '');

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
    PRIMARY KEY (customer_id, recharge_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.recharges IS 'Auto-recharge''s attempts.';
COMMENT ON COLUMN credits_internal.recharges.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.recharges.recharge_id IS 'Its id: the provider''s idempotency key.';
COMMENT ON COLUMN credits_internal.recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.recharges.top_up_id IS 'The top-up that pays it.';
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

-- At most one is open in an account.
CREATE UNIQUE INDEX recharges_open ON credits_internal.recharges (customer_id, currency)
    WHERE status IN ('requested', 'processing');
CREATE INDEX recharges_recent ON credits_internal.recharges (customer_id, currency, requested_at);
ALTER TABLE credits_internal.recharges ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharges', '');

-- The outbox: rows that other systems act on.

CREATE TABLE credits_internal.outbox (
    customer_id text COLLATE "C" NOT NULL,
    outbox_no   bigint NOT NULL,
    outbox_id   uuid NOT NULL,
    type        text NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (customer_id, outbox_no)
);

COMMENT ON TABLE credits_internal.outbox IS
'What other systems must act on: rows that some consumer has not acknowledged yet.';
COMMENT ON COLUMN credits_internal.outbox.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.outbox.outbox_no IS
'Its place among the customer''s, in the order in which they were committed.';
COMMENT ON COLUMN credits_internal.outbox.outbox_id IS 'What outbox_ack takes.';
COMMENT ON COLUMN credits_internal.outbox.type IS 'What happened.';
COMMENT ON COLUMN credits_internal.outbox.payload IS 'The particulars; amounts are strings of digits.';
COMMENT ON COLUMN credits_internal.outbox.created_at IS 'When it was written.';

CREATE INDEX outbox_oldest ON credits_internal.outbox (created_at);
CREATE INDEX outbox_by_id ON credits_internal.outbox (outbox_id);

CREATE TABLE credits_internal.outbox_counters (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY,
    last_no     bigint NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.outbox_counters IS 'How many rows of the outbox each customer ever had.';
COMMENT ON COLUMN credits_internal.outbox_counters.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.outbox_counters.last_no IS 'The number of the last.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_counters', '');

-- Consumers of the outbox.

CREATE TABLE credits_internal.outbox_consumers (
    consumer   text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.outbox_consumers IS 'Who is handed rows of the outbox.';
COMMENT ON COLUMN credits_internal.outbox_consumers.consumer IS 'The name that its sessions share.';
COMMENT ON COLUMN credits_internal.outbox_consumers.created_at IS 'When it was created.';

CREATE TABLE credits_internal.outbox_positions (
    customer_id   text COLLATE "C" NOT NULL,
    consumer      text COLLATE "C" NOT NULL,
    acked_no      bigint NOT NULL DEFAULT 0,
    claimed_no    bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (customer_id, consumer)
) WITH (fillfactor = 50);

COMMENT ON TABLE credits_internal.outbox_positions IS 'How far each consumer is with each customer.';
COMMENT ON COLUMN credits_internal.outbox_positions.customer_id IS 'With whose rows.';
COMMENT ON COLUMN credits_internal.outbox_positions.consumer IS 'Which consumer.';
COMMENT ON COLUMN credits_internal.outbox_positions.acked_no IS 'Up to which row all are acknowledged.';
COMMENT ON COLUMN credits_internal.outbox_positions.claimed_no IS 'Up to which row they are handed out.';
COMMENT ON COLUMN credits_internal.outbox_positions.claimed_until IS
'Until when nobody else of that consumer gets them.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_consumers', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.outbox_positions', '');

-- The clock. It reads a setting and no table, so it needs no rights and no search_path.

CREATE FUNCTION credits.clock()
RETURNS timestamptz
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'clock_wrapper';
COMMENT ON FUNCTION credits.clock IS
'Returns what pg_credits takes for now(): the start of the transaction, or credits.test_clock where that is set.

Raises PC013.
Example: SELECT credits.clock();';

-- The errors that pg_credits raises. The list is in src/error/codes.rs.

CREATE TYPE credits_internal.error_code AS (code text, name text, raised_when text, detail text);
COMMENT ON TYPE credits_internal.error_code IS 'What error_code_list() returns.';
COMMENT ON COLUMN credits_internal.error_code.code IS 'The error code (SQLSTATE).';
COMMENT ON COLUMN credits_internal.error_code.name IS 'The error''s name.';
COMMENT ON COLUMN credits_internal.error_code.raised_when IS 'When it is raised.';
COMMENT ON COLUMN credits_internal.error_code.detail IS 'The keys of its DETAIL, which is JSON.';

CREATE FUNCTION credits_internal.error_code_list()
RETURNS SETOF credits_internal.error_code
LANGUAGE c STABLE ROWS 15 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'error_code_list_wrapper';
COMMENT ON FUNCTION credits_internal.error_code_list IS 'Returns what the view error_codes shows.';

CREATE VIEW credits.error_codes AS
SELECT e.code, e.name, e.raised_when, e.detail FROM credits_internal.error_code_list() e;
COMMENT ON VIEW credits.error_codes IS
'Every error that pg_credits raises: its SQLSTATE, its name, when it is raised, and the keys of its DETAIL.';
COMMENT ON COLUMN credits.error_codes.code IS 'The error code (SQLSTATE).';
COMMENT ON COLUMN credits.error_codes.name IS 'The error''s name.';
COMMENT ON COLUMN credits.error_codes.raised_when IS 'When it is raised.';
COMMENT ON COLUMN credits.error_codes.detail IS 'The keys of its DETAIL, which is JSON.';

-- How sessions learn that a meter, a price or a currency changed.

-- Sessions remember meters, their prices and currencies; this is how they learn of a change, by whatever hand: also by
-- that of a subscription, which fires only what is a row's and always enabled. TRUNCATE has no rows.
CREATE FUNCTION credits_internal.forget_remembered()
 RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'forget_remembered_wrapper';
COMMENT ON FUNCTION credits_internal.forget_remembered IS
'Trigger function: notifies every session that a meter, a price or a currency changed. It changes nothing itself.';

CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.meters
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.meters
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.meters ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.meter_prices
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.meter_prices
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.meter_prices ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.currencies
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.currencies
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.currencies ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;

-- The lines of the ledger, wherever they are kept. Everything that reads lines reads this view.

-- What is a line is asked outside of the union: with conditions in its parts PostgreSQL reads all lines of an account
-- and sorts them, where a page of them is wanted.
CREATE VIEW credits_internal.lines AS
SELECT l.*
FROM (SELECT t.customer_id, t.currency, t.line_no, t.type, t.amount, t.running_balance, t.grant_id, t.operation_id,
             t.identifier, t.effective_at, t.created_at, t.held, t.pending, NULL AS function, NULL AS idempotency_key,
             NULL AS description, NULL::jsonb AS metadata
      FROM credits_internal.credit_transactions t
      UNION ALL
      SELECT e.customer_id, e.currency, e.line_no, 'consumption', -e.consumed, e.running_balance, e.grant_id, NULL,
             e.identifier, e.created_at, e.created_at, NULL, NULL, NULL, NULL, NULL, NULL
      FROM credits_internal.meter_events e
      UNION ALL
      SELECT o.customer_id, o.currency, o.line_no, 'debit', -o.amount, o.running_balance, o.grant_id, o.operation_id,
             NULL, o.created_at, o.created_at, NULL, NULL, o.function, o.idempotency_key, o.description, o.metadata
      FROM credits_internal.operations o) l
WHERE l.line_no IS NOT NULL;
COMMENT ON VIEW credits_internal.lines IS
'Every line of the ledger as posted. For the views ledger and journal, and for verify().

Those of credit_transactions, and those that a meter event or a debit carries itself because one grant paid all of it
at once; of such a debit also what its operation has.';

-- Currencies.

CREATE TYPE credits.currency AS (
    currency text, name text, decimals integer, kind text, symbol text, active boolean, min_payment numeric,
    max_payment numeric, metadata jsonb);
COMMENT ON TYPE credits.currency IS 'A currency, as currency_create() and currency_update() return it.';
COMMENT ON COLUMN credits.currency.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits.currency.name IS 'What people call it.';
COMMENT ON COLUMN credits.currency.decimals IS 'The most decimals that an amount may have, 0 to 18. Fixed.';
COMMENT ON COLUMN credits.currency.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits.currency.symbol IS 'For display: ''$''.';
COMMENT ON COLUMN credits.currency.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits.currency.min_payment IS 'The smallest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currency.max_payment IS 'The largest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currency.metadata IS 'The application''s own data.';

CREATE FUNCTION credits.currency_create(
    currency text, name text DEFAULT NULL, decimals integer DEFAULT 2, kind text DEFAULT 'credit',
    symbol text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.currency
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_create_wrapper';
COMMENT ON FUNCTION credits.currency_create IS
'Creates a currency: a credit unit or money.

currency: its code, 1 to 32 characters.
name: what people call it.
decimals: the most decimals that an amount may have, 0 to 18. It cannot be changed.
kind: ''credit'' for a credit unit, ''fiat'' for money.
symbol: for display.
metadata: the application''s own data.

The currency CREDIT, with 6 decimals, is created when it is first used.

A currency that exists already is PC013.

Raises PC013.
Example: SELECT * FROM credits.currency_create(''EUR'', ''Euro'', decimals => 2, kind => ''fiat'', symbol => ''€'');';

CREATE FUNCTION credits.currency_update(
    currency text, name text DEFAULT NULL, kind text DEFAULT NULL, symbol text DEFAULT NULL,
    active boolean DEFAULT NULL, min_payment numeric DEFAULT NULL, max_payment numeric DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.currency
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_update_wrapper';
COMMENT ON FUNCTION credits.currency_update IS
'Changes a currency, except its code and decimals. NULL leaves a value unchanged.

currency: its code.
name: what people call it.
kind: ''credit'' for a credit unit, ''fiat'' for money.
symbol: for display.
active: false refuses new grants, debits and usage (PC008); true accepts them again.
min_payment: the smallest payment in it, in major units; ''infinity'' removes the limit.
max_payment: the largest payment in it, in major units; ''infinity'' removes the limit.
metadata: the application''s own data.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.currency_update(''USD'', min_payment => 5, max_payment => 500);';

CREATE VIEW credits.currencies AS
SELECT c.currency, c.name, c.decimals::integer AS decimals, c.kind, c.symbol, c.active, c.min_payment, c.max_payment,
       c.metadata, c.created_at
FROM credits_internal.currencies c;
COMMENT ON VIEW credits.currencies IS 'Every currency: credit units and money.';
COMMENT ON COLUMN credits.currencies.currency IS 'Its code: ''CREDIT'', ''USD''.';
COMMENT ON COLUMN credits.currencies.name IS 'What people call it.';
COMMENT ON COLUMN credits.currencies.decimals IS 'The most decimals that an amount may have, 0 to 18. Fixed.';
COMMENT ON COLUMN credits.currencies.kind IS '''credit'' for a credit unit, ''fiat'' for money.';
COMMENT ON COLUMN credits.currencies.symbol IS 'For display: ''$''.';
COMMENT ON COLUMN credits.currencies.active IS 'Whether it takes new grants, debits and usage.';
COMMENT ON COLUMN credits.currencies.min_payment IS 'The smallest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currencies.max_payment IS 'The largest payment in this currency; NULL for no limit.';
COMMENT ON COLUMN credits.currencies.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.currencies.created_at IS 'When it was created.';

-- Customers.

CREATE TYPE credits.customer AS (
    customer_id text, name text, email text, metadata jsonb, created_at timestamptz, updated_at timestamptz);
COMMENT ON TYPE credits.customer IS 'A customer, as customer_upsert() returns it.';
COMMENT ON COLUMN credits.customer.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customer.name IS 'The name of the person or company.';
COMMENT ON COLUMN credits.customer.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customer.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.customer.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customer.updated_at IS 'When it last changed.';

CREATE FUNCTION credits.customer_upsert(
    customer_id text, name text DEFAULT NULL, email text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_upsert_wrapper';
COMMENT ON FUNCTION credits.customer_upsert IS
'Creates a customer or updates one. NULL leaves a value unchanged.

customer_id: the application''s own key, 1 to 255 characters.
name: the name of the person or company.
email: an address; it is not checked.
metadata: the application''s own data.

Raises PC013.
Example: SELECT * FROM credits.customer_upsert(''ann'', name => ''Ann Lee'', email => ''ann@example.com'');';

CREATE TYPE credits.erasure AS (customer_id text, erased_at timestamptz);
COMMENT ON TYPE credits.erasure IS 'What customer_erase() returns.';
COMMENT ON COLUMN credits.erasure.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.erasure.erased_at IS 'When the person was first erased.';

CREATE FUNCTION credits.customer_erase(customer_id text)
RETURNS credits.erasure
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_erase_wrapper';
COMMENT ON FUNCTION credits.customer_erase IS
'Forgets the person and keeps the ledger.

customer_id: the customer.

It clears name, email and metadata; payment methods, also in the outbox; the addresses of purchases; and what payment
providers sent, and will send, including why a payment failed. Auto-recharge is switched off (outbox:
''recharge.disabled''), and a request that no worker has begun is canceled.

What the application wrote with usage, spending and purchases stays: see customer_metadata_clear().

A repeat clears what came since, and returns when it was first done.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_erase(''ann'');';

CREATE TYPE credits.metadata_clearance AS (cleared bigint, waiting bigint);
COMMENT ON TYPE credits.metadata_clearance IS 'What customer_metadata_clear() returns.';
COMMENT ON COLUMN credits.metadata_clearance.cleared IS 'How many rows had something.';
COMMENT ON COLUMN credits.metadata_clearance.waiting IS
'Rows of the inbox that still have it, since it may decide their price: call again once they are settled.';

CREATE FUNCTION credits.customer_metadata_clear(customer_id text)
RETURNS credits.metadata_clearance
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_metadata_clear_wrapper';
COMMENT ON FUNCTION credits.customer_metadata_clear IS
'Clears what the application wrote with a customer''s usage, spending, grants and purchases.

customer_id: the customer.

It clears metadata and source_data of meter events and of rejected rows of the inbox; metadata and descriptions of
operations, holds and top-ups; metadata of grants; and the reasons of cancellations and voids. No amount, line, key or
identifier is touched. If a price depends on one value of an event''s metadata, that value stays.

It locks the customer''s accounts until the transaction ends, and takes longer the more events there are.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_metadata_clear(''ann'');';

CREATE VIEW credits.customers AS
SELECT c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, c.erased_at
FROM credits_internal.customers c;
COMMENT ON VIEW credits.customers IS 'Every customer, erased ones too.';
COMMENT ON COLUMN credits.customers.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.customers.name IS 'The name of the person or company; NULL once erased.';
COMMENT ON COLUMN credits.customers.email IS 'The customer''s address, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customers.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.customers.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.customers.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.customers.erased_at IS 'When customer_erase() cleared the person; NULL otherwise.';

-- Accounts: their limits.

CREATE TYPE credits.account AS (
    customer_id text, currency text, overdraft_limit numeric, low_balance_threshold numeric);
COMMENT ON TYPE credits.account IS 'An account''s limits, as account_configure() returns them.';
COMMENT ON COLUMN credits.account.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.account.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.account.overdraft_limit IS 'The most usage that the account may owe; NULL for no limit.';
COMMENT ON COLUMN credits.account.low_balance_threshold IS
'The balance is low while less than this is available; NULL for none.';

CREATE FUNCTION credits.account_configure(
    customer_id text, currency text DEFAULT NULL, overdraft_limit numeric DEFAULT NULL,
    low_balance_threshold numeric DEFAULT NULL)
RETURNS credits.account
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'account_configure_wrapper';
COMMENT ON FUNCTION credits.account_configure IS
'Sets how much an account may owe, and when its balance is low. NULL leaves a value unchanged; ''infinity'' removes a
limit.

customer_id: the customer.
currency: the currency of the account; NULL for credits.default_currency.
overdraft_limit: the most usage that the account may owe, in credits. An event that would exceed it is refused in full
  (PC001).
low_balance_threshold: the balance is low while less than this many credits are available: see is_low of the view
  wallets.

Raises PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.account_configure(''ann'', overdraft_limit => 50, low_balance_threshold => 10);';

-- Balances and wallets.

CREATE TYPE credits.balance AS (
    currency text, available numeric, restricted numeric, held numeric, pending numeric, next_expiry_at timestamptz,
    next_expiry_amount numeric);
COMMENT ON TYPE credits.balance IS 'One account''s balance, as wallet_balance() returns it.';
COMMENT ON COLUMN credits.balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.balance.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.balance.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.balance.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.balance.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.balance.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.balance.next_expiry_amount IS 'How many credits expire then; NULL where none do.';

CREATE FUNCTION credits_internal.balance_now(customer_id text, currency text, or_null boolean DEFAULT false)
RETURNS credits.balance
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'balance_now_wrapper';
COMMENT ON FUNCTION credits_internal.balance_now IS
'Works out an account from everything that has happened by now.

For wallet_balance() and the views. NULL without a currency.

customer_id: the customer.
currency: the currency of the account.
or_null: true returns NULL, with a warning, where the account''s rows are damaged.

Raises PC008, PC013.';

CREATE VIEW credits_internal.stored_balances AS
SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending,
       a.next_change_at < 'infinity' AS changes,
       a.defers OR (a.next_change_at < 'infinity' AND a.next_change_at <= credits.clock()) AS due
FROM credits_internal.accounts a;
COMMENT ON VIEW credits_internal.stored_balances IS
'Accounts as their rows have them. For wallet_balance().

changes says whether time alone will change something; due whether something may have happened that nothing has
posted, so that the row is not the last word.';

-- Not a call but a query, which takes the place of the call in the caller's own: a balance costs little more than its
-- row. Whoever may run it reads the view with the owner's rights. What the row cannot answer is asked of balance_now,
-- once (OFFSET 0) and only where it is wanted.
CREATE FUNCTION credits.wallet_balance(customer_id text, currency text DEFAULT NULL)
RETURNS SETOF credits.balance
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(a.currency, (n.now).currency),
           CASE WHEN a.due IS FALSE THEN a.available ELSE (n.now).available END,
           CASE WHEN a.due IS FALSE THEN a.restricted ELSE (n.now).restricted END,
           CASE WHEN a.due IS FALSE THEN a.held ELSE (n.now).held END,
           CASE WHEN a.due IS FALSE THEN a.pending ELSE (n.now).pending END,
           (coalesce(n.now, n.expiry)).next_expiry_at, (coalesce(n.now, n.expiry)).next_expiry_amount
    FROM (SELECT 1) AS once
    LEFT JOIN credits_internal.stored_balances a ON a.customer_id = $1 AND ($2 IS NULL OR a.currency = $2)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.due IS NOT FALSE THEN credits_internal.balance_now($1, coalesce(a.currency, $2)) END AS now,
               CASE WHEN a.due IS FALSE AND a.changes THEN credits_internal.balance_now($1, a.currency) END AS expiry
        OFFSET 0) n
    WHERE a.customer_id IS NOT NULL OR $2 IS NOT NULL OR n.now IS NOT NULL;
END;
COMMENT ON FUNCTION credits.wallet_balance IS
'Returns what a customer has at this moment, whether or not any job has run: one row per account.

customer_id: the customer.
currency: the currency of the account; NULL for all accounts.

With a currency it returns exactly one row, with zeros where there is nothing. It writes nothing and runs on a
standby. It becomes part of the caller''s query, so prepared statements are fastest.

Raises PC008, PC013.
Example: SELECT * FROM credits.wallet_balance(''ann'', ''CREDIT'');';

-- Accounts whose rows are not the last word: time has changed something, or usage waits to be charged.
CREATE VIEW credits_internal.unposted AS
SELECT a.customer_id, a.currency FROM credits_internal.accounts a WHERE a.next_change_at <= credits.clock()
UNION
SELECT u.customer_id, u.currency FROM credits_internal.unsettled_events u;
COMMENT ON VIEW credits_internal.unposted IS
'Accounts in which something happened that nothing has posted yet. For the other views.';

-- Only accounts in which something is to change or usage waits cost a call (OFFSET 0 keeps the condition before the
-- call); of the others the row is right as it is.
CREATE VIEW credits.wallets AS
SELECT a.customer_id, a.currency, n.available + n.restricted AS balance, n.available, n.restricted, n.held, n.pending,
       n.next_expiry_at, n.next_expiry_amount,
       nullif(a.overdraft_limit, 'infinity') AS overdraft_limit,
       nullif(a.low_balance_threshold, 0) AS low_balance_threshold,
       n.available < a.low_balance_threshold AS is_low,
       a.created_at
FROM credits_internal.accounts a
CROSS JOIN LATERAL (SELECT a.next_change_at < 'infinity' OR a.defers AS asked OFFSET 0) q
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN credits_internal.balance_now(a.customer_id, a.currency, true) END
    AS now OFFSET 0) b
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN (b.now).available ELSE a.available END AS available,
                           CASE WHEN q.asked THEN (b.now).restricted ELSE a.restricted END AS restricted,
                           CASE WHEN q.asked THEN (b.now).held ELSE a.held END AS held,
                           CASE WHEN q.asked THEN (b.now).pending ELSE a.pending END AS pending,
                           (b.now).next_expiry_at, (b.now).next_expiry_amount) n;
COMMENT ON VIEW credits.wallets IS
'Accounts at this moment, one per customer and currency.

balance is available and restricted. The limits are those that account_configure() set. For an account whose rows
are damaged, the amounts are NULL, with a warning; verify() says what is wrong.';
COMMENT ON COLUMN credits.wallets.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.wallets.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.wallets.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.wallets.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.wallets.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.wallets.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.wallets.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.wallets.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.wallets.next_expiry_amount IS 'How many credits expire then; NULL where none do.';
COMMENT ON COLUMN credits.wallets.overdraft_limit IS 'The most usage that the account may owe; NULL for no limit.';
COMMENT ON COLUMN credits.wallets.low_balance_threshold IS
'The balance is low while less than this is available; NULL for none.';
COMMENT ON COLUMN credits.wallets.is_low IS 'Whether available is below low_balance_threshold.';
COMMENT ON COLUMN credits.wallets.created_at IS 'When the account was first used.';

-- The gate before work begins.

CREATE TYPE credits.availability AS (
    can_continue boolean, reason text, available numeric, pending numeric, recharge_in_progress boolean);
COMMENT ON TYPE credits.availability IS 'The answer of credit_availability().';
COMMENT ON COLUMN credits.availability.can_continue IS 'Whether the work may begin.';
COMMENT ON COLUMN credits.availability.reason IS
'''sufficient'', ''within_max_pending'', ''recharge_in_progress'' or ''insufficient_credits''.';
COMMENT ON COLUMN credits.availability.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.availability.pending IS 'Usage that the customer owes now.';
COMMENT ON COLUMN credits.availability.recharge_in_progress IS 'Whether an auto-recharge is under way.';

CREATE FUNCTION credits.credit_availability(
    customer_id text, amount numeric DEFAULT NULL, currency text DEFAULT NULL, max_pending numeric DEFAULT 0,
    max_recharges integer DEFAULT NULL)
RETURNS credits.availability
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_availability_wrapper';
COMMENT ON FUNCTION credits.credit_availability IS
'Returns whether work that would cost so many credits may begin.

customer_id: the customer.
amount: how many credits the work would cost; NULL asks whether there are any credits at all.
currency: the currency; NULL for credits.default_currency.
max_pending: how much usage the customer may owe, in credits.
max_recharges: how many times the credits of an auto-recharge that is under way may be counted on; NULL for none.

It reserves nothing (hold_create() does) and writes nothing; an unknown customer has nothing.

reason is ''sufficient'' (and no more than max_pending is owed), ''within_max_pending'' (short, but no more than
max_pending would be owed afterwards), ''recharge_in_progress'' (short, but an auto-recharge is under way, and
max_recharges times what it brings would cover the rest) or ''insufficient_credits''.

Raises PC007, PC008, PC013.
Example: SELECT can_continue, reason FROM credits.credit_availability(''ann'', 12.5);';

-- Debits.

CREATE TYPE credits.debit AS (
    operation_id uuid, currency text, debited numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.debit IS 'A debit, as wallet_debit() returns it.';
COMMENT ON COLUMN credits.debit.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.debit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.debit.debited IS 'How many credits were taken.';
COMMENT ON COLUMN credits.debit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.debit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_debit IS
'Takes credits, all or nothing, from the usable grants in drawdown order.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.

Where there are too few it is PC001, whose DETAIL has customer_id, currency, available, requested and shortfall.
wallet_try_debit() returns the shortfall instead.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT debited, available FROM credits.wallet_debit(''ann'', 5, description => ''one picture'');';

CREATE TYPE credits.try_debit AS (
    ok boolean, shortfall numeric, operation_id uuid, currency text, debited numeric, available numeric,
    replayed boolean);
COMMENT ON TYPE credits.try_debit IS 'A debit or the shortfall, as wallet_try_debit() returns it.';
COMMENT ON COLUMN credits.try_debit.ok IS 'Whether the credits were taken.';
COMMENT ON COLUMN credits.try_debit.shortfall IS 'How many credits were missing; 0 where none were.';
COMMENT ON COLUMN credits.try_debit.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.try_debit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.try_debit.debited IS 'How many credits were taken.';
COMMENT ON COLUMN credits.try_debit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.try_debit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_try_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.try_debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_try_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_try_debit IS
'Takes credits as wallet_debit() does, but returns ok = false instead of raising an error where there are too few.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.

With ok = false, shortfall is how many were missing, nothing is written, idempotency_key stays unused and the
transaction goes on. Every other error is raised.

Raises PC002, PC003, PC007, PC008, PC013.
Example: SELECT ok, shortfall, available FROM credits.wallet_try_debit(''ann'', 5000);';

-- Corrections.

CREATE TYPE credits.adjustment AS (
    operation_id uuid, grant_id uuid, currency text, adjusted numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.adjustment IS 'A correction, as wallet_adjust() returns it.';
COMMENT ON COLUMN credits.adjustment.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.adjustment.grant_id IS 'The new grant; NULL where credits were taken.';
COMMENT ON COLUMN credits.adjustment.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.adjustment.adjusted IS 'The signed amount: above zero credits were added, below zero taken.';
COMMENT ON COLUMN credits.adjustment.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.adjustment.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_adjust(
    customer_id text, amount numeric, reason text, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.adjustment
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_adjust_wrapper';
COMMENT ON FUNCTION credits.wallet_adjust IS
'Corrects a balance for something that happened elsewhere.

customer_id: the customer.
amount: how many credits, signed. Above zero it adds a grant; below zero it takes available credits, and more than is
  available is PC001.
reason: above zero ''external_topup'' (a paid grant), ''gift'' or another (a promotional one). Below zero ''refund''
  (their price was paid back; ledger type ''refund''), ''charge'' (they were spent; ''debit'') or ''correction'' (they
  were never due; ''adjustment''). ''external_topup'' and ''gift'' only add.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
expires_at: until when the added credits can be spent; NULL for ever.
description: for people; the ledger line has it.
metadata: the application''s own data.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.wallet_adjust(''ann'', 50, ''gift'', description => ''sorry for the outage'');';

-- Transfers between customers.

CREATE TYPE credits.transfer AS (
    operation_id uuid, to_customer_id text, currency text, transferred numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.transfer IS 'A transfer, as wallet_transfer() returns it.';
COMMENT ON COLUMN credits.transfer.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.transfer.to_customer_id IS 'The recipient.';
COMMENT ON COLUMN credits.transfer.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.transfer.transferred IS 'How many credits were moved.';
COMMENT ON COLUMN credits.transfer.available IS 'What a plain debit of the sender may take afterwards.';
COMMENT ON COLUMN credits.transfer.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_transfer(
    customer_id text, to_customer_id text, amount numeric, currency text DEFAULT NULL,
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.transfer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_transfer_wrapper';
COMMENT ON FUNCTION credits.wallet_transfer IS
'Moves available credits to another customer, all or nothing, from the grants that a debit would draw on.

customer_id: the sender.
to_customer_id: the recipient, who is created where missing.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
description: for people; both ledger lines have it.
metadata: the application''s own data.

Each part arrives as a grant of its own with the category, priority, expiry, cost basis, name and metadata of the
grant that it came from. What the recipient owes is paid first.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.wallet_transfer(''ann'', ''ben'', 20);';

-- Which grants pay first.

CREATE TYPE credits.drawdown AS (
    grant_id uuid, amount numeric, remaining_after numeric, decided_by text, category text, priority integer,
    expires_at timestamptz);
COMMENT ON TYPE credits.drawdown IS 'A grant in the order of drawdown, as explain_drawdown() returns it.';
COMMENT ON COLUMN credits.drawdown.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.drawdown.amount IS 'How much the grant would pay.';
COMMENT ON COLUMN credits.drawdown.remaining_after IS 'What would remain of the grant.';
COMMENT ON COLUMN credits.drawdown.decided_by IS
'The first rule that puts the grant before the next: ''priority'', ''expires_at'', ''category'', ''effective_at'',
''age'' or ''only grant''.';
COMMENT ON COLUMN credits.drawdown.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.drawdown.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.drawdown.expires_at IS 'From when on its credits cannot be spent; NULL for never.';

CREATE FUNCTION credits.explain_drawdown(
    customer_id text, amount numeric, currency text DEFAULT NULL, event_name text DEFAULT NULL)
RETURNS SETOF credits.drawdown
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'explain_drawdown_wrapper';
COMMENT ON FUNCTION credits.explain_drawdown IS
'Shows which grants would pay a debit or an event at this moment, in order.

customer_id: the customer.
amount: how many credits the debit or the event costs.
currency: the currency; NULL for credits.default_currency.
event_name: the meter whose usage is to be paid; NULL for a plain debit.

It changes nothing, and raises what the spend itself would.

Raises PC001, PC003, PC004, PC005, PC007, PC008, PC013.
Example: SELECT grant_id, amount, remaining_after, decided_by FROM credits.explain_drawdown(''ann'', 250);';

-- Holds.

CREATE TYPE credits.hold AS (
    hold_id uuid, customer_id text, currency text, status text, amount numeric, captured numeric, released numeric,
    expires_at timestamptz, available numeric, replayed boolean);
COMMENT ON TYPE credits.hold IS
'A hold, as hold_create(), hold_capture() and hold_release() return it. The view holds has all of them.';
COMMENT ON COLUMN credits.hold.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.hold.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.hold.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.hold.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.hold.amount IS 'What was set aside.';
COMMENT ON COLUMN credits.hold.captured IS 'What was spent of it.';
COMMENT ON COLUMN credits.hold.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.hold.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.hold.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.hold.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.hold_create(
    customer_id text, amount numeric, currency text DEFAULT NULL, expires_in interval DEFAULT '15 minutes',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_create_wrapper';
COMMENT ON FUNCTION credits.hold_create IS
'Sets credits aside for work in progress, all or nothing, from the grants that a debit would draw on.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
expires_in: how long the hold lasts: at most ten years, on the calendar in UTC. After that it counts as released,
  whether or not any job has run.
idempotency_key: a repeat with the same key returns the hold as it stands now with replayed = true; NULL for none.
description: for people; the ledger lines have it.
metadata: the application''s own data.

The credits leave available at once. If a grant ends meanwhile, what is held of it is not affected.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT hold_id, expires_at FROM credits.hold_create(''ann'', 20, expires_in => ''10 minutes'');';

CREATE FUNCTION credits.hold_capture(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_capture_wrapper';
COMMENT ON FUNCTION credits.hold_capture IS
'Spends an open hold, or part of it, and gives the rest back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.
amount: how many credits to spend; NULL for all of it. Zero is a release, more than is held is PC007.
description: for people; the ledger lines have it instead of the hold''s. NULL keeps the hold''s.
metadata: the application''s own data, instead of the hold''s. NULL keeps the hold''s.

The newest draw goes back first. What goes back to a grant that has ended meanwhile ends the same way at once.

The same amount again is a repeat (replayed = true); another amount is PC010, and so is a hold that was released or
expired.

Raises PC007, PC010, PC013.
Example: SELECT * FROM credits.hold_capture(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''),
  12.5);';

CREATE FUNCTION credits.hold_release(customer_id text, hold_id uuid)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_release_wrapper';
COMMENT ON FUNCTION credits.hold_release IS
'Gives all of an open hold back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.

For a hold that was released or has expired nothing happens (replayed = true). One that was captured, or never
existed, is PC010.

Raises PC010, PC013.
Example: SELECT * FROM credits.hold_release(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''));';

CREATE VIEW credits.holds AS
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, 0::numeric AS released, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at > credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, 'expired', h.amount, h.captured, h.amount, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.expires_at
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at <= credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at
FROM credits_internal.holds h WHERE h.status <> 'open';
COMMENT ON VIEW credits.holds IS
'Every hold at this moment.

A hold that has expired shows as ''expired'' from that moment, whether or not anything has posted it. What is set aside
now: status = ''open''.';
COMMENT ON COLUMN credits.holds.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.holds.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.holds.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.holds.status IS '''open'', ''captured'', ''released'' or ''expired''.';
COMMENT ON COLUMN credits.holds.amount IS 'What was set aside.';
COMMENT ON COLUMN credits.holds.captured IS 'What was spent of it.';
COMMENT ON COLUMN credits.holds.released IS 'What went back to its grants.';
COMMENT ON COLUMN credits.holds.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.holds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.holds.capture_description IS 'The caller''s description of what was spent.';
COMMENT ON COLUMN credits.holds.capture_metadata IS 'The application''s own data about what was spent.';
COMMENT ON COLUMN credits.holds.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.holds.expires_at IS 'From when on it counts as released.';
COMMENT ON COLUMN credits.holds.closed_at IS 'When it was captured or released, or expired; NULL while it is open.';

-- The plain way to add credits.

CREATE TYPE credits.credit AS (
    grant_id uuid, currency text, credited numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.credit IS 'Credits added, as wallet_credit() returns it.';
COMMENT ON COLUMN credits.credit.grant_id IS 'The new grant.';
COMMENT ON COLUMN credits.credit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.credit.credited IS 'How many credits were added.';
COMMENT ON COLUMN credits.credit.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.credit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.wallet_credit(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.credit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_credit_wrapper';
COMMENT ON FUNCTION credits.wallet_credit IS
'Adds credits: a grant that never expires, at priority 50.

customer_id: the customer, who is created where missing.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
category: ''promotional'' or ''paid''.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
description: the name of the grant.
metadata: the application''s own data.

The credits pay pending usage first, so available may rise by less than was credited. For other terms see
credit_grant().

Raises PC002, PC007, PC008, PC013.
Example: SELECT credited, available FROM credits.wallet_credit(''ann'', 100, idempotency_key => ''order-17'');';

-- Credit grants.

CREATE TYPE credits.credit_grant AS (
    grant_id uuid, customer_id text, currency text, status text, amount numeric, remaining numeric, category text,
    priority integer, effective_at timestamptz, expires_at timestamptz, applicable_meters text[], cost_basis numeric,
    name text, granted_by text, metadata jsonb, created_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.credit_grant IS
'A credit grant, as credit_grant() and the functions that change a grant return it. The view grants has all of them.';
COMMENT ON COLUMN credits.credit_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.credit_grant.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.credit_grant.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.credit_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'' or ''voided''.';
COMMENT ON COLUMN credits.credit_grant.amount IS 'What was granted.';
COMMENT ON COLUMN credits.credit_grant.remaining IS 'What can still be spent.';
COMMENT ON COLUMN credits.credit_grant.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.credit_grant.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.credit_grant.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.credit_grant.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.credit_grant.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.credit_grant.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.credit_grant.name IS 'What people call it.';
COMMENT ON COLUMN credits.credit_grant.granted_by IS 'Who granted it.';
COMMENT ON COLUMN credits.credit_grant.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.credit_grant.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.credit_grant.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.credit_grant(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    name text DEFAULT NULL, priority integer DEFAULT 50, effective_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, applicable_meters text[] DEFAULT NULL, cost_basis numeric DEFAULT NULL,
    granted_by text DEFAULT NULL, idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_wrapper';
COMMENT ON FUNCTION credits.credit_grant IS
'Grants credits under one set of terms and returns the grant.

customer_id: the customer, who is created where missing.
amount: how many credits: positive, with no more decimals than the currency has.
currency: the currency; NULL for credits.default_currency.
category: ''promotional'' or ''paid''.
name: what people call the grant.
priority: 0 to 100, lower is used first.
effective_at: from when on they can be spent; NULL for now. Until then status is ''pending''. Up to 5 minutes before
  now counts as now, earlier is PC013.
expires_at: until when they can be spent; NULL for ever.
applicable_meters: the event names that they may pay for; NULL for anything.
cost_basis: what was paid for one credit, in money; NULL where that is not known.
granted_by: who granted them.
idempotency_key: a repeat with the same key returns the first grant with replayed = true; NULL for none.
metadata: the application''s own data.

The account is created where missing. The credits pay pending usage first.

Imports that set credits.allow_backdating may give an earlier effective_at: the grant and its lines then have that
time, which must not be before the account''s last line. If expires_at has passed as well, the credits are granted and
expire in the same posting, whose last line is that end.

Raises PC002, PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.credit_grant(''ann'', 500, name => ''Welcome'',
  expires_at => now() + interval ''30 days'');';

CREATE FUNCTION credits.credit_grant_void(customer_id text, grant_id uuid, reason text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_void_wrapper';
COMMENT ON FUNCTION credits.credit_grant_void IS
'Takes a grant back now: what remains is gone (ledger type ''void'').

customer_id: the customer.
grant_id: the grant.
reason: why; it is kept with the grant.

What was spent stays spent; what is held ends when it comes back. A grant that was to take effect later never does.
One that has ended already stays as it is (replayed = true).

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_void(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';

CREATE FUNCTION credits.credit_grant_expire(customer_id text, grant_id uuid)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_expire_wrapper';
COMMENT ON FUNCTION credits.credit_grant_expire IS
'Lets a grant expire now: as credit_grant_void(), but what remains counts as expired (breakage), not as taken back.

customer_id: the customer.
grant_id: the grant.

expires_at stays what it was; ended_at in the view grants says when the grant ended.

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_expire(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';

CREATE FUNCTION credits.credit_grant_update(
    customer_id text, grant_id uuid, name text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    priority integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_update_wrapper';
COMMENT ON FUNCTION credits.credit_grant_update IS
'Changes a grant''s name, metadata, priority or expiry, never its amount. NULL leaves a value unchanged.

customer_id: the customer.
grant_id: the grant.
name: what people call the grant.
metadata: the application''s own data.
priority: 0 to 100, lower is used first.
expires_at: until when its credits can be spent; ''infinity'' for ever.

Priority and expiry of a grant that has ended cannot be changed.

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_update(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), priority => 10);';

CREATE TYPE credits_internal.due_grant AS (grant_id uuid, status text, remaining numeric, lapsed numeric);
COMMENT ON TYPE credits_internal.due_grant IS 'What due_grants() returns.';
COMMENT ON COLUMN credits_internal.due_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.due_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'' or ''voided''.';
COMMENT ON COLUMN credits_internal.due_grant.remaining IS 'What can still be spent.';
COMMENT ON COLUMN credits_internal.due_grant.lapsed IS
'What expired, was voided, or was taken back because its price was paid back.';

CREATE FUNCTION credits_internal.due_grants(customer_id text, currency text)
RETURNS SETOF credits_internal.due_grant
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_grants_wrapper';
COMMENT ON FUNCTION credits_internal.due_grants IS
'Returns an account''s grants that time has changed and nothing has posted yet, as they stand now.

For the view grants. Writes nothing.

customer_id: the customer.
currency: the currency of the account.

Raises PC013.';

CREATE VIEW credits.grants AS
SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, coalesce(d.status, g.status) AS status, g.amount,
       n.remaining, coalesce(h.held, 0) AS held, g.amount - n.remaining - coalesce(h.held, 0) - n.lapsed AS consumed,
       n.lapsed, g.priority::integer AS priority, g.effective_at, nullif(g.expires_at, 'infinity') AS expires_at,
       g.ended_at, g.ended_reason,
       g.applicable_meters, g.cost_basis, g.granted_by, g.transferred_from, g.metadata, g.created_at
FROM credits_internal.credit_grants g
JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
LEFT JOIN (SELECT x.customer_id, c.grant_id, c.status, c.remaining, c.lapsed
           FROM credits_internal.unposted x
               CROSS JOIN LATERAL credits_internal.due_grants(x.customer_id, x.currency) c) d
       ON d.customer_id = g.customer_id AND d.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' AND o.expires_at > credits.clock()
           GROUP BY o.customer_id, p.grant_id) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT coalesce(d.remaining, CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor
        ELSE g.remaining END)
               AS remaining,
           coalesce(d.lapsed, g.lapsed) AS lapsed) n;
COMMENT ON VIEW credits.grants IS
'Credit grants at this moment.

amount is what was granted. remaining can be spent (from effective_at), held is set aside, lapsed expired, was voided
or was taken back because its price was paid back; consumed is the rest: spent, transferred or corrected. For an
account whose rows are damaged, grants are as they were posted, with a warning.';
COMMENT ON COLUMN credits.grants.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.grants.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.grants.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grants.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.grants.name IS 'What people call it.';
COMMENT ON COLUMN credits.grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'' or ''voided''.';
COMMENT ON COLUMN credits.grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits.grants.remaining IS 'What can still be spent.';
COMMENT ON COLUMN credits.grants.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.grants.consumed IS 'What was spent, transferred or corrected.';
COMMENT ON COLUMN credits.grants.lapsed IS
'What expired, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits.grants.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.grants.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.grants.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.grants.ended_at IS 'When it was voided or expired by hand; NULL otherwise.';
COMMENT ON COLUMN credits.grants.ended_reason IS 'Why it was voided, as the caller said.';
COMMENT ON COLUMN credits.grants.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.grants.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.grants.granted_by IS 'Who granted it.';
COMMENT ON COLUMN credits.grants.transferred_from IS
'The customer that the credits came from; NULL unless a transfer created it.';
COMMENT ON COLUMN credits.grants.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.grants.created_at IS 'When it was created.';

-- Reports on grants.

CREATE TYPE credits.grant_summary AS (
    currency text, granted numeric, remaining numeric, usable_grants bigint, scheduled numeric);
COMMENT ON TYPE credits.grant_summary IS
'A customer''s grants in one currency, as credit_grant_summary() returns them.';
COMMENT ON COLUMN credits.grant_summary.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_summary.granted IS 'Credits of all grants that ever took effect.';
COMMENT ON COLUMN credits.grant_summary.remaining IS 'What is left of them, not counting held credits.';
COMMENT ON COLUMN credits.grant_summary.usable_grants IS 'How many grants can be spent from.';
COMMENT ON COLUMN credits.grant_summary.scheduled IS 'Credits that take effect later.';

CREATE FUNCTION credits.credit_grant_summary(customer_id text)
RETURNS SETOF credits.grant_summary
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_summary_wrapper';
COMMENT ON FUNCTION credits.credit_grant_summary IS
'Sums up a customer''s grants: one row per currency.

customer_id: the customer.

It writes nothing.

Raises PC013.
Example: SELECT * FROM credits.credit_grant_summary(''ann'');';

CREATE TYPE credits.grant_holder AS (
    customer_id text, currency text, balance numeric, available numeric, restricted numeric);
COMMENT ON TYPE credits.grant_holder IS 'A customer with a balance, as credit_grant_holders() returns it.';
COMMENT ON COLUMN credits.grant_holder.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.grant_holder.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_holder.balance IS 'Available and restricted credits at this moment.';
COMMENT ON COLUMN credits.grant_holder.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.grant_holder.restricted IS 'What only the events of certain meters may take.';

CREATE FUNCTION credits.credit_grant_holders(
    currency text DEFAULT NULL, page_size integer DEFAULT 50, after text DEFAULT NULL,
    after_balance numeric DEFAULT NULL)
RETURNS SETOF credits.grant_holder
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_holders_wrapper';
COMMENT ON FUNCTION credits.credit_grant_holders IS
'Lists customers with a balance at this moment, largest first.

currency: the currency; NULL for the largest of each currency, page_size of each.
page_size: 1 to 1,000 customers.
after: the customer_id of the last row of the previous page, within one currency; NULL for the first page.
after_balance: the balance of that row. Without it the customer''s present balance counts, and the page may skip or
  repeat customers where that has changed.

It writes nothing.

Raises PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.credit_grant_holders(''CREDIT'', page_size => 10);';

CREATE TYPE credits.grant_stats AS (
    currency text, day date, grants bigint, granted numeric, remaining numeric, consumed numeric);
COMMENT ON TYPE credits.grant_stats IS 'The grants of a day, or of all days, as credit_grant_stats() returns them.';
COMMENT ON COLUMN credits.grant_stats.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grant_stats.day IS 'The day in time_zone; NULL in the row for all of them.';
COMMENT ON COLUMN credits.grant_stats.grants IS 'How many grants were made.';
COMMENT ON COLUMN credits.grant_stats.granted IS 'The credits granted.';
COMMENT ON COLUMN credits.grant_stats.remaining IS 'What is left of them now.';
COMMENT ON COLUMN credits.grant_stats.consumed IS 'What was spent of them by now.';

CREATE FUNCTION credits.credit_grant_stats(
    currency text DEFAULT NULL, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    category text DEFAULT NULL, granted_by text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS SETOF credits.grant_stats
LANGUAGE c STABLE ROWS 30 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_stats_wrapper';
COMMENT ON FUNCTION credits.credit_grant_stats IS
'Counts the grants made in a period: per currency one row for all (day NULL), then one per day that had any.

currency: only this currency; NULL for all.
start_at: from when on (included); NULL for no bound.
end_at: until when (not included); NULL for no bound.
category: only this category; NULL for both.
granted_by: only grants by this one; NULL for all.
time_zone: the time zone that says where days begin.

Held, expired and voided credits are in neither remaining nor consumed; transferred credits count as consumed; what
arrived by a transfer is no grant of its own here. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.credit_grant_stats(''CREDIT'', now() - interval ''30 days'', now());';

-- The history of an account.

CREATE TYPE credits.ledger_line AS (
    currency text, line_no bigint, type text, amount numeric, running_balance numeric, held numeric, pending numeric,
    grant_id uuid, grant_name text, operation_id uuid, identifier text, event_name text, unit text, quantity numeric,
    description text, metadata jsonb, effective_at timestamptz, created_at timestamptz);
COMMENT ON TYPE credits.ledger_line IS 'A line of the ledger, as wallet_history() returns it.';
COMMENT ON COLUMN credits.ledger_line.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.ledger_line.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.ledger_line.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.ledger_line.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.ledger_line.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.ledger_line.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.ledger_line.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.ledger_line.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.ledger_line.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.ledger_line.operation_id IS 'The operation, or the hold, that moved the credits.';
COMMENT ON COLUMN credits.ledger_line.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.ledger_line.event_name IS 'The meter.';
COMMENT ON COLUMN credits.ledger_line.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.ledger_line.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.ledger_line.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.ledger_line.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.ledger_line.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.ledger_line.created_at IS 'When the line was posted.';

CREATE FUNCTION credits.wallet_history(
    customer_id text, currency text DEFAULT NULL, page_size integer DEFAULT 50, before bigint DEFAULT NULL)
RETURNS SETOF credits.ledger_line
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_history_wrapper';
COMMENT ON FUNCTION credits.wallet_history IS
'Returns a customer''s ledger lines, newest first.

customer_id: the customer.
currency: the currency; NULL for the newest of all currencies.
page_size: 1 to 1,000 lines.
before: the line_no of the last line of the previous page, within one currency; NULL for the newest.

It shows what is posted: CALL maintain() first to include what fell due meanwhile, such as grants that expired.

Raises PC008, PC013.
Example: SELECT line_no, type, amount, running_balance FROM credits.wallet_history(''ann'', page_size => 20);';

CREATE TYPE credits.past_balance AS (
    currency text, as_of timestamptz, balance numeric, available numeric, restricted numeric, held numeric,
    pending numeric);
COMMENT ON TYPE credits.past_balance IS 'One account''s balance at a past moment, as wallet_balance_at() returns it.';
COMMENT ON COLUMN credits.past_balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.past_balance.as_of IS 'The moment.';
COMMENT ON COLUMN credits.past_balance.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.past_balance.available IS 'What a plain debit could have taken.';
COMMENT ON COLUMN credits.past_balance.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.past_balance.held IS 'Credits that were set aside.';
COMMENT ON COLUMN credits.past_balance.pending IS 'Usage that was owed.';

CREATE FUNCTION credits.wallet_balance_at(
    customer_id text, currency text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
RETURNS credits.past_balance
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_balance_at_wrapper';
COMMENT ON FUNCTION credits.wallet_balance_at IS
'Returns what a customer had at a past moment.

customer_id: the customer.
currency: the currency; NULL for credits.default_currency.
as_of: the moment; required.

It comes from the ledger: everything that took effect until then counts, whenever it was posted. The cost grows with
the lines since then. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.wallet_balance_at(''ann'', as_of => now() - interval ''1 day'');';

CREATE VIEW credits.ledger AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, coalesce(l.held, 0) AS held,
       coalesce(l.pending, 0) AS pending, l.grant_id, g.name AS grant_name, g.category, l.operation_id,
       coalesce(l.function, o.function) AS function, o.reason, o.counterparty,
       coalesce(l.idempotency_key, o.idempotency_key) AS idempotency_key, l.identifier, e.event_name, m.unit,
       e.value AS quantity, coalesce(l.description, h.capture_description, o.description) AS description,
       coalesce(l.metadata, h.capture_metadata, o.metadata, e.metadata) AS metadata, l.effective_at, l.created_at
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
    AND l.type = 'capture'
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name;
COMMENT ON VIEW credits.ledger IS
'Ledger lines as posted, with what they are about.

amount, held and pending are what a line did to the balance, to the held credits and to the usage owed. The operation
of a hold''s lines is the hold; a capture has the description and metadata of hold_capture() where it was given any.
Month-end runs CALL maintain() first.';
COMMENT ON COLUMN credits.ledger.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.ledger.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.ledger.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.ledger.type IS
'''grant'' (credits took effect), ''consumption'' (they paid usage), ''debit'', ''debt'' (usage that no credit
covered), ''reversal'' (usage was canceled), ''hold'', ''capture'' (held credits were spent), ''release'' (they came
back), ''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund''.';
COMMENT ON COLUMN credits.ledger.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.ledger.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.ledger.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.ledger.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.ledger.grant_id IS 'The grant whose credits moved; NULL for a debt.';
COMMENT ON COLUMN credits.ledger.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.ledger.category IS 'The category of the grant.';
COMMENT ON COLUMN credits.ledger.operation_id IS 'The operation, or the hold, that moved the credits.';
COMMENT ON COLUMN credits.ledger.function IS 'The function that was called.';
COMMENT ON COLUMN credits.ledger.reason IS 'For an adjustment, its reason.';
COMMENT ON COLUMN credits.ledger.counterparty IS 'For a transfer, the other customer.';
COMMENT ON COLUMN credits.ledger.idempotency_key IS 'The idempotency key of the operation; NULL for none.';
COMMENT ON COLUMN credits.ledger.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.ledger.event_name IS 'The meter.';
COMMENT ON COLUMN credits.ledger.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.ledger.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.ledger.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.ledger.metadata IS 'The application''s own data, of the operation, the capture or the event.';
COMMENT ON COLUMN credits.ledger.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.ledger.created_at IS 'When the line was posted.';

-- The ledger as double entry: each line moves its credits between two accounts of the books, so that every line, and
-- with it every currency, sums to zero. Amounts are signed: what customers can spend, and what it was spent on, is
-- above zero; what was issued to them and what they owe is below.

CREATE VIEW credits.journal AS
SELECT l.customer_id, l.currency, l.line_no, l.type, x.account, x.amount, g.category, g.cost_basis, l.grant_id,
       l.operation_id, l.identifier, l.effective_at, l.created_at
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.grant_id IS NULL THEN 'debt'
                WHEN l.type = 'capture' THEN 'held'
                WHEN g.applicable_meters IS NULL THEN 'available'
                ELSE 'restricted' END AS account,
           CASE WHEN l.grant_id IS NULL THEN -l.pending WHEN l.type = 'capture' THEN l.held ELSE l.amount END
               AS amount) own
CROSS JOIN LATERAL (VALUES
    (own.account, own.amount),
    (CASE WHEN l.type IN ('grant', 'transfer', 'adjustment') THEN 'issued_' || g.category
          WHEN l.type IN ('hold', 'release') THEN 'held'
          WHEN l.type IN ('consumption', 'debit') AND l.pending IS NOT NULL THEN 'debt'
          WHEN l.type = 'reversal' AND l.operation_id IS NOT NULL THEN 'refunded'
          WHEN l.type IN ('consumption', 'debit', 'debt', 'capture', 'reversal') THEN 'spent'
          WHEN l.type = 'expiration' THEN 'expired'
          WHEN l.type = 'void' THEN 'voided'
          WHEN l.type = 'refund' THEN 'refunded' END,
     -own.amount)) AS x (account, amount);
COMMENT ON VIEW credits.journal IS
'The ledger as double entry: two rows per line that sum to zero. As posted: CALL maintain() first.

account: ''issued_paid'', ''issued_promotional'' (below zero: what customers were given; a transfer nets to zero over
  both customers), ''available'', ''restricted'', ''held'', ''spent'', ''expired'', ''voided'', ''refunded'', ''debt''
  (below zero: usage owed).

Usage that no credit covered is spent at once, without a category; what pays it later goes to ''debt'' under the
category of the grant that pays. So credits spent by category are the sum over ''spent'' and ''debt''.';
COMMENT ON COLUMN credits.journal.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.journal.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.journal.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.journal.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.journal.account IS
'''issued_paid'', ''issued_promotional'', ''available'', ''restricted'', ''held'', ''spent'', ''expired'', ''voided'',
''refunded'' or ''debt''.';
COMMENT ON COLUMN credits.journal.amount IS 'The signed amount; the two rows of a line sum to zero.';
COMMENT ON COLUMN credits.journal.category IS
'The category of the line''s grant; NULL for usage that no credit covered.';
COMMENT ON COLUMN credits.journal.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.journal.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.journal.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.journal.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.journal.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.journal.created_at IS 'When the line was posted.';

CREATE VIEW credits.trial_balance AS
SELECT j.currency, j.account, sum(j.amount) AS balance FROM credits.journal j GROUP BY j.currency, j.account
ORDER BY j.currency, j.account;
COMMENT ON VIEW credits.trial_balance IS
'The journal''s balance of each account, all customers together. As posted.

The balances of a currency sum to zero.';
COMMENT ON COLUMN credits.trial_balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.trial_balance.account IS 'The account of the books: see the view journal.';
COMMENT ON COLUMN credits.trial_balance.balance IS 'The sum of the journal''s amounts.';

-- For applications that let end users query directly: the rows of one customer, the one that credits.current_customer
-- names. What this protects against and what it does not: docs/guides/6-customers-query-directly.sql.

CREATE FUNCTION credits.current_customer()
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'current_customer_wrapper';
COMMENT ON FUNCTION credits.current_customer IS
'Returns the customer whose rows the views my_wallets, my_grants and my_ledger show: the setting
credits.current_customer.

Only roles that were allowed to may set it. NULL shows nothing.

Example: SELECT credits.current_customer();';

CREATE TYPE credits_internal.own_wallet AS (
    currency text, balance numeric, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric);
COMMENT ON TYPE credits_internal.own_wallet IS 'What own_wallets() returns.';
COMMENT ON COLUMN credits_internal.own_wallet.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.own_wallet.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits_internal.own_wallet.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits_internal.own_wallet.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits_internal.own_wallet.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits_internal.own_wallet.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits_internal.own_wallet.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits_internal.own_wallet.next_expiry_amount IS 'How many credits expire then; NULL where none do.';

-- A view's functions run with the rights of whoever reads it, and those that wallets and grants call answer for any
-- customer. So the filter is inside of functions that do not, and that return what the views show and nothing else.
CREATE FUNCTION credits_internal.own_wallets()
RETURNS SETOF credits_internal.own_wallet
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount
    FROM credits.wallets w WHERE w.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits_internal.own_wallets IS 'Returns what the view my_wallets shows.';

CREATE TYPE credits_internal.own_grant AS (
    grant_id uuid, currency text, category text, name text, status text, amount numeric, remaining numeric,
    held numeric, consumed numeric, effective_at timestamptz, expires_at timestamptz, applicable_meters text[]);
COMMENT ON TYPE credits_internal.own_grant IS 'What own_grants() returns.';
COMMENT ON COLUMN credits_internal.own_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.own_grant.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.own_grant.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits_internal.own_grant.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.own_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'' or ''voided''.';
COMMENT ON COLUMN credits_internal.own_grant.amount IS 'What was granted.';
COMMENT ON COLUMN credits_internal.own_grant.remaining IS 'What can still be spent.';
COMMENT ON COLUMN credits_internal.own_grant.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits_internal.own_grant.consumed IS 'What was spent.';
COMMENT ON COLUMN credits_internal.own_grant.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits_internal.own_grant.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits_internal.own_grant.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';

CREATE FUNCTION credits_internal.own_grants()
RETURNS SETOF credits_internal.own_grant
LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT g.grant_id, g.currency, g.category, g.name, g.status, g.amount, g.remaining, g.held, g.consumed,
           g.effective_at,
           g.expires_at, g.applicable_meters
    FROM credits.grants g WHERE g.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits_internal.own_grants IS 'Returns what the view my_grants shows.';

CREATE VIEW credits.my_wallets WITH (security_barrier) AS
SELECT w.* FROM credits_internal.own_wallets() w;
COMMENT ON VIEW credits.my_wallets IS 'The wallets of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_wallets.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_wallets.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.my_wallets.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.my_wallets.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.my_wallets.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.my_wallets.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.my_wallets.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.my_wallets.next_expiry_amount IS 'How many credits expire then; NULL where none do.';

CREATE VIEW credits.my_grants WITH (security_barrier) AS
SELECT g.* FROM credits_internal.own_grants() g;
COMMENT ON VIEW credits.my_grants IS 'The credit grants of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_grants.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.my_grants.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_grants.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.my_grants.name IS 'What people call it.';
COMMENT ON COLUMN credits.my_grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'' or ''voided''.';
COMMENT ON COLUMN credits.my_grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits.my_grants.remaining IS 'What can still be spent.';
COMMENT ON COLUMN credits.my_grants.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.my_grants.consumed IS 'What was spent.';
COMMENT ON COLUMN credits.my_grants.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.my_grants.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.my_grants.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';

CREATE VIEW credits.my_ledger WITH (security_barrier) AS
SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id, l.grant_name,
       l.identifier, l.event_name, l.unit, l.quantity, l.description, l.effective_at
FROM credits.ledger l WHERE l.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_ledger IS
'The ledger lines of credits.current_customer, as posted.

They show their descriptions: the customer can read what is written there.';
COMMENT ON COLUMN credits.my_ledger.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_ledger.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.my_ledger.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.my_ledger.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.my_ledger.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.my_ledger.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.my_ledger.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.my_ledger.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.my_ledger.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.my_ledger.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.my_ledger.event_name IS 'The meter.';
COMMENT ON COLUMN credits.my_ledger.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.my_ledger.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.my_ledger.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.my_ledger.effective_at IS 'When the balance changed.';

-- Meters.

CREATE TYPE credits.meter AS (
    event_name text, name text, currency text, unit_price numeric, aggregation text, unit text, overage text,
    active boolean, period text, settlement text, pricing jsonb);
COMMENT ON TYPE credits.meter IS
'A meter, as meter_create() and meter_update() return it. The view meters has all of them.';
COMMENT ON COLUMN credits.meter.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits.meter.name IS 'What people call it.';
COMMENT ON COLUMN credits.meter.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits.meter.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.meter.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, or the highest (''max'').';
COMMENT ON COLUMN credits.meter.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.meter.overage IS
'Usage that no credit covers is recorded as owed (''pending'') or refused (''reject'').';
COMMENT ON COLUMN credits.meter.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits.meter.period IS
'What is priced together: the events of a ''day'' or a ''month'' (UTC), or all (NULL).';
COMMENT ON COLUMN credits.meter.settlement IS
'When events are charged: ''immediate'', or ''deferred'': recorded at once and charged by settle().';
COMMENT ON COLUMN credits.meter.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';

CREATE FUNCTION credits.meter_create(
    event_name text, name text DEFAULT NULL, currency text DEFAULT NULL, unit_price numeric DEFAULT 1,
    aggregation text DEFAULT 'sum', unit text DEFAULT NULL, period text DEFAULT NULL, overage text DEFAULT 'pending',
    settlement text DEFAULT 'immediate', description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    pricing jsonb DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_create_wrapper';
COMMENT ON FUNCTION credits.meter_create IS
'Creates a meter: a billable kind of usage.

event_name: its key: what events call it, 1 to 255 characters.
name: what people call it.
currency: the currency that it charges; NULL for credits.default_currency.
unit_price: credits per unit, zero or more.
aggregation: what is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value by
  occurred_at, or the highest (''max'').
unit: for display.
period: what is priced together: the events of a ''day'' or a ''month'' (UTC), or all (NULL).
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
settlement: ''immediate'' charges at once. ''deferred'' only records, locks nothing, and is charged by settle() as of
  the report: for sum and count, without tiers or whole blocks, with overage ''pending''.
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md. NULL for unit_price.

Usage is priced event by event, except for last, max, tiers and whole blocks, which are priced by period. Prices are
rounded half away from zero to the currency''s decimals.

A meter that exists already is PC013.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.meter_create(''image.render'', unit_price => 4, unit => ''image'');';

CREATE FUNCTION credits.meter_update(
    event_name text, name text DEFAULT NULL, unit_price numeric DEFAULT NULL, unit text DEFAULT NULL,
    overage text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_update_wrapper';
COMMENT ON FUNCTION credits.meter_update IS
'Changes a meter. NULL leaves a value unchanged.

event_name: the meter.
name: what people call it.
unit_price: credits per unit, zero or more.
unit: for display.
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md.

Another unit_price or pricing, or one in place of the other, is a new version: it applies to events reported from now
on, whenever they occurred, and tiers begin anew. Earlier events keep what they were charged. The same price again
changes nothing. Currency, aggregation, period and settlement cannot be changed.

Raises PC004, PC007, PC013.
Example: SELECT event_name, unit_price FROM credits.meter_update(''llm.tokens'', unit_price => 0.002);';

CREATE TYPE credits.meter_status AS (event_name text, active boolean);
COMMENT ON TYPE credits.meter_status IS
'Whether a meter takes events, as meter_activate() and meter_deactivate() return it.';
COMMENT ON COLUMN credits.meter_status.event_name IS 'The meter.';
COMMENT ON COLUMN credits.meter_status.active IS 'Whether it takes new events.';

CREATE FUNCTION credits.meter_activate(event_name text)
RETURNS credits.meter_status
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_activate_wrapper';
COMMENT ON FUNCTION credits.meter_activate IS
'Accepts the meter''s events again.

event_name: the meter.

A repeat changes nothing.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_activate(''llm.tokens'');';

CREATE FUNCTION credits.meter_deactivate(event_name text)
RETURNS credits.meter_status
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_deactivate_wrapper';
COMMENT ON FUNCTION credits.meter_deactivate IS
'Refuses the meter''s new events from now on (PC005).

event_name: the meter.

Repeats of earlier events are still answered. A repeat of the call changes nothing.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_deactivate(''llm.tokens'');';

CREATE VIEW credits.meters AS
SELECT m.event_name, m.name, m.currency, p.unit_price, m.aggregation, m.unit, m.overage, m.active, m.period,
       m.settlement, p.pricing, p.version AS price_version, p.created_at AS price_since, m.description, m.metadata,
       m.created_at
FROM credits_internal.meters m
JOIN credits_internal.meter_prices p ON p.event_name = m.event_name AND p.version = m.price_version;
COMMENT ON VIEW credits.meters IS 'Meters and what their usage costs now.';
COMMENT ON COLUMN credits.meters.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits.meters.name IS 'What people call it.';
COMMENT ON COLUMN credits.meters.currency IS 'The currency that it charges.';
COMMENT ON COLUMN credits.meters.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.meters.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, or the highest (''max'').';
COMMENT ON COLUMN credits.meters.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.meters.overage IS
'Usage that no credit covers is recorded as owed (''pending'') or refused (''reject'').';
COMMENT ON COLUMN credits.meters.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits.meters.period IS
'What is priced together: the events of a ''day'' or a ''month'' (UTC), or all (NULL).';
COMMENT ON COLUMN credits.meters.settlement IS
'When events are charged: ''immediate'', or ''deferred'': recorded at once and charged by settle().';
COMMENT ON COLUMN credits.meters.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';
COMMENT ON COLUMN credits.meters.price_version IS 'The version of the price that new events are charged by.';
COMMENT ON COLUMN credits.meters.price_since IS 'When this price was set.';
COMMENT ON COLUMN credits.meters.description IS 'For people.';
COMMENT ON COLUMN credits.meters.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.meters.created_at IS 'When it was created.';

CREATE VIEW credits.price_versions AS
SELECT p.event_name, p.version AS price_version, p.unit_price, p.pricing, m.currency, p.created_at AS price_since
FROM credits_internal.meter_prices p LEFT JOIN credits_internal.meters m ON m.event_name = p.event_name;
COMMENT ON VIEW credits.price_versions IS
'Every price that a meter has or had. Events have the price_version that they were reported under (view usage).';
COMMENT ON COLUMN credits.price_versions.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_versions.price_version IS 'The version of the meter''s prices.';
COMMENT ON COLUMN credits.price_versions.unit_price IS 'Credits per unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.price_versions.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where unit_price is all.';
COMMENT ON COLUMN credits.price_versions.currency IS 'The currency that the meter charges.';
COMMENT ON COLUMN credits.price_versions.price_since IS 'When this price was set.';

-- Reporting usage, one event or a batch.

CREATE TYPE credits.reported_event AS (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.reported_event IS 'An event and its charge, as report_meter_event() returns it.';
COMMENT ON COLUMN credits.reported_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.reported_event.status IS
'''processed'', ''pending'' while credits are owed, or ''unsettled'' where the meter is deferred.';
COMMENT ON COLUMN credits.reported_event.consumed IS 'Credits paid for the event; below zero where credits came back.';
COMMENT ON COLUMN credits.reported_event.pending IS 'Credits still owed for the event.';
COMMENT ON COLUMN credits.reported_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled.';
COMMENT ON COLUMN credits.reported_event.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.report_meter_event(
    customer_id text, event_name text, value numeric DEFAULT 1, identifier text DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL, subscription_id text DEFAULT NULL, source_data jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.reported_event
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_event_wrapper';
COMMENT ON FUNCTION credits.report_meter_event IS
'Reports usage once per customer_id and identifier, for ever, and charges it.

customer_id: the customer.
event_name: the meter.
value: how much, in the meter''s unit; zero or more.
identifier: the reporter''s own key of the event, required, 1 to 255 characters.
occurred_at: when the usage happened; NULL for now. At most credits.event_max_future ahead and credits.event_max_age
  behind.
subscription_id: the application''s own subscription id.
source_data: the application''s own data: what the event was made of.
metadata: the application''s own data; one key of it may decide the price.

A repeat changes nothing and returns replayed = true.

PC001 is raised where the meter''s overage is ''reject'', or overdraft_limit would be exceeded.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013.
Example: SELECT status, consumed, available FROM credits.report_meter_event(''ann'', ''llm.tokens'', 2000,
  ''req-2'');';

CREATE TYPE credits.batch_event AS (
    identifier text, status text, consumed numeric, pending numeric, available numeric, replayed boolean, error text,
    message text);
COMMENT ON TYPE credits.batch_event IS 'One event of a batch, as report_meter_events() returns it.';
COMMENT ON COLUMN credits.batch_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.batch_event.status IS
'''processed'', ''pending'' while credits are owed, or ''unsettled'' where the meter is deferred.';
COMMENT ON COLUMN credits.batch_event.consumed IS 'Credits paid for the event; below zero where credits came back.';
COMMENT ON COLUMN credits.batch_event.pending IS 'Credits still owed for the event.';
COMMENT ON COLUMN credits.batch_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled.';
COMMENT ON COLUMN credits.batch_event.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.batch_event.error IS
'The code of the error that the event alone would have raised; NULL for none.';
COMMENT ON COLUMN credits.batch_event.message IS 'The error message; NULL for none.';

CREATE FUNCTION credits.report_meter_events(
    customer_ids text[], event_names text[], event_values numeric[], identifiers text[],
    occurred_ats timestamptz[] DEFAULT NULL, all_or_nothing boolean DEFAULT false)
RETURNS SETOF credits.batch_event
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

customer_ids: the customers.
event_names: the meters.
event_values: how much, in the meter''s unit.
identifiers: the reporter''s own keys of the events.
occurred_ats: when the usage happened; NULL, for one or for all, for now.
all_or_nothing: true raises the first error and writes nothing.

The arrays have one element per event. One bad event does not affect the others, nor does an account that cannot be
charged at all: its row has the error''s code (''PC004'' and so on) and message.

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013.
Example: SELECT * FROM credits.report_meter_events(ARRAY[''ann'', ''ben''], ARRAY[''llm.tokens'', ''llm.tokens''],
  ARRAY[1200, 300], ARRAY[''req-2'', ''req-3'']);';

CREATE FUNCTION credits.report_meter_events(events jsonb, all_or_nothing boolean DEFAULT false)
RETURNS SETOF credits.batch_event
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_json_wrapper';
COMMENT ON FUNCTION credits.report_meter_events(jsonb, boolean) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

events: a JSON array of objects with the keys customer_id, event_name, identifier, value (default 1; a number, or its
  digits as text), occurred_at (a time with its offset, like 2026-03-01T12:00:00Z; default now), subscription_id,
  source_data and metadata.
all_or_nothing: true raises the first error and writes nothing.

One bad event does not affect the others, nor does an account that cannot be charged at all: its row has the error''s
code and message (PC013 also for an unknown key).

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013.
Example: SELECT * FROM credits.report_meter_events(
  ''[{"customer_id": "ann", "event_name": "llm.tokens", "value": 1200, "identifier": "req-2"}]'');';

CREATE TYPE credits_internal.due_event AS (identifier text, consumed numeric, pending numeric);
COMMENT ON TYPE credits_internal.due_event IS 'What due_events() returns.';
COMMENT ON COLUMN credits_internal.due_event.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits_internal.due_event.consumed IS 'Credits that were spent.';
COMMENT ON COLUMN credits_internal.due_event.pending IS 'Usage owed: not covered by credits yet.';

CREATE FUNCTION credits_internal.due_events(customer_id text, currency text)
RETURNS SETOF credits_internal.due_event
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_events_wrapper';
COMMENT ON FUNCTION credits_internal.due_events IS
'Returns an account''s events whose pending usage time has paid and nothing has posted yet.

For the view usage. Writes nothing.

customer_id: the customer.
currency: the currency of the account.

Raises PC013.';

-- What an event that was taken back still counts for is decided here alone.
CREATE VIEW credits_internal.events AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value,
       CASE WHEN x.identifier IS NULL OR e.period_key IS NOT NULL THEN e.consumed ELSE 0 END AS consumed, e.pending,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key,
       e.grant_id, x.identifier IS NOT NULL AS canceled, x.canceled_at, x.reason AS cancel_reason, x.returned
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier;
COMMENT ON VIEW credits_internal.events IS
'Meter events as posted, with their cancellation. For the view usage, and the functions that read events.

consumed: credits paid for it; of a canceled event none, except that one priced with others of its period keeps what
  it changed of the period''s price.';

-- Taking an event's usage back.

CREATE TYPE credits.cancellation AS (
    identifier text, status text, consumed numeric, pending numeric, returned numeric, available numeric,
    replayed boolean);
COMMENT ON TYPE credits.cancellation IS 'A canceled event, as meter_event_cancel() returns it.';
COMMENT ON COLUMN credits.cancellation.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.cancellation.status IS '''canceled''.';
COMMENT ON COLUMN credits.cancellation.consumed IS
'Credits that stay charged to the event: none, unless it is priced with others of its period.';
COMMENT ON COLUMN credits.cancellation.pending IS 'Credits that stay owed for the event.';
COMMENT ON COLUMN credits.cancellation.returned IS 'Credits that came back.';
COMMENT ON COLUMN credits.cancellation.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.cancellation.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.meter_event_cancel(customer_id text, identifier text, reason text DEFAULT NULL)
RETURNS credits.cancellation
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_cancel_wrapper';
COMMENT ON FUNCTION credits.meter_event_cancel IS
'Takes one event''s usage back. The event stays, with status ''canceled'', and its identifier stays used.

customer_id: the customer.
identifier: the reporter''s own key of the event.
reason: why; it is kept with the event.

An event that is priced by itself costs nothing any more: what it owed is no longer owed; what grants paid for it
comes back to them, newest draw first, and pays what is owed otherwise. What comes back to a grant that has ended ends
the same way at once.

One that is priced with others of its period (last, max, tiers) leaves what they add up to, and the period then costs
less, the same, or more (a value that counts instead may be higher); consumed and pending are what stays with the
event.

A repeat changes nothing (replayed = true). An identifier without an event is PC013.

Raises PC007, PC013.
Example: SELECT * FROM credits.meter_event_cancel(''ann'', ''req-1'', reason => ''the request failed'');';

-- Usage: what it was, what it cost, what is owed.

CREATE TYPE credits.pending_usage AS (currency text, pending numeric);
COMMENT ON TYPE credits.pending_usage IS 'What an account owes, as pending_amount() returns it.';
COMMENT ON COLUMN credits.pending_usage.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.pending_usage.pending IS 'Usage that the customer owes.';

CREATE FUNCTION credits.pending_amount(customer_id text, currency text DEFAULT NULL)
RETURNS SETOF credits.pending_usage
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pending_amount_wrapper';
COMMENT ON FUNCTION credits.pending_amount IS
'Returns what a customer owes at this moment: usage that no credit covered yet, one row per account.

customer_id: the customer.
currency: the currency; NULL for all accounts.

With a currency it returns exactly one row. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.pending_amount(''ann'');';

CREATE TYPE credits.usage_total AS (
    event_name text, currency text, unit text, total_quantity numeric, total_credits numeric, event_count bigint,
    canceled_credits numeric);
COMMENT ON TYPE credits.usage_total IS 'A meter''s usage in a currency, as usage_summary() returns it.';
COMMENT ON COLUMN credits.usage_total.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_total.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_total.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage_total.total_quantity IS
'What the events add up to, as the meter aggregates, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_total.total_credits IS
'What the events were charged: paid, owed or unsettled, less what came back.';
COMMENT ON COLUMN credits.usage_total.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_total.canceled_credits IS 'The part of total_credits that stands with canceled events.';

CREATE FUNCTION credits.usage_summary(
    customer_id text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    event_name text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.usage_total
LANGUAGE c STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_summary_wrapper';
COMMENT ON FUNCTION credits.usage_summary IS
'Sums up a customer''s usage of a period: one row per meter and currency.

customer_id: the customer.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
event_name: only this meter; NULL for all.
currency: only this currency; NULL for all.
subscription_id: only this subscription; NULL for all.

total_quantity is what the events add up to as the meter aggregates: values added up, counted, the last or the
highest. It writes nothing.

Raises PC004, PC008, PC013.
Example: SELECT * FROM credits.usage_summary(''ann'', start_at => date_trunc(''month'', now()));';

CREATE FUNCTION credits.usage_price(
    event_name text, quantity numeric, metadata jsonb DEFAULT NULL, price_version integer DEFAULT NULL,
    price_class text DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_price_wrapper';
COMMENT ON FUNCTION credits.usage_price IS
'Returns what a quantity of a meter''s usage costs, if nothing was used before: for an estimate or a hold.

event_name: the meter.
quantity: how much, in the meter''s unit.
metadata: what an event would have, where that decides the price.
price_version: one of the meter''s earlier prices; NULL for today''s.
price_class: the name of the price, instead of metadata.

It writes nothing.

Raises PC004, PC007, PC013.
Example: SELECT credits.usage_price(''llm.tokens'', 2000);';

CREATE VIEW credits.usage AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, m.unit, e.value AS quantity,
       n.credits, n.consumed, n.pending,
       CASE WHEN e.canceled THEN 'canceled' WHEN u.identifier IS NOT NULL THEN 'unsettled'
            WHEN n.pending > 0 THEN 'pending' ELSE 'processed' END AS status,
       e.canceled_at, e.cancel_reason, e.returned,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key
FROM credits_internal.events e
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                    AND u.created_at = e.created_at AND u.identifier = e.identifier
LEFT JOIN (SELECT x.customer_id, c.identifier, c.consumed, c.pending
           FROM credits_internal.accounts x CROSS JOIN LATERAL credits_internal.due_events(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock() AND x.pending > 0) d
       ON d.customer_id = e.customer_id AND d.identifier = e.identifier
CROSS JOIN LATERAL (SELECT e.consumed + e.pending AS credits,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.consumed, e.consumed) ELSE 0 END AS consumed,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.pending, e.pending) ELSE 0 END AS pending) n;
COMMENT ON VIEW credits.usage IS
'Meter events at this moment: the quantity, the credits that it cost, what of them is paid and what is owed.

Where period_key is not NULL the event is priced with others of its period: credits are what it changed of the
period''s price, below zero where credits came back. What the period costs is in usage_by_period.';
COMMENT ON COLUMN credits.usage.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.usage.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage.quantity IS 'How much, in the meter''s unit.';
COMMENT ON COLUMN credits.usage.credits IS 'Credits that the event cost; below zero where credits came back.';
COMMENT ON COLUMN credits.usage.consumed IS 'Credits paid for the event.';
COMMENT ON COLUMN credits.usage.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.usage.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' until a deferred event is charged, or ''canceled''.';
COMMENT ON COLUMN credits.usage.canceled_at IS 'When the event was canceled; NULL otherwise.';
COMMENT ON COLUMN credits.usage.cancel_reason IS 'Why the event was canceled, as the caller said.';
COMMENT ON COLUMN credits.usage.returned IS 'Credits that came back when the event was canceled.';
COMMENT ON COLUMN credits.usage.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.usage.subscription_id IS 'The application''s own subscription id.';
COMMENT ON COLUMN credits.usage.source_data IS 'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits.usage.metadata IS 'The application''s own data; one key of it may decide the price.';
COMMENT ON COLUMN credits.usage.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits.usage.price_version IS 'The version of the meter''s prices.';
COMMENT ON COLUMN credits.usage.period_key IS
'The day, the month or ''always'' that the event is priced in; NULL where it is priced by itself.';

CREATE VIEW credits.usage_by_period AS
SELECT u.customer_id, u.event_name, u.currency, m.unit, m.aggregation, m.period,
       u.period_key, nullif(u.period_start, '-infinity') AS period_start, u.quantity, u.event_count, u.credits,
       u.price_version,
       nullif(u.price_class, '') AS price_class
FROM credits_internal.usage_periods u LEFT JOIN credits_internal.meters m ON m.event_name = u.event_name;
COMMENT ON VIEW credits.usage_by_period IS
'Usage that is priced as one (last, max, tiers, whole blocks): what its events add up to, and what that costs.

A sum or count has one row per price: price_version of the meter, and price_class where the events'' metadata decide.';
COMMENT ON COLUMN credits.usage_by_period.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_by_period.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_by_period.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_by_period.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.usage_by_period.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, or the highest (''max'').';
COMMENT ON COLUMN credits.usage_by_period.period IS '''day'' or ''month'' (UTC); NULL for one period for ever.';
COMMENT ON COLUMN credits.usage_by_period.period_key IS
'The day, the month or ''always''; for a sum or count, together with the price that its events have.';
COMMENT ON COLUMN credits.usage_by_period.period_start IS
'When the period begins, in UTC; NULL for one period for ever.';
COMMENT ON COLUMN credits.usage_by_period.quantity IS 'What the events add up to, in the meter''s unit.';
COMMENT ON COLUMN credits.usage_by_period.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_by_period.credits IS 'What the usage of the period costs.';
COMMENT ON COLUMN credits.usage_by_period.price_version IS 'The version of the meter''s prices.';
COMMENT ON COLUMN credits.usage_by_period.price_class IS
'The name of the price that the events'' metadata chose; NULL for the default.';

-- Usage over time.

CREATE TYPE credits.usage_bucket AS (
    bucket timestamptz, event_count bigint, total_value numeric, total_credits numeric, canceled_credits numeric);
COMMENT ON TYPE credits.usage_bucket IS 'The usage of a minute, hour or day, as meter_event_stats() returns it.';
COMMENT ON COLUMN credits.usage_bucket.bucket IS 'When the minute, hour or day begins.';
COMMENT ON COLUMN credits.usage_bucket.event_count IS 'How many events, not counting canceled ones.';
COMMENT ON COLUMN credits.usage_bucket.total_value IS
'What those events add up to, as the meter aggregates, in the meter''s unit.';
COMMENT ON COLUMN credits.usage_bucket.total_credits IS
'What the events were charged: paid, owed or unsettled, less what came back.';
COMMENT ON COLUMN credits.usage_bucket.canceled_credits IS
'The part of total_credits that stands with canceled events.';

CREATE FUNCTION credits.meter_event_stats(
    event_name text, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    granularity text DEFAULT 'day', customer_id text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS SETOF credits.usage_bucket
LANGUAGE c STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_stats_wrapper';
COMMENT ON FUNCTION credits.meter_event_stats IS
'Returns a meter''s usage over time: one row per minute, hour or day that has events.

event_name: the meter.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
granularity: ''minute'', ''hour'' or ''day''.
customer_id: only this customer; NULL for all.
time_zone: the time zone that says where days begin.

total_value is what the events of the row add up to, as the meter aggregates: values added up, counted, the last or
the highest (of several at one moment the one reported last, as for the charge); for all customers, each one''s last
or highest, added up.

canceled_credits is the part of total_credits that stands with canceled events. One that was priced by itself leaves
nothing. One that was priced with others of its period (tiers, last, max) leaves what those cost more (or, below zero,
less) without it than they were charged when they came: so a day without events can have credits, and the days of a
period add up to what the period costs.

It writes nothing, and reads only the events of that time, or of that customer where those are fewer.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_event_stats(''llm.tokens'', now() - interval ''7 days'',
  granularity => ''hour'');';

-- Charging the usage that waits.

CREATE FUNCTION credits.settle(batch_size integer DEFAULT 1000)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'settle_wrapper';
COMMENT ON FUNCTION credits.settle IS
'Settles one batch of usage that waits, and returns how many events it was: 0 when nothing waits.

batch_size: the most events.

First it takes rows of the inbox in their order, and charges each as report_meter_event() would have done when it was
put in (received_at), or at the account''s time where something was posted to it since; repeats are dropped, and rows
with errors are set aside. Then it charges events that deferred meters recorded, as of when they were reported.

It waits for no other session longer than a moment: what needs an account or an identifier that another session has
locked stays for a later call, and a table that cannot be read for two seconds is an error (55P03).

It may run in several sessions at once: one of them drains the inbox, the others charge what deferred meters recorded,
and say in a NOTICE that they were kept out of the inbox where there was nothing else (backlog.inbox_drained_by). An
account that cannot be worked on is left alone for a while (backlog.failed_accounts; verify() lists them), and its
rows of the inbox are set aside. CALL maintain() does this batch by batch.

Raises PC013.
Example: SELECT credits.settle();';

-- What the inbox rejected.

CREATE FUNCTION credits.inbox_retry(rejected_ids uuid[] DEFAULT NULL, error text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM credits_internal.inbox_rejected r
        WHERE ($1 IS NULL OR r.rejected_id = ANY ($1)) AND ($2 IS NULL OR r.error = $2)
        RETURNING r.*
    ), back AS (
        INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, subscription_id,
            source_data,
                                   metadata, received_at)
        SELECT g.customer_id, g.event_name, g.value, g.identifier, g.occurred_at, g.subscription_id, g.source_data,
               g.metadata, g.received_at
        FROM gone g ORDER BY g.rejected_id
        RETURNING 1
    )
    SELECT count(*) FROM back
$$;
COMMENT ON FUNCTION credits.inbox_retry IS
'Puts rejected rows back into the inbox, as of when they were received, and returns how many.

rejected_ids: which rows; NULL for all.
error: only rows with this error code; NULL for any.

It is for rows whose cause has been put right. See the view rejected_events.

Example: SELECT credits.inbox_retry(error => ''PC004'');';

CREATE FUNCTION credits.inbox_discard(rejected_ids uuid[])
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM credits_internal.inbox_rejected r WHERE r.rejected_id = ANY ($1) RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION credits.inbox_discard IS
'Deletes rejected rows for good and returns how many.

rejected_ids: which rows.

See the view rejected_events.

Example: SELECT credits.inbox_discard(
  ARRAY(SELECT rejected_id FROM credits.rejected_events WHERE error = ''PC004''));';

CREATE VIEW credits.rejected_events AS
SELECT r.rejected_id, r.customer_id, r.event_name, r.value, r.identifier, r.occurred_at, r.subscription_id,
       r.source_data,
       r.metadata, r.received_at, r.error, r.message, r.rejected_at
FROM credits_internal.inbox_rejected r;
COMMENT ON VIEW credits.rejected_events IS
'Rows of the inbox that could not be charged, with the error that report_meter_event() would have raised.

inbox_retry() puts them back once that is put right, inbox_discard() deletes them.';
COMMENT ON COLUMN credits.rejected_events.rejected_id IS
'Its id, for inbox_retry() and inbox_discard(); ids are in the order of rejection.';
COMMENT ON COLUMN credits.rejected_events.customer_id IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.event_name IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.value IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.identifier IS 'As in the inbox.';
COMMENT ON COLUMN credits.rejected_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.rejected_events.subscription_id IS 'The application''s own subscription id.';
COMMENT ON COLUMN credits.rejected_events.source_data IS 'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits.rejected_events.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.rejected_events.received_at IS 'When it was put into the inbox.';
COMMENT ON COLUMN credits.rejected_events.error IS 'The code that report_meter_event() would have raised.';
COMMENT ON COLUMN credits.rejected_events.message IS 'The error message.';
COMMENT ON COLUMN credits.rejected_events.rejected_at IS 'When it was rejected.';

-- Products.

CREATE TYPE credits.product AS (
    product_id uuid, name text, description text, credit_currency text, credits numeric, category text,
    priority integer, time_to_live interval, applicable_meters text[], metadata jsonb, active boolean,
    created_at timestamptz);
COMMENT ON TYPE credits.product IS
'A product, as product_create() and the functions that change it return it. The view products has all of them.';
COMMENT ON COLUMN credits.product.product_id IS 'The product.';
COMMENT ON COLUMN credits.product.name IS 'What people call it.';
COMMENT ON COLUMN credits.product.description IS 'For people.';
COMMENT ON COLUMN credits.product.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.product.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.product.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.product.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.product.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.product.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.product.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.product.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.product.created_at IS 'When it was created.';

CREATE FUNCTION credits.product_create(
    name text, description text DEFAULT NULL, credit_currency text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT 'paid', priority integer DEFAULT 50, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_create_wrapper';
COMMENT ON FUNCTION credits.product_create IS
'Creates a product: what one unit of it grants. What it costs is set by price_create().

name: what people call it, and its grants.
description: for people.
credit_currency: the currency of its credits; NULL for credits.default_currency.
credits: how many credits one unit grants; required.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on, on the calendar in UTC; NULL for ever. At most ten years,
  and more than nothing in every month.
applicable_meters: the event names that its grants may pay for; NULL for anything.
metadata: the application''s own data.

Raises PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.product_create(''Pack of 500'', credits => 500, time_to_live => ''1 year'');';

CREATE FUNCTION credits.product_update(
    product_id uuid, name text DEFAULT NULL, description text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_update_wrapper';
COMMENT ON FUNCTION credits.product_update IS
'Changes what a product grants from now on. NULL leaves a value unchanged.

product_id: the product.
name: what people call it, and its grants.
description: for people.
credits: how many credits one unit grants.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on.
applicable_meters: the event names that its grants may pay for.
metadata: the application''s own data.

A top-up that was created before grants what the product said then. An auto-recharge that can buy it no longer
switches itself off.

Raises PC004, PC007, PC013.
Example: SELECT * FROM credits.product_update((SELECT product_id FROM credits.products), credits => 1200);';

CREATE FUNCTION credits.product_archive(product_id uuid)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_archive_wrapper';
COMMENT ON FUNCTION credits.product_archive IS
'Takes a product off sale, with all its prices.

product_id: the product.

Nothing is deleted, and what was begun with it can still be paid. A repeat changes nothing.

Raises PC013.
Example: SELECT * FROM credits.product_archive((SELECT product_id FROM credits.products));';

CREATE VIEW credits.products AS
SELECT d.product_id, d.name, d.description, d.credit_currency, d.credits, d.category, d.priority::integer AS priority,
       d.time_to_live, d.applicable_meters, d.metadata, d.archived_at IS NULL AS active, d.created_at, d.archived_at
FROM credits_internal.products d;
COMMENT ON VIEW credits.products IS 'Every product: what is or was sold. Its prices are in the view prices.';
COMMENT ON COLUMN credits.products.product_id IS 'The product.';
COMMENT ON COLUMN credits.products.name IS 'What people call it.';
COMMENT ON COLUMN credits.products.description IS 'For people.';
COMMENT ON COLUMN credits.products.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.products.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.products.category IS 'The category of its grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.products.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.products.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.products.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.products.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.products.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.products.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';

-- Prices of products.

CREATE TYPE credits.price AS (
    price_id uuid, product_id uuid, type text, unit_amount numeric, currency text, metadata jsonb, active boolean,
    created_at timestamptz);
COMMENT ON TYPE credits.price IS
'A price, as price_create() and price_archive() return it. The view prices has all of them.';
COMMENT ON COLUMN credits.price.price_id IS 'The price.';
COMMENT ON COLUMN credits.price.product_id IS 'The product.';
COMMENT ON COLUMN credits.price.type IS '''one_time''.';
COMMENT ON COLUMN credits.price.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.price.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.price.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.price.active IS 'Whether it is on sale.';
COMMENT ON COLUMN credits.price.created_at IS 'When it was created.';

CREATE FUNCTION credits.price_create(
    product_id uuid, type text DEFAULT 'one_time', unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_create_wrapper';
COMMENT ON FUNCTION credits.price_create IS
'Creates a price of a product. A price never changes: create another and archive this one.

product_id: the product.
type: ''one_time''.
unit_amount: what one unit costs, in major units; required.
currency: the currency that is paid, of kind ''fiat''; required.
metadata: the application''s own data.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.price_create((SELECT product_id FROM credits.products),
  unit_amount => 18, currency => ''USD'');';

CREATE FUNCTION credits.price_archive(price_id uuid)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_archive_wrapper';
COMMENT ON FUNCTION credits.price_archive IS
'Takes a price off sale.

price_id: the price.

What was begun with it can still be paid, and an auto-recharge that uses it switches itself off. A repeat changes
nothing.

Raises PC013, PC015.
Example: SELECT * FROM credits.price_archive((SELECT price_id FROM credits.prices));';

CREATE VIEW credits.prices AS
SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata,
       p.archived_at IS NULL AND d.archived_at IS NULL AS active, p.created_at,
       coalesce(p.archived_at, d.archived_at) AS archived_at, d.name AS product_name, d.credits, d.credit_currency
FROM credits_internal.prices p JOIN credits_internal.products d ON d.product_id = p.product_id;
COMMENT ON VIEW credits.prices IS 'Every price of every product, archived ones too.';
COMMENT ON COLUMN credits.prices.price_id IS 'The price.';
COMMENT ON COLUMN credits.prices.product_id IS 'The product.';
COMMENT ON COLUMN credits.prices.type IS '''one_time''.';
COMMENT ON COLUMN credits.prices.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.prices.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.prices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.prices.active IS 'Whether it is on sale: neither it nor its product is archived.';
COMMENT ON COLUMN credits.prices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';
COMMENT ON COLUMN credits.prices.product_name IS 'The product''s name.';
COMMENT ON COLUMN credits.prices.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.prices.credit_currency IS 'The currency of the credits.';

-- Packages: a product and its price in one.

CREATE TYPE credits.package AS (
    price_id uuid, product_id uuid, name text, credits numeric, credit_currency text, unit_amount numeric,
    price_currency text);
COMMENT ON TYPE credits.package IS 'A product with its price, as package_create() returns it.';
COMMENT ON COLUMN credits.package.price_id IS 'The price.';
COMMENT ON COLUMN credits.package.product_id IS 'The product.';
COMMENT ON COLUMN credits.package.name IS 'What people call it.';
COMMENT ON COLUMN credits.package.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.package.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.package.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.package.price_currency IS 'The currency of the price.';

CREATE FUNCTION credits.package_create(
    name text, credits numeric, unit_amount numeric, price_currency text, credit_currency text DEFAULT NULL,
    description text DEFAULT NULL, category text DEFAULT 'paid', priority integer DEFAULT 50,
    time_to_live interval DEFAULT NULL, applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.package
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'package_create_wrapper';
COMMENT ON FUNCTION credits.package_create IS
'Creates a product and its price in one call: a credit pack.

name: what people call it, and its grants.
credits: how many credits it grants.
unit_amount: its price, in major units.
price_currency: the currency that is paid, of kind ''fiat''.
credit_currency: the currency of its credits; NULL for credits.default_currency.
description: for people.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on; NULL for ever.
applicable_meters: the event names that its grants may pay for; NULL for anything.
metadata: the application''s own data.

Raises PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.package_create(''Pack of 5,000'', 5000, 80, ''USD'', time_to_live => ''1 year'');';

CREATE VIEW credits.packages AS
SELECT p.price_id, d.product_id, d.name, d.description, d.credits, d.credit_currency, p.unit_amount,
       p.currency AS price_currency, d.category, d.priority::integer AS priority, d.time_to_live, d.applicable_meters,
       d.metadata, p.created_at
FROM credits_internal.prices p JOIN credits_internal.products d ON d.product_id = p.product_id
WHERE p.archived_at IS NULL AND d.archived_at IS NULL;
COMMENT ON VIEW credits.packages IS 'What is on sale: each price with its product.';
COMMENT ON COLUMN credits.packages.price_id IS 'The price.';
COMMENT ON COLUMN credits.packages.product_id IS 'The product.';
COMMENT ON COLUMN credits.packages.name IS 'What people call it.';
COMMENT ON COLUMN credits.packages.description IS 'For people.';
COMMENT ON COLUMN credits.packages.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.packages.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.packages.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.packages.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.packages.category IS 'The category of the grants: ''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.packages.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.packages.time_to_live IS
'How long its credits last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.packages.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.packages.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.packages.created_at IS 'When the price was created.';

-- Exchange rates.

CREATE TYPE credits.exchange_rate AS (
    currency text, fiat_currency text, rate numeric, effective_at timestamptz);
COMMENT ON TYPE credits.exchange_rate IS 'An exchange rate, as exchange_rate_set() returns it.';
COMMENT ON COLUMN credits.exchange_rate.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.exchange_rate.fiat_currency IS 'The money that the price is in.';
COMMENT ON COLUMN credits.exchange_rate.rate IS 'The price of one credit, in major units.';
COMMENT ON COLUMN credits.exchange_rate.effective_at IS 'From when on it applies.';

CREATE FUNCTION credits.exchange_rate_set(
    currency text, fiat_currency text, rate numeric, effective_at timestamptz DEFAULT NULL)
RETURNS credits.exchange_rate
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_set_wrapper';
COMMENT ON FUNCTION credits.exchange_rate_set IS
'Sets the price of one credit in money, from a moment on.

currency: the credit currency.
fiat_currency: the money.
rate: the price of one credit, in major units of fiat_currency.
effective_at: from when on; NULL for now. Up to 5 minutes before now counts as now.

A later moment schedules the change; the same moment again replaces what was scheduled, as long as it has not come. An
earlier one is PC013 without credits.allow_backdating: what was bought was bought at the rate of then.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.exchange_rate_set(''CREDIT'', ''USD'', 0.025,
  effective_at => now() + interval ''30 days'');';

CREATE FUNCTION credits.exchange_rate(currency text, fiat_currency text, at timestamptz DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_wrapper';
COMMENT ON FUNCTION credits.exchange_rate IS
'Returns the price of one credit at a moment: NULL where there is none.

currency: the credit currency.
fiat_currency: the money.
at: the moment; NULL for now.

Between a currency and itself it is 1 where none was set.

Raises PC013.
Example: SELECT credits.exchange_rate(''CREDIT'', ''USD'');';

CREATE VIEW credits.exchange_rates AS
SELECT r.currency, r.fiat_currency, r.rate, r.effective_at, r.created_at FROM credits_internal.exchange_rates r;
COMMENT ON VIEW credits.exchange_rates IS
'Every exchange rate that was set, scheduled ones too: the price of one credit from effective_at on.';
COMMENT ON COLUMN credits.exchange_rates.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.exchange_rates.fiat_currency IS 'The money that the price is in.';
COMMENT ON COLUMN credits.exchange_rates.rate IS 'The price of one credit, in major units.';
COMMENT ON COLUMN credits.exchange_rates.effective_at IS 'From when on it applies.';
COMMENT ON COLUMN credits.exchange_rates.created_at IS 'When it was set.';

-- Payments: what is recorded of them.

CREATE TYPE credits.payment_outcome AS (
    top_up_id uuid, status text, grant_id uuid, credits numeric, credit_currency text, available numeric,
    contradiction text, replayed boolean);
COMMENT ON TYPE credits.payment_outcome IS
'A top-up after a payment was recorded, as payment_succeeded(), payment_failed() and top_up_expire() return it.';
COMMENT ON COLUMN credits.payment_outcome.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.payment_outcome.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.payment_outcome.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits.payment_outcome.credits IS 'Credits that the top-up buys.';
COMMENT ON COLUMN credits.payment_outcome.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.payment_outcome.available IS 'What a plain debit may take afterwards.';
COMMENT ON COLUMN credits.payment_outcome.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.payment_outcome.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.payment_succeeded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, tax numeric DEFAULT NULL, shipping numeric DEFAULT NULL,
    discount numeric DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_succeeded_wrapper';
COMMENT ON FUNCTION credits.payment_succeeded IS
'Records a payment and grants the credits, exactly once.

customer_id: the customer.
top_up_id: the top-up.
provider: who took the payment.
provider_reference: the provider''s reference of the payment; NULL where it has none.
amount: what was paid, in major units of the top-up''s currency; NULL for what was due.
tax: how much of it is tax.
shipping: how much of it is shipping.
discount: what the provider took off the price; with it amount may be 0.
currency: the currency that was paid; NULL for the top-up''s. Another one is recorded as a contradiction, with that
  amount, and grants nothing.

It is exactly once whatever is repeated, comes late or out of order, also after a failure or an expiry. Without a
provider_reference the same amount again is a replay. A refund that was reported before takes its part at once.

Less than was due grants nothing until payments add up to it, and is recorded as a contradiction. So is more, a second
payment for what is paid, the same provider_reference with another amount, and one that pays another top-up; the last
two change nothing. Where the account has no room for the credits any more (28 digits of all that it was ever granted)
the payment is a contradiction too, counts for nothing and grants nothing: pay it back. Reported again with tax,
shipping or discount, it is corrected by them.

PC014 means that there is no such top-up: the provider is to try again.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_succeeded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', 20);';

CREATE FUNCTION credits.payment_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    reason text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_failed_wrapper';
COMMENT ON FUNCTION credits.payment_failed IS
'Records that a payment failed: the top-up is ''failed'', and an auto-recharge that asked for it too.

customer_id: the customer.
top_up_id: the top-up.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.
reason: why.

After a success it changes nothing and is recorded as a contradiction; a success after it grants all the same.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', ''card declined'');';

CREATE VIEW credits.payment_log AS
SELECT p.customer_id, p.top_up_id, p.payment_id, p.type, p.provider, p.provider_reference,
       coalesce(p.amount, p.total_refunded) AS amount, p.currency, p.contradiction, p.operation_id, p.created_at,
       p.payment_reference, p.total_refunded, p.tax, p.shipping, p.discount, p.counts,
       p.type = 'succeeded' AND p.counts AND EXISTS (
           SELECT FROM credits_internal.payments c
           WHERE c.customer_id = p.customer_id AND c.top_up_id = p.top_up_id AND c.payment_id > p.payment_id
             AND c.type = p.type AND c.counts AND c.provider = p.provider
                 AND c.provider_reference = p.provider_reference)
           AS corrected
FROM credits_internal.payments p;
COMMENT ON VIEW credits.payment_log IS
'What was recorded of payments, in order of payment_id.

A person should look at rows with a contradiction: it does not fit what was known, and was not applied, or not in
full.';
COMMENT ON COLUMN credits.payment_log.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_log.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.payment_log.payment_id IS 'Its id; ids are in the order of recording.';
COMMENT ON COLUMN credits.payment_log.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'' or
''dispute_lost''.';
COMMENT ON COLUMN credits.payment_log.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.payment_log.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.payment_log.amount IS 'How much, in major units; NULL where it was not reported.';
COMMENT ON COLUMN credits.payment_log.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_log.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.payment_log.operation_id IS 'The operation that took credits for it; NULL for none.';
COMMENT ON COLUMN credits.payment_log.created_at IS 'When it was recorded.';
COMMENT ON COLUMN credits.payment_log.payment_reference IS
'The provider''s reference of the payment that a refund or dispute is for.';
COMMENT ON COLUMN credits.payment_log.total_refunded IS
'For a refund, the total of all refunds so far; NULL where it was not reported.';
COMMENT ON COLUMN credits.payment_log.tax IS 'Tax that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.payment_log.shipping IS
'Shipping that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.payment_log.discount IS
'What the provider took off the price, in major units; NULL for nothing.';
COMMENT ON COLUMN credits.payment_log.counts IS 'Whether it counts for what is paid and paid back.';
COMMENT ON COLUMN credits.payment_log.corrected IS
'Whether the parts of the payment were reported again later, so that its contradiction may be gone.';

-- Refunds.

CREATE TYPE credits.refund_outcome AS (
    top_up_id uuid, status text, refunded numeric, taken numeric, pending numeric, held numeric, available numeric,
    contradiction text, replayed boolean);
COMMENT ON TYPE credits.refund_outcome IS
'A top-up after a refund or dispute was recorded, as payment_refunded(), payment_refund_failed(), payment_disputed()
and payment_dispute_closed() return it.';
COMMENT ON COLUMN credits.refund_outcome.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.refund_outcome.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.refund_outcome.refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.refund_outcome.taken IS 'Credits taken now.';
COMMENT ON COLUMN credits.refund_outcome.pending IS 'Credits owed for it now.';
COMMENT ON COLUMN credits.refund_outcome.held IS 'Credits that will be taken when the hold on them closes.';
COMMENT ON COLUMN credits.refund_outcome.available IS 'What a plain debit may take afterwards.';
COMMENT ON COLUMN credits.refund_outcome.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.refund_outcome.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.payment_refunded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, total_refunded numeric DEFAULT NULL, spent text DEFAULT NULL,
    payment_reference text DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refunded_wrapper';
COMMENT ON FUNCTION credits.payment_refunded IS
'Records that money was paid back, and takes credits of that purchase back.

customer_id: the customer.
top_up_id: the top-up.
provider: who paid it back.
provider_reference: the provider''s reference of the refund; NULL where it has none.
amount: this refund, in major units. With total_refunded NULL too: the whole payment.
total_refunded: all refunds of the payment by this provider so far, including this one; some providers report only
  that.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that was paid back; NULL for the top-up''s. Another one is recorded as a contradiction and
  takes nothing.

Credits go back where less remains paid, in all its payments, than was due without tax and shipping: in proportion to
what is missing, rounded on the total. Refunds of several providers add up. Unspent credits go first: what is
available at once, what is held when the hold closes; what has expired or was voided is neither taken nor owed.

The latest payment with money left is judged by all that is known at any time, since the order of reports must not
matter. So the refund may move to a payment that is reported later, and is part of the total that the same provider
reports of a payment, so that it counts once. After a refund failed, a total that equals the single refunds, the
failed ones included, is taken for a late one that counts those; anything else counts as it is.

The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as a
contradiction and changes nothing. More than was paid is recorded as a contradiction.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_refunded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-2'', amount => 5);';

CREATE FUNCTION credits.payment_refund_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    payment_reference text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refund_failed_wrapper';
COMMENT ON FUNCTION credits.payment_refund_failed IS
'Records that a refund did not go through after all: gives back exactly what it took.

customer_id: the customer.
top_up_id: the top-up.
provider: who reported it.
provider_reference: the provider''s reference of the refund; NULL where it has none.
payment_reference: the provider''s reference of the payment; NULL where it is not known.

What it left owed is owed no longer. A refund that was never reported changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_refund_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-1'');';

-- Disputes.

CREATE FUNCTION credits.payment_disputed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, spent text DEFAULT NULL, payment_reference text DEFAULT NULL,
    currency text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_disputed_wrapper';
COMMENT ON FUNCTION credits.payment_disputed IS
'Records that the payer disputes a payment (a chargeback), and takes credits back as a refund would.

customer_id: the customer.
top_up_id: the top-up.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL where it has none.
amount: how much is disputed, in major units; NULL for the whole payment.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that is disputed; NULL for the top-up''s. Another one is recorded as a contradiction and takes
  nothing.

The credits stay taken until payment_dispute_closed(). The customer''s auto-recharge is switched off in every
currency. The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as
a contradiction and changes nothing.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_disputed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-2'', amount => 5);';

CREATE FUNCTION credits.payment_dispute_closed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    won boolean DEFAULT NULL, payment_reference text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_dispute_closed_wrapper';
COMMENT ON FUNCTION credits.payment_dispute_closed IS
'Records how a dispute was decided.

customer_id: the customer.
top_up_id: the top-up.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL for the newest dispute of this provider, of the
  payment that payment_reference names.
won: whether it was won; required.
payment_reference: the provider''s reference of the payment; NULL for any.

A dispute that was won gives back exactly what it took, to the grants that gave it (what has expired meanwhile expires
at once), and what it left owed is owed no longer. One that was lost keeps what it took; where more went back with it
than was paid, that is recorded as a contradiction.

A dispute is decided once: a later report that differs, or of a dispute that was never reported, is recorded as a
contradiction and changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_dispute_closed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-1'', won => true);';

-- Payment providers.

CREATE TYPE credits.payment_provider AS (
    provider text, checkout_url_template text, has_previous_secret boolean, tolerance integer, livemode boolean,
    account text, previous_secret_expires_at timestamptz);
COMMENT ON TYPE credits.payment_provider IS
'A payment provider without its secrets, as payment_provider_set() returns it.';
COMMENT ON COLUMN credits.payment_provider.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.payment_provider.checkout_url_template IS 'Where customers pay.';
COMMENT ON COLUMN credits.payment_provider.has_previous_secret IS 'Whether a previous secret is accepted too.';
COMMENT ON COLUMN credits.payment_provider.tolerance IS 'How old a signed time may be, in seconds.';
COMMENT ON COLUMN credits.payment_provider.livemode IS 'Whether its events are about real money.';
COMMENT ON COLUMN credits.payment_provider.account IS
'The connected account whose events count; NULL for events of no connected account.';
COMMENT ON COLUMN credits.payment_provider.previous_secret_expires_at IS 'Until when the previous secret is accepted.';

CREATE FUNCTION credits.payment_provider_set(
    provider text, webhook_secret text, checkout_url_template text DEFAULT NULL, previous_secret text DEFAULT NULL,
    tolerance integer DEFAULT 300, livemode boolean DEFAULT true, account text DEFAULT NULL,
    previous_secret_expires_at timestamptz DEFAULT NULL)
RETURNS credits.payment_provider
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_provider_set_wrapper';
COMMENT ON FUNCTION credits.payment_provider_set IS
'Sets how a provider signs its webhooks, what it is expected to send, and where customers pay.

provider: ''stripe'' and ''paystack'' sign as those do; any other name is plain HMAC-SHA256 of the payload, in
  hexadecimal.
webhook_secret: the secret that its webhooks are signed with, 16 to 255 characters.
checkout_url_template: an http or https address, with the placeholders of top_up_create() after its host; NULL leaves
  it unchanged.
previous_secret: accepted beside webhook_secret while secrets are changed; NULL for none.
tolerance: how old a signed time may be, in seconds (Stripe''s scheme has one).
livemode: whether its events are about real money (Stripe''s livemode, Paystack''s domain).
account: the connected account whose events count; NULL for only those of no connected account.
previous_secret_expires_at: until when previous_secret is accepted; NULL for 7 days from now.

A repeat sets all of it anew, except a checkout_url_template that is NULL. Events of another mode or another account
are recorded as ignored. An event that does not say its mode is of the expected one; one whose livemode is neither
true nor false, or whose domain is no text, is of neither.

Nothing returns secrets and only the owner can read them; keep them out of statement texts, since a server may log
those.

Raises PC013.
Example: SELECT * FROM credits.payment_provider_set(''acmepay'', ''not a real secret'',
  ''https://acmepay.example/{top_up_id}'');';

-- Webhooks.

CREATE TYPE credits.received_webhook AS (
    event_id text, type text, outcome text, customer_id text, top_up_id uuid, status text, replayed boolean,
    reason text);
COMMENT ON TYPE credits.received_webhook IS 'A webhook and its outcome, as webhook_receive() returns it.';
COMMENT ON COLUMN credits.received_webhook.event_id IS 'The provider''s id of the event.';
COMMENT ON COLUMN credits.received_webhook.type IS 'The provider''s name of what happened.';
COMMENT ON COLUMN credits.received_webhook.outcome IS
'''applied'', ''contradiction'' (recorded, see payment_log) or ''ignored''.';
COMMENT ON COLUMN credits.received_webhook.customer_id IS 'The customer whose payment it is about; NULL for none.';
COMMENT ON COLUMN credits.received_webhook.top_up_id IS 'The top-up; NULL for none.';
COMMENT ON COLUMN credits.received_webhook.status IS 'The top-up''s status afterwards.';
COMMENT ON COLUMN credits.received_webhook.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.received_webhook.reason IS
'Why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase), ''other_customer''; NULL where it was not.';

CREATE FUNCTION credits.webhook_receive(provider text, payload text, signature text)
RETURNS credits.received_webhook
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_receive_wrapper';
COMMENT ON FUNCTION credits.webhook_receive IS
'Takes a provider''s webhook: checks its signature, and applies the payment and its credits.

provider: as set by payment_provider_set().
payload: the raw request body, at most 1 MiB.
signature: the header: Stripe-Signature, x-paystack-signature, or HMAC-SHA256 in hexadecimal.

All of it is in the caller''s transaction: a failure leaves nothing behind, and the provider''s retry does it. A
repeat returns the first outcome with replayed = true; what was ignored is judged again, so that a provider can be
asked to send it again.

outcome is ''applied'', ''contradiction'' (recorded: see the view payment_log) or ''ignored'' (kept and answered).
reason says why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase; what names a payment is applied once that is known),
''other_customer'' (it names one customer and another''s purchase).

PC012 is the signature, PC013 the provider or the payload, and PC014 a purchase that may not have committed yet: its
id was created within the last hour.

Raises PC012, PC013, PC014.
Example: SELECT * FROM credits.webhook_receive(''acmepay'', ''{"id": "evt_1", "type": "ping"}'',
  ''f0f44b83558b38bc44dd7b83cd7e010718dd2a0ad14f668c0531b91827abbb2e'');';

CREATE VIEW credits.webhook_log AS
SELECT w.provider, w.event_id, w.type, w.outcome, w.customer_id, w.top_up_id, w.received_at, w.reason
FROM credits_internal.webhook_events w;
COMMENT ON VIEW credits.webhook_log IS 'Webhooks that were received and accepted, each event once.';
COMMENT ON COLUMN credits.webhook_log.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.webhook_log.event_id IS 'The provider''s id of the event.';
COMMENT ON COLUMN credits.webhook_log.type IS 'The provider''s name of what happened.';
COMMENT ON COLUMN credits.webhook_log.outcome IS
'''applied'', ''contradiction'' (recorded, see payment_log) or ''ignored''.';
COMMENT ON COLUMN credits.webhook_log.customer_id IS
'The customer whose payment it is about; for an ignored webhook, the customer that it names.';
COMMENT ON COLUMN credits.webhook_log.top_up_id IS 'The top-up; NULL for none.';
COMMENT ON COLUMN credits.webhook_log.received_at IS 'When it was received.';
COMMENT ON COLUMN credits.webhook_log.reason IS
'Why it was ignored: ''kind'' (an event that means nothing here), ''livemode'' or ''account'' (not what
payment_provider_set() expects), ''unknown'' (no known purchase), ''other_customer''; NULL where it was not.';

-- Top-ups.

CREATE TYPE credits.top_up AS (
    top_up_id uuid, status text, checkout_url text, expires_at timestamptz, credits numeric, credit_currency text,
    amount numeric, currency text, rate numeric, grant_id uuid, replayed boolean);
COMMENT ON TYPE credits.top_up IS
'A top-up and where to pay for it, as top_up_create() returns it. The view top_ups has all of them.';
COMMENT ON COLUMN credits.top_up.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.top_up.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.top_up.checkout_url IS
'Where the customer pays; NULL where neither the provider nor the recharge configuration says.';
COMMENT ON COLUMN credits.top_up.expires_at IS 'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits.top_up.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits.top_up.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.top_up.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.top_up.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_up.rate IS 'The price of one credit; NULL where it was bought by price.';
COMMENT ON COLUMN credits.top_up.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits.top_up.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.top_up_create(
    customer_id text, price_id uuid DEFAULT NULL, amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    quantity integer DEFAULT 1, credit_currency text DEFAULT NULL, rate numeric DEFAULT NULL,
    return_url text DEFAULT NULL, failure_url text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    provider text DEFAULT NULL, expires_in interval DEFAULT '1 day', description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.top_up
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_create_wrapper';
COMMENT ON FUNCTION credits.top_up_create IS
'Begins a purchase of credits and returns where to pay for it.

customer_id: the customer, who is created where missing.
price_id: the price; NULL to buy by amount.
amount: how much to pay, in major units; NULL to buy by price_id.
currency: the currency that is paid.
quantity: how many units of the price.
credit_currency: the currency of the credits; NULL for currency itself, one for one.
rate: the price of one credit; NULL for the exchange rate of this moment.
return_url: where the customer goes once it is paid.
failure_url: where the customer goes when it is not.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
provider: who takes the payment; NULL for the only one that is set.
expires_in: how long it waits to be paid; a later payment is granted all the same.
description: for people.
metadata: the application''s own data.

It grants nothing before payment_succeeded(). Either price_id and quantity say what is bought, or amount and currency:
then credits are amount / rate, rounded down.

return_url and failure_url are http or https addresses of at most 2,048 visible ASCII characters, without user name,
backslash, quotation mark, < and >. All else is percent-encoded, and a host in other letters written as xn--.

checkout_url is the provider''s template or the recharge configuration''s, with {top_up_id}, {customer_id}, {amount},
{minor_units}, {currency}, {credits}, {return_url} and {failure_url} filled in; NULL where there is neither.

PC007 is also an amount outside of what the currencies allow, and credits that the account has no room for: all that
it was ever granted has at most 28 digits.

Raises PC002, PC007, PC008, PC013, PC015.
Example: SELECT top_up_id, checkout_url FROM credits.top_up_create(''ann'', (SELECT price_id FROM credits.prices));';

CREATE FUNCTION credits.top_up_expire(customer_id text, top_up_id uuid)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_expire_wrapper';
COMMENT ON FUNCTION credits.top_up_expire IS
'Gives up a top-up that nobody paid.

customer_id: the customer.
top_up_id: the top-up.

One that is paid stays paid; one that is paid later is granted all the same.

Raises PC013, PC014.
Example: SELECT * FROM credits.top_up_expire(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''));';

CREATE VIEW credits.top_ups AS
SELECT t.customer_id, t.top_up_id,
       CASE WHEN t.status = 'initiated' AND t.expires_at <= credits.clock() THEN 'expired' ELSE t.status END AS status,
       t.price_id, t.name, t.quantity, t.amount, t.currency, t.credits, t.credit_currency, t.rate, t.provider,
       t.provider_reference, t.grant_id, t.recharge_id, t.paid_amount, t.refunded_amount, t.disputed_amount,
       t.dispute_status, t.reclaimed, t.description, t.metadata, t.created_at, t.expires_at, t.paid_at,
       t.due_amount, t.checkout_url
FROM credits_internal.top_ups t;
COMMENT ON VIEW credits.top_ups IS
'Top-ups at this moment, one row per purchase.

Each of its payments is in the view top_up_payments, everything that was reported of them in payment_log.';
COMMENT ON COLUMN credits.top_ups.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.top_ups.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.top_ups.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.top_ups.price_id IS 'The price; NULL where it was bought by amount.';
COMMENT ON COLUMN credits.top_ups.name IS 'The name of its grant.';
COMMENT ON COLUMN credits.top_ups.quantity IS 'How many units.';
COMMENT ON COLUMN credits.top_ups.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits.top_ups.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_ups.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits.top_ups.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.top_ups.rate IS 'The price of one credit; NULL where it was bought by price.';
COMMENT ON COLUMN credits.top_ups.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.top_ups.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.top_ups.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits.top_ups.recharge_id IS 'The auto-recharge that asked for it; NULL where a person did.';
COMMENT ON COLUMN credits.top_ups.paid_amount IS 'What was paid in all payments, in major units; NULL before any.';
COMMENT ON COLUMN credits.top_ups.refunded_amount IS 'What was paid back, in major units.';
COMMENT ON COLUMN credits.top_ups.disputed_amount IS 'What open and lost disputes come to, in major units.';
COMMENT ON COLUMN credits.top_ups.dispute_status IS 'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits.top_ups.reclaimed IS 'Credits that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits.top_ups.description IS 'For people.';
COMMENT ON COLUMN credits.top_ups.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.top_ups.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.top_ups.expires_at IS 'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits.top_ups.paid_at IS 'When its credits were granted.';
COMMENT ON COLUMN credits.top_ups.due_amount IS
'What is due, excluding a tax in the price and the provider''s discount, in major units.';
COMMENT ON COLUMN credits.top_ups.checkout_url IS
'Where the customer pays; NULL where neither the provider nor the recharge configuration says.';

CREATE VIEW credits.top_up_payments AS
SELECT p.customer_id, p.top_up_id, p.payment_no, p.provider, p.provider_reference, p.paid_amount, t.currency, p.tax,
       p.shipping,
       p.discount, p.refunded_amount, p.disputed_amount,
       greatest(p.paid_amount - p.refunded_amount - p.disputed_amount, 0) AS remaining_amount
FROM credits_internal.payment_totals p
JOIN credits_internal.top_ups t ON t.customer_id = p.customer_id AND t.top_up_id = p.top_up_id;
COMMENT ON VIEW credits.top_up_payments IS
'Payments of top-ups, each with its refunds and disputes.

A refund or dispute that names no payment counts for the latest with money left.';
COMMENT ON COLUMN credits.top_up_payments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.top_up_payments.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.top_up_payments.payment_no IS 'Its place among the top-up''s payments.';
COMMENT ON COLUMN credits.top_up_payments.provider IS 'Who took it.';
COMMENT ON COLUMN credits.top_up_payments.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.top_up_payments.paid_amount IS
'How much, in major units; NULL while only a refund or dispute names it.';
COMMENT ON COLUMN credits.top_up_payments.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_up_payments.tax IS 'Tax that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.top_up_payments.shipping IS
'Shipping that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.top_up_payments.discount IS
'What the provider took off the price, in major units; NULL for nothing.';
COMMENT ON COLUMN credits.top_up_payments.refunded_amount IS 'What was paid back, in major units.';
COMMENT ON COLUMN credits.top_up_payments.disputed_amount IS 'What open and lost disputes come to, in major units.';
COMMENT ON COLUMN credits.top_up_payments.remaining_amount IS
'What is left of it after refunds and disputes, in major units.';

-- What a credit currency is recharged with.

CREATE TYPE credits.recharge_config AS (
    currency text, price_id uuid, product_id uuid, product_name text, credits numeric, unit_amount numeric,
    price_currency text, payment_url text, min_amount numeric, max_amount numeric);
COMMENT ON TYPE credits.recharge_config IS
'What a currency is recharged with, as configure_recharge() and recharge_config() return it.';
COMMENT ON COLUMN credits.recharge_config.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharge_config.price_id IS 'The price.';
COMMENT ON COLUMN credits.recharge_config.product_id IS 'The product.';
COMMENT ON COLUMN credits.recharge_config.product_name IS 'The product''s name.';
COMMENT ON COLUMN credits.recharge_config.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.recharge_config.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.recharge_config.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.recharge_config.payment_url IS 'Where the customer pays; NULL where no URL is configured.';
COMMENT ON COLUMN credits.recharge_config.min_amount IS
'The smallest payment for this currency, in the price''s currency; NULL for no limit.';
COMMENT ON COLUMN credits.recharge_config.max_amount IS
'The largest payment for this currency, in the price''s currency; NULL for no limit.';

CREATE FUNCTION credits.configure_recharge(
    currency text, base_price_id uuid, checkout_url text DEFAULT NULL, min_amount numeric DEFAULT NULL,
    max_amount numeric DEFAULT NULL)
RETURNS credits.recharge_config
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_recharge_wrapper';
COMMENT ON FUNCTION credits.configure_recharge IS
'Makes a credit currency rechargeable at a price whose product grants it. NULL leaves a value unchanged.

currency: the credit currency.
base_price_id: the price.
checkout_url: where to pay: an http or https address, with the placeholders of top_up_create() after its host.
min_amount: the smallest payment for this currency, in the price''s currency, by top-up or auto-recharge; ''infinity''
  removes the limit.
max_amount: the largest payment, likewise.

One unit must not cost more than max_amount or the payment currency''s max_payment, and a price in another currency
needs its limits anew.

Raises PC007, PC008, PC013, PC015.
Example: SELECT * FROM credits.configure_recharge(''CREDIT'', (SELECT price_id FROM credits.prices),
  max_amount => 500);';

CREATE FUNCTION credits.recharge_config(currency text DEFAULT NULL)
RETURNS credits.recharge_config
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_config_wrapper';
COMMENT ON FUNCTION credits.recharge_config IS
'Returns how a credit currency is recharged: its price, product and payment URL.

currency: the credit currency; NULL for credits.default_currency.

Raises PC008, PC011, PC013.
Example: SELECT * FROM credits.recharge_config(''CREDIT'');';

-- Links to a customer's billing page.

CREATE TYPE credits.portal_link AS (token text, url text, expires_at timestamptz);
COMMENT ON TYPE credits.portal_link IS 'A link to a billing page, as billing_portal_session_create() returns it.';
COMMENT ON COLUMN credits.portal_link.token IS 'The signed token.';
COMMENT ON COLUMN credits.portal_link.url IS 'credits.portal_url with the token; NULL where that is not set.';
COMMENT ON COLUMN credits.portal_link.expires_at IS 'Until when it can be used.';

CREATE FUNCTION credits.billing_portal_session_create(
    customer_id text, return_url text DEFAULT NULL, failure_url text DEFAULT NULL)
RETURNS credits.portal_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_create_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_create IS
'Creates a signed link to the customer''s billing page, good for 10 minutes.

customer_id: the customer.
return_url: where the customer goes back to, as in top_up_create().
failure_url: where the customer goes after a failure, likewise.

url is credits.portal_url with the token added (before a fragment, which browsers keep to themselves), NULL where that
is not set. The page''s server asks billing_portal_session_verify() whose page it is.

Raises PC003, PC013.
Example: SELECT token, url, expires_at FROM credits.billing_portal_session_create(''ann'');';

CREATE TYPE credits.portal_session AS (
    customer_id text, return_url text, failure_url text, expires_at timestamptz);
COMMENT ON TYPE credits.portal_session IS
'Whose billing page a token opens, as billing_portal_session_verify() returns it.';
COMMENT ON COLUMN credits.portal_session.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.portal_session.return_url IS 'Where the customer goes back to.';
COMMENT ON COLUMN credits.portal_session.failure_url IS 'Where the customer goes after a failure.';
COMMENT ON COLUMN credits.portal_session.expires_at IS 'Until when it can be used.';

CREATE FUNCTION credits.billing_portal_session_verify(token text)
RETURNS credits.portal_session
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_verify_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_verify IS
'Returns whose page a token opens.

token: the token of the link.

PC012 is a token that was changed, has expired, or was not made in this database with its present key.

Raises PC012, PC013.
Example: SELECT v.* FROM credits.billing_portal_session_create(''ann'') s,
  credits.billing_portal_session_verify(s.token) v;';

CREATE FUNCTION credits.billing_portal_key_rotate()
RETURNS timestamptz
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_key_rotate_wrapper';
COMMENT ON FUNCTION credits.billing_portal_key_rotate IS
'Creates a new key for links to billing pages, and returns when it was created.

Links that were created before are PC012 once it commits. Call it when somebody may know the key, and for every copy
of the server''s files (pg_basebackup, a snapshot) before anybody reaches it: the copy''s tokens are then not the
original''s. A database that was restored from a dump, or created from a template, does not need it: its tokens are
its own.

Example: SELECT credits.billing_portal_key_rotate();';

-- What a billing page draws.

CREATE FUNCTION credits.billing_bootstrap(customer_id text)
RETURNS jsonb
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_bootstrap_wrapper';
COMMENT ON FUNCTION credits.billing_bootstrap IS
'Returns all that a billing page draws: {customer, balances, packages, meters, history, purchases, auto_recharge}.

customer_id: the customer.

Amounts are strings of digits. history has the last 20 ledger lines, purchases the last 20 top-ups.

Raises PC013.
Example: SELECT jsonb_pretty(credits.billing_bootstrap(''ann''));';

-- Auto-recharge: how it is configured.

CREATE TYPE credits.auto_recharge AS (
    customer_id text, currency text, enabled boolean, threshold numeric, price_id uuid, quantity integer,
    payment_method text, max_attempts_per_day integer, max_amount_per_day numeric, cooldown interval,
    timeout interval, failures integer, disabled_reason text, recharge_in_progress boolean, waits_for_spend boolean);
COMMENT ON TYPE credits.auto_recharge IS
'A customer''s auto-recharge, as configure_auto_recharge() and auto_recharge_config() return it.';
COMMENT ON COLUMN credits.auto_recharge.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.auto_recharge.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.auto_recharge.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.auto_recharge.threshold IS 'It buys when less than this is available.';
COMMENT ON COLUMN credits.auto_recharge.price_id IS 'The price that it buys at.';
COMMENT ON COLUMN credits.auto_recharge.quantity IS 'How many units it buys.';
COMMENT ON COLUMN credits.auto_recharge.payment_method IS 'What the worker charges, in the worker''s own terms.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_day IS 'The most attempts within 24 hours; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_day IS
'The most money within 24 hours, in the price''s currency, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.cooldown IS 'The least time between two requests.';
COMMENT ON COLUMN credits.auto_recharge.timeout IS 'How long a request waits for an answer.';
COMMENT ON COLUMN credits.auto_recharge.failures IS 'How many attempts in a row failed or timed out.';
COMMENT ON COLUMN credits.auto_recharge.disabled_reason IS
'The code of why it switched itself off: see configure_auto_recharge(). NULL where it did not.';
COMMENT ON COLUMN credits.auto_recharge.recharge_in_progress IS 'Whether an auto-recharge is under way.';
COMMENT ON COLUMN credits.auto_recharge.waits_for_spend IS
'Whether it waits for the customer''s next spend, because credits were taken back.';

CREATE FUNCTION credits.configure_auto_recharge(
    customer_id text, currency text DEFAULT NULL, enabled boolean DEFAULT NULL, threshold numeric DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity integer DEFAULT NULL, payment_method text DEFAULT NULL,
    max_attempts_per_day integer DEFAULT NULL, max_amount_per_day numeric DEFAULT NULL,
    cooldown interval DEFAULT NULL, timeout interval DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_auto_recharge_wrapper';
COMMENT ON FUNCTION credits.configure_auto_recharge IS
'Configures an account to recharge itself when its balance is low. NULL leaves a value unchanged.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.
enabled: whether it is on; true at first. true starts afresh.
threshold: buy when less than this many credits are available; required at first.
price_id: what to buy; NULL at first takes the currency''s recharge configuration (PC011 where there is none).
quantity: how many units to buy; 1 at first.
payment_method: what the worker charges, in its own terms.
max_attempts_per_day: the most attempts within 24 hours; 2147483647 removes the limit.
max_amount_per_day: the most money within 24 hours, in the price''s currency, not counting failed attempts, and at
  least what one recharge costs. A price in another currency needs it anew; ''infinity'' removes the limit.
cooldown: the least time between two requests; 1 minute at first.
timeout: a request that is not answered within it has timed out; 1 hour at first.

What leaves less than threshold credits available writes a request in its own transaction: a recharge, a top-up and a
row of the outbox, type ''recharge.requested'', with recharge_id, top_up_id, currency, amount, price_currency,
credits, payment_method and expires_at. Switching it on while there is less does the same. At most one request is
open; one that no worker has begun is canceled when it is switched off, or when a limit that it is beyond was lowered.
If an account is still low when cooldown or limits allow another request, its next posting or maintain() writes it.

Credits that are taken back (a refund, a dispute, a grant that is voided or ended, a correction) never ask for a
recharge, nor does maintain() after that: waits_for_spend is true until the customer spends again, has threshold
credits again, or enabled => true says so. Usage that was reported before the account''s last posting, and waited in
the inbox, is no such spend.

Auto-recharge switches itself off, with a row ''recharge.disabled'' of the outbox, and disabled_reason has the code:
''failures'' (three failures or time-outs in a row), ''disputed'' (a payment of the customer was disputed), ''erased''
(the customer was erased), or, where it can buy nothing any more, ''not_on_sale'', ''currency_inactive'',
''restricted_credits'' (for certain meters only, so they lift no balance), ''amount_too_large'' (too many digits, also
together with all that the account was ever granted), ''payment_limit'' (of the payment currency, or of the recharge
configuration) and ''daily_limit''. The same is refused here, unless it is switched off. A payment that comes later is
granted, and counts as no failure, but does not switch it on.

Raises PC003, PC007, PC008, PC011, PC013, PC015.
Example: SELECT * FROM credits.configure_auto_recharge(''ann'', threshold => 50, payment_method => ''pm_1'');';

CREATE FUNCTION credits.auto_recharge_config(customer_id text, currency text DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'auto_recharge_config_wrapper';
COMMENT ON FUNCTION credits.auto_recharge_config IS
'Returns a customer''s auto-recharge in a currency.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.

PC011 means that none was configured.

Raises PC011, PC013.
Example: SELECT enabled, threshold, disabled_reason FROM credits.auto_recharge_config(''cy'');';

-- Requests of auto-recharge.

CREATE TYPE credits.recharge_attempt AS (
    go boolean, recharge_id uuid, top_up_id uuid, status text, amount numeric, minor_units numeric, currency text,
    payment_method text, expires_at timestamptz);
COMMENT ON TYPE credits.recharge_attempt IS 'What a worker is to charge, as recharge_begin() returns it.';
COMMENT ON COLUMN credits.recharge_attempt.go IS 'Whether the worker may charge.';
COMMENT ON COLUMN credits.recharge_attempt.recharge_id IS 'The auto-recharge request.';
COMMENT ON COLUMN credits.recharge_attempt.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.recharge_attempt.status IS
'''requested'', ''processing'' (a worker is on it), ''paid'', ''failed'', ''timed_out'' or ''canceled''.';
COMMENT ON COLUMN credits.recharge_attempt.amount IS 'What to charge, in major units of currency.';
COMMENT ON COLUMN credits.recharge_attempt.minor_units IS 'What to charge, in minor units (cents).';
COMMENT ON COLUMN credits.recharge_attempt.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.recharge_attempt.payment_method IS 'What the worker charges, in the worker''s own terms.';
COMMENT ON COLUMN credits.recharge_attempt.expires_at IS 'When the request times out.';

CREATE FUNCTION credits.recharge_begin(customer_id text, recharge_id uuid)
RETURNS credits.recharge_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_begin_wrapper';
COMMENT ON FUNCTION credits.recharge_begin IS
'Returns whether a worker may charge, and what. Call it right before charging.

customer_id: the customer.
recharge_id: the request.

Limits are judged again here. go is false where the request was answered, has timed out, was canceled (the customer
topped up by hand meanwhile, or switched it off), or is beyond a limit that was lowered.

Give the provider recharge_id as the idempotency key, and customer_id and top_up_id as metadata, so that its webhook
finds the top-up. A repeat, for one that is being processed, returns go = true again where all that still holds: the
provider''s idempotency key keeps it one charge.

Raises PC013, PC014.
Example: SELECT * FROM credits.recharge_begin(''cy'', (SELECT recharge_id FROM credits.recharge_log));';

CREATE VIEW credits.recharge_log AS
SELECT r.customer_id, r.recharge_id, r.currency, CASE WHEN o.over THEN 'timed_out' ELSE r.status END AS status,
       r.amount,
       r.price_currency, r.credits, r.top_up_id,
       CASE WHEN o.over THEN 'nobody answered in time' ELSE r.reason END AS reason,
       r.requested_at, r.started_at, r.expires_at, CASE WHEN o.over THEN r.expires_at ELSE r.closed_at END AS closed_at
FROM credits_internal.recharges r
CROSS JOIN LATERAL (SELECT r.status IN ('requested', 'processing') AND r.expires_at <= credits.clock() AS over) o;
COMMENT ON VIEW credits.recharge_log IS
'Requests of auto-recharge, with their outcome.

A request is canceled if, before a worker began, there were enough credits again, auto-recharge was switched off, or a
limit was lowered. A time-out shows at its moment, whether or not anything has posted it.';
COMMENT ON COLUMN credits.recharge_log.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.recharge_log.recharge_id IS 'The auto-recharge request.';
COMMENT ON COLUMN credits.recharge_log.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharge_log.status IS
'''requested'', ''processing'' (a worker is on it), ''paid'', ''failed'', ''timed_out'' or ''canceled''.';
COMMENT ON COLUMN credits.recharge_log.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits.recharge_log.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.recharge_log.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits.recharge_log.top_up_id IS 'The top-up that pays for it.';
COMMENT ON COLUMN credits.recharge_log.reason IS 'Why it ended as it did.';
COMMENT ON COLUMN credits.recharge_log.requested_at IS 'When it was requested.';
COMMENT ON COLUMN credits.recharge_log.started_at IS 'When a worker began.';
COMMENT ON COLUMN credits.recharge_log.expires_at IS 'When it times out.';
COMMENT ON COLUMN credits.recharge_log.closed_at IS 'When it ended; NULL while it is open.';

-- Consumers of the outbox.

CREATE TYPE credits.outbox_consumer AS (consumer text, created_at timestamptz);
COMMENT ON TYPE credits.outbox_consumer IS 'A consumer, as outbox_consumer_create() returns it.';
COMMENT ON COLUMN credits.outbox_consumer.consumer IS 'The consumer''s name.';
COMMENT ON COLUMN credits.outbox_consumer.created_at IS 'When it was created.';

CREATE FUNCTION credits.outbox_consumer_create(consumer text)
RETURNS credits.outbox_consumer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_create_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_create IS
'Creates a consumer of the outbox: a name that any number of sessions share.

consumer: its name.

It is handed every row that waits in the outbox, and every row that is written from now on; a row is kept until each
consumer has acknowledged it. A repeat changes nothing.

Raises PC013.
Example: SELECT * FROM credits.outbox_consumer_create(''mailer'');';

CREATE FUNCTION credits.outbox_consumer_remove(consumer text)
RETURNS bigint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_consumer_remove_wrapper';
COMMENT ON FUNCTION credits.outbox_consumer_remove IS
'Removes a consumer of the outbox, with its leases, and returns how many rows that deleted.

consumer: its name.

Rows that every other consumer has acknowledged are deleted; where it was the last, what waits is kept for the next.
It waits for transactions that claim or acknowledge. Created again, it is handed all that waits.

Raises PC013.
Example: SELECT credits.outbox_consumer_remove(''worker'');';

-- The outbox: how its rows are handed out.

CREATE TYPE credits.outbox_row AS (
    outbox_id uuid, customer_id text, outbox_no bigint, type text, payload jsonb, created_at timestamptz);
COMMENT ON TYPE credits.outbox_row IS 'A row of the outbox, as outbox_claim() returns it.';
COMMENT ON COLUMN credits.outbox_row.outbox_id IS 'The row''s id, for outbox_ack().';
COMMENT ON COLUMN credits.outbox_row.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.outbox_row.outbox_no IS 'The row''s place among the customer''s rows, in commit order.';
COMMENT ON COLUMN credits.outbox_row.type IS 'What happened: ''recharge.requested'' and so on.';
COMMENT ON COLUMN credits.outbox_row.payload IS 'The details. Amounts are strings of digits.';
COMMENT ON COLUMN credits.outbox_row.created_at IS 'When it was written.';

CREATE FUNCTION credits.outbox_claim(
    consumer text, batch_size integer DEFAULT 100, lease interval DEFAULT '5 minutes')
RETURNS SETOF credits.outbox_row
LANGUAGE c VOLATILE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_claim_wrapper';
COMMENT ON FUNCTION credits.outbox_claim IS
'Hands out what other systems must act on, at least once to each consumer, in order within a customer.

consumer: a name that was created by outbox_consumer_create(); any other is PC013.
batch_size: the most rows, 1 to 50,000.
lease: until it has passed, or all of them are acknowledged, no other session of the same consumer gets rows of the
  same customers; at most 24 hours.

Rows that are not acknowledged when the lease has passed are handed out again. Commit before acting on them. Any
number of sessions may call it at once. LISTEN credits_outbox announces new rows; poll as well.

Raises PC013.
Example: SELECT * FROM credits.outbox_claim(''worker'', batch_size => 10, lease => ''1 minute'');';

CREATE FUNCTION credits.outbox_ack(consumer text, ids uuid[])
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_ack_wrapper';
COMMENT ON FUNCTION credits.outbox_ack IS
'Acknowledges rows, and returns how many are acknowledged by it.

consumer: a name that was created by outbox_consumer_create(); any other is PC013.
ids: the outbox_id of each row.

Within a customer those are acknowledged that have no unacknowledged row before them. Rows that every consumer has
acknowledged are deleted.

Raises PC013.
Example: SELECT credits.outbox_ack(''worker'', ARRAY(SELECT outbox_id FROM credits.outbox_claim(''worker'')));';

CREATE FUNCTION credits.outbox_release(consumer text, customer_id text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'outbox_release_wrapper';
COMMENT ON FUNCTION credits.outbox_release IS
'Ends the leases of a consumer, and returns for how many customers.

consumer: its name.
customer_id: only for this customer; NULL for all.

What was handed out and not acknowledged is handed out again by the next outbox_claim(). A session that still works on
such rows may acknowledge them all the same.

Raises PC013.
Example: SELECT credits.outbox_release(''worker'');';

CREATE VIEW credits.outbox_rows AS
SELECT o.customer_id, o.outbox_no, o.outbox_id, o.type, o.payload, o.created_at FROM credits_internal.outbox o;
COMMENT ON VIEW credits.outbox_rows IS 'What waits in the outbox: rows that some consumer has not acknowledged yet.';
COMMENT ON COLUMN credits.outbox_rows.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.outbox_rows.outbox_no IS 'The row''s place among the customer''s rows, in commit order.';
COMMENT ON COLUMN credits.outbox_rows.outbox_id IS 'The row''s id, for outbox_ack().';
COMMENT ON COLUMN credits.outbox_rows.type IS 'What happened: ''recharge.requested'' and so on.';
COMMENT ON COLUMN credits.outbox_rows.payload IS 'The details. Amounts are strings of digits.';
COMMENT ON COLUMN credits.outbox_rows.created_at IS 'When it was written.';

CREATE VIEW credits.outbox_backlog AS
SELECT c.consumer, c.created_at, w.waiting, w.oldest_at, l.leased_customers, l.leased_until
FROM credits_internal.outbox_consumers c
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(o.created_at) AS oldest_at
    FROM credits_internal.outbox o
    LEFT JOIN credits_internal.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = c.consumer
    WHERE o.outbox_no > coalesce(p.acked_no, 0)) w
CROSS JOIN LATERAL (
    SELECT count(*) AS leased_customers, max(p.claimed_until) AS leased_until
    FROM credits_internal.outbox_positions p WHERE p.consumer = c.consumer AND p.claimed_until > credits.clock()) l;
COMMENT ON VIEW credits.outbox_backlog IS
'Every consumer of the outbox, with what it has not acknowledged and what is leased to its sessions.';
COMMENT ON COLUMN credits.outbox_backlog.consumer IS 'The consumer''s name.';
COMMENT ON COLUMN credits.outbox_backlog.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.outbox_backlog.waiting IS 'How many rows it has not acknowledged.';
COMMENT ON COLUMN credits.outbox_backlog.oldest_at IS 'When the oldest of them was written.';
COMMENT ON COLUMN credits.outbox_backlog.leased_customers IS 'How many customers'' rows are leased to its sessions.';
COMMENT ON COLUMN credits.outbox_backlog.leased_until IS 'Until when at the latest; NULL where none are leased.';

-- Maintenance.

CREATE FUNCTION credits.maintain_batch(
    batch_size integer DEFAULT 100, work text DEFAULT NULL, due_by timestamptz DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'maintain_batch_wrapper';
COMMENT ON FUNCTION credits.maintain_batch IS
'Does one batch of what CALL credits.maintain() does, and returns how much it was.

batch_size: the most accounts or rows.
work: ''accounts'' posts what fell due; ''inbox'' and ''deferred'' settle at most 1,000 events, as settle() does;
  ''recharges'' reviews accounts that recharge themselves at a price that something changed for; ''outbox'' deletes
  rows that nobody wanted within credits.outbox_retention; ''webhooks'' deletes those that were ignored, after
  credits.webhook_retention. NULL does one batch of each.
due_by: counts what was due or had come by then, and leaves later work where it can; NULL for now.

It waits for no other session longer than a moment, and skips what it would have to wait for.

Raises PC013.
Example: SELECT credits.maintain_batch(work => ''accounts'');';

-- No SECURITY DEFINER and no SET: a procedure with either cannot commit. It calls maintain_batch, which has both.
CREATE PROCEDURE credits.maintain(batch_size integer DEFAULT 100)
LANGUAGE c
AS 'MODULE_PATHNAME', 'maintain_wrapper';
COMMENT ON PROCEDURE credits.maintain IS
'Posts everything that fell due, and settles the usage that waits.

batch_size: the most accounts or rows per batch.

It posts grants that began or expired, holds that expired, and pending usage that is paid by what came in; requests of
auto-recharge that timed out, and those that cooldown and limits allow again. It switches off auto-recharge that
became impossible. It charges the inbox, and what deferred meters recorded. It deletes rows of the outbox that nobody
wanted within credits.outbox_retention, and webhooks that were ignored, after credits.webhook_retention. Balances are
right without it (except for the inbox); the ledger shows it afterwards.

Rows of the inbox are charged as of when they were put in, so while some of a customer''s wait, the customer''s
accounts are brought no further than the oldest that waits, for at most a day.

It does a batch of each kind of work in turn, with a commit after each, until all that was due when it began is done:
what comes in meanwhile neither keeps it going nor holds back the rest. An account that cannot be worked on holds back
no other: it is left alone and tried again after growing pauses (backlog.failed_accounts; verify() lists them). Where
a whole kind of work fails, the others are done all the same, and its error is raised at the end. Inside a transaction
it does one batch of each.

It waits for no other session longer than a moment: what it would have to wait for stays for a later call, and a table
that cannot be read for two seconds is such a failure (55P03). Two may run at once.

Raises PC013.
Example: CALL credits.maintain();';

-- What waits to be settled.

CREATE VIEW credits.backlog AS
SELECT (SELECT count(*) FROM credits.inbox) AS inbox, (SELECT min(received_at) FROM credits.inbox) AS inbox_since,
       (SELECT count(*) FROM credits_internal.unsettled_events) AS unsettled,
       (SELECT min(created_at) FROM credits_internal.unsettled_events) AS unsettled_since,
       (SELECT count(*) FROM credits_internal.inbox_rejected) AS rejected,
       -- The lock that the drainer has: src/pg/locking/lock.rs.
       (SELECT coalesce(l.pid, 0) FROM pg_locks l
        WHERE l.locktype = 'object' AND l.classid = 'credits.inbox'::regclass AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        LIMIT 1) AS inbox_drained_by,
       (SELECT count(*) FROM credits_internal.account_failures) AS failed_accounts,
       (SELECT min(failed_since) FROM credits_internal.account_failures) AS failed_since;
COMMENT ON VIEW credits.backlog IS
'What waits to be settled, as committed.

Watch it from another session while settle() or maintain() works: it changes with every batch.';
COMMENT ON COLUMN credits.backlog.inbox IS 'Rows in the inbox.';
COMMENT ON COLUMN credits.backlog.inbox_since IS 'When the oldest of them was put in.';
COMMENT ON COLUMN credits.backlog.unsettled IS 'Events of deferred meters that are not charged yet.';
COMMENT ON COLUMN credits.backlog.unsettled_since IS 'When the oldest of them was reported.';
COMMENT ON COLUMN credits.backlog.rejected IS 'Rows of the inbox that were rejected: see rejected_events.';
COMMENT ON COLUMN credits.backlog.inbox_drained_by IS
'The process id of the session whose transaction drains the inbox (see pg_stat_activity), 0 for a prepared transaction,
NULL for none. No other session can drain the inbox until that transaction ends.';
COMMENT ON COLUMN credits.backlog.failed_accounts IS
'How many accounts settle() and maintain() cannot work on. They are left alone and tried again after growing pauses;
verify() lists them with what went wrong.';
COMMENT ON COLUMN credits.backlog.failed_since IS 'When the first of them failed.';

-- Grants with what truly remains of them: what remains of an account's head grant is on the account's row.

CREATE VIEW credits_internal.true_grants AS
SELECT g.customer_id, g.currency, g.grant_id, g.status, g.category, g.priority, g.effective_at, g.expires_at,
       g.applicable_meters, g.applicable_meters IS NOT NULL AS restricted, g.amount, g.lapsed, g.ended_at,
       CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END AS remaining,
       a.posted_at, a.head_grant_id
FROM credits_internal.credit_grants g
JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency;
COMMENT ON VIEW credits_internal.true_grants IS
'Grants as posted, with what truly remains of each. For verify().

What remains of the grant that pays next is on the account''s row.';

-- The rules of verify() for accounts and grants: balances and grants are the sum of their lines.

CREATE VIEW credits_internal.account_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- 1. An account's stored balance is the sum of its lines, which are numbered without a gap.
SELECT 'account: balance is not the sum of its lines' AS problem, a.customer_id, a.currency, NULL::text AS subject,
       coalesce(l.total, 0) AS expected, a.available + a.restricted AS found
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS total FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.available + a.restricted <> coalesce(l.total, 0)
UNION ALL
SELECT 'account: lines are not numbered from 1 without a gap', a.customer_id, a.currency, NULL,
       a.last_line, coalesce(l.lines, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(*) AS lines, max(line_no) AS last, min(line_no) AS first
           FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.last_line <> coalesce(l.lines, 0) OR a.last_line <> coalesce(l.last, 0) OR coalesce(l.first, 1) <> 1
UNION ALL
SELECT 'account: it was posted to after its last line and can be charged by its head', a.customer_id, a.currency, NULL,
       NULL,
       a.last_line
FROM credits_internal.accounts a
LEFT JOIN credits_internal.lines l ON l.customer_id = a.customer_id AND l.currency = a.currency
    AND l.line_no = a.last_line
WHERE a.posted_at <> coalesce(l.created_at, '-infinity') AND a.charge_above < 'infinity'
UNION ALL
SELECT 'line: running balance is not the sum so far', l.customer_id, l.currency, 'line ' || l.line_no,
       l.total, l.running_balance
FROM (SELECT customer_id, currency, line_no, running_balance,
             sum(amount) OVER (PARTITION BY customer_id, currency ORDER BY line_no) AS total
      FROM credits_internal.lines) l
WHERE l.total IS DISTINCT FROM l.running_balance
UNION ALL
SELECT 'line: no such account', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = l.customer_id
    AND a.currency = l.currency)
UNION ALL
SELECT 'account: issued is not the sum of its grants, or more than can be counted', a.customer_id, a.currency, NULL,
       coalesce(g.issued, 0), a.issued
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS issued FROM credits_internal.credit_grants GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
LEFT JOIN credits_internal.currencies c ON c.currency = a.currency
WHERE a.issued <> coalesce(g.issued, 0) OR a.issued >= 10::numeric ^ (28 - c.decimals)
UNION ALL
-- An account that nothing can be posted to is named even where all else agrees.
SELECT 'account: maintenance fails on it', f.customer_id, f.currency, f.error || ': ' || f.message, NULL, f.attempts
FROM credits_internal.account_failures f
UNION ALL
SELECT 'account: no such customer', a.customer_id, a.currency, NULL, NULL, NULL
FROM credits_internal.accounts a
    WHERE NOT EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = a.customer_id)
UNION ALL
SELECT 'account: no such currency, or a limit that is none', a.customer_id, a.currency, NULL, NULL, a.overdraft_limit
FROM credits_internal.accounts a
WHERE NOT EXISTS (SELECT FROM credits_internal.currencies c WHERE c.currency = a.currency)
   OR a.overdraft_limit = 'NaN' OR a.overdraft_limit < 0 OR a.low_balance_threshold IN ('NaN', 'infinity')
   OR a.low_balance_threshold < 0
UNION ALL
SELECT 'grant: it did not come from where it says', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.amount
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, o.counterparty
           FROM credits_internal.lines t
           JOIN credits_internal.operations o
                ON o.customer_id = t.customer_id AND o.operation_id = t.operation_id AND o.line_no IS NULL
           WHERE t.type = 'transfer' AND t.amount > 0) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.transferred_from IS DISTINCT FROM l.counterparty
UNION ALL
SELECT 'grant: no such account', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.remaining
FROM credits_internal.credit_grants g
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = g.customer_id
    AND a.currency = g.currency)
UNION ALL
-- … and the sum of what remains in its grants that have taken effect.
SELECT 'account: available is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.available, 0), a.available
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE NOT restricted) AS available
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.available <> coalesce(g.available, 0)
UNION ALL
SELECT 'account: restricted is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.restricted, 0), a.restricted
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE restricted) AS restricted
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.restricted <> coalesce(g.restricted, 0)
UNION ALL
SELECT 'account: its head is not the grant that pays next', a.customer_id, a.currency,
       'grant ' || coalesce(a.head_grant_id::text, 'none') || ' where ' || coalesce(g.grant_id::text, 'none')
           || ' is due',
       g.remaining, a.available - a.head_floor
FROM credits_internal.accounts a
LEFT JOIN (SELECT DISTINCT ON (customer_id, currency) customer_id, currency, grant_id, remaining
           FROM credits_internal.true_grants WHERE status = 'granted' AND NOT restricted AND remaining > 0
           ORDER BY customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.head_grant_id IS DISTINCT FROM g.grant_id OR (a.head_grant_id IS NULL AND a.head_floor <> a.available)
UNION ALL
-- 2. What remains of a grant is the sum of its lines; its status says the same.
SELECT 'grant: what remains is not the sum of its lines', g.customer_id, g.currency, 'grant ' || g.grant_id,
       CASE g.status WHEN 'pending' THEN g.amount ELSE coalesce(l.total, 0) END, g.remaining
FROM credits_internal.true_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.remaining <> CASE g.status WHEN 'pending' THEN g.amount + coalesce(l.total, 0) ELSE coalesce(l.total, 0) END
   OR g.remaining < 0 OR g.remaining > g.amount
UNION ALL
SELECT 'grant: its opening line is not its amount', g.customer_id, g.currency, 'grant ' || g.grant_id, g.amount,
       coalesce(l.total, 0)
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines
           WHERE type IN ('grant', 'transfer', 'adjustment') AND amount > 0 GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE WHEN g.status = 'pending' OR g.ended_at < g.effective_at THEN 0 ELSE g.amount END
UNION ALL
SELECT 'grant: its opening line is of another time', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, l.amount
FROM credits_internal.credit_grants g
JOIN credits_internal.lines l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
                    AND l.type IN ('grant', 'transfer', 'adjustment') AND l.amount > 0
WHERE l.effective_at <> g.effective_at
UNION ALL
SELECT 'grant: lapsed is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), g.lapsed
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total
           FROM credits_internal.lines t
           LEFT JOIN credits_internal.reclaims r ON r.customer_id = t.customer_id AND r.operation_id = t.operation_id
           WHERE t.type IN ('expiration', 'void') OR (t.type = 'refund' AND r.grant_id = t.grant_id) GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.lapsed <> CASE WHEN g.ended_at < g.effective_at THEN g.amount ELSE coalesce(l.total, 0) END
UNION ALL
SELECT 'account: something is below zero', a.customer_id, a.currency, NULL, 0,
       least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor)
FROM credits_internal.accounts a
WHERE least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor) < 0
UNION ALL
SELECT 'account: charge_above is neither head_floor nor evaluate_below, nor infinity', a.customer_id, a.currency, NULL,
       greatest(a.head_floor, a.evaluate_below), a.charge_above
FROM credits_internal.accounts a WHERE a.charge_above NOT IN (greatest(a.head_floor, a.evaluate_below), 'infinity')
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit what remains', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, g.remaining
FROM credits_internal.true_grants g
WHERE (g.status IN ('depleted', 'expired', 'voided') AND g.remaining <> 0)
   OR (g.status = 'granted' AND g.remaining = 0)
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit its times', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, NULL
FROM credits_internal.true_grants g
WHERE (g.status = 'granted' AND g.expires_at <= g.posted_at) OR (g.status = 'pending' AND g.effective_at <= g.posted_at)
   OR (g.ended_at IS NOT NULL AND g.status NOT IN ('expired', 'voided')) OR (g.status = 'voided' AND g.ended_at IS NULL)
   OR (g.status = 'expired' AND least(g.expires_at, g.ended_at) > g.posted_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'grant ' || g.grant_id, NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.credit_grants g ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE (g.status = 'granted' AND g.expires_at < a.next_change_at)
   OR (g.status = 'pending' AND g.effective_at < a.next_change_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.accounts a
JOIN credits_internal.holds h ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE h.status = 'open' AND h.expires_at < a.next_change_at
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'auto-recharge', NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
WHERE r.due_at < a.next_change_at
UNION ALL
SELECT 'line: no such grant', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE (l.grant_id IS NOT NULL OR l.type NOT IN ('debt', 'reversal', 'refund') OR (l.type = 'refund' AND l.amount <> 0))
  AND NOT EXISTS (SELECT FROM credits_internal.credit_grants g
                  WHERE g.customer_id = l.customer_id AND g.grant_id = l.grant_id AND g.currency = l.currency)
UNION ALL
-- 3. What is owed is what the events say, and what was taken back of purchases.
SELECT 'account: pending is not what its events owe', a.customer_id, a.currency, NULL, coalesce(e.pending, 0), a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(pending) AS pending
           FROM (SELECT customer_id, currency, pending FROM credits_internal.meter_events WHERE pending > 0
                 UNION ALL SELECT customer_id, currency, pending FROM credits_internal.reclaims WHERE pending > 0) o
           GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.pending <> coalesce(e.pending, 0)
UNION ALL
SELECT 'account: owes while a grant could pay', e.customer_id, e.currency, 'event ' || e.identifier, 0, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = e.customer_id AND g.currency = e.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR e.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'account: held or pending is not the sum of its lines', a.customer_id, a.currency, NULL,
       coalesce(l.held, 0) + coalesce(l.pending, 0), a.held + a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(held) AS held, sum(pending) AS pending FROM credits_internal.lines
           WHERE held IS NOT NULL OR pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.held <> coalesce(l.held, 0) OR a.pending <> coalesce(l.pending, 0);
COMMENT ON VIEW credits_internal.account_discrepancies IS
'Accounts and grants that do not agree with their lines: no rows when all is sound. Ask verify().';

-- The rules of verify() for holds, operations, transfers and lines.

CREATE VIEW credits_internal.line_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- What is held is what the open holds say, and what a hold says is what its lines moved.
SELECT 'account: held is not what its holds hold', a.customer_id, a.currency, NULL, coalesce(h.held, 0), a.held
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS held FROM credits_internal.holds WHERE status = 'open'
    GROUP BY 1, 2) h
       ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE a.held <> coalesce(h.held, 0)
UNION ALL
SELECT 'hold: held in no account', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL, h.amount
FROM credits_internal.holds h
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = h.customer_id
    AND a.currency = h.currency)
UNION ALL
SELECT 'hold: its grants'' parts are not its amount', h.customer_id, h.currency, 'hold ' || h.hold_id, h.amount, p.parts
FROM credits_internal.holds h, LATERAL (SELECT sum(part) AS parts FROM unnest(h.grant_amounts) AS part) p
WHERE h.amount <> p.parts
UNION ALL
SELECT 'hold: its parts are not what its lines took', h.customer_id, h.currency, 'hold ' || h.hold_id, p.amount, l.held
FROM credits_internal.holds h
CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
LEFT JOIN (SELECT customer_id, operation_id, grant_id, sum(held) AS held FROM credits_internal.lines
           WHERE type = 'hold' GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id AND l.grant_id = p.grant_id
WHERE p.amount IS DISTINCT FROM l.held
UNION ALL
SELECT 'hold: what is held, captured or given back is not what its lines say', h.customer_id, h.currency,
       'hold ' || h.hold_id, CASE h.status WHEN 'open' THEN h.amount ELSE h.captured END,
       CASE h.status WHEN 'open' THEN l.held ELSE l.captured END
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, operation_id, sum(held) AS held,
                  -coalesce(sum(held) FILTER (WHERE type = 'capture'), 0) AS captured
           FROM credits_internal.lines WHERE type IN ('hold', 'capture', 'release') GROUP BY 1, 2) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id
WHERE (l.held, l.captured) IS DISTINCT FROM (CASE h.status WHEN 'open' THEN h.amount ELSE 0 END, h.captured)
   OR (h.captured > 0) <> (h.status = 'captured')
UNION ALL
SELECT 'hold: status ' || h.status || ' does not fit its times', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.holds h
JOIN credits_internal.accounts a ON a.customer_id = h.customer_id AND a.currency = h.currency
WHERE (h.status = 'open' AND h.expires_at <= a.posted_at)
   OR CASE h.status WHEN 'expired' THEN h.closed_at <> h.expires_at ELSE h.closed_at >= h.expires_at END
UNION ALL
SELECT 'hold: what a grant gave did not come back to it, or was not spent', h.customer_id, h.currency,
       'hold ' || h.hold_id, 0, l.held
FROM credits_internal.holds h
JOIN (SELECT customer_id, operation_id, grant_id, sum(held) AS held FROM credits_internal.lines
      WHERE type IN ('hold', 'capture', 'release') GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id
WHERE h.status <> 'open' AND l.held <> 0
UNION ALL
SELECT 'operation: its hold is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'hold_create'
  AND NOT EXISTS (SELECT FROM credits_internal.holds h WHERE h.customer_id = o.customer_id
      AND h.hold_id = o.operation_id)
UNION ALL
SELECT 'hold: its operation does not say the same', h.customer_id, h.currency, 'hold ' || h.hold_id, o.amount, h.amount
FROM credits_internal.holds h
LEFT JOIN credits_internal.operations o
       ON o.customer_id = h.customer_id AND o.operation_id = h.hold_id AND o.line_no IS NULL
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('hold_create', h.amount, h.currency)
UNION ALL
SELECT 'account: the places in the order of payment are not each for one debt, up to last_debt', a.customer_id,
       a.currency, NULL,
       a.last_debt, coalesce(e.last, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(DISTINCT debt_no) AS debts, count(*) AS events, max(debt_no) AS last
           FROM (SELECT customer_id, currency, debt_no FROM credits_internal.event_debts
                 UNION ALL SELECT customer_id, currency, debt_no FROM credits_internal.reclaims) o
           WHERE debt_no IS NOT NULL GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.last_debt < coalesce(e.last, 0) OR e.debts <> e.events
UNION ALL
SELECT 'operation: amount is not what its lines moved', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, coalesce(l.total, 0)
FROM credits_internal.operations o
LEFT JOIN (SELECT customer_id, operation_id, sum(amount) AS total FROM credits_internal.lines
           WHERE operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = o.customer_id AND l.operation_id = o.operation_id
WHERE CASE o.function WHEN 'wallet_debit' THEN coalesce(l.total, 0) <> -o.amount
                      WHEN 'wallet_adjust' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'wallet_transfer' THEN abs(coalesce(l.total, 0)) <> o.amount END
UNION ALL
-- A transfer's lines are always among those of credit_transactions.
SELECT 'transfer: its other side does not say the same', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, p.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.operations p
       ON p.customer_id = o.counterparty AND p.operation_id = o.operation_id AND p.line_no IS NULL
CROSS JOIN LATERAL (SELECT sum(l.amount) AS total FROM credits_internal.credit_transactions l
                    WHERE l.customer_id IN (o.customer_id, o.counterparty) AND l.currency = o.currency
                      AND l.operation_id = o.operation_id) l
WHERE o.function = 'wallet_transfer'
  AND ((p.amount, p.currency, p.counterparty) IS DISTINCT FROM (o.amount, o.currency, o.customer_id) OR l.total <> 0)
UNION ALL
SELECT 'operation: its grant is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount,
       g.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (o.function IN ('credit_grant', 'wallet_credit') OR (o.function = 'wallet_adjust' AND o.amount > 0))
  AND g.amount IS DISTINCT FROM o.amount
UNION ALL
SELECT 'line: it names what its type does not, or what is not known', l.customer_id, l.currency, 'line ' || l.line_no,
       NULL, l.amount
FROM credits_internal.lines l
LEFT JOIN credits_internal.meter_events e
       ON e.customer_id = l.customer_id AND e.identifier = l.identifier AND e.currency = l.currency
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.currency = l.currency
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
CROSS JOIN LATERAL (SELECT l.type IN ('consumption', 'debt', 'reversal') AND r.operation_id IS NULL AS of_usage,
                           l.type NOT IN ('consumption', 'debt', 'reversal', 'grant', 'expiration', 'void')
                               OR r.operation_id IS NOT NULL AS of_operation) x
WHERE (l.identifier IS NOT NULL) <> x.of_usage OR (e.identifier IS NOT NULL) <> x.of_usage
   OR (l.operation_id IS NOT NULL) <> x.of_operation OR (o.operation_id IS NOT NULL) <> x.of_operation
   OR (l.grant_id IS NULL) <> (l.type = 'debt' OR (l.type IN ('reversal', 'refund') AND l.amount = 0))
UNION ALL
SELECT 'line: its type is not what its operation does', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.operations o ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id
WHERE CASE o.function
      WHEN 'wallet_debit' THEN l.type = 'debit'
      WHEN 'hold_create' THEN l.type IN ('hold', 'capture', 'release')
      WHEN 'wallet_transfer' THEN l.type = 'transfer'
      WHEN 'wallet_adjust' THEN l.type = CASE WHEN l.amount > 0 THEN 'adjustment' WHEN o.reason = 'refund' THEN 'refund'
                                              WHEN o.reason = 'charge' THEN 'debit' ELSE 'adjustment' END
      WHEN 'payment_refunded' THEN l.type IN ('refund', 'consumption', 'reversal')
      WHEN 'payment_disputed' THEN l.type IN ('refund', 'consumption', 'reversal')
      END IS NOT TRUE
UNION ALL
SELECT 'line: its amounts are not those of its type', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE CASE l.type
      WHEN 'grant' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'consumption' THEN l.amount < 0 AND l.held IS NULL AND coalesce(l.pending = l.amount, true)
      WHEN 'debit' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'debt' THEN l.amount = 0 AND l.held IS NULL AND l.pending > 0
      WHEN 'reversal' THEN l.held IS NULL AND CASE l.amount WHEN 0 THEN l.pending < 0
                                                            ELSE l.amount > 0 AND l.pending IS NULL END
      WHEN 'hold' THEN l.amount < 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'capture' THEN l.amount = 0 AND l.held < 0 AND l.pending IS NULL
      WHEN 'release' THEN l.amount > 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'expiration' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'void' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'transfer' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'adjustment' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'refund' THEN l.held IS NULL AND (l.amount = 0) = (l.pending IS NOT NULL)
      END IS NOT TRUE
UNION ALL
SELECT 'line: the grant may not pay for this', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
WHERE l.type NOT IN ('grant', 'adjustment', 'expiration', 'void') AND g.applicable_meters IS NOT NULL
  AND (coalesce(e.event_name, r.event_name) = ANY (g.applicable_meters)) IS NOT TRUE
UNION ALL
-- Times: a line is within its grant's life, and no line is earlier than the one before it.
SELECT 'line: outside of its grant''s life', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
CROSS JOIN LATERAL (SELECT least(g.expires_at, g.ended_at) AS ended_at,
                           EXISTS (SELECT FROM credits_internal.lines r
                                   WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                     AND r.line_no = l.line_no - 1 AND r.type IN ('release', 'reversal', 'refund')
                                     AND r.grant_id = l.grant_id)
                               AS came_back) x
WHERE l.effective_at < g.effective_at
   OR CASE WHEN l.type IN ('capture', 'release', 'reversal') OR (l.type = 'refund' AND l.amount > 0) THEN false
           WHEN l.type = 'void' THEN g.status <> 'voided' OR l.effective_at < x.ended_at
                                     OR (l.effective_at > x.ended_at AND NOT x.came_back)
           WHEN l.type = 'expiration' THEN g.status <> 'expired' OR l.effective_at < x.ended_at
                                           OR (l.effective_at > x.ended_at AND NOT x.came_back)
           ELSE l.effective_at >= g.expires_at OR l.effective_at > g.ended_at END
UNION ALL
SELECT 'line: time goes back', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM (SELECT t.*, lag(t.effective_at) OVER account AS effective_before, lag(t.created_at) OVER account AS created_before
      FROM credits_internal.lines t
      WINDOW account AS (PARTITION BY t.customer_id, t.currency ORDER BY t.line_no)) l
JOIN credits_internal.accounts a ON a.customer_id = l.customer_id AND a.currency = l.currency
WHERE l.effective_at < l.effective_before OR l.created_at < l.created_before OR l.effective_at > l.created_at
   OR l.created_at > a.posted_at;
COMMENT ON VIEW credits_internal.line_discrepancies IS
'Holds, operations and lines that do not agree: no rows when all is sound. Ask verify().';

-- The rules of verify() for usage: what an event was charged is what its lines took and what its price says; what a
-- period's usage costs is the price of what its events add up to. No FULL JOIN: what is asked about one customer would
-- not get through it, and all the others would be read.

CREATE VIEW credits_internal.usage_discrepancies AS
SELECT 'event: something is below zero' AS problem, e.customer_id, e.currency, 'event ' || e.identifier AS subject,
       0 AS expected, least(e.value, e.consumed, e.pending) AS found
FROM credits_internal.meter_events e
WHERE least(e.value, e.pending) < 0 OR (e.consumed < 0 AND e.period_key IS NULL)
UNION ALL
SELECT 'event: owes in no account', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0
  AND NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = e.customer_id
      AND a.currency = e.currency)
UNION ALL
SELECT 'event: no such meter', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.value
FROM credits_internal.meter_events e
WHERE NOT EXISTS (SELECT FROM credits_internal.meters m WHERE m.event_name = e.event_name AND m.currency = e.currency)
UNION ALL
SELECT 'event: no such price', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.price_version
FROM credits_internal.meter_events e
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_prices p WHERE p.event_name = e.event_name
    AND p.version = e.price_version)
UNION ALL
SELECT 'event: owes and has no place in the order of payment', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL,
       e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND NOT EXISTS (SELECT FROM credits_internal.event_debts d
                                    WHERE d.customer_id = e.customer_id AND d.identifier = e.identifier)
UNION ALL
SELECT 'event: has a place in the order of payment and owes nothing', d.customer_id, d.currency,
       'event ' || d.identifier, NULL,
       e.pending
FROM credits_internal.event_debts d
LEFT JOIN credits_internal.meter_events e ON e.customer_id = d.customer_id AND e.identifier = d.identifier
WHERE (e.pending > 0 AND e.currency = d.currency) IS NOT TRUE
UNION ALL
-- What an event was charged is what its lines took; nothing yet while it is unsettled.
SELECT 'event: consumed is not what its lines took', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.consumed - coalesce(x.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
                                   AND e.period_key IS NULL
LEFT JOIN (SELECT customer_id, identifier, -sum(amount) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier
WHERE e.consumed - coalesce(x.returned, 0) <> coalesce(l.total, 0)
  AND NOT (l.total IS NULL AND EXISTS (
      SELECT FROM credits_internal.unsettled_events u
      WHERE u.customer_id = e.customer_id AND u.currency = e.currency AND u.created_at = e.created_at
        AND u.identifier = e.identifier))
UNION ALL
SELECT 'event: pending is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.pending
FROM credits_internal.meter_events e
LEFT JOIN (SELECT customer_id, identifier, sum(pending) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL AND pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier
WHERE e.pending <> coalesce(l.total, 0)
UNION ALL
-- Where the lines of an event begin, a cancellation finds by time.
SELECT 'event: charged before it was reported', e.customer_id, e.currency, 'event ' || e.identifier, NULL, l.line_no
FROM credits_internal.lines l
JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE l.effective_at < e.created_at
UNION ALL
SELECT 'event: taken back and still charged', e.customer_id, e.currency, 'event ' || e.identifier, 0,
       e.consumed - x.returned + e.pending
FROM credits_internal.canceled_events x
JOIN credits_internal.meter_events e ON e.customer_id = x.customer_id AND e.identifier = x.identifier
WHERE e.period_key IS NULL AND (e.consumed <> x.returned OR e.pending <> 0)
UNION ALL
SELECT 'event: what came back is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.returned, 0), coalesce(x.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN (SELECT customer_id, identifier, sum(amount) AS returned FROM credits_internal.lines
           WHERE type = 'reversal' GROUP BY 1, 2) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier
WHERE CASE WHEN e.period_key IS NULL THEN coalesce(x.returned, 0) <> coalesce(l.returned, 0) ELSE x.returned < 0 END
UNION ALL
SELECT 'cancellation: no such event', x.customer_id, NULL, 'event ' || x.identifier, NULL, x.returned
FROM credits_internal.canceled_events x
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e WHERE e.customer_id = x.customer_id
    AND e.identifier = x.identifier)
UNION ALL
-- An event that is priced by itself costs what its price says: by a unit price worked out here, by any other asked for.
SELECT 'event: credits are not its price', e.customer_id, e.currency, 'event ' || e.identifier, x.price,
       e.consumed + e.pending
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version
CROSS JOIN LATERAL (SELECT CASE m.aggregation WHEN 'count' THEN 1 ELSE e.value END AS quantity) q
CROSS JOIN LATERAL (SELECT CASE WHEN p.pricing IS NULL THEN trim_scale(round(q.quantity * p.unit_price, c.decimals))
                                ELSE credits.usage_price(m.event_name, q.quantity, e.metadata, p.version) END
                                    AS price) x
WHERE e.period_key IS NULL AND e.consumed + e.pending <> x.price
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
SELECT 'event: it is in no period, or in one that is not its own', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL, e.value
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = e.customer_id AND u.event_name = e.event_name
                                 AND u.period_key = e.period_key
WHERE CASE WHEN e.period_key IS NULL THEN m.aggregation IN ('last', 'max')
           ELSE (u.period_start = coalesce(date_trunc(m.period, e.occurred_at, 'UTC'), '-infinity')
                 AND split_part(e.period_key, ' ', 1)
                     = CASE m.period WHEN 'day' THEN to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
                                     WHEN 'month' THEN to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM')
                                     ELSE 'always' END
                 AND split_part(e.period_key, ' ', 2)
                     = CASE WHEN m.aggregation IN ('last', 'max') THEN '' ELSE 'v'
                         || e.price_version END) IS NOT TRUE END
UNION ALL
-- Deferred events that wait.
SELECT 'unsettled: its event says something else', u.customer_id, u.currency, 'event ' || u.identifier, e.consumed,
       u.cost
FROM credits_internal.unsettled_events u
LEFT JOIN credits_internal.meter_events e ON e.customer_id = u.customer_id AND e.identifier = u.identifier
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = u.customer_id AND x.identifier = u.identifier
WHERE (e.currency, e.event_name, e.created_at, e.consumed, e.pending, x.identifier IS NULL)
      IS DISTINCT FROM (u.currency, u.event_name, u.created_at, u.cost, 0, true)
UNION ALL
SELECT 'unsettled: no such account, or one that does not know of it', u.customer_id, u.currency,
       'event ' || u.identifier,
       NULL, u.cost
FROM credits_internal.unsettled_events u
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a
                  WHERE a.customer_id = u.customer_id AND a.currency = u.currency AND a.defers)
UNION ALL
-- Usage that is priced as one costs the price of what its events add up to, and its events were charged as much.
SELECT 'period: credits are not what its events consumed and owe', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, coalesce(e.credits, 0), u.credits
FROM credits_internal.usage_periods u
LEFT JOIN (SELECT customer_id, event_name, period_key, sum(consumed + pending) AS credits
           FROM credits_internal.meter_events WHERE period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
WHERE u.credits <> coalesce(e.credits, 0)
UNION ALL
SELECT 'period: credits are not the price of its quantity', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, x.price, u.credits
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
LEFT JOIN credits_internal.meter_prices p ON p.event_name = u.event_name AND p.version = u.price_version
CROSS JOIN LATERAL (SELECT CASE WHEN c.currency IS NOT NULL AND p.version IS NOT NULL
                                THEN credits.usage_price(m.event_name, u.quantity, NULL, p.version, u.price_class)
                                END AS price) x
WHERE u.credits IS DISTINCT FROM x.price
UNION ALL
SELECT 'period: its events do not add up to what it says', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key,
       CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events WHEN 'max' THEN e.highest ELSE e.last END,
       u.quantity
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
LEFT JOIN (SELECT e.customer_id, e.event_name, e.period_key, count(*) AS all_events,
                  count(*) FILTER (WHERE x.identifier IS NULL) AS events,
                  sum(e.value) FILTER (WHERE x.identifier IS NULL) AS total,
                  max(e.value) FILTER (WHERE x.identifier IS NULL) AS highest,
                  (array_agg(e.value ORDER BY e.occurred_at DESC, r.event_no DESC)
                       FILTER (WHERE x.identifier IS NULL))[1] AS last
           FROM credits_internal.meter_events e
           LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
           LEFT JOIN credits_internal.usage_ranks r
                  ON r.customer_id = e.customer_id AND r.event_name = e.event_name AND r.period_key = e.period_key
                 AND r.identifier = e.identifier
           WHERE e.period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
WHERE (u.event_count, u.last_no, u.quantity)
      IS DISTINCT FROM (e.events, e.all_events,
                        coalesce(CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events
                                                    WHEN 'max' THEN e.highest ELSE e.last END, 0))
UNION ALL
-- The event that counts is the first in rank, and those that are not taken back are ranked.
SELECT 'period: another event counts than the first in rank', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, r.event_no, u.counted_no
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name AND m.aggregation IN ('last', 'max')
LEFT JOIN (SELECT DISTINCT ON (r.customer_id, r.event_name, r.period_key)
                  r.customer_id, r.event_name, r.period_key, r.event_no, e.occurred_at, e.price_version
           FROM credits_internal.usage_ranks r
           JOIN credits_internal.meters m ON m.event_name = r.event_name
           JOIN credits_internal.meter_events e ON e.customer_id = r.customer_id AND e.identifier = r.identifier
           ORDER BY r.customer_id, r.event_name, r.period_key, r.rank DESC,
                    CASE m.aggregation WHEN 'last' THEN -r.event_no ELSE r.event_no END) r
       ON r.customer_id = u.customer_id AND r.event_name = u.event_name AND r.period_key = u.period_key
WHERE (u.counted_no, u.counted_at, CASE WHEN u.counted_no IS NOT NULL THEN u.price_version END)
      IS DISTINCT FROM (r.event_no, r.occurred_at, r.price_version)
UNION ALL
SELECT 'event: its rank is not what it should be', e.customer_id, e.currency, 'event ' || e.identifier, x.rank, r.rank
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
CROSS JOIN LATERAL (SELECT CASE m.aggregation
                           WHEN 'max' THEN e.value
                           ELSE extract(epoch FROM e.occurred_at) - extract(epoch FROM timestamptz '2000-01-01 UTC')
                           END AS rank) x
LEFT JOIN credits_internal.usage_ranks r ON r.customer_id = e.customer_id AND r.event_name = e.event_name
                               AND r.period_key = e.period_key AND r.identifier = e.identifier
WHERE x.rank IS DISTINCT FROM r.rank
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
SELECT 'rank: no event that counts', r.customer_id, NULL, 'event ' || r.identifier, NULL, r.rank
FROM credits_internal.usage_ranks r
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e
                  JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
                  WHERE e.customer_id = r.customer_id AND e.identifier = r.identifier AND e.event_name = r.event_name
                    AND e.period_key = r.period_key)
   OR EXISTS (SELECT FROM credits_internal.canceled_events b
              WHERE b.customer_id = r.customer_id AND b.identifier = r.identifier)
UNION ALL
-- What grants paid for it and did not get back is known line by line.
SELECT 'period: its draws are not what grants paid', l.customer_id, l.currency,
       'period ' || l.event_name || ' ' || l.period_key || ', grant ' || l.grant_id, l.amount, coalesce(d.amount, 0)
FROM (SELECT e.customer_id, e.event_name, e.period_key, e.currency, l.grant_id, -sum(l.amount) AS amount
      FROM credits_internal.meter_events e
      JOIN credits_internal.lines l ON l.customer_id = e.customer_id AND l.identifier = e.identifier
      WHERE e.period_key IS NOT NULL AND l.grant_id IS NOT NULL
      GROUP BY 1, 2, 3, 4, 5) l
LEFT JOIN (SELECT customer_id, event_name, period_key, grant_id, sum(amount) AS amount
           FROM credits_internal.usage_draws GROUP BY 1, 2, 3, 4) d
       ON d.customer_id = l.customer_id AND d.event_name = l.event_name AND d.period_key = l.period_key
      AND d.grant_id = l.grant_id
WHERE l.amount <> coalesce(d.amount, 0)
UNION ALL
SELECT 'draw: its line took less, by another grant or for other usage', d.customer_id, l.currency, 'line ' || d.line_no,
       -l.amount, d.amount
FROM credits_internal.usage_draws d
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = d.customer_id AND u.event_name = d.event_name
                                 AND u.period_key = d.period_key
LEFT JOIN credits_internal.lines l ON l.customer_id = d.customer_id AND l.currency = u.currency
                                       AND l.line_no = d.line_no
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE (d.amount > 0 AND d.amount <= -l.amount AND d.grant_id = l.grant_id AND l.type = 'consumption'
       AND e.event_name = d.event_name AND e.period_key = d.period_key) IS NOT TRUE;
COMMENT ON VIEW credits_internal.usage_discrepancies IS
'Usage that does not agree with its price or its lines: no rows when all is sound. Ask verify().';

-- The rules of verify() for payments: a top-up that is paid has made one grant of what it bought; what went back for
-- refunds and disputes was taken, is owed, is waited for or is gone; a payment is one top-up's, and the totals of its
-- payments are what was reported of them; at most one recharge is open at a time.

CREATE VIEW credits_internal.payment_discrepancies AS
SELECT 'top-up: its grant is not what it bought' AS problem, t.customer_id, t.credit_currency AS currency,
       'top-up ' || t.top_up_id AS subject, t.credits AS expected, g.amount AS found
FROM credits_internal.top_ups t
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = t.customer_id AND g.grant_id = t.grant_id
    AND g.currency = t.credit_currency
WHERE t.grant_id IS NOT NULL AND g.amount IS DISTINCT FROM t.credits
UNION ALL
SELECT 'top-up: status ' || t.status || ' does not fit its grant', t.customer_id, t.credit_currency,
       'top-up ' || t.top_up_id,
       t.amount, t.paid_amount
FROM credits_internal.top_ups t
WHERE (t.status IN ('paid', 'refunded')) <> (t.grant_id IS NOT NULL)
   OR (t.paid_at IS NULL) <> (t.grant_id IS NULL)
UNION ALL
SELECT 'top-up: it is granted and its payments do not cover it, or the reverse', t.customer_id, t.credit_currency,
       'top-up ' || t.top_up_id, t.amount, p.covers
FROM credits_internal.top_ups t
LEFT JOIN (SELECT customer_id, top_up_id,
    sum(coalesce(subtotal, paid_amount + coalesce(discount, 0) - coalesce(shipping, 0)))
                                              AS covers
           FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
       ON p.customer_id = t.customer_id AND p.top_up_id = t.top_up_id
WHERE (t.grant_id IS NOT NULL) <> (coalesce(p.covers, 0) >= t.amount)
UNION ALL
SELECT 'top-up: ' || s.what || ' is not what its payments say', t.customer_id, t.currency, 'top-up ' || t.top_up_id,
       coalesce(s.expected, 0), coalesce(s.found, 0)
FROM credits_internal.top_ups t
LEFT JOIN (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(refunded_amount) AS refunded,
                  sum(disputed_amount) AS disputed
           FROM credits_internal.payment_totals GROUP BY 1, 2) p ON p.customer_id = t.customer_id
               AND p.top_up_id = t.top_up_id
-- What was reported before any payment is the top-up's alone.
CROSS JOIN LATERAL (VALUES ('what was paid', p.paid, t.paid_amount),
                           ('what was refunded', CASE WHEN p.paid IS NULL THEN t.refunded_amount ELSE p.refunded END,
                            t.refunded_amount),
                           ('what is disputed', CASE WHEN p.paid IS NULL THEN t.disputed_amount ELSE p.disputed END,
                            t.disputed_amount)) AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'top-up: what was due is not what it costs', t.customer_id, t.currency, 'top-up ' || t.top_up_id, t.amount,
       t.due_amount
FROM credits_internal.top_ups t
WHERE t.due_amount <> t.amount AND NOT EXISTS (
    SELECT FROM credits_internal.payment_totals p
    WHERE p.customer_id = t.customer_id AND p.top_up_id = t.top_up_id AND coalesce(p.tax, p.discount) IS NOT NULL)
UNION ALL
SELECT 'payment: ' || s.what || ' is not what was told', coalesce(p.customer_id, l.customer_id), NULL,
       'top-up ' || coalesce(p.top_up_id, l.top_up_id), s.expected, s.found
FROM (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
             sum(discount) AS discount
      FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
FULL JOIN (SELECT customer_id, top_up_id, sum(amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
                  sum(discount) AS discount
           FROM (SELECT c.customer_id, c.top_up_id, (array_agg(c.amount ORDER BY c.payment_id))[1] AS amount,
                        max(c.tax) AS tax, max(c.shipping) AS shipping, max(c.discount) AS discount
                 FROM credits_internal.payments c WHERE c.type = 'succeeded' AND c.counts
                 GROUP BY c.customer_id, c.top_up_id, c.provider, coalesce(c.provider_reference, c.payment_id::text)) c
           GROUP BY 1, 2) l ON l.customer_id = p.customer_id AND l.top_up_id = p.top_up_id
CROSS JOIN LATERAL (VALUES ('what was paid', l.paid, p.paid), ('its tax', l.tax, p.tax),
                           ('its shipping', l.shipping, p.shipping), ('its discount', l.discount, p.discount))
               AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'payment: what disputes take is not what was told', t.customer_id, t.currency, 'top-up ' || t.top_up_id,
       coalesce(d.disputed, 0), t.disputed_amount
FROM credits_internal.top_ups t
LEFT JOIN (SELECT d.customer_id, d.top_up_id, sum(d.amount) AS disputed, count(*) - count(d.amount) AS of_all
           FROM credits_internal.payments d
           WHERE d.type = 'disputed' AND d.counts AND NOT EXISTS (
               SELECT FROM credits_internal.payments w
               WHERE w.customer_id = d.customer_id AND w.top_up_id = d.top_up_id AND w.type = 'dispute_won' AND w.counts
                 AND w.provider = d.provider AND w.provider_reference IS NOT DISTINCT FROM d.provider_reference
                 AND (d.provider_reference IS NOT NULL OR w.payment_id > d.payment_id))
           GROUP BY 1, 2) d ON d.customer_id = t.customer_id AND d.top_up_id = t.top_up_id
WHERE coalesce(d.of_all, 0) = 0 AND t.disputed_amount <> coalesce(d.disputed, 0)
UNION ALL
SELECT 'payment: what was refunded is not what was told', t.customer_id, t.currency, 'top-up ' || t.top_up_id,
       coalesce(r.refunded, 0), t.refunded_amount
FROM credits_internal.top_ups t
LEFT JOIN (SELECT r.customer_id, r.top_up_id, sum(r.amount) FILTER (WHERE f.payment_id IS NULL) AS refunded,
                  bool_or(r.amount IS NULL OR r.total_refunded IS NOT NULL) AS says_more
           FROM credits_internal.payments r
           LEFT JOIN credits_internal.payments f
                  ON f.customer_id = r.customer_id AND f.top_up_id = r.top_up_id AND f.type = 'refund_failed'
                      AND f.counts
                 AND f.provider = r.provider AND f.provider_reference = r.provider_reference
           WHERE r.type = 'refunded' AND r.counts
           GROUP BY 1, 2) r ON r.customer_id = t.customer_id AND r.top_up_id = t.top_up_id
-- Refunds reported one by one add up; a reported total can be no less than that.
WHERE CASE WHEN r.says_more THEN t.refunded_amount < coalesce(r.refunded, 0)
           ELSE t.refunded_amount <> coalesce(r.refunded, 0) END
UNION ALL
SELECT 'reference: what it names was told of this top-up and is another''s', p.customer_id, p.currency,
       p.provider || ' ' || p.provider_reference, NULL, p.amount
FROM credits_internal.payments p
LEFT JOIN credits_internal.payment_references r
       ON r.provider = p.provider AND r.reference = p.provider_reference
      AND r.kind = CASE p.type WHEN 'succeeded' THEN 'payment' WHEN 'refunded' THEN 'refund' ELSE 'dispute' END
WHERE p.counts AND p.type IN ('succeeded', 'refunded', 'disputed') AND p.provider_reference IS NOT NULL
  AND (r.customer_id = p.customer_id AND r.top_up_id = p.top_up_id) IS NOT TRUE
UNION ALL
SELECT 'reference: no such top-up', r.customer_id, NULL, r.provider || ' ' || r.reference, NULL, NULL
FROM credits_internal.payment_references r
WHERE NOT EXISTS (SELECT FROM credits_internal.top_ups t WHERE t.customer_id = r.customer_id
    AND t.top_up_id = r.top_up_id)
UNION ALL
SELECT 'top-up: two of them have one grant', t.customer_id, min(t.credit_currency), 'grant ' || t.grant_id, 1, count(*)
FROM credits_internal.top_ups t WHERE t.grant_id IS NOT NULL GROUP BY t.customer_id, t.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'top-up: its payment is told and granted nothing', p.customer_id, coalesce(t.credit_currency, p.currency),
       'top-up ' || p.top_up_id, t.credits, NULL
FROM credits_internal.payments p
LEFT JOIN credits_internal.top_ups t ON t.customer_id = p.customer_id AND t.top_up_id = p.top_up_id
WHERE p.type = 'succeeded' AND p.contradiction IS NULL AND p.counts AND t.grant_id IS NULL
UNION ALL
SELECT 'top-up: what was taken back is not what its operations say', t.customer_id, t.credit_currency,
       'top-up ' || t.top_up_id, coalesce(r.credits, 0), t.reclaimed
FROM credits_internal.top_ups t
LEFT JOIN (SELECT customer_id, top_up_id, sum(credits) AS credits FROM credits_internal.reclaims WHERE undone_at IS NULL
    GROUP BY 1, 2) r
       ON r.customer_id = t.customer_id AND r.top_up_id = t.top_up_id
WHERE t.reclaimed <> coalesce(r.credits, 0) OR t.reclaimed > t.credits
UNION ALL
SELECT 'top-up: what was taken back is not its part of what is no longer paid', t.customer_id, t.credit_currency,
       'top-up ' || t.top_up_id, x.due, t.reclaimed
FROM credits_internal.top_ups t
JOIN credits_internal.currencies c ON c.currency = t.credit_currency
LEFT JOIN (SELECT customer_id, top_up_id,
    sum(greatest(coalesce(paid_amount, 0) - refunded_amount - disputed_amount, 0)) AS amount
           FROM credits_internal.payment_totals GROUP BY 1, 2) r ON r.customer_id = t.customer_id
               AND r.top_up_id = t.top_up_id
CROSS JOIN LATERAL (SELECT t.credits * greatest(t.due_amount - coalesce(r.amount, 0), 0) AS share) s
CROSS JOIN LATERAL (SELECT coalesce(trim_scale(round(round(s.share, 40) / nullif(t.due_amount, 0), c.decimals)), 0)
    AS due) x
-- Multiplied out, since a quotient is rounded: within half of the smallest part of a credit.
WHERE t.grant_id IS NOT NULL AND CASE WHEN t.due_amount = 0 THEN t.reclaimed <> 0
    ELSE abs(t.reclaimed * t.due_amount - s.share) * 2 > t.due_amount * ('1e-' || c.decimals)::numeric END
UNION ALL
SELECT 'reclaim: what it took and what was paid for it is not what its lines say', r.customer_id, r.currency,
       'operation ' || r.operation_id, coalesce(l.total, 0), r.taken + r.consumed
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, -sum(amount) AS total FROM credits_internal.lines
           WHERE type IN ('refund', 'consumption', 'reversal') AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
WHERE r.taken + r.consumed <> coalesce(l.total, 0)
UNION ALL
SELECT 'reclaim: pending is not what its lines say', r.customer_id, r.currency, 'operation ' || r.operation_id,
       coalesce(l.total, 0), r.pending
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, sum(pending) AS total FROM credits_internal.lines
           WHERE pending IS NOT NULL AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
WHERE r.pending <> coalesce(l.total, 0)
UNION ALL
SELECT 'reclaim: more was taken, paid and owed than went back', r.customer_id, r.currency,
       'operation ' || r.operation_id,
       r.credits, r.taken + r.consumed + r.pending
FROM credits_internal.reclaims r
WHERE r.taken + r.consumed + r.pending > r.credits OR (r.pending > 0 AND r.debt_no IS NULL)
   OR (r.undone_at IS NOT NULL AND r.taken + r.consumed + r.pending <> 0)
       OR (NOT r.owes AND r.consumed + r.pending <> 0)
UNION ALL
SELECT 'grant: it waits for more than went back of it', g.customer_id, g.currency, 'grant ' || g.grant_id,
       r.credits - r.taken - r.consumed - r.pending, c.amount
FROM credits_internal.credit_grants g
CROSS JOIN LATERAL unnest(g.clawback_operations, g.clawback_amounts, g.clawback_owes) AS c (operation_id, amount, owes)
LEFT JOIN credits_internal.reclaims r ON r.customer_id = g.customer_id AND r.operation_id = c.operation_id
    AND r.grant_id = g.grant_id
                            AND r.undone_at IS NULL AND r.owes = c.owes
WHERE g.clawback_operations IS NOT NULL
    AND (c.amount > 0 AND c.amount <= r.credits - r.taken - r.consumed - r.pending) IS NOT TRUE
UNION ALL
SELECT 'account: owes while a grant could pay', r.customer_id, r.currency, 'operation ' || r.operation_id, 0, r.pending
FROM credits_internal.reclaims r
WHERE r.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = r.customer_id AND g.currency = r.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR r.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'reclaim: no such account', r.customer_id, r.currency, 'operation ' || r.operation_id, NULL, r.credits
FROM credits_internal.reclaims r
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = r.customer_id
    AND a.currency = r.currency)
UNION ALL
SELECT 'recharge: status ' || r.status || ' does not fit its top-up', r.customer_id, r.currency,
       'recharge ' || r.recharge_id,
       r.amount, t.paid_amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.top_ups t ON t.customer_id = r.customer_id AND t.top_up_id = r.top_up_id
WHERE t.recharge_id IS DISTINCT FROM r.recharge_id OR (r.status = 'paid') <> (t.grant_id IS NOT NULL)
   OR (r.closed_at IS NULL) <> (r.status IN ('requested', 'processing'))
UNION ALL
SELECT 'recharge: more than one is open', r.customer_id, r.currency, NULL, 1, count(*)
FROM credits_internal.recharges r WHERE r.status IN ('requested', 'processing')
GROUP BY r.customer_id, r.currency HAVING count(*) > 1
UNION ALL
SELECT 'recharge: it is open and nothing looks at it when it times out', r.customer_id, r.currency,
       'recharge ' || r.recharge_id, NULL, r.amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
WHERE r.status IN ('requested', 'processing') AND s.due_at IS DISTINCT FROM r.expires_at
UNION ALL
SELECT 'recharge: it is requested by an account that is switched off', r.customer_id, r.currency,
       'recharge ' || r.recharge_id,
       NULL, r.amount
FROM credits_internal.recharges r
JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
WHERE r.status = 'requested' AND NOT s.enabled
UNION ALL
SELECT 'auto-recharge: it is switched on and says why it switched itself off', s.customer_id, s.currency,
       s.disabled_reason,
       NULL, s.failures
FROM credits_internal.auto_recharges s WHERE s.enabled AND s.disabled_reason IS NOT NULL
UNION ALL
SELECT 'recharge: a price is to be reviewed that does not exist', NULL, NULL, 'price ' || w.price_id, NULL, NULL
FROM credits_internal.recharge_reviews w
WHERE NOT EXISTS (SELECT FROM credits_internal.prices p WHERE p.price_id = w.price_id)
UNION ALL
SELECT 'outbox: a row is beyond its customer''s counter', o.customer_id, NULL, 'row ' || o.outbox_no, c.last_no,
       o.outbox_no
FROM credits_internal.outbox o
LEFT JOIN credits_internal.outbox_counters c ON c.customer_id = o.customer_id
WHERE coalesce(c.last_no, 0) < o.outbox_no
UNION ALL
SELECT 'outbox: a consumer that does not exist keeps its place', p.customer_id, NULL, 'consumer ' || p.consumer, NULL,
       p.acked_no
FROM credits_internal.outbox_positions p
WHERE NOT EXISTS (SELECT FROM credits_internal.outbox_consumers c WHERE c.consumer = p.consumer);
COMMENT ON VIEW credits_internal.payment_discrepancies IS
'Payments, top-ups, recharges and outbox rows that do not agree: no rows when all is sound. Ask verify().';

-- verify(): what must always hold, recomputed from the lines of the ledger.

CREATE TYPE credits.discrepancy AS (
    problem text, customer_id text, currency text, subject text, expected numeric, found numeric);
COMMENT ON TYPE credits.discrepancy IS 'Something that does not agree, as verify() returns it.';
COMMENT ON COLUMN credits.discrepancy.problem IS 'The rule that does not hold.';
COMMENT ON COLUMN credits.discrepancy.customer_id IS 'The customer; NULL where it is about none.';
COMMENT ON COLUMN credits.discrepancy.currency IS 'The account''s currency; NULL where it is about none.';
COMMENT ON COLUMN credits.discrepancy.subject IS 'What it is about: the grant, event, line, hold or payment.';
COMMENT ON COLUMN credits.discrepancy.expected IS 'What it should be; NULL where that is no number.';
COMMENT ON COLUMN credits.discrepancy.found IS 'What was found.';

-- Without compilation: it takes longer than the whole question about one customer.
CREATE FUNCTION credits.verify(customer_id text DEFAULT NULL)
RETURNS SETOF credits.discrepancy
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT d.* FROM credits_internal.account_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.line_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.usage_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.payment_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.account_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.line_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.usage_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.payment_discrepancies d WHERE d.customer_id = $1
$$;
COMMENT ON FUNCTION credits.verify(text) IS
'Recomputes every balance from the ledger, every grant from its lines and every charge from its price.

customer_id: only this customer; NULL for all.

It returns one row per discrepancy, none when all is sound. All in one snapshot, so it may run at any time.

Example: SELECT * FROM credits.verify();';

-- Help: what the comments on functions and types say, laid out for reading. It all comes from the catalogue.

-- How a comment is read: a first paragraph; a line for each parameter, `name: …`; paragraphs of rules; `Raises …`;
-- and `Example: …`. A line that goes on is indented. tests/pg_regress/sql/help.sql checks that all are so.
CREATE VIEW credits_internal.function_docs AS
SELECT p.oid AS function, p.proname::text AS name, p.prokind = 'p' AS is_procedure, s.subject_no, s.subject,
       regexp_replace(split_part(d.comment, E'\n\n', 1), '\s+', ' ', 'g') AS summary,
       regexp_replace(substring(d.comment, '^.+?\.(?=\s|$)'), '\s+', ' ', 'g') AS first_sentence,
       ARRAY(SELECT regexp_replace(r.rule, '\s+', ' ', 'g')
             FROM string_to_table(d.comment, E'\n\n') WITH ORDINALITY AS r(rule, no)
             WHERE r.no > 1 AND r.rule !~ '^(Raises |[A-Za-z_]+: )' ORDER BY r.no) AS rules,
       ARRAY(SELECT c.code[1]
             FROM regexp_matches(substring(d.comment, '\nRaises ([^\n]*)'), 'PC\d+', 'g') AS c(code)) AS raises,
       regexp_replace(substring(d.comment, '\nExample: (.*)$'), '\n +', E'\n', 'g') AS example
FROM pg_proc p
CROSS JOIN LATERAL (SELECT obj_description(p.oid, 'pg_proc') AS comment) AS d
LEFT JOIN LATERAL (
    SELECT v.subject_no, v.subject
    FROM (VALUES
        (1, 'Customers and currencies', '^(customer|currency)_'),
        (2, 'Grants', '^(credit_grant|wallet_credit$)'),
        (3, 'Balances', '^(account_configure|credit_availability|explain_drawdown|pending_amount|wallet_balance)'),
        (4, 'Spending', '^(wallet_(adjust|debit|transfer|try_debit)$|hold_)'),
        (5, 'Meters', '^(meter_(activate|create|deactivate|update)|usage_price)$'),
        (6, 'Usage', '^(inbox_|meter_event_|report_meter_event|settle$|usage_summary$)'),
        (7, 'Catalogue', '^(configure_recharge$|exchange_rate|package_|price_|product_|recharge_config$)'),
        (8, 'Purchases and payments', '^(payment_|top_up_|webhook_)'),
        (9, 'Auto-recharge', '^(auto_recharge_|configure_auto_recharge$|recharge_begin$)'),
        (10, 'Outbox', '^outbox_'),
        (11, 'Billing pages', '^(billing_|current_customer$)'),
        (12, 'Ledger', '^(verify|wallet_history)$'),
        (13, 'Maintenance', '^(clock$|help$|maintain)')
    ) AS v(subject_no, subject, names)
    WHERE p.proname::text ~ v.names
) AS s ON true
WHERE p.pronamespace = 'credits'::regnamespace;
COMMENT ON VIEW credits_internal.function_docs IS
'The functions of schema credits with what their comments say. For help() and the pages of docs/reference.';

CREATE VIEW credits_internal.function_fields AS
SELECT p.oid AS function, 'parameter' AS kind, a.no, a.name,
       replace(format_type(a.type, NULL), 'timestamp with time zone', 'timestamptz') AS type,
       regexp_replace(pg_get_function_arg_default(p.oid, a.no::integer), '::[a-z ]+(\[\])?$', '') AS default_value,
       regexp_replace(
           substring(obj_description(p.oid, 'pg_proc'), '\n' || a.name || ': ([^\n]*(\n  [^\n]*)*)'),
           '\s+', ' ', 'g') AS description
FROM pg_proc p
CROSS JOIN LATERAL unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) WITH ORDINALITY AS a(name, type, no)
WHERE p.pronamespace = 'credits'::regnamespace
UNION ALL
SELECT p.oid, 'column', row_number() OVER (PARTITION BY p.oid ORDER BY a.attnum), a.attname::text,
       replace(format_type(a.atttypid, NULL), 'timestamp with time zone', 'timestamptz'), NULL,
       regexp_replace(col_description(a.attrelid, a.attnum), '\s+', ' ', 'g')
FROM pg_proc p
JOIN pg_type t ON t.oid = p.prorettype AND t.typtype = 'c'
JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE p.pronamespace = 'credits'::regnamespace;
COMMENT ON VIEW credits_internal.function_fields IS
'The parameters of the functions of schema credits, and the columns of what they return, with what the comments say of
each. For help() and the pages of docs/reference.';

-- With its caller's rights, which are those of anybody who may use the schema; its names were bound when it was
-- created. The settings are those that PostgreSQL shows types and defaults by.
CREATE FUNCTION credits.help(function_name text DEFAULT NULL)
RETURNS SETOF text
LANGUAGE sql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off SET IntervalStyle = postgres
BEGIN ATOMIC
    WITH asked AS (
        SELECT left(regexp_replace(lower(btrim($1)), '^credits\.|\s*\(.*$', '', 'g'), 63) AS name
    ),
    found AS (
        SELECT d.*, p.pronargs, p.proretset, p.prorettype,
               replace(format_type(p.prorettype, NULL), 'timestamp with time zone', 'timestamptz') AS returned
        FROM asked a
        JOIN credits_internal.function_docs d ON d.name = a.name
        JOIN pg_proc p ON p.oid = d.function
    ),
    -- By three letters that follow each other: how many of them two names have in common.
    near AS (
        SELECT d.name, min(d.first_sentence) AS first_sentence,
               max(CASE WHEN strpos(d.name, a.name) > 0 THEN 1 ELSE 0 END) AS contains, max(c.common) AS common
        FROM asked a
        CROSS JOIN credits_internal.function_docs d
        CROSS JOIN LATERAL (
            SELECT count(*)::numeric / (length(d.name) + length(a.name) + 2) AS common
            FROM (SELECT substr('  ' || d.name || ' ', i, 3) FROM generate_series(1, length(d.name) + 1) i
                  INTERSECT ALL
                  SELECT substr('  ' || a.name || ' ', i, 3) FROM generate_series(1, length(a.name) + 1) i) AS both_have
        ) AS c
        WHERE a.name <> '' AND NOT EXISTS (SELECT FROM found)
        GROUP BY d.name
        HAVING max(c.common) > 0.2 OR bool_or(strpos(d.name, a.name) > 0 AND length(a.name) > 2)
        ORDER BY 3 DESC, 4 DESC, 1
        LIMIT 8
    ),
    -- Name, what comes after it, and text that is wrapped beside them.
    fields AS (
        SELECT f.function, CASE e.kind WHEN 'parameter' THEN 20 ELSE 40 END AS section, e.no, e.name AS head,
               e.type || coalesce(' = ' || e.default_value, '') AS middle, e.description AS text
        FROM found f
        JOIN credits_internal.function_fields e ON e.function = f.function
        UNION ALL
        SELECT f.function, 50, row_number() OVER (PARTITION BY f.function ORDER BY c.code), c.code, c.name,
               c.raised_when
        FROM found f
        JOIN credits.error_codes c ON c.code = ANY (f.raises)
    ),
    wide AS (
        SELECT e.*, max(length(e.head)) OVER w + 2 AS head_width, max(length(e.middle)) OVER w + 2 AS middle_width
        FROM fields e WINDOW w AS (PARTITION BY e.function, e.section)
    ),
    lines AS (
        SELECT f.name, f.pronargs, f.function, 0 AS section, w.no, 0::bigint AS part, w.line[1] AS line
        FROM found f
        CROSS JOIN LATERAL regexp_matches(
            CASE WHEN f.is_procedure THEN 'CALL ' ELSE '' END || 'credits.' || f.name || '(' || coalesce(
                (SELECT string_agg(e.name, ', ' ORDER BY e.no) FROM credits_internal.function_fields e
                 WHERE e.function = f.function AND e.kind = 'parameter'), '') || ')',
            '\S.{0,108}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, r.section, r.no, w.no, w.line[1]
        FROM found f
        CROSS JOIN LATERAL (
            SELECT 10 AS section, 1::bigint AS no, f.summary AS text
            UNION ALL
            SELECT 30 + u.no::integer, u.no, u.rule FROM unnest(f.rules) WITH ORDINALITY AS u(rule, no)
        ) AS r
        CROSS JOIN LATERAL regexp_matches(r.text, '\S.{0,108}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, e.section, e.no, w.no,
               CASE WHEN w.no = 1 THEN '  ' || rpad(e.head, e.head_width) || rpad(e.middle, e.middle_width)
                    ELSE repeat(' ', 2 + e.head_width + e.middle_width) END || w.line[1]
        FROM found f
        JOIN wide e ON e.function = f.function
        CROSS JOIN LATERAL regexp_matches(
            e.text, '\S.{0,' || greatest(107 - e.head_width - e.middle_width, 40) || '}(?=\s|$)', 'g')
            WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 40, 0, 0,
               'Returns ' || CASE WHEN f.proretset THEN 'rows of ' WHEN t.typtype = 'c' THEN 'one row of ' ELSE '' END
               || f.returned || CASE WHEN t.typtype = 'c' THEN ':' ELSE '.' END
        FROM found f
        JOIN pg_type t ON t.oid = f.prorettype
        WHERE NOT f.is_procedure
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 50, 0, 0, 'Raises:' FROM found f WHERE f.raises <> '{}'
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 20, 0, 0, 'Parameters:' FROM found f WHERE f.pronargs > 0
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 60, 0, 0, 'Example:' FROM found f
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 60, u.no, 0, CASE WHEN u.no = 1 THEN '  ' ELSE '    ' END || u.line
        FROM found f
        CROSS JOIN LATERAL string_to_table(f.example, E'\n') WITH ORDINALITY AS u(line, no)
    ),
    -- A blank line before each section.
    text_of_one AS (
        SELECT l.name, l.pronargs, l.function, l.section, l.no, l.part, l.line FROM lines l
        UNION ALL
        SELECT l.name, l.pronargs, l.function, l.section, -1, 0, '' FROM lines l
        GROUP BY l.name, l.pronargs, l.function, l.section
        HAVING l.section > 0 OR l.function <> (
            SELECT f.function FROM found f ORDER BY f.name, f.pronargs, f.function LIMIT 1)
    ),
    listed AS (
        SELECT DISTINCT d.subject_no, d.subject, d.name, d.first_sentence
        FROM credits_internal.function_docs d, asked a WHERE coalesce(a.name, '') = ''
    ),
    text_of_all AS (
        SELECT l.subject_no, 2 AS place, l.name, w.no,
               '  ' || rpad(CASE WHEN w.no = 1 THEN l.name ELSE '' END, 31) || w.line[1] AS line
        FROM listed l
        CROSS JOIN LATERAL regexp_matches(l.first_sentence, '\S.{0,76}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT DISTINCT l.subject_no, 1, NULL, 0, l.subject FROM listed l
        UNION ALL
        SELECT DISTINCT l.subject_no, 0, NULL, 0, '' FROM listed l WHERE l.subject_no > 1
        UNION ALL
        SELECT 1000, v.place, NULL, 0, v.line
        FROM (VALUES (1, ''), (2, 'SELECT credits.help(''hold_create'') explains one of them.')) AS v(place, line)
        WHERE EXISTS (SELECT FROM listed)
    ),
    text_of_none AS (
        SELECT 1 AS place, 0 AS contains, 0::numeric AS common, NULL AS name, 0::bigint AS no,
               'There is no function credits.' || a.name || '.'
               || CASE WHEN EXISTS (SELECT FROM near) THEN ' Did you mean:'
                       ELSE ' SELECT credits.help() lists them all.' END AS line
        FROM asked a WHERE a.name <> '' AND NOT EXISTS (SELECT FROM found)
        UNION ALL
        SELECT 2, n.contains, n.common, n.name, w.no,
               '  ' || rpad(CASE WHEN w.no = 1 THEN n.name ELSE '' END, 31) || w.line[1]
        FROM near n
        CROSS JOIN LATERAL regexp_matches(n.first_sentence, '\S.{0,76}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
    ),
    answer AS (
        SELECT row_number() OVER (ORDER BY t.name, t.pronargs, t.function, t.section, t.no, t.part) AS no, t.line
        FROM text_of_one t
        UNION ALL
        SELECT row_number() OVER (ORDER BY t.subject_no, t.place, t.name, t.no), t.line FROM text_of_all t
        UNION ALL
        SELECT row_number() OVER (ORDER BY t.place, t.contains DESC, t.common DESC, t.name, t.no), t.line
        FROM text_of_none t
    )
    SELECT a.line FROM answer a ORDER BY a.no;
END;
COMMENT ON FUNCTION credits.help IS
'Explains a function: what it does, its parameters, its result, its errors and an example.

function_name: the name, with or without its schema; NULL lists all functions by subject.

All functions of that name are explained. An unknown name is answered with the nearest ones.

Example: SELECT credits.help(''hold_create'');';

-- The roles: one that owns all of it, and those to give to logins. Roles belong to the cluster and not to a database,
-- so they are made where they are missing, never changed and never dropped.

DO $$
DECLARE
    wanted  record;
    role    record;
    members text;
    groups  text;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('credits_owner', 'Owns all of pg_credits, whose functions run with its rights. Not for logins.'),
            ('credits_app', 'Calls everything that moves credits, and reads.'),
            ('credits_read', 'Reads: the views of schema credits, and the functions that change nothing.'),
            ('credits_admin', 'Calls everything: also what configures and maintains.'),
            ('credits_customer', 'Reads the views my_* of schema credits: the rows of credits.current_customer.'),
            ('credits_webhook', 'Receives webhooks: calls credits.webhook_receive, and nothing else.'),
            ('credits_worker', 'Charges cards: takes rows of the outbox, begins recharges, and reports payments.'),
            ('credits_meter', 'Reports usage: by function, and by COPY into credits.inbox.')
        ) AS roles (name, purpose)
    LOOP
        SELECT r.* INTO role FROM pg_catalog.pg_roles r WHERE r.rolname = wanted.name;
        IF NOT FOUND THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted.name);
                EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', wanted.name, wanted.purpose);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made at this very moment, for another database of the cluster
            END;
            CONTINUE;
        END IF;

        -- Whoever made it decided what else it can do and who is in it.
        IF wanted.name = 'credits_owner'
           AND (role.rolsuper OR role.rolcanlogin OR role.rolcreaterole OR role.rolcreatedb OR role.rolreplication
                OR role.rolbypassrls) THEN
            RAISE EXCEPTION 'role credits_owner exists already, and may do more than own pg_credits'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'ALTER ROLE credits_owner NOSUPERUSER NOLOGIN NOCREATEROLE'
                             ' NOCREATEDB NOREPLICATION NOBYPASSRLS';
        END IF;
        SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) INTO members
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE m.roleid = role.oid;
        SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) INTO groups
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid WHERE m.member = role.oid;
        IF role.rolsuper OR role.rolcanlogin OR members IS NOT NULL THEN
            RAISE WARNING 'role % exists already: %', wanted.name,
                pg_catalog.concat_ws('; ', CASE WHEN role.rolsuper THEN 'it is a superuser' END,
                    CASE WHEN role.rolcanlogin THEN 'it can log in' END, 'its members are ' || members)
                USING HINT = 'Roles belong to the cluster. Keep out of this database who is not meant: REVOKE CONNECT.';
        END IF;
        IF wanted.name = 'credits_owner' AND groups IS NOT NULL THEN
            RAISE WARNING 'role credits_owner exists already, and is a member of %', groups
                USING HINT = 'The functions of pg_credits have the rights of those roles as well.';
        END IF;
    END LOOP;
END $$;

-- All of it is given to credits_owner, so that a fault in a function is a fault inside its two schemas. This comes
-- before any GRANT and REVOKE: rights that change owner after them are in every dump. Every upgrade does it for what
-- it makes.

DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT pg_catalog.format('ALTER %s %s OWNER TO credits_owner', made.type, made.identity)
        FROM pg_catalog.pg_depend d
        CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS made
        WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
          AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_credits')
          -- What belongs to another object has that one's owner: a table's row type, the sequence of a column.
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend part
              WHERE part.classid = d.classid AND part.objid = d.objid AND part.deptype IN ('a', 'i')
                AND part.refclassid IN ('pg_catalog.pg_class'::pg_catalog.regclass,
                                        'pg_catalog.pg_type'::pg_catalog.regclass))
    LOOP
        EXECUTE command;
    END LOOP;
END $$;

-- Rights: nothing for PUBLIC, and nothing that default privileges give where it is installed.

DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM %s CASCADE', made.kind, made.name,
                                 coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC'))
        FROM (
            SELECT 'SCHEMA' AS kind, n.nspname::text AS name, n.nspowner AS owner, n.nspacl AS acl
            FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('credits', 'credits_internal')
            UNION ALL
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::pg_catalog.regclass::text,
                   c.relowner, c.relacl
            FROM pg_catalog.pg_class c
            WHERE c.relnamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
            UNION ALL
            SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, p.proowner, p.proacl
            FROM pg_catalog.pg_proc p
            WHERE p.pronamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
            UNION ALL
            SELECT 'TYPE', t.oid::pg_catalog.regtype::text, t.typowner, t.typacl
            FROM pg_catalog.pg_type t
            WHERE t.typnamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
        ) AS made, pg_catalog.aclexplode(made.acl) AS given
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = given.grantee
        WHERE given.grantee <> made.owner
        GROUP BY 1
    LOOP
        EXECUTE command;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON TYPE
    credits_internal.error_code, credits.currency, credits.customer, credits.erasure, credits.metadata_clearance,
    credits.account, credits.balance, credits.availability, credits.debit, credits.try_debit, credits.adjustment,
    credits.transfer, credits.drawdown, credits.hold, credits.credit, credits.credit_grant,
    credits_internal.due_grant, credits.grant_summary, credits.grant_holder, credits.grant_stats, credits.ledger_line,
    credits.past_balance, credits_internal.own_wallet, credits_internal.own_grant, credits.meter,
    credits.meter_status, credits.reported_event, credits.batch_event, credits_internal.due_event,
    credits.cancellation, credits.pending_usage, credits.usage_total, credits.usage_bucket, credits.product,
    credits.price, credits.package, credits.exchange_rate, credits.payment_outcome, credits.refund_outcome,
    credits.payment_provider, credits.received_webhook, credits.top_up, credits.recharge_config, credits.portal_link,
    credits.portal_session, credits.auto_recharge, credits.recharge_attempt, credits.outbox_consumer,
    credits.outbox_row, credits.discrepancy
FROM PUBLIC;

GRANT USAGE ON SCHEMA credits
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_meter;

-- What explains the rest: whoever may use the schema may read what its functions do and which errors they raise.
GRANT EXECUTE ON FUNCTION credits.help(text), credits_internal.error_code_list()
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_meter;
GRANT SELECT ON credits.error_codes, credits_internal.function_docs, credits_internal.function_fields
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_meter;

-- What reads. The functions that a view calls run with its reader's rights.
GRANT EXECUTE ON FUNCTION
    credits.wallet_balance(text, text),
    credits_internal.balance_now(text, text, boolean),
    credits.wallet_balance_at(text, text, timestamptz),
    credits.wallet_history(text, text, integer, bigint),
    credits.explain_drawdown(text, numeric, text, text),
    credits.credit_availability(text, numeric, text, numeric, integer),
    credits.credit_grant_summary(text),
    credits.credit_grant_holders(text, integer, text, numeric),
    credits.credit_grant_stats(text, timestamptz, timestamptz, text, text, text),
    credits.pending_amount(text, text),
    credits.usage_summary(text, timestamptz, timestamptz, text, text, text),
    credits.usage_price(text, numeric, jsonb, integer, text),
    credits.meter_event_stats(text, timestamptz, timestamptz, text, text, text),
    credits_internal.due_grants(text, text),
    credits_internal.due_events(text, text),
    credits.exchange_rate(text, text, timestamptz),
    credits.recharge_config(text),
    credits.auto_recharge_config(text, text),
    credits.billing_bootstrap(text),
    credits.clock()
TO credits_app, credits_read, credits_admin;
GRANT SELECT ON
    credits.wallets, credits_internal.stored_balances, credits.grants, credits.holds, credits.usage,
    credits.usage_by_period, credits.meters, credits.price_versions, credits.packages, credits.products,
    credits.prices, credits.customers, credits.currencies, credits.exchange_rates, credits.top_ups,
    credits.top_up_payments, credits.payment_log, credits.webhook_log, credits.recharge_log, credits.outbox_rows,
    credits.outbox_backlog, credits.rejected_events, credits.backlog, credits.ledger, credits.journal,
    credits.trial_balance
TO credits_app, credits_read, credits_admin;
GRANT EXECUTE ON FUNCTION
    credits.verify(text)
TO credits_read, credits_admin;

-- What an application does all day.
GRANT EXECUTE ON FUNCTION
    credits.customer_upsert(text, text, text, jsonb),
    credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text,
        text, jsonb),
    credits.credit_grant_void(text, uuid, text),
    credits.credit_grant_expire(text, uuid),
    credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz),
    credits.wallet_adjust(text, numeric, text, text, text, timestamptz, text, jsonb),
    credits.wallet_debit(text, numeric, text, text, text, jsonb),
    credits.wallet_try_debit(text, numeric, text, text, text, jsonb),
    credits.wallet_credit(text, numeric, text, text, text, text, jsonb),
    credits.wallet_transfer(text, text, numeric, text, text, text, jsonb),
    credits.hold_create(text, numeric, text, interval, text, text, jsonb),
    credits.hold_capture(text, uuid, numeric, text, jsonb),
    credits.hold_release(text, uuid),
    credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb),
    credits.meter_event_cancel(text, text, text),
    credits.report_meter_events(jsonb, boolean),
    credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean),
    credits.settle(integer),
    credits.top_up_create(text, uuid, numeric, text, integer, text, numeric, text, text, text, text, interval, text,
        jsonb),
    credits.payment_succeeded(text, uuid, text, text, numeric, numeric, numeric, numeric, text),
    credits.payment_failed(text, uuid, text, text, text),
    credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text),
    credits.payment_refund_failed(text, uuid, text, text, text),
    credits.payment_disputed(text, uuid, text, text, numeric, text, text, text),
    credits.payment_dispute_closed(text, uuid, text, text, boolean, text),
    credits.top_up_expire(text, uuid),
    credits.webhook_receive(text, text, text),
    credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval,
        interval),
    credits.recharge_begin(text, uuid),
    credits.billing_portal_session_create(text, text, text),
    credits.billing_portal_session_verify(text),
    credits.outbox_claim(text, integer, interval),
    credits.outbox_ack(text, uuid[])
TO credits_app, credits_admin;

-- The one table that others write: usage on its way in, but not the columns that say when it came and in what order.
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata)
ON credits.inbox TO credits_app, credits_admin;

-- What configures and maintains.
GRANT EXECUTE ON FUNCTION
    credits.customer_erase(text),
    credits.customer_metadata_clear(text),
    credits.account_configure(text, text, numeric, numeric),
    credits.currency_create(text, text, integer, text, text, jsonb),
    credits.currency_update(text, text, text, text, boolean, numeric, numeric, jsonb),
    credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb),
    credits.meter_update(text, text, numeric, text, text, text, jsonb, jsonb),
    credits.meter_activate(text),
    credits.meter_deactivate(text),
    credits.maintain_batch(integer, text, timestamptz),
    credits.inbox_retry(uuid[], text),
    credits.inbox_discard(uuid[]),
    credits.product_create(text, text, text, numeric, text, integer, interval, text[], jsonb),
    credits.product_update(uuid, text, text, numeric, text, integer, interval, text[], jsonb),
    credits.product_archive(uuid),
    credits.price_create(uuid, text, numeric, text, jsonb),
    credits.price_archive(uuid),
    credits.package_create(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb),
    credits.exchange_rate_set(text, text, numeric, timestamptz),
    credits.configure_recharge(text, uuid, text, numeric, numeric),
    credits.payment_provider_set(text, text, text, text, integer, boolean, text, timestamptz),
    credits.outbox_consumer_create(text),
    credits.outbox_consumer_remove(text),
    credits.outbox_release(text, text),
    credits.billing_portal_key_rotate()
TO credits_admin;
GRANT EXECUTE ON PROCEDURE credits.maintain(integer) TO credits_admin;

-- What an end user's own login may see: the rows of credits.current_customer, and nothing that answers for another.
GRANT EXECUTE ON FUNCTION
    credits.current_customer(),
    credits_internal.own_wallets(),
    credits_internal.own_grants()
TO credits_customer;
GRANT SELECT ON credits.my_wallets, credits.my_grants, credits.my_ledger
TO credits_customer;

-- What a program needs that does one thing: receive webhooks, charge cards, report usage.
GRANT EXECUTE ON FUNCTION
    credits.webhook_receive
TO credits_webhook;
GRANT EXECUTE ON FUNCTION
    credits.outbox_claim,
    credits.outbox_ack,
    credits.recharge_begin,
    credits.payment_succeeded,
    credits.payment_failed,
    credits.payment_refunded,
    credits.payment_refund_failed,
    credits.payment_disputed,
    credits.payment_dispute_closed
TO credits_worker;
GRANT EXECUTE ON FUNCTION
    credits.report_meter_event,
    credits.report_meter_events(jsonb, boolean),
    credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean)
TO credits_meter;
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata)
ON credits.inbox TO credits_meter;

-- Row types: whoever may call a function may use its type, in a function of their own for one.
GRANT USAGE ON TYPE
    credits.balance, credits.availability, credits.drawdown, credits.grant_summary, credits.grant_holder,
    credits.grant_stats, credits.ledger_line, credits.past_balance, credits.pending_usage, credits.usage_total,
    credits.usage_bucket, credits.recharge_config, credits.auto_recharge
TO credits_app, credits_read, credits_admin;
GRANT USAGE ON TYPE
    credits.currency, credits.erasure, credits.metadata_clearance, credits.account, credits.meter,
    credits.meter_status, credits.product, credits.price, credits.package, credits.exchange_rate,
    credits.payment_provider, credits.outbox_consumer
TO credits_admin;
GRANT USAGE ON TYPE
    credits.customer, credits.debit, credits.try_debit, credits.adjustment, credits.transfer, credits.hold,
    credits.credit, credits.credit_grant, credits.cancellation, credits.top_up, credits.portal_link,
    credits.portal_session
TO credits_app, credits_admin;
GRANT USAGE ON TYPE
    credits.payment_outcome, credits.refund_outcome, credits.recharge_attempt, credits.outbox_row
TO credits_app, credits_admin, credits_worker;
GRANT USAGE ON TYPE credits.reported_event, credits.batch_event
TO credits_app, credits_admin, credits_meter;
GRANT USAGE ON TYPE credits.received_webhook
TO credits_app, credits_admin, credits_webhook;
GRANT USAGE ON TYPE credits.discrepancy
TO credits_read, credits_admin;

