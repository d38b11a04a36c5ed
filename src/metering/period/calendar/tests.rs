use super::*;
use proptest::prelude::*;
use time::format_description::well_known::Rfc3339;

const ALL: [Span; 4] = [Span::Day, Span::Week, Span::Month, Span::Year];

fn moment(text: &str) -> Time {
    let at = time::OffsetDateTime::parse(text, &Rfc3339).unwrap();
    Time(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap() - 946_684_800_000_000)
}

#[test]
fn periods_begin_on_the_calendar_in_utc() {
    let at = |days: i64, seconds: i64| Time(days * DAY + seconds * 1_000_000);
    let start = |span: Span, at| span.interval(at).start;
    let name = |span: Span, at| span.key(start(span, at));
    assert_eq!(start(Span::Day, at(3, 86_399)), at(3, 0));
    assert_eq!(start(Span::Day, at(-1, 1)), at(-1, 0));
    assert_eq!(start(Span::Month, at(30, 86_399)), at(0, 0));
    assert_eq!(start(Span::Month, at(31, 0)), at(31, 0));
    // 2000 was a leap year: March begins on its 60th day.
    assert_eq!(start(Span::Month, at(59, 86_399)), at(31, 0));
    assert_eq!(start(Span::Month, at(60, 0)), at(60, 0));
    assert_eq!(start(Span::Month, at(-1, 0)), at(-31, 0));
    // Monday, 3 January 2000, began the first week of the year; the two days before it belong to the last one's.
    assert_eq!((start(Span::Week, at(2, 0)), name(Span::Week, at(2, 0))), (at(2, 0), "2000-W01".to_string()));
    assert_eq!((start(Span::Week, at(1, 86_399)), name(Span::Week, at(1, 0))), (at(-5, 0), "1999-W52".to_string()));
    assert_eq!(start(Span::Week, at(8, 5)), at(2, 0));
    assert_eq!((start(Span::Year, at(365, 5)), name(Span::Year, at(365, 5))), (at(0, 0), "2000".to_string()));
    assert_eq!((start(Span::Year, at(-1, 5)), name(Span::Year, at(366, 0))), (at(-365, 0), "2001".to_string()));
    assert_eq!(name(Span::Month, at(59, 86_399)), "2000-02");
    assert_eq!(name(Span::Day, at(59, 86_399)), "2000-02-29");
    assert_eq!(name(Span::Day, at(-1, 0)), "1999-12-31");
    assert_eq!((start(Span::Always, at(7, 0)), name(Span::Always, at(7, 0))), (Time::BEGINNING, "always".to_string()));
}

#[test]
fn periods_from_a_billing_date_are_each_counted_from_it() {
    let starts = |span: Span, anchor, at: &[&str]| -> Vec<String> {
        at.iter().map(|at| span.interval_from(moment(anchor), moment(at)).start.to_string()).collect()
    };
    let anchor = "2026-01-31T09:30:00Z";
    let months = ["2026-02-28T09:29:59Z", "2026-02-28T09:30:00Z", "2026-03-31T09:29:59Z", "2026-03-31T09:30:00Z"];
    assert_eq!(
        starts(Span::Month, anchor, &months),
        ["2026-01-31T09:30:00Z", "2026-02-28T09:30:00Z", "2026-02-28T09:30:00Z", "2026-03-31T09:30:00Z"]
    );
    // Before it as well, and in February of a leap year.
    assert_eq!(
        starts(Span::Month, anchor, &["2026-01-31T09:29:59Z", "2025-12-31T09:29:59Z", "2024-03-01T00:00:00Z"]),
        ["2025-12-31T09:30:00Z", "2025-11-30T09:30:00Z", "2024-02-29T09:30:00Z"]
    );
    let years = ["2025-02-28T00:00:00Z", "2025-02-27T23:59:59Z", "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"];
    assert_eq!(
        starts(Span::Year, "2024-02-29T00:00:00Z", &years),
        ["2025-02-28T00:00:00Z", "2024-02-29T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"]
    );
    assert_eq!(
        starts(Span::Week, "2026-01-07T12:00:00Z", &["2026-01-14T11:59:59Z", "2026-01-07T11:59:59Z"]),
        ["2026-01-07T12:00:00Z", "2025-12-31T12:00:00Z"]
    );
    assert_eq!(starts(Span::Day, anchor, &["2026-03-29T09:00:00Z"]), ["2026-03-28T09:30:00Z"]);
}

