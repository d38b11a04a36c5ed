//! How long something lasts, on the calendar: months, days and a time, read from what people and PostgreSQL write. Pure.

use crate::moment::{DAY, Time};
use std::fmt;
use std::str::FromStr;
use time::{Date, Month};

const MICROSECONDS: i64 = 1_000_000;

/// Months, days and microseconds, as PostgreSQL's `interval` has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Length {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub microseconds: i64,
}

/// What each unit is: months, days or microseconds.
enum Unit {
    Months(i32),
    Days(i32),
    Microseconds(i64),
}

fn unit(word: &str) -> Option<Unit> {
    match word.strip_suffix('s').unwrap_or(word) {
        "year" | "yr" | "y" => Some(Unit::Months(12)),
        "month" | "mon" => Some(Unit::Months(1)),
        "week" | "w" => Some(Unit::Days(7)),
        "day" | "d" => Some(Unit::Days(1)),
        "hour" | "hr" | "h" => Some(Unit::Microseconds(3_600 * MICROSECONDS)),
        "minute" | "min" => Some(Unit::Microseconds(60 * MICROSECONDS)),
        // All that is left of 's'.
        "second" | "sec" | "" => Some(Unit::Microseconds(MICROSECONDS)),
        _ => None,
    }
}

/// A text that is no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLength;

impl Length {
    /// So many of a unit, by its name, in the singular or the plural.
    pub fn of(count: i32, name: &str) -> Option<Self> {
        Length::default().plus(&count.to_string(), name).ok()
    }

    /// The moment later by it, on the calendar in UTC: months first, to the last day of a month that is too short, then days,
    /// then the time. Never where that is beyond the calendar.
    pub fn after(self, at: Time) -> Time {
        self.added_to(at).unwrap_or(Time::NEVER)
    }

    fn added_to(self, at: Time) -> Option<Time> {
        let date = at.date()?;
        let months = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + i64::from(self.months);
        let year = i32::try_from(months.div_euclid(12)).ok()?;
        let month = Month::try_from(u8::try_from(months.rem_euclid(12) + 1).ok()?).ok()?;
        let date = Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()?;
        let time = at.0 - at.start_of_day().0;
        let day = Time::midnight(date).0.checked_add(i64::from(self.days).checked_mul(DAY)?)?;
        let later = Time(day.checked_add(time)?.checked_add(self.microseconds)?);
        later.date().map(|_| later)
    }

    /// The least that it comes to, in whichever month, in microseconds.
    pub fn at_least(self) -> i64 {
        let days = i64::from(self.months) * if self.months < 0 { 31 } else { 28 } + i64::from(self.days);
        days.saturating_mul(DAY).saturating_add(self.microseconds)
    }

    /// The same, and so much of a unit more. Only times have parts after the point.
    fn plus(self, number: &str, name: &str) -> Result<Self, NoLength> {
        let mut sum = self;
        match unit(name).ok_or(NoLength)? {
            Unit::Months(months) => {
                let more = number.parse::<i32>().ok().and_then(|n| n.checked_mul(months)).ok_or(NoLength)?;
                sum.months = sum.months.checked_add(more).ok_or(NoLength)?;
            }
            Unit::Days(days) => {
                let more = number.parse::<i32>().ok().and_then(|n| n.checked_mul(days)).ok_or(NoLength)?;
                sum.days = sum.days.checked_add(more).ok_or(NoLength)?;
            }
            Unit::Microseconds(microseconds) => {
                let more = millionths(number)?.checked_mul(microseconds / MICROSECONDS).ok_or(NoLength)?;
                sum.microseconds = sum.microseconds.checked_add(more).ok_or(NoLength)?;
            }
        }
        Ok(sum)
    }

    /// Hours, minutes and seconds as a clock shows them.
    fn plus_clock(self, text: &str) -> Result<Self, NoLength> {
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let mut sum = self;
        let mut parts = text.split(':');
        for name in ["hour", "minute", "second"] {
            match parts.next() {
                Some(part) if part.starts_with(|c: char| c.is_ascii_digit()) => {
                    sum = sum.plus(&format!("{sign}{part}"), name)?;
                }
                None if name == "second" => {}
                _ => return Err(NoLength),
            }
        }
        if parts.next().is_some() { Err(NoLength) } else { Ok(sum) }
    }

    /// As ISO 8601 writes it: P1Y2M3DT4H5M6S.
    fn iso(text: &str) -> Result<Self, NoLength> {
        let (mut sum, mut number, mut in_time, mut is_empty) = (Length::default(), String::new(), false, true);
        for letter in text.chars() {
            let name = match (letter, in_time) {
                ('t', false) if number.is_empty() => {
                    in_time = true;
                    continue;
                }
                ('0'..='9' | '.' | '-', _) => {
                    number.push(letter);
                    continue;
                }
                ('y', false) => "year",
                ('m', false) => "month",
                ('w', false) => "week",
                ('d', false) => "day",
                ('h', true) => "hour",
                ('m', true) => "minute",
                ('s', true) => "second",
                _ => return Err(NoLength),
            };
            sum = sum.plus(&std::mem::take(&mut number), name)?;
            is_empty = false;
        }
        if number.is_empty() && !is_empty { Ok(sum) } else { Err(NoLength) }
    }
}

