//! What is in a cart: line items as they are given in JSON, by checkout sessions and payment links, and what they come to.

use crate::amount::{self, Decimal};
use crate::catalog::price::offer::{self, Offer};
use crate::catalog::usage;
use crate::error::Error;
use crate::invoicing::engine::{Part, Totals};
use crate::invoicing::line::given::{self, Given};
use crate::invoicing::line::{self, New};
use crate::nearest::nearest;
use crate::pg::statement::Session;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use uuid::Uuid;

/// The most line items of a cart.
const MOST_ITEMS: usize = 100;
/// What a caller may say of one.
const KEYS: [&str; 9] = [
    "price_id",
    "lookup_key",
    "quantity",
    "adjustable_quantity",
    "custom_amount",
    "description",
    "tax_rate",
    "tax_behavior",
    "metadata",
];
/// What adjustable_quantity may have.
const ADJUSTABLE: [&str; 3] = ["enabled", "minimum", "maximum"];

/// A line item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The price.
    pub price_id: Uuid,
    /// How many.
    pub quantity: i32,
    /// How many they may be: the fewest and the most. `None` where the customer cannot change it.
    pub adjustable: Option<(i32, i32)>,
    /// What all of them cost, instead of what the price says.
    pub custom_amount: Option<Decimal>,
    /// In percent; `None` for the session's.
    pub tax_rate: Option<Decimal>,
    /// 'exclusive' or 'inclusive'; `None` for the price's.
    pub tax_behavior: Option<String>,
    /// For people; `None` for the product's name.
    pub description: Option<String>,
    /// The application's own, as JSON.
    pub metadata: Option<String>,
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::argument("line_items", reason)
}

fn shape() -> Error {
    wrong("must be a JSON array of objects")
}

/// Reads line items as a caller gives them, each by price_id or lookup_key. Raises PC007, PC013, PC019.
pub fn read(session: &Session, text: &str) -> Result<Vec<Item>, Error> {
    let value: Value = serde_json::from_str(text).map_err(|_| shape())?;
    let given = value.as_array().ok_or_else(shape)?;
    if given.is_empty() || given.len() > MOST_ITEMS {
        return Err(wrong(format!("must be from 1 to {MOST_ITEMS}: they are {}", given.len())));
    }
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(given.len());
    for object in given {
        let object = object.as_object().ok_or_else(shape)?;
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::UnknownKey { argument: "line_items", key: key.clone(), nearest: nearest(key, KEYS) });
        }
        let item = Item::read(session, object)?;
        if !seen.insert(item.price_id) {
            return Err(wrong(format!("must have each price once: {} is there twice", item.price_id)));
        }
        items.push(item);
    }
    Ok(items)
}

/// Line items as they were written down, with what else is said there of each. Raises XX001.
pub fn stored(session: &Session, text: &str) -> Result<Vec<Item>, Error> {
    let lost = || Error::internal("a cart cannot be read");
    let value: Value = serde_json::from_str(text).map_err(|_| lost())?;
    let items = value.as_array().ok_or_else(lost)?;
    items.iter().map(|item| Item::read(session, item.as_object().ok_or_else(lost)?)).collect()
}

impl Item {
    fn read(session: &Session, object: &Map<String, Value>) -> Result<Self, Error> {
        let get = |key: &str| object.get(key).filter(|value| !value.is_null());
        let lookup_key = given::text("lookup_key", get("lookup_key"))?;
        let price_id = match (given::price_id(get("price_id"))?, lookup_key) {
            (Some(_), Some(_)) => {
                return Err(Error::argument("lookup_key", "or price_id is to be given, not both"));
            }
            (Some(price_id), None) => price_id,
            (None, Some(key)) => offer::id_of(session, key.as_str())?,
            (None, None) => return Err(wrong("must each have a price_id or a lookup_key")),
        };
        let quantity = match get("quantity") {
            None => 1,
            Some(given) => count("quantity", given)?,
        };
        let adjustable = get("adjustable_quantity").map(adjustable).transpose()?.flatten();
        if let Some((fewest, most)) = adjustable.filter(|(fewest, most)| !(*fewest..=*most).contains(&quantity)) {
            let reason = format!("must be from {fewest} to {most}, as adjustable_quantity says: it is {quantity}");
            return Err(Error::argument("quantity", reason));
        }
        Ok(Item {
            price_id,
            quantity,
            adjustable,
            custom_amount: given::number("custom_amount", get("custom_amount"), amount::not_negative)?,
            tax_rate: given::number("tax_rate", get("tax_rate"), given::rate)?,
            tax_behavior: given::behavior(given::text("tax_behavior", get("tax_behavior"))?)?,
            description: given::text("description", get("description"))?,
            metadata: given::object_text(get("metadata"))?,
        })
    }

    fn given(&self) -> Given {
        Given {
            price_id: Some(self.price_id),
            quantity: Some(self.quantity.into()),
            custom_amount: self.custom_amount,
            tax_rate: self.tax_rate,
            tax_behavior: self.tax_behavior.clone(),
            description: self.description.clone(),
            metadata: self.metadata.clone(),
            ..Given::default()
        }
    }

