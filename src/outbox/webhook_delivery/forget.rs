//! What time takes away: deliveries and attempts as old as events are kept, secrets that sign no more, and what answers said of
//! a person who is erased.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::webhook_delivery::report::{Place, release};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};

// What is being sent is left to its report.
static FORGET_DELIVERIES: Statement = Statement::in_order(
    c"WITH old AS (
          SELECT d.webhook_endpoint_id, d.event_id FROM credits_internal.webhook_deliveries d
          WHERE d.created_at < $1 - $2 * interval '1 second' AND (d.status <> 'sending' OR d.due_at <= $1)
          ORDER BY d.created_at LIMIT $3 FOR UPDATE SKIP LOCKED
      )
      DELETE FROM credits_internal.webhook_deliveries d USING old o
      WHERE d.webhook_endpoint_id = o.webhook_endpoint_id AND d.event_id = o.event_id
      RETURNING d.webhook_endpoint_id, d.object_type, d.object_id, d.object_seq, d.in_order AND d.status IN ('due', 'sending')",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
)
.before(c"SELECT NULL::uuid, ''::text, ''::text, 0::bigint, false WHERE ($1 IS NULL) AND ($2 + $3 IS NULL)");

// What is being sent is left to its report; no lease is longer than an hour.
static FORGET_ATTEMPTS: Statement = Statement::in_order(
    c"WITH old AS (
          SELECT a.attempt_id FROM credits_internal.webhook_attempts a
          WHERE a.started_at < $1 - $2 * interval '1 second'
            AND (a.status <> 'sending' OR a.started_at < $1 - interval '1 hour')
          ORDER BY a.started_at LIMIT $3 FOR UPDATE SKIP LOCKED
      )
      DELETE FROM credits_internal.webhook_attempts a USING old o WHERE a.attempt_id = o.attempt_id
      RETURNING 1",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
)
.before(c"SELECT 1 WHERE ($1 IS NULL) AND ($2 + $3 IS NULL)");

static FORGET_SECRETS: Statement = Statement::scanning(
    c"UPDATE credits_internal.webhook_secrets s SET previous_secret = NULL, previous_secret_expires_at = NULL
      WHERE s.previous_secret_expires_at <= $1",
    &[TIMESTAMPTZOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

/// Deletes deliveries and attempts older than credits.event_retention, by then or by now; how many.
pub fn forget_old(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let (now, seconds) = (settings::now()?, settings::event_retention());
    let by = now.min(due_by);
    FORGET_SECRETS.run(session, &[by.cell()])?;
    let deliveries = FORGET_DELIVERIES.run(session, &[by.cell(), seconds.cell(), most.cell()])?;
    for mut row in deliveries.iter() {
        let (endpoint, object_type, object_id) = (row.next()?, row.next()?, row.next()?);
        let (object_seq, was_first): (i64, bool) = (row.next()?, row.next()?);
        if was_first {
            release(session, &Place { endpoint, object_type, object_id, object_seq }, now)?;
        }
    }
    let attempts = FORGET_ATTEMPTS.run(session, &[by.cell(), seconds.cell(), most.cell()])?;
    Ok(i32::try_from(deliveries.len().max(attempts.len())).unwrap_or(i32::MAX))
}

// Whoever reports has the attempt's row, and reads after that whether the event still says anything.
static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_attempts a SET response_body = NULL
      FROM unnest(ARRAY(SELECT e.event_id FROM credits_internal.billing_events e WHERE e.customer_id = $1)) AS k (event_id)
      WHERE a.event_id = k.event_id AND (a.response_body IS NOT NULL OR a.status IN ('sending', 'lost'))",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

/// Clears what endpoints answered to events of a customer.
pub fn erase(session: &Session, customer_id: &str) -> Result<(), Error> {
    ERASE.run(session, &[customer_id.cell()]).map(drop)
}
