//! Fractions of any size, for divisions: exact until they are rounded once. Pure.

pub use num_rational::BigRational as Rational;

use crate::amount::{AmountError, Decimal};
use num_bigint::BigInt;

/// A number as a fraction.
pub fn of(number: Decimal) -> Rational {
    Rational::new(number.mantissa().into(), BigInt::from(10).pow(number.scale()))
}

/// To so many decimals, half away from zero; the number is not negative.
pub fn rounded(number: &Rational, decimals: u32) -> Result<Decimal, AmountError> {
    let unit = BigInt::from(10).pow(decimals);
    to_decimal((number.numer() * unit * 2 + number.denom()) / (number.denom() * 2), decimals)
}

/// Down to so many decimals; the number is not negative.
pub fn rounded_down(number: &Rational, decimals: u32) -> Result<Decimal, AmountError> {
    to_decimal(number.numer() * BigInt::from(10).pow(decimals) / number.denom(), decimals)
}

fn to_decimal(units: BigInt, decimals: u32) -> Result<Decimal, AmountError> {
    let mantissa = i128::try_from(units).map_err(|_| AmountError::TooManyDigits)?;
    Decimal::try_from_i128_with_scale(mantissa, decimals).map_err(|_| AmountError::TooManyDigits)
}
