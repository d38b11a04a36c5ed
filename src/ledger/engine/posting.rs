//! Posting: loads books from the tables and writes them back. The same for one account and for ten thousand: lock the
//! accounts in key order, bring them up to date (posting/due.rs), load the grants that can be needed
//! (posting/window.rs) and, once the books say what happens, write all of it in one statement over arrays. What few
//! books have goes to posting/side_tables.rs.
//!
//! Lock order: a call waits for locks in this order only, whatever it does, and takes those of one kind all at once. So
//! no two calls wait for each other. A call may take again what it already holds.
//!
//! | | what | in which order | taken by |
//! |-|------|----------------|----------|
//! | 1 | events of a provider: the row, then the payment's lock, then the rows that wait for that payment | `event_id` | webhook.rs, webhook/received.rs; erasure.rs, by provider |
//! | 2 | names of payments, refunds and disputes; prefixes of invoices | the payment, then the others by kind and name | notification/case.rs: `claim`; customer.rs |
//! | 3 | the customer, with its payment methods | | customer.rs and its folder, payment_method.rs; made where it is missing |
//! | | then, of sales: the customer's row, the checkout session, the invoice, its payment intent, its refunds | | checkout, invoicing, notification/case.rs |
//! | 4 | accounts, made where they are missing | customer, currency | [`make`], [`lock`] |
//! | 5 | claims of identifiers and idempotency keys | key | operation.rs, metering |
//! | 6 | all else of an account: grants, holds, auto-recharge | | under the account's lock |
//! | | of invoicing: the counter of a customer's invoice numbers | prefix | invoicing/number.rs |
//! | | a holder's coupon, counters of coupons, of codes; its stock, of prices | id | catalog/redemption.rs, catalog/stock.rs |
//! | 7 | who consumes the outbox, how far, and its rows | customer, consumer, number | outbox, erasure.rs |
//! | 8 | the counters of the outbox | customer | pg/call/last.rs, as the call ends |
//! | | an object's counter of billing events, under its own lock; then deliveries, endpoints | | outbox |
//!
//! Maintenance takes other locks only if they are free, and waits for nobody: the inbox, accounts, reviews, old rows.
//! The catalogue, currencies, rates and providers change under locks of their own, which no other call waits for. A
//! transaction of several calls must keep the order itself: the catalogue first, customers before accounts, accounts
//! sorted.
//!
//! A statement that may wait reads only the rows that it waits for; the next statement reads what depends on them, and
//! sees what was committed meanwhile.

mod due;
mod ensure_accounts;
mod head;
mod lapsed;
mod limits;
mod rollover;
mod side_tables;
mod unsettled;
mod window;

pub use due::{as_of, bring_up_to_date, clawback_debts, debts, debts_for, hold};
pub use due::{operation_debts, period_debts, some_by};
pub use ensure_accounts::{make, which_are_there};
pub use lapsed::{by_time, take_lapsed};
pub use limits::{admit, exceeded, take_limits};
pub(crate) use rollover::{no_rolling_columns, of_rolling, rolling, rolling_columns, rolling_of};
pub use side_tables::take_draws;
pub use unsettled::{any as any_unsettled, expect as expect_unsettled, may_be as may_be_unsettled, which_expect};
pub use window::{take_grants, take_windows};

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Category, Clawback, Grant, Status};
use crate::ledger::engine::line::{LineType, Source};
use crate::ledger::listener::LISTENERS;
use crate::moment::Time;
use crate::past;
use crate::pg::statement::{Row, Session, Statement, freeing, text};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use crate::settings;
use pgrx::pg_sys::{
    BOOLARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID,
};
use uuid::Uuid;

/// An account's key: customer, currency.
pub type Key = (String, String);

/// The columns of a book, in the order in which [`book`] reads them, and what follows.
macro_rules! account {
    ($since:literal, $rest:literal) => {
        text!(
            "SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending,
                    nullif(a.overdraft_limit, 'infinity'), a.head_grant_id, a.available - a.head_floor, a.next_change_at,
                    a.posted_at, a.last_line, a.last_debt, a.defers, a.issued, a.evaluate_below,
                    nullif(a.evaluate_above, 'infinity'), ",
            $since,
            $rest
        )
    };
}

macro_rules! reading_books {
    ($parameters:expr, $rest:literal) => {
        Statement::new(account!("a.limited, coalesce(a.invoiced, 0) ", $rest), $parameters)
            .before(account!("false, 0::numeric ", $rest))
    };
}

