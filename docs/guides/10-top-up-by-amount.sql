-- A WALLET TOPPED UP BY AMOUNT
--
-- "Add 25 dollars." No pack, just an amount; an exchange rate says how many credits that is. This page tops up
-- wallets by amount, goes through all that can happen to a payment, and refunds some of it.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-05-11 09:00+00';

-- 1. WHAT A CREDIT COSTS
--
-- Each credit currency has its own price in money. A change can be scheduled; what was set stays on record.
SELECT currency, kind FROM credits.currency_create('USD', 'US dollar', kind => 'fiat');
SELECT currency, decimals, kind FROM credits.currency_create('GPU_HOUR', 'Hours of GPU', decimals => 2);
SELECT currency, fiat_currency, rate, effective_at FROM credits.exchange_rate_set('CREDIT', 'USD', 0.02);
SELECT currency, fiat_currency, rate, effective_at FROM credits.exchange_rate_set('GPU_HOUR', 'USD', 1.50);
SELECT currency, fiat_currency, rate, effective_at
FROM credits.exchange_rate_set('CREDIT', 'USD', 0.025, effective_at => '2026-06-01 00:00+00');
SELECT credits.exchange_rate('CREDIT', 'USD') AS today, credits.exchange_rate('CREDIT', 'USD', '2026-06-01') AS june,
       credits.exchange_rate('GPU_HOUR', 'USD') AS gpu_hour;

-- Where to pay: the provider's page, whose address has what is due and where to go afterwards. (The secret is for its
-- webhooks; how to set it so that no log has it is in docs/webhooks.md.)
SELECT provider, checkout_url_template FROM credits.payment_provider_set('acmepay', 'not a real secret',
    'https://acmepay.example/{top_up_id}?due={amount}&in={currency}&ok={return_url}&failed={failure_url}');

-- What one payment may be, at least and at most:
SELECT currency, min_payment, max_payment FROM credits.currency_update('USD', min_payment => 5, max_payment => 500);

-- 2. 25 DOLLARS
--
-- 25 / 0.02 = 1,250 credits, at the rate of this moment, whenever it is paid.
SELECT status, amount, currency, rate, credits, credit_currency, expires_at
FROM credits.top_up_create('jo', amount => 25.00, currency => 'USD', credit_currency => 'CREDIT',
                           return_url => 'https://app.example/thanks', failure_url => 'https://app.example/oh?no=1',
                           idempotency_key => 'jo-1');

-- The same request again finds the same top-up. (Its id is left out of the address here.)
SELECT replace(checkout_url, top_up_id::text, '…') AS checkout_url, replayed
FROM credits.top_up_create('jo', amount => 25.00, currency => 'USD', credit_currency => 'CREDIT',
                           idempotency_key => 'jo-1');

-- What does not divide evenly is rounded down: 25 / 1.50 hours, with two decimals.
SELECT credits, credit_currency, rate
FROM credits.top_up_create('jo', amount => 25.00, currency => 'USD', credit_currency => 'GPU_HOUR');

-- One top-up can have a rate of its own, whatever the exchange rate is. And where no credit currency is named, the
-- wallet keeps the money itself, one for one.
SELECT credits, credit_currency, rate
FROM credits.top_up_create('jo', amount => 25.00, currency => 'USD', credit_currency => 'CREDIT', rate => 0.01);
SELECT credits, credit_currency, rate FROM credits.top_up_create('jo', amount => 25.00, currency => 'USD');

-- Too little is refused before anybody pays it (PC007):
\set VERBOSITY terse
SELECT FROM credits.top_up_create('jo', amount => 4.99, currency => 'USD', credit_currency => 'CREDIT');
\set VERBOSITY default

