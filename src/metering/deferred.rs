//! Deferred events: recorded without touching the account, so that any number of sessions can write to one wallet. They
//! are charged in settlement.rs, or by the next posting to the account: ledger/engine/posting/unsettled.rs.

use crate::error::Error;
use crate::metering::batch::rows::writing_events;
use crate::metering::report::Priced;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT4OID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID};

/// The text of the record, with or without the member, whose parameter is the last.
macro_rules! recording {
    ($column:literal, $value:literal) => {
        text!(
            "WITH claim AS (",
            writing_events!($column),
            "    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, NULL, NULL, NULL",
            $value,
            "    FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.currency = $4 AND a.defers
                 ON CONFLICT DO NOTHING RETURNING 1
             )
             INSERT INTO credits_internal.unsettled_events (customer_id, currency, created_at, identifier, event_name, cost)
             SELECT $1, $4, $8, $2, $3, $6 FROM claim
             RETURNING true"
        )
    };
}

static RECORD: Statement = Statement::new(
    recording!(", member_id", ", $13"),
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
        TEXTOID,
    ],
)
.before(recording!("", ""));

/// Records one event, in one statement that locks only its identifier: false if that is taken, or if no account exists
/// yet that says that usage may be unsettled in it.
pub fn record(session: &Session, priced: &Priced<'_>, now: Time) -> Result<bool, Error> {
    let event = priced.event;
    let cells = [
        event.customer_id.cell(),
        event.identifier.cell(),
        event.event_name.cell(),
        priced.meter.currency.cell(),
        event.value.cell(),
        priced.own_cost().cell(),
        event.occurred_at.cell(),
        now.cell(),
        event.extras.subscription_id.cell(),
        event.extras.source_data.cell(),
        event.extras.metadata.cell(),
        priced.meter.price_version.cell(),
        event.extras.member_id.cell(),
    ];
    Ok(RECORD.run(session, &cells)?.len() > 0)
}

static ENQUEUE: Statement = Statement::new(
    c"INSERT INTO credits_internal.unsettled_events (customer_id, currency, created_at, identifier, event_name, cost)
      SELECT x.customer_id, x.currency, $5, x.identifier, x.event_name, x.cost
      FROM unnest($1, $2, $3, $4, $6) AS x (customer_id, currency, identifier, event_name, cost)",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, NUMERICARRAYOID],
);

/// Queues events whose identifiers are claimed, to be charged later.
pub fn enqueue(session: &Session, events: &[&Priced<'_>], now: Time) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let cells = [
        array(events.iter().map(|p| &p.event.customer_id)),
        array(events.iter().map(|p| &p.meter.currency)),
        array(events.iter().map(|p| &p.event.identifier)),
        array(events.iter().map(|p| &p.event.event_name)),
        now.cell(),
        array(events.iter().map(|p| p.own_cost())),
    ];
    ENQUEUE.run(session, &cells).map(drop)
}
