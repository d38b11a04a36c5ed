//! Checks of arguments that all functions share: required values, lengths, choices, times and limits.

pub mod key;

use crate::address;
use crate::amount::{AmountError, Decimal};
use crate::error::{Difference, Error, quoted};
use crate::moment::Time;
use crate::pg::call::argument::{Number, Numeric, Timestamptz};
use crate::pg::statement::Rows;
use crate::pg::value::{Cell, ToCell, UpTo, numeric};
use crate::pg::zone::Zone;
use crate::settings;

/// The longest text other than a key, in characters: a name, a description, a reason.
pub const TEXT_LENGTH: usize = 10_000;
/// The message for a longer one.
pub const TEXT_REASON: &str = "must have at most 10000 characters";
/// The message for a jsonb that is too large.
pub const JSON_REASON: &str = "must have at most 1 MiB";
/// The longest key, in characters: a customer, an identifier, an event name.
const KEY_LENGTH: usize = 255;
/// The message for an invalid key.
pub const KEY_REASON: &str = "must have 1 to 255 characters";

/// A required argument.
pub fn required<T>(argument: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::missing(argument))
}

/// A required key: 1 to 255 characters.
pub fn key<'a>(argument: &'static str, value: Option<&'a str>) -> Result<&'a str, Error> {
    let value = required(argument, value)?;
    // Bytes are faster to count than characters, and never fewer.
    if value.is_empty() || (value.len() > KEY_LENGTH && value.chars().count() > KEY_LENGTH) {
        return Err(Error::argument(argument, KEY_REASON));
    }
    Ok(value)
}

/// The same, kept.
pub fn kept_key<S: AsRef<str> + Into<String>>(argument: &'static str, value: Option<S>) -> Result<String, Error> {
    key(argument, value.as_ref().map(AsRef::as_ref))?;
    required(argument, value.map(Into::into))
}

/// A key that may be left out.
pub fn optional_key<'a>(argument: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    value.map(|v| key(argument, Some(v))).transpose()
}

/// A web address, which may be left out: see address.rs.
pub fn web_address<'a>(argument: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match value.map(address::check) {
        Some(Err(reason)) => Err(Error::argument(argument, reason.to_string())),
        _ => Ok(value),
    }
}

/// A text that may be left out: at most 10,000 characters.
pub fn text<'a>(argument: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match value {
        Some(value) if value.len() > TEXT_LENGTH && value.chars().nth(TEXT_LENGTH).is_some() => {
            Err(Error::argument(argument, TEXT_REASON))
        }
        value => Ok(value),
    }
}

/// The value of a column that was read only if it is not too large. Raises PC013.
pub fn bounded<T, const BYTES: usize>(
    argument: &'static str,
    value: Option<UpTo<T, BYTES>>,
    reason: &str,
) -> Result<Option<T>, Error> {
    match value {
        None => Ok(None),
        Some(UpTo::Is(value)) => Ok(Some(value)),
        Some(UpTo::Larger) => Err(Error::argument(argument, reason)),
    }
}

/// One of a few words; NULL is the default.
pub fn choice<'a>(
    argument: &'static str,
    value: Option<&'a str>,
    default: &'a str,
    choices: &[&str],
) -> Result<&'a str, Error> {
    let value = value.unwrap_or(default);
    if choices.contains(&value) {
        return Ok(value);
    }
    Err(none_of(argument, value, choices))
}

/// PC013 for a word that is not one of the choices.
pub fn none_of(argument: &'static str, value: &str, choices: &[&str]) -> Error {
    Error::argument(argument, format!("must be one of: {} (it is {})", choices.join(", "), quoted(value)))
}

/// A required number that must pass `check`.
pub fn number(
    argument: &'static str,
    value: Option<impl Number>,
    check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
) -> Result<Decimal, Error> {
    optional_number(argument, Some(required(argument, value)?), check)?.ok_or_else(|| Error::missing(argument))
}

/// A number that may be left out.
pub fn optional_number(
    argument: &'static str,
    value: Option<impl Number>,
    check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
) -> Result<Option<Decimal>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.decimal().and_then(check) {
        Ok(number) => Ok(Some(number)),
        Err(reason) => Err(Error::InvalidAmount { argument, value: value.text(), reason }),
    }
}

/// A limit to be set; 'infinity' removes it.
pub enum Limit {
    /// None from now on.
    Removed,
    /// So much, in major units.
    At(Decimal),
}

impl ToCell for Limit {
    fn cell(&self) -> Cell {
        match self {
            Limit::Removed => numeric::numeric_infinity(),
            Limit::At(amount) => amount.cell(),
        }
    }
}

