-- Payment methods: what a provider keeps of a customer that can be charged, by the provider's own names.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.customer_upsert('ann', 'Ann');
-- The first is the default: what is charged where none is named.
SELECT provider, provider_customer, reference, name, expires_at, is_default, status, metadata, created_at, replayed
FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_1', '2028-01-01Z', name => 'Visa ending in 4242');
-- Others are not, unless they are said to be; then the one before is no longer.
SELECT reference, is_default FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_2');
SELECT reference, is_default FROM credits.payment_method_attach('ann', 'paystack', NULL, 'AUTH_1', is_default => true);
SELECT provider, reference, is_default, status FROM credits.payment_methods ORDER BY created_at, payment_method_id;

-- The same again is the same one. What is given replaces what was, as when the bank sends the next card.
SET credits.test_clock = '2026-04-01 12:00Z';
SELECT reference, provider_customer, name, expires_at, updated_at, replayed
FROM credits.payment_method_attach('ann', 'stripe', NULL, 'pm_1');
SELECT reference, provider_customer, name, expires_at, metadata, updated_at, is_default, replayed
FROM credits.payment_method_attach('ann', 'stripe', NULL, 'pm_1', '2031-01-01Z', name => '',
                                   metadata => '{"brand": "visa"}');
SELECT expires_at, is_default
FROM credits.payment_method_attach('ann', 'stripe', NULL, 'pm_1', 'infinity', is_default => true);
SELECT reference FROM credits.payment_methods WHERE is_default;
-- Another provider's of the same name is another one.
SELECT reference, replayed FROM credits.payment_method_attach('ann', 'shop', NULL, 'pm_1');

-- What is detached stays as a row, and is nobody's default. Nobody chose another, so there is none.
SELECT payment_method_id AS first FROM credits.payment_methods WHERE is_default \gset
SELECT reference, is_default, status, detached_at, replayed FROM credits.payment_method_detach('ann', :'first');
SELECT status, detached_at, replayed FROM credits.payment_method_detach('ann', :'first');
SELECT count(*) AS defaults FROM credits.payment_methods WHERE is_default;
-- A repeat makes none; the next one that is attached is it, under a name that was used before as well.
SELECT is_default, replayed FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_2');
SELECT payment_method_id <> :'first' AS another, is_default, status, replayed
FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_1', '2026-06-01Z');
SELECT provider, reference, status, is_default FROM credits.payment_methods ORDER BY created_at, payment_method_id;

-- A card that has expired cannot be charged: the next one takes its place.
SET credits.test_clock = '2026-06-01Z';
SELECT reference, status, is_default FROM credits.payment_methods WHERE is_default;
SELECT reference, is_default FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_3', '2029-01-01Z');
SELECT reference, is_default FROM credits.payment_method_attach('ann', 'stripe', 'cus_7', 'pm_4', '2029-01-01Z');

-- Never the number of a card, in whatever groups, nor in a name.
SELECT credits.payment_method_attach('ann', 'stripe', NULL, '4242424242424242');
SELECT credits.payment_method_attach('ann', 'stripe', '4242 4242 4242 4242', 'pm_5');
SELECT credits.payment_method_attach('ann', 'stripe', NULL, 'pm_5', name => 'Visa 4242-4242-4242-4242');
SELECT reference FROM credits.payment_method_attach('ann', 'bank', NULL, '4242424242424241');
-- Nor what is missing, or no moment, or nobody's.
SELECT credits.payment_method_attach('ann', NULL, NULL, 'pm_5');
SELECT credits.payment_method_attach('ann', 'stripe', NULL, '');
SELECT credits.payment_method_attach('ann', 'stripe', NULL, 'pm_5', '-infinity');
SELECT credits.payment_method_attach('nobody', 'stripe', NULL, 'pm_5');
SELECT credits.payment_method_detach('ann', '00000000-0000-7000-8000-000000000000');
SELECT FROM credits.customer_upsert('bob', 'Bob');
\set VERBOSITY sqlstate
SELECT credits.payment_method_detach('bob', :'first');
\set VERBOSITY default
SELECT credits.payment_method_detach('nobody', :'first');
SELECT credits.payment_method_detach('ann', NULL);

-- An auto-recharge names what it charges in the application's own words, of which nothing changes.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 5, 'USD') \gset
SELECT payment_method
FROM credits.configure_auto_recharge('ann', enabled => false, threshold => 10, price_id => :'price_id',
                                     payment_method => 'pm_3');

-- What the customer's own login sees: what people call them, not what providers do.
SET credits.current_customer = 'ann';
SELECT provider, name, expires_at, is_default FROM credits.my_payment_methods ORDER BY created_at, payment_method_id;
SET credits.current_customer = 'bob';
SELECT count(*) FROM credits.my_payment_methods;
RESET credits.current_customer;

-- Erased: nothing says what they were, and none can be charged.
SELECT FROM credits.customer_erase('ann');
SELECT DISTINCT provider_customer, reference, name, expires_at, metadata, is_default, status
FROM credits.payment_methods;
SELECT detached_at, count(*) FROM credits.payment_methods GROUP BY 1 ORDER BY 1;
SELECT credits.payment_method_attach('ann', 'stripe', NULL, 'pm_6');
SELECT FROM credits.customer_upsert('ann', 'Ann again');
SELECT reference, is_default FROM credits.payment_method_attach('ann', 'stripe', NULL, 'pm_6');
SELECT * FROM credits.verify();

-- An application's login attaches, a reader's reads.
CREATE ROLE regress_methods_app IN ROLE credits_app;
CREATE ROLE regress_methods_read IN ROLE credits_read;
SET ROLE regress_methods_app;
SELECT is_default FROM credits.payment_method_attach('bob', 'stripe', 'cus_8', 'pm_b');
SELECT payment_method_id FROM credits.payment_methods WHERE customer_id = 'bob' \gset
SELECT status FROM credits.payment_method_detach('bob', :'payment_method_id');
SET ROLE regress_methods_read;
SELECT reference, status FROM credits.payment_methods WHERE customer_id = 'bob';
SELECT credits.payment_method_attach('bob', 'stripe', 'cus_8', 'pm_b');
RESET ROLE;
DROP ROLE regress_methods_app, regress_methods_read;
