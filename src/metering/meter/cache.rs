//! The cache of meters: what charging an event needs to know, kept by the session until any session changes it. It has
//! all moments from which on another price is in force, so a price that was set for a moment holds from then on in
//! sessions that have been connected since before.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Overage;
use crate::metering::meter::{DEFERRED, INVOICE, overrides};
use crate::metering::period::calendar::Span;
use crate::metering::period::place::PeriodFrom;
use crate::metering::pricing::overrides::Terms;
use crate::metering::pricing::schedule::{InForce, Schedule};
use crate::metering::pricing::version::{CHARGED_ELSEWHERE, Version};
use crate::metering::pricing::{Aggregation, Pricing};
use crate::moment::Time;
use crate::pg::cache::Cache;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Oid, ToCell};
use crate::settings;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};
use std::cell::RefCell;
use std::rc::Rc;

/// A meter with the prices of one time, as charging needs it.
#[derive(Debug, Clone)]
pub struct Meter {
    /// The currency that it charges.
    pub currency: String,
    /// The currency's decimals.
    pub decimals: u32,
    /// Whether the currency takes new business.
    pub currency_active: bool,
    /// Sum, count, last, max or unique.
    pub aggregation: Aggregation,
    /// Which events are priced together: those of a day, a week, a month or a year, or all.
    pub period: Span,
    /// What to do with what no credit covers.
    pub overage: Overage,
    /// Whether its events are recorded first, and charged later or never.
    pub deferred: bool,
    /// Whether they are invoiced, and never charged: such a meter is deferred as well, so others need not ask.
    pub invoiced: bool,
    /// Whether it takes events.
    pub active: bool,
    /// The last version of its prices, in force or not.
    pub last_version: i32,
    /// Which of its prices these are, as an event has it.
    pub price_version: i32,
    /// The prices.
    pub pricing: Rc<Pricing>,
    /// When they are in force, for customers that have none of their own.
    pub in_force: InForce,
    /// Whether any customer has.
    pub overridden: bool,
    /// The prices from whose usage these go on in mid-period, as an event has them: the newest first.
    pub continues: Rc<[i32]>,
    /// What pays where its currency is used up.
    pub fallback: Option<Fallback>,
    /// The key of the events' metadata whose different values are counted.
    pub unique_by: Option<String>,
    /// The time zone of its calendar, if it is not UTC.
    pub time_zone: Option<String>,
    /// Whose calendar its periods are on.
    pub period_from: PeriodFrom,
}

/// The second currency of a meter.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// Its code.
    pub currency: String,
    /// Units of it per unit of the meter's.
    pub rate: Decimal,
    /// Its decimals.
    pub decimals: u32,
}

/// A meter with all of its prices; those that were needed are read.
struct Kept {
    schedule: Schedule,
    /// The versions that go on from the usage under the one before.
    continuing: Vec<i32>,
    priced: RefCell<Vec<Rc<Meter>>>,
}

/// The most prices of a meter that are kept: late events need those of before.
const MOST: usize = 16;

impl Kept {
    /// The meter with the prices of a moment.
    fn at(&self, session: &Session, event_name: &str, at: Time) -> Result<Rc<Meter>, Error> {
        let mut priced = self.priced.borrow_mut();
        if let Some(meter) = priced.iter().find(|meter| meter.in_force.covers(at)) {
            return Ok(meter.clone());
        }
        let in_force = self.schedule.at(at).ok_or_else(|| Error::internal("a meter has no first price"))?;
        let first = priced.first().ok_or_else(|| Error::internal("a meter was kept without a price"))?;
        let pricing = Rc::new(list_prices(session, event_name, in_force.version)?);
        let continues = self.schedule.gone_on_from(&in_force, &self.continuing).into();
        let price_version = if first.invoiced { CHARGED_ELSEWHERE } else { in_force.version };
        let meter = Rc::new(Meter { price_version, pricing, in_force, continues, ..(**first).clone() });
        priced.truncate(MOST - 1);
        priced.push(meter.clone());
        Ok(meter)
    }
}

