-- Limits of what may be spent: by a customer, by its members, on a meter, in a day, a month or a rolling window.
SELECT currency FROM credits.currency_create('USD', 'Dollar', kind => 'fiat');
SELECT event_name FROM credits.meter_create('images', unit_price => 5);
SELECT event_name FROM credits.meter_create('tokens', unit_price => 0.01);
SELECT event_name FROM credits.meter_create('audit', unit_price => 1, settlement => 'deferred');
SET credits.test_clock = '2026-03-01 10:00:00+00';
SELECT remaining FROM credits.credit_grant('team', 1000, category => 'paid');

-- Nothing is limited until a limit is set.
SELECT debited, available FROM credits.wallet_debit('team', 10, member_id => 'bob');
SELECT charge_above < 'infinity' AS fast FROM credits_internal.accounts WHERE customer_id = 'team';

-- A member's: what the member spent in the window before it was set counts too.
SELECT * FROM credits.member_limit_set('team', 'bob', 30, 'day');
SELECT debited, available FROM credits.wallet_debit('team', 20, member_id => 'bob');
SELECT debited FROM credits.wallet_debit('team', 0.000001, member_id => 'bob');
-- Another member, and calls that name none, are not limited by it.
SELECT debited FROM credits.wallet_debit('team', 50, member_id => 'eve');
SELECT debited FROM credits.wallet_debit('team', 40);
SELECT member_id, per, amount, action, used, held, remaining, resets_at FROM credits.limits;
-- The gate before the work knows of them, and of what they leave.
SELECT * FROM credits.credit_availability('team', 5, member_id => 'bob');
SELECT can_continue, reason, limit_remaining FROM credits.credit_availability('team', member_id => 'bob');
SELECT can_continue, reason, limit_remaining FROM credits.credit_availability('team', 5, member_id => 'eve');
-- The same without an error: the transaction goes on.
SELECT ok, shortfall, debited, available, reason FROM credits.wallet_try_debit('team', 5, member_id => 'bob');
SELECT ok, shortfall, debited, available, reason FROM credits.wallet_try_debit('team', 5000, member_id => 'bob');
SELECT ok, debited, reason FROM credits.wallet_try_debit('team', 5, member_id => 'eve');
-- A replay is answered, whatever the limit says.
SELECT debited, replayed FROM credits.wallet_debit('team', 3, idempotency_key => 'k1', member_id => 'eve');
SELECT amount FROM credits.member_limit_set('team', 'eve', 0, 'day');
SELECT debited, replayed FROM credits.wallet_debit('team', 3, idempotency_key => 'k1', member_id => 'eve');
SELECT debited FROM credits.wallet_debit('team', 3, idempotency_key => 'k2', member_id => 'eve');
SELECT amount, used, remaining FROM credits.member_limit_set('team', 'eve', 'infinity', 'day');

-- The next day begins at midnight, in UTC.
SET credits.test_clock = '2026-03-01 23:59:59.999999+00';
SELECT ok FROM credits.wallet_try_debit('team', 1, member_id => 'bob');
SET credits.test_clock = '2026-03-02 00:00:00+00';
SELECT member_id, used, remaining, resets_at FROM credits.limits;
SELECT ok, available FROM credits.wallet_try_debit('team', 30, member_id => 'bob');
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 2.5, member_id => 'bob');

-- On a meter, per month, beside it; what is refused changes nothing.
SELECT event_name, per, amount, action, currency FROM credits.usage_limit_set('team', 'images', 20, 'month');
SELECT status, consumed, available
FROM credits.report_meter_event('team', 'images', 3, 'i1', member_id => 'eve');
SELECT status, consumed FROM credits.report_meter_event('team', 'images', 2, 'i2', member_id => 'eve');
SELECT status, consumed FROM credits.report_meter_event('team', 'images', 1, 'i2', member_id => 'eve');
SELECT status, consumed, replayed FROM credits.report_meter_event('team', 'images', 1, 'i2', member_id => 'eve');
SELECT can_continue, reason, limit_remaining
FROM credits.credit_availability('team', 1, event_name => 'images', member_id => 'eve');
SELECT can_continue, reason, limit_remaining FROM credits.credit_availability('team', 10, event_name => 'tokens');
-- A batch: each event by itself, in order, with its code.
SELECT identifier, status, consumed, error, message FROM credits.report_meter_events(
    ARRAY['team', 'team', 'team'], ARRAY['images', 'tokens', 'tokens'], ARRAY[1, 100, 200], ARRAY['b1', 'b2', 'b3'],
    member_ids => ARRAY['eve', 'bob', NULL]);
SELECT identifier, status, error FROM credits.report_meter_events(
    '[{"customer_id": "team", "event_name": "tokens", "value": 100, "identifier": "j1", "member_id": "bob"},
      {"customer_id": "team", "event_name": "tokens", "value": 100, "identifier": "j2", "member_id": "eve"}]');
