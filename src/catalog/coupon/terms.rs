//! What a coupon is made of, as it is given, read and checked.

#[cfg(test)]
mod tests;

use crate::amount::{self, AmountError, Decimal};
use crate::catalog::coupon::rows;
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::credit_config::check::refused;
use crate::catalog::discount::{Amounts, CouponTerms, Off, amounts};
use crate::error::Error;
use crate::fields::json;
use crate::input;
use crate::input::key::Inputs;
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::call::argument::ArrayOf;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use pgrx::pg_sys::UUIDARRAYOID;
use serde_json::Value;
use uuid::Uuid;

/// Off how many invoices of a subscription.
const DURATIONS: [&str; 3] = ["once", "repeating", "forever"];
/// The longest that it repeats, in months.
const MOST_MONTHS: i32 = 1_200;
/// The most products that one names.
const MOST_PRODUCTS: usize = 1_000;
/// The most decimals of a percentage.
const PERCENT_DECIMALS: u32 = 12;
/// What coupon_update() takes for no limit.
pub const UNLIMITED: i32 = -1;
const AMOUNT_OFF: &str = "amount_off";

/// As given; JSON as its text.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What people call it.
    pub name: Option<String>,
    /// For the merchant.
    pub description: Option<String>,
    /// So many percent off.
    pub percent_off: Option<Decimal>,
    /// Or so much off.
    pub amount_off: Option<Decimal>,
    /// The currency of that.
    pub currency: Option<String>,
    /// How much in other currencies.
    pub currency_options: Option<String>,
    /// Or the credits that it gives.
    pub credit_config: Option<String>,
    /// One of [`DURATIONS`].
    pub duration: Option<String>,
    /// For how many months it repeats.
    pub months: Option<i32>,
    /// Off which products.
    pub products: Option<Vec<Uuid>>,
    /// How often it may be used in all.
    pub max_redemptions: Option<i32>,
    /// How often by one customer.
    pub per_customer: Option<i32>,
    /// The last moment at which it may be used.
    pub redeem_by: Option<Time>,
    /// Whether it is switched on.
    pub active: Option<bool>,
    /// The application's own.
    pub metadata: Option<String>,
}

/// What it does.
#[derive(Debug, Clone)]
pub enum What {
    /// So many percent off.
    Percent(Decimal),
    /// So much off: in its currency, and in others.
    Amount(Decimal, String, Amounts),
    /// Credits.
    Credits(Box<CreditConfig>),
}

/// The same as columns.
#[derive(Debug, Default)]
pub struct Columns {
    /// So many percent off.
    pub percent_off: Option<Decimal>,
    /// So much off.
    pub amount_off: Option<Decimal>,
    /// The currency of that.
    pub currency: Option<String>,
    /// How much in other currencies, as JSON.
    pub currency_options: Option<String>,
    /// The credits, as JSON.
    pub credit_config: Option<String>,
}

/// As it is stored.
#[derive(Debug, Clone)]
pub struct Coupon {
    /// What people call it.
    pub name: String,
    /// For the merchant.
    pub description: Option<String>,
    /// What it does.
    pub what: What,
    /// One of [`DURATIONS`].
    pub duration: &'static str,
    /// For how many months it repeats.
    pub months: Option<i32>,
    /// Off which products; `None` for all.
    pub products: Option<Vec<Uuid>>,
    /// How often it may be used in all; `None` for any number. It has a table of its own.
    pub max_redemptions: Option<i32>,
    /// How often by one customer, as it is said.
    pub said_per_customer: Option<i32>,
    /// The last moment at which it may be used.
    pub redeem_by: Option<Time>,
    /// Whether it is switched on.
    pub active: bool,
    /// The application's own.
    pub metadata: Option<String>,
}

/// A percentage: above 0, at most 100.
pub fn percent(number: Decimal) -> Result<Decimal, AmountError> {
    match amount::over_zero(number)? {
        number if number > Decimal::ONE_HUNDRED => Err(AmountError::OverHundred),
        number => amount::fit(number, PERCENT_DECIMALS),
    }
}

/// A moment that is one, or `other` where that removes it. Raises PC013.
pub fn moment(argument: &'static str, given: Option<Time>, other: Option<Time>) -> Result<Option<Time>, Error> {
    match given {
        Some(at) if !at.is_finite() && Some(at) != other => {
            Err(Error::argument(argument, "must be a moment, not infinity"))
        }
        at => Ok(at),
    }
}

/// A limit that counts. Raises PC013.
pub fn limit(argument: &'static str, given: Option<i32>, least: i32) -> Result<Option<i32>, Error> {
    match given {
        Some(given) if given < 1 && given != least => {
            let or = if least == UNLIMITED { ", or -1 for any number" } else { ", or NULL for any number" };
            Err(Error::argument(argument, format!("must be at least 1{or}")))
        }
        given => Ok(given),
    }
}

