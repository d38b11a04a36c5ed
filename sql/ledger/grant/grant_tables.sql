-- Credit grants.

CREATE TABLE credits_internal.credit_grants (
    customer_id         text COLLATE "C" NOT NULL,
    grant_id            uuid NOT NULL,
    currency            text COLLATE "C" NOT NULL,
    category            text NOT NULL CHECK (category IN ('paid', 'promotional')),
    status              text NOT NULL CHECK (status IN
                            ('pending', 'granted', 'depleted', 'expired', 'voided', 'suspended')),
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
    parts_ended         numeric NOT NULL DEFAULT 0 CHECK (parts_ended >= 0),
    suspended_at        timestamptz,
    suspended_reason    text,
    noticed_end         timestamptz,
    cost_amount         numeric CHECK (cost_amount >= 0),
    cost_currency       text COLLATE "C",
    PRIMARY KEY (customer_id, grant_id),
    CONSTRAINT credit_grants_cost CHECK ((cost_amount IS NULL) = (cost_currency IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.credit_grants IS 'Credits given at one time under one set of terms.';
COMMENT ON COLUMN credits_internal.credit_grants.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.credit_grants.grant_id IS 'UUID version 7: of two grants the older sorts first.';
COMMENT ON COLUMN credits_internal.credit_grants.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.credit_grants.category IS
'''paid'' or ''promotional''; promotional is used first where priority and expiry tie.';
COMMENT ON COLUMN credits_internal.credit_grants.status IS
'As posted: ''pending'' (not yet effective), ''granted'', ''depleted'', ''expired'', ''voided'', ''suspended''.';
COMMENT ON COLUMN credits_internal.credit_grants.priority IS '0 to 100, lower is used first.';
COMMENT ON COLUMN credits_internal.credit_grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits_internal.credit_grants.remaining IS
'What is left as posted, of a suspended one too; of the head grant the account''s row has it: available less
head_floor.';
COMMENT ON COLUMN credits_internal.credit_grants.lapsed IS
'What of it expired, rolled over, was voided, or was taken back because its price was paid back.';
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
COMMENT ON COLUMN credits_internal.credit_grants.parts_ended IS
'How much of it was voided or expired in parts by hand, without what was owed for.';
COMMENT ON COLUMN credits_internal.credit_grants.suspended_at IS
'When it was suspended, if it still is, or was when it ended; NULL otherwise.';
COMMENT ON COLUMN credits_internal.credit_grants.suspended_reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.credit_grants.noticed_end IS
'The end that was published ahead of time; NULL for none.';
COMMENT ON COLUMN credits_internal.credit_grants.cost_amount IS
'What was paid for all of it, net of tax, in major units; NULL where that is not known.';
COMMENT ON COLUMN credits_internal.credit_grants.cost_currency IS 'The currency that it was paid in.';

-- Grants that can be drawn on, in the order in which they are.
CREATE INDEX credit_grants_drawdown ON credits_internal.credit_grants
    (customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) WHERE status = 'granted';

-- What time changes next: the first to end, the first to begin.
CREATE INDEX credit_grants_ending ON credits_internal.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'granted';
CREATE INDEX credit_grants_suspended ON credits_internal.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'suspended';
CREATE INDEX credit_grants_beginning ON credits_internal.credit_grants (customer_id, currency, effective_at)
    WHERE status = 'pending';
-- Which ends are to be published ahead of time.
CREATE INDEX credit_grants_noticing ON credits_internal.credit_grants (expires_at)
    WHERE status = 'granted' AND expires_at < 'infinity' AND noticed_end IS DISTINCT FROM expires_at;
ALTER TABLE credits_internal.credit_grants ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.credit_grants', '');
