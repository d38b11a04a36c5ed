//! History: the ledger's lines, and what a balance was at a past moment. Which lines a filter leaves is in
//! history/filter.rs.

mod filter;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting;
use crate::ledger::history::filter::Filter;
use crate::ledger::{balance, currency, listener};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{Many, One, Reply};
use crate::pg::statement::{Session, Statement, reading, text};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// One line as `wallet_history` returns it; amounts in credits of its currency.
    pub struct HistoryRow {
        /// The currency's code.
        pub currency: String,
        /// Counts from 1 in each account, in posting order.
        pub line_no: i64,
        /// What it records.
        pub kind: String,
        /// What it did to the balance, signed.
        pub amount: Decimal,
        /// The balance after it.
        pub running_balance: Decimal,
        /// What it did to the credits held, signed.
        pub held: Decimal,
        /// What it did to the pending usage, signed.
        pub pending: Decimal,
        /// The grant whose credits they are.
        pub grant_id: Option<Uuid>,
        /// Its display name.
        pub grant_name: Option<String>,
        /// The operation or the hold that moved them.
        pub operation_id: Option<Uuid>,
        /// The meter event that they paid for, or for which they are owed.
        pub identifier: Option<String>,
        /// Its meter.
        pub event_name: Option<String>,
        /// The meter's unit.
        pub unit: Option<String>,
        /// The event's value.
        pub quantity: Option<Decimal>,
        /// The operation's.
        pub description: Option<String>,
        /// The operation's, or the event's.
        pub metadata: Option<Json>,
        /// When the balance changed.
        pub effective_at: Time,
        /// When it was posted.
        pub created_at: Time,
        /// Of a reversal, the operation that it reverses.
        pub reversed_operation_id: Option<Uuid>,
        /// The member who spent.
        pub member_id: Option<String>,
        /// The line by one key.
        pub transaction_id: Uuid,
        /// The application's subscription, for usage.
        pub subscription_id: Option<String>,
        /// What to call it where the customer reads it.
        pub display_title: String,
    } read
}

/// The text of a statement that returns lines, and where it finds them.
macro_rules! selecting {
    ($where:literal) => {
        text!(
            "SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id,
                    l.grant_name, l.operation_id, l.identifier, l.event_name, l.unit, l.quantity, l.description,
                    l.metadata, l.effective_at, l.created_at, l.reversed_operation_id, l.member_id,
                    l.transaction_id,
                    l.subscription_id, l.display_title
             FROM credits.ledger l ",
            $where
        )
    };
}

use selecting;

static LINES: Statement = Statement::in_order(
    selecting!(
        "WHERE l.customer_id = $1 AND l.currency = $2 AND l.line_no < $3
         ORDER BY l.line_no DESC LIMIT $4"
    ),
    &[TEXTOID, TEXTOID, INT8OID, INT8OID],
)
.before(
    c"SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id, l.grant_name,
             l.operation_id, l.identifier, l.event_name, l.unit, l.quantity, l.description, l.metadata, l.effective_at,
             l.created_at, NULL::uuid, NULL, '00000000-0000-0000-0000-000000000000'::uuid, NULL, ''
      FROM credits.ledger l
      WHERE l.customer_id = $1 AND l.currency = $2 AND l.line_no < $3
      ORDER BY l.line_no DESC LIMIT $4",
);

/// `credits.wallet_history`: newest first; `before` is the line_no of the last line of the previous page. Raises PC004,
/// PC008, PC009, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn wallet_history_2(
    customer_id: Option<&str>,
    currency: Option<&str>,
    page_size: Option<i32>,
    before: Option<i64>,
    subscription_id: Option<&str>,
    grant_id: Option<Id>,
    event_name: Option<&str>,
    kind: Option<&str>,
    start_at: Option<Timestamptz>,
    end_at: Option<Timestamptz>,
    transaction_id: Option<Id>,
) -> Reply<Many<HistoryRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let page_size = input::page_size(page_size)?;
        let (start_at, end_at) = input::span(start_at, end_at)?;
        if let Some(kind) = kind {
            input::choice("type", Some(kind), kind, &LineType::names())?;
        }
        let filter = Filter {
            subscription_id,
            grant_id: grant_id.map(|id| id.0),
            event_name,
            kind,
            start_at,
            end_at,
            transaction_id: transaction_id.map(|id| id.0),
        };
        reading(|session| {
            if let Some(code) = currency {
                currency::check_exists(session, code)?;
            } else if before.is_some() {
                return Err(Error::argument("before", "needs a currency: lines are numbered in each account"));
            }
            if let Some(name) = event_name {
                listener::meter(session, name)?;
            }
            let grant = filter.grant(session, customer_id)?;
            let before = before.unwrap_or(i64::MAX);
            let page = |code: &str| match filter.is_set() {
                false => lines(session, customer_id, code, before, page_size),
                true => filter.lines(session, (customer_id, code), before, page_size, grant.as_ref()),
            };
            if let Some(code) = currency {
                return page(code).map(Many);
            }
            let mut newest = Vec::new();
            for code in balance::currencies(session, customer_id)? {
                newest.extend(page(&code)?);
            }
            newest.sort_by(|a, b| (b.created_at, &a.currency, b.line_no).cmp(&(a.created_at, &b.currency, a.line_no)));
            newest.truncate(usize::try_from(page_size).unwrap_or_default());
            Ok(Many(newest))
        })
    })())
}

