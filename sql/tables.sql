-- The schema and its tables, those of meters in meter_tables.sql. What each is for: table_comments.sql. The functions: one
-- file a group of nouns.
--
-- What holds throughout:
--   * Every customer table has customer_id first in its primary key and in every unique key: it is the sharding key.
--   * Everything of an account changes only under the lock of its row in credits.accounts.
--   * Keys are compared byte by byte (COLLATE "C"): quicker, in one order everywhere, and safe from a change of locale.
--   * There are no foreign keys: PostgreSQL checks them again whenever a row is written twice in a transaction. What they
--     would say, the functions see to, and verify() afterwards.
--   * No index has, as a column or in its predicate, anything that every debit changes, so debits are HOT updates.
--   * The tables that every charge writes have no CHECK: PostgreSQL reads its text anew in every statement, which took a
--     fifth of a charge. What it would say, posting.rs asserts before it writes, and verify() afterwards.
--   * Times without an end and limits that do not limit are 'infinity' in the tables and NULL in what the functions return.

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

CREATE TABLE credits.currencies (
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

CREATE TABLE credits.customers (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (customer_id <> '' AND length(customer_id) <= 255),
    name        text,
    email       text,
    metadata    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz
);

-- What every debit changes stands last, so that the log of an update holds little more than that.
CREATE TABLE credits.accounts (
    customer_id           text COLLATE "C" NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT now(),
    overdraft_limit       numeric NOT NULL DEFAULT 'infinity',
    low_balance_threshold numeric NOT NULL DEFAULT 0,
    told                  smallint NOT NULL DEFAULT 0,
    issued                numeric NOT NULL DEFAULT 0,
    watch_above           numeric NOT NULL DEFAULT 'infinity',
    watch_below           numeric NOT NULL DEFAULT 0,
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

-- What maintain() has to do next.
CREATE INDEX accounts_due ON credits.accounts (next_change_at) WHERE next_change_at < 'infinity';

CREATE TABLE credits.credit_grants (
    customer_id       text COLLATE "C" NOT NULL,
    grant_id          uuid NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    category          text NOT NULL CHECK (category IN ('paid', 'promotional')),
    status            text NOT NULL CHECK (status IN ('pending', 'granted', 'depleted', 'expired', 'voided')),
    priority          smallint NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),
    amount            numeric NOT NULL CHECK (amount > 0),
    remaining         numeric NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    lapsed            numeric NOT NULL DEFAULT 0 CHECK (lapsed BETWEEN 0 AND amount),
    effective_at      timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL DEFAULT 'infinity' CHECK (expires_at > effective_at),
    applicable_meters text[],
    cost_basis        numeric CHECK (cost_basis >= 0),
    name              text,
    granted_by        text,
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    ended_at          timestamptz,
    ended_reason      text,
    transferred_from  text COLLATE "C",
    claim_operations  uuid[],
    claims            numeric[],
    claims_owe        boolean[],
    PRIMARY KEY (customer_id, grant_id)
) WITH (fillfactor = 80);

-- Grants that can be drawn on, in the order in which they are.
CREATE INDEX credit_grants_drawdown ON credits.credit_grants
    (customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) WHERE status = 'granted';
-- What time changes next: the first to end, the first to begin.
CREATE INDEX credit_grants_ending ON credits.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'granted';
CREATE INDEX credit_grants_beginning ON credits.credit_grants (customer_id, currency, effective_at)
    WHERE status = 'pending';

CREATE TABLE credits.operations (
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

-- Debits that one grant paid: each is its own line of the ledger, and found by that. Of the other operations each has lines of
-- its own, and is found by its id. So each has one key of the two; a primary key, an index by id over both, would cost every debit.
CREATE UNIQUE INDEX operations_line ON credits.operations (customer_id, currency, line_no) WHERE line_no IS NOT NULL;
CREATE UNIQUE INDEX operations_id ON credits.operations (customer_id, operation_id) WHERE line_no IS NULL;

-- So it has no one key by which a publication could tell a row that is updated or deleted, which few ever are: it is told whole.
ALTER TABLE credits.operations REPLICA IDENTITY FULL;

-- What each grant gave to a hold is in its row: parts in drawdown order, so that what is not captured finds its way back.
CREATE TABLE credits.holds (
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

-- Open holds, the first to run out first.
CREATE INDEX holds_open ON credits.holds (customer_id, currency, expires_at) WHERE status = 'open';

-- Lines of the ledger, but for those that an event or a debit carries itself: the view lines has both.
CREATE TABLE credits.credit_transactions (
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

-- Accounts that maintenance failed on: left alone until retry_at.
CREATE TABLE credits.account_failures (
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

-- What the planner is to take for an average customer: twenty rows, of which each is worth finding by its own key. By its own
-- count that is often one, and then it reads all rows of a customer who has a hundred thousand, for each row that it looks up.
ALTER TABLE credits.credit_grants ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.operations ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.holds ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.credit_transactions ALTER customer_id SET (n_distinct = -0.05);

-- pg_dump carries every row, since the script inserts none.
SELECT pg_catalog.pg_extension_config_dump('credits.currencies', '');
SELECT pg_catalog.pg_extension_config_dump('credits.customers', '');
SELECT pg_catalog.pg_extension_config_dump('credits.accounts', '');
SELECT pg_catalog.pg_extension_config_dump('credits.account_failures', '');
SELECT pg_catalog.pg_extension_config_dump('credits.credit_grants', '');
SELECT pg_catalog.pg_extension_config_dump('credits.operations', '');
SELECT pg_catalog.pg_extension_config_dump('credits.holds', '');
SELECT pg_catalog.pg_extension_config_dump('credits.credit_transactions', '');
