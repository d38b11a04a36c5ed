-- A balance by wallet_balance, of an account with a single open grant.
SELECT * FROM credits.wallet_balance('one_grant', 'CREDIT');
