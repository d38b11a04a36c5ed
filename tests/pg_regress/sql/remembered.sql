-- What a session remembers of a meter and of a currency is given up with the transaction that made it, and with any change.
SELECT FROM credits.wallet_credit('u', 100);

-- Made, used and remembered in a block that is rolled back.
BEGIN;
SELECT FROM credits.meter_create('gone');
SELECT consumed FROM credits.report_meter_event('u', 'gone', 1, 'x');
ROLLBACK;
SELECT consumed FROM credits.report_meter_event('u', 'gone', 1, 'x');

-- Switched off and on again.
SELECT FROM credits.meter_create('m');
SELECT consumed FROM credits.report_meter_event('u', 'm', 1, 'a');
SELECT FROM credits.meter_deactivate('m');
SELECT consumed FROM credits.report_meter_event('u', 'm', 1, 'b');
SELECT FROM credits.meter_activate('m');
SELECT consumed FROM credits.report_meter_event('u', 'm', 1, 'b');

-- Changed by whatever hand.
UPDATE credits_internal.meter_prices SET unit_price = 3 WHERE event_name = 'm';
SELECT consumed FROM credits.report_meter_event('u', 'm', 1, 'd');
SELECT FROM credits.currency_update('CREDIT', active => false);
SELECT consumed FROM credits.report_meter_event('u', 'm', 1, 'c');
SELECT FROM credits.wallet_debit('u', 1);
SELECT FROM credits.currency_update('CREDIT', active => true);

-- Two thousand open grants; a charge depletes those that it needs and no other.
SELECT count(*) FROM generate_series(1, 2000) i, credits.credit_grant('many', 5, priority => i % 100);
SELECT debited, available FROM credits.wallet_debit('many', 7);
SELECT status, count(*) FROM credits_internal.credit_grants WHERE customer_id = 'many' GROUP BY status ORDER BY status;
SELECT debited, available FROM credits.wallet_debit('many', 9000);

-- Numerics that no decimal makes: with so many decimals that they are in the long form.
SELECT FROM credits.wallet_credit('long', ('2.5' || repeat('0', 90))::numeric);
SELECT FROM credits.wallet_adjust('long', ('-0.25' || repeat('0', 70))::numeric, 'correction');
SELECT trim_scale(available) FROM credits.wallet_balance('long', 'CREDIT');

-- Arrays as no driver sends them: with other bounds, and with NULLs.
SELECT FROM credits.wallet_credit('odd', 10), credits.meter_create('odd');
SELECT identifier, status, consumed, error FROM credits.report_meter_events(
    ARRAY['odd', 'odd', 'odd', NULL], '[5:8]={odd,odd,odd,odd}', ARRAY[1, 2, NULL, 4], ARRAY['a', 'b', 'c', 'd']);

-- Without a test clock it is now.
BEGIN;
SELECT FROM credits.wallet_credit('now', 10);
SELECT bool_and(created_at = now() AND effective_at = now()) FROM credits_internal.credit_transactions
WHERE customer_id = 'now';
COMMIT;

-- What the first events cost is not what the price, changed by hand, comes to; and that is all.
SELECT * FROM credits.verify();
