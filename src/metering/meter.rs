//! Meters: the billable kinds of usage, found by their event name. Creating, pricing and deactivating them; what
//! charging needs to know about them is in meter/cache.rs.

mod cache;
mod existing;
mod fallback;
mod given;
pub mod overrides;
pub mod price_override;

pub use cache::{Fallback, Meter, find, find_for, list_prices, prices_of, read, read_at};
pub use given::Given;
use given::{check_later, check_money, check_unique};

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::metering::period::calendar::Span;
use crate::metering::pricing::Aggregation;
use crate::metering::pricing::version::MOST_VERSIONS;
use crate::moment::Time;
use crate::nearest::nearest;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::procedure::Call;
use crate::pg::call::reply::{One, Reply, Unchanged};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

/// The settlement of a meter whose events are charged afterwards: its name in SQL.
const DEFERRED: &str = "deferred";
/// The settlement of a meter whose events are invoiced, and never charged.
const INVOICE: &str = "invoice";

row! {
    /// A meter as `meter_create` and `meter_update` return it.
    pub struct MeterRow {
        /// Its key.
        pub event_name: String,
        /// Its display name.
        pub name: Option<String>,
        /// The currency that it charges.
        pub currency: String,
        /// Credits for one unit; NULL if `pricing` says more.
        pub unit_price: Option<Decimal>,
        /// 'sum', 'count', 'last', 'max' or 'unique'.
        pub aggregation: String,
        /// For display.
        pub unit: Option<String>,
        /// 'pending' or 'reject'.
        pub overage: String,
        /// Whether it takes events.
        pub active: bool,
        /// 'day', 'week', 'month', 'year' or NULL for ever.
        pub period: Option<String>,
        /// 'immediate', 'deferred' or 'invoice'.
        pub settlement: String,
        /// Its prices, if they are more than one unit price.
        pub pricing: Option<Json>,
        /// When another price, which is set already, takes effect.
        pub next_price_at: Option<Time>,
        /// The currency that pays where its own is used up.
        pub fallback_currency: Option<String>,
        /// Units of that one per unit of its own.
        pub fallback_rate: Option<Decimal>,
        /// The key of the events' metadata whose different values are counted.
        pub unique_by: Option<String>,
        /// The time zone of its calendar; NULL for UTC.
        pub time_zone: Option<String>,
        /// 'meter', 'customer' or 'billing_date': whose calendar its periods are on.
        pub period_from: String,
    } read
}

static ROW: Statement = Statement::new(
    c"SELECT m.event_name, m.name, m.currency, p.unit_price, m.aggregation, m.unit, m.overage, m.active, m.period,
             m.settlement, p.pricing,
             (SELECT min(s.since) FROM credits_internal.price_schedule s WHERE s.event_name = $1 AND s.since > $2),
             m.fallback_currency, m.fallback_rate, m.unique_by, m.time_zone, m.period_from
      FROM credits_internal.meters m
      CROSS JOIN LATERAL (SELECT s.unit_price, s.pricing FROM credits_internal.price_schedule s
                          WHERE s.event_name = $1 AND s.since <= $2 ORDER BY s.since DESC, s.version DESC LIMIT 1) p
      WHERE m.event_name = $1",
    &[TEXTOID, TIMESTAMPTZOID],
)
.before(
    c"SELECT m.event_name, m.name, m.currency, p.unit_price, m.aggregation, m.unit, m.overage, m.active, m.period,
             m.settlement, p.pricing, NULL::timestamptz, NULL::text, NULL::numeric, NULL::text, NULL::text, 'meter'
      FROM credits_internal.meters m
      JOIN credits_internal.meter_prices p ON p.event_name = m.event_name AND p.version = m.price_version
      WHERE m.event_name = $1",
);

fn row(session: &Session, event_name: &str, now: Time) -> Result<One<MeterRow>, Error> {
    let rows = ROW.run(session, &[event_name.cell(), now.cell()])?;
    let row = rows.first().ok_or_else(|| Error::internal("a meter has no price"))?;
    MeterRow::read(row).map(One)
}

