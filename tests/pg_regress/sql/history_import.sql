-- What happened before the application moved here, imported as if it had happened here.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT FROM credits.meter_create('seats', aggregation => 'max', period => 'month', overage => 'reject');
SELECT FROM credits.meter_create('pages', settlement => 'deferred', unit_price => 2);

-- In any order, each with its own time.
SELECT * FROM credits.history_import('ada', '[
    {"type": "usage", "at": "2026-01-20T00:00:00Z", "event_name": "tokens", "value": 30, "identifier": "e1",
     "subscription_id": "pro", "member_id": "kim", "metadata": {"a": 1}, "occurred_at": "2026-01-19T22:00:00Z"},
    {"type": "grant", "at": "2026-01-01T00:00:00Z", "amount": 20, "name": "Trial", "expires_at": "2026-02-01T00:00:00Z",
     "idempotency_key": "trial"},
    {"type": "debit", "at": "2026-01-10T00:00:00Z", "amount": 4, "idempotency_key": "d1", "description": "Job 1",
     "member_id": "lee"},
    {"type": "usage", "at": "2026-02-05T00:00:00Z", "event_name": "seats", "value": 7, "identifier": "e2"},
    {"type": "debit", "at": "2026-02-06T00:00:00Z", "amount": 3, "idempotency_key": "d2"},
    {"type": "grant", "at": "2026-02-10T00:00:00Z", "amount": 50, "category": "paid", "name": "Pack", "priority": 20,
     "cost_amount": 5, "cost_currency": "CREDIT", "idempotency_key": "pack", "granted_by": "shop"},
    {"type": "usage", "at": "2026-02-11T00:00:00Z", "event_name": "pages", "value": 2, "identifier": "e3"},
    {"type": "usage", "at": "2026-02-12T00:00:00Z", "event_name": "seats", "value": 9, "identifier": "e4",
     "credits": 1.5},
    {"type": "reversal", "at": "2026-02-13T00:00:00Z", "operation_key": "d1", "amount": 1, "reason": "half failed"},
    {"type": "cancellation", "at": "2026-02-14T00:00:00Z", "identifier": "e3", "reason": "it failed"},
    {"type": "adjustment", "at": "2026-02-15T00:00:00Z", "amount": 10, "reason": "gift", "idempotency_key": "gift",
     "expires_at": "2026-02-20T00:00:00Z"},
    {"type": "void", "at": "2026-02-16T00:00:00Z", "grant_key": "pack", "amount": 5, "reason": "a mistake"},
    {"type": "expiration", "at": "2026-02-17T00:00:00Z", "grant_key": "gift"},
    {"type": "grant", "at": "2026-02-18T00:00:00Z", "amount": 8, "effective_at": "2026-04-01T00:00:00Z"}]',
    idempotency_key => 'move');
SELECT line_no, type, amount, running_balance, pending, grant_name, coalesce(identifier, idempotency_key) AS of,
       member_id, effective_at::date, created_at::date
FROM credits.ledger WHERE customer_id = 'ada' ORDER BY line_no;

-- So its past can be asked for.
SELECT t::date, b.available, b.pending
FROM unnest('{2025-12-31, 2026-01-15, 2026-01-31 23:59, 2026-02-01, 2026-02-09, 2026-02-28}'::timestamptz[]) AS t,
     credits.wallet_balance_at('ada', NULL, t) AS b;
SELECT name, status, amount, remaining, priority, granted_by, created_at::date, effective_at::date FROM credits.grants
WHERE customer_id = 'ada' ORDER BY created_at;
SELECT identifier, quantity, credits, status, price_version, subscription_id, member_id, occurred_at, created_at
FROM credits.usage WHERE customer_id = 'ada' ORDER BY identifier;

-- Identifiers and keys are claimed for ever: what is reported again is recognised.
SELECT replayed FROM credits.report_meter_event('ada', 'tokens', 30, 'e1');
SELECT replayed FROM credits.wallet_debit('ada', 4, idempotency_key => 'd1');
SELECT entries, lines, available, replayed FROM credits.history_import('ada', (
    SELECT '[]'::jsonb), idempotency_key => 'other');

-- What was charged elsewhere has no price here: it can be canceled, not adjusted.
SELECT FROM credits.meter_event_adjust('ada', 'e4', 10);
SELECT returned, available FROM credits.meter_event_cancel('ada', 'e4');

-- More than one call takes: in one transaction, in the order of time.
BEGIN;
SELECT entries, finished, available FROM credits.history_import('bob', '[
    {"type": "grant", "at": "2026-01-01T00:00:00Z", "amount": 20, "expires_at": "2026-01-20T00:00:00Z"}]',
    finished => false);
SELECT entries, finished, available FROM credits.history_import('bob', '[
    {"type": "debit", "at": "2026-01-10T00:00:00Z", "amount": 5}]', finished => false);
