-- Totals: what customers were granted and can still spend, who holds what, and what is owed.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('GPU');
SELECT FROM credits.meter_create('tokens') a, credits.meter_create('images') b, credits.meter_create('gpu',
    currency => 'GPU') c,
            credits.meter_create('later', settlement => 'deferred') d;

-- Usable grants beside all that there ever were.
SELECT FROM credits.credit_grant('ann', 10, name => 'Spent', priority => 1);
SELECT FROM credits.wallet_debit('ann', 10);
SELECT FROM credits.credit_grant('ann', 20, expires_at => '2026-03-05');
SELECT FROM credits.credit_grant('ann', 30) a, credits.credit_grant('ann', 40,
    applicable_meters => '{tokens,images}') b,
            credits.credit_grant('ann', 50, applicable_meters => '{images}') c,
            credits.credit_grant('ann', 60, effective_at => '2026-03-04') d, credits.wallet_credit('ann', 7, 'GPU') e;
SELECT FROM credits.wallet_debit('ann', 5);
SELECT * FROM credits.credit_grant_summary('ann');

-- Right at the moment of reading: one begins, one has expired.
SET credits.test_clock = '2026-03-06 12:00+00';
SELECT * FROM credits.credit_grant_summary('ann');

-- Those that usage of a subscription can draw on: for its meters, or for anything.
SELECT FROM credits.report_meter_event('ann', 'tokens', 1, 't1', subscription_id => 'pro');
SELECT * FROM credits.credit_grant_summary('ann', 'pro');
SELECT * FROM credits.credit_grant_summary('ann', 'none yet');
SELECT * FROM credits.credit_grant_summary('nobody', 'pro');

-- Who holds how much: with their grants, and the totals of all pages.
SELECT FROM credits.wallet_credit('ben', 500) a, credits.wallet_credit('cem', 1, 'GPU') b,
    credits.wallet_credit('dan', 3) c;
SELECT FROM credits.credit_grant('eve', 4, expires_at => '2026-03-07');
SELECT FROM credits.credit_grant('eve', 2, effective_at => '2026-03-07');
SELECT * FROM credits.credit_grant_holders('CREDIT', 2);
SELECT * FROM credits.credit_grant_holders('CREDIT', 2, after => 'ann', after_balance => 174);
SELECT * FROM credits.credit_grant_holders();
SET credits.test_clock = '2026-03-08 12:00+00';
SELECT customer_id, balance, usable_grants, usable_granted, holder_count, total_balance
FROM credits.credit_grant_holders('CREDIT');

-- What is owed: by a customer, by all, and for a subscription.
SELECT * FROM credits.pending_amount();
SELECT FROM credits.report_meter_event('dan', 'tokens', 10, 'd1', subscription_id => 'pro');
SELECT FROM credits.report_meter_event('dan', 'images', 2, 'd2', subscription_id => 'extra');
SELECT FROM credits.report_meter_event('cem', 'gpu', 3, 'c1', subscription_id => 'pro');
SELECT FROM credits.report_meter_event('cem', 'tokens', 4, 'c2', subscription_id => 'pro');
SELECT * FROM credits.pending_amount('dan');
SELECT * FROM credits.pending_amount();
SELECT * FROM credits.pending_amount(currency => 'GPU');
SELECT * FROM credits.pending_amount(subscription_id => 'pro');
SELECT * FROM credits.pending_amount(currency => 'CREDIT', subscription_id => 'pro');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'pro');
SELECT * FROM credits.pending_amount('dan', 'CREDIT', 'extra');
SELECT * FROM credits.pending_amount('dan', 'GPU', 'extra');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'other');

-- At the moment of reading: deferred usage that nothing has charged, and credits that begin and pay the oldest.
SELECT FROM credits.report_meter_event('dan', 'later', 5, 'd3', subscription_id => 'pro');
SELECT FROM credits.credit_grant('dan', 8, effective_at => '2026-03-09');
SELECT * FROM credits.pending_amount('dan');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'pro');
SET credits.test_clock = '2026-03-10 12:00+00';
SELECT * FROM credits.pending_amount('dan');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'pro');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'extra');
SELECT * FROM credits.pending_amount(subscription_id => 'pro');
SELECT * FROM credits.pending_amount();
CALL credits.maintain();
SELECT * FROM credits.pending_amount('dan', subscription_id => 'pro');
SELECT * FROM credits.pending_amount('dan', subscription_id => 'extra');
SELECT * FROM credits.pending_amount();
SELECT credits.pending_amount(currency => 'NONE');
SELECT credits.pending_amount('');
SELECT * FROM credits.verify();
