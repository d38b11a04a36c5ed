//! What time does to a subscription, done: each change in its turn, of however many that are due.

pub mod announcement;

use crate::catalog::redemption;
use crate::error::Error;
use crate::invoicing::customer::{self, Customer};
use crate::invoicing::invoice::{self, Status as InvoiceStatus, close, payment};
use crate::invoicing::{collection, sale::Reason};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::payment_method;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::billing::{self, Term};
use crate::subscriptions::checkout;
use crate::subscriptions::instalments;
use crate::subscriptions::protection;
use crate::subscriptions::schedule::cycle::{Cycle, Period};
use crate::subscriptions::schedule::state::{self, Change, Facts, Status};
use crate::subscriptions::subscription::{self, Subscription};
use crate::subscriptions::usage_record::{closing, summary};
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The most changes that one call does: of hours that nobody looked for, maintain() does the others.
pub const MOST: usize = 1_000;

/// A subscription, locked with its customer, when all is done that was due by now. Raises PC003, PC019.
pub fn open(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<(Customer, Subscription), Error> {
    let customer = customer::lock(session, customer_id)?;
    let mut there = subscription::lock(session, customer_id, id)?;
    advance(session, &customer, &mut there, now, MOST)?;
    Ok((customer, there))
}

static DUE_DATE: Statement = Statement::new(
    c"SELECT min(i.due_date) FROM credits_internal.invoices i
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND i.status = 'open'",
    &[TEXTOID, UUIDOID],
);

/// When time changes it next, and how.
fn next(session: &Session, there: &Subscription, now: Time) -> Result<Option<(Time, Change)>, Error> {
    // What the provider bills, it says.
    if there.is_external() {
        return Ok(None);
    }
    let due_date = match there.status {
        Status::Active if !there.is_automatic() => {
            let rows = DUE_DATE.run(session, &[there.customer_id.cell(), there.id.cell()])?;
            rows.first().map_or(Ok(None), |mut row| row.next())?
        }
        _ => None,
    };
    Ok(state::next(&Facts {
        status: there.status,
        created_at: there.created_at,
        ends_with_session: there.checkout_session_id.is_some(),
        period_end: there.period.end,
        cancel_at: there.cancel_at,
        resumes_at: there.resumes_at,
        past_due_at: there.past_due_at,
        retries: usize::try_from(there.retries).unwrap_or_default(),
        retry_days: &settings::subscription_retries(),
        days_until_cancel: there.days_until_cancel,
        is_automatic: there.is_automatic(),
        due_date,
        usage_closes_at: there.usage_closes_at,
        protect_at: there.protect_at,
        announce_at: state::announcement(
            (there.status, (there.period.start, there.period.end)),
            (there.cancel_at, there.announced_end),
            settings::upcoming_invoice_days(),
            now,
        ),
    }))
}

/// Writes a subscription back, with when time changes it next.
pub fn save(session: &Session, there: &Subscription, now: Time) -> Result<(), Error> {
    let next = next(session, there, now)?.map(|(at, _)| at).filter(|at| at.is_finite());
    there.save(session, next, now)
}

/// Does so many of the changes that are due by now; how many that were.
pub fn advance(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    now: Time,
    most: usize,
) -> Result<usize, Error> {
    let mut done = 0;
    while done < most
        && let Some((at, change)) = next(session, there, now)?.filter(|(at, _)| *at <= now)
    {
        apply(session, customer, there, (change, at), now)?;
        save(session, there, now)?;
        done += 1;
    }
    Ok(done)
}

fn apply(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (change, at): (Change, Time),
    now: Time,
) -> Result<(), Error> {
    match change {
        Change::Expire => expire(session, there, at, now),
        Change::Protect => protection::pay(session, there, now),
        Change::Cancel => end(session, customer, there, (at, false), now),
        Change::GiveUp => {
            if there.is_protected {
                protection::pay(session, there, now)?;
            }
            if there.status == Status::PastDue { end(session, customer, there, (at, true), now) } else { Ok(()) }
        }
        Change::EndTrial => end_trial(session, customer, there, at, now),
        Change::Resume => resume(session, customer, there, at, now),
        Change::Renew => {
            let whole = there.cycle.period_at(at);
            begin_period(session, customer, there, (Term::of(whole), Reason::SubscriptionCycle), now)
        }
        Change::CloseUsage => closing::close(session, customer, there, at, now),
        Change::Overdue => fall_due(session, there, at, now),
        Change::Announce => announcement::make(session, customer, there, now),
        Change::Retry => {
            there.retries += 1;
            if currency::is_money(session, &there.currency)? {
                for invoice_id in unpaid(session, there)? {
                    let invoice = invoice::lock(session, &there.customer_id, invoice_id)?;
                    collection::ask(session, &invoice, now)?;
                }
            } else {
                pay_again(session, there, now)?;
            }
            protection::after_asking(session, there, now)
        }
    }
}

/// The wallet pays what is open, the oldest first, as far as it can.
fn pay_again(session: &Session, there: &mut Subscription, now: Time) -> Result<(), Error> {
    // What is paid changes the subscription.
    save(session, there, now)?;
    instalments::lock_accounts(session, there)?;
    let mut is_paid = true;
    for invoice_id in unpaid(session, there)? {
        let invoice = invoice::lock(session, &there.customer_id, invoice_id)?;
        is_paid = payment::pay_again(session, &invoice, now)?;
        if !is_paid {
            break;
        }
    }
    *there = subscription::lock(session, &there.customer_id, there.id)?;
    if is_paid { Ok(()) } else { record(session, there, EventType::SubscriptionRenewFailed, now) }
}

/// Writes an event of it, as it stands once it is saved.
pub fn record(session: &Session, there: &Subscription, event_type: EventType, now: Time) -> Result<(), Error> {
    save(session, there, now)?;
    billing_event::record(session, event_type, there.id, Some(&there.customer_id), now)
}

/// A period begins: it has its invoice, whether or not that is paid.
pub fn begin_period(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (term, reason): (Term, Reason),
    now: Time,
) -> Result<(), Error> {
    there.period = Period { start: term.from, end: term.whole.end };
    let made = billing::make(session, customer, there, (term, reason), now)?;
    match reason == Reason::SubscriptionCycle {
        true => record(session, there, EventType::SubscriptionRenewed, now)?,
        false => save(session, there, now)?,
    }
    if let Some(is_sure) = there.discount.and_then(|discount| discount.may_have_ended(term.from)) {
        redemption::end(session, (&there.customer_id, there.id), is_sure, now)?;
    }
    made.map_or(Ok(()), |invoice_id| collect(session, there, invoice_id, now))
}

/// An invoice was given out: where nobody can be asked to pay it, something is owed.
pub fn collect(session: &Session, there: &mut Subscription, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    let is_wallet = !currency::is_money(session, &there.currency)?;
    // What a wallet pays, it has paid by now, or has failed.
    let is_asked = there.status == Status::Active || is_wallet && there.status == Status::PastDue;
    if !is_asked || can_be_collected(session, there, invoice_id, now)? {
        return Ok(());
    }
    if is_wallet {
        record(session, there, EventType::SubscriptionRenewFailed, now)?;
    }
    fall_due(session, there, now, now)
}

/// Whether an invoice that was just given out is paid, or somebody can be asked to pay it.
fn can_be_collected(session: &Session, there: &Subscription, invoice_id: Uuid, now: Time) -> Result<bool, Error> {
    if !there.is_automatic() {
        return Ok(true);
    }
    let invoice = invoice::lock(session, &there.customer_id, invoice_id)?;
    Ok(invoice.status != InvoiceStatus::Open || is_chargeable(session, there, now)?)
}

fn is_chargeable(session: &Session, there: &Subscription, now: Time) -> Result<bool, Error> {
    if !currency::is_money(session, &there.currency)? {
        // The wallet pays at once, or it cannot.
        return Ok(false);
    }
    let found = payment_method::chargeable(session, &there.customer_id, there.payment_method_id, now)?;
    Ok(found.is_some())
}

/// Something is owed since then.
pub fn fall_due(session: &Session, there: &mut Subscription, at: Time, now: Time) -> Result<(), Error> {
    if there.status != Status::Active {
        return Ok(());
    }
    (there.status, there.past_due_at, there.retries) = (Status::PastDue, Some(at), 0);
    protection::after_failure(there, now);
    record(session, there, EventType::SubscriptionPastDue, now)
}

/// The trial is over: the first period begins, or nothing can be charged and it ends or pauses.
fn end_trial(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    at: Time,
    now: Time,
) -> Result<(), Error> {
    billing_event::record(session, EventType::SubscriptionTrialEnd, there.id, Some(&there.customer_id), now)?;
    let is_wallet = !currency::is_money(session, &there.currency)?;
    let goes_on = !there.is_automatic()
        || is_wallet
        || there.trial_end_behavior == "charge"
        || is_chargeable(session, there, now)?;
    if !goes_on && there.trial_end_behavior == "cancel" {
        return end(session, customer, there, (at, false), now);
    }
    if !goes_on {
        (there.status, there.paused_at) = (Status::Paused, Some(at));
        return record(session, there, EventType::SubscriptionPaused, now);
    }
    there.status = Status::Active;
    let term = first_term(there, at);
    begin_period(session, customer, there, (term, Reason::SubscriptionCycle), now)
}

/// The first period that is paid for: what is left of one from then on.
pub fn first_term(there: &Subscription, from: Time) -> Term {
    Term::first(there.cycle.period_at(from), from, there.is_stub_free)
}

/// It goes on after a pause: in the same period, or in a new one, which begins then.
pub fn resume(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    at: Time,
    now: Time,
) -> Result<(), Error> {
    (there.status, there.paused_at, there.resumes_at) = (Status::Active, None, None);
    instalments::lock_accounts(session, there)?;
    if at < there.period.end {
        instalments::bring_back(session, there, at)?;
        instalments::end_at_cancel(session, there, now)?;
    } else {
        there.cycle = Cycle { anchor: at, ..there.cycle };
        let term = Term { is_resumed: true, ..Term::of(there.cycle.period_at(at)) };
        begin_period(session, customer, there, (term, Reason::SubscriptionCycle), now)?;
    }
    record(session, there, EventType::SubscriptionResumed, now)?;
    // Whatever failed meanwhile is owed now; of what a wallet pays, that is all that is open.
    let failed = currency::is_money(session, &there.currency)?;
    if owes(session, there, failed, now)? { fall_due(session, there, now, now) } else { Ok(()) }
}

static UNPAID: Statement = Statement::new(
    c"SELECT i.invoice_id FROM credits_internal.invoices i
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND i.status = 'open' ORDER BY i.created_at, i.invoice_id",
    &[TEXTOID, UUIDOID],
);

/// Its open invoices, the oldest first.
pub fn unpaid(session: &Session, there: &Subscription) -> Result<Vec<Uuid>, Error> {
    let rows = UNPAID.run(session, &[there.customer_id.cell(), there.id.cell()])?;
    rows.iter().map(|mut row| row.next()).collect()
}

// What is sent is owed once it is due, what is charged as soon as it is open; or, where that is asked, once a payment failed.
static OWES: Statement = Statement::new(
    c"SELECT EXISTS (
          SELECT FROM credits_internal.invoices i
          WHERE i.customer_id = $1 AND i.subscription_id = $2
            AND (i.status = 'uncollectible'
                 OR i.status = 'open' AND CASE WHEN i.collection_method = 'send_invoice' THEN i.due_date <= $3
                                               ELSE NOT $4 OR EXISTS (
                          SELECT FROM credits_internal.payment_intents t
                          WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
                            AND t.status = 'requires_payment_method' AND t.requested_at IS NULL) END))",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, BOOLOID],
);

