-- The product's story as psql shows it: a sentence, the SQL that a user would type, and PostgreSQL's answer. What it
-- must show, to the letter, is in story.out. Only what a user would type belongs here, besides the sentences (\echo)
-- and how psql shows things.
\set ECHO queries
\pset null '-'
\set ON_ERROR_STOP on

\echo '## The extension, in an application''s own database'
\echo
CREATE EXTENSION pg_credits;
\echo
\echo '# A demo cannot wait for weeks to pass, so it sets the clock by hand. Without this line it is now().'
\echo
SET credits.test_clock = '2025-03-01 09:00+00';

\echo
\echo '## 1. Ann signs up and gets 100 credits that are good for 30 days'
\echo
SELECT name, status, amount, expires_at
FROM credits.credit_grant('ann', 100, name => 'Sign-up bonus', expires_at => '2025-03-31 09:00+00',
                          idempotency_key => 'signup-ann');
SELECT available, pending, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

\echo '## 2. She starts a job: the job and its price commit together or not at all'
\echo
CREATE TABLE jobs (job_id int PRIMARY KEY, customer_id text, title text);
BEGIN;
INSERT INTO jobs VALUES (1, 'ann', 'Render a short film');
SELECT debited, available FROM credits.wallet_debit('ann', 30, description => 'Render a short film');
COMMIT;
\echo
\echo '# The next job costs more than she has. It is refused, with an error that a program can read:'
\echo
\set ON_ERROR_STOP off
BEGIN;
INSERT INTO jobs VALUES (2, 'ann', 'Render a feature film');
SELECT debited, available FROM credits.wallet_debit('ann', 500, description => 'Render a feature film');
\echo SQLSTATE: :SQLSTATE
COMMIT;
\set ON_ERROR_STOP on
\echo
\echo '# The transaction failed as a whole: there is one job, and the 70 credits are untouched.'
\echo
SELECT count(*) AS jobs FROM jobs;
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');

\echo '## 3. Usage is reported twice and charged once'
\echo
SELECT event_name, unit_price, unit
FROM credits.meter_create('llm.tokens', unit_price => 0.001, unit => 'token');
SELECT identifier, status, consumed, available, replayed
FROM credits.report_meter_event('ann', 'llm.tokens', 12000, identifier => 'request-1');
\echo '# The network lost the answer, so the application sends the same report again:'
\echo
SELECT identifier, status, consumed, available, replayed
FROM credits.report_meter_event('ann', 'llm.tokens', 12000, identifier => 'request-1');

\echo '## 4. Grants are drawn in order: by priority, then what expires first'
\echo
SELECT name, category, priority, amount, expires_at
FROM credits.credit_grant('ann', 200, category => 'paid', name => 'Purchase');
SELECT name, category, priority, amount, expires_at
FROM credits.credit_grant('ann', 20, name => 'Spring offer', priority => 10, expires_at => '2025-06-01 00:00+00');
SELECT debited, available FROM credits.wallet_debit('ann', 90, idempotency_key => 'job-3');
\echo '# What paid: first the offer, for its priority; then the bonus, because it expires; the purchase only the rest.'
\echo
SELECT line_no, grant_name, category, -amount AS paid
FROM credits.ledger WHERE customer_id = 'ann' AND idempotency_key = 'job-3' ORDER BY line_no;

\echo '## 5. A grant expires while nobody looks'
\echo
SELECT name, amount, expires_at
FROM credits.credit_grant('ann', 50, name => 'Weekend gift', expires_at => '2025-03-03 00:00+00');
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');
\echo '# Monday morning. No job has run, and yet the gift is gone for every reader and every debit.'
\echo
SET credits.test_clock = '2025-03-03 09:00+00';
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ann', 'CREDIT');

\echo '## 6. Usage beyond the balance becomes pending, and the next grant pays it first'
\echo
SELECT status, consumed, pending, available
FROM credits.report_meter_event('ann', 'llm.tokens', 200000, identifier => 'request-2');
SELECT credited, available
FROM credits.wallet_credit('ann', 50, category => 'paid', description => 'Top-up');
SELECT status, consumed, pending, available, replayed
FROM credits.report_meter_event('ann', 'llm.tokens', 200000, identifier => 'request-2');
\echo '# Reported again, the same event is paid by now.'