crate::older!(wallet_history_wrapper => wallet_history_2_wrapper, 4 of 11);

fn lines(
    session: &Session,
    customer_id: &str,
    currency: &str,
    before: i64,
    page_size: i64,
) -> Result<Vec<HistoryRow>, Error> {
    let arguments = [customer_id.cell(), currency.cell(), before.cell(), page_size.cell()];
    LINES.run(session, &arguments)?.iter().map(HistoryRow::read).collect()
}

row! {
    /// What `wallet_balance_at` returns; amounts in credits of the currency.
    pub struct BalanceAtRow {
        /// The currency's code.
        pub currency: String,
        /// The moment that was asked for.
        pub as_of: Time,
        /// Available and restricted.
        pub balance: Decimal,
        /// What a plain debit could have taken.
        pub available: Decimal,
        /// What only certain meters' events could have taken.
        pub restricted: Decimal,
        /// Set aside.
        pub held: Decimal,
        /// Usage not yet paid.
        pub pending: Decimal,
        /// Owed, and on invoices that were not paid.
        pub invoiced: Decimal,
    }
}

/// `credits.wallet_balance_at`: what was due by then counts, whenever it was posted. Raises PC008, PC013.
#[pg_extern(sql = false)]
fn wallet_balance_at(
    customer_id: Option<&str>,
    currency: Option<&str>,
    as_of: Option<Timestamptz>,
) -> Reply<One<BalanceAtRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let as_of = input::required("as_of", as_of)?.0;
        let code = currency::code_or_default(currency)?;
        let now = settings::now()?;
        reading(|session| {
            let Some(mut book) = posting::read_one(session, customer_id, &code)? else {
                currency::check_exists(session, &code)?;
                check_past(as_of, now)?;
                return Ok(One(BalanceAtRow::new(code, as_of, [Decimal::ZERO; 4], Decimal::ZERO)));
            };
            check_past(as_of, now.max(book.posted_at))?;
            let then = if as_of >= book.posted_at {
                posting::as_of(session, &mut book, as_of)?;
                [book.available, book.restricted, book.held, book.pending]
            } else {
                since(session, &book, as_of)?
            };
            let invoiced = invoiced_at(session, &book, as_of)?;
            Ok(One(BalanceAtRow::new(code, as_of, then, invoiced)))
        })
    })())
}

fn check_past(as_of: Time, now: Time) -> Result<(), Error> {
    if as_of.is_finite() && as_of <= now {
        return Ok(());
    }
    Err(Error::argument("as_of", format!("must be a past moment: it is {as_of}, and now is {now}")))
}

impl BalanceAtRow {
    fn new(
        currency: String,
        as_of: Time,
        [available, restricted, held, pending]: [Decimal; 4],
        invoiced: Decimal,
    ) -> Self {
        BalanceAtRow {
            currency,
            as_of,
            balance: available + restricted,
            available,
            restricted,
            held,
            pending,
            invoiced,
        }
    }
}

static INVOICED: Statement = Statement::new(
    c"SELECT coalesce(sum(o.credits), 0) FROM credits_internal.invoiced_credits o
      WHERE o.customer_id = $1 AND o.currency = $2 AND o.created_at <= $3 AND (o.closed_at > $3) IS NOT FALSE",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
)
.before(c"SELECT 0::numeric WHERE num_nonnulls($1, $2, $3) > 0");

