//! Customers: the owners of credits, under the application's own keys.

pub mod deletion;
pub mod details;
pub mod erasure;

use crate::amount::Decimal;
use crate::error::{Error, quoted};
use crate::input;
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, NUMERICOID, Oid, TEXTOID, TIMESTAMPTZOID};

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
        /// Not checked.
        pub phone: Option<String>,
        /// The application's own words.
        pub description: Option<String>,
        /// Where it is billed.
        pub address: Option<Json>,
        /// Where goods are sent, and to whom.
        pub shipping: Option<Json>,
        /// What it pays in.
        pub currency: Option<String>,
        /// What the numbers of its invoices begin with.
        pub invoice_prefix: Option<String>,
        /// Percent.
        pub tax_rate: Option<Decimal>,
        /// The application's own.
        pub preferences: Option<Json>,
        /// The time zone of its calendar; NULL for none.
        pub time_zone: Option<String>,
        /// A moment at which its billing periods begin; NULL for none.
        pub billing_anchor: Option<Time>,
    } read
}

/// The columns of a customer's row.
macro_rules! columns {
    () => {
        "c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, c.phone, c.description, c.address,
         c.shipping, c.currency, c.invoice_prefix, c.tax_rate, c.preferences, c.time_zone, c.billing_anchor"
    };
}

/// What is given of a customer.
const GIVEN: [Oid; 14] = [
    TEXTOID,
    TEXTOID,
    TEXTOID,
    JSONBOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    NUMERICOID,
    TEXTOID,
    TEXTOID,
    TIMESTAMPTZOID,
];

// What is empty, or infinity, removes a value, and NULL leaves it. A row that was just created has no xmax.
static UPSERT: Statement = Statement::new(
    text!(
        "INSERT INTO credits_internal.customers AS c (customer_id, name, email, metadata, phone, description, address,
                                                      shipping, currency, invoice_prefix, tax_rate, preferences, time_zone,
                                                      billing_anchor)
         VALUES ($1, nullif($2, ''), nullif($3, ''), $4, nullif($5, ''), nullif($6, ''), nullif($7, '')::jsonb,
                 nullif($8, '')::jsonb, nullif($9, ''), nullif($10, ''), nullif($11, 'infinity'), nullif($12, '')::jsonb,
                 nullif($13, ''), nullif($14, 'infinity'))
         ON CONFLICT (customer_id) DO UPDATE
         SET name = CASE WHEN $2 IS NULL THEN c.name ELSE excluded.name END,
             email = CASE WHEN $3 IS NULL THEN c.email ELSE excluded.email END,
             metadata = coalesce(excluded.metadata, c.metadata), updated_at = now(),
             phone = CASE WHEN $5 IS NULL THEN c.phone ELSE excluded.phone END,
             description = CASE WHEN $6 IS NULL THEN c.description ELSE excluded.description END,
             address = CASE WHEN $7 IS NULL THEN c.address ELSE excluded.address END,
             shipping = CASE WHEN $8 IS NULL THEN c.shipping ELSE excluded.shipping END,
             currency = CASE WHEN $9 IS NULL THEN c.currency ELSE excluded.currency END,
             invoice_prefix = CASE WHEN $10 IS NULL THEN c.invoice_prefix ELSE excluded.invoice_prefix END,
             tax_rate = CASE WHEN $11 IS NULL THEN c.tax_rate ELSE excluded.tax_rate END,
             preferences = CASE WHEN $12 IS NULL THEN c.preferences ELSE excluded.preferences END,
             time_zone = CASE WHEN $13 IS NULL THEN c.time_zone ELSE excluded.time_zone END,
             billing_anchor = CASE WHEN $14 IS NULL THEN c.billing_anchor ELSE excluded.billing_anchor END,
             erased_at = CASE WHEN num_nonnulls(excluded.name, excluded.email, excluded.metadata, excluded.phone,
                                                excluded.description, excluded.address, excluded.shipping,
                                                excluded.preferences, excluded.time_zone) = 0
                              THEN c.erased_at END
         RETURNING c.xmax = 0, ",
        columns!()
    ),
    &GIVEN,
)
.before(
    c"INSERT INTO credits_internal.customers AS c (customer_id, name, email, metadata) VALUES ($1, $2, $3, $4)
      ON CONFLICT (customer_id) DO UPDATE
      SET name = coalesce(excluded.name, c.name), email = coalesce(excluded.email, c.email),
          metadata = coalesce(excluded.metadata, c.metadata), updated_at = now(),
          erased_at = CASE WHEN excluded.name IS NULL AND excluded.email IS NULL AND excluded.metadata IS NULL
                           THEN c.erased_at END
      RETURNING c.xmax = 0, c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, $5, $6, $7::jsonb,
                $8::jsonb, $9, $10, $11, $12::jsonb, $13, $14",
);

