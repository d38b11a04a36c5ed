//! Usage: meters and their events, charged when they are reported, or recorded and charged afterwards. Pure, and tested
//! without a server: pricing.rs and aggregate.rs. The other files are a noun each, with the SQL-facing functions on top.

pub mod batch;
pub mod cancellation;
pub mod deferred;
pub mod event;
pub mod inbox;
pub mod listener;
pub mod meter;
pub mod period;
pub mod pricing;
pub mod report;
pub mod settlement;
pub mod statistics;
pub mod usage;
