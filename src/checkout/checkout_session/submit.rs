//! Submitting a session: what is in its cart becomes an invoice, as a draft, with a payment intent; stock is reserved for as
//! long as the session is open. Where nothing is to be paid, or the price is in credits, it is complete at once.

mod subscribed;

use crate::amount::Decimal;
use crate::catalog::redemption::{self, Quote};
use crate::catalog::stock;
use crate::checkout::cart::{self, Priced};
use crate::checkout::checkout_session::pricing::{self, Cart};
use crate::checkout::checkout_session::{self, LockedSession, SessionRow, Status, change};
use crate::checkout::discount::{self, Asked};
use crate::error::Error;
use crate::input;
use crate::invoicing::collection;
use crate::invoicing::customer::{self, Customer};
use crate::invoicing::effect;
use crate::invoicing::invoice::{self, finalize};
use crate::invoicing::sale::{self, Order, Reason as Why};
use crate::ledger::{balance, currency, grant};
use crate::moment::Time;
use crate::payments::notification::case;
use crate::payments::payment_intent::{self as intent, New, attempt};
use crate::payments::provider;
use crate::payments::provider::link::Placeholders;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::checkout as subscription;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::collections::BTreeMap;
use uuid::Uuid;

/// `credits.checkout_session_submit`. Raises PC001, PC003, PC007, PC008, PC013, PC015, PC016, PC017, PC018, PC019, PC020,
/// PC021.
#[pg_extern(sql = false)]
fn checkout_session_submit(customer_id: Option<&str>, checkout_session_id: Option<Id>) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("checkout_session_id", checkout_session_id)?.0;
        writing(|session| submit(session, customer_id, id, settings::now()?)).map(One)
    })())
}

fn submit(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<SessionRow, Error> {
    let customer = customer::lock(session, customer_id)?;
    let there = checkout_session::lock(session, customer_id, id)?;
    let replayed = match (there.status_at(now), there.invoice_id) {
        (Status::Complete, _) => true,
        (Status::Expired, _) => return Err(there.conflict("expired")),
        (Status::Open, Some(invoice_id)) => !again(session, &there, invoice_id, now)?,
        (Status::Open, None) => {
            checkout_session::must_not_be_overdue(session, customer_id, now)?;
            first(session, &customer, &there, now)?;
            false
        }
    };
    checkout_session::find(session, customer_id, id, replayed)
}

static SUBMITTED: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET invoice_id = $3, submitted_at = $4, updated_at = $4, subscription_id = $5, expires_at = least(s.expires_at, $6)
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, UUIDOID, TIMESTAMPTZOID],
);

/// Writes down that a session is submitted, with the invoice that is made of it.
fn record(session: &Session, there: &LockedSession, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    let none = (None::<Uuid>, None::<Time>);
    let cells =
        [there.customer_id.cell(), there.id.cell(), invoice_id.cell(), now.cell(), none.0.cell(), none.1.cell()];
    SUBMITTED.run(session, &cells).map(drop)
}

fn first(session: &Session, customer: &Customer, there: &LockedSession, now: Time) -> Result<(), Error> {
    let items = cart::stored(session, &there.line_items)?;
    let (whole, off) = change::refill(session, there, &items, now)?;
    check_room(session, there, &whole.priced)?;
    if whole.plan.is_some() {
        return subscribed::first(session, customer, there, (whole, off), now);
    }
    let (priced, quote) = (whole.priced, off.map(|off| off.now));
    let total = priced.totals.total;
    let invoice_id = Uuid::now_v7();
    let is_money = currency::is_money(session, &there.currency)?;
    // The wallet pays what is in credits.
    let method = if is_money { there.collection_method.as_str() } else { collection::AUTOMATIC };
    let order = order(there, invoice_id, (&priced, quote.as_ref()), method);
    record(session, there, invoice_id, now)?;
    if total.is_zero() || !is_money {
        sale::draft(session, &order, now)?;
        let draft = invoice::lock(session, &there.customer_id, invoice_id)?;
        if let Some(quote) = &quote {
            // Accounts before any counter, and coupons before prices.
            let mut accounts = effect::currencies(session, &draft)?;
            accounts.extend((!is_money).then(|| there.currency.clone()));
            effect::lock_accounts(session, &there.customer_id, accounts)?;
            redemption::reserve(session, &there.customer_id, invoice_id, quote, None, now)?;
            redemption::confirm(session, &there.customer_id, invoice_id, now)?;
        }
        finalize::finalize(session, customer, draft, now)?;
        return checkout_session::sale::complete(session, (&there.customer_id, there.id), total.is_zero(), now);
    }
    check_total(session, there, total)?;
    begin(session, there, &order, total, now)?;
    ask(session, there, invoice_id, now)
}

