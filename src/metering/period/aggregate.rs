//! Aggregates: what several events add up to that are priced together, because one event decides for all (last, max) or
//! because a price depends on what was used before (tiers, whole blocks). Pure: no SPI, no pgrx type. period.rs stores
//! the standing.
//!
//! The rule: credits charged = the price of the aggregate of the events that are not canceled. So an event is charged
//! by how it changes that, which may be below zero.

use crate::amount::{AmountError, Decimal, MAX_DIGITS};
use crate::metering::pricing::{Aggregation, Price};
use crate::moment::Time;

/// What the events of one period, and of one price if that matters, add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The values or the number of the events, the value of the one that counts, or how many different ones there are.
    pub quantity: Decimal,
    /// How many events, without canceled ones.
    pub event_count: i64,
    /// The number of the last event, including canceled ones.
    pub last_no: i64,
    /// For a last or a max, the event that counts.
    pub counted: Option<Counted>,
    /// The price of it.
    pub credits: Decimal,
    /// Of a sum or a count whose price goes on from the one before: what was used under that one.
    pub carried: Decimal,
}

/// The event that counts, of a last or a max.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its number among those of the period.
    pub event_no: i64,
    /// When it happened.
    pub occurred_at: Time,
    /// Under which version of the meter's prices it was reported.
    pub price_version: i32,
    /// Which of that version's prices applies to it.
    pub price_class: String,
}

/// An event, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// How much.
    pub value: Decimal,
    /// When.
    pub occurred_at: Time,
    /// The version of the meter's prices.
    pub price_version: i32,
    /// Which of them applies to it.
    pub price_class: &'a str,
    /// That price.
    pub price: &'a Price,
    /// The currency's decimals.
    pub decimals: u32,
}

impl Default for Standing {
    fn default() -> Self {
        Standing {
            quantity: Decimal::ZERO,
            event_count: 0,
            last_no: 0,
            counted: None,
            credits: Decimal::ZERO,
            carried: Decimal::ZERO,
        }
    }
}

impl Standing {
    /// The standing with one more event; for unique, with the first of its value.
    pub fn with(&self, aggregation: Aggregation, report: &Report<'_>) -> Result<Standing, AmountError> {
        let mut next = Standing { event_count: self.event_count + 1, last_no: self.last_no + 1, ..self.clone() };
        if aggregation.is_ranked() {
            if self.is_beaten_by(aggregation, report) {
                next.count(report, next.last_no)?;
            }
        } else {
            next.quantity = added(self.quantity, aggregation.quantity(report.value))?;
            next.credits = self.cost(next.quantity, report)?;
        }
        Ok(next)
    }

    /// The standing with one more event of a value that counts already, for unique.
    pub fn with_known(&self) -> Standing {
        Standing { event_count: self.event_count + 1, last_no: self.last_no + 1, ..self.clone() }
    }

    /// The standing without one event of a value that others have, for unique.
    pub fn without_known(&self) -> Standing {
        Standing { event_count: self.event_count - 1, ..self.clone() }
    }

    /// The standing without one event, for a sum or a count; for unique, without the last one of its value.
    pub fn without(&self, aggregation: Aggregation, report: &Report<'_>) -> Result<Standing, AmountError> {
        let quantity = self.quantity - aggregation.quantity(report.value);
        let credits = self.cost(quantity, report)?;
        Ok(Standing { quantity, event_count: self.event_count - 1, credits, ..self.clone() })
    }

    /// The standing with another value of one event, for a sum or a count.
    pub fn with_other(
        &self,
        aggregation: Aggregation,
        report: &Report<'_>,
        value: Decimal,
    ) -> Result<Standing, AmountError> {
        let others = self.quantity - aggregation.quantity(report.value);
        let quantity = added(others, aggregation.quantity(value))?;
        let credits = self.cost(quantity, report)?;
        Ok(Standing { quantity, credits, ..self.clone() })
    }

    /// The standing once the event of that number counts, for a last or a max.
    pub fn counting(&self, event_no: i64, report: &Report<'_>) -> Result<Standing, AmountError> {
        let mut next = self.clone();
        next.count(report, event_no)?;
        Ok(next)
    }

