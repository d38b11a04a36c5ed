//! Values that count once, as they are stored: read and written under the account's lock, for all events of a batch at
//! once. What a value is called, and what it changes, is in value.rs.

use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::ledger::engine::line::Period;
use crate::ledger::engine::posting;
use crate::metering::meter::{self, Meter};
use crate::metering::period::aggregate::{Report, Standing};
use crate::metering::period::value::{self, Key, Known, Values};
use crate::metering::pricing::Aggregation;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{INT8ARRAYOID, TEXTARRAYOID, TEXTOID};
use std::collections::HashSet;
use std::rc::Rc;

static READ: Statement = Statement::new(
    c"SELECT k.ordinal, v.period_key, v.event_count, u.price_version, u.price_class
      FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS k (customer_id, event_name, period, value, ordinal)
      JOIN credits_internal.usage_values v ON v.customer_id = k.customer_id AND v.event_name = k.event_name
                                          AND v.period = k.period AND v.value = k.value
      JOIN credits_internal.usage_periods u ON u.customer_id = v.customer_id AND u.event_name = v.event_name
                                           AND u.period_key = v.period_key",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID],
);

/// Those of these values that count already. Their accounts are locked.
pub fn read<'a>(session: &Session, keys: impl Iterator<Item = Key<'a>>) -> Result<Values<'a>, Error> {
    let mut values = Values::default();
    let keys: Vec<Key<'a>> = keys.collect::<HashSet<_>>().into_iter().collect();
    if keys.is_empty() {
        return Ok(values);
    }
    let cells = [
        array(keys.iter().map(|key| key.0)),
        array(keys.iter().map(|key| key.1)),
        array(keys.iter().map(|key| key.2)),
        array(keys.iter().map(|key| key.3)),
    ];
    for mut row in READ.run(session, &cells)?.iter() {
        let key = keys[posting::index(&mut row, keys.len())?];
        let period = Rc::new(Period { event_name: key.1.to_string(), key: row.next()? });
        let (events, price) = (row.next()?, Some((row.next()?, row.next()?)));
        values.take(key, Known { period, events, price, changed: false });
    }
    Ok(values)
}

static WRITE: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_values AS v (customer_id, event_name, period, value, event_count, period_key)
      SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
      ON CONFLICT (customer_id, event_name, period, value) DO UPDATE SET event_count = excluded.event_count",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID],
);

/// Writes those that have more events.
pub fn write(session: &Session, values: &Values<'_>) -> Result<(), Error> {
    let mut changed: Vec<(&Key<'_>, &Known)> = values.iter().filter(|(_, known)| known.changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    changed.sort_unstable_by_key(|(key, _)| *key);
    let cells = [
        array(changed.iter().map(|(key, _)| key.0)),
        array(changed.iter().map(|(key, _)| key.1)),
        array(changed.iter().map(|(key, _)| key.2)),
        array(changed.iter().map(|(key, _)| key.3)),
        array(changed.iter().map(|(_, known)| known.events)),
        array(changed.iter().map(|(_, known)| &known.period.key)),
    ];
    WRITE.run(session, &cells).map(drop)
}

static LEAVE: Statement = Statement::new(
    c"UPDATE credits_internal.usage_values SET event_count = event_count - 1
      WHERE customer_id = $1 AND event_name = $2 AND period = $3 AND value = $4",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.usage_values
      WHERE customer_id = $1 AND event_name = $2 AND period = $3 AND value = $4",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

/// A standing, and the price of it: its version, and which of its prices.
pub type WithPrice = (Result<Standing, AmountError>, (i32, String));

/// Takes an event away from its value, by its metadata. Returns the standing without it.
pub fn without(
    session: &Session,
    standing: &Standing,
    meter: &Meter,
    customer_id: &str,
    (period, metadata): (&Period, Option<&Json>),
) -> Result<WithPrice, Error> {
    let lost = || Error::internal("an event has no value that counts");
    let name = meter.unique_by.as_ref().and_then(|by| value::name(metadata.map(Json::text), by)).ok_or_else(lost)?;
    let key = (customer_id, period.event_name.as_str(), value::period_of(period), name.as_str());
    let values = read(session, std::iter::once(key))?;
    let known = values.find(Some(key)).ok_or_else(lost)?;
    let (version, class) = known.price.clone().ok_or_else(lost)?;
    let cells = [key.0.cell(), key.1.cell(), key.2.cell(), key.3.cell()];
    if known.events > 1 {
        LEAVE.run(session, &cells)?;
        return Ok((Ok(standing.without_known()), (version, class)));
    }
    FORGET.run(session, &cells)?;
    let pricing = meter::prices_of(session, &period.event_name, customer_id, version)?;
    let report = Report {
        // What it is does not matter, nor when.
        value: Decimal::ONE,
        occurred_at: Time::BEGINNING,
        price_version: version,
        price_class: &class,
        price: pricing.price(&class).ok_or_else(lost)?,
        decimals: meter.decimals,
    };
    let next = standing.without(Aggregation::Unique, &report);
    Ok((next, (version, class)))
}
