//! The periods of a subscription: each from its anchor, on the calendar in UTC. Pure.
//!
//! A month that is too short moves no period after it: 31 January, 28 February, 31 March. The boundaries grow strictly, so
//! periods have no gap and do not overlap.

use crate::moment::length::Length;
use crate::moment::{DAY, Time};
use time::{Date, Month};

/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// How long something lasts on the calendar: months, and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Calendar months.
    pub months: i32,
    /// Microseconds besides.
    pub microseconds: i64,
}

impl Step {
    /// So many hours, days, weeks, months or years; `None` for another name.
    pub fn of(interval: &str, count: i32) -> Option<Self> {
        let time = |unit: i64| Step { months: 0, microseconds: unit.saturating_mul(count.into()) };
        let months = |unit: i32| Step { months: unit.saturating_mul(count), microseconds: 0 };
        Some(match interval {
            "hour" => time(HOUR),
            "day" => time(DAY),
            "week" => time(7 * DAY),
            "month" => months(1),
            "year" => months(12),
            _ => return None,
        })
    }

    /// The moment so many of them after another (or before it): each counted from there, not from the one before.
    pub fn times(self, number: i64, from: Time) -> Time {
        let time = self.microseconds.saturating_mul(number);
        if self.months == 0 {
            return Time(from.0.saturating_add(time));
        }
        let moved = i64::from(self.months).checked_mul(number).and_then(|months| later(from, months));
        moved.map_or(if number < 0 { Time::BEGINNING } else { Time::NEVER }, |at| Time(at.0.saturating_add(time)))
    }
}

impl From<Length> for Step {
    /// Days are 24 hours: in UTC all are.
    fn from(length: Length) -> Self {
        let days = DAY.saturating_mul(length.days.into());
        Step { months: length.months, microseconds: length.microseconds.saturating_add(days) }
    }
}

/// So many calendar months later.
pub fn months_after(from: Time, months: i32) -> Time {
    Step { months, microseconds: 0 }.times(1, from)
}

/// So many months later, at the end of a month that is too short.
fn later(from: Time, months: i64) -> Option<Time> {
    let date = from.date()?;
    let month = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + months;
    let (year, month) = (i32::try_from(month.div_euclid(12)).ok()?, u8::try_from(month.rem_euclid(12) + 1).ok()?);
    let month = Month::try_from(month).ok()?;
    let day = date.day().min(month.length(year));
    let midnight = Time::midnight(Date::from_calendar_date(year, month, day).ok()?);
    Some(Time(midnight.0.saturating_add(from.0 - from.start_of_day().0)))
}

/// The periods of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// From where they are counted.
    pub anchor: Time,
    /// How long each is.
    pub step: Step,
}

/// One of them: from its first moment to the first one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub start: Time,
    /// The first moment after it.
    pub end: Time,
}

impl Cycle {
    /// Where the period of that number begins.
    fn boundary(self, number: i64) -> Time {
        self.step.times(number, self.anchor)
    }

    /// The whole period that a moment is in.
    pub fn period_at(self, at: Time) -> Period {
        let mut number = self.near(at);
        while self.boundary(number) > at {
            number -= 1;
        }
        while self.boundary(number + 1) <= at {
            number += 1;
        }
        Period { start: self.boundary(number), end: self.boundary(number + 1) }
    }

    /// Periods of another length, counted from a moment on.
    pub fn restarted(self, step: Step, at: Time) -> Self {
        Cycle { anchor: at, step }
    }

    /// The number of a period close to a moment.
    fn near(self, at: Time) -> i64 {
        let length =
            if self.step.months == 0 { self.step.microseconds } else { i64::from(self.step.months) * 30 * DAY };
        let since = i128::from(at.0) - i128::from(self.anchor.0);
        i64::try_from(since.div_euclid(i128::from(length.max(1)))).unwrap_or_default()
    }

    /// A period as long as any can be: a month may have 31 days, and a year 366.
    pub fn longest(self) -> Period {
        let (years, months) = (self.step.months / 12, self.step.months % 12);
        let days = DAY.saturating_mul(i64::from(years) * 366 + i64::from(months) * 31);
        let length = self.step.microseconds.saturating_add(days);
        Period { start: self.anchor, end: Time(self.anchor.0.saturating_add(length)) }
    }

    /// What is left of a period from a moment on: all of it from its first moment.
    pub fn from(self, at: Time) -> Period {
        Period { start: at, end: self.period_at(at).end }
    }
}

impl Period {
    /// How long it is, in microseconds.
    pub fn length(self) -> i64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether a moment is in it.
    #[cfg(test)]
    pub fn has(self, at: Time) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::amount::Decimal;
    use crate::subscriptions::schedule::proration::part;
    use proptest::prelude::*;

