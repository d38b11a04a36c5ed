//! Calendars: when the period of a moment begins and ends, in UTC, in a time zone or from a billing date. Pure: no SPI, no
//! pgrx type.
//!
//! Every moment is in exactly one period of a calendar. Those of a billing date are each counted from that date itself,
//! so a shorter month in between moves none that follows: 31 January, 28 February, 31 March.

use crate::moment::{DAY, Time};
use time::{Date, Duration, Month};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday, as ISO 8601 counts weeks.
    Week,
    /// From the first of a month to the first of the next.
    Month,
    /// From the first of January to the next.
    Year,
    /// One for ever.
    Always,
}

/// From when a period lasts, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its first moment; '-infinity' for the one that lasts for ever.
    pub start: Time,
    /// The first moment after it.
    pub end: Time,
}

/// The one period that lasts for ever.
const ALWAYS: Interval = Interval { start: Time::BEGINNING, end: Time::NEVER };

impl Span {
    /// The names in SQL; there NULL stands for always.
    pub const NAMES: [&'static str; 4] = ["day", "week", "month", "year"];

    /// The span of that name in SQL.
    pub fn parse(name: Option<&str>) -> Option<Self> {
        match name {
            Some("day") => Some(Span::Day),
            Some("week") => Some(Span::Week),
            Some("month") => Some(Span::Month),
            Some("year") => Some(Span::Year),
            Some(_) => None,
            None => Some(Span::Always),
        }
    }

    /// The period of a moment, on the calendar in UTC.
    pub fn interval(self, at: Time) -> Interval {
        self.interval_in(at, Time::date, Time::midnight)
    }

    /// The period of a moment on a calendar that says which date it is at a moment, and when a date begins.
    pub fn interval_in(
        self,
        at: Time,
        date: impl Fn(Time) -> Option<Date>,
        midnight: impl Fn(Date) -> Time,
    ) -> Interval {
        if self == Span::Always {
            return ALWAYS;
        }
        // Beyond the calendar, days are all there is.
        let days = || {
            let start = at.start_of_day();
            Interval { start, end: Time(start.0.saturating_add(DAY)) }
        };
        let first = date(at).and_then(|date| self.first(date));
        let both = first.and_then(|first| Some((first, self.next(first)?)));
        both.map_or_else(days, |(first, next)| Interval { start: midnight(first), end: midnight(next) })
    }

    /// The period of a moment, of those that begin at a billing date and so many spans before and after it, in UTC: at
    /// the end of a month that is too short.
    pub fn interval_from(self, anchor: Time, at: Time) -> Interval {
        let months = match self {
            Span::Always => return ALWAYS,
            Span::Day => return every(DAY, anchor, at),
            Span::Week => return every(7 * DAY, anchor, at),
            Span::Month => 1,
            Span::Year => 12,
        };
        let found = anchor.date().zip(at.date()).and_then(|(anchored, date)| {
            // Each of them begins in a month of its own.
            let number = (month(date) - month(anchored)).div_euclid(months);
            let start = |number| later(anchor, anchored, number * months);
            match start(number)? {
                first if first <= at => Some(Interval { start: first, end: start(number + 1)? }),
                end => Some(Interval { start: start(number - 1)?, end }),
            }
        });
        found.unwrap_or_else(|| self.interval(at))
    }

    /// The first date of a date's period.
    fn first(self, date: Date) -> Option<Date> {
        match self {
            Span::Day | Span::Always => Some(date),
            Span::Week => date.checked_sub(Duration::days(date.weekday().number_days_from_monday().into())),
            Span::Month => date.replace_day(1).ok(),
            Span::Year => date.replace_ordinal(1).ok(),
        }
    }

    /// The first date of the period after that which begins with a date.
    fn next(self, first: Date) -> Option<Date> {
        match self {
            Span::Day | Span::Always => first.next_day(),
            Span::Week => first.checked_add(Duration::WEEK),
            Span::Month => in_month(month(first) + 1, 1),
            Span::Year => in_month(month(first) + 12, 1),
        }
    }

    /// The key of the period that begins at a moment. Periods that begin at different moments have different keys: where
    /// it is not one of the calendar in UTC, the moment itself.
    pub fn key(self, start: Time) -> String {
        if self == Span::Always {
            return String::from("always");
        }
        let (utc, date) = (self.interval(start), start.date());
        match (self, date.filter(|_| utc.start == start)) {
            (Span::Week, Some(date)) => {
                let (year, week, _) = date.to_iso_week_date();
                format!("{year:04}-W{week:02}")
            }
            (Span::Year, Some(date)) => format!("{:04}", date.year()),
            (Span::Month, Some(date)) => format!("{:04}-{:02}", date.year(), u8::from(date.month())),
            (_, Some(date)) => format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
            (_, None) => start.rfc3339().unwrap_or_else(|| start.0.to_string()),
        }
    }
}

/// Periods of so many microseconds.
fn every(length: i64, anchor: Time, at: Time) -> Interval {
    let since = (i128::from(at.0) - i128::from(anchor.0)).rem_euclid(length.into());
    let start = at.0.saturating_sub(i64::try_from(since).unwrap_or_default());
    Interval { start: Time(start), end: Time(start.saturating_add(length)) }
}

/// The months before a date's.
fn month(date: Date) -> i32 {
    date.year() * 12 + i32::from(u8::from(date.month())) - 1
}

/// That day of a month, or its last one; `None` beyond the calendar.
fn in_month(month: i32, day: u8) -> Option<Date> {
    let (year, number) = (month.div_euclid(12), u8::try_from(month.rem_euclid(12) + 1).ok()?);
    let month = Month::try_from(number).ok()?;
    Date::from_calendar_date(year, month, day.min(month.length(year))).ok()
}

/// So many months after a moment of a date: at the same time of day.
fn later(anchor: Time, anchored: Date, months: i32) -> Option<Time> {
    let date = in_month(month(anchored) + months, anchored.day())?;
    Some(Time(Time::midnight(date).0 + anchor.0.rem_euclid(DAY)))
}

#[cfg(test)]
mod tests;
