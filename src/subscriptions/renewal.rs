//! Renewals and whatever else time brings, done by maintenance: of customers whom nobody has locked.

use crate::clock;
use crate::error::Error;
use crate::invoicing::customer;
use crate::moment::Time;
use crate::pg::locking::patience::Patience;
use crate::pg::statement::{Row, Session, Statement, freeing};
use crate::pg::subtransaction::isolate;
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::advance::advance;
use crate::subscriptions::owed;
use crate::subscriptions::subscription;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use pgrx::warning;
use std::time::{Duration, Instant};
use uuid::Uuid;

static DUE: Statement = Statement::in_order(
    c"SELECT s.next_change_at, s.customer_id, s.subscription_id FROM credits_internal.subscriptions s
      WHERE s.next_change_at <= $1 AND (s.next_change_at, s.customer_id, s.subscription_id) > ($3, $4, $5)
      ORDER BY s.next_change_at, s.customer_id, s.subscription_id LIMIT $2",
    &[TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID, TEXTOID, UUIDOID],
)
.before(c"SELECT NULL::timestamptz, NULL::text, NULL::uuid WHERE num_nonnulls($1, $2, $3, $4, $5) < 0");

/// How long a batch goes on: then its customers are free again, and what it wrote is there.
const BATCH: Duration = Duration::from_millis(500);

/// How long after a failure it is tried again, in seconds.
const RETRY: i64 = 60 * 60;

static PUT_OFF: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET next_change_at = $3
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Does the next change of so many subscriptions at most, the first whose customers nobody has locked; how many it did. One
/// that missed several periods has one at a time.
pub fn renew_due(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let patience = Patience::default();
    let mut after = (Time::BEGINNING, String::new(), Uuid::nil());
    loop {
        let cells = [now.cell(), most.cell(), after.0.cell(), after.1.cell(), after.2.cell()];
        let rows = DUE.run(session, &cells)?;
        let read = |mut row: Row<'_>| Ok((row.next()?, row.next()?, row.next()?));
        let due: Vec<(Time, String, Uuid)> = rows.iter().map(read).collect::<Result<_, Error>>()?;
        let Some(last) = due.last() else { return Ok(0) };
        if !clock::drives_billing(session, "subscriptions that are due")? {
            return Ok(0);
        }
        let done = renew_free(session, &due, &patience, now)?;
        if done > 0 {
            return Ok(done);
        }
        after = last.clone();
    }
}

/// Does the next change of those whose customers nobody has locked, as many as there is time for. One that needs something
/// else that is locked, such as the wallet that pays it, is left for a later call.
fn renew_free(session: &Session, due: &[(Time, String, Uuid)], patience: &Patience, now: Time) -> Result<i32, Error> {
    let free = customer::lock_free(session, due.iter().map(|(_, customer_id, _)| customer_id).collect())?;
    let (began, mut done) = (Instant::now(), 0);
    for (_, customer_id, id) in due.iter().filter(|(_, customer_id, _)| free.contains(customer_id)) {
        if done > 0 && began.elapsed() > BATCH {
            break;
        }
        let one = || {
            // Of a thousand of them nothing is kept but what they wrote.
            freeing(session, |session| {
                let customer = customer::lock(session, customer_id)?;
                let mut there = subscription::lock(session, customer_id, *id)?;
                // Maintenance waits for nobody.
                if !owed::is_free(session, &there)? {
                    return Ok(0);
                }
                advance(session, &customer, &mut there, now, 1)
            })
        };
        done += match isolate(patience, one) {
            Ok(changes) => changes,
            Err(failure) if failure.is_busy() => 0,
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
