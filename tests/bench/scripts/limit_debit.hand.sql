-- One debit by hand, which knows no limits.
\set k random(1, 9000000000000000)
SELECT hand_charge('cus_1', 'api_calls', 10, 'evt_' || :k);
