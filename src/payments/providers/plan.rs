//! What a provider says that bills a plan itself: how its subscription stands, and what became of that one's invoices. Each
//! provider's own file reads it. Pure.

use crate::amount::Decimal;
use crate::moment::{EPOCH, Time};
use crate::payments::money;
use crate::payments::providers::Provider;
use crate::payments::providers::event::NoEvent;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The end of the year 9999, in seconds since 1970.
const LAST: i64 = 253_402_300_799;

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it happened, as the provider says: of two, the later counts. `None` where it does not say.
    pub at: Option<Time>,
    /// The provider's name for the subscription; `None` where only the metadata, or an invoice, say which it is.
    pub subscription: Option<String>,
    /// The application's metadata of it.
    pub customer_id: Option<String>,
    /// Likewise: our own id of it.
    pub subscription_id: Option<String>,
    /// What else it is known by as it begins: the provider's names for the customer and the plan. `None` where metadata say
    /// whose it is.
    pub pair: Option<String>,
    /// What it says.
    pub says: Says,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// How the subscription stands.
    Stands(Box<Standing>),
    /// An invoice of it is paid.
    Paid(Box<Bill>),
    /// A payment of an invoice of it failed.
    Failed,
    /// By which payment an invoice is paid.
    PaidBy {
        /// The invoice.
        invoice: String,
        /// The payment.
        payment: String,
    },
}

impl Report {
    /// What events of it are known together by: what it begins by, the subscription, or the invoice where that is all that is
    /// said.
    pub fn about(&self) -> Option<String> {
        match (&self.subscription, &self.says) {
            _ if self.pair.is_some() => self.pair.clone(),
            (Some(subscription), _) => Some(subscription.clone()),
            (None, Says::PaidBy { invoice, .. }) => Some(invoice.clone()),
            _ => None,
        }
    }
}

/// How a subscription stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The name of our status for it; empty where it is not said.
    pub status: &'static str,
    /// The currency of its amounts.
    pub currency: Option<String>,
    /// What it is for; empty where it is not said.
    pub items: Vec<Item>,
    /// The period that it is in.
    pub period: Option<(Time, Time)>,
    /// From where its periods are counted.
    pub anchor: Option<Time>,
    /// When its trial ends, or ended.
    pub trial_end: Option<Time>,
    /// When it is to end.
    pub cancel_at: Option<Time>,
    /// Whether that is the end of its period.
    pub cancel_at_period_end: bool,
    /// When it ended.
    pub ended_at: Option<Time>,
}

/// A price of the provider's, by all its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price {
    /// The provider's id.
    pub id: Option<String>,
    /// The name that the application gave it there.
    pub lookup_key: Option<String>,
    /// Our own id, where its metadata say it.
    pub price_id: Option<String>,
}

/// What a subscription is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The provider's name for it.
    pub id: Option<String>,
    /// Its price.
    pub price: Price,
    /// How many.
    pub quantity: Decimal,
}

/// An invoice that is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The provider's name for it.
    pub invoice: String,
    /// As people read it.
    pub number: Option<String>,
    /// The payment that paid it, if that is said.
    pub payment: Option<String>,
    /// The currency of its amounts.
    pub currency: String,
    /// The money that came.
    pub amount_paid: Decimal,
    /// Tax in it.
    pub tax: Decimal,
    /// Whether it is for a change, and not for a period.
    pub is_update: bool,
    /// Whether it is the subscription's first.
    pub is_first: bool,
    /// What it is for.
    pub lines: Vec<Line>,
}

/// A line of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The provider's name of the item.
    pub item: Option<String>,
    /// Its price.
    pub price: Price,
    /// How many; `None` for as many as there are of the item.
    pub quantity: Option<Decimal>,
    /// What it costs, without what is taken off and without tax.
    pub amount: Decimal,
    /// What time it is for; `None` for the period that it is paid in.
    pub period: Option<(Time, Time)>,
    /// Whether it is for something that the subscription is for, and not for a change in mid-period, or added by hand.
    pub is_of_item: bool,
    /// Whether it is for a change in mid-period.
    pub is_proration: bool,
    /// Whether it costs nothing, whatever is taken off it: in a trial.
    pub is_free: bool,
}

/// A text that is not empty, or a number's digits.
pub fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.chars().count() <= 255).then_some(text)
}

/// The id of an object that is there whole, or only as its id.
pub fn id(value: &Value) -> Option<String> {
    text(value).or_else(|| text(&value["id"]))
}

/// A moment, in seconds since 1970.
pub fn moment(value: &Value) -> Option<Time> {
    let seconds = value.as_i64().filter(|seconds| *seconds > 0)?;
    (seconds <= LAST).then(|| Time(0).plus_seconds(seconds - EPOCH))
}

/// A moment as RFC 3339 writes it.
pub fn instant(value: &Value) -> Option<Time> {
    let at = OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()?;
    Some(Time(0).plus_seconds(at.unix_timestamp() - EPOCH))
}

/// A moment before another.
pub fn span(start: Option<Time>, end: Option<Time>) -> Option<(Time, Time)> {
    start.zip(end).filter(|(start, end)| start < end)
}

/// How many, if that is said.
pub fn quantity(value: &Value) -> Option<Decimal> {
    text(value).and_then(|text| text.parse().ok()).filter(|quantity| *quantity >= Decimal::ZERO)
}

/// Whole minor units in major ones, also below zero; nothing where they are not there.
pub fn amount(provider: &dyn Provider, currency: &str, value: &Value) -> Option<Decimal> {
    let units: i128 = text(value)?.parse().ok()?;
    money::from_minor(units, provider.minor_decimals(currency)).ok()
}

/// The same of what must be there.
pub fn required(provider: &dyn Provider, currency: &str, value: &Value, path: &str) -> Result<Decimal, NoEvent> {
    let wrong = || NoEvent::at(path, "must be a whole number of minor units");
    amount(provider, currency, value).ok_or_else(wrong)
}

/// The same of money that came.
pub fn paid(provider: &dyn Provider, currency: &str, value: &Value, path: &str) -> Result<Decimal, NoEvent> {
    let wrong = || NoEvent::at(path, "must be a whole number of minor units that is not negative");
    amount(provider, currency, value).filter(|amount| *amount >= Decimal::ZERO).ok_or_else(wrong)
}
