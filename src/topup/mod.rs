//! Money that comes in: what is sold, what was bought and paid, what became of payments afterwards, accounts that recharge
//! themselves, and what other systems must be told.
//!
//! Pure, and tested without a server: signature.rs, alarm.rs, offer.rs, money.rs, reckoning.rs. The other files are a noun each,
//! with the SQL-facing functions on top.

pub mod alarm;
pub mod auto_recharge;
pub mod bootstrap;
pub mod catalog;
pub mod checkout;
pub mod consumer;
pub mod dispute;
pub mod erasure;
pub mod exchange_rate;
pub mod money;
pub mod offer;
pub mod outbox;
pub mod payment;
pub mod portal;
pub mod price;
pub mod provider;
pub mod recharge;
pub mod reckoning;
pub mod reclaim;
pub mod reference;
pub mod refund;
pub mod review;
pub mod signature;
pub mod stored;
pub mod told;
pub mod top_up;
pub mod watch;
pub mod webhook;
