-- Grants with what truly remains of them: of an account's head that is on the account's row.
CREATE VIEW credits.true_grants AS
SELECT g.customer_id, g.currency, g.grant_id, g.status, g.category, g.priority, g.effective_at, g.expires_at,
       g.applicable_meters, g.applicable_meters IS NOT NULL AS restricted, g.amount, g.lapsed, g.ended_at,
       CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END AS remaining,
       a.posted_at, a.head_grant_id
FROM credits.credit_grants g
JOIN credits.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency;
COMMENT ON VIEW credits.true_grants IS
'Grants as posted, with what truly remains of each (the account''s row has it for the grant that pays next). For verify().';
