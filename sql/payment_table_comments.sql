-- What the tables of money that comes in and their columns are for.


COMMENT ON TABLE credits.products IS 'What is sold: what one unit grants.';
COMMENT ON COLUMN credits.products.product_id IS 'Its id.';
COMMENT ON COLUMN credits.products.name IS 'What people call it, and its grants.';
COMMENT ON COLUMN credits.products.description IS 'For people.';
COMMENT ON COLUMN credits.products.credit_currency IS 'The currency of what it grants.';
COMMENT ON COLUMN credits.products.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.products.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.products.priority IS '0 to 100: of its grants.';
COMMENT ON COLUMN credits.products.time_to_live IS 'How long its grants last from the payment on, on the calendar in UTC; NULL for ever.';
COMMENT ON COLUMN credits.products.applicable_meters IS 'The meters that its grants may pay for; NULL for anything.';
COMMENT ON COLUMN credits.products.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.products.created_at IS 'When it was made.';
COMMENT ON COLUMN credits.products.archived_at IS 'When it was taken off sale; NULL while it is sold.';

COMMENT ON TABLE credits.prices IS 'What one unit of a product costs. A row is never changed but for archived_at.';
COMMENT ON COLUMN credits.prices.price_id IS 'Its id: what a top-up names.';
COMMENT ON COLUMN credits.prices.product_id IS 'Of which product.';
COMMENT ON COLUMN credits.prices.type IS '''one_time''.';
COMMENT ON COLUMN credits.prices.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.prices.currency IS 'The payment currency.';
COMMENT ON COLUMN credits.prices.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.prices.created_at IS 'When it was made.';
COMMENT ON COLUMN credits.prices.archived_at IS 'When it was taken off sale; NULL while it is sold.';

COMMENT ON TABLE credits.exchange_rates IS 'The price of one credit in money, from a moment on.';
COMMENT ON COLUMN credits.exchange_rates.currency IS 'Of which credits.';
COMMENT ON COLUMN credits.exchange_rates.fiat_currency IS 'In which money.';
COMMENT ON COLUMN credits.exchange_rates.effective_at IS 'From when on.';
COMMENT ON COLUMN credits.exchange_rates.rate IS 'The price of one credit, in major units of the money.';
COMMENT ON COLUMN credits.exchange_rates.created_at IS 'When it was set.';

COMMENT ON TABLE credits.recharge_configs IS 'What credit currencies are recharged with.';
COMMENT ON COLUMN credits.recharge_configs.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharge_configs.base_price_id IS 'Its price.';
COMMENT ON COLUMN credits.recharge_configs.checkout_url IS 'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits.recharge_configs.min_amount IS 'The least that one top-up may cost, in the price''s currency; NULL for any.';
COMMENT ON COLUMN credits.recharge_configs.max_amount IS 'The most; NULL for any.';
COMMENT ON COLUMN credits.recharge_configs.updated_at IS 'When it was last set.';

COMMENT ON TABLE credits.payment_providers IS 'Who takes payments. Only the owner can read it: it has the secrets.';
COMMENT ON COLUMN credits.payment_providers.provider IS 'Its name, which also says how it signs.';
COMMENT ON COLUMN credits.payment_providers.webhook_secret IS 'What its webhooks are signed with.';
COMMENT ON COLUMN credits.payment_providers.previous_secret IS 'What they were signed with before; accepted while it is there.';
COMMENT ON COLUMN credits.payment_providers.checkout_url_template IS 'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits.payment_providers.tolerance IS 'How old a signed time may be, in seconds.';
COMMENT ON COLUMN credits.payment_providers.updated_at IS 'When it was last set.';

COMMENT ON TABLE credits.signing_keys IS 'Keys that the extension made for what it signs itself. Only the owner can read it.';
COMMENT ON COLUMN credits.signing_keys.purpose IS '''portal'': links to billing pages.';
COMMENT ON COLUMN credits.signing_keys.key IS '244 random bits, as text.';
COMMENT ON COLUMN credits.signing_keys.created_at IS 'When it was made.';

