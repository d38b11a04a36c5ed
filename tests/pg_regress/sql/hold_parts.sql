-- Holds that are captured in parts, for more than was held, after their time, and that are changed while they
-- are open.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.credit_grant('ada', 10, name => 'bonus', expires_at => '2026-04-01');
SELECT FROM credits.credit_grant('ada', 30, name => 'pack', category => 'paid');

-- In parts: each says by its key whether it is a repeat. What is left stays set aside.
SELECT hold_id AS h FROM credits.hold_create('ada', 15, description => 'render') \gset
SELECT credits.hold_capture('ada', :'h', 4, final => false);
SELECT status, captured, released, charged, available, replayed, capture_id IS NOT NULL AS has_record, capture_amount
FROM credits.hold_capture('ada', :'h', 4, 'scene 1', final => false, idempotency_key => 'scene-1');
SELECT status, captured, available, replayed, capture_amount
FROM credits.hold_capture('ada', :'h', 4, final => false, idempotency_key => 'scene-1');
SELECT status, captured, available, replayed, capture_amount
FROM credits.hold_capture('ada', :'h', 7, 'scene 2', final => false, idempotency_key => 'scene-2');
SELECT name, remaining, held, consumed FROM credits.grants ORDER BY grant_id;
SELECT grant_amounts FROM credits_internal.holds;
SELECT status, amount, captured, released, charged FROM credits.holds;

-- The same key for something else, or what is no key's: refused.
SELECT credits.hold_capture('ada', :'h', 5, final => false, idempotency_key => 'scene-1');
SELECT credits.wallet_debit('ada', 4, idempotency_key => 'scene-1');
SELECT FROM credits.wallet_debit('ada', 1, idempotency_key => 'debit-1');
SELECT credits.hold_capture('ada', :'h', 1, final => false, idempotency_key => 'debit-1');
SELECT hold_id AS other FROM credits.hold_create('ada', 1) \gset
\set VERBOSITY sqlstate
SELECT credits.hold_capture('ada', :'other', 4, final => false, idempotency_key => 'scene-1');
\set VERBOSITY default
SELECT status FROM credits.hold_release('ada', :'other');

-- The last part closes it, and gives back the rest. Without a key its amount says whether it is a repeat.
SELECT credits.hold_capture('ada', :'h', 4.5);
SELECT status, captured, released, available, replayed, capture_amount FROM credits.hold_capture('ada', :'h', 3);
SELECT status, captured, released, available, replayed, capture_amount FROM credits.hold_capture('ada', :'h', 3);
\set VERBOSITY sqlstate
SELECT status, captured, released, available, replayed, capture_amount FROM credits.hold_capture('ada', :'h');
SELECT credits.hold_capture('ada', :'h', 11);
SELECT credits.hold_capture('ada', :'h', 1, final => false, idempotency_key => 'scene-4');
\set VERBOSITY default
SELECT status, captured, replayed, capture_amount
FROM credits.hold_capture('ada', :'h', 4, final => false, idempotency_key => 'scene-1');
SELECT line_no, type, l.grant_name, amount, held, function, idempotency_key, description FROM credits.ledger l
WHERE held <> 0 ORDER BY line_no;

-- A hold that has nothing left stays open: more than it has is refused, or taken from the balance.
SELECT hold_id AS h FROM credits.hold_create('ada', 5, expires_in => '1 hour') \gset
SELECT status, captured, released, available FROM credits.hold_capture('ada', :'h', final => false,
    idempotency_key => 'all');
SELECT available, held FROM credits.wallet_balance('ada', 'CREDIT');
SELECT credits.hold_capture('ada', :'h', 2, final => false, idempotency_key => 'more');
SELECT status, captured, charged, available FROM credits.hold_capture('ada', :'h', 2, 'more than I thought',
    final => false, more => 'available', idempotency_key => 'more');
SELECT status, captured, charged, released, available, replayed
FROM credits.hold_capture('ada', :'h', 3, more => 'available');
SELECT status, captured, charged, released, available, replayed
FROM credits.hold_capture('ada', :'h', 3, more => 'available');
\set VERBOSITY sqlstate
SELECT credits.hold_capture('ada', :'h', 4, more => 'available');
\set VERBOSITY default

-- … in one call: all or nothing.
SELECT hold_id AS h FROM credits.hold_create('ada', 5) \gset
SELECT credits.hold_capture('ada', :'h', 100, more => 'available');
SELECT status, captured, charged FROM credits.holds WHERE hold_id = :'h';
SELECT status, captured, charged, released, available, replayed
FROM credits.hold_capture('ada', :'h', 8, more => 'available', idempotency_key => 'in one');
SELECT status, captured, charged, available, replayed
FROM credits.hold_capture('ada', :'h', 8, more => 'available', idempotency_key => 'in one');
SELECT amount, held, charged, final, late, idempotency_key, description FROM credits.hold_captures
ORDER BY created_at, capture_id;

