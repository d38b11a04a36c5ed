//! Payment intents as their rows have them: found, locked for whatever is reported of their payment, and written back. What
//! one pays is an invoice, whose lines are in clawback/line.rs as far as payments care.
//!
//! The customer is locked first, then the intent, then accounts: notification/case.rs.

pub mod attempt;
mod begin;
mod totals;
pub mod update;

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::listener::{LISTENERS, SALES};
use crate::payments::reckoning::Standing;
use crate::pg::statement::{Row, Rows, Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::{Value, json};
use uuid::Uuid;

pub use begin::{Credits, New, insert};

/// How long a top-up that nobody said otherwise of can be paid, in seconds.
pub const DEFAULT_SECONDS: i64 = 24 * 60 * 60;

/// How far a payment intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody pays yet, or the last attempt failed.
    RequiresPaymentMethod,
    /// The customer has to confirm the payment.
    RequiresAction,
    /// A payment is under way.
    Processing,
    /// Paid, for good.
    Succeeded,
    /// Nobody will pay.
    Canceled,
}

impl Status {
    const ALL: [Status; 5] = [
        Status::RequiresPaymentMethod,
        Status::RequiresAction,
        Status::Processing,
        Status::Succeeded,
        Status::Canceled,
    ];

    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::RequiresPaymentMethod => "requires_payment_method",
            Status::RequiresAction => "requires_action",
            Status::Processing => "processing",
            Status::Succeeded => "succeeded",
            Status::Canceled => "canceled",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether it is neither paid nor given up.
    pub fn is_open(self) -> bool {
        !matches!(self, Status::Succeeded | Status::Canceled)
    }

    /// Whether money may be on its way.
    pub fn is_under_way(self) -> bool {
        matches!(self, Status::RequiresAction | Status::Processing)
    }
}

/// A payment intent.
pub struct Intent {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// The invoice that it pays.
    pub invoice_id: Uuid,
    /// How far it has come.
    pub status: Status,
    /// Whether the last attempt failed.
    pub failed: bool,
    /// Whether all that was paid was paid back.
    pub is_refunded: bool,
    /// Whether it is a top-up's.
    pub is_top_up: bool,
    /// The checkout session that it pays.
    pub checkout_session_id: Option<Uuid>,
    /// Whether anything was paid.
    pub has_money: bool,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The payment currency's code.
    pub currency: String,
    /// Who took the payment.
    pub provider: Option<String>,
    /// What the provider calls the payment.
    pub provider_reference: Option<String>,
    /// What a worker is to charge.
    pub payment_method_id: Option<Uuid>,
    /// When a worker was asked to.
    pub requested_at: Option<Time>,
    /// How often one began.
    pub attempts: i32,
    /// The key of the attempt that is under way.
    pub attempt_key: Option<Uuid>,
    /// Where the customer confirms it.
    pub action_url: Option<String>,
    /// The request that asked for it, where it is an auto-recharge's.
    pub recharge_id: Option<Uuid>,
    /// Until when it is to be paid.
    pub expires_at: Option<Time>,
}

impl Intent {
    /// What it is called at a moment, also where only time brought it about: as a top-up, where it is one's.
    pub fn status_at(&self, now: Time) -> &'static str {
        if !self.is_top_up {
            return self.status.as_str();
        }
        match self.status {
            Status::Succeeded if self.is_refunded => "refunded",
            Status::Succeeded => "paid",
            Status::Canceled => "expired",
            _ if self.failed => "failed",
            _ if self.expires_at.is_some_and(|at| at <= now) => "expired",
            _ => "initiated",
        }
    }
}

impl Intent {
    /// PC020: how far it has come rules the call out.
    pub fn conflict(&self) -> Error {
        let state = if self.has_money && self.status.is_open() { "paid in part" } else { self.status.as_str() };
        Error::StateConflict { object: "payment_intent", id: self.id.to_string(), state }
    }

    /// Whether it pays what began with it, and whose draft it gives out: a top-up, or a checkout session.
    pub fn is_sale(&self) -> bool {
        self.is_top_up || self.checkout_session_id.is_some()
    }

    /// What an event calls it.
    pub fn named(&self) -> Value {
        if self.is_top_up {
            return json!({"top_up_id": self.id});
        }
        let mut named = json!({"payment_intent_id": self.id, "invoice_id": self.invoice_id});
        if let Some(id) = self.checkout_session_id {
            named["checkout_session_id"] = json!(id);
        }
        named
    }
}

/// What of a payment intent never changes, and so can be read before it is locked.
pub struct Subject {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// The payment currency's code.
    pub currency: String,
    /// The invoice that it pays; `None` where it has not begun: see [`Sale::to_begin`](crate::payments::listener::Sale).
    pub invoice_id: Option<Uuid>,
}

impl Subject {
    /// From a row of its columns in this order.
    pub fn read(mut row: Row<'_>) -> Result<Self, Error> {
        let (customer_id, id) = (row.next()?, row.next()?);
        Ok(Subject { customer_id, id, currency: row.next()?, invoice_id: row.next()? })
    }
}

