//! Prices of credit packs: what top-ups and auto-recharges can sell. Once, for money, and what is sold grants credits.

use crate::amount::{AmountError, Decimal};
use crate::catalog::price::offer::{self, Offer};
use crate::catalog::usage;
use crate::error::Error;
use crate::ledger::grant::terms::GrantTerms;
use crate::pg::statement::Session;
use uuid::Uuid;

/// A price and its product.
pub struct Pack {
    offer: Offer,
    /// The name of what it grants.
    pub name: String,
    /// The payment currency's code.
    pub currency: String,
    /// The most units of one purchase.
    pub quantity_limit: Option<i32>,
    /// Credits that one unit grants.
    pub credits: Decimal,
    /// Of which currency.
    pub credit_currency: String,
    /// Under which terms.
    pub terms: GrantTerms,
    /// Whether it is archived.
    pub archived: bool,
}

/// A price that is about to be used, on sale or not, and named so in an argument. Raises PC013 if it is no pack's, PC015 if
/// there is none. Whoever uses it records that, see usage.rs.
pub fn find(session: &Session, argument: &'static str, price_id: Uuid) -> Result<Pack, Error> {
    let offer = offer::find(session, price_id)?;
    let currency = offer.currency.clone();
    if offer.recurring.is_some() {
        return Err(Error::argument(argument, "must be a price that is paid once: this one is recurring"));
    }
    if !offer.is_money {
        return Err(Error::argument(argument, format!("must be a price in money: {currency} is paid from the wallet")));
    }
    let config = offer.config.as_ref();
    let config = config.ok_or_else(|| Error::argument(argument, "must be of a product that grants credits"))?;
    Ok(Pack {
        name: config.name.clone().unwrap_or_else(|| offer.product_name.clone()),
        currency,
        quantity_limit: offer.quantity_limit,
        credits: config.amount,
        credit_currency: config.currency.clone(),
        terms: config.terms(),
        archived: offer.is_archived,
        offer,
    })
}

/// One for recharges, recorded as used: every unit costs the same, which is more than nothing. Raises PC013, PC015.
pub fn for_recharges(session: &Session, argument: &'static str, price_id: Uuid) -> Result<(Pack, Decimal), Error> {
    let pack = find(session, argument, price_id)?;
    usage::record(session, price_id)?;
    match pack.offer.unit_amount {
        Some(unit_amount) if !unit_amount.is_zero() => Ok((pack, unit_amount)),
        Some(_) => Err(Error::argument(argument, "must be a price that costs something")),
        None => Err(Error::argument(argument, "must be a price of which every unit costs the same")),
    }
}

impl Pack {
    /// What so many units cost, rounded to the currency's decimals.
    pub fn amount(&self, quantity: i32) -> Result<Decimal, AmountError> {
        self.offer.amount(quantity.into())
    }
}
