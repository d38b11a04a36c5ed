//! A coupon's row, as it is written and read again; and how often it may be used.

use crate::catalog::coupon::terms::{Coupon, Given};
use crate::catalog::redemption::counter;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{BOOLOID, INT4OID, NUMERICOID, Oid, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

/// PC019: no coupon has that id.
pub fn unknown(coupon_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "coupon", id: coupon_id.to_string() }
}

static STORED: Statement = Statement::new(
    c"SELECT c.name, c.description, c.percent_off, c.amount_off, c.currency, c.currency_options::text, c.credit_config::text,
             c.duration, c.duration_in_months, c.applies_to_products, c.max_redemptions_per_customer, c.redeem_by, c.active,
             c.metadata::text
      FROM credits_internal.coupons c WHERE c.coupon_id = $1",
    &[UUIDOID],
);

/// What a coupon was given, except for max_redemptions. Raises PC019.
pub fn stored(session: &Session, coupon_id: Uuid) -> Result<Given, Error> {
    let rows = STORED.run(session, &[coupon_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(coupon_id))?;
    Ok(Given {
        name: row.next()?,
        description: row.next()?,
        percent_off: row.next()?,
        amount_off: row.next()?,
        currency: row.next()?,
        currency_options: row.next()?,
        credit_config: row.next()?,
        duration: row.next()?,
        months: row.next()?,
        products: row.next()?,
        per_customer: row.next()?,
        redeem_by: row.next()?,
        active: row.next()?,
        metadata: row.next()?,
        max_redemptions: None,
    })
}

const PARAMETERS: [Oid; 16] = [
    UUIDOID,
    TIMESTAMPTZOID,
    TEXTOID,
    TEXTOID,
    NUMERICOID,
    NUMERICOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    INT4OID,
    UUIDARRAYOID,
    INT4OID,
    TIMESTAMPTZOID,
    BOOLOID,
    TEXTOID,
];

/// Writes a new coupon.
pub static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.coupons (coupon_id, created_at, updated_at, name, description, percent_off, amount_off,
          currency, currency_options, credit_config, duration, duration_in_months, applies_to_products,
          max_redemptions_per_customer, redeem_by, active, metadata)
      VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10, $11, $12, $13, $14, $15, $16::jsonb)",
    &PARAMETERS,
);

/// Writes all that can change of one.
pub static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.coupons c
      SET updated_at = $2, name = $3, description = $4, percent_off = $5, amount_off = $6, currency = $7,
          currency_options = $8::jsonb, credit_config = $9::jsonb, duration = $10, duration_in_months = $11,
          applies_to_products = $12, max_redemptions_per_customer = $13, redeem_by = $14, active = $15,
          metadata = $16::jsonb
      WHERE c.coupon_id = $1",
    &PARAMETERS,
);

/// Runs one of them.
pub fn write(session: &Session, statement: &Statement, coupon_id: Uuid, coupon: &Coupon) -> Result<(), Error> {
    let columns = coupon.columns();
    let cells = [
        coupon_id.cell(),
        settings::now()?.cell(),
        coupon.name.cell(),
        coupon.description.cell(),
        columns.percent_off.cell(),
        columns.amount_off.cell(),
        columns.currency.cell(),
        columns.currency_options.cell(),
        columns.credit_config.cell(),
        coupon.duration.cell(),
        coupon.months.cell(),
        coupon.products.cell(),
        coupon.said_per_customer.cell(),
        coupon.redeem_by.cell(),
        coupon.active.cell(),
        coupon.metadata.cell(),
    ];
    statement.run(session, &cells).map(drop)
}

static COUNT: Statement = Statement::new(
    c"INSERT INTO credits_internal.coupon_counters (coupon_id, max_redemptions) VALUES ($1, $2)",
    &[UUIDOID, INT4OID],
);

/// Makes the counter of a new coupon.
pub fn count(session: &Session, coupon_id: Uuid, most: Option<i32>) -> Result<(), Error> {
    COUNT.run(session, &[coupon_id.cell(), most.cell()]).map(drop)
}

static LIMIT: Statement = Statement::new(
    c"UPDATE credits_internal.coupon_counters u SET max_redemptions = $2
      WHERE u.coupon_id = $1 AND coalesce(u.taken <= $2, true)",
    &[UUIDOID, INT4OID],
);
static TAKEN: Statement =
    Statement::new(c"SELECT u.taken FROM credits_internal.coupon_counters u WHERE u.coupon_id = $1", &[UUIDOID]);

/// Says how often it may be used; what ran out does not count. Raises PC013 where it is used more often.
pub fn limit(session: &Session, coupon_id: Uuid, most: Option<i32>, now: Time) -> Result<(), Error> {
    let set = || Ok::<_, Error>(LIMIT.run(session, &[coupon_id.cell(), most.cell()])?.written() > 0);
    if set()? {
        return Ok(());
    }
    counter::lock(session, coupon_id)?;
    counter::release(session, &[coupon_id], now, i32::MAX)?;
    if set()? {
        return Ok(());
    }
    Err(too_few(TAKEN.run(session, &[coupon_id.cell()])?.first().map_or(Ok(0), |mut row| row.next())?))
}

/// PC013: it is used more often.
pub fn too_few(taken: i32) -> Error {
    Error::argument("max_redemptions", format!("must be at least {taken}: so often it is used or reserved"))
}

static DELETE: Statement = Statement::new(
    c"WITH counter AS (DELETE FROM credits_internal.coupon_counters u WHERE u.coupon_id = $1)
      DELETE FROM credits_internal.coupons c WHERE c.coupon_id = $1",
    &[UUIDOID],
);

/// Deletes one that nobody can use any more.
pub fn delete(session: &Session, coupon_id: Uuid) -> Result<(), Error> {
    DELETE.run(session, &[coupon_id.cell()]).map(drop)
}
