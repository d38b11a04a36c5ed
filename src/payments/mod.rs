//! Money that came in or went back: payments, refunds and disputes, and the credits that follow them; and the webhooks in which
//! providers report them. Pure, and tested without a server: money.rs, payment_method/,
//! providers/, reckoning.rs, signature.rs.

pub mod clawback;
pub mod dispute;
pub mod erasure;
pub mod listener;
pub mod money;
pub mod notification;
pub mod payment;
pub mod payment_method;
pub mod provider;
pub mod providers;
pub mod reckoning;
pub mod reference;
pub mod refund;
pub mod signature;
pub mod subject;
pub mod webhook;
