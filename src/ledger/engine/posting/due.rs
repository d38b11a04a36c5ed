//! What fell due in accounts, and what is owed: loaded into their books before anything else happens to them.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::{Book, Due};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::line::{Debt, Hold, Period, Source};
use crate::ledger::engine::posting::lapsed::take_lapsed;
use crate::ledger::engine::posting::rollover::{no_rolling_columns, of_rolling, rolling, rolling_columns};
use crate::ledger::engine::posting::window::take_windows;
use crate::ledger::engine::posting::{grant, index, unsettled};
use crate::ledger::listener::LISTENERS;
use crate::moment::Time;
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT8OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID};
use std::collections::HashSet;
use std::rc::Rc;
use uuid::Uuid;

macro_rules! due {
    ($columns:expr, $joins:expr) => {
        text!(
            "SELECT k.ordinal, g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters,
                    g.amount, g.remaining, g.lapsed, g.status, g.clawback_operations, g.clawback_amounts, g.clawback_owes, ",
            $columns,
            " FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
              CROSS JOIN LATERAL (
                  SELECT * FROM credits_internal.credit_grants e
                  WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
                    AND e.expires_at <= k.at
                  UNION ALL
                  SELECT * FROM credits_internal.credit_grants s
                  WHERE s.customer_id = k.customer_id AND s.currency = k.currency AND s.status = 'suspended'
                    AND s.expires_at <= k.at
                  UNION ALL
                  SELECT * FROM credits_internal.credit_grants b
                  WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
                    AND b.effective_at <= k.at) AS g",
            $joins
        )
    };
}

static DUE: Statement =
    Statement::new(due!(rolling_columns!(), of_rolling!()), &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID])
        .before(due!(no_rolling_columns!(), ""));

static NEXT_CHANGE: Statement = Statement::new(
    c"SELECT k.ordinal, least(
          (SELECT min(e.expires_at) FROM credits_internal.credit_grants e
           WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
             AND e.expires_at > k.at),
          (SELECT min(s.expires_at) FROM credits_internal.credit_grants s
           WHERE s.customer_id = k.customer_id AND s.currency = k.currency AND s.status = 'suspended'
             AND s.expires_at > k.at),
          (SELECT min(b.effective_at) FROM credits_internal.credit_grants b
           WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
             AND b.effective_at > k.at),
          (SELECT min(h.expires_at) FROM credits_internal.holds h
           WHERE h.customer_id = k.customer_id AND h.currency = k.currency AND h.status = 'open'
             AND h.expires_at > k.at),
          'infinity')
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Brings books up to `now`, or to their last posting or the last recorded usage if that is later: what fell due is
/// posted in them, and unsettled usage is charged in them. If nothing is due, no statement runs.
pub fn bring_up_to_date(session: &Session, books: &mut [Book], now: Time) -> Result<(), Error> {
    advance(session, books, now, i64::MAX, Time::NEVER).map(drop)
}

/// The same for a past moment that is not before the last posting: usage that was recorded later is left out.
pub fn as_of(session: &Session, book: &mut Book, at: Time) -> Result<(), Error> {
    advance(session, std::slice::from_mut(book), at, i64::MAX, at).map(drop)
}

/// The same with at most `most` unsettled events of each account, of those recorded by a moment. Returns whether that
/// was all; if not, the account is brought up to the moment of the last.
pub fn some_by(session: &Session, books: &mut [Book], now: Time, most: i64, recorded_by: Time) -> Result<bool, Error> {
    advance(session, books, now, most, recorded_by)
}

/// A book, when it was last posted to, what happened since, and when time changes something next.
struct Behind<'b> {
    book: &'b mut Book,
    since: Time,
    due: Due,
    next: Time,
}

fn advance(session: &Session, books: &mut [Book], now: Time, most: i64, recorded_by: Time) -> Result<bool, Error> {
    let mut whole = true;
    let mut behind: Vec<Behind<'_>> = Vec::new();
    let unsettled = unsettled::read(session, books, most.saturating_add(1))?;
    for (book, mut usage) in books.iter_mut().zip(unsettled) {
        let since = book.posted_at;
        book.evaluation.late = recorded_by < since;
        usage.retain(|u| u.created_at <= recorded_by);
        let mut until = now;
        if usage.len() as i64 > most {
            usage.pop();
            whole = false;
            until = since;
        }
        // It may have been recorded after this transaction began: no event is charged as of before it was reported.
        book.posted_at = usage.last().map_or(until, |last| last.created_at.max(until)).max(since);
        if book.next_change_at <= book.posted_at || !usage.is_empty() {
            let next = book.next_change_at;
            behind.push(Behind { book, since, due: Due { usage, ..Due::default() }, next });
        }
    }
    take_payers(session, &mut behind)?;
    let mut late: Vec<&mut Behind<'_>> =
        behind.iter_mut().filter(|b| b.book.next_change_at <= b.book.posted_at).collect();
    take_due(session, &mut late)?;
    for Behind { book, since, due, next } in behind {
        book.evaluation.now = book.next_change_at <= book.posted_at && book.evaluation.is_set();
        book.advance(since, due);
        book.next_change_at = next.min(book.first_to_end());
    }
    Ok(whole)
}

