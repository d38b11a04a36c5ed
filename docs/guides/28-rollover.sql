-- UNUSED CREDITS ROLL OVER
--
-- A plan gives 1,000 credits a month. Of what a customer does not use, half goes on into the next month, at most 300,
-- and not a third time. Here is what that looks like month by month, in the ledger, in the books, and when a purchase
-- is paid back. docs/concepts.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-01-01';
\o /dev/null
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
\o

-- 1. JANUARY
--
-- The terms are the grant's own. It cost 20 euros.
SELECT name, amount, expires_at::date AS ends, rollover
FROM credits.credit_grant('ann', 1000, name => 'January', category => 'paid', expires_at => '2026-02-01',
    cost_amount => 20, cost_currency => 'EUR',
    rollover => '{"percent": 50, "max": 300, "max_times": 2, "expires_after": "1 month"}');
SELECT debited, available FROM credits.wallet_debit('ann', 200, description => 'Renderings');

-- 800 are left. If she does no more, half of that would be 400: 300 go on, so 500 are what she is about to lose.
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

-- 2. FEBRUARY
--
-- At midnight the 300 are a grant of their own. No job has run: whoever reads sees it, with the id that it will have.
SET credits.test_clock = '2026-02-01';
SELECT name, status, amount, remaining, lapsed, rolled_over, effective_at::date AS begins, expires_at::date AS ends
FROM credits.grants WHERE customer_id = 'ann' ORDER BY effective_at;

-- Her new month comes, which ends on the same day. What rolled over is used first: it is as old as the grant that it
-- came from.
SELECT FROM credits.credit_grant('ann', 1000, name => 'February', category => 'paid', expires_at => '2026-03-01',
    cost_amount => 20, cost_currency => 'EUR',
    rollover => '{"percent": 50, "max": 300, "max_times": 2, "expires_after": "1 month"}');
SELECT amount, remaining_after, decided_by FROM credits.explain_drawdown('ann', 400);
SELECT debited, available FROM credits.wallet_debit('ann', 100, description => 'Renderings');

-- Two lines in the ledger, which take and bring the same, and one for the rest.
SELECT type, amount, running_balance, effective_at::date AS day, display_title FROM credits.ledger ORDER BY line_no;

-- 3. CREDITS THAT ARE HELD
--
-- A long job holds 500 across the end of the month: the 200 that are left of January's, and 300 of February's. What is
-- held does not roll over. Of February's other 700 half would be 350, so 300 go on.
SET credits.test_clock = '2026-02-28';
SELECT hold_id AS job FROM credits.hold_create('ann', 500, expires_in => '3 days') \gset
SET credits.test_clock = '2026-03-01';
SELECT name, status, amount, remaining, held, lapsed, rolled_over, rollover IS NOT NULL AS rolls_again
FROM credits.grants WHERE customer_id = 'ann' ORDER BY effective_at, amount DESC;

-- The job takes 450 of the 500; the rest comes back to a grant that has ended, and lapses.
SELECT captured, released FROM credits.hold_capture('ann', :'job', 450);
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

-- 4. WHAT IT IS IN MONEY
--
-- The cost goes on with the credits, to the cent: it is recognised when they are spent, and breakage when they expire.
CALL credits.maintain();
SELECT name, amount, cost_amount FROM credits.grants WHERE customer_id = 'ann' ORDER BY effective_at, amount DESC;
SELECT day, received, recognised, breakage, deferred FROM credits.revenue;

-- 5. A PACK, AND A REFUND
--
-- What is sold may roll over as well: for as long as it was valid, where the product says nothing else. When it is paid
-- back, the credits are taken where they are by then.
SELECT product_id AS product FROM credits.product_create('Pack',
    credit_config => '{"amount": 100, "valid_for": "30 days", "rollover": {"percent": 80}}') \gset
SELECT price_id AS pack FROM credits.price_create(:'product', unit_amount => 10, currency => 'EUR') \gset
SELECT top_up_id AS bought FROM credits.top_up_create('ben', price_id => :'pack') \gset
SELECT status FROM credits.payment_succeeded('ben', :'bought', 'stripe', 'pi_1', 10);
SELECT FROM credits.wallet_debit('ben', 50);
SET credits.test_clock = '2026-04-01';
-- 50 were left, of which 40 went on. 3 of 10 euros are for 30 credits.
SELECT available FROM credits.wallet_balance('ben', 'CREDIT');
SELECT taken, pending FROM credits.payment_refunded('ben', :'bought', 'stripe', 're_1', 3);
SELECT status, amount, remaining, consumed, lapsed, rolled_over FROM credits.grants WHERE customer_id = 'ben'
ORDER BY effective_at;

-- 6. SOUND BOOKS
SELECT * FROM credits.verify();
