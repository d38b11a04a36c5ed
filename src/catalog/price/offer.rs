//! A price as it is sold, whatever kind it is of: what a quantity costs, and what one unit grants.

use crate::amount::{self, AmountError, Decimal};
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::price::recurring::Recurring;
use crate::catalog::price::terms;
use crate::catalog::stored::{prices_before, products_before};
use crate::catalog::usage;
use crate::error::Error;
use crate::metering::pricing::Pricing;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

/// A price and its product.
pub struct Offer {
    /// The product's name.
    pub product_name: String,
    /// How often it is due; `None` where it is paid once.
    pub recurring: Option<Recurring>,
    /// What one unit costs; `None` where `pricing` or its meter says more.
    pub unit_amount: Option<Decimal>,
    /// What a quantity costs, as JSON.
    pub pricing: Option<String>,
    /// The currency that is paid.
    pub currency: String,
    /// Its decimals.
    pub decimals: u32,
    /// Whether that is money; otherwise the wallet pays.
    pub is_money: bool,
    /// The most units of one purchase.
    pub quantity_limit: Option<i32>,
    /// What one unit grants; `None` for nothing.
    pub config: Option<CreditConfig>,
    /// 'exclusive' or 'inclusive'.
    pub tax_behavior: String,
    /// Whether it is archived.
    pub is_archived: bool,
    /// The product.
    pub product_id: Uuid,
}

macro_rules! find {
    ($prices:expr, $products:expr) => {
        text!(
            "SELECT d.name, p.recurring::text, p.unit_amount, p.pricing::text, p.currency, f.decimals::int, f.kind = 'fiat',
                    p.quantity_limit_per_checkout, coalesce(p.credit_config, d.credit_config)::text,
                    coalesce(p.tax_behavior, 'exclusive'), p.archived_at IS NOT NULL OR d.archived_at IS NOT NULL,
                    d.product_id
             FROM ",
            $prices,
            " p JOIN ",
            $products,
            " d ON d.product_id = p.product_id
             JOIN credits_internal.currencies f ON f.currency = p.currency
             WHERE p.price_id = $1"
        )
    };
}

static FIND: Statement = Statement::new(find!("credits_internal.prices", "credits_internal.products"), &[UUIDOID])
    .before(find!(prices_before!(), products_before!()));

/// A price that is about to be used, on sale or not. Whoever uses it records that: see usage.rs. Raises PC015.
pub fn find(session: &Session, price_id: Uuid) -> Result<Offer, Error> {
    usage::share(session, price_id)?;
    let rows = FIND.run(session, &[price_id.cell()])?;
    let mut row = rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?;
    Ok(Offer {
        product_name: row.next()?,
        recurring: row.next::<Option<String>>()?.map(|text| stored(&text)).transpose()?,
        unit_amount: row.next()?,
        pricing: row.next()?,
        currency: row.next()?,
        decimals: row.next::<i32>()?.unsigned_abs(),
        is_money: row.next()?,
        quantity_limit: row.next()?,
        config: row.next::<Option<String>>()?.map(|text| CreditConfig::stored(&text)).transpose()?,
        tax_behavior: row.next()?,
        is_archived: row.next()?,
        product_id: row.next()?,
    })
}

fn stored(text: &str) -> Result<Recurring, Error> {
    Recurring::parse(text).map_err(|_| Error::internal("the terms of a recurring price are none"))
}

static BY_LOOKUP_KEY: Statement = Statement::new(
    c"SELECT price_id FROM credits_internal.prices WHERE lookup_key = $1 AND archived_at IS NULL",
    &[TEXTOID],
);

/// The price on sale that has a lookup key. Raises PC019.
pub fn id_of(session: &Session, lookup_key: &str) -> Result<Uuid, Error> {
    let unknown = || Error::ObjectNotFound { object: "price", id: lookup_key.to_string() };
    BY_LOOKUP_KEY.run(session, &[lookup_key.cell()])?.first().ok_or_else(unknown)?.next()
}

impl Offer {
    /// What so many units cost, rounded to the currency's decimals.
    pub fn amount(&self, quantity: Decimal) -> Result<Decimal, AmountError> {
        match (&self.pricing, self.unit_amount) {
            (Some(pricing), _) => priced(pricing, quantity, self.decimals),
            (None, unit_amount) => amount::price(quantity, unit_amount.unwrap_or_default(), self.decimals),
        }
    }
}

fn priced(pricing: &str, quantity: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let pricing: Option<Pricing> = terms::pricing(pricing).ok();
    pricing
        .as_ref()
        .and_then(|pricing| pricing.price(""))
        .map_or(Err(AmountError::NotFinite), |price| price.cost(quantity, decimals))
}
