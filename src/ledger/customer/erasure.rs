//! Erasure of a person: what the application, customers and payment providers said about one is cleared, and the ledger
//! stays. Each room clears its own tables.

use crate::error::Error;
use crate::input;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::listener::LISTENERS;
use crate::ledger::{balance, customer};
use crate::moment::Time;
use crate::outbox::{
    self,
    billing_event::{self, EventType},
};
use crate::pg::call::reply::{One, Reply};
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
        /// When the person was erased.
        pub erased_at: Time,
    } read
}

row! {
    /// What `customer_metadata_clear` returns.
    pub struct ClearedRow {
        /// How many rows had something to clear.
        pub cleared: i64,
        /// How many rows of the inbox are not charged yet and still have it.
        pub waiting: i64,
    }
}

// What it pays in and when, the rate of its tax and the prefix of its invoices say nothing of the person.
static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.customers
      SET name = NULL, email = NULL, metadata = NULL, phone = NULL, description = NULL, address = NULL, shipping = NULL,
          preferences = NULL, time_zone = NULL, erased_at = coalesce(erased_at, now())
      WHERE customer_id = $1 RETURNING customer_id, erased_at",
    &[TEXTOID],
)
.before(
    c"UPDATE credits_internal.customers SET name = NULL, email = NULL, metadata = NULL, erased_at = coalesce(erased_at, now())
      WHERE customer_id = $1 RETURNING customer_id, erased_at",
);

/// `credits.customer_erase`: erases the person, keeps the ledger. Raises PC003, PC013, PC020.
#[pg_extern(sql = false)]
fn customer_erase(customer_id: Option<&str>) -> Reply<One<ErasedRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        writing(|session| {
            // First what is locked before a customer, then the customer, accounts and everything else: the order of
            // ledger/engine/posting.rs.
            LISTENERS.all().try_for_each(|listener| listener.before_erasure(session, customer_id))?;
            let erased = match ERASE.run(session, &[customer_id.cell()])?.first() {
                Some(row) => ErasedRow::read(row)?,
                None => return Err(Error::CustomerNotFound { customer_id: customer_id.to_string() }),
            };
            lock(session, customer_id)?;
            LISTENERS.all().try_for_each(|listener| listener.erase(session, customer_id))?;
            outbox::erase(session, customer_id)?;
            // What events said is gone, and whoever keeps a copy learns it from one that says what is left.
            billing_event::erase(session, customer_id)?;
            let now = settings::now()?;
            billing_event::record(session, EventType::CustomerUpdated, customer_id, Some(customer_id), now)?;
            Ok(One(erased))
        })
    })())
}

/// Locks a customer's accounts, as every other change of their rows does.
fn lock(session: &Session, customer_id: &str) -> Result<(), Error> {
    let currencies = balance::currencies(session, customer_id)?;
    let keys: Vec<Key> = currencies.into_iter().map(|code| (customer_id.to_string(), code)).collect();
    posting::lock(session, &keys).map(drop)
}

static CLEAR_OPERATIONS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.operations SET description = NULL, metadata = NULL
          WHERE customer_id = $1 AND (description IS NOT NULL OR metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_HOLDS: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.holds
          SET description = NULL, metadata = NULL, capture_description = NULL, capture_metadata = NULL
          WHERE customer_id = $1 AND num_nonnulls(description, metadata, capture_description, capture_metadata) > 0
          RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
macro_rules! clearing_grants {
    ($bought:expr) => {
        text!(
            "WITH described AS (",
            $bought,
            "), cleared AS (
                UPDATE credits_internal.credit_grants g
                SET metadata = NULL, ended_reason = NULL,
                    name = CASE WHEN g.grant_id IN (SELECT d.grant_id FROM described d) THEN NULL ELSE g.name END
                WHERE g.customer_id = $1
                  AND (g.metadata IS NOT NULL OR g.ended_reason IS NOT NULL
                       OR g.name IS NOT NULL AND g.grant_id IN (SELECT d.grant_id FROM described d))
                RETURNING 1
            )
            SELECT count(*) FROM cleared"
        )
    };
}
// A purchase by amount has no product: its grant is named after its description.
static CLEAR_GRANTS: Statement = Statement::new(
    clearing_grants!(
        "SELECT l.grant_id FROM credits_internal.invoice_lines l
         WHERE l.customer_id = $1 AND l.price_id IS NULL AND l.grant_name IS NOT NULL AND l.grant_id IS NOT NULL
         UNION ALL
         SELECT o.grant_id FROM credits_internal.invoice_lines l
         JOIN credits_internal.grant_rollovers o ON o.customer_id = l.customer_id AND o.root_id = l.grant_id
         WHERE l.customer_id = $1 AND l.price_id IS NULL AND l.grant_name IS NOT NULL"
    ),
    &[TEXTOID],
)
.before(clearing_grants!(
    "SELECT t.grant_id FROM credits_internal.top_ups t
     WHERE t.customer_id = $1 AND t.price_id IS NULL AND t.description IS NOT NULL AND t.grant_id IS NOT NULL"
));

/// What one room cleared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cleared {
    /// Rows that had something to clear.
    pub rows: i64,
    /// Rows that are not charged yet and still have it.
    pub waiting: i64,
}

/// `credits.customer_metadata_clear`: clears what the application stored with a customer's usage, spending, grants and
/// purchases. Raises PC003, PC013.
#[pg_extern(sql = false)]
fn customer_metadata_clear(customer_id: Option<&str>) -> Reply<One<ClearedRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        writing(|session| {
            // As what erases the person does, and what changes invoices.
            customer::lock(session, customer_id)?;
            lock(session, customer_id)?;
            // The grants before the purchases, since the purchases' descriptions tell which grants are named after
            // them.
            let mut all = ClearedRow {
                cleared: count(session, &[&CLEAR_OPERATIONS, &CLEAR_HOLDS, &CLEAR_GRANTS], customer_id)?,
                waiting: 0,
            };
            for listener in LISTENERS.all() {
                let cleared = listener.clear_metadata(session, customer_id)?;
                all.cleared += cleared.rows;
                all.waiting += cleared.waiting;
            }
            all.cleared += billing_event::clear_metadata(session, customer_id)?;
            Ok(One(all))
        })
    })())
}

/// The sum of what these statements count for a customer.
pub fn count(session: &Session, statements: &[&'static Statement], customer_id: &str) -> Result<i64, Error> {
    statements.iter().try_fold(0, |sum, statement| match statement.run(session, &[customer_id.cell()])?.first() {
        Some(mut row) => Ok(sum + row.next::<i64>()?),
        None => Ok(sum),
    })
}
