-- The history of a customer, filtered: by subscription, grant, meter, type, time, and by a line's own key.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('GPU');
SELECT FROM credits.meter_create('tokens', 'LLM tokens', unit_price => 0.01, unit => 'token');
SELECT FROM credits.meter_create('images', unit_price => 2) a, credits.meter_create('gpu', currency => 'GPU') b;
SELECT FROM credits.credit_grant('ann', 20, name => 'Welcome', expires_at => '2026-03-10');
SELECT FROM credits.report_meter_event('ann', 'tokens', 300, 't1', subscription_id => 'pro');
SELECT FROM credits.report_meter_event('ann', 'images', 1, 'i1', subscription_id => 'pro');
SET credits.test_clock = '2026-03-02 12:00+00';
SELECT FROM credits.report_meter_event('ann', 'tokens', 2000, 't2', subscription_id => 'team');
SELECT FROM credits.wallet_credit('ann', 8, 'GPU', description => 'GPU hours');
SELECT FROM credits.report_meter_event('ann', 'gpu', 3, 'g1', subscription_id => 'pro');
SET credits.test_clock = '2026-03-03 12:00+00';
SELECT FROM credits.credit_grant('ann', 30, category => 'paid');
SELECT FROM credits.wallet_debit('ann', 1, description => 'A picture') a, credits.wallet_debit('ann', 1) b;
SELECT FROM credits.wallet_transfer('ann', 'ben', 2);
SELECT FROM credits.wallet_adjust('ann', 1, 'gift');
SELECT FROM credits.hold_create('ann', 3, idempotency_key => 'h');
SELECT FROM credits.hold_capture('ann', (SELECT hold_id FROM credits.holds), 2);
SELECT FROM credits.meter_event_cancel('ann', 'i1');
SET credits.test_clock = '2026-03-11 12:00+00';
SELECT FROM credits.credit_grant('ann', 5, name => 'Mistake');
SELECT FROM credits.credit_grant_void('ann', (SELECT grant_id FROM credits.grants WHERE name = 'Mistake'));

-- All of it. display_title is what a customer reads.
SELECT line_no, type, amount, event_name, subscription_id, display_title FROM credits.wallet_history('ann', 'CREDIT');
SELECT line_no, type, amount, display_title FROM credits.wallet_history('ben');

-- Each filter, and several together; without a currency they look into all of them.
SELECT currency, line_no, type, amount, subscription_id FROM credits.wallet_history('ann', subscription_id => 'pro');
SELECT line_no, type, amount FROM credits.wallet_history('ann', 'CREDIT', subscription_id => 'team');
SELECT line_no, type, amount FROM credits.wallet_history('ann', event_name => 'images');
SELECT line_no, type, amount FROM credits.wallet_history('ann', event_name => 'tokens', subscription_id => 'pro');
SELECT currency, line_no, amount FROM credits.wallet_history('ann', type => 'consumption');
SELECT line_no, type, grant_name FROM credits.wallet_history('ann',
    grant_id => (SELECT grant_id FROM credits.grants WHERE name = 'Welcome'));
SELECT line_no, type FROM credits.wallet_history('ann', 'GPU',
    grant_id => (SELECT grant_id FROM credits.grants WHERE name = 'Welcome'));
SELECT line_no, type FROM credits.wallet_history('ann', type => 'debit',
    grant_id => (SELECT grant_id FROM credits.grants WHERE category = 'paid' AND customer_id = 'ann'));

-- A time: from start_at on, until before end_at.
SELECT currency, line_no, type, effective_at FROM credits.wallet_history('ann', start_at => '2026-03-02 12:00+00',
    end_at => '2026-03-03 12:00+00');
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', start_at => '2026-03-03 12:00:00.000001+00');
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', end_at => '2026-03-01 12:00:00.000001+00');
SELECT count(*) FROM credits.wallet_history('ann', 'CREDIT', start_at => '-infinity', end_at => 'infinity');
SELECT count(*) FROM credits.wallet_history('ann', start_at => '2027-01-01');
SELECT count(*) FROM credits.wallet_history('ann', end_at => '2026-01-01');

-- Page by page.
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', 2, type => 'debit');
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', 2, before => 9, subscription_id => 'pro');
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', 2, before => 3, subscription_id => 'pro');
SELECT line_no, type FROM credits.wallet_history('ann', 'CREDIT', 2, before => 2, subscription_id => 'pro');

-- A line by one key. It says which account and which line, and is the same in the view, in the history, and for ever.
SELECT line_no, transaction_id FROM credits.wallet_history('ann', 'CREDIT', 2, before => 18);
SELECT count(*), count(DISTINCT transaction_id), count(*) FILTER (WHERE transaction_id::text ~ '-8...-a...-0{10}..$')
FROM credits.ledger;
SELECT line_no, type, amount FROM credits.wallet_history('ann',
    transaction_id => (SELECT transaction_id FROM credits.ledger WHERE customer_id = 'ann' AND type = 'expiration'));
SELECT count(*) FROM credits.wallet_history('ben',
    transaction_id => (SELECT transaction_id FROM credits.ledger WHERE customer_id = 'ann' AND type = 'expiration'));
SELECT count(*) FROM credits.wallet_history('ann', transaction_id => gen_random_uuid());

-- What was consumed, without what is owed: when credits paid it.
SELECT * FROM credits.credit_transaction_summary('ann');
SELECT * FROM credits.credit_transaction_summary('ann', currency => 'CREDIT', start_at => '2026-03-02',
    end_at => '2026-03-03');
SELECT * FROM credits.credit_transaction_summary('ann', 'tokens', end_at => '2026-03-03');
SELECT * FROM credits.credit_transaction_summary('ann', 'tokens', start_at => '2026-03-03');
SELECT event_name, total_credits FROM credits.credit_transaction_summary('ann', subscription_id => 'pro');
SELECT event_name, total_quantity, total_credits FROM credits.usage_summary('ann', subscription_id => 'team');
SELECT count(*) FROM credits.credit_transaction_summary('nobody');

-- Events of a period are priced together: each line counts for what it changed.
SELECT FROM credits.meter_create('seats', aggregation => 'max', unit_price => 1);
SELECT FROM credits.report_meter_event('ann', 'seats', 3, 's1') a, credits.report_meter_event('ann', 'seats', 5,
    's2') b,
            credits.report_meter_event('ann', 'seats', 4, 's3') c;
SELECT event_name, total_credits, transaction_count FROM credits.credit_transaction_summary('ann', 'seats');

-- What is refused.
SELECT credits.wallet_history('ann', type => 'spend');
SELECT credits.wallet_history('ann', event_name => 'token');
SELECT credits.wallet_history('ann', grant_id => '00000000-0000-0000-0000-000000000000');
SELECT credits.wallet_history('ann', start_at => '2026-03-02', end_at => '2026-03-01');
SELECT credits.wallet_history('ann', type => 'debit', before => 5);
SELECT credits.credit_transaction_summary(NULL);
SELECT credits.credit_transaction_summary('ann', 'token');
SELECT credits.credit_transaction_summary('ann', currency => 'NONE');
SELECT credits.credit_transaction_summary('ann', start_at => '2026-03-02', end_at => '2026-03-01');
SELECT * FROM credits.verify();
