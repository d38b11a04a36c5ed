//! The money: who owns credits, in which grants they came, what they paid for, and the ledger that says so.
//!
//! Pure, and tested without a server: drawdown.rs, book.rs with its folder, line.rs. What moves books between them and the
//! tables: posting.rs. The other files are a noun each, with the SQL-facing functions on top.

pub mod account;
pub mod adjustment;
pub mod balance;
pub mod book;
pub mod currency;
pub mod customer;
pub mod debit;
pub mod drawdown;
pub mod explain;
pub mod failure;
pub mod grant;
pub mod head;
pub mod history;
pub mod hold;
pub mod line;
pub mod operation;
pub mod posting;
pub mod terms;
pub mod transfer;
