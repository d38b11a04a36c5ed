//! Usage that a meter's events say: a period takes those that happened in it as it closes, each once.
//!
//! Reports lock nothing of a subscription, so an event may be committed while its period closes. A closing takes the events
//! that it sees, and marks each: what commits later is not marked, and the next closing takes it. How late that is decides the
//! moment of the report, and not when somebody looked, so that whoever closes late makes the same invoices.

use crate::amount::{AmountError, Decimal};
use crate::catalog::price::offer::Offer;
use crate::error::{Error, quoted};
use crate::metering::event::invoiced::{self, Invoiced};
use crate::metering::pricing::Aggregation;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use crate::subscriptions::item::Item;
use crate::subscriptions::schedule::usage::{Aggregate, Taken};
use crate::subscriptions::subscription::Subscription;
use crate::subscriptions::usage_record::summary::{self, Summary};
use pgrx::pg_sys::{TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::collections::HashSet;
use uuid::Uuid;

/// Checks a price whose meter says what is used. Raises PC004, PC013.
pub fn check(session: &Session, offer: &Offer) -> Result<(), Error> {
    match of(session, offer)? {
        Some((name, meter)) if asks_meter(offer) && meter.currency != offer.currency => {
            let reason =
                format!("must say what a unit costs: its meter {} has prices in {}", quoted(name), meter.currency);
            Err(Error::argument("price_id", reason))
        }
        _ => Ok(()),
    }
}

/// The meter of a price, where its events are invoiced.
fn of<'a>(session: &Session, offer: &'a Offer) -> Result<Option<(&'a str, Invoiced)>, Error> {
    let Some(name) = offer.recurring.as_ref().and_then(|recurring| recurring.meter.as_deref()) else {
        return Ok(None);
    };
    Ok(invoiced::find(session, name, settings::now()?)?.map(|meter| (name, meter)))
}

/// Whether a price leaves it to its meter what a unit costs.
fn asks_meter(offer: &Offer) -> bool {
    offer.unit_amount.is_none() && offer.pricing.is_none()
}

/// How usage of an item adds up, and the meter that says what it is, if one does. `None` where a quantity is agreed, and
/// where the meter charges the wallet: then nothing is to be invoiced.
pub fn counting<'a>(session: &Session, item: &'a Item) -> Result<Option<(Aggregate, Option<&'a str>)>, Error> {
    let is_of_meter = item.offer.recurring.as_ref().is_some_and(|recurring| recurring.meter.is_some());
    if !is_of_meter {
        return Ok(item.aggregate()?.map(|aggregate| (aggregate, None)));
    }
    Ok(of(session, &item.offer)?.map(|(name, meter)| {
        let aggregate = match meter.aggregation {
            Aggregation::Sum | Aggregation::Count | Aggregation::Unique => Aggregate::Sum,
            Aggregation::Max => Aggregate::Max,
            Aggregation::Last => Aggregate::LastDuringPeriod,
        };
        (aggregate, Some(name))
    }))
}

/// What so much usage of a whole period costs: as the price says, or else as the meter did when the period began.
pub fn amount(session: &Session, summary: &Summary, offer: &Offer) -> Result<Decimal, Error> {
    let usage = summary.tally.usage;
    let cost: Result<Decimal, AmountError> = match &summary.event_name {
        Some(name) if asks_meter(offer) => {
            let of = (name.as_str(), summary.customer_id.as_str(), summary.time.start);
            invoiced::cost(session, of, usage, offer.decimals)?
        }
        _ => offer.amount(usage),
    };
    cost.map_err(|reason| Error::amount("quantity", usage, reason))
}

static OTHERS: Statement = Statement::new(
    c"SELECT s.subscription_id, m.event_name
      FROM credits_internal.subscriptions s
      CROSS JOIN LATERAL (
          SELECT p.recurring ->> 'meter' AS event_name
          FROM credits_internal.subscription_items i
          JOIN credits_internal.prices p ON p.price_id = i.price_id
          WHERE i.customer_id = $1 AND i.subscription_id = s.subscription_id AND i.removed_at IS NULL
            AND p.recurring ->> 'meter' = ANY ($3)
          LIMIT 1) m
      WHERE s.customer_id = $1 AND s.subscription_id <> $2
        AND s.status NOT IN ('incomplete', 'incomplete_expired', 'canceled')
      ORDER BY s.subscription_id LIMIT 1",
    &[TEXTOID, UUIDOID, TEXTARRAYOID],
);