/// The text of the statement that finds a meter with its prices at $2, of the schedule of its prices.
macro_rules! finding {
    ($schedule:literal, $overridden:literal, $newer:literal, $join:literal) => {
        text!(
            "SELECT m.tableoid, c.tableoid, 'credits_internal.meter_prices'::regclass::oid, m.currency, c.decimals,
                    c.active, m.aggregation, m.period, m.overage, m.settlement, m.active, ",
            $overridden,
            ", ARRAY(SELECT s.since FROM ",
            $schedule,
            " s WHERE s.event_name = $1 ORDER BY s.version), ARRAY(SELECT s.version FROM ",
            $schedule,
            " s WHERE s.event_name = $1 ORDER BY s.version), ARRAY(SELECT s.version FROM ",
            $schedule,
            " s WHERE s.event_name = $1 AND s.continue_tiers), p.unit_price, p.pricing::text, p.numbers_as_written, ",
            $newer,
            " FROM credits_internal.meters m
             JOIN credits_internal.currencies c ON c.currency = m.currency ",
            $join,
            " CROSS JOIN LATERAL (SELECT s.unit_price, s.pricing, s.numbers_as_written FROM ",
            $schedule,
            " s WHERE s.event_name = $1 AND s.since <= $2 ORDER BY s.since DESC, s.version DESC LIMIT 1) p
             WHERE m.event_name = $1"
        )
    };
}

static FIND: Statement = Statement::new(
    finding!(
        "credits_internal.price_schedule",
        "EXISTS (SELECT FROM credits_internal.price_overrides o WHERE o.event_name = $1),
         'credits_internal.price_overrides'::regclass::oid",
        "f.currency, m.fallback_rate, f.decimals, m.unique_by, m.time_zone, m.period_from",
        "LEFT JOIN credits_internal.currencies f ON f.currency = m.fallback_currency AND f.active"
    ),
    &[TEXTOID, TIMESTAMPTZOID],
)
.before(finding!(
    "(SELECT event_name, version, unit_price, pricing, true AS numbers_as_written, false AS continue_tiers,
             CASE WHEN version = 1 THEN '-infinity' ELSE created_at END AS since
      FROM credits_internal.meter_prices)",
    "false, 'credits_internal.meter_prices'::regclass::oid",
    "NULL::text, NULL::numeric, NULL::smallint, NULL::text, NULL::text, 'meter'",
    ""
));

thread_local! {
    static CACHE: Cache<Rc<Kept>> = Cache::new();
}

/// The meter of that event name, with the prices that are in force at a moment.
pub fn find(session: &Session, event_name: &str, at: Time) -> Result<Option<Rc<Meter>>, Error> {
    let kept = CACHE.with(|cache| cache.get_or_find(event_name, || read_with_tables(session, event_name, at)))?;
    kept.map(|kept| kept.at(session, event_name, at)).transpose()
}

/// The same with the prices that a customer has at that moment.
pub fn find_for(session: &Session, event_name: &str, customer_id: &str, at: Time) -> Result<Option<Rc<Meter>>, Error> {
    match find(session, event_name, at)? {
        Some(meter) if meter.overridden => overrides::apply(session, event_name, customer_id, at, meter).map(Some),
        meter => Ok(meter),
    }
}

/// The meter with the prices of a moment, not cached: a reader's snapshot may be older than the last change.
pub fn read_at(session: &Session, event_name: &str, at: Time) -> Result<Option<Rc<Meter>>, Error> {
    let kept = read_with_tables(session, event_name, at)?;
    kept.map(|(kept, _)| kept.at(session, event_name, at)).transpose()
}

/// The same with the prices of now.
pub fn read(session: &Session, event_name: &str) -> Result<Option<Rc<Meter>>, Error> {
    read_at(session, event_name, settings::now()?)
}

/// A meter, and the tables that it was read from.
type Found = (Rc<Kept>, Vec<Oid>);

