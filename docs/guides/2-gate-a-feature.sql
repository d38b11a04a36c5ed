-- GATE A FEATURE
--
-- Something in your product costs credits. May this customer have it? There are two moments to ask, and they are not
-- the same: before the work begins, so that the customer knows early; and at the moment of truth, when the credits are
-- taken.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01 09:00+00';
SELECT amount, status FROM credits.credit_grant('cleo', 10, name => 'Trial');

-- 1. BEFORE THE WORK: ASK
--
-- credit_availability answers yes or no and says why. It takes nothing, reserves nothing, and never raises PC001, so
-- it is what a page asks to show a button or to grey it out.
SELECT can_continue, reason, available FROM credits.credit_availability('cleo', 4);
SELECT can_continue, reason, available FROM credits.credit_availability('cleo', 40);

-- Without an amount: is there anything at all? An unknown customer has nothing.
SELECT can_continue, reason, available FROM credits.credit_availability('cleo');
SELECT can_continue, reason, available FROM credits.credit_availability('a stranger');

-- Metered usage may go beyond what is there (part 4), so a customer whom you trust may begin with less: yes, as long
-- as no more than 50 would be owed afterwards.
SELECT can_continue, reason, available FROM credits.credit_availability('cleo', 40, max_pending => 50);

-- 2. AT THE MOMENT OF TRUTH: TAKE
--
-- Put credits and work into one transaction of yours, so that both happen or neither does. wallet_debit takes all or
-- nothing; where it raises an error, nothing else of the transaction stays either.
CREATE TEMPORARY TABLE pictures (picture_id int PRIMARY KEY, customer_id text, prompt text);
BEGIN;
INSERT INTO pictures VALUES (1, 'cleo', 'a lighthouse in winter');
SELECT debited, available FROM credits.wallet_debit('cleo', 4, idempotency_key => 'picture-1');
COMMIT;
BEGIN;
INSERT INTO pictures VALUES (2, 'cleo', 'all lighthouses of the world');
SELECT debited, available FROM credits.wallet_debit('cleo', 40, idempotency_key => 'picture-2');
COMMIT;
SELECT picture_id, prompt FROM pictures;

-- Programs can read PC001: DETAIL is JSON, and shortfall is what to offer in a top-up dialogue.
--
-- Where the transaction has to go on, ask for an answer instead of an error. Here the wish is kept for later:
CREATE TEMPORARY TABLE wishes (customer_id text, prompt text, missing numeric);
BEGIN;
SELECT ok, shortfall FROM credits.wallet_try_debit('cleo', 40, idempotency_key => 'picture-3') \gset
\if :ok
INSERT INTO pictures VALUES (3, 'cleo', 'all lighthouses of the world');
\else
INSERT INTO wishes VALUES ('cleo', 'all lighthouses of the world', :shortfall);
\endif
COMMIT;
SELECT * FROM wishes;

-- What was refused has left no trace, not even its key: the same call may come again once there are credits.
--
-- 3. WHAT A RACE MEANS
--
-- Cleo has 6 left and two windows open. Both ask for a picture of 4, and both get a yes, because at that moment each
-- could have it:
SELECT can_continue, available FROM credits.credit_availability('cleo', 4);
SELECT can_continue, available FROM credits.credit_availability('cleo', 4);

-- Then both take. The first gets its 4. The second, even in the very same instant, waits for the first to commit and
-- is judged by what is then there:
SELECT ok, debited, available FROM credits.wallet_try_debit('cleo', 4, idempotency_key => 'picture-4');
SELECT ok, shortfall, available FROM credits.wallet_try_debit('cleo', 4, idempotency_key => 'picture-5');

-- So an answer of credit_availability is true at the moment it is given, and the debit is what counts.
-- Never read a balance and then subtract it yourself. And if the work takes minutes and must not be refused at its
-- end, set the credits aside before it begins: 3-hold-and-settle.sql.
--
-- The network lost an answer, and the first window sends its request again: the same key takes nothing twice.
SELECT ok, debited, available, replayed FROM credits.wallet_try_debit('cleo', 4, idempotency_key => 'picture-4');

-- 4. USAGE THAT HAS ALREADY HAPPENED
--
-- A model has answered, and only now its length is known. That cannot be refused any more, and so it is not: what no
-- credit covers is owed, and the next credits pay it first.
SELECT event_name, unit_price FROM credits.meter_create('tokens', unit_price => 0.01, unit => 'token');
SELECT status, consumed, pending, available FROM credits.report_meter_event('cleo', 'tokens', 500, 'answer-1');

-- A customer who owes gets a no the next time, unless you let them owe more:
SELECT can_continue, reason, available, pending FROM credits.credit_availability('cleo', 1);
SELECT can_continue, reason, available, pending FROM credits.credit_availability('cleo', 1, max_pending => 10);

-- You decide how much an account may owe at all. Usage that would take it beyond that is refused whole:
SELECT overdraft_limit, low_balance_threshold
FROM credits.account_configure('cleo', overdraft_limit => 10, low_balance_threshold => 5);
SELECT status, consumed, pending FROM credits.report_meter_event('cleo', 'tokens', 5000, 'answer-2');

-- And before it comes to that: whose balance is low?
SELECT customer_id, available, pending, low_balance_threshold FROM credits.wallets WHERE is_low;


-- Cleo buys 20. They pay the 3 that she owes, and 17 are hers to spend.
SELECT credited, available FROM credits.wallet_credit('cleo', 20, category => 'paid', idempotency_key => 'order-7');
SELECT available, pending FROM credits.wallet_balance('cleo', 'CREDIT');
SELECT * FROM credits.verify();
