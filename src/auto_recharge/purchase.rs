//! What a recharge buys: its invoice and payment intent, which begin with its worker, or with what is reported of its payment.

use crate::amount::Decimal;
use crate::catalog::price::pack;
use crate::error::Error;
use crate::invoicing::sale::{self, Reason};
use crate::ledger::grant::terms::GrantTerms;
use crate::moment::Time;
use crate::payments::payment_intent::{self as intent, Credits, New};
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

/// A request, as far as it says what is bought.
pub struct Asked {
    /// Its id, which its invoice has too.
    pub recharge_id: Uuid,
    /// The credit currency.
    pub currency: String,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The payment currency.
    pub price_currency: String,
    /// Credits that it brings.
    pub credits: Decimal,
    /// Units of the price; `None` where it is bought by amount.
    pub quantity: Option<i32>,
    /// The price, likewise.
    pub price_id: Option<Uuid>,
    /// The price of one credit, where it is bought by amount.
    pub rate: Option<Decimal>,
    /// When it was made.
    pub requested_at: Time,
    /// When it times out.
    pub expires_at: Time,
}

static ASKED: Statement = Statement::new(
    c"SELECT r.recharge_id, r.currency, r.amount, r.price_currency, r.credits, r.quantity, r.price_id, r.rate, r.requested_at,
             r.expires_at
      FROM credits_internal.recharges r WHERE r.top_up_id = $2 AND r.customer_id = $1",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT r.recharge_id, r.currency, r.amount, r.price_currency, r.credits, 1, NULL::uuid, NULL::numeric, r.requested_at,
             r.expires_at
      FROM credits_internal.recharges r WHERE r.top_up_id = $2 AND r.customer_id = $1 AND false",
);

/// Begins the payment intent of that id, if a recharge asked for it. It waits for nobody but whoever does the same.
pub fn begin(session: &Session, customer_id: &str, id: Uuid) -> Result<(), Error> {
    let read = |mut row: Row<'_>| -> Result<Asked, Error> {
        Ok(Asked {
            recharge_id: row.next()?,
            currency: row.next()?,
            amount: row.next()?,
            price_currency: row.next()?,
            credits: row.next()?,
            quantity: row.next()?,
            price_id: row.next()?,
            rate: row.next()?,
            requested_at: row.next()?,
            expires_at: row.next()?,
        })
    };
    let asked = ASKED.run(session, &[customer_id.cell(), id.cell()])?.first().map(read).transpose()?;
    asked.map_or(Ok(()), |asked| insert(session, customer_id, id, &asked))
}

/// Writes the invoice, as a draft, and the payment intent of a request.
pub fn insert(session: &Session, customer_id: &str, id: Uuid, asked: &Asked) -> Result<(), Error> {
    let (terms, name) = match asked.price_id {
        None => (GrantTerms::by_amount(), None),
        Some(price_id) => {
            let price = pack::find(session, "price_id", price_id)?;
            (price.terms, Some(price.name))
        }
    };
    let new = New {
        customer_id,
        id,
        invoice_id: asked.recharge_id,
        amount: asked.amount,
        currency: &asked.price_currency,
        provider: None,
        return_url: None,
        failure_url: None,
        checkout_url: None,
        description: Some("auto-recharge"),
        metadata: None,
        expires_at: Some(asked.expires_at.max(asked.requested_at.plus_seconds(intent::DEFAULT_SECONDS))),
        recharge_id: Some(asked.recharge_id),
        credits: Some(Credits {
            price_id: asked.price_id,
            quantity: asked.quantity.unwrap_or(1),
            amount: asked.credits,
            currency: &asked.currency,
            rate: asked.rate,
            terms: &terms,
            name: name.as_deref(),
        }),
    };
    sale::begin_top_up(session, Reason::AutoRecharge, &new, asked.requested_at)
}

static CUSTOMER: Statement = Statement::new(
    c"SELECT r.customer_id FROM credits_internal.recharges r WHERE r.top_up_id = $1 LIMIT 1",
    &[UUIDOID],
)
.before(c"SELECT r.customer_id FROM credits_internal.recharges r WHERE r.top_up_id = $1 AND false LIMIT 1");

/// Whose recharge asked for a payment intent of that id, if any did.
pub fn customer_of(session: &Session, id: Uuid) -> Result<Option<String>, Error> {
    CUSTOMER.run(session, &[id.cell()])?.first().map(|mut row| row.next()).transpose()
}