/// A limit that may be left unchanged.
pub fn limit(
    argument: &'static str,
    value: Option<Numeric>,
    check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
) -> Result<Option<Limit>, Error> {
    match value {
        Some(value) if value.text() == "Infinity" => Ok(Some(Limit::Removed)),
        value => Ok(optional_number(argument, value, check)?.map(Limit::At)),
    }
}

/// The same where zero removes the limit as well.
pub fn limit_above_zero(
    argument: &'static str,
    value: Option<Numeric>,
    check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
) -> Result<Option<Limit>, Error> {
    match value {
        Some(value) if value.decimal().is_ok_and(|value| value.is_zero()) => Ok(Some(Limit::Removed)),
        value => limit(argument, value, check),
    }
}

/// A time zone by its name; NULL is UTC.
pub fn time_zone(value: Option<&str>) -> Result<&str, Error> {
    match value.unwrap_or("UTC") {
        name if Zone::find(name).is_some() => Ok(name),
        name => {
            let reason =
                format!("must be the name of a time zone, as the view pg_timezone_names has it, not {}", quoted(name));
            Err(Error::argument("time_zone", reason))
        }
    }
}

/// A time zone with a place, as the IANA database spells it, or UTC.
pub fn place(name: &str) -> Result<String, Error> {
    Zone::of_place(name).map(Zone::name).ok_or_else(|| {
        let reason =
            format!("must be a time zone of the IANA database, as Europe/Berlin, or UTC, not {}", quoted(name));
        Error::argument("time_zone", reason)
    })
}

/// A period: from when (included) to when (excluded), if they are given.
pub fn span(start_at: Option<Timestamptz>, end_at: Option<Timestamptz>) -> Result<(Option<Time>, Option<Time>), Error> {
    let (start_at, end_at) = (start_at.map(|t| t.0), end_at.map(|t| t.0));
    if let Some((start, end)) = start_at.zip(end_at).filter(|(start, end)| start > end) {
        return Err(Error::argument("end_at", format!("must not be before start_at, {start}: it is {end}")));
    }
    Ok((start_at, end_at))
}

/// A time up to so many seconds ago counts as now, since callers' clocks differ.
const CLOCKS_DIFFER: i64 = 5 * 60;

/// When something takes effect, if that is not now: later, or in the past if backdating is allowed. Raises PC013.
pub fn effective_at(given: Option<Time>, now: Time) -> Result<Option<Time>, Error> {
    let Some(at) = given.filter(|at| *at > now || *at < now.plus_seconds(-CLOCKS_DIFFER)) else { return Ok(None) };
    if at > now || settings::allow_backdating() {
        return Ok(Some(at));
    }
    let reason =
        format!("must not be more than 5 minutes ago: it is {at}; imports of history set credits.allow_backdating");
    Err(Error::argument("effective_at", reason))
}

/// From when on something holds that cannot hold earlier: a later moment, or `None` for now. Raises PC013.
pub fn not_past(argument: &'static str, given: Option<Time>, now: Time) -> Result<Option<Time>, Error> {
    let Some(at) = given else { return Ok(None) };
    if !at.is_finite() {
        return Err(Error::argument(argument, "must be a moment, not infinity"));
    }
    if at < now.plus_seconds(-CLOCKS_DIFFER) {
        return Err(Error::argument(argument, format!("must not be in the past: it is {at}, and now is {now}")));
    }
    Ok(Some(at).filter(|at| *at > now))
}

/// The size of a batch: at least 1.
pub fn at_least_one(argument: &'static str, value: Option<i32>) -> Result<i32, Error> {
    match required(argument, value)? {
        size if size >= 1 => Ok(size),
        _ => Err(Error::argument(argument, "must be at least 1")),
    }
}

/// How many rows a page has: 1 to 1,000.
pub fn page_size(value: Option<i32>) -> Result<i64, Error> {
    match value.unwrap_or(50) {
        size @ 1..=1_000 => Ok(size.into()),
        _ => Err(Error::argument("page_size", "must be from 1 to 1000")),
    }
}

/// Checks that what a create with `if_not_exists` found is what it would have made: there is no difference, a row of
/// what, there and given. Raises PC002.
pub fn same(argument: &'static str, key: &str, differences: &Rows<'_>) -> Result<(), Error> {
    let differences: Vec<Difference> = differences
        .iter()
        .map(|mut row| Ok(Difference { what: row.next()?, there: row.next()?, given: row.next()? }))
        .collect::<Result<_, Error>>()?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::ExistsOtherwise { argument, key: key.to_string(), differences })
}
