//! How often a recurring price is due, and how its quantity is found. Pure.

use crate::fields::{Checked, Fields, json};
use serde_json::{Map, Value};

const INTERVALS: [&str; 5] = ["hour", "day", "week", "month", "year"];
const USAGE_TYPES: [&str; 2] = ["licensed", "metered"];
const AGGREGATES: [&str; 4] = ["sum", "max", "last_during_period", "last_ever"];

/// The terms of a recurring price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// The unit of a period.
    pub interval: &'static str,
    /// So many of them are a period.
    pub interval_count: i32,
    /// 'licensed': the quantity is agreed. 'metered': it is reported.
    pub usage_type: &'static str,
    /// What reports within a period add up to; of a metered price.
    pub aggregate_usage: Option<&'static str>,
    /// The meter that reports; of a metered price.
    pub meter: Option<String>,
}

impl Recurring {
    /// Reads it from its JSON text.
    pub fn parse(text: &str) -> Checked<Self> {
        let value = json(text)?;
        let known = ["interval", "interval_count", "usage_type", "aggregate_usage", "meter", "meter_id"];
        let fields = Fields::of("", &value, &known)?;
        let Some(interval) = fields.word("interval", &INTERVALS)? else {
            return fields.wrong("interval", "is required");
        };
        // Ten years at most.
        let most = match interval {
            "hour" => 87_600,
            "day" => 3_650,
            "week" => 520,
            "month" => 120,
            _ => 10,
        };
        let usage_type = fields.word("usage_type", &USAGE_TYPES)?.unwrap_or("licensed");
        let aggregate_usage = fields.word("aggregate_usage", &AGGREGATES)?;
        let meter = fields.spelled("meter", "meter_id")?;
        let is_metered = usage_type == "metered";
        for key in ["aggregate_usage", meter] {
            if fields.get(key).is_some() && !is_metered {
                return fields.wrong(key, "is for the usage_type 'metered'");
            }
        }
        Ok(Recurring {
            interval,
            interval_count: fields.whole("interval_count", 1..=most)?.unwrap_or(1),
            usage_type,
            aggregate_usage: is_metered.then_some(aggregate_usage.unwrap_or("sum")),
            meter: fields.text(meter)?.map(String::from),
        })
    }

    /// As it is stored.
    pub fn value(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.to_string(), value));
        put("interval", Some(self.interval.into()));
        put("interval_count", Some(self.interval_count.into()));
        put("usage_type", Some(self.usage_type.into()));
        put("aggregate_usage", self.aggregate_usage.map(Value::from));
        put("meter", self.meter.clone().map(Value::from));
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(text: &str) -> String {
        Recurring::parse(text).map_or_else(|wrong| wrong.to_string(), |recurring| recurring.value().to_string())
    }

    #[test]
    fn what_is_read_and_what_is_refused() {
        for (text, expected) in [
            (r#"{"interval": "month"}"#, r#"{"interval":"month","interval_count":1,"usage_type":"licensed"}"#),
            (
                r#"{"interval": "day", "interval_count": "7", "usage_type": "metered", "meter_id": "tokens"}"#,
                concat!(
                    r#"{"aggregate_usage":"sum","interval":"day","interval_count":7,"meter":"tokens","#,
                    r#""usage_type":"metered"}"#
                ),
            ),
            ("{}", "is wrong at interval: it is required"),
            (r#"{"interval": "moon"}"#, "is wrong at interval: it must be one of: hour, day, week, month, year"),
            (
                r#"{"interval": "year", "interval_count": 11}"#,
                "is wrong at interval_count: it must be a whole number from 1 to 10",
            ),
            (r#"{"interval": "year", "meter": "tokens"}"#, "is wrong at meter: it is for the usage_type 'metered'"),
            (
                r#"{"interval": "year", "anchor": 1}"#,
                concat!(
                    "is wrong at anchor: it is unknown there; known are interval, interval_count, usage_type, ",
                    "aggregate_usage, meter, meter_id"
                ),
            ),
        ] {
            assert_eq!(stored(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_again(
            interval in 0..INTERVALS.len(), interval_count in 1i32..=10, metered: bool, aggregate in 0..AGGREGATES.len(),
            meter in proptest::option::of("\\PC{1,9}")
        ) {
            let recurring = Recurring {
                interval: INTERVALS[interval],
                interval_count,
                usage_type: USAGE_TYPES[usize::from(metered)],
                aggregate_usage: metered.then_some(AGGREGATES[aggregate]),
                meter: meter.filter(|_| metered),
            };
            prop_assert_eq!(Recurring::parse(&recurring.value().to_string()), Ok(recurring));
        }
    }
}
