//! Invoices: what a customer owes for what, and what became of it. Creating one is in invoice/create.rs, changing a draft
//! in invoice/change.rs, giving it out in invoice/finalize.rs, paying it in invoice/payment.rs, ending it otherwise in
//! invoice/close.rs.
//!
//! Whatever changes an invoice locks the customer's row first, then the invoice, then accounts, keys, and the counter of
//! numbers. So all of a customer's invoices change one after another, and nothing of that is locked by a charge.

pub mod bill;
mod change;
pub mod close;
mod create;
pub mod finalize;
pub mod lower;
pub mod payment;

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::listener::{LISTENERS, Outcome};
use crate::ledger::engine::operation::Operation;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Json, ToCell};
use crate::row;
use pgrx::pg_sys::{BOOLOID, TEXTOID, UUIDOID};
use sha2::{Digest, Sha256};
use uuid::Uuid;

row! {
    /// An invoice as functions return it.
    pub struct InvoiceRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub invoice_id: Uuid,
        /// Its number; NULL for a draft.
        pub number: Option<String>,
        /// 'draft', 'open', 'paid', 'void' or 'uncollectible'.
        pub status: String,
        /// Why it was made.
        pub billing_reason: String,
        /// The currency of the amounts.
        pub currency: String,
        /// For people.
        pub description: Option<String>,
        /// All lines.
        pub subtotal: Decimal,
        /// All that is taken off.
        pub discount: Decimal,
        /// All tax.
        pub tax: Decimal,
        /// Lines, less discounts, with tax on top.
        pub total: Decimal,
        /// The same without tax.
        pub total_excluding_tax: Decimal,
        /// What is to be paid in all.
        pub amount_due: Decimal,
        /// What was applied to it.
        pub amount_paid: Decimal,
        /// What is still to be paid.
        pub amount_remaining: Decimal,
        /// That of lines which have none of their own.
        pub tax_rate: Option<Decimal>,
        /// When it is due.
        pub due_date: Option<Time>,
        /// How many days after it is finalized.
        pub days_until_due: Option<i32>,
        /// Whom it is for.
        pub customer_name: Option<String>,
        /// Where it is sent.
        pub customer_email: Option<String>,
        /// Below the lines.
        pub footer: Option<String>,
        /// Names and values for the reader.
        pub custom_fields: Option<Json>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// When it got its number.
        pub finalized_at: Option<Time>,
        /// When it was paid in full.
        pub paid_at: Option<Time>,
        /// When it was voided.
        pub voided_at: Option<Time>,
        /// When it was given up.
        pub marked_uncollectible_at: Option<Time>,
        /// Whether a worker is asked to charge the customer.
        pub collection_method: String,
        /// Shipping that the provider's checkout added.
        pub shipping: Decimal,
        /// The customer's number.
        pub customer_phone: Option<String>,
        /// The customer's postal address.
        pub customer_address: Option<Json>,
        /// The payment intent that pays it, or is to.
        pub payment_intent_id: Option<Uuid>,
        /// Where the customer pays it.
        pub hosted_invoice_url: Option<String>,
        /// What was paid back by the provider.
        pub amount_refunded: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

/// The columns of an invoice, in the order of its row.
macro_rules! columns {
    () => {
        "SELECT i.customer_id, i.invoice_id, i.number, i.status, i.billing_reason, i.currency, i.description, i.subtotal,
                i.discount, i.tax, i.total, i.total_excluding_tax, i.amount_due, i.amount_paid,
                CASE WHEN i.status = 'void' THEN 0 ELSE i.amount_due - i.amount_paid END, i.tax_rate, i.due_date,
                i.days_until_due, i.customer_name, i.customer_email, i.footer, i.custom_fields, i.metadata, i.created_at,
                i.updated_at, i.finalized_at, i.paid_at, i.voided_at, i.marked_uncollectible_at,
                i.collection_method, i.shipping, i.customer_phone, i.customer_address, p.payment_intent_id, p.checkout_url,
                (SELECT coalesce(sum(t.refunded_amount), 0) FROM credits_internal.payment_intents t
                 WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id), "
    };
}
/// The invoices, each with its last payment intent.
macro_rules! tables {
    () => {
        " FROM credits_internal.invoices i
          LEFT JOIN LATERAL (
              SELECT t.payment_intent_id, t.checkout_url FROM credits_internal.payment_intents t
              WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
              ORDER BY t.payment_intent_id DESC LIMIT 1) p ON true "
    };
}
pub(crate) use columns;
pub(crate) use tables;

static FIND: Statement = Statement::new(
    text!(columns!(), "$3", tables!(), "WHERE i.customer_id = $1 AND i.invoice_id = $2"),
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// An invoice as it stands. Raises PC019.
pub fn find(session: &Session, customer_id: &str, invoice_id: Uuid, replayed: bool) -> Result<InvoiceRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), invoice_id.cell(), replayed.cell()])?;
    InvoiceRow::read(rows.first().ok_or_else(|| missing(invoice_id))?)
}

/// PC019.
pub fn missing(invoice_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "invoice", id: invoice_id.to_string() }
}

/// What an invoice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being written.
    Draft,
    /// To be paid.
    Open,
    /// Paid in full, for good.
    Paid,
    /// As if it had never been given out.
    Void,
    /// Given up; it may still be paid.
    Uncollectible,
}

impl Status {
    const ALL: [Status; 5] = [Status::Draft, Status::Open, Status::Paid, Status::Void, Status::Uncollectible];

    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Open => "open",
            Status::Paid => "paid",
            Status::Void => "void",
            Status::Uncollectible => "uncollectible",
        }
    }

    /// Whether money may be applied to it.
    pub fn is_payable(self) -> bool {
        matches!(self, Status::Open | Status::Uncollectible)
    }
}