    /// The standing without the event of that number, for a last or a max; `best` is the highest-ranked event that is
    /// left.
    pub fn without_ranked(&self, event_no: i64, best: Option<(i64, Report<'_>)>) -> Result<Standing, AmountError> {
        let mut next = Standing { event_count: self.event_count - 1, ..self.clone() };
        if self.counted.as_ref().is_some_and(|counted| counted.event_no == event_no) {
            match best {
                Some((event_no, report)) => next.count(&report, event_no)?,
                None => (next.quantity, next.counted, next.credits) = (Decimal::ZERO, None, Decimal::ZERO),
            }
        }
        Ok(next)
    }

    /// What it goes on from: if it has no usage yet, what was used under the newest of the prices before that has any. They
    /// come in that order. A sum of more than 28 digits is refused where it is added to.
    pub fn carried_after<'s>(&self, mut before: impl Iterator<Item = &'s Standing>) -> Decimal {
        let newest = before.find(|before| self.last_no == 0 && before.last_no > 0);
        newest.map_or(self.carried, |before| before.used().unwrap_or(before.quantity))
    }

    /// All that was used under the prices that this one continues: what another one would begin with.
    pub fn used(&self) -> Result<Decimal, AmountError> {
        added(self.carried, self.quantity)
    }

    /// What a quantity costs beyond what was carried.
    fn cost(&self, quantity: Decimal, report: &Report<'_>) -> Result<Decimal, AmountError> {
        let cost = |quantity| report.price.cost(quantity, report.decimals);
        if self.carried.is_zero() {
            cost(quantity)
        } else {
            Ok(cost(added(self.carried, quantity)?)? - cost(self.carried)?)
        }
    }

    fn is_beaten_by(&self, aggregation: Aggregation, report: &Report<'_>) -> bool {
        let Some(counted) = &self.counted else { return true };
        if aggregation == Aggregation::Last {
            report.occurred_at >= counted.occurred_at
        } else {
            report.value > self.quantity
        }
    }

    fn count(&mut self, report: &Report<'_>, event_no: i64) -> Result<(), AmountError> {
        self.quantity = report.value;
        self.credits = report.price.cost(report.value, report.decimals)?;
        self.counted = Some(Counted {
            event_no,
            occurred_at: report.occurred_at,
            price_version: report.price_version,
            price_class: report.price_class.to_string(),
        });
        Ok(())
    }
}

/// The most that events, one after the other, can add to what is charged.
pub fn rise<'a>(standing: &Standing, aggregation: Aggregation, reports: impl Iterator<Item = Report<'a>>) -> Decimal {
    let (mut standing, mut rise) = (standing.clone(), Decimal::ZERO);
    for report in reports {
        if let Ok(next) = standing.with(aggregation, &report) {
            let more = (next.credits - standing.credits).max(Decimal::ZERO);
            rise = rise.checked_add(more).unwrap_or(Decimal::MAX);
            standing = next;
        }
    }
    rise
}

