//! What of grants lapsed with their time, and did not come back: it may pay late usage, and comes back when a grant is
//! extended.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::posting::take_grants;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What of a grant g is gone for other reasons than its time: parts that were ended by hand, what stands for credits that
/// went back, and what went on as another grant.
macro_rules! otherwise {
    () => {
        "g.parts_ended
         + coalesce((SELECT o.rolled_over FROM credits_internal.grant_rollovers o
                     WHERE o.customer_id = g.customer_id AND o.grant_id = g.grant_id), 0)
         + (SELECT coalesce(sum(r.credits - r.consumed - r.pending), 0) FROM credits_internal.reclaims r
                          WHERE r.customer_id = g.customer_id AND r.grant_id = g.grant_id AND r.undone_at IS NULL) "
    };
}

static OTHERWISE: Statement = Statement::new(
    text!(
        "SELECT g.ended_at IS NOT NULL, ",
        otherwise!(),
        "FROM credits_internal.credit_grants g WHERE g.customer_id = $1 AND g.grant_id = $2"
    ),
    &[TEXTOID, UUIDOID],
);

/// How much of a grant lapsed with its time; `None` if it was ended by hand.
pub fn by_time(session: &Session, book: &Book, grant: &Grant) -> Result<Option<Decimal>, Error> {
    let rows = OTHERWISE.run(session, &[book.customer_id.cell(), grant.id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a grant is not there"))?;
    let by_hand: bool = row.next()?;
    let otherwise = row.next()?;
    Ok((!by_hand).then(|| rest(grant, otherwise)))
}

/// What its clawbacks still wait for is not gone.
fn rest(grant: &Grant, otherwise: Decimal) -> Decimal {
    let waiting: Decimal = grant.clawbacks.iter().map(|clawback| clawback.amount).sum();
    (grant.lapsed - otherwise + waiting).max(Decimal::ZERO)
}

static LAPSED: Statement = Statement::new(
    text!(
        "SELECT g.grant_id, ",
        otherwise!(),
        "FROM credits_internal.credit_grants g
         WHERE g.customer_id = $1 AND g.currency = $2 AND g.status = 'expired' AND g.ended_at IS NULL
           AND g.suspended_at IS NULL AND g.expires_at > $3 AND g.expires_at >= $4"
    ),
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
)
.before(c"SELECT NULL::uuid, 0::numeric WHERE $1 IS NULL AND $2 IS NULL AND $3 IS NULL AND $4 IS NULL");

/// Loads what may pay late usage into a book: the usage happened at a moment, at the earliest, and is charged from another
/// one on. Nothing if the book has no time of grace.
pub fn take_lapsed(session: &Session, book: &mut Book, occurred_at: Time, from: Time) -> Result<(), Error> {
    if book.grace <= 0 {
        return Ok(());
    }
    let least = from.plus_seconds(-book.grace);
    let cells = [book.customer_id.cell(), book.currency.cell(), occurred_at.cell(), least.cell()];
    let mut found: Vec<(Uuid, Decimal)> = Vec::new();
    for mut row in LAPSED.run(session, &cells)?.iter() {
        found.push((row.next()?, row.next()?));
    }
    if found.is_empty() {
        return Ok(());
    }
    take_grants(session, book, &found.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    for (id, otherwise) in found {
        if let Some(lapsed) = book.grant(id).map(|grant| rest(grant, otherwise)) {
            book.take_lapsed(id, lapsed);
        }
    }
    Ok(())
}
