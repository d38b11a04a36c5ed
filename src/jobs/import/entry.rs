//! The entries of an import: what happened, and when. Everything that can be wrong with one by itself is found here.

use crate::amount::{self, AmountError, Decimal};
use crate::error::{Error, quoted};
use crate::input;
use crate::ledger::engine::drawdown::Status;
use crate::metering::event::json::moment;
use crate::metering::report::{Event, Extras};
use crate::moment::Time;
use crate::nearest::nearest;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::JSONBOID;

/// An entry.
pub struct Entry {
    /// Its place among those given, from 1.
    pub number: usize,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub what: What,
}

/// What an entry says that happened.
pub enum What {
    /// Credits were granted.
    Grant(Box<Grant>),
    /// Usage, and what it was charged, if that is given.
    Usage(Box<Event>, Option<Decimal>),
    /// Credits were spent.
    Debit(Debit),
    /// The balance was corrected.
    Adjustment(Adjustment),
    /// A debit or an adjustment was given back, in whole or in part.
    Reversal(Part),
    /// Usage was taken back.
    Cancellation {
        /// The event.
        identifier: String,
        /// Why.
        reason: Option<String>,
    },
    /// A grant was ended by hand, in whole or in part.
    End(Part, Status),
}

/// A grant.
pub struct Grant {
    /// Credits.
    pub amount: Decimal,
    /// 'paid' or 'promotional'.
    pub category: Option<String>,
    /// Its display name.
    pub name: Option<String>,
    /// 0 to 100.
    pub priority: Option<i32>,
    /// From when on, if that is later.
    pub effective_at: Option<Time>,
    /// `None` for ever.
    pub expires_at: Option<Time>,
    /// `None` for anything.
    pub applicable_meters: Option<Vec<String>>,
    /// What was paid for one credit.
    pub cost_basis: Option<Decimal>,
    /// What was paid for all of it.
    pub cost_amount: Option<Decimal>,
    /// In which currency.
    pub cost_currency: Option<String>,
    /// Who granted it.
    pub granted_by: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// A debit.
pub struct Debit {
    /// Credits.
    pub amount: Decimal,
    /// Its key.
    pub key: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The application's own.
    pub metadata: Option<Json>,
    /// Who spent.
    pub member_id: Option<String>,
}

/// An adjustment.
pub struct Adjustment {
    /// Signed.
    pub amount: Decimal,
    /// Its name.
    pub reason: Option<String>,
    /// `None` for ever.
    pub expires_at: Option<Time>,
    /// Its key.
    pub key: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// Part of what an earlier entry did, which has this key.
pub struct Part {
    /// The key of the earlier entry.
    pub of: String,
    /// `None` for all.
    pub amount: Option<Decimal>,
    /// Why.
    pub reason: Option<String>,
    /// Its own key.
    pub key: Option<String>,
}

/// The types of entries, and which keys each has in addition to `type` and `at`.
const TYPES: [(&str, &[&str]); 8] = [
    (
        "grant",
        &[
            "amount",
            "category",
            "name",
            "priority",
            "effective_at",
            "expires_at",
            "applicable_meters",
            "cost_basis",
            "cost_amount",
            "cost_currency",
            "granted_by",
            "idempotency_key",
            "metadata",
        ],
    ),
    (
        "usage",
        &[
            "event_name",
            "value",
            "identifier",
            "occurred_at",
            "credits",
            "subscription_id",
            "source_data",
            "metadata",
            "member_id",
        ],
    ),
    ("debit", &["amount", "idempotency_key", "description", "metadata", "member_id"]),
    ("adjustment", &["amount", "reason", "expires_at", "idempotency_key", "description", "metadata"]),
    ("reversal", &["operation_key", "amount", "reason", "idempotency_key"]),
    ("cancellation", &["identifier", "reason"]),
    ("void", &["grant_key", "amount", "reason"]),
    ("expiration", &["grant_key", "amount", "reason"]),
];

static READ: Statement = Statement::new(
    c"SELECT CASE jsonb_typeof(e) WHEN 'object' THEN ARRAY(SELECT jsonb_object_keys(e)) END,
             e ->> 'subscription_id', nullif(e -> 'source_data', 'null'), nullif(e -> 'metadata', 'null'), e ->> 'member_id',
             CASE jsonb_typeof(e -> 'applicable_meters')
                 WHEN 'array'
                 THEN ARRAY(SELECT coalesce(m, '') FROM jsonb_array_elements_text(e -> 'applicable_meters') AS m) END,
             jsonb_typeof(e -> 'applicable_meters') NOT IN ('array', 'null'),
             e ->> 'type', e ->> 'at', e ->> 'amount', e ->> 'category', e ->> 'name', e ->> 'priority', e ->> 'effective_at',
             e ->> 'expires_at', e ->> 'cost_basis', e ->> 'cost_amount', e ->> 'cost_currency', e ->> 'granted_by',
             e ->> 'idempotency_key', e ->> 'event_name', e ->> 'value', e ->> 'identifier', e ->> 'occurred_at',
             e ->> 'credits', e ->> 'description', e ->> 'reason', e ->> 'operation_key', e ->> 'grant_key'
      FROM jsonb_array_elements($1) WITH ORDINALITY AS x (e, ordinal) ORDER BY ordinal",
    &[JSONBOID],
);

/// The texts of an entry, in the order of [`READ`].
const TEXTS: [&str; 22] = [
    "type",
    "at",
    "amount",
    "category",
    "name",
    "priority",
    "effective_at",
    "expires_at",
    "cost_basis",
    "cost_amount",
    "cost_currency",
    "granted_by",
    "idempotency_key",
    "event_name",
    "value",
    "identifier",
    "occurred_at",
    "credits",
    "description",
    "reason",
    "operation_key",
    "grant_key",
];

/// Reads entries, a JSON array of objects, for a customer's account in a currency of so many decimals. Raises PC007, PC013.
pub fn read(session: &Session, given: &Json, customer_id: &str, decimals: u32) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for (index, row) in READ.run(session, &[given.cell()])?.iter().enumerate() {
        let number = index + 1;
        let (extras, mut fields) = Fields::of(row)?;
        let entry = extras.and_then(|extras| fields.entry(number, extras, customer_id, decimals));
        entries.push(entry.map_err(|error| Error::Entry { number, error: Box::new(error) })?);
    }
    Ok(entries)
}

/// What an entry has.
struct Fields {
    /// Its keys; `None` if it is no object.
    keys: Option<Vec<String>>,
    meters: Option<Vec<String>>,
    meters_are_wrong: bool,
    texts: Vec<Option<String>>,
}

impl Fields {
    fn of(mut row: Row<'_>) -> Result<(Result<Extras, Error>, Self), Error> {
        let keys = row.next()?;
        let extras = Extras::read(&mut row)?;
        let (meters, meters_are_wrong): (_, Option<bool>) = (row.next()?, row.next()?);
        let texts = TEXTS.iter().map(|_| row.next()).collect::<Result<_, _>>()?;
        Ok((extras, Fields { keys, meters, meters_are_wrong: meters_are_wrong == Some(true), texts }))
    }

