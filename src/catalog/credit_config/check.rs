//! What a credit_config needs to be there: its currency, its meters; and lengths that hold in every month.

use crate::amount::{self, Decimal};
use crate::catalog::credit_config::CreditConfig;
use crate::error::Error;
use crate::fields::Wrong;
use crate::input;
use crate::ledger::currency;
use crate::ledger::grant::terms::{self, GrantTerms};
use crate::moment::length::Length;
use crate::pg::call::argument::{ArrayOf, Interval, Numeric};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::span::Span;
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_sys::UUIDOID;
use uuid::Uuid;

const ARGUMENT: &str = "credit_config";

/// What is wrong with an argument that is JSON.
pub fn refused(argument: &'static str, wrong: &Wrong) -> Error {
    Error::argument(argument, wrong.to_string())
}

impl CreditConfig {
    /// Reads an argument. Raises PC013.
    pub fn given(text: &str) -> Result<Self, Error> {
        CreditConfig::parse(text, &settings::default_currency()).map_err(|wrong| refused(ARGUMENT, &wrong))
    }

    /// Reads what is stored.
    pub fn stored(text: &str) -> Result<Self, Error> {
        CreditConfig::parse(text, "").map_err(|_| Error::internal("a credit_config is not one"))
    }

    /// Checks that it can be granted, and names meters instead of prices. Raises PC004, PC008, PC013, PC015.
    pub fn check(mut self, session: &Session) -> Result<Self, Error> {
        let decimals = currency::resolve(session, &self.currency)?.decimals;
        let schedule = self.schedule.as_ref();
        let amounts = [
            ("amount", Some(self.amount)),
            ("schedule.amount_per_grant", schedule.and_then(|s| s.amount_per_grant)),
            ("rollover.max", self.rollover.as_ref().and_then(|r| r.max)),
        ];
        for (path, amount) in amounts {
            amount.map(|amount| amount::fit(amount, decimals)).transpose().map_err(|reason| at(path, reason))?;
        }
        let lengths = [
            ("valid_for", self.valid_for),
            ("schedule.every", schedule.and_then(|s| s.every)),
            ("rollover.expires_after", self.rollover.as_ref().and_then(|r| r.expires_after)),
        ];
        for (path, length) in lengths {
            length.map(|length| Interval::of(span(length)).positive(ARGUMENT)).transpose().map_err(
                |error| match error {
                    Error::InvalidArgument { reason, .. } => at(path, reason),
                    error => error,
                },
            )?;
        }
        if let Some(names) = self.applicable_meters.take() {
            let meters = names.into_iter().map(|name| meter_of(session, name)).collect::<Result<Vec<_>, _>>()?;
            self.applicable_meters = Some(terms::distinct_meters(session, meters)?);
        }
        Ok(self)
    }

    /// The terms of the grant that a purchase creates.
    pub fn terms(&self) -> GrantTerms {
        GrantTerms {
            category: self.category.to_string(),
            priority: self.priority,
            time_to_live: self.valid_for.map(span),
            applicable_meters: self.applicable_meters.clone(),
            rollover: self.rollover.clone(),
        }
    }
}

fn at(path: &str, reason: impl std::fmt::Display) -> Error {
    Error::argument(ARGUMENT, format!("is wrong at {path}: it {reason}"))
}

fn span(length: Length) -> Span {
    Span::of(length.months, length.days, length.microseconds)
}

static METER: Statement =
    Statement::new(c"SELECT recurring->>'meter' FROM credits_internal.prices WHERE price_id = $1", &[UUIDOID]);

/// The meter that is meant: by its event name, or by a price of what it measures.
fn meter_of(session: &Session, name: String) -> Result<String, Error> {
    let Ok(price_id) = name.parse::<Uuid>() else { return Ok(name) };
    let rows = METER.run(session, &[price_id.cell()])?;
    let mut row = rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?;
    let unmetered = || at("applicable_prices", format!("must have prices with a meter: {price_id} has none"));
    row.next::<Option<String>>()?.ok_or_else(unmetered)
}

