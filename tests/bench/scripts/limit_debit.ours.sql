-- One debit of ours by a member who has a limit.
\set k random(1, 9000000000000000)
SELECT * FROM credits.wallet_debit('limited', 10, 'CREDIT', 'evt_' || :k, member_id => 'kim');
