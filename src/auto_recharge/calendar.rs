//! Days and months of the calendar in UTC, as auto-recharge counts them: for limits and schedules. Pure.

use crate::moment::Time;

/// A day, in microseconds.
pub const DAY: i64 = 86_400_000_000;
/// Days from 0000-03-01, with which the calendar repeats itself every 400 years, to 2000-01-01.
const SHIFT: i64 = 730_425;
/// The days of 400 years.
const ERA: i64 = 146_097;

/// A date: months since January 2000, and the day of the month from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The month.
    pub month: i64,
    /// The day.
    pub day: i64,
}

impl Date {
    /// The date of a moment.
    pub fn of(at: Time) -> Self {
        let shifted = at.0.div_euclid(DAY) + SHIFT;
        let in_era = shifted.rem_euclid(ERA);
        let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year + year / 4 - year / 100);
        // From March on, five months have 153 days.
        let since_march = (5 * in_year + 2) / 153;
        let day = in_year - (153 * since_march + 2) / 5 + 1;
        Date { month: (shifted.div_euclid(ERA) * 400 + year - 2_000) * 12 + since_march + 2, day }
    }

    /// When it begins; limited to what can be counted.
    pub fn begins(self) -> Time {
        Time(days_to(self.month).saturating_add(self.day - 1).saturating_mul(DAY))
    }
}

/// Days from 2000-01-01 to the first of a month.
fn days_to(month: i64) -> i64 {
    let since_march = month - 2;
    let (year, month) = (since_march.div_euclid(12) + 2_000, since_march.rem_euclid(12));
    let in_era = year.rem_euclid(400);
    let day = 365 * in_era + in_era / 4 - in_era / 100 + (153 * month + 2) / 5;
    year.div_euclid(400).saturating_mul(ERA).saturating_add(day - SHIFT)
}

/// The days of a month.
pub fn days_of(month: i64) -> i64 {
    days_to(month + 1) - days_to(month)
}

/// The first moment of a moment's day, and that of the next day.
pub fn day_around(at: Time) -> (Time, Time) {
    let day = at.0.div_euclid(DAY);
    (Time(day.saturating_mul(DAY)), Time((day + 1).saturating_mul(DAY)))
}

/// The first moment of a moment's month, and that of the next month.
pub fn month_around(at: Time) -> (Time, Time) {
    let month = Date::of(at).month;
    (Date { month, day: 1 }.begins(), Date { month: month + 1, day: 1 }.begins())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, Month, OffsetDateTime, UtcOffset};

    /// The same moment, as the crate time counts.
    fn utc(at: Time) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).unwrap()
            + Duration::seconds(crate::moment::EPOCH)
    }

    fn ours(at: OffsetDateTime) -> Time {
        Time(((at.to_offset(UtcOffset::UTC) - utc(Time(0))).whole_microseconds()) as i64)
    }

    proptest! {
        #[test]
        fn dates_are_those_of_the_calendar(at in -60_000_000_000_000_000i64..200_000_000_000_000_000) {
            let (at, date) = (Time(at), utc(Time(at)));
            let month = i64::from(date.year() - 2_000) * 12 + i64::from(u8::from(date.month())) - 1;
            prop_assert_eq!(Date::of(at), Date { month, day: i64::from(date.day()) });
            prop_assert_eq!(days_of(month), i64::from(date.month().length(date.year())));
            let midnight = date.replace_time(time::Time::MIDNIGHT);
            prop_assert_eq!(day_around(at), (ours(midnight), ours(midnight + Duration::DAY)));
            let (first, next) = (midnight.replace_day(1).unwrap(), date.month().next());
            let year = date.year() + i32::from(next == Month::January);
            let next = first.replace_year(year).unwrap().replace_month(next).unwrap();
            prop_assert_eq!(month_around(at), (ours(first), ours(next)));
            prop_assert_eq!(Date::of(at).begins(), ours(midnight));
        }
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        for at in [Time::BEGINNING, Time(i64::MAX - 1), Time::NEVER] {
            let ((day, _), (month, _)) = (day_around(at), month_around(at));
            assert!(day <= at && month <= at || at == Time::BEGINNING);
        }
    }
}
