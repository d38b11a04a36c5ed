//! Every error that a user can see: its SQLSTATE, message, DETAIL (JSON with the values) and HINT, once.

mod codes;

pub use codes::CODES;

use crate::amount::{AmountError, Decimal};
use crate::moment::Time;
use serde_json::{Value, json};
use uuid::Uuid;

/// Why a signature is refused that was good once.
pub const TOO_OLD: &str = "it was made too long ago";

/// The longest that a caller's word is repeated in a message, in characters.
const WORD_LENGTH: usize = 60;

/// A caller's word in a message: quoted, and cut where it is long.
pub fn quoted(word: &str) -> String {
    match word.char_indices().nth(WORD_LENGTH) {
        Some((end, _)) => format!("\"{}…\"", &word[..end]),
        None => format!("\"{word}\""),
    }
}

/// What went wrong, with the values that say so.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// PC001
    #[error("insufficient credits: {requested} {currency} requested, {available} available{}", by.limit())]
    InsufficientCredits {
        /// Whose wallet.
        customer_id: String,
        /// The currency of the amounts.
        currency: String,
        /// What could have been drawn on.
        available: Decimal,
        /// What was asked for.
        requested: Decimal,
        /// For what.
        by: Spender,
    },
    /// PC002
    #[error(
        "{argument} \"{key}\" was used before with another {difference}: {} then, {} now",
        said(first),
        said(given)
    )]
    IdempotencyConflict {
        /// 'identifier' or 'idempotency_key'.
        argument: &'static str,
        /// Its value.
        key: String,
        /// What differs from the first call.
        difference: &'static str,
        /// What the first call said of that; `None` for NULL.
        first: Option<String>,
        /// What this one says.
        given: Option<String>,
    },
    /// PC003
    #[error("customer \"{customer_id}\" does not exist")]
    CustomerNotFound {
        /// As it was given.
        customer_id: String,
    },
    /// PC004
    #[error("meter \"{event_name}\" does not exist")]
    MeterNotFound {
        /// As it was given.
        event_name: String,
        /// The meter that may have been meant.
        nearest: Option<String>,
    },
    /// PC005
    #[error("meter \"{event_name}\" is not active")]
    MeterInactive {
        /// As it was given.
        event_name: String,
    },
    /// PC006
    #[error("occurred_at is out of range: {occurred_at} is {reason}, more than {seconds} seconds from now")]
    EventTimeOutOfRange {
        /// As it was given.
        occurred_at: Time,
        /// Which limit it passes.
        reason: &'static str,
        /// The setting that has the limit.
        setting: &'static str,
        /// The limit, in seconds from now.
        seconds: i64,
    },
    /// PC007
    #[error("{argument} {reason}")]
    InvalidAmount {
        /// The argument's name.
        argument: &'static str,
        /// Its value as PostgreSQL prints it.
        value: String,
        /// What is wrong with it.
        reason: AmountError,
    },
    /// PC008
    #[error("currency \"{currency}\" {}", if *inactive { "is not active" } else { "does not exist" })]
    CurrencyNotFound {
        /// As it was given, or the default.
        currency: String,
        /// Whether it exists and is switched off.
        inactive: bool,
        /// The currency that may have been meant.
        nearest: Option<String>,
    },
    /// PC009
    #[error("customer \"{customer_id}\" has no grant {grant_id}")]
    GrantNotFound {
        /// Whose it would be.
        customer_id: String,
        /// As it was given.
        grant_id: Uuid,
    },
    /// PC010
    #[error("hold {hold_id} {}", if *state == "unknown" { String::from("does not exist") } else { format!("is not open: it is {state}") })]
    HoldNotOpen {
        /// As it was given.
        hold_id: Uuid,
        /// 'unknown', 'captured', 'released' or 'expired'.
        state: &'static str,
    },
    /// PC011
    #[error("{currency} has no recharge configuration{}", customer_id.as_ref().map_or_else(String::new, |c| format!(" for customer \"{c}\"")))]
    RechargeNotConfigured {
        /// Whose; `None` for that of the currency itself.
        customer_id: Option<String>,
        /// The currency's code.
        currency: String,
    },
    /// PC012
    #[error("the signature is not valid: {reason}")]
    SignatureInvalid {
        /// What may be told of it.
        reason: &'static str,
    },
    /// PC012
    #[error("the token is not valid: {reason}")]
    TokenInvalid {
        /// What may be told of it.
        reason: &'static str,
    },
    /// PC014
    #[error("{subject} {id} does not exist")]
    TopUpNotOpen {
        /// 'top-up', or 'recharge'.
        subject: &'static str,
        /// As it was given.
        id: String,
    },
    /// PC015
    #[error("price {price_id} {}", if *archived { "is archived" } else { "does not exist" })]
    PriceNotFound {
        /// As it was given.
        price_id: Uuid,
        /// Whether it exists and is no longer on sale.
        archived: bool,
    },
    /// PC013
    #[error("{argument} {reason}")]
    InvalidArgument {
        /// The argument's name.
        argument: &'static str,
        /// What it must be.
        reason: String,
    },
    /// PC013
    #[error("{argument} has an unknown key, \"{key}\"")]
    UnknownKey {
        /// The argument's name.
        argument: &'static str,
        /// The key that nobody reads.
        key: String,
        /// The key that may have been meant.
        nearest: Option<String>,
    },
    /// PC013
    #[error("consumer \"{consumer}\" does not exist")]
    ConsumerNotFound {
        /// As it was given.
        consumer: String,
        /// Whether the call needs one to be made, and is not about one that must have been there.
        is_needed: bool,
    },
    /// 42501: a setting was given a value before the library was loaded, by a role that may not set it.
    #[error("permission denied to set parameter \"{setting}\"")]
    SettingRefused {
        /// Its name.
        setting: String,
    },
    /// 55P03: another session has the account, and the caller never waits. Only a batch of the inbox meets it, and leaves
    /// the event where it is.
    #[error("the account is locked by another session")]
    AccountBusy,
    /// 55000: the database has the declarations of another version than the library that the server loads.
    #[error("the extension pg_credits of this database is of another version than its library")]
    VersionsDiffer,
    /// One kind of maintenance's work failed as a whole, with that SQLSTATE.
    #[error("maintenance did all but one kind of its work, which failed with {error}: {message}")]
    Maintenance {
        /// Its SQLSTATE.
        error: String,
        /// What it said.
        message: String,
    },
    /// XX001: the ledger's tables say what they cannot say. No input leads here.
    #[error("pg_credits found its tables damaged: {what}")]
    Internal {
        /// What was found.
        what: &'static str,
    },
}

