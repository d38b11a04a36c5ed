//! Usage that is recorded: what it adds up to, what it costs, and what of that is still to be invoiced. Pure.

use crate::amount::{AmountError, Decimal};
use crate::moment::Time;
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::proration::part;

/// How records become the usage of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// What was used at all moments.
    Sum,
    /// The most of any moment.
    Max,
    /// What the last moment has.
    LastDuringPeriod,
    /// The same, or what the last moment of an earlier period had.
    LastEver,
}

impl Aggregate {
    const ALL: [Aggregate; 4] = [Aggregate::Sum, Aggregate::Max, Aggregate::LastDuringPeriod, Aggregate::LastEver];

    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Aggregate::Sum => "sum",
            Aggregate::Max => "max",
            Aggregate::LastDuringPeriod => "last_during_period",
            Aggregate::LastEver => "last_ever",
        }
    }

    /// That of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Aggregate::ALL.into_iter().find(|aggregate| aggregate.as_str() == name)
    }

    /// Whether it is how much there is, and not how much was used: of a part of a period it costs that part.
    fn is_level(self) -> bool {
        self != Aggregate::Sum
    }
}

/// What a record does to its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It adds to what the moment has.
    Increment,
    /// It replaces what the moment has.
    Set,
}

impl Action {
    /// What a moment has after a record, of so much before.
    pub fn on(self, before: Option<Decimal>, quantity: Decimal) -> Result<Decimal, AmountError> {
        match self {
            Action::Increment => sum(before.unwrap_or_default(), quantity),
            Action::Set => Ok(quantity),
        }
    }
}

fn sum(one: Decimal, other: Decimal) -> Result<Decimal, AmountError> {
    crate::amount::parse(&one.checked_add(other).ok_or(AmountError::TooManyDigits)?.to_string())
}

/// The usage of a period so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What it adds up to.
    pub usage: Decimal,
    /// The last moment that anything was recorded for, and what it has: of the period or, before there is one, of those before.
    pub last: Option<(Time, Decimal)>,
}

impl Tally {
    /// Before anything is recorded, after a period that ended with so much: as a row of it begins.
    #[cfg(test)]
    pub fn begin(aggregate: Aggregate, last: Option<(Time, Decimal)>) -> Self {
        let carried = last.filter(|_| aggregate == Aggregate::LastEver).map(|(_, value)| value);
        Tally { usage: carried.unwrap_or_default(), last }
    }

    /// After a moment of the period has changed. `None` where all its moments have to be looked at again: the most was at this
    /// one, and is less now.
    pub fn after(
        self,
        aggregate: Aggregate,
        at: Time,
        (before, now): (Option<Decimal>, Decimal),
    ) -> Result<Option<Self>, AmountError> {
        let is_last = self.last.is_none_or(|(last, _)| last <= at);
        let last = if is_last { Some((at, now)) } else { self.last };
        let usage = match aggregate {
            Aggregate::Sum => sum(self.usage, now - before.unwrap_or_default())?,
            Aggregate::Max if now >= self.usage => now,
            Aggregate::Max if before.is_some_and(|before| before >= self.usage) => return Ok(None),
            Aggregate::Max => self.usage,
            Aggregate::LastDuringPeriod | Aggregate::LastEver if is_last => now,
            Aggregate::LastDuringPeriod | Aggregate::LastEver => self.usage,
        };
        Ok(Some(Tally { usage, last }))
    }

    /// With events of a meter, which happened at any moments of the period.
    pub fn with(self, aggregate: Aggregate, taken: &Taken) -> Result<Self, AmountError> {
        let is_last = self.last.is_none_or(|(last, _)| last <= taken.last.0);
        let last = if is_last { Some(taken.last) } else { self.last };
        let usage = match aggregate {
            Aggregate::Sum => sum(self.usage, taken.added)?,
            Aggregate::Max => self.usage.max(taken.most),
            Aggregate::LastDuringPeriod | Aggregate::LastEver if is_last => taken.last.1,
            Aggregate::LastDuringPeriod | Aggregate::LastEver => self.usage,
        };
        Ok(Tally { usage, last })
    }
}

/// What events of a meter come to, that are counted together.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// What they add.
    pub added: Decimal,
    /// The most of any.
    pub most: Decimal,
    /// The last one: when it happened, and its value.
    pub last: (Time, Decimal),
}

/// What usage costs that would cost so much in a whole period. What was used costs that, in however short a time. How much
/// there is costs the part of the whole that its time is: so the parts of a period cost no more than all of it.
pub fn cost(
    aggregate: Aggregate,
    full: Decimal,
    (time, whole): (Period, Period),
    decimals: u32,
) -> Result<Decimal, AmountError> {
    if !aggregate.is_level() {
        return Ok(full);
    }
    Ok(part(full, whole, time.start, decimals)? - part(full, whole, time.end, decimals)?)
}

