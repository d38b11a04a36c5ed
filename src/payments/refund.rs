//! Refunds: what is reported of money that goes back. One that is asked for here: refund/request.rs. How their credits are
//! taken back: clawback.rs. Disputes, which may end in one: dispute.rs.

mod answer;
pub mod given;
pub mod request;
mod row;

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::payments::clawback::{self, Outcome};
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry, Recorded};
use crate::payments::notification::replay::{self, Before};
use crate::payments::notification::{self, Applied, Notification};
use crate::payments::payment_intent as intent;
use crate::payments::reckoning::{Fact, Kind, Standing};
use crate::payments::refund::answer::Asked;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use crate::settings::Spent;
use pgrx::pg_extern;
use serde_json::json;
use uuid::Uuid;

row! {
    /// What functions that report refunds and disputes return; money in major units.
    pub struct OutcomeRow {
        /// The payment intent.
        pub top_up_id: Uuid,
        /// What it is by now.
        pub status: String,
        /// Money paid back in all.
        pub refunded: Decimal,
        /// Credits taken by this call; below zero, given back.
        pub taken: Decimal,
        /// Credits owed for it.
        pub pending: Decimal,
        /// Credits that will be taken once their hold closes.
        pub held: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// What does not fit what was recorded before; NULL where all does.
        pub contradiction: Option<String>,
        /// Whether this repeats what was recorded before.
        pub replayed: bool,
    }
}

/// `credits.payment_refunded`. Raises PC007, PC013, PC014.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_refunded_2(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    total_refunded: Option<Numeric>,
    spent: Option<&str>,
    payment_reference: Option<&str>,
    currency: Option<&str>,
    refund_id: Option<Id>,
) -> Reply<One<OutcomeRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification =
            Notification::read(provider, provider_reference)?.of(payment_reference)?.in_currency(currency)?;
        let notification = Notification { refund_id: refund_id.map(|id| id.0), ..notification };
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        let total = input::optional_number("total_refunded", total_refunded, amount::over_zero)?;
        let spent = clawback::policy(spent)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::Refunded)?;
            let change = refunded(session, &mut case, &notification, (amount, total), spent)?;
            row(session, &case, change)
        })
        .map(One)
    })())
}

crate::older!(payment_refunded_wrapper => payment_refunded_2_wrapper, 9 of 10);
crate::older!(payment_refund_failed_wrapper => payment_refund_failed_2_wrapper, 5 of 6);

/// What a notification of a refund or a dispute changed.
pub struct Change {
    /// How it was applied.
    pub applied: Applied,
    /// What the purchase's payments, refunds and disputes come to by now.
    standing: Standing,
    /// What was taken for it.
    outcome: Outcome,
}

/// Money was paid back: so much by this refund, so much in all, or the whole payment. Raises PC007.
pub fn refunded(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    (amount, total): (Option<Decimal>, Option<Decimal>),
    spent: Spent,
) -> Result<Change, Error> {
    case.fits(session, "amount", amount)?;
    case.fits(session, "total_refunded", total)?;
    let mut fact = Fact { total, ..notification.fact(Kind::Refunded, amount) };
    let asked = asked_for(session, case, &fact, notification)?;
    if let Some(asked) = asked.as_ref().filter(|asked| !asked.is_past(notification))
        && let Some(change) = answered(session, case, &fact, asked, notification)?
    {
        return Ok(change);
    }
    if let Some(change) = recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    let has_failed = asked.is_some_and(|asked| asked.has_failed_as(notification));
    if has_failed || case.known(Kind::RefundFailed, notification).is_some() {
        let failed = "it failed before it was reported: nothing is taken";
        return Ok(unchanged(case, record::refuse(session, case, &fact, notification, failed)?));
    }
    let before = case.standing();
    let payment = before.payment_of(notification.provider, notification.payment);
    if let (None, None, Some(payment)) = (amount, total, payment) {
        fact.total = Some(before.whole(notification.provider, payment));
        fact.payment = payment.reference.clone().or(fact.payment);
        let failed = |fact: &Fact| fact.kind == Kind::RefundFailed && fact.provider == notification.provider;
        if notification.reference.is_none() && case.facts().any(failed) {
            // As a total it might be taken for one that counts what failed.
            fact.total = None;
            fact.amount = Some(payment.kept()).filter(|kept| payment.reference.is_none() && !kept.is_zero());
        }
    }
    let standing = case.standing_with(&fact);
    if notification.reference.is_none() && amount.is_none() && standing.refunded == before.refunded {
        return Ok(unchanged(case, Applied::before(None)));
    }
    let contradiction = match payment {
        None => Some(replay::before_paid("paid back", notification.payment)),
        Some(_) => {
            standing.beyond(&before).map(|(back, paid)| format!("more is paid back than was paid: {back} of {paid}"))
        }
    };
    let outcome = clawback::bring(session, case, &standing, (None, "payment_refunded", spent))?;
    let contradiction = contradiction.as_deref();
    let entry = Entry { fact: &fact, currency: None, contradiction, counts: true, operation_id: outcome.operation_id };
    finish(session, case, &entry, ("top_up.refunded", "payment_intent.refunded"), (standing, outcome))
}