COMMENT ON TABLE credits.top_ups IS 'Purchases. What one buys is fixed when it begins.';
COMMENT ON COLUMN credits.top_ups.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.top_ups.top_up_id IS 'Its id: what its payment names.';
COMMENT ON COLUMN credits.top_ups.status IS '''initiated'', ''failed'', ''expired'', ''paid'', ''refunded''.';
COMMENT ON COLUMN credits.top_ups.price_id IS 'The price; NULL where it was bought by amount.';
COMMENT ON COLUMN credits.top_ups.quantity IS 'How many units.';
COMMENT ON COLUMN credits.top_ups.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.top_ups.currency IS 'The payment currency.';
COMMENT ON COLUMN credits.top_ups.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits.top_ups.credit_currency IS 'Of which currency.';
COMMENT ON COLUMN credits.top_ups.rate IS 'The price of one credit, where it was bought by amount.';
COMMENT ON COLUMN credits.top_ups.category IS 'Of its grant.';
COMMENT ON COLUMN credits.top_ups.priority IS 'Of its grant.';
COMMENT ON COLUMN credits.top_ups.time_to_live IS 'Of its grant, from the payment on; NULL for ever.';
COMMENT ON COLUMN credits.top_ups.applicable_meters IS 'Of its grant; NULL for anything.';
COMMENT ON COLUMN credits.top_ups.name IS 'Of its grant.';
COMMENT ON COLUMN credits.top_ups.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.top_ups.provider_reference IS 'What the provider calls the payment.';
COMMENT ON COLUMN credits.top_ups.grant_id IS 'The grant that it made; NULL until it is paid.';
COMMENT ON COLUMN credits.top_ups.recharge_id IS 'The auto-recharge that asked for it; NULL where a person did.';
COMMENT ON COLUMN credits.top_ups.paid_amount IS 'What was paid, in major units.';
COMMENT ON COLUMN credits.top_ups.refunds_sum IS 'What the refunds that were told one by one add up to, in major units.';
COMMENT ON COLUMN credits.top_ups.refunds_told IS 'The most that was told of all refunds together, in major units.';
COMMENT ON COLUMN credits.top_ups.disputed_amount IS 'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits.top_ups.dispute_status IS 'Of the last dispute: ''open'', ''won'', ''lost''; NULL where there was none.';
COMMENT ON COLUMN credits.top_ups.reclaimed IS 'Credits that went back for refunds and disputes: taken, owed, waited for, forgiven or gone.';
COMMENT ON COLUMN credits.top_ups.return_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits.top_ups.failure_url IS 'Where the customer goes when it is not.';
COMMENT ON COLUMN credits.top_ups.checkout_url IS 'Where to pay.';
COMMENT ON COLUMN credits.top_ups.description IS 'For people.';
COMMENT ON COLUMN credits.top_ups.metadata IS 'The application''s own: the grant''s too.';
COMMENT ON COLUMN credits.top_ups.created_at IS 'When it began.';
COMMENT ON COLUMN credits.top_ups.expires_at IS 'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits.top_ups.paid_at IS 'When it was granted.';
COMMENT ON COLUMN credits.top_ups.closed_at IS 'When its status last changed.';

COMMENT ON TABLE credits.payments IS 'What was told of payments: a row for each thing that was told, never changed.';
COMMENT ON COLUMN credits.payments.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.payments.payment_id IS 'Its id, in the order in which it was told.';
COMMENT ON COLUMN credits.payments.top_up_id IS 'Of which top-up.';
COMMENT ON COLUMN credits.payments.type IS '''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'', ''dispute_lost''.';
COMMENT ON COLUMN credits.payments.provider IS 'Who said so.';
COMMENT ON COLUMN credits.payments.provider_reference IS 'What the provider calls the payment, the refund or the dispute.';
COMMENT ON COLUMN credits.payments.amount IS 'Of how much, in major units; NULL where nobody said.';
COMMENT ON COLUMN credits.payments.currency IS 'The payment currency.';
COMMENT ON COLUMN credits.payments.contradiction IS 'What does not fit what was known; NULL where all does.';
COMMENT ON COLUMN credits.payments.operation_id IS 'The operation that took credits for it; NULL for none.';
COMMENT ON COLUMN credits.payments.created_at IS 'When it was told.';

COMMENT ON TABLE credits.reclaims IS 'Credits of purchases whose price was paid back, an operation each. credits are taken, paid, owed, waited for by the grant (claim), or gone: expired, voided or forgiven.';
COMMENT ON COLUMN credits.reclaims.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.reclaims.operation_id IS 'The operation.';
COMMENT ON COLUMN credits.reclaims.top_up_id IS 'Of which purchase.';
COMMENT ON COLUMN credits.reclaims.grant_id IS 'The purchase''s grant.';
COMMENT ON COLUMN credits.reclaims.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.reclaims.credits IS 'How many are to go back.';
COMMENT ON COLUMN credits.reclaims.owes IS 'Whether those that were spent are owed; else they are forgiven.';
COMMENT ON COLUMN credits.reclaims.event_name IS 'The meter whose payers may pay what is owed; NULL for what only plain credits may pay.';
COMMENT ON COLUMN credits.reclaims.taken IS 'Taken from the grant itself.';
COMMENT ON COLUMN credits.reclaims.consumed IS 'Paid by other credits, for what was owed.';
COMMENT ON COLUMN credits.reclaims.pending IS 'Still owed.';
COMMENT ON COLUMN credits.reclaims.debt_no IS 'Its place in the order of payment, where it ever owed.';
COMMENT ON COLUMN credits.reclaims.created_at IS 'When it was posted.';
COMMENT ON COLUMN credits.reclaims.undone_at IS 'When all of it was given back; NULL where it was not.';

