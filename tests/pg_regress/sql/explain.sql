-- Questions about a spend that is not made: which grants would pay, and whether it may go on.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.meter_create('images', overage => 'reject');
SELECT FROM credits.credit_grant('ada', 1, name => 'first', priority => 10);
SELECT FROM credits.credit_grant('ada', 2, expires_at => '2026-04-01');
SELECT FROM credits.credit_grant('ada', 3, expires_at => '2026-05-01');
SELECT FROM credits.credit_grant('ada', 4, category => 'paid', expires_at => '2026-05-01');
SELECT FROM credits.credit_grant('ada', 5, category => 'paid');
SET credits.test_clock = '2026-03-02';
SELECT FROM credits.credit_grant('ada', 6, category => 'paid');
SELECT FROM credits.credit_grant('ada', 7, category => 'paid');
SELECT FROM credits.credit_grant('ada', 8, applicable_meters => '{tokens}', priority => 0);

SELECT amount, remaining_after, decided_by, category, priority, expires_at FROM credits.explain_drawdown('ada', 25);
SELECT amount, remaining_after, decided_by FROM credits.explain_drawdown('ada', 9, event_name => 'tokens');
-- What is owed is not drawn; a spend that would be refused raises what it would.
SELECT sum(amount), count(*) FROM credits.explain_drawdown('ada', 1000, event_name => 'tokens');
SELECT credits.explain_drawdown('ada', 29);
SELECT credits.explain_drawdown('ada', 29, event_name => 'images');
SELECT credits.explain_drawdown('ada', 1, event_name => 'nothing');
SELECT credits.explain_drawdown('ada', 1, 'GPU', 'tokens');
SELECT credits.explain_drawdown('ada', 0.0000001);
SELECT credits.explain_drawdown('ada', 0);
SELECT credits.explain_drawdown('nobody', 1);
SELECT credits.explain_drawdown('ada', 1, 'NONE');
SELECT FROM credits.customer_upsert('new');
SELECT count(*) FROM credits.explain_drawdown('new', 1, event_name => 'tokens');
SELECT credits.explain_drawdown('new', 1);

-- However many follow, the last one that pays is compared with the next.
SELECT FROM credits.customer_upsert('many');
SELECT count(*) FROM generate_series(1, 20) i, LATERAL credits.wallet_credit('many', 1, idempotency_key => i::text);
SELECT amount, decided_by, count(*) FROM credits.explain_drawdown('many', 15.5) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT amount, decided_by, count(*) FROM credits.explain_drawdown('many', 19.5) GROUP BY 1, 2 ORDER BY 1, 2;

-- It changes nothing, and needs no right to write.
BEGIN READ ONLY;
SELECT count(*) FROM credits.explain_drawdown('ada', 25);
COMMIT;

-- In 1,000 random wallets it says exactly what the next spend then does, or why that is refused.
CREATE TABLE seen (wallet int, outcome text, grants int);
SELECT setseed(0.42) IS NULL AS seeded;
DO $$
DECLARE
    customer text; said text; did text; amount numeric; meter text; last bigint; line bigint;
    grants int; d timestamptz := '2026-03-02';
