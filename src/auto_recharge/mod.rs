//! Accounts that recharge themselves: how each is configured, when one asks for a recharge, and what its requests come to.
//! Pure, and tested without a server: policy.rs and offer.rs.

pub mod configuration;
pub mod evaluation;
pub mod listener;
pub mod offer;
pub mod policy;
pub mod request;
pub mod review;
