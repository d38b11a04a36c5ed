//! Refunds: money that goes back. What becomes of the credits: reclaim.rs. Disputes, which may end in one: dispute.rs.

use super::outbox;
use super::reclaim::{self, Outcome, Spent};
use super::stored::{self, TopUp};
use super::told::{self, Entry, Recorded, Told};
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::pg::argument::{Id, Numeric};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use crate::settings;
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
fn payment_refunded(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    total_refunded: Option<Numeric>,
    spent: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        let total = input::optional_number("total_refunded", total_refunded, amount::over_zero)?;
        let spent = reclaim::policy(spent)?;
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
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    for (argument, given) in [("amount", amount), ("total_refunded", total)] {
        if let Some(given) = given {
            told::fits(session, &top_up, argument, given)?;
        }
    }
    if let Some(recorded) = told::was_told(session, &top_up, "refunded", told)? {
        return repeat(session, &top_up, recorded);
    }
    if told::was_told(session, &top_up, "refund_failed", told)?.is_some() {
        let contradiction = Some("it failed before it was told");
        let entry = Entry { kind: "refunded", told, amount: amount.or(total), contradiction, operation_id: None };
        told::record(session, &top_up, &entry, now)?;
        return row(session, &top_up, &Outcome::default(), contradiction.map(String::from), false);
    }
    let paid = top_up.payment();
    let before = top_up.refunded_amount();
    match (amount, total) {
        (Some(amount), _) => top_up.refunds_sum += amount,
        (None, None) => top_up.refunds_told = top_up.refunds_told.max(paid),
        (None, Some(_)) => {}
    }
    top_up.refunds_told = top_up.refunds_told.max(total.unwrap_or_default());
    if told.reference.is_none() && amount.is_none() && top_up.refunded_amount() == before {
        return row(session, &top_up, &Outcome::default(), None, true);
    }
    let contradiction = if top_up.grant_id.is_none() {
        Some("it is paid back and was not paid yet")
    } else if top_up.refunded_amount() > paid {
        Some("more is paid back than was paid")
    } else {
        None
    };
    let outcome = reclaim::settle(session, &mut top_up, ("payment_refunded", spent), now)?;
    let amount = amount.or(total).or(Some(paid));
    let entry = Entry { kind: "refunded", told, amount, contradiction, operation_id: outcome.operation_id };
    finish(session, &top_up, &entry, ("top_up.refunded", &outcome), now)
}

/// `credits.payment_refund_failed`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_refund_failed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
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
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    if let Some(recorded) = told::was_told(session, &top_up, "refund_failed", told)? {
        return repeat(session, &top_up, recorded);
    }
    let refund = told::was_told(session, &top_up, "refunded", told)?;
    if let Some(refund) = &refund {
        let amount = refund.amount.unwrap_or_default();
        top_up.refunds_sum = (top_up.refunds_sum - amount).max(Decimal::ZERO);
        top_up.refunds_told = (top_up.refunds_told - amount).max(Decimal::ZERO);
    } else {
        // It may be in the total that was told.
        top_up.refunds_told = (top_up.refunds_told - amount.unwrap_or_default()).max(Decimal::ZERO);
    }
    let outcome = reclaim::give_back(session, &mut top_up, refund.and_then(|refund| refund.operation_id), now)?;
    let entry = Entry { kind: "refund_failed", told, amount: None, contradiction: None, operation_id: None };
    finish(session, &top_up, &entry, ("top_up.refund_failed", &outcome), now)
}

/// Writes down what was told and what became of the top-up, and tells it on.
pub fn finish(
    session: &Session,
    top_up: &TopUp,
    entry: &Entry<'_>,
    (kind, outcome): (&str, &Outcome),
    now: Time,
) -> Result<RefundRow, Error> {
    told::record(session, top_up, entry, now)?;
    stored::save(session, top_up, now)?;
    let payload = json!({
        "top_up_id": top_up.id,
        "refunded": top_up.refunded_amount().normalize().to_string(),
        "disputed": top_up.disputed_amount.normalize().to_string(),
        "dispute_status": top_up.dispute_status,
        "currency": top_up.currency,
        "credits_taken": outcome.reclaimed.taken.normalize().to_string(),
        "credits_owed": outcome.reclaimed.owed.normalize().to_string(),
    });
    outbox::tell(session, &top_up.customer_id, kind, &payload, now)?;
    row(session, top_up, outcome, entry.contradiction.map(String::from), false)
}

/// The answer to what was told before: what it took, as that stands by now.
pub fn repeat(session: &Session, top_up: &TopUp, recorded: Recorded) -> Result<RefundRow, Error> {
    let outcome = reclaim::as_it_stands(session, top_up, recorded.operation_id)?;
    row(session, top_up, &outcome, recorded.contradiction, true)
}

/// The answer of every function of refunds and disputes.
pub fn row(
    session: &Session,
    top_up: &TopUp,
    outcome: &Outcome,
    contradiction: Option<String>,
    replayed: bool,
) -> Result<RefundRow, Error> {
    Ok(RefundRow {
        top_up_id: top_up.id,
        status: top_up.status_at(settings::now()?).as_str().to_string(),
        refunded: top_up.refunded_amount(),
        taken: outcome.reclaimed.taken,
        pending: outcome.reclaimed.owed,
        held: outcome.reclaimed.held,
        available: told::available(session, top_up)?,
        contradiction,
        replayed,
    })
}