/// Products as an argument. Raises PC013.
pub fn products(given: Option<ArrayOf<Uuid>>) -> Result<Option<Vec<Uuid>>, Error> {
    const ARGUMENT: &str = "applies_to_products";
    let Some(given) = given else { return Ok(None) };
    let given = given.elements(ARGUMENT)?;
    if given.len() > MOST_PRODUCTS {
        return Err(Error::argument(ARGUMENT, format!("must have at most {MOST_PRODUCTS} elements")));
    }
    let mut products = given
        .into_iter()
        .map(|id| id.ok_or_else(|| Error::argument(ARGUMENT, "must not have NULL among its ids")))
        .collect::<Result<Vec<_>, _>>()?;
    products.sort();
    products.dedup();
    Ok(Some(products))
}

impl Given {
    /// What is given, over what is there: what it does takes the place of what it did.
    pub fn over(self, there: Given) -> Given {
        let does = self.percent_off.is_some() || self.amount_off.is_some() || self.credit_config.is_some();
        let (percent_off, amount_off, credit_config) = match does {
            true => (self.percent_off, self.amount_off, self.credit_config),
            false => (there.percent_off, there.amount_off, there.credit_config),
        };
        let is_amount = amount_off.is_some();
        let repeats = self.duration.as_deref().is_none_or(|duration| duration == DURATIONS[1]);
        Given {
            name: self.name.or(there.name),
            description: self.description.or(there.description),
            percent_off,
            amount_off,
            currency: self.currency.or(there.currency.filter(|_| is_amount)),
            currency_options: self.currency_options.or(there.currency_options.filter(|_| is_amount)),
            credit_config,
            duration: self.duration.or(there.duration),
            months: self.months.or(there.months.filter(|_| repeats)),
            products: self.products.or(there.products).filter(|products| !products.is_empty()),
            max_redemptions: self.max_redemptions.or(there.max_redemptions).filter(|most| *most != UNLIMITED),
            per_customer: self.per_customer.or(there.per_customer).filter(|most| *most != UNLIMITED),
            redeem_by: self.redeem_by.or(there.redeem_by).filter(|at| *at != Time::NEVER),
            active: self.active.or(there.active),
            metadata: self.metadata.or(there.metadata),
        }
    }

    /// Reads what needs nothing to be looked up. Raises PC007, PC013.
    pub fn read(self) -> Result<Coupon, Error> {
        let name = input::key("name", self.name.as_deref())?.to_string();
        input::text("description", self.description.as_deref())?;
        let options = self.currency_options.map(|text| options(&text)).transpose()?.unwrap_or_default();
        let what = match (self.percent_off, self.amount_off, self.credit_config) {
            (Some(percent), None, None) => What::Percent(percent),
            (None, Some(amount), None) => {
                let currency = self.currency.clone().ok_or_else(|| Error::missing("currency"))?;
                if options.contains_key(&currency) {
                    let reason = format!("has {currency}, which amount_off is in");
                    return Err(Error::argument("currency_options", reason));
                }
                What::Amount(amount.normalize(), currency, options.clone())
            }
            (None, None, Some(text)) => What::Credits(Box::new(credits(&text)?)),
            (None, None, None) => {
                return Err(Error::argument("percent_off", "is required, or amount_off, or credit_config"));
            }
            _ => {
                return Err(Error::argument(
                    "percent_off",
                    "or amount_off or credit_config is to be given, one of them",
                ));
            }
        };
        if !matches!(what, What::Amount(..)) {
            if self.currency.is_some() {
                return Err(Error::argument("currency", "is for amount_off"));
            }
            if !options.is_empty() {
                return Err(Error::argument("currency_options", "is for amount_off"));
            }
        }
        let duration = input::choice("duration", self.duration.as_deref(), DURATIONS[0], &DURATIONS)?;
        let duration = DURATIONS.into_iter().find(|known| *known == duration).unwrap_or(DURATIONS[0]);
        match self.months {
            None if duration == DURATIONS[1] => return Err(Error::missing("duration_in_months")),
            Some(_) if duration != DURATIONS[1] => {
                return Err(Error::argument("duration_in_months", "is for the duration 'repeating'"));
            }
            Some(months) if !(1..=MOST_MONTHS).contains(&months) => {
                return Err(Error::argument("duration_in_months", format!("must be from 1 to {MOST_MONTHS}")));
            }
            _ => {}
        }
        if matches!(what, What::Credits(_)) {
            if duration != DURATIONS[0] {
                return Err(Error::argument("duration", "of a voucher must be 'once': it gives its credits at once"));
            }
            if self.products.is_some() {
                return Err(Error::argument("applies_to_products", "is for what takes something off"));
            }
        }
        if self.products.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::argument("applies_to_products", "must name a product, or be NULL for all"));
        }
        Ok(Coupon {
            name,
            description: self.description,
            what,
            duration,
            months: self.months,
            products: self.products,
            max_redemptions: limit("max_redemptions", self.max_redemptions, 1)?,
            said_per_customer: limit("max_redemptions_per_customer", self.per_customer, 1)?,
            redeem_by: moment("redeem_by", self.redeem_by, None)?,
            active: self.active.unwrap_or(true),
            metadata: self.metadata,
        })
    }
}

