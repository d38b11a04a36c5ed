//! Forgetting a person: where a customer was sent, and what the application kept with the session.

use crate::error::Error;
use crate::ledger::customer::deletion::Configured;
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::Listener;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;

static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET url = NULL, success_url = NULL, cancel_url = NULL, client_reference_id = NULL, verification_method = NULL,
          verification_data = NULL
      WHERE s.customer_id = $1
        AND num_nonnulls(s.url, s.success_url, s.cancel_url, s.client_reference_id, s.verification_method,
                         s.verification_data) > 0",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

static CLEAR: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.checkout_sessions s
          SET metadata = NULL,
              subscription_data = s.subscription_data - '{metadata, description, service_actions}'::text[],
              line_items = (SELECT jsonb_agg(e.item - 'metadata' ORDER BY e.place)
                            FROM jsonb_array_elements(s.line_items) WITH ORDINALITY AS e (item, place))
          WHERE s.customer_id = $1
            AND (s.metadata IS NOT NULL OR jsonb_path_exists(s.line_items, '$[*].metadata')
                 OR s.subscription_data ?| '{metadata, description, service_actions}'::text[]) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

// What was submitted has an invoice, which is history.
static CONFIGURED: [Configured; 1] = [crate::configured!("checkout_sessions")];

/// Signed up in lib.rs.
pub struct Sessions;

impl Listener for Sessions {
    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        ERASE.run(session, &[customer_id.cell()]).map(drop)
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared { rows: count(session, &[&CLEAR], customer_id)?, waiting: 0 })
    }

    fn configured(&self) -> &'static [Configured] {
        &CONFIGURED
    }
}
