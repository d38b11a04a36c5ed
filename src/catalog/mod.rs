//! The catalogue: products, which say what one unit grants, their prices, and what one credit costs in money.

pub mod exchange_rate;
pub mod listener;
pub mod package;
pub mod price;
pub mod product;
pub mod recharge_config;
