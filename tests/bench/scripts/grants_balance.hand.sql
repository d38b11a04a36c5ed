-- A balance by the hand-written function, of an account with 10,000 open grants.
SELECT balance FROM hand_balance('many_grants', 'CREDIT');