/// Loads the open grants that can pay for all the usage to be charged.
fn take_payers(session: &Session, behind: &mut [Behind<'_>]) -> Result<(), Error> {
    let mut charging: Vec<(&mut Book, Decimal)> = Vec::new();
    let mut meters: HashSet<String> = HashSet::new();
    for Behind { book, due, .. } in behind.iter_mut().filter(|b| !b.due.usage.is_empty()) {
        let cost = due.usage.iter().try_fold(Decimal::ZERO, |sum, u| sum.checked_add(u.cost));
        charging.push((&mut **book, cost.unwrap_or(Decimal::MAX)));
        meters.extend(due.usage.iter().map(|u| u.event_name.clone()));
    }
    if charging.is_empty() {
        return Ok(());
    }
    let meters: Vec<&str> = meters.iter().map(String::as_str).collect();
    take_windows(session, &mut charging, &meters)?;
    for Behind { book, due, .. } in behind.iter_mut() {
        let from = due.usage.iter().map(|u| u.created_at).min();
        if let Some((occurred_at, from)) = due.usage.iter().filter_map(|u| u.occurred_at).min().zip(from) {
            take_lapsed(session, book, occurred_at, from)?;
        }
    }
    Ok(())
}

/// Loads what fell due: the grants and holds that end or begin, what is owed if credits come in, and when something
/// changes next.
fn take_due(session: &Session, late: &mut [&mut Behind<'_>]) -> Result<(), Error> {
    if late.is_empty() {
        return Ok(());
    }
    let cells = [
        array(late.iter().map(|b| &b.book.customer_id)),
        array(late.iter().map(|b| &b.book.currency)),
        array(late.iter().map(|b| b.book.posted_at)),
    ];
    for mut row in DUE.run(session, &cells)?.iter() {
        let index = index(&mut row, late.len())?;
        let (grant, due) = (grant(&mut row)?, &mut late[index].due);
        due.rolling.extend(rolling(&mut row, grant.id)?);
        due.grants.push(grant);
    }
    // Also where nothing is held: an open hold may have nothing left.
    for mut row in DUE_HOLDS.run(session, &cells)?.iter() {
        let index = index(&mut row, late.len())?;
        late[index].due.holds.push(hold(&mut row)?);
    }
    for mut row in NEXT_CHANGE.run(session, &cells)?.iter() {
        let index = index(&mut row, late.len())?;
        late[index].next = row.next()?;
    }
    for listener in LISTENERS.all() {
        for (index, next) in listener.next_changes(session, &cells)? {
            late[index].next = late[index].next.min(next);
        }
    }
    for Behind { book, due, .. } in late.iter_mut().map(|b| &mut **b) {
        let givers: Vec<Uuid> = due.holds.iter().flat_map(|h| h.parts.iter().map(|(id, _)| *id)).collect();
        if !givers.is_empty() {
            take_givers(session, book, due, &givers)?;
        }
        if due.incoming() > Decimal::ZERO {
            // If some of what comes in is for certain meters only, it may pay any of the debts.
            let credits = (!due.is_restricted()).then(|| due.incoming());
            due.debts = debts(session, book, credits, None)?;
        }
    }
    Ok(())
}

macro_rules! givers {
    ($columns:expr, $joins:expr) => {
        text!(
            "SELECT g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
                    g.remaining, g.lapsed, g.status, g.clawback_operations, g.clawback_amounts, g.clawback_owes, ",
            $columns,
            " FROM credits_internal.credit_grants g",
            $joins,
            " WHERE g.customer_id = $1 AND g.currency = $2 AND g.grant_id = ANY ($3)"
        )
    };
}

static GIVERS: Statement =
    Statement::new(givers!(rolling_columns!(), of_rolling!()), &[TEXTOID, TEXTOID, UUIDARRAYOID])
        .before(givers!(no_rolling_columns!(), ""));

/// Loads the grants that gave to holds which run out.
fn take_givers(session: &Session, book: &Book, due: &mut Due, ids: &[Uuid]) -> Result<(), Error> {
    let cells = [book.customer_id.cell(), book.currency.cell(), array(ids.iter().copied())];
    for mut row in GIVERS.run(session, &cells)?.iter() {
        let grant = grant(&mut row)?;
        due.rolling.extend(rolling(&mut row, grant.id)?);
        due.givers.push(grant);
    }
    Ok(())
}

static DUE_HOLDS: Statement = Statement::new(
    c"SELECT k.ordinal, h.hold_id, h.expires_at, h.grant_ids, h.grant_amounts
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
      JOIN credits_internal.holds h ON h.customer_id = k.customer_id AND h.currency = k.currency AND h.status = 'open'
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
    c"SELECT d.identifier, d.operation_id, d.event_name, d.period_key, d.consumed, d.pending, d.debt_no
      FROM ((SELECT e.identifier, NULL::uuid AS operation_id, e.event_name, e.period_key, e.consumed, e.pending, o.debt_no
             FROM credits_internal.event_debts o
             JOIN credits_internal.meter_events e ON e.customer_id = o.customer_id AND e.identifier = o.identifier
             WHERE o.customer_id = $1 AND o.currency = $2 AND ($4 IS NULL OR e.event_name = ANY ($4))
             ORDER BY o.debt_no)
            UNION ALL
            (SELECT NULL, r.operation_id, r.event_name, NULL, r.consumed, r.pending, r.debt_no
             FROM credits_internal.reclaims r
             WHERE r.customer_id = $1 AND r.currency = $2 AND r.pending > 0 AND ($4 IS NULL OR r.event_name = ANY ($4))
             ORDER BY r.debt_no)) d
      ORDER BY d.debt_no LIMIT $3",
    &[TEXTOID, TEXTOID, INT8OID, TEXTARRAYOID],
);

/// The debts that a grant about to come in can pay, oldest first.
pub fn debts_for(session: &Session, book: &Book, grant: &Grant) -> Result<Vec<Debt>, Error> {
    debts(session, book, Some(grant.remaining), grant.meters.as_deref())
}

/// The debts that credits about to come in can pay, oldest first, of certain meters or of any: as many as they can pay
/// in total, or every one.
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
        let debts = rows.iter().map(debt).collect::<Result<Vec<_>, _>>()?;
        let enough = credits.is_none_or(|credits| book.owed_for(&debts) >= credits);
        if enough || (debts.len() as i64) < limit {
            return Ok(debts);
        }
        limit = limit.saturating_mul(8);
    }
}

