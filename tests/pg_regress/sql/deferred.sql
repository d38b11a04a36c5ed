-- A deferred meter's events are recorded without touching the account, and charged afterwards: as of when they were reported,
-- so that it does not matter when.
SET credits.test_clock = '2026-03-10 12:00';
SELECT event_name, settlement FROM credits.meter_create('tokens', unit_price => 0.5, settlement => 'deferred');
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.wallet_credit('ada', 100);
SELECT * FROM credits.report_meter_event('ada', 'tokens', 20, 't1');
SELECT * FROM credits.report_meter_event('ada', 'tokens', 30, 't2');
-- It counts as spent for every reader; the ledger shows it once it is settled.
SELECT available, pending FROM credits.wallet_balance('ada', 'CREDIT');
SELECT available FROM credits.wallets WHERE customer_id = 'ada';
SELECT remaining FROM credits.grants WHERE customer_id = 'ada';
SELECT can_continue, available FROM credits.credit_availability('ada', 80);
SELECT identifier, status, credits, consumed, pending FROM credits.usage ORDER BY 1;
SELECT total_quantity, total_credits, event_count FROM credits.usage_summary('ada');
SELECT balance FROM credits.credit_grant_holders();
SELECT available FROM credits.wallet_balance_at('ada', as_of => '2026-03-10 12:00');
SELECT amount, remaining_after FROM credits.explain_drawdown('ada', 10);
SELECT unsettled, unsettled_since, inbox, rejected FROM credits.backlog;
SELECT count(*) FROM credits.ledger WHERE type = 'consumption';
SELECT * FROM credits.verify();
-- A repeat, and a conflict.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 20, 't1');
SELECT credits.report_meter_event('ada', 'tokens', 21, 't1');

SELECT credits.settle();
SELECT credits.settle();
SELECT identifier, status, credits, consumed, pending FROM credits.usage ORDER BY 1;
SELECT line_no, type, amount, running_balance, identifier FROM credits.ledger ORDER BY line_no;
SELECT * FROM credits.report_meter_event('ada', 'tokens', 20, 't1');

-- Any other posting to the account settles its events first. All of them count for a guarded spend.
SELECT status FROM credits.report_meter_event('ada', 'tokens', 100, 't3');
SELECT ok, shortfall, available FROM credits.wallet_try_debit('ada', 30);
SELECT debited, available FROM credits.wallet_debit('ada', 5);
SELECT status FROM credits.report_meter_event('ada', 'tokens', 10, 't4');
SELECT consumed, available FROM credits.report_meter_event('ada', 'calls', 2, 'c1');
SELECT status FROM credits.report_meter_event('ada', 'tokens', 4, 't5');
SELECT returned, available FROM credits.meter_event_cancel('ada', 't5');
SELECT status FROM credits.report_meter_event('ada', 'tokens', 4, 't6');
SELECT amount, available FROM credits.hold_create('ada', 1);
SELECT line_no, type, amount, running_balance, identifier FROM credits.ledger WHERE line_no > 3 ORDER BY line_no;

-- In one order with what fell due in between: at 12:00 the gift is there, at 14:00 it has expired, at 15:00 the pack begins.
SELECT FROM credits.credit_grant('ben', 10, name => 'gift', expires_at => '2026-03-10 14:00');
SELECT FROM credits.credit_grant('ben', 50, name => 'pack', effective_at => '2026-03-10 15:00', category => 'paid');
SELECT status FROM credits.report_meter_event('ben', 'tokens', 6, '1 at noon');
SET credits.test_clock = '2026-03-10 13:00';
SELECT status FROM credits.report_meter_event('ben', 'tokens', 8, '2 at one');
SELECT available, pending, next_expiry_amount FROM credits.wallet_balance('ben', 'CREDIT');
SET credits.test_clock = '2026-03-10 14:30';
SELECT status FROM credits.report_meter_event('ben', 'tokens', 10, '3 after the gift');
SELECT available, pending, next_expiry_amount FROM credits.wallet_balance('ben', 'CREDIT');
SELECT * FROM credits.pending_amount('ben');
SET credits.test_clock = '2026-03-10 16:00';
SELECT status FROM credits.report_meter_event('ben', 'tokens', 12, '4 from the pack');
SELECT available, pending FROM credits.wallet_balance('ben', 'CREDIT');
SELECT available, pending FROM credits.wallet_balance_at('ben', as_of => '2026-03-10 14:30');
SET credits.test_clock = '2026-03-11';
SELECT available, pending FROM credits.wallet_balance('ben', 'CREDIT');
SELECT name, status, remaining, lapsed, consumed FROM credits.grants WHERE customer_id = 'ben' ORDER BY grant_id;
CALL credits.maintain();
SELECT line_no, type, amount, running_balance, pending, grant_name, identifier, effective_at FROM credits.ledger WHERE customer_id = 'ben' ORDER BY 1;
SELECT name, status, remaining, lapsed, consumed FROM credits.grants WHERE customer_id = 'ben' ORDER BY grant_id;
SELECT available, pending FROM credits.wallet_balance_at('ben', as_of => '2026-03-10 14:30');