/// What was on invoices then that were not paid.
fn invoiced_at(session: &Session, book: &Book, as_of: Time) -> Result<Decimal, Error> {
    let rows = INVOICED.run(session, &[book.customer_id.cell(), book.currency.cell(), as_of.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()
}

static LINE_TIME: Statement = Statement::new(
    c"SELECT effective_at FROM credits_internal.lines WHERE customer_id = $1 AND currency = $2 AND line_no = $3",
    &[TEXTOID, TEXTOID, INT8OID],
);

/// When the last line took effect; `None` if there is none.
pub fn last_line_at(session: &Session, book: &Book) -> Result<Option<Time>, Error> {
    if book.last_line == 0 { Ok(None) } else { line_time(session, account(book), book.last_line).map(Some) }
}

fn line_time(session: &Session, (customer_id, currency): (&str, &str), line_no: i64) -> Result<Time, Error> {
    let rows = LINE_TIME.run(session, &[customer_id.cell(), currency.cell(), line_no.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a ledger line is missing"))?.next()
}

static LAST_LINE: Statement = Statement::new(
    c"SELECT last_line FROM credits_internal.accounts WHERE customer_id = $1 AND currency = $2",
    &[TEXTOID, TEXTOID],
);

/// The numbers between which an account's lines of a time are, both excluded: from when (included) to when (excluded).
pub fn lines_between(
    session: &Session,
    account @ (customer_id, currency): (&str, &str),
    (start_at, end_at): (Option<Time>, Option<Time>),
) -> Result<(i64, i64), Error> {
    let rows = LAST_LINE.run(session, &[customer_id.cell(), currency.cell()])?;
    let Some(mut row) = rows.first() else { return Ok((0, 0)) };
    let last: i64 = row.next()?;
    // Times have microseconds.
    let by = |at: Time| last_by(session, account, last, Time(at.0.saturating_sub(1)));
    let after = start_at.map_or(Ok(0), by)?;
    Ok((after, end_at.map_or(Ok(last), by)? + 1))
}

/// The number of the last line that took effect by then, 0 for none.
pub fn last_line_by(session: &Session, book: &Book, as_of: Time) -> Result<i64, Error> {
    last_by(session, account(book), book.last_line, as_of)
}

fn account(book: &Book) -> (&str, &str) {
    (&book.customer_id, &book.currency)
}

/// The same of an account's first `last` lines: a line's time is never before that of the previous line.
fn last_by(session: &Session, account: (&str, &str), last: i64, as_of: Time) -> Result<i64, Error> {
    let (mut by, mut after) = (0, last + 1);
    while by + 1 < after {
        let middle = by + (after - by) / 2;
        if line_time(session, account, middle)? <= as_of {
            by = middle;
        } else {
            after = middle;
        }
    }
    Ok(by)
}

static SINCE: Statement = Statement::new(
    c"SELECT coalesce(sum(l.amount) FILTER (WHERE g.applicable_meters IS NULL), 0),
             coalesce(sum(l.amount) FILTER (WHERE g.applicable_meters IS NOT NULL), 0),
             coalesce(sum(l.held), 0), coalesce(sum(l.pending), 0)
      FROM credits_internal.lines l
      LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
      WHERE l.customer_id = $1 AND l.currency = $2 AND l.line_no > $3",
    &[TEXTOID, TEXTOID, INT8OID],
);

/// The balances at a past moment: the current ones less what the lines since have done.
fn since(session: &Session, book: &Book, as_of: Time) -> Result<[Decimal; 4], Error> {
    let last = last_line_by(session, book, as_of)?;
    let rows = SINCE.run(session, &[book.customer_id.cell(), book.currency.cell(), last.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?;
    Ok([
        book.available - row.next::<Decimal>()?,
        book.restricted - row.next::<Decimal>()?,
        book.held - row.next::<Decimal>()?,
        book.pending - row.next::<Decimal>()?,
    ])
}

/// What one ledger line of an operation took.
#[derive(Debug, Clone)]
pub struct Taking {
    /// From which grant.
    pub grant_id: Uuid,
    /// Credits.
    pub amount: Decimal,
    /// The type of the line.
    pub line_type: String,
}

// What a hold set aside is taken once it is captured.
static TAKINGS: Statement = Statement::new(
    c"SELECT grant_id, CASE type WHEN 'capture' THEN -held ELSE -amount END, type FROM credits_internal.lines
      WHERE customer_id = $1 AND currency = $2 AND line_no > $3 AND line_no <= $4 AND operation_id = $5
        AND (amount < 0 AND type <> 'hold' OR type = 'capture')
      ORDER BY line_no",
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, UUIDOID],
);

/// What an operation's lines took, oldest first: read from when it was made, in growing steps, until all of it is
/// found.
pub fn takings(
    session: &Session,
    book: &Book,
    operation_id: Uuid,
    since: Time,
    total: Decimal,
) -> Result<Vec<Taking>, Error> {
    let mut takings = Vec::new();
    let mut open = total;
    let mut after = last_line_by(session, book, Time(since.0 - 1))?;
    let mut step = 256;
    while open > Decimal::ZERO {
        if after >= book.last_line {
            return Err(Error::internal("credits were taken by lines that are not there"));
        }
        let last = after + step;
        let arguments = [book.customer_id.cell(), book.currency.cell(), after.cell(), last.cell(), operation_id.cell()];
        for mut row in TAKINGS.run(session, &arguments)?.iter() {
            let taking = Taking { grant_id: row.next()?, amount: row.next()?, line_type: row.next()? };
            open -= taking.amount;
            takings.push(taking);
        }
        (after, step) = (last, step * 4);
    }
    Ok(takings)
}
