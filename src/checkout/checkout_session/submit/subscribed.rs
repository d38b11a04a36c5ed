//! Submitting a session that begins a subscription: it begins with its first invoice, as a draft that the session's payment
//! gives out. Where a trial is all there is, it begins at once, and so does what costs nothing.

use crate::amount::Decimal;
use crate::catalog::redemption::Quote;
use crate::checkout::checkout_session::pricing::{Discount, Plan, Whole};
use crate::checkout::checkout_session::submit::{SUBMITTED, ask, check_total, pay};
use crate::checkout::checkout_session::{LockedSession, sale as of_session};
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::effect;
use crate::invoicing::invoice::{self, finalize};
use crate::invoicing::line::New as Line;
use crate::invoicing::sale::{Order, Reason, reserve_stock};
use crate::ledger::currency;
use crate::moment::Time;
use crate::payments::payment_intent as intent;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::subscriptions::checkout::{self as subscription, Began, New, Sold};
use pgrx::pg_sys::TEXTOID;

static CAST: Statement = Statement::new(c"SELECT $1::jsonb", &[TEXTOID]);

/// What the application keeps with the subscription.
fn metadata(session: &Session, there: &LockedSession) -> Result<Option<Json>, Error> {
    let given = there.subscription.as_ref().and_then(|data| data.metadata.as_ref());
    let Some(given) = given else { return Ok(None) };
    CAST.run(session, &[given.to_string().cell()])?.first().map_or(Ok(None), |mut row| row.next())
}

/// What is sold, taken apart.
struct Cart<'a> {
    plan: Plan<'a>,
    lines: Vec<Line>,
    total: Decimal,
}

impl<'a> Cart<'a> {
    fn of(session: &Session, there: &LockedSession, whole: Whole<'a>) -> Result<Self, Error> {
        let Whole { priced, plan } = whole;
        let plan = plan.ok_or_else(|| Error::internal("a checkout session begins no subscription"))?;
        let actions = there.subscription.as_ref().and_then(|data| data.service_actions.as_ref());
        let checkout = Some((there.id, actions.map(ToString::to_string)));
        let new = New { metadata: metadata(session, there)?, checkout, ..plan.new };
        let plan = Plan { new, ..plan };
        Ok(Cart { total: priced.totals.total, lines: plan.on_invoice(priced.lines), plan })
    }

    /// Begins the subscription, and writes that down with the session.
    fn begin(
        &self,
        session: &Session,
        there: &LockedSession,
        (discount, redeemed): (Option<&Quote>, Option<&Quote>),
        (expires_at, is_reported): (Option<Time>, bool),
        now: Time,
    ) -> Result<Began, Error> {
        let sold = Sold {
            customer_id: &there.customer_id,
            session_id: there.id,
            new: &self.plan.new,
            judged: &self.plan.judged,
            lines: &self.lines,
            discount,
            redeemed,
            tax_rate: there.tax_rate,
            expires_at,
            is_reported,
        };
        let began = subscription::begin(session, &sold, now)?;
        // It cannot be paid when its first period is over. What is paid already can.
        let most = if is_reported { None } else { Some(began.period_end) };
        let cells = [
            there.customer_id.cell(),
            there.id.cell(),
            began.invoice_id.cell(),
            now.cell(),
            began.id.cell(),
            most.cell(),
        ];
        SUBMITTED.run(session, &cells)?;
        Ok(began)
    }

    /// The payment intent of its first invoice, which reserves what is from stock.
    fn collect(
        &self,
        session: &Session,
        there: &LockedSession,
        began: &Began,
        (expires_at, is_reported): (Time, bool),
        now: Time,
    ) -> Result<(), Error> {
        let invoice_id = began.invoice_id.ok_or_else(|| Error::internal("what is to be paid has no invoice"))?;
        let order = Order {
            customer_id: &there.customer_id,
            invoice_id,
            reason: Reason::SubscriptionSession(there.id),
            currency: &there.currency,
            description: None,
            metadata: None,
            collection_method: &there.collection_method,
            tax_rate: there.tax_rate,
            lines: &self.lines,
            discount: None,
            is_reported,
            subscription: None,
        };
        pay(session, there, (invoice_id, self.total, expires_at), |new| {
            intent::insert(session, new, now)?;
            reserve_stock(session, &order, Some(expires_at), now)
        })
    }
}

/// The first time. Raises PC007, PC008, PC016, PC017.
pub fn first(
    session: &Session,
    customer: &Customer,
    there: &LockedSession,
    (whole, off): (Whole<'_>, Option<Discount>),
    now: Time,
) -> Result<(), Error> {
    let cart = Cart::of(session, there, whole)?;
    let is_free = cart.total.is_zero();
    let is_paid_at_once = is_free || !currency::is_money(session, &there.currency)?;
    if is_paid_at_once {
        // Accounts before any counter.
        let mut accounts: Vec<String> = cart.lines.iter().filter_map(Line::credit_currency).map(String::from).collect();
        accounts.extend((!is_free).then(|| there.currency.clone()));
        effect::lock_accounts(session, &there.customer_id, accounts)?;
    } else {
        check_total(session, there, cart.total)?;
    }
    let expires_at = there.expires_at.min(cart.plan.new.first_period(cart.plan.judged.step).end);
    let discounts = (off.as_ref().map(|off| &off.now), off.as_ref().map(|off| &off.redeemed));
    let until = (!is_paid_at_once).then_some(expires_at);
    let began = cart.begin(session, there, discounts, (until, false), now)?;
    match began.invoice_id {
        None => of_session::begun(session, (&there.customer_id, there.id), now),
        Some(invoice_id) if is_paid_at_once => {
            let draft = invoice::lock(session, &there.customer_id, invoice_id)?;
            finalize::finalize(session, customer, draft, now)?;
            of_session::complete(session, (&there.customer_id, there.id), is_free, now)
        }
        Some(invoice_id) => {
            cart.collect(session, there, &began, (expires_at, false), now)?;
            ask(session, there, invoice_id, now)
        }
    }
}

/// A payment of it is reported, and nobody submitted it.
pub fn unasked(
    session: &Session,
    there: &LockedSession,
    (whole, quote): (Whole<'_>, Option<Quote>),
    now: Time,
) -> Result<(), Error> {
    let cart = Cart::of(session, there, whole)?;
    let until = (Some(there.expires_at), true);
    let began = cart.begin(session, there, (quote.as_ref(), quote.as_ref()), until, now)?;
    cart.collect(session, there, &began, (there.expires_at, true), now)
}
