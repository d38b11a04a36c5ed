-- One charge by the hand-written function.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT hand_charge('cus_' || :c, 'api_calls', 10, 'evt_' || :k);
