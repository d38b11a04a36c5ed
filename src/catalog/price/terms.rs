//! What a price is made of, as it is given, read and checked.

use crate::amount::{self, AmountError, Decimal};
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::credit_config::check::refused;
use crate::catalog::price::recurring::Recurring;
use crate::error::Error;
use crate::fields::{Checked, Fields, json, wrong};
use crate::input;
use crate::input::key::Inputs;
use crate::ledger::{currency, listener};
use crate::metering::pricing::Pricing;
use crate::pg::call::argument::Numeric;
use crate::pg::statement::Session;
use crate::pg::value::Json;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The most decimals of a unit amount: a line is rounded to its currency's.
const DECIMALS: u32 = 12;
/// The most currencies beside the main one.
const MOST_CURRENCIES: usize = 100;
/// The most prices that one call creates.
const MOST_PRICES: usize = 100;

/// As given; JSON as its text.
#[derive(Default, Clone)]
pub struct Given {
    /// 'one_time' or 'recurring'.
    pub kind: Option<String>,
    /// What one unit costs.
    pub unit_amount: Option<Decimal>,
    /// The currency that is paid.
    pub currency: Option<String>,
    /// How often it is due.
    pub recurring: Option<String>,
    /// For the merchant.
    pub nickname: Option<String>,
    /// A name that programs find it by.
    pub lookup_key: Option<String>,
    /// What it costs in other currencies.
    pub currency_options: Option<String>,
    /// What a quantity costs, instead of a unit amount.
    pub pricing: Option<String>,
    /// The most that one checkout may buy.
    pub quantity_limit: Option<i32>,
    /// What one unit grants.
    pub credit_config: Option<String>,
    /// Whether tax comes on top.
    pub tax_behavior: Option<String>,
    /// The application's own.
    pub metadata: Option<String>,
    /// How many there are at first; `None` for any number.
    pub quantity_available: Option<i32>,
}

/// As it is stored.
pub struct Terms {
    /// 'one_time' or 'recurring'.
    pub kind: &'static str,
    /// What one unit costs; `None` where `pricing` says more, or its meter does.
    pub unit_amount: Option<Decimal>,
    /// The currency that is paid.
    pub currency: String,
    /// How often it is due.
    pub recurring: Option<Recurring>,
    /// For the merchant.
    pub nickname: Option<String>,
    /// A name that programs find it by.
    pub lookup_key: Option<String>,
    /// What it costs in other currencies.
    pub options: Vec<CurrencyOption>,
    /// What a quantity costs.
    pub pricing: Option<String>,
    /// The most that one checkout may buy.
    pub quantity_limit: Option<i32>,
    /// What one unit grants; `None` for what the product's does.
    pub config: Option<CreditConfig>,
    /// Whether tax comes on top.
    pub tax_behavior: &'static str,
    /// The application's own.
    pub metadata: Option<String>,
    /// How many there are at first; `None` for any number. It has a table of its own.
    pub quantity_available: Option<i32>,
}

/// What it costs in another currency.
pub struct CurrencyOption {
    currency: String,
    unit_amount: Option<Decimal>,
    pricing: Option<Value>,
}

/// A unit amount as an argument. Raises PC007.
pub fn unit_amount(given: Option<Numeric>) -> Result<Option<Decimal>, Error> {
    input::optional_number("unit_amount", given, fit)
}

/// At least nothing, with at most 12 decimals.
fn fit(number: Decimal) -> Result<Decimal, AmountError> {
    amount::fit(amount::not_negative(number)?, DECIMALS).map(|number| number.normalize())
}

/// The text of an argument that is JSON.
pub fn text(json: Option<Json>) -> Option<String> {
    json.map(|json| json.text())
}

impl Given {
    /// Reads the prices of a new product: an array of objects, with keys as price_create() has parameters. Raises PC013.
    pub fn list(text: &str) -> Result<Vec<Self>, Error> {
        let read = || -> Checked<Vec<Self>> {
            let value = json(text)?;
            let Some(prices) = value.as_array().filter(|prices| prices.len() <= MOST_PRICES) else {
                return wrong("", "must be an array of at most 100 prices");
            };
            prices.iter().enumerate().map(|(index, price)| Given::of(&format!("[{index}]"), price)).collect()
        };
        read().map_err(|wrong| refused("prices", &wrong))
    }

