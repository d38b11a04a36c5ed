-- Refunds and disputes: unspent credits go first; what is held when its hold closes; what has expired is neither taken nor
-- owed; what was spent is owed, or forgiven. A dispute that is won restores exactly what it took.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT price_id AS month FROM credits.package_create('Month', 100, 10, 'USD', time_to_live => '30 days') \gset
CREATE FUNCTION buy(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.payment_succeeded(customer, (SELECT top_up_id FROM credits.top_up_create(customer, price)))
$$;
CREATE FUNCTION stands(customer text) RETURNS TABLE (available numeric, held numeric, pending numeric, problems bigint)
LANGUAGE sql AS $$
    SELECT b.available, b.held, b.pending, (SELECT count(*) FROM credits.verify()) FROM credits.wallet_balance(customer, 'CREDIT') b
$$;

-- Half spent, wholly refunded: the unspent credits go, the spent half is owed, and the next credits pay it.
SELECT buy('ann', :'pack') AS ann \gset
SELECT FROM credits.wallet_debit('ann', 50);
SELECT status, refunded, taken, pending, held, available, contradiction, replayed
FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_1');
SELECT status, taken, pending, replayed FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_1');
SELECT * FROM stands('ann');
SELECT credited, available FROM credits.wallet_credit('ann', 60);
SELECT * FROM stands('ann');
SELECT line_no, type, amount, pending, grant_name, function FROM credits.ledger WHERE customer_id = 'ann'
ORDER BY line_no;
SELECT name, amount, remaining, lapsed, status FROM credits.grants WHERE customer_id = 'ann' ORDER BY name;

-- Or forgiven: what comes back to it later is taken all the same.
SELECT FROM credits.meter_create('tokens');
SELECT buy('bob', :'pack') AS bob \gset
SELECT consumed FROM credits.report_meter_event('bob', 'tokens', 40, 'e');
SELECT taken, pending FROM credits.payment_refunded('bob', :'bob', spent => 'forgive');
SELECT * FROM stands('bob');
SELECT returned, available FROM credits.meter_event_cancel('bob', 'e');
SELECT * FROM stands('bob');

-- In parts, rounded on the running total; more than was paid is recorded and takes no more than all.
SELECT price_id AS odd FROM credits.package_create('Odd', 1, 3, 'USD') \gset
SELECT buy('cyd', :'odd') AS cyd \gset
SELECT refunded, taken FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 'a', 1);
SELECT refunded, taken FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 'b', 1);
SELECT status, refunded, taken FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 'c', 1);
SELECT status, refunded, taken, contradiction FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 'd', 1);
-- Told as a total, and one by one, in any order: the same refund counts once.
SELECT buy('dan', :'pack') AS dan \gset
SELECT refunded, taken FROM credits.payment_refunded('dan', :'dan', 'stripe', total_refunded => 3);
SELECT refunded, taken, replayed FROM credits.payment_refunded('dan', :'dan', 'stripe', total_refunded => 3);
SELECT refunded, taken FROM credits.payment_refunded('dan', :'dan', 'stripe', 're_dan_1', 3);
SELECT refunded, taken FROM credits.payment_refunded('dan', :'dan', 'stripe', 're_dan_2', 2);
SELECT refunded, taken FROM credits.payment_refunded('dan', :'dan', 'stripe', total_refunded => 5);
-- One that fails after all gives back what it took.
SELECT refunded, taken, available FROM credits.payment_refund_failed('dan', :'dan', 'stripe', 're_dan_2');
SELECT refunded, taken, replayed FROM credits.payment_refund_failed('dan', :'dan', 'stripe', 're_dan_2');
SELECT * FROM stands('dan');

-- Held credits go when their hold closes: given back they are taken, captured they are owed.
SELECT buy('eve', :'pack') AS eve \gset
SELECT hold_id AS one FROM credits.hold_create('eve', 60) \gset
SELECT hold_id AS two FROM credits.hold_create('eve', 40) \gset
SELECT taken, held, pending FROM credits.payment_refunded('eve', :'eve');
SELECT * FROM stands('eve');
SELECT captured, released, available FROM credits.hold_capture('eve', :'one', 25);
SELECT * FROM stands('eve');
SELECT released, available FROM credits.hold_release('eve', :'two');
SELECT * FROM stands('eve');

