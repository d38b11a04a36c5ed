//! Usage of metered items: recorded by the application. What it comes to in a period is in usage_record/summary.rs, how it is
//! invoiced in usage_record/closing.rs; schedule/usage.rs says how records add up.

pub mod closing;
pub mod events;
pub mod summary;

use crate::amount::{self, Decimal};
use crate::error::{Error, quoted};
use crate::input;
use crate::invoicing::invoice;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::item;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::schedule::usage::Action;
use crate::subscriptions::subscription::Subscription;
use crate::subscriptions::subscription::create::finite;
use crate::subscriptions::usage_record::summary::Summary;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A record of usage as the function returns it.
    pub struct UsageRecordRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub usage_record_id: Uuid,
        /// The subscription.
        pub subscription_id: Uuid,
        /// The item.
        pub subscription_item_id: Uuid,
        /// The period that it counts in.
        pub usage_record_summary_id: Uuid,
        /// What it does to its moment.
        pub action: String,
        /// How many.
        pub quantity: Decimal,
        /// Its moment.
        pub timestamp: Time,
        /// What the usage of its period adds up to now.
        pub total_usage: Decimal,
        /// When it was recorded.
        pub created_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT r.customer_id, r.usage_record_id, s.subscription_id, s.subscription_item_id, r.usage_record_summary_id, r.action,
             r.quantity, r.used_at, s.usage, r.created_at, $3
      FROM credits_internal.usage_records r
      JOIN credits_internal.usage_record_summaries s
        ON s.customer_id = r.customer_id AND s.usage_record_summary_id = r.usage_record_summary_id
      WHERE r.customer_id = $1 AND r.usage_record_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

static ITEM: Statement = Statement::new(
    c"SELECT i.subscription_id, s.currency FROM credits_internal.subscription_items i
      JOIN credits_internal.subscriptions s ON s.customer_id = i.customer_id AND s.subscription_id = i.subscription_id
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID],
);

static STATE: Statement = Statement::new(
    c"SELECT i.quantity IS NULL, i.removed_at FROM credits_internal.subscription_items i
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID],
);

static BEFORE: Statement = Statement::new(
    c"SELECT r.value FROM credits_internal.usage_records r
      WHERE r.customer_id = $1 AND r.usage_record_summary_id = $2 AND r.used_at = $3
      ORDER BY r.record_no DESC LIMIT 1",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_records (
          customer_id, usage_record_id, usage_record_summary_id, record_no, action, quantity, used_at, value, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        INT4OID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        TIMESTAMPTZOID,
    ],
);

/// What is to be recorded.
struct New<'a> {
    customer_id: &'a str,
    item_id: Uuid,
    quantity: Decimal,
    action: (Action, &'a str),
    at: Option<Time>,
}

/// `credits.usage_record_create`. Raises PC002, PC003, PC007, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn usage_record_create(
    customer_id: Option<&str>,
    subscription_item_id: Option<Id>,
    quantity: Option<Numeric>,
    action: Option<&str>,
    timestamp: Option<Timestamptz>,
    idempotency_key: Option<&str>,
) -> Reply<One<UsageRecordRow>> {
    Reply((|| {
        let action = input::choice("action", action, "increment", &["increment", "set"])?;
        let new = New {
            customer_id: input::key("customer_id", customer_id)?,
            item_id: input::required("subscription_item_id", subscription_item_id)?.0,
            quantity: input::number("quantity", quantity, amount::not_negative)?,
            action: (if action == "set" { Action::Set } else { Action::Increment }, action),
            at: finite("timestamp", timestamp)?,
        };
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let now = settings::now()?;
        if let Some(at) = new.at.filter(|at| *at > now) {
            return Err(Error::argument(
                "timestamp",
                format!("must not be in the future: it is {at}, and now is {now}"),
            ));
        }
        writing(|session| create(session, &new, key, now).map(One))
    })())
}

fn create(session: &Session, new: &New<'_>, key: Option<&str>, now: Time) -> Result<UsageRecordRow, Error> {
    let unknown = || Error::ObjectNotFound { object: "subscription_item", id: new.item_id.to_string() };
    let rows = ITEM.run(session, &[new.customer_id.cell(), new.item_id.cell()])?;
    let mut row = rows.first().ok_or_else(unknown)?;
    let (subscription_id, currency): (Uuid, String) = (row.next()?, row.next()?);
    let id = Uuid::now_v7();
    let call = invoice::operation("usage_record_create", id, &currency, Decimal::ZERO, new.compared());
    let judge = || new.judge(session, subscription_id, now);
    let judged = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, new.customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(first) => return find(session, new.customer_id, first.operation_id, true),
        },
    };
    judged.record(session, new, id, now)?;
    find(session, new.customer_id, id, false)
}