-- Canceled usage gives its room back.
SELECT returned FROM credits.meter_event_cancel('team', 'i1');
SELECT event_name, member_id, used, remaining FROM credits.limits ORDER BY per;
SELECT status, consumed FROM credits.report_meter_event('team', 'images', 3, 'i3', member_id => 'eve');
-- In its own window: what was canceled later than that gives none.
SELECT ok FROM credits.wallet_try_debit('team', 1, member_id => 'bob');
SET credits.test_clock = '2026-04-02 12:00:00+00';
SELECT returned FROM credits.meter_event_cancel('team', 'i3');
SELECT event_name, used, remaining, resets_at FROM credits.limits WHERE event_name = 'images';
SELECT status FROM credits.report_meter_event('team', 'images', 4, 'i4');
SELECT status FROM credits.report_meter_event('team', 'images', 1, 'i5');

-- A rolling window: each spending is out of it by itself.
SELECT per, amount FROM credits.usage_limit_set('team', amount => 10, per => '90 minutes');
SELECT per, used, remaining FROM credits.limits WHERE event_name IS NULL AND member_id IS NULL;
SELECT amount, used, remaining, resets_at FROM credits.usage_limit_set('team', amount => 25, per => '01:30');
SET credits.test_clock = '2026-04-02 12:30:00+00';
SELECT ok FROM credits.wallet_try_debit('team', 3);
SET credits.test_clock = '2026-04-02 13:00:00+00';
SELECT ok FROM credits.wallet_try_debit('team', 2);
-- It says when there is room for what was asked.
SELECT debited FROM credits.wallet_debit('team', 4);
SELECT debited FROM credits.wallet_debit('team', 25);
SELECT debited FROM credits.wallet_debit('team', 26);
SET credits.test_clock = '2026-04-02 13:29:59.999999+00';
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 4);
SET credits.test_clock = '2026-04-02 13:30:00+00';
SELECT used, remaining FROM credits.limits WHERE per = '90 minutes';
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 20);
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 1);
SELECT amount, used FROM credits.usage_limit_set('team', amount => 'infinity', per => '5400 seconds');

-- What operation_reverse gives back makes room again, in the window in which it was spent.
SELECT debited FROM credits.wallet_debit('team', 30, idempotency_key => 'r1', member_id => 'bob');
SELECT returned FROM credits.operation_reverse('team', operation_key => 'r1', amount => 12);
SELECT member_id, used, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT ok FROM credits.wallet_try_debit('team', 12, idempotency_key => 'r2', member_id => 'bob');
SET credits.test_clock = '2026-04-03 08:00:00+00';
SELECT returned FROM credits.operation_reverse('team', operation_key => 'r1');
SELECT member_id, used, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT line_no, type, amount, member_id FROM credits.wallet_history('team', page_size => 4);

-- Usage of deferred meters and of the inbox has happened: the limit only publishes that it is reached.
SELECT amount, used FROM credits.usage_limit_set('team', 'audit', 5, 'day');
SELECT status FROM credits.report_meter_event('team', 'audit', 4, 'a1', member_id => 'bob');
SELECT status FROM credits.report_meter_event('team', 'audit', 4, 'a2', member_id => 'bob');
SELECT event_name, used FROM credits.limits WHERE event_name = 'audit';
-- A call that judges counts what is not settled yet.
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 22.5, member_id => 'bob');
SELECT credits.settle(10);
SELECT event_name, used, remaining FROM credits.limits WHERE event_name = 'audit';
SELECT status FROM credits.report_meter_event('team', 'audit', 4, 'a3');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, member_id)
VALUES ('team', 'images', 1, 'n1', 'bob'), ('team', 'images', 1, 'n2', 'bob'), ('team', 'images', 1, 'n3', NULL);
SELECT credits.settle(10);
SELECT identifier, status, credits, member_id FROM credits.usage WHERE identifier ~ '^[an]' ORDER BY identifier;
SELECT event_name, member_id, amount, used, remaining FROM credits.limits ORDER BY event_name, member_id;
-- One row a crossing; after room was given back, the next one is another.
SELECT outbox_no, payload ->> 'event_name' AS event_name, payload ->> 'member_id' AS member_id,
    payload ->> 'per' AS per,
       payload ->> 'used' AS used, payload ->> 'amount' AS amount, payload ->> 'action' AS action
FROM credits.outbox_rows WHERE type = 'limit.reached' ORDER BY outbox_no;
SELECT returned FROM credits.meter_event_cancel('team', 'i4');
SELECT used FROM credits.limits WHERE event_name = 'images';
SELECT status FROM credits.report_meter_event('team', 'images', 1, 'i6');
SELECT count(*) FROM credits.outbox_rows WHERE type = 'limit.reached' AND payload ->> 'event_name' = 'images';

