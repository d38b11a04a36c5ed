-- The ledger as double entry: each line moves its credits between two accounts of the books, so that every line, and
-- with it every currency, sums to zero. Amounts are signed: what customers can spend, and what it was spent on, is
-- above zero; what was issued to them and what they owe is below.

CREATE FUNCTION credits_internal.share(total numeric, part numeric, whole numeric, decimals smallint)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.div(2 * total * part + whole * ('1e-' || decimals::text)::numeric,
                      2 * whole * ('1e-' || decimals::text)::numeric) * ('1e-' || decimals::text)::numeric;
COMMENT ON FUNCTION credits_internal.share IS
'Returns the share of a total that so much of a whole stands for, rounded half away from zero, exactly.

What is split as differences of shares adds up, and no part of it is below zero.

total: what is split.
part: how much of the whole, from zero up.
whole: the whole, above zero.
decimals: how many decimals a share has.';

CREATE VIEW credits_internal.entries AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.grant_id, l.operation_id, l.identifier, l.effective_at,
       l.created_at, g.category, g.cost_basis, g.cost_amount, g.cost_currency, g.amount AS granted,
       CASE WHEN l.type IN ('suspension', 'resumption') THEN 0 ELSE l.amount + coalesce(l.held, 0) END AS kept,
       CASE WHEN l.grant_id IS NULL THEN 'debt'
            WHEN l.type = 'capture' THEN 'held'
            WHEN g.applicable_meters IS NULL THEN 'available'
            ELSE 'restricted' END AS account,
       CASE WHEN l.grant_id IS NULL THEN -l.pending WHEN l.type = 'capture' THEN l.held ELSE l.amount END AS amount,
       CASE WHEN l.type IN ('grant', 'transfer', 'rollover', 'adjustment') THEN 'issued_' || g.category
            WHEN l.type IN ('hold', 'release') THEN 'held'
            WHEN l.type IN ('consumption', 'debit') AND l.pending IS NOT NULL THEN 'debt'
            WHEN r.reversed_type = 'adjustment' THEN 'issued_' || g.category
            WHEN r.reversed_type IN ('debit', 'capture') THEN 'spent'
            WHEN l.type = 'reversal' AND l.operation_id IS NOT NULL THEN 'refunded'
            WHEN l.type IN ('consumption', 'debit', 'debt', 'capture', 'reversal') THEN 'spent'
            WHEN l.type IN ('suspension', 'resumption') THEN 'suspended'
            WHEN l.type IN ('expiration', 'reinstatement') THEN 'expired'
            WHEN l.type = 'void' THEN 'voided'
            WHEN l.type = 'refund' THEN 'refunded' END AS other_account,
       -- What pays for credits whose price went back makes up for that money: it was revenue once already.
       CASE WHEN l.type IN ('grant', 'transfer', 'rollover') OR (l.type = 'adjustment' AND l.amount > 0) THEN 'received'
            WHEN l.type IN ('hold', 'release', 'suspension', 'resumption') THEN 'deferred'
            WHEN l.type IN ('expiration', 'reinstatement', 'void', 'adjustment') OR r.reversed_type = 'adjustment'
                THEN 'breakage'
            WHEN r.reversed_type IN ('debit', 'capture') THEN 'recognised'
            WHEN l.type = 'refund' OR (l.type IN ('consumption', 'reversal') AND l.operation_id IS NOT NULL
                                       AND m.operation_id IS NULL)
                THEN 'refunded'
            ELSE 'recognised' END AS cost_account
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
    AND l.type = 'reversal'
-- A grant that was a mistake: nobody paid for it.
LEFT JOIN credits_internal.reclaims m ON m.customer_id = l.customer_id AND m.operation_id = l.operation_id
    AND m.top_up_id IS NULL AND l.type = 'consumption';
COMMENT ON VIEW credits_internal.entries IS
'The lines of the ledger with both sides of each: amount goes to account and comes from other_account. For the journal.

kept is what a line does to what its grant still has, held and suspended credits included. cost_account is where the
money goes that is deferred no longer.';

-- What is deferred of a grant is its cost less the share of it that stands for the credits which it has no longer;
-- before its first line it has none.
CREATE VIEW credits_internal.cost_entries AS
SELECT e.*, lag(e.gone, 1, e.cost_amount) OVER (PARTITION BY e.customer_id, e.currency, e.grant_id ORDER BY e.line_no)
            - e.gone AS deferred
FROM (SELECT k.*, credits_internal.share(k.cost_amount, k.granted - k.kept_by_now, k.granted, k.decimals) AS gone
      FROM (SELECT n.*, c.decimals,
                   sum(n.kept) OVER (PARTITION BY n.customer_id, n.currency, n.grant_id ORDER BY n.line_no)
                       AS kept_by_now
            FROM credits_internal.entries n
            JOIN credits_internal.currencies c ON c.currency = n.cost_currency) k) e;
