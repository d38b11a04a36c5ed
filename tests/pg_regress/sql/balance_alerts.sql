-- Alerts: levels of a balance at which an event is published, once per crossing.
SET credits.test_clock = '2026-03-01 10:00:00+00';
SELECT remaining FROM credits.credit_grant('ann', 200);
SELECT * FROM credits.balance_alert_set('ann', levels => '{20, 100, 50, 50, 0}');
CREATE VIEW alerts AS
SELECT outbox_no AS no, payload ->> 'kind' AS kind, payload ->> 'level' AS level, payload ->> 'available' AS available,
       payload ->> 'full_balance' AS full_balance
FROM credits.outbox_rows WHERE type = 'balance.alert' ORDER BY outbox_no;

-- At a level or below it; two levels at once are two rows, and the same level is not published again.
SELECT available FROM credits.wallet_debit('ann', 99.999999);
SELECT * FROM alerts;
SELECT available FROM credits.wallet_debit('ann', 0.000001);
SELECT available FROM credits.wallet_debit('ann', 10);
SELECT available FROM credits.wallet_debit('ann', 75);
SELECT * FROM alerts;
SELECT charge_above < 'infinity' AS fast FROM credits_internal.accounts WHERE customer_id = 'ann';

-- Back above a level, it is published again when the balance next comes down.
SELECT available FROM credits.wallet_credit('ann', 45);
SELECT available FROM credits.wallet_debit('ann', 60);
SELECT * FROM alerts WHERE no > 3;

-- Percent of what was available when credits last came in. Other levels beside it.
SELECT * FROM credits.balance_alert_set('ann', levels => '{50, 12.5}', kind => 'percent');
SELECT available FROM credits.wallet_credit('ann', 1000);
SELECT kind, levels, reached, full_balance FROM credits.balance_alerts ORDER BY kind;
SELECT available FROM credits.wallet_debit('ann', 500);
SELECT available FROM credits.wallet_debit('ann', 200);
SELECT available FROM credits.wallet_credit('ann', 10);
SELECT available FROM credits.wallet_debit('ann', 160);
SELECT * FROM alerts WHERE no > 5;

-- Usage, holds and expiries cross them as well.
SELECT event_name FROM credits.meter_create('calls');
SELECT status FROM credits.report_meter_event('ann', 'calls', 55, 'e1');
SELECT status, hold_id FROM credits.hold_create('ann', 60) \gset
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');
SELECT status FROM credits.hold_release('ann', :'hold_id');
SELECT available FROM credits.credit_grant('ann', 30, expires_at => '2026-03-02 00:00+00'),
       credits.wallet_balance('ann', 'CREDIT');
SET credits.test_clock = '2026-03-02 10:00:00+00';
CALL credits.maintain();
SELECT * FROM alerts WHERE no > 6;

-- A level that the balance is at already is published at once, and the same levels again change nothing.
SELECT levels, reached FROM credits.balance_alert_set('ann', levels => '{500}');
SELECT levels, reached FROM credits.balance_alert_set('ann', levels => '{500}');
SELECT no, level FROM alerts ORDER BY no DESC LIMIT 2;
SELECT levels, reached FROM credits.balance_alert_set('ann', levels => '{}');
SELECT levels, reached FROM credits.balance_alert_set('ann', levels => '{}', kind => 'percent');
SELECT count(*) FROM credits.balance_alerts;
SELECT evaluate_below, evaluate_above FROM credits_internal.accounts WHERE customer_id = 'ann';

-- What a level may be.
SELECT credits.balance_alert_set('ann');
SELECT credits.balance_alert_set('ann', levels => '{1, NULL}');
SELECT credits.balance_alert_set('ann', levels => '{-1}');
SELECT credits.balance_alert_set('ann', levels => '{0.0000001}');
SELECT credits.balance_alert_set('ann', levels => '{NaN}');
SELECT credits.balance_alert_set('ann', levels => '{100}', kind => 'percent');
SELECT credits.balance_alert_set('ann', levels => '{1}', kind => 'share');
SELECT credits.balance_alert_set('ann', levels => ARRAY(SELECT generate_series(1, 21)::numeric));
SELECT credits.balance_alert_set('nobody', levels => '{1}');
SELECT levels, reached FROM credits.balance_alert_set('ann', levels => '{90, 10}');
SELECT * FROM credits.verify();
UPDATE credits_internal.balance_alerts SET reached = 2;
SELECT problem, subject, expected, found FROM credits.verify();