/// What credits were to be spent on, where they do not suffice: what there is to do about it.
#[derive(Debug, Clone)]
pub enum Spender {
    /// A debit.
    Debit,
    /// A hold, a transfer, an adjustment.
    Other,
    /// A meter's event, of which nothing may be owed.
    Usage,
    /// A meter's event that would be owed in part, where no more than this may be: the limit, and what would be owed.
    Limited(Box<[Decimal; 2]>),
}

impl Spender {
    fn limit(&self) -> String {
        match self {
            Spender::Limited(limited) => {
                format!(", and overdraft_limit is {} where {} would be owed", limited[0], limited[1])
            }
            _ => String::new(),
        }
    }
}

/// A value in a sentence.
fn said(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}

impl Error {
    /// A required argument that is NULL.
    pub fn missing(argument: &'static str) -> Self {
        Error::argument(argument, "is required and must not be NULL")
    }

    /// Anything else that is wrong with an argument.
    pub fn argument(argument: &'static str, reason: impl Into<String>) -> Self {
        Error::InvalidArgument { argument, reason: reason.into() }
    }

    /// An amount that cannot be one.
    pub fn amount(argument: &'static str, amount: Decimal, reason: AmountError) -> Self {
        Error::InvalidAmount { argument, value: amount.to_string(), reason }
    }

    /// Tables that were changed by another hand.
    pub fn internal(what: &'static str) -> Self {
        Error::Internal { what }
    }

