//! What a purchase grants: read from JSON in either spelling of its keys, checked when it is set, and stored in one form.
//! docs/payments.md explains it to users. What is in here up to `check` is pure.
//!
//! ```text
//! credit_config = { "currency": code, "amount": number, "category": "paid" | "promotional", "priority": 0 to 100,
//!                   "name": text, "applicable_meters": [event name, …], "valid_for": length,
//!                   "schedule": schedule, "rollover": rollover }
//! schedule      = { "delivery": "invoice" | "schedule", "every": length, "amount_per_grant": number,
//!                   "first_grant": "immediate" | "after_trial" | "after_first_payment",
//!                   "expire_with_next_grant": boolean, "max_grants_per_period": number }
//! rollover      = { "max": number, "percent": number, "max_times": number, "expires_after": length }
//! ```

pub mod check;
#[cfg(test)]
mod tests;

use crate::amount::{self, Decimal};
use crate::fields::{Checked, Fields, json};
use crate::ledger::grant::rollover::Rollover;
use crate::moment::length::Length;
use serde_json::{Map, Value};

const CATEGORIES: [&str; 2] = ["paid", "promotional"];
const DELIVERIES: [&str; 2] = ["invoice", "schedule"];
const FIRST_GRANTS: [&str; 3] = ["immediate", "after_trial", "after_first_payment"];
/// The most instalments within a period.
const MOST_GRANTS: i32 = 366;

/// What one unit grants, and under which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditConfig {
    /// The currency of the credits.
    pub currency: String,
    /// Credits that one unit grants.
    pub amount: Decimal,
    /// 'paid' or 'promotional'.
    pub category: &'static str,
    /// 0 to 100, lower first.
    pub priority: i16,
    /// The name of the grants; `None` for the product's.
    pub name: Option<String>,
    /// Event names, or until they are looked up the ids of metered prices; `None` for anything.
    pub applicable_meters: Option<Vec<String>>,
    /// How long they last from the payment on; `None` for ever.
    pub valid_for: Option<Length>,
    /// How a subscription's period grants them.
    pub schedule: Option<Schedule>,
    /// What becomes of the rest of a period.
    pub rollover: Option<Rollover>,
}

/// How a subscription's period grants its credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// 'invoice': all at once. 'schedule': in instalments.
    pub delivery: &'static str,
    /// From one instalment to the next.
    pub every: Option<Length>,
    /// Credits of each; `None` for equal parts.
    pub amount_per_grant: Option<Decimal>,
    /// When the first one is granted.
    pub first_grant: &'static str,
    /// Whether what is left of one expires as the next begins.
    pub expire_with_next_grant: bool,
    /// The most instalments within a period.
    pub max_grants_per_period: Option<i32>,
}

impl CreditConfig {
    /// Reads it from its JSON text. `default_currency` is that of credits that name none.
    pub fn parse(text: &str, default_currency: &str) -> Checked<Self> {
        CreditConfig::read("", &json(text)?, default_currency)
    }

    /// The same at a place in something larger.
    pub fn read(path: &str, value: &Value, default_currency: &str) -> Checked<Self> {
        let known = [
            "currency",
            "currency_id",
            "amount",
            "credit_amount",
            "category",
            "priority",
            "name",
            "applicable_meters",
            "applicable_prices",
            "valid_for",
            "valid_duration_value",
            "valid_duration_unit",
            "schedule",
            "rollover",
        ];
        let fields = Fields::of(path, value, &known)?;
        let amount = fields.spelled("amount", "credit_amount")?;
        let Some(credits) = fields.number(amount, amount::over_zero)? else {
            return fields.wrong("amount", "is required");
        };
        let currency = fields.text(fields.spelled("currency", "currency_id")?)?.unwrap_or(default_currency);
        let priority = fields.whole("priority", 0..=100)?.and_then(|p| i16::try_from(p).ok());
        let meters = fields.spelled("applicable_meters", "applicable_prices")?;
        Ok(CreditConfig {
            currency: currency.to_string(),
            amount: credits,
            category: fields.word("category", &CATEGORIES)?.unwrap_or("paid"),
            priority: priority.unwrap_or(crate::ledger::grant::terms::DEFAULT_PRIORITY),
            name: fields.text("name")?.map(String::from),
            applicable_meters: fields.names(meters)?,
            valid_for: length(&fields, "valid_for", "valid_duration_value", "valid_duration_unit")?,
            schedule: match fields.get("schedule") {
                Some(given) => Schedule::read(&fields.at("schedule"), given)?,
                None => None,
            },
            rollover: match fields.get("rollover") {
                Some(given) => Some(Rollover::read(&fields.at("rollover"), given)?),
                None => None,
            },
        })
    }

