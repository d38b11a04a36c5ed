-- TEAM BUDGETS
--
-- One customer, many people. The team buys credits, its members spend them: each within a budget of their own, the
-- team within a budget for what is expensive. And two of them who spend at the same instant do not exceed it together.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-02 09:00+00';
SELECT event_name, unit_price FROM credits.meter_create('tokens', unit_price => 0.01, unit => 'token');
SELECT event_name, unit_price FROM credits.meter_create('video', unit_price => 20, unit => 'minute');
SELECT amount, status FROM credits.credit_grant('studio', 2000, category => 'paid', name => 'Team plan');

-- 1. A BUDGET FOR EACH MEMBER
--
-- A member is whoever your application says: member_id is your own key. Kim may spend 50 credits a day, Lee 400 a
-- month.
SELECT member_id, per, amount, used, remaining FROM credits.member_limit_set('studio', 'kim', 50, 'day');
SELECT member_id, per, amount, used, remaining FROM credits.member_limit_set('studio', 'lee', 400, 'month');

-- Calls that spend say whose work it is.
SELECT status, consumed, available
FROM credits.report_meter_event('studio', 'tokens', 3000, 'chat-1', member_id => 'kim');
SELECT debited, available FROM credits.wallet_debit('studio', 15, description => 'Logo', member_id => 'kim');

-- 5 are left for today. What would take more is refused whole: the team has credits, Kim has no budget.
SELECT debited FROM credits.wallet_debit('studio', 6, description => 'Another logo', member_id => 'kim');

-- DETAIL is JSON: resets_at is what to show. Where your transaction has to go on, ask for an answer instead:
SELECT ok, reason, shortfall, available FROM credits.wallet_try_debit('studio', 6, member_id => 'kim');
SELECT ok, reason, available FROM credits.wallet_try_debit('studio', 6, member_id => 'lee');

-- 2. A BUDGET FOR WHAT IS EXPENSIVE
--
-- Video, by the whole team, at most 200 credits in any 7 days: this window rolls.
SELECT event_name, per, amount, used FROM credits.usage_limit_set('studio', 'video', 200, '7 days');
SELECT status, consumed FROM credits.report_meter_event('studio', 'video', 8, 'clip-1', member_id => 'lee');
SELECT status, consumed FROM credits.report_meter_event('studio', 'video', 3, 'clip-2', member_id => 'lee');

-- The clip was not what Lee wanted, and is taken back. So is its part of both budgets.
SELECT returned, available FROM credits.meter_event_cancel('studio', 'clip-1', 'wrong format');
SELECT status, consumed FROM credits.report_meter_event('studio', 'video', 3, 'clip-2', member_id => 'lee');

-- Work that takes a while holds its credits first. A hold takes room in the budgets at once; what is captured of it
-- stays, what goes back makes room again.
SELECT hold_id, status FROM credits.hold_create('studio', 5, description => 'Poster', member_id => 'kim') \gset
SELECT ok, reason, shortfall FROM credits.wallet_try_debit('studio', 1, member_id => 'kim');
SELECT status, captured, released FROM credits.hold_capture('studio', :'hold_id', 2);
SELECT used, held, remaining FROM credits.limits WHERE member_id = 'kim';

-- 3. KNOW BEFORE IT HURTS
--
-- A limit with 'notify' refuses nothing: once it is reached, a row of the outbox says so, for whoever writes the mail.
SELECT per, amount, action, used
FROM credits.usage_limit_set('studio', amount => 120, per => 'day', action => 'notify');
SELECT consumed FROM credits.report_meter_event('studio', 'tokens', 1000, 'chat-2', member_id => 'lee');
SELECT consumed FROM credits.report_meter_event('studio', 'tokens', 1000, 'chat-3', member_id => 'lee');
SELECT type, payload ->> 'per' AS per, payload ->> 'amount' AS amount, payload ->> 'used' AS used
FROM credits.outbox_rows WHERE type = 'limit.reached';

-- 4. WHO SPENT WHAT
--
-- The page for the team's owner: budgets, and what is left of each at this moment.
SELECT member_id, event_name, per, amount, used, remaining, resets_at
FROM credits.limits WHERE customer_id = 'studio' ORDER BY member_id, event_name;

-- And the lines behind it. What came back of a member's usage has the member's name as well.
SELECT member_id, sum(-amount) AS spent, count(*) AS lines
FROM credits.ledger WHERE customer_id = 'studio' AND type IN ('consumption', 'debit', 'reversal')
GROUP BY member_id ORDER BY member_id;

-- 5. THE NEXT DAY
--
-- Kim's day begins anew at midnight, in UTC. Nothing has to run for that.
SET credits.test_clock = '2026-03-03 00:00+00';
SELECT member_id, used, remaining FROM credits.limits WHERE member_id IS NOT NULL ORDER BY member_id;
SELECT ok, available FROM credits.wallet_try_debit('studio', 6, member_id => 'kim');

-- Kim gets more, Lee's budget goes. NULL would leave the amount as it is.
SELECT member_id, amount, remaining FROM credits.member_limit_set('studio', 'kim', 80, 'day');
SELECT member_id, amount FROM credits.member_limit_set('studio', 'lee', 'infinity', 'month');

-- Limits are added up from the ledger again:
SELECT * FROM credits.verify();
