-- A row of the inbox is charged as of when it came, whenever it is settled, in one order with what fell due and what else was
-- reported in between. Real time: what is put in has the server's.
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.meter_create('later', settlement => 'deferred');
CREATE FUNCTION soon(seconds numeric) RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() + seconds * interval '1 second' $$;
CREATE VIEW story AS
SELECT l.customer_id, l.line_no, l.type, l.amount, l.pending, l.grant_name, l.identifier,
       l.effective_at = e.created_at AS when_reported
FROM credits.ledger l LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier;

-- Copied in before a grant's end and after it, alone and several at once, and settled afterwards.
SELECT FROM credits.credit_grant('ada', 10, name => 'ends', expires_at => soon(3));
SELECT FROM credits.credit_grant('ada', 10, name => 'stays', category => 'paid');
-- What begins later does not pay before it began: it pays what is owed when it begins.
SELECT FROM credits.credit_grant('ben', 5, name => 'ends', expires_at => soon(3));
SELECT FROM credits.credit_grant('ben', 10, name => 'begins', effective_at => soon(3));
-- Deferred events stand in the same order.
SELECT FROM credits.credit_grant('cy', 10, name => 'ends', expires_at => soon(3));
SELECT FROM credits.credit_grant('cy', 10, name => 'stays', category => 'paid');
SELECT FROM credits.report_meter_event('cy', 'later', 3, 'd1');
-- An account that somebody else posts to.
SELECT FROM credits.credit_grant('dee', 10, name => 'ends', expires_at => soon(3));
SELECT FROM credits.credit_grant('eve', 10, name => 'ends', expires_at => soon(3));
SELECT FROM credits.credit_grant('fay', 10, name => 'ends', expires_at => soon(3));
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('ada', 'tokens', 4, 'before');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier)
VALUES ('ada', 'tokens', 2, 'b2'), ('ada', 'tokens', 1, 'b3'), ('ben', 'tokens', 3, 'before'), ('ben', 'tokens', 4, 'b2'),
       ('cy', 'tokens', 4, 'before'), ('dee', 'tokens', 4, 'before'), ('eve', 'tokens', 4, 'before'), ('fay', 'images', 4, 'before');
SELECT FROM credits.report_meter_event('cy', 'later', 2, 'd2');
SELECT pg_sleep(3.1);
INSERT INTO credits.inbox (customer_id, event_name, value, identifier)
VALUES ('ada', 'tokens', 1, 'after'), ('ben', 'tokens', 1, 'after'), ('cy', 'tokens', 1, 'after');
SELECT FROM credits.report_meter_event('cy', 'later', 1, 'd3');
-- The account's time has moved on: what it was then is no more.
SELECT ok, shortfall FROM credits.wallet_try_debit('dee', 1);
SELECT FROM credits.wallet_credit('dee', 1);

SELECT credits.settle();
SELECT customer_id, identifier, error FROM credits.rejected_events;
SELECT * FROM story WHERE customer_id IN ('ada', 'ben', 'cy', 'dee') ORDER BY 1, 2;
SELECT bool_and(created_at = occurred_at) AS as_of_when_it_came FROM credits.usage WHERE event_name = 'tokens' AND identifier <> 'd1';
SELECT customer_id, available, pending FROM credits.wallets ORDER BY 1;
-- What a past balance says agrees: between the rows and the end 3 of the grant's 10 were left.
SELECT b.available FROM credits.ledger l,
LATERAL credits.wallet_balance_at('ada', as_of => l.effective_at - interval '1 microsecond') b
WHERE l.customer_id = 'ada' AND l.type = 'expiration';

-- maintain() settles what came before it posts what fell due since.
SELECT FROM credits.credit_grant('gus', 10, name => 'ends', expires_at => soon(2));
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('gus', 'tokens', 4, 'before');
-- More than one batch: nothing posts the end before all of it is settled.
SELECT FROM credits.credit_grant('ida', 10000, name => 'ends', expires_at => soon(2));
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) SELECT 'ida', 'tokens', 1, i::text
FROM generate_series(1, 3500) i;
SELECT FROM credits.report_meter_event('ida', 'later', 1, 'deferred');
-- As of then is the price, too: a new one is that of what is put in from then on.
SELECT FROM credits.meter_create('calls', unit_price => 2);
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('gus', 'calls', 'c1');
SELECT FROM credits.meter_update('calls', unit_price => 3);
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('gus', 'calls', 'c2'), ('gus', 'calls', 'c3');
-- What was put aside comes as of when it came first.
SELECT FROM credits.meter_create('images');
SELECT credits.inbox_retry();
SELECT pg_sleep(2.1);
CALL credits.maintain();
SELECT * FROM story WHERE customer_id IN ('fay', 'gus') ORDER BY 1, 2;
SELECT type, count(*), sum(amount), bool_and(when_reported) AS when_reported FROM story WHERE customer_id = 'ida'
GROUP BY 1 ORDER BY 1;
SELECT available, pending FROM credits.wallet_balance('ida', 'CREDIT');
SELECT identifier, price_version, credits FROM credits.usage WHERE event_name = 'calls' ORDER BY 1;

SELECT * FROM credits.verify();
