//! Forgetting a person: what was written of why a subscription ended, and what the application kept with it. While one is
//! alive, nobody is erased.

use crate::error::Error;
use crate::ledger::customer::deletion::is_any;
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::Listener;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::schedule::state::Status;
use pgrx::pg_sys::TEXTOID;
use uuid::Uuid;

// Under the customer's lock none begins meanwhile.
static ALIVE: Statement = Statement::new(
    c"SELECT s.subscription_id, s.status FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1
        AND (s.status NOT IN ('canceled', 'incomplete_expired') OR s.usage_closes_at IS NOT NULL)
      ORDER BY s.subscription_id LIMIT 1",
    &[TEXTOID],
)
.before(c"SELECT NULL::uuid, NULL::text WHERE $1 IS NULL");

static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET cancel_reason = NULL, cancel_feedback = NULL, cancel_comment = NULL
      WHERE s.customer_id = $1 AND num_nonnulls(s.cancel_reason, s.cancel_feedback, s.cancel_comment) > 0",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

static CLEAR: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.subscriptions s SET metadata = NULL, description = NULL, service_actions = NULL
          WHERE s.customer_id = $1 AND num_nonnulls(s.metadata, s.description, s.service_actions) > 0 RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");
static CLEAR_ITEMS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.subscription_items i SET metadata = NULL
          WHERE i.customer_id = $1 AND i.metadata IS NOT NULL RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

static SUBSCRIBED: Statement = Statement::new(
    c"SELECT true WHERE EXISTS (SELECT FROM credits_internal.subscriptions s WHERE s.customer_id = $1)",
    &[TEXTOID],
)
.before(c"SELECT true WHERE $1 IS NULL");

/// Signed up in lib.rs.
pub struct Subscriptions;

impl Listener for Subscriptions {
    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        if let Some(mut row) = ALIVE.run(session, &[customer_id.cell()])?.first() {
            let (id, status): (Uuid, String) = (row.next()?, row.next()?);
            return Err(Error::StateConflict { object: "subscription", id: id.to_string(), state: named(&status) });
        }
        ERASE.run(session, &[customer_id.cell()]).map(drop)
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared { rows: count(session, &[&CLEAR, &CLEAR_ITEMS], customer_id)?, waiting: 0 })
    }

    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &SUBSCRIBED, customer_id)
    }
}

fn named(status: &str) -> &'static str {
    match Status::parse(status) {
        Some(status) if status.is_over() => "waiting for its last invoice",
        status => status.map_or("alive", Status::as_str),
    }
}
