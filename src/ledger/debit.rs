//! Debits: guarded spend, all or nothing.

pub mod past;

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::fast_charge::{self, Charge, Paid, Spending, charging};
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::{account, balance, currency};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The name under which both functions claim their keys, since they differ only in how they report a refusal.
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
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

row! {
    /// What `wallet_try_debit` returns.
    pub struct TryDebitRow {
        /// Whether the credits were taken.
        pub ok: bool,
        /// Credits that are missing, or that the limit has too little left; zero if `ok`.
        pub shortfall: Decimal,
        /// NULL if not `ok`.
        pub operation_id: Option<Uuid>,
        /// The currency's code.
        pub currency: String,
        /// Credits taken.
        pub debited: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// Why it was not `ok`: 'insufficient_credits' or 'limit_exceeded'.
        pub reason: Option<&'static str>,
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
    member_id: Option<&'a str>,
}

crate::older!(wallet_debit_wrapper => wallet_debit_2_wrapper, 6 of 7);
crate::older!(wallet_try_debit_wrapper => wallet_try_debit_2_wrapper, 6 of 7);

/// `credits.wallet_debit`. Raises PC001, PC002, PC003, PC007, PC008, PC013, PC021.
#[pg_extern(sql = false)]
fn wallet_debit_2(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    member_id: Option<&str>,
) -> Reply<One<DebitRow>> {
    let debit = Debit { customer_id, amount, currency, idempotency_key, description, metadata, member_id };
    Reply(perform(debit).map(One).map_err(Error::of_debit))
}

/// `credits.wallet_try_debit`. Raises PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn wallet_try_debit_2(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    member_id: Option<&str>,
) -> Reply<One<TryDebitRow>> {
    let debit = Debit { customer_id, amount, currency, idempotency_key, description, metadata, member_id };
    Reply(match perform(debit) {
        Ok(row) => Ok(One(TryDebitRow {
            ok: true,
            shortfall: Decimal::ZERO,
            operation_id: Some(row.operation_id),
            currency: row.currency,
            debited: row.debited,
            available: row.available,
            replayed: row.replayed,
            reason: None,
        })),
        Err(Error::InsufficientCredits { currency, available, requested, .. }) => {
            Ok(One(TryDebitRow::refused("insufficient_credits", currency, available, requested - available)))
        }
        Err(Error::LimitExceeded(limited)) => {
            let shortfall = limited.requested - limited.left();
            Ok(One(TryDebitRow::refused("limit_exceeded", limited.currency, limited.available, shortfall)))
        }
        Err(error) => Err(error),
    })
}

impl TryDebitRow {
    fn refused(reason: &'static str, currency: String, available: Decimal, shortfall: Decimal) -> Self {
        TryDebitRow {
            ok: false,
            shortfall,
            operation_id: None,
            currency,
            debited: Decimal::ZERO,
            available,
            replayed: false,
            reason: Some(reason),
        }
    }
}

fn perform(debit: Debit<'_>) -> Result<DebitRow, Error> {
    let customer_id = input::key("customer_id", debit.customer_id)?;
    input::text("description", debit.description)?;
    let key = input::optional_key("idempotency_key", debit.idempotency_key)?;
    let member_id = input::optional_key("member_id", debit.member_id)?;
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
            return replay(session, customer_id, first);
        }
        let texts = Texts { description: debit.description, metadata: debit.metadata.as_ref(), member_id };
        match pay_fast(session, customer_id, &operation, key, &texts, now)? {
            Paid::Line { available } => Ok(operation.debited(available)),
            Paid::Taken => {
                let first = operation::first_call(session, customer_id, key, &operation, lost())?;
                replay(session, customer_id, first)
            }
            Paid::Otherwise => pay_from_grants(session, customer_id, operation, key, &texts, now),
        }
    })
}

/// The text of the charge, with or without the member, whose parameter is the last.
macro_rules! paying {
    ($column:literal, $value:literal) => {
        charging!(
            "INSERT INTO credits_internal.operations (customer_id, operation_id, function, currency, amount, idempotency_key,
                                             description, metadata, created_at, line_no, running_balance, grant_id",
            $column,
            ") SELECT $1, $7, $8, $2, $3, $9, $10, $11, c.posted_at, c.last_line, c.available + c.restricted,
                      c.head_grant_id",
            $value,
            " FROM charge c
             ON CONFLICT (customer_id, idempotency_key) DO NOTHING
             RETURNING running_balance"
        )
    };
}

static CHARGE: Statement = Statement::new(
    paying!(", member_id", ", $12"),
    &[
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        BOOLOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TEXTOID,
    ],
)
.before(paying!("", ""));

/// The fast path: the head grant pays the debit, if it covers it.
fn pay_fast(
    session: &Session,
    customer_id: &str,
    operation: &Operation,
    key: Option<&str>,
    texts: &Texts<'_>,
    now: Time,
) -> Result<Paid, Error> {
    let cells = [
        operation.operation_id.cell(),
        operation.function.cell(),
        key.cell(),
        texts.description.cell(),
        texts.metadata.cell(),
        texts.member_id.cell(),
    ];
    let account = (customer_id, operation.currency.as_str());
    let charge = Charge { account, amount: operation.amount, by: Spending::Debit, now };
    fast_charge::pay(session, &charge, &CHARGE, &cells)
}

fn lost() -> Error {
    Error::internal("an idempotency_key is taken and not to be found")
}

impl Operation {
    fn debited(self, available: Decimal) -> DebitRow {
        DebitRow {
            operation_id: self.operation_id,
            currency: self.currency,
            debited: self.amount,
            available,
            replayed: false,
        }
    }
}

/// The general way: the balance is checked before the key is claimed, so that a refusal writes nothing.
fn pay_from_grants(
    session: &Session,
    customer_id: &str,
    operation: Operation,
    key: Option<&str>,
    texts: &Texts<'_>,
    now: Time,
) -> Result<DebitRow, Error> {
    let (currency, amount) = (operation.currency.as_str(), operation.amount);
    let judge = || {
        let mut book = account::open_for(session, customer_id, currency, amount, now)?;
        account::admit(session, &mut book, &Use { member_id: texts.member_id, event_name: None, amount })?;
        account::withdraw(session, &mut book, LineType::Debit, operation.operation_id, amount)?;
        Ok(book)
    };
    match operation::begin(session, customer_id, &operation, key, texts, now, judge)? {
        Begun::First(book) => {
            let available = book.available;
            posting::post(session, &[book])?;
            Ok(operation.debited(available))
        }
        Begun::Replay(first) => replay(session, customer_id, first),
    }
}

fn replay(session: &Session, customer_id: &str, first: Operation) -> Result<DebitRow, Error> {
    let book = balance::current(session, customer_id, &first.currency)?;
    Ok(DebitRow {
        operation_id: first.operation_id,
        currency: first.currency,
        debited: first.amount,
        available: book.map_or(Decimal::ZERO, |b| b.available),
        replayed: true,
    })
}
