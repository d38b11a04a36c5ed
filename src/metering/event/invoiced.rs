//! Events of meters whose settlement is 'invoice': recorded without touching an account, for a subscription to invoice after
//! its period (subscriptions/usage_record/events.rs). Each has a row here besides its own, which says what took it.

use crate::amount::{AmountError, Decimal};
use crate::error::{Error, quoted};
use crate::metering::batch::rows::writing_events;
use crate::metering::meter::{self, Meter};
use crate::metering::pricing::Aggregation;
use crate::metering::report::Priced;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{
    INT4OID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};

// A customer with a subscription is not deleted meanwhile.
static RECORD: Statement = Statement::new(
    text!(
        "WITH claim AS (",
        writing_events!(", member_id"),
        "    SELECT $1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, NULL, NULL, NULL, NULL, $12
             WHERE EXISTS (SELECT FROM credits_internal.subscriptions s WHERE s.customer_id = $1)
             ON CONFLICT DO NOTHING RETURNING 1
         )
         INSERT INTO credits_internal.invoiced_events (customer_id, identifier, event_name, quantity, counted, occurred_at,
                                                       created_at)
         SELECT $1, $2, $3, $13, $14, $6, $7 FROM claim
         RETURNING true"
    ),
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
        TEXTOID,
        NUMERICOID,
        TEXTOID,
    ],
);

/// Records one event, in one statement that locks only its identifier: false if that is taken, or if its customer has no
/// subscription.
pub fn record(session: &Session, priced: &Priced<'_>, now: Time) -> Result<bool, Error> {
    let event = priced.event;
    let cells = [
        event.customer_id.cell(),
        event.identifier.cell(),
        event.event_name.cell(),
        priced.meter.currency.cell(),
        event.value.cell(),
        event.occurred_at.cell(),
        now.cell(),
        event.extras.subscription_id.cell(),
        event.extras.source_data.cell(),
        event.extras.metadata.cell(),
        priced.meter.price_version.cell(),
        event.extras.member_id.cell(),
        priced.meter.aggregation.quantity(event.value).cell(),
        priced.value.cell(),
    ];
    Ok(RECORD.run(session, &cells)?.len() > 0)
}

static KEEP: Statement = Statement::new(
    c"SELECT true FROM credits_internal.customers c WHERE c.customer_id = ANY ($1)
      ORDER BY c.customer_id
      FOR KEY SHARE OF c",
    &[TEXTARRAYOID],
);

/// Nothing else keeps the customers of these events from being deleted. Comes before any account is locked.
pub fn keep_customers(session: &Session, events: &[&Priced<'_>]) -> Result<(), Error> {
    match events.is_empty() {
        true => Ok(()),
        false => KEEP.run(session, &[array(events.iter().map(|p| &p.event.customer_id))]).map(drop),
    }
}

static ADD: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoiced_events (customer_id, identifier, event_name, quantity, counted, occurred_at,
                                                    created_at)
      SELECT x.customer_id, x.identifier, x.event_name, x.quantity, x.counted, x.occurred_at, $7
      FROM unnest($1, $2, $3, $4, $5, $6) AS x (customer_id, identifier, event_name, quantity, counted, occurred_at)",
    &[
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        TEXTARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZOID,
    ],
);

/// Records events whose identifiers are claimed.
pub fn add(session: &Session, events: &[&Priced<'_>], now: Time) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let cells = [
        array(events.iter().map(|p| &p.event.customer_id)),
        array(events.iter().map(|p| &p.event.identifier)),
        array(events.iter().map(|p| &p.event.event_name)),
        array(events.iter().map(|p| p.meter.aggregation.quantity(p.event.value))),
        array(events.iter().map(|p| p.value.as_ref())),
        array(events.iter().map(|p| p.event.occurred_at)),
        now.cell(),
    ];
    ADD.run(session, &cells).map(drop)
}

/// What a quantity of a customer's usage costs at a meter's own price of a moment.
pub fn cost(
    session: &Session,
    (event_name, customer_id, at): (&str, &str, Time),
    quantity: Decimal,
    decimals: u32,
) -> Result<Result<Decimal, AmountError>, Error> {
    let missing = || meter::missing(session, event_name);
    let meter = meter::find_for(session, event_name, customer_id, at)?.ok_or_else(missing)?;
    let price = meter.pricing.price("").ok_or_else(|| Error::unpriced(event_name))?;
    Ok(price.cost(quantity, decimals))
}

/// Raises PC013 for a meter that charges no wallet.
pub fn refuse(meter: &Meter, event_name: &str) -> Result<(), Error> {
    if !meter.invoiced {
        return Ok(());
    }
    let reason = format!("must be a meter that charges a wallet: usage of {} is invoiced", quoted(event_name));
    Err(Error::argument("event_name", reason))
}

/// A meter that is invoiced, as a subscription needs it.
pub struct Invoiced {
    /// How its events add up.
    pub aggregation: Aggregation,
    /// The currency of its own price.
    pub currency: String,
}

/// What a meter is to a subscription: `None` where its events are charged to the wallet. Raises PC004.
pub fn find(session: &Session, event_name: &str, at: Time) -> Result<Option<Invoiced>, Error> {
    let meter = meter::find(session, event_name, at)?.ok_or_else(|| meter::missing(session, event_name))?;
    Ok(meter.invoiced.then(|| Invoiced { aggregation: meter.aggregation, currency: meter.currency.clone() }))
}
