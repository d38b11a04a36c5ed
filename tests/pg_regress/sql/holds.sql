-- Holds: credits set aside for work in progress, from the grants that a debit would draw on.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.credit_grant('ada', 10, name => 'bonus', expires_at => '2026-03-10');
SELECT FROM credits.credit_grant('ada', 30, name => 'pack', category => 'paid');

-- Drawn from two grants. What is held leaves available at once, and is part of neither grant's remaining.
SELECT hold_id AS h, status, amount, captured, released, expires_at, available, replayed
FROM credits.hold_create('ada', 25, expires_in => '20 days', idempotency_key => 'job-1') \gset hold_
SELECT :'hold_status' AS status, :hold_amount AS amount, :'hold_expires_at' AS expires_at, :hold_available AS available;
SELECT available, held, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SELECT name, status, remaining, held, consumed FROM credits.grants ORDER BY grant_id;
SELECT credits.wallet_debit('ada', 16);

SELECT customer_id, amount, expires_at FROM credits.holds WHERE status = 'open';

-- The bonus expires meanwhile. That does not touch what is held of it.
SET credits.test_clock = '2026-03-15';
SELECT available, held FROM credits.wallet_balance('ada', 'CREDIT');

-- Refused, and nothing is changed: more than is held, nothing, finer than the currency, someone else's hold.
SELECT credits.hold_capture('ada', :'hold_h', 25.000001);
SELECT credits.hold_capture('ada', :'hold_h', -0.000001);
SELECT credits.hold_capture('ada', :'hold_h', 0.0000001);
SELECT credits.hold_capture('bob', '01900000-0000-7000-8000-000000000000', 1);
SELECT status, captured FROM credits_internal.holds;

-- Captured for less: the rest goes back to the same grants, newest draw first. The pack gave last and gets all of its
-- 15 back; of the bonus 4 are spent and 6 come back, which expire at once.
SELECT status, amount, captured, released, available, replayed
FROM credits.hold_capture('ada', :'hold_h', 4, 'job 1 took less');
SELECT line_no, type, l.grant_name, amount, running_balance, held, effective_at FROM credits.ledger l ORDER BY line_no;
SELECT name, status, remaining, held, consumed, lapsed FROM credits.grants ORDER BY grant_id;
SELECT type, amount, held, description FROM credits.ledger WHERE type IN ('capture', 'release') ORDER BY line_no;

-- The same amount again is a replay; another, or a release, is not open any more.
SELECT status, captured, released, available, replayed FROM credits.hold_capture('ada', :'hold_h', 4.0);
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM credits.hold_release('ada', hold_id) FROM credits_internal.holds;
EXCEPTION WHEN SQLSTATE 'PC010' THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%', hint;
END $$;
SELECT status, captured, available, replayed FROM credits.hold_create('ada', 25, idempotency_key => 'job-1');
\set VERBOSITY verbose
SELECT status FROM credits.hold_capture('ada', '01900000-0000-7000-8000-000000000000');
\set VERBOSITY default
DO $$
DECLARE hold uuid := (SELECT hold_id FROM credits_internal.holds); state text;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            CASE i WHEN 1 THEN PERFORM credits.hold_capture('ada', hold, 5);
                   WHEN 2 THEN PERFORM credits.hold_capture('ada', hold);
                   WHEN 3 THEN PERFORM credits.hold_release('ada', hold); END CASE;
        EXCEPTION WHEN SQLSTATE 'PC010' THEN
            GET STACKED DIAGNOSTICS state = PG_EXCEPTION_DETAIL;
            RAISE NOTICE 'PC010: %', state::jsonb ->> 'state';
        END;
    END LOOP;
END $$;

-- Released: all of it comes back. Again, and nothing happens.
SELECT hold_id AS h FROM credits.hold_create('ada', 12) \gset two_
SELECT available, held FROM credits.wallet_balance('ada', 'CREDIT');
SELECT status, captured, released, available, replayed FROM credits.hold_release('ada', :'two_h');
SELECT status, captured, released, available, replayed FROM credits.hold_release('ada', :'two_h');

