-- One debit of ours, in an account without limits.
\set k random(1, 9000000000000000)
SELECT * FROM credits.wallet_debit('one_grant', 10, 'CREDIT', 'evt_' || :k);