    fn take(&mut self, key: &str) -> Option<String> {
        let index = TEXTS.iter().position(|text| *text == key)?;
        self.texts.get_mut(index)?.take()
    }

    fn moment(&mut self, key: &'static str) -> Result<Option<Time>, Error> {
        match self.take(key) {
            Some(never) if never == "infinity" && key == "expires_at" => Ok(Some(Time::NEVER)),
            given => given.map(|text| moment(key, &text)).transpose(),
        }
    }

    fn number(
        &mut self,
        key: &'static str,
        check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
    ) -> Result<Option<Decimal>, Error> {
        input::optional_number(key, self.take(key), check)
    }

    /// A text of 10,000 characters at most.
    fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let given = self.take(key);
        input::text(key, given.as_deref())?;
        Ok(given)
    }

    fn key(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let given = self.take(key);
        input::optional_key(key, given.as_deref())?;
        Ok(given)
    }

    fn entry(&mut self, number: usize, extras: Extras, customer_id: &str, decimals: u32) -> Result<Entry, Error> {
        let Some(keys) = self.keys.take() else {
            return Err(Error::argument("entries", "must be a JSON array of objects"));
        };
        let kind = self.take("type").ok_or_else(|| Error::missing("type"))?;
        let known = TYPES.iter().find(|(name, _)| *name == kind);
        let Some((_, own)) = known else { return Err(input::none_of("type", &kind, &TYPES.map(|(name, _)| name))) };
        let allowed = |key: &str| own.contains(&key) || key == "type" || key == "at";
        if let Some(key) = keys.iter().find(|key| !allowed(key)) {
            // A misspelt key would be taken as if it had been left out.
            return Err(Error::UnknownKey {
                argument: "entries",
                key: key.clone(),
                nearest: nearest(key, own.iter().copied()),
            });
        }
        let at = self.moment("at")?.ok_or_else(|| Error::missing("at"))?;
        let fits = |n: Decimal| amount::fit(n, decimals);
        let what = match kind.as_str() {
            "grant" => self.grant(extras, fits)?,
            "usage" => {
                let credits = self.number("credits", |n| amount::not_negative(n).and_then(fits))?;
                let occurred_at = self.moment("occurred_at")?;
                let value =
                    if keys.iter().any(|key| key == "value") { self.take("value") } else { Some(String::from("1")) };
                let (event_name, identifier) = (self.take("event_name"), self.take("identifier"));
                let customer_id = Some(customer_id.to_string());
                let event = Event::read(customer_id, event_name, value, identifier, occurred_at, at, extras)?;
                What::Usage(Box::new(event), credits)
            }
            "debit" => What::Debit(Debit {
                amount: required("amount", self.number("amount", |n| amount::over_zero(n).and_then(fits))?)?,
                key: self.key("idempotency_key")?,
                description: self.text("description")?,
                metadata: extras.metadata,
                member_id: extras.member_id,
            }),
            "adjustment" => What::Adjustment(Adjustment {
                amount: required("amount", self.number("amount", |n| amount::not_zero(n).and_then(fits))?)?,
                reason: self.text("reason")?,
                expires_at: self.moment("expires_at")?,
                key: self.key("idempotency_key")?,
                description: self.text("description")?,
                metadata: extras.metadata,
            }),
            "reversal" => What::Reversal(self.part("operation_key", fits)?),
            "void" => What::End(self.part("grant_key", fits)?, Status::Voided),
            "expiration" => What::End(self.part("grant_key", fits)?, Status::Expired),
            _ => What::Cancellation {
                identifier: required("identifier", self.key("identifier")?)?,
                reason: self.text("reason")?,
            },
        };
        Ok(Entry { number, at, what })
    }

