-- SELL CREDITS WITH AN EXPIRING BONUS
--
-- Ann buys 1,000 credits for 20 dollars, and gets a bonus of 200 that is good for 30 days. This page sells them, shows
-- which are used first and why, and what happens when the bonus expires.
--
-- A page cannot wait for 30 days, so it sets the clock by hand, which needs superuser. Without this line it is now().
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01 09:00+00';

-- 1. THE SALE
--
-- Two grants, because there are two sets of terms. The pack is 'paid' and records what one credit cost (cost_basis), so
-- that month-end can tell revenue from bonuses. The bonus is 'promotional' and expires.
--
-- The customer, the wallet and the currency need not exist beforehand. The order is a row of the application's own; it
-- and the credits commit together or not at all.
CREATE TEMPORARY TABLE orders (order_id text PRIMARY KEY, customer_id text, dollars numeric);
BEGIN;
INSERT INTO orders VALUES ('order-1001', 'ann', 20.00);
SELECT name, category, amount, cost_basis, expires_at
FROM credits.credit_grant('ann', 1000, name => 'Pack of 1,000', category => 'paid', cost_basis => 0.02,
                          idempotency_key => 'order-1001');
SELECT name, category, amount, cost_basis, expires_at
FROM credits.credit_grant('ann', 200, name => 'Bonus', expires_at => '2026-03-31 09:00+00',
                          idempotency_key => 'order-1001-bonus');
COMMIT;

-- The payment provider reports "paid" a second time, as providers do. The key is the order's, so nothing is sold twice:
-- the answer is the first one's, with replayed = t.
SELECT name, amount, replayed
FROM credits.credit_grant('ann', 1000, name => 'Pack of 1,000', category => 'paid', cost_basis => 0.02,
                          idempotency_key => 'order-1001');
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

-- 2. WHICH CREDITS ARE USED FIRST
--
-- Lower priority first (both have 50 here), then what expires first, then promotional before paid, then what took
-- effect first, then the oldest. Ask before anything is spent: who would pay for 250?
SELECT category, amount, remaining_after, expires_at, decided_by FROM credits.explain_drawdown('ann', 250);

-- The bonus gives all of its 200, and the pack the remaining 50. The bonus comes before the pack because of expires_at:
-- it expires, and the pack does not. The pack is the last in line, so nothing had to be decided.
--
-- Ann spends 150. All of it comes from the bonus, and she keeps what she paid for.
SELECT debited, available FROM credits.wallet_debit('ann', 150, description => '150 pictures');
SELECT name, amount, remaining, consumed FROM credits.grants WHERE customer_id = 'ann' ORDER BY name;

-- If a pack is to be used before bonuses, give it a lower priority. Ben's bonus expires as well, and yet it waits:
SELECT name, priority FROM credits.credit_grant('ben', 1000, name => 'Pack', category => 'paid', priority => 10);
SELECT name, priority FROM credits.credit_grant('ben', 200, name => 'Bonus', expires_at => '2026-03-31 09:00+00');
SELECT category, amount, remaining_after, expires_at, decided_by FROM credits.explain_drawdown('ben', 250);

-- 3. THE BONUS EXPIRES
--
-- One second before, Ann still has the 50 that remain of it, and can see that they are about to expire:
SET credits.test_clock = '2026-03-31 08:59:59+00';
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

-- One second later they are gone, for every reader and every debit. No job has run: a grant counts while
-- effective_at <= now < expires_at, and the balance is worked out from that.
SET credits.test_clock = '2026-03-31 09:00+00';
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');
SELECT name, status, amount, remaining, consumed, lapsed FROM credits.grants WHERE customer_id = 'ann' ORDER BY name;

-- The ledger does not show it yet: its last line is the debit.
SELECT line_no, type, grant_name, amount, running_balance FROM credits.ledger WHERE customer_id = 'ann'
ORDER BY line_no;

-- The next debit would post it first. So does this call, which any scheduler should make every few minutes.
SET credits.test_clock = '2026-03-31 09:04+00';
CALL credits.maintain();

-- The line says when the credits expired (effective_at), and when that was posted (created_at).
SELECT line_no, type, grant_name, amount, running_balance, effective_at, created_at
FROM credits.ledger WHERE customer_id = 'ann' AND type = 'expiration';

-- What remains is the pack, untouched. And the books are sound: no rows.
SELECT available, next_expiry_at FROM credits.wallet_balance('ann', 'CREDIT');
SELECT * FROM credits.verify();