static LOCK: Statement = reading_books!(
    &[TEXTARRAYOID, TEXTARRAYOID],
    "FROM unnest($1, $2) AS k (customer_id, currency)
     JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency
     ORDER BY a.customer_id, a.currency
     FOR NO KEY UPDATE OF a"
);

static READ_ONE: Statement = reading_books!(
    &[TEXTOID, TEXTOID],
    "FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.currency = $2"
);

/// The book of one account from its row, without a lock: all that reading a balance costs.
pub fn read_one(session: &Session, customer_id: &str, currency: &str) -> Result<Option<Book>, Error> {
    READ_ONE.run(session, &[customer_id.cell(), currency.cell()])?.first().map(book).transpose()
}

static READ: Statement = reading_books!(
    &[TEXTARRAYOID, TEXTARRAYOID],
    "FROM unnest($1, $2) AS k (customer_id, currency)
     JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency"
);

fn cells(keys: &[Key]) -> [Cell; 2] {
    [array(keys.iter().map(|k| &k.0)), array(keys.iter().map(|k| &k.1))]
}

/// The most unsettled events that one posting charges in an account.
const AT_ONCE: i64 = 10_000;

/// Locks those of these accounts that exist, in key order, and brings them up to date. Unsettled usage beyond what one
/// posting can take is posted on the way.
pub fn open(session: &Session, keys: &[Key], now: Time) -> Result<Vec<Book>, Error> {
    open_by(session, keys, now, Time::NEVER)
}

/// The same as of a past moment: usage that was recorded later stays unsettled.
pub fn open_as_of(session: &Session, keys: &[Key], at: Time) -> Result<Vec<Book>, Error> {
    open_by(session, keys, at, at)
}

fn open_by(session: &Session, keys: &[Key], now: Time, recorded_by: Time) -> Result<Vec<Book>, Error> {
    loop {
        let mut books = lock(session, keys)?;
        if some_by(session, &mut books, now, AT_ONCE, recorded_by)? {
            return Ok(books);
        }
        post_due(session, books)?;
        while !freeing(session, |session| settle_some(session, keys, now, recorded_by))? {}
    }
}

/// Posts some unsettled usage. Returns whether that was all.
fn settle_some(session: &Session, keys: &[Key], now: Time, recorded_by: Time) -> Result<bool, Error> {
    let mut books = lock(session, keys)?;
    let whole = some_by(session, &mut books, now, AT_ONCE, recorded_by)?;
    post_due(session, books)?;
    Ok(whole)
}

/// Posts what fell due in books that have no other changes.
pub fn post_due(session: &Session, mut books: Vec<Book>) -> Result<(), Error> {
    books.retain(Book::is_changed);
    if books.is_empty() {
        return Ok(());
    }
    let mut windows: Vec<_> = books.iter_mut().map(|b| (b, Decimal::ZERO)).collect();
    take_windows(session, &mut windows, &[])?;
    post(session, &books)
}

/// Locks those of these accounts that exist, in key order, and returns their books from their rows.
pub fn lock(session: &Session, keys: &[Key]) -> Result<Vec<Book>, Error> {
    LOCK.run(session, &cells(keys))?.iter().map(book).collect()
}

static LOCK_FREE: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency
      ORDER BY a.customer_id, a.currency
      FOR NO KEY UPDATE OF a SKIP LOCKED",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Locks those of these accounts that no other session has locked. Returns which they are.
