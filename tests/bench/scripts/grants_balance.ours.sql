-- A balance by wallet_balance, of an account with 10,000 open grants.
SELECT * FROM credits.wallet_balance('many_grants', 'CREDIT');
