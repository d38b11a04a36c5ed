//! Moments as people read them, in UTC.

use crate::moment::{DAY, Time};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// As people read it.
    pub text: String,
    /// As RFC 3339 has it.
    pub machine: String,
}

/// The day of a moment.
pub fn day(time: Time) -> When {
    let machine = time.to_string();
    let text = time.date().map(|date| {
        let month = MONTHS.get(usize::from(u8::from(date.month())) - 1).copied().unwrap_or_default();
        format!("{} {month} {}", date.day(), date.year())
    });
    When { text: text.unwrap_or_else(|| machine.clone()), machine }
}

/// From when to when: days where both are midnights, else minutes too.
pub fn period(from: Time, to: Time) -> (When, When) {
    let are_days = [from, to].iter().all(|time| time.0.rem_euclid(DAY) == 0);
    let shown = |time: Time| {
        let day = day(time);
        let minutes = time.0.rem_euclid(DAY) / 60_000_000;
        let clock = format!("{}, {:02}:{:02}", day.text, minutes / 60, minutes % 60);
        if are_days || !time.is_finite() { day } else { When { text: clock, ..day } }
    };
    (shown(from), shown(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_in_utc() {
        let minute = 60_000_000;
        for (time, text) in
            [(Time(0), "1 January 2000"), (Time(-1), "31 December 1999"), (Time(60 * DAY), "1 March 2000")]
        {
            assert_eq!(day(time).text, text);
        }
        assert_eq!(day(Time(-1)).machine, "1999-12-31T23:59:59.999999Z");
        assert_eq!(day(Time::NEVER).text, "infinity");
        let (from, to) = period(Time(0), Time(31 * DAY));
        assert_eq!((from.text.as_str(), to.text.as_str()), ("1 January 2000", "1 February 2000"));
        let (from, to) = period(Time(0), Time(65 * minute));
        assert_eq!((from.text.as_str(), to.text.as_str()), ("1 January 2000, 00:00", "1 January 2000, 01:05"));
    }
}
