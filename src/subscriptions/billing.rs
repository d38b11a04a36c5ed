//! The invoice of a period: a line for each item, less what the discount takes off, with the instalments of its credits.

use crate::amount::Decimal;
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::discount::{self, CartLine, Facts, Refusal, Use};
use crate::catalog::redemption::Quote;
use crate::error::Error;
use crate::invoicing::collection;
use crate::invoicing::customer::Customer;
use crate::invoicing::invoice::bill;
use crate::invoicing::invoice::finalize::{self, Wallet};
use crate::invoicing::line::{self, New, OfItem};
use crate::invoicing::sale::{OfSubscription, Order, Reason};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::advance;
use crate::subscriptions::instalments;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::owed::{self, Policy};
use crate::subscriptions::plan;
use crate::subscriptions::schedule::cycle::{Period, months_after};
use crate::subscriptions::schedule::instalment::Plan;
use crate::subscriptions::schedule::proration::part;
use crate::subscriptions::subscription::{self, Dates, Discounted, Subscription};
use crate::subscriptions::usage_record::summary;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What an invoice is for: what is left of a whole period from a moment on.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// The whole period.
    pub whole: Period,
    /// From when on it is paid for.
    pub from: Time,
    /// Whether nothing is charged for it, and nothing granted.
    pub is_free: bool,
    /// Whether it begins after a pause.
    pub is_resumed: bool,
}

impl Term {
    /// All of a period.
    pub fn of(whole: Period) -> Self {
        Term { whole, from: whole.start, is_free: false, is_resumed: false }
    }

    /// The first one that is paid for: what is left of a period from then on.
    pub fn first(whole: Period, from: Time, is_stub_free: bool) -> Self {
        Term { whole, from, is_free: from > whole.start && is_stub_free, is_resumed: false }
    }

    /// Whether it is less than all of one.
    pub fn is_stub(self) -> bool {
        self.from > self.whole.start
    }
}

static PERIOD: Statement = Statement::new(
    c"INSERT INTO credits_internal.subscription_periods (
          customer_id, subscription_id, period_start, period_end, kind, invoice_id, resumed)
      VALUES ($1, $2, $3, $4, $5, $6, $7)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID, BOOLOID],
);

/// Writes down a period.
pub fn enter(
    session: &Session,
    subscription: &Subscription,
    period: Period,
    kind: &str,
    (invoice_id, is_resumed): (Option<Uuid>, bool),
) -> Result<(), Error> {
    let cells = [
        subscription.customer_id.cell(),
        subscription.id.cell(),
        period.start.cell(),
        period.end.cell(),
        kind.cell(),
        invoice_id.cell(),
        is_resumed.cell(),
    ];
    PERIOD.run(session, &cells).map(drop)
}

/// The lines of a period, before a discount. Raises PC007, PC013.
pub fn lines(session: &Session, code: &str, items: &[Item], term: Term) -> Result<Vec<New>, Error> {
    let decimals = currency::decimals(session, code)?;
    let mut lines = Vec::with_capacity(items.len());
    // Of what is metered it is not known yet.
    for item in items.iter().filter(|item| !item.is_metered()) {
        let refused = |reason| Error::amount("quantity", item.quantity, reason);
        let amount = if term.is_free { Decimal::ZERO } else { item.amount()? };
        let plan = if term.is_free { None } else { plan::of(session, item)?.map(Plan::capped) };
        let (instalments, expires) = match &plan {
            Some(plan) => (plan.rest(term.whole, term.from).map_err(plan::refused)?, plan.expires),
            None => (Vec::new(), false),
        };
        lines.push(New::of_item(
            Uuid::now_v7(),
            OfItem {
                item_id: item.id,
                offer: &item.offer,
                price_id: item.price_id,
                quantity: item.quantity,
                amount: part(amount, term.whole, term.from, decimals).map_err(refused)?,
                discount: Decimal::ZERO,
                description: item.offer.product_name.clone(),
                period: (term.from, term.whole.end),
                is_proration: false,
                tax_rate: None,
                tax_behavior: None,
                instalments,
                expires,
            },
        ));
    }
    Ok(lines)
}