/// What is given of it, as one value or by single terms.
#[derive(Default)]
pub struct Given<'a> {
    /// The whole.
    pub credit_config: Option<Json>,
    /// The currency of the credits; NULL for the default.
    pub credit_currency: Option<&'a str>,
    /// Credits that one unit grants.
    pub credits: Option<Numeric>,
    /// 'paid' or 'promotional'.
    pub category: Option<&'a str>,
    /// 0 to 100, lower first.
    pub priority: Option<i32>,
    /// How long the credits last; NULL for ever.
    pub time_to_live: Option<Interval>,
    /// NULL for anything.
    pub applicable_meters: Option<ArrayOf<String>>,
}

impl Given<'_> {
    /// Whether single terms are given.
    fn has_terms(&self) -> bool {
        self.credit_currency.is_some()
            || self.credits.is_some()
            || self.category.is_some()
            || self.priority.is_some()
            || self.time_to_live.is_some()
            || self.applicable_meters.is_some()
    }

    /// What is meant: the whole, or the single terms over what there is; `None` where nothing is given. Raises PC007, PC013.
    pub fn read(self, there: Option<CreditConfig>) -> Result<Option<Unchecked>, Error> {
        let has_terms = self.has_terms();
        if let Some(whole) = self.credit_config {
            if has_terms {
                return Err(Error::argument(ARGUMENT, "has all terms: give it or single ones, not both"));
            }
            return Ok(Some(Unchecked { config: CreditConfig::given(&whole.text())?, single: None }));
        }
        if !has_terms {
            return Ok(None);
        }
        let single = if there.is_some() { Single::Changed } else { Single::New };
        let code = match (&there, self.credit_currency) {
            (Some(there), None) => there.currency.clone(),
            (_, given) => currency::code_or_default(given)?,
        };
        let credits = input::optional_number("credits", self.credits, amount::over_zero)?;
        let Some(amount) = credits.or(there.as_ref().map(|there| there.amount)) else {
            return Err(Error::missing("credits"));
        };
        if let Some(category) = self.category {
            input::choice("category", Some(category), category, &["paid", "promotional"])?;
        }
        let priority = terms::priority(self.priority)?;
        let valid_for = self.time_to_live.map(|t| t.positive("time_to_live")).transpose()?.map(length_of);
        let meters = terms::meters(self.applicable_meters)?;
        let mut config = there.unwrap_or_else(|| CreditConfig::plain(code, amount));
        config.amount = amount.normalize();
        config.category = match self.category {
            Some("paid") => "paid",
            Some(_) => "promotional",
            None => config.category,
        };
        config.priority = priority.unwrap_or(config.priority);
        config.valid_for = valid_for.or(config.valid_for);
        config.applicable_meters = meters.or(config.applicable_meters);
        Ok(Some(Unchecked { config, single: Some(single) }))
    }
}

/// Single terms that are given: of what grants nothing yet, or over what it grants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Single {
    New,
    Changed,
}

/// What is meant, before anything is looked up.
pub struct Unchecked {
    /// It.
    pub config: CreditConfig,
    single: Option<Single>,
}

impl Unchecked {
    /// As it is stored and compared.
    pub fn text(&self) -> String {
        self.config.value().to_string()
    }

    /// Looks up what it needs. Raises PC004, PC007, PC008, PC013, PC015.
    pub fn check(self, session: &Session) -> Result<Self, Error> {
        let Unchecked { config, single } = self;
        let Some(how) = single else { return Ok(Unchecked { config: config.check(session)?, single }) };
        let decimals = match how {
            Single::New => currency::resolve(session, &config.currency)?.decimals,
            Single::Changed => currency::decimals(session, &config.currency)?,
        };
        amount::fit(config.amount, decimals).map_err(|reason| Error::amount("credits", config.amount, reason))?;
        terms::distinct_meters(session, config.applicable_meters.clone().unwrap_or_default())?;
        Ok(Unchecked { config, single })
    }
}

impl CreditConfig {
    /// Credits without further terms.
    fn plain(currency: String, amount: Decimal) -> Self {
        CreditConfig {
            currency,
            amount,
            category: "paid",
            priority: terms::DEFAULT_PRIORITY,
            name: None,
            applicable_meters: None,
            valid_for: None,
            schedule: None,
            rollover: None,
        }
    }
}

fn length_of(span: Span) -> Length {
    let (months, days, microseconds) = span.parts();
    Length { months, days, microseconds }
}
