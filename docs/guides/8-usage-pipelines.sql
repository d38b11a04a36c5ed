-- USAGE PIPELINES
--
-- Usage by the million, from Kafka or a nightly file, and one wallet that sixty workers report into. This page copies
-- usage in, settles it, finds what was wrong with it, and defers what need not be charged at once.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-10 09:00+00';
SELECT amount FROM credits.credit_grant('hal', 100, name => 'Pack');
SELECT amount FROM credits.credit_grant('ida', 5, name => 'Trial');
SELECT event_name, unit_price FROM credits.meter_create('tokens', unit_price => 0.001, unit => 'token');

-- 1. COPY IT IN
--
-- The inbox takes whatever comes, at the speed of COPY. Name the columns; customer_id, event_name and identifier are
-- what a row needs. value defaults to 1, occurred_at to when the row was put in. The login that copies needs no more
-- than credits_meter may do: put rows in, and report events. These are the rows:
--
--     hal  tokens  2000  kafka-1  08:10  {"model": "small"}
--     hal  tokens   500  kafka-2  08:11
--     ida  tokens  9000  kafka-3  08:11
--     hal  tokens   500  kafka-2  08:11                        (once more)
--     hal  token    700  kafka-4  08:12                        (a meter that is not there)
--     jon  tokens   800  kafka-5  08:13                        (a customer that is not there)
--     hal  tokens    -1  kafka-6  08:14
SET ROLE credits_meter;
COPY credits.inbox (customer_id, event_name, value, identifier, occurred_at, metadata) FROM stdin;
hal	tokens	2000	kafka-1	2026-03-10 08:10+00	{"model": "small"}
hal	tokens	500	kafka-2	2026-03-10 08:11+00	\N
ida	tokens	9000	kafka-3	2026-03-10 08:11+00	\N
hal	tokens	500	kafka-2	2026-03-10 08:11+00	\N
hal	token	700	kafka-4	2026-03-10 08:12+00	\N
jon	tokens	800	kafka-5	2026-03-10 08:13+00	\N
hal	tokens	-1	kafka-6	2026-03-10 08:14+00	\N
\.
RESET ROLE;

-- Nothing is charged yet, and backlog shows what waits:
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT available FROM credits.wallet_balance('hal', 'CREDIT');

-- 2. SETTLE IT
--
-- settle() takes a batch, charges each row as report_meter_event would, and returns how many rows it was. Call it until
-- it returns 0, from as many sessions as you like; or let CALL credits.maintain() do that, which runs every few minutes
-- anyway. A batch commits as a whole, so whatever is interrupted is simply there again.
SELECT credits.settle(4);
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT credits.settle();
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT customer_id, available, pending FROM credits.wallets ORDER BY 1;

-- kafka-2 arrived twice and was charged once; what Ida's trial does not cover is owed.
--
-- 3. WHAT WAS WRONG
--
-- Three rows could not be charged. They are set aside with the error that report_meter_event would have raised:
SELECT customer_id, event_name, value, identifier, error, message FROM credits.rejected_events ORDER BY rejected_id;

-- Jon signed up a minute after he started, so his row goes back to the inbox now that he exists. The meter of kafka-4
-- was misspelt: it is reported again as it should have been, and the row deleted. So is kafka-6, which is no usage.
SELECT customer_id FROM credits.customer_upsert('jon');
SELECT credits.inbox_retry(error => 'PC003');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at)
SELECT customer_id, 'tokens', value, identifier, occurred_at FROM credits.rejected_events WHERE identifier = 'kafka-4';
SELECT credits.inbox_discard(ARRAY(SELECT rejected_id FROM credits.rejected_events));
SELECT credits.settle();
SELECT customer_id, identifier, status, consumed, pending FROM credits.usage WHERE identifier IN ('kafka-4', 'kafka-5');

-- 4. ONE WALLET, MANY WRITERS
--
-- The row of an account is its lock, so sessions that charge one wallet take turns. Where usage is recorded by many and
-- need not be refused, make its meter deferred: a report then only records the event, and waits for nobody.
SELECT event_name, settlement FROM credits.meter_create('requests', unit_price => 0.5, settlement => 'deferred');
SELECT status, consumed, replayed FROM credits.report_meter_event('hal', 'requests', 30, 'req-1');
SELECT status, consumed, replayed FROM credits.report_meter_event('hal', 'requests', 30, 'req-1');

-- Every reader counts it, though: less is available already, before anything is settled.
SELECT unsettled FROM credits.backlog;
SELECT available FROM credits.wallet_balance('hal', 'CREDIT');
SELECT identifier, status, credits, consumed FROM credits.usage WHERE identifier = 'req-1';

-- So nobody spends what is used, and whatever else is charged to the account settles it first:
SELECT ok, shortfall, available FROM credits.wallet_try_debit('hal', 90);
SELECT debited, available FROM credits.wallet_debit('hal', 10);
SELECT type, amount, running_balance, identifier, effective_at FROM credits.ledger WHERE customer_id = 'hal'
ORDER BY line_no;

-- An event is charged as of when it was reported, in one order with what fell due in between: so it does not matter
-- when it is settled.
SELECT identifier, status, credits, consumed FROM credits.usage WHERE identifier = 'req-1';
SELECT * FROM credits.backlog;

-- 5. HOW MUCH, AND WHEN
SELECT bucket, event_count, total_value, total_credits
FROM credits.meter_event_stats('tokens', '2026-03-10', '2026-03-11', 'hour');
SELECT * FROM credits.verify();
