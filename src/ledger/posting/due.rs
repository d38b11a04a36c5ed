//! What fell due in accounts, and what is owed: taken into their books before anything else happens to them.

use super::window::grants_by_id;
use super::{grant, place};
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::ledger::book::{Book, Due};
use crate::ledger::drawdown::Grant;
use crate::ledger::line::{Debt, Hold};
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::{ToCell, array};
use pgrx::pg_sys::{INT8OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID};
use uuid::Uuid;

static DUE: Statement = Statement::new(
    c"SELECT k.place, g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
             g.remaining, g.lapsed, g.status
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)
      CROSS JOIN LATERAL (
          SELECT * FROM credits.credit_grants e
          WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
            AND e.expires_at <= k.at
          UNION ALL
          SELECT * FROM credits.credit_grants b
          WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
            AND b.effective_at <= k.at) AS g",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

static NEXT_CHANGE: Statement = Statement::new(
    c"SELECT k.place, least(
          (SELECT min(e.expires_at) FROM credits.credit_grants e
           WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
             AND e.expires_at > k.at),
          (SELECT min(b.effective_at) FROM credits.credit_grants b
           WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
             AND b.effective_at > k.at),
          (SELECT min(h.expires_at) FROM credits.holds h
           WHERE h.customer_id = k.customer_id AND h.currency = k.currency AND h.status = 'open'
             AND h.expires_at > k.at),
          'infinity')
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Brings books up to `now`, or to their last posting where that is later: whatever fell due is posted in them. What
/// is not due costs no statement.
pub fn bring_up_to_date(session: &Session, books: &mut [Book], now: Time) -> Result<(), Error> {
    for book in books.iter_mut() {
        book.posted_at = book.posted_at.max(now);
    }
    let mut behind: Vec<&mut Book> = books.iter_mut().filter(|b| b.next_change_at <= b.posted_at).collect();
    if behind.is_empty() {
        return Ok(());
    }
    let cells = [
        array(behind.iter().map(|b| &b.customer_id)),
        array(behind.iter().map(|b| &b.currency)),
        array(behind.iter().map(|b| b.posted_at)),
    ];
    let mut due: Vec<Due> = behind.iter().map(|_| Due::default()).collect();
    for mut row in DUE.run(session, &cells)?.iter() {
        let place = place(&mut row, due.len())?;
        due[place].grants.push(grant(&mut row)?);
    }
    if behind.iter().any(|b| b.held > Decimal::ZERO) {
        for mut row in DUE_HOLDS.run(session, &cells)?.iter() {
            let place = place(&mut row, due.len())?;
            due[place].holds.push(hold(&mut row)?);
        }
    }
    let mut next = vec![Time::NEVER; behind.len()];
    for mut row in NEXT_CHANGE.run(session, &cells)?.iter() {
        let place = place(&mut row, next.len())?;
        next[place] = row.next()?;
    }
    for ((book, mut due), next) in behind.iter_mut().zip(due).zip(next) {
        let givers: Vec<Uuid> = due.holds.iter().flat_map(|h| h.parts.iter().map(|(id, _)| *id)).collect();
        if !givers.is_empty() {
            due.givers = grants_by_id(session, book, &givers)?;
        }
        if due.incoming() > Decimal::ZERO {
            // Where some of what comes in is for certain meters only, every debt may be the one that it pays.
            let credits = (!due.is_restricted()).then(|| due.incoming());
            due.debts = debts(session, book, credits, None)?;
        }
        book.advance(book.posted_at, due);
        let first_to_end = book.started().map(|g| g.expires_at).min();
        book.next_change_at = next.min(first_to_end.unwrap_or(Time::NEVER));
    }
    Ok(())
}

static DUE_HOLDS: Statement = Statement::new(
    c"SELECT k.place, h.hold_id, h.expires_at, h.grant_ids, h.grant_amounts
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)
      JOIN credits.holds h ON h.customer_id = k.customer_id AND h.currency = k.currency AND h.status = 'open'
                          AND h.expires_at <= k.at",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Reads a hold's columns, from hold_id on, in the order of [`DUE_HOLDS`].
pub fn hold(row: &mut Row<'_>) -> Result<Hold, Error> {
    let (id, expires_at) = (row.next()?, row.next()?);
    let (ids, amounts) = (row.next::<Vec<Uuid>>()?, row.next::<Vec<Decimal>>()?);
    Ok(Hold { id, expires_at, parts: ids.into_iter().zip(amounts).collect() })
}

static DEBTS: Statement = Statement::in_order(
    c"SELECT identifier, event_name, consumed, pending, debt_no FROM credits.meter_events
      WHERE customer_id = $1 AND currency = $2 AND pending > 0 AND ($4 IS NULL OR event_name = ANY ($4))
      ORDER BY debt_no LIMIT $3",
    &[TEXTOID, TEXTOID, INT8OID, TEXTARRAYOID],
);

/// The debts that a grant about to come in can pay, oldest first.
pub fn debts_for(session: &Session, book: &Book, grant: &Grant) -> Result<Vec<Debt>, Error> {
    debts(session, book, Some(grant.remaining), grant.meters.as_deref())
}

/// The debts that credits about to come in can pay, oldest first, of certain meters or of any: as many as they can pay in
/// all, or every one.
pub fn debts(
    session: &Session,
    book: &Book,
    credits: Option<Decimal>,
    meters: Option<&[String]>,
) -> Result<Vec<Debt>, Error> {
    if book.pending <= Decimal::ZERO || credits.is_some_and(|credits| credits.is_zero()) {
        return Ok(Vec::new());
    }
    let mut limit: i64 = if credits.is_some() { 64 } else { i64::MAX };
    loop {
        let meters = meters.map(|m| m.to_vec()).cell();
        let rows = DEBTS.run(session, &[book.customer_id.cell(), book.currency.cell(), limit.cell(), meters])?;
        let mut debts = Vec::with_capacity(rows.len());
        for mut row in rows.iter() {
            debts.push(Debt {
                identifier: row.next()?,
                event_name: row.next()?,
                consumed: row.next()?,
                pending: row.next()?,
                debt_no: row.next()?,
                changed: false,
            });
        }
        let enough = credits.is_none_or(|credits| book.owed_for(&debts) >= credits);
        if enough || (debts.len() as i64) < limit {
            return Ok(debts);
        }
        limit = limit.saturating_mul(8);
    }
}
