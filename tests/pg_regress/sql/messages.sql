-- Errors say the values, and the hint fits the call.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT FROM credits.meter_create('token_count', overage => 'reject');
SELECT FROM credits.wallet_credit('ada', 10);

-- The same key with other inputs: what the first call said, and what this one says.
SELECT FROM credits.wallet_debit('ada', 1.50, idempotency_key => 'k');
SELECT credits.wallet_debit('ada', 2, idempotency_key => 'k');
SELECT credits.hold_create('ada', 1.5, idempotency_key => 'k');
SELECT replayed FROM credits.wallet_debit('ada', 1.5, idempotency_key => 'k');
SELECT FROM credits.credit_grant('ada', 5, idempotency_key => 'g');
SELECT credits.credit_grant('ada', 5, category => 'paid', idempotency_key => 'g');
SELECT FROM credits.wallet_transfer('ada', 'eve', 1, idempotency_key => 't');
SELECT credits.wallet_transfer('ada', 'bob', 1, idempotency_key => 't');
SELECT FROM credits.wallet_adjust('ada', 1, 'gift', idempotency_key => 'a');
SELECT credits.wallet_adjust('ada', 1, 'correction', idempotency_key => 'a');
SELECT FROM credits.report_meter_event('ada', 'tokens', 2.0, 'e');
SELECT credits.report_meter_event('ada', 'tokens', 3, 'e');
SELECT credits.report_meter_event('ada', 'token_count', 2, 'e');

-- Not enough: what to do about it depends on who spends.
SELECT credits.wallet_debit('ada', 100);
SELECT credits.hold_create('ada', 100);
SELECT credits.wallet_transfer('ada', 'eve', 100);
SELECT credits.wallet_adjust('ada', -100, 'charge');
SELECT credits.report_meter_event('ada', 'token_count', 100, 'e1');
SELECT credits.explain_drawdown('ada', 100);
SELECT credits.explain_drawdown('ada', 100, event_name => 'token_count');
-- A limit that refuses is said, with what would be owed.
SELECT FROM credits.account_configure('eve', overdraft_limit => 20);
SELECT consumed, pending FROM credits.report_meter_event('eve', 'tokens', 12, 'e1');
SELECT credits.report_meter_event('eve', 'tokens', 32, 'e2');
SELECT credits.explain_drawdown('eve', 16, event_name => 'tokens');
SELECT credits.report_meter_event('eve', 'token_count', 32, 'e2');

-- More than is held; nothing of it is a release.
SELECT hold_id FROM credits.hold_create('ada', 4) \gset
SELECT credits.hold_capture('ada', :'hold_id', 4.01);
SELECT credits.hold_capture('ada', :'hold_id', -1);
SELECT status, amount, captured, released, replayed FROM credits.hold_capture('ada', :'hold_id', 0);
SELECT status, captured, released, replayed FROM credits.hold_capture('ada', :'hold_id', 0);
SELECT status, captured, released, replayed FROM credits.hold_release('ada', :'hold_id');
SELECT type, amount, held FROM credits.ledger WHERE operation_id = :'hold_id' ORDER BY line_no;
SELECT hold_id FROM credits.hold_create('ada', 4) \gset
SELECT status FROM credits.hold_capture('ada', :'hold_id', 1);
\set VERBOSITY sqlstate
SELECT credits.hold_capture('ada', :'hold_id', 0);
\set VERBOSITY default

-- A name that was misspelt: the nearest one, where one is near.
SELECT credits.report_meter_event('ada', 'tokns', 1, 'x');
SELECT credits.report_meter_event('ada', 'Token-Count', 1, 'x');
SELECT credits.report_meter_event('ada', 'images', 1, 'x');
SELECT credits.meter_update('tokenz', unit_price => 1);
SELECT credits.meter_deactivate('tokenz');
SELECT credits.usage_price('tokenz', 1);
SELECT credits.usage_summary('ada', event_name => 'tokenz');
SELECT credits.meter_event_stats('tokenz');
SELECT credits.credit_grant('ada', 1, applicable_meters => '{tokens,tokenz}');
SELECT credits.wallet_debit('ada', 1, 'CREDITS');
SELECT credits.wallet_balance('ada', 'credit');
SELECT credits.currency_update('UDS', active => false);
SELECT credits.meter_create('m', currency => 'EUR');

-- More than can be counted, with what was granted before and is spent: that is not about how the amount is written.
SELECT FROM credits.wallet_credit('rex', 9999999999999999999999);
SELECT FROM credits.wallet_debit('rex', 9999999999999999999999);
SELECT FROM credits.wallet_credit('rex', 1);

-- Batches say the same, event by event.
SELECT identifier, error, message FROM credits.report_meter_events(
    '{ada,ada,ada,ada,ada,ada,eve}', '{tokens,tokns,images,tokens,tokens,token_count,tokens}', '{3,1,1,-1,0.2,100,40}', '{e,x1,x2,x3,x4,x5,e3}');
SELECT identifier, error, message FROM credits.report_meter_events('[
    {"customer_id": "ada", "event_name": "tokens", "identifier": "j1", "valeu": 3},
    {"customer_id": "ada", "event_name": "tokns", "identifier": "j2"},
    {"customer_id": "ada", "event_name": "tokens", "identifer": "j3"},
    {"customer_id": "ada", "event_name": "tokens", "identifier": "j4", "colour": "red"},
    {"customer_id": "ada", "event_name": "tokens", "identifier": "j5"}]');
SELECT * FROM credits.report_meter_events('[{"customer_id": "ada", "event_name": "tokens", "identifier": "j1", "Value": 3}]', all_or_nothing => true);
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('ada', 'tokns', 'i1'), ('ada', 'images', 'i2');
SELECT credits.settle();
SELECT identifier, error, message FROM credits.rejected_events ORDER BY 1;

SELECT * FROM credits.verify();