SAVEPOINT before;
SELECT FROM credits.history_import('bob', '[{"type": "debit", "at": "2026-01-09T00:00:00Z", "amount": 5}]');
ROLLBACK TO before;
SELECT entries, lines, finished, available FROM credits.history_import('bob', '[]');
COMMIT;

-- An entry that is wrong is named, and nothing is imported.
CREATE FUNCTION pg_temp.tried(entries jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits.history_import('cy', entries);
    RETURN 'imported';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE wrong AS SELECT no, entry::jsonb FROM (VALUES
    (1, '7'), (2, '{}'), (3, '{"type": "gift"}'), (4, '{"type": "debit"}'),
    (5, '{"type": "debit", "at": "2026-01-01"}'),
    (6, '{"type": "debit", "at": "2026-03-01T00:00:01Z", "amount": 1}'),
    (7, '{"type": "debit", "at": "2026-01-02T00:00:00Z"}'),
    (8, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": 0}'),
    (9, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": "0.0000001"}'),
    (10, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": "one"}'),
    (11, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": 1, "decription": "job"}'),
    (12, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": 1, "reason": "correction"}'),
    (13, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": 1, "idempotency_key": "first"}'),
    (14, '{"type": "debit", "at": "2026-01-02T00:00:00Z", "amount": 1, "idempotency_key": ""}'),
    (15, '{"type": "usage", "at": "2026-01-02T00:00:00Z", "event_name": "token", "identifier": "x"}'),
    (16, '{"type": "usage", "at": "2026-01-02T00:00:00Z", "event_name": "tokens"}'),
    (17, '{"type": "usage", "at": "2026-01-02T00:00:00Z", "event_name": "tokens", "identifier": "x", "value": -1}'),
    (18, '{"type": "usage", "at": "2026-01-02T00:00:00Z", "event_name": "tokens", "identifier": "x", "credits": -1}'),
    (19, '{"type": "usage", "at": "2026-01-02T00:00:00Z", "event_name": "tokens", "identifier": "x",
           "occurred_at": "2025-01-02T00:00:00Z"}'),
    (20, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "category": "free"}'),
    (21, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "priority": 101}'),
    (22, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "priority": "high"}'),
    (23, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "expires_at": "2026-01-01T00:00:00Z"}'),
    (24, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "applicable_meters": "tokens"}'),
    (25, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "applicable_meters": ["token"]}'),
    (26, '{"type": "grant", "at": "2026-01-02T00:00:00Z", "amount": 1, "cost_amount": 1}'),
    (27, '{"type": "adjustment", "at": "2026-01-02T00:00:00Z", "amount": -1, "reason": "gift"}'),
    (28, '{"type": "adjustment", "at": "2026-01-02T00:00:00Z", "amount": -1}'),
    (29, '{"type": "reversal", "at": "2026-01-02T00:00:00Z"}'),
    (30, '{"type": "reversal", "at": "2026-01-02T00:00:00Z", "operation_key": "nothing"}'),
    (31, '{"type": "reversal", "at": "2026-01-02T00:00:00Z", "operation_key": "first", "amount": 5}'),
    (32, '{"type": "cancellation", "at": "2026-01-02T00:00:00Z", "identifier": "e1"}'),
    (33, '{"type": "void", "at": "2026-01-02T00:00:00Z", "grant_key": "first", "amount": 99}'),
    (34, '{"type": "void", "at": "2026-01-02T00:00:00Z", "grant_key": "debit"}')) AS v (no, entry);
SELECT no, pg_temp.tried(jsonb_build_array(
    '{"type": "grant", "at": "2026-01-01T00:00:00Z", "amount": 9, "idempotency_key": "first"}'::jsonb,
    '{"type": "debit", "at": "2026-01-01T00:00:00Z", "amount": 1, "idempotency_key": "debit"}'::jsonb,
    entry)) AS outcome
FROM wrong ORDER BY no;
SELECT pg_temp.tried(NULL), pg_temp.tried('{}'), pg_temp.tried('null');
SELECT count(*) FROM credits.customers WHERE customer_id = 'cy';

-- Only into an account that is empty. What it was configured with stays.
SELECT FROM credits.customer_upsert('dee');
SELECT FROM credits.account_configure('dee', overdraft_limit => 5);
SELECT lines, available, pending FROM credits.history_import('dee', '[
    {"type": "debit", "at": "2026-02-15T00:00:00Z", "amount": 12}]');
SELECT overdraft_limit FROM credits.wallets WHERE customer_id = 'dee';
SELECT FROM credits.wallet_credit('eve', 1);
\set VERBOSITY verbose
SELECT FROM credits.history_import('eve', '[]');
SELECT FROM credits.history_import('dee', '[]');
\set VERBOSITY default

-- It needs a superuser.
CREATE ROLE mover LOGIN;
GRANT credits_admin TO mover;
GRANT EXECUTE ON FUNCTION credits.history_import TO mover;
SET ROLE mover;
SELECT FROM credits.history_import('fay', '[]');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION credits.history_import FROM mover;
DROP ROLE mover;

SELECT * FROM credits.verify();
