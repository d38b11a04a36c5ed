//! Subscriptions: found, locked and written back. Creating one is in subscription/create.rs, changing its items in
//! subscription/update.rs, ending it in subscription/cancel.rs, a pause in subscription/pause.rs. What time does to it is in
//! advance.rs.
//!
//! Whatever changes a subscription locks the customer's row first, and then does what is due of it by time: so an answer does
//! not depend on whether maintain() has run.

mod cancel;
pub mod create;
mod delete;
mod discounted;
mod given;
pub mod judged;
mod pause;
pub mod update;

pub use discounted::Discounted;

use crate::amount::Decimal;
use crate::catalog::redemption;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::subscriptions::owed::Policy;
use crate::subscriptions::schedule::cycle::{Cycle, Period, Step};
use crate::subscriptions::schedule::state::Status;
use pgrx::pg_sys::{BOOLOID, INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::cell::Cell;
use uuid::Uuid;

row! {
    /// A subscription as functions return it.
    pub struct SubscriptionRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub subscription_id: Uuid,
        /// What it is.
        pub status: String,
        /// The currency of its prices.
        pub currency: String,
        /// Whether a worker is asked to charge.
        pub collection_method: String,
        /// What it is for.
        pub items: Json,
        /// The unit of a period.
        pub interval: String,
        /// So many of them are a period.
        pub interval_count: i32,
        /// From when its periods are counted.
        pub billing_cycle_anchor: Time,
        /// When its trial ends, or ended.
        pub trial_end: Option<Time>,
        /// What that brings where nothing can be charged.
        pub trial_end_behavior: String,
        /// When its period began.
        pub current_period_start: Time,
        /// The first moment after it.
        pub current_period_end: Time,
        /// What becomes of the money where items change.
        pub proration_behavior: String,
        /// When its invoices are due.
        pub days_until_due: i32,
        /// When it is canceled where they are not paid.
        pub days_until_cancel: i32,
        /// What is charged.
        pub payment_method_id: Option<Uuid>,
        /// When it is to end.
        pub cancel_at: Option<Time>,
        /// Whether that is the end of a period.
        pub cancel_at_period_end: bool,
        /// When that was asked for.
        pub canceled_at: Option<Time>,
        /// When it ended.
        pub ended_at: Option<Time>,
        /// Why, as the application says.
        pub cancel_reason: Option<String>,
        /// Since when it is paused.
        pub paused_at: Option<Time>,
        /// When it goes on by itself.
        pub resumes_at: Option<Time>,
        /// Since when something is owed.
        pub past_due_at: Option<Time>,
        /// What takes something off its invoices.
        pub coupon_id: Option<Uuid>,
        /// The code by which it was given.
        pub promotion_code_id: Option<Uuid>,
        /// When it takes nothing off any more.
        pub discount_end: Option<Time>,
        /// Its last invoice.
        pub latest_invoice_id: Option<Uuid>,
        /// For people.
        pub description: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// The checkout session that it began in.
        pub checkout_session_id: Option<Uuid>,
        /// What is to be done at events of it.
        pub service_actions: Option<Json>,
        /// What becomes of owed credits as a period ends.
        pub at_period_end: String,
        /// What one of them costs on the invoice.
        pub overage_rate: Option<Decimal>,
        /// Whether a deposit pays what the last retry could not.
        pub overdraft_protection: bool,
        /// Who bills it.
        pub provider: Option<String>,
        /// What that calls it.
        pub provider_reference: Option<String>,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT s.customer_id, s.subscription_id, s.status, s.currency, s.collection_method, s.items, s.\"interval\",
             s.interval_count, s.billing_cycle_anchor, s.trial_end, s.trial_end_behavior, s.current_period_start,
             s.current_period_end, s.proration_behavior, s.days_until_due, s.days_until_cancel, s.payment_method_id,
             s.cancel_at, s.cancel_at_period_end, s.canceled_at, s.ended_at, s.cancel_reason, s.paused_at, s.resumes_at,
             s.past_due_at, s.coupon_id, s.promotion_code_id, s.discount_end, s.latest_invoice_id, s.description, s.metadata,
             s.created_at, s.updated_at, $3, s.checkout_session_id, s.service_actions, s.at_period_end, s.overage_rate,
             s.overdraft_protection, s.provider, s.provider_reference
      FROM credits.subscriptions s WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// A subscription as it stands. Raises PC019.
pub fn find(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<SubscriptionRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    SubscriptionRow::read(rows.first().ok_or_else(|| missing(id))?)
}

/// PC019.
fn missing(id: Uuid) -> Error {
    Error::ObjectNotFound { object: "subscription", id: id.to_string() }
}

/// From when to when a discount is.
pub type Dates = Option<(Time, Option<Time>)>;

/// A subscription that is locked until the transaction ends.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub status: Status,
    /// The currency of its prices.
    pub currency: String,
    /// Whether a worker is asked to charge.
    pub collection_method: String,
    /// Its periods.
    pub cycle: Cycle,
    /// What the end of the trial brings where nothing can be charged.
    pub trial_end_behavior: String,
    /// The period that it is in.
    pub period: Period,
    /// How many days after they are finalized its invoices are due, where they are sent.
    pub days_until_due: i32,
    /// How many days after the first failure of a payment it is canceled.
    pub days_until_cancel: i32,
    /// What is charged; `None` for the customer's default.
    pub payment_method_id: Option<Uuid>,
    /// When it is to end.
    pub cancel_at: Option<Time>,
    /// Whether that is the end of a period.
    pub cancel_at_period_end: bool,
    /// When that was asked for.
    pub canceled_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Since when it is paused.
    pub paused_at: Option<Time>,
    /// When it goes on by itself.
    pub resumes_at: Option<Time>,
    /// Since when something is owed.
    pub past_due_at: Option<Time>,
    /// How often a worker was asked again.
    pub retries: i32,
    /// Whether money was ever paid for it.
    pub has_paid: bool,
    /// What takes something off its invoices.
    pub discount: Option<Discounted>,
    /// Its last invoice.
    pub latest_invoice_id: Option<Uuid>,
    /// When it was created.
    pub created_at: Time,
    /// Whether the first period it pays for is free until the next one begins.
    pub is_stub_free: bool,
    /// When its trial ends, or ended.
    pub trial_end: Option<Time>,
    /// The checkout session that it began in.
    pub checkout_session_id: Option<Uuid>,
    /// When usage of it is invoiced next.
    pub usage_closes_at: Option<Time>,
    /// What becomes of owed credits as a period ends.
    pub policy: Policy,
    /// Whether a deposit pays what the last retry could not.
    pub is_protected: bool,
    /// Since when it is to.
    pub protect_at: Option<Time>,
    /// The end of a period, or of a trial, that was announced last.
    pub announced_end: Option<Time>,
    /// What was last written of it.
    pub(super) written: Cell<Option<Written>>,
    /// From when to when its discount was, as it is written.
    pub(super) dates: Cell<Dates>,
}

/// What is written of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    status: Status,
    anchor: Time,
    period: Period,
    cancel_at: (Option<Time>, bool),
    ended: (Option<Time>, Option<Time>),
    paused: (Option<Time>, Option<Time>),
    past_due: (Option<Time>, i32),
    has_paid: bool,
    discount: Option<Discounted>,
    latest_invoice_id: Option<Uuid>,
    usage_closes_at: Option<Time>,
    announced_end: Option<Time>,
    next_change_at: Option<Time>,
    protect_at: Option<Time>,
    at: Time,
}