    /// It as it is written down.
    fn value(&self) -> Map<String, Value> {
        let number = |number: Option<Decimal>| number.map(|number| number.normalize().to_string());
        let adjustable =
            self.adjustable.map(|(minimum, maximum)| json!({"enabled": true, "minimum": minimum, "maximum": maximum}));
        let metadata: Option<Value> = self.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok());
        let all = [
            ("price_id", json!(self.price_id)),
            ("quantity", json!(self.quantity)),
            ("adjustable_quantity", json!(adjustable)),
            ("custom_amount", json!(number(self.custom_amount))),
            ("tax_rate", json!(number(self.tax_rate))),
            ("tax_behavior", json!(self.tax_behavior)),
            ("description", json!(self.description)),
            ("metadata", json!(metadata)),
        ];
        all.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.to_string(), value)).collect()
    }

    /// What a replay is compared with: what it costs, and nothing that is for people.
    fn compared(&self) -> String {
        self.given().compared()
    }
}

/// A number of units: whole, from 1.
fn count(argument: &'static str, given: &Value) -> Result<i32, Error> {
    let text = match given {
        Value::String(text) => text.clone(),
        given => given.to_string(),
    };
    let whole = text.parse::<i32>().ok().filter(|count| *count >= 1);
    whole.ok_or_else(|| Error::argument(argument, format!("must be a whole number from 1: it is {text}")))
}

/// Between which numbers a customer may change the quantity, if at all.
fn adjustable(given: &Value) -> Result<Option<(i32, i32)>, Error> {
    let wrong = |reason: String| Error::argument("adjustable_quantity", reason);
    let object = given.as_object().ok_or_else(|| wrong(String::from("must be a JSON object")))?;
    if let Some(key) = object.keys().find(|key| !ADJUSTABLE.contains(&key.as_str())) {
        let nearest = nearest(key, ADJUSTABLE);
        return Err(Error::UnknownKey { argument: "adjustable_quantity", key: key.clone(), nearest });
    }
    let get = |key: &str| object.get(key).filter(|value| !value.is_null());
    match get("enabled") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(None),
        Some(_) => return Err(wrong(String::from("must have true or false as enabled"))),
    }
    let fewest = get("minimum").map_or(Ok(1), |given| count("minimum", given))?;
    let most = get("maximum").map_or(Ok(i32::MAX), |given| count("maximum", given))?;
    if fewest > most {
        return Err(wrong(format!("must not have a minimum above its maximum: {fewest} and {most}")));
    }
    Ok(Some((fewest, most)))
}

/// Changes quantities as a customer does: an object of how many, by price_id or lookup_key. Raises PC013, PC019.
pub fn adjust(session: &Session, items: &mut [Item], text: &str) -> Result<(), Error> {
    let wrong = |reason: String| Error::argument("quantities", reason);
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let shape = || wrong(String::from("must be a JSON object of how many, by price_id or lookup_key"));
    for (key, given) in value.as_object().ok_or_else(shape)? {
        let price_id = Uuid::parse_str(key).or_else(|_| offer::id_of(session, key))?;
        let found = items.iter_mut().find(|item| item.price_id == price_id);
        let item = found.ok_or_else(|| wrong(format!("must be of prices in the cart: {key} is none")))?;
        let fixed = || wrong(format!("must be of prices with an adjustable_quantity: {key} has none"));
        let (fewest, most) = item.adjustable.ok_or_else(fixed)?;
        let quantity = count("quantities", given)?;
        if !(fewest..=most).contains(&quantity) {
            return Err(wrong(format!("must be from {fewest} to {most} of {key}: it is {quantity}")));
        }
        item.quantity = quantity;
    }
    Ok(())
}

/// The currency of a cart: that which is given, or else that of its first price. Raises PC015.
pub fn currency_of(session: &Session, given: Option<&str>, items: &[Item]) -> Result<String, Error> {
    if let Some(given) = given {
        return Ok(given.to_string());
    }
    let first = items.first().ok_or_else(shape)?;
    Ok(offer::find(session, first.price_id)?.currency)
}

/// What a cart comes to.
pub struct Priced {
    /// Its lines.
    pub lines: Vec<New>,
    /// What they come to.
    pub totals: Totals,
}

impl Item {
    /// Raises PC013 where it is more than one checkout may buy.
    pub fn check_limit(&self, offer: &Offer) -> Result<(), Error> {
        match offer.quantity_limit.filter(|limit| self.quantity > *limit) {
            Some(limit) => {
                Err(Error::argument("quantity", format!("must be at most {limit}, which one checkout may buy")))
            }
            None => Ok(()),
        }
    }

    /// It as a line that is paid once; where it is sold already, whether or not it is on sale still. Raises PC007, PC008,
    /// PC013, PC015.
    pub fn line(&self, session: &Session, code: &str, decimals: u32, is_sold: bool) -> Result<New, Error> {
        line::price(session, Uuid::now_v7(), Given { is_sold, ..self.given() }, code, decimals)
    }

