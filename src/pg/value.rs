//! Values that go into statements and come out of rows: text, moments, ids and values that are passed through. Exact
//! decimals are in value/numeric.rs, arrays in value/array.rs, intervals in value/span.rs, locations of rows in
//! value/row_location.rs.

pub mod array;
pub mod numeric;
pub mod row_location;
pub mod span;

pub use row_location::RowLocation;

use crate::amount::Decimal;
use crate::moment::Time;
use crate::pg::memory;
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

/// Copies bytes into the current memory context, one part after the other.
pub(super) fn kept(parts: &[&[u8]]) -> Cell {
    // SAFETY: as many bytes as the parts have, aligned for anything and written whole.
    unsafe {
        let copy = pg_sys::palloc(parts.iter().map(|part| part.len()).sum()).cast::<u8>();
        let mut end = copy;
        for part in parts {
            std::ptr::copy_nonoverlapping(part.as_ptr(), end, part.len());
            end = end.add(part.len());
        }
        Cell::of(pg_sys::Datum::from(copy))
    }
}

/// The header of a varlena value with so many bytes after it (postgres.h, `SET_VARSIZE`).
pub(super) fn header(size: usize) -> [u8; 4] {
    let size = size as u32 + 4;
    (if cfg!(target_endian = "big") { size } else { size << 2 }).to_ne_bytes()
}

/// A varlena value, detoasted if needed.
///
/// # Safety
/// The datum is a live value of such a type.
pub(super) unsafe fn whole(datum: pg_sys::Datum) -> *const pg_sys::varlena {
    let value = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: the caller's promise.
    unsafe {
        let short = pgrx::varlena::varatt_is_1b(value) && !pgrx::varlena::varatt_is_1b_e(value);
        if short || pgrx::varlena::varatt_is_4b_u(value) { value } else { pg_sys::pg_detoast_datum_packed(value) }
    }
}

/// A value that can be passed to a statement or returned to a caller. Its cell is allocated in the current memory
/// context.
pub trait ToCell {
    /// The value as PostgreSQL passes it.
    fn cell(&self) -> Cell;
}

/// A value that can be read from a row. `None` if the type cannot represent the column's value.
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
        kept(&[&header(self.len()), self.as_bytes()])
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
        // SAFETY: callers read columns of type text with this, which are copied.
        let bytes = unsafe {
            let text = whole(cell.datum);
            let start = pgrx::varlena::vardata_any(text).cast::<u8>();
            std::slice::from_raw_parts(start, pgrx::varlena::varsize_any_exhdr(text))
        };
        std::str::from_utf8(bytes).ok()?;
        String::from_utf8(memory::copied(bytes)).ok()
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

/// The oid of a table, as in its rows' `tableoid`.
#[derive(Debug, Clone, Copy)]
pub struct Oid(pub pg_sys::Oid);

