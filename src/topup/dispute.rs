//! Disputes: money that may go back. Credits go while one is open, and come back exactly where it is won.

use super::reclaim::{self, Outcome, Spent};
use super::refund::{self, RefundRow};
use super::told::{self, Entry, Told};
use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::pg::argument::{Id, Numeric};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

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
        let spent = reclaim::policy(spent)?;
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
    if let Some(recorded) = told::was_told(session, &top_up, "disputed", told)? {
        return refund::repeat(session, &top_up, recorded);
    }
    if told.reference.is_none() && top_up.dispute_status.as_deref() == Some("open") {
        return refund::row(session, &top_up, &Outcome::default(), None, true);
    }
    let amount = amount.unwrap_or_else(|| top_up.payment());
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
        outcome = reclaim::settle(session, &mut top_up, ("payment_disputed", spent), now)?;
    }
    let operation_id = outcome.operation_id;
    let entry = Entry { kind: "disputed", told, amount: Some(amount), contradiction, operation_id };
    refund::finish(session, &top_up, &entry, ("top_up.disputed", &outcome), now)
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
    if let Some(recorded) = told::was_told(session, &top_up, kind, told)? {
        return refund::repeat(session, &top_up, recorded);
    }
    if told.reference.is_none() && top_up.dispute_status.as_deref() == Some(if won { "won" } else { "lost" }) {
        return refund::row(session, &top_up, &Outcome::default(), None, true);
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
            outcome = reclaim::give_back(session, &mut top_up, operation_id, now)?;
        }
    }
    let entry = Entry { kind, told, amount: None, contradiction, operation_id: None };
    refund::finish(session, &top_up, &entry, ("top_up.dispute_closed", &outcome), now)
}
