//! Periods: usage that is priced together. Which period an event belongs to, and the standing of each in the tables,
//! read and written under the account's lock. aggregate.rs says how an event changes it.

pub mod aggregate;
pub mod rank;
pub mod unique;
pub mod value;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::Period;
use crate::ledger::engine::posting;
use crate::metering::meter::Meter;
use crate::metering::period::aggregate::{Counted, Standing};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT4ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID};
use std::collections::HashMap;
use std::rc::Rc;
use time::Date;

/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;
/// The Julian day of 2000-01-01, from which PostgreSQL counts.
const EPOCH_DAY: i64 = 2_451_545;

/// How long a period is, on the calendar in UTC.
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

    /// When the period of a moment begins.
    pub fn start(self, at: Time) -> Time {
        let day = at.0.div_euclid(DAY);
        let first = match self {
            Span::Day => day,
            // 2000-01-01 was a Saturday.
            Span::Week => day - (day + 5).rem_euclid(7),
            Span::Month => day - date(at).map_or(0, |date| i64::from(date.day()) - 1),
            Span::Year => day - date(at).map_or(0, |date| i64::from(date.ordinal()) - 1),
            Span::Always => return Time::BEGINNING,
        };
        Time(first.saturating_mul(DAY))
    }

    /// The key of that period.
    pub fn name(self, at: Time) -> String {
        match (self, date(at)) {
            (Span::Day, Some(date)) => format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
            (Span::Week, Some(date)) => {
                let (year, week, _) = date.to_iso_week_date();
                format!("{year:04}-W{week:02}")
            }
            (Span::Year, Some(date)) => format!("{:04}", date.year()),
            (Span::Month, Some(date)) => format!("{:04}-{:02}", date.year(), u8::from(date.month())),
            (Span::Always, _) | (_, None) => String::from("always"),
        }
    }
}

fn date(at: Time) -> Option<Date> {
    let day = at.0.div_euclid(DAY).saturating_add(EPOCH_DAY);
    i32::try_from(day).ok().and_then(|day| Date::from_julian_day(day).ok())
}

/// A customer, and one of their periods.
pub type Key = (String, Rc<Period>);

/// The text of the statement that reads standings, of the column with what was carried.
macro_rules! reading {
    ($carried:literal) => {
        text!(
            "SELECT k.ordinal, u.quantity, u.event_count, u.last_no, u.credits, u.counted_no, u.counted_at,
                    u.price_version, u.price_class, ",
            $carried,
            " FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, event_name, period_key, ordinal)
             JOIN credits_internal.usage_periods u ON u.customer_id = k.customer_id AND u.event_name = k.event_name
                                                  AND u.period_key = k.period_key"
        )
    };
}

static READ: Statement =
    Statement::new(reading!("u.carried"), &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID]).before(reading!("0::numeric"));

/// The standings of periods; zero for those that have none yet. Their accounts are locked.
pub fn read(session: &Session, keys: Vec<Key>) -> Result<HashMap<Key, Standing>, Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let cells = [
        array(keys.iter().map(|(customer_id, _)| customer_id)),
        array(keys.iter().map(|(_, p)| &p.event_name)),
        array(keys.iter().map(|(_, p)| &p.key)),
    ];
    let mut standings: Vec<Standing> = keys.iter().map(|_| Standing::default()).collect();
    for mut row in READ.run(session, &cells)?.iter() {
        let index = posting::index(&mut row, standings.len())?;
        let standing = &mut standings[index];
        (standing.quantity, standing.event_count) = (row.next()?, row.next()?);
        (standing.last_no, standing.credits) = (row.next()?, row.next()?);
        let (event_no, occurred_at): (Option<i64>, Option<Time>) = (row.next()?, row.next()?);
        let (price_version, price_class) = (row.next()?, row.next()?);
        standing.carried = row.next()?;
        standing.counted = event_no.zip(occurred_at).map(|(event_no, occurred_at)| Counted {
            event_no,
            occurred_at,
            price_version,
            price_class,
        });
    }
    Ok(keys.into_iter().zip(standings).collect())
}

/// The text of the statement that writes standings, of the column with what was carried, which is written once.
macro_rules! writing_standings {
    ($carried:literal, $values:literal) => {
        text!(
            "INSERT INTO credits_internal.usage_periods AS u (
                 customer_id, event_name, period_key, period_start, currency, quantity, event_count, last_no, credits,
                 counted_no, counted_at, price_version, price_class",
            $carried,
            ") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13",
            $values,
            ") ON CONFLICT (customer_id, event_name, period_key) DO UPDATE
             SET quantity = excluded.quantity, event_count = excluded.event_count, last_no = excluded.last_no,
                 credits = excluded.credits, counted_no = excluded.counted_no, counted_at = excluded.counted_at,
                 price_version = excluded.price_version, price_class = excluded.price_class"
        )
    };
}

static WRITE: Statement = Statement::new(
    writing_standings!(", carried", ", $14"),
    &[
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TIMESTAMPTZARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        INT8ARRAYOID,
        INT8ARRAYOID,
        NUMERICARRAYOID,
        INT8ARRAYOID,
        TIMESTAMPTZARRAYOID,
        INT4ARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
    ],
)
.before(writing_standings!("", ""));

