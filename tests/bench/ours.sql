-- pg_credits as it is measured: the same wallets as in baseline.sql, made by the public functions alone. Loaded
-- once, by ./run, into the benchmark's own database. What pgbench sends is in scripts/*.ours.sql.

CREATE EXTENSION pg_credits;

SELECT count(*) FROM credits.meter_create('api_calls', currency => 'CREDIT');
SELECT count(*) FROM credits.meter_create('deferred_calls', currency => 'CREDIT', settlement => 'deferred');
SELECT count(*) FROM credits.meter_create('negotiated_calls', currency => 'CREDIT');
SELECT count(g.grant_id)
FROM generate_series(1, :wallets) i,
     credits.credit_grant('cus_' || i, 1e12, currency => 'CREDIT', category => 'paid') g;
-- For the row event_override_16: every twentieth customer has a price of their own. It is as high as the meter's, so
-- that what all charges come to can be checked.
SELECT count(o.override_no)
FROM generate_series(1, :wallets, 20) i,
     credits.meter_price_override('cus_' || i, 'negotiated_calls', unit_price => 1) o;

-- For the row limit_debit: a member who may spend so much a month.
SELECT count(g.grant_id) FROM credits.credit_grant('limited', 1e12) g;
SELECT l.remaining FROM credits.member_limit_set('limited', 'kim', 1e12, 'month') l;

-- For the rows grants_*: one account with a single grant, one with 10,000, each of which ends at a time of its own.
SELECT count(g.grant_id) FROM credits.credit_grant('one_grant', 1e9, expires_at => now() + interval '1 year') g;
SELECT count(g.grant_id)
FROM generate_series(1, 10000) i,
     credits.credit_grant('many_grants', 1e9, expires_at => now() + interval '1 year' + i * interval '1 minute') g;
