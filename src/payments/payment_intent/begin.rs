//! A payment intent begins: written with what is due, and where it is to be paid.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::grant::terms::GrantTerms;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Cell, Json, ToCell};
use pgrx::pg_sys::{
    INT2OID, INT4OID, INTERVALOID, JSONBOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID,
};
use uuid::Uuid;

/// A payment intent that begins.
pub struct New<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// Its id.
    pub id: Uuid,
    /// The invoice that it pays.
    pub invoice_id: Uuid,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The payment currency's code.
    pub currency: &'a str,
    /// Who is to take the payment.
    pub provider: Option<&'a str>,
    /// Where to go once it is paid.
    pub return_url: Option<&'a str>,
    /// Where to go when it is not.
    pub failure_url: Option<&'a str>,
    /// Where to pay.
    pub checkout_url: Option<&'a str>,
    /// For people.
    pub description: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<&'a Json>,
    /// Until when it is to be paid; `None` for as long as its invoice is open.
    pub expires_at: Option<Time>,
    /// The auto-recharge that asked for it.
    pub recharge_id: Option<Uuid>,
    /// What it buys, where that is credits and nothing else.
    pub credits: Option<Credits<'a>>,
}

/// The credits that a top-up buys. Its invoice has a line for them; before 0.3.0 the top-up's own row had them.
#[derive(Clone, Copy)]
pub struct Credits<'a> {
    /// The price; `None` where they are bought by amount.
    pub price_id: Option<Uuid>,
    /// How many units.
    pub quantity: i32,
    /// How many credits.
    pub amount: Decimal,
    /// Of which currency.
    pub currency: &'a str,
    /// The price of one credit, where they are bought by amount.
    pub rate: Option<Decimal>,
    /// Under which terms.
    pub terms: &'a GrantTerms,
    /// What their grant is called.
    pub name: Option<&'a str>,
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_intents (
          customer_id, payment_intent_id, invoice_id, status, amount, currency, due_amount, provider, return_url, failure_url,
          checkout_url, description, metadata, created_at, updated_at, expires_at, recharge_id)
      VALUES ($1, $2, $24, 'requires_payment_method', $5, $6, $5, $14, $15, $16, $17, $18, $19, $20, $20, $21, $22)",
    &[
        TEXTOID, UUIDOID, UUIDOID, INT4OID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, INT2OID,
        INTERVALOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID,
        TIMESTAMPTZOID, UUIDOID, TEXTOID, UUIDOID,
    ],
)
.before(
    c"INSERT INTO credits_internal.top_ups (
          customer_id, top_up_id, status, price_id, quantity, amount, currency, credits, credit_currency, rate, category,
          priority, time_to_live, applicable_meters, name, provider, return_url, failure_url, checkout_url, description,
          metadata, created_at, expires_at, recharge_id, due_amount)
      VALUES ($1, $2, 'initiated', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $23, $14, $15, $16, $17, $18, $19, $20, $21,
              $22, $5)",
);

/// Writes a payment intent that begins.
pub fn insert(session: &Session, new: &New<'_>, now: Time) -> Result<(), Error> {
    let (credits, terms) = (new.credits.as_ref(), new.credits.map(|credits| credits.terms));
    let cells = [
        new.customer_id.cell(),
        new.id.cell(),
        credits.and_then(|credits| credits.price_id).cell(),
        credits.map(|credits| credits.quantity).cell(),
        new.amount.cell(),
        new.currency.cell(),
        credits.map(|credits| credits.amount).cell(),
        credits.map(|credits| credits.currency).cell(),
        credits.and_then(|credits| credits.rate).cell(),
        terms.map(|terms| &terms.category).cell(),
        terms.map(|terms| terms.priority).cell(),
        terms.and_then(|terms| terms.time_to_live).cell(),
        terms.map_or(Cell::NULL, |terms| terms.applicable_meters.cell()),
        new.provider.cell(),
        new.return_url.cell(),
        new.failure_url.cell(),
        new.checkout_url.cell(),
        new.description.cell(),
        new.metadata.cell(),
        now.cell(),
        new.expires_at.cell(),
        new.recharge_id.cell(),
        credits.and_then(|credits| credits.name).cell(),
        new.invoice_id.cell(),
    ];
    INSERT.run(session, &cells)?;
    billing_event::record(session, EventType::PaymentIntentCreated, new.id, Some(new.customer_id), now)
}
