-- Limits of what may be spent.

-- No member and no meter are '' here, so that they can be part of the key.
CREATE TABLE credits_internal.spending_limits (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    member_id   text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    per         text COLLATE "C" NOT NULL,
    seconds     bigint CHECK ((seconds IS NULL) = (per IN ('day', 'month'))),
    amount      numeric NOT NULL CHECK (amount >= 0 AND amount < 'infinity'),
    action      text NOT NULL CHECK (action IN ('reject', 'notify')),
    created_at  timestamptz NOT NULL,
    reported    boolean NOT NULL DEFAULT false,
    since       timestamptz NOT NULL,
    used        numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, member_id, event_name, per)
) WITH (fillfactor = 70);

COMMENT ON TABLE credits_internal.spending_limits IS
'Limits of what may be spent, with what was spent in the window that each was last counted in. They change under their
account''s lock.';
COMMENT ON COLUMN credits_internal.spending_limits.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.spending_limits.currency IS 'What is counted.';
COMMENT ON COLUMN credits_internal.spending_limits.member_id IS
'The member whose spending it limits; empty for everybody''s.';
COMMENT ON COLUMN credits_internal.spending_limits.event_name IS
'The meter whose usage it limits; empty for any spending.';
COMMENT ON COLUMN credits_internal.spending_limits.per IS
'''day'' or ''month'' of the calendar in UTC, or the length of a rolling window.';
COMMENT ON COLUMN credits_internal.spending_limits.seconds IS 'The length of a rolling window; NULL otherwise.';
COMMENT ON COLUMN credits_internal.spending_limits.amount IS 'The most that may be spent in a window.';
COMMENT ON COLUMN credits_internal.spending_limits.action IS
'''reject'': more is refused. ''notify'': it is only published.';
COMMENT ON COLUMN credits_internal.spending_limits.created_at IS 'When it was set first.';
COMMENT ON COLUMN credits_internal.spending_limits.reported IS
'Whether it is published that the limit is reached, and there was no room since.';
COMMENT ON COLUMN credits_internal.spending_limits.since IS 'Where the window began when it was last counted.';
COMMENT ON COLUMN credits_internal.spending_limits.used IS
'What was spent from then on and has not come back; open holds are not in it.';

-- What rolling windows count, until it is out of them.
CREATE TABLE credits_internal.rolling_spending (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    member_id   text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    per         text COLLATE "C" NOT NULL,
    spent_at    timestamptz NOT NULL,
    amount      numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, member_id, event_name, per, spent_at)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

COMMENT ON TABLE credits_internal.rolling_spending IS
'What was spent at each moment of a rolling window. Rows go once they are out of it.';
COMMENT ON COLUMN credits_internal.rolling_spending.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.rolling_spending.currency IS 'What is counted.';
COMMENT ON COLUMN credits_internal.rolling_spending.member_id IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.event_name IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.per IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.spent_at IS 'When.';
COMMENT ON COLUMN credits_internal.rolling_spending.amount IS 'Credits spent then, less those that came back.';

ALTER TABLE credits_internal.spending_limits ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits_internal.rolling_spending ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.spending_limits', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.rolling_spending', '');
