//! The discount of a cart that nobody submitted, when a payment of it is reported all the same.

use crate::amount::Decimal;
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::redemption::holding::{HolderType, retake};
use crate::catalog::redemption::{Chosen, Quote, Verification, resolve, share, written};
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What was taken off it, line by line: what it was to cost, it costs, so nothing is judged. The customer is locked. Raises
/// PC019.
pub fn promised(
    session: &Session,
    chosen: &Chosen<'_>,
    verification: &Verification,
    (currency, per_line): (&str, &[Decimal]),
) -> Result<Quote, Error> {
    let (coupon_id, promotion_code_id) = resolve(session, chosen)?;
    share(session, (coupon_id, promotion_code_id))?;
    let coupon = Coupon::stored(session, coupon_id)?;
    Ok(Quote {
        coupon_id,
        promotion_code_id,
        code: promotion_code_id.map(|id| written(session, id)).transpose()?.flatten(),
        currency: currency.to_string(),
        amount: per_line.iter().sum(),
        per_line: per_line.to_vec(),
        verification: verification.clone(),
        per_customer: coupon.per_customer(),
    })
}

// It holds nothing, and nothing happened to it yet.
static PROMISE: Statement = Statement::new(
    c"INSERT INTO credits_internal.redemptions (
          customer_id, holder_id, holder_type, coupon_id, promotion_code_id, amount, currency, verification_method,
          verification_data, reserved_at, released_at, last_log_no)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0)",
    &[TEXTOID, UUIDOID, TEXTOID, UUIDOID, UUIDOID, NUMERICOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

/// Writes down the discount of a cart that nobody submitted, whose payment is reported already, and takes one of the quota for
/// it where one is left. Where none is, that is as if it had been released: the payment decides.
pub fn promise(
    session: &Session,
    (customer_id, holder_type, holder_id): (&str, HolderType, Uuid),
    quote: &Quote,
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    let cells = [
        customer_id.cell(),
        holder_id.cell(),
        holder_type.as_str().cell(),
        quote.coupon_id.cell(),
        quote.promotion_code_id.cell(),
        quote.amount.cell(),
        quote.currency.cell(),
        quote.verification.method.cell(),
        quote.verification.data.cell(),
        now.cell(),
    ];
    PROMISE.run(session, &cells)?;
    retake(session, customer_id, holder_id, expires_at, now).map(drop)
}
