//! Whether a price was ever used: sold, or chosen for recharges. Its amounts are frozen then, and it can only be archived.
//!
//! Whoever is about to use a price for the first time shares a lock of its row before he reads it, and a change of what is
//! frozen takes that lock alone: so neither passes the other. That it is used is recorded later, after the customer and his
//! accounts are locked, in the order of all locks. Uses after that only look, and lock nothing.

use crate::error::Error;
use crate::pg::statement::{Session, Statement, in_latest_snapshot};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static IS_USED: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.price_usage WHERE price_id = $1", &[UUIDOID])
        .before(c"SELECT 1 WHERE $1 IS NOT NULL");

static SHARE: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.prices WHERE price_id = $1 FOR SHARE", &[UUIDOID]);

static USE: Statement = Statement::new(
    c"INSERT INTO credits_internal.price_usage (price_id, first_used_at) VALUES ($1, $2) ON CONFLICT (price_id) DO NOTHING",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// Whether it was used.
pub fn is_used(session: &Session, price_id: Uuid) -> Result<bool, Error> {
    Ok(IS_USED.run(session, &[price_id.cell()])?.len() > 0)
}

/// Keeps a price that nobody has used from being changed until the transaction ends.
pub fn share(session: &Session, price_id: Uuid) -> Result<(), Error> {
    if !is_used(session, price_id)? {
        SHARE.run(session, &[price_id.cell()])?;
    }
    Ok(())
}

/// Records that a price is used, which is shared.
pub fn record(session: &Session, price_id: Uuid) -> Result<(), Error> {
    if !is_used(session, price_id)? {
        USE.run(session, &[price_id.cell(), settings::now()?.cell()])?;
    }
    Ok(())
}

static LOCK: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.prices WHERE price_id = $1 FOR UPDATE", &[UUIDOID]);

/// Locks a price so that nobody uses it first meanwhile. Raises PC015 if there is none, PC020 if it was used.
pub fn lock_unused(session: &Session, price_id: Uuid) -> Result<(), Error> {
    if LOCK.run(session, &[price_id.cell()])?.len() == 0 {
        return Err(Error::PriceNotFound { price_id, archived: false });
    }
    // Whatever the caller's own snapshot shows.
    match in_latest_snapshot(session, |session| is_used(session, price_id))? {
        true => Err(Error::StateConflict { object: "price", id: price_id.to_string(), state: "used" }),
        false => Ok(()),
    }
}
