//! The catalogue: products and what one unit of them grants, their prices, what one credit costs in money, and what is taken
//! off a purchase: coupons, promotion codes, and who uses them.

pub mod coupon;
pub mod credit_config;
pub mod discount;
pub mod exchange_rate;
pub mod listener;
pub mod package;
pub mod price;
pub mod product;
pub mod promotion_code;
pub mod recharge_config;
pub mod redemption;
pub mod stock;
pub(crate) mod stored;

pub use price::usage;
