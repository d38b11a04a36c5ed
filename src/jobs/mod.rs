//! Jobs: the kinds of maintenance, each with its turn; and emptying a database of tests.

pub mod maintain;
pub mod reset;
