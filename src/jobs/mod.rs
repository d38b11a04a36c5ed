//! Jobs: the kinds of maintenance, each with its turn; importing history, and emptying a database of tests.

pub mod import;
pub mod maintain;
pub mod reset;
