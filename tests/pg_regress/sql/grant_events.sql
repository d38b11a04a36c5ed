-- What the outbox says of grants: as they take effect, are used up and expire, and ahead of their end.
SET credits.test_clock = '2026-03-01';
-- Nothing while nobody consumes it.
SELECT FROM credits.wallet_credit('zoe', 5);
SELECT FROM credits.wallet_debit('zoe', 5);
SELECT count(*) FROM credits.outbox_rows;

SELECT consumer FROM credits.outbox_consumer_create('mailer');
SELECT event_name FROM credits.meter_create('calls');
SELECT FROM credits.credit_grant('ada', 10, name => 'trial', expires_at => '2026-03-20');
SELECT FROM credits.credit_grant('ada', 7, category => 'paid', effective_at => '2026-03-10');
-- A charge that leaves something says nothing; one that uses a grant up does.
SELECT FROM credits.wallet_debit('ada', 4);
SELECT FROM credits.report_meter_event('ada', 'calls', 6, 'c1');
-- One that pays what is owed is used up at once.
SELECT FROM credits.report_meter_event('ada', 'calls', 3, 'c2');
SELECT FROM credits.wallet_credit('ada', 3);
-- What time brings is published when it is posted; what comes back to a grant is no new one.
SET credits.test_clock = '2026-03-11';
CALL credits.maintain();
SELECT FROM credits.meter_event_cancel('ada', 'c1');
SET credits.test_clock = '2026-03-21';
CALL credits.maintain();
SELECT outbox_no, type, payload - 'grant_id' AS payload, created_at FROM credits.outbox_rows ORDER BY outbox_no;
SELECT count(*) = 3 AS of_each FROM credits.outbox_rows o JOIN credits.grants g
    ON g.customer_id = o.customer_id AND g.grant_id = (o.payload ->> 'grant_id')::uuid WHERE o.type = 'grant.granted';

-- By hand: expired is, voided is not; nor what was to take effect later and never does.
SELECT grant_id AS e FROM credits.credit_grant('bob', 10) \gset
SELECT grant_id AS v FROM credits.credit_grant('bob', 20) \gset
SELECT grant_id AS s FROM credits.credit_grant('bob', 30, effective_at => '2026-05-01') \gset
SELECT status FROM credits.credit_grant_expire('bob', :'e', 4);
SELECT status FROM credits.credit_grant_suspend('bob', :'e');
SELECT status FROM credits.credit_grant_resume('bob', :'e');
SELECT status FROM credits.credit_grant_expire('bob', :'e');
SELECT status FROM credits.credit_grant_void('bob', :'v');
SELECT status FROM credits.credit_grant_expire('bob', :'s');
-- A part of a transfer is a grant of the recipient's.
SELECT FROM credits.wallet_transfer('ada', 'bob', 2);
SELECT outbox_no, type, payload ->> 'amount' AS amount, payload ->> 'expired' AS expired
FROM credits.outbox_rows WHERE customer_id = 'bob' ORDER BY outbox_no;

-- Ahead of its end: where it is asked for, once per end.
SELECT grant_id AS c FROM credits.credit_grant('cy', 10, expires_at => '2026-03-25') \gset
SELECT FROM credits.credit_grant('cy', 20, expires_at => '2026-03-29');
SELECT FROM credits.wallet_debit('cy', 1);
CALL credits.maintain();
SELECT count(*) FROM credits.outbox_rows WHERE type = 'grant.expiring';
SET credits.expiring_notice = '7d';
CALL credits.maintain();
SELECT credits.maintain_batch(work => 'notices');
SELECT type, payload - 'grant_id' AS payload, created_at FROM credits.outbox_rows WHERE type = 'grant.expiring';
SET credits.test_clock = '2026-03-23';
SELECT credits.maintain_batch(work => 'notices');
SELECT FROM credits.credit_grant_extend('cy', :'c', '2026-03-28');
SELECT credits.maintain_batch(work => 'notices');
SELECT credits.maintain_batch(work => 'notices');
SELECT payload ->> 'remaining' AS remaining, payload ->> 'expires_at' AS expires_at
FROM credits.outbox_rows WHERE type = 'grant.expiring' ORDER BY outbox_no;
-- Not of what is suspended, or used up, or where nobody consumes.
SELECT grant_id AS d FROM credits.credit_grant('dee', 10, expires_at => '2026-03-25') \gset
SELECT status FROM credits.credit_grant_suspend('dee', :'d');
SELECT credits.maintain_batch(work => 'notices');
SELECT status FROM credits.credit_grant_resume('dee', :'d');
SELECT credits.outbox_consumer_remove('mailer') > 0 AS removed;
SELECT credits.maintain_batch(work => 'notices');
SELECT consumer FROM credits.outbox_consumer_create('other');
SELECT credits.maintain_batch(work => 'notices');
SELECT * FROM credits.verify();
