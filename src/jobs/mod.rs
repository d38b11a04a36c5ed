//! What time brings: the steps of maintenance, each with its turn.

pub mod maintain;