/// Whether anything is owed of it: of what is charged, all that is open, or what failed.
pub fn owes(session: &Session, there: &Subscription, failed: bool, now: Time) -> Result<bool, Error> {
    let cells = [there.customer_id.cell(), there.id.cell(), now.cell(), failed.cell()];
    OWES.run(session, &cells)?.first().map_or(Ok(false), |mut row| row.next())
}

static BEGINS: Statement = Statement::new(
    c"SELECT min(l.period_start) FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

/// The open invoices that nobody is to pay once it has ended as of then: all, except what was sent for time before, and
/// usage. What is given up is not owed at all.
pub fn given_up(session: &Session, there: &Subscription, (at, gives_up): (Time, bool)) -> Result<Vec<Uuid>, Error> {
    let mut void = Vec::new();
    for invoice_id in unpaid(session, there)? {
        let rows = BEGINS.run(session, &[there.customer_id.cell(), invoice_id.cell()])?;
        let begins: Option<Time> = rows.first().map_or(Ok(None), |mut row| row.next())?;
        let is_sent = !there.is_automatic() && begins.is_some_and(|begins| begins < at);
        if gives_up || !(is_sent || closing::is_of_usage(session, &there.customer_id, invoice_id)?) {
            void.push(invoice_id);
        }
    }
    Ok(void)
}

/// It ends as of then: nobody is to pay what is open any more, except what was sent for time before, and credits that were to
/// begin later do not. What is still to be charged for changes is charged now.
pub fn end(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (at, gives_up): (Time, bool),
    now: Time,
) -> Result<(), Error> {
    instalments::lock_accounts(session, there)?;
    let void = given_up(session, there, (at, gives_up))?;
    if !gives_up {
        billing::close(session, customer, there, at, now)?;
    }
    let was_incomplete = there.status == Status::Incomplete;
    summary::end(session, there, (at, true))?;
    if gives_up {
        closing::write_off(session, there, now)?;
    }
    // First: what becomes of its invoices is no news to it then.
    finish(session, there, (Status::Canceled, at), now)?;
    if was_incomplete {
        checkout::give_up(session, there, now)?;
    }
    for invoice_id in void {
        let invoice = invoice::lock(session, &there.customer_id, invoice_id)?;
        if invoice.status == InvoiceStatus::Open {
            close::give_up(session, &invoice, now)?;
        }
    }
    instalments::end(session, there, (at, Time::NEVER), "The subscription has ended", now)?;
    record(session, there, EventType::SubscriptionDeleted, now)
}

/// The first payment did not come in time.
fn expire(session: &Session, there: &mut Subscription, at: Time, now: Time) -> Result<(), Error> {
    closing::write_off(session, there, now)?;
    finish(session, there, (Status::IncompleteExpired, at), now)?;
    for invoice_id in unpaid(session, there)? {
        close::give_up(session, &invoice::lock(session, &there.customer_id, invoice_id)?, now)?;
    }
    record(session, there, EventType::SubscriptionDeleted, now)
}

/// Nothing changes it any more.
fn finish(session: &Session, there: &mut Subscription, (status, at): (Status, Time), now: Time) -> Result<(), Error> {
    there.end(status, at);
    if there.discount.is_some() {
        redemption::release(session, &there.customer_id, there.id, now)?;
        redemption::end(session, (&there.customer_id, there.id), true, now)?;
    }
    save(session, there, now)
}
