//! A subscription that begins in a checkout session: what its first invoice comes to before there is one, its beginning with
//! that invoice as a draft, which the session's payment gives out, and its end where that never comes.
//!
//! Items, terms and lines are those of any other subscription: see subscription/create.rs and billing.rs.

use crate::amount::Decimal;
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::discount::CartLine;
use crate::catalog::redemption::{self, HolderType, Quote};
use crate::error::Error;
use crate::invoicing::line::New as Line;
use crate::invoicing::sale::{self, OfSubscription, Order, Reason};
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::payments::notification::{Notification, case};
use crate::payments::payment;
use crate::payments::payment_intent::Status as Payment;
use crate::pg::statement::Session;
use crate::subscriptions::advance::{self, first_term};
use crate::subscriptions::billing::{self, Term};
use crate::subscriptions::item::Item;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::create::keep;
use crate::subscriptions::subscription::{self, Subscription};
use crate::subscriptions::usage_record::{closing, events, summary};
use uuid::Uuid;

pub use crate::subscriptions::item::{Given, MOST};
pub use crate::subscriptions::subscription::create::{BEHAVIORS, MOST_DAYS, New, PRORATIONS};
pub use crate::subscriptions::subscription::judged::Judged;

/// The lines of what is judged, in the order of its items: of its first period, or of its trial, which is free. With each
/// whether the first invoice has it: a trial's only where it grants something, and what is metered never. Raises PC007, PC013.
pub fn lines(session: &Session, new: &New<'_>, judged: &Judged) -> Result<Vec<(Line, bool)>, Error> {
    let mut agreed = agreed(session, new, judged)?.into_iter();
    let period = new.first_period(judged.step);
    let lines = judged.items.iter().map(|item| match item.is_metered() {
        true => Ok((item.unused(period), false)),
        false => agreed.next().ok_or_else(|| Error::internal("an item has no line")),
    });
    lines.collect()
}

/// Those of the items whose quantity is agreed.
fn agreed(session: &Session, new: &New<'_>, judged: &Judged) -> Result<Vec<(Line, bool)>, Error> {
    let period = new.first_period(judged.step);
    if new.trial_end.is_none() {
        let whole = new.cycle(judged.step).period_at(new.begins);
        let is_stub_free = new.proration_behavior == "none";
        let lines = billing::lines(session, &judged.code, &judged.items, Term::first(whole, new.begins, is_stub_free))?;
        return Ok(lines.into_iter().map(|line| (line, true)).collect());
    }
    let mut lines = billing::lines(session, &judged.code, &judged.items, Term::of(period))?;
    let items = || judged.items.iter().filter(|item| !item.is_metered());
    for (line, item) in lines.iter_mut().zip(items()) {
        line.make_free();
        if !item.is_immediate() {
            line.grant_nothing();
        }
    }
    Ok(lines.into_iter().zip(items()).map(|(line, item)| (line, item.is_immediate())).collect())
}

/// What its items cost for a whole period, by which a discount is judged, with or without something else. Raises PC007.
pub fn whole(judged: &Judged, is_all: bool) -> Result<Vec<CartLine>, Error> {
    if is_all { judged.for_discount() } else { judged.items.iter().map(Item::for_discount).collect() }
}

/// What its discount takes off these lines. Raises PC007, PC019.
pub fn off(session: &Session, quote: &Quote, code: &str, lines: &[Line]) -> Result<Quote, Error> {
    let coupon = Coupon::stored(session, quote.coupon_id)?;
    let per_line = billing::taken_off(session, &coupon, code, lines.iter().map(Line::for_discount).collect())?;
    Ok(Quote { amount: per_line.iter().sum(), per_line, ..quote.clone() })
}

/// What a checkout session sells, with a subscription.
pub struct Sold<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// The session's id.
    pub session_id: Uuid,
    /// The subscription.
    pub new: &'a New<'a>,
    /// Its items.
    pub judged: &'a Judged,
    /// The lines of its first invoice, with what is paid once besides; none where a trial is all there is.
    pub lines: &'a [Line],
    /// What is taken off them.
    pub discount: Option<&'a Quote>,
    /// What the redemption says of the discount.
    pub redeemed: Option<&'a Quote>,
    /// In percent, of lines that have none of their own.
    pub tax_rate: Option<Decimal>,
    /// Until when it can be paid.
    pub expires_at: Option<Time>,
    /// Whether a payment of it is reported already.
    pub is_reported: bool,
}

/// A subscription that began.
pub struct Began {
    /// Its id.
    pub id: Uuid,
    /// Its first invoice, as a draft; `None` where it has none.
    pub invoice_id: Option<Uuid>,
    /// The end of its first period, or of its trial.
    pub period_end: Time,
}

