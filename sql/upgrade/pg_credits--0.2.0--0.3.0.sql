\echo Use "ALTER EXTENSION pg_credits UPDATE" to load this file. \quit

-- Nothing that others put into a schema becomes part of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;

-- By hand: what is done to tables that are there, and to their rows.
-- Prices with a date: those of before are in force since they were set.
ALTER TABLE credits_internal.meter_prices ADD COLUMN effective_at timestamptz;
-- Grants that are ended in part, and suspended.
ALTER TABLE credits_internal.credit_grants DROP CONSTRAINT credit_grants_status_check;
ALTER TABLE credits_internal.credit_grants ADD CONSTRAINT credit_grants_status_check
    CHECK (status IN ('pending', 'granted', 'depleted', 'expired', 'voided', 'suspended'));
ALTER TABLE credits_internal.credit_grants
    ADD COLUMN parts_ended numeric NOT NULL DEFAULT 0 CHECK (parts_ended >= 0),
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN suspended_reason text;
CREATE INDEX credit_grants_suspended ON credits_internal.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'suspended';
ALTER TABLE credits_internal.reclaims ALTER COLUMN top_up_id DROP NOT NULL;
ALTER TABLE credits_internal.auto_recharges
    ALTER price_id DROP NOT NULL,
    DROP CONSTRAINT auto_recharges_threshold_check,
    ADD CONSTRAINT auto_recharges_threshold_check CHECK (threshold >= 0),
    ADD target numeric CHECK (target > 0),
    ADD price_currency text COLLATE "C",
    ADD max_attempts_per_calendar_day integer CHECK (max_attempts_per_calendar_day > 0),
    ADD max_amount_per_calendar_day numeric CHECK (max_amount_per_calendar_day > 0),
    ADD max_attempts_per_calendar_month integer CHECK (max_attempts_per_calendar_month > 0),
    ADD max_amount_per_calendar_month numeric CHECK (max_amount_per_calendar_month > 0),
    ADD schedule_every interval CHECK (timestamp '2001-02-01' + schedule_every > timestamp '2001-02-01'),
    ADD schedule_start_at timestamptz,
    ADD schedule_day integer CHECK (schedule_day BETWEEN 1 AND 31),
    ADD scheduled_at timestamptz NOT NULL DEFAULT 'infinity',
    ADD CONSTRAINT auto_recharges_bought_with CHECK ((price_id IS NULL) <> (price_currency IS NULL));
ALTER TABLE credits_internal.recharges
    ADD quantity integer,
    ADD scheduled boolean NOT NULL DEFAULT false;

-- Limits, and the members who spend.
ALTER TABLE credits_internal.accounts ADD COLUMN limited boolean NOT NULL DEFAULT false;
ALTER TABLE credits_internal.operations ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.holds ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.meter_events ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits.inbox ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.inbox_rejected ADD COLUMN member_id text COLLATE "C";
-- What grants cost.
ALTER TABLE credits_internal.credit_grants ADD cost_amount numeric CHECK (cost_amount >= 0);
ALTER TABLE credits_internal.credit_grants ADD cost_currency text COLLATE "C";
ALTER TABLE credits_internal.credit_grants
    ADD CONSTRAINT credit_grants_cost CHECK ((cost_amount IS NULL) = (cost_currency IS NULL));
-- Of purchases it is known. A part that was transferred would have taken its part of it along: those have none.
UPDATE credits_internal.credit_grants g
SET cost_amount = round(g.cost_basis * g.amount, c.decimals), cost_currency = t.currency
FROM credits_internal.top_ups t
JOIN credits_internal.currencies c ON c.currency = t.currency
WHERE g.customer_id = t.customer_id AND g.grant_id = t.grant_id AND g.cost_basis IS NOT NULL AND NOT EXISTS (
    SELECT FROM credits_internal.credit_transactions l
    WHERE l.customer_id = g.customer_id AND l.currency = g.currency AND l.grant_id = g.grant_id AND l.type = 'transfer');

-- Written by 'scripts/build.sh step' from here on.
-- All of it is credits_owner's before any right is given.
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
