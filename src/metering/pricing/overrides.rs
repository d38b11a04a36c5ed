//! Overrides: what one customer pays instead of a meter's price, from a moment on and perhaps until another. Pure.

use crate::amount::Decimal;
use crate::metering::pricing::Pricing;
use crate::metering::pricing::version::Version;
use crate::moment::Time;

/// What a customer pays instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// A price of their own.
    Price(Pricing),
    /// Whatever the meter's price is then, less so many percent.
    Discount(Decimal),
}

/// An override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number among the customer's of that meter.
    pub override_no: i32,
    /// From when on it is in force.
    pub since: Time,
    /// Until when, not included.
    pub until: Time,
    /// What is paid.
    pub terms: Terms,
}

impl Override {
    /// The version that its events have, beside one of the meter's prices.
    pub fn version(&self, list: i32) -> Version {
        let list = if matches!(self.terms, Terms::Price(_)) { 0 } else { list };
        Version { list, override_no: self.override_no }
    }

    /// What is paid where the meter's price is this.
    pub fn applied(&self, list: &Pricing) -> Pricing {
        match &self.terms {
            Terms::Price(pricing) => pricing.clone(),
            Terms::Discount(percent) => list.discounted(*percent),
        }
    }
}

/// The one in force at a moment: that which began last; of several that began at once, that which was set last.
pub fn at(overrides: &[Override], at: Time) -> Option<&Override> {
    let in_force = overrides.iter().filter(|o| o.since <= at && at < o.until);
    in_force.max_by_key(|o| (o.since, o.override_no))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount;

    fn d(text: &str) -> Decimal {
        amount::parse(text).unwrap()
    }

    fn overriding(override_no: i32, since: i64, until: i64) -> Override {
        let terms = Terms::Price(Pricing::flat(override_no.into()));
        Override { override_no, since: Time(since), until: Time(until), terms }
    }

    #[test]
    fn what_began_last_is_in_force_until_it_ends() {
        let overrides =
            [overriding(1, 0, i64::MAX), overriding(2, 10, 20), overriding(3, 10, 15), overriding(4, 30, 30)];
        let no = |moment: i64| at(&overrides, Time(moment)).map(|o| o.override_no);
        assert_eq!(
            [-1, 0, 9, 10, 14, 15, 19, 20, 30].map(no),
            [None, Some(1), Some(1), Some(3), Some(3), Some(2), Some(2), Some(1), Some(1)]
        );
    }

    #[test]
    fn a_discount_is_taken_before_rounding() {
        let cost = |percent: &str, list: &str, quantity: &str, decimals| {
            let discount = Override { terms: Terms::Discount(d(percent)), ..overriding(1, 0, 1) };
            assert_eq!(discount.version(3), Version { list: 3, override_no: 1 });
            discount.applied(&Pricing::parse(list).unwrap()).price("").unwrap().cost(d(quantity), decimals).unwrap()
        };
        assert_eq!(cost("20", r#"{"unit_price": 0.15}"#, "3", 2), d("0.36"));
        // 0.15 each would be 0.2 rounded, and 15 % off that 0.2 again.
        assert_eq!(cost("15", r#"{"unit_price": 0.15}"#, "1", 1), d("0.1"));
        assert_eq!(cost("100", r#"{"unit_price": 7}"#, "9", 6), d("0"));
        assert_eq!(cost("33.3333333333", r#"{"unit_price": 3, "per": 7, "round": "up"}"#, "8", 6), d("4"));
        let tiers =
            r#"{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 1, "flat_fee": 5}]}"#;
        assert_eq!(cost("50", tiers, "12", 6), d("3.5"));
    }

    #[test]
    fn a_price_of_their_own_has_nothing_of_the_meters() {
        let own = overriding(2, 0, 1);
        assert_eq!(own.version(3), Version { list: 0, override_no: 2 });
        assert_eq!(own.applied(&Pricing::flat(d("9"))), Pricing::flat(d("2")));
    }
}