fn find(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<UsageRecordRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    UsageRecordRow::read(rows.first().ok_or_else(|| Error::internal("a record of usage is not there"))?)
}

/// A record, with the period that it counts in.
struct Judged {
    there: Subscription,
    summary: Summary,
    at: Time,
    value: Decimal,
}

impl New<'_> {
    /// What a replay is compared with.
    fn compared(&self) -> String {
        let at = self.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{} {} of item {}{at}", self.action.1, self.quantity.normalize(), self.item_id)
    }

    /// Whether it can be recorded, and in which period, with the customer locked. Raises PC007, PC013, PC020.
    fn judge(&self, session: &Session, subscription_id: Uuid, now: Time) -> Result<Judged, Error> {
        let (_, there) = advance::open(session, self.customer_id, subscription_id, now)?;
        let rows = STATE.run(session, &[self.customer_id.cell(), self.item_id.cell()])?;
        let mut row = rows.first().ok_or_else(|| Error::internal("an item is not there any more"))?;
        let (is_metered, removed_at): (bool, Option<Time>) = (row.next()?, row.next()?);
        let at = self.at.unwrap_or(now);
        let found = summary::at(session, self.customer_id, self.item_id, at)?;
        if let Some(name) = found.as_ref().and_then(|summary| summary.event_name.as_ref()) {
            let reason = format!("must be of a price without a meter: events of {} say what is used", quoted(name));
            return Err(Error::argument("subscription_item_id", reason));
        }
        let mut summary = match found {
            Some(summary) if summary.is_open(&there) && !there.is_stopped(at) => summary,
            _ if removed_at.is_none() && !is_metered => {
                return Err(Error::argument(
                    "subscription_item_id",
                    "must be of a metered price: its quantity is agreed",
                ));
            }
            _ if there.is_stopped(at) => return Err(there.conflict()),
            _ if removed_at.is_some_and(|removed| removed <= at) => {
                return Err(Error::StateConflict {
                    object: "subscription_item",
                    id: self.item_id.to_string(),
                    state: "removed",
                });
            }
            _ => {
                let reason = format!("must be in a period of the item: it was not metered at {at}");
                return Err(Error::argument("timestamp", reason));
            }
        };
        let refused = |reason| Error::amount("quantity", self.quantity, reason);
        let cells = [self.customer_id.cell(), summary.id.cell(), at.cell()];
        let before: Option<Decimal> =
            BEFORE.run(session, &cells)?.first().map_or(Ok(None), |mut row| row.next().map(Some))?;
        let value = self.action.0.on(before, self.quantity).map_err(refused)?;
        let tally = summary.tally.after(summary.aggregate, at, (before, value)).map_err(refused)?;
        summary.tally = match tally {
            Some(tally) => tally,
            None => summary::recount(session, &summary, (at, value))?,
        };
        // What cannot be invoiced is refused now, and not as its period closes.
        item::offer(session, summary.price_id, false)?.amount(summary.tally.usage).map_err(refused)?;
        Ok(Judged { there, summary, at, value })
    }
}

impl Subscription {
    /// Whether nothing is used of it at a moment: it has not begun, is paused, or is over.
    fn is_stopped(&self, at: Time) -> bool {
        match self.status {
            Status::Incomplete | Status::IncompleteExpired => true,
            Status::Canceled => self.usage_closes_at.is_none() || self.ended_at.is_some_and(|ended| ended <= at),
            Status::Paused => self.paused_at.is_some_and(|paused| paused <= at),
            _ => false,
        }
    }
}

impl Judged {
    fn record(mut self, session: &Session, new: &New<'_>, id: Uuid, now: Time) -> Result<(), Error> {
        self.summary.records += 1;
        let cells = [
            new.customer_id.cell(),
            id.cell(),
            self.summary.id.cell(),
            self.summary.records.cell(),
            new.action.1.cell(),
            new.quantity.cell(),
            self.at.cell(),
            self.value.cell(),
            now.cell(),
        ];
        INSERT.run(session, &cells)?;
        // What comes after the closing is invoiced with what is used now.
        let closes_at = match self.summary.closes_at {
            Some(closes_at) => closes_at,
            None => summary::closing_after(self.there.period.end.max(now)),
        };
        self.summary.closes_at = Some(closes_at);
        summary::write(session, &self.summary)?;
        summary::carry(session, &self.summary, closes_at)?;
        if self.there.usage_closes_at.is_none_or(|first| closes_at < first) {
            self.there.usage_closes_at = Some(closes_at);
            advance::save(session, &self.there, now)?;
        }
        Ok(())
    }
}
