//! Meters: the billable kinds of usage, found by their event name.

use super::pricing::Aggregation;
use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::book::Overage;
use crate::ledger::currency;
use crate::pg::argument::Numeric;
use crate::pg::cache::{self, Cache};
use crate::pg::procedure::Call;
use crate::pg::reply::{One, Reply, Unchanged};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, Oid, ToCell};
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID};

row! {
    /// A meter as `meter_create` returns it.
    pub struct MeterRow {
        /// Its key.
        pub event_name: String,
        /// What people call it.
        pub name: Option<String>,
        /// What it charges.
        pub currency: String,
        /// Credits for one unit.
        pub unit_price: Decimal,
        /// 'sum' or 'count'.
        pub aggregation: String,
        /// For display.
        pub unit: Option<String>,
        /// 'pending' or 'reject'.
        pub overage: String,
        /// Whether it takes events.
        pub active: bool,
    } read
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

static CREATE: Statement = Statement::new(
    c"INSERT INTO credits.meters (event_name, name, currency, unit_price, aggregation, unit, overage, description,
                                  metadata)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (event_name) DO NOTHING
      RETURNING event_name, name, currency, unit_price, aggregation, unit, overage, active",
    &[TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
);

/// `credits.meter_create`. Raises PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn meter_create(
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
) -> Reply<One<MeterRow>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        let unit_price = input::number("unit_price", unit_price, amount::not_negative)?;
        let aggregation = input::choice("aggregation", aggregation, "sum", &Aggregation::NAMES)?;
        let overage = input::choice("overage", overage, "pending", &["pending", "reject"])?;
        input::choice("settlement", settlement, "immediate", &["immediate"])?;
        if period.is_some() {
            return Err(Error::argument("period", "must be NULL for aggregation sum and count"));
        }
        let code = currency::code_or_default(currency)?;
        writing(|session| {
            currency::resolve(session, &code)?;
            let made = CREATE.run(
                session,
                &[
                    event_name.cell(),
                    name.cell(),
                    code.cell(),
                    unit_price.cell(),
                    aggregation.cell(),
                    unit.cell(),
                    overage.cell(),
                    description.cell(),
                    metadata.cell(),
                ],
            )?;
            let row = made
                .first()
                .ok_or_else(|| Error::argument("event_name", format!("\"{event_name}\" exists already")))?;
            MeterRow::read(row).map(One)
        })
    })())
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits.meters m
      SET name = coalesce($2, m.name), unit_price = coalesce($3, m.unit_price), unit = coalesce($4, m.unit),
          overage = coalesce($5, m.overage), description = coalesce($6, m.description),
          metadata = coalesce($7, m.metadata)
      WHERE m.event_name = $1
      RETURNING m.event_name, m.name, m.currency, m.unit_price, m.aggregation, m.unit, m.overage, m.active",
    &[TEXTOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
);

/// `credits.meter_update`: what is NULL stays; events keep what they were charged. Raises PC004, PC007, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn meter_update(
    event_name: Option<&str>,
    name: Option<&str>,
    unit_price: Option<Numeric>,
    unit: Option<&str>,
    overage: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<MeterRow>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        let unit_price = input::optional_number("unit_price", unit_price, amount::not_negative)?;
        if let Some(overage) = overage {
            input::choice("overage", Some(overage), overage, &["pending", "reject"])?;
        }
        writing(|session| {
            let updated = UPDATE.run(
                session,
                &[
                    event_name.cell(),
                    name.cell(),
                    unit_price.cell(),
                    unit.cell(),
                    overage.cell(),
                    description.cell(),
                    metadata.cell(),
                ],
            )?;
            let row = updated.first().ok_or_else(|| Error::MeterNotFound { event_name: event_name.to_string() })?;
            MeterRow::read(row).map(One)
        })
    })())
}

static SET_ACTIVE: Statement = Statement::new(
    c"UPDATE credits.meters SET active = $2 WHERE event_name = $1 RETURNING event_name, active",
    &[TEXTOID, BOOLOID],
);

fn set_active(event_name: Option<&str>, active: bool) -> Result<One<ActiveRow>, Error> {
    let event_name = input::key("event_name", event_name)?;
    writing(|session| {
        let rows = SET_ACTIVE.run(session, &[event_name.cell(), active.cell()])?;
        let Some(row) = rows.first() else {
            return Err(Error::MeterNotFound { event_name: event_name.to_string() });
        };
        ActiveRow::read(row).map(One)
    })
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

/// `credits.forget_remembered`: the trigger on meters and currencies.
#[pg_extern(sql = false)]
fn forget_remembered(call: Call) -> Reply<Unchanged> {
    cache::table_changed(&call);
    Reply(Ok(Unchanged))
}

/// What charging an event needs to know of its meter.
#[derive(Debug, Clone)]
pub struct Meter {
    /// What it charges.
    pub currency: String,
    /// The currency's decimals.
    pub decimals: u32,
    /// Whether the currency takes new business.
    pub currency_active: bool,
    /// Credits for one unit.
    pub unit_price: Decimal,
    /// Sum or count.
    pub aggregation: Aggregation,
    /// What to do with what no credit covers.
    pub overage: Overage,
    /// Whether it takes events.
    pub active: bool,
}

static FIND: Statement = Statement::new(
    c"SELECT m.tableoid, c.tableoid, m.currency, c.decimals, c.active, m.unit_price, m.aggregation, m.overage, m.active
      FROM credits.meters m JOIN credits.currencies c ON c.currency = m.currency
      WHERE m.event_name = $1",
    &[TEXTOID],
);

thread_local! {
    static KNOWN: Cache<Meter> = Cache::new();
}

/// The meter of that event name.
pub fn find(session: &Session, event_name: &str) -> Result<Option<Meter>, Error> {
    KNOWN.with(|known| known.get_or_find(event_name, || read_with_tables(session, event_name)))
}

/// The same, not remembered: a reader's snapshot may be older than the last change.
pub fn read(session: &Session, event_name: &str) -> Result<Option<Meter>, Error> {
    Ok(read_with_tables(session, event_name)?.map(|(meter, _)| meter))
}

fn read_with_tables(session: &Session, event_name: &str) -> Result<Option<(Meter, Vec<Oid>)>, Error> {
    let rows = FIND.run(session, &[event_name.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let tables = vec![row.next()?, row.next()?];
    let meter = Meter {
        currency: row.next()?,
        decimals: u32::try_from(row.next::<i16>()?).unwrap_or_default(),
        currency_active: row.next()?,
        unit_price: row.next()?,
        aggregation: Aggregation::parse(&row.next::<String>()?)
            .ok_or_else(|| Error::internal("a meter has an unknown aggregation"))?,
        overage: if row.next::<String>()? == "reject" { Overage::Reject } else { Overage::Pending },
        active: row.next()?,
    };
    Ok(Some((meter, tables)))
}
