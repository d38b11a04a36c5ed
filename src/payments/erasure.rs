//! Forgetting a person: what the application, customers and payment providers said of one is cleared, and the ledger stays.

use crate::auto_recharge::configuration;
use crate::auto_recharge::policy::Off;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::{balance, customer};
use crate::moment::Time;
use crate::outbox;
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::TEXTOID;

row! {
    /// What `customer_erase` returns.
    pub struct ErasedRow {
        /// The application's key.
        pub customer_id: String,
        /// When the person was forgotten.
        pub erased_at: Time,
    } read
}

row! {
    /// What `customer_metadata_clear` returns.
    pub struct ClearedRow {
        /// How many rows had something to be cleared.
        pub cleared: i64,
        /// How many rows of the inbox wait to be charged and still have it.
        pub waiting: i64,
    }
}

static ERASE: Statement = Statement::new(
    c"UPDATE credits.customers SET name = NULL, email = NULL, metadata = NULL, erased_at = coalesce(erased_at, now())
      WHERE customer_id = $1 RETURNING customer_id, erased_at",
    &[TEXTOID],
);

/// What payment providers sent may name the person, and so may what was ignored: what says that it is the person's, and what
/// came for the person's payments. Locked in the order of whoever receives it.
macro_rules! erasing_payloads {
    ($waiting:literal) => {
        text!(
            "WITH sent AS (
                SELECT e.provider, e.event_id FROM credits.webhook_events e WHERE e.customer_id = $1
                UNION
                SELECT e.provider, e.event_id
                FROM (SELECT p.provider, p.provider_reference FROM credits.payments p WHERE p.customer_id = $1
                      UNION
                      SELECT p.provider, p.payment_reference FROM credits.payments p
                      WHERE p.customer_id = $1) r (provider, reference)
                JOIN credits.webhook_events e ON e.provider = r.provider AND e.reference = r.reference
                                             AND e.outcome = 'ignored'
            ), locked AS (
                SELECT w.provider, w.event_id
                FROM sent s JOIN credits.webhook_events w ON w.provider = s.provider AND w.event_id = s.event_id
                WHERE w.payload IS NOT NULL
                ORDER BY w.provider, w.event_id
                FOR UPDATE OF w ",
            $waiting,
            ")
            UPDATE credits.webhook_events w SET payload = NULL FROM locked l
            WHERE w.provider = l.provider AND w.event_id = l.event_id"
        )
    };
}

static ERASE_PAYLOADS: Statement = Statement::new(erasing_payloads!(""), &[TEXTOID]);
// What came while the accounts were waited for; and what is just coming finds the customer erased.
static ERASE_LATE_PAYLOADS: Statement = Statement::new(erasing_payloads!("SKIP LOCKED"), &[TEXTOID]);
static ERASE_METHODS: Statement = Statement::new(
    c"UPDATE credits.auto_recharges SET payment_method = NULL WHERE customer_id = $1 AND payment_method IS NOT NULL",
    &[TEXTOID],
);
// Why a payment failed is said in the provider's own words.
static ERASE_REQUESTS: Statement = Statement::new(
    c"UPDATE credits.recharges r
      SET payment_method = NULL, reason = CASE WHEN r.status <> 'failed' THEN r.reason END
      WHERE r.customer_id = $1 AND (r.payment_method IS NOT NULL OR r.status = 'failed' AND r.reason IS NOT NULL)",
    &[TEXTOID],
);
static ERASE_OUTBOX: Statement = Statement::new(
    c"UPDATE credits.outbox o
      SET payload = o.payload - CASE WHEN o.type IN ('recharge.failed', 'top_up.failed') THEN ARRAY['payment_method', 'reason']
                                     ELSE ARRAY['payment_method'] END
      WHERE o.customer_id = $1
        AND (o.payload ? 'payment_method' OR o.type IN ('recharge.failed', 'top_up.failed') AND o.payload ? 'reason')",
    &[TEXTOID],
);
static ERASE_ADDRESSES: Statement = Statement::new(
    c"UPDATE credits.top_ups SET return_url = NULL, failure_url = NULL, checkout_url = NULL
      WHERE customer_id = $1 AND (return_url IS NOT NULL OR failure_url IS NOT NULL OR checkout_url IS NOT NULL)",
    &[TEXTOID],
);

/// `credits.customer_erase`: forgets the person, keeps the ledger. Raises PC003, PC013.
#[pg_extern(sql = false)]
fn customer_erase(customer_id: Option<&str>) -> Reply<One<ErasedRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        writing(|session| {
            // Events, the customer, accounts, all else: the order of ledger/posting.rs.
            ERASE_PAYLOADS.run(session, &[customer_id.cell()])?;
            let erased = match ERASE.run(session, &[customer_id.cell()])?.first() {
                Some(row) => ErasedRow::read(row)?,
                None => return Err(Error::CustomerNotFound { customer_id: customer_id.to_string() }),
            };
            lock(session, customer_id)?;
            // Nobody may be charged any more.
            configuration::switch_off(session, customer_id, Off::Erased, settings::now()?)?;
            outbox::keep_still(session, customer_id)?;
            for statement in [&ERASE_LATE_PAYLOADS, &ERASE_METHODS, &ERASE_REQUESTS, &ERASE_OUTBOX, &ERASE_ADDRESSES] {
                statement.run(session, &[customer_id.cell()])?;
            }
            Ok(One(erased))
        })
    })())
}

