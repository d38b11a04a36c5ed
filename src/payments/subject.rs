//! Top-ups as their rows have them: found, locked for whatever is reported of their payment, and written back. A top-up is
//! locked after its account: notification/case.rs.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::grant::terms::GrantTerms;
use crate::moment::Time;
use crate::payments::reckoning::{Payment, Standing};
use crate::pg::statement::{Row, Rows, Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{
    INT2OID, INT4OID, INT8OID, INTERVALOID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID,
    TIMESTAMPTZOID, UUIDOID,
};
use uuid::Uuid;

/// How long a top-up that nobody said otherwise of can be paid, in seconds.
pub const DEFAULT_SECONDS: i64 = 24 * 60 * 60;

/// How far a top-up has come: it only ever goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nobody has paid yet.
    Initiated,
    /// The payment failed.
    Failed,
    /// Nobody paid in time, or it was given up.
    Expired,
    /// Paid, and granted.
    Paid,
    /// Paid back, whole.
    Refunded,
}

impl Status {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Initiated => "initiated",
            Status::Failed => "failed",
            Status::Expired => "expired",
            Status::Paid => "paid",
            Status::Refunded => "refunded",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Status::Initiated, Status::Failed, Status::Expired, Status::Paid, Status::Refunded]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// A top-up.
pub struct TopUp {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub id: Uuid,
    /// How far it has come.
    pub status: Status,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The payment currency's code.
    pub currency: String,
    /// Credits that it buys.
    pub credits: Decimal,
    /// Of which currency.
    pub credit_currency: String,
    /// Under which terms.
    pub terms: GrantTerms,
    /// What its grant is called.
    pub name: Option<String>,
    /// Who took the payment.
    pub provider: Option<String>,
    /// What the provider calls the payment.
    pub provider_reference: Option<String>,
    /// The grant that it made.
    pub grant_id: Option<Uuid>,
    /// The request that asked for it, where nobody did it by hand.
    pub recharge_id: Option<Uuid>,
    /// Credits that went back for refunds and disputes.
    pub reclaimed: Decimal,
    /// Where to pay.
    pub checkout_url: Option<String>,
    /// Until when.
    pub expires_at: Time,
    /// Credits' price, where it was bought by amount.
    pub rate: Option<Decimal>,
    /// The application's own.
    pub metadata: Option<Json>,
    /// When it began.
    pub created_at: Time,
}

impl TopUp {
    /// How far it has come at a moment: also what only time brought.
    pub fn status_at(&self, now: Time) -> Status {
        if self.status == Status::Initiated && self.expires_at <= now { Status::Expired } else { self.status }
    }
}

/// A top-up that begins.
pub struct New<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// Its id.
    pub top_up_id: Uuid,
    /// The price; `None` where it is bought by amount.
    pub price_id: Option<Uuid>,
    /// How many units.
    pub quantity: i32,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The payment currency's code.
    pub currency: &'a str,
    /// Credits that it buys.
    pub credits: Decimal,
    /// Of which currency.
    pub credit_currency: &'a str,
    /// The price of one credit, where it is bought by amount.
    pub rate: Option<Decimal>,
    /// Under which terms.
    pub terms: &'a GrantTerms,
    /// What its grant is called.
    pub name: Option<&'a str>,
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
    /// Until when it is to be paid.
    pub expires_at: Time,
    /// The auto-recharge that asked for it.
    pub recharge_id: Option<Uuid>,
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.top_ups (customer_id, top_up_id, status, price_id, quantity, amount, currency, credits,
                                   credit_currency, rate, category, priority, time_to_live, applicable_meters, name, provider,
                                   return_url, failure_url, checkout_url, description, metadata, created_at, expires_at,
                                   recharge_id, due_amount)
      VALUES ($1, $2, 'initiated', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
              $23, $5)",
    &[
        TEXTOID, UUIDOID, UUIDOID, INT4OID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, INT2OID,
        INTERVALOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID,
        TIMESTAMPTZOID, UUIDOID,
    ],
);