// Whether that changes a customer that is there; its row stays locked.
static CHANGES: Statement = Statement::new(
    c"SELECT $2 IS NOT NULL AND c.name IS DISTINCT FROM nullif($2, '')
             OR $3 IS NOT NULL AND c.email IS DISTINCT FROM nullif($3, '')
             OR $4 IS NOT NULL AND c.metadata IS DISTINCT FROM $4
             OR $5 IS NOT NULL AND c.phone IS DISTINCT FROM nullif($5, '')
             OR $6 IS NOT NULL AND c.description IS DISTINCT FROM nullif($6, '')
             OR $7 IS NOT NULL AND c.address IS DISTINCT FROM nullif($7, '')::jsonb
             OR $8 IS NOT NULL AND c.shipping IS DISTINCT FROM nullif($8, '')::jsonb
             OR $9 IS NOT NULL AND c.currency IS DISTINCT FROM nullif($9, '')
             OR $10 IS NOT NULL AND c.invoice_prefix IS DISTINCT FROM nullif($10, '')
             OR $11 IS NOT NULL AND c.tax_rate IS DISTINCT FROM nullif($11, 'infinity')
             OR $12 IS NOT NULL AND c.preferences IS DISTINCT FROM nullif($12, '')::jsonb
             OR $13 IS NOT NULL AND c.time_zone IS DISTINCT FROM nullif($13, '')
             OR $14 IS NOT NULL AND c.billing_anchor IS DISTINCT FROM nullif($14, 'infinity')
             OR c.erased_at IS NOT NULL
      FROM credits_internal.customers c WHERE c.customer_id = $1 FOR NO KEY UPDATE",
    &GIVEN,
)
// There are no events that would say so.
.before(c"SELECT false WHERE $1 IS NULL");

static READ: Statement = Statement::new(
    text!("SELECT ", columns!(), " FROM credits_internal.customers c WHERE c.customer_id = $1"),
    &[TEXTOID],
);

/// `credits.customer_upsert`: creates or updates; NULL leaves a value as it is. Raises PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn customer_upsert_2(
    customer_id: Option<&str>,
    name: Option<&str>,
    email: Option<&str>,
    metadata: Option<Json>,
    phone: Option<&str>,
    description: Option<&str>,
    address: Option<Json>,
    shipping: Option<Json>,
    currency: Option<&str>,
    invoice_prefix: Option<&str>,
    tax_rate: Option<Numeric>,
    preferences: Option<Json>,
    time_zone: Option<&str>,
    billing_anchor: Option<Timestamptz>,
) -> Reply<One<CustomerRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        for (argument, value) in [("name", name), ("email", email), ("phone", phone), ("description", description)] {
            input::text(argument, value)?;
        }
        let address = address.map(|given| details::address(&given.text())).transpose()?;
        let shipping = shipping.map(|given| details::shipping(&given.text())).transpose()?;
        let preferences = preferences.map(|given| details::object("preferences", &given.text())).transpose()?;
        let prefix = invoice_prefix.map(details::invoice_prefix).transpose()?;
        let prefix = prefix.as_deref();
        let tax_rate = input::limit("tax_rate", tax_rate, details::tax_rate)?;
        // An empty one removes it.
        let time_zone =
            time_zone.map(|name| if name.is_empty() { Ok(String::new()) } else { input::place(name) }).transpose()?;
        let billing_anchor = billing_anchor.map(|at| at.0);
        if billing_anchor.is_some_and(|at| at != Time::NEVER && at.date().is_none()) {
            return Err(Error::argument("billing_anchor", "must be a moment, or infinity, which removes it"));
        }
        writing(|session| {
            if let Some(code) = currency.filter(|code| !code.is_empty()) {
                currency::resolve(session, code)?;
            }
            claim_prefix(session, customer_id, prefix)?;
            let cells = [
                customer_id.cell(),
                name.cell(),
                email.cell(),
                metadata.cell(),
                phone.cell(),
                description.cell(),
                address.cell(),
                shipping.cell(),
                currency.cell(),
                prefix.cell(),
                tax_rate.cell(),
                preferences.cell(),
                time_zone.cell(),
                billing_anchor.cell(),
            ];
            let changes: Option<bool> = CHANGES.run(session, &cells)?.first().map(|mut row| row.next()).transpose()?;
            let before = match changes {
                Some(true) => {
                    billing_event::before(session, EventType::CustomerUpdated, customer_id, Some(customer_id))?
                }
                _ => None,
            };
            let rows = UPSERT.run(session, &cells)?;
            let mut row = rows.first().ok_or_else(|| Error::internal("a customer was not written"))?;
            let event_type = if row.next()? { EventType::CustomerCreated } else { EventType::CustomerUpdated };
            // If the customer was deleted meanwhile, the claim was as well.
            claim_prefix(session, customer_id, prefix)?;
            if changes != Some(false) {
                let now = settings::now()?;
                billing_event::updated(session, event_type, customer_id, Some(customer_id), before, now)?;
            }
            CustomerRow::read(row).map(One)
        })
    })())
}

