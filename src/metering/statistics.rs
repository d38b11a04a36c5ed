//! Statistics: a meter's usage over time, of one customer or of all.

use crate::input;
use crate::metering::meter;
use crate::moment::Time;
use crate::pg::argument::Timestamptz;
use crate::pg::reply::{Many, Reply};
use crate::pg::statement::{Statement, reading};
use crate::pg::value::{ToCell, Total};
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};

row! {
    /// One stretch of time as `meter_event_stats` returns it.
    pub struct StatsRow {
        /// When it begins.
        pub bucket: Time,
        /// How many events, those taken back not counted.
        pub event_count: i64,
        /// Their values added up, in the meter's unit.
        pub total_value: Total,
        /// Credits charged for them, paid, owed or unsettled, less what came back.
        pub total_credits: Total,
        /// What of that stands with events that were taken back: in tiers, what the others cost more or less without them.
        pub canceled_credits: Total,
    } read
}

// Planned anew for each question: where $6 is NULL its condition is gone; where it names a customer, the rows are found by
// the customer's key or by the time, whichever is less.
static STATS: Statement = Statement::scanning(
    c"SELECT date_trunc($4, e.occurred_at, $5), count(*) FILTER (WHERE NOT e.canceled),
             trim_scale(coalesce(sum(e.value) FILTER (WHERE NOT e.canceled), 0)),
             trim_scale(sum(e.consumed + e.pending)),
             trim_scale(coalesce(sum(e.consumed + e.pending) FILTER (WHERE e.canceled), 0))
      FROM credits.events e
      WHERE e.event_name = $1 AND e.occurred_at >= coalesce($2, '-infinity') AND e.occurred_at < coalesce($3, 'infinity')
        AND ($6 IS NULL OR e.customer_id = $6)
      GROUP BY 1 ORDER BY 1",
    &[TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID],
);

/// `credits.meter_event_stats`: a meter's usage by minute, hour or day. Writes nothing. Raises PC004, PC013.
#[pg_extern(sql = false)]
fn meter_event_stats(
    event_name: Option<&str>,
    start_at: Option<Timestamptz>,
    end_at: Option<Timestamptz>,
    granularity: Option<&str>,
    customer_id: Option<&str>,
    time_zone: Option<&str>,
) -> Reply<Many<StatsRow>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        let granularity = input::choice("granularity", granularity, "day", &["minute", "hour", "day"])?;
        let customer_id = input::optional_key("customer_id", customer_id)?;
        let time_zone = input::time_zone(time_zone)?;
        let (start_at, end_at) = input::span(start_at, end_at)?;
        reading(|session| {
            meter::read(session, event_name)?.ok_or_else(|| meter::missing(session, event_name))?;
            let cells = [
                event_name.cell(),
                start_at.cell(),
                end_at.cell(),
                granularity.cell(),
                time_zone.cell(),
                customer_id.cell(),
            ];
            STATS.run(session, &cells)?.iter().map(StatsRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}