/// Writes a top-up that begins. It waits for nobody.
pub fn insert(session: &Session, new: &New<'_>, now: Time) -> Result<(), Error> {
    INSERT
        .run(
            session,
            &[
                new.customer_id.cell(),
                new.top_up_id.cell(),
                new.price_id.cell(),
                new.quantity.cell(),
                new.amount.cell(),
                new.currency.cell(),
                new.credits.cell(),
                new.credit_currency.cell(),
                new.rate.cell(),
                new.terms.category.cell(),
                new.terms.priority.cell(),
                new.terms.time_to_live.cell(),
                new.terms.applicable_meters.cell(),
                new.name.cell(),
                new.provider.cell(),
                new.return_url.cell(),
                new.failure_url.cell(),
                new.checkout_url.cell(),
                new.description.cell(),
                new.metadata.cell(),
                now.cell(),
                new.expires_at.cell(),
                new.recharge_id.cell(),
            ],
        )
        .map(drop)
}

/// What of a top-up never changes, and so can be read before it is locked.
pub struct Purchase {
    /// Whose.
    pub customer_id: String,
    /// Its id.
    pub top_up_id: Uuid,
    /// The payment currency's code.
    pub currency: String,
    /// The currency of the credits that it buys: with the customer, its account.
    pub credit_currency: String,
}

impl Purchase {
    /// From a row of its columns in this order.
    pub fn read(mut row: Row<'_>) -> Result<Self, Error> {
        let (customer_id, top_up_id) = (row.next()?, row.next()?);
        Ok(Purchase { customer_id, top_up_id, currency: row.next()?, credit_currency: row.next()? })
    }
}

static PURCHASE: Statement = Statement::new(
    c"SELECT t.customer_id, t.top_up_id, t.currency, t.credit_currency FROM credits_internal.top_ups t
      WHERE t.customer_id = $1 AND t.top_up_id = $2",
    &[TEXTOID, UUIDOID],
);

/// A customer's top-up, before it is locked. Raises PC014 for one that is not there (yet).
pub fn purchase(session: &Session, customer_id: &str, top_up_id: Uuid) -> Result<Purchase, Error> {
    let rows = PURCHASE.run(session, &[customer_id.cell(), top_up_id.cell()])?;
    rows.first().map(Purchase::read).unwrap_or_else(|| Err(unknown(top_up_id)))
}

static LOCK: Statement = Statement::new(
    c"SELECT t.customer_id, t.top_up_id, t.status, t.amount, t.currency, t.credits, t.credit_currency, t.category, t.priority,
             t.time_to_live, t.applicable_meters, t.name, t.provider, t.provider_reference, t.grant_id, t.recharge_id,
             t.reclaimed, t.checkout_url, t.expires_at, t.rate, t.metadata, t.created_at
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2
      FOR UPDATE",
    &[TEXTOID, UUIDOID],
);

static FIND: Statement = Statement::new(
    c"SELECT t.customer_id, t.top_up_id, t.status, t.amount, t.currency, t.credits, t.credit_currency, t.category, t.priority,
             t.time_to_live, t.applicable_meters, t.name, t.provider, t.provider_reference, t.grant_id, t.recharge_id,
             t.reclaimed, t.checkout_url, t.expires_at, t.rate, t.metadata, t.created_at
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2",
    &[TEXTOID, UUIDOID],
);

/// A customer's top-up, locked until the transaction ends; its account is locked already. Raises PC014 for one that is not
/// there (yet).
pub fn lock(session: &Session, customer_id: &str, top_up_id: Uuid) -> Result<TopUp, Error> {
    one(LOCK.run(session, &[customer_id.cell(), top_up_id.cell()])?, top_up_id)
}

/// The same without a lock, for an answer.
pub fn find(session: &Session, customer_id: &str, top_up_id: Uuid) -> Result<TopUp, Error> {
    one(FIND.run(session, &[customer_id.cell(), top_up_id.cell()])?, top_up_id)
}

fn one(rows: Rows<'_>, top_up_id: Uuid) -> Result<TopUp, Error> {
    rows.first().map(read).unwrap_or_else(|| Err(unknown(top_up_id)))
}

/// PC014.
pub fn unknown(top_up_id: Uuid) -> Error {
    Error::TopUpNotOpen { subject: "top-up", id: top_up_id.to_string() }
}

