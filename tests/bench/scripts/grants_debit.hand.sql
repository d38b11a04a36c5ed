-- One debit by hand, in an account with 10,000 open grants.
\set k random(1, 9000000000000000)
SELECT hand_charge('many_grants', 'api_calls', 10, 'evt_' || :k);
