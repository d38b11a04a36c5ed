//! Statistics: a meter's usage over time, for one customer or for all.

use crate::input;
use crate::metering::meter;
use crate::moment::Time;
use crate::pg::call::argument::Timestamptz;
use crate::pg::call::reply::{Many, Reply};
use crate::pg::statement::{Statement, reading, text};
use crate::pg::value::{ToCell, Total};
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};

row! {
    /// One interval, as `meter_event_stats` returns it.
    pub struct StatsRow {
        /// When it begins.
        pub bucket: Time,
        /// How many events, without canceled ones.
        pub event_count: i64,
        /// What they add up to, as the meter aggregates; for all customers, the sum of each customer's aggregate.
        pub total_value: Total,
        /// Credits charged for them, paid, owed or unsettled, less what came back.
        pub total_credits: Total,
        /// How much of that belongs to canceled events: in tiers, by how much the other events cost more or less
        /// without them.
        pub canceled_credits: Total,
    } read
}

/// The text of the statement that sums a meter's events up: how many units those of a bucket come to, per what, and
/// where the events are read from.
macro_rules! summing {
    ($quantity:literal, $group:literal, $events:literal) => {
        text!(
            "SELECT s.bucket, sum(s.event_count)::bigint, trim_scale(sum(s.quantity)), trim_scale(sum(s.credits)),
                    trim_scale(sum(s.canceled))
             FROM (SELECT date_trunc($4, e.occurred_at, $5) AS bucket,
                          count(*) FILTER (WHERE NOT e.canceled) AS event_count, ",
            $quantity,
            "             AS quantity, sum(e.consumed + e.pending) AS credits,
                          coalesce(sum(e.consumed + e.pending) FILTER (WHERE e.canceled), 0) AS canceled
                   FROM ",
            $events,
            "      WHERE e.event_name = $1 AND e.occurred_at >= coalesce($2, '-infinity')
                     AND e.occurred_at < coalesce($3, 'infinity') AND ($6 IS NULL OR e.customer_id = $6)
                   GROUP BY 1, ",
            $group,
            ") s GROUP BY 1 ORDER BY 1"
        )
    };
}

// Planned for each call: if $6 is NULL its condition disappears; if it names a customer, rows are found by the
// customer's key or by time, whichever is fewer. If one event decides ($7), it does so for each customer, as charged;
// for a last, among events of one moment the later report decides, as ranked.
static STATS: Statement = Statement::scanning(
    summing!(
        "coalesce(CASE $7
             WHEN 'count' THEN count(*) FILTER (WHERE NOT e.canceled)
             WHEN 'max' THEN max(e.value) FILTER (WHERE NOT e.canceled)
             WHEN 'last' THEN (array_agg(e.value ORDER BY r.rank DESC, r.event_no DESC)
                                   FILTER (WHERE r.rank IS NOT NULL))[1]
             ELSE sum(e.value) FILTER (WHERE NOT e.canceled) END, 0)",
        "CASE WHEN $7 IN ('last', 'max') THEN e.customer_id END",
        "credits_internal.events e
         LEFT JOIN credits_internal.usage_ranks r ON r.customer_id = e.customer_id AND r.event_name = $1
                                        AND r.period_key = e.period_key
                                        AND r.rank = extract(epoch FROM e.occurred_at) - 946684800
                                        AND r.identifier = e.identifier AND $7 = 'last'"
    ),
    &[TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

// A value counts once for each customer, as charged.
static OF_VALUES: Statement = Statement::scanning(
    summing!(
        "count(DISTINCT e.value) FILTER (WHERE NOT e.canceled)",
        "e.customer_id",
        "credits_internal.event_values e"
    ),
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
            let meter = meter::read(session, event_name)?.ok_or_else(|| meter::missing(session, event_name))?;
            let cells = [
                event_name.cell(),
                start_at.cell(),
                end_at.cell(),
                granularity.cell(),
                time_zone.cell(),
                customer_id.cell(),
                meter.aggregation.name().cell(),
            ];
            let rows = if meter.unique_by.is_some() {
                OF_VALUES.run(session, &cells[..6])?
            } else {
                STATS.run(session, &cells)?
            };
            rows.iter().map(StatsRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}
