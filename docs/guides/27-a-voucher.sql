-- A VOUCHER
--
-- An API company hands out cards at a fair: whoever types in the code on the card gets 500 credits for a month. Here
-- are the campaign, what the customer's page calls, and why somebody gets none. docs/reference/coupons.md has the
-- rules.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-10-01 09:00+00';

-- 1. THE CAMPAIGN
--
-- A coupon that gives credits is a voucher: 500 of them, for 30 days, to each customer once. There are three cards. The
-- fair's code is for everybody; another, which nobody can guess, is a present for one customer.
SELECT coupon_id AS fair, name, credit_config, max_redemptions, max_redemptions_per_customer AS each
FROM credits.coupon_create('Fair 2026', credit_config => '{"amount": 500, "valid_for": "30 days", "name": "Fair 2026"}',
    max_redemptions => 3, redeem_by => '2026-10-31 23:59+00',
    promotion_codes => '[{"code": "FAIR26"}]') \gset
\echo :name :credit_config :max_redemptions :each
SELECT code AS present FROM credits.promotion_code_create(:'fair', customer_ids => '{bob}') \gset
SELECT length(:'present') AS letters, customer_ids, verification_type FROM credits.promotion_codes
WHERE code = :'present';

-- 2. ANN TYPES IT IN
--
-- What she types may be in small letters. She has the credits at once. The page gives an idempotency key: a second
-- click gets the first answer, and no more credits.
SELECT credits, expires_at, available, replayed
FROM credits.voucher_redeem('ann', ' fair26 ', idempotency_key => 'page 1');
SELECT credits, expires_at, available, replayed
FROM credits.voucher_redeem('ann', ' fair26 ', idempotency_key => 'page 1');
-- They are a grant as any other: it cost nothing, and ends in 30 days. What she uses is taken from it.
SELECT name, category, amount, cost_amount, expires_at, granted_by FROM credits.grants WHERE customer_id = 'ann';
SELECT debited, available FROM credits.wallet_debit('ann', 120);

-- 3. WHO GETS NONE
--
-- The page shows a sentence for each reason: it is in DETAIL of PC016.
CREATE FUNCTION pg_temp.redeem(customer text, code text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    RETURN (SELECT credits || ' credits' FROM credits.voucher_redeem(customer, code));
EXCEPTION WHEN SQLSTATE 'PC016' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN detail::jsonb->>'reason';
END $$;
-- Ann has had hers; the present is bob's and not cid's; and dan is the last who comes in time.
SELECT customer, pg_temp.redeem(customer, code) AS outcome FROM (VALUES (1, 'ann', 'FAIR26'), (2, 'cid', :'present'),
    (3, 'bob', :'present'), (4, 'dan', 'FAIR26'), (5, 'eve', 'FAIR26')) AS tried (n, customer, code) ORDER BY n;
-- The company prints two cards more. Eve is glad; fay comes after the fair.
SELECT max_redemptions, times_redeemed FROM credits.coupon_update(:'fair', max_redemptions => 5);
SELECT pg_temp.redeem('eve', 'FAIR26') AS eve;
SET credits.test_clock = '2026-11-02 09:00+00';
SELECT pg_temp.redeem('fay', 'FAIR26') AS fay;

-- 4. WHAT CAME OF IT
--
-- By November the credits have expired where they were not used.
SELECT customer_id, amount, remaining, status FROM credits.grants ORDER BY customer_id;
SELECT name, times_redeemed, max_redemptions, valid FROM credits.coupons;
SELECT customer_id, replace(code, :'present', '(a present)') AS code, action, amount, currency
FROM credits.discount_log ORDER BY created_at, customer_id, log_no;
SELECT * FROM credits.verify();
