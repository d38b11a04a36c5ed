-- The tables of money that comes in: what is sold, what was bought, what providers said, what other systems must be told.
-- What each is for: payment_table_comments.sql.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE credits.products (
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

CREATE TABLE credits.prices (
    price_id    uuid NOT NULL PRIMARY KEY,
    product_id  uuid NOT NULL,
    type        text NOT NULL CHECK (type = 'one_time'),
    unit_amount numeric NOT NULL CHECK (unit_amount > 0),
    currency    text COLLATE "C" NOT NULL,
    metadata    jsonb,
    created_at  timestamptz NOT NULL,
    archived_at timestamptz
);
CREATE INDEX prices_of_product ON credits.prices (product_id);

CREATE TABLE credits.exchange_rates (
    currency      text COLLATE "C" NOT NULL,
    fiat_currency text COLLATE "C" NOT NULL,
    effective_at  timestamptz NOT NULL,
    rate          numeric NOT NULL CHECK (rate > 0),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (currency, fiat_currency, effective_at)
);

CREATE TABLE credits.recharge_configs (
    currency      text COLLATE "C" NOT NULL PRIMARY KEY,
    base_price_id uuid NOT NULL,
    checkout_url  text,
    min_amount    numeric CHECK (min_amount > 0),
    max_amount    numeric CHECK (max_amount >= min_amount),
    updated_at    timestamptz NOT NULL
);

CREATE TABLE credits.payment_providers (
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

CREATE TABLE credits.signing_keys (
    purpose    text COLLATE "C" NOT NULL PRIMARY KEY,
    key        text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE credits.top_ups (
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
-- How a provider's event finds its top-up: by its id alone, or by the provider's own reference (payment_references).
CREATE INDEX top_ups_by_id ON credits.top_ups (top_up_id);

-- Claimed before any account is locked: the key is nobody's own, so that one payment pays one customer's purchase.
CREATE TABLE credits.payment_references (
    provider    text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('payment', 'refund', 'dispute')),
    reference   text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    top_up_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (provider, kind, reference)
);

CREATE TABLE credits.payment_totals (
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

CREATE TABLE credits.payments (
    customer_id        text COLLATE "C" NOT NULL,
    payment_id         uuid NOT NULL,
    top_up_id          uuid NOT NULL,
    type               text NOT NULL CHECK (type IN ('succeeded', 'failed', 'expired', 'refunded', 'refund_failed', 'disputed',
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
CREATE INDEX payments_of_top_up ON credits.payments (customer_id, top_up_id, payment_id);

CREATE TABLE credits.reclaims (
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
CREATE INDEX reclaims_owing ON credits.reclaims (customer_id, currency, debt_no) WHERE pending > 0;

CREATE TABLE credits.auto_recharges (
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

CREATE INDEX auto_recharges_of_price ON credits.auto_recharges (price_id, customer_id);

CREATE TABLE credits.recharge_reviews (
    price_id       uuid NOT NULL PRIMARY KEY,
    after_customer text COLLATE "C" NOT NULL DEFAULT ''
);

CREATE TABLE credits.recharges (
    customer_id    text COLLATE "C" NOT NULL,
    recharge_id    uuid NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    top_up_id      uuid NOT NULL,
    status         text NOT NULL CHECK (status IN ('requested', 'processing', 'paid', 'failed', 'timed_out', 'canceled')),
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
-- At most one is open in an account.
CREATE UNIQUE INDEX recharges_open ON credits.recharges (customer_id, currency) WHERE status IN ('requested', 'processing');
CREATE INDEX recharges_recent ON credits.recharges (customer_id, currency, requested_at);

CREATE TABLE credits.webhook_events (
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

CREATE INDEX webhook_events_of_customer ON credits.webhook_events (customer_id) WHERE customer_id IS NOT NULL;
-- What came for a payment before anybody knew whose it is, and what is to be deleted.
CREATE INDEX webhook_events_ignored ON credits.webhook_events (provider, reference) WHERE outcome = 'ignored';
CREATE INDEX webhook_events_old ON credits.webhook_events (received_at) WHERE outcome = 'ignored';

CREATE TABLE credits.outbox (
    customer_id text COLLATE "C" NOT NULL,
    outbox_no   bigint NOT NULL,
    outbox_id   uuid NOT NULL,
    type        text NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (customer_id, outbox_no)
);
CREATE INDEX outbox_oldest ON credits.outbox (created_at);
CREATE INDEX outbox_by_id ON credits.outbox (outbox_id);

CREATE TABLE credits.outbox_counters (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY,
    last_no     bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE credits.outbox_consumers (
    consumer   text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL
);

CREATE TABLE credits.outbox_positions (
    customer_id   text COLLATE "C" NOT NULL,
    consumer      text COLLATE "C" NOT NULL,
    acked_no      bigint NOT NULL DEFAULT 0,
    claimed_no    bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (customer_id, consumer)
) WITH (fillfactor = 50);

-- What the planner is to take for an average customer: see tables.sql.
ALTER TABLE credits.top_ups ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.payments ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.payment_totals ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.reclaims ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits.recharges ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits.products', '');
SELECT pg_catalog.pg_extension_config_dump('credits.prices', '');
SELECT pg_catalog.pg_extension_config_dump('credits.exchange_rates', '');
SELECT pg_catalog.pg_extension_config_dump('credits.recharge_configs', '');
SELECT pg_catalog.pg_extension_config_dump('credits.payment_providers', '');
-- Not credits.signing_keys: a dump has no key, and who restores it makes a new one.
SELECT pg_catalog.pg_extension_config_dump('credits.top_ups', '');
SELECT pg_catalog.pg_extension_config_dump('credits.payment_references', '');
SELECT pg_catalog.pg_extension_config_dump('credits.payment_totals', '');
SELECT pg_catalog.pg_extension_config_dump('credits.payments', '');
SELECT pg_catalog.pg_extension_config_dump('credits.reclaims', '');
SELECT pg_catalog.pg_extension_config_dump('credits.auto_recharges', '');
SELECT pg_catalog.pg_extension_config_dump('credits.recharge_reviews', '');
SELECT pg_catalog.pg_extension_config_dump('credits.recharges', '');
SELECT pg_catalog.pg_extension_config_dump('credits.webhook_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits.outbox', '');
SELECT pg_catalog.pg_extension_config_dump('credits.outbox_counters', '');
SELECT pg_catalog.pg_extension_config_dump('credits.outbox_consumers', '');
SELECT pg_catalog.pg_extension_config_dump('credits.outbox_positions', '');