/// Checks that no two items, of this subscription or of another, invoice the events of one meter. The customer is locked.
/// Raises PC013.
///
/// One that is not paid yet may never be: of two that began so, each event is taken by the one that closes first.
pub fn check_alone(session: &Session, customer_id: &str, id: Uuid, items: &[Item]) -> Result<(), Error> {
    let mut meters: HashSet<&str> = HashSet::new();
    for item in items {
        let Some((name, _)) = of(session, &item.offer)? else { continue };
        if !meters.insert(name) {
            return Err(Error::argument(
                "items",
                format!("must have each meter once: {} is there twice", quoted(name)),
            ));
        }
    }
    if meters.is_empty() {
        return Ok(());
    }
    let rows = OTHERS.run(session, &[customer_id.cell(), id.cell(), array(meters)])?;
    let Some(mut row) = rows.first() else { return Ok(()) };
    let (other, name): (Uuid, String) = (row.next()?, row.next()?);
    let reason = format!("must not have the meter {}: subscription {other} invoices its events", quoted(&name));
    Err(Error::argument("items", reason))
}

static METERS: Statement = Statement::in_order(
    c"WITH RECURSIVE meters AS (
          (SELECT s.event_name FROM credits_internal.usage_record_summaries s
           WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.event_name IS NOT NULL
           ORDER BY s.event_name LIMIT 1)
          UNION ALL
          SELECT n.event_name FROM meters m
          CROSS JOIN LATERAL (SELECT s.event_name FROM credits_internal.usage_record_summaries s
                              WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.event_name > m.event_name
                              ORDER BY s.event_name LIMIT 1) n
      )
      SELECT m.event_name FROM meters m",
    &[TEXTOID, UUIDOID],
);

// Of two periods that begin at one moment the first has no time. One that is not to close yet takes nothing.
static TAKE: Statement = Statement::new(
    c"WITH due AS (
          SELECT e.identifier, s.usage_record_summary_id, coalesce(c.closing_no, 0) + 1 AS closing_no
          FROM credits_internal.invoiced_events e
          CROSS JOIN LATERAL (
              SELECT o.usage_record_summary_id, o.period_end, coalesce(o.closes_at, $4) AS closes_at
              FROM credits_internal.usage_record_summaries o
              WHERE o.customer_id = $1 AND o.subscription_id = $2 AND o.event_name = $3
                AND o.period_start <= e.occurred_at
              ORDER BY o.period_start DESC, o.period_end DESC LIMIT 1) s
          LEFT JOIN LATERAL (
              SELECT l.closing_no FROM credits_internal.usage_closings l
              WHERE l.customer_id = $1 AND l.usage_record_summary_id = s.usage_record_summary_id
              ORDER BY l.closing_no DESC LIMIT 1) c ON true
          WHERE e.customer_id = $1 AND e.event_name = $3 AND e.usage_record_summary_id IS NULL AND e.created_at <= $4
            AND e.occurred_at < s.period_end AND s.closes_at <= $4
      ), taken AS (
          UPDATE credits_internal.invoiced_events e
          SET usage_record_summary_id = d.usage_record_summary_id, closing_no = d.closing_no
          FROM due d WHERE e.customer_id = $1 AND e.identifier = d.identifier
          RETURNING e.usage_record_summary_id, e.quantity, e.counted, e.occurred_at, e.created_at, e.identifier
      )
      SELECT t.usage_record_summary_id, count(*)::int, coalesce(sum(t.quantity) FILTER (WHERE t.counted IS NULL), 0),
             count(DISTINCT t.counted) FILTER (WHERE NOT EXISTS (
                 SELECT FROM credits_internal.invoiced_events o
                 WHERE o.customer_id = $1 AND o.usage_record_summary_id = t.usage_record_summary_id
                   AND o.counted = t.counted))::numeric,
             max(t.quantity),
             max(t.occurred_at),
             (array_agg(t.quantity ORDER BY t.occurred_at DESC, t.created_at DESC, t.identifier DESC))[1]
      FROM taken t GROUP BY t.usage_record_summary_id",
    &[TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID],
);

/// Periods that close by then take their events, and those that have closed what came late: it is invoiced now as well.
pub fn take(session: &Session, there: &Subscription, at: Time) -> Result<(), Error> {
    let meters = METERS.run(session, &[there.customer_id.cell(), there.id.cell()])?;
    let meters: Vec<String> = meters.iter().map(|mut row| row.next()).collect::<Result<_, Error>>()?;
    for name in meters {
        let cells = [there.customer_id.cell(), there.id.cell(), name.cell(), at.cell()];
        for mut row in TAKE.run(session, &cells)?.iter() {
            let mut summary = summary::find(session, &there.customer_id, row.next()?)?;
            summary.records += row.next::<i32>()?;
            let (added, values): (Decimal, Decimal) = (row.next()?, row.next()?);
            let taken = Taken { added: added + values, most: row.next()?, last: (row.next()?, row.next()?) };
            summary.tally = summary
                .tally
                .with(summary.aggregate, &taken)
                .map_err(|reason| Error::amount("value", added, reason))?;
            summary.closes_at.get_or_insert(at);
            summary::write(session, &summary)?;
        }
    }
    Ok(())
}