\echo
\echo '## 7. An AI job whose price is not known beforehand: hold the most, capture what it cost'
\echo
SELECT status, amount, expires_at, available
FROM credits.hold_create('ann', 30, expires_in => '10 minutes', idempotency_key => 'job-4');
\echo '# 30 credits are set aside; nobody else can spend them:'
\echo
SELECT available, held FROM credits.wallet_balance('ann', 'CREDIT');
SELECT ok, shortfall, available FROM credits.wallet_try_debit('ann', 10);
\echo '# The job took 17.5; the rest goes back to where it came from.'
\echo
SELECT h.status, h.captured, h.released, h.available
FROM credits.holds o, credits.hold_capture(o.customer_id, o.hold_id, 17.5) h WHERE o.customer_id = 'ann' AND o.status = 'open';

\echo '## 8. The support desk: which credits would go next and why, a gift, a transfer'
\echo
SELECT name, amount, expires_at FROM credits.credit_grant('ann', 5, name => 'Sorry', expires_at => '2025-04-01 00:00+00');
SELECT g.name, e.amount, e.remaining_after, e.decided_by
FROM credits.explain_drawdown('ann', 10) e JOIN credits.grants g USING (grant_id) ORDER BY e.remaining_after;
SELECT adjusted, available FROM credits.wallet_adjust('ann', 20, 'external_topup', description => 'Bank transfer');
SELECT to_customer_id, transferred, available FROM credits.wallet_transfer('ann', 'bob', 15);
SELECT customer_id, name, category, remaining, expires_at FROM credits.grants WHERE remaining > 0 ORDER BY customer_id, grant_id;
\echo '# What Ann had on Saturday, before the gift expired:'
\echo
SELECT available, held FROM credits.wallet_balance_at('ann', as_of => '2025-03-01 09:00+00');

\echo '## 9. Prices by model, by the month''s highest value, and an event that is canceled'
\echo
SELECT credited, available FROM credits.wallet_credit('cleo', 100, category => 'paid');
SELECT event_name FROM credits.meter_create('chat', unit => 'token', pricing => '{
    "by": "model", "prices": {"large": {"unit_price": 10, "per": 1000}}, "default": {"unit_price": 1, "per": 1000}}');
SELECT event_name FROM credits.meter_create('storage', unit => 'GB', aggregation => 'max', period => 'month', unit_price => 2);
SELECT consumed, available FROM credits.report_meter_event('cleo', 'chat', 1500, 'chat-1', metadata => '{"model": "large"}');
SELECT consumed, available FROM credits.report_meter_event('cleo', 'chat', 1500, 'chat-2', metadata => '{"model": "small"}');
\echo '# Storage is charged by the highest value of the month: 20 GB, then 31, then less.'
\echo
SELECT identifier, consumed, available
FROM (VALUES ('gb-1', 20), ('gb-2', 31), ('gb-3', 25)) AS measured (id, gb),
LATERAL credits.report_meter_event('cleo', 'storage', gb, id);
\echo '# The 31 were a mistake. Without them the highest is 25:'
\echo
SELECT status, returned, available FROM credits.meter_event_cancel('cleo', 'gb-2');

\echo '## 10. Usage by the million: copied in, charged in batches, and what is wrong is set aside'
\echo
\echo '# Three rows: 2,000 tokens, the same again, and 500 of a meter that does not exist.'
\echo
COPY credits.inbox (customer_id, event_name, value, identifier) FROM stdin;
cleo	chat	2000	kafka-1
cleo	chat	2000	kafka-1
cleo	chatt	500	kafka-2
\.
\echo
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT credits.settle();
SELECT inbox, unsettled, rejected FROM credits.backlog;
SELECT identifier, error, message FROM credits.rejected_events;
\echo '# A deferred meter only records, so that one wallet takes any number of writers. Readers count its usage at once:'
\echo
SELECT event_name FROM credits.meter_create('requests', unit_price => 0.5, settlement => 'deferred');
SELECT identifier, status FROM generate_series(1, 4) n, LATERAL credits.report_meter_event('cleo', 'requests', 1, 'req-' || n);
SELECT available FROM credits.wallet_balance('cleo', 'CREDIT');
SELECT credits.settle();
SELECT event_name, total_quantity, total_credits, event_count FROM credits.usage_summary('cleo') ORDER BY event_name;