pub fn lock_free(session: &Session, keys: &[Key]) -> Result<Vec<Key>, Error> {
    LOCK_FREE.run(session, &cells(keys))?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// The books of those accounts that exist, from their rows, without a lock: for readers.
pub fn read(session: &Session, keys: &[Key]) -> Result<Vec<Book>, Error> {
    READ.run(session, &cells(keys))?.iter().map(book).collect()
}

fn book(mut row: Row<'_>) -> Result<Book, Error> {
    let key = (row.next()?, row.next()?);
    let balances = [row.next()?, row.next()?, row.next()?, row.next()?];
    let overdraft_limit = row.next()?;
    let head_id = row.next::<Option<_>>()?;
    let head_remaining = row.next()?;
    let head = head_id.map(|id| (id, head_remaining));
    let times = (row.next()?, row.next()?);
    let mut book = Book::new(key, balances, overdraft_limit, head, times, (row.next()?, row.next()?));
    (book.defers, book.issued) = (row.next()?, row.next()?);
    book.grace = settings::late_usage_grace();
    (book.evaluation.below, book.evaluation.above) = (row.next()?, row.next()?);
    (book.limited, book.invoiced) = (row.next()?, row.next()?);
    if past::is_set() {
        book.relive();
    }
    Ok(book)
}

/// The index, from 0, for the ordinal in a row's first column.
pub fn index(row: &mut Row<'_>, count: usize) -> Result<usize, Error> {
    let ordinal = row.next::<i64>()?;
    usize::try_from(ordinal - 1)
        .ok()
        .filter(|p| *p < count)
        .ok_or_else(|| Error::internal("a row belongs to nothing that was asked"))
}

/// Reads a grant's columns, from grant_id on, in the order that every statement here uses.
pub fn grant(row: &mut Row<'_>) -> Result<Grant, Error> {
    let unknown = || Error::internal("a grant has an unknown category or status");
    let mut grant = Grant {
        id: row.next()?,
        priority: row.next()?,
        expires_at: row.next()?,
        category: Category::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        effective_at: row.next()?,
        meters: row.next()?,
        amount: row.next()?,
        remaining: row.next()?,
        lapsed: row.next()?,
        status: Status::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        was: None,
        clawbacks: clawbacks(row)?,
        reclaimed: false,
        changed: false,
    };
    grant.was = Some(grant.status);
    Ok(grant)
}

/// A grant's open clawbacks: three columns, which are NULL for nearly all grants.
fn clawbacks(row: &mut Row<'_>) -> Result<Vec<Clawback>, Error> {
    let operations = row.next::<Option<Vec<Uuid>>>()?.unwrap_or_default();
    let (amounts, owing) = (row.next::<Option<Vec<Decimal>>>()?, row.next::<Option<Vec<bool>>>()?);
    let clawbacks = operations.into_iter().zip(amounts.unwrap_or_default()).zip(owing.unwrap_or_default());
    Ok(clawbacks.map(|((operation_id, amount), owes)| Clawback { amount, operation_id, owes }).collect())
}

static POST: Statement = Statement::new(
    c"WITH grants AS (
          UPDATE credits_internal.credit_grants g SET remaining = x.remaining, lapsed = x.lapsed, status = x.status
          FROM unnest($1, $2, $3, $4, $5) AS x (customer_id, grant_id, remaining, lapsed, status)
          WHERE g.customer_id = x.customer_id AND g.grant_id = x.grant_id
      ), events AS (
          UPDATE credits_internal.meter_events e
          SET consumed = x.consumed, pending = x.pending
          FROM unnest($6, $7, $8, $9) AS x (customer_id, identifier, consumed, pending)
          WHERE e.customer_id = x.customer_id AND e.identifier = x.identifier
      ), lines AS (
          INSERT INTO credits_internal.credit_transactions (customer_id, currency, line_no, type, amount, running_balance,
                                                   grant_id, operation_id, identifier, effective_at, created_at, held, pending)
          SELECT unnest($10), unnest($11), unnest($12), unnest($13), unnest($14), unnest($15), unnest($16), unnest($17),
                 unnest($18), unnest($19), unnest($20), unnest($21), unnest($22)
      )
      UPDATE credits_internal.accounts a
      SET available = x.available, restricted = x.restricted, held = x.held, pending = x.pending,
          head_grant_id = x.head_grant_id,
          head_floor = x.available - x.head_remaining,
          charge_above = CASE WHEN x.limited THEN 'infinity'
                              WHEN x.last_line > a.last_line OR x.posted_at = a.posted_at AND a.charge_above < 'infinity'
                              THEN greatest(x.available - x.head_remaining, a.evaluate_below) ELSE 'infinity' END,
          next_change_at = x.next_change_at,
          posted_at = x.posted_at,
          last_line = x.last_line, last_debt = x.last_debt, issued = x.issued
      FROM (SELECT unnest($23) AS customer_id, unnest($24) AS currency, unnest($25) AS available, unnest($26) AS restricted,
                   unnest($27) AS held, unnest($28) AS pending, unnest($29) AS head_grant_id, unnest($30) AS head_remaining,
                   unnest($31) AS next_change_at, unnest($32) AS posted_at, unnest($33) AS last_line,
                   unnest($34) AS last_debt, unnest($35) AS issued, unnest($36) AS limited) x
      WHERE a.customer_id = x.customer_id AND a.currency = x.currency",
    &[
        // grants
        TEXTARRAYOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        TEXTARRAYOID,
        // events
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        // lines
        TEXTARRAYOID,
        TEXTARRAYOID,
        INT8ARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        UUIDARRAYOID,
        UUIDARRAYOID,
        TEXTARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        // accounts
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZARRAYOID,
        INT8ARRAYOID,
        INT8ARRAYOID,
        NUMERICARRAYOID,
        BOOLARRAYOID,
    ],
);