/// What is still to be invoiced of what usage costs. What was invoiced is not lowered by what is recorded later.
pub fn due(cost: Decimal, invoiced: Decimal) -> Decimal {
    (cost - invoiced).max(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::schedule::cycle::tests::day;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn number(units: i64) -> Decimal {
        Decimal::new(units, 1)
    }

    /// The same, of all moments at once.
    fn naive(aggregate: Aggregate, carried: Option<Decimal>, moments: &BTreeMap<i64, Decimal>) -> Decimal {
        let last = moments.values().next_back().copied();
        let usage = match aggregate {
            Aggregate::Sum => Some(moments.values().sum()),
            Aggregate::Max => moments.values().max().copied(),
            Aggregate::LastDuringPeriod => last,
            Aggregate::LastEver => last.or(carried),
        };
        usage.unwrap_or_default()
    }

    #[test]
    fn by_hand() {
        let after = |aggregate: Aggregate, tally: Tally, at, moment| tally.after(aggregate, Time(at), moment).unwrap();
        let empty = Tally::begin(Aggregate::Max, None);
        let five = after(Aggregate::Max, empty, 1, (None, number(50))).unwrap();
        assert_eq!(five.usage, number(50));
        // It was the most, and is less.
        assert_eq!(after(Aggregate::Max, five, 1, (Some(number(50)), number(10))), None);
        let carried = Tally::begin(Aggregate::LastEver, five.last);
        assert_eq!(carried.usage, number(50));
        assert_eq!(Tally::begin(Aggregate::LastDuringPeriod, five.last).usage, Decimal::ZERO);
        assert!(Action::Increment.on(Some(Decimal::MAX), Decimal::ONE).is_err());
        assert_eq!(due(number(50), number(20)), number(30));
        assert_eq!(due(number(20), number(50)), Decimal::ZERO);
        let april = Period { start: day(2026, 4, 1), end: day(2026, 5, 1) };
        let late = Period { start: day(2026, 4, 21), end: april.end };
        let cost = |aggregate, time| cost(aggregate, number(300), (time, april), 2).unwrap();
        assert_eq!(cost(Aggregate::Sum, late), number(300));
        assert_eq!(cost(Aggregate::Max, late), number(100));
        assert_eq!(cost(Aggregate::LastEver, april), number(300));
        assert!(Aggregate::ALL.into_iter().all(|one| Aggregate::parse(one.as_str()) == Some(one)));
    }

    proptest! {
        /// One record after another comes to what all of them together do.
        #[test]
        fn any_order(
            aggregate in 0usize..4,
            carried in proptest::option::of(0i64..100),
            records in proptest::collection::vec((any::<bool>(), 0i64..6, 0i64..100), 0..20)
        ) {
            let aggregate = Aggregate::ALL[aggregate];
            let carried = carried.map(number);
            let mut tally = Tally::begin(aggregate, carried.map(|value| (Time(-1), value)));
            let mut moments: BTreeMap<i64, Decimal> = BTreeMap::new();
            for (set, at, quantity) in records {
                let action = if set { Action::Set } else { Action::Increment };
                let before = moments.get(&at).copied();
                let now = action.on(before, number(quantity)).unwrap();
                moments.insert(at, now);
                let last = moments.iter().next_back().map(|(at, value)| (Time(*at), *value));
                let again = Tally { usage: naive(aggregate, carried, &moments), last };
                tally = tally.after(aggregate, Time(at), (before, now)).unwrap().unwrap_or(again);
                prop_assert_eq!(tally, again);
            }
        }

        /// Events of a meter come to the same however many of them are counted at once, and in whichever order.
        #[test]
        fn events_in_any_order(
            aggregate in 0usize..3,
            events in proptest::collection::vec((0i64..100, 0i64..100), 1..20), size in 1usize..5
        ) {
            let aggregate = Aggregate::ALL[aggregate];
            // Of two at one moment, the one that is counted later is the later one.
            let moments: BTreeMap<i64, i64> = events.iter().copied().collect();
            let mut tally = Tally::begin(aggregate, None);
            for some in events.chunks(size) {
                let (at, last) = some.iter().copied().rev().max_by_key(|(at, _)| *at).unwrap();
                let last = some.iter().rev().find(|(moment, _)| *moment == at).map_or(last, |(_, value)| *value);
                let taken = Taken {
                    added: some.iter().map(|(_, value)| number(*value)).sum(),
                    most: some.iter().map(|(_, value)| number(*value)).max().unwrap(),
                    last: (Time(at), number(last)),
                };
                tally = tally.with(aggregate, &taken).unwrap();
            }
            let expected = match aggregate {
                Aggregate::Sum => events.iter().map(|(_, value)| number(*value)).sum(),
                Aggregate::Max => events.iter().map(|(_, value)| number(*value)).max().unwrap(),
                _ => number(*moments.values().next_back().unwrap()),
            };
            prop_assert_eq!(tally.usage, expected);
        }

        /// However a period is divided, what there was in it costs what it does in one piece; and each unit that was used
        /// is invoiced once, however often it is looked at.
        #[test]
        fn parts_add_up(
            full in 0i64..1_000_000, cuts in proptest::collection::vec(0i64..30 * 86_400_000_000, 0..5),
            costs in proptest::collection::vec(0i64..1000, 1..9)
        ) {
            let whole = Period { start: day(2026, 4, 1), end: day(2026, 5, 1) };
            let mut cuts: Vec<Time> = cuts.into_iter().map(|cut| Time(whole.start.0 + cut)).collect();
            cuts.extend([whole.start, whole.end]);
            cuts.sort();
            let full = Decimal::new(full, 2);
            let parts = cuts.windows(2).map(|two| Period { start: two[0], end: two[1] });
            let sum: Decimal = parts.map(|time| cost(Aggregate::Max, full, (time, whole), 2).unwrap()).sum();
            prop_assert_eq!(sum, full);
            let mut invoiced = Decimal::ZERO;
            for cost in &costs {
                invoiced += due(number(*cost), invoiced);
            }
            prop_assert_eq!(Some(invoiced), costs.iter().max().map(|cost| number(*cost)));
        }
    }
}
