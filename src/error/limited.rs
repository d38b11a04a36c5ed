//! PC021: spending that a limit does not allow.

use crate::amount::Decimal;
use crate::ledger::engine::limit::{Exceeded, Limit};
use crate::moment::Time;
use serde_json::{Value, json};
use std::fmt;

/// What was asked for, and the limit that has too little left.
#[derive(Debug, Clone)]
pub struct LimitExceeded {
    /// Whose account.
    pub customer_id: String,
    /// The currency of the amounts.
    pub currency: String,
    /// What a plain debit could have drawn on.
    pub available: Decimal,
    /// The limit, and what was asked for.
    pub exceeded: Exceeded,
    /// When there is room again; `None` if time alone makes none.
    pub resets_at: Option<Time>,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exceeded { limit, requested } = &self.exceeded;
        let Limit { member_id, event_name, per, most, .. } = limit;
        let (currency, left, per) = (&self.currency, limit.left(), per.name());
        write!(f, "limit exceeded: {requested} {currency} requested, {left} left of {most} per {per}")?;
        if let Some(event_name) = event_name {
            write!(f, " for \"{event_name}\"")?;
        }
        match member_id {
            Some(member_id) => write!(f, " of member \"{member_id}\""),
            None => write!(f, " of customer \"{}\"", self.customer_id),
        }
    }
}

impl LimitExceeded {
    /// The values, for programs.
    pub fn detail(&self) -> Value {
        let Exceeded { limit, requested } = &self.exceeded;
        json!({
            "kind": if limit.member_id.is_some() { "member" } else { "usage" },
            "customer_id": self.customer_id,
            "currency": self.currency,
            "event_name": limit.event_name,
            "member_id": limit.member_id,
            "per": limit.per.name(),
            "amount": limit.most.normalize().to_string(),
            "used": limit.taken().normalize().to_string(),
            "requested": requested.normalize().to_string(),
            "resets_at": self.resets_at.and_then(Time::rfc3339),
        })
    }
}