-- 3. PAID, LATE, OR NOT AT ALL
--
-- The payment fails, the customer tries again, and it succeeds: the credits arrive with the success. A repeat is
-- known by the provider's reference.
SELECT top_up_id AS jo_1 FROM credits.top_ups WHERE credits = 1250 \gset
SELECT status, available FROM credits.payment_failed('jo', :'jo_1', 'acmepay', 'p-1', 'card declined');
SELECT status, credits, available, replayed FROM credits.payment_succeeded('jo', :'jo_1', 'acmepay', 'p-2', 25);
SELECT status, credits, available, replayed FROM credits.payment_succeeded('jo', :'jo_1', 'acmepay', 'p-2', 25);

-- A day later nobody has paid the other three, and they count as expired, whether or not any job has run. A customer
-- who pays all the same gets what was fixed at the beginning.
SET credits.test_clock = '2026-05-12 09:00+00';
SELECT credits, credit_currency, status FROM credits.top_ups WHERE customer_id = 'jo' ORDER BY credits;
SELECT top_up_id AS gpu FROM credits.top_ups WHERE credit_currency = 'GPU_HOUR' \gset
SELECT status, credits, credit_currency, available FROM credits.payment_succeeded('jo', :'gpu', 'acmepay', 'p-3', 25);

-- A top-up can also be given up by a call, before or after it expires, so that it is in the log and in the outbox.
SELECT top_up_id AS cheap FROM credits.top_ups WHERE credits = 2500 \gset
SELECT status FROM credits.top_up_expire('jo', :'cheap');

-- Less than was due grants nothing until another payment makes up the rest, and a person should look at it.
SELECT top_up_id AS short
FROM credits.top_up_create('jo', amount => 30, currency => 'USD', credit_currency => 'CREDIT') \gset
SELECT status, contradiction FROM credits.payment_succeeded('jo', :'short', 'acmepay', 'p-4', 20);

-- All that was reported about payments, in that order:
SELECT type, provider, provider_reference, amount, contradiction FROM credits.payment_log ORDER BY payment_id;

-- 4. MONEY GOES BACK
--
-- Jo has used 750 of the 1,250, and gets 5 of the 25 dollars back. That is a fifth, so 250 credits go back too, unspent
-- ones first. The refund's reference makes a repeat harmless.
SELECT debited, available FROM credits.wallet_debit('jo', 750);
SELECT status, refunded, taken, pending, available FROM credits.payment_refunded('jo', :'jo_1', 'acmepay', 'r-1', 5);
SELECT status, refunded, taken, pending, replayed FROM credits.payment_refunded('jo', :'jo_1', 'acmepay', 'r-1', 5);

-- Then the other 20. The 250 that remain go; 750 were spent and cannot go: they are owed, and the next credits pay
-- them.
SELECT status, refunded, taken, pending, available FROM credits.payment_refunded('jo', :'jo_1', 'acmepay', 'r-2', 20);
SELECT currency, available, pending FROM credits.wallet_balance('jo', 'CREDIT');
SELECT credited, available FROM credits.wallet_credit('jo', 1000, description => 'A present');

-- So Jo's top-ups have been in every state, except 'failed', which the first one has left behind. (If credits of a
-- refunded purchase had expired, they would be neither taken nor owed.)
SELECT status, amount, paid_amount, credits, credit_currency, refunded_amount, reclaimed
FROM credits.top_ups WHERE customer_id = 'jo' ORDER BY credits;

-- Or what was spent is forgiven, where you refund out of courtesy. (The setting credits.spent_on_refund decides where a
-- call does not.) Kit has spent half:
SELECT top_up_id AS kit
FROM credits.top_up_create('kit', amount => 25, currency => 'USD', credit_currency => 'CREDIT') \gset
SELECT status, available FROM credits.payment_succeeded('kit', :'kit', 'acmepay', 'p-5', 25);
SELECT debited, available FROM credits.wallet_debit('kit', 625);
SELECT status, refunded, taken, pending, available
FROM credits.payment_refunded('kit', :'kit', 'acmepay', 'r-3', spent => 'forgive');

