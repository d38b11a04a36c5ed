//! The counters of coupons and of their codes: each is changed by one statement with its condition, so that sessions queue for
//! no longer than it takes to commit. Where that leaves too few, redemptions that ran out are released first.
//!
//! The coupon's counter is locked before any of its codes', by everybody: so what happens to the codes of one coupon happens
//! one after another, in whatever order.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_sys::{INT4OID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A coupon, and the code by which it is used.
pub type Used = (Uuid, Option<Uuid>);

/// By how much counters change.
#[derive(Debug, Default)]
pub struct Changes {
    coupons: BTreeMap<Uuid, i32>,
    codes: BTreeMap<Uuid, i32>,
}

impl Changes {
    /// One use more, or fewer.
    pub fn add(&mut self, (coupon_id, code_id): Used, by: i32) {
        *self.coupons.entry(coupon_id).or_default() += by;
        if let Some(code_id) = code_id {
            *self.codes.entry(code_id).or_default() += by;
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// All of it.
    All,
    /// A coupon is used up, and nothing after it changed.
    CouponUsedUp,
    /// A code is used up, and the coupons changed all the same.
    CodeUsedUp,
}

static TAKE: Statement = Statement::new(
    c"UPDATE credits_internal.coupon_counters u
      SET taken = u.taken + $2, first_used_at = coalesce(u.first_used_at, $3)
      WHERE u.coupon_id = $1 AND coalesce(u.taken + $2 <= u.max_redemptions, true)",
    &[UUIDOID, INT4OID, TIMESTAMPTZOID],
);
static TAKE_CODE: Statement = Statement::new(
    c"UPDATE credits_internal.promotion_code_counters u
      SET taken = u.taken + $2, first_used_at = coalesce(u.first_used_at, $3)
      WHERE u.promotion_code_id = $1 AND coalesce(u.taken + $2 <= u.max_redemptions, true)",
    &[UUIDOID, INT4OID, TIMESTAMPTZOID],
);
static GIVE_BACK: Statement = Statement::new(
    c"UPDATE credits_internal.coupon_counters u SET taken = u.taken - $2 WHERE u.coupon_id = $1",
    &[UUIDOID, INT4OID],
);
static GIVE_BACK_CODE: Statement = Statement::new(
    c"UPDATE credits_internal.promotion_code_counters u SET taken = u.taken - $2 WHERE u.promotion_code_id = $1",
    &[UUIDOID, INT4OID],
);
static LOCK: Statement = Statement::new(
    c"SELECT true FROM credits_internal.coupon_counters u WHERE u.coupon_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);

/// Locks the counter of a coupon.
pub fn lock(session: &Session, coupon_id: Uuid) -> Result<(), Error> {
    LOCK.run(session, &[coupon_id.cell()]).map(drop)
}

/// Changes counters, in the order of their ids, the coupons' first.
pub fn change(session: &Session, changes: &Changes, now: Time) -> Result<Changed, Error> {
    for (coupon_id, by) in &changes.coupons {
        let (id, count) = (coupon_id.cell(), by.abs().cell());
        let take = || Ok::<_, Error>(TAKE.run(session, &[id, count, now.cell()])?.written() > 0);
        match by.cmp(&0) {
            Ordering::Less => drop(GIVE_BACK.run(session, &[id, count])?),
            // Its codes change under its lock.
            Ordering::Equal => lock(session, *coupon_id)?,
            Ordering::Greater if take()? => {}
            Ordering::Greater => {
                lock(session, *coupon_id)?;
                release(session, &[*coupon_id], now, *by)?;
                if !take()? {
                    return Ok(Changed::CouponUsedUp);
                }
            }
        }
    }
    for (code_id, by) in &changes.codes {
        let (id, count) = (code_id.cell(), by.abs().cell());
        let take = || Ok::<_, Error>(TAKE_CODE.run(session, &[id, count, now.cell()])?.written() > 0);
        match by.cmp(&0) {
            Ordering::Less => drop(GIVE_BACK_CODE.run(session, &[id, count])?),
            Ordering::Equal => {}
            Ordering::Greater if take()? => {}
            Ordering::Greater => {
                // Whichever of its coupon's ran out.
                let coupons: Vec<Uuid> = changes.coupons.keys().copied().collect();
                release(session, &coupons, now, i32::MAX)?;
                if !take()? {
                    return Ok(Changed::CodeUsedUp);
                }
            }
        }
    }
    Ok(Changed::All)
}

// The counters of the coupons are locked. What is over quota never runs out.
static RELEASE: Statement = Statement::new(
    c"WITH late AS (
          SELECT r.customer_id, r.holder_id
          FROM unnest($1) AS k (coupon_id)
          CROSS JOIN LATERAL (
              SELECT r.* FROM credits_internal.redemptions r
              WHERE r.coupon_id = k.coupon_id AND r.released_at IS NULL AND r.expires_at <= $2
              ORDER BY r.expires_at LIMIT $3 FOR UPDATE SKIP LOCKED) r
          LIMIT $3
      ), released AS (
          UPDATE credits_internal.redemptions r SET released_at = $2, last_log_no = r.last_log_no + 1
          FROM late l
          WHERE r.customer_id = l.customer_id AND r.holder_id = l.holder_id
          RETURNING r.*
      ), logged AS (
          INSERT INTO credits_internal.discount_log (customer_id, holder_id, log_no, action, coupon_id, promotion_code_id,
                                                     amount, currency, created_at)
          SELECT r.customer_id, r.holder_id, r.last_log_no, 'released', r.coupon_id, r.promotion_code_id, r.amount,
                 r.currency, $2
          FROM released r
      ), counted AS (
          UPDATE credits_internal.coupon_counters u SET taken = u.taken - r.n
          FROM (SELECT r.coupon_id, count(*)::int AS n FROM released r GROUP BY r.coupon_id) r
          WHERE u.coupon_id = r.coupon_id
      ), codes_counted AS (
          UPDATE credits_internal.promotion_code_counters u SET taken = u.taken - r.n
          FROM (SELECT r.promotion_code_id, count(*)::int AS n FROM released r GROUP BY r.promotion_code_id) r
          WHERE u.promotion_code_id = r.promotion_code_id
      )
      SELECT r.customer_id, r.holder_id FROM released r",
    &[UUIDARRAYOID, TIMESTAMPTZOID, INT4OID],
);

/// Releases redemptions of coupons that ran out, the oldest first, at most so many; how many. Their counters are locked.
pub fn release(session: &Session, coupons: &[Uuid], now: Time, most: i32) -> Result<i32, Error> {
    let rows = RELEASE.run(session, &[array(coupons.iter().copied()), now.cell(), most.cell()])?;
    for mut row in rows.iter() {
        let (customer_id, holder_id): (String, Uuid) = (row.next()?, row.next()?);
        billing_event::record(session, EventType::DiscountDeleted, holder_id, Some(&customer_id), now)?;
    }
    Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
}

static LATE: Statement = Statement::in_order(
    c"SELECT DISTINCT l.coupon_id
      FROM (SELECT r.coupon_id FROM credits_internal.redemptions r
            WHERE r.released_at IS NULL AND r.expires_at <= $1 ORDER BY r.expires_at LIMIT $2) l",
    &[TIMESTAMPTZOID, INT4OID],
)
.before(c"SELECT NULL::uuid WHERE $1 IS NULL AND $2 IS NULL");

static LOCK_FREE: Statement = Statement::new(
    c"SELECT u.coupon_id FROM credits_internal.coupon_counters u WHERE u.coupon_id = ANY ($1)
      ORDER BY u.coupon_id FOR NO KEY UPDATE SKIP LOCKED",
    &[UUIDARRAYOID],
);

/// Releases what ran out, of coupons that nobody has locked; how many redemptions.
pub fn release_late(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let rows = LATE.run(session, &[now.cell(), most.cell()])?;
    let coupons: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    if coupons.is_empty() {
        return Ok(0);
    }
    let rows = LOCK_FREE.run(session, &[array(coupons.iter().copied())])?;
    let coupons: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    release(session, &coupons, now, most)
}
