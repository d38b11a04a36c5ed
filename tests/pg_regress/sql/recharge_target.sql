-- Auto-recharge to a target: as much as it takes when it is asked for, in one charge, as far as the limits allow.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.meter_create('tokens');
SELECT price_id AS pack, product_id AS packs FROM credits.package_create('Pack', 100, 2, 'USD') \gset
CREATE FUNCTION requests(customer text, currency text DEFAULT 'CREDIT')
RETURNS TABLE (status text, quantity integer, credits numeric, amount numeric, money text, scheduled boolean,
    requested_at timestamptz)
LANGUAGE sql AS $$
    SELECT status, quantity, credits, amount, price_currency, scheduled, requested_at FROM credits.recharge_log
    WHERE customer_id = customer AND currency = $2 ORDER BY requested_at, recharge_id
$$;
-- Pays what is open, as a worker does.
CREATE FUNCTION pay(customer text, reference text) RETURNS TABLE (go boolean, minor_units numeric, credits numeric,
    quantity integer, available numeric)
LANGUAGE sql AS $$
    SELECT b.go, b.minor_units, b.credits, b.quantity, p.available
    FROM credits.recharge_log r
    CROSS JOIN LATERAL credits.recharge_begin(customer, r.recharge_id) b
    CROSS JOIN LATERAL credits.payment_succeeded(customer, b.top_up_id, 'stripe', reference, b.amount) p
    WHERE r.customer_id = customer AND r.closed_at IS NULL
$$;

-- Fifty packs reach 5,000 from 10; the last one goes beyond it.
SELECT FROM credits.wallet_credit('ann', 60);
SELECT threshold, target, quantity FROM credits.configure_auto_recharge('ann', threshold => 50, price_id => :'pack',
    target => 5000, cooldown => '0', payment_method => 'pm_1');
SELECT FROM credits.wallet_debit('ann', 50);
SELECT * FROM requests('ann');
SELECT payload - 'recharge_id' - 'top_up_id' AS payload FROM credits.outbox_rows WHERE customer_id = 'ann'
    AND type = 'recharge.requested';
SELECT quantity, amount, credits FROM credits_internal.recharges WHERE customer_id = 'ann';
SELECT count(*) AS "its invoice begins with its worker" FROM credits.top_ups WHERE customer_id = 'ann';
SELECT * FROM pay('ann', 'pi_1');
-- What is owed is paid first, so that takes more. What was asked for stays as it is, whatever is spent meanwhile.
SELECT status, pending FROM credits.report_meter_event('ann', 'tokens', 5260, 'e1');
SELECT FROM credits.report_meter_event('ann', 'tokens', 1000, 'e2');
SELECT * FROM requests('ann') OFFSET 1;
SELECT * FROM pay('ann', 'pi_2');
-- The fewest units, and without a target always as many.
SELECT target, quantity FROM credits.configure_auto_recharge('ann', target => 60, quantity => 3);
SELECT FROM credits.wallet_debit('ann', 4040);
SELECT * FROM requests('ann') OFFSET 2;
SELECT target, quantity FROM credits.configure_auto_recharge('ann', target => 0, quantity => 1);
SELECT * FROM credits.verify();

-- One payment may cost at most 30 and at least 9: fewer units, or more.
SELECT FROM credits.currency_update('USD', min_payment => 9, max_payment => 30);
SELECT FROM credits.wallet_credit('bob', 60);
SELECT FROM credits.configure_auto_recharge('bob', threshold => 50, price_id => :'pack', target => 5000,
    cooldown => '0');
SELECT FROM credits.wallet_debit('bob', 50);
SELECT * FROM pay('bob', 'pi_3');
SELECT target FROM credits.configure_auto_recharge('bob', target => 90);
SELECT FROM credits.wallet_debit('bob', 1490);
SELECT * FROM requests('bob');
SELECT FROM credits.configure_auto_recharge('bob', quantity => 16);
SELECT FROM credits.currency_update('USD', min_payment => 'infinity', max_payment => 'infinity');

-- Limits cut what a target takes. Eleven dollars a day of the calendar: five packs today, and more at midnight.
SELECT FROM credits.wallet_credit('cyd', 60);
SELECT max_amount_per_calendar_day, max_amount_per_calendar_month FROM credits.configure_auto_recharge('cyd',
    threshold => 500,
    price_id => :'pack', target => 1000, cooldown => '0', max_amount_per_calendar_day => 11,
        max_amount_per_calendar_month => 17);