/// A decimal number in millionths.
fn millionths(text: &str) -> Result<i64, NoLength> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || part.len() > 6 {
        return Err(NoLength);
    }
    let part = format!("{part:0<6}").parse::<i64>().map_err(|_| NoLength)?;
    let whole = whole.parse::<i64>().ok().and_then(|n| n.checked_mul(MICROSECONDS)).ok_or(NoLength)?;
    whole.checked_add(part).map(|n| sign * n).ok_or(NoLength)
}

impl FromStr for Length {
    type Err = NoLength;

    /// Reads '1 year', '30 days', '1 mon 2 days 03:04:05', 'P1M' and their like.
    fn from_str(text: &str) -> Result<Self, NoLength> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix('p') {
            return Length::iso(rest);
        }
        let (mut sum, mut words) = (Length::default(), text.split_ascii_whitespace().peekable());
        words.peek().ok_or(NoLength)?;
        while let Some(word) = words.next() {
            sum = match word.contains(':') {
                true => sum.plus_clock(word)?,
                false => sum.plus(word, words.next().ok_or(NoLength)?)?,
            };
        }
        Ok(sum)
    }
}

/// As people write it, and PostgreSQL reads it: '1 year', '14 months 3 days 2 hours'. The upgrade to 0.3.0 writes the same.
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One sign for all would be read otherwise where IntervalStyle is sql_standard.
        let signed = self.months < 0 || self.days < 0 || self.microseconds < 0;
        let mut parts = Vec::new();
        let mut part = |count: i64, name: &str| {
            let plural = if count.abs() == 1 { "" } else { "s" };
            let sign = if signed && count > 0 { "+" } else { "" };
            if count != 0 {
                parts.push(format!("{sign}{count} {name}{plural}"));
            }
        };
        match self.months % 12 {
            0 => part((self.months / 12).into(), "year"),
            _ => part(self.months.into(), "month"),
        }
        part(self.days.into(), "day");
        let hour = 3_600 * MICROSECONDS;
        match (self.microseconds % hour, self.microseconds % MICROSECONDS) {
            (0, _) => part(self.microseconds / hour, "hour"),
            (_, 0) => part(self.microseconds / MICROSECONDS, "second"),
            (_, rest) => {
                let whole = self.microseconds / MICROSECONDS;
                let sign = if self.microseconds < 0 {
                    "-"
                } else if signed {
                    "+"
                } else {
                    ""
                };
                let part = format!("{:06}", rest.abs());
                parts.push(format!("{sign}{}.{} seconds", whole.abs(), part.trim_end_matches('0')));
            }
        }
        if parts.is_empty() { f.write_str("0 days") } else { f.write_str(&parts.join(" ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        text.parse::<Length>().map_or_else(|_| String::from("none"), |length| length.to_string())
    }

    fn at(text: &str) -> Time {
        let date = Date::parse(text, &time::format_description::well_known::Iso8601::DATE).unwrap();
        Time(Time::midnight(date).0 + 3_600 * MICROSECONDS)
    }

    #[test]
    fn later_on_the_calendar() {
        for (from, length, expected) in [
            ("2027-01-31", "1 month", "2027-02-28"),
            ("2028-01-31", "1 month", "2028-02-29"),
            ("2027-02-28", "1 month", "2027-03-28"),
            ("2028-02-29", "1 year", "2029-02-28"),
            ("2027-03-31", "-1 months", "2027-02-28"),
            ("2027-12-31", "2 months 1 day", "2028-03-01"),
            ("2027-01-01", "30 days", "2027-01-31"),
            ("2027-01-01", "24 hours", "2027-01-02"),
        ] {
            assert_eq!(length.parse::<Length>().unwrap().after(at(from)), at(expected), "{from} and {length}");
        }
        assert_eq!("9000 years".parse::<Length>().unwrap().after(at("2027-01-01")), Time::NEVER);
        assert_eq!("1 month".parse::<Length>().unwrap().after(Time::NEVER), Time::NEVER);
        assert_eq!("1 month -27 days".parse::<Length>().unwrap().at_least(), DAY);
    }

    #[test]
    fn what_people_write() {
        for (text, expected) in [
            ("1 year", "1 year"),
            ("12 months", "1 year"),
            ("1 year 2 mons", "14 months"),
            ("30 Days", "30 days"),
            ("2 weeks", "14 days"),
            ("36:00:00", "36 hours"),
            ("1 mon -1 days +00:00:01.5", "+1 month -1 day +1.5 seconds"),
            ("-00:00:00.5", "-0.5 seconds"),
            ("90 minutes", "5400 seconds"),
            ("P1Y2M3DT4H", "14 months 3 days 4 hours"),
            ("PT0.25S", "0.25 seconds"),
            ("0 days", "0 days"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        for text in [
            "",
            "1",
            "year",
            "1 fortnight",
            "1.5 months",
            "1:2:3:4",
            "12:",
            "p",
            "P1",
            "PT",
            "P1H",
            "1 year 2",
            "١ day",
        ] {
            assert_eq!(shown(text), "none", "{text}");
        }
        assert_eq!(shown("9999999999 years"), "none");
        assert_eq!(Length::of(3, "months"), "3 months".parse().ok());
        assert_eq!(Length::of(3, "moons"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(months: i16, days: i16, microseconds in -1_000_000_000_000i64..1_000_000_000_000) {
            let length = Length { months: months.into(), days: days.into(), microseconds };
            prop_assert_eq!(length.to_string().parse(), Ok(length));
        }

        #[test]
        fn nothing_is_a_panic(text in "[-+0-9.:pPtTymwdhs ]{0,20}|\\PC{0,10}") {
            let _ = text.parse::<Length>();
        }
    }
}
