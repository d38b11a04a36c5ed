//! Packages: a product and its price, created in one call.

use crate::amount::Decimal;
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::credit_config::check::Given as GivenConfig;
use crate::catalog::price;
use crate::catalog::price::terms::{Given as GivenPrice, Terms as PriceTerms, unit_amount as amount_of};
use crate::catalog::product;
use crate::catalog::product::terms::{Given, Terms};
use crate::catalog::stored::{prices_before, products_before};
use crate::error::{Difference, Error};
use crate::input;
use crate::input::key::{self, Inputs};
use crate::ledger::currency;
use crate::pg::call::argument::{ArrayOf, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, in_latest_snapshot, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A product and its price in one.
    pub struct PackageRow {
        /// The price's id: what a top-up names.
        pub price_id: Uuid,
        /// The product's.
        pub product_id: Uuid,
        /// Its display name.
        pub name: String,
        /// Credits that one unit grants.
        pub credits: Decimal,
        /// Of which currency.
        pub credit_currency: String,
        /// What one unit costs, in major units.
        pub unit_amount: Decimal,
        /// The payment currency's code.
        pub price_currency: String,
        /// A name that programs find it by.
        pub lookup_key: Option<String>,
        /// Whether it was there before.
        pub replayed: bool,
    } read
}

macro_rules! there {
    ($prices:expr, $products:expr) => {
        text!(
            "SELECT p.price_id, d.product_id, d.name, (c.config->>'amount')::numeric, c.config->>'currency', p.unit_amount,
                    p.currency, p.lookup_key, $2
             FROM ",
            $prices,
            " p JOIN ",
            $products,
            " d ON d.product_id = p.product_id
             CROSS JOIN LATERAL (SELECT coalesce(p.credit_config, d.credit_config)) AS c (config)
             WHERE p.price_id = $1"
        )
    };
}

static THERE: Statement =
    Statement::new(there!("credits_internal.prices", "credits_internal.products"), &[UUIDOID, BOOLOID])
        .before(there!(prices_before!(), products_before!()));

fn there(session: &Session, price_id: Uuid, replayed: bool) -> Result<PackageRow, Error> {
    let rows = THERE.run(session, &[price_id.cell(), replayed.cell()])?;
    PackageRow::read(rows.first().ok_or_else(|| Error::internal("a price is not there"))?)
}

// Those on sale, the oldest first: of that name in these currencies, or the one with that lookup key.
macro_rules! candidates {
    ($prices:expr, $products:expr) => {
        text!(
            "SELECT p.price_id, d.name, p.unit_amount, p.currency, d.description,
                    coalesce(p.credit_config, d.credit_config)::text,
                    d.metadata::text, $6 IS NOT NULL AND d.metadata IS DISTINCT FROM $6
             FROM ",
            $products,
            " d JOIN ",
            $prices,
            " p ON p.product_id = d.product_id
             WHERE (p.price_id = $1 OR $1 IS NULL AND d.name = $2 AND p.currency = $3 AND d.credit_config->>'currency' = $4)
               AND d.archived_at IS NULL AND p.archived_at IS NULL AND p.type = 'one_time' AND $5 IS NOT NULL
             ORDER BY p.price_id"
        )
    };
}

