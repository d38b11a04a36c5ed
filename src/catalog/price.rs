//! Prices: what one unit of a product costs, and how it is paid. What was used is archived; only what never was is deleted.

mod inventory;
pub mod offer;
pub mod pack;
pub mod recurring;
mod rows;
pub mod terms;
pub mod usage;

use crate::amount::Decimal;
use crate::catalog::listener::{self, Changed};
use crate::catalog::price::rows::{INSERT, UPDATE, stored, write};
use crate::catalog::price::terms::{FROZEN, Given, Terms};
use crate::catalog::product;
use crate::catalog::stock::level;
use crate::catalog::stored::prices_before;
use crate::error::Error;
use crate::input;
use crate::input::key;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType, ON_SALE};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, in_latest_snapshot, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A price.
    pub struct PriceRow {
        /// Its id.
        pub price_id: Uuid,
        /// Of which product.
        pub product_id: Uuid,
        /// 'one_time' or 'recurring'.
        pub kind: String,
        /// What one unit costs, in major units.
        pub unit_amount: Option<Decimal>,
        /// The payment currency's code.
        pub currency: String,
        /// The application's own.
        pub metadata: Option<Json>,
        /// Whether it is on sale.
        pub active: bool,
        /// When it was created.
        pub created_at: Time,
        /// How often it is due.
        pub recurring: Option<Json>,
        /// For the merchant.
        pub nickname: Option<String>,
        /// A name that programs find it by.
        pub lookup_key: Option<String>,
        /// What it costs in other currencies.
        pub currency_options: Option<Json>,
        /// What a quantity costs.
        pub pricing: Option<Json>,
        /// The most that one checkout may buy.
        pub quantity_limit_per_checkout: Option<i32>,
        /// What one unit grants.
        pub credit_config: Option<Json>,
        /// Whether tax comes on top.
        pub tax_behavior: Option<String>,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// How many there are in all; `None` for any number.
        pub quantity_available: Option<i32>,
        /// How many of them are reserved or sold.
        pub quantity_taken: Option<i32>,
        /// How many of them are sold, or being paid.
        pub quantity_sold: Option<i32>,
    } read
}

macro_rules! find {
    ($prices:expr, $stock:expr) => {
        text!(
            "SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata, p.archived_at IS NULL,
                    p.created_at, p.recurring, p.nickname, p.lookup_key, p.currency_options, p.pricing,
                    p.quantity_limit_per_checkout, p.credit_config, p.tax_behavior, p.updated_at, $2,
                    s.quantity_available, s.quantity_taken, s.quantity_sold
             FROM ",
            $prices,
            " p LEFT JOIN ",
            $stock,
            " s ON s.price_id = p.price_id WHERE p.price_id = $1"
        )
    };
}

macro_rules! no_stock {
    () => {
        "(SELECT NULL::uuid AS price_id, NULL::integer AS quantity_available, NULL::integer AS quantity_taken,
                 NULL::integer AS quantity_sold)"
    };
}

static FIND: Statement =
    Statement::new(find!("credits_internal.prices", "credits_internal.stock"), &[UUIDOID, BOOLOID])
        .before(find!(prices_before!(), no_stock!()));

/// A price as functions return it. Raises PC015.
fn find(session: &Session, price_id: Uuid, replayed: bool) -> Result<PriceRow, Error> {
    let rows = FIND.run(session, &[price_id.cell(), replayed.cell()])?;
    PriceRow::read(rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?)
}

/// `credits.price_create`. Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn price_create_2(
    product_id: Option<Id>,
    kind: Option<&str>,
    unit_amount: Option<Numeric>,
    currency: Option<&str>,
    recurring: Option<Json>,
    nickname: Option<&str>,
    lookup_key: Option<&str>,
    currency_options: Option<Json>,
    pricing: Option<Json>,
    quantity_limit_per_checkout: Option<i32>,
    credit_config: Option<Json>,
    tax_behavior: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    quantity_available: Option<i32>,
) -> Reply<One<PriceRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let given = Given {
            kind: kind.map(String::from),
            unit_amount: terms::unit_amount(unit_amount)?,
            currency: currency.map(String::from),
            recurring: terms::text(recurring),
            nickname: nickname.map(String::from),
            lookup_key: lookup_key.map(String::from),
            currency_options: terms::text(currency_options),
            pricing: terms::text(pricing),
            quantity_limit: quantity_limit_per_checkout,
            credit_config: terms::text(credit_config),
            tax_behavior: tax_behavior.map(String::from),
            metadata: terms::text(metadata),
            quantity_available,
        };
        writing(|session| create(session, product_id, given.read()?, key)).map(One)
    })())
}

/// The same as 0.2.0 declared it.
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
        let given = Given {
            unit_amount: terms::unit_amount(unit_amount)?,
            currency: currency.map(String::from),
            metadata: terms::text(metadata),
            ..Given::default()
        };
        writing(|session| create(session, product_id, given.read()?, None)).map(One)
    })())
}

