-- Room is kept for all that may come back: what would leave none is refused when it comes in, and no cancellation, dispute, release
-- or start can find an account full.
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE 'SELECT to_jsonb(x)::text FROM ' || call || ' x' INTO answer;
    RETURN coalesce(answer, 'done');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT FROM credits.currency_create('UNIT', decimals => 0);
SELECT FROM credits.meter_create('units', currency => 'UNIT');
SELECT FROM credits.meter_create('units.later', currency => 'UNIT', settlement => 'deferred');
SELECT FROM credits.meter_create('units.last', currency => 'UNIT', aggregation => 'last', period => 'day');

-- Usage that is spent may be taken back.
SELECT amount FROM credits.credit_grant('cancels', 9999999999999999999999.999999);
SELECT FROM credits.meter_create('usage');
SELECT consumed FROM credits.report_meter_event('cancels', 'usage', 9999999999999999999999.999999, 'e');
SELECT try($$credits.credit_grant('cancels', 0.000001)$$);
SELECT try($$credits.wallet_credit('cancels', 9999999999999999999999.999999)$$);
SELECT try($$credits.wallet_adjust('cancels', 1, 'gift')$$);
SELECT returned, available FROM credits.meter_event_cancel('cancels', 'e');
SELECT debited, available FROM credits.wallet_debit('cancels', 1);

-- What is scheduled will start, what is held will be released; what is transferred has come in.
SELECT FROM credits.credit_grant('starts', 4999999999999999999999999999, 'UNIT', effective_at => now() + interval '1 day');
SELECT available FROM credits.wallet_credit('starts', 5000000000000000000000000000, 'UNIT');
SELECT FROM credits.hold_create('starts', 5000000000000000000000000000, 'UNIT');
SELECT try($$credits.wallet_credit('starts', 1, 'UNIT')$$);
SELECT available FROM credits.wallet_credit('sender', 1, 'UNIT');
SELECT try($$credits.wallet_transfer('sender', 'starts', 1, 'UNIT')$$);
-- However it was spent: it is the account's for good.
SELECT available FROM credits.wallet_credit('debits', 9999999999999999999999999999, 'UNIT');
SELECT available FROM credits.wallet_debit('debits', 9999999999999999999999999999, 'UNIT');
SELECT try($$credits.wallet_credit('debits', 1, 'UNIT')$$);

-- A purchase whose price was paid back, and is not after all.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create(
    'All', credits => 9999999999999999999999999999, credit_currency => 'UNIT', unit_amount => 10, price_currency => 'USD') \gset
SELECT top_up_id AS bought FROM credits.top_up_create('buys', :'pack') \gset
SELECT available FROM credits.payment_succeeded('buys', :'bought', 'stripe', 'pi_1', amount => 10);
SELECT FROM credits.payment_disputed('buys', :'bought', 'stripe', 'dp_1', amount => 10);
SELECT try($$credits.wallet_credit('buys', 9999999999999999999999999999, 'UNIT')$$);
SELECT FROM credits.payment_dispute_closed('buys', :'bought', 'stripe', 'dp_1', won => true);
SELECT available FROM credits.wallet_balance('buys', 'UNIT');
SELECT available FROM credits.wallet_debit('buys', 1, 'UNIT');