/// Writes the books. Their accounts are locked, so nothing here waits.
pub fn post(session: &Session, books: &[Book]) -> Result<(), Error> {
    if !books.iter().all(Book::is_sound) {
        return Err(Error::internal("a posting would leave something below zero, or misses a grant"));
    }
    let (head_only, books): (Vec<&Book>, Vec<&Book>) = books.iter().partition(|book| book.only_head_paid());
    head::post(session, &head_only)?;
    post_all(session, &books)?;
    for posted in [&head_only, &books] {
        limits::count(session, posted)?;
        // What happened long ago calls for nothing now.
        LISTENERS.all().filter(|_| !past::is_set()).try_for_each(|listener| listener.posted(session, posted))?;
    }
    Ok(())
}

fn post_all(session: &Session, books: &[&Book]) -> Result<(), Error> {
    if books.is_empty() {
        return Ok(());
    }
    let grants: Vec<(&Book, &Grant)> = books.iter().flat_map(|b| b.changed_grants().map(move |g| (*b, g))).collect();
    let events: Vec<Event<'_>> = books.iter().flat_map(|b| events(b)).collect();
    let lines: Vec<_> = books.iter().flat_map(|b| b.lines.iter().map(move |l| (b, l))).collect();
    let heads: Vec<_> = books.iter().map(|b| b.next_head()).collect();
    POST.run(
        session,
        &[
            array(grants.iter().map(|(b, _)| &b.customer_id)),
            array(grants.iter().map(|(_, g)| g.id)),
            array(grants.iter().map(|(_, g)| g.remaining)),
            array(grants.iter().map(|(_, g)| g.lapsed)),
            array(grants.iter().map(|(_, g)| g.status.as_str())),
            array(events.iter().map(|e| e.customer_id)),
            array(events.iter().map(|e| e.identifier)),
            array(events.iter().map(|e| e.consumed)),
            array(events.iter().map(|e| e.pending)),
            array(lines.iter().map(|(b, _)| &b.customer_id)),
            array(lines.iter().map(|(b, _)| &b.currency)),
            array(lines.iter().map(|(_, l)| l.line_no)),
            array(lines.iter().map(|(_, l)| LineType::as_str(l.line_type))),
            array(lines.iter().map(|(_, l)| l.effect.balance)),
            array(lines.iter().map(|(_, l)| l.running_balance)),
            array(lines.iter().map(|(_, l)| l.grant_id)),
            array(lines.iter().map(|(_, l)| l.source.as_ref().and_then(Source::operation))),
            array(lines.iter().map(|(_, l)| l.source.as_ref().and_then(Source::identifier))),
            array(lines.iter().map(|(_, l)| l.effective_at)),
            array(lines.iter().map(|(b, _)| past::recorded_at().unwrap_or(b.posted_at))),
            array(lines.iter().map(|(_, l)| not_zero(l.effect.held))),
            array(lines.iter().map(|(_, l)| not_zero(l.effect.pending))),
            array(books.iter().map(|b| &b.customer_id)),
            array(books.iter().map(|b| &b.currency)),
            array(books.iter().map(|b| b.available)),
            array(books.iter().map(|b| b.restricted)),
            array(books.iter().map(|b| b.held)),
            array(books.iter().map(|b| b.pending)),
            array(heads.iter().map(|h| h.map(|(id, _)| id))),
            array(heads.iter().map(|h| h.map_or(Decimal::ZERO, |(_, remaining)| remaining))),
            array(books.iter().map(|b| b.next_change_at)),
            array(books.iter().map(|b| b.posted_at)),
            array(books.iter().map(|b| b.last_line)),
            array(books.iter().map(|b| b.last_debt)),
            array(books.iter().map(|b| b.issued)),
            array(books.iter().map(|b| b.limited || past::is_set())),
        ],
    )?;
    side_tables::write(session, books)
}

/// The new values of an event's row.
struct Event<'b> {
    customer_id: &'b str,
    identifier: &'b str,
    consumed: Decimal,
    pending: Decimal,
}

fn events(book: &Book) -> impl Iterator<Item = Event<'_>> {
    let owing = book.changed_debts().filter_map(|debt| {
        Some(Event {
            customer_id: &book.customer_id,
            identifier: debt.source.identifier()?,
            consumed: debt.consumed,
            pending: debt.pending,
        })
    });
    let others = book.charged().map(|(identifier, consumed)| Event {
        customer_id: &book.customer_id,
        identifier,
        consumed,
        pending: Decimal::ZERO,
    });
    owing.chain(others)
}

/// NULL for nothing: most lines move no held credits and pay no debt.
fn not_zero(amount: Decimal) -> Option<Decimal> {
    (!amount.is_zero()).then_some(amount)
}
