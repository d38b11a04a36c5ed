//! Products: what is sold, and what one unit of it grants. Products are never deleted, but archived.

use crate::amount::{self, Decimal};
use crate::catalog::listener::{self, Changed};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::ledger::grant::terms;
use crate::moment::Time;
use crate::pg::call::argument::{ArrayOf, Id, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::span::Span;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT2OID, INTERVALOID, JSONBOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A product.
    pub struct ProductRow {
        /// Its id.
        pub product_id: Uuid,
        /// Its display name.
        pub name: String,
        /// What it is.
        pub description: Option<String>,
        /// The currency of what it grants.
        pub credit_currency: String,
        /// Credits that one unit grants.
        pub credits: Decimal,
        /// 'paid' or 'promotional'.
        pub category: String,
        /// 0 to 100, lower first.
        pub priority: i32,
        /// How long the credits last; NULL for ever.
        pub time_to_live: Option<Span>,
        /// NULL for anything.
        pub applicable_meters: Option<Vec<String>>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// Whether it is on sale.
        pub active: bool,
        /// When it was created.
        pub created_at: Time,
    } read
}

/// A product's terms, as given.
#[derive(Default)]
pub struct Given<'a> {
    /// Its display name.
    pub name: Option<&'a str>,
    /// What it is.
    pub description: Option<&'a str>,
    /// The currency of what it grants; NULL for the default.
    pub credit_currency: Option<&'a str>,
    /// Credits that one unit grants.
    pub credits: Option<Numeric>,
    /// 'paid' or 'promotional'.
    pub category: Option<&'a str>,
    /// 0 to 100, lower first.
    pub priority: Option<i32>,
    /// How long the credits last; NULL for ever.
    pub time_to_live: Option<Interval>,
    /// NULL for anything.
    pub applicable_meters: Option<ArrayOf<String>>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// `credits.product_create`. Raises PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn product_create(
    name: Option<&str>,
    description: Option<&str>,
    credit_currency: Option<&str>,
    credits: Option<Numeric>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
    metadata: Option<Json>,
) -> Reply<One<ProductRow>> {
    let given = Given {
        name,
        description,
        credit_currency,
        credits,
        category,
        priority,
        time_to_live,
        applicable_meters,
        metadata,
    };
    Reply(writing(|session| make(session, &check(session, given)?)).map(One))
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.products (product_id, name, description, credit_currency, credits, category, priority,
      time_to_live,
                                    applicable_meters, metadata, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
      RETURNING product_id, name, description, credit_currency, credits, category, priority::int, time_to_live,
                applicable_meters, metadata, archived_at IS NULL, created_at",
    &[
        UUIDOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, INT2OID, INTERVALOID, TEXTARRAYOID, JSONBOID,
        TIMESTAMPTZOID,
    ],
);

/// A product's terms, checked.
pub struct Terms<'a> {
    /// Its display name.
    pub name: &'a str,
    /// What it is.
    pub description: Option<&'a str>,
    /// The currency of what it grants.
    pub credit_currency: String,
    /// Credits that one unit grants.
    pub credits: Decimal,
    /// 'paid' or 'promotional'.
    pub category: &'a str,
    /// 0 to 100, lower first.
    pub priority: i16,
    /// How long the credits last; NULL for ever.
    pub time_to_live: Option<Span>,
    /// NULL for anything.
    pub applicable_meters: Option<Vec<String>>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// Checks the terms of a new product. Raises PC004, PC007, PC008, PC013.
pub fn check<'a>(session: &Session, given: Given<'a>) -> Result<Terms<'a>, Error> {
    let name = input::key("name", given.name)?;
    input::text("description", given.description)?;
    let code = currency::code_or_default(given.credit_currency)?;
    let credits = input::number("credits", given.credits, amount::over_zero)?;
    currency::resolve_for(session, &code, "credits", credits)?;
    let category = input::choice("category", given.category, "paid", &["paid", "promotional"])?;
    let priority = terms::priority(given.priority)?.unwrap_or(terms::DEFAULT_PRIORITY);
    let time_to_live = given.time_to_live.map(|t| t.positive("time_to_live")).transpose()?;
    Ok(Terms {
        name,
        description: given.description,
        credit_currency: code,
        credits,
        category,
        priority,
        time_to_live,
        applicable_meters: terms::known_meters(session, given.applicable_meters)?,
        metadata: given.metadata,
    })
}

