//! Webhooks: a provider's event is checked, claimed by its id (webhook/received.rs), and applied to the purchase that it is
//! about (webhook/lookup.rs), all in the caller's transaction, so that a failure leaves no claim. What an event says is read in
//! providers/: a file per provider.

mod lookup;
pub mod plan;
mod received;

pub use lookup::may_come;
pub use received::forget_old;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::payments::notification::case::{self, Case, Claim};
use crate::payments::notification::{Applied, Notification};
use crate::payments::payment_intent::attempt;
use crate::payments::provider::{self, Expected};
use crate::payments::providers::event::{Event, Fact};
use crate::payments::reckoning::Details;
use crate::payments::webhook::lookup::Ignored;
use crate::payments::webhook::received::Received;
use crate::payments::{clawback, dispute, payment, providers, refund};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use uuid::Uuid;

/// The longest payload that is read, in bytes.
const LONGEST: usize = 1 << 20;

row! {
    /// What `webhook_receive` returns.
    pub struct WebhookRow {
        /// The provider's id of the event.
        pub event_id: String,
        /// The provider's word for what happened.
        pub kind: String,
        /// 'applied', 'contradiction' or 'ignored'.
        pub outcome: String,
        /// Whose payment it is about; NULL where it is about none.
        pub customer_id: Option<String>,
        /// Its top-up, likewise.
        pub top_up_id: Option<Uuid>,
        /// Its status by now.
        pub status: Option<String>,
        /// Whether the event was received before.
        pub replayed: bool,
        /// Why it was ignored: see [`lookup::Ignored`].
        pub reason: Option<String>,
    }
}

impl WebhookRow {
    /// Of an event that changes nothing, or is not applied yet.
    fn ignored(event: &Event) -> WebhookRow {
        WebhookRow {
            event_id: event.id.clone(),
            kind: event.kind.clone(),
            outcome: String::from("ignored"),
            customer_id: None,
            top_up_id: None,
            status: None,
            replayed: false,
            reason: None,
        }
    }
}

/// `credits.webhook_receive`. Raises PC012, PC013, PC014.
#[pg_extern(sql = false)]
fn webhook_receive(provider: Option<&str>, payload: Option<&str>, signature: Option<&str>) -> Reply<One<WebhookRow>> {
    Reply((|| {
        let name = input::key("provider", provider)?;
        let payload = input::required("payload", payload)?;
        let signature = signature.unwrap_or_default();
        if payload.len() > LONGEST {
            return Err(Error::argument("payload", "must have at most 1 MiB"));
        }
        writing(|session| receive(session, name, payload, signature)).map(One)
    })())
}

fn receive(session: &Session, name: &str, payload: &str, signature: &str) -> Result<WebhookRow, Error> {
    let now = settings::now()?;
    let expected = provider::check_signature(session, name, payload, signature, now)?;
    let event = read(name, payload)?;
    let was_ignored = match received::claim(session, name, &event, payload, now)? {
        Received::Applied(row) => return Ok(row),
        Received::Ignored => true,
        Received::New => false,
    };
    if event.plan.is_some() {
        return plan::receive(session, &expected, &event, was_ignored, now);
    }
    let event = plan::canonical(session, name, event)?;
    let mut events = claim(session, &expected, event, now)?;
    // All accounts that any of them touches, at once: nothing is waited for behind what the first of them locks.
    let mut claims: Vec<&mut Claim> = events.iter_mut().filter_map(|(_, claim)| claim.as_mut().ok()).collect();
    case::lock(session, &mut claims)?;
    let mut rows = events.into_iter().map(|(event, claim)| settle(session, name, &event, claim));
    let mut row = rows.next().ok_or_else(|| Error::internal("an event is lost"))??;
    rows.try_for_each(|row| row.map(drop))?;
    row.replayed = was_ignored && row.outcome == "ignored";
    Ok(row)
}

fn read(name: &str, payload: &str) -> Result<Event, Error> {
    providers::of(name).read(payload).map_err(|wrong| Error::argument("payload", wrong.to_string()))
}

/// An event, whose row is locked, and its claim for a purchase, or why it changes nothing.
type Claimed = (Event, Result<Claim, Ignored>);

