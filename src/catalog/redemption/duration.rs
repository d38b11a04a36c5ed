//! How long a subscription has its discount: from when, until when, and that it has ended.

use crate::catalog::redemption::holding::{held, logged, record};
use crate::error::Error;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// A discount as its events show it, before something changes that its holder has of it; locked.
pub fn before(session: &Session, (customer_id, holder_id): (&str, Uuid)) -> Result<Option<String>, Error> {
    held(session, customer_id, holder_id)?;
    billing_event::before(session, EventType::DiscountUpdated, holder_id, Some(customer_id))
}

/// Writes the event of that change.
pub fn updated(session: &Session, holder: (&str, Uuid), before: String, now: Time) -> Result<(), Error> {
    record(session, holder, Some(before), now)
}

// Once, and of a coupon for one invoice only where that is asked for.
static END: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r SET last_log_no = r.last_log_no + 1
         WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.confirmed_at IS NOT NULL
           AND (SELECT l.action FROM credits_internal.discount_log l
                WHERE l.customer_id = r.customer_id AND l.holder_id = r.holder_id AND l.log_no = r.last_log_no) <> 'ended'
           AND ($4 OR EXISTS (SELECT FROM credits_internal.coupons c
                              WHERE c.coupon_id = r.coupon_id AND c.duration = 'once'))",
        "'ended'",
        "$3"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, BOOLOID],
);

/// A subscription has its discount no more; where that is not sure, only if it was for one invoice. It stays counted.
pub fn end(session: &Session, (customer_id, holder_id): (&str, Uuid), is_sure: bool, now: Time) -> Result<(), Error> {
    let cells = [customer_id.cell(), holder_id.cell(), now.cell(), is_sure.cell()];
    if END.run(session, &cells)?.len() == 0 {
        return Ok(());
    }
    billing_event::record(session, EventType::DiscountDeleted, holder_id, Some(customer_id), now)
}

static GO_ON: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r SET last_log_no = r.last_log_no + 1
         WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.confirmed_at IS NOT NULL
           AND (SELECT l.action FROM credits_internal.discount_log l
                WHERE l.customer_id = r.customer_id AND l.holder_id = r.holder_id AND l.log_no = r.last_log_no) = 'ended'",
        "CASE WHEN r.over_quota THEN 'over_quota' ELSE 'confirmed' END",
        "$3"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// A discount that had ended takes something off again: the invoice that it did so is void.
pub fn go_on(session: &Session, (customer_id, holder_id): (&str, Uuid), now: Time) -> Result<(), Error> {
    match GO_ON.run(session, &[customer_id.cell(), holder_id.cell(), now.cell()])?.len() {
        0 => Ok(()),
        _ => record(session, (customer_id, holder_id), None, now),
    }
}
