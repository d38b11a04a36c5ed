//! Usage that was recorded and not charged yet: what a deferred meter's events wait as. They are found in the table itself,
//! in the statement's own snapshot, once the account is locked: an event that commits later is charged later.

use super::place;
use crate::error::Error;
use crate::ledger::book::Book;
use crate::ledger::line::Unsettled;
use crate::metering::settlement;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{ToCell, array};
use pgrx::pg_sys::{INT8OID, TEXTARRAYOID, TEXTOID};

static READ: Statement = Statement::in_order(
    c"SELECT k.place, u.identifier, u.event_name, u.cost, u.created_at
      FROM unnest($1, $2) WITH ORDINALITY AS k (customer_id, currency, place)
      CROSS JOIN LATERAL (
          SELECT * FROM credits.unsettled_events e
          WHERE e.customer_id = k.customer_id AND e.currency = k.currency
          ORDER BY e.created_at, e.identifier LIMIT $3) AS u",
    &[TEXTARRAYOID, TEXTARRAYOID, INT8OID],
);

/// The usage that waits in these accounts, the first `most` of each, oldest first. Nothing is read where no meter is
/// deferred.
pub fn read(session: &Session, books: &[Book], most: i64) -> Result<Vec<Vec<Unsettled>>, Error> {
    let mut waiting: Vec<Vec<Unsettled>> = books.iter().map(|_| Vec::new()).collect();
    if books.is_empty() || !settlement::is_in_use(session)? {
        return Ok(waiting);
    }
    let cells = [array(books.iter().map(|b| &b.customer_id)), array(books.iter().map(|b| &b.currency)), most.cell()];
    for mut row in READ.run(session, &cells)?.iter() {
        let place = place(&mut row, waiting.len())?;
        waiting[place].push(Unsettled {
            identifier: row.next()?,
            event_name: row.next()?,
            cost: row.next()?,
            created_at: row.next()?,
        });
    }
    Ok(waiting)
}

static ANY: Statement = Statement::in_order(
    c"SELECT true FROM credits.unsettled_events WHERE customer_id = $1 AND currency = $2 LIMIT 1",
    &[TEXTOID, TEXTOID],
);

/// Whether usage waits in an account.
pub fn any(session: &Session, customer_id: &str, currency: &str) -> Result<bool, Error> {
    Ok(settlement::is_in_use(session)? && ANY.run(session, &[customer_id.cell(), currency.cell()])?.len() > 0)
}
