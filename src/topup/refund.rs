//! Refunds and disputes: money that goes back, or may. Credits follow in proportion, on the running total of both; what a
//! dispute took comes back exactly where it is won.

use super::reclaim::{self, Outcome, Spent};
use super::stored::{self, Status, TopUp};
use super::told::{self, Entry, Told};
use super::{money, outbox};
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::pg::argument::{Id, Numeric};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
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

/// What becomes of spent credits: as the call says, or the setting. Raises PC013.
pub fn policy(spent: Option<&str>) -> Result<Spent, Error> {
    let setting = settings::spent_on_refund();
    match input::choice("spent", spent, &setting, &["pending", "forgive"])? {
        "forgive" => Ok(Spent::Forgiven),
        _ => Ok(Spent::Pending),
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
        let spent = policy(spent)?;
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
    if let Some((contradiction, operation_id)) = told::was_told(session, &top_up, "refunded", told)? {
        return row(session, &top_up, &reclaim::as_it_stands(session, &top_up, operation_id)?, contradiction, true);
    }
    if told::was_told(session, &top_up, "refund_failed", told)?.is_some() {
        let contradiction = Some("it failed before it was told");
        let entry = Entry { kind: "refunded", told, amount: amount.or(total), contradiction, operation_id: None };
        told::record(session, &top_up, &entry, now)?;
        return row(session, &top_up, &Outcome::default(), contradiction.map(String::from), false);
    }
    let paid = top_up.paid_amount.unwrap_or(top_up.amount);
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
    let outcome = settle(session, &mut top_up, ("payment_refunded", spent), now)?;
    let told_amount = amount.or(total).or(Some(paid));
    let operation_id = outcome.operation_id;
    told::record(
        session,
        &top_up,
        &Entry { kind: "refunded", told, amount: told_amount, contradiction, operation_id },
        now,
    )?;
    stored::save(session, &top_up, now)?;
    tell(session, &top_up, "top_up.refunded", &outcome, now)?;
    row(session, &top_up, &outcome, contradiction.map(String::from), false)
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
    if told::was_told(session, &top_up, "refund_failed", told)?.is_some() {
        return row(session, &top_up, &Outcome::default(), None, true);
    }
    let refund = told::was_told(session, &top_up, "refunded", told)?;
    if refund.is_some() {
        let amount = told::amount_told(session, &top_up, "refunded", told)?.unwrap_or_default();
        top_up.refunds_sum = (top_up.refunds_sum - amount).max(Decimal::ZERO);
        top_up.refunds_told = (top_up.refunds_told - amount).max(Decimal::ZERO);
    } else {
        // It may be in the total that was told.
        top_up.refunds_told = (top_up.refunds_told - amount.unwrap_or_default()).max(Decimal::ZERO);
    }
    let outcome = give_back(session, &mut top_up, refund.and_then(|(_, operation_id)| operation_id), now)?;
    told::record(
        session,
        &top_up,
        &Entry { kind: "refund_failed", told, amount: None, contradiction: None, operation_id: None },
        now,
    )?;
    stored::save(session, &top_up, now)?;
    tell(session, &top_up, "top_up.refund_failed", &outcome, now)?;
    row(session, &top_up, &outcome, None, false)
}

/// `credits.payment_disputed`. Raises PC007, PC013, PC014.
#[pg_extern(sql = false)]
fn payment_disputed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    spent: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        let spent = policy(spent)?;
        writing(|session| disputed(session, customer_id, top_up_id, told, amount, spent)).map(One)
    })())
}

/// A payment is disputed. Where its end was told before its beginning, it changes nothing any more. Raises PC007, PC014.
pub fn disputed(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    amount: Option<Decimal>,
    spent: Spent,
) -> Result<RefundRow, Error> {
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    if let Some(amount) = amount {
        told::fits(session, &top_up, "amount", amount)?;
    }
    if let Some((contradiction, operation_id)) = told::was_told(session, &top_up, "disputed", told)? {
        return row(session, &top_up, &reclaim::as_it_stands(session, &top_up, operation_id)?, contradiction, true);
    }
    if told.reference.is_none() && top_up.dispute_status.as_deref() == Some("open") {
        return row(session, &top_up, &Outcome::default(), None, true);
    }
    let amount = amount.unwrap_or_else(|| top_up.paid_amount.unwrap_or(top_up.amount));
    let won = told::was_told(session, &top_up, "dispute_won", told)?.is_some();
    let lost = told::was_told(session, &top_up, "dispute_lost", told)?.is_some();
    let contradiction = if won || lost {
        Some("it was decided before it was opened")
    } else {
        top_up.grant_id.is_none().then_some("it is disputed and was not paid yet")
    };
    let mut outcome = Outcome::default();
    if !won {
        top_up.disputed_amount += amount;
        top_up.dispute_status = Some(String::from(if lost { "lost" } else { "open" }));
        outcome = settle(session, &mut top_up, ("payment_disputed", spent), now)?;
    }
    let operation_id = outcome.operation_id;
    let entry = Entry { kind: "disputed", told, amount: Some(amount), contradiction, operation_id };
    told::record(session, &top_up, &entry, now)?;
    stored::save(session, &top_up, now)?;
    tell(session, &top_up, "top_up.disputed", &outcome, now)?;
    row(session, &top_up, &outcome, contradiction.map(String::from), false)
}

/// `credits.payment_dispute_closed`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_dispute_closed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    won: Option<bool>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
        let won = input::required("won", won)?;
        writing(|session| dispute_closed(session, customer_id, top_up_id, told, won)).map(One)
    })())
}