COMMENT ON TABLE credits.auto_recharges IS 'How accounts recharge themselves.';
COMMENT ON COLUMN credits.auto_recharges.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.auto_recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.auto_recharges.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.auto_recharges.threshold IS 'Below this many available credits are bought.';
COMMENT ON COLUMN credits.auto_recharges.price_id IS 'At which price.';
COMMENT ON COLUMN credits.auto_recharges.quantity IS 'How many units.';
COMMENT ON COLUMN credits.auto_recharges.payment_method IS 'What the worker charges: its own words.';
COMMENT ON COLUMN credits.auto_recharges.max_attempts_per_day IS 'Within 24 hours; NULL for any.';
COMMENT ON COLUMN credits.auto_recharges.max_amount_per_day IS 'Within 24 hours, in major units of the price''s currency, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits.auto_recharges.cooldown IS 'The least time between two requests.';
COMMENT ON COLUMN credits.auto_recharges.timeout IS 'How long a request waits for an answer.';
COMMENT ON COLUMN credits.auto_recharges.failures IS 'How many attempts in a row failed or timed out.';
COMMENT ON COLUMN credits.auto_recharges.disabled_reason IS 'Why it switched itself off; NULL where it did not.';
COMMENT ON COLUMN credits.auto_recharges.due_at IS 'When time alone calls for a look: an open request times out, or another may be made. infinity: never.';
COMMENT ON COLUMN credits.auto_recharges.updated_at IS 'When it was last configured.';

COMMENT ON TABLE credits.recharges IS 'Auto-recharge''s attempts.';
COMMENT ON COLUMN credits.recharges.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.recharges.recharge_id IS 'Its id: the provider''s idempotency key.';
COMMENT ON COLUMN credits.recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharges.top_up_id IS 'The top-up that pays it.';
COMMENT ON COLUMN credits.recharges.status IS '''requested'', ''processing'', ''paid'', ''failed'', ''timed_out'', ''canceled''.';
COMMENT ON COLUMN credits.recharges.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits.recharges.price_currency IS 'The payment currency.';
COMMENT ON COLUMN credits.recharges.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits.recharges.payment_method IS 'What the worker charges.';
COMMENT ON COLUMN credits.recharges.reason IS 'Why it ended as it did.';
COMMENT ON COLUMN credits.recharges.requested_at IS 'When it was made.';
COMMENT ON COLUMN credits.recharges.started_at IS 'When a worker began with it.';
COMMENT ON COLUMN credits.recharges.expires_at IS 'When it times out.';
COMMENT ON COLUMN credits.recharges.closed_at IS 'When it ended; NULL while it is open.';

COMMENT ON TABLE credits.webhook_events IS 'Webhooks that were received and accepted, each event once.';
COMMENT ON COLUMN credits.webhook_events.provider IS 'Who sent it.';
COMMENT ON COLUMN credits.webhook_events.event_id IS 'The provider''s id of it.';
COMMENT ON COLUMN credits.webhook_events.type IS 'The provider''s word for what happened.';
COMMENT ON COLUMN credits.webhook_events.outcome IS '''applied'', ''contradiction'' or ''ignored''.';
COMMENT ON COLUMN credits.webhook_events.customer_id IS 'Whose payment it is about; NULL for none.';
COMMENT ON COLUMN credits.webhook_events.top_up_id IS 'Likewise.';
COMMENT ON COLUMN credits.webhook_events.reference IS 'What the provider calls the payment that it names.';
COMMENT ON COLUMN credits.webhook_events.payload IS 'What was sent.';
COMMENT ON COLUMN credits.webhook_events.received_at IS 'When it was received.';

COMMENT ON TABLE credits.outbox IS 'What other systems must act on: rows that some consumer has not acknowledged yet.';
COMMENT ON COLUMN credits.outbox.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.outbox.outbox_no IS 'Its place among the customer''s, in the order in which they were committed.';
COMMENT ON COLUMN credits.outbox.outbox_id IS 'What outbox_ack takes.';
COMMENT ON COLUMN credits.outbox.type IS 'What happened.';
COMMENT ON COLUMN credits.outbox.payload IS 'The particulars; amounts are strings of digits.';
COMMENT ON COLUMN credits.outbox.created_at IS 'When it was written.';

COMMENT ON TABLE credits.outbox_counters IS 'How many rows of the outbox each customer ever had.';
COMMENT ON COLUMN credits.outbox_counters.customer_id IS 'Whose.';
COMMENT ON COLUMN credits.outbox_counters.last_no IS 'The number of the last.';

COMMENT ON TABLE credits.outbox_consumers IS 'Who ever asked for rows of the outbox.';
COMMENT ON COLUMN credits.outbox_consumers.consumer IS 'The name that its sessions share.';
COMMENT ON COLUMN credits.outbox_consumers.created_at IS 'When it first asked.';

COMMENT ON TABLE credits.outbox_positions IS 'How far each consumer is with each customer.';
COMMENT ON COLUMN credits.outbox_positions.customer_id IS 'With whose rows.';
COMMENT ON COLUMN credits.outbox_positions.consumer IS 'Which consumer.';
COMMENT ON COLUMN credits.outbox_positions.acked_no IS 'Up to which row all are acknowledged.';
COMMENT ON COLUMN credits.outbox_positions.claimed_no IS 'Up to which row they are handed out.';
COMMENT ON COLUMN credits.outbox_positions.claimed_until IS 'Until when nobody else of that consumer gets them.';