/// What the coupon takes off a whole period of items.
pub fn off_items(session: &Session, coupon: &Coupon, code: &str, items: &[Item]) -> Result<Vec<Decimal>, Error> {
    taken_off(session, coupon, code, items.iter().map(Item::for_discount).collect::<Result<_, _>>()?)
}

/// What the coupon takes off a purchase, whoever else uses it: it was judged when the subscription got it.
pub fn taken_off(session: &Session, coupon: &Coupon, code: &str, cart: Vec<CartLine>) -> Result<Vec<Decimal>, Error> {
    let terms = discount::CouponTerms { active: true, redeem_by: None, ..coupon.terms() };
    let facts =
        Facts { now: Time::BEGINNING, is_left: true, is_left_to_customer: true, is_verified: true, has_paid: false };
    let decimals = currency::decimals(session, code)?;
    let used = Use::Purchase { currency: code, decimals, lines: &cart };
    match discount::judge(&terms, None, &facts, used) {
        Ok(discount) => Ok(discount.per_line),
        Err(Refusal::Amount(reason)) => Err(Error::amount("quantity", Decimal::ONE, reason)),
        // Nothing that it is for: a product that it does not name, or a part that is free.
        Err(_) => Ok(vec![Decimal::ZERO; cart.len()]),
    }
}

impl Subscription {
    /// Whether credits of lines wait for its first payment.
    fn must_pay_for(&self, lines: &[New]) -> bool {
        !self.has_paid && lines.iter().any(New::waits)
    }
}

impl Discounted {
    /// From when to when it is.
    pub fn dates(discount: Option<Discounted>) -> Dates {
        discount.and_then(|one| one.start.map(|start| (start, one.end)))
    }

    /// Whether it takes something off a period that begins then.
    pub fn applies(&self, coupon: &Coupon, start: Time) -> bool {
        match coupon.duration {
            "once" => self.invoice_id.is_none(),
            _ => self.end.is_none_or(|end| start < end),
        }
    }

    /// Whether it is over in a period that begins then, where the coupon's duration does not matter; `None` where it is not.
    pub fn may_have_ended(&self, start: Time) -> Option<bool> {
        let over = self.end.is_some_and(|end| end <= start);
        (over || self.end.is_none() && self.start.is_some_and(|first| first < start)).then_some(over)
    }

    /// It took something off a period that begins then.
    pub fn began(self, coupon: &Coupon, start: Time) -> Self {
        if self.start.is_some() {
            return self;
        }
        let end = coupon.months.map(|months| months_after(start, months));
        Discounted { start: Some(start), end, ..self }
    }
}

/// Makes the invoice for a term and gives it out; `None` where only usage is to be paid for, and nothing is pending. The
/// subscription has it as its last one, with what its discount did. Raises PC007, PC013.
pub fn make(
    session: &Session,
    customer: &Customer,
    subscription: &mut Subscription,
    (term, reason): (Term, Reason),
    now: Time,
) -> Result<Option<Uuid>, Error> {
    let invoice_id = Uuid::now_v7();
    // What is owed for the time before: its accounts are locked before anything else is.
    let owed = match reason {
        Reason::SubscriptionCycle if subscription.policy != Policy::Carry => {
            if !currency::is_money(session, &subscription.currency)? {
                // With the wallet that pays.
                instalments::lock_accounts(session, subscription)?;
            }
            let ended = (last_start(session, subscription, term.from)?, term.from);
            owed::settle(session, subscription, invoice_id, (ended, term.from), now)?
        }
        _ => Vec::new(),
    };
    let items = item::of(session, &subscription.customer_id, subscription.id)?;
    summary::begin(session, subscription, &items, term)?;
    let mut lines = lines(session, &subscription.currency, &items, term)?;
    let quote = discounted(session, subscription, &mut lines, term.from)?;
    lines.extend(owed);
    let takes_pending = reason == Reason::SubscriptionCycle;
    let asks = takes_pending && (lines.is_empty() || subscription.must_pay_for(&lines));
    let taken = if asks { taken(session, subscription)? } else { Decimal::ZERO };
    withhold(session, customer, subscription, (&mut lines, taken))?;
    let period = Period { start: term.from, end: term.whole.end };
    let made = match lines.is_empty() && taken <= Decimal::ZERO {
        true => None,
        false => {
            let ordered = (invoice_id, &lines[..], quote.as_ref(), reason);
            order_as(session, customer, subscription, ordered, (takes_pending, term.from, now))?;
            Some(invoice_id)
        }
    };
    enter(session, subscription, period, if term.is_stub() { "stub" } else { "whole" }, (made, term.is_resumed))?;
    Ok(made)
}

