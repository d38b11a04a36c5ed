//! Products: what is sold, and what one unit of it grants. What was sold is archived; only what never was is deleted.

pub mod terms;

use crate::amount::Decimal;
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::credit_config::check::{Given as GivenConfig, Unchecked};
use crate::catalog::listener::{self, Changed};
use crate::catalog::price;
use crate::catalog::price::terms::Given as GivenPrice;
use crate::catalog::product::terms::{Given, Terms};
use crate::catalog::stored::{config_columns, products_before};
use crate::catalog::usage;
use crate::error::Error;
use crate::input;
use crate::input::key;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType, ON_SALE};
use crate::pg::call::argument::{ArrayOf, Id, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::span::Span;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
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
        pub credit_currency: Option<String>,
        /// Credits that one unit grants.
        pub credits: Option<Decimal>,
        /// 'paid' or 'promotional'.
        pub category: Option<String>,
        /// 0 to 100, lower first.
        pub priority: Option<i32>,
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
        /// 'service', 'good' or 'credit'.
        pub kind: String,
        /// Addresses of pictures.
        pub images: Option<Vec<String>>,
        /// What it has to offer.
        pub features: Option<Vec<String>>,
        /// What one unit is called.
        pub unit_label: Option<String>,
        /// What a card's statement says.
        pub statement_descriptor: Option<String>,
        /// What one unit grants.
        pub credit_config: Option<Json>,
        /// Its prices that are on sale, the oldest first.
        pub price_ids: Option<Vec<Uuid>>,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

macro_rules! find {
    ($products:expr) => {
        text!(
            "SELECT d.product_id, d.name, d.description, c.currency, c.amount, c.category, c.priority::int, c.valid_for,
                    c.meters, d.metadata, d.archived_at IS NULL, d.created_at, d.type, d.images, d.features, d.unit_label,
                    d.statement_descriptor, d.credit_config,
                    ARRAY(SELECT p.price_id FROM credits_internal.prices p
                          WHERE p.product_id = d.product_id AND p.archived_at IS NULL ORDER BY p.price_id),
                    d.updated_at, $2
             FROM ",
            $products,
            " d
             LEFT JOIN LATERAL (SELECT ",
            config_columns!("d.credit_config"),
            ") AS c (currency, amount, category, priority, valid_for, meters) ON d.credit_config IS NOT NULL
             WHERE d.product_id = $1"
        )
    };
}

static FIND: Statement =
    Statement::new(find!("credits_internal.products"), &[UUIDOID, BOOLOID]).before(find!(products_before!()));

/// A product as functions return it. Raises PC019.
fn find(session: &Session, product_id: Uuid, replayed: bool) -> Result<ProductRow, Error> {
    let rows = FIND.run(session, &[product_id.cell(), replayed.cell()])?;
    ProductRow::read(rows.first().ok_or_else(|| unknown(product_id))?)
}

/// PC019: no product has that id.
pub fn unknown(product_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "product", id: product_id.to_string() }
}

/// `credits.product_create`. Raises PC002, PC004, PC007, PC008, PC013, PC015.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn product_create_2(
    name: Option<&str>,
    kind: Option<&str>,
    description: Option<&str>,
    images: Option<ArrayOf<String>>,
    features: Option<ArrayOf<String>>,
    unit_label: Option<&str>,
    statement_descriptor: Option<&str>,
    credit_config: Option<Json>,
    prices: Option<Json>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    credits: Option<Numeric>,
    credit_currency: Option<&str>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
) -> Reply<One<ProductRow>> {
    let config =
        GivenConfig { credit_config, credit_currency, credits, category, priority, time_to_live, applicable_meters };
    let given = Given { name, kind, description, images, features, unit_label, statement_descriptor, config, metadata };
    Reply((|| {
        input::key("name", name)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let prices = prices.map(|json| GivenPrice::list(&json.text())).transpose()?.unwrap_or_default();
        writing(|session| create(session, given, prices, key)).map(One)
    })())
}

/// The same as 0.2.0 declared it.
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
    Reply((|| {
        input::key("name", name)?;
        let credits = Some(input::required("credits", credits)?);
        let config = GivenConfig {
            credit_config: None,
            credit_currency,
            credits,
            category,
            priority,
            time_to_live,
            applicable_meters,
        };
        let given = Given { name, description, config, metadata, ..Given::default() };
        writing(|session| create(session, given, Vec::new(), None)).map(One)
    })())
}

