//! What was used of a metered item in a period, or at one price in a part of it: a row that is there from its beginning on.

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::billing::Term;
use crate::subscriptions::change::Change;
use crate::subscriptions::item::Item;
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::schedule::usage::{Aggregate, Tally};
use crate::subscriptions::subscription::Subscription;
use crate::subscriptions::usage_record::events;
use pgrx::pg_sys::{BOOLOID, INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// It, as it is kept.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// The item.
    pub item_id: Uuid,
    /// Its number among those of the item.
    pub no: i32,
    /// The price.
    pub price_id: Uuid,
    /// How records add up.
    pub aggregate: Aggregate,
    /// What time it is for.
    pub time: Period,
    /// The whole period that this is of.
    pub whole: Period,
    /// Whether nothing is charged for it.
    pub is_free: bool,
    /// How many records it has.
    pub records: i32,
    /// What they come to.
    pub tally: Tally,
    /// What was invoiced of it.
    pub invoiced: Decimal,
    /// When what is not invoiced yet will be.
    pub closes_at: Option<Time>,
    /// The meter whose events say what is used; `None` where it is recorded.
    pub event_name: Option<String>,
}

impl Summary {
    /// Whether something can be recorded in it: after the end of a subscription until it closes.
    pub fn is_open(&self, there: &Subscription) -> bool {
        !there.status.is_over() || self.closes_at.is_some()
    }
}

/// The columns of a summary.
macro_rules! selecting {
    ($rest:literal) => {
        text!(
            "SELECT s.customer_id, s.usage_record_summary_id, s.subscription_item_id, s.summary_no, s.price_id,
                    s.aggregate_usage, s.period_start, s.period_end, s.whole_start, s.whole_end, s.free, s.records, s.usage,
                    s.last_at, s.last_value, s.invoiced_amount, s.closes_at, s.event_name
             FROM credits_internal.usage_record_summaries s WHERE s.customer_id = $1 ",
            $rest
        )
    };
}

static AT: Statement = Statement::new(
    selecting!("AND s.subscription_item_id = $2 AND s.period_start <= $3 ORDER BY s.summary_no DESC LIMIT 1"),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);
static DUE: Statement = Statement::new(
    selecting!(
        "AND s.subscription_id = $2 AND s.closes_at <= $3
         ORDER BY s.closes_at, s.period_start, s.usage_record_summary_id LIMIT $4"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, INT4OID],
);

static FIND: Statement = Statement::new(selecting!("AND s.usage_record_summary_id = $2"), &[TEXTOID, UUIDOID]);

fn read(mut row: Row<'_>) -> Result<Summary, Error> {
    let lost = || Error::internal("usage adds up in a way that does not exist");
    let (customer_id, id, item_id, no, price_id) = (row.next()?, row.next()?, row.next()?, row.next()?, row.next()?);
    let aggregate = Aggregate::parse(&row.next::<String>()?).ok_or_else(lost)?;
    let time = Period { start: row.next()?, end: row.next()? };
    let whole = Period { start: row.next()?, end: row.next()? };
    let (is_free, records, usage) = (row.next()?, row.next()?, row.next()?);
    let last = row.next::<Option<Time>>()?.zip(row.next::<Option<Decimal>>()?);
    let (invoiced, closes_at, event_name) = (row.next()?, row.next()?, row.next()?);
    let tally = Tally { usage, last };
    Ok(Summary {
        customer_id,
        id,
        item_id,
        no,
        price_id,
        aggregate,
        time,
        whole,
        is_free,
        records,
        tally,
        invoiced,
        closes_at,
        event_name,
    })
}

/// That of an id.
pub fn find(session: &Session, customer_id: &str, id: Uuid) -> Result<Summary, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell()])?;
    rows.first().map_or_else(|| Err(Error::internal("a period of usage is not there")), read)
}

/// That of an item in which a moment is.
pub fn at(session: &Session, customer_id: &str, item_id: Uuid, at: Time) -> Result<Option<Summary>, Error> {
    let rows = AT.run(session, &[customer_id.cell(), item_id.cell(), at.cell()])?;
    let found = rows.first().map(read).transpose()?;
    Ok(found.filter(|summary| at < summary.time.end))
}

/// So many of a subscription that are to be invoiced by then, the oldest first.
pub fn due(session: &Session, there: &Subscription, by: Time, most: i32) -> Result<Vec<Summary>, Error> {
    let rows = DUE.run(session, &[there.customer_id.cell(), there.id.cell(), by.cell(), most.cell()])?;
    rows.iter().map(read).collect()
}

