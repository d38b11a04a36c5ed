//! Amounts of money: what a payment buys, and minor units. Pure.

use crate::amount::{self, AmountError, Decimal};
use crate::rational;

/// What an amount buys at a price of one credit: rounded down to the credit's decimals, exactly.
pub fn bought(amount: Decimal, rate: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let credits = rational::rounded_down(&(rational::of(amount) / rational::of(rate)), decimals)?;
    let credits = amount::fit(credits, decimals)?;
    if credits.is_zero() { Err(AmountError::BuysNothing) } else { Ok(credits) }
}

/// So many times an amount, exactly: below 2^96 times below 2^31.
pub fn times(unit: Decimal, quantity: i32) -> Result<Decimal, AmountError> {
    let mantissa = unit.mantissa() * i128::from(quantity);
    let total = Decimal::try_from_i128_with_scale(mantissa, unit.scale()).map_err(|_| AmountError::TooManyDigits)?;
    Ok(total.normalize())
}

/// An amount in a provider's minor units as one in major units.
pub fn from_minor(units: i128, decimals: u32) -> Result<Decimal, AmountError> {
    let amount = Decimal::try_from_i128_with_scale(units, decimals).map_err(|_| AmountError::TooManyDigits)?;
    Ok(amount.normalize())
}

/// An amount in major units as one in a provider's minor units; `None` where it is no whole number of them.
pub fn to_minor(amount: Decimal, decimals: u32) -> Option<Decimal> {
    let units = amount.checked_mul(Decimal::from(10u64.pow(decimals)))?.normalize();
    (units.scale() == 0).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::parse;

    fn d(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn credits_are_rounded_down() {
        assert_eq!(bought(d("25"), d("0.3"), 6), Ok(d("83.333333")));
        assert_eq!(bought(d("25"), d("1"), 2), Ok(d("25")));
        assert_eq!(bought(d("25"), d("0.0000001"), 0), Ok(d("250000000")));
        assert_eq!(bought(d("0.01"), d("3"), 0), Err(AmountError::BuysNothing));
        assert_eq!(bought(d("9999999999999999999999999999"), d("0.01"), 0), Err(AmountError::TooManyDigits));
    }

    #[test]
    fn many_units() {
        assert_eq!(times(d("0.5"), 4), Ok(d("2")));
        assert_eq!(
            times(d("1234567890123456789012.345678"), 999),
            Err(AmountError::TooManyDigits),
            "nothing is rounded"
        );
        assert_eq!(times(d("9999999999999999999999999999"), i32::MAX), Err(AmountError::TooManyDigits));
    }

    #[test]
    fn minor_units() {
        assert_eq!(from_minor(2500, 2), Ok(d("25")));
        assert_eq!(from_minor(2500, 0), Ok(d("2500")));
        assert_eq!(from_minor(2500, 3), Ok(d("2.5")));
        assert_eq!(to_minor(d("25.5"), 2), Some(d("2550")));
        assert_eq!(to_minor(d("25.555"), 2), None);
    }
}
