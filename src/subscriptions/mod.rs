//! Subscriptions: prices that are due again and again, each period with its invoice, and the credits that come with it.
//!
//! What is due when, and how much of it, is decided by schedule, which is pure. What is here locks the customer, reads the
//! subscription, and makes invoices and grants of what was decided.

mod advance;
mod billing;
mod change;
pub mod checkout;
pub mod erasure;
pub mod external;
mod instalments;
mod item;
mod owed;
mod plan;
mod protection;
mod refund;
pub mod renewal;
mod schedule;
pub mod settlement;
mod subscription;
mod usage_record;
