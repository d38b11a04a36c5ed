//! The schedule of subscriptions: periods, parts of them, instalments of credits, retries, and what is due when. Pure: no
//! SPI, no pgrx type, tested alone.

pub mod cycle;
pub mod instalment;
pub mod proration;
pub mod state;
pub mod usage;
