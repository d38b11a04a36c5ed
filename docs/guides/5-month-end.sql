-- MONTH-END
--
-- What finance asks for on the first of the month: credits granted and spent by category, what expired unused, what
-- is still outstanding, the revenue of the month; and whether the books are right.
SET TimeZone = 'UTC';

-- March, in short. Fay buys 500 credits for 10 dollars in February, and Gus 1,000 for 15 in March; both get a bonus
-- of 100 that expires on the 20th; both use some, and Gus more than he has. (The results of these calls do not
-- matter here.)
\o /dev/null
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.meter_create('tokens', unit_price => 0.01, unit => 'token');
SET credits.test_clock = '2026-02-20 12:00+00';
SELECT FROM credits.credit_grant('fay', 500, name => 'Pack', category => 'paid', granted_by => 'shop',
                                 cost_amount => 10, cost_currency => 'USD');
SELECT FROM credits.wallet_debit('fay', 50);
SET credits.test_clock = '2026-03-02 12:00+00';
SELECT FROM credits.credit_grant('gus', 1000, name => 'Pack', category => 'paid', granted_by => 'shop',
                                 cost_amount => 15, cost_currency => 'USD');
SET credits.test_clock = '2026-03-06 02:00+00';
SELECT FROM credits.credit_grant('fay', 100, name => 'Bonus', expires_at => '2026-03-20', granted_by => 'spring offer');
SELECT FROM credits.credit_grant('gus', 100, name => 'Bonus', expires_at => '2026-03-20', granted_by => 'spring offer');
SET credits.test_clock = '2026-03-10 12:00+00';
SELECT FROM credits.report_meter_event('fay', 'tokens', 7000, 'f-1');      -- 70 of the bonus
SELECT FROM credits.report_meter_event('gus', 'tokens', 15000, 'g-1');     -- 150: the bonus, and 50 of the pack
SET credits.test_clock = '2026-03-15 12:00+00';
SELECT FROM credits.wallet_transfer('gus', 'fay', 200);
SET credits.test_clock = '2026-03-22 12:00+00';
SELECT hold_id AS work FROM credits.hold_create('fay', 80) \gset
SELECT FROM credits.hold_capture('fay', :'work', 60);                      -- 60 of the pack
SET credits.test_clock = '2026-03-25 12:00+00';
SELECT FROM credits.report_meter_event('gus', 'tokens', 80000, 'g-2');     -- 800: 750 are there, 50 are owed
SET credits.test_clock = '2026-03-30 12:00+00';
SELECT FROM credits.credit_grant('gus', 300, name => 'Pack', category => 'paid', granted_by => 'shop',
                                 cost_amount => 4.50, cost_currency => 'USD');  -- 50 of it pay what he owes
SELECT hold_id AS work FROM credits.hold_create('fay', 40, expires_in => '3 days') \gset
\o

-- 1. POST WHAT TIME BROUGHT
--
-- The ledger shows what is posted. So a little after midnight, when no transaction of yesterday is still open,
-- everything that fell due is posted, each line at the moment at which it happened. From then on nothing more can be
-- dated in March.
SET credits.test_clock = '2026-04-01 00:05+00';
CALL credits.maintain();

-- Somebody spends on: this belongs to April, and to none of the figures below.
SELECT debited FROM credits.wallet_debit('gus', 5);

-- One month of the journal, for all the questions below. It is the ledger as double entry: each line has two rows,
-- which sum to zero. What customers can spend, and what it was spent on, is above zero; what they were given, and
-- what they owe, is below.
CREATE TEMPORARY VIEW march AS
SELECT * FROM credits.journal
WHERE currency = 'CREDIT' AND effective_at >= '2026-03-01 00:00+00' AND effective_at < '2026-04-01 00:00+00';

-- 2. GRANTED, BY CATEGORY
--
-- The accounts issued_paid and issued_promotional are below zero, so turn the sign. A transfer is in them twice, out
-- of one customer and into another, and so adds nothing.
SELECT category, -sum(amount) AS granted FROM march WHERE account LIKE 'issued%' GROUP BY category ORDER BY category;

-- 3. SPENT, BY CATEGORY
--
-- The sum over two accounts, because usage that no credit covered is spent before it is known what pays: it goes to
-- 'spent' and to 'debt' without a category, and the grant that pays it later is booked to 'debt' under its own.
SELECT category, account, sum(amount) AS amount FROM march WHERE account IN ('spent', 'debt')
GROUP BY category, account ORDER BY category, account;
SELECT category, sum(amount) AS spent FROM march WHERE account IN ('spent', 'debt')
GROUP BY category HAVING sum(amount) <> 0 ORDER BY category;

