-- One debit, which by hand is the same as an event: once a key, guarded, paid by grants in order.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT hand_charge('cus_' || :c, 'api_calls', 10, 'evt_' || :k);
