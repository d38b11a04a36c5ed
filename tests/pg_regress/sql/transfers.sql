-- Transfers and adjustments: credits that move between customers, and corrections for what happened elsewhere.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.credit_grant('ada', 5, name => 'trial', expires_at => '2026-04-01', priority => 10);
SELECT FROM credits.credit_grant('ada', 10, name => 'bonus', expires_at => '2026-05-01', metadata => '{"campaign": "spring"}');
SELECT FROM credits.credit_grant('ada', 100, name => 'pack', category => 'paid', cost_basis => 0.02, granted_by => 'sales');
SELECT FROM credits.wallet_debit('ada', 2);

-- Credits from three grants arrive as three grants with the same terms. The recipient is made.
SELECT to_customer_id, transferred, available, replayed
FROM credits.wallet_transfer('ada', 'bob', 20, idempotency_key => 't1', description => 'team moved');
SELECT customer_id, name, category, priority, amount, remaining, expires_at, cost_basis, granted_by, metadata, transferred_from
FROM credits.grants ORDER BY customer_id, grant_id;
SELECT customer_id, line_no, type, grant_name, amount, running_balance, counterparty, description FROM credits.ledger
WHERE type = 'transfer' ORDER BY customer_id, line_no;
SELECT to_customer_id, transferred, available, replayed
FROM credits.wallet_transfer('ada', 'bob', 20, idempotency_key => 't1');
SELECT credits.wallet_transfer('ada', 'cy', 20, idempotency_key => 't1');
SELECT credits.wallet_transfer('ada', 'bob', 21, idempotency_key => 't1');
SELECT * FROM credits.trial_balance;

-- All or nothing, from available credits: not from held ones, not from those for certain meters.
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('ada', 50, applicable_meters => '{tokens}');
SELECT FROM credits.hold_create('ada', 90);
SELECT credits.wallet_transfer('ada', 'bob', 4);
SELECT credits.wallet_transfer('nobody', 'bob', 1);
SELECT credits.wallet_transfer('ada', 'ada', 1);
SELECT transferred, available FROM credits.wallet_transfer('ada', 'bob', 3);

-- What the recipient owes is paid first.
SELECT pending FROM credits.report_meter_event('bob', 'tokens', 30, 'e1');
SELECT transferred, available FROM credits.wallet_transfer('bob', 'dee', 1);
SELECT FROM credits.wallet_credit('ada', 10);
SELECT transferred, available FROM credits.wallet_transfer('ada', 'bob', 8);
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT * FROM credits.verify();

-- Adjustments. Added: a grant, paid or promotional by its reason.
SELECT adjusted, available, grant_id IS NOT NULL AS has_grant, replayed
FROM credits.wallet_adjust('cy', 50, 'external_topup', idempotency_key => 'a1', description => 'bank transfer 4711');
SELECT adjusted, available, grant_id IS NOT NULL AS has_grant, replayed
FROM credits.wallet_adjust('cy', 50, 'external_topup', idempotency_key => 'a1');
SELECT adjusted, available FROM credits.wallet_adjust('cy', 5, 'gift', expires_at => '2026-03-31');
SELECT adjusted, available FROM credits.wallet_adjust('cy', 1.5, 'correction');
-- Taken: from what is available.
SELECT adjusted, available, grant_id FROM credits.wallet_adjust('cy', -10, 'refund');
SELECT adjusted, available FROM credits.wallet_adjust('cy', -3, 'charge');
SELECT adjusted, available FROM credits.wallet_adjust('cy', -1.5, 'correction', idempotency_key => 'a2');
SELECT credits.wallet_adjust('cy', -1000, 'charge');
SELECT name, category, status, amount, remaining, expires_at FROM credits.grants WHERE customer_id = 'cy'
ORDER BY grant_id;
SELECT line_no, type, amount, running_balance, reason, description FROM credits.ledger WHERE customer_id = 'cy'
ORDER BY line_no;
SELECT type, account, sum(amount) FROM credits.journal WHERE customer_id = 'cy' GROUP BY 1, 2 ORDER BY 1, 2;
-- Wrong: a reason that there is not, one that only adds, an expiry for nothing, zero, another amount under the key.
SELECT credits.wallet_adjust('cy', 1, 'because');
SELECT credits.wallet_adjust('cy', -1, 'gift');
SELECT credits.wallet_adjust('cy', -1, 'external_topup');
SELECT credits.wallet_adjust('cy', -1, 'refund', expires_at => '2026-04-01');
SELECT credits.wallet_adjust('cy', 0, 'correction');
SELECT credits.wallet_adjust('cy', 'NaN', 'correction');
SELECT credits.wallet_adjust('cy', 1, 'gift', expires_at => '2026-02-01');
SELECT credits.wallet_adjust('cy', 51, 'external_topup', idempotency_key => 'a1');
SELECT credits.wallet_adjust('cy', -1.5, 'charge', idempotency_key => 'a2');
SELECT credits.wallet_adjust('cy', 1.5, 'correction', idempotency_key => 'a2');
SELECT credits.wallet_adjust('nobody', -1, 'charge');

SELECT currency, sum(balance) = 0 AS balanced FROM credits.trial_balance GROUP BY 1;
SELECT * FROM credits.verify();
