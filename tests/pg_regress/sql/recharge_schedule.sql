-- Auto-recharge on a schedule: at given times, whatever the balance. By the calendar in UTC, whatever the session's
-- time zone.
SET credits.test_clock = '2026-01-31 12:00+00';
SET TimeZone = 'America/New_York';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 2, 'USD') \gset
CREATE FUNCTION requests(customer text) RETURNS TABLE (status text, reason text, credits numeric, scheduled boolean,
    requested_at text)
LANGUAGE sql AS $$
    SELECT status, reason, credits, scheduled, (requested_at AT TIME ZONE 'UTC')::text FROM credits.recharge_log
    WHERE customer_id = customer ORDER BY recharge_log.requested_at, recharge_id
$$;
CREATE FUNCTION next(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT (next_scheduled_at AT TIME ZONE 'UTC')::text FROM credits.auto_recharge_config(customer)
$$;
CREATE PROCEDURE pay(customer text) LANGUAGE sql AS $$
    SELECT credits.payment_succeeded(customer, top_up_id, 'stripe', recharge_id::text) FROM credits.recharge_log
    WHERE customer_id = customer AND closed_at IS NULL
$$;

-- Every month from the 31st on. No threshold is needed: 0 says that the balance asks for nothing.
SELECT FROM credits.wallet_credit('ann', 60);
SELECT threshold, schedule_every, schedule_start_at, schedule_day, recharge_in_progress
FROM credits.configure_auto_recharge('ann', threshold => 0, price_id => :'pack', schedule_every => '1 month');
SELECT next('ann');
SELECT FROM credits.wallet_debit('ann', 60);
SELECT * FROM requests('ann');
SET credits.test_clock = '2026-02-28 11:59:59.999999+00';
CALL credits.maintain();
SELECT count(*) FROM requests('ann');
SET credits.test_clock = '2026-02-28 12:00+00';
CALL credits.maintain();
SELECT * FROM requests('ann');
SELECT next('ann');
SELECT payload -> 'quantity' AS quantity, payload -> 'scheduled' AS scheduled FROM credits.outbox_rows
    WHERE type = 'recharge.requested';
-- Credits by hand do not make up for it; a worker pays.
SELECT FROM credits.wallet_credit('ann', 500);
SELECT * FROM requests('ann');
CALL pay('ann');
-- Moments that nobody was there for are made up for once, by maintain() or by the next call.
SET credits.test_clock = '2026-06-05 00:00+00';
SELECT available FROM credits.wallet_debit('ann', 1);
SELECT * FROM requests('ann') OFFSET 1;
SELECT next('ann');
CALL pay('ann');
CALL credits.maintain();
SELECT count(*) FROM requests('ann');
SELECT * FROM credits.verify();

-- A moment waits while a request is open, and for cooldown and limits; more of them meanwhile are still one.
SET credits.test_clock = '2026-07-01 00:00+00';
SELECT FROM credits.wallet_credit('bob', 60);
SELECT recharge_in_progress FROM credits.configure_auto_recharge('bob', threshold => 50, price_id => :'pack',
    cooldown => '2 hours', timeout => '1 day',
    schedule_every => '1 hour', schedule_start_at => '2026-07-01 00:30+00', max_amount_per_calendar_day => 7);
SELECT FROM credits.wallet_debit('bob', 20);
SET credits.test_clock = '2026-07-01 01:00+00';
CALL credits.maintain();
SELECT * FROM requests('bob');
CALL pay('bob');
SELECT * FROM requests('bob') OFFSET 1;
SET credits.test_clock = '2026-07-01 01:59+00';
CALL credits.maintain();
SELECT count(*) FROM requests('bob');
SET credits.test_clock = '2026-07-01 02:00+00';
CALL credits.maintain();
SELECT * FROM requests('bob') OFFSET 1;
SELECT next('bob');
CALL pay('bob');
SET credits.test_clock = '2026-07-01 04:00+00';
CALL credits.maintain();
CALL pay('bob');
-- Six dollars of seven: the next one is at midnight.
SET credits.test_clock = '2026-07-01 23:59+00';
CALL credits.maintain();
SELECT * FROM requests('bob') OFFSET 2;
SET credits.test_clock = '2026-07-02 00:00+00';
CALL credits.maintain();
SELECT * FROM requests('bob') OFFSET 3;
SELECT next('bob');
SELECT * FROM credits.verify();
-- What fails or times out is not asked for again before the next moment, unless the balance asks.
SELECT FROM credits.payment_failed('bob', (SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'bob'
    AND closed_at IS NULL));
SET credits.test_clock = '2026-07-02 00:29+00';
CALL credits.maintain();
SELECT count(*) FROM requests('bob');
SELECT * FROM credits.verify();

-- With a target: as much as is missing, and nothing at all where it is reached.
SET credits.test_clock = '2026-08-01 00:00+00';
SELECT FROM credits.wallet_credit('cyd', 60);
SELECT schedule_day, target FROM credits.configure_auto_recharge('cyd', threshold => 0, price_id => :'pack',
    target => 1000, schedule_day => 31);
SELECT next('cyd');
SET credits.test_clock = '2026-08-31 00:00+00';
CALL credits.maintain();
SELECT * FROM requests('cyd');
SELECT next('cyd');
-- Enough credits by hand make up for it before a worker begins.
SELECT FROM credits.wallet_credit('cyd', 940);
SELECT * FROM requests('cyd');
SET credits.test_clock = '2026-10-01 00:00+00';
CALL credits.maintain();
SELECT count(*), next('cyd') FROM requests('cyd');
SELECT * FROM credits.verify();

-- Given, changed, removed. A schedule of one kind takes the place of the other; NULL leaves it.
SELECT FROM credits.wallet_credit('dan', 60);
SELECT schedule_every, schedule_start_at AT TIME ZONE 'UTC' AS start_at, schedule_day
    FROM credits.configure_auto_recharge('dan', threshold => 10, price_id => :'pack', schedule_every => '7 days',
    schedule_start_at => '2026-10-05 09:00+00');
SELECT next('dan');
SELECT schedule_every FROM credits.configure_auto_recharge('dan', payment_method => 'pm_2');
SELECT next('dan');
SELECT schedule_every, schedule_start_at AT TIME ZONE 'UTC' AS start_at, schedule_day
    FROM credits.configure_auto_recharge('dan', schedule_day => 15);
SELECT next('dan');
SELECT FROM credits.configure_auto_recharge('dan', schedule_start_at => '2026-12-24 00:00+00');
SELECT next('dan');
SELECT enabled, next_scheduled_at FROM credits.configure_auto_recharge('dan', enabled => false);
SET credits.test_clock = '2027-02-20 00:00+00';
CALL credits.maintain();
SELECT enabled FROM credits.configure_auto_recharge('dan', enabled => true);
SELECT next('dan'), count(*) FROM requests('dan');
SELECT schedule_every, schedule_start_at, schedule_day, next_scheduled_at FROM credits.configure_auto_recharge('dan',
    schedule_day => 0);
SELECT FROM credits.configure_auto_recharge('dan', schedule_every => '1 day');
SELECT schedule_every, schedule_start_at, schedule_day, next_scheduled_at FROM credits.configure_auto_recharge('dan',
    schedule_every => '0');

-- Two currencies at the same moment, each by its own rules; one that is short asks for its own reasons.
SELECT FROM credits.currency_create('GPU', decimals => 0);
SELECT price_id AS gpu FROM credits.package_create('GPU', 10, 5, 'USD', 'GPU') \gset
SELECT FROM credits.wallet_credit('eve', 60);
SELECT FROM credits.wallet_credit('eve', 5, 'GPU');
SELECT FROM credits.configure_auto_recharge('eve', threshold => 10, price_id => :'pack', schedule_day => 1,
    max_amount_per_calendar_month => 2);
SELECT FROM credits.configure_auto_recharge('eve', 'GPU', threshold => 3, price_id => :'gpu', schedule_day => 1,
    target => 40, max_amount_per_calendar_month => 10);
SET credits.test_clock = '2027-03-01 00:00+00';
BEGIN;
SELECT FROM credits.wallet_debit('eve', 55);
SELECT FROM credits.wallet_debit('eve', 3, 'GPU');
COMMIT;
CALL credits.maintain();
SELECT currency, status, quantity, amount, credits, scheduled FROM credits.recharge_log
    WHERE customer_id = 'eve' ORDER BY currency;
SELECT payload ->> 'currency' AS currency, payload ->> 'amount' AS amount FROM credits.outbox_rows
WHERE customer_id = 'eve' AND type = 'recharge.requested' ORDER BY 1;
SELECT * FROM credits.verify();
-- A dispute ends the schedules of every currency.
CALL pay('eve');
SELECT FROM credits.payment_disputed('eve', (SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'eve'
    AND currency = 'GPU'), 'stripe', 'dp_1');
SET credits.test_clock = '2027-04-01 00:00+00';
CALL credits.maintain();
SELECT currency, count(*) FROM credits.recharge_log WHERE customer_id = 'eve' GROUP BY 1 ORDER BY 1;
-- Credits that were taken back ask for nothing; the schedule goes on.
SELECT grant_id FROM credits.wallet_credit('fay', 60) \gset
SELECT FROM credits.configure_auto_recharge('fay', threshold => 10, price_id => :'pack', schedule_every => '1 day');
SELECT FROM credits.credit_grant_void('fay', :'grant_id');
SELECT waits_for_spend, recharge_in_progress FROM credits.auto_recharge_config('fay');
SET credits.test_clock = '2027-04-02 00:00+00';
CALL credits.maintain();
SELECT * FROM requests('fay');

-- Whether maintain() comes by at every moment or only at the end: as many requests as there were moments, or one.
CREATE PROCEDURE go_on(customer text, every interval, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := '2027-05-01 00:00+00';
BEGIN
    PERFORM set_config('credits.test_clock', at::text, false);
    PERFORM FROM credits.wallet_credit(customer, 60);
    PERFORM FROM credits.configure_auto_recharge(customer, threshold => 10, price_id => (SELECT price_id
        FROM credits.packages WHERE name = 'Pack'),
                                                 schedule_every => '6 hours', cooldown => '0');
    WHILE at < until LOOP
        at := at + every;
        PERFORM set_config('credits.test_clock', at::text, false);
        PERFORM credits.maintain_batch(100, 'accounts');
        CALL pay(customer);
    END LOOP;
END $$;
CALL go_on('gus', '15 minutes', '2027-05-08 00:00+00');
CALL go_on('hal', '7 days', '2027-05-08 00:00+00');
CALL go_on('ida', '28 hours', '2027-05-08 00:00+00');
SELECT customer_id, count(*), (min(requested_at) AT TIME ZONE 'UTC')::text AS first,
    (max(requested_at) AT TIME ZONE 'UTC')::text AS last
FROM credits.recharge_log WHERE customer_id IN ('gus', 'hal', 'ida') GROUP BY 1 ORDER BY 1;
SELECT next('gus'), next('hal'), next('ida');
SELECT * FROM credits.verify();

-- Wrong arguments.
SELECT FROM credits.configure_auto_recharge('gus', threshold => 0, schedule_every => '0');
SELECT FROM credits.configure_auto_recharge('gus', schedule_every => '-1 day');
SELECT FROM credits.configure_auto_recharge('gus', schedule_every => '1 month -1 day');
SELECT FROM credits.configure_auto_recharge('gus', schedule_every => '11 years');
SELECT FROM credits.configure_auto_recharge('gus', schedule_start_at => 'infinity');
SELECT FROM credits.configure_auto_recharge('gus', schedule_day => 32);
SELECT FROM credits.configure_auto_recharge('gus', schedule_day => -1);
SELECT FROM credits.configure_auto_recharge('gus', schedule_every => '1 day', schedule_day => 1);
SELECT FROM credits.configure_auto_recharge('dan', schedule_start_at => '2027-01-01');
SELECT FROM credits.configure_auto_recharge('gus', threshold => -1);
