//! Usage: meters and their events, charged when they are reported, or recorded and charged later. Pure, and tested
//! without a server: pricing.rs and aggregate.rs. Each other file is about one noun, with its SQL functions on top.

pub mod batch;
mod capture;
pub mod correction;
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
pub mod transaction;
pub mod usage;
