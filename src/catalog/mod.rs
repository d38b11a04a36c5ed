//! The catalogue: products and what one unit of them grants, their prices, and what one credit costs in money.

pub mod credit_config;
pub mod exchange_rate;
mod fields;
mod key;
pub mod listener;
pub mod package;
pub mod price;
pub mod product;
pub mod recharge_config;
pub mod stock;
pub(crate) mod stored;
pub mod usage;
