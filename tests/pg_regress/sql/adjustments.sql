-- Another value for the same usage, less or more, at the price that the event had.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT FROM credits.credit_grant('ada', 5, name => 'first', expires_at => '2026-03-10');
SELECT FROM credits.credit_grant('ada', 100, name => 'second', category => 'paid', cost_basis => 1);
SELECT status, consumed FROM credits.report_meter_event('ada', 'tokens', 20, 'e1');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;

-- Less: credits go back to the grants that paid, newest draw first. More: charged now, as usage is. At the price of
-- then.
SELECT FROM credits.meter_update('tokens', unit_price => 2);
SELECT * FROM credits.meter_event_adjust('ada', 'e1', 7, 'counted twice');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;
SELECT * FROM credits.meter_event_adjust('ada', 'e1', 30);
SELECT name, remaining FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount, running_balance, identifier, quantity FROM credits.ledger ORDER BY line_no;

-- An event that one grant paid is a ledger line by itself. That line stays what it was.
SELECT consumed FROM credits.report_meter_event('ada', 'tokens', 3, 'e2');
SELECT consumed, returned, available FROM credits.meter_event_adjust('ada', 'e2', 1, 'a line by itself');
SELECT line_no, type, amount, running_balance, identifier, quantity FROM credits.ledger WHERE identifier = 'e2'
ORDER BY line_no;

-- Usage and statistics have the new value; what it was before is kept.
SELECT identifier, quantity, credits, consumed, pending, status FROM credits.usage ORDER BY 1;
SELECT event_name, total_quantity, total_credits, event_count FROM credits.usage_summary('ada');
SELECT event_count, total_value, total_credits FROM credits.meter_event_stats('tokens');
SELECT * FROM credits.usage_adjustments ORDER BY identifier, adjustment_no;

-- The same value again changes nothing. The report may still be repeated, as it was made.
SELECT * FROM credits.meter_event_adjust('ada', 'e1', 30, 'again');
SELECT status, consumed, replayed FROM credits.report_meter_event('ada', 'tokens', 20, 'e1');
SELECT credits.report_meter_event('ada', 'tokens', 30, 'e1');
SELECT count(*) FROM credits.usage_adjustments;

-- To nothing, and from nothing.
SELECT value, consumed, returned, available FROM credits.meter_event_adjust('ada', 'e1', 0);
SELECT value, consumed, charged, available FROM credits.meter_event_adjust('ada', 'e1', 9);
SELECT name, remaining FROM credits.grants ORDER BY grant_id;

-- A cancellation afterwards returns what stands, and nothing can be adjusted then.
SELECT returned, available FROM credits.meter_event_cancel('ada', 'e1');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;
SELECT credits.meter_event_adjust('ada', 'e1', 5);

-- What comes back to a grant that has ended ends the same way at once.
SELECT consumed FROM credits.report_meter_event('ada', 'tokens', 4, 'e3');
SET credits.test_clock = '2026-03-20';
SELECT consumed, returned, available FROM credits.meter_event_adjust('ada', 'e3', 0);
SELECT name, status, remaining, consumed, lapsed FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount FROM credits.ledger WHERE customer_id = 'ada' ORDER BY line_no DESC LIMIT 3;

-- What is owed: less is owed first, then credits come back, which pay what is owed otherwise.
SELECT FROM credits.wallet_credit('bob', 10);
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 8, 'e1');
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 3, 'e2');
SELECT status, consumed, pending, charged, returned FROM credits.meter_event_adjust('bob', 'e1', 9);
SELECT status, consumed, pending, charged, returned FROM credits.meter_event_adjust('bob', 'e1', 3);
SELECT identifier, quantity, consumed, pending, status FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;
SELECT status, consumed, pending, charged, returned, available FROM credits.meter_event_adjust('bob', 'e2', 1);
SELECT status, consumed, pending, charged, returned, available FROM credits.meter_event_adjust('bob', 'e2', 4);
SELECT line_no, type, amount, pending, running_balance, identifier FROM credits.ledger WHERE customer_id = 'bob'
ORDER BY line_no;
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT FROM credits.wallet_credit('bob', 10);
SELECT identifier, quantity, consumed, pending, status FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;
SELECT returned FROM credits.meter_event_cancel('bob', 'e2');

-- A meter that owes nothing, or an account that may not owe so much: the whole call is refused.
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT FROM credits.wallet_credit('cy', 10);
SELECT consumed FROM credits.report_meter_event('cy', 'strict', 4, 'e1');
SELECT credits.meter_event_adjust('cy', 'e1', 11);
SELECT status, consumed, charged, available FROM credits.meter_event_adjust('cy', 'e1', 10);
SELECT FROM credits.account_configure('cy', overdraft_limit => 3);
SELECT consumed FROM credits.report_meter_event('cy', 'tokens', 1, 'e2');
SELECT credits.meter_event_adjust('cy', 'e2', 2);
SELECT identifier, quantity, consumed, pending FROM credits.usage WHERE customer_id = 'cy' ORDER BY 1;

