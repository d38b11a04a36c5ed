//! The counters of prices: each is changed by one statement with its condition, so that sessions queue for no longer than it
//! takes to commit. Where that leaves too little, reservations that ran out are released first.

use crate::amount::Decimal;
use crate::catalog::stock::Units;
use crate::error::{Error, OutOfStock};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_sys::{INT4OID, NUMERICOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

/// What came of taking units of prices.
pub enum Taken {
    /// All of them, except for prices that have no limit any more.
    All(Units),
    /// Too few of one are left.
    Short(Short),
}

/// Where too few are left.
pub struct Short {
    /// What is taken all the same, of the prices before.
    pub taken: Units,
    /// Which, and how many.
    pub why: OutOfStock,
}

static TAKE: Statement = Statement::new(
    c"UPDATE credits_internal.price_stock s SET taken = s.taken + $2
      WHERE s.price_id = $1 AND s.taken + $2 <= s.quantity_available",
    &[UUIDOID, NUMERICOID],
);

fn take_one(session: &Session, price_id: Uuid, units: Decimal) -> Result<bool, Error> {
    Ok(units.is_zero() || TAKE.run(session, &[price_id.cell(), units.cell()])?.written() > 0)
}

/// Takes units of prices, in the order of these: all of them or, where too few of one are left, some.
pub fn take(session: &Session, wanted: &Units, now: Time) -> Result<Taken, Error> {
    let (mut taken, mut scarce) = (Units::new(), Vec::new());
    for (price_id, units) in wanted {
        if take_one(session, *price_id, *units)? {
            taken.insert(*price_id, *units);
            continue;
        }
        let Some((left, late)) = left(session, *price_id, now)? else { continue };
        if *units > Decimal::from(left + late) {
            let why = OutOfStock { price_id: *price_id, available: left + late, requested: *units };
            return Ok(Taken::Short(Short { taken, why }));
        }
        // In its turn: what ran out is released once all counters are locked.
        LOCK.run(session, &[price_id.cell()])?;
        scarce.push((*price_id, *units));
    }
    for (price_id, units) in scarce {
        let Some((before, _)) = left(session, price_id, now)? else { continue };
        // Each reservation has a unit at least.
        let missing = i32::try_from(units - Decimal::from(before)).unwrap_or(i32::MAX).max(0);
        release(session, &[price_id], now, missing)?;
        if take_one(session, price_id, units)? {
            taken.insert(price_id, units);
        } else if let Some((available, _)) = left(session, price_id, now)? {
            // What ran out and is locked is being kept.
            let why = OutOfStock { price_id, available, requested: units };
            return Ok(Taken::Short(Short { taken, why }));
        }
    }
    Ok(Taken::All(taken))
}

static LEFT: Statement = Statement::new(
    c"SELECT s.quantity_available::bigint - s.taken, l.late
      FROM credits_internal.price_stock s
      CROSS JOIN LATERAL (
          SELECT coalesce(sum(r.quantity), 0)::bigint AS late FROM credits_internal.stock_reservations r
          WHERE r.price_id = s.price_id AND r.released_at IS NULL AND r.expires_at <= $2) l
      WHERE s.price_id = $1 AND s.quantity_available IS NOT NULL",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// How many are left, and how many are in reservations that ran out; `None` where there is no limit.
fn left(session: &Session, price_id: Uuid, now: Time) -> Result<Option<(i64, i64)>, Error> {
    let rows = LEFT.run(session, &[price_id.cell(), now.cell()])?;
    rows.first().map(|mut row| Ok((row.next()?, row.next()?))).transpose()
}

static LOCK: Statement = Statement::new(
    c"SELECT true FROM credits_internal.price_stock s WHERE s.price_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);

/// Locks a counter. Returns whether there is one.
pub fn lock(session: &Session, price_id: Uuid) -> Result<bool, Error> {
    Ok(LOCK.run(session, &[price_id.cell()])?.len() > 0)
}

static GIVE_BACK: Statement = Statement::new(
    c"UPDATE credits_internal.price_stock s SET taken = s.taken - $2 WHERE s.price_id = $1",
    &[UUIDOID, NUMERICOID],
);

/// Gives units of prices back, in the order of these.
pub fn give_back(session: &Session, units: &Units) -> Result<(), Error> {
    for (price_id, units) in units {
        GIVE_BACK.run(session, &[price_id.cell(), units.cell()])?;
    }
    Ok(())
}

static RELEASE: Statement = Statement::new(
    c"WITH late AS (
          SELECT r.customer_id, r.holder_id, r.price_id
          FROM unnest($1) AS k (price_id)
          CROSS JOIN LATERAL (
              SELECT r.* FROM credits_internal.stock_reservations r
              WHERE r.price_id = k.price_id AND r.released_at IS NULL AND r.expires_at <= $2
              ORDER BY r.expires_at LIMIT $3 FOR UPDATE SKIP LOCKED) r
          LIMIT $3
      ), released AS (
          UPDATE credits_internal.stock_reservations r SET released_at = $2
          FROM late l
          WHERE r.customer_id = l.customer_id AND r.holder_id = l.holder_id AND r.price_id = l.price_id
          RETURNING r.price_id, r.quantity
      ), counted AS (
          UPDATE credits_internal.price_stock s SET taken = s.taken - r.quantity
          FROM (SELECT r.price_id, sum(r.quantity) AS quantity FROM released r GROUP BY r.price_id) r
          WHERE s.price_id = r.price_id
      )
      SELECT count(*)::int FROM released",
    &[UUIDARRAYOID, TIMESTAMPTZOID, INT4OID],
);

/// Releases reservations of prices that ran out, the oldest first, at most so many; how many. Their counters are locked.
pub fn release(session: &Session, prices: &[Uuid], now: Time, most: i32) -> Result<i32, Error> {
    let rows = RELEASE.run(session, &[array(prices.iter().copied()), now.cell(), most.cell()])?;
    rows.first().map_or(Ok(0), |mut row| row.next())
}

static LATE: Statement = Statement::in_order(
    c"SELECT DISTINCT l.price_id
      FROM (SELECT r.price_id FROM credits_internal.stock_reservations r
            WHERE r.released_at IS NULL AND r.expires_at <= $1 ORDER BY r.expires_at LIMIT $2) l",
    &[TIMESTAMPTZOID, INT4OID],
)
.before(c"SELECT NULL::uuid WHERE $1 IS NULL AND $2 IS NULL");

static LOCK_FREE: Statement = Statement::new(
    c"SELECT s.price_id FROM credits_internal.price_stock s WHERE s.price_id = ANY ($1)
      ORDER BY s.price_id FOR NO KEY UPDATE SKIP LOCKED",
    &[UUIDARRAYOID],
);

/// Releases what ran out, of prices that nobody has locked; how many reservations.
pub fn release_late(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let rows = LATE.run(session, &[now.cell(), most.cell()])?;
    let prices: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    if prices.is_empty() {
        return Ok(0);
    }
    let rows = LOCK_FREE.run(session, &[array(prices.iter().copied())])?;
    let prices: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    release(session, &prices, now, most)
}
