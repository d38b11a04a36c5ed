//! Arguments of SQL functions as Rust types of our own, beside those that pgrx has.

use super::array::{Element, Layout};
use super::numeric::{self, numeric_text};
use super::value::{Cell, FromCell, Json, Span};
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

/// An `interval` argument, not yet held against any limit.
pub struct Interval(Span);

/// The longest that is added to a moment, in months.
const TEN_YEARS: i32 = 120;

impl Interval {
    /// The same to be kept, where it comes to more than nothing, and at most ten years, in whatever month it is added. Raises
    /// PC013.
    pub fn positive(self, argument: &'static str) -> Result<Span, Error> {
        self.always(argument, |later, at| later > at, "must be greater than zero")
    }

    /// The same to be kept, where it comes to nothing or more, and at most ten years, in whatever month it is added. Raises
    /// PC013.
    pub fn not_negative(self, argument: &'static str) -> Result<Span, Error> {
        self.always(argument, |later, at| later >= at, "must not be less than zero")
    }

    /// The moment so much later. Raises PC013 where it is not later, or later by more than ten years.
    pub fn after(&self, argument: &'static str, at: Time) -> Result<Time, Error> {
        Some(self.added_to(argument, at)?)
            .filter(|later| *later > at)
            .ok_or_else(|| Error::argument(argument, "must be greater than zero"))
    }

    /// What a month or a day comes to differs: what is kept must do wherever it is added.
    fn always(self, argument: &'static str, holds: impl Fn(Time, Time) -> bool, reason: &str) -> Result<Span, Error> {
        let months = Span::months(1);
        let (mut at, mut held) = (Time(0), 0);
        // Four years of months: the longest and the shortest of each length are among them.
        for _ in 0..48 {
            held += usize::from(holds(self.added_to(argument, at)?, at));
            at = months.added_to(at);
        }
        match held {
            48 => Ok(self.0),
            0 => Err(Error::argument(argument, reason)),
            _ => Err(Error::argument(argument, format!("{reason} in every month"))),
        }
    }

    fn added_to(&self, argument: &'static str, at: Time) -> Result<Time, Error> {
        Some(&self.0)
            .filter(|span| span.is_bounded())
            .map(|span| span.added_to(at))
            .filter(|later| *later <= Span::months(TEN_YEARS).added_to(at))
            .ok_or_else(|| Error::argument(argument, "must be at most ten years"))
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
argument!(Interval, "interval", |datum| Interval(Span::copy(datum)));
argument!(Json, "jsonb", Json::copy);
argument!(ArrayOf<String>, "text[]", ArrayOf::read);
argument!(ArrayOf<Numeric>, "numeric[]", ArrayOf::read);
argument!(ArrayOf<Time>, "timestamptz[]", ArrayOf::read);
argument!(ArrayOf<Uuid>, "uuid[]", ArrayOf::read);
