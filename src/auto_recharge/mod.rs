//! Auto-recharge: how an account is configured, when it requests a recharge, and the outcome of its requests. Pure, and
//! tested without a server: policy.rs, offer.rs, limit.rs, schedule.rs and alert/level.rs.

pub mod alert;
pub mod configuration;
pub mod evaluation;
pub mod limit;
pub mod listener;
pub mod offer;
pub mod policy;
pub mod purchase;
pub mod request;
pub mod review;
pub mod schedule;
pub mod state;
pub mod terms;
