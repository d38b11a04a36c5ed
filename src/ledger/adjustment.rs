//! Adjustments: signed corrections for what happened elsewhere.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::{LineType, Source};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::{Given, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, balance, currency};
use crate::past;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::pg::value::Json;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use uuid::Uuid;

row! {
    /// What `wallet_adjust` returns; amounts in credits of the currency.
    pub struct AdjustmentRow {
        /// For support.
        pub operation_id: Uuid,
        /// The grant that carries what was added; NULL if credits were taken.
        pub grant_id: Option<Uuid>,
        /// The currency's code.
        pub currency: String,
        /// Credits added, or, below zero, taken.
        pub adjusted: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// Why an adjustment is made: it decides the allowed sign, the type of the line and the category of the grant.
struct Reason {
    name: &'static str,
    /// Whether it can only add.
    only_gives: bool,
    /// The line that takes credits.
    takes_by: LineType,
    /// The category of the grant that adds credits.
    category: &'static str,
    /// Whether what cannot be taken is owed, whatever overdraft_limit says: it is a fact, and no question.
    owes: bool,
}

const REASONS: [Reason; 6] = [
    Reason { name: "external_topup", only_gives: true, takes_by: LineType::Adjustment, category: "paid", owes: false },
    Reason { name: "gift", only_gives: true, takes_by: LineType::Adjustment, category: "promotional", owes: false },
    Reason { name: "refund", only_gives: false, takes_by: LineType::Refund, category: "promotional", owes: false },
    Reason { name: "charge", only_gives: false, takes_by: LineType::Debit, category: "promotional", owes: false },
    Reason {
        name: "correction",
        only_gives: false,
        takes_by: LineType::Adjustment,
        category: "promotional",
        owes: false,
    },
    Reason { name: "opening_balance", only_gives: false, takes_by: LineType::Adjustment, category: "paid", owes: true },
];

impl Reason {
    fn read(reason: Option<&str>) -> Result<&'static Reason, Error> {
        let given = input::required("reason", reason)?;
        let names = REASONS.each_ref().map(|r| r.name);
        REASONS.iter().find(|r| r.name == given).ok_or_else(|| input::none_of("reason", given, &names))
    }
}

/// The type of the lines by which an adjustment for that reason takes credits.
pub fn takes_by(reason: Option<&str>) -> LineType {
    REASONS.iter().find(|r| Some(r.name) == reason).map_or(LineType::Adjustment, |r| r.takes_by)
}

/// `credits.wallet_adjust`. Raises PC001, PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn wallet_adjust(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    reason: Option<&str>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    expires_at: Option<Timestamptz>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<AdjustmentRow>> {
    let adjustment = Adjustment { amount, reason, currency, idempotency_key, expires_at, description, metadata };
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        writing(|session| adjust(session, customer_id, adjustment)).map(One)
    })())
}

/// An adjustment as it was asked for.
pub struct Adjustment<'a> {
    /// Signed.
    pub amount: Option<Numeric>,
    /// Its name.
    pub reason: Option<&'a str>,
    /// NULL for the default.
    pub currency: Option<&'a str>,
    /// NULL for none.
    pub idempotency_key: Option<&'a str>,
    /// NULL for never.
    pub expires_at: Option<Timestamptz>,
    /// For people.
    pub description: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// Makes it. In history what cannot be taken is owed for any reason. Raises PC001, PC002, PC003, PC007, PC008, PC013.
pub fn adjust(session: &Session, customer_id: &str, adjustment: Adjustment<'_>) -> Result<AdjustmentRow, Error> {
    let Adjustment { amount, reason, currency, idempotency_key, expires_at, description, metadata } = adjustment;
    input::text("description", description)?;
    let key = input::optional_key("idempotency_key", idempotency_key)?;
    let reason = Reason::read(reason)?;
    let amount = input::number("amount", amount, |n| match amount::not_zero(n)? {
        below if below < Decimal::ZERO && reason.only_gives => Err(AmountError::OnlyGives),
        amount => Ok(amount),
    })?;
    let gives = amount > Decimal::ZERO;
    if expires_at.is_some() && !gives {
        return Err(Error::argument("expires_at", "is for an adjustment that adds credits"));
    }
    let owes = reason.owes || past::is_set();
    let terms = Terms::read(Given { category: Some(reason.category), expires_at, ..Given::default() })?;
    let call = Operation {
        function: String::from("wallet_adjust"),
        operation_id: Uuid::now_v7(),
        currency: currency::code_or_default(currency)?,
        amount,
        category: gives.then(|| reason.category.to_string()),
        grant_id: gives.then(Uuid::now_v7),
        counterparty: None,
        reason: Some(reason.name.to_string()),
    };
    let texts = Texts { description, metadata: metadata.as_ref(), ..Texts::default() };
    let now = settings::now()?;
    let judge = || {
        currency::resolve_for(session, &call.currency, "amount", amount).and_then(|currency| {
            terms.check(session, now, currency.decimals)?;
            let book = match gives || owes {
                true => account::open_or_make(session, customer_id, &call.currency, now)?,
                false => account::open_for(session, customer_id, &call.currency, -amount, now)?,
            };
            Ok((currency.decimals, book))
        })
    };
    match operation::begin(session, customer_id, &call, key, &texts, now, judge)? {
        Begun::Replay(first) => replay(session, customer_id, first),
        Begun::First((decimals, book)) => match call.grant_id {
            Some(id) => add(session, book, &call, (id, &terms), &texts, decimals),
            None => take(session, book, &call, reason.takes_by, owes),
        },
    }
}

fn add(
    session: &Session,
    mut book: Book,
    call: &Operation,
    (id, terms): (Uuid, &Terms),
    texts: &Texts<'_>,
    decimals: u32,
) -> Result<AdjustmentRow, Error> {
    let new = NewGrant {
        id,
        amount: call.amount,
        name: texts.description,
        granted_by: Some("wallet_adjust"),
        metadata: texts.metadata,
    };
    let source = Source::Operation(call.operation_id);
    grant::give(session, &mut book, &new, terms, (LineType::Adjustment, Some(&source)), decimals)?;
    let available = book.available;
    posting::post(session, &[book])?;
    Ok(AdjustmentRow::new(call, available, false))
}

fn take(
    session: &Session,
    mut book: Book,
    call: &Operation,
    line_type: LineType,
    owes: bool,
) -> Result<AdjustmentRow, Error> {
    if owes {
        book.overdraft_limit = None;
        posting::take_windows(session, &mut [(&mut book, -call.amount)], &[])?;
        account::withdraw_or_owe(session, &mut book, line_type, call.operation_id, -call.amount)?;
    } else {
        account::withdraw(session, &mut book, line_type, call.operation_id, -call.amount)?;
    }
    let available = book.available;
    posting::post(session, &[book])?;
    Ok(AdjustmentRow::new(call, available, false))
}

fn replay(session: &Session, customer_id: &str, first: Operation) -> Result<AdjustmentRow, Error> {
    let book = balance::current(session, customer_id, &first.currency)?;
    Ok(AdjustmentRow::new(&first, book.map_or(Decimal::ZERO, |b| b.available), true))
}

impl AdjustmentRow {
    fn new(operation: &Operation, available: Decimal, replayed: bool) -> Self {
        AdjustmentRow {
            operation_id: operation.operation_id,
            grant_id: operation.grant_id,
            currency: operation.currency.clone(),
            adjusted: operation.amount,
            available,
            replayed,
        }
    }
}
