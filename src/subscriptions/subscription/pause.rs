//! Pausing a subscription, and going on: no invoices meanwhile, and no credits that were still to begin.

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::writing;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::instalments;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::create::finite;
use crate::subscriptions::subscription::{self, SubscriptionRow};
use pgrx::pg_extern;

/// `credits.subscription_pause`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_pause(
    customer_id: Option<&str>,
    subscription_id: Option<Id>,
    resumes_at: Option<Timestamptz>,
) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_id", subscription_id)?.0;
        let resumes_at = finite("resumes_at", resumes_at)?;
        let now = settings::now()?;
        if resumes_at.is_some_and(|at| at <= now) {
            return Err(Error::argument("resumes_at", "must be a moment to come"));
        }
        writing(|session| {
            let (_, mut there) = advance::open(session, customer_id, id, now)?;
            there.must_be_own()?;
            let replayed = there.status == Status::Paused && there.resumes_at == resumes_at;
            if !replayed {
                if there.status != Status::Active {
                    return Err(there.conflict());
                }
                instalments::lock_accounts(session, &there)?;
                let until = resumes_at.unwrap_or(Time::NEVER);
                instalments::end(session, &there, (now.next(), until), "The subscription is paused", now)?;
                (there.status, there.paused_at, there.resumes_at) = (Status::Paused, Some(now), resumes_at);
                advance::record(session, &there, EventType::SubscriptionPaused, now)?;
            }
            subscription::find(session, customer_id, id, replayed).map(One)
        })
    })())
}

/// `credits.subscription_resume`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_resume(customer_id: Option<&str>, subscription_id: Option<Id>) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_id", subscription_id)?.0;
        let now = settings::now()?;
        writing(|session| {
            let (customer, mut there) = advance::open(session, customer_id, id, now)?;
            there.must_be_own()?;
            let replayed = there.status == Status::Active;
            if !replayed {
                if there.status != Status::Paused {
                    return Err(there.conflict());
                }
                advance::resume(session, &customer, &mut there, now, now)?;
                advance::save(session, &there, now)?;
            }
            subscription::find(session, customer_id, id, replayed).map(One)
        })
    })())
}
