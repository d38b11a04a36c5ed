//! DETAIL: the values of an error, for programs.

use crate::amount::AmountError;
use crate::error::{Error, Spender};
use serde_json::{Value, json};

impl Error {
    /// The values, as JSON. Amounts are strings of digits, so that no reader rounds them.
    pub fn detail(&self) -> String {
        self.values().to_string()
    }

    fn values(&self) -> Value {
        match self {
            Error::InsufficientCredits { customer_id, currency, available, requested, by } => {
                let mut values = json!({
                    "customer_id": customer_id,
                    "currency": currency,
                    "available": available.normalize().to_string(),
                    "requested": requested.normalize().to_string(),
                    "shortfall": (requested - available).normalize().to_string(),
                });
                if let Spender::Limited(limited) = by {
                    let [limit, owed] = limited.map(|amount| amount.normalize().to_string());
                    (values["overdraft_limit"], values["would_owe"]) = (limit.into(), owed.into());
                }
                values
            }
            Error::IdempotencyConflict { argument, key, difference, first, given } => {
                json!({"argument": argument, "key": key, "difference": difference, "first": first, "given": given})
            }
            Error::CustomerNotFound { customer_id } => json!({"customer_id": customer_id}),
            Error::MeterNotFound { event_name, .. } | Error::MeterInactive { event_name } => {
                json!({"event_name": event_name})
            }
            Error::EventTimeOutOfRange { occurred_at, setting, seconds, .. } => {
                let value = occurred_at.to_string();
                json!({"argument": "occurred_at", "value": value, "setting": setting, "seconds": seconds})
            }
            Error::InvalidAmount { argument, value, reason: AmountError::MoreThanHeld(held) } => {
                json!({"argument": argument, "value": value, "held": held.normalize().to_string()})
            }
            Error::InvalidAmount { argument, value, .. } => json!({"argument": argument, "value": value}),
            Error::CurrencyNotFound { currency, inactive, .. } => {
                json!({"currency": currency, "active": if *inactive { Value::Bool(false) } else { Value::Null }})
            }
            Error::GrantNotFound { customer_id, grant_id } => {
                json!({"customer_id": customer_id, "grant_id": grant_id.to_string()})
            }
            Error::HoldNotOpen { hold_id, state } => json!({"hold_id": hold_id.to_string(), "state": state}),
            Error::RechargeNotConfigured { customer_id, currency } => {
                json!({"customer_id": customer_id, "currency": currency})
            }
            Error::SignatureInvalid { reason } | Error::TokenInvalid { reason } => json!({"reason": reason}),
            Error::TopUpNotOpen { subject, id } => json!({"subject": subject, "id": id, "state": "unknown"}),
            Error::PriceNotFound { price_id, archived } => {
                json!({"price_id": price_id.to_string(), "archived": archived})
            }
            Error::PromotionNotApplicable(why) => why.detail(),
            Error::OutOfStock(short) => short.detail(),
            Error::CustomerOverdue(overdue) => overdue.detail(),
            Error::ObjectNotFound { object, id } => json!({"object": object, "id": id}),
            Error::StateConflict { object, id, state } => json!({"object": object, "id": id, "state": state}),
            Error::LimitExceeded(limited) => limited.detail(),
            Error::InvalidArgument { argument, .. } => json!({"argument": argument}),
            Error::UnknownKey { argument, key, .. } => json!({"argument": argument, "key": key}),
            Error::ConsumerNotFound { .. } => json!({"argument": "consumer"}),
            Error::Production => json!({"argument": "credits.production"}),
            Error::SuperuserOnly { function } => json!({"function": function}),
            Error::ExistsOtherwise { argument, key, differences } => {
                let first = differences.first();
                json!({
                    "argument": argument,
                    "key": key,
                    "difference": first.map(|d| &d.what),
                    "first": first.map(|d| &d.there),
                    "given": first.map(|d| &d.given),
                })
            }
            Error::SettingRefused { setting } => json!({"setting": setting}),
            Error::AccountBusy | Error::VersionsDiffer => json!({}),
            Error::Maintenance { error, message } => json!({"error": error, "message": message}),
            Error::Internal { what } => json!({"what": what}),
            Error::AccountNotEmpty { customer_id, currency, state } => {
                json!({"argument": "customer_id", "customer_id": customer_id, "currency": currency, "state": state})
            }
            Error::Entry { number, error } => {
                let mut values = error.values();
                values["entry"] = (*number).into();
                values
            }
        }
    }
}