-- Its time runs out: it counts as released for every reader at once, whether or not anything has run.
SELECT hold_id AS h FROM credits.hold_create('ada', 20, expires_in => '90 seconds') \gset late_
SET credits.test_clock = '2026-03-15 00:01:29.999999';
SELECT available, held FROM credits.wallets;
SET credits.test_clock = '2026-03-15 00:01:30';
SELECT available, held FROM credits.wallets;
SELECT count(*) FROM credits.holds WHERE status = 'open';
SELECT name, remaining, held FROM credits.grants ORDER BY grant_id;
SELECT max(line_no) AS lines, (SELECT status FROM credits_internal.holds ORDER BY hold_id DESC LIMIT 1) AS posted
FROM credits.ledger;
DO $$
DECLARE state text;
BEGIN
    PERFORM credits.hold_capture('ada', (SELECT hold_id FROM credits_internal.holds ORDER BY hold_id DESC LIMIT 1), 20);
EXCEPTION WHEN SQLSTATE 'PC010' THEN
    GET STACKED DIAGNOSTICS state = PG_EXCEPTION_DETAIL;
    RAISE NOTICE 'PC010: %', state::jsonb ->> 'state';
END $$;
SELECT status, captured, released, available, replayed FROM credits.hold_release('ada', :'late_h');
SELECT debited, available FROM credits.wallet_debit('ada', 26);
SELECT line_no, type, amount, running_balance, held, effective_at, created_at FROM credits.ledger WHERE line_no > 10
ORDER BY 1;

-- Usage is not paid from held credits; what comes back pays what is owed first.
SELECT FROM credits.meter_create('tokens');
SELECT hold_id AS h FROM credits.hold_create('ada', 4, expires_in => '1 hour') \gset owed_
SELECT status, consumed, pending, available FROM credits.report_meter_event('ada', 'tokens', 3, 'e1');
SELECT status, captured, released, available FROM credits.hold_capture('ada', :'owed_h', 0.5);
SELECT consumed, pending, status, replayed FROM credits.report_meter_event('ada', 'tokens', 3, 'e1');
SELECT available, held, pending FROM credits.wallet_balance('ada', 'CREDIT');

-- … also where only time brings it back.
SELECT FROM credits.wallet_credit('bob', 5);
SELECT FROM credits.hold_create('bob', 5, expires_in => '1 hour');
SELECT pending FROM credits.report_meter_event('bob', 'tokens', 2, 'e1');
SET credits.test_clock = '2026-03-15 02:00';
SELECT available, held, pending FROM credits.wallet_balance('bob', 'CREDIT');
CALL credits.maintain();
SELECT line_no, type, amount, running_balance, held, pending, effective_at FROM credits.wallet_history('bob')
ORDER BY line_no;

-- … and to a grant that expires: the next expiry counts it once.
SELECT FROM credits.credit_grant('pia', 10, expires_at => '2026-03-16');
SELECT FROM credits.hold_create('pia', 4, expires_in => '1 hour');
SELECT available, held, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('pia', 'CREDIT');
SET credits.test_clock = '2026-03-15 03:30';
SELECT available, held, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('pia', 'CREDIT');

-- A grant that is voided while some of it is held: what is spent of the hold stays spent, the rest is void as well.
SELECT grant_id AS g FROM credits.credit_grant('cy', 10, name => 'mistake') \gset cy_
SELECT hold_id AS h FROM credits.hold_create('cy', 6) \gset cy_
SELECT status, remaining FROM credits.credit_grant_void('cy', :'cy_g', 'granted twice');
SELECT available, held FROM credits.wallet_balance('cy', 'CREDIT');
SELECT status, captured, released, available FROM credits.hold_capture('cy', :'cy_h', 2);
SELECT status, remaining, held, consumed, lapsed, ended_reason FROM credits.grants WHERE customer_id = 'cy';

-- How long.
SELECT credits.hold_create('ada', 0.1, expires_in => '0 seconds');
SELECT credits.hold_create('ada', 0.1, expires_in => '-1 day');
SELECT credits.hold_create('ada', 0.1, expires_in => '100 years');
SELECT credits.hold_create('ada', 0.1, expires_in => '2000000000 months');
SELECT credits.hold_create('ada', 0.1, expires_in => '-69273666 mons 2147483647 days');
SELECT credits.hold_create('ada', 0.1, expires_in => '1 month -40 days');
SELECT expires_at FROM credits.hold_create('ada', 0.1, expires_in => NULL);
SELECT expires_at FROM credits.hold_create('ada', 0.1, expires_in => '1 month');

SELECT sum(balance) = 0 AS balanced FROM credits.trial_balance;
SELECT * FROM credits.verify();
