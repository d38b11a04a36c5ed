//! Intervals, added on the calendar in UTC: the length of a month or a day must not depend on the session's time zone.

use crate::moment::Time;
use crate::pg::value::{Cell, FromCell, ToCell};
use pgrx::pg_sys;

/// An `interval`: months, days and a time. The length of months and days depends on the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Span(pg_sys::Interval);

/// The most years in any part of a span, so that adding it stays in range.
const BOUND: u64 = 1_000;

impl Span {
    /// A number of months.
    pub fn months(months: i32) -> Self {
        Span::of(months, 0, 0)
    }

    /// So many months, days and microseconds.
    pub fn of(months: i32, days: i32, microseconds: i64) -> Self {
        Span(pg_sys::Interval { time: microseconds, day: days, month: months })
    }

    /// Copies a datum of type interval.
    pub fn copy(datum: pg_sys::Datum) -> Self {
        // SAFETY: callers pass a live interval, whose layout is PostgreSQL's own struct.
        Span(unsafe { *datum.cast_mut_ptr::<pg_sys::Interval>() })
    }

    /// Whether each part by itself is at most a thousand years: parts of different signs may add up to little.
    pub fn is_bounded(&self) -> bool {
        let pg_sys::Interval { month, day, time } = self.0;
        u64::from(month.unsigned_abs()) <= BOUND * 12
            && u64::from(day.unsigned_abs()) <= BOUND * 366
            && time.unsigned_abs() <= BOUND * 366 * 86_400_000_000
    }

    /// Its months, days and microseconds.
    pub fn parts(&self) -> (i32, i32, i64) {
        (self.0.month, self.0.day, self.0.time)
    }

    /// The moment later by this span, on the calendar in UTC, whatever the session's time zone.
    pub fn added_to(mut self, at: Time) -> Time {
        // SAFETY: both datums are of the function's argument types, and it keeps neither. A timestamp is the same number as the
        // timestamptz of that moment in UTC.
        let later = unsafe {
            pg_sys::OidFunctionCall2Coll(
                pg_sys::F_TIMESTAMP_PL_INTERVAL.into(),
                pg_sys::InvalidOid,
                at.0.into(),
                pg_sys::Datum::from(&raw mut self.0),
            )
        };
        Time(later.value() as i64)
    }
}

impl ToCell for Span {
    fn cell(&self) -> Cell {
        // SAFETY: room for one interval, aligned for anything, and written whole.
        unsafe {
            let copy = pg_sys::palloc(size_of::<pg_sys::Interval>()).cast::<pg_sys::Interval>();
            copy.write(self.0);
            Cell::of(pg_sys::Datum::from(copy))
        }
    }
}

impl FromCell for Span {
    fn from_cell(cell: Cell) -> Option<Self> {
        (!cell.null).then(|| Span::copy(cell.datum))
    }
}