-- An account whose time has moved past: charged at the account's time.
SET credits.test_clock = '2026-03-10 20:00';
SELECT status FROM credits.report_meter_event('ben', 'tokens', 2, '5 in the past');
SELECT available FROM credits.wallet_balance('ben', 'CREDIT');
SELECT credits.settle();
SELECT identifier, effective_at, created_at FROM credits.ledger WHERE customer_id = 'ben' ORDER BY line_no DESC LIMIT 1;
SET credits.test_clock = '2026-03-12';

-- Settling cannot refuse: the overdraft limit is for events that can be. What is owed is paid by the next credits.
SELECT FROM credits.account_configure('cy', overdraft_limit => 1);
SELECT FROM credits.customer_upsert('cy');
SELECT FROM credits.account_configure('cy', overdraft_limit => 1);
SELECT status FROM credits.report_meter_event('cy', 'tokens', 10, 'a');
SELECT credits.report_meter_event('cy', 'calls', 10, 'b');
SELECT available, pending FROM credits.wallet_balance('cy', 'CREDIT');
SELECT status, consumed, pending, available FROM credits.report_meter_event('cy', 'tokens', 10, 'a');
SELECT credited, available FROM credits.wallet_credit('cy', 7);
SELECT status, consumed, pending, available FROM credits.report_meter_event('cy', 'tokens', 10, 'a');

-- Credits for certain meters pay what they may.
SELECT FROM credits.credit_grant('dee', 5, applicable_meters => '{tokens}');
SELECT FROM credits.wallet_credit('dee', 5);
SELECT status FROM credits.report_meter_event('dee', 'tokens', 14, 'a');
SELECT available, restricted FROM credits.wallet_balance('dee', 'CREDIT');

-- In a batch, each as it would be alone: the third event of eve settles the two before it, and answers for them change.
SELECT FROM credits.wallet_credit('eve', 10);
SELECT * FROM credits.report_meter_events('{eve,eve,eve,eve,eve,fay,nobody}', '{tokens,tokens,calls,tokens,tokens,tokens,tokens}',
                                          '{4,6,7,8,4,1,1}', '{1,2,3,4,1,5,6}');
SELECT * FROM credits.report_meter_events('{eve,eve}', '{tokens,tokens}', '{8,4}', '{4,1}');
SELECT available, pending FROM credits.wallet_balance('eve', 'CREDIT');
SELECT customer_id, identifier, cost FROM credits_internal.unsettled_events ORDER BY 1, 2;

-- A batch at a time, as much from each account as from the others.
SELECT count(*) FROM generate_series(1, 30) i, LATERAL credits.report_meter_event('eve', 'tokens', 1, 'n' || i);
SELECT credits.settle(7);
SELECT customer_id, count(*) FROM credits_internal.unsettled_events GROUP BY 1 ORDER BY 1;
CALL credits.maintain();
SELECT unsettled FROM credits.backlog;

-- An event that costs nothing, and unknown customers.
SELECT FROM credits.meter_create('free', unit_price => 0, settlement => 'deferred');
SELECT status FROM credits.report_meter_event('eve', 'free', 1, 'f');
SELECT credits.report_meter_event('nobody', 'tokens', 1, 'x');
SELECT credits.settle();
SELECT status, consumed FROM credits.report_meter_event('eve', 'free', 1, 'f');

-- Meters that cannot be deferred, and an event that would cost too much to be counted later.
SELECT credits.meter_create('x', settlement => 'deferred', aggregation => 'max');
SELECT credits.meter_create('x', settlement => 'deferred', overage => 'reject');
SELECT credits.meter_create('x', settlement => 'deferred', pricing => '{"unit_price": 1, "per": 60, "round": "up"}');
SELECT settlement FROM credits.meter_create('per', settlement => 'deferred', pricing => '{"unit_price": 1, "per": 60}');
SELECT credits.meter_update('per', overage => 'reject');
SELECT credits.meter_update('per', pricing => '{"mode": "volume", "tiers": [{"unit_price": 1}]}');
SELECT credits.report_meter_event('eve', 'tokens', 1e20, 'much');
SELECT credits.settle(0);
SELECT credits.settle(NULL);

SELECT * FROM credits.verify();
