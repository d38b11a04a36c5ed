//! PC017, PC018 and PC021: what a limit does not allow, of stock, of what is owed or of spending.

use crate::amount::Decimal;
use crate::moment::Time;
use serde_json::{Value, json};
use std::fmt;
use uuid::Uuid;

/// More units of a price were asked for than are left.
#[derive(Debug, Clone, thiserror::Error)]
#[error("price {price_id} is out of stock: {requested} requested, {available} left")]
pub struct OutOfStock {
    /// The price.
    pub price_id: Uuid,
    /// How many are left.
    pub available: i64,
    /// How many were asked for.
    pub requested: Decimal,
}

impl OutOfStock {
    /// The values, for programs.
    pub fn detail(&self) -> Value {
        let requested = self.requested.normalize().to_string();
        json!({"price_id": self.price_id.to_string(), "available": self.available, "requested": requested})
    }
}

/// A customer who has not paid what is due.
#[derive(Debug, Clone, thiserror::Error)]
#[error("customer \"{customer_id}\" has {} overdue: since {since}", counted(*.invoices))]
pub struct Overdue {
    /// Who.
    pub customer_id: String,
    /// How many invoices.
    pub invoices: i64,
    /// When the first of them was due.
    pub since: Time,
}

fn counted(invoices: i64) -> String {
    if invoices == 1 { String::from("an invoice") } else { format!("{invoices} invoices") }
}

impl Overdue {
    /// The values, for programs.
    pub fn detail(&self) -> Value {
        json!({"customer_id": self.customer_id, "invoices": self.invoices, "overdue_since": self.since.to_string()})
    }
}

/// What was asked for, and the limit that has too little left.
#[derive(Debug, Clone)]
pub struct LimitExceeded {
    /// Whose account.
    pub customer_id: String,
    /// The currency of the amounts.
    pub currency: String,
    /// What a plain debit could have drawn on.
    pub available: Decimal,
    /// The member whose spending is limited; `None` for all of the customer's.
    pub member_id: Option<String>,
    /// The meter whose usage is limited; `None` for anything.
    pub event_name: Option<String>,
    /// In which span of time.
    pub per: String,
    /// The most that may be spent in it.
    pub most: Decimal,
    /// What was spent or is held.
    pub used: Decimal,
    /// What was asked for.
    pub requested: Decimal,
    /// When there is room again; `None` if time alone makes none.
    pub resets_at: Option<Time>,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitExceeded { currency, member_id, event_name, per, most, requested, .. } = self;
        let left = self.left();
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
    /// What may still be spent.
    pub fn left(&self) -> Decimal {
        (self.most - self.used).max(Decimal::ZERO)
    }

    /// The values, for programs.
    pub fn detail(&self) -> Value {
        json!({
            "kind": if self.member_id.is_some() { "member" } else { "usage" },
            "customer_id": self.customer_id,
            "currency": self.currency,
            "event_name": self.event_name,
            "member_id": self.member_id,
            "per": self.per,
            "amount": self.most.normalize().to_string(),
            "used": self.used.normalize().to_string(),
            "requested": self.requested.normalize().to_string(),
            "resets_at": self.resets_at.and_then(Time::rfc3339),
        })
    }
}
