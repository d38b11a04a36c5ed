//! How balances change: the working copy of an account, what time, grants, charges and holds do to it, and how it is
//! loaded and written. Pure, and tested without a server: book.rs with its folder, drawdown.rs, limit.rs,
//! line.rs.

pub mod book;
pub mod drawdown;
pub mod failure;
pub mod fast_charge;
pub mod limit;
pub mod line;
pub mod operation;
pub mod posting;
