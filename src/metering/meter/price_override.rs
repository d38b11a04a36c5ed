//! Price overrides: what one customer pays instead of a meter's prices. Setting and ending them; what charging needs of
//! them is in meter/overrides.rs, which of them is in force in pricing/overrides.rs.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::customer;
use crate::metering::meter::{self, Given};
use crate::metering::pricing::overrides::{self, Override};
use crate::metering::pricing::version::MOST_OVERRIDES;
use crate::moment::Time;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{Many, One, Reply};
use crate::pg::statement::{Row, Session, Statement, writing};
use crate::pg::value::{Cell, Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

row! {
    /// An override as `meter_price_override` returns it.
    pub struct OverrideRow {
        /// Whose.
        pub customer_id: String,
        /// The meter.
        pub event_name: String,
        /// Counts from 1 for each customer and meter.
        pub override_no: i32,
        /// Credits for one unit.
        pub unit_price: Option<Decimal>,
        /// Prices that are more than that.
        pub pricing: Option<Json>,
        /// Percent off the meter's prices.
        pub discount_percent: Option<Decimal>,
        /// From when on it is in force.
        pub effective_at: Time,
        /// Until when; NULL for no end.
        pub ends_at: Option<Time>,
        /// 'scheduled', 'active' or 'ended'.
        pub status: String,
        /// When it was set.
        pub created_at: Time,
        /// Whether it was there already.
        pub replayed: bool,
    }
}

impl OverrideRow {
    /// Reads a row from all columns of the table; `now` decides its status.
    fn read(row: &mut Row<'_>, now: Time, replayed: bool) -> Result<Self, Error> {
        let (customer_id, event_name, override_no) = (row.next()?, row.next()?, row.next()?);
        let (unit_price, pricing, discount_percent) = (row.next()?, row.next()?, row.next()?);
        let (effective_at, ends_at): (Time, Option<Time>) = (row.next()?, row.next()?);
        let status = match ends_at {
            Some(ends_at) if ends_at <= now || ends_at <= effective_at => "ended",
            _ if effective_at > now => "scheduled",
            _ => "active",
        };
        Ok(OverrideRow {
            customer_id,
            event_name,
            override_no,
            unit_price,
            pricing,
            discount_percent,
            effective_at,
            ends_at,
            status: status.to_string(),
            created_at: row.next()?,
            replayed,
        })
    }
}

/// PC013, for an override that is not there.
pub fn missing(override_no: i32, event_name: &str, customer_id: &str) -> Error {
    let reason = format!(
        "{override_no} is no override of meter \"{event_name}\" for customer \"{customer_id}\": see the view \
         credits.price_overrides"
    );
    Error::argument("override_no", reason)
}

/// What is paid instead, as it was given.
enum Paid {
    Price(Given),
    Discount(Decimal),
}

impl Paid {
    /// Raises PC007, PC013.
    fn read(
        pricing: Option<Json>,
        unit_price: Option<Numeric>,
        discount_percent: Option<Numeric>,
        unpriced: Option<&str>,
    ) -> Result<Self, Error> {
        if let (Some(_), None) = (unpriced, &pricing) {
            return Err(Error::argument("unpriced", "is for prices by metadata: give pricing, with \"by\""));
        }
        let percent = input::optional_number("discount_percent", discount_percent, percentage)?;
        let one = || Error::argument("pricing", "must be given, or either unit_price or discount_percent instead");
        match (pricing, unit_price, percent) {
            (pricing @ Some(_), None, None) => Given::read(None, pricing, unpriced)?.map(Paid::Price).ok_or_else(one),
            (None, unit_price @ Some(_), None) => Given::read(unit_price, None, None)?.map(Paid::Price).ok_or_else(one),
            (None, None, Some(percent)) => Ok(Paid::Discount(percent)),
            _ => Err(one()),
        }
    }

    /// unit_price, pricing, discount_percent.
    fn cells(&self, session: &Session) -> Result<[Cell; 3], Error> {
        Ok(match self {
            Paid::Price(given) => {
                let [unit_price, pricing] = given.cells(session)?;
                [unit_price, pricing, Cell::NULL]
            }
            Paid::Discount(percent) => [Cell::NULL, Cell::NULL, percent.cell()],
        })
    }

    fn price(&self) -> Option<&Given> {
        if let Paid::Price(given) = self { Some(given) } else { None }
    }
}

/// More than nothing, and at most all.
fn percentage(percent: Decimal) -> Result<Decimal, AmountError> {
    let percent = amount::over_zero(percent)?;
    if percent > Decimal::ONE_HUNDRED { Err(AmountError::OverHundred) } else { Ok(percent) }
}

static SAME: Statement = Statement::new(
    c"SELECT o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, o.effective_at,
             o.ends_at, o.created_at
      FROM credits_internal.price_overrides o
      WHERE o.customer_id = $1 AND o.event_name = $2 AND o.override_no = $3
        AND (o.unit_price, o.pricing, o.discount_percent, o.ends_at) IS NOT DISTINCT FROM ($4, $5, $6, $7)",
    &[TEXTOID, TEXTOID, INT4OID, NUMERICOID, JSONBOID, NUMERICOID, TIMESTAMPTZOID],
);

static SET: Statement = Statement::new(
    c"INSERT INTO credits_internal.price_overrides AS o (customer_id, event_name, override_no, unit_price, pricing,
                                                         discount_percent, ends_at, effective_at, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      RETURNING o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, o.effective_at,
                o.ends_at, o.created_at",
    &[TEXTOID, TEXTOID, INT4OID, NUMERICOID, JSONBOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

/// `credits.meter_price_override`. Raises PC003, PC004, PC007, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn meter_price_override(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    pricing: Option<Json>,
    unit_price: Option<Numeric>,
    discount_percent: Option<Numeric>,
    effective_at: Option<Timestamptz>,
    ends_at: Option<Timestamptz>,
    unpriced: Option<&str>,
) -> Reply<One<OverrideRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let event_name = input::key("event_name", event_name)?;
        let paid = Paid::read(pricing, unit_price, discount_percent, unpriced)?;
        let (now, by_now) = (settings::now()?, settings::clock()?);
        let later = input::not_past("effective_at", effective_at.map(|at| at.0), now)?;
        let ends_at = ends_at.map(|at| at.0).filter(|at| *at != Time::NEVER);
        if ends_at.is_some_and(|at| at <= later.unwrap_or(now)) {
            return Err(Error::argument("ends_at", "must be after effective_at, and not in the past"));
        }
        writing(|session| {
            customer::keep_existing(session, customer_id)?;
            // Overrides of a meter are set one at a time.
            meter::lock(session, event_name)?.check_later(None, paid.price())?;
            let own = meter::overrides::read(session, event_name, customer_id)?;
            // Without a moment it is from now on, and not before what is in force by now.
            let in_force = overrides::at(&own, later.unwrap_or(by_now));
            let since = later.unwrap_or_else(|| in_force.map_or(now, |o| o.since.max(now)));
            let [unit_price, pricing, percent] = paid.cells(session)?;
            if let Some(same) = in_force.filter(|o| later.is_none_or(|later| o.since == later)) {
                let cells = [
                    customer_id.cell(),
                    event_name.cell(),
                    same.override_no.cell(),
                    unit_price,
                    pricing,
                    percent,
                    ends_at.cell(),
                ];
                if let Some(mut row) = SAME.run(session, &cells)?.first() {
                    return OverrideRow::read(&mut row, now, true).map(One);
                }
            }
            let last = own.iter().map(|o: &Override| o.override_no).max().unwrap_or_default();
            if last >= MOST_OVERRIDES {
                return Err(Error::argument(
                    "customer_id",
                    "has had 32767 overrides of that meter, the most there can be",
                ));
            }
            let cells = [
                customer_id.cell(),
                event_name.cell(),
                (last + 1).cell(),
                unit_price,
                pricing,
                percent,
                ends_at.cell(),
                since.cell(),
                now.cell(),
            ];
            let rows = SET.run(session, &cells)?;
            let mut row = rows.first().ok_or_else(|| Error::internal("an override was set and is not there"))?;
            OverrideRow::read(&mut row, now, false).map(One)
        })
    })())
}

