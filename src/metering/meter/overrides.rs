//! The cache of overrides: the prices that customers have of their own, kept by the session until any session changes
//! one. Nothing here runs for a meter of which no customer has any.

use crate::amount::Decimal;
use crate::error::Error;
use crate::metering::meter::cache::{self, Meter};
use crate::metering::pricing::Pricing;
use crate::metering::pricing::overrides::{self, Override, Terms};
use crate::moment::Time;
use crate::pg::cache::Cache;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::{Oid, ToCell};
use pgrx::pg_sys::{INT4OID, INT8OID, TEXTOID};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What a customer pays instead of a meter's prices, and what that comes to with those prices that were needed, by
/// version: what a version is never changes.
#[derive(Default)]
struct OfCustomer {
    all: Vec<Override>,
    applied: RefCell<HashMap<i32, Rc<Pricing>>>,
}

/// All overrides of a meter by customer; `None` where there are too many to be read at once.
type OfMeter = Option<HashMap<String, Rc<OfCustomer>>>;

/// The most overrides of a meter that are read at once. Of a meter that has more, each customer's are read.
const AT_ONCE: usize = 1_000;
/// The most prices that are kept per customer and meter.
const MOST: usize = 64;

thread_local! {
    static METERS: Cache<Rc<OfMeter>> = Cache::new();
    static CUSTOMERS: Cache<Rc<OfCustomer>> = Cache::new();
}

/// The meter with the prices that a customer has at a moment.
pub fn apply(
    session: &Session,
    event_name: &str,
    customer_id: &str,
    at: Time,
    meter: Rc<Meter>,
) -> Result<Rc<Meter>, Error> {
    let Some(own) = of_customer(session, event_name, customer_id)? else { return Ok(meter) };
    let Some(in_force) = overrides::at(&own.all, at) else { return Ok(meter) };
    let version = in_force.version(meter.in_force.version).packed();
    let mut applied = own.applied.borrow_mut();
    if applied.len() >= MOST {
        applied.clear();
    }
    let pricing = applied.entry(version).or_insert_with(|| Rc::new(in_force.applied(&meter.pricing))).clone();
    let continues = match in_force.terms {
        Terms::Discount(_) => meter.continues.iter().map(|list| in_force.version(*list).packed()).collect(),
        Terms::Price(_) => Rc::default(),
    };
    let price_version = if meter.invoiced { meter.price_version } else { version };
    Ok(Rc::new(Meter { price_version, pricing, continues, ..(*meter).clone() }))
}

fn of_customer(session: &Session, event_name: &str, customer_id: &str) -> Result<Option<Rc<OfCustomer>>, Error> {
    let meter = METERS.with(|cache| cache.get_or_find(event_name, || read_meter(session, event_name)))?;
    if let Some(few) = meter.as_deref().and_then(Option::as_ref) {
        return Ok(few.get(customer_id).cloned());
    }
    // A key has no NUL.
    let key = format!("{event_name}\0{customer_id}");
    CUSTOMERS.with(|cache| cache.get_or_find(&key, || read_customer(session, event_name, customer_id)))
}

static OF_METER: Statement = Statement::in_order(
    c"SELECT t.oid, o.customer_id, o.override_no, o.effective_at, coalesce(o.ends_at, 'infinity'), o.discount_percent,
             o.unit_price, o.pricing::text
      FROM (SELECT 'credits_internal.price_overrides'::regclass::oid) AS t (oid)
      LEFT JOIN LATERAL (SELECT * FROM credits_internal.price_overrides o
                         WHERE o.event_name = $1 ORDER BY o.customer_id, o.override_no LIMIT $2) o ON true",
    &[TEXTOID, INT8OID],
);

static OF_CUSTOMER: Statement = Statement::new(
    c"SELECT t.oid, o.customer_id, o.override_no, o.effective_at, coalesce(o.ends_at, 'infinity'), o.discount_percent,
             o.unit_price, o.pricing::text
      FROM (SELECT 'credits_internal.price_overrides'::regclass::oid) AS t (oid)
      LEFT JOIN credits_internal.price_overrides o ON o.customer_id = $2 AND o.event_name = $1
      ORDER BY o.override_no",
    &[TEXTOID, TEXTOID],
);

/// What was found, and the tables that it was read from.
type Found<T> = (Rc<T>, Vec<Oid>);

fn read_meter(session: &Session, event_name: &str) -> Result<Option<Found<OfMeter>>, Error> {
    let rows = OF_METER.run(session, &[event_name.cell(), (AT_ONCE as i64 + 1).cell()])?;
    let mut tables = Vec::new();
    let mut all: HashMap<String, OfCustomer> = HashMap::new();
    for mut row in rows.iter() {
        tables = vec![row.next()?];
        if let Some(customer_id) = row.next()? {
            all.entry(customer_id).or_default().all.push(read_override(&mut row)?);
        }
    }
    let few =
        (rows.len() <= AT_ONCE).then(|| all.into_iter().map(|(customer, own)| (customer, Rc::new(own))).collect());
    Ok(Some((Rc::new(few), tables)))
}

fn read_customer(session: &Session, event_name: &str, customer_id: &str) -> Result<Option<Found<OfCustomer>>, Error> {
    let (mut tables, mut own) = (Vec::new(), OfCustomer::default());
    for mut row in OF_CUSTOMER.run(session, &[event_name.cell(), customer_id.cell()])?.iter() {
        tables = vec![row.next()?];
        if row.next::<Option<String>>()?.is_some() {
            own.all.push(read_override(&mut row)?);
        }
    }
    Ok(Some((Rc::new(own), tables)))
}

/// From its number on.
fn read_override(row: &mut Row<'_>) -> Result<Override, Error> {
    let override_no = row.next()?;
    let (since, until) = (row.next()?, row.next()?);
    let (percent, unit_price, pricing): (Option<Decimal>, _, _) = (row.next()?, row.next()?, row.next()?);
    let terms = match percent {
        Some(percent) => Terms::Discount(percent),
        None => Terms::Price(cache::pricing(unit_price, pricing, true)?),
    };
    Ok(Override { override_no, since, until, terms })
}

/// A customer's overrides of a meter, as they are stored now.
pub fn read(session: &Session, event_name: &str, customer_id: &str) -> Result<Vec<Override>, Error> {
    let own = read_customer(session, event_name, customer_id)?;
    Ok(own.map(|(own, _)| own.all.clone()).unwrap_or_default())
}

static ONE: Statement = Statement::new(
    c"SELECT o.override_no, o.effective_at, coalesce(o.ends_at, 'infinity'), o.discount_percent, o.unit_price,
             o.pricing::text
      FROM credits_internal.price_overrides o
      WHERE o.customer_id = $1 AND o.event_name = $2 AND o.override_no = $3",
    &[TEXTOID, TEXTOID, INT4OID],
);

/// One of them, if it is there.
pub fn find(
    session: &Session,
    event_name: &str,
    customer_id: &str,
    override_no: i32,
) -> Result<Option<Override>, Error> {
    let rows = ONE.run(session, &[customer_id.cell(), event_name.cell(), override_no.cell()])?;
    rows.first().map(|mut row| read_override(&mut row)).transpose()
}