-- A row without a category would be what is still owed at the end of the month. There is none, since Gus has paid his
-- 50. By hand: bonuses 70 + 100 = 170; packs 50 (g-1), 60 (the hold), 750 (g-2) and 50 (what was owed) = 910.
--
-- 4. BREAKAGE
--
-- What expired unused: 30 of Fay's bonus, since she used 70 of 100. Credits that somebody took back are 'voided', and
-- credits whose payment was refunded are 'refunded'; there were none.
SELECT account, category, sum(amount) AS credits FROM march WHERE account IN ('expired', 'voided', 'refunded')
GROUP BY account, category ORDER BY account, category;

-- 5. OUTSTANDING, BY CATEGORY
--
-- What customers still have at the end of the month, held credits included: everything in the journal until then, not
-- only March's. What they paid for it (cost_amount) is what you owe them in work: deferred revenue.
SELECT category, sum(amount) AS outstanding, sum(cost_amount) AS deferred_dollars
FROM credits.journal
WHERE currency = 'CREDIT' AND account IN ('available', 'restricted', 'held') AND effective_at < '2026-04-01 00:00+00'
GROUP BY category HAVING sum(amount) <> 0 ORDER BY category;

-- The grants say the same. They speak of this moment, so the 5 of April are gone from them already: 835.
SELECT category, sum(remaining + held) AS outstanding FROM credits.grants
GROUP BY category HAVING sum(remaining + held) > 0 ORDER BY category;

-- 6. REVENUE
--
-- Paid credits become revenue as they are spent. The view revenue has that by day: what was received, what of it was
-- recognised, and breakage and refunds apart, if you book those otherwise. A grant whose whole price is known
-- (cost_amount) is split to the cent, so nothing is left over in the end; purchases have it by themselves.
SELECT day, received, recognised, breakage, refunded, deferred FROM credits.revenue
WHERE currency = 'USD' AND day >= '2026-03-01' AND day < '2026-04-01' ORDER BY day;
SELECT sum(recognised) AS march FROM credits.revenue
WHERE currency = 'USD' AND day >= '2026-03-01' AND day < '2026-04-01';

-- It all adds up: 10, 15 and 4.50 dollars were paid in. 1.00 of it was earned in February and 13.95 in March, and 14.55
-- is still to be earned. What Gus gave to Fay took its part of the price along, and is neither paid in a second time
-- nor earned. The journal has the same, line by line, for any question about a customer or a grant.
SELECT customer_id, cost_account, sum(cost_amount) AS dollars
FROM credits.journal
WHERE cost_account IS NOT NULL AND effective_at < '2026-04-01 00:00+00'
GROUP BY customer_id, cost_account ORDER BY customer_id, cost_account;

-- cost_basis is the price of one credit, for reports that multiply. Where a price does not divide evenly it is rounded
-- to 12 decimals, and so are they.
SELECT cost_basis, sum(amount) AS spent, round(sum(amount * cost_basis), 2) AS dollars FROM march
WHERE account IN ('spent', 'debt') AND category = 'paid' GROUP BY cost_basis ORDER BY cost_basis;

-- 7. WHAT WAS GRANTED, DAY BY DAY
--
-- The first row is the total, followed by a row per day on which something was granted, in the time zone that you
-- name: the bonuses were granted on the 6th in UTC, which was still the evening of the 5th in New York. remaining
-- and consumed are as of now; what was transferred counts as consumed, and what expired is in neither.
SELECT day, grants, granted, remaining, consumed
FROM credits.credit_grant_stats('CREDIT', '2026-03-01 00:00+00', '2026-04-01 00:00+00',
                                time_zone => 'America/New_York');

-- How the campaign went: 170 of 200 were used.
SELECT day, grants, granted, remaining, consumed
FROM credits.credit_grant_stats('CREDIT', '2026-03-01 00:00+00', '2026-04-01 00:00+00',
                                granted_by => 'spring offer');

-- 8. ARE THE BOOKS RIGHT?
--
-- The trial balance: what the journal's accounts come to, all customers and all times together, so with February's 50
-- and April's 5. Its sum is zero.
SELECT account, balance FROM credits.trial_balance WHERE currency = 'CREDIT';
SELECT currency, sum(balance) AS must_be_zero FROM credits.trial_balance GROUP BY currency;

-- And verify() recomputes every balance from the ledger's lines and every grant from its own: a row per discrepancy, so
-- none.
SELECT * FROM credits.verify();
