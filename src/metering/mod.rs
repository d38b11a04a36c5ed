//! Usage: meters and their events. Pure, and tested without a server: pricing.rs.

pub mod batch;
pub mod cancel;
pub mod event;
pub mod json;
pub mod meter;
pub mod pricing;
pub mod repeat;
pub mod report;
pub mod usage;