fn create(session: &Session, product_id: Uuid, mut terms: Terms, key: Option<&str>) -> Result<PriceRow, Error> {
    let price_id = Uuid::now_v7();
    let mut inputs = vec![("product_id", Some(product_id.to_string()))];
    inputs.extend(terms.compared());
    inputs.push(("quantity_available", terms.quantity_available.map(|quantity| quantity.to_string())));
    if let Some(first) = key::claim(session, key, "price_create", price_id, &inputs, settings::now()?)? {
        return find(session, first, true);
    }
    terms.check(session)?;
    if let Some(there) = by_lookup_key(session, product_id, &terms)? {
        return Ok(there);
    }
    insert(session, price_id, product_id, &terms)?;
    find(session, price_id, false)
}

static BY_LOOKUP_KEY: Statement = Statement::new(
    c"SELECT price_id FROM credits_internal.prices WHERE lookup_key = $1 AND archived_at IS NULL",
    &[TEXTOID],
);

/// The price on sale that has a lookup key, if there is one. Until the transaction ends nobody else gives that key away.
pub fn having(session: &Session, lookup_key: &str) -> Result<Option<Uuid>, Error> {
    Lock::of(session, c"prices", lookup_key).take();
    in_latest_snapshot(session, |session| {
        BY_LOOKUP_KEY.run(session, &[lookup_key.cell()])?.first().map(|mut row| row.next()).transpose()
    })
}

/// The price that has the lookup key of these terms, which must be the same. Raises PC002.
fn by_lookup_key(session: &Session, product_id: Uuid, terms: &Terms) -> Result<Option<PriceRow>, Error> {
    let Some(lookup_key) = &terms.lookup_key else { return Ok(None) };
    let Some(there) = having(session, lookup_key)? else { return Ok(None) };
    // Whatever the caller's own snapshot shows.
    let (its_product, stored, row) = in_latest_snapshot(session, |session| {
        let (its_product, given) = stored(session, there)?;
        Ok((its_product, given, find(session, there, true)?))
    })?;
    let with_product = |product_id: Uuid, terms: &Terms| {
        let mut all = vec![("product_id", Some(product_id.to_string()))];
        all.extend(terms.compared());
        all
    };
    let (there_is, given) = (with_product(its_product, &stored.read()?), with_product(product_id, terms));
    key::same("lookup_key", lookup_key, &there_is, &given)?;
    Ok(Some(row))
}

// A product that is about to be deleted, or archived, gets no price.
static SHARE_PRODUCT: Statement = Statement::new(
    c"SELECT archived_at IS NULL FROM credits_internal.products WHERE product_id = $1 FOR SHARE",
    &[UUIDOID],
);

/// Creates a price on checked terms, of a product that is on sale. Raises PC019, PC020.
pub fn insert(session: &Session, price_id: Uuid, product_id: Uuid, terms: &Terms) -> Result<(), Error> {
    match SHARE_PRODUCT.run(session, &[product_id.cell()])?.first().map(|mut row| row.next()).transpose()? {
        None => return Err(product::unknown(product_id)),
        Some(false) => {
            return Err(Error::StateConflict { object: "product", id: product_id.to_string(), state: "archived" });
        }
        Some(true) => write(session, &INSERT, price_id, product_id, terms)?,
    }
    let now = settings::now()?;
    if let Some(quantity) = terms.quantity_available {
        level::set(session, price_id, quantity, now)?;
    }
    billing_event::record(session, EventType::PriceCreated, price_id, None, now)
}

/// Creates a price on checked terms. Raises PC002 if another one has their lookup key.
pub fn make(session: &Session, product_id: Uuid, terms: &Terms) -> Result<Uuid, Error> {
    // Of another product, so it differs.
    by_lookup_key(session, product_id, terms)?;
    let price_id = Uuid::now_v7();
    insert(session, price_id, product_id, terms)?;
    Ok(price_id)
}

static LOCK: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.prices WHERE price_id = $1 FOR NO KEY UPDATE", &[UUIDOID]);

/// `credits.price_update`. Raises PC004, PC007, PC008, PC013, PC015, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn price_update(
    price_id: Option<Id>,
    unit_amount: Option<Numeric>,
    currency: Option<&str>,
    recurring: Option<Json>,
    nickname: Option<&str>,
    lookup_key: Option<&str>,
    currency_options: Option<Json>,
    pricing: Option<Json>,
    quantity_limit_per_checkout: Option<i32>,
    credit_config: Option<Json>,
    tax_behavior: Option<&str>,
    metadata: Option<Json>,
    quantity_available: Option<i32>,
) -> Reply<One<PriceRow>> {
    Reply((|| {
        let price_id = input::required("price_id", price_id)?.0;
        let given = Given {
            kind: None,
            unit_amount: terms::unit_amount(unit_amount)?,
            currency: currency.map(String::from),
            recurring: terms::text(recurring),
            nickname: nickname.map(String::from),
            lookup_key: lookup_key.map(String::from),
            currency_options: terms::text(currency_options),
            pricing: terms::text(pricing),
            quantity_limit: quantity_limit_per_checkout,
            credit_config: terms::text(credit_config),
            tax_behavior: tax_behavior.map(String::from),
            metadata: terms::text(metadata),
            quantity_available: None,
        };
        if quantity_available.is_some_and(|quantity| quantity < level::UNLIMITED) {
            return Err(Error::argument("quantity_available", "must be at least 0, or -1 for any number"));
        }
        writing(|session| update(session, price_id, given, quantity_available)).map(One)
    })())
}

