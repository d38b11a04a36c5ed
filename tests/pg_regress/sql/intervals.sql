-- What an interval comes to is what the calendar in UTC makes of it, whatever the session's time zone is.
SET credits.test_clock = '2026-03-07 20:30+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.wallet_credit('ada', 100);
-- Everything that adds an interval, in one zone after the other: of some the clocks change that night, of one by half an hour, and in
-- some it is another day, which is the first or the last of another month.
CREATE TABLE seen (clock timestamptz, zone text, held timestamptz, bought timestamptz, granted timestamptz, cooled timestamptz,
                   timed_out timestamptz, leased timestamptz);
CREATE PROCEDURE see(clock timestamptz, zone text) LANGUAGE plpgsql AS $$
DECLARE
    customer text := clock::date || zone;
    package uuid; held timestamptz; bought timestamptz; granted timestamptz; cooled timestamptz; timed_out timestamptz;
    top_up uuid; leased timestamptz;
BEGIN
    PERFORM set_config('TimeZone', zone, false), set_config('credits.test_clock', clock::text, false);
    PERFORM FROM credits.wallet_credit(customer, 100);
    SELECT h.expires_at INTO held FROM credits.hold_create(customer, 1, expires_in => '1 month 1 day') h;
    SELECT p.price_id INTO package
FROM credits.package_create('Pack ' || customer, 100, 10, 'USD', time_to_live => '1 month') p;
    SELECT t.top_up_id, t.expires_at INTO top_up, bought
FROM credits.top_up_create(customer, package, expires_in => '1 day') t;
    PERFORM FROM credits.payment_succeeded(customer, top_up, 'bank', customer, 10);
    SELECT g.expires_at INTO granted FROM credits.grants g WHERE g.customer_id = customer AND g.granted_by = 'top_up';
    PERFORM FROM credits.configure_auto_recharge(customer, threshold => 250, price_id => package, cooldown => '1 month', timeout => '1 day');
    SELECT r.due_at INTO timed_out FROM credits_internal.auto_recharges r WHERE r.customer_id = customer;
    PERFORM FROM credits.recharge_begin(customer, (SELECT r.recharge_id FROM credits_internal.recharges r
WHERE r.customer_id = customer));
    PERFORM FROM credits.payment_succeeded(customer, (SELECT r.top_up_id FROM credits_internal.recharges r
WHERE r.customer_id = customer),
                                           'bank', customer || ' again', 10);
    PERFORM FROM credits.wallet_debit(customer, 60);
    SELECT r.due_at INTO cooled FROM credits_internal.auto_recharges r WHERE r.customer_id = customer;
    PERFORM FROM credits.outbox_claim('worker', 50000, lease => '1 day');
    SELECT p.claimed_until INTO leased FROM credits_internal.outbox_positions p WHERE p.customer_id = customer;
    INSERT INTO seen VALUES (clock, zone, held, bought, granted, cooled, timed_out, leased);
END $$;
SELECT FROM credits.outbox_consumer_create('worker');
SELECT format('CALL see(%L, %L)', clock, zone)
FROM unnest(ARRAY['2026-03-07 20:30+00', '2026-10-30 23:30+00', '2026-03-31 12:00+00']::timestamptz[]) clock,
     unnest(ARRAY['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Auckland', 'Pacific/Kiritimati',
                  'Asia/Kolkata', 'America/Adak']) zone \gexec
SET TimeZone = 'UTC';
SELECT clock, count(*) AS zones, min(held) AS held, min(bought) AS bought, min(granted) AS granted, min(cooled) AS cooled,
       min(timed_out) AS timed_out, min(leased) AS leased,
       (max(held), max(bought), max(granted), max(cooled), max(timed_out), max(leased))
       = (min(held), min(bought), min(granted), min(cooled), min(timed_out), min(leased)) AS same_in_all
FROM seen GROUP BY clock ORDER BY clock;

-- An interval is judged by what it comes to. What is kept must do in every month, what is used now must do now.
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE 'SELECT ' || statement INTO result;
    RETURN 'returned ' || result;
EXCEPTION WHEN OTHERS THEN
    RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
SET credits.test_clock = '2026-01-15 12:00+00';
SELECT FROM credits.customer_upsert('eve');
SELECT FROM credits.wallet_credit('eve', 100);
SELECT i AS interval,
       try(format('expires_at FROM credits.hold_create(''eve'', 1, expires_in => %L)', i)) AS hold_in_january,
       try(format('time_to_live FROM credits.product_create(''P'', credits => 1, time_to_live => %L)', i)) AS kept
FROM unnest(ARRAY['1 month -30 days', '1 month -28 days', '1 month -27 days', '2 months -59 days', '1 year -364 days', '1 year -365 days',
                  '1 day -24 hours', '1 day -23:59:59.999999', '-1 day', '0', '10 years', '10 years 1 second', '10 years 10 days',
                  '4000 days -100 months', '3652 days', '3653 days', '178000000 years']) i;
SET credits.test_clock = '2026-02-15 12:00+00';
SELECT i AS interval, try(format('expires_at FROM credits.hold_create(''eve'', 1, expires_in => %L)', i)) AS hold_in_february
FROM unnest(ARRAY['1 month -30 days', '1 month -28 days', '1 month -27 days', '10 years', '10 years 1 second']) i;
SELECT FROM credits.outbox_consumer_create('another');
SELECT i AS interval,
       try(format('cooldown FROM credits.configure_auto_recharge(''eve'', threshold => 5, price_id => %L, cooldown => %L)', price_id, i)) AS cooldown,
       try(format('timeout FROM credits.configure_auto_recharge(''eve'', threshold => 5, price_id => %L, timeout => %L)', price_id, i)) AS timeout,
       try(format('expires_at FROM credits.top_up_create(''eve'', %L, expires_in => %L)', price_id, i)) AS top_up,
       try(format('count(*) > 0 FROM credits.outbox_claim(''another'', lease => %L)', i)) AS lease
FROM (SELECT price_id FROM credits.packages ORDER BY 1 LIMIT 1) p,
     unnest(ARRAY['0', '1 day -24 hours', '1 month -30 days', '-1 second', '10 years 10 days', '1 month -27 days']) i;

SELECT * FROM credits.verify();
