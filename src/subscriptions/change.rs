//! What a change of items in mid-period brings: lines for the time that is not used of what was paid, and for what is left
//! of the new; and what becomes of the credits. It is worked out here without changing anything, and done in
//! change/write.rs: so a preview is what the update does.

mod covering;
pub mod interval;
pub mod write;

use crate::amount::split::shares;
use crate::amount::{AmountError, Decimal};
use crate::catalog::coupon::terms::Coupon;
use crate::error::Error;
use crate::invoicing::line::instalment::Instalment;
use crate::invoicing::line::{New, OfItem};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::rational;
use crate::subscriptions::billing;
use crate::subscriptions::item::Item;
use crate::subscriptions::plan;
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::instalment::Plan;
use crate::subscriptions::schedule::proration::{left, part};
use crate::subscriptions::subscription::Subscription;
use uuid::Uuid;

pub use covering::{Covering, Paid};

/// An item that changes: what it was, and what it will be.
pub struct Change {
    /// Its id.
    pub item_id: Uuid,
    /// What was; `None` for one that is new.
    pub before: Option<Item>,
    /// What will be; `None` for one that goes.
    pub after: Option<Item>,
    /// The application's own, where that is said.
    pub metadata: Option<String>,
}

impl Change {
    /// Whether its price or its quantity changes.
    pub fn is_real(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => (before.price_id, before.quantity) != (after.price_id, after.quantity),
            _ => true,
        }
    }
}

/// A line that pays for time after the change.
pub struct Credited {
    /// It.
    pub line: Covering,
    /// What of its amount is for that time, before its discount.
    pub amount: Decimal,
    /// What of its discount is.
    pub discount: Decimal,
}

/// Credits that go: of an instalment under way its share, at most what is unspent.
pub struct Taken {
    /// Its line.
    pub line_id: Uuid,
    /// Its place among those of the line.
    pub no: i32,
    /// Its grant.
    pub grant_id: Uuid,
    /// How many.
    pub credits: Decimal,
    /// How many of these are unspent.
    pub unspent: Decimal,
    /// Of which currency.
    pub currency: String,
}

/// All that it brings.
#[derive(Default)]
pub struct Proration {
    /// What is credited, in one way or another.
    pub credited: Vec<Credited>,
    /// The lines that it makes: what is given back, then what is charged.
    pub lines: Vec<New>,
    /// Credits that go.
    pub taken: Vec<Taken>,
    /// Lines that pay for nothing any more, whose credits were left alone.
    pub left_alone: Vec<Uuid>,
    /// From when on instalments of the old lines do not begin, and whether those under way are prorated: `None` where all stay.
    pub ends_from: Option<(Time, bool)>,
}

/// How it is to be done.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// At which moment.
    pub at: Time,
    /// The whole period that it is in, of which the subscription's own may be what is left.
    pub whole: Period,
    /// Whether credits that have begun go, and come, in proportion; otherwise they stay until the next instalment.
    pub prorates_credits: bool,
}

/// Works out what the changes bring, of all items as they will be. Raises PC007, PC013.
pub fn prorate(
    session: &Session,
    there: &Subscription,
    (changes, items): (&[Change], &[Item]),
    how: How,
) -> Result<Proration, Error> {
    let decimals = currency::decimals(session, &there.currency)?;
    let mut proration = given_back(session, there, changes, &how)?;
    let discounts = discounts(session, there, (changes, items), &how)?;
    let after = changes.iter().filter(|change| change.is_real()).filter_map(|change| change.after.as_ref());
    for (item, discount) in after.filter(|item| !item.is_metered()).zip(discounts) {
        proration.lines.push(remaining(session, there, (item, discount), &how, decimals)?);
    }
    Ok(proration)
}

/// What is not used of the old, and what becomes of its credits; the lines are those that give it back.
fn given_back(session: &Session, there: &Subscription, changes: &[Change], how: &How) -> Result<Proration, Error> {
    let decimals = currency::decimals(session, &there.currency)?;
    let mut proration = Proration { ends_from: Some((how.at, how.prorates_credits)), ..Proration::default() };
    for change in changes.iter().filter(|change| change.is_real()) {
        let Some(before) = &change.before else { continue };
        for line in covering::of(session, &there.customer_id, change.item_id, how.at)? {
            let taken = match how.prorates_credits {
                true => covering::under_way(session, &there.customer_id, line.id, how.at)?,
                false => Vec::new(),
            };
            let credited = line.credit(how.at, decimals)?.at_price(before, how, decimals)?;
            let credited = credited.less_spent(&taken, decimals)?;
            proration.lines.extend(credited.negative(before, how.at, decimals)?);
            proration.taken.extend(taken);
            proration.credited.push(credited);
        }
        if how.prorates_credits {
            for line_id in covering::left_alone(session, &there.customer_id, change.item_id, how.at)? {
                proration.taken.extend(covering::under_way(session, &there.customer_id, line_id, how.at)?);
                proration.left_alone.push(line_id);
            }
        }
    }
    Ok(proration)
}