/// An invoice that is locked until the transaction ends.
pub struct Invoice {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub status: Status,
    /// Its number, once it has one.
    pub number: Option<String>,
    /// The currency's code.
    pub currency: String,
    /// What it comes to.
    pub total: Decimal,
    /// What is to be paid in all.
    pub amount_due: Decimal,
    /// What was applied to it.
    pub amount_paid: Decimal,
    /// When it is due, if that is said already.
    pub due_date: Option<Time>,
    /// Or how many days after it is finalized.
    pub days_until_due: Option<i32>,
    /// What is taken off all lines, as it was asked for.
    pub given_discount: Decimal,
    /// That of lines which have none of their own.
    pub tax_rate: Option<Decimal>,
    /// Why it was made.
    pub billing_reason: String,
    /// Whether a worker is asked to charge the customer.
    pub collection_method: String,
    /// The checkout session whose purchase it is.
    pub checkout_session_id: Option<Uuid>,
    /// The coupon that takes something off it.
    pub coupon_id: Option<Uuid>,
    /// The subscription that it is for.
    pub subscription_id: Option<Uuid>,
    /// What is to be charged for it; `None` for the customer's default.
    pub payment_method_id: Option<Uuid>,
}

static LOCK: Statement = Statement::new(
    c"SELECT i.status, i.number, i.currency, i.total, i.amount_due, i.amount_paid, i.due_date, i.days_until_due,
             i.given_discount, i.tax_rate, i.billing_reason, i.collection_method, i.checkout_session_id, i.coupon_id,
             i.subscription_id, i.payment_method_id
      FROM credits_internal.invoices i WHERE i.customer_id = $1 AND i.invoice_id = $2 FOR NO KEY UPDATE",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT ''::text, NULL::text, ''::text, 0::numeric, 0::numeric, 0::numeric, NULL::timestamptz, NULL::integer,
             0::numeric, NULL::numeric, ''::text, ''::text, NULL::uuid, NULL::uuid, NULL::uuid, NULL::uuid
      WHERE num_nonnulls($1, $2) < 0",
);

/// Locks an invoice, whose customer is locked. Raises PC019.
pub fn lock(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Invoice, Error> {
    lock_if_there(session, customer_id, invoice_id)?.ok_or_else(|| missing(invoice_id))
}

/// The same; `None` where there is none.
pub fn lock_if_there(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Option<Invoice>, Error> {
    let rows = LOCK.run(session, &[customer_id.cell(), invoice_id.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let status: String = row.next()?;
    let status = Status::ALL.into_iter().find(|one| one.as_str() == status);
    Ok(Some(Invoice {
        customer_id: customer_id.to_string(),
        id: invoice_id,
        status: status.ok_or_else(|| Error::internal("an invoice has a status that does not exist"))?,
        number: row.next()?,
        currency: row.next()?,
        total: row.next()?,
        amount_due: row.next()?,
        amount_paid: row.next()?,
        due_date: row.next()?,
        days_until_due: row.next()?,
        given_discount: row.next()?,
        tax_rate: row.next()?,
        billing_reason: row.next()?,
        collection_method: row.next()?,
        checkout_session_id: row.next()?,
        coupon_id: row.next()?,
        subscription_id: row.next()?,
        payment_method_id: row.next()?,
    }))
}

impl Invoice {
    /// Announces what became of it, where it is a subscription's.
    pub fn announce(&self, session: &Session, outcome: Outcome, now: Time) -> Result<(), Error> {
        let Some(subscription_id) = self.subscription_id else { return Ok(()) };
        let which = (self.customer_id.as_str(), subscription_id, self.id);
        LISTENERS.all().try_for_each(|listener| listener.settled(session, which, outcome, now))
    }

    /// What holds the discount of a sale: its subscription, where there is one.
    pub fn holds_discount(&self) -> Uuid {
        self.subscription_id.unwrap_or(self.id)
    }

    /// What is still to be paid.
    pub fn remaining(&self) -> Decimal {
        self.amount_due - self.amount_paid
    }

    /// PC020: what it is rules the call out.
    pub fn conflict(&self) -> Error {
        Error::StateConflict { object: "invoice", id: self.id.to_string(), state: self.status.as_str() }
    }

    /// Raises PC020 where it belongs to a top-up or a checkout session, which alone changes it until it is paid.
    pub fn must_be_own(&self) -> Result<(), Error> {
        let state = match self.billing_reason.as_str() {
            "recharge" | "auto_recharge" => "draft of a top-up",
            _ if self.checkout_session_id.is_some() => "draft of a checkout session",
            _ => return Ok(()),
        };
        if self.status != Status::Draft {
            return Ok(());
        }
        Err(Error::StateConflict { object: "invoice", id: self.id.to_string(), state })
    }

    /// Raises PC020 unless it is that.
    pub fn must_be(&self, status: Status) -> Result<(), Error> {
        if self.status == status { Ok(()) } else { Err(self.conflict()) }
    }
}

/// What was asked for, in short: a digest of so many things, and how many.
pub fn digest(of: Sha256, count: usize) -> String {
    format!("{} of {count}", hex::encode(&of.finalize()[..8]))
}

/// What a replay of a call is compared by: its function, currency and amount, and `what` else it was asked for.
pub fn operation(function: &str, id: Uuid, currency: &str, amount: Decimal, what: String) -> Operation {
    Operation {
        function: function.to_string(),
        operation_id: id,
        currency: currency.to_string(),
        amount,
        category: None,
        grant_id: None,
        counterparty: None,
        reason: Some(what),
    }
}