/// What would begin under that id once something is reported of its payment.
pub fn to_begin(session: &Session, id: Uuid) -> Result<Option<Subject>, Error> {
    for sale in SALES.all() {
        if let Some(subject) = sale.to_begin(session, id)? {
            return Ok(Some(subject));
        }
    }
    Ok(None)
}

static SUBJECT: Statement = Statement::new(
    c"SELECT t.customer_id, t.payment_intent_id, t.currency, t.invoice_id FROM credits_internal.payment_intents t
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.customer_id, t.top_up_id, t.currency, t.top_up_id FROM credits_internal.top_ups t
      WHERE t.customer_id = $1 AND t.top_up_id = $2",
);

/// A customer's payment intent, before it is locked. One that a recharge asked for begins here, where it did not yet. Raises
/// PC014 for one that is not there (yet).
pub fn subject(session: &Session, customer_id: &str, id: Uuid) -> Result<Subject, Error> {
    let find = || -> Result<Option<Subject>, Error> {
        SUBJECT.run(session, &[customer_id.cell(), id.cell()])?.first().map(Subject::read).transpose()
    };
    if let Some(found) = find()? {
        return Ok(found);
    }
    for listener in LISTENERS.all() {
        listener.begin_recharge(session, customer_id, id)?;
    }
    if let Some(found) = find()? {
        return Ok(found);
    }
    to_begin(session, id)?.filter(|subject| subject.customer_id == customer_id).ok_or_else(|| unknown(id))
}

/// An intent's columns, and its table in both schemas.
macro_rules! read {
    ($end:literal) => {
        text!(
            "SELECT t.customer_id, t.payment_intent_id, t.invoice_id, t.status, t.failed_at IS NOT NULL, t.is_refunded,
             (SELECT i.billing_reason IN ('recharge', 'auto_recharge') FROM credits_internal.invoices i
              WHERE i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id),
             (SELECT i.checkout_session_id FROM credits_internal.invoices i
              WHERE i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id),
             t.paid_amount > 0, t.amount, t.currency, t.provider, t.provider_reference, t.payment_method_id, t.requested_at,
             t.attempts,
             t.attempt_key, t.action_url, t.recharge_id, t.expires_at
             FROM credits_internal.payment_intents t WHERE t.customer_id = $1 AND t.payment_intent_id = $2 ",
            $end
        )
    };
}
macro_rules! read_before {
    ($end:literal) => {
        text!(
            "SELECT t.customer_id, t.top_up_id, t.top_up_id,
             CASE WHEN t.status IN ('initiated', 'failed') THEN 'requires_payment_method'
                  WHEN t.status = 'expired' THEN 'canceled' ELSE 'succeeded' END,
             t.status = 'failed', t.status = 'refunded', true, NULL::uuid, t.paid_amount > 0, t.amount, t.currency, t.provider,
             t.provider_reference, NULL::uuid, NULL::timestamptz, 0, NULL::uuid, NULL::text, t.recharge_id, t.expires_at
             FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2 ",
            $end
        )
    };
}

static LOCK: Statement =
    Statement::new(read!("FOR NO KEY UPDATE OF t"), &[TEXTOID, UUIDOID]).before(read_before!("FOR UPDATE OF t"));
static FIND: Statement = Statement::new(read!(""), &[TEXTOID, UUIDOID]).before(read_before!(""));

/// A customer's payment intent, locked until the transaction ends. Raises PC014 for one that is not there (yet).
pub fn lock(session: &Session, customer_id: &str, id: Uuid) -> Result<Intent, Error> {
    one(LOCK.run(session, &[customer_id.cell(), id.cell()])?, id)
}

/// The same without a lock, for an answer.
pub fn find(session: &Session, customer_id: &str, id: Uuid) -> Result<Intent, Error> {
    one(FIND.run(session, &[customer_id.cell(), id.cell()])?, id)
}

fn one(rows: Rows<'_>, id: Uuid) -> Result<Intent, Error> {
    rows.first().map(read).unwrap_or_else(|| Err(unknown(id)))
}

static OPEN: Statement = Statement::new(
    c"SELECT t.payment_intent_id FROM credits_internal.payment_intents t
      WHERE t.customer_id = $1 AND t.invoice_id = $2
        AND t.status IN ('requires_payment_method', 'requires_action', 'processing')",
    &[TEXTOID, UUIDOID],
);

/// The open intent of an invoice, locked; its customer is locked already.
pub fn open_of(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Option<Intent>, Error> {
    let id = OPEN.run(session, &[customer_id.cell(), invoice_id.cell()])?.first().map(|mut row| row.next());
    id.transpose()?.map(|id| lock(session, customer_id, id)).transpose()
}

static REDUCE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_intents t
      SET amount = CASE WHEN $3 > 0 THEN $3 ELSE t.amount END, due_amount = CASE WHEN $3 > 0 THEN $3 ELSE t.due_amount END,
          status = CASE WHEN $3 > 0 THEN t.status ELSE 'canceled' END,
          closed_at = CASE WHEN $3 > 0 THEN t.closed_at ELSE $4 END,
          requested_at = CASE WHEN $3 > 0 THEN t.requested_at END, attempt_key = CASE WHEN $3 > 0 THEN t.attempt_key END,
          action_url = CASE WHEN $3 > 0 THEN t.action_url END, updated_at = $4
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID],
);