-- What has expired is neither taken nor owed.
SELECT buy('fay', :'month') AS fay \gset
SELECT FROM credits.wallet_debit('fay', 30);
SET credits.test_clock = '2026-04-01 12:00';
SELECT taken, pending FROM credits.payment_refunded('fay', :'fay', amount => 7);
SELECT taken, pending FROM credits.payment_refunded('fay', :'fay', amount => 3);
SELECT * FROM stands('fay');

-- A dispute takes what a refund would; won, it gives back exactly that: to the purchase, and to what paid for it.
SELECT buy('gil', :'pack') AS gil \gset
SELECT FROM credits.wallet_debit('gil', 70);
SELECT taken, pending FROM credits.payment_disputed('gil', :'gil', 'stripe', 'dp_gil_1');
SELECT FROM credits.wallet_credit('gil', 45, description => 'present');
SELECT * FROM stands('gil');
SELECT dispute_status, disputed_amount, reclaimed FROM credits.top_ups WHERE customer_id = 'gil';
SELECT taken, available, contradiction FROM credits.payment_dispute_closed('gil', :'gil', 'stripe', 'dp_gil_1', true);
SELECT taken, replayed FROM credits.payment_dispute_closed('gil', :'gil', 'stripe', 'dp_gil_1', true);
SELECT contradiction FROM credits.payment_dispute_closed('gil', :'gil', 'stripe', 'dp_gil_1', false);
SELECT * FROM stands('gil');
SELECT name, remaining, lapsed FROM credits.grants WHERE customer_id = 'gil' ORDER BY name;
SELECT status, dispute_status, disputed_amount, reclaimed FROM credits.top_ups WHERE customer_id = 'gil';
-- Lost, it stays; a refund of the same money takes no more.
SELECT taken FROM credits.payment_disputed('gil', :'gil', 'stripe', 'dp_gil_2', 4);
SELECT taken FROM credits.payment_dispute_closed('gil', :'gil', 'stripe', 'dp_gil_2', false);
SELECT status, refunded, taken, pending FROM credits.payment_refunded('gil', :'gil', 'stripe', 're_gil_9');
SELECT * FROM stands('gil');
-- Decided before it was opened, and never opened.
SELECT contradiction FROM credits.payment_dispute_closed('gil', :'gil', 'stripe', 'dp_gil_3', true);
SELECT taken, contradiction FROM credits.payment_disputed('gil', :'gil', 'stripe', 'dp_gil_3');

-- Without a reference it is of the newest dispute, which is decided once, whichever way it is named.
SELECT buy('max', :'pack') AS max \gset
SELECT taken FROM credits.payment_disputed('max', :'max', 'bank', 'dp_max_1', 5);
SELECT taken FROM credits.payment_disputed('max', :'max', 'bank', 'dp_max_2', 5);
SELECT taken, replayed FROM credits.payment_dispute_closed('max', :'max', 'bank', won => true);
SELECT taken, replayed FROM credits.payment_dispute_closed('max', :'max', 'bank', 'dp_max_2', true);
SELECT taken, replayed FROM credits.payment_dispute_closed('max', :'max', 'bank', won => true);
SELECT taken, contradiction FROM credits.payment_dispute_closed('max', :'max', 'bank', won => false);
SELECT disputed_amount, reclaimed FROM credits.top_ups WHERE customer_id = 'max';
SELECT taken FROM credits.payment_dispute_closed('max', :'max', 'bank', 'dp_max_1', true);
SELECT taken FROM credits.payment_disputed('max', :'max', amount => 4);
SELECT taken, replayed FROM credits.payment_dispute_closed('max', :'max', won => false);
SELECT taken, replayed FROM credits.payment_dispute_closed('max', :'max', won => false);
SELECT taken, contradiction FROM credits.payment_dispute_closed('max', :'max', won => true);
SELECT * FROM stands('max');

