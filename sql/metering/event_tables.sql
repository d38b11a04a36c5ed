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
    member_id       text COLLATE "C",
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.meter_events IS 'Reports of usage, each charged once.';
COMMENT ON COLUMN credits_internal.meter_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.meter_events.identifier IS 'The reporter''s own, unique per customer for ever.';
COMMENT ON COLUMN credits_internal.meter_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits_internal.meter_events.currency IS 'What it was charged in.';
COMMENT ON COLUMN credits_internal.meter_events.value IS
'How much, in the meter''s unit: as reported, or adjusted last.';
COMMENT ON COLUMN credits_internal.meter_events.consumed IS
'Credits paid for it, less those that it brought back; while it is unsettled what it will cost. What came back when it
was taken back is in canceled_events.';
COMMENT ON COLUMN credits_internal.meter_events.pending IS 'Credits still owed for it.';
COMMENT ON COLUMN credits_internal.meter_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits_internal.meter_events.created_at IS
'When it was reported; where it is its own line, when that was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.meter_events.price_version IS
'The version of its meter''s prices that was in force when it occurred. Where its customer had an override, 65536 times
the override_no is added, to 0 where that is a price of their own. 0 where it was imported with what it was charged,
and where invoices say what it costs.';
COMMENT ON COLUMN credits_internal.meter_events.subscription_id IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.meter_events.source_data IS
'The application''s own data: what the event was made of.';
COMMENT ON COLUMN credits_internal.meter_events.metadata IS
'The application''s own data; keys of it may decide the price.';
COMMENT ON COLUMN credits_internal.meter_events.period_key IS
'The usage_periods row that it is priced in; NULL where it is priced by itself.';
COMMENT ON COLUMN credits_internal.meter_events.line_no IS
'The number of its line in the ledger, where one grant paid all of it at once and it is its own line; NULL where its
lines are in credit_transactions.';
COMMENT ON COLUMN credits_internal.meter_events.running_balance IS
'Of its own line, the balance after it: available and restricted.';
COMMENT ON COLUMN credits_internal.meter_events.grant_id IS 'Of its own line, the grant that paid.';
COMMENT ON COLUMN credits_internal.meter_events.member_id IS
'The member whose usage it is; NULL where the reporter named none.';

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

-- What second currencies paid.
CREATE TABLE credits_internal.event_fallbacks (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    rate        numeric NOT NULL,
    covered     numeric NOT NULL,
    amount      numeric NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);

COMMENT ON TABLE credits_internal.event_fallbacks IS
'Events that their meter''s second currency paid in part or whole, since its own was used up. A row never changes: what
came back when an event was taken back is in the ledger.';
COMMENT ON COLUMN credits_internal.event_fallbacks.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.event_fallbacks.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.event_fallbacks.currency IS 'The second currency.';
COMMENT ON COLUMN credits_internal.event_fallbacks.rate IS 'Units of it per unit of the meter''s currency, as it was.';
COMMENT ON COLUMN credits_internal.event_fallbacks.covered IS 'In the meter''s currency: what it covered of the price.';
COMMENT ON COLUMN credits_internal.event_fallbacks.amount IS 'In the second currency: what it paid.';

ALTER TABLE credits_internal.event_fallbacks ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.meter_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_debts', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.unsettled_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_fallbacks', '');
