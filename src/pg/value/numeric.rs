//! Conversion between exact decimals and PostgreSQL's `numeric`, digit by digit: through text it costs several times as
//! much.

use crate::amount::{self, Decimal};
use crate::pg::value::{Cell, FromCell, ToCell, header, kept, printed, whole};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The text of a `numeric` datum.
pub fn numeric_text(datum: pg_sys::Datum) -> String {
    printed(pg_sys::F_NUMERIC_OUT, datum)
}

/// The `numeric` of a text.
fn numeric_cell(text: &CStr) -> Cell {
    // SAFETY: the text is a live C string that numeric_in reads and does not keep.
    Cell::of(unsafe {
        pg_sys::OidInputFunctionCall(pg_sys::F_NUMERIC_IN.into(), text.as_ptr().cast_mut(), pg_sys::InvalidOid, -1)
    })
}

/// The `numeric` 'Infinity', which no [`Decimal`] can represent.
pub fn numeric_infinity() -> Cell {
    numeric_cell(c"Infinity")
}

/// A number as `numeric` stores it, after the varlena header.
pub struct Stored {
    bytes: [u8; HEADERS + 2 * GROUPS],
    size: usize,
}

/// Bytes before the digits: the value's size, and the word with sign, scale and weight.
const HEADERS: usize = 6;
/// The most groups of four digits: the 29 digits of a [`Decimal`], and up to three zeros after them.
const GROUPS: usize = 8;

impl Stored {
    /// Header and digits.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.size]
    }
}

/// Writes a number in numeric.c's short form, which has room for every scale and weight of a [`Decimal`].
pub fn stored(number: &Decimal) -> Stored {
    let number = number.normalize();
    // Groups after the decimal point, the last one padded with zeros.
    let behind = number.scale().div_ceil(4);
    let mut rest = number.mantissa().unsigned_abs() * 10u128.pow(4 * behind - number.scale());
    let (mut groups, mut count) = ([0u16; GROUPS], 0);
    for group in &mut groups {
        if rest == 0 {
            break;
        }
        (rest, *group) = match u64::try_from(rest) {
            Ok(rest) => (u128::from(rest / 10_000), (rest % 10_000) as u16),
            Err(_) => (rest / 10_000, (rest % 10_000) as u16),
        };
        count += 1;
    }
    // The last groups come first here; those that are zero are not stored.
    let zeros = groups[..count].iter().take_while(|group| **group == 0).count();
    let weight = if count == 0 { 0 } else { count as i32 - behind as i32 - 1 };
    let sign = if number.is_sign_negative() && count > 0 { 0x2000 } else { 0 };
    let word = 0x8000 | sign | (number.scale() as u16) << 7 | (weight as u16 & 0x7F);
    let size = HEADERS + 2 * (count - zeros);
    let mut bytes = [0; HEADERS + 2 * GROUPS];
    bytes[..4].copy_from_slice(&header(size - 4));
    bytes[4..HEADERS].copy_from_slice(&word.to_ne_bytes());
    for (slot, group) in bytes[HEADERS..].chunks_exact_mut(2).zip(groups[zeros..count].iter().rev()) {
        slot.copy_from_slice(&group.to_ne_bytes());
    }
    Stored { bytes, size }
}

impl ToCell for Decimal {
    fn cell(&self) -> Cell {
        kept(&[stored(self).bytes()])
    }
}

impl FromCell for Decimal {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell.null {
            return None;
        }
        decimal(cell.datum).or_else(|| amount::exact(&numeric_text(cell.datum)).ok())
    }
}

/// A number with few enough digits for 18 decimal places in an `i64`: nearly all numbers. `None` for any other.
///
/// The layout is that of numeric.c, unchanged since PostgreSQL 9.1: a word with sign and weight, a second one in the
/// long form, then digits to the base 10,000, the first of which counts 10,000 to the power of the weight.
pub fn decimal(datum: pg_sys::Datum) -> Option<Decimal> {
    const SPECIAL: u16 = 0xC000;
    const SHORT: u16 = 0x8000;
    // SAFETY: callers pass a live datum of type numeric. What is packed is unpacked except for its header, and the
    // words are read as many as the value's size says, aligned or not.
    let words: ([u16; 8], usize) = unsafe {
        let value = whole(datum);
        let (start, size) = (pgrx::varlena::vardata_any(value), pgrx::varlena::varsize_any_exhdr(value));
        let mut words = [0; 8];
        if size > size_of_val(&words) {
            return None;
        }
        std::ptr::copy_nonoverlapping(start.cast::<u8>(), words.as_mut_ptr().cast::<u8>(), size);
        (words, size / 2)
    };
    let (header, words) = (words.0[0], &words.0[1..words.1.max(1)]);
    let (negative, weight, digits) = if header & SPECIAL == SPECIAL {
        return None;
    } else if header & SHORT == SHORT {
        // Seven bits, the first of which is the sign.
        (header & 0x2000 != 0, i32::from(((header << 9) as i16) >> 9), words)
    } else {
        let (weight, digits) = words.split_first()?;
        (header & 0x4000 != 0, i32::from(*weight as i16), digits)
    };
    let mut mantissa: i64 = 0;
    for digit in digits {
        mantissa = mantissa.checked_mul(10_000)?.checked_add(i64::from(*digit))?;
    }
    // The power of 10,000 that the last digit counts.
    let exponent = weight + 1 - i32::try_from(digits.len()).ok()?;
    for _ in 0..exponent.max(0) {
        mantissa = mantissa.checked_mul(10_000)?;
    }
    let scale = u32::try_from(-exponent.min(0) * 4).ok()?;
    let number = Decimal::try_new(if negative { -mantissa } else { mantissa }, scale).ok()?;
    Some(number.normalize())
}