    /// As it is stored: every term that has a default, and none that is left out.
    pub fn value(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.to_string(), value));
        put("currency", Some(self.currency.clone().into()));
        put("amount", Some(digits(self.amount)));
        put("category", Some(self.category.into()));
        put("priority", Some(self.priority.into()));
        put("name", self.name.clone().map(Value::from));
        put("applicable_meters", self.applicable_meters.clone().map(Value::from));
        put("valid_for", self.valid_for.map(shown));
        put("schedule", self.schedule.as_ref().map(Schedule::value));
        put("rollover", self.rollover.as_ref().map(Rollover::value));
        Value::Object(object)
    }
}

/// Digits as text, so that no reader rounds them.
fn digits(number: Decimal) -> Value {
    number.normalize().to_string().into()
}

fn shown(length: Length) -> Value {
    length.to_string().into()
}

/// A length in either spelling: as one text, or as a number of a unit, zero of which is for ever.
fn length(fields: &Fields<'_>, key: &str, count: &str, unit: &str) -> Checked<Option<Length>> {
    let whole = fields.whole(count, 0..=i32::MAX)?;
    match (fields.get(key), whole, fields.text(unit)?) {
        (None, None | Some(0), _) => Ok(None),
        (None, Some(_), None) => fields.wrong(unit, format!("is required with {count}")),
        (None, Some(whole), Some(name)) => match Length::of(whole, &name.to_ascii_lowercase()) {
            Some(length) => Ok(Some(length)),
            None => fields.wrong(unit, "must be one of: hour, day, week, month, year"),
        },
        (Some(_), Some(_), _) => fields.wrong(count, format!("or {key} is to be given, not both")),
        (Some(Value::String(text)), None, _) => match text.parse() {
            Ok(length) => Ok(Some(length)),
            Err(_) => fields.wrong(key, "must be a length like '30 days', '1 month' or 'P1Y'"),
        },
        (Some(_), None, _) => fields.wrong(key, "must be a length as text, like '30 days'"),
    }
}

impl Schedule {
    /// Reads it; one that is not enabled is none.
    fn read(path: &str, value: &Value) -> Checked<Option<Self>> {
        let known = [
            "enabled",
            "delivery",
            "delivery_mode",
            "every",
            "interval_value",
            "interval_unit",
            "amount_per_grant",
            "first_grant",
            "first_grant_timing",
            "expire_with_next_grant",
            "max_grants_per_period",
        ];
        let fields = Fields::of(path, value, &known)?;
        let delivery = fields.word(fields.spelled("delivery", "delivery_mode")?, &DELIVERIES)?.unwrap_or("invoice");
        let every = length(&fields, "every", "interval_value", "interval_unit")?;
        let amount_per_grant = fields.number("amount_per_grant", amount::over_zero)?;
        let first_grant = fields.word(fields.spelled("first_grant", "first_grant_timing")?, &FIRST_GRANTS)?;
        let schedule = Schedule {
            delivery,
            every,
            amount_per_grant,
            first_grant: first_grant.unwrap_or("immediate"),
            expire_with_next_grant: fields.truth("expire_with_next_grant")?.unwrap_or(false),
            max_grants_per_period: fields.whole("max_grants_per_period", 1..=MOST_GRANTS)?,
        };
        match every {
            None if delivery == "schedule" => {
                return fields.wrong("every", "is required: from one instalment to the next");
            }
            Some(every) if every.months < 0 || every.days < 0 || every.microseconds < 0 => {
                return fields.wrong("every", "must not have a negative part");
            }
            Some(_) if delivery == "invoice" => return fields.wrong("every", "is for the delivery 'schedule'"),
            _ => {}
        }
        if delivery == "invoice" && amount_per_grant.is_some() {
            return fields.wrong("amount_per_grant", "is for the delivery 'schedule'");
        }
        Ok(Some(schedule).filter(|_| fields.truth("enabled").ok().flatten() != Some(false)))
    }

    fn value(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.to_string(), value));
        put("delivery", Some(self.delivery.into()));
        put("every", self.every.map(shown));
        put("amount_per_grant", self.amount_per_grant.map(digits));
        put("first_grant", Some(self.first_grant.into()));
        put("expire_with_next_grant", Some(self.expire_with_next_grant.into()));
        put("max_grants_per_period", self.max_grants_per_period.map(Value::from));
        Value::Object(object)
    }
}