static LOCK: Statement = Statement::new(
    c"SELECT s.status, s.currency, s.collection_method, s.\"interval\", s.interval_count, s.billing_cycle_anchor,
             s.trial_end_behavior, s.current_period_start, s.current_period_end, s.days_until_due, s.days_until_cancel,
             s.payment_method_id, s.cancel_at, s.cancel_at_period_end, s.canceled_at, s.ended_at, s.paused_at, s.resumes_at,
             s.past_due_at, s.retries, s.has_paid, s.coupon_id, s.promotion_code_id, s.discount_start, s.discount_end,
             s.discount_invoice_id, s.latest_invoice_id, s.created_at, s.proration_behavior = 'none', s.trial_end,
             s.checkout_session_id, s.usage_closes_at, s.at_period_end, s.overage_rate, s.overdraft_protection,
             s.protect_at, s.announced_end
      FROM credits_internal.subscriptions s WHERE s.customer_id = $1 AND s.subscription_id = $2 FOR NO KEY UPDATE",
    &[TEXTOID, UUIDOID],
);

/// Locks a subscription, whose customer is locked. Raises PC019.
pub fn lock(session: &Session, customer_id: &str, id: Uuid) -> Result<Subscription, Error> {
    let rows = LOCK.run(session, &[customer_id.cell(), id.cell()])?;
    let mut row = rows.first().ok_or_else(|| missing(id))?;
    let lost = || Error::internal("a subscription has a status or an interval that does not exist");
    let status = Status::parse(&row.next::<String>()?).ok_or_else(lost)?;
    let (currency, collection_method) = (row.next()?, row.next()?);
    let step = Step::of(&row.next::<String>()?, row.next()?).ok_or_else(lost)?;
    let cycle = Cycle { anchor: row.next()?, step };
    let trial_end_behavior = row.next()?;
    let period = Period { start: row.next()?, end: row.next()? };
    let (days_until_due, days_until_cancel, payment_method_id) = (row.next()?, row.next()?, row.next()?);
    let (cancel_at, cancel_at_period_end, canceled_at, ended_at) = (row.next()?, row.next()?, row.next()?, row.next()?);
    let (paused_at, resumes_at, past_due_at) = (row.next()?, row.next()?, row.next()?);
    let (retries, has_paid) = (row.next()?, row.next()?);
    let (coupon_id, promotion_code_id): (Option<Uuid>, _) = (row.next()?, row.next()?);
    let (start, end, invoice_id) = (row.next()?, row.next()?, row.next()?);
    let discount = coupon_id.map(|coupon_id| Discounted { coupon_id, promotion_code_id, start, end, invoice_id });
    Ok(Subscription {
        customer_id: customer_id.to_string(),
        id,
        status,
        currency,
        collection_method,
        cycle,
        trial_end_behavior,
        period,
        days_until_due,
        days_until_cancel,
        payment_method_id,
        cancel_at,
        cancel_at_period_end,
        canceled_at,
        ended_at,
        paused_at,
        resumes_at,
        past_due_at,
        retries,
        has_paid,
        discount,
        latest_invoice_id: row.next()?,
        created_at: row.next()?,
        is_stub_free: row.next()?,
        trial_end: row.next()?,
        checkout_session_id: row.next()?,
        usage_closes_at: row.next()?,
        policy: Policy::stored(&row.next::<String>()?, row.next()?),
        is_protected: row.next()?,
        protect_at: row.next()?,
        announced_end: row.next()?,
        written: Cell::new(None),
        dates: Cell::new(Discounted::dates(discount)),
    })
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s
      SET status = $3, billing_cycle_anchor = $4, current_period_start = $5, current_period_end = $6, cancel_at = $7,
          cancel_at_period_end = $8, canceled_at = $9, ended_at = $10, paused_at = $11, resumes_at = $12, past_due_at = $13,
          retries = $14, has_paid = $15, discount_start = $16, discount_end = $17, discount_invoice_id = $18,
          latest_invoice_id = $19, next_change_at = $20, updated_at = $21, usage_closes_at = $22, protect_at = $23,
          announced_end = $24
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        BOOLOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        INT4OID,
        BOOLOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        UUIDOID,
        UUIDOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
    ],
);