fn update(session: &Session, price_id: Uuid, given: Given, quantity: Option<i32>) -> Result<PriceRow, Error> {
    // Reviews first: one that is under way may use the price.
    listener::announce(session, Changed::Price(price_id))?;
    if let Some(lookup_key) = given.lookup_key.as_deref().filter(|key| !key.is_empty())
        && having(session, lookup_key)?.is_some_and(|there| there != price_id)
    {
        let reason = format!("\"{lookup_key}\" is that of another price on sale: archive that one first");
        return Err(Error::argument("lookup_key", reason));
    }
    LOCK.run(session, &[price_id.cell()])?;
    let (product_id, there) = stored(session, price_id)?;
    let shown = billing_event::before(session, EventType::PriceUpdated, price_id, None)?;
    let before = there.clone().read()?;
    let mut terms = given.over(there).read()?;
    terms.check(session)?;
    if before.compared().iter().zip(&terms.compared()).take(FROZEN).any(|(before, now)| before != now) {
        usage::lock_unused(session, price_id)?;
    }
    write(session, &UPDATE, price_id, product_id, &terms)?;
    if let Some(quantity) = quantity {
        level::set(session, price_id, quantity, settings::now()?)?;
    }
    billing_event::updated(session, EventType::PriceUpdated, price_id, None, shown, settings::now()?)?;
    find(session, price_id, false)
}

static ARCHIVE: Statement = Statement::new(
    c"UPDATE credits_internal.prices p SET archived_at = $2, updated_at = $2
      WHERE p.price_id = $1 AND p.archived_at IS NULL",
    &[UUIDOID, TIMESTAMPTZOID],
)
.before(c"UPDATE credits_internal.prices p SET archived_at = $2 WHERE p.price_id = $1 AND p.archived_at IS NULL");

/// `credits.price_archive`. Raises PC013, PC015.
#[pg_extern(sql = false)]
fn price_archive(price_id: Option<Id>) -> Reply<One<PriceRow>> {
    Reply((|| {
        let price_id = input::required("price_id", price_id)?.0;
        writing(|session| {
            listener::announce(session, Changed::Price(price_id))?;
            let now = settings::now()?;
            if ARCHIVE.run(session, &[price_id.cell(), now.cell()])?.written() > 0 {
                archived(session, price_id, now)?;
            }
            find(session, price_id, false)
        })
        .map(One)
    })())
}

fn archived(session: &Session, price_id: Uuid, now: Time) -> Result<(), Error> {
    let before = Some(ON_SALE.to_string());
    billing_event::updated(session, EventType::PriceUpdated, price_id, None, before, now)
}

static ARCHIVE_ALL: Statement = Statement::new(
    c"UPDATE credits_internal.prices p SET archived_at = $2, updated_at = $2
      WHERE p.product_id = $1 AND p.archived_at IS NULL RETURNING p.price_id",
    &[UUIDOID, TIMESTAMPTZOID],
)
.before(
    c"UPDATE credits_internal.prices p SET archived_at = $2 WHERE p.product_id = $1 AND p.archived_at IS NULL
      RETURNING p.price_id",
);

/// Archives all prices of a product.
pub fn archive_all(session: &Session, product_id: Uuid, now: Time) -> Result<(), Error> {
    let archived_now = ARCHIVE_ALL.run(session, &[product_id.cell(), now.cell()])?;
    archived_now.iter().try_for_each(|mut price| archived(session, price.next()?, now))
}

static DELETE: Statement = Statement::new(c"DELETE FROM credits_internal.prices WHERE price_id = $1", &[UUIDOID]);

/// Deletes a price that nobody can use any more.
pub fn remove(session: &Session, price_id: Uuid) -> Result<(), Error> {
    billing_event::record(session, EventType::PriceDeleted, price_id, None, settings::now()?)?;
    level::forget(session, price_id)?;
    DELETE.run(session, &[price_id.cell()]).map(drop)
}

/// `credits.price_delete`. Raises PC013, PC015, PC020.
#[pg_extern(sql = false)]
fn price_delete(price_id: Option<Id>) -> Reply<One<PriceRow>> {
    Reply((|| {
        let price_id = input::required("price_id", price_id)?.0;
        writing(|session| {
            usage::lock_unused(session, price_id)?;
            let row = find(session, price_id, false)?;
            remove(session, price_id)?;
            Ok(One(PriceRow { active: false, ..row }))
        })
    })())
}