    fn grant(
        &mut self,
        extras: Extras,
        fits: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
    ) -> Result<What, Error> {
        if self.meters_are_wrong {
            return Err(Error::argument("applicable_meters", "must be an array of event names"));
        }
        let priority = self
            .take("priority")
            .map(|text| text.parse::<i32>().map_err(|_| Error::argument("priority", "must be from 0 to 100")));
        Ok(What::Grant(Box::new(Grant {
            amount: required("amount", self.number("amount", |n| amount::over_zero(n).and_then(fits))?)?,
            category: self.text("category")?,
            name: self.text("name")?,
            priority: priority.transpose()?,
            effective_at: self.moment("effective_at")?,
            expires_at: self.moment("expires_at")?,
            applicable_meters: self.meters.take(),
            cost_basis: self.number("cost_basis", amount::not_negative)?,
            cost_amount: self.number("cost_amount", amount::not_negative)?,
            cost_currency: self.key("cost_currency")?,
            granted_by: self.text("granted_by")?,
            key: self.key("idempotency_key")?,
            metadata: extras.metadata,
        })))
    }

    fn part(
        &mut self,
        of: &'static str,
        fits: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
    ) -> Result<Part, Error> {
        Ok(Part {
            of: required(of, self.key(of)?)?,
            amount: self.number("amount", |n| amount::over_zero(n).and_then(fits))?,
            reason: self.text("reason")?,
            key: self.key("idempotency_key")?,
        })
    }
}

fn required<T>(argument: &'static str, value: Option<T>) -> Result<T, Error> {
    input::required(argument, value)
}

impl Entry {
    /// What it claims for ever: an event's identifier, or an idempotency key.
    pub fn claims(&self) -> Option<(&'static str, &str)> {
        let key = match &self.what {
            What::Usage(event, _) => return Some(("identifier", &event.identifier)),
            What::Grant(grant) => &grant.key,
            What::Debit(debit) => &debit.key,
            What::Adjustment(adjustment) => &adjustment.key,
            What::Reversal(part) => &part.key,
            What::Cancellation { .. } | What::End(..) => &None,
        };
        key.as_deref().map(|key| ("idempotency_key", key))
    }

    /// PC013 for it, since an earlier one claims the same.
    pub fn claimed_by(&self, earlier: usize) -> Error {
        let (argument, key) = self.claims().unwrap_or(("entries", ""));
        Error::argument(argument, format!("{} is that of entry {earlier} as well", quoted(key)))
    }
}
