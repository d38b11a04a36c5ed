//! Jobs: the kinds of maintenance, each with its turn.

pub mod maintain;