row! {
    /// What `meter_activate` and `meter_deactivate` return.
    pub struct ActiveRow {
        /// The meter.
        pub event_name: String,
        /// Whether it takes events.
        pub active: bool,
    } read
}

const OVERAGES: [&str; 2] = ["pending", "reject"];

/// The text of the statement that creates a meter, up to its first price.
macro_rules! creating {
    ($columns:literal, $values:literal, $rest:literal) => {
        text!(
            "WITH meter AS (
                 INSERT INTO credits_internal.meters (event_name, name, currency, aggregation, period, unit, overage,
                                                      settlement, description, metadata",
            $columns,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
            $values,
            ")
                 ON CONFLICT (event_name) DO NOTHING RETURNING event_name, price_version
             ) ",
            $rest
        )
    };
}

static CREATE: Statement = Statement::new(
    creating!(
        ", unique_by, time_zone, period_from",
        ", $14, $15, $16",
        "INSERT INTO credits_internal.meter_prices (event_name, version, unit_price, pricing, effective_at)
         SELECT m.event_name, m.price_version, $11, $12, $13 FROM meter m RETURNING event_name"
    ),
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        NUMERICOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
    ],
)
.before(creating!(
    "",
    "",
    "INSERT INTO credits_internal.meter_prices (event_name, version, unit_price, pricing)
     SELECT m.event_name, m.price_version, $11, $12 FROM meter m RETURNING event_name"
));

/// `credits.meter_create`. Raises PC002, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn meter_create_2(
    event_name: Option<&str>,
    name: Option<&str>,
    currency: Option<&str>,
    unit_price: Option<Numeric>,
    aggregation: Option<&str>,
    unit: Option<&str>,
    period: Option<&str>,
    overage: Option<&str>,
    settlement: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    pricing: Option<Json>,
    if_not_exists: Option<bool>,
    unique_by: Option<&str>,
    unpriced: Option<&str>,
    time_zone: Option<&str>,
    period_from: Option<&str>,
) -> Reply<One<MeterRow>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        input::text("name", name)?;
        input::text("description", description)?;
        let price = input::required("unit_price", Given::read(unit_price, pricing, unpriced)?)?;
        let aggregation = input::choice("aggregation", aggregation, "sum", &Aggregation::NAMES)?;
        let period = period.map(|given| input::choice("period", Some(given), given, &Span::NAMES)).transpose()?;
        let (time_zone, period_from) = given::calendar(period, time_zone, period_from)?;
        let overage = input::choice("overage", overage, "pending", &OVERAGES)?;
        let settlement = input::choice("settlement", settlement, "immediate", &["immediate", DEFERRED, INVOICE])?;
        check_unique(aggregation, input::optional_key("unique_by", unique_by)?)?;
        check_later(aggregation, Some(overage), Some(&price), settlement)?;
        let code = currency::code_or_default(currency)?;
        let now = settings::now()?;
        writing(|session| {
            currency::resolve(session, &code)?;
            check_money(session, (settlement, period), &code)?;
            let [unit_price, pricing] = price.cells(session)?;
            let terms = [
                event_name.cell(),
                name.cell(),
                code.cell(),
                aggregation.cell(),
                period.cell(),
                unit.cell(),
                overage.cell(),
                settlement.cell(),
                description.cell(),
                metadata.cell(),
                unit_price,
                pricing,
                now.cell(),
                unique_by.cell(),
                time_zone.cell(),
                period_from.cell(),
            ];
            if CREATE.run(session, &terms)?.len() == 0 {
                if if_not_exists != Some(true) {
                    let reason = format!("\"{event_name}\" exists already: credits.meter_update changes it");
                    return Err(Error::argument("event_name", reason));
                }
                existing::check_same(session, event_name, &terms)?;
            }
            row(session, event_name, now)
        })
    })())
}

crate::older!(meter_create_wrapper => meter_create_2_wrapper, 12 of 17);

