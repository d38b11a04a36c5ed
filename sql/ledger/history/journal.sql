-- The ledger as double entry: each line moves its credits between two accounts of the books, so that every line, and
-- with it every currency, sums to zero. Amounts are signed: what customers can spend, and what it was spent on, is
-- above zero; what was issued to them and what they owe is below.

CREATE VIEW credits.journal AS
SELECT l.customer_id, l.currency, l.line_no, l.type, x.account, x.amount, g.category, g.cost_basis, l.grant_id,
       l.operation_id, l.identifier, l.effective_at, l.created_at
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
    AND l.type = 'reversal'
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.grant_id IS NULL THEN 'debt'
                WHEN l.type = 'capture' THEN 'held'
                WHEN g.applicable_meters IS NULL THEN 'available'
                ELSE 'restricted' END AS account,
           CASE WHEN l.grant_id IS NULL THEN -l.pending WHEN l.type = 'capture' THEN l.held ELSE l.amount END
               AS amount) own
CROSS JOIN LATERAL (VALUES
    (own.account, own.amount),
    (CASE WHEN l.type IN ('grant', 'transfer', 'adjustment') THEN 'issued_' || g.category
          WHEN l.type IN ('hold', 'release') THEN 'held'
          WHEN l.type IN ('consumption', 'debit') AND l.pending IS NOT NULL THEN 'debt'
          WHEN r.reversed_type = 'adjustment' THEN 'issued_' || g.category
          WHEN r.reversed_type IN ('debit', 'capture') THEN 'spent'
          WHEN l.type = 'reversal' AND l.operation_id IS NOT NULL THEN 'refunded'
          WHEN l.type IN ('consumption', 'debit', 'debt', 'capture', 'reversal') THEN 'spent'
          WHEN l.type IN ('suspension', 'resumption') THEN 'suspended'
          WHEN l.type IN ('expiration', 'reinstatement') THEN 'expired'
          WHEN l.type = 'void' THEN 'voided'
          WHEN l.type = 'refund' THEN 'refunded' END,
     -own.amount)) AS x (account, amount);
COMMENT ON VIEW credits.journal IS
'The ledger as double entry: two rows per line that sum to zero. As posted: CALL maintain() first.

account: ''issued_paid'', ''issued_promotional'' (below zero: what customers were given; a transfer nets to zero over
  both customers), ''available'', ''restricted'', ''held'', ''suspended'', ''spent'', ''expired'', ''voided'',
  ''refunded'', ''debt'' (below zero: usage owed).

Usage that no credit covered is spent at once, without a category; what pays it later goes to ''debt'' under the
category of the grant that pays. So credits spent by category are the sum over ''spent'' and ''debt''.';
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

CREATE VIEW credits.trial_balance AS
SELECT j.currency, j.account, sum(j.amount) AS balance FROM credits.journal j GROUP BY j.currency, j.account
ORDER BY j.currency, j.account;
COMMENT ON VIEW credits.trial_balance IS
'The journal''s balance of each account, all customers together. As posted.

The balances of a currency sum to zero.';
COMMENT ON COLUMN credits.trial_balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.trial_balance.account IS 'The account of the books: see the view journal.';
COMMENT ON COLUMN credits.trial_balance.balance IS 'The sum of the journal''s amounts.';
