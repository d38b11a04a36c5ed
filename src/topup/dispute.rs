//! Disputes: money that may go back. Credits go while one is open, and come back exactly where it is won.

use super::reclaim::{self, Outcome, Spent};
use super::refund::{self, RefundRow};
use super::stored::TopUp;
use super::told::{self, Entry, Told};
use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::pg::argument::{Id, Numeric};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Row, Session, Statement, writing};
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

// A dispute without a reference was decided by what came after it without one.
static DISPUTE: Statement = Statement::new(
    c"SELECT d.provider_reference, d.amount, d.operation_id,
             (SELECT c.type FROM credits.payments c
              WHERE c.customer_id = d.customer_id AND c.top_up_id = d.top_up_id AND c.payment_id > d.payment_id
                AND c.type IN ('dispute_won', 'dispute_lost') AND c.provider = d.provider
                AND c.provider_reference IS NULL AND d.provider_reference IS NULL
              ORDER BY c.payment_id LIMIT 1)
      FROM credits.payments d
      WHERE d.customer_id = $1 AND d.top_up_id = $2 AND d.type = 'disputed' AND d.provider = $3
        AND ($4 IS NULL OR d.provider_reference = $4)
      ORDER BY d.payment_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID],
);

/// A dispute that was told.
struct Dispute {
    reference: Option<String>,
    amount: Option<Decimal>,
    operation_id: Option<Uuid>,
    decided: Option<String>,
}

/// The one with this reference; without one, the newest.
fn find(session: &Session, top_up: &TopUp, told: Told<'_>) -> Result<Option<Dispute>, Error> {
    let cells = [top_up.customer_id.cell(), top_up.id.cell(), told.provider.cell(), told.reference.cell()];
    let read = |mut row: Row<'_>| {
        Ok(Dispute { reference: row.next()?, amount: row.next()?, operation_id: row.next()?, decided: row.next()? })
    };
    DISPUTE.run(session, &cells)?.first().map(read).transpose()
}

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
    let dispute = find(session, &top_up, told)?;
    // Known again by what the dispute is called, whoever says so without it.
    let reference = told.reference.or(dispute.as_ref().and_then(|dispute| dispute.reference.as_deref()));
    let told = Told { reference, ..told };
    let (kind, other) = if won { ("dispute_won", "dispute_lost") } else { ("dispute_lost", "dispute_won") };
    if let Some(recorded) = told::was_told(session, &top_up, kind, told)? {
        return refund::repeat(session, &top_up, recorded);
    }
    let before = dispute.as_ref().and_then(|dispute| dispute.decided.as_deref());
    if before == Some(kind) {
        return refund::row(session, &top_up, &Outcome::default(), None, true);
    }
    let decided = before.is_some() || told::was_told(session, &top_up, other, told)?.is_some();
    let contradiction = match (&dispute, decided) {
        (_, true) => Some("it was decided otherwise before"),
        (None, false) => Some("it was decided and never opened"),
        (Some(_), false) => None,
    };
    let mut outcome = Outcome::default();
    if let (Some(dispute), false) = (&dispute, decided) {
        top_up.dispute_status = Some(String::from(if won { "won" } else { "lost" }));
        if won {
            let amount = dispute.amount.unwrap_or_default();
            top_up.disputed_amount = (top_up.disputed_amount - amount).max(Decimal::ZERO);
            outcome = reclaim::give_back(session, &mut top_up, dispute.operation_id, now)?;
        }
    }
    let entry = Entry { kind, told, amount: None, contradiction, operation_id: None };
    refund::finish(session, &top_up, &entry, ("top_up.dispute_closed", &outcome), now)
}