    /// A date's midnight.
    pub fn day(year: i32, month: u8, day: u8) -> Time {
        Time::midnight(Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).unwrap())
    }

    fn cycle(anchor: Time, interval: &str, count: i32) -> Cycle {
        Cycle { anchor, step: Step::of(interval, count).unwrap() }
    }

    #[test]
    fn the_end_of_a_month_comes_back() {
        let monthly = cycle(day(2024, 1, 31), "month", 1);
        for (number, expected) in [
            (-1, day(2023, 12, 31)),
            (0, day(2024, 1, 31)),
            (1, day(2024, 2, 29)),
            (2, day(2024, 3, 31)),
            (3, day(2024, 4, 30)),
            (13, day(2025, 2, 28)),
        ] {
            assert_eq!(monthly.boundary(number), expected);
        }
        let yearly = cycle(day(2024, 2, 29), "year", 1);
        assert_eq!(yearly.boundary(1), day(2025, 2, 28));
        assert_eq!(yearly.boundary(4), day(2028, 2, 29));
        let at = Time(day(2024, 2, 29).0 + 1);
        assert_eq!(monthly.period_at(at), Period { start: day(2024, 2, 29), end: day(2024, 3, 31) });
        assert_eq!(monthly.from(at), Period { start: at, end: day(2024, 3, 31) });
        assert_eq!(yearly.longest().length(), 366 * DAY);
        assert_eq!(monthly.longest().length(), 31 * DAY);
        assert_eq!(Step::of("moon", 1), None);
    }

    proptest! {
        #[test]
        fn every_moment_is_in_one_period(
            anchor in 0i64..1_500_000_000, at in 0i64..1_500_000_000, interval in 0usize..5, count in 1i32..14
        ) {
            let interval = ["hour", "day", "week", "month", "year"][interval];
            let cycle = cycle(Time(anchor * 1_000_000), interval, count);
            let at = Time(at * 1_000_000);
            let period = cycle.period_at(at);
            prop_assert!(period.has(at));
            prop_assert!(period.length() > 0);
            prop_assert_eq!(cycle.period_at(period.start), period);
            // No gap, and no overlap.
            prop_assert_eq!(cycle.period_at(period.end).start, period.end);
            prop_assert_eq!(cycle.period_at(Time(period.start.0 - 1)).end, period.start);
        }

        /// From a beginning in mid-period on, one after another: what is left of the first, then whole ones, each from the
        /// anchor, on its day of the month or the last one of a month that is too short.
        #[test]
        fn one_period_after_another(
            anchor in -500_000_000i64..1_500_000_000, begin in 0i64..1_500_000_000, interval in 0usize..5, count in 1i32..14
        ) {
            let interval = ["hour", "day", "week", "month", "year"][interval];
            let cycle = cycle(Time(anchor * 1_000_000), interval, count);
            let mut period = cycle.from(Time(begin * 1_000_000));
            for _ in 0..60 {
                let next = cycle.period_at(period.end);
                prop_assert_eq!(next.start, period.end);
                prop_assert_eq!(next, cycle.from(period.end));
                prop_assert!(next.length() <= cycle.longest().length() && next.length() > 0);
                if cycle.step.months == 0 {
                    prop_assert_eq!(next.length(), cycle.step.microseconds);
                } else {
                    let (date, day) = (next.start.date().unwrap(), cycle.anchor.date().unwrap().day());
                    prop_assert_eq!(date.day(), day.min(date.month().length(date.year())));
                    let time_of_day = |at: Time| at.0 - at.start_of_day().0;
                    prop_assert_eq!(time_of_day(next.start), time_of_day(cycle.anchor));
                }
                period = next;
            }
        }

        #[test]
        fn a_change_of_interval_leaves_no_gap(
            anchor in 0i64..1_500_000_000, after in 0i64..40_000_000, from in 0usize..5, to in 0usize..5, count in 1i32..14
        ) {
            let names = ["hour", "day", "week", "month", "year"];
            let old = cycle(Time(anchor * 1_000_000), names[from], 1);
            let at = Time((anchor + after) * 1_000_000);
            let cut = Period { end: at, ..old.period_at(at) };
            let new = old.restarted(Step::of(names[to], count).unwrap(), at);
            let first = new.period_at(at);
            // The old one ends where the new one begins, all of which is still to come.
            prop_assert_eq!(first.start, cut.end);
            prop_assert!(cut.length() >= 0 && first.length() > 0);
            prop_assert_eq!(part(Decimal::new(9_999, 2), first, at, 2).unwrap(), Decimal::new(9_999, 2));
            prop_assert_eq!(new.period_at(first.end).start, first.end);
            // What was used of the old and what is given back of it are all of it.
            let whole = old.period_at(at);
            let back = part(Decimal::new(9_999, 2), whole, at, 2).unwrap();
            let used = Decimal::new(9_999, 2) - back;
            prop_assert!(back >= Decimal::ZERO && used >= Decimal::ZERO);
            // There and back at one moment: the second gives back all of the first, and begins there again.
            let again = new.restarted(old.step, at);
            prop_assert_eq!(again.period_at(at).start, at);
            prop_assert_eq!(part(Decimal::new(9_999, 2), first, first.start, 2).unwrap(), Decimal::new(9_999, 2));
        }
    }
}