fn debt(mut row: Row<'_>) -> Result<Debt, Error> {
    let identifier: Option<String> = row.next()?;
    let operation_id: Option<Uuid> = row.next()?;
    let event_name: Option<String> = row.next()?;
    let key: Option<String> = row.next()?;
    let period = key.zip(event_name.clone()).map(|(key, event_name)| Rc::new(Period { event_name, key }));
    let source = match (identifier, operation_id) {
        (Some(identifier), _) => Source::Event(identifier, period),
        (None, Some(operation_id)) => Source::Operation(operation_id),
        (None, None) => return Err(Error::internal("a debt is nobody's")),
    };
    Ok(Debt { source, event_name, consumed: row.next()?, pending: row.next()?, debt_no: row.next()?, changed: false })
}

static PERIOD_DEBTS: Statement = Statement::in_order(
    c"SELECT e.identifier, NULL::uuid, e.event_name, e.period_key, e.consumed, e.pending, o.debt_no
      FROM credits_internal.event_debts o
      JOIN credits_internal.meter_events e ON e.customer_id = o.customer_id AND e.identifier = o.identifier
      WHERE o.customer_id = $1 AND o.currency = $2 AND e.event_name = $3 AND e.period_key = $4",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

/// What is owed for usage that is priced together.
pub fn period_debts(session: &Session, book: &Book, period: &Period) -> Result<Vec<Debt>, Error> {
    if book.pending <= Decimal::ZERO {
        return Ok(Vec::new());
    }
    let arguments = [book.customer_id.cell(), book.currency.cell(), period.event_name.cell(), period.key.cell()];
    PERIOD_DEBTS.run(session, &arguments)?.iter().map(debt).collect()
}

static OPERATION_DEBTS: Statement = Statement::new(
    c"SELECT NULL::text, operation_id, event_name, NULL::text, consumed, pending, debt_no FROM credits_internal.reclaims
      WHERE customer_id = $1 AND operation_id = ANY ($2) AND debt_no IS NOT NULL",
    &[TEXTOID, UUIDARRAYOID],
);

/// The debts, paid or not, of operations with open clawbacks on these grants of the book: captured credits are owed
/// too.
pub fn clawback_debts(session: &Session, book: &Book, grants: &[Uuid]) -> Result<Vec<Debt>, Error> {
    let clawbacks = grants.iter().filter_map(|id| book.grant(*id)).flat_map(|grant| &grant.clawbacks);
    let operations: Vec<Uuid> = clawbacks.map(|clawback| clawback.operation_id).collect();
    if operations.is_empty() {
        return Ok(Vec::new());
    }
    operation_debts(session, book, &operations)
}

/// The debts, paid or not, of operations.
pub fn operation_debts(session: &Session, book: &Book, operations: &[Uuid]) -> Result<Vec<Debt>, Error> {
    OPERATION_DEBTS.run(session, &[book.customer_id.cell(), array(operations)])?.iter().map(debt).collect()
}
