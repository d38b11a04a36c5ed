//! The discount of a subscription.

use crate::moment::Time;
use uuid::Uuid;

/// What takes something off the invoices of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discounted {
    /// The coupon.
    pub coupon_id: Uuid,
    /// The code by which it was given.
    pub promotion_code_id: Option<Uuid>,
    /// When the period began of the first invoice with it.
    pub start: Option<Time>,
    /// It takes nothing off periods that begin then or later.
    pub end: Option<Time>,
    /// The one invoice that it took something off, where that is all it does.
    pub invoice_id: Option<Uuid>,
}
