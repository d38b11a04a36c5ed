-- What pg_credits is measured against: tables, functions and wallets (10,000 or :wallets) of the two baselines. Loaded once, by
-- ./run, into the benchmark's own database. What pgbench sends is in scripts/*.floor.sql and scripts/*.hand.sql.
--
--   floor  The least that can be called a charge: one UPDATE of a balance and one INSERT under a unique key, in one
--          statement, with no guard, no grants and no ledger. Nothing that keeps a record can be quicker.
--   hand   What a good engineer writes in PL/pgSQL: idempotent by key, guarded, paid by grants in order, each draw a
--          line of a ledger, the stored balance kept beside them.
--
-- To be fair to both: no foreign keys, no triggers, no check constraints, room on the pages of what is updated, and no
-- index on a column that a charge changes, but for the status of a grant that runs out.

-- floor ---------------------------------------------------------------------------------------------------------------

CREATE TABLE floor_account (
    customer_id text NOT NULL,
    currency    text NOT NULL,
    balance     numeric NOT NULL,
    version     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 70);

CREATE TABLE floor_event (
    customer_id text NOT NULL,
    identifier  text NOT NULL,
    meter_id    int NOT NULL,
    value       numeric NOT NULL,
    occurred_at timestamptz NOT NULL,
    consumed    numeric NOT NULL,
    pending     numeric NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    metadata    jsonb,
    PRIMARY KEY (customer_id, identifier)
);

-- hand ----------------------------------------------------------------------------------------------------------------

CREATE TABLE hand_meter (
    meter_id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_name text NOT NULL UNIQUE,
    currency   text NOT NULL,
    unit_price numeric NOT NULL DEFAULT 1
);

CREATE TABLE hand_account (LIKE floor_account INCLUDING ALL) WITH (fillfactor = 70);

CREATE TABLE hand_grant (
    customer_id  text NOT NULL,
    grant_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    currency     text NOT NULL,
    amount       numeric NOT NULL,
    remaining    numeric NOT NULL,
    category     text NOT NULL DEFAULT 'paid',
    priority     smallint NOT NULL DEFAULT 50,
    effective_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    status       text NOT NULL DEFAULT 'granted',
    PRIMARY KEY (customer_id, grant_id)
) WITH (fillfactor = 70);

CREATE INDEX hand_grant_usable ON hand_grant (customer_id, currency) WHERE status = 'granted';

CREATE TABLE hand_event (LIKE floor_event INCLUDING ALL);

CREATE TABLE hand_ledger (
    customer_id   text NOT NULL,
    line_id       bigint GENERATED ALWAYS AS IDENTITY,
    currency      text NOT NULL,
    kind          text NOT NULL,
    amount        numeric NOT NULL,
    balance_after numeric NOT NULL,
    grant_id      uuid,
    identifier    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, line_id)
);

-- Charges one event once and returns the balance after it, or NULL where the identifier was there before. The account
-- is guarded, changed and so locked in one statement; the grants are read in the next, which sees what whoever held
-- the lock before has committed.
CREATE FUNCTION hand_charge(p_customer text, p_event text, p_value numeric, p_identifier text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    v_meter    int;
    v_currency text;
    v_due      numeric;
    v_balance  numeric;
    v_part     numeric;
    v_grant    record;
BEGIN
    SELECT meter_id, currency, unit_price * p_value INTO v_meter, v_currency, v_due
    FROM hand_meter WHERE event_name = p_event;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no meter %', p_event;
    END IF;

    INSERT INTO hand_event (customer_id, identifier, meter_id, value, occurred_at, consumed)
    VALUES (p_customer, p_identifier, v_meter, p_value, now(), v_due)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    UPDATE hand_account SET balance = balance - v_due, version = version + 1
    WHERE customer_id = p_customer AND currency = v_currency AND balance >= v_due
    RETURNING balance + v_due INTO v_balance;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not enough credits';
    END IF;

    FOR v_grant IN
        SELECT grant_id, remaining FROM hand_grant
        WHERE customer_id = p_customer AND currency = v_currency AND status = 'granted'
          AND effective_at <= now() AND (expires_at IS NULL OR expires_at > now())
        ORDER BY priority, expires_at NULLS LAST, category DESC, effective_at, grant_id
    LOOP
        v_part := least(v_due, v_grant.remaining);
        v_due := v_due - v_part;
        v_balance := v_balance - v_part;
        UPDATE hand_grant
        SET remaining = remaining - v_part,
            status = CASE WHEN remaining = v_part THEN 'depleted' ELSE status END
        WHERE customer_id = p_customer AND grant_id = v_grant.grant_id;
        INSERT INTO hand_ledger (customer_id, currency, kind, amount, balance_after, grant_id, identifier)
        VALUES (p_customer, v_currency, 'consumption', -v_part, v_balance, v_grant.grant_id, p_identifier);
        EXIT WHEN v_due = 0;
    END LOOP;
    IF v_due > 0 THEN
        RAISE EXCEPTION 'not enough credits';
    END IF;
    RETURN v_balance;
END $$;

-- The balance of one account. Returns a table, so that the planner puts its body in the place of the call: the quickest
-- form that a function has.
CREATE FUNCTION hand_balance(p_customer text, p_currency text) RETURNS TABLE (balance numeric)
LANGUAGE sql STABLE AS $$
    SELECT a.balance FROM hand_account a WHERE a.customer_id = p_customer AND a.currency = p_currency
$$;

-- What the two charge later, and how it is put in -----------------------------------------------------------------------

-- The least that can take rows in: no key, no index.
CREATE TABLE floor_inbox (
    customer_id text,
    event_name  text,
    value       numeric,
    identifier  text
);

CREATE TABLE hand_inbox (
    inbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    LIKE floor_inbox
);

-- Puts so many events into an inbox, ours as well.
CREATE FUNCTION fill(p_inbox regclass, p_events int, p_wallets int) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (customer_id, event_name, value, identifier)
                    SELECT ''cus_'' || (1 + floor(random() * $2))::int, ''api_calls'', 10,
                           ''evt_'' || (1 + floor(random() * 9e15))::bigint
                    FROM generate_series(1, $1)', p_inbox)
    USING p_events, p_wallets;
    RETURN p_events;
END $$;

-- Wallets with more credits than the run can spend, one grant each -----------------------------------------------------

INSERT INTO hand_meter (event_name, currency) VALUES ('api_calls', 'CREDIT');
INSERT INTO floor_account (customer_id, currency, balance)
SELECT 'cus_' || i, 'CREDIT', 1e12 FROM generate_series(1, :wallets) i;
INSERT INTO hand_account SELECT * FROM floor_account;
INSERT INTO hand_grant (customer_id, currency, amount, remaining)
SELECT customer_id, currency, balance, balance FROM hand_account;

-- For the rows grants_*: an account with 10,000 open grants.
INSERT INTO hand_account (customer_id, currency, balance) VALUES ('many_grants', 'CREDIT', 1e13);
INSERT INTO hand_grant (customer_id, currency, amount, remaining, expires_at)
SELECT 'many_grants', 'CREDIT', 1e9, 1e9, now() + interval '1 year' + i * interval '1 minute' FROM generate_series(1, 10000) i;
