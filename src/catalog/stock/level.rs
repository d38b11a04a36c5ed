//! How many units of a price there are: the merchant's to say.

use crate::catalog::stock::counter;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{INT4OID, INT8OID, UUIDOID};
use uuid::Uuid;

/// What price_update() takes for any number.
pub const UNLIMITED: i32 = -1;

static UNLIMIT: Statement = Statement::new(
    c"UPDATE credits_internal.price_stock s SET quantity_available = NULL WHERE s.price_id = $1",
    &[UUIDOID],
);

static SET: Statement = Statement::new(
    c"INSERT INTO credits_internal.price_stock AS s (price_id, quantity_available) VALUES ($1, $2)
      ON CONFLICT (price_id) DO UPDATE SET quantity_available = EXCLUDED.quantity_available
      WHERE s.taken <= EXCLUDED.quantity_available",
    &[UUIDOID, INT4OID],
);

/// Says how many there are, or [`UNLIMITED`]. Raises PC013 where more are taken.
pub fn set(session: &Session, price_id: Uuid, quantity: i32, now: Time) -> Result<(), Error> {
    if quantity == UNLIMITED {
        return UNLIMIT.run(session, &[price_id.cell()]).map(drop);
    }
    let set = || Ok(SET.run(session, &[price_id.cell(), quantity.cell()])?.written() > 0);
    match put(session, price_id, now, set)? {
        None => Ok(()),
        Some(Level { taken, .. }) => {
            let reason = format!("must be at least {taken}: so many are taken");
            Err(Error::argument("quantity_available", reason))
        }
    }
}

static CHANGE: Statement = Statement::new(
    c"UPDATE credits_internal.price_stock s SET quantity_available = s.quantity_available + $2
      WHERE s.price_id = $1 AND s.quantity_available + $2 BETWEEN s.taken AND 2147483647",
    &[UUIDOID, INT8OID],
);

/// Changes how many there are, by so many more or fewer. Raises PC013 where more are taken, PC020 where there is no limit.
pub fn change(session: &Session, price_id: Uuid, by: i64, now: Time) -> Result<(), Error> {
    let change = || Ok(CHANGE.run(session, &[price_id.cell(), by.cell()])?.written() > 0);
    match put(session, price_id, now, change)? {
        None => Ok(()),
        Some(Level { available: None, .. }) => {
            Err(Error::StateConflict { object: "price", id: price_id.to_string(), state: "unlimited" })
        }
        Some(Level { available: Some(available), taken }) if by < 0 => {
            let (most, taken) = (available - taken, if taken > 0 { taken.to_string() } else { String::from("none") });
            let reason = format!("must be at most {most} to take away: of {available} available, {taken} are taken");
            Err(Error::argument("quantity", reason))
        }
        Some(Level { available: Some(available), .. }) => {
            let reason = format!("must be at most {} to add: {available} are available", i32::MAX - available);
            Err(Error::argument("quantity", reason))
        }
    }
}

/// What a counter says.
struct Level {
    available: Option<i32>,
    taken: i32,
}

static READ: Statement = Statement::new(
    c"SELECT s.quantity_available, s.taken FROM credits_internal.price_stock s WHERE s.price_id = $1",
    &[UUIDOID],
);

/// Does it or, where it cannot be done, does it after what ran out was released. Returns what rules it out.
fn put(
    session: &Session,
    price_id: Uuid,
    now: Time,
    write: impl Fn() -> Result<bool, Error>,
) -> Result<Option<Level>, Error> {
    if write()? {
        return Ok(None);
    }
    if counter::lock(session, price_id)? {
        counter::release(session, &[price_id], now, i32::MAX)?;
        if write()? {
            return Ok(None);
        }
    }
    match READ.run(session, &[price_id.cell()])?.first() {
        Some(mut row) => Ok(Some(Level { available: row.next()?, taken: row.next()? })),
        None => Ok(Some(Level { available: None, taken: 0 })),
    }
}

static FORGET: Statement =
    Statement::new(c"DELETE FROM credits_internal.price_stock s WHERE s.price_id = $1", &[UUIDOID]);

/// Forgets the counter of a price that nobody can use any more.
pub fn forget(session: &Session, price_id: Uuid) -> Result<(), Error> {
    FORGET.run(session, &[price_id.cell()]).map(drop)
}
