-- THE SUPPORT DESK
--
-- Eve writes: "I bought 100 credits, got 30 more, and now I have none and even owe you something?" This page finds
-- out why the balance is what it is, and puts right what is wrong. Nothing is ever changed in the ledger: a
-- correction is a line of its own.
SET TimeZone = 'UTC';

-- What happened before, so that this page has something to look at. (The results of these calls do not matter here.)
\o /dev/null
SET credits.test_clock = '2026-03-01 09:00+00';
SELECT FROM credits.customer_upsert('eve', 'Eve', 'eve@example.com');
SELECT FROM credits.meter_create('tokens', unit_price => 0.001, unit => 'token');
SELECT FROM credits.credit_grant('eve', 100, name => 'Pack', category => 'paid', cost_basis => 0.02);
SELECT FROM credits.credit_grant('eve', 30, name => 'Welcome', expires_at => '2026-03-10 00:00+00');
SET credits.test_clock = '2026-03-02 10:00+00';
SELECT FROM credits.report_meter_event('eve', 'tokens', 12000, 'chat-1');
SET credits.test_clock = '2026-03-05 11:00+00';
SELECT FROM credits.wallet_debit('eve', 10, description => 'Poster');
SET credits.test_clock = '2026-03-12 12:00+00';
SELECT hold_id AS film FROM credits.hold_create('eve', 25, description => 'Film') \gset
SELECT FROM credits.hold_capture('eve', :'film', 20);
SET credits.test_clock = '2026-03-14 13:00+00';
SELECT FROM credits.report_meter_event('eve', 'tokens', 90000, 'chat-2');
\o

-- 1. WHAT SHE HAS
SET credits.test_clock = '2026-03-15 09:00+00';
SELECT currency, available, restricted, held, pending FROM credits.wallet_balance('eve');

-- She is right. Where did the 130 go?
SELECT name, category, status, amount, consumed, lapsed, remaining, expires_at
FROM credits.grants WHERE customer_id = 'eve' ORDER BY effective_at, name;

-- 122 were used, and 8 of the welcome bonus expired.
--
-- 2. WHY
--
-- The history, newest first, with the balance after each line, a page at a time. What has expired shows once it is
-- posted, so have that done first.
CALL credits.maintain();
SELECT line_no, effective_at, type, amount, running_balance AS balance, held, pending, event_name, quantity, description
FROM credits.wallet_history('eve', 'CREDIT', page_size => 6);
SELECT line_no, effective_at, type, amount, running_balance AS balance, held, pending, event_name, quantity, description
FROM credits.wallet_history('eve', 'CREDIT', page_size => 6, before => 5);

-- Read from the bottom: the two grants; a chat of 12,000 tokens; the poster; the 8 that expired; a film that held 25,
-- took 20 and gave 5 back; and a chat of 90,000 tokens, which met a balance of 80. The other 10 are owed.
--
-- The view ledger says the same with all that a line is about, and can be filtered like any table. Which credits paid
-- for what? (amount is what a line did to the balance, held what it did to the credits held; what both lose is
-- spent.)
SELECT coalesce(event_name, description) AS used_for, grant_name, -sum(amount + held) AS paid
FROM credits.ledger WHERE customer_id = 'eve' AND type IN ('consumption', 'debit', 'hold', 'capture', 'release')
GROUP BY 1, 2 ORDER BY 1, 2;

-- And what did she have at a certain moment, say before the bonus expired, right after, and before the big chat?
SELECT at, balance, pending
FROM unnest('{2026-03-09 12:00+00, 2026-03-10 00:00+00, 2026-03-14 12:00+00}'::timestamptz[]) AS at,
     credits.wallet_balance_at('eve', 'CREDIT', at);

-- 3. PUTTING IT RIGHT
--
-- chat-2 had 9,000 tokens, not 90,000: our own client had miscounted, and charged 81 credits too many. They come
-- back as a correction, a grant of its own, with the ticket as its key, so that two colleagues cannot both do it:
SELECT adjusted, available, replayed
FROM credits.wallet_adjust('eve', 81, 'correction', idempotency_key => 'ticket-77', description => 'Ticket 77: chat-2');
SELECT adjusted, available, replayed
FROM credits.wallet_adjust('eve', 81, 'correction', idempotency_key => 'ticket-77', description => 'Ticket 77: chat-2');

-- 71 and not 81, because what she owed was paid first. And something for her trouble, good for a month:
SELECT adjusted, available
FROM credits.wallet_adjust('eve', 5, 'gift', description => 'For your trouble', expires_at => '2026-04-15 00:00+00');

-- "What will my next poster be paid with?" The gift first, because it ends:
SELECT category, amount, remaining_after, expires_at, decided_by FROM credits.explain_drawdown('eve', 10);

-- Somebody gave the same gift a second time, without a key. Void it: what is left of it is taken back. If she had used
-- some, that would stay used.
SELECT grant_id AS twice
FROM credits.credit_grant('eve', 5, name => 'For your trouble', expires_at => '2026-04-15 00:00+00') \gset
SELECT name, status, remaining FROM credits.credit_grant_void('eve', :'twice', reason => 'given twice');
SELECT name, status, amount, lapsed, ended_reason FROM credits.grants WHERE customer_id = 'eve' AND status = 'voided';

-- Counted once more, chat-2 had 15,000 tokens: 6 of the 81 were not hers. Below zero a correction takes credits, in the
-- order of any debit and never more than there are (PC001):
SELECT adjusted, available
FROM credits.wallet_adjust('eve', -6, 'correction', description => 'Ticket 77: counted again');
SELECT adjusted, available FROM credits.wallet_adjust('eve', -500, 'charge', description => 'Ordered by phone');

-- Eve has a new account at work and would like 20 of her credits there. Each part of a transfer keeps its category, its
-- expiry and what was paid for it. These are from the first correction, because the second took the gift, which was to
-- expire first:
SELECT transferred, available FROM credits.wallet_transfer('eve', 'eve@work', 20, description => 'Ticket 79');
SELECT customer_id, name, category, remaining, expires_at, transferred_from
FROM credits.grants WHERE customer_id = 'eve@work';

-- 4. WHAT THE LEDGER SHOWS
--
-- All that was done today is in the ledger, with its reason. Line 12 is what she owed, paid by the correction before
-- it.
SELECT line_no, type, amount, running_balance AS balance, pending, reason, counterparty, description
FROM credits.ledger WHERE customer_id = 'eve' AND effective_at >= '2026-03-15' ORDER BY line_no;
SELECT currency, available, pending FROM credits.wallet_balance('eve');
SELECT * FROM credits.verify();