/// Two numbers of at most 28 digits are added exactly, or not at all.
fn added(one: Decimal, other: Decimal) -> Result<Decimal, AmountError> {
    let scale = one.scale().max(other.scale());
    let room = 10i128.pow(MAX_DIGITS);
    let mantissa = |n: Decimal| n.mantissa().checked_mul(10i128.pow(scale - n.scale())).filter(|m| *m < room);
    let total = mantissa(one).zip(mantissa(other)).and_then(|(one, other)| one.checked_add(other));
    let total = total.filter(|total| *total < room).ok_or(AmountError::TooManyDigits)?;
    Ok(Decimal::from_i128_with_scale(total, scale).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::pricing::Pricing;
    use proptest::prelude::*;

    const NAMES: [&str; 3] = [r#"{"unit_price": 3}"#, r#"{"unit_price": 2, "per": 7, "round": "up"}"#, TIERS];
    const TIERS: &str = r#"{"mode": "volume", "tiers": [{"up_to": 20, "unit_price": 5}, {"unit_price": 1}]}"#;
    const ALL: [Aggregation; 5] =
        [Aggregation::Sum, Aggregation::Count, Aggregation::Last, Aggregation::Max, Aggregation::Unique];

    #[test]
    fn sums_beyond_28_digits_are_refused() {
        let most = Decimal::from_i128_with_scale(10i128.pow(28) - 1, 0);
        assert_eq!(added(most, Decimal::ZERO), Ok(most));
        assert_eq!(added(most, Decimal::ONE), Err(AmountError::TooManyDigits));
        assert_eq!(added(most, Decimal::new(1, 20)), Err(AmountError::TooManyDigits));
        assert_eq!(added(Decimal::new(15, 1), Decimal::new(25, 1)), Ok(Decimal::new(4, 0)));
    }

    /// The event that counts, looked for among all.
    fn naive(aggregation: Aggregation, events: &[(i64, u8, u8)], prices: &[Pricing]) -> Decimal {
        let cost =
            |quantity: Decimal, version: u8| prices[usize::from(version)].price("").unwrap().cost(quantity, 6).unwrap();
        match aggregation {
            Aggregation::Sum => cost(events.iter().map(|e| Decimal::from(e.1)).sum(), 0),
            // Of different values, where every event has its own.
            Aggregation::Count | Aggregation::Unique => cost(Decimal::from(events.len()), 0),
            Aggregation::Last => events.iter().max_by_key(|e| e.0).map_or(Decimal::ZERO, |e| cost(e.1.into(), e.2)),
            Aggregation::Max => {
                events.iter().rev().max_by_key(|e| e.1).map_or(Decimal::ZERO, |e| cost(e.1.into(), e.2))
            }
        }
    }

    proptest! {
        /// Events in any order, some canceled, some adjusted: the price of what is left is charged.
        #[test]
        fn charged_is_the_price_of_the_aggregate(
            which in 0usize..5,
            events in proptest::collection::vec((0i64..6, 0u8..30, 0u8..3, proptest::option::of(0usize..8)), 1..40),
            others in proptest::collection::vec(proptest::option::of((0usize..8, 0u8..30)), 40)
        ) {
            let aggregation = ALL[which];
            let prices: Vec<Pricing> = NAMES.iter().map(|text| Pricing::parse(text).unwrap()).collect();
            let mut standing = Standing::default();
            let mut there: Vec<(i64, (i64, u8, u8))> = Vec::new();
            let rank = |(no, e): &&(i64, (i64, u8, u8))| match aggregation {
                Aggregation::Last => (e.0, *no),
                _ => (i64::from(e.1), -no),
            };
            for ((at, value, version, back), other) in events.into_iter().zip(others) {
                // Sums and counts are separate for each version.
                let version = if aggregation.is_ranked() { version } else { 0 };
                let report = |(at, value, version): (i64, u8, u8)| Report {
                    value: value.into(), occurred_at: Time(at), price_version: version.into(), price_class: "",
                    price: prices[usize::from(version)].price("").unwrap(), decimals: 6,
                };
                let event = (at, value, version);
                standing = standing.with(aggregation, &report(event)).unwrap();
                there.push((standing.last_no, event));
                if let Some(back) = back.filter(|back| *back < there.len()) {
                    let (no, event) = there.remove(back);
                    standing = if aggregation.is_ranked() {
                        let best = there.iter().max_by_key(rank).map(|(no, event)| (*no, report(*event)));
                        standing.without_ranked(no, best).unwrap()
                    } else {
                        standing.without(aggregation, &report(event)).unwrap()
                    };
                }
                // Another value for one of them.
                if let Some((which, value)) = other.filter(|(which, _)| *which < there.len()) {
                    let before = there[which].1;
                    there[which].1.1 = value;
                    standing = if aggregation.is_ranked() {
                        let (no, event) = there.iter().max_by_key(rank).unwrap();
                        standing.counting(*no, &report(*event)).unwrap()
                    } else {
                        standing.with_other(aggregation, &report(before), value.into()).unwrap()
                    };
                }
                let left: Vec<_> = there.iter().map(|(_, event)| *event).collect();
                prop_assert_eq!(standing.credits, naive(aggregation, &left, &prices), "{:?} of {:?}", aggregation, left);
                prop_assert_eq!(standing.event_count, left.len() as i64);
            }
        }
    }

    #[test]
    fn a_price_goes_on_from_what_was_used_before() {
        let tiers = r#"{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 2}]}"#;
        let pricing = Pricing::parse(tiers).unwrap();
        let price = pricing.price("").unwrap();
        let report = |value: i64| Report {
            value: value.into(),
            occurred_at: Time(0),
            price_version: 2,
            price_class: "",
            price,
            decimals: 6,
        };
        let mut standing = Standing { carried: Decimal::from(8), ..Standing::default() };
        for (value, credits) in [(1, 0), (4, 6), (2, 10)] {
            standing = standing.with(Aggregation::Sum, &report(value)).unwrap();
            assert_eq!(standing.credits, Decimal::from(credits));
        }
        assert_eq!(standing.used(), Ok(Decimal::from(15)));
        let left = standing.without(Aggregation::Sum, &report(4)).unwrap();
        assert_eq!((left.quantity, left.credits), (Decimal::from(3), Decimal::from(2)));
    }
}
