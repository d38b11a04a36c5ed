//! What events no longer say: of a person who is erased, of what the application cleared, and what is too old.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::webhook_delivery;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};

static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.billing_events e SET data = NULL WHERE e.customer_id = $1 AND e.data IS NOT NULL",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

/// Clears what the events of a customer say of it and of its objects; that they happened stays.
pub fn erase(session: &Session, customer_id: &str) -> Result<(), Error> {
    webhook_delivery::erase(session, customer_id)?;
    ERASE.run(session, &[customer_id.cell()]).map(drop)
}

static CLEAR_METADATA: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.billing_events e
          SET data = e.data #- '{previous_attributes,metadata}'
                     || jsonb_build_object('object', e.data->'object' || '{\"metadata\": null}')
          WHERE e.customer_id = $1 AND e.object_type <> 'customer'
            AND (e.data #> '{object,metadata}' <> 'null' OR e.data #> '{previous_attributes,metadata}' <> 'null')
          RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

/// Clears the application's own data in the events of a customer's objects; how many had some.
pub fn clear_metadata(session: &Session, customer_id: &str) -> Result<i64, Error> {
    CLEAR_METADATA.run(session, &[customer_id.cell()])?.first().map_or(Ok(0), |mut row| row.next())
}

// The oldest of each object first, so that no object's numbers get a gap: what another session has locked stays, with
// whatever follows it.
static FORGET_OLD: Statement = Statement::in_order(
    c"WITH old AS (
          SELECT e.event_id, e.object_type, e.object_id, e.object_seq FROM credits_internal.billing_events e
          WHERE e.created_at < $1 - $2 * interval '1 second'
          ORDER BY e.created_at, e.object_seq LIMIT $3 FOR UPDATE SKIP LOCKED
      ), placed AS (
          SELECT o.event_id, o.object_seq - row_number() OVER (PARTITION BY o.object_type, o.object_id ORDER BY o.object_seq)
                     AS passed_over,
                 (SELECT min(b.object_seq) FROM credits_internal.billing_events b
                  WHERE b.object_type = o.object_type AND b.object_id = o.object_id) AS oldest
          FROM old o
      )
      DELETE FROM credits_internal.billing_events e USING placed p
      WHERE e.event_id = p.event_id AND p.passed_over = p.oldest - 1
      RETURNING 1",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
)
.before(c"SELECT 1 WHERE ($1 IS NULL) AND ($2 + $3 IS NULL)");

/// Deletes events that are older than credits.event_retention, by then or by now; how many.
pub fn forget_old(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let (by, seconds) = (settings::now()?.min(due_by), settings::event_retention());
    Ok(FORGET_OLD.run(session, &[by.cell(), seconds.cell(), most.cell()])?.len() as i32)
}