static MOMENTS: Statement = Statement::new(
    c"SELECT max(m.value) FROM (
          SELECT DISTINCT ON (r.used_at) r.used_at, r.value FROM credits_internal.usage_records r
          WHERE r.customer_id = $1 AND r.usage_record_summary_id = $2 ORDER BY r.used_at, r.record_no DESC) m
      WHERE m.used_at <> $3",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// What it comes to with a moment that has so much now: the most of all its moments.
pub fn recount(session: &Session, summary: &Summary, (at, value): (Time, Decimal)) -> Result<Tally, Error> {
    let cells = [summary.customer_id.cell(), summary.id.cell(), at.cell()];
    let rows = MOMENTS.run(session, &cells)?;
    let others: Option<Decimal> = rows.first().map_or(Ok(None), |mut row| row.next())?;
    let is_last = summary.tally.last.is_none_or(|(last, _)| last <= at);
    let last = if is_last { Some((at, value)) } else { summary.tally.last };
    Ok(Tally { usage: others.map_or(value, |others| others.max(value)), last })
}

static WRITE: Statement = Statement::new(
    c"UPDATE credits_internal.usage_record_summaries s
      SET records = $3, usage = $4, last_at = $5, last_value = $6, invoiced_amount = $7, closes_at = $8
      WHERE s.customer_id = $1 AND s.usage_record_summary_id = $2",
    &[TEXTOID, UUIDOID, INT4OID, NUMERICOID, TIMESTAMPTZOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID],
);

/// Writes back what was counted and invoiced.
pub fn write(session: &Session, summary: &Summary) -> Result<(), Error> {
    let last = summary.tally.last;
    let cells = [
        summary.customer_id.cell(),
        summary.id.cell(),
        summary.records.cell(),
        summary.tally.usage.cell(),
        last.map(|(at, _)| at).cell(),
        last.map(|(_, value)| value).cell(),
        summary.invoiced.cell(),
        summary.closes_at.cell(),
    ];
    WRITE.run(session, &cells).map(drop)
}

static CARRY: Statement = Statement::new(
    c"UPDATE credits_internal.usage_record_summaries s
      SET last_at = $4, last_value = $5, usage = CASE s.aggregate_usage WHEN 'last_ever' THEN $5 ELSE s.usage END,
          closes_at = CASE WHEN s.closes_at IS NOT NULL OR s.aggregate_usage <> 'last_ever' OR s.usage = $5 THEN s.closes_at
                           ELSE $6 END
      WHERE s.customer_id = $1 AND s.subscription_item_id = $2 AND s.summary_no > $3 AND s.event_name IS NULL
        AND s.summary_no < coalesce((SELECT min(o.summary_no) FROM credits_internal.usage_record_summaries o
                                     WHERE o.customer_id = $1 AND o.subscription_item_id = $2 AND o.summary_no > $3
                                       AND o.records > 0), 2147483647)",
    &[TEXTOID, UUIDOID, INT4OID, TIMESTAMPTZOID, NUMERICOID, TIMESTAMPTZOID],
);

/// What a period ended with goes on in those after it that have no record of their own.
pub fn carry(session: &Session, summary: &Summary, closes_at: Time) -> Result<(), Error> {
    let Some((at, value)) = summary.tally.last else { return Ok(()) };
    let cells = [
        summary.customer_id.cell(),
        summary.item_id.cell(),
        summary.no.cell(),
        at.cell(),
        value.cell(),
        closes_at.cell(),
    ];
    CARRY.run(session, &cells).map(drop)
}

/// When usage that ends then is invoiced: later, so that what comes late is on the same invoice.
pub fn closing_after(end: Time) -> Time {
    end.plus_seconds(settings::usage_grace())
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_record_summaries (
          customer_id, usage_record_summary_id, subscription_id, subscription_item_id, summary_no, price_id, aggregate_usage,
          period_start, period_end, whole_start, whole_end, free, usage, last_at, last_value, closes_at, event_name)
      SELECT $1, $2, $3, $4, coalesce(n.summary_no, 0) + 1, $5, $6, $7, $8, $9, $10, $11,
             CASE $6 WHEN 'last_ever' THEN coalesce(l.last_value, 0) ELSE 0 END, l.last_at, l.last_value, $12, $13
      FROM (SELECT) AS one
      LEFT JOIN LATERAL (
          SELECT s.summary_no FROM credits_internal.usage_record_summaries s
          WHERE s.customer_id = $1 AND s.subscription_item_id = $4 ORDER BY s.summary_no DESC LIMIT 1) n ON true
      LEFT JOIN LATERAL (
          SELECT s.last_at, s.last_value FROM credits_internal.usage_record_summaries s
          WHERE $13 IS NULL AND s.customer_id = $1 AND s.subscription_item_id = $4 AND s.event_name IS NULL
          ORDER BY s.summary_no DESC LIMIT 1) l ON true",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        UUIDOID,
        UUIDOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        BOOLOID,
        TIMESTAMPTZOID,
        TEXTOID,
    ],
);

