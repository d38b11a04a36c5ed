-- Part of a grant is ended by hand, and a grant that was a mistake is taken back with what was spent of it.
SET credits.test_clock = '2026-03-01';
SELECT grant_id AS g FROM credits.credit_grant('ada', 100, name => 'bonus', expires_at => '2026-06-01') \gset
SELECT FROM credits.wallet_credit('ada', 5);
SELECT FROM credits.wallet_debit('ada', 30);

-- Of what remains so many credits are voided, and the grant goes on: once per key.
SELECT status, amount, remaining, replayed
FROM credits.credit_grant_void('ada', :'g', 'twice as much as was meant', 50, idempotency_key => 'ticket-1');
SELECT status, amount, remaining, replayed
FROM credits.credit_grant_void('ada', :'g', 'the same ticket', 50, idempotency_key => 'ticket-1');
-- Without a key each call takes another part.
SELECT status, remaining FROM credits.credit_grant_expire('ada', :'g', 3);
SELECT status, remaining FROM credits.credit_grant_expire('ada', :'g', 3);
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SELECT name, status, amount, remaining, consumed, lapsed, ended_at FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, amount, running_balance, function, idempotency_key, description
FROM credits.ledger WHERE grant_name = 'bonus' ORDER BY line_no;
SELECT account, balance FROM credits.trial_balance;
SELECT * FROM credits.verify();

-- No more than remains. A grant whose last credits are voided is depleted: what comes back to it can be spent.
SELECT credits.credit_grant_void('ada', :'g', amount => 15);
\echo :LAST_ERROR_SQLSTATE
SELECT status, remaining FROM credits.credit_grant_void('ada', :'g', amount => 14);
SELECT credits.credit_grant_expire('ada', :'g', 1);

-- Another call under the key.
SELECT grant_id AS h FROM credits.credit_grant('ada', 50) \gset
SELECT credits.credit_grant_void('ada', :'g', amount => 49, idempotency_key => 'ticket-1');
SELECT credits.credit_grant_expire('ada', :'g', 50, idempotency_key => 'ticket-1');
\set VERBOSITY sqlstate
SELECT credits.credit_grant_void('ada', :'h', amount => 50, idempotency_key => 'ticket-1');
\set VERBOSITY default
SELECT credits.credit_grant_void('ada', :'g', amount => 50, spent => 'pending', idempotency_key => 'ticket-1');
-- And what is wrong by itself.
SELECT credits.credit_grant_void('ada', :'g', idempotency_key => 'ticket-2');
SELECT credits.credit_grant_void('ada', :'h', amount => 0);
SELECT credits.credit_grant_void('ada', :'h', amount => 0.0000001);
SELECT credits.credit_grant_void('ada', :'h', spent => 'lost');
SELECT credits.credit_grant_expire('bob', '01900000-0000-7000-8000-000000000000', 1);
SELECT grant_id AS s FROM credits.credit_grant('ada', 5, effective_at => '2026-04-01') \gset
SELECT credits.credit_grant_void('ada', :'s', amount => 1);
SELECT status FROM credits.credit_grant_void('ada', :'s');
SELECT credits.credit_grant_void('ada', :'s', amount => 1);

-- A mistake: what remains is voided, and what was spent is owed. Other credits pay it, now and later.
SELECT grant_id AS m FROM credits.credit_grant('eve', 1000, name => 'a zero too many') \gset
SELECT FROM credits.wallet_credit('eve', 40, description => 'her own');
SELECT FROM credits.wallet_debit('eve', 600);
SELECT hold_id AS a FROM credits.hold_create('eve', 100) \gset
SELECT hold_id AS b FROM credits.hold_create('eve', 20) \gset
SELECT status, remaining, replayed FROM credits.credit_grant_void('eve', :'m', 'a mistake', spent => 'pending');
SELECT available, held, pending FROM credits.wallet_balance('eve', 'CREDIT');
-- Again is a no-op.
SELECT status, replayed FROM credits.credit_grant_void('eve', :'m', 'a mistake', spent => 'pending');
SELECT available, held, pending FROM credits.wallet_balance('eve', 'CREDIT');
-- What is held is owed once it is captured, and gone where it is released.
SELECT status FROM credits.hold_capture('eve', :'a', 60);
SELECT status FROM credits.hold_release('eve', :'b');
SELECT available, held, pending FROM credits.wallet_balance('eve', 'CREDIT');
SELECT FROM credits.wallet_credit('eve', 700, description => 'bought');
SELECT available, held, pending FROM credits.wallet_balance('eve', 'CREDIT');
SELECT line_no, type, amount, held, pending, running_balance, grant_name, function, description
FROM credits.ledger WHERE customer_id = 'eve' ORDER BY line_no;
SELECT name, status, remaining, consumed, lapsed FROM credits.grants WHERE customer_id = 'eve' ORDER BY grant_id;
SELECT * FROM credits.verify();

