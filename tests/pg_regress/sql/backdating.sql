-- When a grant took effect: what it says, its ledger, the journal and past balances say the same.
SET credits.test_clock = '2026-03-10 12:00+00';
CREATE VIEW told AS
SELECT g.customer_id, g.name, g.status, g.effective_at AS granted_at, l.effective_at AS line_at, j.effective_at AS journal_at, l.created_at AS posted_at
FROM credits.grants g
JOIN credits.ledger l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id AND l.type = 'grant'
JOIN credits.journal j ON j.customer_id = l.customer_id AND j.line_no = l.line_no AND j.account = 'available';

-- Up to five minutes ago counts as now.
SELECT effective_at FROM credits.credit_grant('ada', 10, name => 'a moment ago', effective_at => '2026-03-10 11:59:59.999999+00');
SELECT effective_at FROM credits.credit_grant('ada', 10, name => 'five minutes ago', effective_at => '2026-03-10 11:55+00');
SELECT * FROM told WHERE customer_id = 'ada' ORDER BY name;
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-03-10 11:59:59.999999+00');
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-03-10 12:00+00');
-- Earlier is refused, and nothing is written. What was made before is still answered.
SELECT credits.credit_grant('ada', 10, effective_at => '2026-03-10 11:54:59.999999+00');
SELECT credits.credit_grant('ada', 10, effective_at => '2026-02-10', idempotency_key => 'k');
SELECT effective_at FROM credits.credit_grant('ada', 5, effective_at => '2026-03-10 12:00+00', idempotency_key => 'k');
SET credits.test_clock = '2026-03-10 14:00+00';
SELECT effective_at, replayed FROM credits.credit_grant('ada', 5, effective_at => '2026-03-10 12:00+00', idempotency_key => 'k');
SELECT count(*) FROM credits_internal.credit_grants;

-- Imports: whoever may set it. Everything says the grant's own time, and when it was posted.
SET ROLE credits_app;
SET credits.allow_backdating = on;
SELECT credits.credit_grant('ben', 10, effective_at => '2026-01-10');
RESET ROLE;
SET credits.allow_backdating = on;
SELECT status, effective_at, created_at, remaining FROM credits.credit_grant('ben', 10, name => 'January', effective_at => '2026-01-10 08:00+00');
SELECT FROM credits.credit_grant('ben', 20, name => 'February', effective_at => '2026-02-10 08:00+00', expires_at => '2026-06-01');
SELECT * FROM told WHERE customer_id = 'ben' ORDER BY name DESC;
SELECT as_of, balance FROM unnest(ARRAY['2026-01-10 07:59+00', '2026-01-10 08:00+00', '2026-02-10 07:59+00', '2026-02-10 08:00+00',
                                        '2026-03-10 14:00+00']::timestamptz[]) t, LATERAL credits.wallet_balance_at('ben', as_of => t);
SELECT debited, available FROM credits.wallet_debit('ben', 5);
SELECT line_no, type, amount, running_balance, effective_at, created_at FROM credits.ledger WHERE customer_id = 'ben' ORDER BY 1;
-- Five minutes ago is now all the same.
SELECT effective_at FROM credits.credit_grant('ben', 1, effective_at => '2026-03-10 13:59+00');
-- Lines stand in the order of time: what is before the account's last line comes too late.
SELECT credits.credit_grant('ben', 1, effective_at => '2026-02-20');
SELECT available FROM credits.wallet_balance('ben', 'CREDIT');
-- A repeat is recognised, whatever has been posted since.
SELECT replayed FROM credits.credit_grant('cy', 3, effective_at => '2026-01-01', idempotency_key => 'cy 1');
SELECT FROM credits.wallet_debit('cy', 1);
SELECT replayed, remaining FROM credits.credit_grant('cy', 3, effective_at => '2026-01-01', idempotency_key => 'cy 1');

