-- A balance by wallet_balance.
\set c random(1, :wallets)
SELECT available FROM credits.wallet_balance('cus_' || :c, 'CREDIT');