-- Its time runs out while it is captured in parts: what is left goes back.
SELECT FROM credits.wallet_credit('bob', 20);
SELECT hold_id AS h FROM credits.hold_create('bob', 10, expires_in => '1 hour') \gset
SELECT captured FROM credits.hold_capture('bob', :'h', 4, final => false, idempotency_key => '1');
SELECT hold_id AS empty FROM credits.hold_create('bob', 1, expires_in => '30 minutes') \gset
SELECT captured FROM credits.hold_capture('bob', :'empty', final => false, idempotency_key => 'e');
SET credits.test_clock = '2026-03-01 13:00';
SELECT available, held FROM credits.wallet_balance('bob', 'CREDIT');
SELECT status, captured, released, closed_at FROM credits.holds WHERE customer_id = 'bob' ORDER BY hold_id;
SELECT status, captured, released, available, replayed FROM credits.hold_release('bob', :'h');
SELECT status, captured, released, closed_at FROM credits_internal.holds,
    LATERAL (SELECT amount - captured AS released) r
WHERE customer_id = 'bob' ORDER BY hold_id;
CALL credits.maintain();
SELECT status, closed_at FROM credits_internal.holds WHERE customer_id = 'bob' ORDER BY hold_id;

-- Late: refused, or charged to the balance, once. At most what the hold still had, unless more is allowed.
\set VERBOSITY sqlstate
SELECT credits.hold_capture('bob', :'h', 5);
\set VERBOSITY default
SELECT credits.hold_capture('bob', :'h', 7, late => 'charge');
SELECT credits.hold_capture('bob', :'h', 5, late => 'whatever');
SELECT status, captured, charged, released, available, replayed, capture_amount
FROM credits.hold_capture('bob', :'h', 2, late => 'charge', final => false, idempotency_key => 'late-1');
SELECT status, captured, charged, released, available, replayed, capture_amount
FROM credits.hold_capture('bob', :'h', late => 'charge');
SELECT status, captured, charged, released, available, replayed, capture_amount
FROM credits.hold_capture('bob', :'h', 4, late => 'charge');
\set VERBOSITY sqlstate
SELECT credits.hold_capture('bob', :'h', 3, late => 'charge');
SELECT credits.hold_capture('bob', :'h', 3, late => 'charge', idempotency_key => 'late-2');
\set VERBOSITY default
SELECT status, charged, replayed FROM credits.hold_capture('bob', :'empty', 0, late => 'charge');
SELECT credits.hold_capture('bob', :'empty', 100, late => 'charge', more => 'available');
SELECT hold_id AS r FROM credits.hold_create('bob', 1) \gset
SELECT status FROM credits.hold_release('bob', :'r');
\set VERBOSITY sqlstate
SELECT credits.hold_capture('bob', :'r', 1, late => 'charge');
\set VERBOSITY default
SELECT line_no, type, amount, held, effective_at FROM credits.ledger WHERE customer_id = 'bob' ORDER BY line_no;

-- Changed while it is open: more, from the grants in their order; less, back to where it came from; longer and
-- shorter.
SELECT FROM credits.credit_grant('cy', 10, name => 'first', expires_at => '2026-05-01');
SELECT FROM credits.credit_grant('cy', 10, name => 'second');
SELECT hold_id AS h FROM credits.hold_create('cy', 8, expires_in => '1 hour') \gset
SELECT status, amount, expires_at, available, replayed FROM credits.hold_update('cy', :'h', amount => 14);
SELECT status, amount, expires_at, available, replayed FROM credits.hold_update('cy', :'h', amount => 14);
SELECT name, remaining, held FROM credits.grants WHERE customer_id = 'cy' ORDER BY grant_id;
SELECT amount, captured, available FROM credits.hold_capture('cy', :'h', 5, final => false, idempotency_key => '1');
SELECT amount, captured, available FROM credits.hold_update('cy', :'h', amount => 9, expires_in => '2 hours');
SELECT name, remaining, held, consumed FROM credits.grants WHERE customer_id = 'cy' ORDER BY grant_id;
SELECT status, amount, expires_at FROM credits.hold_update('cy', :'h', expires_at => '2026-03-01 13:30');
SELECT credits.hold_update('cy', :'h', amount => 4.999999);
SELECT credits.hold_update('cy', :'h', amount => 0);
SELECT credits.hold_update('cy', :'h', amount => 9.0000001);
SELECT credits.hold_update('cy', :'h', amount => 1000);
SELECT credits.hold_update('cy', :'h', expires_at => '2026-03-01 13:00');
SELECT credits.hold_update('cy', :'h', expires_at => 'infinity');
SELECT credits.hold_update('cy', :'h', expires_in => '-1 hour');
SELECT credits.hold_update('cy', :'h', expires_at => '2026-03-02', expires_in => '1 hour');
SELECT credits.hold_update('cy', '01900000-0000-7000-8000-000000000000', amount => 1);
SELECT amount, captured, expires_at, replayed FROM credits.hold_update('cy', :'h');
SET credits.test_clock = '2026-03-01 13:30';
\set VERBOSITY sqlstate
SELECT credits.hold_update('cy', :'h', amount => 20);
\set VERBOSITY default
SELECT status, captured, released, available FROM credits.hold_release('cy', :'h');

