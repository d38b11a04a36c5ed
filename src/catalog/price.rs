//! Prices as purchases use them: found on sale, with what one unit grants. How they are made is in catalog.rs.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::terms::GrantTerms;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::UUIDOID;
use uuid::Uuid;

/// A price and its product.
pub struct Price {
    /// Its id.
    pub id: Uuid,
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
    /// Whether it is on sale no longer.
    pub archived: bool,
}

static FIND: Statement = Statement::new(
    c"SELECT p.price_id, d.name, p.unit_amount, p.currency, d.credits, d.credit_currency, d.category, d.priority,
             d.time_to_live, d.applicable_meters, p.archived_at IS NOT NULL OR d.archived_at IS NOT NULL
      FROM credits.prices p JOIN credits.products d ON d.product_id = p.product_id
      WHERE p.price_id = $1",
    &[UUIDOID],
);

/// A price, on sale or not. Raises PC015.
pub fn find(session: &Session, price_id: Uuid) -> Result<Price, Error> {
    let rows = FIND.run(session, &[price_id.cell()])?;
    let mut row = rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?;
    Ok(Price {
        id: row.next()?,
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
