//! Values on their way into statements and out of rows: text, exact decimals, moments, ids, and arrays of them.

use crate::amount::Decimal;
use crate::clock::Time;
use pgrx::pg_sys;
use std::ffi::CStr;
use uuid::Uuid;

/// A value as PostgreSQL passes it.
#[derive(Clone, Copy)]
pub struct Cell {
    /// The datum; meaningless where `null`.
    pub datum: pg_sys::Datum,
    /// Whether it is NULL.
    pub null: bool,
}

impl Cell {
    /// NULL.
    pub const NULL: Cell = Cell { datum: pg_sys::Datum::null(), null: true };

    /// A value that is not NULL.
    pub fn of(datum: pg_sys::Datum) -> Cell {
        Cell { datum, null: false }
    }
}

/// What can be passed to a statement or returned to a caller. Made in the current memory context.
pub trait ToCell {
    /// The value as PostgreSQL passes it.
    fn cell(&self) -> Cell;
}

/// What can be read out of a row. `None` where the column holds something else than the type can say.
pub trait FromCell: Sized {
    /// Reads a cell of a row.
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl<T: ToCell> ToCell for Option<T> {
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::NULL, T::cell)
    }
}

impl<T: ToCell + ?Sized> ToCell for &T {
    fn cell(&self) -> Cell {
        (**self).cell()
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

impl ToCell for str {
    fn cell(&self) -> Cell {
        // SAFETY: the pointer and length are those of a live str, which PostgreSQL copies.
        let text = unsafe { pg_sys::cstring_to_text_with_len(self.as_ptr().cast(), self.len() as i32) };
        Cell::of(pg_sys::Datum::from(text))
    }
}

impl ToCell for String {
    fn cell(&self) -> Cell {
        self.as_str().cell()
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null {
            return None;
        }
        // SAFETY: callers read columns of type text with this; the datum is a live varlena, which is copied from where it
        // lies, or from where it was detoasted to.
        let bytes = unsafe {
            let text = pg_sys::pg_detoast_datum_packed(cell.datum.cast_mut_ptr());
            let start = pgrx::varlena::vardata_any(text).cast::<u8>();
            std::slice::from_raw_parts(start, pgrx::varlena::varsize_any_exhdr(text))
        };
        std::str::from_utf8(bytes).ok().map(String::from)
    }
}

macro_rules! by_value {
    ($type:ty, $read:expr) => {
        impl ToCell for $type {
            fn cell(&self) -> Cell {
                Cell::of(pg_sys::Datum::from(*self))
            }
        }
        impl FromCell for $type {
            fn from_cell(cell: Cell) -> Option<Self> {
                let read: fn(usize) -> $type = $read;
                (!cell.null).then(|| read(cell.datum.value()))
            }
        }
    };
}

by_value!(bool, |raw| raw & 1 == 1);
by_value!(i16, |raw| raw as i16);
by_value!(i32, |raw| raw as i32);
by_value!(i64, |raw| raw as i64);

/// The oid of a table, as its rows have it in `tableoid`.
#[derive(Debug, Clone, Copy)]
pub struct Oid(pub pg_sys::Oid);

impl FromCell for Oid {
    fn from_cell(cell: Cell) -> Option<Self> {
        (!cell.null).then(|| Oid(pg_sys::Oid::from(cell.datum.value() as u32)))
    }
}

/// Where a row version is in its table: a `tid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place([u8; 6]);

impl ToCell for Place {
    fn cell(&self) -> Cell {
        // SAFETY: the 6 bytes of a tid datum are allocated in the current context and written whole.
        unsafe {
            let place = pg_sys::palloc(6).cast::<u8>();
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), place, 6);
            Cell::of(pg_sys::Datum::from(place))
        }
    }
}

impl FromCell for Place {
    fn from_cell(cell: Cell) -> Option<Self> {
        // SAFETY: callers read columns of type tid with this: 6 bytes, alive as long as the result row.
        (!cell.null).then(|| Place(unsafe { *cell.datum.cast_mut_ptr::<[u8; 6]>() }))
    }
}