-- 5. A DISPUTE
--
-- Lea's bank takes the payment back (a chargeback). Until that is decided her credits are gone as with a refund. She
-- had spent 400, which are owed.
SELECT top_up_id AS lea
FROM credits.top_up_create('lea', amount => 25, currency => 'USD', credit_currency => 'CREDIT') \gset
SELECT status, available FROM credits.payment_succeeded('lea', :'lea', 'acmepay', 'p-6', 25);
SELECT debited, available FROM credits.wallet_debit('lea', 400);
SELECT status, taken, pending, available FROM credits.payment_disputed('lea', :'lea', 'acmepay', 'd-1');
SELECT status, dispute_status, disputed_amount, reclaimed FROM credits.top_ups WHERE customer_id = 'lea';

-- It is won: exactly what was taken comes back, and nothing is owed any more.
SELECT status, taken, pending, available
FROM credits.payment_dispute_closed('lea', :'lea', 'acmepay', 'd-1', won => true);
SELECT status, dispute_status, disputed_amount, reclaimed FROM credits.top_ups WHERE customer_id = 'lea';
SELECT currency, available, pending FROM credits.wallet_balance('lea', 'CREDIT');

-- Nothing was undone in the ledger: lines 3 and 4 took and owed, lines 5 and 6 are what the decision gave back.
SELECT line_no, type, amount, running_balance, pending FROM credits.ledger WHERE customer_id = 'lea' ORDER BY line_no;

-- 6. PAYMENTS THAT HAPPENED ELSEWHERE
--
-- An invoice that was paid by bank transfer, a refund by cheque: nothing that a provider would report. A signed
-- adjustment books it, once per key. Above zero it adds a grant, here one that was paid for; below zero it takes
-- credits in the order of any debit, and never more than there are.
SELECT adjusted, available FROM credits.wallet_adjust('lea', 5000, 'external_topup', idempotency_key => 'invoice-9',
                                                      description => 'Invoice 9, paid by bank');
SELECT adjusted, available, replayed
FROM credits.wallet_adjust('lea', 5000, 'external_topup', idempotency_key => 'invoice-9');
SELECT adjusted, available FROM credits.wallet_adjust('lea', -1000, 'refund', description => 'Cheque of the 12th');
SELECT line_no, type, grant_name, amount, running_balance, reason, description FROM credits.ledger
WHERE customer_id = 'lea' AND line_no > 6 ORDER BY line_no;

-- 7. A LINK TO THE BILLING PAGE
--
-- For a button, or a mail: a signed link that opens one customer's page for ten minutes, with the addresses to go to
-- from there. (The token opens the page for anyone who has it, so it is not shown here.)
SET credits.portal_url = 'https://app.example/billing';
SELECT token, url, expires_at
FROM credits.billing_portal_session_create('lea', 'https://app.example/done', 'https://app.example/oh') \gset
SELECT :'expires_at' AS expires_at, replace(:'url', :'token', '(the token)') AS url, :'token' <> '' AS has_token;

-- The page's server asks whose it is:
SELECT customer_id, return_url, failure_url, expires_at FROM credits.billing_portal_session_verify(:'token');

-- With one letter added, or ten minutes later, it opens nothing (PC012):
\set VERBOSITY terse
SELECT customer_id FROM credits.billing_portal_session_verify('x' || :'token');
SET credits.test_clock = '2026-05-12 09:10+00';
SELECT customer_id FROM credits.billing_portal_session_verify(:'token');
\set VERBOSITY default

-- 8. JUNE
--
-- The rate that was scheduled holds for top-ups that begin now. And the books are sound: no rows.
SET credits.test_clock = '2026-06-01 00:00+00';
SELECT credits, rate FROM credits.top_up_create('jo', amount => 25, currency => 'USD', credit_currency => 'CREDIT');
SELECT * FROM credits.verify();