    /// Raises PC013 where it says how many there are of what is metered.
    pub fn check_metered(&self) -> Result<(), Error> {
        let reason = "is for a price whose quantity is agreed: this one is metered";
        match self {
            Item { adjustable: Some(_), .. } => Err(Error::argument("adjustable_quantity", reason)),
            Item { quantity: 1, .. } => Ok(()),
            _ => Err(Error::argument("quantity", reason)),
        }
    }

    /// Raises PC013 where it says of a recurring price what is for one that is paid once.
    pub fn check_recurring(&self) -> Result<(), Error> {
        let once = [
            ("custom_amount", self.custom_amount.is_some()),
            ("tax_rate", self.tax_rate.is_some()),
            ("tax_behavior", self.tax_behavior.is_some()),
            ("description", self.description.is_some()),
        ];
        match once.into_iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => Err(Error::argument(key, "is for a price that is paid once: this one is recurring")),
            None => Ok(()),
        }
    }
}

impl Priced {
    /// Takes so much off each line.
    pub fn take_off(&mut self, per_line: &[Decimal], tax_rate: Option<Decimal>, decimals: u32) -> Result<(), Error> {
        for (line, off) in self.lines.iter_mut().zip(per_line) {
            line.take_off(*off);
        }
        self.totals = line::totals(&self.lines, tax_rate, decimals)?;
        Ok(())
    }
}

/// What is taken off each item of a cart, as it was written down.
pub fn stored_discounts(text: &str) -> Vec<Decimal> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let off = |item: &Value| {
        let text = item.get("amount_discount").and_then(Value::as_str);
        text.and_then(|text| amount::parse(text).ok()).unwrap_or_default()
    };
    value.as_array().map(|items| items.iter().map(off).collect()).unwrap_or_default()
}

/// What these lines come to. Raises PC007.
pub fn priced(lines: Vec<New>, tax_rate: Option<Decimal>, decimals: u32) -> Result<Priced, Error> {
    let totals = line::totals(&lines, tax_rate, decimals)?;
    Ok(Priced { lines, totals })
}

/// Records that all prices of a cart are used, so that what it comes to stays what it is.
pub fn record_use(session: &Session, items: &[Item]) -> Result<(), Error> {
    // In one order, since others may do the same.
    let mut prices: Vec<Uuid> = items.iter().map(|item| item.price_id).collect();
    prices.sort();
    prices.into_iter().try_for_each(|price_id| usage::record(session, price_id))
}

/// A cart as it is written down, each item with what it comes to where that is known.
pub fn written(items: &[Item], priced: Option<&Priced>) -> String {
    let mut all: Vec<Map<String, Value>> = items.iter().map(Item::value).collect();
    if let Some(Priced { lines, totals }) = priced {
        for (item, (line, part)) in all.iter_mut().zip(lines.iter().zip(&totals.parts)) {
            if line.sold().is_none() {
                item.remove("quantity");
            }
            item.extend(said(line, part));
        }
    }
    Value::Array(all.into_iter().map(Value::Object).collect()).to_string()
}

/// What a line comes to, and what its payment grants.
fn said(line: &New, part: &Part) -> Map<String, Value> {
    let text = |amount: Decimal| json!(amount.normalize().to_string());
    let mut said: Map<String, Value> = [
        ("name", json!(line.description())),
        ("amount", text(line.amount())),
        ("amount_discount", text(part.discount)),
        ("amount_tax", text(part.tax)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_string(), value))
    .collect();
    if let Some((currency, credits)) = line.credits() {
        said.insert(String::from("credits"), text(credits));
        said.insert(String::from("credit_currency"), json!(currency));
    }
    said
}

/// What a replay is compared with.
pub fn compared(items: &[Item]) -> String {
    items.iter().map(Item::compared).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_whole_and_within_their_limits() {
        assert_eq!(count("quantity", &json!(3)).unwrap(), 3);
        assert_eq!(count("quantity", &json!("3")).unwrap(), 3);
        for given in [json!(0), json!(-1), json!(1.5), json!("x"), json!(null), json!(2147483648u64)] {
            assert_eq!(count("quantity", &given).unwrap_err().sqlstate(), "PC013", "{given}");
        }
        assert_eq!(adjustable(&json!({})).unwrap(), Some((1, i32::MAX)));
        assert_eq!(adjustable(&json!({"enabled": true, "minimum": 2, "maximum": 5})).unwrap(), Some((2, 5)));
        assert_eq!(adjustable(&json!({"enabled": false, "maximum": 5})).unwrap(), None);
        for given in [json!(1), json!({"min": 1}), json!({"enabled": 1}), json!({"minimum": 3, "maximum": 2})] {
            assert_eq!(adjustable(&given).unwrap_err().sqlstate(), "PC013", "{given}");
        }
    }
}
