//! Forgetting a person: an invoice that was given out says whom it was for, for as long as the law asks for it.

use crate::error::Error;
use crate::ledger::customer::deletion::is_any;
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::Listener;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};

static RETAIN: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i SET retained = true
      WHERE i.customer_id = $1 AND num_nonnulls(i.customer_name, i.customer_email, i.customer_phone, i.customer_address) > 0",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

static CLEAR_INVOICES: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.invoices i
          SET metadata = NULL,
              description = CASE WHEN i.billing_reason NOT IN ('recharge', 'auto_recharge') THEN i.description END
          WHERE i.customer_id = $1
            AND (i.metadata IS NOT NULL
                 OR i.description IS NOT NULL AND i.billing_reason IN ('recharge', 'auto_recharge')) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");
static CLEAR_LINES: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.invoice_lines l
          SET metadata = NULL,
              description = CASE WHEN l.price_id IS NOT NULL OR l.credits IS NULL THEN l.description END,
              grant_name = CASE WHEN l.price_id IS NOT NULL THEN l.grant_name END
          WHERE l.customer_id = $1
            AND (l.metadata IS NOT NULL OR l.price_id IS NULL AND l.credits IS NOT NULL AND l.grant_name IS NOT NULL)
          RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

static INVOICED: Statement = Statement::new(
    c"SELECT true
      WHERE EXISTS (SELECT FROM credits_internal.invoices i WHERE i.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.invoice_lines l WHERE l.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.invoice_numbers n WHERE n.customer_id = $1)",
    &[TEXTOID],
);

/// Signed up in lib.rs.
pub struct Invoicing;

impl Listener for Invoicing {
    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &INVOICED, customer_id)
    }

    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        RETAIN.run(session, &[customer_id.cell()]).map(drop)
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared { rows: count(session, &[&CLEAR_INVOICES, &CLEAR_LINES], customer_id)?, waiting: 0 })
    }
}

static FORGET: Statement = Statement::in_order(
    c"WITH old AS (
          SELECT i.customer_id, i.invoice_id FROM credits_internal.invoices i
          WHERE i.retained AND i.finalized_at < $1 - $2 * interval '1 second'
          ORDER BY i.finalized_at LIMIT $3 FOR UPDATE SKIP LOCKED)
      UPDATE credits_internal.invoices i
      SET customer_name = NULL, customer_email = NULL, customer_phone = NULL, customer_address = NULL, retained = false
      FROM old WHERE i.customer_id = old.customer_id AND i.invoice_id = old.invoice_id
      RETURNING 1",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
)
.before(c"SELECT 1 WHERE ($1 IS NULL) AND ($2 + $3 IS NULL)");

/// Clears whom an invoice was for after credits.invoice_retention, of customers who were erased; how many.
pub fn forget(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let (by, seconds) = (settings::now()?.min(due_by), settings::invoice_retention());
    Ok(FORGET.run(session, &[by.cell(), seconds.cell(), most.cell()])?.len() as i32)
}
