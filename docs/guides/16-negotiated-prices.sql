-- NEGOTIATED PRICES
--
-- A platform has a list price, and customers with contracts: a discount on whatever the list says, a price of their
-- own, a special for a while. Prices change on a date that is agreed ahead, and late usage costs what it did when it
-- occurred. How prices are written is in docs/pricing.md.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-10 09:00+00';
SELECT FROM credits.wallet_credit('hugo', 10000);
SELECT FROM credits.wallet_credit('ines', 10000);
SELECT FROM credits.wallet_credit('jan', 10000);
SELECT event_name, unit_price FROM credits.meter_create('pages', unit_price => 0.40, unit => 'page');
SELECT event_name FROM credits.meter_create('minutes', period => 'month', unit => 'minute', pricing => '{
    "mode": "graduated", "tiers": [{"up_to": 100, "unit_price": 0}, {"unit_price": 1}]}');

-- 1. THREE CONTRACTS
--
-- Hugo has 15 % off all that pages cost, until the contract ends.
SELECT override_no, discount_percent, effective_at, ends_at, status
FROM credits.meter_price_override('hugo', 'pages', discount_percent => 15, ends_at => '2027-03-10');
-- Ines pays 0.30, whatever the list says.
SELECT override_no, unit_price, status FROM credits.meter_price_override('ines', 'pages', unit_price => 0.30);
-- Jan has 500 free minutes a month instead of 100, from April on.
SELECT override_no, effective_at, status
FROM credits.meter_price_override('jan', 'minutes', effective_at => '2026-04-01',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 500, "unit_price": 0}, {"unit_price": 1}]}');

-- What would each of them pay for 100 pages? An estimate before the contract is signed, and a check after.
SELECT c AS customer, credits.usage_price('pages', 100, customer_id => c) AS price
FROM unnest('{hugo, ines, jan}'::text[]) c;

-- 2. USAGE
--
-- Nothing about reporting changes: the customer and the moment decide.
SELECT identifier, consumed FROM credits.report_meter_events(
    ARRAY['hugo', 'ines', 'jan'], ARRAY['pages', 'pages', 'pages'], ARRAY[100, 100, 100], ARRAY['p1', 'p1', 'p1']);
-- A discount is taken off before rounding: three pages at 0.40 less 15 % are 1.02, exactly.
SELECT consumed FROM credits.report_meter_event('hugo', 'pages', 3, 'p2');

-- 3. THE LIST CHANGES ON THE FIRST OF APRIL
--
-- Said now, in force then, without anybody doing anything at midnight.
SELECT unit_price, next_price_at FROM credits.meter_update('pages', unit_price => 0.50, effective_at => '2026-04-01');
SELECT c AS customer, credits.usage_price('pages', 100, customer_id => c, occurred_at => '2026-04-01') AS from_april
FROM unnest('{hugo, ines, jan}'::text[]) c;

SET credits.test_clock = '2026-04-01 00:30+00';
SELECT identifier, consumed FROM credits.report_meter_events(
    ARRAY['hugo', 'ines', 'jan'], ARRAY['pages', 'pages', 'pages'], ARRAY[100, 100, 100], ARRAY['p3', 'p3', 'p3']);
-- What happened in March and is reported only now costs what it did in March.
SELECT consumed FROM credits.report_meter_event('hugo', 'pages', 100, 'p4', occurred_at => '2026-03-31 23:50+00');

-- 4. A SPECIAL, AND WHAT IS THERE AFTER IT
--
-- Half the price for Hugo for a week. It stands over the discount: what began last is in force.
SELECT override_no, discount_percent, ends_at
FROM credits.meter_price_override('hugo', 'pages', discount_percent => 50, ends_at => '2026-04-08');
SELECT at::date AS day, credits.usage_price('pages', 100, customer_id => 'hugo', occurred_at => at) AS price
FROM unnest('{2026-03-20, 2026-04-02, 2026-04-08}'::timestamptz[]) at;

-- 5. JAN'S FREE MINUTES
--
SELECT consumed FROM credits.report_meter_event('jan', 'minutes', 480, 'm1');
SELECT consumed FROM credits.report_meter_event('jan', 'minutes', 40, 'm2');

-- 6. A CONTRACT ENDS EARLY
--
-- Ines' at the end of the month: usage until then keeps her price, however late it is reported.
SELECT override_no, ends_at, status FROM credits.meter_price_override_end('ines', 'pages', ends_at => '2026-05-01');
SET credits.test_clock = '2026-05-02 10:00+00';
SELECT consumed FROM credits.report_meter_event('ines', 'pages', 100, 'p5', occurred_at => '2026-04-30 12:00+00');
SELECT consumed FROM credits.report_meter_event('ines', 'pages', 100, 'p6');

-- 7. WHO PAYS WHAT, AND WHY
--
SELECT customer_id, event_name, override_no, unit_price, discount_percent, effective_at::date, ends_at::date, status
FROM credits.price_overrides ORDER BY 1, 2, 3;
SELECT customer_id, identifier, occurred_at::date, quantity, credits, price_version, override_no
FROM credits.usage WHERE event_name = 'pages' ORDER BY customer_id, occurred_at, identifier;

SELECT * FROM credits.verify();
