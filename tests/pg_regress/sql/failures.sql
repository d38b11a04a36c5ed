-- One bad account holds back nobody: maintain() and settle() leave it alone for a while, say so, and do the rest.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.meter_create('calls.later', settlement => 'deferred');
SELECT count(*) FROM unnest(ARRAY['ann', 'bad digits', 'bad lines', 'eve']) c,
    LATERAL credits.credit_grant(c, 10, expires_at => '2026-03-02 12:00+00') one,
LATERAL credits.credit_grant(c, 5) two;
CREATE VIEW failures AS
SELECT customer_id, error, message, attempts, extract(epoch FROM retry_at - failed_at)::int / 60 AS minutes
FROM credits_internal.account_failures ORDER BY customer_id;
-- A superuser's mistake, a disk's: a balance that is no number is found when it is read, a line that is there when it is written.
CREATE PROCEDURE damage() LANGUAGE sql AS $$
    UPDATE credits_internal.accounts SET held = 'NaN' WHERE customer_id = 'bad digits';
    UPDATE credits_internal.accounts SET last_line = 0 WHERE customer_id = 'bad lines';
$$;
CREATE PROCEDURE repair() LANGUAGE sql AS $$
    UPDATE credits_internal.accounts SET held = 0 WHERE customer_id = 'bad digits';
    UPDATE credits_internal.accounts a SET last_line = (SELECT max(line_no) FROM credits_internal.lines l WHERE l.customer_id = a.customer_id)
    WHERE customer_id = 'bad lines';
    UPDATE credits_internal.account_failures SET retry_at = now();
$$;
CALL damage();

-- 1. WHAT TIME BROUGHT
SET credits.test_clock = '2026-03-03 12:00+00';
CALL credits.maintain();
SELECT customer_id, available FROM credits_internal.accounts WHERE customer_id NOT LIKE 'bad%' ORDER BY 1;
SELECT * FROM failures;
SELECT inbox, unsettled, failed_accounts, failed_since IS NOT NULL AS since FROM credits.backlog;
-- Not tried again before its time, and then after twice as long.
CALL credits.maintain();
SELECT * FROM failures;
UPDATE credits_internal.account_failures SET retry_at = now();
SELECT credits.maintain_batch(work => 'accounts');
SELECT credits.maintain_batch(work => 'accounts');
SELECT * FROM failures;
-- verify() names the account, also where nothing else is wrong with it.
SELECT problem, customer_id, currency, subject FROM credits.verify() WHERE problem LIKE '%maintenance%' ORDER BY 2;
-- It works again, and is forgotten.
CALL repair();
CALL credits.maintain();
SELECT * FROM failures;
SELECT customer_id, available FROM credits_internal.accounts ORDER BY 1;
SELECT * FROM credits.verify();

-- 2. DEFERRED USAGE
SELECT count(*) FROM unnest(ARRAY['ann', 'bad digits', 'bad lines', 'eve']) c, generate_series(1, 3) n,
    LATERAL credits.report_meter_event(c, 'calls.later', 0.5, 'later ' || n);
CALL damage();
SELECT credits.settle(100);
SELECT credits.settle(100);
SELECT * FROM failures;
SELECT customer_id, count(*) FROM credits_internal.unsettled_events GROUP BY 1 ORDER BY 1;
CALL repair();
SELECT credits.settle(100);
SELECT failed_accounts, unsettled FROM credits.backlog;
SELECT * FROM credits.verify();

-- 3. THE INBOX
CREATE PROCEDURE put_in(prefix text) LANGUAGE sql AS $$
    INSERT INTO credits.inbox (customer_id, event_name, value, identifier)
    SELECT c, 'calls', 0.25, prefix || n
    FROM generate_series(1, 2) n, unnest(ARRAY['ann', 'bad digits', 'bad lines', 'eve']) c;
$$;
-- A charge by its head is a line of its own, and would not notice the other damage.
UPDATE credits_internal.accounts SET held = 'NaN' WHERE customer_id = 'bad digits';
CALL put_in('a ');
SELECT credits.settle();
SELECT customer_id, identifier, error, message FROM credits.rejected_events ORDER BY 1, 2;
SELECT * FROM failures;
SELECT customer_id, available FROM credits_internal.accounts WHERE customer_id NOT LIKE 'bad%' ORDER BY 1;
-- More of them, while it fails, and once it works.
CALL put_in('b ');
SELECT credits.settle();
SELECT customer_id, count(*) FROM credits.rejected_events GROUP BY 1 ORDER BY 1;
CALL repair();
CALL put_in('c ');
SELECT credits.settle();
SELECT failed_accounts, inbox, rejected FROM credits.backlog;
SELECT credits.inbox_retry();
CALL credits.maintain();
SELECT failed_accounts, inbox, rejected FROM credits.backlog;
SELECT customer_id, available FROM credits_internal.accounts ORDER BY 1;
-- One row that fails for a reason of its own is put aside alone.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON credits_internal.meter_events FOR EACH ROW WHEN (new.identifier = 'd 2')
EXECUTE FUNCTION refuse();
CALL put_in('d ');
SELECT credits.settle();
SELECT customer_id, identifier, error, message FROM credits.rejected_events ORDER BY 1, 2;
SELECT * FROM failures;
DROP TRIGGER refuse ON credits_internal.meter_events;
SELECT credits.inbox_retry();
SELECT credits.settle();
SELECT * FROM credits.verify();

