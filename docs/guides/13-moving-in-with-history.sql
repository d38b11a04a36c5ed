-- MOVING IN WITH HISTORY
--
-- A team has kept credits in tables of its own for a year, and moves here. Its customers should find what they have
-- today, and what they had: the history that support looks at, the balance at the end of any month, the books. So the
-- past is not summed up but imported, and happens here again, each thing at its own time.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-02 09:00+00';

-- What there was. The credits of a pack were good for 90 days, usage was charged at the price of the day, and a job
-- that failed got its credits back.
CREATE SCHEMA old;
CREATE TABLE old.packs (pack_id text PRIMARY KEY, account text, bought_at timestamptz, credits numeric,
                        paid_eur numeric);
CREATE TABLE old.charges (charge_id text PRIMARY KEY, account text, charged_at timestamptz, feature text, units numeric,
                          credits numeric, note text);
CREATE TABLE old.refunds (refund_id text PRIMARY KEY, charge_id text, refunded_at timestamptz);
INSERT INTO old.packs VALUES
    ('p1', 'ann', '2025-09-03 10:00Z', 100, 10), ('p2', 'ann', '2025-11-20 10:00Z', 200, 18),
    ('p3', 'ben', '2025-10-01 12:00Z', 50, 5), ('p4', 'ann', '2026-02-01 08:00Z', 100, 10);
INSERT INTO old.charges VALUES
    ('c1', 'ann', '2025-09-10 14:00Z', 'tokens', 30000, 30, NULL),
    ('c2', 'ann', '2025-10-12 09:30Z', 'tokens', 20000, 20, NULL),
    ('c3', 'ann', '2025-11-30 17:45Z', NULL, NULL, 25, 'Poster'),
    ('c4', 'ann', '2026-01-15 11:00Z', 'tokens', 45000, 36, NULL),
    ('c5', 'ben', '2025-10-20 16:00Z', NULL, NULL, 45, 'Film'),
    ('c6', 'ben', '2026-01-08 10:00Z', 'tokens', 15000, 12, NULL),
    ('c7', 'ann', '2026-02-10 19:00Z', NULL, NULL, 40, 'Film');
INSERT INTO old.refunds VALUES ('r1', 'c7', '2026-02-11 08:00Z');
-- The old system's own answers, to be compared with later: what each account stood at when a month ended.
CREATE TABLE old.month_ends (account text, month_end timestamptz, balance numeric);
INSERT INTO old.month_ends VALUES
    ('ann', '2025-10-01Z', 70), ('ann', '2025-11-01Z', 50), ('ann', '2025-12-01Z', 225), ('ann', '2026-01-01Z', 200),
    ('ann', '2026-02-01Z', 164), ('ann', '2026-03-01Z', 100),
    ('ben', '2025-11-01Z', 5), ('ben', '2025-12-01Z', 5), ('ben', '2026-01-01Z', 0), ('ben', '2026-02-01Z', -12),
    ('ben', '2026-03-01Z', -12);

-- 1. WHAT THE NEW LEDGER HAS TO KNOW
--
-- The currencies, and a meter for what was metered, at today's price: history says itself what it was charged.
\o /dev/null
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat');
SELECT FROM credits.meter_create('tokens', unit => 'token', unit_price => 0.0008);
\o

-- 2. WHAT HAPPENED, AS ENTRIES
--
-- One view of it, of one row per thing that happened: each a JSON object with its type and its time. The keys are the
-- old ids, which are claimed for ever: so whoever reports c4 once more, after the move, is told that it is known.
CREATE VIEW old.entries AS
SELECT account, bought_at AS at, jsonb_build_object(
           'type', 'grant', 'at', bought_at, 'amount', credits, 'category', 'paid', 'name', 'Pack ' || pack_id,
           'expires_at', bought_at + interval '90 days', 'cost_amount', paid_eur, 'cost_currency', 'EUR',
           'idempotency_key', pack_id) AS entry
FROM old.packs
UNION ALL
SELECT account, charged_at, CASE WHEN feature IS NULL
       THEN jsonb_build_object('type', 'debit', 'at', charged_at, 'amount', credits, 'description', note,
                               'idempotency_key', charge_id)
       ELSE jsonb_build_object('type', 'usage', 'at', charged_at, 'event_name', feature, 'value', units,
                               'credits', credits, 'identifier', charge_id) END
FROM old.charges
UNION ALL
SELECT c.account, r.refunded_at, jsonb_build_object(
           'type', 'reversal', 'at', r.refunded_at, 'operation_key', r.charge_id, 'reason', 'It failed',
           'idempotency_key', r.refund_id)
