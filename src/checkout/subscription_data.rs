//! What a checkout session, or a payment link, says of the subscription that it begins: read from JSON, checked when it is set,
//! and stored in one form. docs/reference/subscriptions.md explains it to users. Pure.
//!
//! ```text
//! subscription_data = { "trial_period_days": 0 to 3650, "trial_end": moment,
//!                       "trial_end_behavior": "charge" | "cancel" | "pause", "billing_cycle_anchor": moment,
//!                       "days_until_due": days, "days_until_cancel": days,
//!                       "proration_behavior": "create_prorations" | "always_invoice" | "none",
//!                       "cancel_at_period_end": boolean, "description": text, "metadata": object,
//!                       "service_actions": [{ "type": text, "trigger_events": [event name, …], … }, …] }
//! ```

use crate::error::Error;
use crate::fields::{Checked, Fields, Wrong, json, wrong};
use crate::invoicing::line::given;
use crate::moment::{DAY, Time};
use crate::outbox::billing_event::EventType;
use crate::subscriptions::checkout::{BEHAVIORS, MOST_DAYS, PRORATIONS};
use serde_json::{Map, Value};

const KEYS: [&str; 11] = [
    "trial_period_days",
    "trial_end",
    "trial_end_behavior",
    "billing_cycle_anchor",
    "days_until_due",
    "days_until_cancel",
    "proration_behavior",
    "cancel_at_period_end",
    "description",
    "metadata",
    "service_actions",
];
/// The most things that are to be done.
const MOST_ACTIONS: usize = 20;

/// What is said of a subscription. What is left out is as subscription_create() has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SubscriptionData {
    /// How long its trial is, in days.
    pub trial_period_days: Option<i32>,
    /// Or when that ends.
    pub trial_end: Option<Time>,
    /// What that brings where nothing can be charged.
    pub trial_end_behavior: Option<&'static str>,
    /// From when its periods are counted.
    pub billing_cycle_anchor: Option<Time>,
    /// When its invoices are due, where they are sent.
    pub days_until_due: Option<i32>,
    /// When it is canceled where they are not paid.
    pub days_until_cancel: Option<i32>,
    /// What becomes of the money where items change.
    pub proration_behavior: Option<&'static str>,
    /// Whether it ends with its first period.
    pub cancel_at_period_end: bool,
    /// For people.
    pub description: Option<String>,
    /// The application's own: an object.
    pub metadata: Option<Value>,
    /// What is to be done at events of it.
    pub service_actions: Option<Value>,
}

/// Reads what a caller gives. Raises PC013.
pub fn read(text: &str) -> Result<SubscriptionData, Error> {
    SubscriptionData::parse(text).map_err(|wrong: Wrong| Error::argument("subscription_data", wrong.to_string()))
}

/// As it was written down. Raises XX001.
pub fn stored(text: &str) -> Result<SubscriptionData, Error> {
    SubscriptionData::parse(text).map_err(|_| Error::internal("what is said of a subscription cannot be read"))
}

impl SubscriptionData {
    fn parse(text: &str) -> Checked<Self> {
        let value = json(text)?;
        let fields = Fields::of("", &value, &KEYS)?;
        if fields.get("trial_end").is_some() && fields.get("trial_period_days").is_some() {
            return fields.wrong("trial_end", "or trial_period_days is to be given, not both");
        }
        Ok(SubscriptionData {
            trial_period_days: fields.whole("trial_period_days", 0..=MOST_DAYS)?,
            trial_end: moment(&fields, "trial_end")?,
            trial_end_behavior: fields.word("trial_end_behavior", &BEHAVIORS)?,
            billing_cycle_anchor: moment(&fields, "billing_cycle_anchor")?,
            days_until_due: fields.whole("days_until_due", 0..=MOST_DAYS)?,
            days_until_cancel: fields.whole("days_until_cancel", 0..=MOST_DAYS)?,
            proration_behavior: fields.word("proration_behavior", &PRORATIONS)?,
            cancel_at_period_end: fields.truth("cancel_at_period_end")?.unwrap_or(false),
            description: fields.text("description")?.map(String::from),
            metadata: match fields.get("metadata") {
                Some(given) if !given.is_object() => return fields.wrong("metadata", "must be a JSON object"),
                given => given.cloned(),
            },
            service_actions: fields.get("service_actions").map(|given| actions(&fields, given)).transpose()?,
        })
    }

    /// Raises PC013 where its trial is to end in the past.
    pub fn check(&self, now: Time) -> Result<(), Error> {
        match self.trial_end.filter(|end| *end <= now) {
            Some(_) => Err(Error::argument("subscription_data", "is wrong at trial_end: it must be a moment to come")),
            None => Ok(()),
        }
    }

    /// When its trial ends where it begins then; `None` for no trial, and where that is over.
    pub fn trial(&self, begins: Time) -> Option<Time> {
        let days = self.trial_period_days.filter(|days| *days > 0);
        let end = self.trial_end.or_else(|| days.map(|days| Time(begins.0.saturating_add(DAY * i64::from(days)))));
        end.filter(|end| *end > begins)
    }