    fn of(path: &str, value: &Value) -> Checked<Self> {
        let known = [
            "type",
            "unit_amount",
            "currency",
            "currency_id",
            "recurring",
            "nickname",
            "lookup_key",
            "currency_options",
            "pricing",
            "quantity_limit_per_checkout",
            "credit_config",
            "tax_behavior",
            "metadata",
            "quantity_available",
        ];
        let fields = Fields::of(path, value, &known)?;
        let text = |key: &str| Ok(fields.text(key)?.map(String::from));
        let json = |key: &str| fields.get(key).map(Value::to_string);
        Ok(Given {
            kind: text("type")?,
            unit_amount: fields.number("unit_amount", fit)?,
            currency: text(fields.spelled("currency", "currency_id")?)?,
            recurring: json("recurring"),
            nickname: text("nickname")?,
            lookup_key: text("lookup_key")?,
            currency_options: json("currency_options"),
            pricing: json("pricing"),
            quantity_limit: fields.whole("quantity_limit_per_checkout", 1..=i32::MAX)?,
            credit_config: json("credit_config"),
            tax_behavior: text("tax_behavior")?,
            metadata: json("metadata"),
            quantity_available: fields.whole("quantity_available", 0..=i32::MAX)?,
        })
    }

    /// What is given, over what is there: a unit amount takes the place of a pricing, and the other way round.
    pub fn over(self, there: Given) -> Given {
        let (unit_amount, pricing) = match (self.unit_amount, self.pricing) {
            (None, None) => (there.unit_amount, there.pricing),
            given => given,
        };
        Given {
            kind: self.kind.or(there.kind),
            unit_amount,
            currency: self.currency.or(there.currency),
            recurring: self.recurring.or(there.recurring),
            nickname: self.nickname.or(there.nickname),
            lookup_key: self.lookup_key.or(there.lookup_key).filter(|key| !key.is_empty()),
            currency_options: self.currency_options.or(there.currency_options),
            pricing,
            quantity_limit: self.quantity_limit.or(there.quantity_limit),
            credit_config: self.credit_config.or(there.credit_config),
            tax_behavior: self.tax_behavior.or(there.tax_behavior),
            metadata: self.metadata.or(there.metadata),
            quantity_available: self.quantity_available.or(there.quantity_available),
        }
    }

    /// Reads what needs nothing to be looked up. Raises PC007, PC013.
    pub fn read(self) -> Result<Terms, Error> {
        let kind = match input::choice("type", self.kind.as_deref(), "one_time", &["one_time", "recurring"])? {
            "recurring" => "recurring",
            _ => "one_time",
        };
        let currency = input::required("currency", self.currency)?;
        let recurring = self.recurring.map(|text| Recurring::parse(&text)).transpose();
        let recurring = recurring.map_err(|wrong| refused("recurring", &wrong))?;
        match (&recurring, kind) {
            (None, "recurring") => return Err(Error::argument("recurring", "is required for the type 'recurring'")),
            (Some(_), "one_time") => return Err(Error::argument("recurring", "is for the type 'recurring'")),
            _ => {}
        }
        if let Some(text) = &self.pricing {
            pricing(text).map_err(|reason| Error::argument("pricing", reason))?;
        }
        let is_metered = recurring.as_ref().is_some_and(|recurring| recurring.meter.is_some());
        match (self.unit_amount, &self.pricing) {
            (Some(_), Some(_)) => {
                return Err(Error::argument("pricing", "or unit_amount is to be given, not both"));
            }
            (None, None) if !is_metered => return Err(Error::missing("unit_amount")),
            _ => {}
        }
        let options = self.currency_options.map(|text| CurrencyOption::list(&text)).transpose();
        if self.quantity_limit.is_some_and(|limit| limit < 1) {
            return Err(Error::argument("quantity_limit_per_checkout", "must be at least 1"));
        }
        if self.quantity_available.is_some_and(|quantity| quantity < 0) {
            return Err(Error::argument("quantity_available", "must be at least 0, or NULL for any number"));
        }
        let tax =
            input::choice("tax_behavior", self.tax_behavior.as_deref(), "exclusive", &["exclusive", "inclusive"])?;
        let tax_behavior = if tax == "inclusive" { "inclusive" } else { "exclusive" };
        input::text("nickname", self.nickname.as_deref())?;
        input::optional_key("lookup_key", self.lookup_key.as_deref())?;
        Ok(Terms {
            kind,
            unit_amount: self.unit_amount,
            currency,
            recurring,
            nickname: self.nickname,
            lookup_key: self.lookup_key,
            options: options.map_err(|wrong| refused("currency_options", &wrong))?.unwrap_or_default(),
            pricing: self.pricing,
            quantity_limit: self.quantity_limit,
            config: self.credit_config.map(|text| CreditConfig::given(&text)).transpose()?,
            tax_behavior,
            metadata: self.metadata,
            quantity_available: self.quantity_available,
        })
    }
}