-- Part of a mistake: first what remains, then what is held, and the rest is owed. More than that there is not.
SELECT grant_id AS p FROM credits.credit_grant('fay', 100, applicable_meters => NULL) \gset
SELECT FROM credits.wallet_debit('fay', 70);
SELECT hold_id AS f FROM credits.hold_create('fay', 10) \gset
SELECT remaining, replayed
FROM credits.credit_grant_void('fay', :'p', amount => 50, spent => 'pending', idempotency_key => 'half');
SELECT remaining, replayed
FROM credits.credit_grant_void('fay', :'p', amount => 50, spent => 'pending', idempotency_key => 'half');
SELECT available, held, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT credits.credit_grant_void('fay', :'p', amount => 51, spent => 'pending');
-- What the hold gives back is taken as well; then the rest of the grant.
SELECT status FROM credits.hold_release('fay', :'f');
SELECT available, held, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT status, replayed FROM credits.credit_grant_void('fay', :'p', spent => 'pending');
SELECT available, held, pending FROM credits.wallet_balance('fay', 'CREDIT');
SELECT status, replayed FROM credits.credit_grant_void('fay', :'p', spent => 'pending');
SELECT * FROM credits.verify();

-- Of a grant that has ended, too; and what is for certain meters is paid by what may pay for them.
SELECT event_name FROM credits.meter_create('images');
SELECT grant_id AS r
FROM credits.credit_grant('gil', 10, applicable_meters => '{images}', expires_at => '2026-03-02') \gset
SELECT status FROM credits.report_meter_event('gil', 'images', 4, 'i1');
SET credits.test_clock = '2026-03-03';
SELECT FROM credits.credit_grant('gil', 3, applicable_meters => '{images}');
SELECT status, replayed FROM credits.credit_grant_void('gil', :'r', spent => 'pending');
SELECT status, replayed FROM credits.credit_grant_void('gil', :'r', spent => 'pending');
SELECT available, restricted, pending FROM credits.wallet_balance('gil', 'CREDIT');

-- What was bought is refunded instead.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT top_up_id AS t
FROM credits.top_up_create('gil', amount => 20, currency => 'USD', credit_currency => 'CREDIT', rate => 1) \gset
SELECT status FROM credits.payment_succeeded('gil', :'t');
SELECT grant_id AS bought FROM credits.grants WHERE customer_id = 'gil' AND category = 'paid' \gset
SELECT credits.credit_grant_void('gil', :'bought', spent => 'pending');
SELECT remaining FROM credits.credit_grant_void('gil', :'bought', amount => 5);
SELECT * FROM credits.verify();

-- An update can end a grant, too.
SELECT grant_id AS u FROM credits.credit_grant('hal', 10, name => 'trial') \gset
SELECT credits.credit_grant_update('hal', :'u', expired => true, expires_at => '2027-01-01');
SELECT name, status, remaining, replayed
FROM credits.credit_grant_update('hal', :'u', 'trial, ended', priority => 7, expired => true);
SELECT name, status, remaining, replayed
FROM credits.credit_grant_update('hal', :'u', 'trial, ended', priority => 7, expired => true);
SELECT status, lapsed, ended_at FROM credits.grants WHERE customer_id = 'hal';
SELECT * FROM credits.verify();