SELECT * FROM pay('cyd', 'pi_4');
SELECT FROM credits.wallet_debit('cyd', 500);
SELECT * FROM requests('cyd');
SET credits.test_clock = '2026-03-01 23:59:59+00';
CALL credits.maintain();
SELECT count(*) FROM requests('cyd');
SET credits.test_clock = '2026-03-02 00:00+00';
CALL credits.maintain();
-- The month has seven left: three packs. Then nothing before April.
SELECT * FROM pay('cyd', 'pi_5');
SELECT FROM credits.wallet_debit('cyd', 300);
SET credits.test_clock = '2026-03-31 23:59:59+00';
CALL credits.maintain();
SELECT * FROM requests('cyd');
SET credits.test_clock = '2026-04-01 00:00+00';
CALL credits.maintain();
SELECT * FROM requests('cyd') OFFSET 2;
-- An open request is cut as well where a limit is lowered, and asked for again as far as it goes.
SELECT recharge_in_progress FROM credits.configure_auto_recharge('cyd', max_amount_per_calendar_month => 5);
SELECT * FROM requests('cyd') OFFSET 2;
-- Nothing is removed by NULL, and all by 0.
SELECT max_amount_per_calendar_day, max_amount_per_calendar_month FROM credits.configure_auto_recharge('cyd',
    max_amount_per_calendar_month => 0);
SELECT max_amount_per_calendar_day, max_amount_per_calendar_month FROM credits.configure_auto_recharge('cyd',
    max_amount_per_calendar_day => 'infinity');
-- Attempts, within a day and a month; a failed one counts.
CREATE PROCEDURE fail(customer text) LANGUAGE sql AS $$
    SELECT credits.payment_failed(customer, top_up_id) FROM credits.recharge_log WHERE customer_id = customer
        AND closed_at IS NULL
$$;
SELECT FROM credits.wallet_credit('dan', 60);
SELECT max_attempts_per_day, max_attempts_per_calendar_day AS day, max_attempts_per_calendar_month AS month
FROM credits.configure_auto_recharge('dan', threshold => 500, price_id => :'pack', cooldown => '0',
    max_attempts_per_calendar_day => 1,
                                     max_attempts_per_calendar_month => 2);
CALL fail('dan');
CALL credits.maintain();
SELECT count(*) FROM requests('dan');
SET credits.test_clock = '2026-04-02 00:00+00';
CALL credits.maintain();
CALL fail('dan');
SET credits.test_clock = '2026-04-03 00:00+00';
CALL credits.maintain();
SELECT * FROM requests('dan');
SELECT recharge_in_progress, max_attempts_per_calendar_day AS day, max_attempts_per_calendar_month AS month
    FROM credits.configure_auto_recharge('dan', max_attempts_per_calendar_month => 0);
SELECT * FROM requests('dan') OFFSET 2;
SELECT * FROM credits.verify();

-- The product changed while a request waits: what was asked for is what is paid and granted; the next one counts
-- anew.
SELECT FROM credits.wallet_credit('eve', 60);
SELECT FROM credits.configure_auto_recharge('eve', threshold => 50, price_id => :'pack', target => 1000,
    cooldown => '0');
SELECT FROM credits.wallet_debit('eve', 50);
SELECT FROM credits.product_update(:'packs', credits => 300);
CALL credits.maintain();
SELECT * FROM pay('eve', 'pi_6');
SELECT FROM credits.wallet_debit('eve', 1000);
SELECT * FROM requests('eve');
-- The price was archived: what no worker has begun is canceled, and what one has begun is granted all the same.
SELECT FROM credits.wallet_credit('fay', 60);
SELECT FROM credits.configure_auto_recharge('fay', threshold => 50, price_id => :'pack', target => 1000,
    cooldown => '0');
SELECT FROM credits.wallet_debit('fay', 50);
SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'fay' \gset
SELECT go, quantity FROM credits.recharge_begin('fay', :'recharge_id');
SELECT FROM credits.price_archive(:'pack');
CALL credits.maintain();
SELECT customer, disabled_reason, recharge_in_progress FROM unnest(ARRAY['eve', 'fay']) customer,
    credits.auto_recharge_config(customer);
SELECT go, status FROM credits.recharge_begin('fay', :'recharge_id');
SELECT available FROM credits.payment_succeeded('fay', (SELECT top_up_id FROM credits.recharge_log
    WHERE customer_id = 'fay'), 'stripe', 'pi_7');
-- Another price goes on with the same target.
SELECT price_id AS dear FROM credits.package_create('Dear', 100, 3, 'USD') \gset
SELECT enabled, target FROM credits.configure_auto_recharge('eve', enabled => true, price_id => :'dear');
SELECT * FROM requests('eve') OFFSET 2;
SELECT * FROM credits.verify();

