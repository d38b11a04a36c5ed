//! The money: who owns credits, which grants they came from, what they paid for, and the ledger that records it.
//!
//! How balances are changed is in engine/; the other files are one noun each, with the SQL-facing functions on top.

pub mod account;
pub mod adjustment;
pub mod availability;
pub mod balance;
pub mod currency;
pub mod customer;
pub mod debit;
pub mod engine;
pub mod explain;
pub mod grant;
pub mod history;
pub mod hold;
pub mod limit;
pub mod listener;
pub mod reversal;
pub mod transfer;