-- What was begun while there was room, and is paid when there is none, is recorded and granted never: a provider's webhook too.
SELECT top_up_id AS first FROM credits.top_up_create('full', :'pack') \gset
SELECT top_up_id AS second FROM credits.top_up_create('full', :'pack') \gset
SELECT top_up_id AS third FROM credits.top_up_create('full', :'pack') \gset
SELECT top_up_id AS fourth FROM credits.top_up_create('full', :'pack') \gset
SELECT status FROM credits.payment_succeeded('full', :'first', 'shop', 'p1', amount => 10);
SELECT try(format('credits.top_up_create(%L, %L)', 'full', :'pack'));
SELECT status, grant_id, available, contradiction, replayed
FROM credits.payment_succeeded('full', :'second', 'shop', 'p2', amount => 10);
SELECT status, grant_id, available, contradiction, replayed
FROM credits.payment_succeeded('full', :'second', 'shop', 'p2', amount => 10);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('full', :'third');
SELECT status, contradiction, replayed FROM credits.payment_succeeded('full', :'third');
CREATE EXTENSION pgcrypto;
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop');
SELECT format('{"id": "e1", "type": "payment.succeeded", "customer_id": "full", "top_up_id": "%s", "reference": "p4", "amount": 10}', :'fourth') AS event \gset
SELECT outcome, status, replayed
FROM credits.webhook_receive('shop', :'event', encode(hmac(:'event', 'secret of the shop', 'sha256'), 'hex'));
SELECT outcome, status, replayed
FROM credits.webhook_receive('shop', :'event', encode(hmac(:'event', 'secret of the shop', 'sha256'), 'hex'));
SELECT type, provider, provider_reference, amount, counts, contradiction FROM credits.payment_log
WHERE customer_id = 'full' ORDER BY payment_id;
SELECT type, payload ->> 'provider_reference' AS reference, payload ->> 'contradiction' AS contradiction
FROM credits.outbox_rows WHERE customer_id = 'full' ORDER BY outbox_no;
SELECT status, paid_amount, count(*) FROM credits.top_ups WHERE customer_id = 'full' GROUP BY 1, 2 ORDER BY 2;
-- What is owed has its limit too; what a purchase that was spent and paid back leaves owed comes on top, and can be paid.
SELECT top_up_id AS bought FROM credits.top_up_create('owes', :'pack') \gset
SELECT available FROM credits.payment_succeeded('owes', :'bought', 'stripe', 'pi_2', amount => 10);
SELECT pending FROM credits.report_meter_event('owes', 'units', 9999999999999999999999999999, 'spent');
SELECT pending FROM credits.report_meter_event('owes', 'units', 9999999999999999999999999999, 'owed');
SELECT try($$credits.report_meter_event('owes', 'units', 1, 'more')$$);
SELECT FROM credits.payment_refunded('owes', :'bought', 'stripe', 're_1', amount => 10);
SELECT available, pending FROM credits.wallet_balance('owes', 'UNIT');
SELECT pending FROM credits.meter_event_cancel('owes', 'owed');
SELECT available, pending FROM credits.wallet_balance('owes', 'UNIT');
SELECT returned FROM credits.meter_event_cancel('owes', 'spent');
SELECT available, pending FROM credits.wallet_balance('owes', 'UNIT');

-- Deferred usage is not judged when it is reported: what cannot be counted any more is taken back when it is settled, and says why.
SELECT FROM credits.customer_upsert('floods');
SELECT pending FROM credits.report_meter_event('floods', 'units', 9999999999999999999999999990, 'owed');
SELECT status FROM generate_series(1, 4) n,
    LATERAL credits.report_meter_event('floods', 'units.later', CASE n WHEN 1 THEN 8 ELSE 3 * n END, 'later ' || n);
SELECT pending FROM credits.pending_amount('floods', 'UNIT');
CALL credits.maintain();
SELECT unsettled FROM credits.backlog;
SELECT identifier, status, credits, pending, cancel_reason FROM credits.usage WHERE customer_id = 'floods' ORDER BY 1;
SELECT available, pending FROM credits.wallet_balance('floods', 'UNIT');
SELECT status, replayed FROM credits.report_meter_event('floods', 'units.later', 6, 'later 2');
-- What waits in the same batch is left waiting by what is charged at once.
SELECT identifier, status, error FROM credits.report_meter_events('[
    {"customer_id": "floods", "event_name": "units.later", "value": 5, "identifier": "b 1"},
    {"customer_id": "floods", "event_name": "units", "value": 1, "identifier": "b 2"}]');
SELECT credits.settle();
SELECT identifier, status, cancel_reason FROM credits.usage WHERE customer_id = 'floods' AND identifier LIKE 'b %'
ORDER BY 1;
-- A cancellation that would make a period dearer than can be owed.
SELECT FROM credits.customer_upsert('lasts');
SELECT pending FROM credits.report_meter_event('lasts', 'units.last', 9, 'high');
SELECT pending FROM credits.report_meter_event('lasts', 'units.last', 1, 'low');
SELECT pending FROM credits.report_meter_event('lasts', 'units', 9999999999999999999999999992, 'owed');
SELECT try($$credits.meter_event_cancel('lasts', 'low')$$);
SELECT status FROM credits.meter_event_cancel('lasts', 'owed');
SELECT pending FROM credits.meter_event_cancel('lasts', 'low');
SELECT issued FROM credits_internal.accounts WHERE currency = 'UNIT' ORDER BY customer_id;
SELECT * FROM credits.verify();

-- verify() sees what does not add up.
UPDATE credits_internal.accounts SET issued = issued + 1 WHERE customer_id = 'sender';
SELECT * FROM credits.verify('sender');