fn create(
    session: &Session,
    given: Given<'_>,
    prices: Vec<GivenPrice>,
    key: Option<&str>,
) -> Result<ProductRow, Error> {
    let has_credits = given.config.credits.is_some();
    let mut terms = given.read(None)?;
    // A credit pack that is given by single terms says no type.
    terms.kind = terms.kind.or(Some(if has_credits { "credit" } else { "service" }));
    let mut prices = prices.into_iter().map(GivenPrice::read).collect::<Result<Vec<_>, _>>()?;
    let product_id = Uuid::now_v7();
    let inputs = vec![
        ("name", terms.name.map(String::from)),
        ("type", terms.kind.map(String::from)),
        ("credit_config", terms.config.as_ref().map(Unchecked::text)),
        ("prices", Some(prices.iter().map(|price| format!("{:?}", price.compared())).collect::<Vec<_>>().join(" "))),
    ];
    if let Some(first) = key::claim(session, key, "product_create", product_id, &inputs, settings::now()?)? {
        return find(session, first, true);
    }
    insert(session, product_id, &terms.check(session)?)?;
    for price in &mut prices {
        price.check(session)?;
        price::make(session, product_id, price)?;
    }
    find(session, product_id, false)
}

/// Creates a product.
pub fn make(session: &Session, terms: &Terms<'_>) -> Result<Uuid, Error> {
    let product_id = Uuid::now_v7();
    insert(session, product_id, terms)?;
    Ok(product_id)
}

fn insert(session: &Session, product_id: Uuid, terms: &Terms<'_>) -> Result<(), Error> {
    write(session, &INSERT, product_id, terms)?;
    billing_event::record(session, EventType::ProductCreated, product_id, None, settings::now()?)
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.products (product_id, name, description, metadata, created_at, type, images, features,
          unit_label, statement_descriptor, credit_config, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $5)",
    &PARAMETERS,
)
.before(text!(
    "INSERT INTO credits_internal.products (product_id, name, description, metadata, created_at, credit_currency, credits,
         category, priority, time_to_live, applicable_meters)
     SELECT g.product_id, g.name, g.description, g.metadata, g.created_at, ",
    config_columns!("g.config"),
    " FROM (SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
           AS g (product_id, name, description, metadata, created_at, type, images, features, unit_label, descriptor, config)"
));

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.products d
      SET name = coalesce($2, d.name), description = coalesce($3, d.description), metadata = coalesce($4, d.metadata),
          updated_at = $5, type = coalesce($6, d.type), images = coalesce($7, d.images),
          features = coalesce($8, d.features), unit_label = coalesce($9, d.unit_label),
          statement_descriptor = coalesce($10, d.statement_descriptor), credit_config = coalesce($11::jsonb, d.credit_config)
      WHERE d.product_id = $1",
    &PARAMETERS,
)
.before(text!(
    "UPDATE credits_internal.products d
     SET name = coalesce($2, d.name), description = coalesce($3, d.description), metadata = coalesce($4, d.metadata),
         credit_currency = coalesce(c.currency, d.credit_currency), credits = coalesce(c.amount, d.credits),
         category = coalesce(c.category, d.category), priority = coalesce(c.priority, d.priority),
         time_to_live = coalesce(c.valid_for, d.time_to_live),
         applicable_meters = coalesce(c.meters, d.applicable_meters)
     FROM (SELECT $5, $6, $7, $8, $9, $10, $11::jsonb) AS g (at, type, images, features, unit_label, descriptor, config)
     CROSS JOIN LATERAL (SELECT ",
    config_columns!("g.config"),
    ") AS c (currency, amount, category, priority, valid_for, meters)
     WHERE d.product_id = $1"
));

const PARAMETERS: [pgrx::pg_sys::Oid; 11] = [
    UUIDOID,
    TEXTOID,
    TEXTOID,
    JSONBOID,
    TIMESTAMPTZOID,
    TEXTOID,
    TEXTARRAYOID,
    TEXTARRAYOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
];

fn write(session: &Session, statement: &Statement, product_id: Uuid, terms: &Terms<'_>) -> Result<(), Error> {
    let cells = [
        product_id.cell(),
        terms.name.cell(),
        terms.description.cell(),
        terms.metadata.cell(),
        settings::now()?.cell(),
        terms.kind.cell(),
        terms.images.cell(),
        terms.features.cell(),
        terms.unit_label.cell(),
        terms.statement_descriptor.cell(),
        terms.config.as_ref().map(Unchecked::text).cell(),
    ];
    match statement.run(session, &cells)?.written() {
        0 => Err(unknown(product_id)),
        _ => Ok(()),
    }
}

macro_rules! config {
    ($products:expr) => {
        text!("SELECT d.credit_config::text FROM ", $products, " d WHERE d.product_id = $1")
    };
}

// Of two that change one at once, the later goes on from what the earlier made of it.
static LOCK: Statement = Statement::new(
    c"SELECT d.product_id FROM credits_internal.products d WHERE d.product_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);
static CONFIG: Statement =
    Statement::new(config!("credits_internal.products"), &[UUIDOID]).before(config!(products_before!()));

/// `credits.product_update`. Raises PC004, PC007, PC008, PC013, PC015, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn product_update_2(
    product_id: Option<Id>,
    name: Option<&str>,
    description: Option<&str>,
    credits: Option<Numeric>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
    metadata: Option<Json>,
    kind: Option<&str>,
    images: Option<ArrayOf<String>>,
    features: Option<ArrayOf<String>>,
    unit_label: Option<&str>,
    statement_descriptor: Option<&str>,
    credit_config: Option<Json>,
) -> Reply<One<ProductRow>> {
    let config = GivenConfig {
        credit_config,
        credit_currency: None,
        credits,
        category,
        priority,
        time_to_live,
        applicable_meters,
    };
    let given = Given { name, kind, description, images, features, unit_label, statement_descriptor, config, metadata };
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        writing(|session| {
            listener::announce(session, Changed::Product(product_id))?;
            LOCK.run(session, &[product_id.cell()])?;
            let rows = CONFIG.run(session, &[product_id.cell()])?;
            let there: Option<String> = rows.first().ok_or_else(|| unknown(product_id))?.next()?;
            let there = there.map(|text| CreditConfig::stored(&text)).transpose()?;
            let before = billing_event::before(session, EventType::ProductUpdated, product_id, None)?;
            write(session, &UPDATE, product_id, &given.read(there)?.check(session)?)?;
            billing_event::updated(session, EventType::ProductUpdated, product_id, None, before, settings::now()?)?;
            find(session, product_id, false)
        })
        .map(One)
    })())
}