/// Raises PC007, PC008 where no payment can be as large.
fn check_total(session: &Session, there: &LockedSession, total: Decimal) -> Result<(), Error> {
    let money = ("currency", there.currency.as_str());
    let limits = currency::resolve_fiat(session, money, ("line_items", total))?;
    limits.check(total).map_err(|reason| Error::amount("line_items", total, reason))
}

/// Asks a worker to charge the customer, where that is how it is paid.
fn ask(session: &Session, there: &LockedSession, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    if there.collection_method == collection::AUTOMATIC {
        collection::ask(session, &invoice::lock(session, &there.customer_id, invoice_id)?, now)?;
    }
    Ok(())
}

static REOPEN: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET status = 'open', expires_at = least(s.expires_at, $3), expired_at = NULL
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND s.status = 'expired'",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// A payment is reported of a session that nobody submitted: it begins all the same, with the stock that there is. One that
/// was over is so again, unless it is paid. Its customer is locked.
pub fn unasked(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<(), Error> {
    REOPEN.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
    let there = checkout_session::lock(session, customer_id, id)?;
    if there.invoice_id.is_some() {
        return Ok(());
    }
    let items = cart::stored(session, &there.line_items)?;
    // Of a period that is part of one, it is paid for the part that it was when it was priced.
    let anchor = there.subscription.as_ref().and_then(|data| data.billing_cycle_anchor);
    let begins = anchor.and(there.priced_at).unwrap_or(now);
    let cart = Cart { is_sold: true, ..there.cart(&items, currency::decimals(session, &there.currency)?, begins) };
    let mut whole = pricing::price(session, &cart)?;
    // What it was to cost, it costs. The discount counts as used where there is one left, and else as over quota.
    let off = cart::stored_discounts(&there.line_items);
    let promised = |asked| discount::promised(session, asked, (&there.currency, &off));
    let quote = there.discount.as_ref().map(promised).transpose()?.flatten();
    whole.less(&off, &cart)?;
    if there.discount.is_some() && quote.is_none() {
        discount::put(session, (customer_id, id), None)?;
    }
    if whole.plan.is_some() {
        return subscribed::unasked(session, &there, (whole, quote), now);
    }
    let (priced, invoice_id) = (whole.priced, Uuid::now_v7());
    record(session, &there, invoice_id, now)?;
    let order = order(&there, invoice_id, (&priced, quote.as_ref()), &there.collection_method);
    begin(session, &there, &Order { is_reported: true, ..order }, priced.totals.total, now)
}

fn order<'a>(
    there: &'a LockedSession,
    invoice_id: Uuid,
    (priced, discount): (&'a Priced, Option<&'a Quote>),
    collection_method: &'a str,
) -> Order<'a> {
    Order {
        subscription: None,
        customer_id: &there.customer_id,
        invoice_id,
        reason: Why::Session(there.id),
        currency: &there.currency,
        description: None,
        metadata: None,
        collection_method,
        tax_rate: there.tax_rate,
        lines: &priced.lines,
        discount,
        is_reported: false,
    }
}

/// Its invoice and its payment intent, which has the session's id.
fn begin(session: &Session, there: &LockedSession, order: &Order<'_>, total: Decimal, now: Time) -> Result<(), Error> {
    pay(session, there, (order.invoice_id, total, there.expires_at), |new| sale::begin(session, order, new, now))
}