    /// A meter that there is not.
    pub fn meter_not_found(event_name: &str) -> Self {
        Error::MeterNotFound { event_name: event_name.to_string(), nearest: None }
    }

    /// The same where it is about a debit, of which an answer can be had instead of an error.
    pub fn of_debit(mut self) -> Self {
        if let Error::InsufficientCredits { by, .. } = &mut self {
            *by = Spender::Debit;
        }
        self
    }

    /// The message, and the name that may have been meant: for where there is no hint beside it.
    pub fn sentence(&self) -> String {
        match self.suggestion() {
            Some(suggestion) => format!("{self}. {suggestion}"),
            None => self.to_string(),
        }
    }

    fn suggestion(&self) -> Option<String> {
        match self {
            Error::MeterNotFound { nearest, .. }
            | Error::CurrencyNotFound { nearest, .. }
            | Error::UnknownKey { nearest, .. } => {
                nearest.as_ref().map(|name| format!("Perhaps you meant \"{name}\"."))
            }
            _ => None,
        }
    }

    /// The five characters that programs go by.
    pub fn sqlstate(&self) -> &str {
        match self {
            Error::InsufficientCredits { .. } => "PC001",
            Error::IdempotencyConflict { .. } => "PC002",
            Error::CustomerNotFound { .. } => "PC003",
            Error::MeterNotFound { .. } => "PC004",
            Error::MeterInactive { .. } => "PC005",
            Error::EventTimeOutOfRange { .. } => "PC006",
            Error::InvalidAmount { .. } => "PC007",
            Error::CurrencyNotFound { .. } => "PC008",
            Error::GrantNotFound { .. } => "PC009",
            Error::HoldNotOpen { .. } => "PC010",
            Error::RechargeNotConfigured { .. } => "PC011",
            Error::SignatureInvalid { .. } | Error::TokenInvalid { .. } => "PC012",
            Error::InvalidArgument { .. } | Error::UnknownKey { .. } | Error::ConsumerNotFound { .. } => "PC013",
            Error::TopUpNotOpen { .. } => "PC014",
            Error::PriceNotFound { .. } => "PC015",
            Error::SettingRefused { .. } => "42501",
            Error::AccountBusy => "55P03",
            Error::VersionsDiffer => "55000",
            Error::Maintenance { error, .. } => error,
            Error::Internal { .. } => "XX001",
        }
    }

