//! Stock: how many units of a price are left, and who has some of them set aside. A holder is whatever is to be paid for, by
//! its id: an invoice, a top-up. Its reservation ends when it is released, or at a time that is said with it.
//!
//! `taken` of a price is the sum of its unreleased reservations, always: a payment touches neither. Only prices that have a
//! limit are counted, from when they have one.
//!
//! The counters of prices are the last that an invoice's call locks, in the order of the prices' ids: see
//! ledger/engine/posting.rs. What a holder has reserved changes under the lock of the holder, and is locked before the
//! counters. Whoever releases what ran out passes over reservations that are locked, so nobody waits for them with a counter
//! in hand.

mod counter;
pub mod level;

use crate::amount::{AmountError, Decimal};
use crate::catalog::stock::counter::Taken;
use crate::error::Error;
use crate::ledger::customer::deletion::is_any;
use crate::ledger::listener::Listener;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use std::collections::BTreeMap;
use uuid::Uuid;

pub use counter::release_late;

/// Units of prices, in the order of their ids.
type Units = BTreeMap<Uuid, Decimal>;

static LIMITED: Statement = Statement::new(
    c"SELECT s.price_id FROM unnest($1) AS k (price_id)
      JOIN credits_internal.price_stock s ON s.price_id = k.price_id AND s.quantity_available IS NOT NULL",
    &[UUIDARRAYOID],
)
.before(c"SELECT NULL::uuid WHERE num_nonnulls($1) < 0");

// Locked, so that none of it runs out meanwhile.
static HELD: Statement = Statement::new(
    c"SELECT r.price_id, r.quantity::numeric, r.released_at IS NULL FROM credits_internal.stock_reservations r
      WHERE r.customer_id = $1 AND r.holder_id = $2 ORDER BY r.price_id FOR NO KEY UPDATE",
    &[TEXTOID, UUIDOID],
);

static RESERVE: Statement = Statement::new(
    c"INSERT INTO credits_internal.stock_reservations (customer_id, holder_id, price_id, quantity, reserved_at, expires_at)
      SELECT $1, $2, k.price_id, k.quantity, $5, $6 FROM unnest($3, $4) AS k (price_id, quantity)
      ON CONFLICT (customer_id, holder_id, price_id) DO UPDATE
      SET quantity = EXCLUDED.quantity, reserved_at = EXCLUDED.reserved_at, expires_at = EXCLUDED.expires_at,
          released_at = NULL",
    &[TEXTOID, UUIDOID, UUIDARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

/// Sets units of prices aside for a holder, who is locked: all of them, or none. What it holds of a price already counts
/// towards that. Prices without a limit are left out. `None` for a reservation that does not expire. Raises PC013 where it is
/// no whole number of units, PC017.
pub fn reserve(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    wanted: &[(Uuid, Decimal)],
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    let wanted = limited(session, wanted)?;
    if wanted.is_empty() {
        return Ok(());
    }
    let mut missing = wanted.clone();
    for (price_id, units, _) in held(session, customer_id, holder_id)?.into_iter().filter(|(_, _, is_held)| *is_held) {
        missing.entry(price_id).and_modify(|missing| *missing -= units);
    }
    match counter::take(session, &missing, now)? {
        Taken::Short(short) => {
            counter::give_back(session, &short.taken)?;
            Err(Error::OutOfStock(short.why))
        }
        Taken::All(taken) => {
            let reserved = wanted.iter().filter(|(price_id, _)| taken.contains_key(price_id));
            put(session, customer_id, holder_id, reserved, expires_at, now)
        }
    }
}

/// Those that have a limit, with how many units of each.
fn limited(session: &Session, wanted: &[(Uuid, Decimal)]) -> Result<Units, Error> {
    if wanted.is_empty() {
        return Ok(Units::new());
    }
    let rows = LIMITED.run(session, &[array(wanted.iter().map(|(price_id, _)| *price_id))])?;
    let limited: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    add_up(wanted, &limited)
}

/// How many units of each of these prices are wanted. Raises PC013 where that is not whole.
fn add_up(wanted: &[(Uuid, Decimal)], limited: &[Uuid]) -> Result<Units, Error> {
    let mut units = Units::new();
    for (price_id, quantity) in wanted.iter().filter(|(price_id, _)| limited.contains(price_id)) {
        if !quantity.is_integer() {
            let reason = format!("must be whole, and is {quantity}: units of price {price_id} are counted");
            return Err(Error::argument("quantity", reason));
        }
        let sum = units.entry(*price_id).or_default();
        let too_many = || Error::amount("quantity", *quantity, AmountError::TooManyDigits);
        *sum = sum.checked_add(*quantity).ok_or_else(too_many)?;
    }
    Ok(units)
}

/// What a holder reserved of each price, and whether it holds that still.
fn held(session: &Session, customer_id: &str, holder_id: Uuid) -> Result<Vec<(Uuid, Decimal, bool)>, Error> {
    let rows = HELD.run(session, &[customer_id.cell(), holder_id.cell()])?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?, row.next()?))).collect()
}

