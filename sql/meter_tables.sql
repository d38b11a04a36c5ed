-- Meters and their usage. What holds for all tables is said in tables.sql.

CREATE TABLE credits.meters (
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

CREATE TABLE credits.meter_prices (
    event_name text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    unit_price numeric CHECK (unit_price >= 0),
    pricing    jsonb CHECK ((pricing IS NULL) <> (unit_price IS NULL)),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_name, version)
);

-- Every column of it costs each charge something, a NULL too: what few events have is elsewhere. period_key is that of
-- usage_periods, NULL where an event is priced by itself.
CREATE TABLE credits.meter_events (
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

-- Where in the table a time's usage is: what statistics read. Events come in the order of time, but for some that come late, so
-- a summary of each stretch of pages finds them; a charge writes nothing for it, autovacuum does once a stretch is full.
CREATE INDEX meter_events_time ON credits.meter_events USING brin (occurred_at timestamptz_minmax_multi_ops)
    WITH (autosummarize = on);

-- Events that one grant paid: each is its own line of the ledger.
CREATE INDEX meter_events_line ON credits.meter_events (customer_id, currency, line_no) WHERE line_no IS NOT NULL;

-- Events that owe: no credit covered them yet.
CREATE TABLE credits.event_debts (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    debt_no     bigint NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

-- Oldest first: what the next credits pay.
CREATE INDEX event_debts_order ON credits.event_debts (customer_id, currency, debt_no);

-- Usage that was taken back.
CREATE TABLE credits.canceled_events (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    canceled_at timestamptz NOT NULL,
    reason      text,
    returned    numeric NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

-- Deferred usage that waits to be charged. Its rows come and go, so it is cleaned up often.
CREATE TABLE credits.unsettled_events (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    cost        numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, created_at, identifier)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Usage that is priced as one: what it stands at. A row changes only under its account's lock.
CREATE TABLE credits.usage_periods (
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

-- What each line took from a grant for such usage and has not come back: where it goes when the usage comes to cost less.
CREATE TABLE credits.usage_draws (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    line_no      bigint NOT NULL,
    grant_id     uuid NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, line_no)
);

-- The events of a last or a max that are not taken back, in the order in which they would count.
CREATE TABLE credits.usage_ranks (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period_key   text COLLATE "C" NOT NULL,
    rank         numeric NOT NULL,
    event_no     bigint NOT NULL,
    identifier   text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, event_name, period_key, rank, event_no)
);

-- Where pipelines put usage, and nothing is refused. settle() drains it in the order of received_at, then of where rows are: so
-- no sequence decides, which a logical replica would not have. It has no index, which would cost more than the row: see
-- src/metering/waiting.rs.
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

-- Where a publication has it, a row that is deleted is told whole.
ALTER TABLE credits.inbox REPLICA IDENTITY FULL;

-- What came out of it with an error.
CREATE TABLE credits.inbox_rejected (
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

-- What the planner is to take for an average customer: see tables.sql.
ALTER TABLE credits.meter_events ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.event_debts ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.canceled_events ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.unsettled_events ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.usage_periods ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.usage_draws ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.usage_ranks ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits.meters', '');
SELECT pg_catalog.pg_extension_config_dump('credits.meter_prices', '');
SELECT pg_catalog.pg_extension_config_dump('credits.meter_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits.event_debts', '');
SELECT pg_catalog.pg_extension_config_dump('credits.canceled_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits.unsettled_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits.usage_periods', '');
SELECT pg_catalog.pg_extension_config_dump('credits.usage_draws', '');
SELECT pg_catalog.pg_extension_config_dump('credits.usage_ranks', '');
SELECT pg_catalog.pg_extension_config_dump('credits.inbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits.inbox_rejected', '');
