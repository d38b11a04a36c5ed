-- What the tables of meters and their columns are for.

COMMENT ON TABLE credits.meters IS 'Billable kinds of usage.';
COMMENT ON COLUMN credits.meters.event_name IS 'Its key: what events call it.';
COMMENT ON COLUMN credits.meters.name IS 'What people call it.';
COMMENT ON COLUMN credits.meters.currency IS 'What it charges.';
COMMENT ON COLUMN credits.meters.aggregation IS '''sum'' of the values, ''count'' of the events, the ''last'' value or the highest (''max'').';
COMMENT ON COLUMN credits.meters.period IS 'What adds up: the events of a ''day'' or a ''month'' (UTC, by occurred_at), or all of them (NULL). Matters for last, max, tiers and whole blocks.';
COMMENT ON COLUMN credits.meters.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.meters.overage IS 'What happens to usage that no credit covers: ''pending'' records it as owed, ''reject'' refuses the event.';
COMMENT ON COLUMN credits.meters.settlement IS 'When events are charged: ''immediate'', or ''deferred'': recorded at once and charged by settle().';
COMMENT ON COLUMN credits.meters.active IS 'Whether it takes new events.';
COMMENT ON COLUMN credits.meters.price_version IS 'Which of its prices new events are charged by.';
COMMENT ON COLUMN credits.meters.description IS 'For people.';
COMMENT ON COLUMN credits.meters.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.meters.created_at IS 'When it was made.';

COMMENT ON TABLE credits.meter_prices IS 'The prices that a meter has and had. A row is never changed: another price is another version.';
COMMENT ON COLUMN credits.meter_prices.event_name IS 'Whose.';
COMMENT ON COLUMN credits.meter_prices.version IS 'Counts from 1 in each meter.';
COMMENT ON COLUMN credits.meter_prices.unit_price IS 'Credits for one unit; NULL where pricing says more.';
COMMENT ON COLUMN credits.meter_prices.pricing IS 'Prices by block, tier or metadata, as meter_create checked them; NULL where unit_price is all.';
COMMENT ON COLUMN credits.meter_prices.created_at IS 'When it was set.';

COMMENT ON TABLE credits.meter_events IS 'Reports of usage, each charged once.';
COMMENT ON COLUMN credits.meter_events.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.meter_events.identifier IS 'The reporter''s own, unique per customer for ever.';
COMMENT ON COLUMN credits.meter_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits.meter_events.currency IS 'What it was charged in.';
COMMENT ON COLUMN credits.meter_events.value IS 'How much, in the meter''s unit.';
COMMENT ON COLUMN credits.meter_events.consumed IS 'Credits paid for it, less those that it brought back; while it is unsettled what it will cost. What came back when it was taken back is in canceled_events.';
COMMENT ON COLUMN credits.meter_events.pending IS 'Credits still owed for it.';
COMMENT ON COLUMN credits.meter_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.meter_events.created_at IS 'When it was reported; where it is its own line, when that was posted, at the account''s time.';
COMMENT ON COLUMN credits.meter_events.price_version IS 'The version of its meter''s prices that it was reported under.';
COMMENT ON COLUMN credits.meter_events.subscription_id IS 'The application''s own.';
COMMENT ON COLUMN credits.meter_events.source_data IS 'The application''s own: what the event was made of.';
COMMENT ON COLUMN credits.meter_events.metadata IS 'The application''s own; one key of it may decide the price.';
COMMENT ON COLUMN credits.meter_events.period_key IS 'The usage_periods row that it is priced in; NULL where it is priced by itself.';
COMMENT ON COLUMN credits.meter_events.line_no IS 'The number of its line in the ledger, where one grant paid all of it at once and it is its own line; NULL where its lines are in credit_transactions.';
COMMENT ON COLUMN credits.meter_events.running_balance IS 'Of its own line, the balance after it: available and restricted.';
COMMENT ON COLUMN credits.meter_events.grant_id IS 'Of its own line, the grant that paid.';

COMMENT ON TABLE credits.event_debts IS 'Events that owe, in the order in which the next credits pay them; what each owes is its pending. A row goes when its event owes nothing more.';
COMMENT ON COLUMN credits.event_debts.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.event_debts.identifier IS 'The event.';
COMMENT ON COLUMN credits.event_debts.currency IS 'What it counts.';
COMMENT ON COLUMN credits.event_debts.debt_no IS 'Its place in its account''s order of payment.';

COMMENT ON TABLE credits.canceled_events IS 'Events whose usage was taken back.';
COMMENT ON COLUMN credits.canceled_events.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.canceled_events.identifier IS 'The event.';
COMMENT ON COLUMN credits.canceled_events.canceled_at IS 'When it was taken back, at the account''s time.';
COMMENT ON COLUMN credits.canceled_events.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits.canceled_events.returned IS 'The credits that came back.';

COMMENT ON TABLE credits.unsettled_events IS 'Events of deferred meters that are recorded and not charged yet.';
COMMENT ON COLUMN credits.unsettled_events.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.unsettled_events.currency IS 'What it will be charged in.';
COMMENT ON COLUMN credits.unsettled_events.created_at IS 'When it was reported: as of when it will be charged.';
COMMENT ON COLUMN credits.unsettled_events.identifier IS 'The event.';
COMMENT ON COLUMN credits.unsettled_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits.unsettled_events.cost IS 'Credits that it will cost.';

COMMENT ON TABLE credits.usage_periods IS 'Usage that is priced as one, because one event decides (last, max) or the price depends on what was used before (tiers, whole blocks): what it stands at.';
COMMENT ON COLUMN credits.usage_periods.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.usage_periods.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_periods.period_key IS 'The day, month or ''always'', as in 2026-03; of a sum or a count also the price that its events have, since those of several prices do not add up: v and the version, and the price_class where there is one.';
COMMENT ON COLUMN credits.usage_periods.period_start IS 'When the day or month begins, in UTC; ''-infinity'' where there is one period for ever.';
COMMENT ON COLUMN credits.usage_periods.currency IS 'What it is charged in.';
COMMENT ON COLUMN credits.usage_periods.quantity IS 'What the events add up to, those taken back not counted.';
COMMENT ON COLUMN credits.usage_periods.event_count IS 'How many they are.';
COMMENT ON COLUMN credits.usage_periods.last_no IS 'How many there were, those taken back counted.';
COMMENT ON COLUMN credits.usage_periods.credits IS 'The price of it: what its events consumed and owe.';
COMMENT ON COLUMN credits.usage_periods.counted_no IS 'Of a last or a max the number of the event that counts; NULL for none.';
COMMENT ON COLUMN credits.usage_periods.counted_at IS 'When that event happened.';
COMMENT ON COLUMN credits.usage_periods.price_version IS 'The version of the meter''s prices that prices it.';
COMMENT ON COLUMN credits.usage_periods.price_class IS 'Which of those prices it is: the value of the metadata, empty for the default.';

COMMENT ON TABLE credits.usage_draws IS 'What each ledger line took from a grant for usage that is priced as one and has not come back. It comes back newest first.';
COMMENT ON COLUMN credits.usage_draws.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.usage_draws.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits.usage_draws.period_key IS 'Likewise.';
COMMENT ON COLUMN credits.usage_draws.line_no IS 'The ledger line, in the account of the period''s currency.';
COMMENT ON COLUMN credits.usage_draws.grant_id IS 'The grant that paid.';
COMMENT ON COLUMN credits.usage_draws.amount IS 'Credits that have not come back.';

COMMENT ON TABLE credits.usage_ranks IS 'The events of a last or a max that are not taken back, in the order in which they would count.';
COMMENT ON COLUMN credits.usage_ranks.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.usage_ranks.event_name IS 'The usage_periods row.';
COMMENT ON COLUMN credits.usage_ranks.period_key IS 'Likewise.';
COMMENT ON COLUMN credits.usage_ranks.rank IS 'The highest counts: the value, or of a last the time in seconds since 2000.';
COMMENT ON COLUMN credits.usage_ranks.event_no IS 'Its number in the period: of equals a max counts the first, a last the last.';
COMMENT ON COLUMN credits.usage_ranks.identifier IS 'The event.';

COMMENT ON TABLE credits.inbox IS 'Usage on its way in: COPY or INSERT it here, naming the columns, and settle() or maintain() charges it in this order, each row as report_meter_event would. Nothing is refused here: what is wrong is put aside (view rejected_events), repeats are dropped.';
COMMENT ON COLUMN credits.inbox.customer_id IS 'Whose usage.';
COMMENT ON COLUMN credits.inbox.event_name IS 'Its meter.';
COMMENT ON COLUMN credits.inbox.value IS 'How much, in the meter''s unit; left out 1.';
COMMENT ON COLUMN credits.inbox.identifier IS 'The reporter''s own, unique per customer for ever.';
COMMENT ON COLUMN credits.inbox.occurred_at IS 'When the usage happened; left out or NULL: when the row was put in.';
COMMENT ON COLUMN credits.inbox.subscription_id IS 'The application''s own.';
COMMENT ON COLUMN credits.inbox.source_data IS 'The application''s own.';
COMMENT ON COLUMN credits.inbox.metadata IS 'The application''s own; one key of it may decide the price.';
COMMENT ON COLUMN credits.inbox.received_at IS 'When it was put in: as of when it is charged, or at the account''s time where that has moved past. Rows of one transaction are charged in the order in which they lie.';

COMMENT ON TABLE credits.inbox_rejected IS 'Rows of the inbox that could not be charged, with why. inbox_retry() puts them back, inbox_discard() deletes them.';
COMMENT ON COLUMN credits.inbox_rejected.rejected_id IS 'Made when it was put aside; in the order in which rows were.';
COMMENT ON COLUMN credits.inbox_rejected.customer_id IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.event_name IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.value IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.identifier IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.occurred_at IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.subscription_id IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.source_data IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.metadata IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.received_at IS 'As in the inbox.';
COMMENT ON COLUMN credits.inbox_rejected.error IS 'The code that report_meter_event would have raised.';
COMMENT ON COLUMN credits.inbox_rejected.message IS 'The message with it.';
COMMENT ON COLUMN credits.inbox_rejected.rejected_at IS 'When it was put aside.';