/// What is not paid yet of the time after the end of a subscription, except of invoices that its end makes void: it is not
/// charged, and its credits go in proportion. Raises PC007.
pub fn unused(session: &Session, there: &Subscription, void: &[Uuid], at: Time) -> Result<Proration, Error> {
    let decimals = currency::decimals(session, &there.currency)?;
    let mut proration = Proration { ends_from: Some((at, true)), ..Proration::default() };
    for line in covering::unpaid(session, there, at)? {
        if matches!(line.paid, Paid::Open(invoice_id) if void.contains(&invoice_id)) {
            continue;
        }
        let taken = covering::under_way(session, &there.customer_id, line.id, at)?;
        proration.credited.push(line.credit(at, decimals)?.less_spent(&taken, decimals)?);
        proration.taken.extend(taken);
    }
    Ok(proration)
}

fn refused(amount: Decimal) -> impl FnOnce(AmountError) -> Error {
    move |reason| Error::amount("items", amount, reason)
}

impl Covering {
    /// What of it is for the time from then on.
    fn credit(self, at: Time, decimals: u32) -> Result<Credited, Error> {
        let amount = part(self.amount, self.period, at, decimals).map_err(refused(self.amount))?;
        let net = part(self.amount - self.discount, self.period, at, decimals).map_err(refused(self.amount))?;
        Ok(Credited { amount, discount: amount - net, line: self })
    }
}

impl Credited {
    /// Of a line that has all that is left of the period at the item's price, it is what the rest of the period costs at that.
    fn at_price(mut self, before: &Item, how: &How, decimals: u32) -> Result<Self, Error> {
        let line = &self.line;
        if line.discount.is_zero() && !before.is_metered() {
            let price = (before.amount()?, how.whole);
            self.amount = left((line.amount, line.period), price, how.at, decimals).map_err(refused(line.amount))?;
        }
        Ok(self)
    }

    /// Of what is not paid yet and was granted at once, what is spent is paid for: it is not credited.
    fn less_spent(mut self, taken: &[Taken], decimals: u32) -> Result<Self, Error> {
        let sum = |of: fn(&Taken) -> Decimal| taken.iter().map(of).sum::<Decimal>();
        let (all, unspent) = (sum(|one| one.credits), sum(|one| one.unspent));
        if self.line.paid == Paid::Yes || unspent >= all {
            return Ok(self);
        }
        let part = |amount: Decimal| {
            let exact = rational::of(amount) * rational::of(unspent) / rational::of(all);
            rational::rounded(&exact, decimals).map_err(refused(amount))
        };
        (self.amount, self.discount) = (part(self.amount)?, part(self.discount)?);
        Ok(self)
    }

    /// The line that gives it back, where it was paid, or its payment is under way: at most what did not go back already.
    fn negative(&self, before: &Item, at: Time, decimals: u32) -> Result<Option<New>, Error> {
        let line = &self.line;
        if line.paid != Paid::Yes {
            return Ok(None);
        }
        let net = self.amount - self.discount;
        let left = line.left(decimals).map_err(refused(net))?;
        let amount = net.min(left);
        if amount <= Decimal::ZERO {
            return Ok(None);
        }
        let of = OfItem {
            item_id: before.id,
            offer: &before.offer,
            price_id: before.price_id,
            quantity: before.quantity,
            amount: -amount,
            discount: Decimal::ZERO,
            description: format!("Unused time on {}", named(before)),
            period: (at, line.period.end),
            is_proration: true,
            tax_rate: Some(line.tax_rate.unwrap_or_default()),
            tax_behavior: Some(&line.tax_behavior),
            instalments: Vec::new(),
            expires: false,
        };
        Ok(Some(New::of_item(Uuid::now_v7(), of)))
    }
}

/// An item as people read it.
fn named(item: &Item) -> String {
    match item.quantity == Decimal::ONE {
        true => item.offer.product_name.clone(),
        false => format!("{} × {}", item.quantity.normalize(), item.offer.product_name),
    }
}