/// Has a payment intent begin, which has the session's id.
fn pay(
    session: &Session,
    there: &LockedSession,
    (invoice_id, total, expires_at): (Uuid, Decimal, Time),
    begin: impl FnOnce(&New<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut values = Placeholders {
        id: there.id,
        invoice_id,
        customer_id: &there.customer_id,
        amount: total,
        minor_units: None,
        currency: &there.currency,
        credits: None,
        return_url: there.success_url.as_deref(),
        failure_url: there.cancel_url.as_deref(),
        checkout_session_id: Some(there.id),
    };
    let (provider, checkout_url) = provider::checkout(session, there.provider.as_deref(), &mut values, || Ok(None))?;
    let new = New {
        customer_id: &there.customer_id,
        id: there.id,
        invoice_id,
        amount: total,
        currency: &there.currency,
        provider: provider.as_deref(),
        return_url: there.success_url.as_deref(),
        failure_url: there.cancel_url.as_deref(),
        checkout_url: checkout_url.as_deref(),
        description: None,
        metadata: None,
        expires_at: Some(expires_at),
        recharge_id: None,
        credits: None,
    };
    begin(&new)
}

/// A purchase that could not be granted must not be paid. Raises PC007.
fn check_room(session: &Session, there: &LockedSession, priced: &Priced) -> Result<(), Error> {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (code, credits) in priced.lines.iter().filter_map(|line| line.credits()) {
        let sum = sums.entry(code).or_default();
        *sum = sum.saturating_add(credits);
    }
    for (code, credits) in sums {
        if let Some(book) = balance::current(session, &there.customer_id, code)? {
            grant::check_room(&book, credits, currency::decimals(session, code)?)?;
        }
    }
    Ok(())
}

/// A session that was submitted before: what is asked for, or under way, goes on; after a failure its discount is judged and
/// reserved again, and so is stock, and a worker is asked again. Returns whether that was to be done. Raises PC016, PC017.
fn again(session: &Session, there: &LockedSession, invoice_id: Uuid, now: Time) -> Result<bool, Error> {
    let pays = intent::lock(session, &there.customer_id, there.id)?;
    if pays.status.is_under_way() || pays.requested_at.is_some() || !pays.failed {
        return Ok(false);
    }
    if let Some(subscription_id) = there.subscription_id {
        subscription::must_be_alive(session, &there.customer_id, subscription_id)?;
    }
    let holder = there.holds_discount().unwrap_or(invoice_id);
    if let Some(asked) = &there.discount {
        judge_again(session, there, asked, now)?;
    }
    let draft = invoice::lock(session, &there.customer_id, invoice_id)?;
    if there.collection_method != collection::AUTOMATIC || !collection::ask(session, &draft, now)? {
        // The customer tries again where the provider says: if that fails too, it is another failure.
        attempt::begin_again(session, &mut case::alone(session, &there.customer_id, there.id, now)?)?;
    }
    redemption::reserve_again(session, &there.customer_id, holder, Some(there.expires_at), now)?;
    let sold = finalize::sold(session, &draft)?;
    stock::reserve(session, &there.customer_id, invoice_id, &sold, Some(there.expires_at), now)?;
    Ok(true)
}

/// A discount that was given back must be good for the cart once more: somebody may have bought, or the code be over. Raises
/// PC016.
fn judge_again(session: &Session, there: &LockedSession, asked: &Asked, now: Time) -> Result<(), Error> {
    let items = cart::stored(session, &there.line_items)?;
    let decimals = currency::decimals(session, &there.currency)?;
    let cart = Cart { is_sold: true, ..there.cart(&items, decimals, there.priced_at.unwrap_or(now)) };
    let holder = (there.customer_id.as_str(), there.holds_discount());
    pricing::price(session, &cart)?.take_off(session, holder, asked, &cart, now).map(drop)
}
