//! Top-ups as their rows have them: found, locked for whatever becomes of their payment, and written back. A top-up is locked
//! after its account: told.rs.

use super::price::GrantTerms;
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Row, Rows, Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{
    INT2OID, INT4OID, INTERVALOID, JSONBOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID,
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
    /// What was paid.
    pub paid_amount: Option<Decimal>,
    /// What the refunds that were told one by one add up to.
    pub refunds_sum: Decimal,
    /// The most that was told of all refunds together.
    pub refunds_told: Decimal,
    /// What disputes that are open or lost take.
    pub disputed_amount: Decimal,
    /// 'open', 'won' or 'lost', for the last of them.
    pub dispute_status: Option<String>,
    /// Credits that went back for all this.
    pub reclaimed: Decimal,
    /// Where to pay.
    pub checkout_url: Option<String>,
    /// Until when.
    pub expires_at: Time,
    /// Credits' price, where it was bought by amount.
    pub rate: Option<Decimal>,
    /// The application's own.
    pub metadata: Option<Json>,
}

impl TopUp {
    /// How far it has come at a moment: also what only time brought.
    pub fn status_at(&self, now: Time) -> Status {
        if self.status == Status::Initiated && self.expires_at <= now { Status::Expired } else { self.status }
    }

    /// What was paid; until then, what is due.
    pub fn payment(&self) -> Decimal {
        self.paid_amount.unwrap_or(self.amount)
    }

    /// What was paid back, as far as anybody said.
    pub fn refunded_amount(&self) -> Decimal {
        self.refunds_sum.max(self.refunds_told)
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
    c"INSERT INTO credits.top_ups (customer_id, top_up_id, status, price_id, quantity, amount, currency, credits,
                                   credit_currency, rate, category, priority, time_to_live, applicable_meters, name, provider,
                                   return_url, failure_url, checkout_url, description, metadata, created_at, expires_at,
                                   recharge_id)
      VALUES ($1, $2, 'initiated', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
              $23)",
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

static LOCK: Statement = Statement::new(
    c"SELECT t.customer_id, t.top_up_id, t.status, t.amount, t.currency, t.credits, t.credit_currency, t.category, t.priority,
             t.time_to_live, t.applicable_meters, t.name, t.provider, t.provider_reference, t.grant_id, t.recharge_id,
             t.paid_amount, t.refunds_sum, t.refunds_told, t.disputed_amount, t.dispute_status, t.reclaimed, t.checkout_url,
             t.expires_at, t.rate, t.metadata
      FROM credits.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2
      FOR UPDATE",
    &[TEXTOID, UUIDOID],
);

static FIND: Statement = Statement::new(
    c"SELECT t.customer_id, t.top_up_id, t.status, t.amount, t.currency, t.credits, t.credit_currency, t.category, t.priority,
             t.time_to_live, t.applicable_meters, t.name, t.provider, t.provider_reference, t.grant_id, t.recharge_id,
             t.paid_amount, t.refunds_sum, t.refunds_told, t.disputed_amount, t.dispute_status, t.reclaimed, t.checkout_url,
             t.expires_at, t.rate, t.metadata
      FROM credits.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2",
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
        paid_amount: row.next()?,
        refunds_sum: row.next()?,
        refunds_told: row.next()?,
        disputed_amount: row.next()?,
        dispute_status: row.next()?,
        reclaimed: row.next()?,
        checkout_url: row.next()?,
        expires_at: row.next()?,
        rate: row.next()?,
        metadata: row.next()?,
    })
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits.top_ups t
      SET status = $3, provider = $4, provider_reference = $5, grant_id = $6, paid_amount = $7, refunds_sum = $8,
          refunds_told = $9, disputed_amount = $10, dispute_status = $11, reclaimed = $12,
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

/// Writes what became of a locked top-up.
pub fn save(session: &Session, top_up: &TopUp, at: Time) -> Result<(), Error> {
    SAVE.run(
        session,
        &[
            top_up.customer_id.cell(),
            top_up.id.cell(),
            top_up.status.as_str().cell(),
            top_up.provider.cell(),
            top_up.provider_reference.cell(),
            top_up.grant_id.cell(),
            top_up.paid_amount.cell(),
            top_up.refunds_sum.cell(),
            top_up.refunds_told.cell(),
            top_up.disputed_amount.cell(),
            top_up.dispute_status.cell(),
            top_up.reclaimed.cell(),
            at.cell(),
        ],
    )
    .map(drop)
}