#[test]
fn keys_name_the_moment_that_is_not_of_the_calendar_in_utc() {
    let key = |span: Span, at| span.key(moment(at));
    assert_eq!(key(Span::Month, "2026-02-28T23:00:00Z"), "2026-02-28T23:00:00Z");
    assert_eq!(key(Span::Month, "2026-02-15T00:00:00.25Z"), "2026-02-15T00:00:00.25Z");
    assert_eq!(key(Span::Month, "2026-03-01T00:00:00Z"), "2026-03");
    assert_eq!(key(Span::Week, "2026-03-01T00:00:00Z"), "2026-03-01T00:00:00Z");
    assert_eq!(key(Span::Week, "2026-03-02T00:00:00Z"), "2026-W10");
    assert_eq!(key(Span::Year, "2026-03-01T00:00:00Z"), "2026-03-01T00:00:00Z");
    assert_eq!(key(Span::Day, "2026-03-01T00:00:00Z"), "2026-03-01");
}

/// A zone that is an hour ahead, and two from 02:00 on the day 10,000 to 03:00 on the day 10,100.
fn offset(at: Time) -> i64 {
    let summer = Time(10_000 * DAY).plus_seconds(3_600)..Time(10_100 * DAY).plus_seconds(3_600);
    if summer.contains(&at) { 7_200 } else { 3_600 }
}

proptest! {
    /// A moment is in its period, which ends where the next begins, and has a key that no other has.
    #[test]
    fn every_moment_is_in_exactly_one_period(
        span in 0usize..4, anchor in -400_000_000i64..400_000_000, seconds in 800_000_000i64..900_000_000, how in 0u8..3
    ) {
        let (span, anchor, at) = (ALL[span], Time(0).plus_seconds(anchor), Time(0).plus_seconds(seconds));
        let period = |at: Time| match how {
            0 => span.interval(at),
            1 => span.interval_from(anchor, at),
            _ => span.interval_in(
                at,
                |at| at.plus_seconds(offset(at)).date(),
                |date| {
                    let midnight = Time::midnight(date);
                    midnight.plus_seconds(-offset(midnight.plus_seconds(-3_600)))
                },
            ),
        };
        let here = period(at);
        prop_assert!(here.start <= at && at < here.end, "{} in {:?}", at, here);
        for inside in [here.start, Time(here.end.0 - 1), Time(here.start.0.midpoint(here.end.0))] {
            prop_assert_eq!(period(inside), here);
        }
        let (before, after) = (period(Time(here.start.0 - 1)), period(here.end));
        prop_assert_eq!((before.end, after.start), (here.start, here.end));
        prop_assert_ne!(span.key(before.start), span.key(here.start));
        prop_assert_ne!(span.key(after.start), span.key(here.start));
        prop_assert!(!span.key(here.start).contains(' '));
    }

    /// Each begins so many months after the anchor, on its day or the month's last.
    #[test]
    fn periods_from_a_billing_date_keep_its_day(days in -9_000i64..9_000, at in 0i64..500_000_000, year in any::<bool>()) {
        let (anchor, at) = (Time(days * DAY + 5), Time(0).plus_seconds(at));
        let span = if year { Span::Year } else { Span::Month };
        let start = span.interval_from(anchor, at).start;
        let (date, anchored) = (start.date().unwrap(), anchor.date().unwrap());
        prop_assert_eq!(date.day(), anchored.day().min(date.month().length(date.year())));
        prop_assert!(!year || date.month() == anchored.month());
        prop_assert_eq!(start.0.rem_euclid(DAY), 5);
    }
}
