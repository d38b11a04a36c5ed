//! Rollover: what of a grant goes on when its time runs out, as it is asked for and stored. How it goes on is decided in
//! ledger/engine/book/rollover.rs.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::fields::{Checked, Fields, json, wrong};
use crate::ledger::engine::posting::{self, Key};
use crate::moment::Time;
use crate::moment::length::Length;
use crate::pg::call::argument::Interval;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::span::Span;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{INT4OID, INTERVALOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::{Map, Value};
use uuid::Uuid;

const ARGUMENT: &str = "rollover";
/// An hour, in microseconds: what goes on lives at least so long, or a chain of it would be endless work.
const HOUR: i64 = 3_600_000_000;

/// What becomes of the credits that are left at a period's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollover {
    /// At most so many go on.
    pub max: Option<Decimal>,
    /// So many percent of what is left.
    pub percent: Decimal,
    /// So many times; `None` for any number.
    pub max_times: Option<i32>,
    /// How long they live then; `None` until the next instalment's end.
    pub expires_after: Option<Length>,
}

/// The same for a grant, of which it is known how long what goes on lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How much goes on, and how often.
    pub rollover: Rollover,
    /// How long each lives.
    pub lives: Length,
    /// The end of the first, where that is known; `lives` if it is not after the beginning.
    pub until: Option<Time>,
}

impl Rollover {
    /// Reads it at its place in something larger.
    pub fn read(path: &str, value: &Value) -> Checked<Self> {
        let fields = Fields::of(path, value, &["max", "percent", "max_times", "expires_after"])?;
        let percent = |number: Decimal| match amount::over_zero(number)? {
            number if number > Decimal::ONE_HUNDRED => Err(AmountError::OverHundred),
            number => Ok(number),
        };
        let expires_after: Option<Length> = match fields.get("expires_after") {
            None => None,
            Some(given) => match given.as_str().and_then(|text| text.parse().ok()) {
                None => return wrong(&fields.at("expires_after"), "must be a length as text, like '30 days'"),
                length => length,
            },
        };
        if expires_after.is_some_and(|length| length.at_least() < HOUR) {
            return fields.wrong("expires_after", "must be at least an hour");
        }
        Ok(Rollover {
            max: fields.number("max", amount::over_zero)?,
            percent: fields.number("percent", percent)?.unwrap_or(Decimal::ONE_HUNDRED.normalize()),
            max_times: fields.whole("max_times", 1..=i32::MAX)?,
            expires_after,
        })
    }

    /// As it is stored.
    pub fn value(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.to_string(), value));
        put("max", self.max.map(|max| max.normalize().to_string().into()));
        put("percent", Some(self.percent.normalize().to_string().into()));
        put("max_times", self.max_times.map(Value::from));
        put("expires_after", self.expires_after.map(|length| length.to_string().into()));
        Value::Object(object)
    }

    /// As a line of an invoice keeps it.
    pub fn stored(text: &str) -> Result<Self, Error> {
        let read = json(text).and_then(|value| Rollover::read("", &value));
        read.map_err(|_| Error::internal("a rollover is not one"))
    }

    /// That of a grant which lives so long, if it ends at all: what goes on lives as long where nothing else is said.
    pub fn of_grant(&self, lives: Option<Length>) -> Option<Terms> {
        let lives = self.expires_after.or(lives)?;
        Some(Terms { rollover: self.clone(), lives, until: None })
    }
}

impl Terms {
    /// Reads an argument. Raises PC013.
    pub fn given(given: &Json, expires_at: Time) -> Result<Self, Error> {
        let refused = |reason: &dyn std::fmt::Display| Error::argument(ARGUMENT, reason.to_string());
        let value = json(&given.text()).map_err(|wrong| refused(&wrong))?;
        let rollover = Rollover::read("", &value).map_err(|wrong| refused(&wrong))?;
        if expires_at == Time::NEVER {
            return Err(refused(&"is for credits that end: give expires_at"));
        }
        let Some(lives) = rollover.expires_after else {
            return Err(refused(&"is wrong at expires_after: it is required: how long the credits live that go on"));
        };
        Interval::of(span(lives)).positive(ARGUMENT).map_err(|error| match error {
            Error::InvalidArgument { reason, .. } => refused(&format!("is wrong at expires_after: it {reason}")),
            error => error,
        })?;
        Ok(Terms { rollover, lives, until: None })
    }

    /// Whether its most can be counted. Raises PC013.
    pub fn check(&self, decimals: u32) -> Result<(), Error> {
        let fitting = self.rollover.max.map(|max| amount::fit(max, decimals)).transpose();
        fitting.map(drop).map_err(|reason| Error::argument(ARGUMENT, format!("is wrong at max: it {reason}")))
    }
}

fn span(length: Length) -> Span {
    Span::of(length.months, length.days, length.microseconds)
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.grant_rollovers (customer_id, grant_id, root_id, generation, percent, max, times_left,
                                                    lives, until)
      VALUES ($1, $2, $2, 0, $3, $4, $5, $6, $7)",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID, INT4OID, INTERVALOID, TIMESTAMPTZOID],
);

/// Writes how a new grant rolls over.
pub fn insert(session: &Session, customer_id: &str, grant_id: Uuid, terms: &Terms) -> Result<(), Error> {
    let Terms { rollover, lives, until } = terms;
    let cells = [
        customer_id.cell(),
        grant_id.cell(),
        rollover.percent.cell(),
        rollover.max.cell(),
        rollover.max_times.cell(),
        span(*lives).cell(),
        until.cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}

static CHAIN: Statement = Statement::new(
    c"SELECT o.generation, o.grant_id, coalesce(o.rolled_over, 0) FROM credits_internal.grant_rollovers g
      JOIN credits_internal.grant_rollovers o ON o.customer_id = g.customer_id AND o.root_id = g.root_id
                                             AND o.generation >= g.generation
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT NULL::int, NULL::uuid, NULL::numeric WHERE $1 IS NULL AND $2 IS NULL");

/// One of the grants that rolled over into one another.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Which.
    pub grant_id: Uuid,
    /// How many of its credits went on.
    pub rolled_over: Decimal,
}

/// A grant and those that it rolled over into, the oldest first, as posted.
pub fn chain(session: &Session, customer_id: &str, grant_id: Uuid) -> Result<Vec<Link>, Error> {
    let rows = CHAIN.run(session, &[customer_id.cell(), grant_id.cell()])?;
    let link = |mut row: Row<'_>| Ok((row.next::<i32>()?, Link { grant_id: row.next()?, rolled_over: row.next()? }));
    let mut chain = rows.iter().map(link).collect::<Result<Vec<_>, Error>>()?;
    chain.sort_by_key(|(generation, _)| *generation);
    let alone = chain.is_empty().then_some(Link { grant_id, rolled_over: Decimal::ZERO });
    Ok(chain.into_iter().map(|(_, link)| link).chain(alone).collect())
}

static DUE: Statement = Statement::new(
    c"SELECT a.currency FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.next_change_at <= $2",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// Posts what fell due in a customer's accounts: a grant may have rolled over. Returns whether anything did.
pub fn post_due(session: &Session, customer_id: &str, now: Time) -> Result<bool, Error> {
    let rows = DUE.run(session, &[customer_id.cell(), now.cell()])?;
    let mut keys =
        rows.iter().map(|mut row| Ok((customer_id.to_string(), row.next()?))).collect::<Result<Vec<Key>, Error>>()?;
    if keys.is_empty() {
        return Ok(false);
    }
    keys.sort();
    let books = posting::open(session, &keys, now)?;
    posting::post_due(session, books)?;
    Ok(true)
}