/// A calendar day, as PostgreSQL stores a `date`.
#[derive(Debug, Clone, Copy)]
pub struct Date(i32);

impl ToCell for Date {
    fn cell(&self) -> Cell {
        self.0.cell()
    }
}

impl FromCell for Date {
    fn from_cell(cell: Cell) -> Option<Self> {
        i32::from_cell(cell).map(Date)
    }
}

impl ToCell for Time {
    fn cell(&self) -> Cell {
        self.0.cell()
    }
}

impl FromCell for Time {
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(Time)
    }
}

/// What a type's output function makes of a datum of it.
pub fn printed(output: u32, datum: pg_sys::Datum) -> String {
    // SAFETY: callers pass a live datum of the function's type; it returns a fresh C string, freed after the copy.
    unsafe {
        let text = pg_sys::OidOutputFunctionCall(output.into(), datum);
        let string = CStr::from_ptr(text).to_string_lossy().into_owned();
        pg_sys::pfree(text.cast());
        string
    }
}

impl ToCell for Uuid {
    fn cell(&self) -> Cell {
        // SAFETY: the 16 bytes of a uuid datum are allocated in the current context and written whole.
        unsafe {
            let place = pg_sys::palloc(16).cast::<u8>();
            std::ptr::copy_nonoverlapping(self.as_bytes().as_ptr(), place, 16);
            Cell::of(pg_sys::Datum::from(place))
        }
    }
}

impl FromCell for Uuid {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null {
            return None;
        }
        // SAFETY: callers read columns of type uuid with this: 16 bytes, alive as long as the result row.
        let bytes = unsafe { std::slice::from_raw_parts(cell.datum.cast_mut_ptr::<u8>(), 16) };
        Uuid::from_slice(bytes).ok()
    }
}

/// An `interval` as a row has it.
#[derive(Debug, Clone, Copy)]
pub struct Span(pg_sys::Interval);

impl ToCell for Span {
    fn cell(&self) -> Cell {
        // SAFETY: room for one interval, aligned for anything, and written whole.
        unsafe {
            let place = pg_sys::palloc(size_of::<pg_sys::Interval>()).cast::<pg_sys::Interval>();
            place.write(self.0);
            Cell::of(pg_sys::Datum::from(place))
        }
    }
}

impl FromCell for Span {
    fn from_cell(cell: Cell) -> Option<Self> {
        // SAFETY: callers read columns of type interval with this: PostgreSQL's own struct, alive as long as the row.
        (!cell.null).then(|| Span(unsafe { *cell.datum.cast_mut_ptr::<pg_sys::Interval>() }))
    }
}

macro_rules! passed_through {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $type(Vec<u8>);

        impl $type {
            /// Copies a datum of that type.
            pub fn copy(datum: pg_sys::Datum) -> Self {
                // SAFETY: callers pass a live datum of the type. Detoasted it is one block of memory that says its own
                // size.
                unsafe {
                    let value = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
                    $type(std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(value)).to_vec())
                }
            }
        }

        impl ToCell for $type {
            fn cell(&self) -> Cell {
                // SAFETY: as many bytes as there are, allocated with the alignment of any varlena and written whole.
                unsafe {
                    let place = pg_sys::palloc(self.0.len()).cast::<u8>();
                    std::ptr::copy_nonoverlapping(self.0.as_ptr(), place, self.0.len());
                    Cell::of(pg_sys::Datum::from(place))
                }
            }
        }

        impl FromCell for $type {
            fn from_cell(cell: Cell) -> Option<Self> {
                (!cell.null).then(|| $type::copy(cell.datum))
            }
        }
    };
}

passed_through! {
    /// A `jsonb` as it came: its bytes as PostgreSQL stores them.
    Json
}

impl Json {
    /// As PostgreSQL prints it.
    pub fn text(&self) -> String {
        printed(pg_sys::F_JSONB_OUT, self.cell().datum)
    }
}

