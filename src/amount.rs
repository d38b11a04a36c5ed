//! Exact decimals: what an amount may be, and how a price is rounded. Pure: no PostgreSQL in here.
//!
//! Amounts are in major units (credits). One limit holds for every amount: written with all the decimals of its
//! currency it has at most [`MAX_DIGITS`] digits. It holds for everything an account was ever granted, and so for every
//! balance: what is available, held or may come back was granted before. It holds for what usage leaves owed; and what
//! refunded purchases leave owed is no more than was granted. So no balance is more than twice the limit, and sums of
//! seven such numbers fit a [`Decimal`] without rounding: addition and subtraction are exact everywhere.

pub mod split;

pub use rust_decimal::Decimal;

use num_bigint::BigUint;

/// The most digits that an amount, a value or a price may have.
pub const MAX_DIGITS: u32 = 28;

/// Why a number cannot be an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// NaN, Infinity, or no number at all.
    #[error("must be a finite number")]
    NotFinite,
    /// Zero or less, where a positive amount is needed.
    #[error("must be greater than zero")]
    NotPositive,
    /// Less than zero.
    #[error("must not be negative")]
    Negative,
    /// More than all of it.
    #[error("must be at most 100")]
    OverHundred,
    /// Zero, where a signed amount is needed.
    #[error("must not be zero")]
    Zero,
    /// Less than zero, for a reason that only adds.
    #[error("must be greater than zero for this reason")]
    OnlyGives,
    /// Less than a payment may be.
    #[error("must be at least {0}: the currency or its recharge configuration takes no smaller payment")]
    BelowMinimum(Decimal),
    /// More than a payment may be.
    #[error("must be at most {0}: the currency or its recharge configuration takes no larger payment")]
    AboveMaximum(Decimal),
    /// So few units that a recharge costs less than a payment may.
    #[error(
        "times the price is {0}, and must be at least {1}: the currency or its recharge configuration takes no smaller payment"
    )]
    CostsTooLittle(Decimal, Decimal),
    /// So many units that a recharge costs more than a payment may.
    #[error(
        "times the price is {0}, and must be at most {1}: the currency or its recharge configuration takes no larger payment"
    )]
    CostsTooMuch(Decimal, Decimal),
    /// So many units that a recharge cannot be counted, or could not be granted.
    #[error(
        "times the price, and all that was ever granted with what it buys, must have at most 28 digits, the currency's decimals counted"
    )]
    BuysTooMuch,
    /// Less per day than one recharge costs.
    #[error("must be at least {0}, which one recharge costs")]
    BelowOneRecharge(Decimal),
    /// A target that leaves less than the threshold.
    #[error("must be at least the threshold, {0}")]
    BelowThreshold(Decimal),
    /// Less than one unit costs.
    #[error("must be at least {0}, which one unit costs")]
    BelowOneUnit(Decimal),
    /// So little that it buys nothing.
    #[error("must buy at least the smallest part of a credit")]
    BuysNothing,
    /// More than is held.
    #[error("must be at most what is held, {0}")]
    MoreThanHeld(Decimal),
    /// More than is left of what was taken.
    #[error("must be at most what is left of what was taken, {0}")]
    MoreThanTaken(Decimal),
    /// More than is still to be paid.
    #[error("must be at most what remains to be paid, {0}")]
    MoreThanRemains(Decimal),
    /// More back than can go back.
    #[error("must be at most what can be paid back, {0}")]
    MoreThanPaid(Decimal),
    /// More off than there is.
    #[error("must be at most what it is taken off, {0}")]
    MoreThanThere(Decimal),
    /// Less than is spent of it already.
    #[error("must be at least what is captured already, {0}")]
    LessThanCaptured(Decimal),
    /// Finer than the currency counts.
    #[error("must have at most {0} decimals")]
    TooManyDecimals(u32),
    /// A deferred cost so large that a few would soon exceed what can be counted, when no caller is there to receive a
    /// refusal.
    #[error("must cost at most 22 digits where the meter's settlement is deferred, the currency's decimals counted")]
    TooMuchToDefer,
    /// Larger or finer than can be kept exactly.
    #[error("must have at most 28 digits, the currency's decimals counted")]
    TooManyDigits,
    /// Too much, together with everything the account was ever granted.
    #[error("must keep all that the account was ever granted within 28 digits, the currency's decimals counted")]
    NoRoom,
    /// Too much, together with what the account owes.
    #[error("must keep what the account owes within 28 digits, the currency's decimals counted")]
    TooMuchOwed,
}

