-- One debit of ours, in an account with 10,000 open grants.
\set k random(1, 9000000000000000)
SELECT * FROM credits.wallet_debit('many_grants', 10, 'CREDIT', 'evt_' || :k);
