-- A balance by the hand-written function.
\set c random(1, :wallets)
SELECT balance FROM hand_balance('cus_' || :c, 'CREDIT');
