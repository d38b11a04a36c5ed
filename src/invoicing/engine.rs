//! What an invoice comes to: amounts off and tax, each rounded once and split over the lines, and the totals. Pure: no SPI,
//! no pgrx type.
//!
//! Whatever is split is split as amount/split.rs says, so the parts add up, and none is negative where nothing is.

use crate::amount::split::{amount, differences, rounded, split, units};
use crate::amount::{AmountError, Decimal};
use num_bigint::BigInt;

pub use crate::amount::split::shares;

/// One line: what it costs, in the currency's decimals, before anything is taken off.
#[derive(Debug, Clone)]
pub struct Line {
    /// Quantity × price, rounded once. Below zero for what is given back.
    pub amount: Decimal,
    /// What is taken off this line alone.
    pub discount: Decimal,
    /// The tax on it; `None` for none.
    pub tax: Option<Tax>,
}

/// A tax, as a line is subject to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tax {
    /// In percent.
    pub rate: Decimal,
    /// Whether it is in the amount; otherwise it comes on top.
    pub inclusive: bool,
}

/// What is a line's own of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// All that is taken off it.
    pub discount: Decimal,
    /// The tax in it or on top.
    pub tax: Decimal,
    /// What it comes to without tax.
    pub net: Decimal,
}

/// What an invoice comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// All lines.
    pub subtotal: Decimal,
    /// All that is taken off.
    pub discount: Decimal,
    /// All tax.
    pub tax: Decimal,
    /// Lines − discounts + tax on top.
    pub total: Decimal,
    /// The same without any tax.
    pub net: Decimal,
    /// A part for each line, in their order.
    pub parts: Vec<Part>,
}

/// Why it comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An amount cannot be kept.
    Amount(AmountError),
    /// More is taken off than there is: what was asked for, and the most.
    Discount(Decimal, Decimal),
}

impl From<AmountError> for Fault {
    fn from(reason: AmountError) -> Self {
        Fault::Amount(reason)
    }
}

/// What so many lines come to, less an amount off all of them, in a currency with so many decimals.
pub fn totals(lines: &[Line], discount: Decimal, decimals: u32) -> Result<Totals, Fault> {
    let unit = |amount| units(amount, decimals);
    let amounts: Vec<i128> = lines.iter().map(|line| unit(line.amount)).collect::<Result<_, _>>()?;
    let own: Vec<i128> = lines.iter().map(|line| unit(line.discount)).collect::<Result<_, _>>()?;
    for (amount, own) in amounts.iter().zip(&own) {
        no_more_than((*own, (*amount).max(0)), decimals)?;
    }
    let left: Vec<i128> = amounts.iter().zip(&own).map(|(amount, own)| amount - own).collect();
    let discount = unit(discount)?;
    no_more_than((discount, left.iter().sum::<i128>().max(0)), decimals)?;
    let eligible: Vec<i128> = left.iter().map(|left| (*left).max(0)).collect();
    let shares = split(discount, &eligible)?;
    let left: Vec<i128> = left.iter().zip(&shares).map(|(left, share)| left - share).collect();
    let taxes = taxes(lines, &left)?;
    let on_top = |line: &Line, tax: i128| if line.tax.is_some_and(|tax| tax.inclusive) { 0 } else { tax };
    let mut total = left.iter().sum::<i128>();
    let mut parts = Vec::with_capacity(lines.len());
    for (no, line) in lines.iter().enumerate() {
        let (left, tax) = (left[no], taxes[no]);
        total += on_top(line, tax);
        parts.push(Part {
            discount: amount(own[no] + shares[no], decimals)?,
            tax: amount(tax, decimals)?,
            net: amount(left - (tax - on_top(line, tax)), decimals)?,
        });
    }
    let tax = taxes.iter().sum::<i128>();
    Ok(Totals {
        subtotal: amount(amounts.iter().sum(), decimals)?,
        discount: amount(own.iter().chain(&shares).sum(), decimals)?,
        tax: amount(tax, decimals)?,
        total: amount(total, decimals)?,
        net: amount(total - tax, decimals)?,
        parts,
    })
}

fn no_more_than((asked, most): (i128, i128), decimals: u32) -> Result<(), Fault> {
    if asked <= most {
        return Ok(());
    }
    Err(Fault::Discount(amount(asked, decimals)?, amount(most, decimals)?))
}

/// The tax of each line: per rate and behaviour, on the sum of its lines, rounded once, and split over these.
fn taxes(lines: &[Line], left: &[i128]) -> Result<Vec<i128>, AmountError> {
    let mut taxes = vec![0; lines.len()];
    let mut seen: Vec<Tax> = Vec::new();
    for tax in lines.iter().filter_map(|line| line.tax) {
        if seen.contains(&tax) {
            continue;
        }
        seen.push(tax);
        let of: Vec<usize> = (0..lines.len()).filter(|no| lines[*no].tax == Some(tax)).collect();
        let amounts: Vec<i128> = of.iter().map(|no| left[*no]).collect();
        for (no, part) in of.into_iter().zip(tax.split(&amounts)?) {
            taxes[no] = part;
        }
    }
    Ok(taxes)
}

impl Tax {
    /// The tax on an amount.
    fn on(self, units: i128) -> Result<i128, AmountError> {
        let rate = BigInt::from(self.rate.mantissa());
        let hundred = BigInt::from(10).pow(self.rate.scale()) * 100;
        let of = if self.inclusive { hundred + &rate } else { hundred };
        rounded(rate * units, of)
    }

    /// The tax on the sum of these, split over them. Where some are below zero and others above it, their sum may be close
    /// to nothing, and a share of the rounded tax far from what a line's own would be: then it is what the tax on the running
    /// sum grows by, which adds up to the same.
    fn split(self, amounts: &[i128]) -> Result<Vec<i128>, AmountError> {
        let all: i128 = amounts.iter().sum();
        if amounts.iter().any(|one| *one < 0) && amounts.iter().any(|one| *one > 0) {
            return differences(amounts, |running| self.on(running));
        }
        let tax = self.on(all)?;
        differences(amounts, |running| rounded(BigInt::from(tax) * running, BigInt::from(all)))
    }
}

#[cfg(test)]
mod tests;
