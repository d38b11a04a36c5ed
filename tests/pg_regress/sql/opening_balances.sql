-- Customers who come from another system bring a balance along, which may be below zero.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens');

-- Above zero it is a paid grant.
SELECT grant_id IS NOT NULL AS granted, adjusted, available, replayed
FROM credits.wallet_adjust('ada', 40, 'opening_balance', idempotency_key => 'opening');
SELECT category, amount, remaining, granted_by FROM credits.grants WHERE customer_id = 'ada';

-- Below zero it is owed from the beginning. A repeat changes nothing.
SELECT grant_id, adjusted, available, replayed
FROM credits.wallet_adjust('bob', -25, 'opening_balance', idempotency_key => 'opening', description => 'moved in');
SELECT grant_id, adjusted, available, replayed
FROM credits.wallet_adjust('bob', -25, 'opening_balance', idempotency_key => 'opening');
SELECT FROM credits.wallet_adjust('bob', -24, 'opening_balance', idempotency_key => 'opening');
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT currency, pending FROM credits.pending_amount('bob');
SELECT can_continue, reason FROM credits.credit_availability('bob', 1);

-- The next credits pay it: plain ones, since nothing says what it was owed for.
SELECT FROM credits.credit_grant('bob', 5, applicable_meters => '{tokens}');
SELECT available, restricted, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT available FROM credits.wallet_credit('bob', 30);
SELECT line_no, type, amount, running_balance, pending, description FROM credits.ledger WHERE customer_id = 'bob'
ORDER BY line_no;
SELECT line_no, account, amount FROM credits.journal WHERE customer_id = 'bob' ORDER BY line_no, account;

-- It is a fact, so overdraft_limit does not refuse it; and what there is pays it first.
SELECT FROM credits.wallet_credit('cy', 10);
SELECT FROM credits.account_configure('cy', overdraft_limit => 0);
SELECT adjusted, available FROM credits.wallet_adjust('cy', -12, 'opening_balance');
SELECT type, amount, pending FROM credits.ledger WHERE customer_id = 'cy' ORDER BY line_no;

-- What it took can be reversed; what it left owed was not taken.
SELECT FROM credits.wallet_credit('dee', 10);
SELECT FROM credits.wallet_adjust('dee', -12, 'opening_balance', idempotency_key => 'opening');
SELECT FROM credits.operation_reverse('dee', operation_key => 'opening', amount => 11);
SELECT taken, returned, available FROM credits.operation_reverse('dee', operation_key => 'opening');
SELECT FROM credits.operation_reverse('bob', operation_key => 'opening');

SELECT currency, account, balance FROM credits.trial_balance ORDER BY account;
SELECT * FROM credits.verify();
