-- Balance alerts.

CREATE TABLE credits_internal.balance_alerts (
    customer_id  text COLLATE "C" NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('absolute', 'percent')),
    levels       numeric[] NOT NULL CHECK (cardinality(levels) > 0),
    full_balance numeric NOT NULL,
    reached      integer NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, currency, kind)
);

COMMENT ON TABLE credits_internal.balance_alerts IS
'Levels of a balance at which an event is published. They change under their account''s lock.';
COMMENT ON COLUMN credits_internal.balance_alerts.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.balance_alerts.currency IS 'Which account.';
COMMENT ON COLUMN credits_internal.balance_alerts.kind IS
'''absolute'': levels are credits. ''percent'': percent of full_balance.';
COMMENT ON COLUMN credits_internal.balance_alerts.levels IS 'The levels, highest first.';
COMMENT ON COLUMN credits_internal.balance_alerts.full_balance IS
'What was available when credits last came in, or since, if that was more.';
COMMENT ON COLUMN credits_internal.balance_alerts.reached IS
'How many levels the balance is at or below, which is published.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.balance_alerts', '');