crate::older!(customer_upsert_wrapper => customer_upsert_2_wrapper, 4 of 14);

static CLAIM_PREFIX: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_prefixes (invoice_prefix, customer_id) VALUES ($1, $2)
      ON CONFLICT (invoice_prefix) DO NOTHING",
    &[TEXTOID, TEXTOID],
);

static PREFIX_OF: Statement =
    Statement::new(c"SELECT customer_id FROM credits_internal.invoice_prefixes WHERE invoice_prefix = $1", &[TEXTOID]);

/// Claims a prefix of invoices' numbers, for ever: numbers that begin with it may be on invoices. Comes before the
/// customer's row is locked. Raises PC013 if it is another customer's.
fn claim_prefix(session: &Session, customer_id: &str, prefix: Option<&str>) -> Result<(), Error> {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else { return Ok(()) };
    if CLAIM_PREFIX.run(session, &[prefix.cell(), customer_id.cell()])?.written() > 0 {
        return Ok(());
    }
    let owner: Option<String> =
        PREFIX_OF.run(session, &[prefix.cell()])?.first().map(|mut row| row.next()).transpose()?;
    if owner.as_deref() == Some(customer_id) {
        return Ok(());
    }
    let reason = format!("must be the customer's own: {} is or was another customer's", quoted(prefix));
    Err(Error::argument("invoice_prefix", reason))
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
    if exists(session, customer_id)? { Ok(()) } else { make_bare(session, customer_id) }
}

fn make_bare(session: &Session, customer_id: &str) -> Result<(), Error> {
    match MAKE_BARE.run(session, &[customer_id.cell()])?.written() {
        // Another session has just created it.
        0 => Ok(()),
        _ => {
            let now = settings::now()?;
            billing_event::record(session, EventType::CustomerCreated, customer_id, Some(customer_id), now)
        }
    }
}

static KEEP: Statement =
    Statement::new(c"SELECT true FROM credits_internal.customers WHERE customer_id = $1 FOR KEY SHARE", &[TEXTOID]);

/// Keeps a customer from being deleted until the transaction ends, for what locks no account of it. Whether it exists.
fn keep(session: &Session, customer_id: &str) -> Result<bool, Error> {
    Ok(KEEP.run(session, &[customer_id.cell()])?.len() > 0)
}

/// Keeps a customer that must exist. Raises PC003.
pub fn keep_existing(session: &Session, customer_id: &str) -> Result<(), Error> {
    if keep(session, customer_id)? {
        return Ok(());
    }
    Err(Error::CustomerNotFound { customer_id: customer_id.to_string() })
}

/// Keeps a customer, which is created where it is missing.
pub fn ensure_kept(session: &Session, customer_id: &str) -> Result<(), Error> {
    if keep(session, customer_id)? { Ok(()) } else { make_bare(session, customer_id) }
}

static LOCK: Statement = Statement::new(
    c"SELECT erased_at IS NOT NULL FROM credits_internal.customers WHERE customer_id = $1 FOR NO KEY UPDATE",
    &[TEXTOID],
);

/// Locks a customer, who must exist, before any account; charges never do. Returns whether the person is erased. Raises
/// PC003.
pub fn lock(session: &Session, customer_id: &str) -> Result<bool, Error> {
    match LOCK.run(session, &[customer_id.cell()])?.first() {
        Some(mut row) => row.next(),
        None => Err(Error::CustomerNotFound { customer_id: customer_id.to_string() }),
    }
}

/// `credits.current_customer`: whose rows the customer views show; NULL for nobody's.
#[pg_extern(sql = false)]
fn current_customer() -> Reply<Value<Option<String>>> {
    Reply(Ok(Value(settings::current_customer())))
}
