-- One charge: the balance and the event in one statement.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
WITH account AS (
    UPDATE floor_account SET balance = balance - 10, version = version + 1
    WHERE customer_id = 'cus_' || :c AND currency = 'CREDIT' RETURNING balance)
INSERT INTO floor_event (customer_id, identifier, meter_id, value, occurred_at, consumed)
SELECT 'cus_' || :c, 'evt_' || :k, 1, 10, now(), 10 FROM account;
