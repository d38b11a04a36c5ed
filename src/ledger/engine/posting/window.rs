//! Which grants a book loads: the first in drawdown order that its charges can touch, or some by their ids.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::posting::{grant, index};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT8OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID};
use uuid::Uuid;

static WINDOW: Statement = Statement::in_order(
    c"SELECT k.ordinal, g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
             g.remaining, g.lapsed, g.status, g.clawback_operations, g.clawback_amounts, g.clawback_owes
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
      CROSS JOIN LATERAL (
          SELECT * FROM credits_internal.credit_grants o
          WHERE o.customer_id = k.customer_id AND o.currency = k.currency AND o.status = 'granted'
            AND o.expires_at > k.at AND (o.applicable_meters IS NULL OR o.applicable_meters && $5)
          ORDER BY o.priority, o.expires_at, o.category DESC, o.effective_at, o.grant_id
          LIMIT $4) AS g",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8OID, TEXTARRAYOID],
);

/// Loads into each book the open grants that charges of `need` in total can touch, by plain spending and by events of
/// these meters, and at least the next head.
pub fn take_windows(session: &Session, books: &mut [(&mut Book, Decimal)], meters: &[&str]) -> Result<(), Error> {
    let mut limit: i64 = 16;
    let mut short: Vec<&mut (&mut Book, Decimal)> = books.iter_mut().collect();
    while !short.is_empty() {
        let cells = [
            array(short.iter().map(|b| &b.0.customer_id)),
            array(short.iter().map(|b| &b.0.currency)),
            array(short.iter().map(|b| b.0.posted_at)),
            limit.cell(),
            array(meters.iter().copied()),
        ];
        let mut windows: Vec<Vec<Grant>> = vec![Vec::new(); short.len()];
        for mut row in WINDOW.run(session, &cells)?.iter() {
            let index = index(&mut row, windows.len())?;
            windows[index].push(grant(&mut row)?);
        }
        let mut again = Vec::new();
        for (entry, window) in short.into_iter().zip(windows) {
            let complete = (window.len() as i64) < limit;
            if complete || entry.0.open_in(&window) > entry.1 {
                entry.0.take_window(window, complete);
            } else {
                again.push(entry);
            }
        }
        short = again;
        limit = limit.saturating_mul(8);
    }
    Ok(())
}

static BY_ID: Statement = Statement::new(
    c"SELECT g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
             g.remaining, g.lapsed, g.status, g.clawback_operations, g.clawback_amounts, g.clawback_owes
      FROM credits_internal.credit_grants g
      WHERE g.customer_id = $1 AND g.currency = $2 AND g.grant_id = ANY ($3)",
    &[TEXTOID, TEXTOID, UUIDARRAYOID],
);

/// A customer's grants in one currency by their ids, ended or not, from their rows.
pub fn grants_by_id(session: &Session, book: &Book, ids: &[Uuid]) -> Result<Vec<Grant>, Error> {
    let rows = BY_ID.run(session, &[book.customer_id.cell(), book.currency.cell(), array(ids.iter().copied())])?;
    rows.iter().map(|mut row| grant(&mut row)).collect()
}

/// Loads grants into a book by their ids, in any state.
pub fn take_grants(session: &Session, book: &mut Book, ids: &[Uuid]) -> Result<(), Error> {
    let grants = grants_by_id(session, book, ids)?;
    book.take_grants(grants);
    Ok(())
}
