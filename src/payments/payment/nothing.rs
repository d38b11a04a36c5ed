//! Money that paid for nothing: it is recorded, and asked back.

use crate::amount::Decimal;
use crate::error::Error;
use crate::payments::listener::SALES;
use crate::payments::notification::case::Case;
use crate::payments::notification::record::{self, Entry};
use crate::payments::notification::{Applied, Notification};
use crate::payments::payment::NO_ROOM;
use crate::payments::payment_intent::{self as intent, Status};
use crate::payments::reckoning::{Cover, Fact, Standing};
use crate::payments::refund::request;
use crate::pg::statement::Session;

/// Asks for money back that paid for nothing: another payment for what is paid and was not paid back, and what came before a
/// payment that covers all by itself. More than was due only where it is known what the payment is made of: many providers
/// say of its tax later.
pub fn surplus(
    session: &Session,
    case: &Case,
    standing: &Standing,
    (fact, cover): (&Fact, &Cover),
    (granted, more_is_said): (bool, bool),
) -> Result<(), Error> {
    let this = standing.payment_of(&fact.provider, fact.reference.as_deref());
    if granted && !more_is_said {
        // What was paid back of the others, it pays for.
        let kept: Decimal = request::not_asked_for(session, case, standing)?.into_iter().map(|(_, left)| left).sum();
        let most = (kept - (cover.paid - cover.surplus)).max(Decimal::ZERO);
        return this.map_or(Ok(()), |payment| {
            request::surplus(session, case, standing, payment, (most.min(payment.left()), "duplicate"))
        });
    }
    if !granted {
        for payment in standing.payments.iter().take(cover.first) {
            request::surplus(session, case, standing, payment, (payment.left(), "duplicate"))?;
        }
    }
    this.filter(|payment| !payment.details.is_empty())
        .map_or(Ok(()), |payment| request::surplus(session, case, standing, payment, (cover.surplus, "overpaid")))
}

/// Records a payment of what cannot be paid any more: the money is there, and is for nothing.
pub fn too_late(
    session: &Session,
    case: &mut Case,
    fact: &Fact,
    standing: &Standing,
    why: &'static str,
) -> Result<Applied, Error> {
    record::write(session, case, &Entry::counting(fact, Some(why)))?;
    end_attempt(session, case, standing, why)?;
    let this = standing.payment_of(&fact.provider, fact.reference.as_deref());
    this.map_or(Ok(()), |payment| request::surplus(session, case, standing, payment, (payment.left(), "too_late")))?;
    Ok(Applied::now(Some(why)))
}

/// A payment of a checkout session's came, and paid for nothing: so that attempt is over as one is that failed. What was set
/// aside for it goes back, and it may be submitted again.
fn end_attempt(session: &Session, case: &mut Case, standing: &Standing, why: &str) -> Result<(), Error> {
    let ends = case.intent.checkout_session_id.is_some() && case.intent.status.is_open();
    if ends {
        (case.intent.status, case.intent.failed) = (Status::RequiresPaymentMethod, true);
        case.intent.under_way_no_more();
    }
    intent::save(session, &case.intent, standing, ends.then_some(why), case.now)?;
    if ends { SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now)) } else { Ok(()) }
}

/// Records a payment whose credits the account has no room for: once, also where it has no name to be known by.
pub fn no_room(
    session: &Session,
    case: &mut Case,
    fact: &Fact,
    notification: &Notification<'_>,
) -> Result<Applied, Error> {
    let is_known = case.recorded.iter().any(|recorded| {
        let other = &recorded.fact;
        recorded.contradiction.as_deref() == Some(NO_ROOM)
            && (&other.provider, &other.reference, other.amount) == (&fact.provider, &None, fact.amount)
    });
    if notification.reference.is_none() && is_known {
        return Ok(Applied::before(Some(NO_ROOM)));
    }
    let of = (notification.provider, notification.reference);
    request::nothing(session, case, of, fact.amount.unwrap_or_default(), "no_room")?;
    end_attempt(session, case, &case.standing(), NO_ROOM)?;
    record::refuse(session, case, fact, notification, NO_ROOM)
}
