//! Calls from SQL: arguments, results and errors, procedures, and work at the end of a call.

pub mod argument;
pub mod last;
pub mod older;
pub mod procedure;
pub mod raise;
pub mod reply;