/// Parses what PostgreSQL prints for a `numeric`.
pub fn parse(text: &str) -> Result<Decimal, AmountError> {
    let number = exact(text)?;
    if number.mantissa().unsigned_abs() >= 10u128.pow(MAX_DIGITS) {
        return Err(AmountError::TooManyDigits);
    }
    Ok(number)
}

/// The same for values from the tables, including sums of amounts.
pub fn exact(text: &str) -> Result<Decimal, AmountError> {
    let digits = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') {
        return Err(AmountError::NotFinite);
    }
    Decimal::from_str_exact(digits).map_err(|_| AmountError::TooManyDigits)
}

/// Checks a number against the limits of a currency with so many decimals.
pub fn fit(amount: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let amount = amount.normalize();
    if amount.scale() > decimals {
        return Err(AmountError::TooManyDecimals(decimals));
    }
    let room = 10u128.pow(MAX_DIGITS - decimals + amount.scale());
    if amount.mantissa().unsigned_abs() >= room {
        return Err(AmountError::TooManyDigits);
    }
    Ok(amount)
}

/// Whether a sum of a currency with so many decimals has at most as many digits as an amount may have.
pub fn is_countable(sum: Decimal, decimals: u32) -> bool {
    sum < Decimal::from_i128_with_scale(10i128.pow(MAX_DIGITS - decimals), 0)
}

/// A cost that is charged later, when it cannot be refused any more: a million of them can be owed and still be counted.
pub fn deferrable(cost: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let room = 10u128.pow(MAX_DIGITS - 6 - decimals + cost.scale());
    if cost.mantissa().unsigned_abs() < room { Ok(cost) } else { Err(AmountError::TooMuchToDefer) }
}

/// A number that must be greater than zero, before its currency is known.
pub fn over_zero(number: Decimal) -> Result<Decimal, AmountError> {
    if number <= Decimal::ZERO { Err(AmountError::NotPositive) } else { Ok(number.normalize()) }
}

/// A signed number, before its currency is known.
pub fn not_zero(number: Decimal) -> Result<Decimal, AmountError> {
    if number.is_zero() { Err(AmountError::Zero) } else { Ok(number.normalize()) }
}

/// An amount that must be greater than zero.
pub fn positive(amount: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    fit(over_zero(amount)?, decimals)
}

/// A number that may be zero, without the limits of a currency: a value, a price.
pub fn not_negative(number: Decimal) -> Result<Decimal, AmountError> {
    if number < Decimal::ZERO { Err(AmountError::Negative) } else { Ok(number.normalize()) }
}

/// `quantity x unit_price`, computed exactly and rounded once, half away from zero, to the currency's decimals.
pub fn price(quantity: Decimal, unit_price: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let scale = quantity.scale() + unit_price.scale();
    let mantissa = product(quantity.mantissa(), unit_price.mantissa(), scale.saturating_sub(decimals));
    let cost = mantissa.and_then(|mantissa| Decimal::try_from_i128_with_scale(mantissa, scale.min(decimals)).ok());
    fit(cost.ok_or(AmountError::TooManyDigits)?, decimals)
}

/// A product divided by a power of ten, rounded once, half away from zero. `None` if that exceeds any amount.
fn product(one: i128, other: i128, power: u32) -> Option<i128> {
    // Every charge goes through here, and its product nearly always fits a machine integer.
    let Some(product) = one.checked_mul(other) else { return wide_product(one, other, power) };
    if power == 0 {
        return Some(product);
    }
    let Some(unit) = 10i128.checked_pow(power) else { return wide_product(one, other, power) };
    let whole = product / unit;
    let rest = (product - whole * unit).abs();
    Some(if rest >= unit - rest { whole + product.signum() } else { whole })
}

