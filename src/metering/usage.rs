//! Queries about usage: what was reported, what of it is owed, and what a quantity would cost.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::{balance, currency};
use crate::metering::meter;
use crate::metering::meter::price_override;
use crate::metering::pricing::overrides;
use crate::moment::Time;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{Many, Reply, Value};
use crate::pg::statement::{Rows, Session, Statement, reading, text};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, Json, ToCell, Total};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID};
use std::rc::Rc;

row! {
    /// One currency as `pending_amount` returns it.
    pub struct PendingRow {
        /// The currency's code.
        pub currency: String,
        /// Credits owed.
        pub pending: Total,
    } read
}

// Only accounts in which something is due or usage is unsettled cost a call (OFFSET 0 keeps the condition before the
// call); the rows of the others are current. A damaged account is left out.
static ALL_PENDING: Statement = Statement::scanning(
    c"SELECT c.currency, trim_scale(coalesce(sum(CASE WHEN q.asked THEN (n.now).pending ELSE a.pending END), 0))
      FROM credits_internal.currencies c
      LEFT JOIN credits_internal.accounts a ON a.currency = c.currency
      CROSS JOIN LATERAL (SELECT a.next_change_at <= $2
                              OR EXISTS (SELECT FROM credits_internal.unsettled_events u
                                         WHERE u.customer_id = a.customer_id AND u.currency = a.currency) AS asked
                          OFFSET 0) q
      CROSS JOIN LATERAL (SELECT CASE WHEN q.asked
                                      THEN credits_internal.balance_now(a.customer_id, a.currency, true) END AS now
                          OFFSET 0) n
      WHERE ($1 IS NULL OR c.currency = $1)
      GROUP BY c.currency
      HAVING $1 IS NOT NULL OR count(a.customer_id) > 0
      ORDER BY c.currency",
    &[TEXTOID, TIMESTAMPTZOID],
);

static OF_SUBSCRIPTION: Statement = Statement::scanning(
    c"SELECT e.customer_id, e.currency
      FROM credits_internal.event_debts o
      JOIN credits_internal.meter_events e ON e.customer_id = o.customer_id AND e.identifier = o.identifier
      WHERE ($1 IS NULL OR o.customer_id = $1) AND ($2 IS NULL OR o.currency = $2) AND e.subscription_id = $3
      UNION
      SELECT e.customer_id, e.currency
      FROM credits_internal.unsettled_events u
      JOIN credits_internal.meter_events e ON e.customer_id = u.customer_id AND e.identifier = u.identifier
      WHERE ($1 IS NULL OR u.customer_id = $1) AND ($2 IS NULL OR u.currency = $2) AND e.subscription_id = $3
      ORDER BY 1, 2",
    &[TEXTOID, TEXTOID, TEXTOID],
);

// What is in the book and not in the rows yet is newer than they are.
static OWED: Statement = Statement::new(
    c"SELECT coalesce(sum(coalesce(n.pending, e.pending)), 0)
      FROM (SELECT o.identifier FROM credits_internal.event_debts o WHERE o.customer_id = $1 AND o.currency = $2
            UNION SELECT unnest($4)) d
      JOIN credits_internal.meter_events e ON e.customer_id = $1 AND e.identifier = d.identifier
      LEFT JOIN unnest($4, $5) AS n (identifier, pending) ON n.identifier = d.identifier
      WHERE e.subscription_id = $3",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, NUMERICARRAYOID],
);

// Of many accounts they may have more digits than an amount.
static TOTALS: Statement = Statement::new(
    c"SELECT o.currency, trim_scale(sum(o.pending)) FROM unnest($1, $2) AS o (currency, pending)
      GROUP BY o.currency ORDER BY o.currency",
    &[TEXTARRAYOID, NUMERICARRAYOID],
);

/// `credits.pending_amount`: what is owed at this moment, by a customer or by all, for a subscription or for anything.
/// Writes nothing. Raises PC008, PC013.
#[pg_extern(sql = false)]
fn pending_amount_2(
    customer_id: Option<&str>,
    currency: Option<&str>,
    subscription_id: Option<&str>,
) -> Reply<Many<PendingRow>> {
    Reply((|| {
        let customer_id = input::optional_key("customer_id", customer_id)?;
        let now = settings::now()?;
        reading(|session| {
            if let Some(code) = currency {
                currency::check_exists(session, code)?;
            }
            let rows = match (customer_id, subscription_id) {
                (_, Some(subscription_id)) => {
                    let asked = [customer_id.cell(), currency.cell(), subscription_id.cell()];
                    pending_of_subscription(session, asked, subscription_id, now)?
                }
                (Some(customer_id), None) => pending_of_customer(session, customer_id, currency, now)?,
                (None, None) => pending_rows(&ALL_PENDING.run(session, &[currency.cell(), now.cell()])?)?,
            };
            match currency {
                Some(code) if rows.is_empty() => Ok(Many(vec![PendingRow::new(code.to_string(), Decimal::ZERO)])),
                _ => Ok(Many(rows)),
            }
        })
    })())
}

