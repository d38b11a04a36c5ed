//! Customers: the owners of credits, under the application's own keys.

pub mod erasure;

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, TEXTOID};

row! {
    /// A customer as `customer_upsert` returns it.
    pub struct CustomerRow {
        /// The application's key.
        pub customer_id: String,
        /// A person's or a company's.
        pub name: Option<String>,
        /// Not checked.
        pub email: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When first seen.
        pub created_at: Time,
        /// When last changed.
        pub updated_at: Time,
    } read
}

static UPSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.customers AS c (customer_id, name, email, metadata) VALUES ($1, $2, $3, $4)
      ON CONFLICT (customer_id) DO UPDATE
      SET name = coalesce(excluded.name, c.name), email = coalesce(excluded.email, c.email),
          metadata = coalesce(excluded.metadata, c.metadata), updated_at = now(),
          erased_at = CASE WHEN excluded.name IS NULL AND excluded.email IS NULL AND excluded.metadata IS NULL
                           THEN c.erased_at END
      RETURNING c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at",
    &[TEXTOID, TEXTOID, TEXTOID, JSONBOID],
);

/// `credits.customer_upsert`: creates or updates; NULL leaves a value as it is. Raises PC013.
#[pg_extern(sql = false)]
fn customer_upsert(
    customer_id: Option<&str>,
    name: Option<&str>,
    email: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<CustomerRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("name", name)?;
        input::text("email", email)?;
        writing(|session| {
            let rows = UPSERT.run(session, &[customer_id.cell(), name.cell(), email.cell(), metadata.cell()])?;
            let row = rows.first().ok_or_else(|| Error::internal("a customer was not written"))?;
            CustomerRow::read(row).map(One)
        })
    })())
}

static EXISTS: Statement =
    Statement::new(c"SELECT true FROM credits_internal.customers WHERE customer_id = $1", &[TEXTOID]);

/// Whether a customer exists.
pub fn exists(session: &Session, customer_id: &str) -> Result<bool, Error> {
    Ok(EXISTS.run(session, &[customer_id.cell()])?.len() > 0)
}

/// The same, but raises PC003 if it does not.
pub fn must_exist(session: &Session, customer_id: &str) -> Result<(), Error> {
    if exists(session, customer_id)? {
        return Ok(());
    }
    Err(Error::CustomerNotFound { customer_id: customer_id.to_string() })
}

static LOCK: Statement =
    Statement::new(c"SELECT true FROM credits_internal.customers WHERE customer_id = $1 FOR NO KEY UPDATE", &[TEXTOID]);

/// Locks a customer, who must exist, before any account. Charges never do. Raises PC003.
pub fn lock(session: &Session, customer_id: &str) -> Result<(), Error> {
    match LOCK.run(session, &[customer_id.cell()])?.len() {
        0 => Err(Error::CustomerNotFound { customer_id: customer_id.to_string() }),
        _ => Ok(()),
    }
}

static IS_ERASED: Statement = Statement::new(
    c"SELECT true FROM credits_internal.customers WHERE customer_id = $1 AND erased_at IS NOT NULL",
    &[TEXTOID],
);

/// Whether a customer was erased, and has not been identified again since.
pub fn is_erased(session: &Session, customer_id: &str) -> Result<bool, Error> {
    Ok(IS_ERASED.run(session, &[customer_id.cell()])?.len() > 0)
}

static MAKE_BARE: Statement = Statement::new(
    c"INSERT INTO credits_internal.customers (customer_id) VALUES ($1) ON CONFLICT (customer_id) DO NOTHING",
    &[TEXTOID],
);

/// Creates a customer that is only a key, if it is missing. Does not wait for an existing one, even while another
/// session changes it.
pub fn ensure(session: &Session, customer_id: &str) -> Result<(), Error> {
    if !exists(session, customer_id)? {
        MAKE_BARE.run(session, &[customer_id.cell()])?;
    }
    Ok(())
}

/// `credits.current_customer`: whose rows the customer views show; NULL for nobody's.
#[pg_extern(sql = false)]
fn current_customer() -> Reply<Value<Option<String>>> {
    Reply(Ok(Value(settings::current_customer())))
}