/// Creates a product.
pub fn make(session: &Session, terms: &Terms<'_>) -> Result<ProductRow, Error> {
    let rows = INSERT.run(
        session,
        &[
            Uuid::now_v7().cell(),
            terms.name.cell(),
            terms.description.cell(),
            terms.credit_currency.cell(),
            terms.credits.cell(),
            terms.category.cell(),
            terms.priority.cell(),
            terms.time_to_live.cell(),
            terms.applicable_meters.cell(),
            terms.metadata.cell(),
            settings::now()?.cell(),
        ],
    )?;
    ProductRow::read(rows.first().ok_or_else(|| Error::internal("a product was not written"))?)
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.products p
      SET name = coalesce($2, p.name), description = coalesce($3, p.description), credits = coalesce($4, p.credits),
          category = coalesce($5, p.category), priority = coalesce($6, p.priority),
          time_to_live = coalesce($7, p.time_to_live), applicable_meters = coalesce($8, p.applicable_meters),
          metadata = coalesce($9, p.metadata)
      WHERE p.product_id = $1
      RETURNING p.product_id, p.name, p.description, p.credit_currency, p.credits, p.category, p.priority::int, p.time_to_live,
                p.applicable_meters, p.metadata, p.archived_at IS NULL, p.created_at",
    &[UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, INT2OID, INTERVALOID, TEXTARRAYOID, JSONBOID],
);

static CREDIT_CURRENCY: Statement =
    Statement::new(c"SELECT credit_currency FROM credits_internal.products WHERE product_id = $1", &[UUIDOID]);

fn credit_currency(session: &Session, product_id: Uuid) -> Result<String, Error> {
    let rows = CREDIT_CURRENCY.run(session, &[product_id.cell()])?;
    rows.first().ok_or_else(|| unknown(product_id))?.next()
}

/// `credits.product_update`. Raises PC004, PC007, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn product_update(
    product_id: Option<Id>,
    name: Option<&str>,
    description: Option<&str>,
    credits: Option<Numeric>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
    metadata: Option<Json>,
) -> Reply<One<ProductRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        let name = input::optional_key("name", name)?;
        input::text("description", description)?;
        if let Some(category) = category {
            input::choice("category", Some(category), category, &["paid", "promotional"])?;
        }
        let priority = terms::priority(priority)?;
        let time_to_live = time_to_live.map(|t| t.positive("time_to_live")).transpose()?;
        writing(|session| {
            let decimals = currency::decimals(session, &credit_currency(session, product_id)?)?;
            let credits = input::optional_number("credits", credits, |n| amount::positive(n, decimals))?;
            let meters = terms::known_meters(session, applicable_meters)?;
            let rows = UPDATE.run(
                session,
                &[
                    product_id.cell(),
                    name.cell(),
                    description.cell(),
                    credits.cell(),
                    category.cell(),
                    priority.cell(),
                    time_to_live.cell(),
                    meters.cell(),
                    metadata.cell(),
                ],
            )?;
            let row = ProductRow::read(rows.first().ok_or_else(|| unknown(product_id))?)?;
            listener::announce(session, Changed::Product(product_id))?;
            Ok(One(row))
        })
    })())
}

fn unknown(product_id: Uuid) -> Error {
    Error::argument("product_id", format!("{product_id} does not exist: see the view credits.catalog"))
}

static ARCHIVE: Statement = Statement::new(
    c"UPDATE credits_internal.products p SET archived_at = coalesce(p.archived_at, $2) WHERE p.product_id = $1
      RETURNING p.product_id, p.name, p.description, p.credit_currency, p.credits, p.category, p.priority::int, p.time_to_live,
                p.applicable_meters, p.metadata, p.archived_at IS NULL, p.created_at",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// `credits.product_archive`. Raises PC013.
#[pg_extern(sql = false)]
fn product_archive(product_id: Option<Id>) -> Reply<One<ProductRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        writing(|session| {
            let rows = ARCHIVE.run(session, &[product_id.cell(), settings::now()?.cell()])?;
            let row = ProductRow::read(rows.first().ok_or_else(|| unknown(product_id))?)?;
            listener::announce(session, Changed::Product(product_id))?;
            Ok(One(row))
        })
    })())
}
