-- The outbox: an administrator makes its consumers; rows are handed out to each of them, and kept until all have acknowledged.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.wallet_credit('ann', 100);
SELECT FROM credits.account_configure('ann', low_balance_threshold => 50);
SELECT FROM credits.wallet_debit('ann', 60);
-- No name is a consumer by itself: what is misspelt keeps no row for ever.
\set VERBOSITY verbose
SELECT * FROM credits.outbox_claim('mails');
\set VERBOSITY default
SELECT credits.outbox_ack('mails', '{}');
SELECT * FROM credits.outbox_consumer_create('mails');
SET credits.test_clock = '2026-03-01 12:10+00';
SELECT * FROM credits.outbox_consumer_create('mails');
SELECT * FROM credits.outbox_consumer_create('books');
-- It is handed what waits. One that holds too much for too long would keep it from all the others of its name.
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('mails', lease => '10 years');
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('mails', 2000000000);
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('mails', 50000, '24 hours');
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('mails');
SELECT * FROM credits.outbox_backlog ORDER BY consumer;
-- A session that went away: its lease is ended, for one customer or for all.
SELECT credits.outbox_release('mails', 'bob');
SELECT credits.outbox_release('mails', 'ann');
SELECT credits.outbox_release('mails');
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('mails');
SELECT credits.outbox_ack('mails', ARRAY(SELECT outbox_id FROM credits.outbox_rows));
SELECT consumer, waiting, oldest_at, leased_customers, leased_until FROM credits.outbox_backlog ORDER BY consumer;
-- The other one has not asked yet, so the row is kept. Removed, it keeps none.
SELECT type FROM credits.outbox_rows;
SELECT credits.outbox_consumer_remove('books');
SELECT type FROM credits.outbox_rows;
SELECT credits.outbox_consumer_remove('books');
SELECT credits.outbox_release('books');
-- Where the last is removed, what comes waits for the next.
SELECT credits.outbox_consumer_remove('mails');
SELECT FROM credits.wallet_debit('ann', 40);
SELECT FROM credits.outbox_consumer_create('later');
SELECT customer_id, outbox_no, type FROM credits.outbox_claim('later');
-- Exhausted is nothing left but less than the smallest part of a credit, in a currency of however many decimals.
SELECT FROM credits.currency_create('FINE', decimals => 17) a, credits.currency_create('FINER', decimals => 18) b;
SELECT FROM unnest(ARRAY['FINE', 'FINER']) c, credits.wallet_credit('eva', 1, c), credits.account_configure('eva', c, low_balance_threshold => 0.5);
SELECT available FROM unnest(ARRAY[0.9, 0.099999999999999999, 0.000000000000000001]) a, credits.wallet_debit('eva', a, 'FINER');
SELECT available FROM unnest(ARRAY[0.9, 0.1]) a, credits.wallet_debit('eva', a, 'FINE');
SELECT type, payload ->> 'currency' AS currency, payload ->> 'available' AS available
FROM credits.outbox_claim('later') WHERE customer_id = 'eva' AND type LIKE 'balance.%';
SELECT * FROM credits.verify();
