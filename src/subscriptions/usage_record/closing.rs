//! Usage is invoiced: what is not invoiced yet of the periods that are over.

use crate::amount::Decimal;
use crate::amount::split::shares;
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::redemption::Quote;
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::line::{New, OfItem};
use crate::invoicing::sale::Reason;
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::advance;
use crate::subscriptions::billing;
use crate::subscriptions::item;
use crate::subscriptions::schedule::usage;
use crate::subscriptions::subscription::Subscription;
use crate::subscriptions::usage_record::events;
use crate::subscriptions::usage_record::summary::{self, Summary};
use pgrx::pg_sys::{INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The most lines of one invoice of usage: it has pending ones besides.
const MOST: i32 = 100;

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_closings (
          customer_id, usage_record_summary_id, closing_no, records, usage, amount, invoice_line_id, closed_at)
      SELECT $1, $2, coalesce(max(c.closing_no), 0) + 1, $3, $4, $5, $6, $7
      FROM credits_internal.usage_closings c WHERE c.customer_id = $1 AND c.usage_record_summary_id = $2",
    &[TEXTOID, UUIDOID, INT4OID, NUMERICOID, NUMERICOID, UUIDOID, TIMESTAMPTZOID],
);

static CLOSED: Statement = Statement::new(
    c"SELECT max(c.usage), count(*)::int FROM credits_internal.usage_closings c
      WHERE c.customer_id = $1 AND c.usage_record_summary_id = $2",
    &[TEXTOID, UUIDOID],
);

/// Invoices what is due by then, of however many periods.
pub fn close(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    at: Time,
    now: Time,
) -> Result<(), Error> {
    let decimals = currency::decimals(session, &there.currency)?;
    let mut lines = Vec::new();
    let mut last = None;
    events::take(session, there, at)?;
    for mut summary in summary::due(session, there, at, MOST)? {
        let line = line(session, &summary, decimals)?;
        let amount = line.as_ref().map(New::amount).unwrap_or_default();
        shut(session, &mut summary, (line.as_ref().map(|line| line.id), amount), now)?;
        lines.extend(line);
        last = last.max(Some(summary.time.start.max(summary.whole.start)));
    }
    summary::find_first(session, there)?;
    let Some(start) = last.filter(|_| !lines.is_empty()) else { return Ok(()) };
    let quote = discounted(session, there, &mut lines, start)?;
    let lines = (&lines[..], quote.as_ref(), Reason::SubscriptionCycle);
    let invoice_id = billing::order(session, customer, there, lines, (true, at, now))?;
    advance::save(session, there, now)?;
    advance::collect(session, there, invoice_id, now)
}

/// What is not invoiced yet will not be.
pub fn write_off(session: &Session, there: &mut Subscription, now: Time) -> Result<(), Error> {
    if there.usage_closes_at.take().is_none() {
        return Ok(());
    }
    summary::forgive(session, there)?;
    let all = summary::due(session, there, Time::NEVER, i32::MAX)?;
    all.into_iter().try_for_each(|mut summary| shut(session, &mut summary, (None, Decimal::ZERO), now))
}

/// It is closed, with what is invoiced of it now.
fn shut(
    session: &Session,
    summary: &mut Summary,
    (line_id, amount): (Option<Uuid>, Decimal),
    now: Time,
) -> Result<(), Error> {
    let cells = [
        summary.customer_id.cell(),
        summary.id.cell(),
        summary.records.cell(),
        summary.tally.usage.cell(),
        amount.cell(),
        line_id.cell(),
        now.cell(),
    ];
    INSERT.run(session, &cells)?;
    summary.invoiced += amount;
    summary.closes_at = None;
    summary::write(session, summary)
}

