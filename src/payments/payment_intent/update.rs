//! Payment intents as applications see them, and what they may change of one: their own data.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::customer;
use crate::moment::Time;
use crate::payments::payment_intent as intent;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A payment intent.
    pub struct IntentRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub payment_intent_id: Uuid,
        /// What it pays.
        pub invoice_id: Uuid,
        /// How far it has come.
        pub status: String,
        /// What is due, in major units.
        pub amount: Decimal,
        /// What came.
        pub amount_received: Decimal,
        /// What went back.
        pub amount_refunded: Decimal,
        /// The payment currency's code.
        pub currency: String,
        /// What a worker is to charge.
        pub payment_method_id: Option<Uuid>,
        /// Who takes the payment.
        pub provider: Option<String>,
        /// What the provider calls it.
        pub provider_reference: Option<String>,
        /// Why the last attempt failed.
        pub last_payment_error: Option<String>,
        /// Where the customer confirms it.
        pub action_url: Option<String>,
        /// Where to pay.
        pub checkout_url: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it began.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Until when it is to be paid.
        pub expires_at: Option<Time>,
        /// Whether this changed nothing.
        pub replayed: bool,
    } read
}

static ROW: Statement = Statement::new(
    c"SELECT p.customer_id, p.payment_intent_id, p.invoice_id, p.status, p.amount, p.amount_received, p.amount_refunded,
             p.currency, p.payment_method_id, p.provider, p.provider_reference, p.last_payment_error, p.action_url,
             p.checkout_url, p.metadata, p.created_at, p.updated_at, p.expires_at, $3
      FROM credits.payment_intents p WHERE p.customer_id = $1 AND p.payment_intent_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// A payment intent as functions return it. Raises PC014.
fn row(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<IntentRow, Error> {
    let rows = ROW.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    IntentRow::read(rows.first().ok_or_else(|| intent::unknown(id))?)
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_intents t SET metadata = $3, updated_at = $4
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2 AND t.metadata IS DISTINCT FROM $3
      RETURNING 1",
    &[TEXTOID, UUIDOID, JSONBOID, TIMESTAMPTZOID],
);

/// `credits.payment_intent_update`. Raises PC003, PC013, PC014.
#[pg_extern(sql = false)]
fn payment_intent_update(
    customer_id: Option<&str>,
    payment_intent_id: Option<Id>,
    metadata: Option<Json>,
) -> Reply<One<IntentRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("payment_intent_id", payment_intent_id)?.0;
        let metadata = metadata.ok_or_else(|| Error::missing("metadata"))?;
        writing(|session| {
            customer::keep_existing(session, customer_id)?;
            // Before the customer's lock: a recharge's may begin with this, and wait for whoever just begins it.
            intent::subject(session, customer_id, id)?;
            customer::lock(session, customer_id)?;
            let cells = [customer_id.cell(), id.cell(), metadata.cell(), settings::now()?.cell()];
            let changed = UPDATE.run(session, &cells)?.len() > 0;
            row(session, customer_id, id, !changed).map(One)
        })
    })())
}
