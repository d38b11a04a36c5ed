//! Overdraft protection: once the last retry failed, a deposit of the customer pays the open invoices.

use crate::error::Error;
use crate::invoicing::deposit::applied;
use crate::invoicing::{collection, invoice};
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::settings;
use crate::subscriptions::advance::{save, unpaid};
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::{self, Subscription};

/// A payment failed: a deposit is to pay now, where nobody is to be asked again.
pub fn after_failure(there: &mut Subscription, now: Time) {
    if there.is_protected && there.is_automatic() && is_last(there) {
        there.protect_at = Some(now);
    }
}

/// A worker was asked again, if it could be: where that was the last time and nobody can be charged, a deposit is to pay.
pub fn after_asking(session: &Session, there: &mut Subscription, now: Time) -> Result<(), Error> {
    if !there.is_protected || !is_last(there) {
        return Ok(());
    }
    for invoice_id in unpaid(session, there)? {
        if collection::is_asked_for(session, &invoice::lock(session, &there.customer_id, invoice_id)?)? {
            return Ok(());
        }
    }
    after_failure(there, now);
    Ok(())
}

fn is_last(there: &Subscription) -> bool {
    usize::try_from(there.retries).unwrap_or_default() >= settings::subscription_retries().len()
}

/// A deposit pays its open invoices, the oldest first, each whole or not at all; it is as what that makes it.
pub fn pay(session: &Session, there: &mut Subscription, now: Time) -> Result<(), Error> {
    there.protect_at = None;
    save(session, there, now)?;
    if !there.is_protected || there.status != Status::PastDue {
        return Ok(());
    }
    let open = unpaid(session, there)?;
    applied::pay(session, &there.customer_id, &there.currency, &open, now)?;
    *there = subscription::lock(session, &there.customer_id, there.id)?;
    Ok(())
}
