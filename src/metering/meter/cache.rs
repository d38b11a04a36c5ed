//! The cache of meters: what charging an event needs to know, kept by the session until any session changes it.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Overage;
use crate::metering::meter::DEFERRED;
use crate::metering::period::Span;
use crate::metering::pricing::{Aggregation, Pricing};
use crate::moment::Time;
use crate::pg::cache::Cache;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Oid, ToCell};
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};
use std::rc::Rc;

/// A meter, as charging needs it.
#[derive(Debug, Clone)]
pub struct Meter {
    /// The currency that it charges.
    pub currency: String,
    /// The currency's decimals.
    pub decimals: u32,
    /// Whether the currency takes new business.
    pub currency_active: bool,
    /// Sum, count, last or max.
    pub aggregation: Aggregation,
    /// Which events are priced together: those of a day, of a month, or all.
    pub period: Span,
    /// What to do with what no credit covers.
    pub overage: Overage,
    /// Whether its events are recorded first, and charged later.
    pub deferred: bool,
    /// Whether it takes events.
    pub active: bool,
    /// Which of its prices are in force.
    pub price_version: i32,
    /// Those prices.
    pub pricing: Pricing,
    /// Since when they are in force.
    pub price_since: Time,
}

static FIND: Statement = Statement::new(
    c"SELECT m.tableoid, c.tableoid, p.tableoid, m.currency, c.decimals, c.active, m.aggregation, m.period, m.overage,
             m.settlement, m.active, m.price_version, p.unit_price, p.pricing::text, p.created_at
      FROM credits_internal.meters m
      JOIN credits_internal.currencies c ON c.currency = m.currency
      JOIN credits_internal.meter_prices p ON p.event_name = m.event_name AND p.version = m.price_version
      WHERE m.event_name = $1",
    &[TEXTOID],
);

thread_local! {
    static CACHE: Cache<Rc<Meter>> = Cache::new();
}

/// The meter of that event name.
pub fn find(session: &Session, event_name: &str) -> Result<Option<Rc<Meter>>, Error> {
    CACHE.with(|cache| cache.get_or_find(event_name, || read_with_tables(session, event_name)))
}

static VERSION_AT: Statement = Statement::in_order(
    c"SELECT version FROM credits_internal.meter_prices WHERE event_name = $1 AND (created_at <= $2 OR version = 1)
      ORDER BY version DESC LIMIT 1",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// The same with the prices that were in force at a past moment, by the server's clock.
pub fn find_as_of(session: &Session, event_name: &str, at: Time) -> Result<Option<Rc<Meter>>, Error> {
    let Some(meter) = find(session, event_name)?.filter(|meter| meter.price_since > at) else {
        return find(session, event_name);
    };
    let rows = VERSION_AT.run(session, &[event_name.cell(), at.cell()])?;
    let price_version = rows.first().ok_or_else(|| Error::internal("a meter has no first price"))?.next()?;
    let pricing = prices_of(session, event_name, price_version)?;
    Ok(Some(Rc::new(Meter { price_version, pricing, ..(*meter).clone() })))
}

/// The same, not cached: a reader's snapshot may be older than the last change.
pub fn read(session: &Session, event_name: &str) -> Result<Option<Rc<Meter>>, Error> {
    Ok(read_with_tables(session, event_name)?.map(|(meter, _)| meter))
}

/// A meter, and the tables that it was read from.
type Found = (Rc<Meter>, Vec<Oid>);

fn read_with_tables(session: &Session, event_name: &str) -> Result<Option<Found>, Error> {
    let rows = FIND.run(session, &[event_name.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let tables = vec![row.next()?, row.next()?, row.next()?];
    let unknown = || Error::internal("a meter is of an unknown kind");
    let meter = Meter {
        currency: row.next()?,
        decimals: u32::try_from(row.next::<i16>()?).unwrap_or_default(),
        currency_active: row.next()?,
        aggregation: Aggregation::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        period: Span::parse(row.next::<Option<String>>()?.as_deref()).ok_or_else(unknown)?,
        overage: if row.next::<String>()? == "reject" { Overage::Reject } else { Overage::Pending },
        deferred: row.next::<String>()? == DEFERRED,
        active: row.next()?,
        price_version: row.next()?,
        pricing: pricing(row.next()?, row.next()?)?,
        price_since: row.next()?,
    };
    Ok(Some((Rc::new(meter), tables)))
}

static PRICES: Statement = Statement::new(
    c"SELECT unit_price, pricing::text FROM credits_internal.meter_prices WHERE event_name = $1 AND version = $2",
    &[TEXTOID, INT4OID],
);

/// The prices that a meter had under a version.
pub fn prices_of(session: &Session, event_name: &str, version: i32) -> Result<Pricing, Error> {
    let rows = PRICES.run(session, &[event_name.cell(), version.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a meter's earlier price is not there"))?;
    pricing(row.next()?, row.next()?)
}

fn pricing(unit_price: Option<Decimal>, text: Option<String>) -> Result<Pricing, Error> {
    let wrong = || Error::internal("a meter has a price that is none");
    match (unit_price, text) {
        (_, Some(text)) => Pricing::parse(&text).map_err(|_| wrong()),
        (Some(unit_price), None) => Ok(Pricing::flat(unit_price)),
        (None, None) => Err(wrong()),
    }
}
