-- A batch as one set-based statement by hand, with all that ours writes and no guard: event, account, grant, ledger. The first
-- statement makes the arrays; ./run takes its time off.
SELECT /* input */ array_agg('cus_' || (1 + :client_id::int * :wallets::int + floor(random() * :wallets::int))::int) AS customers,
       array_agg('api_calls'::text) AS names, array_agg(10::numeric) AS amounts,
       array_agg('evt_' || (1 + floor(random() * 9e15))::bigint) AS keys
FROM generate_series(1, :events) \gset
WITH batch AS (
    SELECT * FROM unnest(:customers::text[], :amounts::numeric[], :keys::text[])
        WITH ORDINALITY AS b (customer_id, value, identifier, place)
), due AS (
    SELECT customer_id, sum(value) AS total FROM batch GROUP BY customer_id
), account AS (
    UPDATE hand_account a SET balance = a.balance - due.total, version = a.version + 1
    FROM due WHERE a.customer_id = due.customer_id AND a.currency = 'CREDIT'
    RETURNING a.customer_id, a.balance + due.total AS balance
), payer AS (
    UPDATE hand_grant g SET remaining = g.remaining - due.total
    FROM due WHERE g.customer_id = due.customer_id AND g.currency = 'CREDIT' AND g.status = 'granted'
    RETURNING g.customer_id, g.grant_id
), event AS (
    INSERT INTO hand_event (customer_id, identifier, meter_id, value, occurred_at, consumed)
    SELECT customer_id, identifier, 1, value, now(), value FROM batch
)
INSERT INTO hand_ledger (customer_id, currency, kind, amount, balance_after, grant_id, identifier)
SELECT b.customer_id, 'CREDIT', 'consumption', -b.value,
       a.balance - sum(b.value) OVER (PARTITION BY b.customer_id ORDER BY b.place), p.grant_id, b.identifier
FROM batch b JOIN account a ON a.customer_id = b.customer_id JOIN payer p ON p.customer_id = b.customer_id;