/// The refund that a notification answers, if one was asked for.
fn asked_for(
    session: &Session,
    case: &Case,
    fact: &Fact,
    notification: &Notification<'_>,
) -> Result<Option<Asked>, Error> {
    // A total says nothing of one refund.
    if case.refused.is_some() || (fact.amount.is_none() && notification.refund_id.is_none()) {
        return Ok(None);
    }
    answer::find(session, case, notification, fact.amount)
}

/// What a notification changes that answers a refund that was asked for: nothing, where that counts already.
fn answered(
    session: &Session,
    case: &Case,
    fact: &Fact,
    asked: &Asked,
    notification: &Notification<'_>,
) -> Result<Option<Change>, Error> {
    if asked.is_done() {
        return Ok(asked.counts().then(|| unchanged(case, Applied::before(None))));
    }
    let counts = asked.counts();
    if counts && let Some(amount) = fact.amount.filter(|amount| *amount != asked.amount) {
        let other =
            format!("another amount was asked for, {} and not {amount}: nothing is done", asked.amount.normalize());
        return Ok(Some(unchanged(case, record::refuse(session, case, fact, notification, &other)?)));
    }
    asked.close(session, case, "succeeded", notification)?;
    case.publish(session, ("refund.succeeded", "refund.succeeded"), &asked.published(case));
    Ok(counts.then(|| unchanged(case, Applied::now(None))))
}

/// A refund that was asked for did not go through: what was taken for it comes back.
fn not_made(
    session: &Session,
    case: &mut Case,
    asked: &Asked,
    notification: &Notification<'_>,
) -> Result<Change, Error> {
    if asked.is_over() {
        return Ok(unchanged(case, Applied::before(None)));
    }
    asked.close(session, case, "failed", notification)?;
    case.publish(session, ("refund.failed", "refund.failed"), &asked.published(case));
    let change = answer::undo(session, case, asked)?;
    Ok(change.unwrap_or_else(|| unchanged(case, Applied::now(None))))
}

/// What a notification changes that was recorded before, or is none of the intent's business. What it corrects counts no
/// longer.
pub fn recorded_before(
    session: &Session,
    case: &mut Case,
    fact: &Fact,
    notification: &Notification<'_>,
) -> Result<Option<Change>, Error> {
    let refused = match (case.before(fact), &case.refused) {
        (Before::Same(recorded), _) => return replayed(session, case, recorded).map(Some),
        (_, Some(refused)) => refused.clone(),
        (Before::Other(refused), None) => refused,
        (Before::Corrects(place), None) => return case.supersede(session, place).map(|()| None),
        (Before::New, None) => return Ok(None),
    };
    Ok(Some(unchanged(case, record::refuse(session, case, fact, notification, &refused)?)))
}

/// `credits.payment_refund_failed`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_refund_failed_2(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    payment_reference: Option<&str>,
    refund_id: Option<Id>,
) -> Reply<One<OutcomeRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?.of(payment_reference)?;
        let notification = Notification { refund_id: refund_id.map(|id| id.0), ..notification };
        if notification.refund_id.is_none() {
            input::required("provider_reference", provider_reference)?;
        }
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::RefundFailed)?;
            let change = refund_failed(session, &mut case, &notification, None)?;
            row(session, &case, change)
        })
        .map(One)
    })())
}