/// The same for a product of more than 38 digits.
#[cold]
fn wide_product(one: i128, other: i128, power: u32) -> Option<i128> {
    let unit = BigUint::from(10u8).pow(power);
    let product = BigUint::from(one.unsigned_abs()) * other.unsigned_abs();
    let whole = i128::try_from((product * 2u8 + &unit) / (unit * 2u8)).ok()?;
    Some(if (one < 0) == (other < 0) { whole } else { -whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn reads_what_postgresql_prints() {
        assert_eq!(d("12.500"), Decimal::new(125, 1));
        assert_eq!(d("-3"), Decimal::new(-3, 0));
        assert_eq!(d("0.000"), Decimal::ZERO);
        assert_eq!(d("100"), Decimal::new(100, 0));
        assert_eq!(parse("NaN"), Err(AmountError::NotFinite));
        assert_eq!(parse("Infinity"), Err(AmountError::NotFinite));
        assert_eq!(parse("-Infinity"), Err(AmountError::NotFinite));
    }

    #[test]
    fn refuses_what_it_cannot_keep() {
        assert_eq!(d("9999999999999999999999999999").to_string(), "9999999999999999999999999999");
        assert_eq!(parse("10000000000000000000000000000"), Err(AmountError::TooManyDigits));
        assert_eq!(parse(&format!("1{}", "0".repeat(30))), Err(AmountError::TooManyDigits));
        assert_eq!(parse(&format!("0.{}1", "0".repeat(28))), Err(AmountError::TooManyDigits));
        assert_eq!(parse(&format!("0.1{}", "0".repeat(200))), Ok(Decimal::new(1, 1)));
    }

    #[test]
    fn holds_amounts_against_their_currency() {
        assert_eq!(fit(d("1.50"), 1), Ok(d("1.5")));
        assert_eq!(fit(d("1.25"), 1), Err(AmountError::TooManyDecimals(1)));
        assert_eq!(fit(d("9999999999999999999999"), 6), Ok(d("9999999999999999999999")));
        assert_eq!(fit(d("10000000000000000000000"), 6), Err(AmountError::TooManyDigits));
        assert_eq!(fit(d("9999999999999999999999999999"), 0), Ok(d("9999999999999999999999999999")));
        assert_eq!(positive(Decimal::ZERO, 2), Err(AmountError::NotPositive));
        assert_eq!(positive(d("-1"), 2), Err(AmountError::NotPositive));
        assert_eq!(not_negative(d("-1")), Err(AmountError::Negative));
    }

    #[test]
    fn rounds_half_away_from_zero_once() {
        assert_eq!(price(d("5"), d("0.1"), 0), Ok(d("1")));
        assert_eq!(price(d("4.9999999999"), d("0.1"), 0), Ok(d("0")));
        assert_eq!(price(d("3"), d("0.333"), 2), Ok(d("1")));
        assert_eq!(price(d("1"), d("0.0000005"), 6), Ok(d("0.000001")));
        assert_eq!(price(d("1"), d("0.00000049"), 6), Ok(d("0")));
        // 55 digits before rounding: more than any machine integer, still exact.
        assert_eq!(
            price(d("1234567890.123456789012345678"), d("0.000000000123456789012345678"), 18),
            Ok(d("0.152415787532388366"))
        );
        assert_eq!(price(d("-0.5"), d("1"), 0), Ok(d("-1")));
        assert_eq!(price(d("-1234567890123456789.5"), d("0.1111111111111111111111"), 0), Ok(d("-137174210013717421")));
        assert_eq!(price(d("99999999999999"), d("999999999999999"), 6), Err(AmountError::TooManyDigits));
    }

    proptest! {
        /// Any price equals the one computed in whole units of the last decimal.
        #[test]
        fn price_agrees_with_integers(value in 0i64..1_000_000_000_000, vs in 0u32..6,
                                      unit in 0i64..1_000_000_000, us in 0u32..9, decimals in 0u32..10) {
            let product = i128::from(value) * i128::from(unit);
            let scale = vs + us;
            let expected = if scale <= decimals {
                product * 10i128.pow(decimals - scale)
            } else {
                let unit = 10i128.pow(scale - decimals);
                product / unit + i128::from(product % unit * 2 >= unit)
            };
            let cost = price(Decimal::new(value, vs), Decimal::new(unit, us), decimals);
            if expected < 10i128.pow(MAX_DIGITS) {
                prop_assert_eq!(cost, Ok(Decimal::from_i128_with_scale(expected, decimals)));
            } else {
                prop_assert_eq!(cost, Err(AmountError::TooManyDigits));
            }
        }

        /// Both ways of a product agree, wherever it lies.
        #[test]
        fn a_product_is_the_same_either_way(
            one in -(1i128 << 96)..1 << 96, small in 0u32..96, other in -(1i128 << 96)..1 << 96, less in 0u32..96,
            power in 0u32..57
        ) {
            let (one, other) = (one >> small, other >> less);
            prop_assert_eq!(product(one, other, power), wide_product(one, other, power));
        }

        /// Reading what was printed gives the number back.
        #[test]
        fn parse_reads_display(mantissa in -1_000_000_000_000_000i64..1_000_000_000_000_000, scale in 0u32..18) {
            let number = Decimal::new(mantissa, scale);
            prop_assert_eq!(parse(&number.to_string()), Ok(number));
        }
    }
}