BEGIN
    FOR i IN 1..1000 LOOP
        customer := 'w' || i;
        FOR g IN 1..1 + floor(random() * 8) LOOP
            PERFORM credits.credit_grant(
                customer, round((random() * 20 + 0.1)::numeric, 1), priority => (49 + floor(random() * 3))::int,
                category => CASE WHEN random() < 0.5 THEN 'paid' ELSE 'promotional' END,
                effective_at => CASE WHEN random() < 0.2 THEN d + random() * interval '3 days' END,
                expires_at => CASE WHEN random() < 0.6 THEN d + interval '3 days' + (floor(random() * 3)::int) * interval '1 day' END,
                applicable_meters => CASE WHEN random() < 0.25 THEN ARRAY[CASE WHEN random() < 0.5 THEN 'tokens' ELSE 'images' END] END);
        END LOOP;
        IF random() < 0.4 THEN PERFORM credits.wallet_try_debit(customer, round((random() * 10 + 0.1)::numeric, 1)); END IF;
        IF random() < 0.3 THEN PERFORM credits.report_meter_event(customer, 'tokens', round((random() * 60)::numeric, 1), 'before'); END IF;
        BEGIN
            IF random() < 0.4 THEN
                PERFORM credits.hold_create(customer, round((random() * 10 + 0.1)::numeric, 1), expires_in => random() * interval '4 days' + interval '1 second');
            END IF;
        EXCEPTION WHEN SQLSTATE 'PC001' THEN NULL;
        END;
        -- Days later, with holds, expiries and starts due that nothing has posted.
        PERFORM set_config('credits.test_clock', (d + random() * interval '6 days')::text, false);
        meter := (ARRAY[NULL, 'tokens', 'images'])[1 + floor(random() * 3)];
        amount := round((random() * 40 + 0.1)::numeric, 1);
        BEGIN
            SELECT coalesce(string_agg(e.grant_id || ' ' || trim_scale(e.amount) || ' ' || trim_scale(e.remaining_after), ', ' ORDER BY ordinality), 'nothing'), count(*)
            INTO said, grants
            FROM credits.explain_drawdown(customer, amount, event_name => meter) WITH ORDINALITY e;
        EXCEPTION WHEN SQLSTATE 'PC001' THEN
            GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
        END;
        BEGIN
            IF meter IS NULL THEN
                PERFORM credits.wallet_debit(customer, amount);
            ELSE
                PERFORM credits.report_meter_event(customer, meter, amount, 'now');
            END IF;
            SELECT coalesce(string_agg(g.grant_id || ' ' || trim_scale(-l.amount) || ' ' || trim_scale(g.remaining), ', ' ORDER BY l.line_no), 'nothing')
            INTO did
            FROM credits.ledger l JOIN credits.grants g USING (customer_id, grant_id)
            WHERE l.customer_id = customer AND (l.identifier = 'now' OR l.type = 'debit' AND l.line_no > coalesce((
                SELECT max(line_no) FROM credits.ledger b WHERE b.customer_id = customer AND b.effective_at <= d AND b.type = 'debit'), 0));
        EXCEPTION WHEN SQLSTATE 'PC001' THEN
            GET STACKED DIAGNOSTICS did = PG_EXCEPTION_DETAIL;
        END;
        IF said <> did THEN
            RAISE NOTICE 'wallet %: said %, did %', customer, said, did;
        END IF;
        INSERT INTO seen VALUES (i, CASE WHEN said <> did THEN 'DIFFERENT' WHEN said LIKE '{%' THEN 'refused' ELSE 'drawn' END,
                                 CASE WHEN said LIKE '{%' THEN 0 ELSE grants END);
        PERFORM set_config('credits.test_clock', d::text, false);
    END LOOP;
END $$;
SELECT outcome, count(*) > 100 AS often, max(grants) > 2 AS from_many FROM seen GROUP BY outcome ORDER BY outcome;

-- May the work go on? A gate reserves nothing.
SET credits.test_clock = '2026-03-02';
SELECT * FROM credits.credit_availability('ada', 28);
SELECT * FROM credits.credit_availability('ada', 28.5);
SELECT * FROM credits.credit_availability('ada', 28.5, max_pending => 0.5);
SELECT * FROM credits.credit_availability('ada', 28.6, max_pending => 0.5);
SELECT can_continue, reason FROM credits.credit_availability('ada');
SELECT can_continue, reason FROM credits.credit_availability('nobody');
SELECT can_continue, reason FROM credits.credit_availability('nobody', 0);
SELECT FROM credits.report_meter_event('poor', 'tokens', 1, 'e');
SELECT FROM credits.customer_upsert('poor');
SELECT FROM credits.report_meter_event('poor', 'tokens', 3, 'e');
SELECT * FROM credits.credit_availability('poor', 2, max_pending => 5);
SELECT * FROM credits.credit_availability('poor', 2, max_pending => 4);
SELECT credits.credit_availability('ada', -1);
SELECT credits.credit_availability('ada', 1, max_recharges => -1);
SELECT credits.credit_availability('ada', 1, 'NONE');
SELECT credits.credit_availability('ada', 0.0000001);
SELECT FROM credits.currency_create('OLD');
SELECT FROM credits.currency_update('OLD', active => false);
SELECT credits.credit_availability('ada', 0, 'OLD');
SELECT credits.explain_drawdown('ada', 1, 'OLD');

-- What an account may owe, and when its balance is low.
SELECT * FROM credits.account_configure('poor', overdraft_limit => 5, low_balance_threshold => 10);
SELECT status, pending FROM credits.report_meter_event('poor', 'tokens', 2, 'e2');
SELECT credits.report_meter_event('poor', 'tokens', 0.000001, 'e3');
SELECT identifier, pending, error
FROM credits.report_meter_events('{poor,poor}', '{tokens,tokens}', '{1,0}', '{e4,e5}');
SELECT available, pending, overdraft_limit, low_balance_threshold, is_low FROM credits.wallets
WHERE customer_id = 'poor';
SELECT * FROM credits.account_configure('poor', overdraft_limit => 'infinity');
SELECT * FROM credits.account_configure('poor', low_balance_threshold => 'infinity');
SELECT status, pending FROM credits.report_meter_event('poor', 'tokens', 1, 'e3');
SELECT credits.account_configure('poor', overdraft_limit => -1);
SELECT credits.account_configure('poor', overdraft_limit => 'NaN');
SELECT credits.account_configure('poor', low_balance_threshold => 0.0000001);
SELECT credits.account_configure('nobody');
SELECT credits.account_configure('ada', 'NONE');

SELECT currency, sum(balance) = 0 AS balanced FROM credits.trial_balance GROUP BY 1;
SELECT * FROM credits.verify();
