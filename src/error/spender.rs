//! PC001: what the missing credits were for.

use crate::amount::Decimal;

/// What the missing credits were for: the hint depends on it.
#[derive(Debug, Clone)]
pub enum Spender {
    /// A debit.
    Debit,
    /// A hold, a transfer, an adjustment.
    Other,
    /// Ending part of a grant.
    Grant,
    /// A meter's event that must be paid in full.
    Usage,
    /// A meter's event that would be owed in part, beyond the limit: the limit, and what would be owed.
    Limited(Box<[Decimal; 2]>),
}

impl Spender {
    /// What a limit adds to the message.
    pub(super) fn limit(&self) -> String {
        match self {
            Spender::Limited(limited) => {
                format!(", and overdraft_limit is {} where {} would be owed", limited[0], limited[1])
            }
            _ => String::new(),
        }
    }
}