FROM old.refunds r JOIN old.charges c USING (charge_id);
SELECT at, jsonb_pretty(entry) AS entry FROM old.entries WHERE account = 'ben' ORDER BY at;

-- 3. A REHEARSAL
--
-- Try it in a transaction that is rolled back. An entry that is wrong is named, and nothing of the call stays: here
-- the fourth, which somebody added by hand.
BEGIN;
SELECT FROM credits.history_import('ben', (SELECT jsonb_agg(entry ORDER BY at) FROM old.entries WHERE account = 'ben')
    || '{"type": "debit", "at": "2026-02-30", "amount": 3}');
ROLLBACK;

-- 4. THE MOVE
--
-- A call per account, by a superuser, into accounts that are empty. A key makes it safe to run again, where the script
-- was interrupted: accounts that are there already say so.
SELECT h.customer_id, h.entries, h.lines, h.first_at::date, h.last_at::date, h.available, h.pending, h.replayed
FROM (SELECT account, jsonb_agg(entry ORDER BY at) AS entries FROM old.entries GROUP BY account ORDER BY account) AS o,
     credits.history_import(o.account, o.entries, idempotency_key => 'move') AS h;
SELECT h.customer_id, h.entries, h.available, h.replayed
FROM (SELECT account, jsonb_agg(entry ORDER BY at) AS entries FROM old.entries GROUP BY account ORDER BY account) AS o,
     credits.history_import(o.account, o.entries, idempotency_key => 'move') AS h;

-- 5. IS IT THE SAME?
--
-- What a customer has is available less pending. At every month's end, here and there: no rows, they agree. (A moment
-- on the dot counts as after what happens at it, so ask for just before midnight.)
SELECT o.account, o.month_end, o.balance AS there, b.balance - b.pending AS here
FROM old.month_ends o, credits.wallet_balance_at(o.account, NULL, o.month_end - interval '1 microsecond') AS b
WHERE b.balance - b.pending <> o.balance;
SELECT o.month_end::date, o.balance AS there, b.balance AS here, b.pending
FROM old.month_ends o, credits.wallet_balance_at(o.account, NULL, o.month_end - interval '1 microsecond') AS b
WHERE o.account = 'ben' ORDER BY o.month_end;

-- Ann's second pack ran out on 18 February, with what was left of it; nobody had to say so, its time did. Every line
-- took effect when it happened, and was posted today.
SELECT line_no, effective_at, type, amount, running_balance AS balance, grant_name,
       coalesce(description, event_name) AS what
FROM credits.ledger WHERE customer_id = 'ann' ORDER BY line_no;
SELECT DISTINCT created_at FROM credits.ledger;

-- Ben had used more than he had. What no credit covered is owed, since the day it happened.
SELECT customer_id, currency, available, pending FROM credits.wallets ORDER BY customer_id;

-- Month-ends are there as well: what was earned with credits that were used, and with those that lapsed.
SELECT date_trunc('month', day)::date AS month, currency, sum(recognised) AS recognised, sum(breakage) AS breakage
FROM credits.revenue GROUP BY 1, 2 ORDER BY 1, 2;

-- 6. FROM HERE ON
--
-- The old system's last worker wakes up and reports c4 again: it is known. What is new goes on from where things were,
-- and Ben's next pack first pays what he owes.
SELECT identifier, consumed, replayed FROM credits.report_meter_event('ann', 'tokens', 45000, 'c4');
SELECT status, consumed, available FROM credits.report_meter_event('ann', 'tokens', 10000, 'c8');
SELECT available FROM credits.wallet_credit('ben', 20, category => 'paid', idempotency_key => 'p5');

-- Nothing was announced of what happened long ago: no low balance, no expiry, no recharge that nobody needs now.
SELECT count(*) AS announced FROM credits.outbox_rows;

-- 7. ONLY THE BALANCES
--
-- Where nobody needs the past, an opening balance will do. Below zero it is owed from the beginning.
SELECT adjusted, available FROM credits.wallet_adjust('cleo', 35, 'opening_balance', idempotency_key => 'move');
SELECT adjusted, available FROM credits.wallet_adjust('dan', -8, 'opening_balance', idempotency_key => 'move');
SELECT customer_id, available, pending FROM credits.wallets WHERE customer_id IN ('cleo', 'dan') ORDER BY 1;

-- Does all of it add up? No rows: it does.
SELECT * FROM credits.verify();
