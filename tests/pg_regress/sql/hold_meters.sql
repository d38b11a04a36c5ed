-- Holds for the usage of one meter: they may hold credits that only certain meters may use; and what is owed where a
-- capture comes to more than there is.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT FROM credits.meter_create('images', overage => 'reject');
SELECT FROM credits.credit_grant('ada', 10, name => 'for tokens', applicable_meters => '{tokens}');
SELECT FROM credits.credit_grant('ada', 8, name => 'for images', applicable_meters => '{images}', priority => 1);
SELECT FROM credits.credit_grant('ada', 5, name => 'plain');

-- The gate, and the hold: as an event of that meter would draw.
SELECT can_continue, reason, available FROM credits.credit_availability('ada', 12);
SELECT can_continue, reason, available FROM credits.credit_availability('ada', 12, event_name => 'tokens');
SELECT can_continue, reason, available FROM credits.credit_availability('ada', 14, event_name => 'images');
SELECT credits.credit_availability('ada', 12, event_name => 'token');
SELECT credits.credit_availability('ada', 12, 'USD', event_name => 'tokens');
SELECT credits.hold_create('ada', 12);
SELECT credits.hold_create('ada', 15.5, event_name => 'tokens');
SELECT hold_id AS h, amount, event_name, available FROM credits.hold_create('ada', 12, event_name => 'tokens',
    idempotency_key => 'job') \gset job_
SELECT :job_amount AS amount, :'job_event_name' AS event_name, :job_available AS available;
SELECT name, remaining, held FROM credits.grants ORDER BY grant_id;
SELECT available, restricted, held FROM credits.wallet_balance('ada', 'CREDIT');
SELECT amount, replayed FROM credits.hold_create('ada', 12, event_name => 'tokens', idempotency_key => 'job');
SELECT credits.hold_create('ada', 12, event_name => 'images', idempotency_key => 'job');
SELECT credits.hold_create('ada', 12, idempotency_key => 'job');
SELECT credits.hold_create('ada', 1, 'USD', event_name => 'tokens');
SELECT credits.hold_create('ada', 1, event_name => 'nothing');

-- Only as usage of that meter, which need not be named again.
SELECT credits.hold_capture('ada', :'job_h', 3);
SELECT credits.hold_capture('ada', :'job_h', event_name => 'images', value => 3, identifier => 'e1');
SELECT captured, capture_amount, event_name FROM credits.hold_capture('ada', :'job_h', value => 6,
    identifier => 'e1', final => false);
SELECT amount, available FROM credits.hold_update('ada', :'job_h', amount => 14);
SELECT amount, available FROM credits.hold_update('ada', :'job_h', amount => 9);
SELECT credits.hold_update('ada', :'job_h', amount => 19);
SELECT name, remaining, held, consumed FROM credits.grants ORDER BY grant_id;
SELECT returned FROM credits.meter_event_cancel('ada', 'e1');
SELECT status, captured, released FROM credits.hold_capture('ada', :'job_h', 0);
SELECT name, remaining, held, consumed FROM credits.grants ORDER BY grant_id;
SELECT FROM credits.meter_deactivate('tokens');
SELECT credits.hold_create('ada', 1, event_name => 'tokens');
SELECT credits.credit_availability('ada', 1, event_name => 'tokens');
SELECT amount, replayed FROM credits.hold_create('ada', 12, event_name => 'tokens', idempotency_key => 'job');
SELECT FROM credits.meter_activate('tokens');

-- What comes back pays what it may: the tokens that are owed, and not the images.
SELECT FROM credits.credit_grant('bob', 4, applicable_meters => '{tokens}');
SELECT FROM credits.hold_create('bob', 4, event_name => 'tokens', expires_in => '1 hour');
SELECT FROM credits.meter_create('calls');
SELECT pending FROM credits.report_meter_event('bob', 'calls', 2, 'c');
SELECT pending FROM credits.report_meter_event('bob', 'tokens', 6, 't');
SET credits.test_clock = '2026-03-01 13:00';
SELECT available, restricted, held, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT FROM credits.credit_grant('bob', 1, applicable_meters => '{tokens}');
SELECT event_name, identifier, consumed, pending FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;

-- The outbox says that it ran out.
SELECT customer_id, type, payload - 'hold_id' AS payload FROM credits.outbox_rows;

-- What neither the hold nor the balance covers is owed: for usage by the event, like any other …
SELECT FROM credits.wallet_credit('cy', 10);
SELECT hold_id AS h FROM credits.hold_create('cy', 6) \gset
SELECT status, captured, charged, pending, available FROM credits.hold_capture('cy', :'h', event_name => 'tokens',
    value => 30,
    identifier => 'e1', more => 'pending');