    /// The values, as JSON. Amounts are strings of digits, so that no reader rounds them.
    pub fn detail(&self) -> String {
        let values: Value = match self {
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
            Error::InvalidArgument { argument, .. } => json!({"argument": argument}),
            Error::UnknownKey { argument, key, .. } => json!({"argument": argument, "key": key}),
            Error::ConsumerNotFound { .. } => json!({"argument": "consumer"}),
            Error::SettingRefused { setting } => json!({"setting": setting}),
            Error::AccountBusy | Error::VersionsDiffer => json!({}),
            Error::Maintenance { error, message } => json!({"error": error, "message": message}),
            Error::Internal { what } => json!({"what": what}),
        };
        values.to_string()
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        let hint = match self {
            Error::InsufficientCredits { by: Spender::Debit, .. } => {
                "Grant credits first (credits.credit_grant), or use credits.wallet_try_debit to be told without an error."
            }
            Error::InsufficientCredits { by: Spender::Other, .. } => {
                "Grant credits first (credits.credit_grant); credits.credit_availability says what there is."
            }
            Error::InsufficientCredits { by: Spender::Usage, .. } => {
                "Grant credits first (credits.credit_grant), or have the meter record what is owed (overage 'pending')."
            }
            Error::InsufficientCredits { by: Spender::Limited(_), .. } => {
                "Grant credits first (credits.credit_grant), or raise overdraft_limit with credits.account_configure."
            }
            Error::IdempotencyConflict { .. } => "A repeat must have the same inputs; use a new key for another call.",
            Error::CustomerNotFound { .. } => {
                "Make the customer with credits.customer_upsert, or grant credits: that makes it as well."
            }
            Error::MeterNotFound { .. } => "Make the meter with credits.meter_create.",
            Error::MeterInactive { .. } => "credits.meter_activate takes its events again.",
            Error::EventTimeOutOfRange { .. } => {
                "Correct the time; to import history, raise the setting that DETAIL names for the import."
            }
            Error::InvalidAmount { reason: AmountError::MoreThanHeld(_), .. } => {
                "Capture what is held, and charge the rest with credits.wallet_debit."
            }
            Error::InvalidAmount { reason: AmountError::NoRoom | AmountError::BuysTooMuch, .. } => {
                "Make it less, or take another currency: what was ever granted counts, spent or not."
            }
            Error::InvalidAmount { reason: AmountError::TooMuchOwed, .. } => {
                "Grant credits first (credits.credit_grant): they pay what is owed."
            }
            Error::InvalidAmount {
                reason:
                    AmountError::BelowMinimum(_)
                    | AmountError::AboveMaximum(_)
                    | AmountError::CostsTooLittle(..)
                    | AmountError::CostsTooMuch(..),
                ..
            } => "credits.currency_update and credits.configure_recharge set what one payment may be.",
            Error::InvalidAmount { .. } => "Amounts are exact decimals in major units of the currency.",
            Error::CurrencyNotFound { inactive: true, .. } => {
                "credits.currency_update(currency, active => true) takes it up again."
            }
            Error::CurrencyNotFound { .. } => "Make the currency with credits.currency_create.",
            Error::GrantNotFound { .. } => "A grant is found by its customer and its id: see the view credits.grants.",
            Error::HoldNotOpen { state: "unknown", .. } => {
                "A hold is found by its customer and its id: see the view credits.open_holds."
            }
            Error::HoldNotOpen { .. } => {
                "A hold is captured or released once, and closed then. Charge more with credits.wallet_debit, or make another hold."
            }
            Error::RechargeNotConfigured { .. } => {
                "Configure it with credits.configure_recharge, for a customer with credits.configure_auto_recharge."
            }
            Error::SignatureInvalid { reason: TOO_OLD } => {
                "Look whether both clocks are right, and how long the request waited; credits.payment_provider_set has the tolerance."
            }
            Error::SignatureInvalid { .. } => {
                "Pass the raw request body and the signature header as they came; credits.payment_provider_set has the secret."
            }
            Error::TokenInvalid { .. } => {
                "Make a new link with credits.billing_portal_session_create: it is good for ten minutes, in the database that made it."
            }
            Error::TopUpNotOpen { subject: "recharge", .. } => {
                "Try again: the transaction that asks for it may not have committed yet. See the view credits.recharge_log."
            }
            Error::TopUpNotOpen { .. } => {
                "Try again: the transaction that makes it may not have committed yet. See the view credits.purchases."
            }
            Error::PriceNotFound { .. } => "The view credits.packages lists what is on sale.",
            Error::InvalidArgument { argument, .. } if argument.starts_with("credits.") => {
                "It is a setting: SET, ALTER ROLE, ALTER DATABASE or postgresql.conf gave it that value."
            }
            Error::InvalidArgument { .. } | Error::UnknownKey { .. } => "See \\df+ for what the function expects.",
            Error::ConsumerNotFound { is_needed: false, .. } => {
                "The view credits.outbox_backlog lists those that there are."
            }
            Error::ConsumerNotFound { .. } => "An administrator makes it with credits.outbox_consumer_create.",
            Error::SettingRefused { .. } => {
                "It needs superuser, or GRANT SET ON PARAMETER. RESET it, or connect without it, to go on with the default."
            }
            Error::Maintenance { .. } => "Put right what the message says; what the other kinds did is kept.",
            Error::VersionsDiffer => {
                "ALTER EXTENSION pg_credits UPDATE brings the database to the library's version; a session that began before must connect anew."
            }
            Error::AccountBusy => "Try again once the other session's transaction has ended.",
            Error::Internal { .. } => "SELECT * FROM credits.verify() lists what does not agree.",
        };
        match self.suggestion() {
            Some(suggestion) => format!("{suggestion} {hint}"),
            None => hint.to_string(),
        }
    }
}