\echo '## 11. Money in: a pack is bought and paid once, an account recharges itself, and a refund claws back what it should'
\echo
SELECT currency, kind FROM credits.currency_create('USD', 'US dollar', kind => 'fiat', symbol => '$');
SELECT name, credits, unit_amount, price_currency FROM credits.package_create('Pack', 100, 10, 'USD');
SELECT currency, product_name, unit_amount FROM credits.configure_recharge('CREDIT', (SELECT price_id FROM credits.packages),
                                                                           'https://pay.example/{currency}/{amount}');
SELECT status, credits, amount, checkout_url
FROM credits.top_up_create('dora', (SELECT price_id FROM credits.packages), idempotency_key => 'cart-7');
\echo '# The provider reports the payment twice. The credits are granted once:'
\echo
SELECT p.status, p.available, p.replayed
FROM credits.top_ups t, credits.payment_succeeded(t.customer_id, t.top_up_id, 'stripe', 'pi_1') p WHERE t.customer_id = 'dora';
SELECT p.status, p.available, p.replayed
FROM credits.top_ups t, credits.payment_succeeded(t.customer_id, t.top_up_id, 'stripe', 'pi_1') p WHERE t.customer_id = 'dora';
\echo '# From now on the account recharges itself below 20. The debit that goes below asks for it, in its own transaction:'
\echo
SELECT enabled, threshold, quantity FROM credits.configure_auto_recharge('dora', threshold => 20, payment_method => 'pm_card');
SELECT available FROM credits.wallet_debit('dora', 90);
SELECT consumer FROM credits.outbox_consumer_create('worker');
SELECT type, payload ->> 'amount' AS amount, payload ->> 'price_currency' AS currency, payload ->> 'payment_method' AS method
FROM credits.outbox_claim('worker') WHERE type = 'recharge.requested';
\echo '# A worker charges the card, and its payment restores the balance:'
\echo
SELECT b.go, b.amount, b.minor_units
FROM credits.recharge_log r, credits.recharge_begin(r.customer_id, r.recharge_id) b WHERE r.customer_id = 'dora';
SELECT p.status, p.available
FROM credits.recharge_log r, credits.payment_succeeded(r.customer_id, r.top_up_id, 'stripe', 'pi_2') p WHERE r.customer_id = 'dora';
\echo '# The first pack is refunded. Its last 10 credits go; the 90 that were spent are owed, and the new pack pays them:'
\echo
SELECT p.status, p.refunded, p.taken, p.pending, p.available
FROM credits.top_ups t, credits.payment_refunded(t.customer_id, t.top_up_id, 'stripe', 're_1') p
WHERE t.customer_id = 'dora' AND t.provider_reference = 'pi_1';
SELECT type, amount, pending, grant_name, function FROM credits.ledger WHERE customer_id = 'dora' ORDER BY line_no;

\echo '## 12. A checkout: a print and a pack of credits in one cart, with a code'
\echo
SELECT lookup_key FROM credits.price_create((SELECT product_id FROM credits.product_create('Print', type => 'good')),
    unit_amount => 25, currency => 'USD', lookup_key => 'print');
SELECT lookup_key FROM credits.package_create('Starter pack', 50, 10, 'USD', lookup_key => 'starter');
SELECT name, percent_off
FROM credits.coupon_create('Spring', percent_off => 20, promotion_codes => '[{"code": "SPRING"}]');
SELECT status, amount_subtotal, amount_total FROM credits.checkout_session_create('eva',
    line_items => '[{"lookup_key": "print"}, {"lookup_key": "starter"}]', allow_promotion_codes => true);
SELECT c.amount_discount, c.amount_total FROM credits.checkout_sessions s,
    credits.checkout_session_apply_promotion_code(s.customer_id, s.checkout_session_id, 'spring') c;
