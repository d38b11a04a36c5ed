//! Refunds as functions return them.

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::row;
use pgrx::pg_sys::{BOOLOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A refund that was asked for.
    pub struct RefundRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub refund_id: Uuid,
        /// Of which payment intent.
        pub payment_intent_id: Uuid,
        /// Of which invoice.
        pub invoice_id: Uuid,
        /// How far it has come.
        pub status: String,
        /// How much, in major units.
        pub amount: Decimal,
        /// The payment currency's code.
        pub currency: String,
        /// Why.
        pub reason: String,
        /// For people.
        pub description: Option<String>,
        /// What of which lines.
        pub lines: Option<Json>,
        /// Who took the payment.
        pub provider: String,
        /// What the provider calls the payment.
        pub payment_reference: Option<String>,
        /// What the provider calls the refund.
        pub provider_reference: Option<String>,
        /// Whether credits were taken back for it.
        pub takes_credits: bool,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was asked for.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this changed nothing.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT r.customer_id, r.refund_id, r.payment_intent_id, r.invoice_id, r.status, r.amount, r.currency, r.reason,
             r.description, r.lines, r.provider, r.payment_reference, r.provider_reference, r.takes_credits, r.metadata,
             r.created_at, r.updated_at, $3
      FROM credits_internal.refunds r WHERE r.customer_id = $1 AND r.refund_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// A refund. Raises PC019.
pub fn find(session: &Session, customer_id: &str, refund_id: Uuid, replayed: bool) -> Result<RefundRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), refund_id.cell(), replayed.cell()])?;
    RefundRow::read(rows.first().ok_or_else(|| missing(refund_id))?)
}

/// PC019.
pub fn missing(refund_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "refund", id: refund_id.to_string() }
}
