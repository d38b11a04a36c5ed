-- The ledger as double entry: each line moves its credits between two accounts of the books, so that every line, and with
-- it every currency, sums to zero. Amounts are signed: what customers can spend and what became of it is above zero, what
-- was issued to them and what they owe is below.

CREATE VIEW credits.journal AS
SELECT l.customer_id, l.currency, l.line_no, l.type, x.account, x.amount, g.category, g.cost_basis, l.grant_id,
       l.operation_id, l.identifier, l.effective_at, l.created_at
FROM credits.lines l
LEFT JOIN credits.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.grant_id IS NULL THEN 'debt'
                WHEN l.type = 'capture' THEN 'held'
                WHEN g.applicable_meters IS NULL THEN 'available'
                ELSE 'restricted' END AS account,
           CASE WHEN l.grant_id IS NULL THEN -l.pending WHEN l.type = 'capture' THEN l.held ELSE l.amount END AS amount) own
CROSS JOIN LATERAL (VALUES
    (own.account, own.amount),
    (CASE WHEN l.type IN ('grant', 'transfer', 'adjustment') THEN 'issued_' || g.category
          WHEN l.type IN ('hold', 'release') THEN 'held'
          WHEN l.type IN ('consumption', 'debit') AND l.pending IS NOT NULL THEN 'debt'
          WHEN l.type = 'reversal' AND l.operation_id IS NOT NULL THEN 'refunded'
          WHEN l.type IN ('consumption', 'debit', 'debt', 'capture', 'reversal') THEN 'spent'
          WHEN l.type = 'expiration' THEN 'expired'
          WHEN l.type = 'void' THEN 'voided'
          WHEN l.type = 'refund' THEN 'refunded' END,
     -own.amount)) AS x (account, amount);
COMMENT ON VIEW credits.journal IS
'The ledger as double entry, two rows a line that sum to zero. account: ''issued_paid'', ''issued_promotional'' (below zero: what customers were given; a transfer nets to zero over both customers), ''available'', ''restricted'', ''held'', ''spent'', ''expired'', ''voided'', ''refunded'', ''debt'' (below zero: usage owed). Usage that no credit covered is spent at once, without a category; what pays it later goes to ''debt'' under the category of the grant that pays. So credits spent by category are the sum over ''spent'' and ''debt''. cost_basis: what was paid for one credit. As posted: run CALL maintain() first.';

CREATE VIEW credits.trial_balance AS
SELECT j.currency, j.account, sum(j.amount) AS balance FROM credits.journal j GROUP BY j.currency, j.account
ORDER BY j.currency, j.account;
COMMENT ON VIEW credits.trial_balance IS
'The journal''s balance of each account, all customers together: the balances of a currency sum to zero. As posted.';
