-- A batch whose accounts' first grants pay for all of it is charged in two statements; what rules that out is noticed, and
-- leaves nothing. A session that tried it in vain rests, so each case is a session of its own.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.meter_create('tokens', settlement => 'deferred');
SELECT FROM credits.wallet_credit('ada', 100);
SELECT FROM credits.wallet_credit('bob', 50);

-- All of it: answers in the order given, lines counted in it.
SELECT identifier, consumed, available FROM credits.report_meter_events(
    '{bob,ada,bob,ada}', '{calls,calls,calls,calls}', '{1,2.5,3,4}', '{z,z,a,a}');
SELECT customer_id, line_no, amount, running_balance, identifier FROM credits.ledger WHERE type = 'consumption' ORDER BY 1, 2;

-- An identifier that was used before, beside new ones; and one twice.
\c
SET credits.test_clock = '2026-03-01 12:01';
SELECT identifier, consumed, available, replayed, error FROM credits.report_meter_events(
    '{ada,bob,ada}', '{calls,calls,calls}', '{1,3,4}', '{new,a,a}');
\c
SELECT identifier, consumed, available, replayed, error FROM credits.report_meter_events(
    '{ada,ada,bob,ada}', '{calls,calls,calls,calls}', '{1,1,1,2}', '{twice,twice,new,twice}', all_or_nothing => false);
\c
SELECT identifier FROM credits.report_meter_events('{ada,bob}', '{calls,calls}', '{1,4}', '{never,a}', all_or_nothing => true);
SELECT customer_id, available FROM credits_internal.accounts ORDER BY 1;

-- More than the first grant has.
\c
SELECT FROM credits.credit_grant('cy', 5, priority => 1);
SELECT FROM credits.credit_grant('cy', 5, priority => 2);
SELECT identifier, consumed, pending, available FROM credits.report_meter_events(
    '{ada,cy,cy}', '{calls,calls,calls}', '{1,4,7}', '{c1,c1,c2}');
SELECT line_no, type, amount, running_balance, identifier FROM credits.ledger WHERE customer_id = 'cy' ORDER BY line_no;

-- A grant for this meter comes first.
\c
SELECT FROM credits.credit_grant('dan', 10);
SELECT FROM credits.credit_grant('dan', 5, name => 'calls only', applicable_meters => '{calls}', priority => 1);
SELECT identifier, consumed, available FROM credits.report_meter_events('{ada,dan}', '{calls,calls}', '{1,4}', '{d1,d1}');
SELECT name, remaining FROM credits.grants WHERE customer_id = 'dan' ORDER BY priority;

-- Usage that waits to be charged comes first.
\c
SELECT FROM credits.credit_grant('eve', 10);
SELECT status FROM credits.report_meter_event('eve', 'tokens', 3, 'earlier');
SELECT identifier, consumed, available FROM credits.report_meter_events('{ada,eve}', '{calls,calls}', '{1,4}', '{e1,e1}');
SELECT line_no, type, amount, running_balance, identifier FROM credits.ledger WHERE customer_id = 'eve' ORDER BY line_no;

-- What fell due comes first.
\c
SET credits.test_clock = '2026-03-02';
SELECT FROM credits.credit_grant('fay', 10, priority => 1, expires_at => '2026-03-02 01:00');
SELECT FROM credits.credit_grant('fay', 20, priority => 2);
SET credits.test_clock = '2026-03-02 02:00';
SELECT identifier, consumed, available FROM credits.report_meter_events('{ada,fay}', '{calls,calls}', '{1,4}', '{f1,f1}');
SELECT line_no, type, amount, running_balance, effective_at FROM credits.ledger WHERE customer_id = 'fay' ORDER BY line_no;

-- A balance that somebody is to be told of is told of.
\c
SET credits.test_clock = '2026-03-02 03:00';
SELECT FROM credits.credit_grant('gus', 20);
SELECT FROM credits.account_configure('gus', low_balance_threshold => 10);
SELECT identifier, consumed, available FROM credits.report_meter_events('{ada,gus}', '{calls,calls}', '{1,12}', '{g1,g1}');
SELECT customer_id, type FROM credits_internal.outbox WHERE customer_id = 'gus';

-- A customer that is not known, and one that has no account.
\c
SET credits.test_clock = '2026-03-02 03:00';
SELECT FROM credits.customer_upsert('hal');
SELECT identifier, consumed, pending, error FROM credits.report_meter_events(
    '{ada,hal,nobody}', '{calls,calls,calls}', '{1,2,3}', '{h1,h1,h1}');

-- The inbox is charged the same way.
INSERT INTO credits.inbox (customer_id, event_name, value, identifier)
VALUES ('ada', 'calls', 1, 'i1'), ('bob', 'calls', 2, 'i1'), ('ada', 'calls', 1, 'a');
\c
SET credits.test_clock = '2026-03-02 04:00';
SELECT credits.settle();
SELECT customer_id, identifier, error FROM credits.rejected_events;
SELECT customer_id, available FROM credits_internal.accounts ORDER BY 1;
SELECT * FROM credits.verify();