impl Subscription {
    /// Whether a worker is asked to charge.
    pub fn is_automatic(&self) -> bool {
        self.collection_method == crate::invoicing::collection::AUTOMATIC
    }

    /// Nothing changes it any more.
    pub fn end(&mut self, status: Status, at: Time) {
        (self.status, self.ended_at, self.paused_at, self.resumes_at) = (status, Some(at), None, None);
        self.canceled_at = self.canceled_at.or(Some(at));
    }

    /// PC020: what it is rules the call out.
    pub fn conflict(&self) -> Error {
        Error::StateConflict { object: "subscription", id: self.id.to_string(), state: self.status.as_str() }
    }

    fn written(&self, next_change_at: Option<Time>, at: Time) -> Written {
        Written {
            status: self.status,
            anchor: self.cycle.anchor,
            period: self.period,
            cancel_at: (self.cancel_at, self.cancel_at_period_end),
            ended: (self.canceled_at, self.ended_at),
            paused: (self.paused_at, self.resumes_at),
            past_due: (self.past_due_at, self.retries),
            has_paid: self.has_paid,
            discount: self.discount,
            latest_invoice_id: self.latest_invoice_id,
            usage_closes_at: self.usage_closes_at,
            protect_at: self.protect_at,
            announced_end: self.announced_end,
            next_change_at,
            at,
        }
    }

    /// Writes it back, with when time changes it next; unless it was just written so.
    pub fn save(&self, session: &Session, next_change_at: Option<Time>, now: Time) -> Result<(), Error> {
        let written = Some(self.written(next_change_at, now));
        if self.written.get() == written {
            return Ok(());
        }
        let discount = self.discount.as_ref();
        let cells = [
            self.customer_id.cell(),
            self.id.cell(),
            self.status.as_str().cell(),
            self.cycle.anchor.cell(),
            self.period.start.cell(),
            self.period.end.cell(),
            self.cancel_at.cell(),
            self.cancel_at_period_end.cell(),
            self.canceled_at.cell(),
            self.ended_at.cell(),
            self.paused_at.cell(),
            self.resumes_at.cell(),
            self.past_due_at.cell(),
            self.retries.cell(),
            self.has_paid.cell(),
            discount.and_then(|discount| discount.start).cell(),
            discount.and_then(|discount| discount.end).cell(),
            discount.and_then(|discount| discount.invoice_id).cell(),
            self.latest_invoice_id.cell(),
            next_change_at.cell(),
            now.cell(),
            self.usage_closes_at.cell(),
            self.protect_at.cell(),
            self.announced_end.cell(),
        ];
        // When its discount begins and ends is said by an event of that.
        let (holder, dates) = ((self.customer_id.as_str(), self.id), Discounted::dates(self.discount));
        let is_dated = self.dates.replace(dates) != dates;
        let before = if is_dated { redemption::before(session, holder)? } else { None };
        SAVE.run(session, &cells)?;
        self.written.set(written);
        before.map_or(Ok(()), |before| redemption::updated(session, holder, before, now))
    }
}
