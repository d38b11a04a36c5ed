//! Replays of captures: found by their key, and answered with the hold as it stands.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::{Debt, Source};
use crate::ledger::hold::capture::{Capture, FUNCTION};
use crate::ledger::hold::{self, HoldRow};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

static KEYED: Statement = Statement::new(
    c"SELECT o.function, o.amount, c.hold_id, c.capture_id, c.identifier
      FROM credits_internal.operations o
      LEFT JOIN credits_internal.hold_captures c
             ON c.customer_id = o.customer_id AND c.capture_id = o.operation_id AND o.line_no IS NULL
      WHERE o.customer_id = $1 AND o.idempotency_key = $2",
    &[TEXTOID, TEXTOID],
);

/// The answer to a capture whose key was used before, if it was. Raises PC002 where that was another call.
pub fn replay_of_key(session: &Session, capture: &Capture<'_>, now: Time) -> Result<Option<HoldRow>, Error> {
    let Some(key) = capture.key else { return Ok(None) };
    let rows = KEYED.run(session, &[capture.customer_id.cell(), key.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (function, amount): (String, Decimal) = (row.next()?, row.next()?);
    let (hold_id, capture_id): (Option<Uuid>, Option<Uuid>) = (row.next()?, row.next()?);
    let identifier: Option<String> = row.next()?;
    let number = |amount: Decimal| Some(amount.normalize().to_string());
    let (difference, first, given) = if function != FUNCTION {
        ("function", Some(function), Some(FUNCTION.to_string()))
    } else if hold_id != Some(capture.hold_id) {
        ("hold", hold_id.map(|id| id.to_string()), Some(capture.hold_id.to_string()))
    } else if identifier.as_deref() != capture.identifier {
        ("identifier", identifier, capture.identifier.map(String::from))
    } else if capture.amount.is_some_and(|given| given != amount) {
        ("amount", number(amount), capture.amount.and_then(number))
    } else {
        return answer(session, capture, (capture_id, amount), now).map(Some);
    };
    Err(Error::IdempotencyConflict { argument: "idempotency_key", key: key.to_string(), difference, first, given })
}

/// The hold as it stands, for a replay of this capture.
pub fn answer(
    session: &Session,
    capture: &Capture<'_>,
    (capture_id, amount): (Option<Uuid>, Decimal),
    now: Time,
) -> Result<HoldRow, Error> {
    let row = hold::as_it_stands(session, capture.customer_id, capture.hold_id, now, |session, book| {
        owed_for(session, capture, capture_id, book)
    })?;
    Ok(HoldRow { capture_id, capture_amount: Some(amount), ..row })
}

static OWED: Statement = Statement::new(
    c"SELECT coalesce((SELECT e.pending FROM credits_internal.meter_events e
                       WHERE e.customer_id = $1 AND e.identifier = $3),
                      (SELECT r.pending FROM credits_internal.reclaims r
                       WHERE r.customer_id = $1 AND r.operation_id = $2), 0)",
    &[TEXTOID, UUIDOID, TEXTOID],
);

/// What is owed for a capture: as the book has it, or else the tables.
fn owed_for(session: &Session, capture: &Capture<'_>, capture_id: Option<Uuid>, book: &Book) -> Result<Decimal, Error> {
    let of_capture = |debt: &&Debt| match &debt.source {
        Source::Operation(id) => Some(*id) == capture_id,
        source => source.identifier().is_some() && source.identifier() == capture.identifier,
    };
    if let Some(debt) = book.changed_debts().find(of_capture) {
        return Ok(debt.pending);
    }
    let rows = OWED.run(session, &[capture.customer_id.cell(), capture_id.cell(), capture.identifier.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()
}

/// PC002, or the answer to the call that has the key.
pub fn taken(session: &Session, capture: &Capture<'_>, now: Time) -> Result<HoldRow, Error> {
    replay_of_key(session, capture, now)?
        .ok_or_else(|| Error::internal("an idempotency_key is taken and not to be found"))
}
