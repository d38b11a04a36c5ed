//! Renewals and whatever else time brings, done by maintenance: of customers whom nobody has locked.

use crate::clock;
use crate::error::Error;
use crate::invoicing::customer;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::subtransaction::isolate_waiting;
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::advance::advance;
use crate::subscriptions::subscription;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use pgrx::warning;
use uuid::Uuid;

static DUE: Statement = Statement::in_order(
    c"SELECT s.customer_id, s.subscription_id FROM credits_internal.subscriptions s
      WHERE s.next_change_at <= $1 ORDER BY s.next_change_at, s.customer_id, s.subscription_id LIMIT $2",
    &[TIMESTAMPTZOID, INT4OID],
)
.before(c"SELECT NULL::text, NULL::uuid WHERE $1 IS NULL AND $2 IS NULL");

/// How long after a failure it is tried again, in seconds.
const RETRY: i64 = 60 * 60;

static PUT_OFF: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET next_change_at = $3
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Does the next change of so many subscriptions; how many it did. One that missed several periods has one at a time.
pub fn renew_due(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let rows = DUE.run(session, &[now.cell(), most.cell()])?;
    let due: Vec<(String, Uuid)> =
        rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect::<Result<_, Error>>()?;
    if due.is_empty() || !clock::drives_billing(session, "subscriptions that are due")? {
        return Ok(0);
    }
    let free = customer::lock_free(session, due.iter().map(|(customer_id, _)| customer_id).collect())?;
    let mut done = 0;
    for (customer_id, id) in due.iter().filter(|(customer_id, _)| free.contains(customer_id)) {
        let one = || {
            let customer = customer::lock(session, customer_id)?;
            let mut there = subscription::lock(session, customer_id, *id)?;
            advance(session, &customer, &mut there, now, 1)
        };
        done += match isolate_waiting(one) {
            Ok(changes) => changes,
            // It does not stop the others; it is tried again, and whoever calls it meets the error.
            Err(failure) => {
                warning!("subscription {id} is not renewed: {} {}", failure.error, failure.message);
                PUT_OFF.run(session, &[customer_id.cell(), id.cell(), now.plus_seconds(RETRY).cell()])?;
                1
            }
        };
    }
    Ok(i32::try_from(done).unwrap_or(i32::MAX))
}
