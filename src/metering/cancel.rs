//! Cancellations: usage that is taken back.

use super::report::CANCELED;
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::book::Book;
use crate::ledger::drawdown::Grant;
use crate::ledger::{account, history, posting};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT8OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};
use uuid::Uuid;

row! {
    /// What `meter_event_cancel` returns; amounts in credits of the event's currency.
    pub struct CancelRow {
        /// The reporter's own.
        pub identifier: String,
        /// 'canceled'.
        pub status: String,
        /// Credits paid for it: none any more.
        pub consumed: Decimal,
        /// Credits owed for it: none any more.
        pub pending: Decimal,
        /// Credits that came back to the grants that had paid.
        pub returned: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this repeats an earlier call.
        pub replayed: bool,
    }
}

/// `credits.meter_event_cancel`. Raises PC013.
#[pg_extern(sql = false)]
fn meter_event_cancel(
    customer_id: Option<&str>,
    identifier: Option<&str>,
    reason: Option<&str>,
) -> Reply<One<CancelRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let identifier = input::key("identifier", identifier)?;
        writing(|session| cancel(session, customer_id, identifier, reason)).map(One)
    })())
}

fn cancel(session: &Session, customer_id: &str, identifier: &str, reason: Option<&str>) -> Result<CancelRow, Error> {
    let event = Stored::find(session, customer_id, identifier)?;
    let Some(book) = account::open(session, customer_id, &event.currency, settings::now()?)? else {
        // An event that costs nothing in an account that was never used.
        if event.returned.is_none() {
            mark(session, customer_id, identifier, settings::now()?, reason, Decimal::ZERO)?;
        }
        return Ok(row(identifier, Decimal::ZERO, Decimal::ZERO, event.returned.is_some()));
    };
    // Read again: while this waited for the lock, another may have paid or canceled it.
    let event = Stored::find(session, customer_id, identifier)?;
    if let Some(returned) = event.returned {
        return Ok(row(identifier, returned, book.available, true));
    }
    // With what fell due posted, the ledger has every line that paid for the event.
    let paid_since = book.debt(identifier).map(|debt| (debt.consumed, debt.pending));
    let (consumed, pending) = paid_since.unwrap_or((event.consumed, event.pending));
    let event = Stored { consumed, pending, ..event };
    let mut book = account::post_due(session, book)?;
    let draws = draws(session, &book, identifier, &event)?;
    let grants: Vec<Uuid> = draws.iter().map(|(grant_id, _)| *grant_id).collect();
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    posting::take_grants(session, &mut book, &grants)?;
    // Where one of the grants is for certain meters only, every debt may be the one that it pays. Its own is no more.
    let restricted = grants.iter().any(|id| book.grant(*id).is_none_or(Grant::is_restricted));
    let debts = posting::debts(session, &book, (!restricted).then(|| event.consumed + event.pending), None)?;
    book.cancel(identifier, event.pending, &draws, debts);
    mark(session, customer_id, identifier, book.posted_at, reason, event.consumed)?;
    let available = book.available;
    posting::post(session, &[book])?;
    Ok(row(identifier, event.consumed, available, false))
}

/// An event as its row has it.
struct Stored {
    currency: String,
    consumed: Decimal,
    pending: Decimal,
    created_at: Time,
    /// What came back, where it was taken back already.
    returned: Option<Decimal>,
}

static FIND: Statement = Statement::new(
    c"SELECT currency, consumed, pending, created_at, returned FROM credits.meter_events
      WHERE customer_id = $1 AND identifier = $2",
    &[TEXTOID, TEXTOID],
);

impl Stored {
    /// Raises PC013.
    fn find(session: &Session, customer_id: &str, identifier: &str) -> Result<Self, Error> {
        let rows = FIND.run(session, &[customer_id.cell(), identifier.cell()])?;
        let missing = || Error::argument("identifier", format!("\"{identifier}\" is no event of this customer's"));
        let mut row = rows.first().ok_or_else(missing)?;
        Ok(Stored {
            currency: row.next()?,
            consumed: row.next()?,
            pending: row.next()?,
            created_at: row.next()?,
            returned: row.next()?,
        })
    }
}

static DRAWS: Statement = Statement::new(
    c"SELECT grant_id, -amount FROM credits.credit_transactions
      WHERE customer_id = $1 AND currency = $2 AND line_no > $3 AND line_no <= $4 AND identifier = $5 AND amount < 0
      ORDER BY line_no",
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, TEXTOID],
);

/// What grants paid for the event, in the order in which they did. Its lines begin where it was reported, and most events
/// are paid there; so the ledger is read from there on, in growing steps, until all that was paid is found.
fn draws(session: &Session, book: &Book, identifier: &str, event: &Stored) -> Result<Vec<(Uuid, Decimal)>, Error> {
    let mut draws = Vec::new();
    let mut open = event.consumed;
    let mut after = history::last_line_by(session, book, Time(event.created_at.0 - 1))?;
    let mut step = 256;
    while open > Decimal::ZERO {
        if after >= book.last_line {
            return Err(Error::internal("an event was paid by lines that are not there"));
        }
        let last = after + step;
        let arguments = [book.customer_id.cell(), book.currency.cell(), after.cell(), last.cell(), identifier.cell()];
        for mut row in DRAWS.run(session, &arguments)?.iter() {
            let draw: (Uuid, Decimal) = (row.next()?, row.next()?);
            open -= draw.1;
            draws.push(draw);
        }
        (after, step) = (last, step * 4);
    }
    Ok(draws)
}

static MARK: Statement = Statement::new(
    c"UPDATE credits.meter_events SET canceled_at = $3, cancel_reason = $4, returned = $5, consumed = 0, pending = 0
      WHERE customer_id = $1 AND identifier = $2",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, NUMERICOID],
);

fn mark(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    at: Time,
    reason: Option<&str>,
    returned: Decimal,
) -> Result<(), Error> {
    let arguments = [customer_id.cell(), identifier.cell(), at.cell(), reason.cell(), returned.cell()];
    MARK.run(session, &arguments).map(drop)
}

fn row(identifier: &str, returned: Decimal, available: Decimal, replayed: bool) -> CancelRow {
    CancelRow {
        identifier: identifier.to_string(),
        status: CANCELED.to_string(),
        consumed: Decimal::ZERO,
        pending: Decimal::ZERO,
        returned,
        available,
        replayed,
    }
}