    /// As it is stored: what was left out is not there.
    pub fn value(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.to_string(), value));
        let moment = |at: Option<Time>| at.and_then(Time::rfc3339).map(Value::from);
        put("trial_period_days", self.trial_period_days.map(Value::from));
        put("trial_end", moment(self.trial_end));
        put("trial_end_behavior", self.trial_end_behavior.map(Value::from));
        put("billing_cycle_anchor", moment(self.billing_cycle_anchor));
        put("days_until_due", self.days_until_due.map(Value::from));
        put("days_until_cancel", self.days_until_cancel.map(Value::from));
        put("proration_behavior", self.proration_behavior.map(Value::from));
        put("cancel_at_period_end", self.cancel_at_period_end.then_some(Value::Bool(true)));
        put("description", self.description.clone().map(Value::from));
        put("metadata", self.metadata.clone());
        put("service_actions", self.service_actions.clone());
        Value::Object(object)
    }

    /// What a replay is compared with: a trial of so many days ends at another moment in each call.
    pub fn compared(&self) -> String {
        let trial = self.trial_end.map_or(self.trial_period_days.unwrap_or_default(), |_| -1);
        let behaviors = (self.trial_end_behavior, self.proration_behavior, self.cancel_at_period_end);
        format!("subscription {trial} {:?} {behaviors:?}", self.billing_cycle_anchor.and_then(Time::rfc3339))
    }
}

/// A moment: RFC 3339, or in seconds since 1970.
fn moment(fields: &Fields<'_>, key: &str) -> Checked<Option<Time>> {
    let Some(given) = fields.get(key) else { return Ok(None) };
    match given::moment(given).filter(|at| at.is_finite()) {
        Some(at) => Ok(Some(at)),
        None => fields.wrong(key, "must be a time with its offset, like 2026-03-01T00:00:00Z"),
    }
}

/// What is to be done at events of it: each with the names of those, in either spelling, and whatever else it says.
fn actions(fields: &Fields<'_>, given: &Value) -> Checked<Value> {
    let all = given.as_array().filter(|all| (1..=MOST_ACTIONS).contains(&all.len()));
    let Some(all) = all else {
        return fields.wrong("service_actions", format!("must be an array of 1 to {MOST_ACTIONS} objects"));
    };
    let mut stored = Vec::with_capacity(all.len());
    for (no, action) in all.iter().enumerate() {
        let path = format!("service_actions[{no}]");
        let Some(object) = action.as_object() else { return wrong(&path, "must be a JSON object") };
        let (snake, camel) = ("trigger_events", "triggerEvents");
        let named = object.get(snake).or_else(|| object.get(camel));
        let events = named.and_then(Value::as_array).filter(|events| !events.is_empty());
        let Some(events) = events else {
            return wrong(&path, format!("must have an array of event names as {snake}"));
        };
        if let Some(event) = events.iter().find(|event| !event.as_str().is_some_and(EventType::is_of_subscription)) {
            return wrong(&path, format!("must name events of subscriptions as {snake}: {event} is none"));
        }
        let mut kept = object.clone();
        kept.remove(camel);
        kept.insert(String::from(snake), Value::Array(events.clone()));
        stored.push(Value::Object(kept));
    }
    Ok(Value::Array(stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_stored_and_read_again() {
        let text = r#"{"trial_period_days": 14, "trial_end_behavior": "pause", "days_until_due": 7, "days_until_cancel": 3,
            "billing_cycle_anchor": "2026-03-01T00:00:00Z", "proration_behavior": "none", "cancel_at_period_end": true,
            "description": "Pro", "metadata": {"a": 1}, "service_actions": [{"type": "notification", "link": "x",
            "triggerEvents": ["customer.subscription.past_due"]}]}"#;
        let data = read(text).unwrap();
        assert_eq!(stored(&data.value().to_string()).unwrap(), data);
        assert_eq!(
            data.value()["service_actions"][0]["trigger_events"][0].as_str(),
            Some("customer.subscription.past_due")
        );
        assert_eq!(read("{}").unwrap(), SubscriptionData::default());
        assert_eq!(read("{}").unwrap().value().to_string(), "{}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("[]", "JSON object"),
            (r#"{"trial": 1}"#, "trial"),
            (r#"{"trial_period_days": -1}"#, "trial_period_days"),
            (r#"{"trial_period_days": 3651}"#, "trial_period_days"),
            (r#"{"trial_period_days": 1, "trial_end": "2026-03-01T00:00:00Z"}"#, "trial_end"),
            (r#"{"trial_end": "tomorrow"}"#, "trial_end"),
            (r#"{"trial_end_behavior": "stop"}"#, "trial_end_behavior"),
            (r#"{"cancel_at_period_end": 1}"#, "cancel_at_period_end"),
            (r#"{"metadata": []}"#, "metadata"),
            (r#"{"service_actions": []}"#, "service_actions"),
            (r#"{"service_actions": [1]}"#, "service_actions[0]"),
            (r#"{"service_actions": [{}]}"#, "trigger_events"),
            (r#"{"service_actions": [{"trigger_events": ["invoice.paid"]}]}"#, "invoice.paid"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.sqlstate(), "PC013", "{text}");
            assert!(error.to_string().contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_trial_counts_from_the_beginning() {
        let data = read(r#"{"trial_period_days": 2}"#).unwrap();
        assert_eq!(data.trial(Time(0)), Some(Time(2 * DAY)));
        assert_eq!(read(r#"{"trial_period_days": 0}"#).unwrap().trial(Time(0)), None);
        let fixed = read(r#"{"trial_end": "2026-03-01T00:00:00Z"}"#).unwrap();
        let end = fixed.trial_end.unwrap();
        assert_eq!((fixed.trial(Time(0)), fixed.trial(end)), (Some(end), None));
        assert!(fixed.check(Time(0)).is_ok() && fixed.check(end).is_err());
    }
}
