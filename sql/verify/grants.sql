-- Grants with what truly remains of them: what remains of an account's head grant is on the account's row.

CREATE VIEW credits_internal.true_grants AS
SELECT g.customer_id, g.currency, g.grant_id, g.status, g.category, g.priority, g.effective_at, g.expires_at,
       g.applicable_meters, g.applicable_meters IS NOT NULL AS restricted, g.amount, g.lapsed, g.ended_at,
       CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END AS remaining,
       a.posted_at, a.head_grant_id
FROM credits_internal.credit_grants g
JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency;
COMMENT ON VIEW credits_internal.true_grants IS
'Grants as posted, with what truly remains of each. For verify().

What remains of the grant that pays next is on the account''s row.';
