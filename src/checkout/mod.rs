//! How customers buy: top-ups, checkout sessions, payment links, the addresses where they pay, and their own billing page;
//! and how what was sold is found.

pub mod billing_page;
mod cart;
pub mod checkout_session;
mod discount;
pub mod payment_link;
pub mod portal;
pub mod search;
mod subscription_data;
mod token;
pub mod top_up;
