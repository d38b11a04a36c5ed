-- The inbox: a table that pipelines COPY usage into, and that is drained batch by batch.
SET credits.test_clock = '2026-03-10 12:00';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT FROM credits.meter_create('later', settlement => 'deferred');
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT FROM credits.meter_create('llm', pricing => '{"by": "model", "prices": {"large": {"unit_price": 10}}, "default": {"unit_price": 1}}');
SELECT FROM credits.wallet_credit('ada', 100);
SELECT FROM credits.wallet_credit('ben', 3);
SELECT consumed FROM credits.report_meter_event('ada', 'tokens', 4, 'known');

COPY credits.inbox (customer_id, event_name, value, identifier, occurred_at, metadata) FROM stdin;
ada	tokens	20	i1	2026-03-10 11:00+00	\N
ben	tokens	4	i1	2026-03-10 11:00+00	{"a": 1}
ada	tokens	20	i1	2026-03-10 11:00+00	\N
ada	llm	2	i2	\N	{"model": "large"}
ada	later	7	i3	\N	\N
ada	tokens	4	known	\N	\N
ada	tokens	5	known	\N	\N
nobody	tokens	1	n1	\N	\N
ada	none	1	n2	\N	\N
ada	tokens	-1	n3	\N	\N
ada	tokens	NaN	n4	\N	\N
ada	tokens	1	\N	\N	\N
ada	tokens	1	n5	2020-01-01 00:00+00	\N
ben	strict	9	n6	\N	\N
\N	tokens	1	n7	\N	\N
ada	tokens	\N	n8	\N	\N
\.
-- Nothing of it has happened yet, and it can be watched.
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SELECT inbox, inbox_since IS NOT NULL AS since, unsettled, rejected FROM credits.backlog;

-- What was charged, recorded or found a repeat is gone; the rest is put aside with its error.
SELECT credits.settle(8);
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT credits.settle(100);
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT credits.settle();
SELECT customer_id, identifier, quantity, status, consumed, pending, occurred_at, metadata FROM credits.usage
ORDER BY 1, 2;
SELECT customer_id, event_name, value, identifier, error, message FROM credits.rejected_events ORDER BY rejected_id;
SELECT customer_id, available, pending FROM credits.wallets ORDER BY 1;

-- Put right, and tried again. What is wrong beyond that is deleted.
SELECT FROM credits.customer_upsert('nobody');
SELECT FROM credits.meter_create('none');
SELECT credits.inbox_retry(error => 'PC003'), credits.inbox_retry(ARRAY(SELECT rejected_id
FROM credits.rejected_events WHERE identifier = 'n2'));
SELECT inbox, rejected FROM credits.backlog;
CALL credits.maintain();
SELECT customer_id, identifier, status, consumed, pending FROM credits.usage WHERE identifier IN ('n1', 'n2')
ORDER BY 1;
SELECT credits.inbox_discard(ARRAY(SELECT rejected_id FROM credits.rejected_events
WHERE identifier IN ('known', 'n3', 'n4'))), credits.inbox_discard(NULL);
SELECT identifier, error FROM credits.rejected_events ORDER BY rejected_id;

-- An INSERT is as good. What is left out has its default: a value of 1, and the time at which it was put in.
RESET credits.test_clock;
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('ada', 'tokens', 'ins');
INSERT INTO credits.inbox (customer_id, event_name, identifier, occurred_at) VALUES ('ada', 'tokens', 'null', NULL);
SELECT received_at AS put_in FROM credits.inbox WHERE identifier = 'null' \gset
SELECT credits.settle();
SELECT identifier, quantity, consumed, occurred_at = created_at AS as_of_then FROM credits.usage
WHERE identifier IN ('ins', 'null') ORDER BY 1;
SELECT occurred_at = :'put_in' AS when_put_in FROM credits.usage WHERE identifier = 'null';

-- An application may put usage in, and may not say in what order it came.
SET ROLE credits_app;
INSERT INTO credits.inbox (customer_id, event_name, identifier, value) VALUES ('ada', 'tokens', 'by app', 2);
COPY credits.inbox (customer_id, event_name, identifier) FROM stdin;
ada	tokens	by app too
\.
INSERT INTO credits.inbox (customer_id, received_at) VALUES ('ada', '2020-01-01');
SELECT count(*) FROM credits.inbox;
DELETE FROM credits.inbox;
SELECT credits.settle();
RESET ROLE;
SELECT identifier, consumed FROM credits.usage WHERE identifier LIKE 'by%' ORDER BY 1;

SELECT * FROM credits.verify();
