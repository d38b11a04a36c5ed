//! Invoices: what is sold, with its discounts and its tax, the money that was applied to it, and what its payment grants.

pub mod collection;
pub mod customer;
pub mod deposit;
pub mod effect;
pub mod engine;
pub mod erasure;
pub mod invoice;
mod item;
pub mod line;
pub mod listener;
mod number;
pub mod owed;
mod page;
pub mod sale;
