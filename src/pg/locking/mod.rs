//! Locks: those of the extension's own, the order in which sessions wait for one, and for how long.

pub mod lock;
pub mod patience;
pub mod queue;
