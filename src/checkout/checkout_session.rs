//! Checkout sessions: a cart of a customer's, which is open until it is paid or its time is over. What it is for becomes an
//! invoice, as a draft, when it is submitted; its payment intent has the session's own id. Creating one is in
//! checkout_session/create.rs, changing it in change.rs, submitting it in submit.rs, what its payment does to it in sale.rs,
//! and how it ends otherwise in expire.rs.
//!
//! Whatever changes a session locks the customer's row first, then the session.

mod change;
mod code;
pub mod create;
mod erasure;
mod expire;
mod link;
pub mod pricing;
mod sale;
mod submit;

use crate::amount::Decimal;
use crate::checkout::cart::Item;
use crate::checkout::checkout_session::pricing::Cart;
use crate::checkout::discount::Asked;
use crate::checkout::subscription_data::{self, SubscriptionData};
use crate::error::{Error, Overdue};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::row;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

pub use erasure::Sessions as Listener;
pub use expire::expire_late;
pub use sale::Sessions as Seller;

row! {
    /// A checkout session as functions return it.
    pub struct SessionRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub checkout_session_id: Uuid,
        /// 'payment' or 'subscription'.
        pub mode: String,
        /// 'open', 'complete' or 'expired'.
        pub status: String,
        /// 'unpaid', 'paid' or 'no_payment_required'.
        pub payment_status: String,
        /// The currency of the amounts.
        pub currency: String,
        /// All lines.
        pub amount_subtotal: Decimal,
        /// What is taken off.
        pub amount_discount: Decimal,
        /// All tax.
        pub amount_tax: Decimal,
        /// What is to be paid.
        pub amount_total: Decimal,
        /// What is in it.
        pub line_items: Json,
        /// Where the customer finds it.
        pub url: Option<String>,
        /// Where to go once it is paid.
        pub success_url: Option<String>,
        /// Where to go to leave it.
        pub cancel_url: Option<String>,
        /// What the application calls it.
        pub client_reference_id: Option<String>,
        /// Whether the customer may enter a code.
        pub allow_promotion_codes: bool,
        /// That of lines which have none of their own.
        pub tax_rate: Option<Decimal>,
        /// Whether a worker is asked to charge the customer.
        pub collection_method: String,
        /// What opened it.
        pub payment_link_id: Option<Uuid>,
        /// Its invoice, once it is submitted.
        pub invoice_id: Option<Uuid>,
        /// What pays that.
        pub payment_intent_id: Option<Uuid>,
        /// Where the provider takes the payment.
        pub checkout_url: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// When it ends.
        pub expires_at: Time,
        /// When it was submitted.
        pub submitted_at: Option<Time>,
        /// When it was paid.
        pub completed_at: Option<Time>,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// What takes something off it.
        pub discounts: Option<Json>,
        /// What it began.
        pub subscription_id: Option<Uuid>,
        /// What is said of that.
        pub subscription_data: Option<Json>,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT s.customer_id, s.checkout_session_id, s.mode, s.status, s.payment_status, s.currency, s.amount_subtotal,
             s.amount_discount, s.amount_tax, s.amount_total, s.line_items, s.url, s.success_url, s.cancel_url,
             s.client_reference_id, s.allow_promotion_codes, s.tax_rate, s.collection_method, s.payment_link_id, s.invoice_id,
             s.payment_intent_id, s.checkout_url, s.metadata, s.created_at, s.updated_at, s.expires_at, s.submitted_at,
             s.completed_at, $3, s.discounts, s.subscription_id, s.subscription_data
      FROM credits.checkout_sessions s WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// A session as it stands. Raises PC019.
pub fn find(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<SessionRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    SessionRow::read(rows.first().ok_or_else(|| missing(id))?)
}

/// PC019.
fn missing(id: Uuid) -> Error {
    Error::ObjectNotFound { object: "checkout_session", id: id.to_string() }
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its customer may still pay.
    Open,
    /// It is paid.
    Complete,
    /// Its time is over.
    Expired,
}

/// A session that is locked until the transaction ends.
pub struct LockedSession {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// How far it has come, as it is written.
    written: Status,
    /// Whether its payment is under way.
    pub under_way: bool,
    /// The currency of its amounts.
    pub currency: String,
    /// What is in it, as JSON.
    pub line_items: String,
    /// That of lines which have none of their own.
    pub tax_rate: Option<Decimal>,
    /// Whether a worker is asked to charge the customer.
    pub collection_method: String,
    /// Who is to take the payment.
    pub provider: Option<String>,
    /// Its invoice, once it is submitted.
    pub invoice_id: Option<Uuid>,
    /// Where to go once it is paid.
    pub success_url: Option<String>,
    /// Where to go to leave it.
    pub cancel_url: Option<String>,
    /// When it ends.
    pub expires_at: Time,
    /// Whether the customer may enter a code.
    pub allow_promotion_codes: bool,
    /// Its discount.
    pub discount: Option<Asked>,
    /// What is said of the subscription that it begins; `None` where it begins none.
    pub subscription: Option<SubscriptionData>,
    /// That, once it is submitted.
    pub subscription_id: Option<Uuid>,
    /// As of when it comes to what is written.
    pub priced_at: Option<Time>,
}

static LOCK: Statement = Statement::new(
    c"SELECT s.status, s.under_way, s.currency, s.line_items::text, s.tax_rate, s.collection_method, s.provider, s.invoice_id,
             s.success_url, s.cancel_url, s.expires_at, s.allow_promotion_codes, s.coupon_id, s.promotion_code_id,
             s.verification_method, s.verification_data, s.subscription_data::text, s.subscription_id, s.priced_at
      FROM credits_internal.checkout_sessions s
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 FOR NO KEY UPDATE",
    &[TEXTOID, UUIDOID],
);

/// Locks a session, whose customer is locked. Raises PC019.
fn lock(session: &Session, customer_id: &str, id: Uuid) -> Result<LockedSession, Error> {
    let rows = LOCK.run(session, &[customer_id.cell(), id.cell()])?;
    let mut row = rows.first().ok_or_else(|| missing(id))?;
    let written = match row.next::<String>()?.as_str() {
        "open" => Status::Open,
        "complete" => Status::Complete,
        "expired" => Status::Expired,
        _ => return Err(Error::internal("a checkout session has a status that does not exist")),
    };
    Ok(LockedSession {
        customer_id: customer_id.to_string(),
        id,
        written,
        under_way: row.next()?,
        currency: row.next()?,
        line_items: row.next()?,
        tax_rate: row.next()?,
        collection_method: row.next()?,
        provider: row.next()?,
        invoice_id: row.next()?,
        success_url: row.next()?,
        cancel_url: row.next()?,
        expires_at: row.next()?,
        allow_promotion_codes: row.next()?,
        discount: Asked::stored(row.next()?, row.next()?, row.next()?, row.next()?),
        subscription: row.next::<Option<String>>()?.map(|text| subscription_data::stored(&text)).transpose()?,
        subscription_id: row.next()?,
        priced_at: row.next()?,
    })
}

impl LockedSession {
    /// What is in its cart, where a subscription begins then.
    fn cart<'a>(&'a self, items: &'a [Item], decimals: u32, begins: Time) -> Cart<'a> {
        Cart {
            items,
            code: &self.currency,
            decimals,
            tax_rate: self.tax_rate,
            subscription: self.subscription.as_ref(),
            collection_method: &self.collection_method,
            is_sold: false,
            begins,
        }
    }

    /// What holds its discount, once it is submitted.
    fn holds_discount(&self) -> Option<Uuid> {
        self.subscription_id.or(self.invoice_id)
    }

    /// How far it has come by then: while its payment is under way, time does not end it.
    fn status_at(&self, now: Time) -> Status {
        match self.written {
            Status::Open if self.expires_at <= now && !self.under_way => Status::Expired,
            written => written,
        }
    }

    /// Raises PC020 unless it is open and not submitted.
    fn must_be_open(&self, now: Time) -> Result<(), Error> {
        match (self.status_at(now), self.invoice_id) {
            (Status::Open, None) => Ok(()),
            (Status::Open, Some(_)) => Err(self.conflict("submitted")),
            (Status::Complete, _) => Err(self.conflict("complete")),
            (Status::Expired, _) => Err(self.conflict("expired")),
        }
    }

    /// PC020: how far it has come rules the call out.
    fn conflict(&self, state: &'static str) -> Error {
        Error::StateConflict { object: "checkout_session", id: self.id.to_string(), state }
    }
}

static OVERDUE: Statement = Statement::new(
    c"SELECT count(*), min(i.due_date) FROM credits_internal.invoices i
      WHERE i.customer_id = $1 AND i.status = 'open' AND i.due_date < $2",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// Raises PC018 for a customer who has invoices that are overdue.
fn must_not_be_overdue(session: &Session, customer_id: &str, now: Time) -> Result<(), Error> {
    let rows = OVERDUE.run(session, &[customer_id.cell(), now.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a count returned no row"))?;
    let (invoices, since): (i64, Option<Time>) = (row.next()?, row.next()?);
    match since {
        Some(since) => Err(Error::CustomerOverdue(Overdue { customer_id: customer_id.to_string(), invoices, since })),
        None => Ok(()),
    }
}