/// The standing of a period, to be written.
pub struct Written<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// Which.
    pub period: &'a Period,
    /// When it begins; '-infinity' for the one that lasts for ever.
    pub start: Time,
    /// The currency that its meter charges.
    pub currency: &'a str,
    /// The standing.
    pub standing: &'a Standing,
    /// For a sum or a count: the version of the meter's prices, and which of them applies.
    pub price: (i32, &'a str),
}

impl<'a> Written<'a> {
    /// The standing of the period that an event of that time belongs to.
    pub fn new(
        meter: &'a Meter,
        customer_id: &'a str,
        (period, occurred_at): (&'a Period, Time),
        standing: &'a Standing,
        price: (i32, &'a str),
    ) -> Self {
        Written {
            customer_id,
            period,
            start: meter.period.start(occurred_at),
            currency: &meter.currency,
            standing,
            price,
        }
    }
}

impl Written<'_> {
    /// The price in force; for a last or a max, that of the event that counts.
    fn price(&self) -> (i32, &str) {
        self.standing.counted.as_ref().map_or(self.price, |c| (c.price_version, &c.price_class))
    }
}

/// Writes the standings of periods.
pub fn write(session: &Session, periods: &[Written<'_>]) -> Result<(), Error> {
    if periods.is_empty() {
        return Ok(());
    }
    let counted = |w: &Written<'_>| w.standing.counted.clone();
    WRITE
        .run(
            session,
            &[
                array(periods.iter().map(|w| w.customer_id)),
                array(periods.iter().map(|w| &w.period.event_name)),
                array(periods.iter().map(|w| &w.period.key)),
                array(periods.iter().map(|w| w.start)),
                array(periods.iter().map(|w| w.currency)),
                array(periods.iter().map(|w| w.standing.quantity)),
                array(periods.iter().map(|w| w.standing.event_count)),
                array(periods.iter().map(|w| w.standing.last_no)),
                array(periods.iter().map(|w| w.standing.credits)),
                array(periods.iter().map(|w| counted(w).map(|c| c.event_no))),
                array(periods.iter().map(|w| counted(w).map(|c| c.occurred_at))),
                array(periods.iter().map(|w| w.price().0)),
                array(periods.iter().map(|w| w.price().1)),
                array(periods.iter().map(|w| w.standing.carried)),
            ],
        )
        .map(drop)
}

/// Loads into a book what is needed to lower the cost of a period's usage: what is owed for it, what grants paid for
/// it, and the debts that the returned credits may pay.
pub fn take_what_may_come_back(
    session: &Session,
    book: &mut Book,
    period: &Rc<Period>,
    amount: Decimal,
) -> Result<(), Error> {
    let owed = posting::period_debts(session, book, period)?;
    book.take_debts(owed);
    let back = amount - book.owed_in(period);
    if back <= Decimal::ZERO {
        return Ok(());
    }
    posting::take_draws(session, book, period, back)?;
    // If one of the grants is for certain meters only, it may pay any of the debts.
    let credits = (!book.any_restricted_draw(period)).then_some(amount);
    let debts = posting::debts(session, book, credits, None)?;
    book.take_debts(debts);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_on_the_calendar_in_utc() {
        let at = |days: i64, seconds: i64| Time(days * DAY + seconds * 1_000_000);
        assert_eq!(Span::Day.start(at(3, 86_399)), at(3, 0));
        assert_eq!(Span::Day.start(at(-1, 1)), at(-1, 0));
        assert_eq!(Span::Month.start(at(30, 86_399)), at(0, 0));
        assert_eq!(Span::Month.start(at(31, 0)), at(31, 0));
        // 2000 was a leap year: March begins on its 60th day.
        assert_eq!(Span::Month.start(at(59, 86_399)), at(31, 0));
        assert_eq!(Span::Month.start(at(60, 0)), at(60, 0));
        assert_eq!(Span::Month.start(at(-1, 0)), at(-31, 0));
        // Monday, 3 January 2000, began the first week of the year; the two days before it belong to the last one's.
        assert_eq!((Span::Week.start(at(2, 0)), Span::Week.name(at(2, 0))), (at(2, 0), "2000-W01".to_string()));
        assert_eq!((Span::Week.start(at(1, 86_399)), Span::Week.name(at(1, 0))), (at(-5, 0), "1999-W52".to_string()));
        assert_eq!(Span::Week.start(at(8, 5)), at(2, 0));
        assert_eq!((Span::Year.start(at(365, 5)), Span::Year.name(at(365, 5))), (at(0, 0), "2000".to_string()));
        assert_eq!((Span::Year.start(at(-1, 5)), Span::Year.name(at(366, 0))), (at(-365, 0), "2001".to_string()));
        assert_eq!(Span::Month.name(at(59, 86_399)), "2000-02");
        assert_eq!(Span::Day.name(at(59, 86_399)), "2000-02-29");
        assert_eq!(Span::Day.name(at(-1, 0)), "1999-12-31");
        assert_eq!(
            (Span::Always.start(at(7, 0)), Span::Always.name(at(7, 0))),
            (Time::BEGINNING, "always".to_string())
        );
    }
}
