//! Ensures that accounts exist: which there are, and creating those that are missing.

use crate::error::Error;
use crate::ledger::engine::posting::{Key, cells};
use crate::pg::statement::{Session, Statement};
use pgrx::pg_sys::TEXTARRAYOID;
use std::collections::HashSet;

// Nothing else keeps a customer from being deleted while its first account is made.
static KEEP_CUSTOMERS: Statement = Statement::new(
    c"SELECT true
      FROM credits_internal.customers c
      WHERE c.customer_id = ANY ($1)
      ORDER BY c.customer_id
      FOR KEY SHARE OF c",
    &[TEXTARRAYOID],
);

// Those that are there are locked on the way, and nothing of them changes: else this would create a later account, and
// then wait for an earlier one, of a transaction that waits for what this creates.
static MAKE: Statement = Statement::new(
    c"INSERT INTO credits_internal.accounts AS a (customer_id, currency)
      SELECT k.customer_id, k.currency FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.customers c ON c.customer_id = k.customer_id
      ORDER BY k.customer_id, k.currency
      ON CONFLICT (customer_id, currency) DO UPDATE SET last_line = a.last_line WHERE false",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

static COUNT: Statement = Statement::new(
    c"SELECT count(*) FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Creates those of these accounts that are missing, if their customers exist. Must come before any account is locked:
/// it may wait for another session that creates one of them.
pub fn make(session: &Session, keys: &[Key]) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let cells = cells(keys);
    let there: i64 = match COUNT.run(session, &cells)?.first() {
        Some(mut row) => row.next()?,
        None => 0,
    };
    if usize::try_from(there) != Ok(keys.len()) {
        KEEP_CUSTOMERS.run(session, &cells[..1])?;
        MAKE.run(session, &cells)?;
    }
    Ok(())
}

static THERE: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Which of these accounts exist.
pub fn which_are_there(session: &Session, keys: &[Key]) -> Result<HashSet<Key>, Error> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    THERE.run(session, &cells(keys))?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}
