//! Unsettled usage: events of deferred meters that were recorded and not charged yet. They are read from the table, in
//! the statement's own snapshot, once the account is locked: an event that commits later is charged later.

use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::Unsettled;
use crate::ledger::engine::posting::{Key, cells, index};
use crate::pg::cache::Cache;
use crate::pg::statement::{Session, Statement, in_latest_snapshot};
use crate::pg::value::array::array;
use crate::pg::value::{Oid, ToCell};
use pgrx::pg_sys::{BOOLOID, INT8OID, TEXTARRAYOID, TEXTOID};
use std::collections::HashSet;

static IN_USE: Statement = Statement::scanning(
    c"SELECT 'credits_internal.meters'::regclass, EXISTS (SELECT FROM credits_internal.meters WHERE settlement = 'deferred')",
    &[],
);

thread_local! {
    static CACHE: Cache<bool> = Cache::new();
}

/// Whether any deferred meter exists. A meter stays deferred for ever, so the cached answer is wrong only for a moment
/// after the first was created; usage recorded by then is charged a little later.
pub fn may_be(session: &Session) -> Result<bool, Error> {
    let find = || {
        in_latest_snapshot(session, |session| {
            let rows = IN_USE.run(session, &[])?;
            let mut row = rows.first().ok_or_else(|| Error::internal("a question returned no row"))?;
            let table: Oid = row.next()?;
            Ok(Some((row.next()?, vec![table])))
        })
    };
    Ok(CACHE.with(|cache| cache.get_or_find("", find))?.unwrap_or(true))
}

static READ: Statement = Statement::in_order(
    c"SELECT k.ordinal, u.identifier, u.event_name, u.cost, u.created_at, c.decimals,
             CASE WHEN $4 THEN (SELECT m.occurred_at FROM credits_internal.meter_events m
                                WHERE m.customer_id = u.customer_id AND m.identifier = u.identifier
                                  AND m.occurred_at < u.created_at) END
      FROM unnest($1, $2) WITH ORDINALITY AS k (customer_id, currency, ordinal)
      JOIN credits_internal.currencies c ON c.currency = k.currency
      CROSS JOIN LATERAL (
          SELECT * FROM credits_internal.unsettled_events e
          WHERE e.customer_id = k.customer_id AND e.currency = k.currency
          ORDER BY e.created_at, e.identifier LIMIT $3) AS u",
    &[TEXTARRAYOID, TEXTARRAYOID, INT8OID, BOOLOID],
);

/// The unsettled usage of these accounts, the first `most` of each, oldest first.
pub fn read(session: &Session, books: &[Book], most: i64) -> Result<Vec<Vec<Unsettled>>, Error> {
    let mut unsettled: Vec<Vec<Unsettled>> = books.iter().map(|_| Vec::new()).collect();
    let expecting: Vec<usize> = (0..books.len()).filter(|index| books[*index].defers).collect();
    if expecting.is_empty() {
        return Ok(unsettled);
    }
    let cells = [
        array(expecting.iter().map(|index| &books[*index].customer_id)),
        array(expecting.iter().map(|index| &books[*index].currency)),
        most.cell(),
        // When it happened matters in a time of grace alone.
        books.iter().any(|book| book.grace > 0).cell(),
    ];
    for mut row in READ.run(session, &cells)?.iter() {
        let index = index(&mut row, expecting.len())?;
        unsettled[expecting[index]].push(Unsettled {
            identifier: row.next()?,
            event_name: row.next()?,
            cost: row.next()?,
            created_at: row.next()?,
            decimals: u32::from(row.next::<i16>()?.unsigned_abs()),
            occurred_at: row.next()?,
        });
    }
    Ok(unsettled)
}

static ANY: Statement = Statement::in_order(
    c"SELECT true FROM credits_internal.unsettled_events WHERE customer_id = $1 AND currency = $2 LIMIT 1",
    &[TEXTOID, TEXTOID],
);

static WHICH_EXPECT: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency AND a.defers",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Which of these accounts say that usage may be unsettled in them.
pub fn which_expect(session: &Session, keys: &[Key]) -> Result<HashSet<Key>, Error> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    WHICH_EXPECT.run(session, &cells(keys))?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

static EXPECT: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a SET defers = true FROM unnest($1, $2) AS k (customer_id, currency)
      WHERE a.customer_id = k.customer_id AND a.currency = k.currency",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Records in locked accounts that usage may be unsettled in them: before the first such event is recorded, so that an
/// account without this flag has no such event.
pub fn expect(session: &Session, books: &mut [&mut Book]) -> Result<(), Error> {
    if books.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = books.iter().map(|b| (b.customer_id.clone(), b.currency.clone())).collect();
    EXPECT.run(session, &cells(&keys))?;
    books.iter_mut().for_each(|book| book.defers = true);
    Ok(())
}

/// Whether an account has unsettled usage.
pub fn any(session: &Session, customer_id: &str, currency: &str) -> Result<bool, Error> {
    Ok(may_be(session)? && ANY.run(session, &[customer_id.cell(), currency.cell()])?.len() > 0)
}
