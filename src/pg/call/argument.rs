//! Arguments of SQL functions: our own Rust types, in addition to those of pgrx.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::moment::Time;
use crate::pg::call::raise::raise;
use crate::pg::value::array::{Element, Layout, Put, array, count, flat};
use crate::pg::value::numeric::{self, numeric_text};
use crate::pg::value::span::Span;
use crate::pg::value::{Cell, FromCell, Json, ToCell, size};
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::nullable::Nullable;
use pgrx::{impl_sql_translatable, pg_sys};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::CStr;
use std::marker::PhantomData;
use uuid::Uuid;

/// A `numeric` argument, not checked against any limit yet.
pub struct Numeric(pg_sys::Datum);

/// A number as given, in any form.
pub trait Number {
    /// The text: as PostgreSQL prints it, or as given.
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

/// A number in JSON, which may be a number or a text.
impl Number for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Numeric {
    /// One that was read from JSON.
    pub fn of(number: Decimal) -> Self {
        Numeric(number.cell().datum)
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

/// The most bytes that a `jsonb` may have, as PostgreSQL stores it uncompressed.
pub const JSON_BYTES: usize = 1 << 20;
/// The most bytes that a batch may have in total: a list, or a `jsonb` batch.
pub const BATCH_BYTES: usize = 1 << 27;
/// The most elements that a batch, or any other list, may have.
pub const ELEMENTS: usize = 100_000;

/// An array argument; any element may be NULL.
pub struct ArrayOf<T>(pg_sys::Datum, PhantomData<T>);

impl<T: Put> ArrayOf<T> {
    /// One that was read from JSON.
    pub fn of(items: Vec<T>) -> Self {
        ArrayOf(array(items).datum, PhantomData)
    }
}

impl<T: Element + FromCell> ArrayOf<T> {
    fn given(datum: pg_sys::Datum) -> Self {
        ArrayOf(datum, PhantomData)
    }

    /// Its elements. Raises PC013 for more than one dimension, and for more than [`ELEMENTS`].
    pub fn elements(self, argument: &'static str) -> Result<Vec<Option<T>>, Error> {
        let array = flat(self.0);
        if count(array) > ELEMENTS {
            return Err(Error::argument(argument, format!("must have at most {ELEMENTS} elements")));
        }
        Vec::from_cell(Cell::of(array)).ok_or_else(|| Error::argument(argument, "must be an array of one dimension"))
    }
}

/// A `jsonb` argument that is a batch.
pub struct JsonBatch(pub Json);

/// A `timestamptz` argument.
pub struct Timestamptz(pub Time);

/// A `uuid` argument.
pub struct Id(pub Uuid);

/// An `interval` argument, not checked against any limit yet.
pub struct Interval(Span);

/// The longest interval that may be added to a moment, in months.
const TEN_YEARS: i32 = 120;

impl Interval {
    /// One that another argument has in it.
    pub fn of(span: Span) -> Self {
        Interval(span)
    }

    /// The interval to store, if it is greater than zero and at most ten years, whichever month it is added to. Raises
    /// PC013.
    pub fn positive(self, argument: &'static str) -> Result<Span, Error> {
        self.always(argument, |later, at| later > at, "must be greater than zero")
    }

    /// The interval to store, if it is at least zero and at most ten years, whichever month it is added to. Raises
    /// PC013.
    pub fn not_negative(self, argument: &'static str) -> Result<Span, Error> {
        self.always(argument, |later, at| later >= at, "must not be less than zero")
    }

    /// The step of a schedule, which goes forward in each of its parts, of at most ten years; `None` for zero. Raises
    /// PC013.
    pub fn step(self, argument: &'static str) -> Result<Option<Span>, Error> {
        match self.0.parts() {
            (0, 0, 0) => Ok(None),
            (months, days, time) if months < 0 || days < 0 || time < 0 => {
                Err(Error::argument(argument, "must not have a negative part"))
            }
            _ => self.positive(argument).map(Some),
        }
    }

    /// The moment later by the interval. Raises PC013 if it is not later, or later by more than ten years.
    pub fn after(&self, argument: &'static str, at: Time) -> Result<Time, Error> {
        Some(self.added_to(argument, at)?)
            .filter(|later| *later > at)
            .ok_or_else(|| Error::argument(argument, "must be greater than zero"))
    }

    /// The length of a month or a day differs: a stored interval must be valid wherever it is added.
    fn always(self, argument: &'static str, holds: impl Fn(Time, Time) -> bool, reason: &str) -> Result<Span, Error> {
        let months = Span::months(1);
        let (mut at, mut held) = (Time(0), 0);
        // Four years of months include the longest and the shortest of each length.
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

/// The name of an argument in its function's declaration.
///
/// # Safety
/// `call` is the current call, to a function that was called through SQL, and has an argument of that number.
unsafe fn name(call: pg_sys::FunctionCallInfo, number: usize) -> &'static str {
    thread_local! {
        // There are few names, and errors refer to them for as long as the session lasts.
        static NAMES: RefCell<HashSet<&'static str>> = RefCell::default();
    }
    let (mut types, mut names, mut modes) = (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the caller's promise; what the catalog says is copied to the current context.
    let name = unsafe {
        let function = pg_sys::Datum::from((*(*call).flinfo).fn_oid);
        let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::PROCOID as i32, function);
        if row.is_null() {
            return "an argument";
        }
        let count = pg_sys::get_func_arg_info(row, &mut types, &mut names, &mut modes);
        pg_sys::ReleaseSysCache(row);
        if names.is_null() || number >= count as usize {
            return "an argument";
        }
        CStr::from_ptr(*names.add(number)).to_string_lossy().into_owned()
    };
    NAMES.with_borrow_mut(|names| {
        if let Some(cached) = names.get(name.as_str()) {
            return *cached;
        }
        let name: &'static str = String::leak(name);
        names.insert(name);
        name
    })
}

macro_rules! argument {
    ($type:ty, $sql:literal, $from:expr) => {
        argument!($type, $sql, $from, |_| None);
    };
    ($type:ty, $sql:literal, $from:expr, at most $bytes:ident) => {
        // SAFETY: asked of an argument of that type, whose values say their own size.
        argument!($type, $sql, $from, |datum| (unsafe { size(datum) } > $bytes).then_some($bytes));
    };
    ($type:ty, $sql:literal, $from:expr, $too_large:expr) => {
        impl_sql_translatable!($type, $sql);

        // SAFETY: the function is declared in sql/ with this SQL type, and the datum lives as long as the call.
        unsafe impl<'fcx> ArgAbi<'fcx> for $type {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                let from: fn(pg_sys::Datum) -> $type = $from;
                let too_large: fn(pg_sys::Datum) -> Option<usize> = $too_large;
                let number = arg.index();
                // SAFETY: pgrx asks this of an argument of the call under way that is not NULL. Nothing is held that needs
                // dropping: no argument of ours has memory of Rust's.
                unsafe {
                    let call: pg_sys::FunctionCallInfo = ArgAbi::unbox_arg_unchecked(arg);
                    let datum = (*call).args.as_slice((*call).nargs as usize)[number].value;
                    if let Some(most) = too_large(datum) {
                        raise(Error::argument(name(call, number), format!("must have at most {} MiB", most >> 20)));
                    }
                    from(datum)
                }
            }

            unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
                if arg.is_null() {
                    return Nullable::Null;
                }
                // SAFETY: it is not NULL.
                Nullable::Valid(unsafe { Self::unbox_arg_unchecked(arg) })
            }
        }
    };
}

argument!(Numeric, "numeric", Numeric);
argument!(Timestamptz, "timestamptz", |datum| Timestamptz(Time(datum.value() as i64)));
argument!(Id, "uuid", |datum| Id(Uuid::from_cell(Cell { datum, null: false }).unwrap_or_default()));
argument!(Interval, "interval", |datum| Interval(Span::copy(datum)));
argument!(Json, "jsonb", Json::given, at most JSON_BYTES);
argument!(JsonBatch, "jsonb", |datum| JsonBatch(Json::given(datum)), at most BATCH_BYTES);
argument!(ArrayOf<String>, "text[]", ArrayOf::given, at most BATCH_BYTES);
argument!(ArrayOf<Numeric>, "numeric[]", ArrayOf::given, at most BATCH_BYTES);
argument!(ArrayOf<Time>, "timestamptz[]", ArrayOf::given, at most BATCH_BYTES);
argument!(ArrayOf<Uuid>, "uuid[]", ArrayOf::given, at most BATCH_BYTES);