static CANDIDATES: Statement = Statement::scanning(
    candidates!("credits_internal.prices", "credits_internal.products"),
    &[UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
)
.before(candidates!(prices_before!(), products_before!()));

/// What is wanted.
struct Wanted<'a, 't> {
    product: &'a Terms<'t>,
    price: &'a PriceTerms,
    config: &'a CreditConfig,
}

impl Wanted<'_, '_> {
    fn inputs(&self) -> Inputs {
        let amount = self.price.unit_amount.map(|amount| amount.normalize().to_string());
        let currency = Some(self.price.currency.clone());
        terms(self.product.name.map(String::from), amount, currency, self.config)
    }

    /// The package that is on sale on these terms, if there is one of that name in these currencies, or with that lookup key.
    /// Raises PC002 if those that there are have other terms.
    fn find(&self, session: &Session, by_name: bool) -> Result<Option<PackageRow>, Error> {
        let (name, currency) = (self.product.name.unwrap_or_default(), &self.price.currency);
        let by_key = match &self.price.lookup_key {
            Some(lookup_key) => price::having(session, lookup_key)?,
            None => None,
        };
        if by_key.is_none() && (self.price.lookup_key.is_some() || !by_name) {
            return Ok(None);
        }
        // One after the other: nothing in the tables keeps two sessions from making the same package.
        Lock::of(session, c"products", (name, &self.config.currency, currency)).take();
        in_latest_snapshot(session, |session| {
            let cells = [
                by_key.cell(),
                name.cell(),
                currency.cell(),
                self.config.currency.cell(),
                self.product.kind.cell(),
                self.product.metadata.cell(),
            ];
            let mut first = None;
            for mut row in CANDIDATES.run(session, &cells)?.iter() {
                let price_id: Uuid = row.next()?;
                let (name, amount, currency) = (row.next()?, row.next::<Option<Decimal>>()?, row.next()?);
                let (description, config): (Option<String>, Option<String>) = (row.next()?, row.next()?);
                let config = CreditConfig::stored(&config.unwrap_or_default())?;
                let amount = amount.map(|amount| amount.normalize().to_string());
                let mut differences = key::differences(&terms(name, amount, currency, &config), &self.inputs());
                if self.product.description.is_some_and(|given| description.as_deref() != Some(given)) {
                    let given = self.product.description.map(String::from);
                    differences.push(Difference { what: String::from("description"), there: description, given });
                }
                let metadata = row.next()?;
                if row.next()? {
                    let given = self.product.metadata.as_ref().map(Json::text);
                    differences.push(Difference { what: String::from("metadata"), there: metadata, given });
                }
                match differences.is_empty() {
                    true => return there(session, price_id, true).map(Some),
                    false => first = first.or(Some(differences)),
                }
            }
            let (argument, key) = match &self.price.lookup_key {
                Some(lookup_key) => ("lookup_key", lookup_key.as_str()),
                None => ("name", name),
            };
            match first {
                None => Ok(None),
                Some(differences) => Err(Error::ExistsOtherwise { argument, key: key.to_string(), differences }),
            }
        })
    }
}

/// What packages are compared by.
fn terms(name: Option<String>, amount: Option<String>, currency: Option<String>, config: &CreditConfig) -> Inputs {
    vec![
        ("name", name),
        ("credits", Some(config.amount.normalize().to_string())),
        ("credit_currency", Some(config.currency.clone())),
        ("unit_amount", amount),
        ("price_currency", currency),
        ("category", Some(config.category.to_string())),
        ("priority", Some(config.priority.to_string())),
        ("time_to_live", config.valid_for.map(|length| length.to_string())),
        ("applicable_meters", config.applicable_meters.as_ref().map(|meters| format!("{{{}}}", meters.join(",")))),
    ]
}

/// `credits.package_create`. Raises PC002, PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn package_create_2(
    name: Option<&str>,
    credits: Option<Numeric>,
    unit_amount: Option<Numeric>,
    price_currency: Option<&str>,
    credit_currency: Option<&str>,
    description: Option<&str>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
    metadata: Option<Json>,
    if_not_exists: Option<bool>,
    lookup_key: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<PackageRow>> {
    Reply((|| {
        input::key("name", name)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let config = GivenConfig {
            credit_config: None,
            credit_currency,
            credits: Some(input::required("credits", credits)?),
            category,
            priority,
            time_to_live,
            applicable_meters,
        };
        let product =
            Given { name, kind: Some("credit"), description, config, metadata, ..Given::default() }.read(None)?;
        let price = GivenPrice {
            unit_amount: Some(input::required("unit_amount", amount_of(unit_amount)?)?),
            currency: Some(input::required("price_currency", price_currency)?.to_string()),
            lookup_key: lookup_key.map(String::from),
            ..GivenPrice::default()
        };
        let price = price.read()?;
        writing(|session| create(session, product, price, if_not_exists == Some(true), key)).map(One)
    })())
}

crate::older!(package_create_wrapper => package_create_2_wrapper, 11 of 14);

fn create(
    session: &Session,
    product: Terms<'_>,
    mut price: PriceTerms,
    by_name: bool,
    key: Option<&str>,
) -> Result<PackageRow, Error> {
    let config = product.config.as_ref().map(|unchecked| unchecked.config.clone());
    let config = config.ok_or_else(|| Error::missing("credits"))?;
    let wanted = Wanted { product: &product, price: &price, config: &config };
    // The price's id is made here, since the key is claimed first.
    let price_id = Uuid::now_v7();
    let mut inputs = wanted.inputs();
    inputs.push(("lookup_key", price.lookup_key.clone()));
    if let Some(first) = key::claim(session, key, "package_create", price_id, &inputs, settings::now()?)? {
        return there(session, first, true);
    }
    let money = ("price_currency", price.currency.as_str());
    currency::resolve_fiat(session, money, ("unit_amount", Decimal::ZERO))?;
    let found = Wanted { product: &product, price: &price, config: &config }.find(session, by_name)?;
    let product = product.check(session)?;
    if let Some(found) = found {
        return Ok(found);
    }
    price.check(session)?;
    let product_id = product::make(session, &product)?;
    price::insert(session, price_id, product_id, &price)?;
    there(session, price_id, false)
}
