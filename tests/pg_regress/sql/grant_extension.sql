-- Grants that get more time, also after their time ran out.
SET credits.test_clock = '2026-03-01';
SELECT grant_id AS g FROM credits.credit_grant('ada', 100, name => 'trial', expires_at => '2026-03-10') \gset
SELECT FROM credits.wallet_debit('ada', 40);
SELECT hold_id AS h FROM credits.hold_create('ada', 20, expires_in => '12 days') \gset

-- Before the end: it lasts longer, and nothing else changes. The same again is a no-op.
SELECT status, remaining, expires_at, replayed FROM credits.credit_grant_extend('ada', :'g', '2026-03-12');
SELECT status, remaining, expires_at, replayed FROM credits.credit_grant_extend('ada', :'g', '2026-03-12');
SELECT credits.credit_grant_extend('ada', :'g', '2026-03-11');

-- Shortly after it: what lapsed with its time comes back, that which came back from the hold too.
SET credits.test_clock = '2026-03-14';
SELECT status, remaining FROM credits.grants;
SELECT credits.credit_grant_extend('ada', :'g', '2026-03-13');
SELECT status, remaining, expires_at, replayed FROM credits.credit_grant_extend('ada', :'g', '2026-04-01');
SELECT status, remaining, expires_at, replayed FROM credits.credit_grant_extend('ada', :'g', '2026-04-01');
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SELECT line_no, type, amount, running_balance, effective_at FROM credits.ledger ORDER BY line_no;
SELECT status, amount, remaining, consumed, lapsed FROM credits.grants;
SELECT account, balance FROM credits.trial_balance;
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-03-13 12:00');
SELECT * FROM credits.verify();
-- It expires again at its new end, and can be extended again.
SET credits.test_clock = '2026-04-02';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SELECT status, remaining, expires_at FROM credits.credit_grant_extend('ada', :'g', 'infinity');
SELECT * FROM credits.verify();

-- It first pays what is owed meanwhile.
SELECT event_name FROM credits.meter_create('calls');
SELECT grant_id AS g FROM credits.credit_grant('bob', 10, expires_at => '2026-04-03') \gset
SET credits.test_clock = '2026-04-04';
SELECT status FROM credits.report_meter_event('bob', 'calls', 4, 'c1');
SELECT status, remaining FROM credits.credit_grant_extend('bob', :'g', '2026-05-01');
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');

-- Only as far as it lapsed by time: not what was voided, or expired by hand, or stands for a refund.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS p
FROM credits.product_create('pack', credit_currency => 'CREDIT', credits => 100, time_to_live => '10 days') \gset
SELECT price_id AS c FROM credits.price_create(:'p', unit_amount => 10, currency => 'USD') \gset
SELECT top_up_id AS t FROM credits.top_up_create('cy', price_id => :'c') \gset
SELECT status FROM credits.payment_succeeded('cy', :'t', 'stripe', 'pi_1', 10);
SELECT grant_id AS g FROM credits.grants WHERE customer_id = 'cy' \gset
SELECT FROM credits.wallet_debit('cy', 10);
SELECT remaining FROM credits.credit_grant_void('cy', :'g', amount => 5);
SELECT remaining FROM credits.credit_grant_expire('cy', :'g', amount => 5);
SET credits.test_clock = '2026-04-15';
SELECT taken, pending FROM credits.payment_refunded('cy', :'t', 'stripe', 're_1', 3);
SELECT status, remaining FROM credits.credit_grant_extend('cy', :'g', '2026-05-01');
SELECT status, remaining, consumed, lapsed FROM credits.grants WHERE customer_id = 'cy';
SELECT * FROM credits.verify();

-- What was ended by hand stays ended; and not for ever: credits.extend_within says how long.
SELECT grant_id AS v FROM credits.credit_grant('dee', 10) \gset
SELECT status FROM credits.credit_grant_expire('dee', :'v');
SELECT credits.credit_grant_extend('dee', :'v', '2027-01-01');
SELECT grant_id AS l FROM credits.credit_grant('dee', 10, expires_at => '2026-04-16') \gset
SET credits.test_clock = '2026-04-24';
SELECT credits.credit_grant_extend('dee', :'l', '2027-01-01');
SET credits.extend_within = '30d';
SELECT status, remaining FROM credits.credit_grant_extend('dee', :'l', '2027-01-01');
RESET credits.extend_within;
-- One that was used up by its end: what comes back to it can be used again.
SELECT grant_id AS d FROM credits.credit_grant('eve', 10, expires_at => '2026-04-25') \gset
SELECT status FROM credits.report_meter_event('eve', 'calls', 10, 'c1');
SET credits.test_clock = '2026-04-26';
SELECT status, remaining FROM credits.credit_grant_extend('eve', :'d', '2026-05-25');
SELECT returned FROM credits.meter_event_cancel('eve', 'c1');
SELECT status, remaining FROM credits.grants WHERE customer_id = 'eve';
-- One of which all was a mistake while it was held, and lapsed as it came back: nothing comes back when it is extended.
SELECT grant_id AS f FROM credits.credit_grant('flo', 10, expires_at => '2026-04-27') \gset
SELECT hold_id AS h FROM credits.hold_create('flo', 10, expires_in => '9 days') \gset
SELECT status, remaining FROM credits.credit_grant_void('flo', :'f', amount => 10, spent => 'pending');
SET credits.test_clock = '2026-04-28';
SELECT released, available FROM credits.hold_release('flo', :'h');
SELECT status, remaining FROM credits.credit_grant_extend('flo', :'f', '2026-05-28');
SELECT * FROM credits.verify('flo');
-- Wrong.
SELECT credits.credit_grant_extend('eve', :'d', NULL);
SELECT credits.credit_grant_extend('eve', :'d', '-infinity');
SELECT credits.credit_grant_extend('bob', '01900000-0000-7000-8000-000000000000', '2027-01-01');
SELECT * FROM credits.verify();