crate::older!(product_update_wrapper => product_update_2_wrapper, 9 of 15);

static ARCHIVE: Statement = Statement::new(
    c"UPDATE credits_internal.products p SET archived_at = $2, updated_at = $2
      WHERE p.product_id = $1 AND p.archived_at IS NULL",
    &[UUIDOID, TIMESTAMPTZOID],
)
.before(c"UPDATE credits_internal.products p SET archived_at = $2 WHERE p.product_id = $1 AND p.archived_at IS NULL");

/// `credits.product_archive`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn product_archive(product_id: Option<Id>) -> Reply<One<ProductRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        writing(|session| {
            listener::announce(session, Changed::Product(product_id))?;
            let now = settings::now()?;
            if ARCHIVE.run(session, &[product_id.cell(), now.cell()])?.written() > 0 {
                let before = Some(ON_SALE.to_string());
                billing_event::updated(session, EventType::ProductUpdated, product_id, None, before, now)?;
            }
            price::archive_all(session, product_id, now)?;
            find(session, product_id, false)
        })
        .map(One)
    })())
}

// The product first: price_create() shares it, so that no price is added meanwhile.
static LOCK_WHOLE: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.products WHERE product_id = $1 FOR UPDATE", &[UUIDOID]);
static PRICES: Statement =
    Statement::new(c"SELECT price_id FROM credits_internal.prices WHERE product_id = $1 ORDER BY price_id", &[UUIDOID]);
static DELETE: Statement = Statement::new(c"DELETE FROM credits_internal.products WHERE product_id = $1", &[UUIDOID]);

/// `credits.product_delete`. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn product_delete(product_id: Option<Id>) -> Reply<One<ProductRow>> {
    Reply((|| {
        let product_id = input::required("product_id", product_id)?.0;
        writing(|session| {
            LOCK_WHOLE.run(session, &[product_id.cell()])?;
            let row = find(session, product_id, false)?;
            for mut price in PRICES.run(session, &[product_id.cell()])?.iter() {
                let price_id = price.next()?;
                usage::lock_unused(session, price_id).map_err(|error| match error {
                    Error::StateConflict { state, .. } => {
                        Error::StateConflict { object: "product", id: product_id.to_string(), state }
                    }
                    error => error,
                })?;
                price::remove(session, price_id)?;
            }
            billing_event::record(session, EventType::ProductDeleted, product_id, None, settings::now()?)?;
            DELETE.run(session, &[product_id.cell()])?;
            Ok(One(ProductRow { active: false, ..row }))
        })
    })())
}
