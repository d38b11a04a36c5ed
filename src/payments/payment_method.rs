//! Payment methods: what a provider keeps of a customer that can be charged, by the names that the provider gave to it.

mod card_number;

use crate::error::Error;
use crate::input;
use crate::ledger::customer;
use crate::moment::Time;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Row, Session, Statement, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A payment method, as `payment_method_attach` returns it.
    pub struct MethodRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub payment_method_id: Uuid,
        /// Who keeps it.
        pub provider: String,
        /// What the provider calls the customer.
        pub provider_customer: Option<String>,
        /// What the provider calls it; NULL once the person is erased.
        pub reference: Option<String>,
        /// What people call it.
        pub name: Option<String>,
        /// From when on it cannot be charged; NULL for never.
        pub expires_at: Option<Time>,
        /// Whether it is the one that is charged where none is named.
        pub is_default: bool,
        /// 'attached', 'expired' or 'detached'.
        pub status: String,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was attached.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// When it was detached; NULL where it is not.
        pub detached_at: Option<Time>,
        /// Whether this was the case before.
        pub replayed: bool,
    }
}

impl MethodRow {
    fn read(mut row: Row<'_>, replayed: bool) -> Result<Self, Error> {
        Ok(MethodRow {
            customer_id: row.next()?,
            payment_method_id: row.next()?,
            provider: row.next()?,
            provider_customer: row.next()?,
            reference: row.next()?,
            name: row.next()?,
            expires_at: row.next()?,
            is_default: row.next()?,
            status: row.next()?,
            metadata: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
            detached_at: row.next()?,
            replayed,
        })
    }
}

/// A payment method that can be charged.
pub struct Chargeable {
    /// Its id.
    pub id: Uuid,
    /// Who keeps it.
    pub provider: String,
    /// What the provider calls the customer.
    pub provider_customer: Option<String>,
    /// What the provider calls it.
    pub reference: Option<String>,
}

macro_rules! chargeable {
    ($which:literal) => {
        text!(
            "SELECT m.payment_method_id, m.provider, m.provider_customer, m.reference
             FROM credits_internal.payment_methods m
             WHERE m.customer_id = $1 AND m.detached_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > $2) AND ",
            $which
        )
    };
}
static CHARGEABLE: Statement =
    Statement::new(chargeable!("m.payment_method_id = $3"), &[TEXTOID, TIMESTAMPTZOID, UUIDOID]);
static CHARGEABLE_DEFAULT: Statement = Statement::new(chargeable!("m.is_default"), &[TEXTOID, TIMESTAMPTZOID]);

/// A customer's payment method, or the default one, if it can be charged.
pub fn chargeable(
    session: &Session,
    customer_id: &str,
    id: Option<Uuid>,
    now: Time,
) -> Result<Option<Chargeable>, Error> {
    let rows = match id {
        Some(id) => CHARGEABLE.run(session, &[customer_id.cell(), now.cell(), id.cell()])?,
        None => CHARGEABLE_DEFAULT.run(session, &[customer_id.cell(), now.cell()])?,
    };
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (id, provider, provider_customer) = (row.next()?, row.next()?, row.next()?);
    Ok(Some(Chargeable { id, provider, provider_customer, reference: row.next()? }))
}

static READ: Statement = Statement::new(
    c"SELECT m.customer_id, m.payment_method_id, m.provider, m.provider_customer, m.reference, m.name, m.expires_at,
             m.is_default,
             CASE WHEN m.detached_at IS NOT NULL THEN 'detached' WHEN m.expires_at <= $3 THEN 'expired' ELSE 'attached' END,
             m.metadata, m.created_at, m.updated_at, m.detached_at
      FROM credits_internal.payment_methods m WHERE m.customer_id = $1 AND m.payment_method_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

fn read(session: &Session, customer_id: &str, id: Uuid, now: Time, replayed: bool) -> Result<Option<MethodRow>, Error> {
    let rows = READ.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
    rows.first().map(|row| MethodRow::read(row, replayed)).transpose()
}

// What is given replaces what was: the bank sends another card for the same account, and the provider keeps its name.
static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_methods m
      SET provider_customer = n.provider_customer, expires_at = n.expires_at, name = n.name, metadata = n.metadata,
          updated_at = CASE WHEN (n.provider_customer, n.expires_at, n.name, n.metadata) IS DISTINCT FROM
                                 (m.provider_customer, m.expires_at, m.name, m.metadata)
                            THEN $8 ELSE m.updated_at END
      FROM (SELECT o.payment_method_id,
                   CASE WHEN $4 IS NULL THEN o.provider_customer ELSE nullif($4, '') END AS provider_customer,
                   CASE WHEN $5 IS NULL THEN o.expires_at ELSE nullif($5, 'infinity') END AS expires_at,
                   CASE WHEN $6 IS NULL THEN o.name ELSE nullif($6, '') END AS name,
                   coalesce($7, o.metadata) AS metadata
            FROM credits_internal.payment_methods o
            WHERE o.customer_id = $1 AND o.provider = $2 AND o.reference = $3 AND o.detached_at IS NULL) n
      WHERE m.customer_id = $1 AND m.payment_method_id = n.payment_method_id
      RETURNING m.payment_method_id",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_methods (customer_id, provider, reference, provider_customer, expires_at, name,
                                                    metadata, created_at, updated_at, payment_method_id, is_default)
      VALUES ($1, $2, $3, nullif($4, ''), nullif($5, 'infinity'), nullif($6, ''), $7, $8, $8, $9, false)",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, UUIDOID],
);

