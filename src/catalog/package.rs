//! Packages: a product and its price, created in one call.

use crate::amount::Decimal;
use crate::catalog::price;
use crate::catalog::product::{self, Given};
use crate::pg::call::argument::{ArrayOf, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::writing;
use crate::pg::value::Json;
use crate::row;
use pgrx::pg_extern;
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
    }
}

/// `credits.package_create`. Raises PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn package_create(
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
) -> Reply<One<PackageRow>> {
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
    Reply(writing(|session| {
        let product = product::make(session, given)?;
        let price = price::make(session, product.product_id, unit_amount, ("price_currency", price_currency), None)?;
        Ok(One(PackageRow {
            price_id: price.price_id,
            product_id: product.product_id,
            name: product.name,
            credits: product.credits,
            credit_currency: product.credit_currency,
            unit_amount: price.unit_amount,
            price_currency: price.currency,
        }))
    }))
}
