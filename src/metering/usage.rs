//! Queries about usage: what was reported, what of it is owed, and what a quantity would cost.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::{balance, currency};
use crate::metering::meter;
use crate::metering::price_override;
use crate::metering::pricing::overrides;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{Many, Reply, Value};
use crate::pg::statement::{Statement, reading};
use crate::pg::value::{Json, ToCell, Total};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};
use std::rc::Rc;

row! {
    /// One currency as `pending_amount` returns it.
    pub struct PendingRow {
        /// The currency's code.
        pub currency: String,
        /// Credits owed.
        pub pending: Decimal,
    }
}

/// `credits.pending_amount`: what is owed at this moment. Writes nothing. Raises PC008, PC013.
#[pg_extern(sql = false)]
fn pending_amount(customer_id: Option<&str>, currency: Option<&str>) -> Reply<Many<PendingRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let now = settings::now()?;
        reading(|session| {
            let currencies = match currency {
                Some(code) => {
                    currency::check_exists(session, code)?;
                    vec![code.to_string()]
                }
                None => balance::currencies(session, customer_id)?,
            };
            let owed = currencies.into_iter().map(|code| {
                let book = balance::book(session, customer_id, &code, now)?;
                Ok(PendingRow { currency: code, pending: book.map_or(Decimal::ZERO, |b| b.pending) })
            });
            owed.collect::<Result<_, Error>>().map(Many)
        })
    })())
}

row! {
    /// One meter and currency as `usage_summary` returns it.
    pub struct UsageRow {
        /// The meter.
        pub event_name: String,
        /// The currency that it was charged in.
        pub currency: String,
        /// The meter's unit.
        pub unit: Option<String>,
        /// What the events add up to, as the meter aggregates them.
        pub total_quantity: Total,
        /// Credits charged for them, paid, owed or unsettled, less what came back.
        pub total_credits: Total,
        /// How many events, without canceled ones.
        pub event_count: i64,
        /// How much of that belongs to canceled events: in tiers, by how much the other events cost more or less
        /// without them.
        pub canceled_credits: Total,
    } read
}

// For a last, the event that counts is the one that is charged: among events of one moment, the later report, as
// ranked.
static SUMMARY: Statement = Statement::scanning(
    c"SELECT e.event_name, e.currency, m.unit,
             trim_scale(coalesce(CASE m.aggregation
                 WHEN 'count' THEN count(*) FILTER (WHERE NOT e.canceled)
                 WHEN 'max' THEN max(e.value) FILTER (WHERE NOT e.canceled)
                 WHEN 'last' THEN (array_agg(e.value ORDER BY r.rank DESC, r.event_no DESC)
                                       FILTER (WHERE r.rank IS NOT NULL))[1]
                 ELSE sum(e.value) FILTER (WHERE NOT e.canceled) END, 0)),
             trim_scale(sum(e.consumed + e.pending)), count(*) FILTER (WHERE NOT e.canceled),
             trim_scale(coalesce(sum(e.consumed + e.pending) FILTER (WHERE e.canceled), 0))
      FROM credits_internal.events e
      LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
      LEFT JOIN credits_internal.usage_ranks r ON r.customer_id = $1 AND r.event_name = e.event_name
      AND r.period_key = e.period_key
                                     AND r.rank = extract(epoch FROM e.occurred_at) - 946684800
                                     AND r.identifier = e.identifier AND m.aggregation = 'last'
      WHERE e.customer_id = $1
        AND e.occurred_at >= coalesce($2, '-infinity') AND e.occurred_at < coalesce($3, 'infinity')
        AND ($4 IS NULL OR e.event_name = $4) AND ($5 IS NULL OR e.currency = $5)
        AND ($6 IS NULL OR e.subscription_id = $6)
      GROUP BY e.event_name, e.currency, m.unit, m.aggregation
      HAVING count(*) FILTER (WHERE NOT e.canceled) > 0 OR sum(e.consumed + e.pending) <> 0
      ORDER BY e.event_name, e.currency",
    &[TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID],
);

/// `credits.usage_summary`: a customer's usage in a period, one row per meter and currency. Writes nothing. Raises
/// PC004, PC008, PC013.
#[pg_extern(sql = false)]
fn usage_summary(
    customer_id: Option<&str>,
    start_at: Option<Timestamptz>,
    end_at: Option<Timestamptz>,
    event_name: Option<&str>,
    currency: Option<&str>,
    subscription_id: Option<&str>,
) -> Reply<Many<UsageRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let (start_at, end_at) = input::span(start_at, end_at)?;
        reading(|session| {
            if let Some(name) = event_name {
                meter::read(session, name)?.ok_or_else(|| meter::missing(session, name))?;
            }
            if let Some(code) = currency {
                currency::check_exists(session, code)?;
            }
            let rows = SUMMARY.run(
                session,
                &[
                    customer_id.cell(),
                    start_at.cell(),
                    end_at.cell(),
                    event_name.cell(),
                    currency.cell(),
                    subscription_id.cell(),
                ],
            )?;
            rows.iter().map(UsageRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}

/// `credits.usage_price`: what a quantity costs if nothing was used before. Writes nothing. Raises PC004, PC007, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn usage_price_2(
    event_name: Option<&str>,
    quantity: Option<Numeric>,
    metadata: Option<Json>,
    price_version: Option<i32>,
    price_class: Option<&str>,
    customer_id: Option<&str>,
    occurred_at: Option<Timestamptz>,
    override_no: Option<i32>,
) -> Reply<Value<Decimal>> {
    Reply((|| {
        let event_name = input::key("event_name", event_name)?;
        let quantity = input::number("quantity", quantity, amount::not_negative)?;
        let customer_id = input::optional_key("customer_id", customer_id)?;
        let at = occurred_at.map_or_else(settings::now, |at| Ok(at.0))?;
        reading(|session| {
            let missing = || meter::missing(session, event_name);
            let meter = meter::read_at(session, event_name, at)?.ok_or_else(missing)?;
            let list = match price_version {
                Some(version) if (1..=meter.last_version).contains(&version) => {
                    &Rc::new(meter::list_prices(session, event_name, version)?)
                }
                Some(version) => {
                    let last = meter.last_version;
                    let reason =
                        format!("must be from 1 to {last}, the versions of the meter's prices: it is {version}");
                    return Err(Error::argument("price_version", reason));
                }
                None => &meter.pricing,
            };
            let own = match (customer_id, override_no) {
                (Some(customer_id), Some(number)) => {
                    let own = meter::overrides::find(session, event_name, customer_id, number)?;
                    Some(own.ok_or_else(|| price_override::missing(number, event_name, customer_id))?)
                }
                (None, Some(_)) => return Err(Error::argument("customer_id", "is required with override_no")),
                (Some(customer_id), None) if meter.overridden && price_version.is_none() => {
                    overrides::at(&meter::overrides::read(session, event_name, customer_id)?, at).cloned()
                }
                _ => None,
            };
            let applied = own.map(|own| own.applied(list));
            let pricing = applied.as_ref().unwrap_or(list);
            let class = price_class.unwrap_or_else(|| pricing.class(|| metadata.as_ref().map(Json::text)));
            let cost = pricing.price(class).cost(quantity, meter.decimals);
            cost.map(Value).map_err(|reason| Error::amount("quantity", quantity, reason))
        })
    })())
}
crate::older!(usage_price_wrapper => usage_price_2_wrapper, 5 of 8);
