//! Intervals, added on the calendar in UTC: what a month or a day comes to must not depend on the session's time zone.

use crate::moment::Time;
use crate::pg::value::{Cell, FromCell, ToCell};
use pgrx::pg_sys;

/// An `interval`: months, days and a time, of which the first two come to what the calendar makes of them.
#[derive(Debug, Clone, Copy)]
pub struct Span(pg_sys::Interval);

/// Most years that a part of a span has, so that adding it leads out of no range.
const BOUND: u64 = 1_000;

impl Span {
    /// So many months.
    pub fn months(months: i32) -> Self {
        Span(pg_sys::Interval { time: 0, day: 0, month: months })
    }

    /// Copies a datum of type interval.
    pub fn copy(datum: pg_sys::Datum) -> Self {
        // SAFETY: callers pass a live interval, whose layout is PostgreSQL's own struct.
        Span(unsafe { *datum.cast_mut_ptr::<pg_sys::Interval>() })
    }

    /// Whether each part by itself is at most a thousand years: parts of different sign may come to little.
    pub fn is_bounded(&self) -> bool {
        let pg_sys::Interval { month, day, time } = self.0;
        u64::from(month.unsigned_abs()) <= BOUND * 12
            && u64::from(day.unsigned_abs()) <= BOUND * 366
            && time.unsigned_abs() <= BOUND * 366 * 86_400_000_000
    }

    /// The moment so much later, on the calendar in UTC, whatever the session's time zone is.
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
