//! A call from SQL: its arguments, what it answers or raises, and what it does last.

pub mod argument;
pub mod last;
pub mod procedure;
pub mod raise;
pub mod reply;
