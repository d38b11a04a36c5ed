//! A code's row, as it is written and read again; who may use it, and how often.

use crate::catalog::coupon::too_few;
use crate::catalog::promotion_code::terms::{Code, Given, key_of};
use crate::catalog::redemption::counter;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_sys::{BOOLOID, INT4OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// PC019: no code has that id.
pub fn unknown(code_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "promotion_code", id: code_id.to_string() }
}

static STORED: Statement = Statement::new(
    c"SELECT p.coupon_id, p.code, p.active, p.starts_at, p.expires_at, p.verification_type, p.restrictions::text,
             p.description, p.metadata::text,
             CASE WHEN p.for_customers THEN ARRAY(SELECT w.customer_id FROM credits_internal.promotion_code_customers w
                                                  WHERE w.promotion_code_id = p.promotion_code_id ORDER BY 1)::text[] END
      FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1",
    &[UUIDOID],
);

/// What a code was given, except for max_redemptions, and its coupon. Raises PC019.
pub fn stored(session: &Session, code_id: Uuid) -> Result<(Uuid, Given), Error> {
    let rows = STORED.run(session, &[code_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(code_id))?;
    let coupon_id = row.next()?;
    let given = Given {
        code: row.next()?,
        active: row.next()?,
        starts_at: row.next()?,
        expires_at: row.next()?,
        verification_type: row.next()?,
        restrictions: row.next()?,
        description: row.next()?,
        metadata: row.next()?,
        customers: row.next()?,
        max_redemptions: None,
    };
    Ok((coupon_id, given))
}

static INSERT: Statement = Statement::new(
    c"WITH counter AS (
          INSERT INTO credits_internal.promotion_code_counters (promotion_code_id, max_redemptions) VALUES ($1, $13))
      INSERT INTO credits_internal.promotion_codes (promotion_code_id, coupon_id, code, code_key, active, starts_at, expires_at,
          verification_type, for_customers, restrictions, description, metadata, created_at, updated_at)
      VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8, $9::jsonb, $10, $11::jsonb, $12, $12)",
    &[
        UUIDOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TIMESTAMPTZOID,
        INT4OID,
    ],
);

/// Writes a new code, with its counter and its customers.
pub fn insert(
    session: &Session,
    (code_id, coupon_id): (Uuid, Uuid),
    text: &str,
    code: &Code,
    now: Time,
) -> Result<(), Error> {
    let cells = [
        code_id.cell(),
        coupon_id.cell(),
        text.cell(),
        key_of(text).cell(),
        code.starts_at.cell(),
        code.expires_at.cell(),
        code.verification_type.cell(),
        code.customers.is_some().cell(),
        code.restrictions.text().cell(),
        code.description.cell(),
        code.metadata.cell(),
        now.cell(),
        code.max_redemptions.cell(),
    ];
    INSERT.run(session, &cells)?;
    put_customers(session, code_id, code.customers.as_deref().unwrap_or_default())
}

static PUT_CUSTOMERS: Statement = Statement::new(
    c"INSERT INTO credits_internal.promotion_code_customers (customer_id, promotion_code_id)
      SELECT k.customer_id, $2 FROM unnest($1) AS k (customer_id)",
    &[TEXTARRAYOID, UUIDOID],
);

fn put_customers(session: &Session, code_id: Uuid, customers: &[String]) -> Result<(), Error> {
    if customers.is_empty() {
        return Ok(());
    }
    PUT_CUSTOMERS.run(session, &[array(customers.iter()), code_id.cell()]).map(drop)
}

static FORGET_CUSTOMERS: Statement = Statement::new(
    c"DELETE FROM credits_internal.promotion_code_customers w WHERE w.promotion_code_id = $1",
    &[UUIDOID],
);

/// Writes who may use it, instead of those before.
pub fn replace_customers(session: &Session, code_id: Uuid, customers: &[String]) -> Result<(), Error> {
    FORGET_CUSTOMERS.run(session, &[code_id.cell()])?;
    put_customers(session, code_id, customers)
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.promotion_codes p
      SET active = $2, starts_at = $3, expires_at = $4, verification_type = $5, for_customers = $6, restrictions = $7::jsonb,
          description = $8, metadata = $9::jsonb, updated_at = $10
      WHERE p.promotion_code_id = $1",
    &[
        UUIDOID,
        BOOLOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TIMESTAMPTZOID,
    ],
);

/// Writes all that can change of its row.
pub fn update(session: &Session, code_id: Uuid, code: &Code, for_customers: bool) -> Result<(), Error> {
    let cells = [
        code_id.cell(),
        code.active.cell(),
        code.starts_at.cell(),
        code.expires_at.cell(),
        code.verification_type.cell(),
        for_customers.cell(),
        code.restrictions.text().cell(),
        code.description.cell(),
        code.metadata.cell(),
        settings::now()?.cell(),
    ];
    UPDATE.run(session, &cells).map(drop)
}

static LIMIT: Statement = Statement::new(
    c"UPDATE credits_internal.promotion_code_counters u SET max_redemptions = $2
      WHERE u.promotion_code_id = $1 AND coalesce(u.taken <= $2, true)",
    &[UUIDOID, INT4OID],
);
static TAKEN: Statement = Statement::new(
    c"SELECT u.taken FROM credits_internal.promotion_code_counters u WHERE u.promotion_code_id = $1",
    &[UUIDOID],
);

/// Says how often it may be used; what ran out does not count. Raises PC013 where it is used more often.
pub fn limit(session: &Session, (code_id, coupon_id): (Uuid, Uuid), most: Option<i32>, now: Time) -> Result<(), Error> {
    // A code's counter changes under its coupon's lock.
    counter::lock(session, coupon_id)?;
    let set = || Ok::<_, Error>(LIMIT.run(session, &[code_id.cell(), most.cell()])?.written() > 0);
    if set()? {
        return Ok(());
    }
    counter::release(session, &[coupon_id], now, i32::MAX)?;
    if set()? {
        return Ok(());
    }
    Err(too_few(TAKEN.run(session, &[code_id.cell()])?.first().map_or(Ok(0), |mut row| row.next())?))
}

static DELETE: Statement = Statement::new(
    c"WITH counter AS (DELETE FROM credits_internal.promotion_code_counters u WHERE u.promotion_code_id = $1),
      customers AS (DELETE FROM credits_internal.promotion_code_customers w WHERE w.promotion_code_id = $1)
      DELETE FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1",
    &[UUIDOID],
);

/// Deletes one that nobody can use any more.
pub fn delete(session: &Session, code_id: Uuid) -> Result<(), Error> {
    DELETE.run(session, &[code_id.cell()]).map(drop)
}
