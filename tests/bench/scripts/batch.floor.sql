-- A batch of charges as one set-based statement. The first statement makes the arrays; ./run takes its time off.
SELECT /* input */ array_agg('cus_' || (1 + :client_id::int * :wallets::int + floor(random() * :wallets::int))::int) AS customers,
       array_agg('api_calls'::text) AS names, array_agg(10::numeric) AS amounts,
       array_agg('evt_' || (1 + floor(random() * 9e15))::bigint) AS keys
FROM generate_series(1, :events) \gset
WITH batch AS (
    SELECT * FROM unnest(:customers::text[], :amounts::numeric[], :keys::text[]) AS b (customer_id, value, identifier)
), due AS (
    SELECT customer_id, sum(value) AS total FROM batch GROUP BY customer_id
), account AS (
    UPDATE floor_account a SET balance = a.balance - due.total, version = a.version + 1
    FROM due WHERE a.customer_id = due.customer_id AND a.currency = 'CREDIT'
)
INSERT INTO floor_event (customer_id, identifier, meter_id, value, occurred_at, consumed)
SELECT customer_id, identifier, 1, value, now(), value FROM batch;
