//! Ranks: the events of a last or a max in the order in which they would count, so that when one is canceled the next
//! one counts.

use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::ledger::engine::line::Period;
use crate::metering::meter::{self, Meter};
use crate::metering::period::aggregate::{Report, Standing};
use crate::metering::pricing::Aggregation;
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
    let key = [customer_id.cell(), period.event_name.cell(), period.key.cell()];
    let mut own = key.to_vec();
    own.extend([rank.cell(), identifier.cell()]);
    let forgotten = FORGET.run(session, &own)?;
    let mut row = forgotten.first().ok_or_else(|| Error::internal("an event has no rank"))?;
    let event_no: i64 = row.next()?;
    let first = if meter.aggregation == Aggregation::Last { &LAST } else { &MAX };
    let rows = first.run(session, &key)?;
    let Some(mut row) = rows.first() else { return Ok(standing.without_ranked(event_no, None)) };
    let best: i64 = row.next()?;
    let (value, occurred_at): (Decimal, Time) = (row.next()?, row.next()?);
    let price_version = row.next()?;
    let metadata: Option<Json> = row.next()?;
    let pricing = meter::prices_of(session, &period.event_name, customer_id, price_version)?;
    let (price_class, price) =
        pricing.find(|| metadata.map(|m| m.text())).ok_or_else(|| Error::internal("an event has no price"))?;
    let report = Report { value, occurred_at, price_version, price_class, price, decimals: meter.decimals };
    Ok(standing.without_ranked(event_no, Some((best, report))))
}
