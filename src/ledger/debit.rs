//! Debits: guarded spend, all or nothing.

use super::head::Head;
use super::line::LineType;
use super::operation::{self, Operation, Texts};
use super::{account, balance, currency, posting};
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::pg::argument::Numeric;
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The name under which both functions claim their keys: one is the other without the error.
const FUNCTION: &str = "wallet_debit";

row! {
    /// What `wallet_debit` returns.
    pub struct DebitRow {
        /// For support and reversals.
        pub operation_id: Uuid,
        /// The currency's code.
        pub currency: String,
        /// Credits taken.
        pub debited: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this repeats an earlier call.
        pub replayed: bool,
    }
}

row! {
    /// What `wallet_try_debit` returns.
    pub struct TryDebitRow {
        /// Whether the credits were taken.
        pub ok: bool,
        /// Credits that are missing, zero where `ok`.
        pub shortfall: Decimal,
        /// NULL where not `ok`.
        pub operation_id: Option<Uuid>,
        /// The currency's code.
        pub currency: String,
        /// Credits taken.
        pub debited: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this repeats an earlier call.
        pub replayed: bool,
    }
}

/// A debit as it was asked for.
struct Debit<'a> {
    customer_id: Option<&'a str>,
    amount: Option<Numeric>,
    currency: Option<&'a str>,
    idempotency_key: Option<&'a str>,
    description: Option<&'a str>,
    metadata: Option<Json>,
}

/// How it went. `Refused` wrote nothing.
enum Outcome {
    Done(DebitRow),
    Refused { customer_id: String, currency: String, available: Decimal, requested: Decimal },
}

/// `credits.wallet_debit`. Raises PC001, PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn wallet_debit(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<DebitRow>> {
    let debit = Debit { customer_id, amount, currency, idempotency_key, description, metadata };
    Reply(perform(debit).and_then(|outcome| match outcome {
        Outcome::Done(row) => Ok(One(row)),
        Outcome::Refused { customer_id, currency, available, requested } => {
            Err(Error::InsufficientCredits { customer_id, currency, available, requested })
        }
    }))
}

/// `credits.wallet_try_debit`. Raises PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn wallet_try_debit(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<TryDebitRow>> {
    let debit = Debit { customer_id, amount, currency, idempotency_key, description, metadata };
    Reply(perform(debit).map(|outcome| {
        One(match outcome {
            Outcome::Done(row) => TryDebitRow {
                ok: true,
                shortfall: Decimal::ZERO,
                operation_id: Some(row.operation_id),
                currency: row.currency,
                debited: row.debited,
                available: row.available,
                replayed: row.replayed,
            },
            Outcome::Refused { currency, available, requested, .. } => TryDebitRow {
                ok: false,
                shortfall: requested - available,
                operation_id: None,
                currency,
                debited: Decimal::ZERO,
                available,
                replayed: false,
            },
        })
    }))
}

fn perform(debit: Debit<'_>) -> Result<Outcome, Error> {
    let customer_id = input::key("customer_id", debit.customer_id)?;
    let key = input::optional_key("idempotency_key", debit.idempotency_key)?;
    let amount = input::number("amount", debit.amount, amount::over_zero)?;
    let code = currency::code_or_default(debit.currency)?;
    writing(|session| {
        let now = settings::now()?;
        let operation = Operation {
            function: FUNCTION.to_string(),
            operation_id: Uuid::now_v7(),
            currency: code,
            amount,
            category: None,
            grant_id: None,
            counterparty: None,
            reason: None,
        };
        if let Err(error) = currency::resolve_for(session, &operation.currency, "amount", amount) {
            let first = operation::first_call(session, customer_id, key, &operation, error)?;
            return repeat(session, customer_id, first);
        }
        let texts = Texts { description: debit.description, metadata: debit.metadata.as_ref() };
        let paid = if posting::any_unsettled(session, customer_id, &operation.currency)? {
            // Usage that waits is charged first, so the head alone does not decide.
            match operation::claim(session, customer_id, &operation, key, &texts, now)? {
                true => Head::Claimed,
                false => Head::Repeat,
            }
        } else {
            head_pays(session, customer_id, &operation, key, &texts, now)?
        };
        match paid {
            Head::Paid { available } => Ok(Outcome::Done(DebitRow {
                operation_id: operation.operation_id,
                currency: operation.currency,
                debited: amount,
                available,
                replayed: false,
            })),
            Head::Claimed => grants_pay(session, customer_id, operation, now),
            Head::Repeat => {
                let lost = Error::internal("an idempotency_key is taken and not to be found");
                let first = operation::first_call(session, customer_id, key, &operation, lost)?;
                repeat(session, customer_id, first)
            }
        }
    })
}

