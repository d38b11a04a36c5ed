//! Ending a subscription: at once, at the end of its period, or at a moment; and taking that back.

use crate::error::Error;
use crate::input;
use crate::invoicing::customer::Customer;
use crate::invoicing::line::given;
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::change;
use crate::subscriptions::instalments;
use crate::subscriptions::refund::{self, Refund};
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::{self, Subscription, SubscriptionRow};
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};

static SAVE_REASONS: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET cancel_reason = $3, cancel_feedback = $4, cancel_comment = $5
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID],
);

/// When it is to end.
enum At {
    Now,
    PeriodEnd,
    Moment(Time),
}

impl At {
    /// Raises PC013.
    fn read(given: Option<&str>, now: Time) -> Result<Self, Error> {
        match given.unwrap_or("period_end") {
            "now" => Ok(At::Now),
            "period_end" => Ok(At::PeriodEnd),
            text => match moment(text).filter(|at| *at > now) {
                Some(at) => Ok(At::Moment(at)),
                None => Err(Error::argument("at", "must be 'now', 'period_end' or a moment to come, as a text")),
            },
        }
    }
}

/// A moment as PostgreSQL and RFC 3339 write it.
fn moment(text: &str) -> Option<Time> {
    let text = text.trim().replacen(' ', "T", 1);
    // PostgreSQL leaves minutes of an offset out that are none.
    [text.clone(), format!("{text}:00")].iter().find_map(|text| given::instant(text))
}

/// `credits.subscription_cancel`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_cancel(
    customer_id: Option<&str>,
    subscription_id: Option<Id>,
    at: Option<&str>,
    refund: Option<&str>,
    reason: Option<&str>,
    feedback: Option<&str>,
    comment: Option<&str>,
) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_id", subscription_id)?.0;
        let refund = Refund::read(refund)?;
        let said =
            [input::text("reason", reason)?, input::text("feedback", feedback)?, input::text("comment", comment)?];
        let now = settings::now()?;
        let at = At::read(at, now)?;
        writing(|session| {
            if refund != Refund::None && !matches!(at, At::Now) {
                return Err(Error::argument("refund", "is for a cancellation at 'now'"));
            }
            let (customer, mut there) = advance::open(session, customer_id, id, now)?;
            // One that its provider will say nothing of any more can be ended all the same.
            if refund != Refund::None || !matches!(at, At::Now) {
                there.must_be_own()?;
            }
            if there.status == Status::Canceled {
                return subscription::find(session, customer_id, id, true).map(One);
            }
            if there.status.is_over() {
                return Err(there.conflict());
            }
            if refund != Refund::None && !currency::is_money(session, &there.currency)? {
                return Err(Error::argument("refund", "is for money: this subscription is paid in credits"));
            }
            let [reason, feedback, comment] = said;
            SAVE_REASONS
                .run(session, &[customer_id.cell(), id.cell(), reason.cell(), feedback.cell(), comment.cell()])?;
            cancel(session, &customer, &mut there, (&at, refund), now)?;
            subscription::find(session, customer_id, id, false).map(One)
        })
    })())
}

fn cancel(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (at, refund): (&At, Refund),
    now: Time,
) -> Result<(), Error> {
    there.canceled_at = Some(now);
    let until = match at {
        At::Now => None,
        At::PeriodEnd => Some(there.period.end),
        At::Moment(at) => Some(*at),
    };
    // What has not begun, or stopped after its period, has nothing left to end.
    match until.filter(|at| *at > now && there.status != Status::Incomplete) {
        None => {
            refund::ask(session, there, refund, now)?;
            if refund == Refund::Proration {
                // What nobody paid yet of the time that is left cannot go back: it is not charged.
                instalments::lock_accounts(session, there)?;
                let void = advance::given_up(session, there, (now, false))?;
                let unused = change::unused(session, there, &void, now)?;
                change::write::given_back(session, there, &unused, now)?;
                there.canceled_at = Some(now);
            }
            advance::end(session, customer, there, (now, false), now)
        }
        Some(at) => {
            instalments::lock_accounts(session, there)?;
            // It may have been to end before; what a pause ended comes back as that ends.
            if there.status != Status::Paused {
                instalments::bring_back(session, there, now)?;
            }
            (there.cancel_at, there.cancel_at_period_end) = (Some(at), at == there.period.end);
            instalments::end_at_cancel(session, there, now)?;
            advance::record(session, there, EventType::SubscriptionUpdated, now)
        }
    }
}

/// `credits.subscription_recover`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_recover(customer_id: Option<&str>, subscription_id: Option<Id>) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_id", subscription_id)?.0;
        let now = settings::now()?;
        writing(|session| {
            let (_, mut there) = advance::open(session, customer_id, id, now)?;
            there.must_be_own()?;
            if there.status.is_over() {
                return Err(there.conflict());
            }
            let replayed = there.cancel_at.is_none();
            if !replayed {
                (there.cancel_at, there.cancel_at_period_end, there.canceled_at) = (None, false, None);
                SAVE_REASONS.run(
                    session,
                    &[customer_id.cell(), id.cell(), None::<&str>.cell(), None::<&str>.cell(), None::<&str>.cell()],
                )?;
                if there.status != Status::Paused {
                    instalments::lock_accounts(session, &there)?;
                    instalments::bring_back(session, &there, now)?;
                }
                advance::record(session, &there, EventType::SubscriptionRecovered, now)?;
            }
            subscription::find(session, customer_id, id, replayed).map(One)
        })
    })())
}