/// Claims an event for the purchase that it is about. Behind a payment comes what came for it before anybody knew whose it was,
/// to be applied after it: all that they name is claimed in one order, the payment first, which says whose the others are.
fn claim(session: &Session, expected: &Expected<'_>, event: Event, now: Time) -> Result<Vec<Claimed>, Error> {
    let mut all = vec![claim_one(session, expected, event, now)?];
    let earlier = match all.first() {
        Some((event, Ok(_))) if event.fact.is_success() => received::earlier(session, expected.provider, event)?,
        _ => Vec::new(),
    };
    let mut in_order: Vec<(usize, Event)> = earlier.into_iter().enumerate().collect();
    in_order.sort_by(|(_, one), (_, other)| {
        (one.fact.thing(), &one.reference).cmp(&(other.fact.thing(), &other.reference))
    });
    let mut claimed = Vec::new();
    for (place, event) in in_order {
        claimed.push((place, claim_one(session, expected, event, now)?));
    }
    // They are applied as they came.
    claimed.sort_by_key(|(place, _)| *place);
    all.extend(claimed.into_iter().map(|(_, event)| event));
    Ok(all)
}

fn claim_one(session: &Session, expected: &Expected<'_>, event: Event, now: Time) -> Result<Claimed, Error> {
    let claim = match lookup::subject(session, expected, &event)? {
        Ok((subject, kind)) => Ok(case::claim(session, subject, &notification(expected.provider, &event), kind, now)?),
        Err(ignored) => Err(ignored),
    };
    Ok((event, claim))
}

/// Applies an event to its purchase, all of whose accounts are locked, and records the outcome.
fn settle(session: &Session, name: &str, event: &Event, claim: Result<Claim, Ignored>) -> Result<WebhookRow, Error> {
    let mut row = WebhookRow::ignored(event);
    // What is ignored may be a customer's all the same: it is forgotten with that one.
    let may_be = match claim {
        Ok(claim) => {
            let mut case = Case::read(session, claim)?;
            let applied = apply(session, &mut case, &notification(name, event), &event.fact)?;
            row.outcome = String::from(if applied.contradiction.is_some() { "contradiction" } else { "applied" });
            row.status = Some(case.status().to_string());
            (row.customer_id, row.top_up_id) = (Some(case.intent.customer_id), Some(case.intent.id));
            None
        }
        Err(ignored) => {
            row.reason = Some(String::from(ignored.as_str()));
            lookup::customer(session, name, event, ignored)?
        }
    };
    received::settle(session, name, &row, row.customer_id.as_deref().or(may_be.as_deref()))?;
    Ok(row)
}

fn notification<'a>(name: &'a str, event: &'a Event) -> Notification<'a> {
    Notification {
        provider: name,
        reference: event.reference.as_deref(),
        payment: event.subject.of_payment.as_deref(),
        currency: event.currency.as_deref(),
        refund_id: event.subject.refund_id.as_deref().and_then(|id| Uuid::parse_str(id).ok()),
    }
}

fn apply(session: &Session, case: &mut Case, notification: &Notification<'_>, fact: &Fact) -> Result<Applied, Error> {
    let spent = clawback::policy(None)?;
    match fact {
        Fact::Succeeded { amount, details } => payment::succeed(session, case, notification, *amount, *details),
        Fact::Free { details } => {
            // Of what nobody says how it came to nothing, all was taken off.
            let off = details.discount.filter(|off| !off.is_zero()).or(details.subtotal);
            let details = Details { discount: off.or(Some(case.intent.amount)), ..*details };
            payment::succeed(session, case, notification, Some(Decimal::ZERO), details)
        }
        Fact::Failed { reason } => payment::fail(session, case, notification, reason.as_deref()),
        Fact::Expired => payment::expire(session, case, notification),
        Fact::Refunded { amount, total } => {
            refund::refunded(session, case, notification, (*amount, *total), spent).map(|change| change.applied)
        }
        Fact::RefundFailed { amount } => {
            refund::refund_failed(session, case, notification, *amount).map(|change| change.applied)
        }
        Fact::Disputed { amount } => {
            dispute::disputed(session, case, notification, *amount, spent).map(|change| change.applied)
        }
        Fact::DisputeClosed { won } => {
            dispute::dispute_closed(session, case, notification, *won).map(|change| change.applied)
        }
        Fact::Processing => attempt::under_way(session, case, notification, None),
        Fact::RequiresAction { url } => attempt::under_way(session, case, notification, Some(url.as_deref())),
        // It is ignored before this.
        Fact::Nothing => Ok(Applied::now(None)),
    }
}