static LOCK: Statement = Statement::new(
    c"SELECT aggregation, settlement, price_version FROM credits_internal.meters WHERE event_name = $1 FOR NO KEY UPDATE",
    &[TEXTOID],
);

/// A meter that is locked, as its prices need it.
pub struct Locked {
    aggregation: String,
    settlement: String,
    last_version: i32,
}

/// Locks a meter, so that what is read of its prices afterwards is current. Raises PC004.
pub fn lock(session: &Session, event_name: &str) -> Result<Locked, Error> {
    let locked = LOCK.run(session, &[event_name.cell()])?;
    let mut row = locked.first().ok_or_else(|| missing(session, event_name))?;
    Ok(Locked { aggregation: row.next()?, settlement: row.next()?, last_version: row.next()? })
}

impl Locked {
    /// Checks what a meter must be that is not charged at once. Raises PC013.
    pub fn check_later(&self, overage: Option<&str>, price: Option<&Given>) -> Result<(), Error> {
        check_later(&self.aggregation, overage, price, &self.settlement)
    }
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.meters m
      SET name = coalesce($2, m.name), unit = coalesce($3, m.unit), overage = coalesce($4, m.overage),
          description = coalesce($5, m.description), metadata = coalesce($6, m.metadata)
      WHERE m.event_name = $1",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
);

// From $4 on. Without a moment ($5) that is now, and not before the price that is in force by now ($6): the transaction
// of that may have begun later and ended earlier. The same price as at that moment is not a new price: usage continues
// to count.
static REPRICE: Statement = Statement::new(
    c"WITH given AS (
          SELECT CASE WHEN $5 THEN greatest($4, max(s.since)) ELSE $4 END AS since
          FROM credits_internal.price_schedule s WHERE s.event_name = $1 AND s.since <= $6
      ), meter AS (
          UPDATE credits_internal.meters m SET price_version = m.price_version + 1
          FROM given g
          CROSS JOIN LATERAL (SELECT s.unit_price, s.pricing, s.numbers_as_written AND s.pricing ? 'by' AS differs
                              FROM credits_internal.price_schedule s
                              WHERE s.event_name = $1 AND s.since <= g.since
                              ORDER BY s.since DESC, s.version DESC LIMIT 1) p
          WHERE m.event_name = $1 AND ((p.unit_price, p.pricing) IS DISTINCT FROM ($2, $3) OR p.differs)
          RETURNING m.event_name, m.price_version, g.since
      )
      INSERT INTO credits_internal.meter_prices (event_name, version, unit_price, pricing, effective_at, continue_tiers)
      SELECT m.event_name, m.price_version, $2, $3, m.since, $7 FROM meter m",
    &[TEXTOID, NUMERICOID, JSONBOID, TIMESTAMPTZOID, BOOLOID, TIMESTAMPTZOID, BOOLOID],
)
.before(
    c"WITH meter AS (
          UPDATE credits_internal.meters m SET price_version = m.price_version + 1
          FROM credits_internal.meter_prices p
          WHERE m.event_name = $1 AND p.event_name = m.event_name AND p.version = m.price_version
            AND (p.unit_price, p.pricing) IS DISTINCT FROM ($2, $3)
          RETURNING m.event_name, m.price_version
      )
      INSERT INTO credits_internal.meter_prices (event_name, version, unit_price, pricing)
      SELECT m.event_name, m.price_version, $2, $3 FROM meter m",
);