/// The line of what is still to be invoiced; `None` where nothing was used.
fn line(session: &Session, summary: &Summary, decimals: u32) -> Result<Option<New>, Error> {
    if summary.is_free {
        return Ok(None);
    }
    let offer = item::offer(session, summary.price_id, false)?;
    let usage = summary.tally.usage;
    let refused = |reason| Error::amount("quantity", usage, reason);
    let full = events::amount(session, summary, &offer)?;
    let cost = usage::cost(summary.aggregate, full, (summary.time, summary.whole), decimals).map_err(refused)?;
    let rows = CLOSED.run(session, &[summary.customer_id.cell(), summary.id.cell()])?;
    let (most, closings): (Option<Decimal>, i32) = match rows.first() {
        Some(mut row) => (row.next()?, row.next()?),
        None => (None, 0),
    };
    let (amount, more) = (usage::due(cost, summary.invoiced), usage - most.unwrap_or_default());
    let is_late = closings > 0;
    if amount.is_zero() && (usage.is_zero() || (is_late && more <= Decimal::ZERO)) {
        return Ok(None);
    }
    let name = &offer.product_name;
    let of = OfItem {
        item_id: summary.item_id,
        offer: &offer,
        price_id: summary.price_id,
        quantity: if is_late { more } else { usage },
        amount,
        discount: Decimal::ZERO,
        description: if is_late { format!("{name}, recorded later") } else { name.clone() },
        period: (summary.time.start, summary.time.end),
        is_proration: false,
        tax_rate: None,
        tax_behavior: None,
        instalments: Vec::new(),
        expires: false,
    };
    Ok(Some(New::of_item(Uuid::now_v7(), of).in_arrears(amount == full)))
}

static TAKEN_OFF: Statement = Statement::new(
    c"SELECT coalesce(sum(i.discount), 0) FROM credits_internal.subscription_periods p
      JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start = (
          SELECT max(o.period_start) FROM credits_internal.subscription_periods o
          WHERE o.customer_id = $1 AND o.subscription_id = $2 AND o.period_start <= $3)
        AND i.coupon_id = $4 AND i.status <> 'void'",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, UUIDOID],
);

/// Takes the discount of the period off: of an amount, what the invoice at its beginning has left of it.
fn discounted(
    session: &Session,
    there: &mut Subscription,
    lines: &mut [New],
    start: Time,
) -> Result<Option<Quote>, Error> {
    let before = there.discount;
    let Some(mut quote) = billing::discounted(session, there, lines, start)? else { return Ok(None) };
    let coupon = Coupon::stored(session, quote.coupon_id)?;
    let Some(most) = coupon.amount_off(&there.currency) else { return Ok(Some(quote)) };
    let cells = [there.customer_id.cell(), there.id.cell(), start.cell(), quote.coupon_id.cell()];
    let rows = TAKEN_OFF.run(session, &cells)?;
    let taken: Decimal = rows.first().map_or(Ok(Decimal::ZERO), |mut row| row.next())?;
    let left = (most - taken).max(Decimal::ZERO).min(quote.amount);
    if left == quote.amount {
        return Ok(Some(quote));
    }
    let decimals = currency::decimals(session, &there.currency)?;
    let refused = |reason| Error::amount("quantity", left, reason);
    quote.per_line = shares(left, &quote.per_line, decimals).map_err(refused)?;
    quote.amount = left;
    lines.iter_mut().zip(&quote.per_line).for_each(|(line, off)| line.take_off(*off));
    if left.is_zero() {
        there.discount = before;
        return Ok(None);
    }
    Ok(Some(quote))
}

static HAS: Statement = Statement::new(
    c"SELECT EXISTS (
          SELECT FROM credits_internal.invoice_lines l
          JOIN credits_internal.usage_record_summaries s
            ON s.customer_id = l.customer_id AND s.subscription_item_id = l.subscription_item_id
          JOIN credits_internal.usage_closings c
            ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
           AND c.invoice_line_id = l.invoice_line_id
          WHERE l.customer_id = $1 AND l.invoice_id = $2)",
    &[TEXTOID, UUIDOID],
);

/// Whether an invoice is of usage: it is owed whatever becomes of its subscription.
pub fn is_of_usage(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<bool, Error> {
    HAS.run(session, &[customer_id.cell(), invoice_id.cell()])?.first().map_or(Ok(false), |mut row| row.next())
}
