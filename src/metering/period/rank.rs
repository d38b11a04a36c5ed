//! Ranks: the events of a last or a max in the order in which they would count, so that when one is canceled the next
//! one counts.

use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::ledger::engine::line::Period;
use crate::metering::meter::{self, Meter};
use crate::metering::period::aggregate::{Report, Standing};
use crate::metering::pricing::{Aggregation, Pricing};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{INT8ARRAYOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID};
use std::rc::Rc;

/// An event's rank.
pub struct Rank {
    /// Whose.
    pub customer_id: String,
    /// Among which events.
    pub period: Rc<Period>,
    /// The highest counts.
    pub rank: Decimal,
    /// Among equals, a max counts the first, a last the last.
    pub event_no: i64,
    /// The event.
    pub identifier: String,
}

/// What an event is ranked by: its time in seconds, or its value.
pub fn rank(aggregation: Aggregation, value: Decimal, occurred_at: Time) -> Decimal {
    if aggregation == Aggregation::Last { Decimal::new(occurred_at.0, 6) } else { value }
}

static WRITE: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_ranks (customer_id, event_name, period_key, rank, event_no, identifier)
      SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, INT8ARRAYOID, TEXTARRAYOID],
);

/// Writes the ranks of new events.
pub fn write(session: &Session, ranks: &[Rank]) -> Result<(), Error> {
    if ranks.is_empty() {
        return Ok(());
    }
    let cells = [
        array(ranks.iter().map(|r| &r.customer_id)),
        array(ranks.iter().map(|r| &r.period.event_name)),
        array(ranks.iter().map(|r| &r.period.key)),
        array(ranks.iter().map(|r| r.rank)),
        array(ranks.iter().map(|r| r.event_no)),
        array(ranks.iter().map(|r| &r.identifier)),
    ];
    WRITE.run(session, &cells).map(drop)
}

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.usage_ranks
      WHERE customer_id = $1 AND event_name = $2 AND period_key = $3 AND rank = $4 AND identifier = $5
      RETURNING event_no",
    &[TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID],
);

static LAST: Statement = Statement::in_order(
    c"SELECT r.event_no, e.value, e.occurred_at, e.price_version, e.metadata
      FROM credits_internal.usage_ranks r
      JOIN credits_internal.meter_events e ON e.customer_id = r.customer_id AND e.identifier = r.identifier
      WHERE r.customer_id = $1 AND r.event_name = $2 AND r.period_key = $3
      ORDER BY r.rank DESC, r.event_no DESC LIMIT 1",
    &[TEXTOID, TEXTOID, TEXTOID],
);

static MAX: Statement = Statement::in_order(
    c"SELECT r.event_no, e.value, e.occurred_at, e.price_version, e.metadata
      FROM (SELECT * FROM credits_internal.usage_ranks t
            WHERE t.customer_id = $1 AND t.event_name = $2 AND t.period_key = $3 AND t.rank = (
                SELECT b.rank FROM credits_internal.usage_ranks b
                WHERE b.customer_id = $1 AND b.event_name = $2 AND b.period_key = $3 ORDER BY b.rank DESC LIMIT 1)
            ORDER BY t.event_no LIMIT 1) r
      JOIN credits_internal.meter_events e ON e.customer_id = r.customer_id AND e.identifier = r.identifier",
    &[TEXTOID, TEXTOID, TEXTOID],
);

/// Removes an event's rank. Returns the period's standing without it.
pub fn without(
    session: &Session,
    standing: &Standing,
    meter: &Meter,
    customer_id: &str,
    period: &Period,
    (rank, identifier): (Decimal, &str),
) -> Result<Result<Standing, AmountError>, Error> {
    let event_no = forget(session, customer_id, period, (rank, identifier))?;
    let best = best(session, meter, customer_id, period)?;
    let report = best.as_ref().map(|best| Ok::<_, Error>((best.event_no, best.report(meter)?))).transpose()?;
    Ok(standing.without_ranked(event_no, report))
}

/// Moves an event, whose row has its new value, from one rank to another. Returns the period's standing then.
pub fn moved(
    session: &Session,
    standing: &Standing,
    meter: &Meter,
    customer_id: &str,
    period: &Rc<Period>,
    (from, to, identifier): (Decimal, Decimal, &str),
) -> Result<Result<Standing, AmountError>, Error> {
    let event_no = forget(session, customer_id, period, (from, identifier))?;
    let (customer_id, identifier) = (customer_id.to_string(), identifier.to_string());
    let rank = Rank { customer_id, period: period.clone(), rank: to, event_no, identifier };
    write(session, std::slice::from_ref(&rank))?;
    let best = best(session, meter, &rank.customer_id, period)?;
    let best = best.ok_or_else(|| Error::internal("a rank was written and is not there"))?;
    Ok(standing.counting(best.event_no, &best.report(meter)?))
}

/// Removes an event's rank. Returns the event's number.
fn forget(
    session: &Session,
    customer_id: &str,
    period: &Period,
    (rank, identifier): (Decimal, &str),
) -> Result<i64, Error> {
    let cells = [customer_id.cell(), period.event_name.cell(), period.key.cell(), rank.cell(), identifier.cell()];
    let forgotten = FORGET.run(session, &cells)?;
    forgotten.first().ok_or_else(|| Error::internal("an event has no rank"))?.next()
}

/// The event that counts.
struct Best {
    event_no: i64,
    value: Decimal,
    occurred_at: Time,
    price_version: i32,
    metadata: Option<String>,
    pricing: Pricing,
}

impl Best {
    fn report(&self, meter: &Meter) -> Result<Report<'_>, Error> {
        let found = self.pricing.find(|| self.metadata.clone());
        let (price_class, price) = found.ok_or_else(|| Error::internal("an event has no price"))?;
        Ok(Report {
            value: self.value,
            occurred_at: self.occurred_at,
            price_version: self.price_version,
            price_class,
            price,
            decimals: meter.decimals,
        })
    }
}

fn best(session: &Session, meter: &Meter, customer_id: &str, period: &Period) -> Result<Option<Best>, Error> {
    let first = if meter.aggregation == Aggregation::Last { &LAST } else { &MAX };
    let rows = first.run(session, &[customer_id.cell(), period.event_name.cell(), period.key.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (event_no, value, occurred_at) = (row.next()?, row.next()?, row.next()?);
    let price_version = row.next()?;
    let metadata: Option<Json> = row.next()?;
    let pricing = meter::prices_of(session, &period.event_name, customer_id, price_version)?;
    let metadata = metadata.map(|metadata| metadata.text());
    Ok(Some(Best { event_no, value, occurred_at, price_version, metadata, pricing }))
}
