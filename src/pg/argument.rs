//! Arguments of SQL functions as Rust types of our own, beside those that pgrx has.

use super::value::{Cell, Element, FromCell, Json, Layout, numeric_text};
use crate::amount::{self, AmountError, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::pg::raise::raise;
use pgrx::FromDatum;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::nullable::Nullable;
use pgrx::{impl_sql_translatable, pg_sys};

/// A `numeric` argument, not yet held against any limit.
pub struct Numeric(pg_sys::Datum);

impl Numeric {
    /// As PostgreSQL prints it.
    pub fn text(&self) -> String {
        numeric_text(self.0)
    }

    /// As an exact decimal.
    pub fn decimal(&self) -> Result<Decimal, AmountError> {
        amount::parse(&self.text())
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
argument!(Json, "jsonb", Json::copy);
argument!(ArrayOf<String>, "text[]", ArrayOf::read);
argument!(ArrayOf<Numeric>, "numeric[]", ArrayOf::read);
argument!(ArrayOf<Time>, "timestamptz[]", ArrayOf::read);
