-- Rows of a table charged as one set-based statement. The first statement puts them in; ./run takes its time off.
SELECT /* input */ fill('floor_inbox', :events, :wallets);
WITH batch AS (
    DELETE FROM floor_inbox RETURNING customer_id, value, identifier
), due AS (
    SELECT customer_id, sum(value) AS total FROM batch GROUP BY customer_id
), account AS (
    UPDATE floor_account a SET balance = a.balance - due.total, version = a.version + 1
    FROM due WHERE a.customer_id = due.customer_id AND a.currency = 'CREDIT'
)
INSERT INTO floor_event (customer_id, identifier, meter_id, value, occurred_at, consumed)
SELECT customer_id, identifier, 1, value, now(), value FROM batch;
