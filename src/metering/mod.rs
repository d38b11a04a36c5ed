//! Usage: meters and their events, charged when they are reported, or recorded and charged afterwards. Pure, and tested
//! without a server: pricing.rs and aggregate.rs. The other files are a noun each, with the SQL-facing functions on top.

pub mod accounts;
pub mod aggregate;
mod apart;
pub mod batch;
pub mod cancel;
pub mod deferred;
pub mod event;
pub mod heads;
pub mod inbox;
pub mod json;
pub mod meter;
pub mod period;
pub mod pricing;
pub mod rank;
pub mod record;
mod repeat;
pub mod report;
pub mod settlement;
pub mod stats;
pub mod usage;
pub mod waiting;