// What the head covers: see head.rs.
static HEAD_PAYS: Statement = Statement::new(
    c"WITH claim AS (
          INSERT INTO credits.operations (customer_id, operation_id, function, currency, amount, idempotency_key,
                                          description, metadata, created_at)
          VALUES ($1, $2, 'wallet_debit', $3, $4, $5, $6, $7, $8)
          ON CONFLICT DO NOTHING RETURNING 1
      ), charge AS (
          UPDATE credits.accounts a
          SET head_remaining = a.head_remaining - $4, available = a.available - $4,
              posted_at = greatest(a.posted_at, $8), last_line = a.last_line + 1
          FROM claim
          WHERE a.customer_id = $1 AND a.currency = $3
            AND a.head_remaining > $4 AND a.available - $4 >= a.watch_below AND greatest(a.posted_at, $8) < a.next_change_at
          RETURNING a.last_line, a.available, a.restricted, a.head_grant_id, a.posted_at
      ), line AS (
          INSERT INTO credits.credit_transactions (customer_id, currency, line_no, type, amount, running_balance,
                                                   grant_id, operation_id, effective_at, created_at)
          SELECT $1, $3, c.last_line, 'debit', -$4, c.available + c.restricted, c.head_grant_id, $2,
                 c.posted_at, c.posted_at
          FROM charge c
      )
      SELECT charge.available FROM claim LEFT JOIN charge ON true",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

fn head_pays(
    session: &Session,
    customer_id: &str,
    operation: &Operation,
    key: Option<&str>,
    texts: &Texts<'_>,
    now: Time,
) -> Result<Head, Error> {
    Head::read(HEAD_PAYS.run(
        session,
        &[
            customer_id.cell(),
            operation.operation_id.cell(),
            operation.currency.cell(),
            operation.amount.cell(),
            key.cell(),
            texts.description.cell(),
            texts.metadata.cell(),
            now.cell(),
        ],
    )?)
}

/// The general way, once the key is claimed.
fn grants_pay(session: &Session, customer_id: &str, operation: Operation, now: Time) -> Result<Outcome, Error> {
    let refused = |available| Outcome::Refused {
        customer_id: customer_id.to_string(),
        currency: operation.currency.clone(),
        available,
        requested: operation.amount,
    };
    let Some(mut book) = account::open(session, customer_id, &operation.currency, now)? else {
        operation::forget(session, customer_id, operation.operation_id)?;
        return Ok(refused(Decimal::ZERO));
    };
    posting::take_windows(session, &mut [(&mut book, operation.amount)], &[])?;
    match book.withdraw(LineType::Debit, operation.operation_id, operation.amount) {
        Err(short) => {
            operation::forget(session, customer_id, operation.operation_id)?;
            Ok(refused(short.available))
        }
        Ok(_) => {
            let available = book.available;
            posting::post(session, &[book])?;
            Ok(Outcome::Done(DebitRow {
                operation_id: operation.operation_id,
                currency: operation.currency,
                debited: operation.amount,
                available,
                replayed: false,
            }))
        }
    }
}

fn repeat(session: &Session, customer_id: &str, first: Operation) -> Result<Outcome, Error> {
    let book = balance::current(session, customer_id, &first.currency)?;
    Ok(Outcome::Done(DebitRow {
        operation_id: first.operation_id,
        currency: first.currency,
        debited: first.amount,
        available: book.map_or(Decimal::ZERO, |b| b.available),
        replayed: true,
    }))
}
