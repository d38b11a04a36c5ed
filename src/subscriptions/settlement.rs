//! What becomes of a subscription when one of its invoices is paid, or is not.

use crate::catalog::redemption;
use crate::error::Error;
use crate::invoicing::listener::{Listener, Outcome};
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::advance::{fall_due, owes, record, save};
use crate::subscriptions::instalments;
use crate::subscriptions::protection;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::{self, Discounted, Subscription};
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

static PAID: Statement = Statement::new(
    c"SELECT i.amount_paid > 0, i.coupon_id IS NOT NULL
      FROM credits_internal.invoices i WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

static IS_CYCLE: Statement = Statement::new(
    c"SELECT i.billing_reason = 'subscription_cycle' FROM credits_internal.invoices i
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

/// Signed up in lib.rs.
pub struct Subscriptions;

impl Listener for Subscriptions {
    fn settled(
        &self,
        session: &Session,
        (customer_id, subscription_id, invoice_id): (&str, Uuid, Uuid),
        outcome: Outcome,
        now: Time,
    ) -> Result<(), Error> {
        let mut there = subscription::lock(session, customer_id, subscription_id)?;
        if there.status.is_over() {
            return Ok(());
        }
        match outcome {
            Outcome::Paid => paid(session, &mut there, invoice_id, now),
            Outcome::Failed => failed(session, &mut there, invoice_id, now),
            Outcome::Void => void(session, &mut there, invoice_id, now),
        }
    }
}

fn paid(session: &Session, there: &mut Subscription, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    let rows = PAID.run(session, &[there.customer_id.cell(), invoice_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("an invoice that is paid is not there"))?;
    let (with_money, is_discounted): (bool, bool) = (row.next()?, row.next()?);
    there.has_paid |= with_money;
    if there.cancel_at.is_some() {
        instalments::lock_accounts(session, there)?;
        instalments::end_at_cancel(session, there, now)?;
    }
    if is_discounted {
        redemption::honour(session, &there.customer_id, there.id, now)?;
    }
    // How that makes it stand, its provider says.
    if there.is_external() {
        return save(session, there, now);
    }
    match there.status {
        // With a trial it was paid for what came besides.
        Status::Incomplete if there.trial_end.is_some() => {
            there.status = Status::Trialing;
            record(session, there, EventType::SubscriptionTrialStart, now)
        }
        Status::Incomplete => {
            there.status = Status::Active;
            record(session, there, EventType::SubscriptionStarted, now)
        }
        Status::PastDue => recovered(session, there, now),
        // What was planned to begin meanwhile does not; what is to come waits for it to go on.
        Status::Paused => {
            instalments::lock_accounts(session, there)?;
            let until = there.resumes_at.unwrap_or(Time::NEVER);
            let since = there.paused_at.unwrap_or(now);
            instalments::end(session, there, (since.next(), until), "The subscription is paused", now)?;
            save(session, there, now)
        }
        _ => save(session, there, now),
    }
}

/// Nothing may be owed any more.
fn recovered(session: &Session, there: &mut Subscription, now: Time) -> Result<(), Error> {
    if owes(session, there, false, now)? {
        return save(session, there, now);
    }
    (there.status, there.past_due_at, there.retries, there.protect_at) = (Status::Active, None, 0, None);
    record(session, there, EventType::SubscriptionRecovered, now)
}

fn failed(session: &Session, there: &mut Subscription, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    let rows = IS_CYCLE.run(session, &[there.customer_id.cell(), invoice_id.cell()])?;
    let is_cycle: bool = rows.first().map_or(Ok(false), |mut row| row.next())?;
    if is_cycle && matches!(there.status, Status::Active | Status::PastDue) {
        record(session, there, EventType::SubscriptionRenewFailed, now)?;
    }
    if !there.is_automatic() {
        return Ok(());
    }
    if there.status == Status::PastDue {
        protection::after_failure(there, now);
        return save(session, there, now);
    }
    fall_due(session, there, now, now)
}

fn void(session: &Session, there: &mut Subscription, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    if let Some(discount) = there.discount.filter(|discount| discount.invoice_id == Some(invoice_id)) {
        // What it took off is as if it had not been.
        there.discount = Some(Discounted { invoice_id: None, start: None, end: None, ..discount });
        redemption::go_on(session, (&there.customer_id, there.id), now)?;
    }
    match there.status {
        Status::PastDue => recovered(session, there, now),
        _ => save(session, there, now),
    }
}