/// Credits that wait for the first payment are none where nothing is to be paid yet.
pub fn withhold(
    session: &Session,
    customer: &Customer,
    subscription: &Subscription,
    (lines, taken): (&mut [New], Decimal),
) -> Result<(), Error> {
    if !subscription.must_pay_for(lines) {
        return Ok(());
    }
    let totals = line::totals(lines, customer.tax_rate, currency::decimals(session, &subscription.currency)?)?;
    if totals.total + taken <= Decimal::ZERO {
        lines.iter_mut().filter(|line| line.waits()).for_each(New::grant_nothing);
    }
    Ok(())
}

/// A trial begins. Where credits are granted in it, it has an invoice of nothing, which is paid at once. Raises PC007, PC013.
pub fn try_out(
    session: &Session,
    customer: &Customer,
    subscription: &mut Subscription,
    trial: Term,
    now: Time,
) -> Result<(), Error> {
    let items = item::of(session, &subscription.customer_id, subscription.id)?;
    summary::begin(session, subscription, &items, Term { is_free: true, ..trial })?;
    let granting: Vec<Item> = items.into_iter().filter(Item::is_immediate).collect();
    if granting.is_empty() {
        return enter(session, subscription, trial.whole, "trial", (None, false));
    }
    let mut lines = lines(session, &subscription.currency, &granting, trial)?;
    lines.iter_mut().for_each(New::make_free);
    let reason = Reason::SubscriptionCreate;
    let invoice_id = order(session, customer, subscription, (&lines, None, reason), (false, trial.from, now))?;
    enter(session, subscription, trial.whole, "trial", (Some(invoice_id), false))
}

/// Takes the subscription's discount off lines of a period, if it applies to it.
pub fn discounted(
    session: &Session,
    subscription: &mut Subscription,
    lines: &mut [New],
    start: Time,
) -> Result<Option<Quote>, Error> {
    let Some(discount) = subscription.discount else { return Ok(None) };
    let coupon = Coupon::stored(session, discount.coupon_id)?;
    if !discount.applies(&coupon, start) {
        return Ok(None);
    }
    let per_line = taken_off(session, &coupon, &subscription.currency, lines.iter().map(New::for_discount).collect())?;
    let amount: Decimal = per_line.iter().sum();
    if amount.is_zero() {
        return Ok(None);
    }
    lines.iter_mut().zip(&per_line).for_each(|(line, off)| line.take_off(*off));
    subscription.discount = Some(discount.began(&coupon, start));
    Ok(Some(Quote {
        coupon_id: discount.coupon_id,
        promotion_code_id: discount.promotion_code_id,
        code: None,
        currency: subscription.currency.clone(),
        amount,
        per_line,
        verification: Default::default(),
        per_customer: None,
    }))
}

static PENDING: Statement = Statement::new(
    c"SELECT coalesce(sum(l.amount - l.given_discount), 0) FROM credits_internal.subscription_items i
      JOIN credits_internal.invoice_lines l
        ON l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND l.invoice_id IS NULL",
    &[TEXTOID, UUIDOID],
);

static TAKEN: Statement = Statement::new(
    c"SELECT coalesce(sum(l.amount - l.given_discount), 0) FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.currency = $2 AND l.invoice_id IS NULL",
    &[TEXTOID, TEXTOID],
);

/// What all that is pending in its currency comes to, before tax.
pub fn taken(session: &Session, subscription: &Subscription) -> Result<Decimal, Error> {
    let rows = TAKEN.run(session, &[subscription.customer_id.cell(), subscription.currency.cell()])?;
    rows.first().map_or(Ok(Decimal::ZERO), |mut row| row.next())
}

