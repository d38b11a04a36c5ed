//! Moments, as the ledger counts time. Pure; "now" comes from [`crate::settings`].

pub mod length;

use std::fmt;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

/// A moment: microseconds since 2000-01-01 00:00 UTC, as PostgreSQL stores a `timestamptz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// As errors name it: in UTC, 'infinity' as PostgreSQL does.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.rfc3339()) {
            (Time::NEVER, _) => f.write_str("infinity"),
            (Time::BEGINNING, _) => f.write_str("-infinity"),
            (_, Some(text)) => f.write_str(&text),
            (time, None) if time.0 < 0 => f.write_str("a time before the year 0"),
            (_, None) => f.write_str("a time after the year 9999"),
        }
    }
}

/// 2000-01-01, from which PostgreSQL counts, in seconds since 1970.
pub const EPOCH: i64 = 946_684_800;
/// A day, in microseconds.
pub const DAY: i64 = 86_400_000_000;
/// The Julian day of 2000-01-01.
const EPOCH_DAY: i64 = 2_451_545;

impl Time {
    /// PostgreSQL's 'infinity': after every moment.
    pub const NEVER: Time = Time(i64::MAX);

    /// PostgreSQL's '-infinity': before every moment.
    pub const BEGINNING: Time = Time(i64::MIN);

    /// Seconds since 1970, as other systems count.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000).saturating_add(EPOCH)
    }

    /// In JSON: RFC 3339, in UTC; `None` for a moment beyond the calendar.
    pub fn rfc3339(self) -> Option<String> {
        let nanoseconds = i128::from(self.0) * 1_000 + i128::from(EPOCH) * 1_000_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(&Rfc3339).ok()
    }

    /// Whether it is neither 'infinity' nor '-infinity'.
    pub fn is_finite(self) -> bool {
        self.0 != i64::MAX && self.0 != i64::MIN
    }

    /// The midnight before it, or itself, in UTC.
    pub fn start_of_day(self) -> Time {
        Time(self.0.div_euclid(DAY).saturating_mul(DAY))
    }

    /// The first midnight of its month, in UTC.
    pub fn start_of_month(self) -> Time {
        let days = self.date().map_or(0, |date| i64::from(date.day()) - 1);
        Time((self.0.div_euclid(DAY) - days).saturating_mul(DAY))
    }

    /// Its date in UTC; `None` beyond the calendar.
    pub fn date(self) -> Option<Date> {
        let day = self.0.div_euclid(DAY).saturating_add(EPOCH_DAY);
        i32::try_from(day).ok().and_then(|day| Date::from_julian_day(day).ok())
    }

    /// The midnight with which a date begins, in UTC.
    pub fn midnight(date: Date) -> Time {
        Time((i64::from(date.to_julian_day()) - EPOCH_DAY).saturating_mul(DAY))
    }

    /// The moment after it.
    pub fn next(self) -> Time {
        Time(self.0.saturating_add(1))
    }

    /// The moment so many seconds later (or earlier), limited to what can be counted.
    pub fn plus_seconds(self, seconds: i64) -> Time {
        Time(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_times_in_utc() {
        for (time, name) in [
            (Time(0), "2000-01-01T00:00:00Z"),
            (Time(-1), "1999-12-31T23:59:59.999999Z"),
            (Time::NEVER, "infinity"),
            (Time::BEGINNING, "-infinity"),
            (Time(i64::MAX - 1), "a time after the year 9999"),
            (Time(i64::MIN + 1), "a time before the year 0"),
        ] {
            assert_eq!(time.to_string(), name);
        }
    }
}
