-- HOLD AND SETTLE
--
-- Work that takes a while, and whose price is known only at its end: estimate it, set that much aside, do the work,
-- take what it cost, give the rest back. Nothing else can spend what is held, so as long as the hold lasts the work
-- is not refused its price at the end.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01 09:00+00';
SELECT amount, status FROM credits.credit_grant('dan', 100, name => 'Pack', category => 'paid', cost_basis => 0.02);

-- 1. ESTIMATE AND HOLD
--
-- A film of at most 30 credits. The hold gets a key like any other call, so a retry does not hold twice, and a time
-- after which it expires: long enough for the work, short enough for a customer to wait if the worker dies.
SELECT hold_id AS film FROM credits.hold_create('dan', 30, expires_in => '20 minutes', idempotency_key => 'film-1',
                                                description => 'Film 1') \gset
SELECT description, amount, expires_at FROM credits.holds WHERE status = 'open' AND customer_id = 'dan';
SELECT available, held FROM credits.wallet_balance('dan', 'CREDIT');

-- The 30 are neither spent nor available: 80 is more than can be had now.
SELECT ok, shortfall, available FROM credits.wallet_try_debit('dan', 80);

-- 2. WORK, AND TAKE WHAT IT COST
--
-- Ten minutes later the film is there, and has cost 22.5. The rest goes back to where it came from.
SET credits.test_clock = '2026-03-01 09:10+00';
SELECT status, amount, captured, released, available FROM credits.hold_capture('dan', :'film', 22.5);
SELECT line_no, type, amount, running_balance, held, description FROM credits.ledger WHERE customer_id = 'dan'
ORDER BY line_no;

-- The worker did not get the answer, and calls again: nothing happens. Another amount is another call, and is refused:
-- PC010, hold_not_open.
SELECT status, captured, available, replayed FROM credits.hold_capture('dan', :'film', 22.5);
\set VERBOSITY sqlstate
SELECT status FROM credits.hold_capture('dan', :'film', 25);

-- 3. IT COST MORE THAN WAS HELD
--
-- A hold is a promise of so much and no more: PC007, invalid_amount.
SELECT hold_id AS film FROM credits.hold_create('dan', 30, description => 'Film 2') \gset
SELECT status FROM credits.hold_capture('dan', :'film', 34);

-- So take all of it (no amount), and the rest as any other spend, in one transaction. You have to decide what
-- happens if the rest is not there: wallet_debit would undo both, wallet_try_debit leaves it to you, and a meter
-- would record it as owed.
BEGIN;
SELECT captured, released, available FROM credits.hold_capture('dan', :'film');
SELECT ok, debited, available FROM credits.wallet_try_debit('dan', 4, description => 'Film 2, longer than planned');
COMMIT;

-- 4. IT WAS CALLED OFF
--
-- Everything goes back. Releasing it again does no harm: there is nothing left to give back.
SELECT hold_id AS film FROM credits.hold_create('dan', 20, description => 'Film 3') \gset
SELECT status, captured, released, available FROM credits.hold_release('dan', :'film');
SELECT status, captured, released, available, replayed FROM credits.hold_release('dan', :'film');

-- 5. THE WORKER DIED
--
-- When it expires the hold counts as released, for everybody at once, whether or not any job has run.
SELECT hold_id AS film FROM credits.hold_create('dan', 40, expires_in => '20 minutes', description => 'Film 4') \gset
SELECT available, held FROM credits.wallet_balance('dan', 'CREDIT');
SET credits.test_clock = '2026-03-01 09:30+00';
SELECT available, held FROM credits.wallet_balance('dan', 'CREDIT');
SELECT count(*) AS open FROM credits.holds WHERE status = 'open' AND customer_id = 'dan';

-- 6. A CAPTURE THAT COMES TOO LATE
--
-- The worker had not died after all. The credits are Dan's again, and may be spent by now, so nothing is taken: PC010
-- once more.
SELECT status FROM credits.hold_capture('dan', :'film', 35);

-- The film was made, though. DETAIL of the error is JSON with the hold's state, so a program can see what happened.
-- This one then takes the price with a debit, guarded like any other spend:
CREATE FUNCTION pg_temp.settle(customer text, hold uuid, price numeric) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM credits.hold_capture(customer, hold, price);
    RETURN 'captured';
EXCEPTION WHEN SQLSTATE 'PC010' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    IF (SELECT ok FROM credits.wallet_try_debit(customer, price, idempotency_key => 'late ' || hold)) THEN
        RETURN 'the hold was ' || (detail::jsonb ->> 'state') || ', debited instead';
    END IF;
    RETURN 'the hold was ' || (detail::jsonb ->> 'state') || ', and there are not enough credits';
END $$;
SELECT pg_temp.settle('dan', :'film', 35);
SELECT available, held FROM credits.wallet_balance('dan', 'CREDIT');

-- 7. A GRANT THAT EXPIRES DURING THE WORK
--
-- Credits that are about to expire are held first, as they would be spent first. What is held of them can still be
-- taken after that. What is given back after that expires at once.
SELECT amount, expires_at FROM credits.credit_grant('eli', 10, name => 'Bonus', expires_at => '2026-03-01 10:00+00');
SELECT hold_id AS film FROM credits.hold_create('eli', 10, expires_in => '1 hour', description => 'Film 5') \gset
SET credits.test_clock = '2026-03-01 10:20+00';
SELECT available, held FROM credits.wallet_balance('eli', 'CREDIT');
SELECT status, captured, released, available FROM credits.hold_capture('eli', :'film', 6);
SELECT line_no, type, amount, running_balance, held, effective_at FROM credits.ledger WHERE customer_id = 'eli'
ORDER BY line_no;

-- Does all of it add up? No rows: it does.
CALL credits.maintain();
SELECT * FROM credits.verify();
