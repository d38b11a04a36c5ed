//! Accounts: one currency of a customer's wallet. How an account is opened (locked and brought up to date), and its
//! overdraft limit.

use crate::amount::{self, Decimal};
use crate::error::{Error, Spender};
use crate::input;
use crate::ledger::engine::book::{Book, Charged, Refusal, Short};
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting;
use crate::ledger::{currency, customer};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::installed;
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// What `account_configure` returns; amounts in credits of the currency.
    pub struct AccountRow {
        /// Whose.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// The most pending usage that it may owe; NULL for any.
        pub overdraft_limit: Option<Decimal>,
        /// Available below this is low; NULL for never.
        pub low_balance_threshold: Option<Decimal>,
    } read
}

static CONFIGURE: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET overdraft_limit = coalesce($3, a.overdraft_limit),
          low_balance_threshold = coalesce(CASE WHEN $4 = 'infinity' THEN 0 ELSE $4 END, a.low_balance_threshold)
      WHERE a.customer_id = $1 AND a.currency = $2
      RETURNING a.customer_id, a.currency, nullif(a.overdraft_limit, 'infinity'), nullif(a.low_balance_threshold, 0)",
    &[TEXTOID, TEXTOID, NUMERICOID, NUMERICOID],
);

/// `credits.account_configure`. Raises PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn account_configure(
    customer_id: Option<&str>,
    currency: Option<&str>,
    overdraft_limit: Option<Numeric>,
    low_balance_threshold: Option<Numeric>,
) -> Reply<One<AccountRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = currency::code_or_default(currency)?;
        writing(|session| {
            let decimals = currency::resolve(session, &code)?.decimals;
            let amount = |n| amount::not_negative(n).and_then(|n| amount::fit(n, decimals));
            let overdraft_limit = input::limit("overdraft_limit", overdraft_limit, amount)?;
            let threshold = input::limit("low_balance_threshold", low_balance_threshold, amount)?;
            customer::must_exist(session, customer_id)?;
            let book = open_or_make(session, customer_id, &code, settings::now()?)?;
            let rows =
                CONFIGURE.run(session, &[customer_id.cell(), code.cell(), overdraft_limit.cell(), threshold.cell()])?;
            let row = rows.first().ok_or_else(|| Error::internal("an account was made and is not there"))?;
            let row = AccountRow::read(row)?;
            evaluate_again(session, book)?;
            Ok(One(row))
        })
    })())
}

/// The account, locked and up to date, if it was ever used. Raises PC003 if its customer does not exist.
pub fn open(session: &Session, customer_id: &str, currency: &str, now: Time) -> Result<Option<Book>, Error> {
    let book = posting::open(session, &[(customer_id.to_string(), currency.to_string())], now)?.pop();
    if book.is_none() {
        customer::must_exist(session, customer_id)?;
    }
    Ok(book)
}

/// The account, locked and up to date, when something that belongs to it is known to exist.
pub fn open_existing(session: &Session, customer_id: &str, currency: &str, now: Time) -> Result<Book, Error> {
    open(session, customer_id, currency, now)?.ok_or_else(|| Error::internal("an account is not there"))
}

/// The same book with what fell due posted, so that the tables agree with it: for callers that change the tables
/// themselves.
pub fn post_due(session: &Session, book: Book) -> Result<Book, Error> {
    if !book.is_changed() {
        return Ok(book);
    }
    let (customer_id, currency, at) = (book.customer_id.clone(), book.currency.clone(), book.posted_at);
    posting::post_due(session, vec![book])?;
    open_existing(session, &customer_id, &currency, at)
}

/// The same when credits are about to be taken back: what fell due, even a retry, requests no recharge in that call.
pub fn post_due_before_taking_back(session: &Session, mut book: Book) -> Result<Book, Error> {
    book.taken_back();
    post_due(session, book)
}

/// Posts an account whose balance must be evaluated again, because the terms of the evaluation changed.
pub fn evaluate_again(session: &Session, mut book: Book) -> Result<(), Error> {
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    book.evaluate_now();
    posting::post(session, &[book])
}

/// The account, locked and up to date, for spending an amount. Raises PC001 if there is too little, PC003.
pub fn open_for(
    session: &Session,
    customer_id: &str,
    currency: &str,
    requested: Decimal,
    now: Time,
) -> Result<Book, Error> {
    let book = open(session, customer_id, currency, now)?;
    let available = book.as_ref().map_or(Decimal::ZERO, |book| book.available);
    book.filter(|_| available >= requested)
        .ok_or_else(|| insufficient(customer_id, currency, requested, Short { available, limit: None }))
}

/// Takes room in the limits that spending in an account has to keep to, if any are set. Raises PC021.
pub fn admit(session: &Session, book: &mut Book, spending: &Use<'_>) -> Result<(), Error> {
    posting::take_limits(session, std::slice::from_mut(&mut *book), spending.member_id.into_iter())?;
    posting::admit(session, book, spending)
}