/// A pricing for a quantity, which has no metadata that a class could be found by.
pub fn pricing(text: &str) -> Result<Pricing, String> {
    match Pricing::parse(text).map_err(|wrong| wrong.to_string())? {
        pricing if pricing.has_classes() => {
            Err(String::from("is wrong at by: it is for meters: a price has one pricing"))
        }
        pricing => Ok(pricing),
    }
}

impl CurrencyOption {
    fn list(text: &str) -> Checked<Vec<Self>> {
        let value = json(text)?;
        let Some(options) = value.as_array().filter(|options| options.len() <= MOST_CURRENCIES) else {
            return wrong("", "must be an array of at most 100 currencies");
        };
        let options =
            options.iter().enumerate().map(|(index, option)| CurrencyOption::of(&format!("[{index}]"), option));
        options.collect()
    }

    fn of(path: &str, value: &Value) -> Checked<Self> {
        let fields = Fields::of(path, value, &["currency", "currency_id", "unit_amount", "pricing"])?;
        let Some(currency) = fields.text(fields.spelled("currency", "currency_id")?)? else {
            return fields.wrong("currency", "is required");
        };
        let unit_amount = fields.number("unit_amount", fit)?;
        let given = fields.get("pricing").cloned();
        if let Some(Err(reason)) = given.as_ref().map(|given| pricing(&given.to_string())) {
            return fields.wrong("pricing", reason);
        }
        if unit_amount.is_some() == given.is_some() {
            return fields.wrong("unit_amount", "or pricing is required, and not both");
        }
        Ok(CurrencyOption { currency: currency.to_string(), unit_amount, pricing: given })
    }

    fn value(&self) -> Value {
        let mut object = Map::new();
        object.insert(String::from("currency"), self.currency.clone().into());
        let amount = self.unit_amount.map(|amount| Value::from(amount.normalize().to_string()));
        amount.map(|amount| object.insert(String::from("unit_amount"), amount));
        self.pricing.clone().map(|pricing| object.insert(String::from("pricing"), pricing));
        Value::Object(object)
    }
}

impl Terms {
    /// Looks up what it needs. Raises PC004, PC008, PC013, PC015.
    pub fn check(&mut self, session: &Session) -> Result<(), Error> {
        currency::resolve(session, &self.currency)?;
        let mut seen = BTreeSet::from([self.currency.as_str()]);
        for option in &self.options {
            currency::resolve(session, &option.currency)?;
            if !seen.insert(&option.currency) {
                let reason = format!("has {} twice, or beside a price in it", option.currency);
                return Err(Error::argument("currency_options", reason));
            }
        }
        if let Some(meter) = self.recurring.as_ref().and_then(|recurring| recurring.meter.as_deref()) {
            listener::meter(session, meter)?;
        }
        self.config = self.config.take().map(|config| config.check(session)).transpose()?;
        Ok(())
    }

    /// What a replay is compared by. The first [`FROZEN`] are frozen once it was used.
    pub fn compared(&self) -> Inputs {
        vec![
            ("type", Some(self.kind.to_string())),
            ("unit_amount", self.unit_amount.map(|amount| amount.normalize().to_string())),
            ("currency", Some(self.currency.clone())),
            ("recurring", self.recurring_text()),
            ("currency_options", self.options_text()),
            ("pricing", self.pricing.as_deref().map(canonical)),
            ("credit_config", self.config_text()),
            ("tax_behavior", Some(self.tax_behavior.to_string())),
            ("quantity_limit_per_checkout", self.quantity_limit.map(|limit| limit.to_string())),
            ("lookup_key", self.lookup_key.clone()),
        ]
    }

    /// As it is stored.
    pub fn recurring_text(&self) -> Option<String> {
        self.recurring.as_ref().map(|recurring| recurring.value().to_string())
    }

    /// As they are stored.
    pub fn options_text(&self) -> Option<String> {
        let options = self.options.iter().map(CurrencyOption::value).collect::<Vec<_>>();
        (!options.is_empty()).then(|| Value::Array(options).to_string())
    }

    /// As it is stored.
    pub fn config_text(&self) -> Option<String> {
        self.config.as_ref().map(|config| config.value().to_string())
    }
}

/// How many of what a price is compared by are frozen.
pub const FROZEN: usize = 8;

/// The same text for the same JSON, whatever order its keys were in.
fn canonical(text: &str) -> String {
    json(text).map_or_else(|_| text.to_string(), |value| value.to_string())
}