// One that has expired cannot be charged.
static HAS_DEFAULT: Statement = Statement::new(
    c"SELECT true FROM credits_internal.payment_methods m
      WHERE m.customer_id = $1 AND m.is_default AND (m.expires_at IS NULL OR m.expires_at > $2)",
    &[TEXTOID, TIMESTAMPTZOID],
);

static NO_DEFAULT: Statement = Statement::new(
    c"UPDATE credits_internal.payment_methods m SET is_default = false, updated_at = $3
      WHERE m.customer_id = $1 AND m.is_default AND m.payment_method_id <> $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static SET_DEFAULT: Statement = Statement::new(
    c"UPDATE credits_internal.payment_methods m SET is_default = true, updated_at = $3
      WHERE m.customer_id = $1 AND m.payment_method_id = $2 AND NOT m.is_default",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// A provider's name for something, which must not be what only the customer and the bank may know. Raises PC013.
fn name_of<'a>(argument: &'static str, value: Option<&'a str>) -> Result<&'a str, Error> {
    let name = input::key(argument, value)?;
    if card_number::is(name) { Err(secret(argument)) } else { Ok(name) }
}

fn secret(argument: &'static str) -> Error {
    Error::argument(argument, "must not have the number of a card in it: give the name that the provider has for it")
}

/// `credits.payment_method_attach`: once per customer, provider and reference. Raises PC003, PC013, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_method_attach(
    customer_id: Option<&str>,
    provider: Option<&str>,
    provider_customer: Option<&str>,
    reference: Option<&str>,
    expires_at: Option<Timestamptz>,
    is_default: Option<bool>,
    name: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<MethodRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let provider = input::key("provider", provider)?;
        let reference = name_of("reference", reference)?;
        if provider_customer.is_some_and(|given| !given.is_empty()) {
            name_of("provider_customer", provider_customer)?;
        }
        let expires_at = expires_at.map(|at| at.0);
        if expires_at.is_some_and(|at| at != Time::NEVER && !at.is_finite()) {
            return Err(Error::argument("expires_at", "must be a moment, or infinity for never"));
        }
        if input::text("name", name)?.is_some_and(card_number::is_in) {
            return Err(secret("name"));
        }
        let now = settings::now()?;
        writing(|session| {
            if customer::lock(session, customer_id)? {
                return Err(Error::StateConflict { object: "customer", id: customer_id.to_string(), state: "erased" });
            }
            let cells = [
                customer_id.cell(),
                provider.cell(),
                reference.cell(),
                provider_customer.cell(),
                expires_at.cell(),
                name.cell(),
                metadata.cell(),
                now.cell(),
            ];
            let there: Option<Uuid> = UPDATE.run(session, &cells)?.first().map(|mut row| row.next()).transpose()?;
            let id = there.unwrap_or_else(Uuid::now_v7);
            if there.is_none() {
                let [a, b, c, d, e, f, g, h] = cells;
                INSERT.run(session, &[a, b, c, d, e, f, g, h, id.cell()])?;
            }
            let has_default = || Ok(HAS_DEFAULT.run(session, &[customer_id.cell(), now.cell()])?.len() > 0);
            if is_default == Some(true) || there.is_none() && !has_default()? {
                NO_DEFAULT.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
                SET_DEFAULT.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
            }
            let row = read(session, customer_id, id, now, there.is_some())?;
            row.map(One).ok_or_else(|| Error::internal("a payment method was attached and is not there"))
        })
    })())
}

static DETACH: Statement = Statement::new(
    c"UPDATE credits_internal.payment_methods m SET detached_at = $3, updated_at = $3, is_default = false
      WHERE m.customer_id = $1 AND m.payment_method_id = $2 AND m.detached_at IS NULL",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// `credits.payment_method_detach`. Raises PC003, PC013, PC019.
#[pg_extern(sql = false)]
fn payment_method_detach(customer_id: Option<&str>, payment_method_id: Option<Id>) -> Reply<One<MethodRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("payment_method_id", payment_method_id)?.0;
        let now = settings::now()?;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let detached = DETACH.run(session, &[customer_id.cell(), id.cell(), now.cell()])?.written() > 0;
            let row = read(session, customer_id, id, now, !detached)?;
            row.map(One).ok_or_else(|| Error::ObjectNotFound { object: "payment_method", id: id.to_string() })
        })
    })())
}

// When each was there is kept, since payments may have been made with it; which it was is not.
static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_methods m
      SET provider_customer = NULL, reference = NULL, name = NULL, expires_at = NULL, metadata = NULL, is_default = false,
          detached_at = coalesce(m.detached_at, $2), updated_at = $2
      WHERE m.customer_id = $1
        AND (m.detached_at IS NULL OR num_nonnulls(m.provider_customer, m.reference, m.name, m.expires_at, m.metadata) > 0)",
    &[TEXTOID, TIMESTAMPTZOID],
)
.before(c"SELECT true WHERE $1 IS NULL AND $2 IS NULL");

/// Detaches all payment methods of a person, and clears what they say. The customer's row is locked.
pub fn erase(session: &Session, customer_id: &str) -> Result<(), Error> {
    ERASE.run(session, &[customer_id.cell(), settings::now()?.cell()]).map(drop)
}