-- A hold that was made smaller pays what is owed.
SELECT FROM credits.meter_create('tokens');
SELECT hold_id AS h FROM credits.hold_create('cy', 15) \gset
SELECT consumed, pending FROM credits.report_meter_event('cy', 'tokens', 3, 'e1');
SELECT amount, available FROM credits.hold_update('cy', :'h', amount => 10);
SELECT consumed, pending FROM credits.report_meter_event('cy', 'tokens', 3, 'e1');

-- Limits count what captures spend in addition, and what a hold is to have more.
SELECT FROM credits.wallet_credit('lim', 100);
SELECT FROM credits.usage_limit_set('lim', amount => 10, per => 'day');
SELECT hold_id AS h FROM credits.hold_create('lim', 6) \gset
SELECT credits.hold_update('lim', :'h', amount => 11);
SELECT captured, charged FROM credits.hold_capture('lim', :'h', 8, more => 'available', final => false,
    idempotency_key => '1');
SELECT credits.hold_capture('lim', :'h', 3, more => 'available');
SELECT captured, charged FROM credits.hold_capture('lim', :'h', 2, more => 'available');
SELECT used, remaining FROM credits.limits WHERE customer_id = 'lim';

-- A capture under a key is an operation, which can be reversed: what the hold paid of it, and what the balance did.
SELECT taken, returned, total_returned, available FROM credits.operation_reverse('ada', operation_key => 'in one',
    amount => 6);
SELECT taken, returned, total_returned, available FROM credits.operation_reverse('ada', operation_key => 'in one');
\set VERBOSITY sqlstate
SELECT credits.operation_reverse('ada', (SELECT hold_id FROM credits.hold_captures WHERE idempotency_key = 'in one'));
\set VERBOSITY default

SELECT customer_id, currency, status, amount, captured, charged, released FROM credits.holds ORDER BY hold_id;
SELECT account, balance FROM credits.trial_balance WHERE currency = 'CREDIT' AND balance <> 0 ORDER BY 1;
SELECT sum(balance) = 0 AS balanced FROM credits.trial_balance;
SELECT * FROM credits.verify();

-- verify() knows what captures must be: each rule is broken once, by the owner's hand, and undone.
CREATE FUNCTION breaking(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        RETURN QUERY SELECT format('%s (%s): %s where %s is due', v.problem, v.customer_id, 
                                   coalesce(v.found::text, '-'),
                                   coalesce(v.expected::text, '-')) FROM credits.verify() v ORDER BY 1;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
END $$;
CREATE VIEW capture AS SELECT o.idempotency_key, c.customer_id, c.hold_id, c.capture_id
FROM credits_internal.hold_captures c
JOIN credits_internal.operations o ON o.customer_id = c.customer_id AND o.operation_id = c.capture_id;
SELECT * FROM breaking($$UPDATE credits_internal.hold_captures c SET amount = 5 FROM capture
    WHERE idempotency_key = 'scene-1' AND c.capture_id = capture.capture_id$$);
SELECT * FROM breaking($$UPDATE credits_internal.hold_captures c SET held = 3 FROM capture
    WHERE idempotency_key = 'scene-1' AND c.capture_id = capture.capture_id$$);
SELECT * FROM breaking($$UPDATE credits_internal.hold_captures c SET final = true FROM capture
    WHERE idempotency_key = 'scene-1' AND c.capture_id = capture.capture_id$$);
SELECT * FROM breaking($$UPDATE credits_internal.hold_captures c SET late = false FROM capture
    WHERE idempotency_key = 'late-1' AND c.capture_id = capture.capture_id$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.hold_captures c USING capture
    WHERE idempotency_key = 'more' AND c.capture_id = capture.capture_id$$);
SELECT * FROM breaking($$UPDATE credits_internal.holds SET charged = charged + 1 WHERE charged = 6$$);
SELECT * FROM breaking($$UPDATE credits_internal.holds SET captured = 1 WHERE status = 'open'$$);
SELECT * FROM breaking($$UPDATE credits_internal.holds SET updated_at = NULL WHERE status = 'open'$$);
SELECT * FROM breaking($$UPDATE credits_internal.operations SET amount = 3 WHERE idempotency_key = 'late-1'$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_transactions SET type = 'consumption', identifier = 'e1',
    operation_id = NULL WHERE type = 'debit' AND customer_id = 'bob' AND amount = -2$$);