/// `credits.meter_update`: NULL leaves a value as it is; events keep what they were charged. Raises PC004, PC007,
/// PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn meter_update_2(
    event_name: Option<&str>,
    name: Option<&str>,
    unit_price: Option<Numeric>,
    unit: Option<&str>,
    overage: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    pricing: Option<Json>,
    effective_at: Option<Timestamptz>,
    fallback_currency: Option<&str>,
    fallback_rate: Option<Numeric>,
    continue_tiers: Option<bool>,
    unpriced: Option<&str>,
) -> Reply<One<MeterRow>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        input::text("name", name)?;
        input::text("description", description)?;
        let price = Given::read(unit_price, pricing, unpriced)?;
        let (now, by_now) = (settings::now()?, settings::clock()?);
        let effective_at = effective_at.map(|at| at.0);
        let later = input::not_past("effective_at", effective_at, now)?;
        if effective_at.is_some() && price.is_none() {
            return Err(Error::argument("effective_at", "is when a price takes effect: give unit_price or pricing"));
        }
        let overage = overage.map(|given| input::choice("overage", Some(given), given, &OVERAGES)).transpose()?;
        let second = fallback::Change::read(fallback_currency, fallback_rate)?;
        let continue_tiers = continue_tiers == Some(true);
        if continue_tiers && !price.as_ref().is_some_and(Given::can_continue) {
            return Err(Error::argument("continue_tiers", "is for a pricing whose tiers are graduated, or blocks"));
        }
        writing(|session| {
            let locked = lock(session, event_name)?;
            locked.check_later(overage, price.as_ref())?;
            if price.is_some() && locked.last_version >= MOST_VERSIONS {
                return Err(Error::argument("event_name", "has had 65535 prices, the most there can be"));
            }
            let arguments =
                [event_name.cell(), name.cell(), unit.cell(), overage.cell(), description.cell(), metadata.cell()];
            UPDATE.run(session, &arguments)?;
            if let Some(price) = price {
                let [unit_price, pricing] = price.cells(session)?;
                let (since, is_now) = (later.unwrap_or(now).cell(), later.is_none().cell());
                let cells =
                    [event_name.cell(), unit_price, pricing, since, is_now, by_now.cell(), continue_tiers.cell()];
                REPRICE.run(session, &cells)?;
            }
            let meter = row(session, event_name, now)?;
            fallback::change(session, &meter.0, second, now)?;
            row(session, event_name, now)
        })
    })())
}

crate::older!(meter_update_wrapper => meter_update_2_wrapper, 8 of 13);

static SET_ACTIVE: Statement = Statement::new(
    c"UPDATE credits_internal.meters SET active = $2 WHERE event_name = $1 RETURNING event_name, active",
    &[TEXTOID, BOOLOID],
);

fn set_active(event_name: Option<&str>, active: bool) -> Result<One<ActiveRow>, Error> {
    let event_name = input::key("event_name", event_name)?;
    writing(|session| {
        let rows = SET_ACTIVE.run(session, &[event_name.cell(), active.cell()])?;
        let Some(row) = rows.first() else {
            return Err(missing(session, event_name));
        };
        ActiveRow::read(row).map(One)
    })
}

static NAMES: Statement = Statement::scanning(c"SELECT event_name FROM credits_internal.meters LIMIT 1000", &[]);

/// PC004, with the meter that may have been meant.
pub fn missing(session: &Session, event_name: &str) -> Error {
    let names: Result<Vec<String>, Error> =
        NAMES.run(session, &[]).and_then(|rows| rows.iter().map(|mut row| row.next()).collect());
    match names {
        Ok(names) => Error::MeterNotFound { event_name: event_name.to_string(), nearest: nearest(event_name, names) },
        Err(error) => error,
    }
}

/// `credits.meter_activate`. Raises PC004, PC013.
#[pg_extern(sql = false)]
fn meter_activate(event_name: Option<&str>) -> Reply<One<ActiveRow>> {
    Reply(set_active(event_name, true))
}

/// `credits.meter_deactivate`. Raises PC004, PC013.
#[pg_extern(sql = false)]
fn meter_deactivate(event_name: Option<&str>) -> Reply<One<ActiveRow>> {
    Reply(set_active(event_name, false))
}

/// `credits_internal.forget_remembered`: the trigger on meters and currencies.
#[pg_extern(sql = false)]
fn forget_remembered(call: Call) -> Reply<Unchanged> {
    crate::pg::cache::table_changed(&call);
    Reply(Ok(Unchanged))
}