-- 4. A KIND OF WORK THAT FAILS AS A WHOLE
SELECT FROM credits.account_configure('ann', low_balance_threshold => 100);
SELECT FROM credits.wallet_debit('ann', 0.25);
UPDATE credits_internal.outbox SET created_at = created_at - interval '1 year';
CREATE TRIGGER refuse BEFORE DELETE ON credits_internal.outbox FOR EACH ROW EXECUTE FUNCTION refuse();
CALL put_in('e ');
CALL credits.maintain();
SELECT inbox FROM credits.backlog;
DROP TRIGGER refuse ON credits_internal.outbox;
CALL credits.maintain();
SELECT count(*) FROM credits_internal.outbox;
SELECT * FROM credits.verify();
-- Nor does one that ran out of something, or collided with another session: the others may need less, and other locks.
-- Where it is a lock that was not to be had, its rows just stay.
CREATE FUNCTION run_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not now' USING ERRCODE = tg_argv[0];
END $$;
CREATE PROCEDURE warn_again() LANGUAGE sql AS $$
    SELECT FROM credits.credit_grant('ann', 200);
    SELECT FROM credits.wallet_debit('ann', 200);
    UPDATE credits_internal.outbox SET created_at = created_at - interval '1 year';
$$;
CALL put_in('f ');
SELECT format('CREATE TRIGGER run_out BEFORE INSERT ON credits_internal.meter_events FOR EACH ROW EXECUTE FUNCTION run_out(%L)', code),
       'CALL warn_again()', 'SELECT count(*) > 0 AS waits FROM credits_internal.outbox', 'CALL credits.maintain()',
       'SELECT (SELECT count(*) FROM credits_internal.outbox) AS outbox, inbox, rejected FROM credits.backlog',
       'DROP TRIGGER run_out ON credits_internal.meter_events'
FROM unnest(ARRAY['53200', '40P01', '55P03']) code \gexec
CALL credits.maintain();
SELECT inbox, rejected FROM credits.backlog;
SELECT * FROM credits.verify();

-- 5. A BATCH OF REPORTS
UPDATE credits_internal.accounts SET held = 'NaN' WHERE customer_id = 'bad digits';
-- Its events have its error, and the others are charged: those of no cost, so that more than the head is looked at.
SELECT * FROM credits.report_meter_events(ARRAY['ann', 'bad digits', 'eve', 'bad digits', 'eve'], array_fill('calls'::text, ARRAY[5]),
                                          ARRAY[0.25, 0.25, 0, 0.25, -1], ARRAY['g 1', 'g 1', 'g 1', 'g 2', 'g 3']);
SELECT customer_id, identifier, consumed FROM credits_internal.meter_events WHERE identifier LIKE 'g %' ORDER BY 1, 2;
-- Not with all_or_nothing; and one alone raises it.
SELECT * FROM credits.report_meter_events(ARRAY['ann', 'bad digits'], ARRAY['calls', 'calls'], ARRAY[0.25, 0], ARRAY['g 4', 'g 4'],
                                          all_or_nothing => true);
SELECT * FROM credits.report_meter_events(ARRAY['bad digits'], ARRAY['calls'], ARRAY[0], ARRAY['g 4']);
SELECT count(*) FROM credits_internal.meter_events WHERE identifier = 'g 4';
-- Nor what PostgreSQL itself refuses.
CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.customer_id LIKE 'bad%' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '23514'; END IF;
    RETURN new;
END $$;
CALL repair();
CREATE TRIGGER refuse_bad BEFORE INSERT ON credits_internal.meter_events FOR EACH ROW EXECUTE FUNCTION refuse_bad();
SELECT identifier, status, error, message
FROM credits.report_meter_events(ARRAY['ann', 'bad digits', 'eve'], array_fill('calls'::text, ARRAY[3]),
                                 array_fill(0.25, ARRAY[3]), ARRAY['h 1', 'h 1', 'h 1']);
DROP TRIGGER refuse_bad ON credits_internal.meter_events;
SELECT * FROM credits.verify();

-- 6. WHAT READERS SEE
SET credits.test_clock = '2026-03-04 12:00+00';
SELECT count(*) FROM unnest(ARRAY['ann', 'bad digits', 'eve']) c,
    LATERAL credits.credit_grant(c, 3, name => 'short', expires_at => '2026-03-05 12:00+00');
SET credits.test_clock = '2026-03-06 12:00+00';
UPDATE credits_internal.accounts SET held = 'NaN' WHERE customer_id = 'bad digits';
SELECT customer_id, balance, available, held FROM credits.wallets ORDER BY 1;
SELECT customer_id, status, remaining, lapsed FROM credits.grants WHERE name = 'short' ORDER BY 1;
SELECT customer_id, balance FROM credits.credit_grant_holders('CREDIT') ORDER BY 1;
-- Whoever asks for that account is told.
SELECT * FROM credits.wallet_balance('bad digits', 'CREDIT');
CALL repair();
SELECT customer_id, balance, available, held FROM credits.wallets ORDER BY 1;
CALL credits.maintain();
SELECT * FROM credits.verify();