-- Usage that is priced together: what the period costs changes by it. Tiers:
SELECT FROM credits.meter_create('api', pricing =>
    '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 1}, {"unit_price": 0.5}]}');
SELECT FROM credits.wallet_credit('dee', 1000);
SELECT consumed FROM credits.report_meter_event('dee', 'api', 8, 'e1');
SELECT consumed FROM credits.report_meter_event('dee', 'api', 8, 'e2');
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 'e1', 20);
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 'e2', 0);
SELECT quantity, event_count, credits FROM credits.usage_by_period WHERE customer_id = 'dee';
-- The highest: another event counts, or the same with another value.
SELECT FROM credits.meter_create('seats', aggregation => 'max', period => 'month');
SELECT consumed FROM credits.report_meter_event('dee', 'seats', 8, 's1');
SELECT consumed FROM credits.report_meter_event('dee', 'seats', 5, 's2');
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 's2', 12);
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 's2', 2);
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 's2', 8);
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 's1', 3);
SELECT quantity, event_count, credits FROM credits.usage_by_period WHERE customer_id = 'dee' AND event_name = 'seats';
-- The last: an earlier one changes nothing.
SELECT FROM credits.meter_create('disk', aggregation => 'last', period => 'day');
SELECT consumed FROM credits.report_meter_event('dee', 'disk', 8, 'd1');
SELECT consumed FROM credits.report_meter_event('dee', 'disk', 5, 'd2');
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 'd1', 100);
SELECT consumed, charged, returned FROM credits.meter_event_adjust('dee', 'd2', 6);
SELECT quantity, event_count, credits FROM credits.usage_by_period WHERE customer_id = 'dee' AND event_name = 'disk';
-- A count costs the same, whatever the value.
SELECT FROM credits.meter_create('calls', aggregation => 'count');
SELECT consumed FROM credits.report_meter_event('dee', 'calls', 8, 'c1');
SELECT value, consumed, charged, returned FROM credits.meter_event_adjust('dee', 'c1', 9);
-- The class of the price is what the event's metadata said.
SELECT FROM credits.meter_create('model', pricing =>
    '{"by": "size", "default": {"unit_price": 1}, "prices": {"large": {"unit_price": 3}}}');
SELECT consumed FROM credits.report_meter_event('dee', 'model', 2, 'm1', metadata => '{"size": "large"}');
SELECT value, consumed, charged, returned FROM credits.meter_event_adjust('dee', 'm1', 1);

-- An event that is not settled yet is settled first.
SELECT FROM credits.meter_create('later', unit_price => 1, settlement => 'deferred');
SELECT FROM credits.wallet_credit('eve', 10);
SELECT status FROM credits.report_meter_event('eve', 'later', 7, 'e1');
SELECT status, value_before, value, consumed, charged, returned, available
FROM credits.meter_event_adjust('eve', 'e1', 4);
SELECT line_no, type, amount, identifier FROM credits.ledger WHERE customer_id = 'eve' ORDER BY line_no;

-- An event without cost, in an account that was never used.
SELECT FROM credits.customer_upsert('fay');
SELECT consumed FROM credits.report_meter_event('fay', 'strict', 0, 'e1');
SELECT credits.meter_event_adjust('fay', 'e1', 1);
SELECT consumed FROM credits.report_meter_event('fay', 'tokens', 0, 'e2');
SELECT status, consumed, pending, charged FROM credits.meter_event_adjust('fay', 'e2', 1);

-- What was said about it can be cleared.
SELECT cleared FROM credits.customer_metadata_clear('ada');
SELECT count(reason) FROM credits.usage_adjustments WHERE customer_id = 'ada';

-- Wrong.
SELECT credits.meter_event_adjust('ada', 'unknown', 1);
SELECT credits.meter_event_adjust('nobody', 'e1', 1);
SELECT credits.meter_event_adjust('bob', 'e1', -1);
SELECT credits.meter_event_adjust('bob', 'e1', 'NaN');
SELECT credits.meter_event_adjust('bob', 'e1', 1e30);
SELECT credits.meter_event_adjust('bob', 'e1');
SELECT credits.meter_event_adjust('bob', NULL, 1);
SELECT credits.meter_event_adjust(NULL, 'e1', 1);
SELECT * FROM credits.verify();

-- verify() sees a value that was changed by another way.
BEGIN;
UPDATE credits_internal.meter_events SET value = 5 WHERE customer_id = 'bob' AND identifier = 'e1';
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM credits_internal.event_adjustments WHERE customer_id = 'bob' AND identifier = 'e1' AND adjustment_no = 1;
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM credits_internal.event_adjustments WHERE customer_id = 'bob' AND identifier = 'e1';
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