impl FromCell for Oid {
    fn from_cell(cell: Cell) -> Option<Self> {
        (!cell.null).then(|| Oid(pg_sys::Oid::from(cell.datum.value() as u32)))
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

/// The text of a datum, by its type's output function.
pub fn printed(output: u32, datum: pg_sys::Datum) -> String {
    // SAFETY: callers pass a live datum of the function's type; it returns a fresh C string, freed after the copy.
    unsafe {
        let text = pg_sys::OidOutputFunctionCall(output.into(), datum);
        let string = CStr::from_ptr(text).to_string_lossy().into_owned();
        pg_sys::pfree(text.cast());
        string
    }
}

/// Whether a varlena value equals, byte for byte, what a type's input function makes of a text.
#[cfg(feature = "pg_test")]
pub fn is_read_as(value: Cell, text: &str, input: u32, element: pg_sys::Oid) -> bool {
    let text = std::ffi::CString::new(text).unwrap_or_default();
    // SAFETY: the text is a live C string that is read and not kept, and both values say their own size.
    let bytes = unsafe {
        let read = pg_sys::OidInputFunctionCall(input.into(), text.as_ptr().cast_mut(), element, -1);
        [value.datum, read].map(|datum| {
            let value = datum.cast_mut_ptr::<pg_sys::varlena>();
            std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(value))
        })
    };
    bytes[0] == bytes[1]
}

impl ToCell for Uuid {
    fn cell(&self) -> Cell {
        kept(&[self.as_bytes()])
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

macro_rules! passed_through {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $type(pub(super) Vec<u8>);

        impl $type {
            /// Copies a datum of that type.
            fn copy(datum: pg_sys::Datum) -> Self {
                // SAFETY: callers pass a live datum of the type. Detoasted it is one block of memory that says its own
                // size.
                unsafe {
                    let value = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
                    let bytes = std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(value));
                    $type(memory::copied(bytes))
                }
            }
        }

        impl ToCell for $type {
            fn cell(&self) -> Cell {
                kept(&[&self.0])
            }
        }

        impl FromCell for $type {
            fn from_cell(cell: Cell) -> Option<Self> {
                (!cell.null).then(|| $type::copy(cell.datum))
            }
        }
    };
}

impl From<Decimal> for Total {
    fn from(amount: Decimal) -> Self {
        Total::copy(amount.cell().datum)
    }
}

/// A `jsonb`, unparsed: its bytes as PostgreSQL stores them.
#[derive(Debug, Clone)]
pub struct Json(Bytes);

#[derive(Debug, Clone)]
enum Bytes {
    /// Those of an argument, which live as long as the call.
    Given(*const pg_sys::varlena),
    /// Those read from a row.
    Kept(Vec<u8>),
}

impl Json {
    /// An argument, which must not outlive the call.
    pub(super) fn given(datum: pg_sys::Datum) -> Self {
        // SAFETY: callers pass a live datum of the type, which is detoasted in the context of the call.
        Json(Bytes::Given(unsafe { pg_sys::pg_detoast_datum(datum.cast_mut_ptr()) }))
    }

    /// As PostgreSQL stores it.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            // SAFETY: detoasted, so one block of memory that says its own size, for as long as the call.
            Bytes::Given(value) => unsafe {
                std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(*value))
            },
            Bytes::Kept(bytes) => bytes,
        }
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.bytes().len()
    }

    /// As PostgreSQL prints it.
    pub fn text(&self) -> String {
        printed(pg_sys::F_JSONB_OUT, self.cell().datum)
    }
}

impl ToCell for Json {
    fn cell(&self) -> Cell {
        match &self.0 {
            Bytes::Given(value) => Cell::of(pg_sys::Datum::from(*value)),
            Bytes::Kept(bytes) => kept(&[bytes]),
        }
    }
}

impl FromCell for Json {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null {
            return None;
        }
        // SAFETY: callers read columns of type jsonb with this. Detoasted it is one block of memory that says its own size.
        let bytes = unsafe {
            let value = pg_sys::pg_detoast_datum(cell.datum.cast_mut_ptr());
            std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(value))
        };
        Some(Json(Bytes::Kept(memory::copied(bytes))))
    }
}

/// The size of a varlena value in bytes, once detoasted.
///
/// # Safety
/// The datum is a live value of such a type.
pub(super) unsafe fn size(datum: pg_sys::Datum) -> usize {
    let value = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: the caller's promise.
    unsafe {
        let short = pgrx::varlena::varatt_is_1b(value) && !pgrx::varlena::varatt_is_1b_e(value);
        if short || pgrx::varlena::varatt_is_4b_u(value) {
            pgrx::varlena::varsize_any(value)
        } else {
            pg_sys::toast_raw_datum_size(datum)
        }
    }
}

/// A column that is read only if it has at most so many bytes.
pub enum UpTo<T, const BYTES: usize> {
    /// The value.
    Is(T),
    /// It is larger.
    Larger,
}

impl<T: FromCell, const BYTES: usize> FromCell for UpTo<T, BYTES> {
    fn from_cell(cell: Cell) -> Option<Self> {
        // SAFETY: callers read columns with this whose values say their own size.
        if !cell.null && unsafe { size(cell.datum) } > BYTES {
            return Some(UpTo::Larger);
        }
        T::from_cell(cell).map(UpTo::Is)
    }
}

passed_through! {
    /// A `numeric` that is passed through unchanged: a total may exceed what one account can count.
    Total
}
