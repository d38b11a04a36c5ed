//! What a coupon takes off a purchase: whether it applies, how much that is, and which part of it each line bears. Pure: no
//! SPI, no pgrx type.

pub mod amounts;
#[cfg(test)]
mod tests;

use crate::amount::split::{amount, rounded, split, units};
use crate::amount::{AmountError, Decimal};
use crate::error::Reason;
use crate::moment::Time;
use num_bigint::BigInt;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An amount in each of some currencies.
pub type Amounts = BTreeMap<String, Decimal>;

/// One line of a purchase, before anything is taken off it.
#[derive(Debug, Clone)]
pub struct CartLine {
    /// What is bought; `None` where no product says so.
    pub product_id: Option<Uuid>,
    /// What it costs, in the currency's decimals.
    pub amount: Decimal,
}

/// What a coupon does.
#[derive(Debug, Clone)]
pub enum Off {
    /// So many percent.
    Percent(Decimal),
    /// So much, in each of these currencies.
    Amount(Amounts),
    /// It gives credits: a voucher.
    Credits,
}

/// What a coupon says.
#[derive(Debug, Clone)]
pub struct CouponTerms {
    /// Whether it is switched on.
    pub active: bool,
    /// The last moment at which it may be used.
    pub redeem_by: Option<Time>,
    /// What it does.
    pub off: Off,
    /// Off which products; `None` for all.
    pub products: Option<Vec<Uuid>>,
}

/// What a code asks for beside that.
#[derive(Debug, Clone)]
pub struct CodeTerms {
    /// Whether it is switched on.
    pub active: bool,
    /// From when on it may be used.
    pub starts_at: Option<Time>,
    /// When it cannot be used any more.
    pub expires_at: Option<Time>,
    /// Whether it is for customers who never paid anything.
    pub first_transaction: bool,
    /// What all that is bought must come to, in each of these currencies; `None` for anything.
    pub minimum: Option<Amounts>,
}

/// What the tables say of who wants to use it.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Now.
    pub now: Time,
    /// Whether the coupon and the code may be used once more.
    pub is_left: bool,
    /// Whether the customer may.
    pub is_left_to_customer: bool,
    /// Whether it is the customer's, as far as the code asks for that.
    pub is_verified: bool,
    /// Whether the customer ever paid for something.
    pub has_paid: bool,
}

/// For what it is used.
#[derive(Debug, Clone, Copy)]
pub enum Use<'a> {
    /// A purchase in a currency with so many decimals.
    Purchase {
        /// The currency's code.
        currency: &'a str,
        /// Its decimals.
        decimals: u32,
        /// What is bought.
        lines: &'a [CartLine],
    },
    /// The credits that it gives.
    Voucher,
}

/// What it takes off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discount {
    /// In all.
    pub amount: Decimal,
    /// Off each line, in their order.
    pub per_line: Vec<Decimal>,
}

/// Why it takes nothing off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It does not apply.
    Reason(Reason),
    /// Too little is bought: what it must come to.
    Minimum(Decimal),
    /// An amount cannot be kept.
    Amount(AmountError),
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Refusal::Reason(reason)
    }
}

impl From<AmountError> for Refusal {
    fn from(reason: AmountError) -> Self {
        Refusal::Amount(reason)
    }
}

/// Judges whether a coupon, by a code or without one, may be used, in the order of the reasons; and what it takes off.
pub fn judge(
    coupon: &CouponTerms,
    code: Option<&CodeTerms>,
    facts: &Facts,
    used: Use<'_>,
) -> Result<Discount, Refusal> {
    let says_no = [
        (!coupon.active || code.is_some_and(|code| !code.active), Reason::Inactive),
        (code.and_then(|code| code.starts_at).is_some_and(|at| facts.now < at), Reason::NotStarted),
        (code.and_then(|code| code.expires_at).is_some_and(|at| facts.now >= at), Reason::Expired),
        (coupon.redeem_by.is_some_and(|at| facts.now > at), Reason::RedeemBy),
        (!facts.is_left, Reason::MaxRedemptions),
        (!facts.is_left_to_customer, Reason::PerCustomer),
        (!facts.is_verified, Reason::Verification),
        (facts.has_paid && code.is_some_and(|code| code.first_transaction), Reason::FirstTransaction),
    ];
    if let Some((_, reason)) = says_no.into_iter().find(|(no, _)| *no) {
        return Err(reason.into());
    }
    match used {
        Use::Purchase { currency, decimals, lines } => of_purchase(coupon, code, currency, decimals, lines),
        Use::Voucher if matches!(coupon.off, Off::Credits) => Ok(Discount::default()),
        Use::Voucher => Err(Reason::NoEligibleProduct.into()),
    }
}

fn of_purchase(
    coupon: &CouponTerms,
    code: Option<&CodeTerms>,
    currency: &str,
    decimals: u32,
    lines: &[CartLine],
) -> Result<Discount, Refusal> {
    let minimum = code.and_then(|code| code.minimum.as_ref());
    let minimum = minimum.map(|amounts| amounts.get(currency).copied().ok_or(Reason::Currency)).transpose()?;
    let most = match &coupon.off {
        Off::Amount(amounts) => Some(amounts.get(currency).copied().ok_or(Reason::Currency)?),
        Off::Percent(_) | Off::Credits => None,
    };
    let amounts: Vec<i128> = lines.iter().map(|line| units(line.amount, decimals)).collect::<Result<_, _>>()?;
    let eligible = |line: &CartLine| match (&coupon.products, line.product_id) {
        (None, _) => true,
        (Some(products), Some(product_id)) => products.contains(&product_id),
        (Some(_), None) => false,
    };
    let weights: Vec<i128> =
        lines.iter().zip(&amounts).map(|(line, amount)| if eligible(line) { *amount } else { 0 }).collect();
    // What is given back in the same purchase lowers what it is taken off; the lines above nothing bear it.
    let subtotal = weights.iter().sum::<i128>();
    if matches!(coupon.off, Off::Credits) || !lines.iter().any(eligible) || subtotal <= 0 {
        return Err(Reason::NoEligibleProduct.into());
    }
    if let Some(least) = minimum
        && amounts.iter().sum::<i128>() < units(least, decimals)?
    {
        return Err(Refusal::Minimum(least));
    }
    let off = match (&coupon.off, most) {
        (_, Some(most)) => units(most, decimals)?.min(subtotal),
        (Off::Percent(percent), _) => percent_of(*percent, subtotal)?,
        _ => 0,
    };
    let weights: Vec<i128> = weights.into_iter().map(|weight| weight.max(0)).collect();
    let per_line = split(off, &weights)?.into_iter().map(|part| amount(part, decimals)).collect::<Result<_, _>>()?;
    Ok(Discount { amount: amount(off, decimals)?, per_line })
}

/// So many percent of an amount, rounded once, half away from zero.
fn percent_of(percent: Decimal, units: i128) -> Result<i128, AmountError> {
    let hundred = BigInt::from(10).pow(percent.scale()) * 100;
    rounded(BigInt::from(percent.mantissa()) * units, hundred)
}