/// A refund did not go through after all.
pub fn refund_failed(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    amount: Option<Decimal>,
) -> Result<Change, Error> {
    // One that the provider reported by itself fails as such.
    let of_amount = if case.known(Kind::Refunded, notification).is_some() { None } else { amount };
    let asked = if case.refused.is_none() { answer::find(session, case, notification, of_amount)? } else { None };
    // What was made after it had failed counts as any other.
    let asked = asked.filter(|asked| !(asked.is_over() && case.known(Kind::Refunded, notification).is_some()));
    if let Some(asked) = &asked {
        let change = not_made(session, case, asked, notification)?;
        if asked.made_as().is_none() {
            return Ok(change);
        }
    }
    let made_as = asked.as_ref().and_then(Asked::made_as);
    let notification = &Notification { reference: made_as.or(notification.reference), ..*notification };
    let fact = notification.fact(Kind::RefundFailed, amount);
    if let Some(change) = recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    let undone = case.known(Kind::Refunded, notification).and_then(|refund| refund.operation_id);
    let standing = case.standing_with(&fact);
    let how = (undone, "payment_refunded", clawback::policy(None)?);
    let outcome = clawback::bring(session, case, &standing, how)?;
    finish(
        session,
        case,
        &Entry::counting(&fact, None),
        ("top_up.refund_failed", "payment_intent.refund_failed"),
        (standing, outcome),
    )
}

/// What went back with this beyond what was paid, by more than did before.
pub fn beyond(before: &Standing, standing: &Standing) -> Option<String> {
    standing.beyond(before).map(|(back, paid)| format!("with it more went back than was paid: {back} of {paid}"))
}

/// Records a notification and the intent's new status, and publishes that.
pub fn finish(
    session: &Session,
    case: &Case,
    entry: &Entry<'_>,
    kinds: (&'static str, &'static str),
    (standing, outcome): (Standing, Outcome),
) -> Result<Change, Error> {
    record::write(session, case, entry)?;
    intent::save(session, &case.intent, &standing, None, case.now)?;
    let mut payload = case.intent.named();
    let text = |amount: Decimal| json!(amount.normalize().to_string());
    for (name, value) in [
        ("refunded", text(standing.refunded)),
        ("disputed", text(standing.disputed)),
        ("dispute_status", json!(standing.dispute_status)),
        ("currency", json!(case.intent.currency)),
        ("credits_taken", text(outcome.reclaimed.taken)),
        ("credits_owed", text(outcome.reclaimed.owed)),
    ] {
        payload[name] = value;
    }
    if let Some(payment) = &entry.fact.payment {
        payload["payment_reference"] = json!(payment);
    }
    case.publish(session, kinds, &payload);
    Ok(Change { applied: Applied::now(entry.contradiction), standing, outcome })
}

/// What a notification changes that was recorded before: nothing, and what it took then, as that stands by now.
fn replayed(session: &Session, case: &Case, recorded: &Recorded) -> Result<Change, Error> {
    let outcome = clawback::as_it_stands(session, &case.intent, recorded.operation_id)?;
    Ok(Change { outcome, ..unchanged(case, Applied::before(recorded.contradiction.as_deref())) })
}

/// Nothing changed.
pub fn unchanged(case: &Case, applied: Applied) -> Change {
    Change { applied, standing: case.standing(), outcome: Outcome::default() }
}

/// The answer of functions that report refunds and disputes.
pub fn row(session: &Session, case: &Case, change: Change) -> Result<OutcomeRow, Error> {
    let Change { applied, standing, outcome } = change;
    Ok(OutcomeRow {
        top_up_id: case.intent.id,
        status: case.status().to_string(),
        refunded: standing.refunded,
        taken: outcome.reclaimed.taken,
        pending: outcome.reclaimed.owed,
        held: outcome.reclaimed.held,
        available: case.available(session)?,
        contradiction: applied.contradiction,
        replayed: applied.replayed,
    })
}
