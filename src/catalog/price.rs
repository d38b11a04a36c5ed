//! Prices: what one unit of a product costs and, for purchases, what it grants. Prices are never deleted, but archived.

use crate::amount::{self, Decimal};
use crate::catalog::listener::{self, Changed};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::ledger::grant::terms::GrantTerms;
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// A price and its product.
pub struct Price {
    /// The product's name.
    pub product_name: String,
    /// What one unit costs, in the payment currency.
    pub unit_amount: Decimal,
    /// The payment currency's code.
    pub currency: String,
    /// Credits that one unit grants.
    pub credits: Decimal,
    /// Of which currency.
    pub credit_currency: String,
    /// Under which terms.
    pub terms: GrantTerms,
    /// Whether it is archived.
    pub archived: bool,
}

static FIND: Statement = Statement::new(
    c"SELECT d.name, p.unit_amount, p.currency, d.credits, d.credit_currency, d.category, d.priority,
             d.time_to_live, d.applicable_meters, p.archived_at IS NOT NULL OR d.archived_at IS NOT NULL
      FROM credits_internal.prices p JOIN credits_internal.products d ON d.product_id = p.product_id
      WHERE p.price_id = $1",
    &[UUIDOID],
);

/// A price, on sale or not. Raises PC015.
pub fn find(session: &Session, price_id: Uuid) -> Result<Price, Error> {
    let rows = FIND.run(session, &[price_id.cell()])?;
    let mut row = rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?;
    Ok(Price {
        product_name: row.next()?,
        unit_amount: row.next()?,
        currency: row.next()?,
        credits: row.next()?,
        credit_currency: row.next()?,
        terms: GrantTerms {
            category: row.next()?,
            priority: row.next()?,
            time_to_live: row.next()?,
            applicable_meters: row.next()?,
        },
        archived: row.next()?,
    })
}

/// A price that is on sale. Raises PC015.
pub fn on_sale(session: &Session, price_id: Uuid) -> Result<Price, Error> {
    match find(session, price_id)? {
        price if price.archived => Err(Error::PriceNotFound { price_id, archived: true }),
        price => Ok(price),
    }
}

row! {
    /// A price.
    pub struct PriceRow {
        /// Its id.
        pub price_id: Uuid,
        /// Of which product.
        pub product_id: Uuid,
        /// 'one_time'.
        pub kind: String,
        /// What one unit costs, in major units.
        pub unit_amount: Decimal,
        /// The payment currency's code.
        pub currency: String,
        /// The application's own.
        pub metadata: Option<Json>,
        /// Whether it is on sale.
        pub active: bool,
        /// When it was created.
        pub created_at: Time,
    } read
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.prices (price_id, product_id, type, unit_amount, currency, metadata, created_at)
      SELECT $1, d.product_id, $3, $4, $5, $6, $7 FROM credits_internal.products d WHERE d.product_id = $2
      AND d.archived_at IS NULL
      RETURNING price_id, product_id, type, unit_amount, currency, metadata, archived_at IS NULL, created_at",
    &[UUIDOID, UUIDOID, TEXTOID, NUMERICOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

/// `credits.price_create`. Raises PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn price_create(
    product_id: Option<Id>,
    kind: Option<&str>,
    unit_amount: Option<Numeric>,
    currency: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<PriceRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        input::choice("type", kind, "one_time", &["one_time"])?;
        writing(|session| {
            let amount = check(session, unit_amount, ("currency", currency))?;
            make(session, product_id, amount, metadata.as_ref())
        })
        .map(One)
    })())
}

/// Checks an amount and its currency. Raises PC007, PC008, PC013.
pub fn check<'a>(
    session: &Session,
    unit_amount: Option<Numeric>,
    (argument, code): (&'static str, Option<&'a str>),
) -> Result<(Decimal, &'a str), Error> {
    let code = input::required(argument, code)?;
    let unit_amount = input::number("unit_amount", unit_amount, amount::over_zero)?;
    currency::resolve_fiat(session, (argument, code), ("unit_amount", unit_amount))?;
    Ok((unit_amount, code))
}

/// Creates a price. Raises PC013.
pub fn make(
    session: &Session,
    product_id: Uuid,
    (unit_amount, code): (Decimal, &str),
    metadata: Option<&Json>,
) -> Result<PriceRow, Error> {
    let rows = INSERT.run(
        session,
        &[
            Uuid::now_v7().cell(),
            product_id.cell(),
            "one_time".cell(),
            unit_amount.cell(),
            code.cell(),
            metadata.cell(),
            settings::now()?.cell(),
        ],
    )?;
    let archived = || {
        let reason = format!("{product_id} does not exist, or is archived: see the view credits.catalog");
        Error::argument("product_id", reason)
    };
    PriceRow::read(rows.first().ok_or_else(archived)?)
}

static ARCHIVE: Statement = Statement::new(
    c"UPDATE credits_internal.prices p SET archived_at = coalesce(p.archived_at, $2) WHERE p.price_id = $1
      RETURNING p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata, p.archived_at IS NULL, p.created_at",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// `credits.price_archive`. Raises PC013, PC015.
#[pg_extern(sql = false)]
fn price_archive(price_id: Option<Id>) -> Reply<One<PriceRow>> {
    Reply((|| {
        let price_id = input::required("price_id", price_id)?.0;
        writing(|session| {
            find(session, price_id)?;
            let rows = ARCHIVE.run(session, &[price_id.cell(), settings::now()?.cell()])?;
            let row = PriceRow::read(rows.first().ok_or_else(|| Error::internal("a price is not there"))?)?;
            listener::announce(session, Changed::Price(price_id))?;
            Ok(One(row))
        })
    })())
}
