//! How customers buy: top-ups, the addresses where they pay, and their own billing page.

pub mod billing_page;
pub mod portal;
pub mod top_up;
