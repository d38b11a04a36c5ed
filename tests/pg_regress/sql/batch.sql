-- Many events in one call: each as if it had been reported alone.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT FROM credits.meter_create('off');
SELECT FROM credits.meter_deactivate('off');
SELECT FROM credits.wallet_credit('ada', 10);
SELECT FROM credits.credit_grant('bob', 3, priority => 1);
SELECT FROM credits.credit_grant('bob', 4, priority => 2);
SELECT FROM credits.customer_upsert('cy');
SELECT consumed FROM credits.report_meter_event('ada', 'tokens', 1, 'old');

SELECT * FROM credits.report_meter_events(
    ARRAY['ada', 'bob', 'nobody', 'ada', 'ada', 'bob', 'ada', 'cy', 'cy', 'ada', 'ada', NULL, 'ada', 'ada', 'bob'],
    ARRAY['tokens', 'tokens', 'tokens', 'none', 'off', 'tokens', 'tokens', 'tokens', 'strict', 'tokens', 'tokens',
          'tokens', 'tokens', 'tokens', 'strict'],
    ARRAY[2, 5, 1, 1, 1, 1, 2, 7, 1, 1, 9, 1, -1, 'NaN', 2]::numeric[],
    ARRAY['a1', 'b1', 'n1', 'a2', 'a3', 'b2', 'a1', 'c1', 'c2', 'old', 'old', 'x', 'a4', 'a5', 'b3'],
    ARRAY[NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL]::timestamptz[]);
SELECT * FROM credits.report_meter_events('{ada,ada}', '{tokens,tokens}', '{1,1}', '{late,fine}',
                                          ARRAY['2020-01-01', '2026-02-28']::timestamptz[]);
SELECT customer_id, identifier, value, consumed, pending FROM credits_internal.meter_events ORDER BY 1, 2;
SELECT customer_id, available, pending FROM credits_internal.accounts ORDER BY 1;

-- The whole batch again: the same answers, nothing charged.
SELECT identifier, status, consumed, pending, replayed, error FROM credits.report_meter_events(
    '{ada,bob,cy}', '{tokens,tokens,tokens}', '{2,5,7}', '{a1,b1,c1}');

-- An identifier twice in a batch: charged once; with another value a conflict; after a refusal a first report.
SELECT identifier, consumed, replayed, error FROM credits.report_meter_events(
    '{ada,ada,ada,cy,cy}', '{tokens,tokens,tokens,strict,tokens}', '{1,1,2,1,1}', '{t,t,t,s,s}');

-- A bad report before a good one of the same identifier is refused all the same; one after it is answered from it.
SELECT identifier, consumed, replayed, error FROM credits.report_meter_events(
    '{ada,ada,ada}', '{off,tokens,off}', '{1,1,1}', '{w,w,w}');
SELECT identifier, consumed, replayed, error
FROM credits.report_meter_events('{ada,ada}', '{tokens,tokens}', '{1,1}', '{y,y}',
                                          ARRAY['2027-01-01', '2026-03-01']::timestamptz[]);
-- In order: what a refused report leaves is there for the next one.
SELECT FROM credits.wallet_credit('dee', 88);
SELECT identifier, consumed, available, error FROM credits.report_meter_events(
    '{dee,dee,dee}', '{strict,strict,strict}', '{1000,60,80}', '{o,o,o3}');
-- The same identifier three thousand times.
SELECT replayed, error, count(*), sum(consumed) FROM credits.report_meter_events(
    array_fill('dee'::text, ARRAY[3000]), array_fill('tokens'::text, ARRAY[3000]), array_fill(0.5::numeric, ARRAY[3000]),
    array_fill('dup'::text, ARRAY[3000])) GROUP BY 1, 2 ORDER BY 1;
-- Arrays have one dimension.
SELECT credits.report_meter_events('{{ada,ada}}', '{tokens,tokens}', '{1,1}', '{q,r}');

-- All or nothing.
SELECT * FROM credits.report_meter_events('{ada,nobody}', '{tokens,tokens}', '{1,1}', '{z1,z2}', all_or_nothing => true);
SELECT count(*) FROM credits_internal.meter_events WHERE identifier LIKE 'z%';
SELECT * FROM credits.report_meter_events('{ada}', '{tokens}', '{1}', '{z1}', all_or_nothing => true);

-- None at all is a batch too.
SELECT * FROM credits.report_meter_events('{}', '{}', '{}', '{}');

SELECT * FROM credits.verify();
