-- The rules of verify() for stock: what is taken of each price is what its holders have.

CREATE VIEW credits_internal.stock_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'stock: taken is not what is reserved' AS problem, NULL::text AS customer_id, NULL::text AS currency,
       'price ' || coalesce(s.price_id, r.price_id) AS subject, coalesce(r.held, 0)::numeric AS expected,
       s.taken::numeric AS found
FROM credits_internal.price_stock s
FULL JOIN (SELECT r.price_id, sum(r.quantity) AS held FROM credits_internal.stock_reservations r
           WHERE r.released_at IS NULL GROUP BY r.price_id) r ON r.price_id = s.price_id
WHERE s.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
SELECT 'stock: an invoice holds other than its lines', r.customer_id, i.currency,
       'invoice ' || i.invoice_id || ', price ' || r.price_id,
       CASE WHEN i.status = 'void' THEN 0 ELSE coalesce(l.quantity, 0) END, r.quantity
FROM credits_internal.stock_reservations r
JOIN credits_internal.invoices i ON i.customer_id = r.customer_id AND i.invoice_id = r.holder_id
CROSS JOIN LATERAL (
    SELECT sum(l.quantity) AS quantity FROM credits_internal.invoice_lines l
    WHERE l.customer_id = r.customer_id AND l.invoice_id = r.holder_id AND l.price_id = r.price_id) l
WHERE r.released_at IS NULL AND (i.status = 'void' OR r.quantity <> coalesce(l.quantity, 0));
COMMENT ON VIEW credits_internal.stock_discrepancies IS
'Stock whose counter is not what is reserved, or that an invoice holds otherwise than it says: no rows when all is
sound. Ask verify().';