passed_through! {
    /// A `numeric` that is passed through as it came: a total may be more than any one account can count.
    Total
}

/// The type of an array's elements.
pub trait Element {
    /// Its oid, and how PostgreSQL lays it out.
    const LAYOUT: Layout;
}

/// How PostgreSQL lays out an element type: pg_type's oid, typlen, typbyval and typalign.
pub struct Layout(pub pg_sys::Oid, pub i16, pub bool, pub u8);

impl Element for str {
    const LAYOUT: Layout = Layout(pg_sys::TEXTOID, -1, false, b'i');
}
impl Element for String {
    const LAYOUT: Layout = Layout(pg_sys::TEXTOID, -1, false, b'i');
}
impl Element for Json {
    const LAYOUT: Layout = Layout(pg_sys::JSONBOID, -1, false, b'i');
}
impl Element for Decimal {
    const LAYOUT: Layout = Layout(pg_sys::NUMERICOID, -1, false, b'i');
}
impl Element for Uuid {
    const LAYOUT: Layout = Layout(pg_sys::UUIDOID, 16, false, b'c');
}
impl Element for Place {
    const LAYOUT: Layout = Layout(pg_sys::TIDOID, 6, false, b's');
}
impl Element for Time {
    const LAYOUT: Layout = Layout(pg_sys::TIMESTAMPTZOID, 8, true, b'd');
}
impl Element for bool {
    const LAYOUT: Layout = Layout(pg_sys::BOOLOID, 1, true, b'c');
}
impl Element for i32 {
    const LAYOUT: Layout = Layout(pg_sys::INT4OID, 4, true, b'i');
}
impl Element for i64 {
    const LAYOUT: Layout = Layout(pg_sys::INT8OID, 8, true, b'd');
}
impl<T: Element> Element for Option<T> {
    const LAYOUT: Layout = T::LAYOUT;
}
impl<T: Element + ?Sized> Element for &T {
    const LAYOUT: Layout = T::LAYOUT;
}

/// A one-dimensional array, made from whatever can be gone through.
pub fn array<T: Element + ToCell>(items: impl IntoIterator<Item = T>) -> Cell {
    let Layout(oid, length, by_value, align) = T::LAYOUT;
    let (mut datums, mut nulls): (Vec<_>, Vec<_>) =
        items.into_iter().map(|item| item.cell()).map(|cell| (cell.datum, cell.null)).unzip();
    let (mut dimension, mut lower) = (datums.len() as i32, 1);
    // SAFETY: both vectors have `dimension` elements and live through the call, which copies them; the layout is the
    // element type's own (pg_type).
    let array = unsafe {
        pg_sys::construct_md_array(
            datums.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            &mut dimension,
            &mut lower,
            oid,
            length.into(),
            by_value,
            align as std::ffi::c_char,
        )
    };
    Cell::of(pg_sys::Datum::from(array))
}

impl<T: Element + ToCell> ToCell for Vec<T> {
    fn cell(&self) -> Cell {
        array(self.iter())
    }
}

impl<T: Element + FromCell> FromCell for Vec<T> {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null {
            return None;
        }
        let Layout(oid, length, by_value, align) = T::LAYOUT;
        let (mut datums, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
        // SAFETY: callers read values of the matching array type with this, whose layout is the element type's own
        // (pg_type). The deconstructed arrays have `count` elements each; each datum points into the detoasted array,
        // which lives in the current context.
        unsafe {
            let array: *mut pg_sys::ArrayType = pg_sys::pg_detoast_datum(cell.datum.cast_mut_ptr()).cast();
            if (*array).ndim > 1 {
                return None;
            }
            pg_sys::deconstruct_array(
                array,
                oid,
                length.into(),
                by_value,
                align as std::ffi::c_char,
                &mut datums,
                &mut nulls,
                &mut count,
            );
            (0..count as usize).map(|i| T::from_cell(Cell { datum: *datums.add(i), null: *nulls.add(i) })).collect()
        }
    }
}
