//! One-dimensional arrays that go into statements and come out of rows. They are written in PostgreSQL's own layout
//! (array.h, arrayfuncs.c): a batch passes tens of thousands of elements, and creating a datum for each first costs
//! several times as much.

use crate::amount::Decimal;
use crate::moment::Time;
use crate::pg::memory;
use crate::pg::value::numeric::stored;
use crate::pg::value::{Cell, FromCell, Json, RowLocation, ToCell, header, kept};
use pgrx::pg_sys;
use uuid::Uuid;

/// The type of an array's elements.
pub trait Element {
    /// Its oid, and how PostgreSQL lays it out.
    const LAYOUT: Layout;
}

/// How PostgreSQL lays out an element type: pg_type's oid, typlen, typbyval and typalign.
pub struct Layout(pub pg_sys::Oid, pub i16, pub bool, pub u8);

/// An element that can be written into an array.
pub trait Put: Element {
    /// Appends it as it is stored. Returns false, and appends nothing, if it is NULL.
    fn put(&self, data: &mut Vec<u8>) -> bool;
}

macro_rules! elements {
    ($($type:ty, $layout:expr, |$value:ident, $data:ident| $put:expr;)*) => {
        $(
            impl Element for $type {
                const LAYOUT: Layout = $layout;
            }

            impl Put for $type {
                fn put(&self, $data: &mut Vec<u8>) -> bool {
                    let $value = self;
                    $put;
                    true
                }
            }
        )*
    };
}

elements! {
    str, Layout(pg_sys::TEXTOID, -1, false, b'i'), |text, data| {
        memory::make_room(data, 8 + text.len());
        data.extend_from_slice(&header(text.len()));
        data.extend_from_slice(text.as_bytes());
    };
    String, str::LAYOUT, |text, data| text.as_str().put(data);
    Json, Layout(pg_sys::JSONBOID, -1, false, b'i'), |json, data| {
        memory::make_room(data, 4 + json.bytes().len());
        data.extend_from_slice(json.bytes());
    };
    Decimal, Layout(pg_sys::NUMERICOID, -1, false, b'i'), |number, data| data.extend_from_slice(stored(number).bytes());
    Uuid, Layout(pg_sys::UUIDOID, 16, false, b'c'), |id, data| data.extend_from_slice(id.as_bytes());
    RowLocation, Layout(pg_sys::TIDOID, 6, false, b's'), |location, data| data.extend_from_slice(&location.0);
    Time, Layout(pg_sys::TIMESTAMPTZOID, 8, true, b'd'), |time, data| data.extend_from_slice(&time.0.to_ne_bytes());
    bool, Layout(pg_sys::BOOLOID, 1, true, b'c'), |truth, data| data.push(u8::from(*truth));
    i32, Layout(pg_sys::INT4OID, 4, true, b'i'), |number, data| data.extend_from_slice(&number.to_ne_bytes());
    i64, Layout(pg_sys::INT8OID, 8, true, b'd'), |number, data| data.extend_from_slice(&number.to_ne_bytes());
}

impl<T: Element> Element for Option<T> {
    const LAYOUT: Layout = T::LAYOUT;
}

impl<T: Put> Put for Option<T> {
    fn put(&self, data: &mut Vec<u8>) -> bool {
        self.as_ref().is_some_and(|item| item.put(data))
    }
}

impl<T: Element + ?Sized> Element for &T {
    const LAYOUT: Layout = T::LAYOUT;
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, data: &mut Vec<u8>) -> bool {
        (**self).put(data)
    }
}

/// The most bytes of an element of a small type, with its alignment.
const SMALL: usize = 64;

/// The size of an array's header, to which the elements after it are aligned.
const HEAD: usize = 24;

/// An array of any iterator's items.
pub fn array<T: Put>(items: impl IntoIterator<Item = T>) -> Cell {
    let Layout(oid, _, _, align) = T::LAYOUT;
    let align = match align {
        b'c' => 1,
        b's' => 2,
        b'i' => 4,
        _ => 8,
    };
    let items = items.into_iter();
    let mut data = memory::with_room(16 * items.size_hint().0);
    let (mut count, mut nulls) = (0, Vec::new());
    for item in items {
        memory::let_interrupt();
        // Only a text or a jsonb is larger than this.
        memory::make_room(&mut data, SMALL);
        if !item.put(&mut data) {
            nulls.push(count);
        }
        data.resize(data.len().next_multiple_of(align), 0);
        count += 1;
    }
    if count == 0 {
        return kept(&[&header(12), &words([0, 0, oid.to_u32() as i32])]);
    }
    let bits = present(count, &nulls);
    // Where the data begin, given only if a bitmap precedes them.
    let offset = if bits.is_empty() { 0 } else { HEAD + bits.len() };
    let head = words([1, offset as i32, oid.to_u32() as i32, count as i32, 1]);
    kept(&[&header(HEAD - 4 + bits.len() + data.len()), &head, &bits, &data])
}

/// The bitmap of elements that are not NULL, padded to where data may begin; empty if none is NULL.
fn present(count: usize, nulls: &[usize]) -> Vec<u8> {
    if nulls.is_empty() {
        return Vec::new();
    }
    let mut bits = vec![0xFF; count / 8];
    if !count.is_multiple_of(8) {
        bits.push((1 << (count % 8)) - 1);
    }
    for null in nulls {
        bits[null / 8] &= !(1 << (null % 8));
    }
    bits.resize(bits.len().next_multiple_of(8), 0);
    bits
}

fn words<const N: usize>(words: [i32; N]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// An array as one block of memory, copied into the current context if needed.
pub fn flat(array: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: callers pass a live array.
    unsafe { pg_sys::Datum::from(pg_sys::pg_detoast_datum(array.cast_mut_ptr())) }
}

/// How many elements a flat array has, over all dimensions.
pub fn count(array: pg_sys::Datum) -> usize {
    // SAFETY: callers pass what `flat` returned; behind its header are as many lengths as it has dimensions (array.h).
    unsafe {
        let array = array.cast_mut_ptr::<pg_sys::ArrayType>();
        let dimensions = array.cast::<i32>().add(size_of::<pg_sys::ArrayType>() / size_of::<i32>());
        pg_sys::ArrayGetNItems((*array).ndim, dimensions) as usize
    }
}

impl<T: Put> ToCell for Vec<T> {
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
            let mut items = memory::with_room(count as usize);
            for index in 0..count as usize {
                memory::let_interrupt();
                items.push(T::from_cell(Cell { datum: *datums.add(index), null: *nulls.add(index) })?);
            }
            Some(items)
        }
    }
}
