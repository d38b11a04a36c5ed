//! Locations of rows in their table: a page, and the number of the row on it.

use crate::pg::value::{Cell, FromCell, ToCell, kept};
use std::cmp::Ordering;

/// The location of a row version in its table: a `tid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowLocation(pub(super) [u8; 6]);

impl RowLocation {
    /// The number of its page: two halves, the upper one first (block.h).
    pub fn block(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from(u16::from_ne_bytes([a, b])) << 16 | u32::from(u16::from_ne_bytes([c, d]))
    }

    /// Before any row of a page.
    pub fn first_of(block: u32) -> RowLocation {
        RowLocation::at(block, 0)
    }

    /// After any row of a page.
    pub fn last_of(block: u32) -> RowLocation {
        RowLocation::at(block, u16::MAX)
    }

    /// Its number on its page.
    fn row(&self) -> u16 {
        let [.., e, f] = self.0;
        u16::from_ne_bytes([e, f])
    }

    fn at(block: u32, row: u16) -> RowLocation {
        let ([a, b], [c, d], [e, f]) =
            (((block >> 16) as u16).to_ne_bytes(), (block as u16).to_ne_bytes(), row.to_ne_bytes());
        RowLocation([a, b, c, d, e, f])
    }
}

/// In the order of the table.
impl Ord for RowLocation {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.block(), self.row()).cmp(&(other.block(), other.row()))
    }
}

impl PartialOrd for RowLocation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ToCell for RowLocation {
    fn cell(&self) -> Cell {
        kept(&[&self.0])
    }
}

impl FromCell for RowLocation {
    fn from_cell(cell: Cell) -> Option<Self> {
        // SAFETY: callers read columns of type tid with this: 6 bytes, alive as long as the result row.
        (!cell.null).then(|| RowLocation(unsafe { *cell.datum.cast_mut_ptr::<[u8; 6]>() }))
    }
}