/// The last invoice, of what is still to be charged for changes, and of what is owed as it ends: there is no next one. Returns
/// it, where there is any.
pub fn close(
    session: &Session,
    customer: &Customer,
    subscription: &mut Subscription,
    at: Time,
    now: Time,
) -> Result<Option<Uuid>, Error> {
    let invoice_id = Uuid::now_v7();
    let ended = (subscription.period.start, at);
    // Now means all of it.
    let before = if at == now { Time::NEVER } else { at };
    let owed = owed::settle(session, subscription, invoice_id, (ended, before), now)?;
    let rows = PENDING.run(session, &[subscription.customer_id.cell(), subscription.id.cell()])?;
    let pending: Decimal = rows.first().map_or(Ok(Decimal::ZERO), |mut row| row.next())?;
    if pending <= Decimal::ZERO && owed.is_empty() {
        return Ok(None);
    }
    order_as(
        session,
        customer,
        subscription,
        (invoice_id, &owed[..], None, Reason::SubscriptionCycle),
        (true, now, now),
    )?;
    Ok(Some(invoice_id))
}

static LAST_START: Statement = Statement::new(
    c"SELECT max(p.period_start) FROM credits_internal.subscription_periods p
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start < $3",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// When the period before began.
fn last_start(session: &Session, subscription: &Subscription, before: Time) -> Result<Time, Error> {
    let cells = [subscription.customer_id.cell(), subscription.id.cell(), before.cell()];
    let start: Option<Time> = LAST_START.run(session, &cells)?.first().map_or(Ok(None), |mut row| row.next())?;
    Ok(start.unwrap_or(before))
}

/// Makes an invoice of these lines, with or without what is pending in their currency, and gives it out as of when it was due.
pub fn order(
    session: &Session,
    customer: &Customer,
    subscription: &mut Subscription,
    (lines, quote, reason): (&[New], Option<&Quote>, Reason),
    (takes_pending, at, now): (bool, Time, Time),
) -> Result<Uuid, Error> {
    let invoice_id = Uuid::now_v7();
    order_as(session, customer, subscription, (invoice_id, lines, quote, reason), (takes_pending, at, now))?;
    Ok(invoice_id)
}

fn order_as(
    session: &Session,
    customer: &Customer,
    subscription: &mut Subscription,
    (invoice_id, lines, quote, reason): (Uuid, &[New], Option<&Quote>, Reason),
    (takes_pending, at, now): (bool, Time, Time),
) -> Result<(), Error> {
    let customer_id = subscription.customer_id.clone();
    let code = subscription.currency.clone();
    let method = if subscription.is_automatic() { collection::AUTOMATIC } else { collection::SENT };
    let is_sent = !subscription.is_automatic() && !subscription.is_external();
    let order = Order {
        customer_id: &customer_id,
        invoice_id,
        reason,
        currency: &code,
        description: None,
        metadata: None,
        collection_method: method,
        tax_rate: customer.tax_rate,
        lines,
        discount: quote,
        is_reported: false,
        subscription: Some(OfSubscription {
            id: subscription.id,
            days_until_due: is_sent.then_some(subscription.days_until_due),
            payment_method_id: subscription.payment_method_id,
        }),
    };
    // What time brings happens whether or not a wallet can pay for it.
    let wallet = if reason == Reason::SubscriptionCycle { Wallet::MayFail } else { Wallet::MustPay };
    let invoice = bill::bill(session, &order, takes_pending, now)?;
    if finalize::is_paid_at_once(session, &invoice)? {
        // That changes the subscription.
        advance::save(session, subscription, now)?;
        finalize::finalize_as_of(session, customer, invoice, wallet, (at, now))?;
        let discount = subscription.discount;
        *subscription = subscription::lock(session, &customer_id, subscription.id)?;
        subscription.discount = discount;
    } else {
        finalize::finalize_as_of(session, customer, invoice, wallet, (at, now))?;
    }
    subscription.latest_invoice_id = Some(invoice_id);
    if let (Some(_), Some(discount)) = (quote, subscription.discount.as_mut()) {
        discount.invoice_id.get_or_insert(invoice_id);
    }
    Ok(())
}