\echo '# She pays: the credits are there, the code is used, and the invoice has its number, all in one transaction.'
\echo
SELECT c.status
FROM credits.checkout_sessions s, credits.checkout_session_submit(s.customer_id, s.checkout_session_id) c;
SELECT p.status, p.available FROM credits.payment_intents i,
    credits.payment_succeeded(i.customer_id, i.payment_intent_id, 'stripe', 'pi_3') p WHERE i.customer_id = 'eva';
SELECT right(number, 4) AS number, status, subtotal, discount, total, amount_paid
FROM credits.invoices WHERE customer_id = 'eva';

\echo '## 13. A plan: 20 dollars a month with 1,000 credits, of which half of what is left rolls over'
\echo
SET credits.test_clock_drives_billing = on;
SELECT lookup_key FROM credits.price_create((SELECT product_id FROM credits.product_create('Pro')), 'recurring', 20,
    'USD', recurring => '{"interval": "month"}', lookup_key => 'pro', credit_config => '{"amount": 1000,
        "schedule": {"expire_with_next_grant": true}, "rollover": {"percent": 50}}');
SELECT name FROM credits.customer_upsert('finn', 'Finn');
SELECT provider, status FROM credits.payment_method_attach('finn', 'stripe', 'cus_finn', 'card_finn');
SELECT status, current_period_end FROM credits.subscription_create('finn', '[{"lookup_key": "pro"}]');
SELECT p.status, p.available FROM credits.payment_intents i,
    credits.payment_succeeded(i.customer_id, i.payment_intent_id, 'stripe', 'pi_4') p WHERE i.customer_id = 'finn';
SELECT debited, available FROM credits.wallet_debit('finn', 700);
\echo '# A month later 300 are left; half of them roll over. maintain() makes the invoice; paid, it brings 1,000.'
\echo
SET credits.test_clock = '2025-04-03 09:00+00';
SELECT available FROM credits.wallet_balance('finn');
CALL credits.maintain();
SELECT p.status, p.available FROM credits.payment_intents i,
    credits.payment_succeeded(i.customer_id, i.payment_intent_id, 'stripe', 'pi_5') p
WHERE i.customer_id = 'finn' AND i.status <> 'succeeded';
SELECT status, current_period_start, current_period_end FROM credits.subscriptions;
\echo '# Ten days later he changes to the larger plan. First, what that would cost:'
\echo
SET credits.test_clock = '2025-04-13 09:00+00';
SELECT lookup_key FROM credits.price_create((SELECT product_id FROM credits.product_create('Team')), 'recurring', 60,
    'USD', recurring => '{"interval": "month"}', lookup_key => 'team', credit_config => '{"amount": 4000,
        "schedule": {"expire_with_next_grant": true}}');
SELECT p.total, line ->> 'description' AS line, line ->> 'amount' AS amount
FROM credits.subscription_items i, credits.subscription_preview('finn', i.subscription_id, jsonb_build_array(
    jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', 'team')), 'always_invoice') p,
LATERAL jsonb_array_elements(p.lines) line;
SELECT c.status FROM credits.subscription_items i, credits.subscription_update('finn', i.subscription_id,
    jsonb_build_array(jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', 'team')),
    'always_invoice') c;
SELECT p.status, p.available FROM credits.payment_intents i,
    credits.payment_succeeded(i.customer_id, i.payment_intent_id, 'stripe', 'pi_6') p
WHERE i.customer_id = 'finn' AND i.status <> 'succeeded';
\echo '# In the end he leaves. Until his period is over nothing changes, and he may think again.'
\echo
SELECT c.status, c.cancel_at
FROM credits.subscriptions s, credits.subscription_cancel(s.customer_id, s.subscription_id) c;

\echo '## 14. Every credit is accounted for'
\echo
CALL credits.maintain();
SELECT line_no, type, amount, running_balance, held, pending, grant_name, effective_at
FROM credits.ledger WHERE customer_id = 'ann' ORDER BY line_no;
\echo '# As double entry: every credit that was given is somewhere. The balances sum to zero.'
\echo
SELECT * FROM credits.trial_balance;
\echo '# verify() recomputes every balance from the ledger, and returns a row per discrepancy:'
\echo
SELECT * FROM credits.verify();
