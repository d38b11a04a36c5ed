//! Operations: what a caller asked for once, under an idempotency key or none. A key is claimed once the account is locked,
//! and the claim commits with its effect.

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What a replay is compared with, and what it returns.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The function that made it.
    pub function: String,
    /// Its own id.
    pub operation_id: Uuid,
    /// The currency's code.
    pub currency: String,
    /// Credits.
    pub amount: Decimal,
    /// Of the grant, if it made one.
    pub category: Option<String>,
    /// The grant, if it made one or ended part of one.
    pub grant_id: Option<Uuid>,
    /// Of a transfer, the other customer.
    pub counterparty: Option<String>,
    /// Of an adjustment, its reason: it decides what the line is. Of a purchase, what was bought. Of a reversal, what it
    /// reverses. Of a part of a grant that was ended, what happens to spent credits.
    pub reason: Option<String>,
}

/// What is kept with an operation and never compared.
#[derive(Default)]
pub struct Texts<'a> {
    /// The caller's.
    pub description: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<&'a Json>,
    /// The member who spends.
    pub member_id: Option<&'a str>,
}

impl Operation {
    /// What the reason stands for.
    fn reason_is(&self) -> &'static str {
        match self.function.as_str() {
            "top_up_create" => "price, quantity or payment currency",
            "operation_reverse" => "operation",
            "checkout_session_create" | "payment_link_open" => "cart",
            "invoice_create" => "set of lines, discount or tax rate",
            "invoice_item_create" => "price, quantity, amount or tax",
            "invoice_pay" => "invoice, amount or source",
            "refund_create" => "payment intent or lines",
            "invoice_return_deposit" => "deposit",
            "voucher_redeem" => "code",
            _ if self.is_end() => "spent",
            _ => "reason",
        }
    }

    /// Whether it ends part of a grant that was there before.
    fn is_end(&self) -> bool {
        matches!(self.function.as_str(), "credit_grant_void" | "credit_grant_expire")
    }

    /// What a replay is compared by.
    fn compared(&self) -> [(&'static str, Option<String>); 7] {
        [
            ("function", Some(self.function.clone())),
            ("amount", Some(self.amount.normalize().to_string())),
            ("currency", Some(self.currency.clone())),
            ("category", self.category.clone()),
            ("recipient", self.counterparty.clone()),
            ("grant", self.grant_id.filter(|_| self.is_end()).map(|id| id.to_string())),
            (self.reason_is(), self.reason.clone()),
        ]
    }

    /// Itself, if the call under its key is the same; otherwise PC002.
    pub fn replayed(self, key: &str, call: &Operation) -> Result<Operation, Error> {
        let both = self.compared().into_iter().zip(call.compared());
        match both.into_iter().find(|((_, first), (_, given))| first != given) {
            None => Ok(self),
            Some(((difference, first), (_, given))) => {
                let (argument, key) = ("idempotency_key", key.to_string());
                Err(Error::IdempotencyConflict { argument, key, difference, first, given })
            }
        }
    }
}

static FIND: Statement = Statement::new(
    c"SELECT function, operation_id, currency, amount, category, grant_id, counterparty, reason
      FROM credits_internal.operations
      WHERE customer_id = $1 AND idempotency_key = $2",
    &[TEXTOID, TEXTOID],
);

/// The operation that a key was used for.
pub fn find(session: &Session, customer_id: &str, key: &str) -> Result<Option<Operation>, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), key.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    Ok(Some(Operation {
        function: row.next()?,
        operation_id: row.next()?,
        currency: row.next()?,
        amount: row.next()?,
        category: row.next()?,
        grant_id: row.next()?,
        counterparty: row.next()?,
        reason: row.next()?,
    }))
}

/// The first call under the key, for a call that cannot be a first one itself: it must be the same, or PC002. If there
/// is none, the call fails with its own error.
pub fn first_call(
    session: &Session,
    customer_id: &str,
    key: Option<&str>,
    call: &Operation,
    error: Error,
) -> Result<Operation, Error> {
    let Some(key) = key else { return Err(error) };
    find(session, customer_id, key)?.ok_or(error)?.replayed(key, call)
}

/// The text of the claim, with or without the member, whose parameter is the last.
macro_rules! claiming {
    ($column:literal, $value:literal) => {
        text!(
            "INSERT INTO credits_internal.operations (customer_id, operation_id, function, currency, amount, category,
                                                      grant_id, counterparty, reason, idempotency_key, description,
                                                      metadata, created_at",
            $column,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13",
            $value,
            ") ON CONFLICT (customer_id, idempotency_key) DO NOTHING"
        )
    };
}

static CLAIM: Statement = Statement::new(
    claiming!(", member_id", ", $14"),
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TEXTOID,
    ],
)
.before(claiming!("", ""));

/// Writes an operation and so claims its key, if it has one: false if another call has that key, after waiting for it
/// to commit.
pub fn claim(
    session: &Session,
    customer_id: &str,
    operation: &Operation,
    key: Option<&str>,
    texts: &Texts<'_>,
    now: Time,
) -> Result<bool, Error> {
    let claimed = CLAIM.run(
        session,
        &[
            customer_id.cell(),
            operation.operation_id.cell(),
            operation.function.cell(),
            operation.currency.cell(),
            operation.amount.cell(),
            operation.category.cell(),
            operation.grant_id.cell(),
            operation.counterparty.cell(),
            operation.reason.cell(),
            key.cell(),
            texts.description.cell(),
            texts.metadata.cell(),
            now.cell(),
            texts.member_id.cell(),
        ],
    )?;
    Ok(claimed.written() > 0)
}

/// How a call begins.
pub enum Begun<T> {
    /// The first under its key, or without a key: the key is claimed, and the call goes on with what was judged.
    First(T),
    /// A replay of this one.
    Replay(Operation),
}

/// Begins a call: claims its key if `judge` accepts it, otherwise finds the first call under it. `judge` checks what
/// only a first call must meet, and locks its accounts as well. A replay is answered whatever has changed since, and
/// waits for nobody if the first call has committed.
pub fn begin<T>(
    session: &Session,
    customer_id: &str,
    call: &Operation,
    key: Option<&str>,
    texts: &Texts<'_>,
    now: Time,
    judge: impl FnOnce() -> Result<T, Error>,
) -> Result<Begun<T>, Error> {
    if let Some(key) = key
        && let Some(first) = find(session, customer_id, key)?
    {
        return first.replayed(key, call).map(Begun::Replay);
    }
    let error = match judge() {
        Ok(judged) if claim(session, customer_id, call, key, texts, now)? => {
            return Ok(Begun::First(judged));
        }
        Ok(_) => Error::internal("an idempotency_key is taken and not to be found"),
        Err(error) => error,
    };
    first_call(session, customer_id, key, call, error).map(Begun::Replay)
}