-- An open hold takes room, what is captured of it as well, and what goes back makes room again.
SELECT used FROM credits.limits WHERE member_id = 'bob';
SELECT status, hold_id FROM credits.hold_create('team', 8, member_id => 'bob') \gset
SELECT used, held, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT status FROM credits.hold_create('team', 5, member_id => 'bob');
SELECT ok, shortfall FROM credits.wallet_try_debit('team', 5, member_id => 'bob');
SELECT status, captured FROM credits.hold_capture('team', :'hold_id', 3);
SELECT used, held, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT status, hold_id FROM credits.hold_create('team', 9, member_id => 'bob') \gset
SELECT used, held, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT amount FROM credits.hold_update('team', :'hold_id', amount => 9.5);
SELECT status FROM credits.hold_capture('team', :'hold_id', 10, more => 'available');
SELECT status, member_id FROM credits.holds WHERE hold_id = :'hold_id';
SELECT status FROM credits.hold_release('team', :'hold_id');
SELECT used, held, remaining FROM credits.limits WHERE member_id = 'bob';
SELECT type, amount, held, member_id FROM credits.wallet_history('team', page_size => 5);

-- A hold for anything is in no limit on a meter; captured as its usage it has to fit into that, with all that it costs.
SELECT FROM credits.meter_create('renders');
SELECT hold_id FROM credits.hold_create('team', 20) \gset
SELECT amount, used FROM credits.usage_limit_set('team', 'renders', 12, '1 hour');
SELECT captured FROM credits.hold_capture('team', :'hold_id', event_name => 'renders', value => 9, identifier => 'h1',
    final => false);
SELECT captured FROM credits.hold_capture('team', :'hold_id', event_name => 'renders', value => 4, identifier => 'h2',
    final => false);
SELECT captured FROM credits.hold_capture('team', :'hold_id', event_name => 'renders', value => 3, identifier => 'h3',
    final => false);
SELECT used, held, remaining FROM credits.limits WHERE event_name = 'renders' AND per = '1 hour';
SELECT amount FROM credits.usage_limit_set('team', 'renders', 'infinity', '1 hour');
SELECT status FROM credits.hold_release('team', :'hold_id');

-- 'notify' refuses nothing.
SELECT action, amount FROM credits.usage_limit_set('team', 'tokens', 1, 'day', 'notify');
SELECT status, consumed FROM credits.report_meter_event('team', 'tokens', 300, 't1');
SELECT amount, action, used, remaining FROM credits.usage_limit_set('team', 'tokens', per => 'day', action => 'reject');
SELECT status, consumed FROM credits.report_meter_event('team', 'tokens', 1, 't2');

-- Who spent, in the history and in the usage.
SELECT line_no, type, amount, event_name, member_id FROM credits.wallet_history('team', page_size => 12);

-- Without limits the head pays alone again.
SELECT per, amount FROM credits.usage_limit_set('team', 'tokens', 'infinity', 'day');
SELECT per, amount FROM credits.usage_limit_set('team', 'audit', 'infinity', 'day');
SELECT per, amount FROM credits.usage_limit_set('team', 'images', 'infinity', 'month');
SELECT per, amount FROM credits.member_limit_set('team', 'bob', 'infinity', 'day');
SELECT ok FROM credits.wallet_try_debit('team', 1, member_id => 'bob');
SELECT limited, charge_above < 'infinity' AS fast FROM credits_internal.accounts WHERE customer_id = 'team';

-- What a limit may be.
SELECT credits.usage_limit_set('team', amount => -1, per => 'day');
SELECT credits.usage_limit_set('team', amount => 1.0000001, per => 'day');
SELECT credits.usage_limit_set('team', amount => 1);
SELECT credits.usage_limit_set('team', amount => 1, per => 'week');
SELECT credits.usage_limit_set('team', amount => 1, per => '1 month');
SELECT credits.usage_limit_set('team', amount => 1, per => '-1 day');
SELECT credits.usage_limit_set('team', amount => 1, per => '0.5 seconds');
SELECT credits.usage_limit_set('team', amount => 1, per => 'infinity');
SELECT credits.usage_limit_set('team', per => 'day');
SELECT credits.usage_limit_set('team', 'image', 1, 'day');
SELECT credits.usage_limit_set('team', 'images', 1, 'day', currency => 'USD');
SELECT credits.usage_limit_set('team', 'images', 1, 'day', 'warn');
SELECT credits.usage_limit_set('nobody', amount => 1, per => 'day');
SELECT credits.member_limit_set('team', NULL, 1, 'day');
SELECT credits.member_limit_set('team', '', 1, 'day');
SELECT credits.wallet_debit('team', 1, member_id => '');
SELECT status, error, message FROM credits.report_meter_events(
    ARRAY['team'], ARRAY['tokens'], ARRAY[1], ARRAY['m1'], member_ids => ARRAY['']);

-- verify() adds all of it up again.
SELECT amount FROM credits.member_limit_set('team', 'bob', 500, 'month');
SELECT amount FROM credits.usage_limit_set('team', amount => 500, per => '30 days');
SELECT * FROM credits.verify();
UPDATE credits_internal.spending_limits SET used = used + 1 WHERE member_id = 'bob';
UPDATE credits_internal.accounts SET limited = false WHERE customer_id = 'team';
SELECT problem, subject, found - expected AS difference FROM credits.verify();