/// Begins it, with its first invoice as a draft, and reserves its discount. The customer is locked. Raises PC007, PC016.
pub fn begin(session: &Session, sold: &Sold<'_>, now: Time) -> Result<Began, Error> {
    let (customer_id, id) = (sold.customer_id, Uuid::now_v7());
    // What is paid already begins all the same: each event is on one invoice.
    if !sold.is_reported {
        events::check_alone(session, customer_id, id, &sold.judged.items)?;
    }
    keep(session, (customer_id, id), (sold.new, sold.judged), sold.redeemed, now)?;
    if let Some(quote) = sold.redeemed {
        let reserve = if sold.is_reported { redemption::promise } else { redemption::reserve_for };
        reserve(session, (customer_id, HolderType::Subscription, id), quote, sold.expires_at, now)?;
    }
    let mut there = subscription::lock(session, customer_id, id)?;
    let is_trial = sold.new.trial_end.is_some();
    if !sold.lines.is_empty() {
        there.status = Status::Incomplete;
    }
    advance::record(session, &there, EventType::SubscriptionCreated, now)?;
    // All that it is for is usage, which is paid for later.
    if sold.lines.is_empty() && !is_trial {
        there.status = Status::Active;
    }
    let term = match is_trial {
        true => Term { is_free: true, ..Term::of(there.period) },
        false => first_term(&there, there.period.start),
    };
    summary::begin(session, &mut there, &sold.judged.items, term)?;
    let invoice_id = if sold.lines.is_empty() { None } else { Some(draft(session, &mut there, sold, now)?) };
    let kind = match (sold.new.trial_end, first_term(&there, there.period.start).is_stub()) {
        (Some(_), _) => "trial",
        (None, true) => "stub",
        (None, false) => "whole",
    };
    billing::enter(session, &there, there.period, kind, (invoice_id, false))?;
    sold.new.end_at_period_end(&mut there, now);
    if there.status == Status::Trialing {
        advance::record(session, &there, EventType::SubscriptionTrialStart, now)?;
    }
    if there.status == Status::Active {
        advance::record(session, &there, EventType::SubscriptionStarted, now)?;
    }
    advance::save(session, &there, now)?;
    Ok(Began { id, invoice_id, period_end: there.period.end })
}

fn draft(session: &Session, there: &mut Subscription, sold: &Sold<'_>, now: Time) -> Result<Uuid, Error> {
    let invoice_id = Uuid::now_v7();
    let quote = sold.discount.filter(|quote| !quote.amount.is_zero());
    let order = Order {
        customer_id: sold.customer_id,
        invoice_id,
        reason: Reason::SubscriptionSession(sold.session_id),
        currency: &there.currency,
        description: None,
        metadata: None,
        collection_method: &there.collection_method,
        tax_rate: sold.tax_rate,
        lines: sold.lines,
        discount: quote,
        is_reported: sold.is_reported,
        subscription: Some(OfSubscription { id: there.id, days_until_due: None, payment_method_id: None }),
    };
    sale::draft(session, &order, now)?;
    there.latest_invoice_id = Some(invoice_id);
    if let (Some(quote), Some(discount)) = (quote, there.discount) {
        let mut began = discount.began(&Coupon::stored(session, quote.coupon_id)?, there.period.start);
        began.invoice_id.get_or_insert(invoice_id);
        there.discount = Some(began);
    }
    Ok(invoice_id)
}

/// Its session is over and nobody paid: so is the subscription, as of then. Its discount went back with the payment intent.
pub fn expire(session: &Session, customer_id: &str, id: Uuid, (at, now): (Time, Time)) -> Result<(), Error> {
    let mut there = subscription::lock(session, customer_id, id)?;
    if there.status != Status::Incomplete {
        return Ok(());
    }
    closing::write_off(session, &mut there, now)?;
    there.end(Status::IncompleteExpired, at);
    advance::record(session, &there, EventType::SubscriptionDeleted, now)
}

/// Raises PC020 where it has ended.
pub fn must_be_alive(session: &Session, customer_id: &str, id: Uuid) -> Result<(), Error> {
    let there = subscription::lock(session, customer_id, id)?;
    if there.status.is_over() { Err(there.conflict()) } else { Ok(()) }
}

/// It has ended before it was paid: nobody is to pay its session any more. Money that is on its way comes for nothing.
pub(super) fn give_up(session: &Session, there: &Subscription, now: Time) -> Result<(), Error> {
    let Some(session_id) = there.checkout_session_id else { return Ok(()) };
    let mut case = case::alone(session, &there.customer_id, session_id, now)?;
    if case.intent.status == Payment::Processing {
        return Ok(());
    }
    payment::expire(session, &mut case, &Notification::read(None, None)?).map(drop)
}
