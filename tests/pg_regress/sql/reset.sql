-- A database of tests is emptied in a moment: everything but what the application configured.
SET credits.test_clock = '2026-03-01 12:00+00';

-- What is configured, and what customers have.
SELECT FROM credits.currency_create('USD', 'US dollar', 2, 'fiat');
SELECT FROM credits.meter_create('calls', unit_price => 2) a, credits.meter_create('later', settlement => 'deferred') b;
SELECT FROM credits.package_create('Pack', 100, 9.99, 'USD');
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.1);
SELECT FROM credits.configure_recharge('CREDIT', (SELECT price_id FROM credits.packages));
SELECT FROM credits.payment_provider_set('stripe', 'whsec_secret_of_the_tests');
SELECT FROM credits.outbox_consumer_create('worker');
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits.customer_upsert('ann', 'Ann'), credits.credit_grant('ann', 10, name => 'Welcome'),
            credits.account_configure('ann', low_balance_threshold => 9),
            credits.report_meter_event('ann', 'calls', 2, 'a'), credits.report_meter_event('ann', 'later', 1, 'b'),
            credits.report_meter_event('ann', 'calls', 20, 'c'), credits.wallet_credit('ben', 5),
            credits.hold_create('ben', 1), credits.top_up_create('ann', (SELECT price_id FROM credits.packages));
    INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('ann', 'calls', 'd'), ('who', 'calls', 'e');
    CALL credits.maintain();
    INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('ben', 'calls', 'f');
END $$;
SELECT fill();
SELECT (SELECT count(*) FROM credits.customers) AS customers, (SELECT count(*) FROM credits.grants) AS grants,
       (SELECT count(*) FROM credits.ledger) AS lines, (SELECT count(*) FROM credits.usage) AS events,
       (SELECT count(*) FROM credits.inbox) AS inbox, (SELECT count(*) FROM credits.rejected_events) AS rejected,
       (SELECT count(*) FROM credits.outbox_rows) AS outbox, (SELECT count(*) FROM credits.top_ups) AS top_ups;

-- Not where customers are served, which is what every database is taken for.
SHOW credits.production;
SELECT credits.reset();

-- And by nobody but a superuser, whatever else the role may do.
SET credits.production = off;
SET ROLE credits_admin;
SELECT credits.reset();
SET ROLE credits_owner;
SELECT credits.reset();
RESET ROLE;

-- A rollback takes it back.
BEGIN;
SELECT credits.reset();
SELECT count(*) FROM credits.customers;
ROLLBACK;
SELECT count(*) FROM credits.customers;

-- Which tables have rows afterwards: a new table shows up here, if what it has is configured.
SELECT credits.reset();
CREATE FUNCTION has_rows(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found boolean;
BEGIN
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO found;
    RETURN found;
END $$;
SELECT c.oid::regclass AS kept FROM pg_class c
WHERE c.relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND c.relkind = 'r'
  AND has_rows(c.oid::regclass::text)
ORDER BY c.oid::regclass::text;
SELECT * FROM credits.verify();

-- Everything begins anew: lines are numbered from 1, keys are free, and the inbox is drained.
SELECT fill();
CALL credits.maintain();
SELECT customer_id, line_no, type, amount, identifier FROM credits.ledger ORDER BY 1, 2;
SELECT credits.reset();
SELECT count(*) FROM credits.ledger;

-- In a transaction that sees only what was there when it began, and with large tables.
SELECT count(*) FROM generate_series(1, 3000) n, credits.wallet_credit('many', 1, description => repeat('x', 300));
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT credits.reset();
SELECT (SELECT count(*) FROM credits.ledger) AS lines, (SELECT count(*) FROM credits.customers) AS customers;
COMMIT;
SELECT count(*) FROM generate_series(1, 3000) n, credits.wallet_credit('many', 1, description => repeat('x', 300));
SELECT credits.reset();
SELECT (SELECT count(*) FROM credits.ledger) AS lines, (SELECT count(*) FROM credits.customers) AS customers;
SELECT * FROM credits.verify();
