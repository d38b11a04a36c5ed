-- The lines of the ledger, wherever they are kept. Everything that reads lines reads this view.

-- What is a line is asked outside of the union: with conditions in its parts PostgreSQL reads all lines of an account
-- and sorts them, where a page of them is wanted.
--
-- transaction_id is made of what a line is found by: a hash of its account, and its number in the last twelve digits.
CREATE VIEW credits_internal.lines AS
SELECT l.*,
       (overlay(overlay(
          left(encode(sha256(convert_to(length(l.currency) || ':' || l.currency || l.customer_id, 'UTF8')), 'hex'), 20)
          PLACING '8' FROM 13) PLACING 'a' FROM 17)
        || lpad(to_hex(l.line_no), 12, '0'))::uuid AS transaction_id
FROM (SELECT t.customer_id, t.currency, t.line_no, t.type, t.amount, t.running_balance, t.grant_id, t.operation_id,
             t.identifier, t.effective_at, t.created_at, t.held, t.pending, NULL AS function, NULL AS idempotency_key,
             NULL AS description, NULL::jsonb AS metadata, NULL AS member_id, NULL AS event_name,
             NULL AS subscription_id
      FROM credits_internal.credit_transactions t
      UNION ALL
      SELECT e.customer_id, e.currency, e.line_no, 'consumption', -e.consumed, e.running_balance, e.grant_id, NULL,
             e.identifier, e.created_at, e.created_at, NULL, NULL, NULL, NULL, NULL, NULL, e.member_id,
             e.event_name, e.subscription_id
      FROM credits_internal.meter_events e
      UNION ALL
      SELECT o.customer_id, o.currency, o.line_no, 'debit', -o.amount, o.running_balance, o.grant_id, o.operation_id,
             NULL, o.created_at, o.created_at, NULL, NULL, o.function, o.idempotency_key, o.description, o.metadata,
             o.member_id, NULL, NULL
      FROM credits_internal.operations o) l
WHERE l.line_no IS NOT NULL;
COMMENT ON VIEW credits_internal.lines IS
'Every line of the ledger as posted. For the views ledger and journal, and for verify().

Those of credit_transactions, and those that a meter event or a debit carries itself because one grant paid all of it
at once; of such a debit also what its operation has, of such an event its meter and subscription.';