/// The account, locked and up to date, for usage of a meter, which credits for certain meters may pay too. Raises PC001 if
/// there is too little of all of them, PC003.
pub fn open_for_usage(
    session: &Session,
    customer_id: &str,
    currency: &str,
    requested: Decimal,
    now: Time,
) -> Result<Book, Error> {
    let book = open(session, customer_id, currency, now)?;
    let available = book.as_ref().map_or(Decimal::ZERO, Book::balance);
    book.filter(|_| available >= requested)
        .ok_or_else(|| insufficient(customer_id, currency, requested, Short { available, limit: None }))
}

/// Takes an amount from an account that was opened for it, from its grants in order; the caller posts it. Raises PC001.
pub fn withdraw(
    session: &Session,
    book: &mut Book,
    line_type: LineType,
    operation_id: Uuid,
    amount: Decimal,
) -> Result<(), Error> {
    posting::take_windows(session, &mut [(&mut *book, amount)], &[])?;
    match book.withdraw(line_type, operation_id, amount) {
        Ok(_) => Ok(()),
        Err(short) => Err(insufficient(&book.customer_id, &book.currency, amount, short)),
    }
}

// What operations owe, whatever they are, is in one table.
static OWE: Statement = Statement::new(
    c"INSERT INTO credits_internal.reclaims (customer_id, operation_id, currency, credits, owes, created_at, event_name)
      VALUES ($1, $2, $3, $4, true, $5, $6)",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TEXTOID],
);

/// Writes down what an operation owes, which the payers of a meter may pay, or without one plain credits.
pub fn record_owed(
    session: &Session,
    book: &Book,
    operation_id: Uuid,
    event_name: Option<&str>,
    owed: Decimal,
) -> Result<(), Error> {
    // In the schema of the release before, grants alone owe.
    if installed::is_before(session)? {
        return Err(Error::VersionsDiffer);
    }
    let [customer_id, currency] = [book.customer_id.cell(), book.currency.cell()];
    let [owed, at] = [owed.cell(), book.posted_at.cell()];
    OWE.run(session, &[customer_id, operation_id.cell(), currency, owed, at, event_name.cell()]).map(drop)
}

/// Takes an amount from an account whose grants are loaded, as far as they have it, and owes the rest; the caller posts
/// it. Raises PC001 where that is beyond overdraft_limit, PC007.
pub fn withdraw_or_owe(
    session: &Session,
    book: &mut Book,
    line_type: LineType,
    operation_id: Uuid,
    amount: Decimal,
) -> Result<Charged, Error> {
    let decimals = currency::decimals(session, &book.currency)?;
    let charged = book
        .withdraw_or_owe(line_type, operation_id, amount, decimals)
        .map_err(|refusal| refused(session, book, amount, ("amount", amount), refusal))?;
    if charged.pending > Decimal::ZERO {
        record_owed(session, book, operation_id, None, charged.pending)?;
    }
    Ok(charged)
}

/// The account, locked and up to date; it and its customer are created if they are missing.
pub fn open_or_make(session: &Session, customer_id: &str, currency: &str, now: Time) -> Result<Book, Error> {
    let key = [(customer_id.to_string(), currency.to_string())];
    for _ in 0..2 {
        customer::ensure(session, customer_id)?;
        posting::make(session, &key)?;
        // Not there: the customer was deleted meanwhile, and is created anew.
        if let Some(book) = posting::open(session, &key, now)?.pop() {
            return Ok(book);
        }
    }
    open_existing(session, customer_id, currency, now)
}

/// The account from its row, locked but not brought up to date; it and its customer are created if they are missing.
pub fn lock_or_make(session: &Session, customer_id: &str, currency: &str) -> Result<Book, Error> {
    customer::ensure(session, customer_id)?;
    let key = [(customer_id.to_string(), currency.to_string())];
    posting::make(session, &key)?;
    posting::lock(session, &key)?.pop().ok_or_else(|| Error::internal("an account is not there"))
}

/// PC001.
pub fn insufficient(customer_id: &str, currency: &str, requested: Decimal, short: Short) -> Error {
    Error::InsufficientCredits {
        customer_id: customer_id.to_string(),
        currency: currency.to_string(),
        available: short.available,
        requested,
        by: Spender::Other,
    }
}

/// Why usage, or what is charged like it, was not charged: PC001, PC021, or PC007 for the argument that says how much.
pub fn refused(
    session: &Session,
    book: &Book,
    cost: Decimal,
    (argument, given): (&'static str, Decimal),
    refusal: Refusal,
) -> Error {
    match refusal {
        Refusal::Short(short) => insufficient_for_usage(&book.customer_id, &book.currency, cost, short),
        Refusal::Limit(reason) => Error::amount(argument, given, reason),
        Refusal::Exceeded(exceeded) => posting::exceeded(session, book, exceeded),
    }
}

/// PC001 for a meter's event.
pub fn insufficient_for_usage(customer_id: &str, currency: &str, cost: Decimal, short: Short) -> Error {
    Error::InsufficientCredits {
        customer_id: customer_id.to_string(),
        currency: currency.to_string(),
        available: short.available,
        requested: cost,
        by: short.limit.map_or(Spender::Usage, |limit| Spender::Limited(Box::new(limit))),
    }
}