COMMENT ON VIEW credits_internal.cost_entries IS
'The entries of grants that have a cost, with the money that each line adds to what is deferred. For the journal.';

-- Two ways to the same rows: only grants that have a cost need their lines in order.
CREATE VIEW credits.journal AS
SELECT e.customer_id, e.currency, e.line_no, e.type, x.account, x.amount, e.category, e.cost_basis, e.grant_id,
       e.operation_id, e.identifier, e.effective_at, e.created_at, x.cost_amount, e.cost_currency, x.cost_account
FROM (SELECT n.customer_id, n.currency, n.line_no, n.type, n.category, n.cost_basis, n.grant_id, n.operation_id,
             n.identifier, n.effective_at, n.created_at, n.account, n.amount, n.other_account,
             NULL::numeric AS deferred, NULL::text AS cost_currency, NULL::text AS deferred_account,
             NULL::text AS cost_account
      FROM credits_internal.entries n
      WHERE n.cost_amount IS NULL
      UNION ALL
      SELECT n.customer_id, n.currency, n.line_no, n.type, n.category, n.cost_basis, n.grant_id, n.operation_id,
             n.identifier, n.effective_at, n.created_at, n.account, n.amount, n.other_account, n.deferred,
             n.cost_currency, 'deferred', n.cost_account
      FROM credits_internal.cost_entries n) e
CROSS JOIN LATERAL (VALUES (e.account, e.amount, e.deferred, e.deferred_account),
                           (e.other_account, -e.amount, -e.deferred, e.cost_account))
               AS x (account, amount, cost_amount, cost_account);
COMMENT ON VIEW credits.journal IS
'The ledger as double entry: two rows per line that sum to zero. As posted: CALL maintain() first.

account: ''issued_paid'', ''issued_promotional'' (below zero: what customers were given; a transfer nets to zero over
  both customers, a rollover over both grants), ''available'', ''restricted'', ''held'', ''suspended'', ''spent'',
  ''expired'', ''voided'', ''refunded'', ''debt'' (below zero: usage owed).

Usage that no credit covered is spent at once, without a category; what pays it later goes to ''debt'' under the
category of the grant that pays. So credits spent by category are the sum over ''spent'' and ''debt''.

cost_amount is the money that goes with the credits of a grant that has a cost, as differences of the cost''s rounded
share, so that all of it is there in the end: 10 for 3 credits is 3.33, 3.34 and 3.33. It sums to zero over a line, and
by cost_account it is the view revenue. Money is deferred while credits are available, restricted, held or suspended,
so a hold moves none. cost_basis is a price per credit that is only reported.';
COMMENT ON COLUMN credits.journal.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.journal.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.journal.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.journal.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.journal.account IS
'''issued_paid'', ''issued_promotional'', ''available'', ''restricted'', ''held'', ''spent'', ''expired'', ''voided'',
''refunded'' or ''debt''.';
COMMENT ON COLUMN credits.journal.amount IS 'The signed amount; the two rows of a line sum to zero.';
COMMENT ON COLUMN credits.journal.category IS
'The category of the line''s grant; NULL for usage that no credit covered.';
COMMENT ON COLUMN credits.journal.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.journal.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.journal.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.journal.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.journal.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.journal.created_at IS 'When the line was posted.';
COMMENT ON COLUMN credits.journal.cost_amount IS
'The signed money that goes with the amount; the two rows of a line sum to zero. NULL where the grant has no cost.';
COMMENT ON COLUMN credits.journal.cost_currency IS 'The currency of cost_amount.';
COMMENT ON COLUMN credits.journal.cost_account IS
'Where the money goes: ''received'' (below zero: what was paid), ''deferred'', ''recognised'', ''breakage'' or
''refunded''. NULL where the grant has no cost.';

CREATE VIEW credits.trial_balance AS
SELECT e.currency, x.account, sum(x.amount) AS balance
FROM credits_internal.entries e
CROSS JOIN LATERAL (VALUES (e.account, e.amount), (e.other_account, -e.amount)) AS x (account, amount)
GROUP BY e.currency, x.account
ORDER BY e.currency, x.account;
COMMENT ON VIEW credits.trial_balance IS
'The journal''s balance of each account, all customers together. As posted.

The balances of a currency sum to zero.';
COMMENT ON COLUMN credits.trial_balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.trial_balance.account IS 'The account of the books: see the view journal.';
COMMENT ON COLUMN credits.trial_balance.balance IS 'The sum of the journal''s amounts.';
