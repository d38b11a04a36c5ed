//! Disputes: money that may go back. Credits go while one is open, and come back exactly where it is won.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::payments::clawback::{self, Outcome};
use crate::payments::listener::LISTENERS;
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{Entry, Recorded};
use crate::payments::notification::{self, Applied, Notification, replay};
use crate::payments::reckoning::{Fact, Kind};
use crate::payments::refund::{self, Change, OutcomeRow};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::settings::Spent;
use pgrx::pg_extern;

/// `credits.payment_disputed`. Raises PC007, PC013, PC014.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_disputed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    spent: Option<&str>,
    payment_reference: Option<&str>,
    currency: Option<&str>,
) -> Reply<One<OutcomeRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification =
            Notification::read(provider, provider_reference)?.of(payment_reference)?.in_currency(currency)?;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        let spent = clawback::policy(spent)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::Disputed)?;
            let change = disputed(session, &mut case, &notification, amount, spent)?;
            refund::row(session, &case, change)
        })
        .map(One)
    })())
}

/// A payment is disputed. Where its end was recorded before its beginning, it changes nothing any more. Raises PC007.
pub fn disputed(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    amount: Option<Decimal>,
    spent: Spent,
) -> Result<Change, Error> {
    case.fits(session, "amount", amount)?;
    let mut fact = notification.fact(Kind::Disputed, amount);
    if let Some(change) = refund::recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    let before = case.standing();
    if notification.reference.is_none() && before.dispute_status == Some("open") {
        return Ok(refund::unchanged(case, Applied::before(None)));
    }
    let payment = before.payment_of(notification.provider, notification.payment);
    if let (None, Some(payment)) = (amount, payment) {
        fact.amount = payment.paid;
        fact.payment = payment.reference.clone().or(fact.payment);
    }
    let standing = case.standing_with(&fact);
    let is_won = case.known(Kind::DisputeWon, notification).is_some();
    let contradiction = if is_won {
        Some(String::from("it was won before it was opened: nothing is taken"))
    } else if case.known(Kind::DisputeLost, notification).is_some() {
        Some(String::from("it was lost before it was opened: it is taken as lost"))
    } else if payment.is_none() {
        Some(replay::before_paid("disputed", notification.payment))
    } else {
        refund::beyond(&before, &standing)
    };
    if !is_won {
        let customer_id = &case.intent.customer_id;
        LISTENERS.all().try_for_each(|listener| listener.disputed(session, customer_id, case.now))?;
    }
    let outcome = clawback::bring(session, case, &standing, (None, "payment_disputed", spent))?;
    let contradiction = contradiction.as_deref();
    let entry = Entry { fact: &fact, currency: None, contradiction, counts: true, operation_id: outcome.operation_id };
    refund::finish(session, case, &entry, ("top_up.disputed", "payment_intent.disputed"), (standing, outcome))
}

/// `credits.payment_dispute_closed`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_dispute_closed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    won: Option<bool>,
    payment_reference: Option<&str>,
) -> Reply<One<OutcomeRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?.of(payment_reference)?;
        let won = input::required("won", won)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, decision(won))?;
            let change = dispute_closed(session, &mut case, &notification, won)?;
            refund::row(session, &case, change)
        })
        .map(One)
    })())
}

/// Where the dispute is that a decision means, of those that count: the one with its reference; without one the newest, of the
/// payment that it names.
fn find(case: &Case, notification: &Notification<'_>) -> Option<usize> {
    case.recorded.iter().rposition(|Recorded { fact, counts, .. }| {
        let fits = |asked: Option<&str>, there: &Option<String>| asked.is_none() || asked == there.as_deref();
        *counts
            && (fact.kind, fact.provider.as_str()) == (Kind::Disputed, notification.provider)
            && fits(notification.reference, &fact.reference)
            && (notification.reference.is_some() || fits(notification.payment, &fact.payment))
    })
}

/// How a dispute was decided. One without a reference was by what came after it without one.
fn decided(case: &Case, dispute: usize) -> Option<Kind> {
    let fact = |at: usize| case.recorded.get(at).map(|recorded| &recorded.fact);
    let about = fact(dispute)?;
    let decides = |at: &usize| {
        case.recorded.get(*at).is_some_and(|Recorded { fact, counts, .. }| {
            *counts
                && matches!(fact.kind, Kind::DisputeWon | Kind::DisputeLost)
                && (&fact.provider, &fact.reference) == (&about.provider, &about.reference)
                && (about.reference.is_some() || *at > dispute)
        })
    };
    (0..case.recorded.len()).find(decides).and_then(fact).map(|fact| fact.kind)
}

/// What a decision is.
fn decision(won: bool) -> Kind {
    if won { Kind::DisputeWon } else { Kind::DisputeLost }
}

/// A dispute was decided: once, whatever is reported of it later.
pub fn dispute_closed(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    won: bool,
) -> Result<Change, Error> {
    let kind = decision(won);
    let at = find(case, notification);
    let dispute = at.and_then(|at| case.recorded.get(at));
    // Known again by what the dispute is called, whoever says so without it.
    let named = notification.reference.map(String::from);
    let reference = named.or_else(|| dispute.and_then(|known| known.fact.reference.clone()));
    let operation_id = dispute.and_then(|known| known.operation_id);
    let payment = dispute.and_then(|known| known.fact.payment.clone());
    let fact = Fact { reference, ..notification.fact(kind, None) };
    let fact = Fact { payment: fact.payment.clone().or(payment), ..fact };
    if let Some(change) = refund::recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    let decided_before = match at {
        Some(at) => decided(case, at),
        None => other_decision(case, &fact),
    };
    if decided_before == Some(kind) {
        return Ok(refund::unchanged(case, Applied::before(None)));
    }
    let before = case.standing();
    let standing = if decided_before.is_none() { case.standing_with(&fact) } else { before.clone() };
    let contradiction = match (at, decided_before) {
        (_, Some(decided)) => Some(format!("it was {} before: nothing is done", outcome_of(decided))),
        (None, None) => Some(format!("it was {}, and nobody said that it was opened", outcome_of(kind))),
        (Some(_), None) => refund::beyond(&before, &standing),
    };
    let mut outcome = Outcome::default();
    if at.is_some() && decided_before.is_none() {
        let undone = operation_id.filter(|_| won);
        let how = (undone, "payment_disputed", clawback::policy(None)?);
        outcome = clawback::bring(session, case, &standing, how)?;
    }
    let counts = decided_before.is_none();
    let contradiction = contradiction.as_deref();
    let entry = Entry { fact: &fact, currency: None, contradiction, counts, operation_id: None };
    refund::finish(
        session,
        case,
        &entry,
        ("top_up.dispute_closed", "payment_intent.dispute_closed"),
        (standing, outcome),
    )
}

/// How a dispute ended, in a word.
fn outcome_of(kind: Kind) -> &'static str {
    if kind == Kind::DisputeWon { "won" } else { "lost" }
}

/// A decision of a dispute that was never opened.
fn other_decision(case: &Case, fact: &Fact) -> Option<Kind> {
    fact.reference.as_ref()?;
    let is_one = |Recorded { fact: other, counts, .. }: &&Recorded| {
        *counts
            && matches!(other.kind, Kind::DisputeWon | Kind::DisputeLost)
            && (&other.provider, &other.reference) == (&fact.provider, &fact.reference)
    };
    case.recorded.iter().find(is_one).map(|recorded| recorded.fact.kind)
}