fn read_with_tables(session: &Session, event_name: &str, at: Time) -> Result<Option<Found>, Error> {
    let rows = FIND.run(session, &[event_name.cell(), at.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let mut tables = vec![row.next()?, row.next()?, row.next()?];
    let unknown = || Error::internal("a meter is of an unknown kind");
    let currency = row.next()?;
    let decimals = u32::try_from(row.next::<i16>()?).unwrap_or_default();
    let currency_active = row.next()?;
    let aggregation = Aggregation::parse(&row.next::<String>()?).ok_or_else(unknown)?;
    let period = Span::parse(row.next::<Option<String>>()?.as_deref()).ok_or_else(unknown)?;
    let overage = if row.next::<String>()? == "reject" { Overage::Reject } else { Overage::Pending };
    let settlement: String = row.next()?;
    let invoiced = settlement == INVOICE;
    let deferred = invoiced || settlement == DEFERRED;
    let active = row.next()?;
    let overridden = row.next()?;
    tables.push(row.next()?);
    let (since, versions): (Vec<Time>, Vec<i32>) = (row.next()?, row.next()?);
    let continuing: Vec<i32> = row.next()?;
    let schedule = Schedule::new(since.into_iter().zip(versions).collect());
    let in_force = schedule.at(at).ok_or_else(|| Error::internal("a meter has no first price"))?;
    let meter = Meter {
        currency,
        decimals,
        currency_active,
        aggregation,
        period,
        overage,
        deferred,
        invoiced,
        active,
        last_version: schedule.last_version(),
        // What its events cost, invoices say.
        price_version: if invoiced { CHARGED_ELSEWHERE } else { in_force.version },
        pricing: Rc::new(pricing(row.next()?, row.next()?, !row.next::<bool>()?)?),
        in_force,
        overridden,
        fallback: fallback(row.next()?, row.next()?, row.next()?),
        unique_by: row.next()?,
        time_zone: row.next()?,
        period_from: PeriodFrom::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        continues: schedule.gone_on_from(&in_force, &continuing).into(),
    };
    Ok(Some((Rc::new(Kept { schedule, continuing, priced: RefCell::new(vec![Rc::new(meter)]) }), tables)))
}

fn fallback(currency: Option<String>, rate: Option<Decimal>, decimals: Option<i16>) -> Option<Fallback> {
    Some(Fallback { currency: currency?, rate: rate?, decimals: u32::try_from(decimals?).ok()? })
}

static PRICES: Statement = Statement::new(
    c"SELECT unit_price, pricing::text, effective_at IS NOT NULL FROM credits_internal.meter_prices
      WHERE event_name = $1 AND version = $2",
    &[TEXTOID, INT4OID],
)
.before(
    c"SELECT unit_price, pricing::text, false FROM credits_internal.meter_prices WHERE event_name = $1 AND version = $2",
);

/// The prices that a customer's event had, under its version.
pub fn prices_of(session: &Session, event_name: &str, customer_id: &str, version: i32) -> Result<Pricing, Error> {
    let version = Version::unpacked(version);
    if version.override_no == 0 {
        return list_prices(session, event_name, version.list);
    }
    let own = overrides::find(session, event_name, customer_id, version.override_no)?;
    let own = own.ok_or_else(|| Error::internal("a customer's own price is not there"))?;
    match own.terms {
        Terms::Price(pricing) => Ok(pricing),
        Terms::Discount(percent) => Ok(list_prices(session, event_name, version.list)?.discounted(percent)),
    }
}

/// The prices that a meter had under a version, without overrides.
pub fn list_prices(session: &Session, event_name: &str, version: i32) -> Result<Pricing, Error> {
    let rows = PRICES.run(session, &[event_name.cell(), version.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a meter's earlier price is not there"))?;
    pricing(row.next()?, row.next()?, row.next()?)
}

/// A price from its columns, and whether it was set since 1.0 and 1 are one.
pub fn pricing(unit_price: Option<Decimal>, text: Option<String>, numbers_are_one: bool) -> Result<Pricing, Error> {
    let wrong = || Error::internal("a meter has a price that is none");
    match (unit_price, text) {
        (_, Some(text)) => Pricing::read(&text, numbers_are_one).map_err(|_| wrong()),
        (Some(unit_price), None) => Ok(Pricing::flat(unit_price)),
        (None, None) => Err(wrong()),
    }
}
