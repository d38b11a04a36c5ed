//! Arguments of SQL functions as Rust types of our own, beside those that pgrx has.

use super::array::{Element, Layout};
use super::numeric::{self, numeric_text};
use super::value::{Cell, FromCell, Json, ToCell};
use crate::amount::{self, AmountError, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::pg::raise::raise;
use pgrx::FromDatum;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::nullable::Nullable;
use pgrx::{impl_sql_translatable, pg_sys};
use uuid::Uuid;

/// A `numeric` argument, not yet held against any limit.
pub struct Numeric(pg_sys::Datum);

/// A number as it was given, in whatever form.
pub trait Number {
    /// As PostgreSQL prints it, or as it was written.
    fn text(&self) -> String;

    /// As an exact decimal.
    fn decimal(&self) -> Result<Decimal, AmountError> {
        amount::parse(&self.text())
    }
}

impl Number for Numeric {
    fn text(&self) -> String {
        numeric_text(self.0)
    }

    fn decimal(&self) -> Result<Decimal, AmountError> {
        numeric::decimal(self.0).map_or_else(|| amount::parse(&self.text()), Ok)
    }
}

/// A number in JSON, where it may be a number or a text.
impl Number for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Element for Numeric {
    const LAYOUT: Layout = Decimal::LAYOUT;
}

impl FromCell for Numeric {
    fn from_cell(cell: Cell) -> Option<Self> {
        (!cell.null).then_some(Numeric(cell.datum))
    }
}

/// An array argument; any element may be NULL.
pub struct ArrayOf<T>(Option<Vec<Option<T>>>);

impl<T: Element + FromCell> ArrayOf<T> {
    fn read(datum: pg_sys::Datum) -> Self {
        ArrayOf(Vec::from_cell(Cell { datum, null: false }))
    }

    /// Its elements. Raises PC013 for more than one dimension.
    pub fn elements(self, argument: &'static str) -> Result<Vec<Option<T>>, Error> {
        self.0.ok_or_else(|| Error::argument(argument, "must be an array of one dimension"))
    }
}

/// A `timestamptz` argument.
pub struct Timestamptz(pub Time);

/// A `uuid` argument.
pub struct Id(pub Uuid);

/// An `interval` argument.
pub struct Interval(pg_sys::Datum);

/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;
/// A month has at most so many.
const MONTH: i64 = 31 * DAY;
/// The longest interval that is added to a moment.
const TEN_YEARS: u64 = 120 * MONTH as u64;

impl Interval {
    /// The same, where it is more than nothing, and at most ten years. Raises PC013.
    pub fn positive(self, argument: &'static str) -> Result<Self, Error> {
        self.after(argument, Time(0)).map(|_| self)
    }

    /// The same, where it is not less than nothing, and at most ten years. Raises PC013.
    pub fn not_negative(self, argument: &'static str) -> Result<Self, Error> {
        // SAFETY: the datum is a live interval, whose layout is PostgreSQL's own struct.
        let interval = unsafe { &*self.0.cast_mut_ptr::<pg_sys::Interval>() };
        if (interval.month, interval.day, interval.time) == (0, 0, 0) { Ok(self) } else { self.positive(argument) }
    }

    /// The moment so much later. Raises PC013 where it is not later, or later by more than ten years.
    pub fn after(&self, argument: &'static str, at: Time) -> Result<Time, Error> {
        // SAFETY: the datum is a live interval, whose layout is PostgreSQL's own struct.
        let interval = unsafe { &*self.0.cast_mut_ptr::<pg_sys::Interval>() };
        // Each part by itself: parts of different sign must not lead out of range on the way.
        let parts = [i64::from(interval.month) * MONTH, i64::from(interval.day) * DAY, interval.time];
        if parts.iter().any(|part| part.unsigned_abs() > TEN_YEARS) {
            return Err(Error::argument(argument, "must be at most ten years"));
        }
        // SAFETY: both datums are of the function's argument types; so short a way from now leads out of no range.
        let later = unsafe {
            pg_sys::OidFunctionCall2Coll(
                pg_sys::F_TIMESTAMPTZ_PL_INTERVAL.into(),
                pg_sys::InvalidOid,
                at.0.into(),
                self.0,
            )
        };
        Some(Time(later.value() as i64))
            .filter(|later| *later > at)
            .ok_or_else(|| Error::argument(argument, "must be greater than zero"))
    }
}

impl ToCell for Interval {
    fn cell(&self) -> Cell {
        Cell { datum: self.0, null: false }
    }
}

macro_rules! argument {
    ($type:ty, $sql:literal, $from:expr) => {
        impl_sql_translatable!($type, $sql);

        impl FromDatum for $type {
            unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, null: bool, _: pg_sys::Oid) -> Option<Self> {
                let from: fn(pg_sys::Datum) -> $type = $from;
                (!null).then(|| from(datum))
            }
        }

        // SAFETY: the function is declared in sql/ with this SQL type, and the datum lives as long as the call.
        unsafe impl<'fcx> ArgAbi<'fcx> for $type {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: pgrx asks this only of an argument that is not NULL: all of ours are Options.
                match unsafe { arg.unbox_arg_using_from_datum() } {
                    Some(value) => value,
                    None => raise(Error::internal("an argument was read that is NULL")),
                }
            }

            unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
                // SAFETY: as above; a NULL stays one.
                unsafe { arg.unbox_arg_using_from_datum() }.into()
            }
        }
    };
}

argument!(Numeric, "numeric", Numeric);
argument!(Timestamptz, "timestamptz", |datum| Timestamptz(Time(datum.value() as i64)));
argument!(Id, "uuid", |datum| Id(Uuid::from_cell(Cell { datum, null: false }).unwrap_or_default()));
argument!(Interval, "interval", Interval);
argument!(Json, "jsonb", Json::copy);
argument!(ArrayOf<String>, "text[]", ArrayOf::read);
argument!(ArrayOf<Numeric>, "numeric[]", ArrayOf::read);
argument!(ArrayOf<Time>, "timestamptz[]", ArrayOf::read);
argument!(ArrayOf<Uuid>, "uuid[]", ArrayOf::read);