fn insert(session: &Session, there: &Subscription, item: &Item, term: Term) -> Result<(), Error> {
    let Some((aggregate, event_name)) = events::counting(session, item)? else { return Ok(()) };
    let cells = [
        there.customer_id.cell(),
        Uuid::now_v7().cell(),
        there.id.cell(),
        item.id.cell(),
        item.price_id.cell(),
        aggregate.as_str().cell(),
        term.from.cell(),
        term.whole.end.cell(),
        term.whole.start.cell(),
        term.whole.end.cell(),
        term.is_free.cell(),
        closing_after(term.whole.end).cell(),
        event_name.cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}

static FIRST: Statement = Statement::new(
    c"SELECT min(s.closes_at) FROM credits_internal.usage_record_summaries s
      WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.closes_at IS NOT NULL",
    &[TEXTOID, UUIDOID],
);

/// The subscription has when usage of it is invoiced next.
pub fn find_first(session: &Session, there: &mut Subscription) -> Result<(), Error> {
    let rows = FIRST.run(session, &[there.customer_id.cell(), there.id.cell()])?;
    there.usage_closes_at = rows.first().map_or(Ok(None), |mut row| row.next())?;
    Ok(())
}

static END: Statement = Statement::new(
    c"UPDATE credits_internal.usage_record_summaries s
      SET period_end = least(s.period_end, greatest($3, s.period_start)), closes_at = least(s.closes_at, $4)
      WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.closes_at IS NOT NULL AND (s.period_end >= $3 OR $5)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID],
);

/// Nothing is used any more from then on, in the period that the subscription was in. Where that was its last one, what was
/// recorded late for others is invoiced with it.
pub fn end(session: &Session, there: &mut Subscription, (at, is_last): (Time, bool)) -> Result<(), Error> {
    if there.usage_closes_at.is_none() {
        return Ok(());
    }
    let closes_at = closing_after(at);
    let cells = [there.customer_id.cell(), there.id.cell(), at.cell(), closes_at.cell(), is_last.cell()];
    END.run(session, &cells)?;
    find_first(session, there)
}

static FORGIVE: Statement = Statement::new(
    c"UPDATE credits_internal.usage_record_summaries s SET free = true
      WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.closes_at IS NOT NULL",
    &[TEXTOID, UUIDOID],
);

/// What is not invoiced yet costs nothing.
pub fn forgive(session: &Session, there: &Subscription) -> Result<(), Error> {
    FORGIVE.run(session, &[there.customer_id.cell(), there.id.cell()]).map(drop)
}

/// A period begins, of these items: usage counts in it from now on.
pub fn begin(session: &Session, there: &mut Subscription, items: &[Item], term: Term) -> Result<(), Error> {
    // One that begins early ends the one before.
    end(session, there, (term.from, false))?;
    if items.iter().any(Item::is_metered) {
        items.iter().try_for_each(|item| insert(session, there, item, term))?;
        find_first(session, there)?;
    }
    Ok(())
}

static CUT: Statement = Statement::new(
    c"UPDATE credits_internal.usage_record_summaries s SET period_end = greatest($3, s.period_start)
      WHERE s.customer_id = $1 AND s.subscription_item_id = $2 AND s.period_end > $3",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Items have changed: usage until then is at the old price, after it at the new one; where another period begins now, in that.
pub fn change(
    session: &Session,
    there: &mut Subscription,
    (changes, is_restart): (&[Change], bool),
    now: Time,
) -> Result<(), Error> {
    let is_metered = |item: &Option<Item>| item.as_ref().is_some_and(Item::is_metered);
    let is_trial = there.status == Status::Trialing;
    let whole = if is_trial { there.period } else { there.cycle.period_at(there.period.start) };
    let is_free = is_trial || (there.is_stub_free && there.period.start > whole.start);
    let term = Term { whole, from: now, is_free, is_resumed: false };
    for change in changes.iter().filter(|change| change.is_real()) {
        if is_metered(&change.before) {
            CUT.run(session, &[there.customer_id.cell(), change.item_id.cell(), now.cell()])?;
        }
        if let Some(after) = change.after.as_ref().filter(|after| after.is_metered() && !is_restart) {
            insert(session, there, after, term)?;
        }
    }
    if changes.iter().any(|change| is_metered(&change.before) || is_metered(&change.after)) {
        find_first(session, there)?;
        advance::save(session, there, now)?;
    }
    Ok(())
}
