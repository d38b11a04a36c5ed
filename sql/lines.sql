-- The ledger's lines, wherever they are kept. Whatever reads lines reads them here.

CREATE VIEW credits.lines AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, l.grant_id, l.operation_id, l.identifier,
       l.effective_at, l.created_at, l.held, l.pending
FROM credits.credit_transactions l
UNION ALL
SELECT e.customer_id, e.currency, e.line_no, 'consumption', -e.consumed, e.running_balance, e.grant_id, NULL, e.identifier,
       e.created_at, e.created_at, NULL, NULL
FROM credits.meter_events e WHERE e.line_no IS NOT NULL
UNION ALL
SELECT o.customer_id, o.currency, o.line_no, 'debit', -o.amount, o.running_balance, o.grant_id, o.operation_id, NULL,
       o.created_at, o.created_at, NULL, NULL
FROM credits.operations o WHERE o.line_no IS NOT NULL;
COMMENT ON VIEW credits.lines IS
'Every line of the ledger as posted: those of credit_transactions, and those that a meter event or a debit carries itself because one grant paid all of it at once. For the views ledger and journal, and for verify().';
