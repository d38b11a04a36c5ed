//! What each provider's events say: one file per provider.

pub mod event;
pub mod generic;
pub mod paystack;
pub mod stripe;