-- By amount: at the exchange rate of the moment, to the cent.
SELECT FROM credits.wallet_credit('gus', 60);
SELECT FROM credits.configure_auto_recharge('gus', threshold => 50, target => 500, price_currency => 'USD');
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.031);
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.04, '2026-05-01 00:00+00');
SELECT FROM credits.configure_auto_recharge('gus', threshold => 50, price_currency => 'USD');
SELECT price_id, price_currency, target FROM credits.configure_auto_recharge('gus', threshold => 50, target => 500,
    price_currency => 'USD', cooldown => '0');
SELECT FROM credits.wallet_debit('gus', 49.5);
SELECT * FROM requests('gus');
SELECT FROM credits_internal.recharges r, credits.recharge_begin('gus', r.recharge_id) WHERE r.customer_id = 'gus';
SELECT price_id, quantity, amount, rate, credits FROM credits.top_ups WHERE customer_id = 'gus';
SELECT * FROM pay('gus', 'pi_8');
SET credits.test_clock = '2026-05-01 00:00+00';
SELECT FROM credits.wallet_debit('gus', 490);
SELECT * FROM requests('gus') OFFSET 1;
SELECT max_amount_per_day FROM credits.configure_auto_recharge('gus', max_amount_per_day => 10);
SELECT * FROM requests('gus') OFFSET 1;
-- And back to a price, in another currency: its limits are needed anew.
SELECT FROM credits.currency_create('EUR', decimals => 2, kind => 'fiat');
SELECT price_id AS euros FROM credits.package_create('Euros', 100, 2, 'EUR') \gset
SELECT FROM credits.configure_auto_recharge('gus', price_id => :'euros');
SELECT price_id = :'euros' AS by_price, price_currency, max_amount_per_day
    FROM credits.configure_auto_recharge('gus', price_id => :'euros', max_amount_per_day => 0);
SELECT * FROM requests('gus') OFFSET 1;
-- Its money takes no new business any more.
SELECT FROM credits.wallet_credit('hal', 60);
SELECT FROM credits.configure_auto_recharge('hal', threshold => 50, target => 500, price_currency => 'USD');
SELECT FROM credits.currency_update('USD', active => false);
SELECT FROM credits.wallet_debit('hal', 50);
SELECT enabled, disabled_reason FROM credits.auto_recharge_config('hal');
SELECT FROM credits.currency_update('USD', active => true);
SELECT * FROM credits.verify();

-- What does not fit together.
SELECT enabled FROM credits.configure_auto_recharge('ann', enabled => true, price_id => :'dear', target => 100);
SELECT FROM credits.configure_auto_recharge('ann', target => 49);
SELECT FROM credits.configure_auto_recharge('ann', threshold => 101);
SELECT FROM credits.configure_auto_recharge('ann', target => -1);
SELECT FROM credits.configure_auto_recharge('ann', target => 'NaN');
SELECT FROM credits.configure_auto_recharge('hal', target => 0);
SELECT FROM credits.configure_auto_recharge('ann', price_id => :'dear', price_currency => 'USD');
SELECT FROM credits.configure_auto_recharge('ann', price_currency => 'CREDIT');
SELECT FROM credits.configure_auto_recharge('ann', price_currency => 'XXX');
SELECT FROM credits.configure_auto_recharge('ann', price_currency => 'EUR');
SELECT FROM credits.configure_auto_recharge('ann', max_amount_per_calendar_day => 2);
SELECT FROM credits.configure_auto_recharge('ann', max_amount_per_calendar_month => 2);
SELECT FROM credits.configure_auto_recharge('ann', max_attempts_per_calendar_day => -1);
SELECT FROM credits.configure_auto_recharge('ann', max_amount_per_calendar_month => -1);
-- A limit that does not even allow the least switches it off.
UPDATE credits_internal.auto_recharges SET max_amount_per_calendar_month = 2 WHERE customer_id = 'ann';
SELECT FROM credits.configure_auto_recharge('ann', enabled => true);
SELECT FROM credits.currency_update('USD', max_payment => 1000);
CALL credits.maintain();
SELECT enabled, disabled_reason FROM credits.auto_recharge_config('ann');
SELECT payload ->> 'message' AS message FROM credits.outbox_rows WHERE customer_id = 'ann'
    AND type = 'recharge.disabled' ORDER BY outbox_no DESC LIMIT 1;
SELECT * FROM credits.verify();
