//! Locking: the extension's own locks, queueing for rows, and limits on waiting.

pub mod lock;
pub mod patience;
pub mod queue;
