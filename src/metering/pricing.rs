//! Pricing: what an event costs. Pure: no SPI, no pgrx type.

use crate::amount::{self, AmountError, Decimal};

/// How a meter makes one quantity of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The values added up.
    Sum,
    /// The number of events, whatever their values.
    Count,
}

impl Aggregation {
    /// The names in SQL.
    pub const NAMES: [&'static str; 2] = ["sum", "count"];

    /// The aggregation of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sum" => Some(Aggregation::Sum),
            "count" => Some(Aggregation::Count),
            _ => None,
        }
    }
}

/// What one event of a flat sum or count costs, in credits: rounded half away from zero, event by event.
pub fn event_cost(
    aggregation: Aggregation,
    value: Decimal,
    unit_price: Decimal,
    decimals: u32,
) -> Result<Decimal, AmountError> {
    let quantity = match aggregation {
        Aggregation::Sum => value,
        Aggregation::Count => Decimal::ONE,
    };
    amount::price(quantity, unit_price, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_charges_the_value_and_count_the_event() {
        let (value, price) = (Decimal::new(374, 0), Decimal::new(15, 4));
        assert_eq!(event_cost(Aggregation::Sum, value, price, 6), Ok(Decimal::new(561, 3)));
        assert_eq!(event_cost(Aggregation::Count, value, price, 6), Ok(Decimal::new(15, 4)));
        assert_eq!(event_cost(Aggregation::Count, Decimal::ZERO, price, 6), Ok(Decimal::new(15, 4)));
        assert_eq!(event_cost(Aggregation::Sum, Decimal::ZERO, price, 6), Ok(Decimal::ZERO));
        // 374 x 0.0015 = 0.561: half a cent and more rounds up, to two decimals.
        assert_eq!(event_cost(Aggregation::Sum, value, price, 2), Ok(Decimal::new(56, 2)));
    }
}
