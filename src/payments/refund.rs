//! Refunds: money that goes back. How their credits are taken back: clawback.rs. Disputes, which may end in one: dispute.rs.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::outbox;
use crate::payments::clawback::{self, Outcome};
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry, Recorded};
use crate::payments::notification::replay::{self, Before};
use crate::payments::notification::{self, Applied, Notification};
use crate::payments::reckoning::{Fact, Kind, Standing};
use crate::payments::subject;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use crate::settings::Spent;
use pgrx::pg_extern;
use serde_json::json;
use uuid::Uuid;

row! {
    /// What functions of refunds and disputes return; credits of the purchase's currency, money in major units.
    pub struct RefundRow {
        /// The top-up.
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
fn payment_refunded(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    total_refunded: Option<Numeric>,
    spent: Option<&str>,
    payment_reference: Option<&str>,
    currency: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification =
            Notification::read(provider, provider_reference)?.of(payment_reference)?.in_currency(currency)?;
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
    if let Some(change) = recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    if case.known(Kind::RefundFailed, notification).is_some() {
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
    let outcome = clawback::bring(session, &mut case.top_up, &standing, (None, "payment_refunded", spent), case.now)?;
    let contradiction = contradiction.as_deref();
    let entry = Entry { fact: &fact, currency: None, contradiction, counts: true, operation_id: outcome.operation_id };
    finish(session, case, &entry, "top_up.refunded", (standing, outcome))
}

/// What a notification changes that was recorded before, or is none of the top-up's business. What it corrects counts no
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
fn payment_refund_failed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    payment_reference: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?.of(payment_reference)?;
        input::required("provider_reference", provider_reference)?;
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
    let fact = notification.fact(Kind::RefundFailed, amount);
    if let Some(change) = recorded_before(session, case, &fact, notification)? {
        return Ok(change);
    }
    let undone = case.known(Kind::Refunded, notification).and_then(|refund| refund.operation_id);
    let standing = case.standing_with(&fact);
    let how = (undone, "payment_refunded", clawback::policy(None)?);
    let outcome = clawback::bring(session, &mut case.top_up, &standing, how, case.now)?;
    finish(session, case, &Entry::counting(&fact, None), "top_up.refund_failed", (standing, outcome))
}

/// What went back with this beyond what was paid, by more than did before.
pub fn beyond(before: &Standing, standing: &Standing) -> Option<String> {
    standing.beyond(before).map(|(back, paid)| format!("with it more went back than was paid: {back} of {paid}"))
}

/// Records a notification and the top-up's new status, and publishes that.
pub fn finish(
    session: &Session,
    case: &Case,
    entry: &Entry<'_>,
    kind: &'static str,
    (standing, outcome): (Standing, Outcome),
) -> Result<Change, Error> {
    let top_up = &case.top_up;
    record::write(session, case, entry)?;
    subject::save(session, top_up, &standing, case.now)?;
    let mut payload = json!({
        "top_up_id": top_up.id,
        "refunded": standing.refunded.normalize().to_string(),
        "disputed": standing.disputed.normalize().to_string(),
        "dispute_status": standing.dispute_status,
        "currency": top_up.currency,
        "credits_taken": outcome.reclaimed.taken.normalize().to_string(),
        "credits_owed": outcome.reclaimed.owed.normalize().to_string(),
    });
    if let Some(payment) = &entry.fact.payment {
        payload["payment_reference"] = json!(payment);
    }
    outbox::publish(session, &top_up.customer_id, kind, &payload, case.now);
    Ok(Change { applied: Applied::now(entry.contradiction), standing, outcome })
}

/// What a notification changes that was recorded before: nothing, and what it took then, as that stands by now.
fn replayed(session: &Session, case: &Case, recorded: &Recorded) -> Result<Change, Error> {
    let outcome = clawback::as_it_stands(session, &case.top_up, recorded.operation_id)?;
    Ok(Change { outcome, ..unchanged(case, Applied::before(recorded.contradiction.as_deref())) })
}

/// Nothing changed.
pub fn unchanged(case: &Case, applied: Applied) -> Change {
    Change { applied, standing: case.standing(), outcome: Outcome::default() }
}

/// The answer of functions that report refunds and disputes.
pub fn row(session: &Session, case: &Case, change: Change) -> Result<RefundRow, Error> {
    let Change { applied, standing, outcome } = change;
    Ok(RefundRow {
        top_up_id: case.top_up.id,
        status: case.status().to_string(),
        refunded: standing.refunded,
        taken: outcome.reclaimed.taken,
        pending: outcome.reclaimed.owed,
        held: outcome.reclaimed.held,
        available: case::available(session, &case.top_up)?,
        contradiction: applied.contradiction,
        replayed: applied.replayed,
    })
}
