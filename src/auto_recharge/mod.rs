//! Auto-recharge: how an account is configured, when it requests a recharge, and the outcome of its requests. Pure, and
//! tested without a server: policy.rs and offer.rs.

pub mod configuration;
pub mod evaluation;
pub mod listener;
pub mod offer;
pub mod policy;
pub mod request;
pub mod review;
