-- One debit under an idempotency key.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT credits.wallet_debit('cus_' || :c, 10, 'CREDIT', 'evt_' || :k);
