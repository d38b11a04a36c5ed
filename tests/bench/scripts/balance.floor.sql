-- A balance by primary key.
\set c random(1, :wallets)
SELECT balance FROM floor_account WHERE customer_id = 'cus_' || :c AND currency = 'CREDIT';