/// Locks a customer's accounts, as whatever else changes what belongs to them.
fn lock(session: &Session, customer_id: &str) -> Result<(), Error> {
    let currencies = balance::currencies(session, customer_id)?;
    let keys: Vec<Key> = currencies.into_iter().map(|code| (customer_id.to_string(), code)).collect();
    posting::lock(session, &keys).map(drop)
}

// Of an event's metadata there stays what its price goes by, which later corrections ask for: a key of the price, with one of
// the values that the price names.
static CLEAR_EVENTS: Statement = Statement::scanning(
    c"WITH kept AS (
          SELECT e.identifier,
                 (SELECT jsonb_build_object(p.pricing ->> 'by', e.metadata -> (p.pricing ->> 'by'))
                  FROM credits.meter_prices p
                  WHERE p.event_name = e.event_name AND p.version = e.price_version
                    AND jsonb_typeof(e.metadata -> (p.pricing ->> 'by')) IN ('string', 'number', 'boolean')
                    AND p.pricing -> 'prices' ? (e.metadata ->> (p.pricing ->> 'by'))) AS metadata
          FROM credits.meter_events e
          WHERE e.customer_id = $1 AND (e.source_data IS NOT NULL OR e.metadata IS NOT NULL)
      ), cleared AS (
          UPDATE credits.meter_events e SET source_data = NULL, metadata = k.metadata
          FROM kept k
          WHERE e.customer_id = $1 AND e.identifier = k.identifier
            AND (e.source_data IS NOT NULL OR e.metadata IS DISTINCT FROM k.metadata)
          RETURNING 1
      )
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_CANCELED: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits.canceled_events SET reason = NULL WHERE customer_id = $1 AND reason IS NOT NULL RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_REJECTED: Statement = Statement::scanning(
    c"WITH cleared AS (
          UPDATE credits.inbox_rejected SET source_data = NULL, metadata = NULL
          WHERE customer_id = $1 AND (source_data IS NOT NULL OR metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_OPERATIONS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits.operations SET description = NULL, metadata = NULL
          WHERE customer_id = $1 AND (description IS NOT NULL OR metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_HOLDS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits.holds
          SET description = NULL, metadata = NULL, capture_description = NULL, capture_metadata = NULL
          WHERE customer_id = $1 AND num_nonnulls(description, metadata, capture_description, capture_metadata) > 0
          RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
// A purchase by amount has no product to be named after: its grant is named by its description.
static CLEAR_GRANTS: Statement = Statement::new(
    c"WITH described AS (
          SELECT t.grant_id FROM credits.top_ups t
          WHERE t.customer_id = $1 AND t.price_id IS NULL AND t.description IS NOT NULL AND t.grant_id IS NOT NULL
      ), cleared AS (
          UPDATE credits.credit_grants g
          SET metadata = NULL, ended_reason = NULL,
              name = CASE WHEN g.grant_id IN (SELECT d.grant_id FROM described d) THEN NULL ELSE g.name END
          WHERE g.customer_id = $1
            AND (g.metadata IS NOT NULL OR g.ended_reason IS NOT NULL
                 OR g.name IS NOT NULL AND g.grant_id IN (SELECT d.grant_id FROM described d))
          RETURNING 1
      )
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_TOP_UPS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits.top_ups t
          SET description = NULL, metadata = NULL, name = CASE WHEN t.price_id IS NULL THEN NULL ELSE t.name END
          WHERE t.customer_id = $1 AND (t.description IS NOT NULL OR t.metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static WAITING: Statement = Statement::scanning(
    c"SELECT count(*) FROM credits.inbox WHERE customer_id = $1 AND (source_data IS NOT NULL OR metadata IS NOT NULL)",
    &[TEXTOID],
);

/// `credits.customer_metadata_clear`: clears what the application wrote beside a customer's usage, spending, grants and
/// purchases. Raises PC003, PC013.
#[pg_extern(sql = false)]
fn customer_metadata_clear(customer_id: Option<&str>) -> Reply<One<ClearedRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        writing(|session| {
            customer::must_exist(session, customer_id)?;
            lock(session, customer_id)?;
            let mut cleared = 0;
            // The grants before the top-ups, whose descriptions say what the grants are named by.
            for statement in [
                &CLEAR_EVENTS,
                &CLEAR_CANCELED,
                &CLEAR_REJECTED,
                &CLEAR_OPERATIONS,
                &CLEAR_HOLDS,
                &CLEAR_GRANTS,
                &CLEAR_TOP_UPS,
            ] {
                cleared += count(session, statement, customer_id)?;
            }
            Ok(One(ClearedRow { cleared, waiting: count(session, &WAITING, customer_id)? }))
        })
    })())
}

fn count(session: &Session, statement: &'static Statement, customer_id: &str) -> Result<i64, Error> {
    match statement.run(session, &[customer_id.cell()])?.first() {
        Some(mut row) => row.next(),
        None => Ok(0),
    }
}