-- A refund before its payment is kept, and takes its part at once.
SELECT top_up_id AS hal FROM credits.top_up_create('hal', :'pack') \gset
SELECT status, refunded, taken, contradiction FROM credits.payment_refunded('hal', :'hal', 'stripe', 're_hal_1', 4);
SELECT status, available FROM credits.payment_succeeded('hal', :'hal', 'stripe', 'pi_hal_1');
SELECT * FROM stands('hal');

-- A pack for certain meters: what is owed can be paid by what may pay those.
SELECT price_id AS tokens FROM credits.package_create('Tokens', 100, 10, 'USD', applicable_meters => '{tokens}') \gset
SELECT buy('ivy', :'tokens') AS ivy \gset
SELECT consumed FROM credits.report_meter_event('ivy', 'tokens', 80, 'e');
SELECT taken, pending FROM credits.payment_refunded('ivy', :'ivy');
SELECT remaining FROM credits.credit_grant('ivy', 50, applicable_meters => '{tokens}', name => 'more tokens');
SELECT * FROM stands('ivy');

-- Several that wait for the same held credits: each takes, or is owed, what is its own, and can be undone by itself.
SELECT buy('jon', :'pack') AS jon \gset
SELECT hold_id AS hold FROM credits.hold_create('jon', 100) \gset
SELECT held FROM credits.payment_refunded('jon', :'jon', 'stripe', 're_jon_1', 3);
SELECT held FROM credits.payment_refunded('jon', :'jon', 'stripe', 're_jon_2', 2);
SELECT available FROM credits.hold_release('jon', :'hold');
SELECT * FROM stands('jon');
SELECT refunded, taken, available FROM credits.payment_refund_failed('jon', :'jon', 'stripe', 're_jon_1');
SELECT * FROM stands('jon');
SELECT buy('kim', :'pack') AS kim \gset
SELECT hold_id AS hold FROM credits.hold_create('kim', 100) \gset
SELECT held FROM credits.payment_refunded('kim', :'kim', 'stripe', 're_kim_1', 3);
SELECT held FROM credits.payment_disputed('kim', :'kim', 'stripe', 'dp_kim_1', 2);
SELECT available FROM credits.hold_capture('kim', :'hold');
SELECT * FROM stands('kim');
SELECT FROM credits.payment_dispute_closed('kim', :'kim', 'stripe', 'dp_kim_1', true);
SELECT * FROM stands('kim');
SELECT buy('lea', :'pack') AS lea \gset
SELECT consumed FROM credits.report_meter_event('lea', 'tokens', 100, 'e');
SELECT pending FROM credits.payment_refunded('lea', :'lea', 'stripe', 're_lea_1', 3, spent => 'forgive');
SELECT pending FROM credits.payment_refunded('lea', :'lea', 'stripe', 're_lea_2', 2);
SELECT returned, available FROM credits.meter_event_cancel('lea', 'e');
SELECT * FROM stands('lea');

-- Wrong arguments.
SELECT credits.payment_refunded('ivy', '00000000-0000-0000-0000-000000000000');
SELECT credits.payment_refunded('ivy', :'ivy', amount => 0);
SELECT credits.payment_refunded('ivy', :'ivy', amount => 0.001);
SELECT credits.payment_refunded('ivy', :'ivy', spent => 'keep');
SELECT credits.payment_refund_failed('ivy', :'ivy');
SELECT credits.payment_disputed(NULL, :'ivy');
SELECT credits.payment_dispute_closed('ivy', :'ivy', 'stripe', 'dp_ivy_1');
-- What the setting can be is judged when it is set; before the library is loaded, by the first call.
SET credits.spent_on_refund = 'nonsense';
SHOW credits.spent_on_refund;
SELECT customer_id, type, provider_reference, amount, contradiction FROM credits.payment_log ORDER BY payment_id;
SELECT currency, sum(balance) FROM credits.trial_balance GROUP BY 1;
SELECT * FROM credits.verify();
\c
SET credits.spent_on_refund = 'nonsense';
SELECT credits.payment_refunded('ivy', :'ivy', amount => 1);
RESET credits.spent_on_refund;
SELECT refunded_amount FROM credits.top_ups WHERE customer_id = 'ivy';
