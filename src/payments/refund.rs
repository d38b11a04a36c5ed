//! Refunds: money that goes back. What becomes of the credits: reclaim.rs. Disputes, which may end in one: dispute.rs.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::outbox;
use crate::payments::clawback::{self, Outcome};
use crate::payments::notification::{self, Before, Case, Entry, Recorded, Told};
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
        /// What does not fit what was known; NULL where all does.
        pub contradiction: Option<String>,
        /// Whether this repeats what was told before.
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
        let (customer_id, top_up_id) = notification::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?.of(payment_reference)?.in_currency(currency)?;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        let total = input::optional_number("total_refunded", total_refunded, amount::over_zero)?;
        let spent = clawback::policy(spent)?;
        writing(|session| refunded(session, customer_id, top_up_id, told, (amount, total), spent)).map(One)
    })())
}

/// Money was paid back: so much by this refund, so much in all, or the whole payment. Raises PC007, PC014.
pub fn refunded(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    (amount, total): (Option<Decimal>, Option<Decimal>),
    spent: Spent,
) -> Result<RefundRow, Error> {
    let mut case = notification::open(session, customer_id, top_up_id, &told, Kind::Refunded)?;
    notification::fits(session, &case, "amount", amount)?;
    notification::fits(session, &case, "total_refunded", total)?;
    let mut fact = Fact { total, ..told.fact(Kind::Refunded, amount) };
    if let Some(row) = told_before(session, &mut case, &fact, &told)? {
        return Ok(row);
    }
    if case.known(Kind::RefundFailed, &told).is_some() {
        let failed = "it failed before it was told: nothing is taken";
        let contradiction = notification::refuse(session, &case, &fact, &told, failed)?;
        return row(session, &case, &Outcome::default(), contradiction, false);
    }
    let before = case.standing();
    let payment = before.payment_of(told.provider, told.payment);
    if let (None, None, Some(payment)) = (amount, total, payment) {
        fact.total = Some(before.whole(told.provider, payment));
        fact.payment = payment.reference.clone().or(fact.payment);
        let failed = |fact: &Fact| fact.kind == Kind::RefundFailed && fact.provider == told.provider;
        if told.reference.is_none() && case.facts().any(failed) {
            // As a total it might be taken for one that counts what failed.
            fact.total = None;
            fact.amount = Some(payment.kept()).filter(|kept| payment.reference.is_none() && !kept.is_zero());
        }
    }
    let standing = case.standing_with(&fact);
    if told.reference.is_none() && amount.is_none() && standing.refunded == before.refunded {
        return row(session, &case, &Outcome::default(), None, true);
    }
    let contradiction = match payment {
        None => Some(notification::before_paid("paid back", told.payment)),
        Some(_) => {
            standing.beyond(&before).map(|(back, paid)| format!("more is paid back than was paid: {back} of {paid}"))
        }
    };
    let outcome = clawback::bring(session, &mut case.top_up, &standing, (None, "payment_refunded", spent), case.now)?;
    let contradiction = contradiction.as_deref();
    let entry = Entry { fact: &fact, currency: None, contradiction, counts: true, operation_id: outcome.operation_id };
    finish(session, &case, &entry, ("top_up.refunded", &standing, &outcome))
}

/// The answer to what was told before, or is none of the top-up's business. What it corrects counts no longer.
pub fn told_before(
    session: &Session,
    case: &mut Case,
    fact: &Fact,
    told: &Told<'_>,
) -> Result<Option<RefundRow>, Error> {
    let refused = match (case.before(fact), &case.refused) {
        (Before::Same(recorded), _) => return repeat(session, case, recorded).map(Some),
        (_, Some(refused)) => refused.clone(),
        (Before::Other(refused), None) => refused,
        (Before::Corrects(place), None) => return case.forget(session, place).map(|()| None),
        (Before::New, None) => return Ok(None),
    };
    let contradiction = notification::refuse(session, case, fact, told, &refused)?;
    row(session, case, &Outcome::default(), contradiction, false).map(Some)
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
        let (customer_id, top_up_id) = notification::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?.of(payment_reference)?;
        input::required("provider_reference", provider_reference)?;
        writing(|session| refund_failed(session, customer_id, top_up_id, told, None)).map(One)
    })())
}

/// A refund did not go through after all. Raises PC014.
pub fn refund_failed(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    amount: Option<Decimal>,
) -> Result<RefundRow, Error> {
    let mut case = notification::open(session, customer_id, top_up_id, &told, Kind::RefundFailed)?;
    let fact = told.fact(Kind::RefundFailed, amount);
    if let Some(row) = told_before(session, &mut case, &fact, &told)? {
        return Ok(row);
    }
    let undone = case.known(Kind::Refunded, &told).and_then(|refund| refund.operation_id);
    let standing = case.standing_with(&fact);
    let how = (undone, "payment_refunded", clawback::policy(None)?);
    let outcome = clawback::bring(session, &mut case.top_up, &standing, how, case.now)?;
    let entry = Entry { fact: &fact, currency: None, contradiction: None, counts: true, operation_id: None };
    finish(session, &case, &entry, ("top_up.refund_failed", &standing, &outcome))
}

/// What went back with this beyond what was paid, by more than did before.
pub fn beyond(before: &Standing, standing: &Standing) -> Option<String> {
    standing.beyond(before).map(|(back, paid)| format!("with it more went back than was paid: {back} of {paid}"))
}

/// Writes down what was told and what became of the top-up, and tells it on.
pub fn finish(
    session: &Session,
    case: &Case,
    entry: &Entry<'_>,
    (kind, standing, outcome): (&'static str, &Standing, &Outcome),
) -> Result<RefundRow, Error> {
    let top_up = &case.top_up;
    notification::record(session, case, entry)?;
    subject::save(session, top_up, standing, case.now)?;
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
    answer(session, case, (standing, outcome), entry.contradiction.map(String::from), false)
}

/// The answer to what was told before: what it took, as that stands by now.
fn repeat(session: &Session, case: &Case, recorded: &Recorded) -> Result<RefundRow, Error> {
    let outcome = clawback::as_it_stands(session, &case.top_up, recorded.operation_id)?;
    row(session, case, &outcome, recorded.contradiction.clone(), true)
}

/// The answer where nothing changed.
pub fn row(
    session: &Session,
    case: &Case,
    outcome: &Outcome,
    contradiction: Option<String>,
    replayed: bool,
) -> Result<RefundRow, Error> {
    answer(session, case, (&case.standing(), outcome), contradiction, replayed)
}

/// The answer of every function of refunds and disputes.
fn answer(
    session: &Session,
    case: &Case,
    (standing, outcome): (&Standing, &Outcome),
    contradiction: Option<String>,
    replayed: bool,
) -> Result<RefundRow, Error> {
    let top_up = &case.top_up;
    Ok(RefundRow {
        top_up_id: top_up.id,
        status: top_up.status_at(case.now).as_str().to_string(),
        refunded: standing.refunded,
        taken: outcome.reclaimed.taken,
        pending: outcome.reclaimed.owed,
        held: outcome.reclaimed.held,
        available: notification::available(session, top_up)?,
        contradiction,
        replayed,
    })
}
