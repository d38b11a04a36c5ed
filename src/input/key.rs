//! Idempotency keys of what is created without a customer: a name space of their own. And how the terms of what is there are
//! compared with those that are given.

use crate::error::{Difference, Error};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Terms by their names, in order; `None` for NULL.
pub type Inputs = Vec<(&'static str, Option<String>)>;

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.catalog_keys (idempotency_key, function, object_id, inputs, created_at)
      VALUES ($1, $2, $3, $4::jsonb, $5) ON CONFLICT (idempotency_key) DO NOTHING",
    &[TEXTOID, TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID],
);

static CLAIMED: Statement = Statement::new(
    c"SELECT function, object_id, inputs::text FROM credits_internal.catalog_keys WHERE idempotency_key = $1",
    &[TEXTOID],
);

/// Claims a key for an object that is to be created. Returns that of the first call where this is a replay. Raises PC002.
pub fn claim(
    session: &Session,
    key: Option<&str>,
    function: &'static str,
    object_id: Uuid,
    inputs: &Inputs,
    now: Time,
) -> Result<Option<Uuid>, Error> {
    let Some(key) = key else { return Ok(None) };
    let object: Map<String, Value> =
        inputs.iter().map(|(name, value)| (name.to_string(), value.clone().into())).collect();
    let text = Value::Object(object).to_string();
    if CLAIM.run(session, &[key.cell(), function.cell(), object_id.cell(), text.cell(), now.cell()])?.written() > 0 {
        return Ok(None);
    }
    let rows = CLAIMED.run(session, &[key.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a key is not there"))?;
    let (first_function, first_id, first): (String, Uuid, String) = (row.next()?, row.next()?, row.next()?);
    let conflict = |difference, first: Option<String>, given: Option<String>| Error::IdempotencyConflict {
        argument: "idempotency_key",
        key: key.to_string(),
        difference,
        first,
        given,
    };
    if first_function != function {
        return Err(conflict("function", Some(first_function), Some(function.to_string())));
    }
    let first: Value = serde_json::from_str(&first).unwrap_or_default();
    for (name, given) in inputs {
        let there = first.get(name).and_then(Value::as_str).map(String::from);
        if there != *given {
            return Err(conflict(name, there, given.clone()));
        }
    }
    Ok(Some(first_id))
}

/// Checks that what is there has the terms that are given. Raises PC002.
pub fn same(argument: &'static str, key: &str, there: &Inputs, given: &Inputs) -> Result<(), Error> {
    match differences(there, given) {
        differences if differences.is_empty() => Ok(()),
        differences => Err(Error::ExistsOtherwise { argument, key: key.to_string(), differences }),
    }
}

/// What differs between terms of the same names.
pub fn differences(there: &Inputs, given: &Inputs) -> Vec<Difference> {
    let differ = there.iter().zip(given).filter(|((_, there), (_, given))| there != given);
    differ
        .map(|((what, there), (_, given))| Difference {
            what: what.to_string(),
            there: there.clone(),
            given: given.clone(),
        })
        .collect()
}
