//! How customers buy: top-ups, the addresses where they pay, and their own billing page; and how what was sold is found.

pub mod billing_page;
pub mod portal;
pub mod search;
pub mod top_up;
