//! What was told of payments: recorded once for each thing that was told, and known again by its reference.

use super::outbox;
use super::stored::{self, TopUp};
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::{balance, currency, posting};
use crate::pg::argument::Id;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Whose top-up, and which.
pub fn subject(customer_id: Option<&str>, top_up_id: Option<Id>) -> Result<(&str, Uuid), Error> {
    Ok((input::key("customer_id", customer_id)?, input::required("top_up_id", top_up_id)?.0))
}

/// A customer's top-up, locked until the transaction ends: first its account, which is made where it is missing, so that
/// whatever a transaction does to an account before or after this, and whatever this writes to the outbox, is locked in one
/// order. Raises PC014 for one that is not there (yet).
pub fn lock(session: &Session, customer_id: &str, top_up_id: Uuid) -> Result<TopUp, Error> {
    let account = (customer_id.to_string(), stored::find(session, customer_id, top_up_id)?.credit_currency);
    let keys = std::slice::from_ref(&account);
    posting::make(session, keys)?;
    posting::lock(session, keys)?;
    stored::lock(session, customer_id, top_up_id)
}

/// Who says so, and what they call it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The provider.
    pub provider: &'a str,
    /// Its name for the payment, the refund or the dispute.
    pub reference: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// Raises PC013.
    pub fn read(provider: Option<&'a str>, reference: Option<&'a str>) -> Result<Self, Error> {
        Ok(Told {
            provider: input::key("provider", Some(provider.unwrap_or("manual")))?,
            reference: input::optional_key("provider_reference", reference)?,
        })
    }
}

/// One thing that was told of a payment.
pub struct Entry<'a> {
    /// 'succeeded', 'failed', 'expired', 'refunded' and so on.
    pub kind: &'static str,
    /// Who says so.
    pub told: Told<'a>,
    /// Of how much, in major units.
    pub amount: Option<Decimal>,
    /// What does not fit what was known.
    pub contradiction: Option<&'static str>,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits.payments (customer_id, payment_id, top_up_id, type, provider, provider_reference, amount, currency,
                                    contradiction, operation_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    &[
        TEXTOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID,
    ],
);

/// Records what was told; what contradicts is told on.
pub fn record(session: &Session, top_up: &TopUp, entry: &Entry<'_>, now: Time) -> Result<(), Error> {
    RECORD.run(
        session,
        &[
            top_up.customer_id.cell(),
            Uuid::now_v7().cell(),
            top_up.id.cell(),
            entry.kind.cell(),
            entry.told.provider.cell(),
            entry.told.reference.cell(),
            entry.amount.cell(),
            top_up.currency.cell(),
            entry.contradiction.cell(),
            entry.operation_id.cell(),
            now.cell(),
        ],
    )?;
    let Some(contradiction) = entry.contradiction else { return Ok(()) };
    let payload = json!({
        "top_up_id": top_up.id,
        "type": entry.kind,
        "provider": entry.told.provider,
        "provider_reference": entry.told.reference,
        "amount": entry.amount.map(|amount| amount.normalize().to_string()),
        "contradiction": contradiction,
    });
    outbox::tell(session, &top_up.customer_id, "payment.contradiction", &payload, now)
}

static WAS_TOLD: Statement = Statement::new(
    c"SELECT contradiction, operation_id, amount FROM credits.payments
      WHERE customer_id = $1 AND top_up_id = $2 AND type = $3 AND provider = $4 AND provider_reference = $5
      ORDER BY payment_id LIMIT 1",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID],
);

/// What was recorded when something was told.
pub struct Recorded {
    /// What did not fit what was known.
    pub contradiction: Option<String>,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
    /// Of how much, in major units.
    pub amount: Option<Decimal>,
}

/// What was recorded when the same was told before: only what has a reference can be known again.
pub fn was_told(session: &Session, top_up: &TopUp, kind: &str, told: Told<'_>) -> Result<Option<Recorded>, Error> {
    if told.reference.is_none() {
        return Ok(None);
    }
    let cells = [top_up.customer_id.cell(), top_up.id.cell(), kind.cell(), told.provider.cell(), told.reference.cell()];
    let rows = WAS_TOLD.run(session, &cells)?;
    rows.first()
        .map(|mut row| Ok(Recorded { contradiction: row.next()?, operation_id: row.next()?, amount: row.next()? }))
        .transpose()
}

/// An amount in the decimals of the payment currency.
pub fn fits(session: &Session, top_up: &TopUp, argument: &'static str, paid: Decimal) -> Result<(), Error> {
    let decimals = currency::decimals(session, &top_up.currency)?;
    amount::fit(paid, decimals).map(drop).map_err(|reason| Error::amount(argument, paid, reason))
}

/// What a plain debit may take from the account of a purchase.
pub fn available(session: &Session, top_up: &TopUp) -> Result<Decimal, Error> {
    let book = balance::current(session, &top_up.customer_id, &top_up.credit_currency)?;
    Ok(book.map_or(Decimal::ZERO, |book| book.available))
}
