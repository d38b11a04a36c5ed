//! Invoices: what is sold, with its discounts and its tax, the money that was applied to it, and what its payment grants.

mod collection;
mod customer;
mod deposit;
mod effect;
mod engine;
pub mod erasure;
mod invoice;
mod item;
mod line;
mod number;
mod page;
pub mod sale;