// What has begun ends at $4, what has not never begins. What ends before stays as it is.
static END: Statement = Statement::new(
    c"UPDATE credits_internal.price_overrides o SET ends_at = greatest($4, o.effective_at)
      WHERE o.customer_id = $1 AND o.event_name = $2 AND ($3 IS NULL OR o.override_no = $3)
        AND (o.ends_at IS NULL OR o.ends_at > greatest($4, o.effective_at))
      RETURNING o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, o.effective_at,
                o.ends_at, o.created_at",
    &[TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID],
);

static ONE: Statement = Statement::new(
    c"SELECT o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, o.effective_at,
             o.ends_at, o.created_at
      FROM credits_internal.price_overrides o
      WHERE o.customer_id = $1 AND o.event_name = $2 AND o.override_no = $3",
    &[TEXTOID, TEXTOID, INT4OID],
);

/// `credits.meter_price_override_end`: one override, or all. Raises PC004, PC013.
#[pg_extern(sql = false)]
fn meter_price_override_end(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    override_no: Option<i32>,
    ends_at: Option<Timestamptz>,
) -> Reply<Many<OverrideRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let event_name = input::key("event_name", event_name)?;
        let now = settings::now()?;
        let ends_at = input::not_past("ends_at", ends_at.map(|at| at.0), now)?.unwrap_or(now);
        writing(|session| {
            meter::lock(session, event_name)?;
            let key = [customer_id.cell(), event_name.cell(), override_no.cell()];
            let ended = END.run(session, &[key.as_slice(), &[ends_at.cell()]].concat())?;
            let mut rows =
                ended.iter().map(|mut row| OverrideRow::read(&mut row, now, false)).collect::<Result<Vec<_>, _>>()?;
            rows.sort_unstable_by_key(|row| row.override_no);
            if let (Some(number), true) = (override_no, rows.is_empty()) {
                let one = ONE.run(session, &key)?;
                let mut row = one.first().ok_or_else(|| missing(number, event_name, customer_id))?;
                rows.push(OverrideRow::read(&mut row, now, true)?);
            }
            Ok(Many(rows))
        })
    })())
}
