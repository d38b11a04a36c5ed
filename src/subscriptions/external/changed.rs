//! What a change of items at the provider brings, once the period that it is in is paid: the credits that it would bring here.
//! The money is the provider's, on an invoice of its own or on the next one; so what comes of it here is an invoice of nothing.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::effect;
use crate::invoicing::line::given::Given;
use crate::invoicing::line::{self, New};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::change::write::proration;
use crate::subscriptions::change::{self, Change, How};
use crate::subscriptions::external::reference;
use crate::subscriptions::instalments;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::collections::BTreeSet;
use uuid::Uuid;

static CHANGED: Statement = Statement::new(
    c"SELECT i.changed_at, i.subscription_item_id, i.price_id, i.quantity, i.removed_at IS NULL
      FROM credits_internal.subscription_items i
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND i.changed_at IS NOT NULL
      ORDER BY i.changed_at, i.subscription_item_id",
    &[TEXTOID, UUIDOID],
);

static PERIOD: Statement = Statement::new(
    c"SELECT p.period_start, p.period_end, p.kind FROM credits_internal.subscription_periods p
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start <= $3 AND p.period_end > $3
      ORDER BY p.period_start DESC LIMIT 1",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static COVERED: Statement = Statement::new(
    c"SELECT l.price_id, l.quantity FROM credits_internal.invoice_lines l
      LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
      WHERE l.customer_id = $1 AND l.subscription_item_id = $2 AND l.covers_until > $3 AND l.period_start <= $3
        AND i.status IS DISTINCT FROM 'void'
      ORDER BY l.period_start DESC, l.invoice_line_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static SETTLED: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i
      SET changed_at = NULL, known_since = CASE WHEN NOT $3 THEN i.known_since END
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// An item that changed.
struct Changed {
    at: Time,
    item_id: Uuid,
    price_id: Uuid,
    quantity: Decimal,
    is_there: bool,
}

/// Settles the changes whose period is paid, in the order in which they happened. While something is owed they wait.
pub fn settle(session: &Session, customer: &Customer, there: &mut Subscription, now: Time) -> Result<(), Error> {
    if matches!(there.status, Status::PastDue | Status::Incomplete) {
        return Ok(());
    }
    let mut all = Vec::new();
    for mut row in CHANGED.run(session, &[there.customer_id.cell(), there.id.cell()])?.iter() {
        let (at, item_id, price_id) = (row.next()?, row.next()?, row.next()?);
        all.push(Changed { at, item_id, price_id, quantity: row.next()?, is_there: row.next()? });
    }
    let moments: BTreeSet<Time> = all.iter().map(|changed| changed.at).collect();
    for at in moments {
        let changed: Vec<&Changed> = all.iter().filter(|changed| changed.at == at).collect();
        let is_over = there.ended_at.is_some_and(|ended_at| at >= ended_at);
        let brought = if is_over { Some(false) } else { one(session, customer, there, (&changed, at), now)? };
        let Some(brought) = brought else { continue };
        for changed in changed {
            // What brought something, did so for good.
            SETTLED.run(session, &[there.customer_id.cell(), changed.item_id.cell(), brought.cell()])?;
        }
    }
    Ok(())
}

/// Settles what changed at one moment. Returns whether that brought anything; `None` while its period is not paid.
fn one(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (changed, at): (&[&Changed], Time),
    now: Time,
) -> Result<Option<bool>, Error> {
    let customer_id = there.customer_id.clone();
    let rows = PERIOD.run(session, &[customer_id.cell(), there.id.cell(), at.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (period, kind): (Period, String) = (Period { start: row.next()?, end: row.next()? }, row.next()?);
    // In a trial the items change, and nothing else.
    if kind == "trial" {
        return Ok(Some(false));
    }
    let whole = if kind == "stub" { there.cycle.period_at(period.start) } else { period };
    let mut changes = Vec::new();
    for one in changed {
        let rows = COVERED.run(session, &[customer_id.cell(), one.item_id.cell(), at.cell()])?;
        let covered: Option<(Uuid, Decimal)> =
            rows.first().map(|mut row| Ok::<_, Error>((row.next()?, row.next()?))).transpose()?;
        let before = match covered {
            Some((price_id, quantity)) => item(session, one.item_id, price_id, quantity)?,
            None => None,
        };
        let after = if one.is_there { item(session, one.item_id, one.price_id, one.quantity)? } else { None };
        if before.is_some() || after.is_some() {
            changes.push(Change { item_id: one.item_id, before, after, metadata: None });
        }
    }
    if !changes.iter().any(Change::is_real) {
        return Ok(Some(false));
    }
    let items = item::of(session, &customer_id, there.id)?;
    let how = How { at, whole, prorates_credits: true };
    let mut brought = change::prorate(session, there, (&changes, &items), how)?;
    instalments::lock_accounts(session, there)?;
    let granted = brought.lines.iter().filter_map(New::credit_currency).map(String::from);
    effect::lock_accounts(session, &customer_id, granted.collect())?;
    let decimals = currency::decimals(session, &there.currency)?;
    let sum = line::totals(&brought.lines, None, decimals)?.total;
    if !sum.is_zero() {
        let description = Some(String::from("Billed by the provider"));
        let rest = Given { amount: Some(-sum), description, ..Given::default() };
        brought.lines.push(line::price(session, Uuid::now_v7(), rest, &there.currency, decimals)?);
    }
    let untaxed = Customer { tax_rate: None, ..customer.clone() };
    proration(session, &untaxed, there, (&mut brought, true), now)?;
    Ok(Some(true))
}

fn item(session: &Session, id: Uuid, price_id: Uuid, quantity: Decimal) -> Result<Option<Item>, Error> {
    let offer = reference::offer(session, price_id)?;
    Ok(offer.map(|offer| Item { id, price_id, quantity, offer }))
}