fn read(mut row: Row<'_>) -> Result<TopUp, Error> {
    Ok(TopUp {
        customer_id: row.next()?,
        id: row.next()?,
        status: Status::parse(&row.next::<String>()?)
            .ok_or_else(|| Error::internal("a top-up has an unknown status"))?,
        amount: row.next()?,
        currency: row.next()?,
        credits: row.next()?,
        credit_currency: row.next()?,
        terms: GrantTerms {
            category: row.next()?,
            priority: row.next()?,
            time_to_live: row.next()?,
            applicable_meters: row.next()?,
        },
        name: row.next()?,
        provider: row.next()?,
        provider_reference: row.next()?,
        grant_id: row.next()?,
        recharge_id: row.next()?,
        reclaimed: row.next()?,
        checkout_url: row.next()?,
        expires_at: row.next()?,
        rate: row.next()?,
        metadata: row.next()?,
        created_at: row.next()?,
    })
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.top_ups t
      SET status = $3, provider = $4, provider_reference = $5, grant_id = $6, reclaimed = $7, paid_amount = $8,
          refunded_amount = $9, disputed_amount = $10, dispute_status = $11, due_amount = $12,
          paid_at = CASE WHEN $6 IS NULL THEN t.paid_at ELSE coalesce(t.paid_at, $13) END,
          closed_at = CASE WHEN t.status = $3 THEN t.closed_at ELSE $13 END
      WHERE t.customer_id = $1 AND t.top_up_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        UUIDOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
    ],
);

/// Writes the status of a locked top-up, and of its payments.
pub fn save(session: &Session, top_up: &TopUp, standing: &Standing, at: Time) -> Result<(), Error> {
    SAVE.run(
        session,
        &[
            top_up.customer_id.cell(),
            top_up.id.cell(),
            top_up.status.as_str().cell(),
            top_up.provider.cell(),
            top_up.provider_reference.cell(),
            top_up.grant_id.cell(),
            top_up.reclaimed.cell(),
            standing.paid.cell(),
            standing.refunded.cell(),
            standing.disputed.cell(),
            standing.dispute_status.cell(),
            standing.due.cell(),
            at.cell(),
        ],
    )?;
    save_payments(session, top_up, &standing.payments)
}

static SAVE_PAYMENTS: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_totals (customer_id, top_up_id, payment_no, provider, provider_reference,
      paid_amount, tax,
                                          shipping, discount, subtotal, refunded_amount, disputed_amount)
      SELECT $1, $2, p.payment_no, p.provider, p.provider_reference, p.paid_amount, p.tax, p.shipping, p.discount, p.subtotal,
             p.refunded_amount, p.disputed_amount
      FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
           WITH ORDINALITY AS p (provider, provider_reference, paid_amount, tax, shipping, discount, subtotal, refunded_amount,
                                 disputed_amount, payment_no)
      ON CONFLICT (customer_id, top_up_id, payment_no) DO UPDATE
      SET provider = excluded.provider, provider_reference = excluded.provider_reference, paid_amount = excluded.paid_amount,
          tax = excluded.tax, shipping = excluded.shipping, discount = excluded.discount, subtotal = excluded.subtotal,
          refunded_amount = excluded.refunded_amount, disputed_amount = excluded.disputed_amount",
    &[
        TEXTOID,
        UUIDOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
    ],
);

// One that was only named by a refund that failed after all.
static FORGET_PAYMENTS: Statement = Statement::new(
    c"DELETE FROM credits_internal.payment_totals WHERE customer_id = $1 AND top_up_id = $2 AND payment_no > $3",
    &[TEXTOID, UUIDOID, INT8OID],
);

fn save_payments(session: &Session, top_up: &TopUp, payments: &[Payment]) -> Result<(), Error> {
    let (customer_id, top_up_id) = (top_up.customer_id.cell(), top_up.id.cell());
    SAVE_PAYMENTS.run(
        session,
        &[
            customer_id,
            top_up_id,
            array(payments.iter().map(|payment| &payment.provider)),
            array(payments.iter().map(|payment| payment.reference.as_ref())),
            array(payments.iter().map(|payment| payment.paid)),
            array(payments.iter().map(|payment| payment.details.tax)),
            array(payments.iter().map(|payment| payment.details.shipping)),
            array(payments.iter().map(|payment| payment.details.discount)),
            array(payments.iter().map(|payment| payment.details.subtotal)),
            array(payments.iter().map(|payment| payment.refunded)),
            array(payments.iter().map(|payment| payment.disputed)),
        ],
    )?;
    FORGET_PAYMENTS.run(session, &[customer_id, top_up_id, (payments.len() as i64).cell()]).map(drop)
}
