//! Splitting amounts: whatever is split is split as differences of round(total × running share), so the parts add up, and none
//! is negative where nothing is. Sums are counted in units of the currency's last decimal, as integers, and so are exact.
//! Pure.

use crate::amount::{self, AmountError, Decimal};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

/// In units of the last decimal.
pub fn units(amount: Decimal, decimals: u32) -> Result<i128, AmountError> {
    let amount = amount::fit(amount, decimals)?;
    Ok(amount.mantissa() * 10i128.pow(decimals - amount.scale()))
}

/// The other way.
pub fn amount(units: i128, decimals: u32) -> Result<Decimal, AmountError> {
    let amount = Decimal::try_from_i128_with_scale(units, decimals).map_err(|_| AmountError::TooManyDigits)?;
    amount::fit(amount, decimals)
}

/// A whole split by weights that are not negative.
pub fn split(whole: i128, weights: &[i128]) -> Result<Vec<i128>, AmountError> {
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
pub fn differences(
    parts: &[i128],
    total: impl Fn(i128) -> Result<i128, AmountError>,
) -> Result<Vec<i128>, AmountError> {
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
pub fn rounded(numerator: BigInt, denominator: BigInt) -> Result<i128, AmountError> {
    if denominator.is_zero() {
        return Ok(0);
    }
    let negative = numerator.is_negative() != denominator.is_negative();
    let (numerator, denominator) = (numerator.abs(), denominator.abs());
    let size: BigInt = (numerator * 2 + &denominator) / (denominator * 2);
    let size = i128::try_from(size).map_err(|_| AmountError::TooManyDigits)?;
    Ok(if negative { -size } else { size })
}
