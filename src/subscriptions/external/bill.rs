//! An invoice that the provider made and that is paid: it is recorded as one of ours, paid by the payment that is reported, and
//! grants what its lines are for, once. So refunds and disputes of it take credits as those of every payment do.
//!
//! What it comes to is what was paid. A line of an item that costs more, since the provider took something off or counted
//! something in, is discounted; what is for anything else is a line of its own.

mod recorded;

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::payments::listener::Reported;
use crate::payments::providers::plan::{self, Bill, Report};
use crate::payments::reference::{self as payments, Thing};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::external::bill::recorded::Recorded;
use crate::subscriptions::external::reference::{self, Kind};
use crate::subscriptions::external::{Told, contradiction, open};
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::schedule::cycle::{Cycle, Period};
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

static INTENT: Statement = Statement::new(
    c"SELECT t.payment_intent_id, t.provider_reference FROM credits_internal.payment_intents t
      WHERE t.customer_id = $1 AND t.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

// It never changes.
static CURRENCY: Statement = Statement::new(
    c"SELECT s.currency FROM credits_internal.subscriptions s WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);

/// The payment intent of an invoice, and what its payment is called.
fn intent_of(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Option<(Uuid, Option<String>)>, Error> {
    let rows = INTENT.run(session, &[customer_id.cell(), invoice_id.cell()])?;
    rows.first().map(|mut row| Ok((row.next()?, row.next()?))).transpose()
}

/// By which payment an invoice is paid is said apart: what is said of that payment is of the invoice's.
pub fn paid_by(
    session: &Session,
    provider: &str,
    (invoice, payment): (&str, &str),
    now: Time,
) -> Result<Reported, Error> {
    let Some((Some(customer_id), invoice_id)) = reference::find(session, provider, Kind::Invoice, invoice)? else {
        return Ok(Reported::Unknown);
    };
    let Some((id, known)) = intent_of(session, &customer_id, invoice_id)? else {
        return Ok(Reported::Applied(customer_id, None));
    };
    if known.as_deref() != Some(payment) {
        reference::claim(session, provider, (Kind::Payment, payment), Some(&customer_id), id, now)?;
    }
    Ok(Reported::Applied(customer_id, Some(id)))
}

/// A line that is for an item of ours.
struct Line {
    item: Item,
    amount: Decimal,
    is_free: bool,
    period: Period,
    whole: Period,
}

impl Line {
    /// What the period is called that it is for.
    fn kind(&self) -> &'static str {
        match () {
            () if self.is_free && !self.item.amount().is_ok_and(|amount| amount.is_zero()) => "trial",
            () if self.whole.start < self.period.start => "stub",
            () => "whole",
        }
    }
}

/// An invoice of a subscription is paid.
pub fn paid(
    session: &Session,
    provider: &str,
    which: (&str, Uuid),
    (report, bill, at): (&Report, &Bill, Time),
    now: Time,
) -> Result<Reported, Error> {
    let customer_id = which.0;
    let again = |id: Uuid| Ok(Reported::Applied(customer_id.to_string(), Some(id)));
    let (invoice_id, intent_id) = (Uuid::now_v7(), Uuid::now_v7());
    let name = bill.payment.as_deref().unwrap_or(&bill.invoice);
    if let Some((_, known)) = reference::find(session, provider, Kind::Invoice, &bill.invoice)? {
        let intent_id = intent_of(session, customer_id, known)?.map(|(id, _)| id);
        return Ok(Reported::Applied(customer_id.to_string(), intent_id));
    }
    let rows = CURRENCY.run(session, &[customer_id.cell(), which.1.cell()])?;
    let currency: String = rows.first().ok_or_else(|| Error::internal("a subscription is not there"))?.next()?;
    if !bill.currency.eq_ignore_ascii_case(&currency) {
        let why = "its invoice is in another currency: nothing is done";
        return Ok(contradiction(session, provider, which, (report, why), now));
    }
    let mut prices = Vec::new();
    for line in &bill.lines {
        prices.push(reference::price(session, provider, &line.price, now)?);
    }
    let is_ours = is_any_ours(session, provider, which, bill, &prices)?;
    if !is_ours && !bill.lines.iter().any(|line| line.is_proration) {
        return Ok(Reported::Unknown);
    }
    // Names before locks.
    if bill.amount_paid > Decimal::ZERO {
        let payment = (Thing::Payment, provider, name);
        let owner = payments::owner(session, payment.0, provider, name)?;
        match owner {
            Some((owner, id)) if owner == customer_id => return again(id),
            Some(_) => {
                let why = "its payment belongs to another payment intent: nothing is done";
                return Ok(contradiction(session, provider, which, (report, why), now));
            }
            None => {}
        }
        let owner = payments::claim(session, payment, (customer_id, intent_id), now)?;
        if owner.is_some_and(|(owner, id)| owner != customer_id || id != intent_id) {
            return Err(Error::internal("a payment was claimed by two invoices at once"));
        }
    }
    let invoice = (Kind::Invoice, bill.invoice.as_str());
    let owner = reference::claim(session, provider, invoice, Some(customer_id), invoice_id, now)?;
    if owner != invoice_id {
        return Err(Error::internal("an invoice was recorded twice at once"));
    }
    let (customer, mut there, told) = open(session, which)?;
    let lines = lines(session, provider, &there, &told, (bill, &prices, at))?;
    let recorded = Recorded { provider, report, bill, at, invoice_id, intent_id, name };
    recorded.record(session, &customer, &mut there, (&told, &lines), now)
}

/// The lines that are for items, each with its price, if that is ours.
fn of_items<'a>(bill: &'a Bill, prices: &[Option<Uuid>]) -> impl Iterator<Item = (&'a plan::Line, Option<Uuid>)> {
    bill.lines.iter().zip(prices.to_vec()).filter(|(line, _)| line.is_of_item)
}

/// Whether any of its lines is for something of ours.
fn is_any_ours(
    session: &Session,
    provider: &str,
    (customer_id, id): (&str, Uuid),
    bill: &Bill,
    prices: &[Option<Uuid>],
) -> Result<bool, Error> {
    let items = item::of(session, customer_id, id)?;
    for line in of_items(bill, prices) {
        if item_of(session, provider, &items, line)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The item that a line is for, and its price: as it is named, or the only one; `None` for what is nothing of ours.
fn item_of(
    session: &Session,
    provider: &str,
    items: &[Item],
    (line, price_id): (&plan::Line, Option<Uuid>),
) -> Result<Option<(Uuid, Uuid)>, Error> {
    let known = match &line.item {
        Some(name) => reference::find(session, provider, Kind::Item, name)?.map(|(_, id)| id),
        None => None,
    };
    let by_price = |price_id: Uuid| items.iter().find(|item| item.price_id == price_id);
    let alone = if items.len() == 1 { items.first() } else { None };
    Ok(match (price_id, known) {
        (Some(price_id), Some(known)) => Some((known, price_id)),
        (Some(price_id), None) => by_price(price_id).or(alone).map(|item| (item.id, price_id)),
        // It names no price: then it is that of the item.
        (None, known) if line.price.id.is_none() => {
            let item = known.and_then(|known| items.iter().find(|item| item.id == known)).or(alone);
            item.map(|item| (item.id, item.price_id))
        }
        _ => None,
    })
}

/// Its lines as they are for items of ours: one for each item and period. A price in tiers has a line for each of these there.
fn lines(
    session: &Session,
    provider: &str,
    there: &Subscription,
    told: &Told,
    (bill, prices, at): (&Bill, &[Option<Uuid>], Time),
) -> Result<Vec<Line>, Error> {
    let items = item::of(session, &there.customer_id, there.id)?;
    let mut lines: Vec<Line> = Vec::new();
    for (of, price_id) in of_items(bill, prices) {
        let Some((id, price_id)) = item_of(session, provider, &items, (of, price_id))? else { continue };
        let Some(offer) = reference::offer(session, price_id)? else { continue };
        let period = match of.period {
            Some((start, end)) => Period { start, end },
            // What is paid first begins with that.
            None if !told.has_period => Cycle { anchor: at, ..there.cycle }.period_at(at),
            None => there.cycle.period_at(at),
        };
        let agreed = || items.iter().find(|item| item.id == id).map_or(Decimal::ONE, |item| item.quantity);
        let quantity = of.quantity.unwrap_or_else(agreed);
        if let Some(line) = lines.iter_mut().find(|line| (line.item.id, line.period.start) == (id, period.start)) {
            line.item.quantity += quantity;
            line.amount += of.amount;
            line.is_free &= of.is_free;
            continue;
        }
        let grid = there.cycle.period_at(period.start);
        let is_stub = told.all_at.is_some() && grid.end == period.end && grid.start < period.start;
        let whole = if is_stub { grid } else { period };
        let item = Item { id, price_id, quantity, offer };
        lines.push(Line { item, amount: of.amount, is_free: of.is_free, period, whole });
    }
    // Of nothing there is nothing to grant.
    lines.retain(|line| !line.item.quantity.is_zero());
    Ok(lines)
}
