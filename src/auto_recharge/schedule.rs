//! When auto-recharge buys whatever the balance: every so often from a moment on, or on a day of each month, by the
//! calendar in UTC. Pure.

use crate::moment::{DAY, Time};
use time::{Date, Month};

/// The parts of an interval, none of them negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Months.
    pub months: i64,
    /// Days.
    pub days: i64,
    /// Microseconds.
    pub microseconds: i64,
}

/// Moments without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// The start, and then one step after the other. Each is counted from the start, so that what begins on the 31st ends
    /// every month.
    Every(Step, Time),
    /// A day of each month as it begins, or the last day of a month that has fewer; not before a moment.
    MonthDay(u8, Time),
}

impl Schedule {
    /// The first moment after one; [`Time::NEVER`] for one that cannot be counted.
    pub fn after(&self, at: Time) -> Time {
        match *self {
            Schedule::Every(_, start) if at < start => start,
            Schedule::Every(step, start) => every_after(step, start, at).unwrap_or(Time::NEVER),
            Schedule::MonthDay(day, start) => {
                month_day_after(day, at.max(Time(start.0.saturating_sub(1)))).unwrap_or(Time::NEVER)
            }
        }
    }
}

/// The same for a moment that is not before the start.
fn every_after(step: Step, start: Time, at: Time) -> Option<Time> {
    // No step is shorter than any part of it.
    let shortest = (step.months.checked_mul(28 * DAY)?).max(step.days.checked_mul(DAY)?).max(step.microseconds);
    // Of these steps the last one goes beyond the moment.
    let mut steps = (0, at.0.checked_sub(start.0)?.checked_div(shortest)?.checked_add(1)?);
    while steps.1 - steps.0 > 1 {
        let middle = steps.0 + (steps.1 - steps.0) / 2;
        match moment(step, start, middle) {
            Some(reached) if reached <= at => steps.0 = middle,
            _ => steps.1 = middle,
        }
    }
    moment(step, start, steps.1)
}

fn moment(step: Step, start: Time, count: i64) -> Option<Time> {
    let date = start.date()?;
    let month = in_month(month_of(date).checked_add(step.months.checked_mul(count)?)?, date.day())?;
    let day = Time::midnight(month).0.checked_add(step.days.checked_mul(count)?.checked_mul(DAY)?)?;
    let time = start.0.rem_euclid(DAY).checked_add(step.microseconds.checked_mul(count)?)?;
    day.checked_add(time).map(Time)
}

fn month_day_after(day: u8, at: Time) -> Option<Time> {
    let month = month_of(at.date()?);
    let this_month = Time::midnight(in_month(month, day)?);
    if this_month > at { Some(this_month) } else { in_month(month + 1, day).map(Time::midnight) }
}

/// Months since the year 0.
fn month_of(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1
}

/// A day of such a month, or the month's last if it has fewer.
fn in_month(month: i64, day: u8) -> Option<Date> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = Month::try_from(u8::try_from(month.rem_euclid(12)).ok()? + 1).ok()?;
    Date::from_calendar_date(year, month, day.min(month.length(year))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, OffsetDateTime};

    fn day(year: i32, month: u8, day: u8) -> Time {
        let date = time::Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).unwrap();
        Time(date.midnight().assume_utc().unix_timestamp() * 1_000_000).plus_seconds(-crate::moment::EPOCH)
    }

    fn months(months: i64) -> Step {
        Step { months, days: 0, microseconds: 0 }
    }

    #[test]
    fn the_end_of_a_month_comes_back() {
        let monthly = Schedule::Every(months(1), day(2026, 1, 31));
        assert_eq!(monthly.after(day(2026, 1, 30)), day(2026, 1, 31), "first comes the start");
        assert_eq!(monthly.after(day(2026, 1, 31)), day(2026, 2, 28));
        assert_eq!(monthly.after(day(2026, 2, 28)), day(2026, 3, 31), "counted from the start");
        let last = Schedule::MonthDay(31, day(2026, 1, 1));
        assert_eq!(last.after(day(2026, 1, 31)), day(2026, 2, 28));
        assert_eq!(last.after(day(2026, 2, 28)), day(2026, 3, 31));
        assert_eq!(last.after(Time(day(2028, 2, 29).0 - 1)), day(2028, 2, 29));
        let later = Schedule::MonthDay(1, day(2026, 6, 1));
        assert_eq!(later.after(day(2026, 1, 7)), day(2026, 6, 1), "the start itself is not too early");
    }

    #[test]
    fn what_cannot_be_counted_is_never() {
        let start = day(2026, 1, 1);
        for step in [months(120), Step { days: 1, ..months(0) }, Step { microseconds: 1, ..months(0) }] {
            assert_eq!(Schedule::Every(step, start).after(Time::NEVER), Time::NEVER);
            assert_eq!(Schedule::Every(step, start).after(Time::BEGINNING), start);
        }
        assert_eq!(Schedule::MonthDay(1, start).after(Time::NEVER), Time::NEVER);
        assert_eq!(Schedule::Every(months(0), start).after(start), Time::NEVER, "no step at all");
    }

    /// The same moments, one after the other, as the crate time counts.
    fn naive(step: Step, start: Time, at: Time) -> Time {
        let epoch = OffsetDateTime::from_unix_timestamp(crate::moment::EPOCH).unwrap();
        let begin = epoch + Duration::microseconds(start.0);
        for count in 0.. {
            let month = i64::from(begin.year()) * 12 + i64::from(u8::from(begin.month())) - 1 + step.months * count;
            let (year, month) = (month.div_euclid(12) as i32, Month::try_from(month.rem_euclid(12) as u8 + 1).unwrap());
            let day = begin.day().min(month.length(year));
            let date = time::Date::from_calendar_date(year, month, day).unwrap();
            let moment = date.with_time(begin.time()).assume_utc()
                + Duration::days(step.days * count)
                + Duration::microseconds(step.microseconds * count);
            let moment = Time((moment - epoch).whole_microseconds() as i64);
            if moment > at {
                return moment;
            }
        }
        Time::NEVER
    }

    proptest! {
        #[test]
        fn it_is_the_first_moment_after(
            start in 0i64..1_000_000_000, ahead in -10_000_000i64..2_000_000_000,
            months in 0i64..14, days in 0i64..40, microseconds in 0i64..3 * DAY
        ) {
            let step = Step { months, days, microseconds: microseconds + DAY };
            let (start, at) = (Time(0).plus_seconds(start), Time(0).plus_seconds(start + ahead));
            let after = Schedule::Every(step, start).after(at);
            prop_assert_eq!(after, naive(step, start, at));
            prop_assert_eq!(Schedule::Every(step, start).after(Time(after.0 - 1)), after);
        }

        #[test]
        fn a_day_of_the_month_comes_once_a_month(wanted in 1u8..32, at in 0i64..2_000_000_000) {
            let (at, schedule) = (Time(0).plus_seconds(at), Schedule::MonthDay(wanted, Time(0)));
            let after = schedule.after(at);
            let mut days = (0..62).map(|ahead| Time(at.start_of_day().0 + ahead * DAY));
            // The first day that has the number, or has a smaller one and is the last of its month.
            let is_it = |day: &Time| {
                let date = day.date().unwrap();
                let is_last = date.day() == date.month().length(date.year());
                *day > at && (date.day() == wanted || date.day() < wanted && is_last)
            };
            prop_assert_eq!(Some(after), days.find(is_it));
        }
    }
}
