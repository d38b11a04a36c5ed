//! What an invoice comes to: amounts off and tax, each rounded once and split over the lines, and the totals. Pure: no SPI,
//! no pgrx type.
//!
//! Whatever is split is split as differences of round(total × running share), so the parts add up, and none is negative
//! where nothing is. Sums are counted in units of the currency's last decimal, as integers, and so are exact.

use crate::amount::{self, AmountError, Decimal};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

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

/// In units of the last decimal.
fn units(amount: Decimal, decimals: u32) -> Result<i128, AmountError> {
    let amount = amount::fit(amount, decimals)?;
    Ok(amount.mantissa() * 10i128.pow(decimals - amount.scale()))
}

/// The other way.
fn amount(units: i128, decimals: u32) -> Result<Decimal, AmountError> {
    let amount = Decimal::try_from_i128_with_scale(units, decimals).map_err(|_| AmountError::TooManyDigits)?;
    amount::fit(amount, decimals)
}

fn no_more_than((asked, most): (i128, i128), decimals: u32) -> Result<(), Fault> {
    if asked <= most {
        return Ok(());
    }
    Err(Fault::Discount(amount(asked, decimals)?, amount(most, decimals)?))
}

/// A whole split by weights that are not negative.
fn split(whole: i128, weights: &[i128]) -> Result<Vec<i128>, AmountError> {
    let all: i128 = weights.iter().sum();
    differences(weights, |running| rounded(BigInt::from(whole) * running, BigInt::from(all)))
}

/// An amount split by weights, those below zero counted as nothing; all on the first where there are none.
pub fn shares(whole: Decimal, weights: &[Decimal], decimals: u32) -> Result<Vec<Decimal>, AmountError> {
    let mut weights: Vec<i128> =
        weights.iter().map(|weight| Ok(units(*weight, decimals)?.max(0))).collect::<Result<_, AmountError>>()?;
    if let (0, Some(first)) = (weights.iter().sum::<i128>(), weights.first_mut()) {
        *first = 1;
    }
    split(units(whole, decimals)?, &weights)?.into_iter().map(|part| amount(part, decimals)).collect()
}

/// What a function of the running sum adds with each part; nothing where there is nothing to split.
fn differences(parts: &[i128], total: impl Fn(i128) -> Result<i128, AmountError>) -> Result<Vec<i128>, AmountError> {
    let (mut running, mut before) = (0, 0);
    let mut each = Vec::with_capacity(parts.len());
    for part in parts {
        running += part;
        let now = total(running)?;
        each.push(now - before);
        before = now;
    }
    Ok(each)
}

/// A fraction, rounded half away from zero; zero where it is of nothing.
fn rounded(numerator: BigInt, denominator: BigInt) -> Result<i128, AmountError> {
    if denominator.is_zero() {
        return Ok(0);
    }
    let negative = numerator.is_negative() != denominator.is_negative();
    let (numerator, denominator) = (numerator.abs(), denominator.abs());
    let size: BigInt = (numerator * 2 + &denominator) / (denominator * 2);
    let size = i128::try_from(size).map_err(|_| AmountError::TooManyDigits)?;
    Ok(if negative { -size } else { size })
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
