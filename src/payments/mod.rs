//! Money that is to come, came in or went back: payment intents, payments, refunds and disputes, and the credits that follow
//! them; and the webhooks in which providers report them. Pure, and tested without a server: clawback/share.rs, money.rs,
//! payment_method/, provider/link.rs, providers/, reckoning.rs, signature.rs.

pub mod clawback;
pub mod dispute;
pub mod erasure;
pub mod listener;
pub mod money;
pub mod notification;
pub mod payment;
pub mod payment_intent;
pub mod payment_method;
pub mod provider;
pub mod providers;
pub mod reckoning;
pub mod reference;
pub mod refund;
pub mod webhook;
