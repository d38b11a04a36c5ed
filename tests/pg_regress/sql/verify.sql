-- verify() finds what does not agree: each rule is broken once, by the owner's hand, and undone.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('ada', 10, priority => 1, name => 'head');
SELECT FROM credits.credit_grant('ada', 20, name => 'next');
SELECT FROM credits.credit_grant('ada', 5, applicable_meters => '{tokens}', name => 'restricted');
SELECT FROM credits.credit_grant('ada', 5, effective_at => '2026-04-01', expires_at => '2026-05-01', name => 'scheduled');
SELECT FROM credits.wallet_debit('ada', 3, idempotency_key => 'd');
SELECT FROM credits.report_meter_event('ada', 'tokens', 2, 'e');
SELECT FROM credits.customer_upsert('bob');
SELECT FROM credits.report_meter_event('bob', 'tokens', 2, 'owed');
SELECT FROM credits.wallet_credit('cy', 1, idempotency_key => 'c');
SELECT * FROM credits.verify();

CREATE FUNCTION breaking(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        RETURN QUERY SELECT format('%s (%s): %s where %s is due', v.problem, v.customer_id, coalesce(v.found::text, '-'),
                                   coalesce(v.expected::text, '-')) FROM credits.verify() v ORDER BY 1;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
END $$;

SELECT * FROM breaking($$UPDATE credits.accounts SET available = available + 1 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET restricted = restricted - 1 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET head_remaining = head_remaining - 1 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET last_line = last_line + 1 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET pending = 0 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET next_change_at = 'infinity' WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET posted_at = '2026-04-15' WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET head_grant_id = (SELECT grant_id FROM credits.credit_grants WHERE name = 'next') WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET remaining = remaining - 1 WHERE name = 'next'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET status = 'depleted' WHERE name = 'next'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET remaining = 0 WHERE name = 'restricted'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET remaining = 4 WHERE name = 'scheduled'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET priority = 0 WHERE name = 'next'$$);
SELECT * FROM breaking($$DELETE FROM credits.customers WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$DELETE FROM credits.accounts WHERE customer_id = 'cy'$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET amount = 21 WHERE name = 'next'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET held = -1 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.meter_events SET value = -1 WHERE identifier = 'e'$$);
SELECT * FROM breaking($$DELETE FROM credits.credit_grants WHERE customer_id = 'cy'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET amount = -1 WHERE customer_id = 'ada' AND identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET running_balance = 0 WHERE customer_id = 'ada' AND line_no = 2$$);
SELECT * FROM breaking($$DELETE FROM credits.credit_transactions WHERE customer_id = 'ada' AND line_no = 1$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET identifier = 'other' WHERE identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET customer_id = 'dee' WHERE customer_id = 'cy'$$);
SELECT * FROM breaking($$UPDATE credits.meter_events SET consumed = 1 WHERE identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.meter_events SET pending = 3 WHERE identifier = 'owed'$$);
SELECT * FROM breaking($$UPDATE credits.meter_events SET debt_no = NULL WHERE identifier = 'owed'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET held = 7 WHERE customer_id = 'ada'$$);
SELECT * FROM breaking($$UPDATE credits.accounts SET last_debt = 0 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$DELETE FROM credits.accounts WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$DELETE FROM credits.meters$$);
SELECT * FROM breaking($$UPDATE credits.credit_grants SET applicable_meters = '{other}' WHERE name = 'head'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET effective_at = '2026-02-28' WHERE identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET created_at = '2026-03-02' WHERE identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.credit_transactions SET type = 'expiration' WHERE identifier = 'e'$$);
SELECT * FROM breaking($$INSERT INTO credits.meter_events SELECT customer_id, 'other', event_name, currency, value, 0, 1, 9, occurred_at, created_at FROM credits.meter_events WHERE identifier = 'e'$$);
SELECT * FROM breaking($$UPDATE credits.operations SET amount = 4 WHERE idempotency_key = 'd'$$);
SELECT * FROM breaking($$UPDATE credits.operations SET amount = 4 WHERE idempotency_key = 'c'$$);

-- For one customer.
UPDATE credits.accounts SET available = available + 1, head_remaining = head_remaining + 1 WHERE customer_id IN ('ada', 'cy');
SELECT DISTINCT customer_id FROM credits.verify() ORDER BY 1;
SELECT DISTINCT customer_id FROM credits.verify('cy');
SELECT count(*) FROM credits.verify('bob');
UPDATE credits.accounts SET available = available - 1, head_remaining = head_remaining - 1 WHERE customer_id IN ('ada', 'cy');
SELECT * FROM credits.verify();
