//! Every error that a user can see: its SQLSTATE and message. Its DETAIL and HINT, and the list of codes, are in error/.

mod codes;
mod detail;
mod difference;
mod hint;
mod limited;
mod promotion;
mod spender;

pub use codes::CODES;
pub use difference::Difference;
use difference::{each, said};
pub use limited::{LimitExceeded, OutOfStock, Overdue};
pub use promotion::{NotApplicable, Reason};
pub use spender::Spender;

use crate::amount::{AmountError, Decimal};
use crate::moment::Time;
use uuid::Uuid;

/// Why an expired signature is refused.
pub const TOO_OLD: &str = "it was made too long ago";

/// The longest part of a caller's value that is quoted in a message, in characters.
const WORD_LENGTH: usize = 60;

/// A caller's value in a message: quoted, and shortened if it is long.
pub fn quoted(word: &str) -> String {
    match word.char_indices().nth(WORD_LENGTH) {
        Some((end, _)) => format!("\"{}…\"", &word[..end]),
        None => format!("\"{word}\""),
    }
}

/// What went wrong, with its values.
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
        /// Its value in the first call; `None` for NULL.
        first: Option<String>,
        /// Its value in this call.
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
        /// Which limit it exceeds.
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
        /// The reason, as far as it may be shown.
        reason: &'static str,
    },
    /// PC012
    #[error("the token is not valid: {reason}")]
    TokenInvalid {
        /// The reason, as far as it may be shown.
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
        /// Whether it exists but is archived.
        archived: bool,
    },
    /// PC016
    #[error("{0}")]
    PromotionNotApplicable(Box<NotApplicable>),
    /// PC017
    #[error("{0}")]
    OutOfStock(OutOfStock),
    /// PC018
    #[error("{0}")]
    CustomerOverdue(Overdue),
    /// PC019
    #[error("{} {id} does not exist", object.replace('_', " "))]
    ObjectNotFound {
        /// What kind of object.
        object: &'static str,
        /// As it was given.
        id: String,
    },
    /// PC020
    #[error("{} {id} is {state}", object.replace('_', " "))]
    StateConflict {
        /// What kind of object.
        object: &'static str,
        /// As it was given.
        id: String,
        /// What rules it out.
        state: &'static str,
    },
    /// PC021
    #[error("{0}")]
    LimitExceeded(Box<LimitExceeded>),
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
        /// The unknown key.
        key: String,
        /// The key that may have been meant.
        nearest: Option<String>,
    },
    /// PC013
    #[error("consumer \"{consumer}\" does not exist")]
    ConsumerNotFound {
        /// As it was given.
        consumer: String,
        /// Whether the call needs a consumer to be created first; otherwise it names one that should exist.
        is_needed: bool,
    },
    /// 42501: a role without the right to do so set a setting before the library was loaded.
    #[error("permission denied to set parameter \"{setting}\"")]
    SettingRefused {
        /// Its name.
        setting: String,
    },
    /// PC013: the database is not one of tests.
    #[error("credits.production is on: this database serves customers, and credits.reset() does not empty it")]
    Production,
    /// 42501: the caller is no superuser.
    #[error("must be superuser to call credits.{function}()")]
    SuperuserOnly {
        /// The function's name.
        function: &'static str,
    },
    /// PC013: history is imported into an account that is empty.
    #[error("customer_id must have an empty account in {currency} to import history into: {}", match *state {
        "finished" => "that of this customer has its history",
        "posted_to" => "that of this customer was posted to since the last part of its history",
        _ => "that of this customer has grants, usage or ledger lines",
    })]
    AccountNotEmpty {
        /// Whose.
        customer_id: String,
        /// The account's.
        currency: String,
        /// 'used', 'finished' or 'posted_to'.
        state: &'static str,
    },
    /// What is wrong with one entry of an import: of its code.
    #[error("entry {number}: {error}")]
    Entry {
        /// Counts from 1, as they were given.
        number: usize,
        /// What.
        error: Box<Error>,
    },
    /// PC002: a create with `if_not_exists` found its object, with other terms.
    #[error("{argument} \"{key}\" exists with other terms: {}", each(differences))]
    ExistsOtherwise {
        /// The argument that names it.
        argument: &'static str,
        /// Its value.
        key: String,
        /// What differs.
        differences: Vec<Difference>,
    },
    /// 55P03: another session has locked the account, and the caller never waits. Only a batch of the inbox gets this,
    /// and leaves the event in the inbox.
    #[error("the account is locked by another session")]
    AccountBusy,
    /// 55000: the database has the SQL declarations of another version than the library that the server loads.
    #[error("the extension pg_credits of this database is of another version than its library")]
    VersionsDiffer,
    /// One kind of maintenance work failed as a whole, with that SQLSTATE.
    #[error("maintenance did all but one kind of its work, which failed with {error}: {message}")]
    Maintenance {
        /// Its SQLSTATE.
        error: String,
        /// What it said.
        message: String,
    },
    /// XX001: the ledger's tables are inconsistent. No input leads here.
    #[error("pg_credits found its tables damaged: {what}")]
    Internal {
        /// What was found.
        what: &'static str,
    },
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

    /// An invalid amount.
    pub fn amount(argument: &'static str, amount: Decimal, reason: AmountError) -> Self {
        Error::InvalidAmount { argument, value: amount.to_string(), reason }
    }

    /// Damaged tables: something else changed them.
    pub fn internal(what: &'static str) -> Self {
        Error::Internal { what }
    }

    /// A meter that does not exist.
    pub fn meter_not_found(event_name: &str) -> Self {
        Error::MeterNotFound { event_name: event_name.to_string(), nearest: None }
    }

    /// Usage that a meter's pricing has no price for, where it says to reject that.
    pub fn unpriced(event_name: &str) -> Self {
        let reason =
            format!("must have a price: that of meter \"{event_name}\" has none for these values, and rejects them");
        Error::argument("metadata", reason)
    }

    /// An event without the value that its meter counts.
    pub fn uncounted(event_name: &str, unique_by: &str) -> Self {
        let (value, meter) = (quoted(unique_by), quoted(event_name));
        let reason =
            format!("must have {value} as a text, a number or a boolean: meter {meter} counts its different values");
        Error::argument("metadata", reason)
    }

    /// The same for a debit, whose hint names the function that answers without an error.
    pub fn of_debit(mut self) -> Self {
        if let Error::InsufficientCredits { by, .. } = &mut self {
            *by = Spender::Debit;
        }
        self
    }

    /// The message, and the name that may have been meant: for places without a hint.
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
            Error::Entry { error, .. } => error.suggestion(),
            _ => None,
        }
    }

    /// The SQLSTATE, for programs.
    pub fn sqlstate(&self) -> &str {
        match self {
            Error::InsufficientCredits { .. } => "PC001",
            Error::IdempotencyConflict { .. } | Error::ExistsOtherwise { .. } => "PC002",
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
            Error::InvalidArgument { .. }
            | Error::UnknownKey { .. }
            | Error::ConsumerNotFound { .. }
            | Error::AccountNotEmpty { .. }
            | Error::Production => "PC013",
            Error::Entry { error, .. } => error.sqlstate(),
            Error::TopUpNotOpen { .. } => "PC014",
            Error::PriceNotFound { .. } => "PC015",
            Error::PromotionNotApplicable(_) => "PC016",
            Error::OutOfStock(_) => "PC017",
            Error::CustomerOverdue(_) => "PC018",
            Error::ObjectNotFound { .. } => "PC019",
            Error::StateConflict { .. } => "PC020",
            Error::LimitExceeded(_) => "PC021",
            Error::SettingRefused { .. } | Error::SuperuserOnly { .. } => "42501",
            Error::AccountBusy => "55P03",
            Error::VersionsDiffer => "55000",
            Error::Maintenance { error, .. } => error,
            Error::Internal { .. } => "XX001",
        }
    }
}