SELECT status, captured, charged, pending, replayed FROM credits.hold_capture('cy', :'h', event_name => 'tokens',
    value => 30,
    identifier => 'e1', more => 'pending');
SELECT identifier, consumed, pending, status FROM credits.usage WHERE customer_id = 'cy';
-- … but not where the meter refuses that.
SELECT FROM credits.wallet_credit('dee', 10);
SELECT hold_id AS h FROM credits.hold_create('dee', 6) \gset
SELECT credits.hold_capture('dee', :'h', event_name => 'images', value => 15, identifier => 'e1', more => 'pending');
-- … otherwise by the capture, within the limit.
SELECT FROM credits.account_configure('dee', overdraft_limit => 5);
SELECT credits.hold_capture('dee', :'h', 15.1, more => 'pending');
SELECT status, captured, charged, pending, available FROM credits.hold_capture('dee', :'h', 13, more => 'pending',
    final => false,
    idempotency_key => 'part');
SELECT credits.hold_capture('dee', :'h', 2.1, more => 'pending');
SELECT status, captured, charged, pending, available FROM credits.hold_capture('dee', :'h', 2, more => 'pending');
SELECT status, captured, charged, replayed FROM credits.hold_capture('dee', :'h', 2, more => 'pending');
SELECT * FROM credits.pending_amount('dee');
SELECT line_no, type, amount, held, pending, function, idempotency_key
FROM credits.ledger WHERE customer_id = 'dee' ORDER BY 1;
SELECT * FROM credits.verify();
-- The next credits pay it, the oldest first.
SELECT FROM credits.wallet_credit('dee', 4);
SELECT captured, charged, capture_amount, pending, replayed FROM credits.hold_capture('dee', :'h', 13, final => false,
    idempotency_key => 'part');
SELECT available, pending FROM credits.wallet_balance('dee', 'CREDIT');
SELECT FROM credits.wallet_credit('dee', 4);
SELECT available, pending FROM credits.wallet_balance('dee', 'CREDIT');
SELECT taken, returned, forgiven, available FROM credits.operation_reverse('dee', operation_key => 'part');

-- What is taken back and still owed is owed no longer; then what was paid goes back, and so does what paid the debt.
SELECT FROM credits.wallet_credit('fay', 10);
SELECT FROM credits.account_configure('fay', overdraft_limit => 5);
SELECT amount, used FROM credits.usage_limit_set('fay', amount => 50, per => 'day');
SELECT hold_id AS h FROM credits.hold_create('fay', 6) \gset
SELECT charged, pending, available
FROM credits.hold_capture('fay', :'h', 13, more => 'pending', idempotency_key => 'run');
SELECT taken, returned, forgiven, total_returned, available
FROM credits.operation_reverse('fay', operation_key => 'run', amount => 1, idempotency_key => 'back 1');
SELECT available, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT used FROM credits.limits WHERE customer_id = 'fay';
SELECT FROM credits.wallet_credit('fay', 1);
SELECT available, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT returned, forgiven, total_returned, available
FROM credits.operation_reverse('fay', operation_key => 'run', amount => 3);
SELECT used FROM credits.limits WHERE customer_id = 'fay';
SELECT returned, forgiven, total_returned, available FROM credits.operation_reverse('fay', operation_key => 'run');
SELECT returned, forgiven, total_returned, replayed FROM credits.operation_reverse('fay', operation_key => 'run');
SELECT returned, forgiven, total_returned, replayed
FROM credits.operation_reverse('fay', operation_key => 'run', amount => 1, idempotency_key => 'back 1');
SELECT line_no, type, amount, pending, running_balance FROM credits.ledger WHERE customer_id = 'fay' ORDER BY 1;
SELECT used FROM credits.limits WHERE customer_id = 'fay';
SELECT available, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT account, sum(amount) FROM credits.journal WHERE customer_id = 'fay'
GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1;
SELECT * FROM credits.verify();

-- Late, and owed.
SELECT FROM credits.wallet_credit('eve', 2);
SELECT hold_id AS h FROM credits.hold_create('eve', 2, expires_in => '1 hour') \gset
SET credits.test_clock = '2026-03-01 15:00';
SELECT status, charged, pending, available FROM credits.hold_capture('eve', :'h', 5, late => 'charge',
    more => 'pending');

SELECT account, balance FROM credits.trial_balance WHERE balance <> 0 ORDER BY 1;
SELECT sum(balance) = 0 AS balanced FROM credits.trial_balance;
SELECT * FROM credits.verify();
UPDATE credits_internal.reclaims SET operation_id = '01900000-0000-7000-8000-000000000000' WHERE customer_id = 'eve';
SELECT problem, customer_id, expected, found FROM credits.verify() ORDER BY 1;