/// So much remains for an open intent, which is locked; where that is nothing, it is canceled.
pub fn reduce(session: &Session, intent: &Intent, amount: Decimal, now: Time) -> Result<(), Error> {
    REDUCE.run(session, &[intent.customer_id.cell(), intent.id.cell(), amount.cell(), now.cell()])?;
    if amount > Decimal::ZERO {
        return Ok(());
    }
    billing_event::record(session, EventType::PaymentIntentCanceled, intent.id, Some(&intent.customer_id), now)
}

/// PC014.
pub fn unknown(id: Uuid) -> Error {
    Error::TopUpNotOpen { subject: "top-up", id: id.to_string() }
}

fn read(mut row: Row<'_>) -> Result<Intent, Error> {
    Ok(Intent {
        customer_id: row.next()?,
        id: row.next()?,
        invoice_id: row.next()?,
        status: Status::parse(&row.next::<String>()?)
            .ok_or_else(|| Error::internal("a payment intent has an unknown status"))?,
        failed: row.next()?,
        is_refunded: row.next()?,
        is_top_up: row.next::<Option<bool>>()?.unwrap_or_default(),
        checkout_session_id: row.next()?,
        has_money: row.next::<Option<bool>>()?.unwrap_or_default(),
        amount: row.next()?,
        currency: row.next()?,
        provider: row.next()?,
        provider_reference: row.next()?,
        payment_method_id: row.next()?,
        requested_at: row.next()?,
        attempts: row.next()?,
        attempt_key: row.next()?,
        action_url: row.next()?,
        recharge_id: row.next()?,
        expires_at: row.next()?,
    })
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_intents t
      SET status = $3, provider = $4, provider_reference = $5, paid_amount = $6, refunded_amount = $7, disputed_amount = $8,
          dispute_status = $9, due_amount = $10, is_refunded = $12, payment_method_id = $13, requested_at = $14,
          attempts = $15, attempt_key = $16, action_url = $17,
          last_payment_error = CASE WHEN $18 THEN coalesce($19, t.last_payment_error) END,
          failed_at = CASE WHEN $18 THEN coalesce(t.failed_at, $11) END,
          paid_at = CASE WHEN $3 = 'succeeded' THEN coalesce(t.paid_at, $11) END,
          closed_at = CASE WHEN t.status = $3 AND (t.failed_at IS NOT NULL) = $18 AND t.is_refunded = $12
                           THEN t.closed_at ELSE $11 END,
          updated_at = $11
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        BOOLOID,
        UUIDOID,
        TIMESTAMPTZOID,
        INT4OID,
        UUIDOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
    ],
)
.before(
    c"UPDATE credits_internal.top_ups t
      SET status = s.status, provider = $4, provider_reference = $5, paid_amount = $6, refunded_amount = $7,
          disputed_amount = $8, dispute_status = $9, due_amount = $10,
          paid_at = CASE WHEN $3 = 'succeeded' THEN coalesce(t.paid_at, $11) ELSE t.paid_at END,
          closed_at = CASE WHEN t.status = s.status THEN t.closed_at ELSE $11 END
      FROM (SELECT CASE WHEN $3 = 'succeeded' AND $12 THEN 'refunded' WHEN $3 = 'succeeded' THEN 'paid'
                        WHEN $3 = 'canceled' THEN 'expired' WHEN $18 THEN 'failed' ELSE 'initiated' END AS status
            WHERE num_nonnulls($13, $14, $15, $16, $17, $19) >= 0) s
      WHERE t.customer_id = $1 AND t.top_up_id = $2",
);

/// Writes the status of a locked intent, of its payments, and why the last attempt failed.
pub fn save(
    session: &Session,
    intent: &Intent,
    standing: &Standing,
    reason: Option<&str>,
    at: Time,
) -> Result<(), Error> {
    SAVE.run(
        session,
        &[
            intent.customer_id.cell(),
            intent.id.cell(),
            intent.status.as_str().cell(),
            intent.provider.cell(),
            intent.provider_reference.cell(),
            standing.paid.cell(),
            standing.refunded.cell(),
            standing.disputed.cell(),
            standing.dispute_status.cell(),
            standing.due.cell(),
            at.cell(),
            intent.is_refunded.cell(),
            intent.payment_method_id.cell(),
            intent.requested_at.cell(),
            intent.attempts.cell(),
            intent.attempt_key.cell(),
            intent.action_url.cell(),
            intent.failed.cell(),
            reason.cell(),
        ],
    )?;
    totals::save(session, intent, &standing.payments)
}
