//! Forgetting a person: what payment providers sent, and what the application wrote beside purchases. And whether there is
//! something to keep of a customer that is to be deleted.

use crate::error::Error;
use crate::ledger::customer::deletion::{Configured, is_any};
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::Listener;
use crate::payments::{payment_intent as intent, payment_method};
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;

/// What payment providers sent may name the person, and so may what was ignored: what says that it is the person's, and what
/// came for the person's payments. Locked in the order of whoever receives it.
macro_rules! erasing_payloads {
    ($waiting:literal) => {
        text!(
            "WITH sent AS (
                SELECT e.provider, e.event_id FROM credits_internal.webhook_events e WHERE e.customer_id = $1
                UNION
                SELECT e.provider, e.event_id
                FROM (SELECT p.provider, p.provider_reference FROM credits_internal.payments p WHERE p.customer_id = $1
                      UNION
                      SELECT p.provider, p.payment_reference FROM credits_internal.payments p
                      WHERE p.customer_id = $1) r (provider, reference)
                JOIN credits_internal.webhook_events e ON e.provider = r.provider AND e.reference = r.reference
                                             AND e.outcome = 'ignored'
            ), locked AS (
                SELECT w.provider, w.event_id
                FROM sent s JOIN credits_internal.webhook_events w ON w.provider = s.provider AND w.event_id = s.event_id
                WHERE w.payload IS NOT NULL
                ORDER BY w.provider, w.event_id
                FOR UPDATE OF w ",
            $waiting,
            ")
            UPDATE credits_internal.webhook_events w SET payload = NULL FROM locked l
            WHERE w.provider = l.provider AND w.event_id = l.event_id"
        )
    };
}

static ERASE_PAYLOADS: Statement = Statement::new(erasing_payloads!(""), &[TEXTOID]);
// What came while the accounts were waited for; and what is just coming finds the customer erased.
static ERASE_LATE_PAYLOADS: Statement = Statement::new(erasing_payloads!("SKIP LOCKED"), &[TEXTOID]);
static ERASE_ADDRESSES: Statement = Statement::new(
    c"UPDATE credits_internal.payment_intents t
      SET return_url = NULL, failure_url = NULL, checkout_url = NULL, action_url = NULL, last_payment_error = NULL
      WHERE t.customer_id = $1
        AND num_nonnulls(t.return_url, t.failure_url, t.checkout_url, t.action_url, t.last_payment_error) > 0",
    &[TEXTOID],
)
.before(
    c"UPDATE credits_internal.top_ups SET return_url = NULL, failure_url = NULL, checkout_url = NULL
      WHERE customer_id = $1 AND (return_url IS NOT NULL OR failure_url IS NOT NULL OR checkout_url IS NOT NULL)",
);
static CLEAR_INTENTS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.payment_intents t SET description = NULL, metadata = NULL
          WHERE t.customer_id = $1 AND (t.description IS NOT NULL OR t.metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(
    c"WITH cleared AS (
          UPDATE credits_internal.top_ups t
          SET description = NULL, metadata = NULL, name = CASE WHEN t.price_id IS NULL THEN NULL ELSE t.name END
          WHERE t.customer_id = $1 AND (t.description IS NOT NULL OR t.metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
);

static CLEAR_REFUNDS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.refunds r SET description = NULL, metadata = NULL
          WHERE r.customer_id = $1 AND (r.description IS NOT NULL OR r.metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

// What is under way is locked by the customer's lock: nobody reports of it meanwhile.
static UNDER_WAY: Statement = Statement::new(
    c"SELECT t.payment_intent_id FROM credits_internal.payment_intents t
      WHERE t.customer_id = $1 AND t.status IN ('requires_action', 'processing')
      ORDER BY t.payment_intent_id LIMIT 1",
    &[TEXTOID],
)
.before(c"SELECT NULL::uuid WHERE $1 IS NULL");

/// Raises PC020 while a customer's payment is on its way.
fn none_is_under_way(session: &Session, customer_id: &str) -> Result<(), Error> {
    match UNDER_WAY.run(session, &[customer_id.cell()])?.first() {
        Some(mut row) => Err(intent::find(session, customer_id, row.next()?)?.conflict()),
        None => Ok(()),
    }
}

static BOUGHT: Statement = Statement::new(
    c"SELECT true
      WHERE EXISTS (SELECT FROM credits_internal.payment_intents t WHERE t.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.refunds u WHERE u.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.payments p WHERE p.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.reclaims r WHERE r.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.webhook_events e WHERE e.customer_id = $1)",
    &[TEXTOID],
);

static CONFIGURED: [Configured; 1] = [crate::configured!("payment_methods")];

/// Signed up in lib.rs.
pub struct Payments;

impl Listener for Payments {
    fn before_erasure(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        ERASE_PAYLOADS.run(session, &[customer_id.cell()]).map(drop)
    }

    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        none_is_under_way(session, customer_id)?;
        ERASE_LATE_PAYLOADS.run(session, &[customer_id.cell()])?;
        payment_method::erase(session, customer_id)?;
        ERASE_ADDRESSES.run(session, &[customer_id.cell()]).map(drop)
    }

    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &BOUGHT, customer_id)
    }

    fn configured(&self) -> &'static [Configured] {
        &CONFIGURED
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared { rows: count(session, &[&CLEAR_INTENTS, &CLEAR_REFUNDS], customer_id)?, waiting: 0 })
    }
}