/// The line of what is left of a period for an item.
fn remaining(
    session: &Session,
    there: &Subscription,
    (item, discount): (&Item, Decimal),
    how: &How,
    decimals: u32,
) -> Result<New, Error> {
    let full = item.amount()?;
    let amount = part(full, how.whole, how.at, decimals).map_err(refused(full))?;
    let net = part(full - discount, how.whole, how.at, decimals).map_err(refused(full))?;
    let plan = plan::of(session, item)?;
    // What a provider says is never refused.
    let plan = if there.is_external() { plan.map(Plan::capped) } else { plan };
    let (instalments, expires) = match &plan {
        None => (Vec::new(), false),
        Some(plan) if how.prorates_credits => (rest(session, there, (item, plan), how)?, plan.expires),
        Some(plan) => {
            let all: Vec<Instalment> = plan.whole(how.whole).map_err(plan::refused)?;
            (all.into_iter().filter(|one| one.starts_at > how.at).collect(), plan.expires)
        }
    };
    let of = OfItem {
        item_id: item.id,
        offer: &item.offer,
        price_id: item.price_id,
        quantity: item.quantity,
        amount,
        discount: amount - net,
        description: format!("Remaining time on {}", named(item)),
        period: (how.at, how.whole.end),
        is_proration: true,
        tax_rate: None,
        tax_behavior: None,
        instalments,
        expires,
    };
    Ok(New::of_item(Uuid::now_v7(), of))
}

/// The instalments of what is left of a period for an item. Of the one under way, where it would be over by now, that is what
/// it had more than what has expired of the item: that does not come again.
fn rest(
    session: &Session,
    there: &Subscription,
    (item, plan): (&Item, &Plan),
    how: &How,
) -> Result<Vec<Instalment>, Error> {
    let mut rest = plan.rest(how.whole, how.at).map_err(plan::refused)?;
    let config = item.offer.config.as_ref();
    if let Some(config) = config.filter(|_| plan.lasts.is_some())
        && plan.has_lapsed(how.whole, how.at).map_err(plan::refused)?
    {
        let lapsed = covering::lapsed(session, &there.customer_id, (item.id, &config.currency), how.at)?;
        for under_way in rest.iter_mut().filter(|one| one.starts_at == how.at) {
            under_way.credits = (under_way.credits - lapsed).max(Decimal::ZERO);
        }
        rest.retain(|instalment| !instalment.credits.is_zero());
    }
    Ok(rest)
}

/// What the coupon takes off a whole period of each item that changes, as it does of the period that they change in. Of a
/// percentage that is its part of all items; of an amount, what the others leave of it.
fn discounts(
    session: &Session,
    there: &Subscription,
    (changes, items): (&[Change], &[Item]),
    how: &How,
) -> Result<Vec<Decimal>, Error> {
    let is_changed = |id: Uuid| changes.iter().any(|change| change.item_id == id && change.is_real());
    let changed: Vec<&Item> = items.iter().filter(|item| is_changed(item.id) && !item.is_metered()).collect();
    let none = vec![Decimal::ZERO; changed.len()];
    let Some(discount) = there.discount else { return Ok(none) };
    let coupon = Coupon::stored(session, discount.coupon_id)?;
    if !covering::is_discounted(session, there, &coupon)? {
        return Ok(none);
    }
    let per_line = billing::off_items(session, &coupon, &there.currency, items)?;
    let by_item = |item: &Item| items.iter().position(|one| one.id == item.id).map(|place| per_line[place]);
    let off: Vec<Decimal> = changed.iter().map(|item| by_item(item).unwrap_or_default()).collect();
    let Some(most) = coupon.amount_off(&there.currency) else { return Ok(off) };
    let mut others = Decimal::ZERO;
    for item in items.iter().filter(|item| !is_changed(item.id)) {
        for line in covering::of(session, &there.customer_id, item.id, how.at)? {
            others += line.discount;
        }
    }
    let decimals = currency::decimals(session, &there.currency)?;
    let left = (most - others).max(Decimal::ZERO).min(off_at_most(&changed, &off)?);
    shares(left, &off, decimals).map_err(refused(left))
}

/// What can be taken off these items at most: their prices, of those that the coupon is for.
fn off_at_most(changed: &[&Item], off: &[Decimal]) -> Result<Decimal, Error> {
    let mut most = Decimal::ZERO;
    for (item, off) in changed.iter().zip(off) {
        most += if off.is_zero() { Decimal::ZERO } else { item.amount()? };
    }
    Ok(most)
}