-- Into an account in which something was owed, held and fell due since: all in the order of time.
SET credits.test_clock = '2026-02-01';
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.meter_create('images');
SELECT FROM credits.credit_grant('dee', 5, name => 'ends', expires_at => '2026-02-20');
SELECT FROM credits.credit_grant('dee', 4, name => 'begins', effective_at => '2026-02-25', applicable_meters => '{images}');
SELECT FROM credits.hold_create('dee', 3, expires_in => '10 days');
SELECT consumed, pending FROM credits.report_meter_event('dee', 'calls', 6, 'e1');
SET credits.test_clock = '2026-03-10 14:00+00';
SELECT credits.credit_grant('dee', 1, effective_at => '2026-01-31');
SELECT status, remaining FROM credits.credit_grant('dee', 10, name => 'backdated', effective_at => '2026-02-05', category => 'paid');
SELECT line_no, type, amount, running_balance, held, pending, grant_name, effective_at, created_at
FROM credits.ledger WHERE customer_id = 'dee' ORDER BY 1;
SELECT as_of, available, restricted, held, pending
FROM unnest(ARRAY['2026-02-04', '2026-02-05', '2026-02-11', '2026-02-20', '2026-02-25']::timestamptz[]) t,
     LATERAL credits.wallet_balance_at('dee', as_of => t);
SELECT available, restricted, held, pending FROM credits.wallet_balance('dee', 'CREDIT');
-- One that is restricted, one with deferred usage, one that ends before now.
SELECT FROM credits.meter_create('later', settlement => 'deferred');
SELECT remaining FROM credits.credit_grant('eve', 10, effective_at => '2026-02-05', applicable_meters => '{images}');
SELECT status FROM credits.report_meter_event('eve', 'later', 3, 'l1');
SELECT remaining FROM credits.credit_grant('eve', 10, effective_at => '2026-02-06');
SELECT type, amount, effective_at FROM credits.ledger WHERE customer_id = 'eve' ORDER BY line_no;
SELECT status, remaining, effective_at, expires_at
FROM credits.credit_grant('fay', 10, effective_at => '2026-02-05', expires_at => '2026-03-01');
SELECT line_no, type, amount, running_balance, effective_at, created_at FROM credits.ledger WHERE customer_id = 'fay'
ORDER BY 1;
SELECT account, amount, effective_at FROM credits.journal WHERE customer_id = 'fay' ORDER BY line_no, account;
SELECT as_of, balance FROM unnest(ARRAY['2026-02-04', '2026-02-05', '2026-02-28', '2026-03-01']::timestamptz[]) t,
     LATERAL credits.wallet_balance_at('fay', as_of => t);
SELECT available, (SELECT status FROM credits.grants g WHERE g.customer_id = 'fay')
FROM credits.wallet_balance('fay', 'CREDIT');
-- It pays what was owed in its time; nothing is granted before its end any more, and none ends before it begins.
SELECT credits.credit_grant('fay', 1, effective_at => '2026-02-20');
SELECT status, remaining FROM credits.credit_grant('fay', 1, effective_at => '2026-03-01', expires_at => '2026-03-01 00:00:01+00', idempotency_key => 'ended');
SELECT replayed, status FROM credits.credit_grant('fay', 1, effective_at => '2026-03-01', expires_at => '2026-03-01 00:00:01+00', idempotency_key => 'ended');
SELECT credits.credit_grant('fay', 1, effective_at => '2026-03-02', expires_at => '2026-03-02');
SET credits.test_clock = '2026-02-07';
SELECT FROM credits.customer_upsert('gil');
SELECT pending FROM credits.report_meter_event('gil', 'calls', 3, 'g1');
SET credits.test_clock = '2026-03-10 14:00+00';
SELECT status, remaining FROM credits.credit_grant('gil', 10, effective_at => '2026-02-08', expires_at => '2026-02-09');
SELECT line_no, type, amount, running_balance, pending, effective_at FROM credits.ledger WHERE customer_id = 'gil'
ORDER BY 1;
SELECT * FROM credits.trial_balance;

-- Exchange rates go by the same rule.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT effective_at FROM credits.exchange_rate_set('CREDIT', 'USD', 0.03, effective_at => '2026-01-01');
RESET credits.allow_backdating;
SELECT effective_at FROM credits.exchange_rate_set('CREDIT', 'USD', 0.02, effective_at => '2026-03-10 13:56+00');
SELECT credits.exchange_rate_set('CREDIT', 'USD', 0.01, effective_at => '2026-03-10 13:54+00');
SELECT credits.exchange_rate('CREDIT', 'USD', '2026-02-01') AS february, credits.exchange_rate('CREDIT', 'USD') AS now;
SELECT credits.credit_grant('gus', 1, effective_at => '2026-03-10 13:54+00');

SELECT * FROM credits.verify();