fn options(text: &str) -> Result<Amounts, Error> {
    let read = json(text).and_then(|value| amounts::read("", &value, AMOUNT_OFF));
    read.map_err(|wrong| refused("currency_options", &wrong))
}

/// The credits that it gives: nobody paid for them, unless they say otherwise.
fn credits(text: &str) -> Result<CreditConfig, Error> {
    let mut value = json(text).map_err(|wrong| refused("credit_config", &wrong))?;
    if let Some(object) = value.as_object_mut()
        && object.get("category").is_none_or(Value::is_null)
    {
        object.insert(String::from("category"), "promotional".into());
    }
    let config = CreditConfig::given(&value.to_string())?;
    if config.schedule.is_some() || config.rollover.is_some() {
        return Err(Error::argument("credit_config", "of a coupon must have no schedule and no rollover"));
    }
    Ok(config)
}

static UNKNOWN: Statement = Statement::new(
    c"SELECT k.product_id FROM unnest($1) AS k (product_id)
      WHERE NOT EXISTS (SELECT FROM credits_internal.products d WHERE d.product_id = k.product_id) LIMIT 1",
    &[UUIDARRAYOID],
);

impl Coupon {
    /// What is stored. Raises PC019.
    pub fn stored(session: &Session, coupon_id: Uuid) -> Result<Self, Error> {
        rows::stored(session, coupon_id)?.read()
    }

    /// Looks up what it needs. Raises PC004, PC007, PC008, PC013, PC015, PC019.
    pub fn check(mut self, session: &Session) -> Result<Self, Error> {
        self.what = match self.what {
            What::Percent(percent) => What::Percent(percent),
            What::Amount(amount, code, options) => {
                currency::resolve_for(session, &code, AMOUNT_OFF, amount)?;
                for (code, amount) in &options {
                    currency::resolve_for(session, code, AMOUNT_OFF, *amount)?;
                }
                What::Amount(amount, code, options)
            }
            What::Credits(config) => What::Credits(Box::new(config.check(session)?)),
        };
        if let Some(products) = &self.products {
            let rows = UNKNOWN.run(session, &[array(products.iter().copied())])?;
            if let Some(mut row) = rows.first() {
                return Err(crate::catalog::product::unknown(row.next()?));
            }
        }
        Ok(self)
    }

    /// What it says, to be judged.
    pub fn terms(&self) -> CouponTerms {
        let off = match &self.what {
            What::Percent(percent) => Off::Percent(*percent),
            What::Amount(amount, currency, options) => {
                let mut all = options.clone();
                all.insert(currency.clone(), *amount);
                Off::Amount(all)
            }
            What::Credits(_) => Off::Credits,
        };
        CouponTerms { active: self.active, redeem_by: self.redeem_by, off, products: self.products.clone() }
    }

    /// The credits that it gives.
    pub fn config(&self) -> Option<&CreditConfig> {
        match &self.what {
            What::Credits(config) => Some(config),
            _ => None,
        }
    }

    /// How much it takes off in a currency; `None` where it is a percentage.
    pub fn amount_off(&self, code: &str) -> Option<Decimal> {
        match &self.what {
            What::Amount(amount, currency, _) if currency == code => Some(*amount),
            What::Amount(_, _, others) => others.get(code).copied(),
            _ => None,
        }
    }

    /// How often one customer may use it: of a voucher once, unless it says otherwise.
    pub fn per_customer(&self) -> Option<i32> {
        self.said_per_customer.or(self.config().map(|_| 1))
    }

    /// What it does, as it is stored.
    pub fn columns(&self) -> Columns {
        match &self.what {
            What::Percent(percent) => Columns { percent_off: Some(*percent), ..Columns::default() },
            What::Amount(amount, currency, options) => Columns {
                amount_off: Some(*amount),
                currency: Some(currency.clone()),
                currency_options: (!options.is_empty()).then(|| amounts::value(options, AMOUNT_OFF).to_string()),
                ..Columns::default()
            },
            What::Credits(config) => Columns { credit_config: Some(config.value().to_string()), ..Columns::default() },
        }
    }

    /// What a replay is compared by. The first [`FROZEN`] are frozen once it was used.
    pub fn compared(&self) -> Inputs {
        let number = |number: Option<Decimal>| number.map(|number| number.normalize().to_string());
        let columns = self.columns();
        let products = |ids: &Vec<Uuid>| ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ");
        vec![
            ("percent_off", number(columns.percent_off)),
            ("amount_off", number(columns.amount_off)),
            ("currency", columns.currency),
            ("currency_options", columns.currency_options),
            ("credit_config", columns.credit_config),
            ("duration", Some(self.duration.to_string())),
            ("duration_in_months", self.months.map(|months| months.to_string())),
            ("applies_to_products", self.products.as_ref().map(products)),
            ("name", Some(self.name.clone())),
            ("max_redemptions", self.max_redemptions.map(|most| most.to_string())),
            ("max_redemptions_per_customer", self.said_per_customer.map(|most| most.to_string())),
            ("redeem_by", self.redeem_by.map(|at| at.to_string())),
        ]
    }
}

/// How many of what a coupon is compared by are frozen.
pub const FROZEN: usize = 8;