static OPEN_DISPUTE: Statement = Statement::in_order(
    c"SELECT d.amount, d.operation_id FROM credits.payments d
      WHERE d.customer_id = $1 AND d.top_up_id = $2 AND d.type = 'disputed' AND d.provider = $3
        AND ($4 IS NULL OR d.provider_reference = $4)
      ORDER BY d.payment_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID],
);

/// A dispute was decided: once, whatever is told of it later. Raises PC014.
pub fn dispute_closed(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    won: bool,
) -> Result<RefundRow, Error> {
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    let kind = if won { "dispute_won" } else { "dispute_lost" };
    if let Some((contradiction, _)) = told::was_told(session, &top_up, kind, told)? {
        return row(session, &top_up, &Outcome::default(), contradiction, true);
    }
    if told.reference.is_none() && top_up.dispute_status.as_deref() == Some(if won { "won" } else { "lost" }) {
        return row(session, &top_up, &Outcome::default(), None, true);
    }
    let other = if won { "dispute_lost" } else { "dispute_won" };
    let decided = told::was_told(session, &top_up, other, told)?.is_some();
    let cells = [customer_id.cell(), top_up.id.cell(), told.provider.cell(), told.reference.cell()];
    let dispute: Option<(Option<Decimal>, Option<Uuid>)> = match OPEN_DISPUTE.run(session, &cells)?.first() {
        Some(mut row) => Some((row.next()?, row.next()?)),
        None => None,
    };
    let contradiction = match (&dispute, decided) {
        (_, true) => Some("it was decided otherwise before"),
        (None, false) => Some("it was decided and never opened"),
        (Some(_), false) => None,
    };
    let mut outcome = Outcome::default();
    if let (Some((amount, operation_id)), false) = (dispute, decided) {
        top_up.dispute_status = Some(String::from(if won { "won" } else { "lost" }));
        if won {
            top_up.disputed_amount = (top_up.disputed_amount - amount.unwrap_or_default()).max(Decimal::ZERO);
            outcome = give_back(session, &mut top_up, operation_id, now)?;
        }
    }
    let entry = Entry { kind, told, amount: None, contradiction, operation_id: None };
    told::record(session, &top_up, &entry, now)?;
    stored::save(session, &top_up, now)?;
    tell(session, &top_up, "top_up.dispute_closed", &outcome, now)?;
    row(session, &top_up, &outcome, contradiction.map(String::from), false)
}

/// Credits that are to be back for what was refunded and disputed, of what was paid.
fn target(session: &Session, top_up: &TopUp) -> Result<Decimal, Error> {
    let decimals = currency::decimals(session, &top_up.credit_currency)?;
    let paid = top_up.paid_amount.unwrap_or(top_up.amount);
    let back = top_up.refunded_amount() + top_up.disputed_amount;
    Ok(if back.is_zero() { Decimal::ZERO } else { money::part(top_up.credits, back, paid, decimals) })
}

/// Brings a purchase's credits to what its refunds and disputes come to. Nothing before it is paid.
pub fn settle(
    session: &Session,
    top_up: &mut TopUp,
    (function, spent): (&str, Spent),
    now: Time,
) -> Result<Outcome, Error> {
    if top_up.grant_id.is_none() {
        return Ok(Outcome::default());
    }
    let mut outcome = Outcome::default();
    let target = target(session, top_up)?;
    if target > top_up.reclaimed {
        outcome = reclaim::take(session, top_up, (function, target - top_up.reclaimed, spent), now)?;
        top_up.reclaimed = target;
    }
    if top_up.refunded_amount() >= top_up.paid_amount.unwrap_or(top_up.amount) {
        top_up.status = Status::Refunded;
    }
    Ok(outcome)
}

/// Gives back what an operation took, and whatever else was taken beyond what refunds and disputes come to now.
fn give_back(session: &Session, top_up: &mut TopUp, operation_id: Option<Uuid>, now: Time) -> Result<Outcome, Error> {
    if top_up.grant_id.is_none() {
        return Ok(Outcome::default());
    }
    let before = told::available(session, top_up)?;
    let target = target(session, top_up)?;
    if let Some(operation_id) = operation_id {
        top_up.reclaimed -= reclaim::undo(session, top_up, operation_id, now)?;
    }
    while top_up.reclaimed > target {
        let newest = reclaim::newest(session, top_up)?;
        let operation_id = newest.ok_or_else(|| Error::internal("credits went back by no operation"))?;
        top_up.reclaimed -= reclaim::undo(session, top_up, operation_id, now)?;
    }
    // Whole operations came back: of one that stood for more than that, the rest is taken again.
    if target > top_up.reclaimed {
        let rest = ("payment_refunded", target - top_up.reclaimed, policy(None)?);
        reclaim::take(session, top_up, rest, now)?;
        top_up.reclaimed = target;
    }
    if top_up.status == Status::Refunded && top_up.refunded_amount() < top_up.paid_amount.unwrap_or(top_up.amount) {
        top_up.status = Status::Paid;
    }
    let mut outcome = Outcome::default();
    outcome.reclaimed.taken = before - told::available(session, top_up)?;
    Ok(outcome)
}

fn tell(session: &Session, top_up: &TopUp, kind: &str, outcome: &Outcome, now: Time) -> Result<(), Error> {
    let payload = json!({
        "top_up_id": top_up.id,
        "refunded": top_up.refunded_amount().normalize().to_string(),
        "disputed": top_up.disputed_amount.normalize().to_string(),
        "dispute_status": top_up.dispute_status,
        "currency": top_up.currency,
        "credits_taken": outcome.reclaimed.taken.normalize().to_string(),
        "credits_owed": outcome.reclaimed.owed.normalize().to_string(),
    });
    outbox::tell(session, &top_up.customer_id, kind, &payload, now)
}

fn row(
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