/// Records what is reserved, once it is taken.
fn put<'u>(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    units: impl Iterator<Item = (&'u Uuid, &'u Decimal)>,
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    let (prices, quantities): (Vec<Uuid>, Vec<Decimal>) = units.map(|(price_id, units)| (*price_id, *units)).unzip();
    let (prices, quantities) = (array(prices.iter().copied()), array(quantities.iter().copied()));
    let cells = [customer_id.cell(), holder_id.cell(), prices, quantities, now.cell(), expires_at.cell()];
    RESERVE.run(session, &cells).map(drop)
}

static KEEP: Statement = Statement::new(
    c"UPDATE credits_internal.stock_reservations r SET expires_at = NULL
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL AND r.expires_at IS NOT NULL",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2) < 0");

/// What a holder has reserved and still holds does not expire any more: a payment for it is under way, or came.
pub fn keep(session: &Session, customer_id: &str, holder_id: Uuid) -> Result<(), Error> {
    KEEP.run(session, &[customer_id.cell(), holder_id.cell()]).map(drop)
}

static LAPSE: Statement = Statement::new(
    c"UPDATE credits_internal.stock_reservations r SET expires_at = $3
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL AND coalesce(r.expires_at > $3, true)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3) < 0");

/// What a holder has reserved runs out now: it goes to whoever needs it, or maintenance releases it. No counter is locked.
pub fn lapse(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    LAPSE.run(session, &[customer_id.cell(), holder_id.cell(), now.cell()]).map(drop)
}

static RELEASE: Statement = Statement::new(
    c"UPDATE credits_internal.stock_reservations r SET released_at = $3
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL
      RETURNING r.price_id, r.quantity::numeric",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
)
.before(c"SELECT NULL::uuid, 0::numeric WHERE num_nonnulls($1, $2, $3) < 0");

/// Gives back what a holder has reserved, if it holds any of it.
pub fn release(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    let rows = RELEASE.run(session, &[customer_id.cell(), holder_id.cell(), now.cell()])?;
    let units: Units = rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect::<Result<_, Error>>()?;
    counter::give_back(session, &units)
}

static EXTEND: Statement = Statement::new(
    c"UPDATE credits_internal.stock_reservations r SET expires_at = $3
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Has a holder hold again all that it ever reserved, whether or not it was released since. Returns whether it does: where
/// some of it is gone, nothing changes.
pub fn retake(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    expires_at: Option<Time>,
    now: Time,
) -> Result<bool, Error> {
    let all = held(session, customer_id, holder_id)?;
    let released = all.into_iter().filter(|(_, _, is_held)| !is_held);
    let missing: Units = released.map(|(price_id, units, _)| (price_id, units)).collect();
    match counter::take(session, &missing, now)? {
        Taken::Short(short) => {
            counter::give_back(session, &short.taken)?;
            Ok(false)
        }
        Taken::All(taken) => {
            if !taken.is_empty() {
                put(session, customer_id, holder_id, taken.iter(), expires_at, now)?;
            }
            EXTEND.run(session, &[customer_id.cell(), holder_id.cell(), expires_at.cell()])?;
            Ok(true)
        }
    }
}

static RESERVED: Statement = Statement::new(
    c"SELECT true WHERE EXISTS (SELECT FROM credits_internal.stock_reservations r WHERE r.customer_id = $1)",
    &[TEXTOID],
)
.before(c"SELECT true WHERE $1 IS NULL");

/// Signed up in lib.rs.
pub struct Stock;

impl Listener for Stock {
    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &RESERVED, customer_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_a_price_add_up_and_are_whole() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let wanted = [(b, Decimal::from(2)), (a, Decimal::new(50, 1)), (c, Decimal::new(15, 1)), (b, Decimal::ONE)];
        let units = add_up(&wanted, &[b, a]).unwrap();
        assert_eq!(units.into_iter().collect::<Vec<_>>(), [(a, Decimal::from(5)), (b, Decimal::from(3))]);
        assert!(add_up(&wanted, &[]).unwrap().is_empty());
        let refused = add_up(&wanted, &[c]).unwrap_err();
        assert_eq!(refused.to_string(), format!("quantity must be whole, and is 1.5: units of price {c} are counted"));
        let most = [(a, Decimal::MAX), (a, Decimal::MAX)];
        assert_eq!(add_up(&most, &[a]).unwrap_err().sqlstate(), "PC007");
    }
}