crate::older!(pending_amount_wrapper => pending_amount_2_wrapper, 2 of 3);

impl PendingRow {
    fn new(currency: String, pending: Decimal) -> Self {
        PendingRow { currency, pending: pending.into() }
    }
}

fn pending_rows(rows: &Rows<'_>) -> Result<Vec<PendingRow>, Error> {
    rows.iter().map(PendingRow::read).collect()
}

fn pending_of_customer(
    session: &Session,
    customer_id: &str,
    currency: Option<&str>,
    now: Time,
) -> Result<Vec<PendingRow>, Error> {
    let currencies = match currency {
        Some(code) => vec![code.to_string()],
        None => balance::currencies(session, customer_id)?,
    };
    let owed = currencies.into_iter().map(|code| {
        let book = balance::book(session, customer_id, &code, now)?;
        Ok(PendingRow::new(code, book.map_or(Decimal::ZERO, |book| book.pending)))
    });
    owed.collect()
}

fn pending_of_subscription(
    session: &Session,
    asked: [Cell; 3],
    subscription_id: &str,
    now: Time,
) -> Result<Vec<PendingRow>, Error> {
    let mut owed: Vec<(String, Decimal)> = Vec::new();
    for mut row in OF_SUBSCRIPTION.run(session, &asked)?.iter() {
        let (customer_id, code): (String, String) = (row.next()?, row.next()?);
        let Some(book) = balance::book(session, &customer_id, &code, now)? else { continue };
        let newer = || book.changed_debts().filter_map(|debt| Some((debt.source.identifier()?, debt.pending)));
        let rows = OWED.run(
            session,
            &[
                customer_id.cell(),
                code.cell(),
                subscription_id.cell(),
                array(newer().map(|(identifier, _)| identifier)),
                array(newer().map(|(_, pending)| pending)),
            ],
        )?;
        owed.push((code, rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()?));
    }
    let (currencies, amounts) =
        (array(owed.iter().map(|(code, _)| code)), array(owed.iter().map(|(_, amount)| *amount)));
    pending_rows(&TOTALS.run(session, &[currencies, amounts])?)
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

/// The text of the statement that sums a customer's usage up, of the number of different values.
macro_rules! summing {
    ($values:literal) => {
        text!(
            "SELECT e.event_name, e.currency, m.unit,
             trim_scale(coalesce(CASE m.aggregation
                 WHEN 'count' THEN count(*) FILTER (WHERE NOT e.canceled)
                 WHEN 'max' THEN max(e.value) FILTER (WHERE NOT e.canceled)
                 WHEN 'last' THEN (array_agg(e.value ORDER BY r.rank DESC, r.event_no DESC)
                                       FILTER (WHERE r.rank IS NOT NULL))[1]
                 WHEN 'unique' THEN ",
            $values,
            "
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
      ORDER BY e.event_name, e.currency"
        )
    };
}

// For a last, the event that counts is the one that is charged: among events of one moment, the later report, as
// ranked.
// Different values are counted where a meter does that, and looked at for no other.
static SUMMARY: Statement = Statement::scanning(
    summing!(
        "(SELECT count(DISTINCT v.value) FROM credits_internal.event_values v
          WHERE v.customer_id = $1 AND v.event_name = e.event_name AND v.currency = e.currency AND NOT v.canceled
            AND v.occurred_at >= coalesce($2, '-infinity') AND v.occurred_at < coalesce($3, 'infinity')
            AND ($6 IS NULL OR v.subscription_id = $6))"
    ),
    &[TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID],
)
.before(summing!("0"));

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
            let price = match price_class {
                Some(name) => pricing.price(name),
                None => pricing.find(|| metadata.as_ref().map(Json::text)).map(|(_, price)| price),
            };
            let cost = price.ok_or_else(|| Error::unpriced(event_name))?.cost(quantity, meter.decimals);
            cost.map(Value).map_err(|reason| Error::amount("quantity", quantity, reason))
        })
    })())
}
crate::older!(usage_price_wrapper => usage_price_2_wrapper, 5 of 8);
