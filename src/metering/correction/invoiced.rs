//! Corrections of events that are invoiced, until the usage of their period is: then they stay as they are.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::{balance, customer};
use crate::metering::correction::Stored;
use crate::metering::correction::adjustment::{self, AdjustedRow, Change};
use crate::metering::correction::cancellation::{self, CancelRow};
use crate::metering::meter;
use crate::metering::pricing::version::CHARGED_ELSEWHERE;
use crate::metering::report::RECORDED;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{NUMERICOID, TEXTOID};

/// Whether an event is of a meter that is invoiced.
pub fn is_invoiced(session: &Session, event: &Stored) -> Result<bool, Error> {
    if event.price_version != CHARGED_ELSEWHERE {
        return Ok(false);
    }
    Ok(meter::find(session, &event.event_name, event.occurred_at)?.is_some_and(|meter| meter.invoiced))
}

// A period that closes at this moment has it, or has not seen it yet.
static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.invoiced_events i
      WHERE i.customer_id = $1 AND i.identifier = $2 AND i.usage_record_summary_id IS NULL RETURNING true",
    &[TEXTOID, TEXTOID],
);

static SET: Statement = Statement::new(
    c"UPDATE credits_internal.invoiced_events i SET quantity = $3
      WHERE i.customer_id = $1 AND i.identifier = $2 AND i.usage_record_summary_id IS NULL RETURNING true",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// PC020.
fn is_taken(identifier: &str) -> Error {
    Error::StateConflict { object: "meter_event", id: identifier.to_string(), state: "invoiced" }
}

/// The event and its customer's account as they stand, with the customer locked: no period closes meanwhile.
fn open(session: &Session, customer_id: &str, identifier: &str) -> Result<(Stored, Book), Error> {
    customer::lock(session, customer_id)?;
    let event = Stored::find(session, customer_id, identifier)?;
    let book = balance::current(session, customer_id, &event.currency)?;
    let book = book.unwrap_or_else(|| Book::unused(customer_id, &event.currency));
    Ok((event, book))
}

/// Takes usage back. Raises PC003, PC020.
pub fn cancel(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    reason: Option<&str>,
) -> Result<CancelRow, Error> {
    let (event, book) = open(session, customer_id, identifier)?;
    if event.returned.is_none() {
        if FORGET.run(session, &[customer_id.cell(), identifier.cell()])?.len() == 0 {
            return Err(is_taken(identifier));
        }
        cancellation::record(session, customer_id, identifier, settings::now()?, reason, Decimal::ZERO)?;
    }
    Ok(cancellation::row(&event, &book, Decimal::ZERO, event.returned.is_some()))
}

/// Gives usage another value. Raises PC003, PC013, PC020.
pub fn adjust(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    value: Decimal,
    reason: Option<&str>,
) -> Result<AdjustedRow, Error> {
    let (mut event, book) = open(session, customer_id, identifier)?;
    if event.returned.is_some() {
        let reason = format!("\"{identifier}\" was canceled: it costs nothing any more");
        return Err(Error::argument("identifier", reason));
    }
    let (before, change) = (event.value, Change::default());
    let replayed = before == value;
    if !replayed {
        let meter = meter::find(session, &event.event_name, event.occurred_at)?;
        let quantity = meter.map_or(value, |meter| meter.aggregation.quantity(value));
        if SET.run(session, &[customer_id.cell(), identifier.cell(), quantity.cell()])?.len() == 0 {
            return Err(is_taken(identifier));
        }
        event.value = value;
        adjustment::set_value(session, customer_id, &event)?;
        adjustment::record(session, customer_id, &event, before, (settings::now()?, reason), &change)?;
    }
    Ok(AdjustedRow { status: RECORDED, ..adjustment::row(&event, &book, before, &change, replayed) })
}
