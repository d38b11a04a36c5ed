//! Posting: books from the tables and back. One way for one account and for ten thousand: lock the accounts in key
//! order, bring them up to date, take in the grants that can be needed, and, when the books say what happens, write
//! all of it in one statement over arrays.
//!
//! Locking doctrine: claims (of identifiers and keys) first, accounts second, everything else only under its account's
//! lock. A statement that may wait reads nothing else than the rows that it waits for; what depends on them is read in
//! the next statement, which sees what was committed meanwhile.

use super::book::Book;
use super::drawdown::{Category, Grant, Status};
use super::line::{Debt, LineType, Source};
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::{Cell, ToCell, array};
use pgrx::pg_sys::{INT8ARRAYOID, INT8OID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID};

/// An account's key: customer, currency.
pub type Key = (String, String);

static LOCK: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending, a.head_grant_id, a.head_remaining,
             a.next_change_at, a.posted_at, a.last_line, a.last_debt
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency
      ORDER BY a.customer_id, a.currency
      FOR NO KEY UPDATE OF a",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

static READ_ONE: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending, a.head_grant_id, a.head_remaining,
             a.next_change_at, a.posted_at, a.last_line, a.last_debt
      FROM credits.accounts a WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID],
);

/// The book of one account, as its row has it, without a lock: what a balance costs.
pub fn read_one(session: &Session, customer_id: &str, currency: &str) -> Result<Option<Book>, Error> {
    READ_ONE.run(session, &[customer_id.cell(), currency.cell()])?.first().map(book).transpose()
}

static READ: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending, a.head_grant_id, a.head_remaining,
             a.next_change_at, a.posted_at, a.last_line, a.last_debt
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

static MAKE: Statement = Statement::new(
    c"INSERT INTO credits.accounts (customer_id, currency)
      SELECT k.customer_id, k.currency FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits.customers c ON c.customer_id = k.customer_id
      ORDER BY k.customer_id, k.currency
      ON CONFLICT (customer_id, currency) DO NOTHING",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

static COUNT: Statement = Statement::new(
    c"SELECT count(*) FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

fn cells(keys: &[Key]) -> [Cell; 2] {
    [array(keys.iter().map(|k| &k.0)), array(keys.iter().map(|k| &k.1))]
}

/// Makes those of these accounts that are missing, where their customers exist. Must come before any account is
/// locked: it may wait for another session that makes one of them.
pub fn make(session: &Session, keys: &[Key]) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let cells = cells(keys);
    let there: i64 = match COUNT.run(session, &cells)?.first() {
        Some(mut row) => row.next()?,
        None => 0,
    };
    if usize::try_from(there) != Ok(keys.len()) {
        MAKE.run(session, &cells)?;
    }
    Ok(())
}

/// Locks those of these accounts that are there, in key order, and returns their books as their rows have them.
pub fn lock(session: &Session, keys: &[Key]) -> Result<Vec<Book>, Error> {
    LOCK.run(session, &cells(keys))?.iter().map(book).collect()
}

/// The books of those accounts that are there, as their rows have them, without a lock: for readers.
pub fn read(session: &Session, keys: &[Key]) -> Result<Vec<Book>, Error> {
    READ.run(session, &cells(keys))?.iter().map(book).collect()
}

fn book(mut row: Row<'_>) -> Result<Book, Error> {
    let key = (row.next()?, row.next()?);
    let balances = [row.next()?, row.next()?, row.next()?, row.next()?];
    let head_id = row.next::<Option<_>>()?;
    let head_remaining = row.next()?;
    Ok(Book::new(
        key,
        balances,
        head_id.map(|id| (id, head_remaining)),
        row.next()?,
        row.next()?,
        row.next()?,
        row.next()?,
    ))
}

static DUE: Statement = Statement::new(
    c"SELECT k.place, g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
             g.remaining, g.status
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)
      CROSS JOIN LATERAL (
          SELECT * FROM credits.credit_grants e
          WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
            AND e.expires_at <= k.at
          UNION ALL
          SELECT * FROM credits.credit_grants b
          WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
            AND b.effective_at <= k.at) AS g",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

static NEXT_CHANGE: Statement = Statement::new(
    c"SELECT k.place, least(
          (SELECT min(e.expires_at) FROM credits.credit_grants e
           WHERE e.customer_id = k.customer_id AND e.currency = k.currency AND e.status = 'granted'
             AND e.expires_at > k.at),
          (SELECT min(b.effective_at) FROM credits.credit_grants b
           WHERE b.customer_id = k.customer_id AND b.currency = k.currency AND b.status = 'pending'
             AND b.effective_at > k.at),
          'infinity')
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Brings books up to `now`, or to their last posting where that is later: whatever fell due is posted in them. What
/// is not due costs no statement.
pub fn bring_up_to_date(session: &Session, books: &mut [Book], now: Time) -> Result<(), Error> {
    for book in books.iter_mut() {
        book.posted_at = book.posted_at.max(now);
    }
    let mut behind: Vec<&mut Book> = books.iter_mut().filter(|b| b.next_change_at <= b.posted_at).collect();
    if behind.is_empty() {
        return Ok(());
    }
    let cells = [
        array(behind.iter().map(|b| &b.customer_id)),
        array(behind.iter().map(|b| &b.currency)),
        array(behind.iter().map(|b| b.posted_at)),
    ];
    let mut due: Vec<Vec<Grant>> = vec![Vec::new(); behind.len()];
    for mut row in DUE.run(session, &cells)?.iter() {
        let place = place(&mut row, due.len())?;
        due[place].push(grant(&mut row)?);
    }
    let mut next = vec![Time::NEVER; behind.len()];
    for mut row in NEXT_CHANGE.run(session, &cells)?.iter() {
        let place = place(&mut row, next.len())?;
        next[place] = row.next()?;
    }
    for ((book, due), next) in behind.iter_mut().zip(due).zip(next) {
        let starting: Vec<&Grant> = due.iter().filter(|g| g.status == Status::Pending).collect();
        let debts = debts(session, book, &starting)?;
        book.advance(book.posted_at, due, debts);
        let first_to_end = book.started().map(|g| g.expires_at).min();
        book.next_change_at = next.min(first_to_end.unwrap_or(Time::NEVER));
    }
    Ok(())
}

fn place(row: &mut Row<'_>, places: usize) -> Result<usize, Error> {
    let place = row.next::<i64>()?;
    usize::try_from(place - 1)
        .ok()
        .filter(|p| *p < places)
        .ok_or_else(|| Error::internal("a row belongs to nothing that was asked"))
}

/// Reads a grant's columns, from grant_id on, in the order of [`DUE`].
pub fn grant(row: &mut Row<'_>) -> Result<Grant, Error> {
    let unknown = || Error::internal("a grant has an unknown category or status");
    Ok(Grant {
        id: row.next()?,
        priority: row.next()?,
        expires_at: row.next()?,
        category: Category::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        effective_at: row.next()?,
        meters: row.next()?,
        amount: row.next()?,
        remaining: row.next()?,
        status: Status::parse(&row.next::<String>()?).ok_or_else(unknown)?,
        changed: false,
    })
}

static DEBTS: Statement = Statement::new(
    c"SELECT identifier, event_name, consumed, pending, debt_no FROM credits.meter_events
      WHERE customer_id = $1 AND currency = $2 AND pending > 0
      ORDER BY debt_no LIMIT $3",
    &[TEXTOID, TEXTOID, INT8OID],
);

/// The debts that credits about to come in can pay, oldest first: as many as they can pay in all, or, where some of
/// the credits are for certain meters only, every one.
pub fn debts(session: &Session, book: &Book, incoming: &[&Grant]) -> Result<Vec<Debt>, Error> {
    if book.pending <= Decimal::ZERO || incoming.is_empty() {
        return Ok(Vec::new());
    }
    let restricted = incoming.iter().any(|g| g.is_restricted());
    let credits: Decimal = incoming.iter().map(|g| g.remaining).sum();
    let mut limit: i64 = if restricted { i64::MAX } else { 64 };
    loop {
        let rows = DEBTS.run(session, &[book.customer_id.cell(), book.currency.cell(), limit.cell()])?;
        let mut debts = Vec::with_capacity(rows.len());
        for mut row in rows.iter() {
            debts.push(Debt {
                identifier: row.next()?,
                event_name: row.next()?,
                consumed: row.next()?,
                pending: row.next()?,
                debt_no: row.next()?,
                changed: false,
            });
        }
        if restricted || book.owed_for(&debts) >= credits || (debts.len() as i64) < limit {
            return Ok(debts);
        }
        limit = limit.saturating_mul(8);
    }
}

static WINDOW: Statement = Statement::new(
    c"SELECT k.place, g.grant_id, g.priority, g.expires_at, g.category, g.effective_at, g.applicable_meters, g.amount,
             g.remaining, g.status
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, place)
      CROSS JOIN LATERAL (
          SELECT * FROM credits.credit_grants o
          WHERE o.customer_id = k.customer_id AND o.currency = k.currency AND o.status = 'granted'
            AND o.expires_at > k.at
          ORDER BY o.priority, o.expires_at, o.category DESC, o.effective_at, o.grant_id
          LIMIT $4) AS g",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8OID],
);

/// Takes into each book the open grants that charges of `need` in all can touch, and at least the next head.
pub fn take_windows(session: &Session, books: &mut [(&mut Book, Decimal)]) -> Result<(), Error> {
    let mut limit: i64 = 16;
    let mut short: Vec<&mut (&mut Book, Decimal)> = books.iter_mut().collect();
    while !short.is_empty() {
        let cells = [
            array(short.iter().map(|b| &b.0.customer_id)),
            array(short.iter().map(|b| &b.0.currency)),
            array(short.iter().map(|b| b.0.posted_at)),
            limit.cell(),
        ];
        let mut windows: Vec<Vec<Grant>> = vec![Vec::new(); short.len()];
        for mut row in WINDOW.run(session, &cells)?.iter() {
            let place = place(&mut row, windows.len())?;
            windows[place].push(grant(&mut row)?);
        }
        let mut again = Vec::new();
        for (entry, window) in short.into_iter().zip(windows) {
            let complete = (window.len() as i64) < limit;
            if complete || entry.0.open_in(&window) > entry.1 {
                entry.0.take_window(window, complete);
            } else {
                again.push(entry);
            }
        }
        short = again;
        limit = limit.saturating_mul(8);
    }
    Ok(())
}

static POST: Statement = Statement::new(
    c"WITH grants AS (
          UPDATE credits.credit_grants g SET remaining = x.remaining, status = x.status
          FROM unnest($1, $2, $3, $4) AS x (customer_id, grant_id, remaining, status)
          WHERE g.customer_id = x.customer_id AND g.grant_id = x.grant_id
      ), events AS (
          UPDATE credits.meter_events e SET consumed = x.consumed, pending = x.pending, debt_no = x.debt_no
          FROM unnest($5, $6, $7, $8, $9) AS x (customer_id, identifier, consumed, pending, debt_no)
          WHERE e.customer_id = x.customer_id AND e.identifier = x.identifier
      ), lines AS (
          INSERT INTO credits.credit_transactions (customer_id, currency, line_no, type, amount, running_balance,
                                                   grant_id, operation_id, identifier, effective_at, created_at)
          SELECT * FROM unnest($10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
      )
      UPDATE credits.accounts a
      SET available = x.available, restricted = x.restricted, pending = x.pending, head_grant_id = x.head_grant_id,
          head_remaining = x.head_remaining, next_change_at = x.next_change_at, posted_at = x.posted_at,
          last_line = x.last_line, last_debt = x.last_debt
      FROM unnest($21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)
           AS x (customer_id, currency, available, restricted, pending, head_grant_id, head_remaining, next_change_at,
                 posted_at, last_line, last_debt)
      WHERE a.customer_id = x.customer_id AND a.currency = x.currency",
    &[
        // grants
        TEXTARRAYOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        TEXTARRAYOID,
        // events
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        INT8ARRAYOID,
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
        // accounts
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZARRAYOID,
        INT8ARRAYOID,
        INT8ARRAYOID,
    ],
);

/// Writes what the books say. Their accounts are locked, so nothing in it waits.
pub fn post(session: &Session, books: &[Book]) -> Result<(), Error> {
    if !books.iter().all(Book::is_sound) {
        return Err(Error::internal("a posting would leave something below zero"));
    }
    let grants: Vec<(&Book, &Grant)> = books.iter().flat_map(|b| b.changed_grants().map(move |g| (b, g))).collect();
    let debts: Vec<(&Book, &Debt)> = books.iter().flat_map(|b| b.changed_debts().map(move |d| (b, d))).collect();
    let lines: Vec<_> = books.iter().flat_map(|b| b.lines.iter().map(move |l| (b, l))).collect();
    let heads: Vec<_> = books.iter().map(Book::next_head).collect();
    POST.run(
        session,
        &[
            array(grants.iter().map(|(b, _)| &b.customer_id)),
            array(grants.iter().map(|(_, g)| g.id)),
            array(grants.iter().map(|(_, g)| g.remaining)),
            array(grants.iter().map(|(_, g)| g.status.as_str())),
            array(debts.iter().map(|(b, _)| &b.customer_id)),
            array(debts.iter().map(|(_, d)| &d.identifier)),
            array(debts.iter().map(|(_, d)| d.consumed)),
            array(debts.iter().map(|(_, d)| d.pending)),
            array(debts.iter().map(|(_, d)| d.debt_no)),
            array(lines.iter().map(|(b, _)| &b.customer_id)),
            array(lines.iter().map(|(b, _)| &b.currency)),
            array(lines.iter().map(|(_, l)| l.line_no)),
            array(lines.iter().map(|(_, l)| LineType::as_str(l.line_type))),
            array(lines.iter().map(|(_, l)| l.amount)),
            array(lines.iter().map(|(_, l)| l.running_balance)),
            array(lines.iter().map(|(_, l)| l.grant_id)),
            array(lines.iter().map(|(_, l)| match &l.source {
                Some(Source::Operation(id)) => Some(*id),
                _ => None,
            })),
            array(lines.iter().map(|(_, l)| match &l.source {
                Some(Source::Event(identifier)) => Some(identifier),
                _ => None,
            })),
            array(lines.iter().map(|(_, l)| l.effective_at)),
            array(lines.iter().map(|(b, _)| b.posted_at)),
            array(books.iter().map(|b| &b.customer_id)),
            array(books.iter().map(|b| &b.currency)),
            array(books.iter().map(|b| b.available)),
            array(books.iter().map(|b| b.restricted)),
            array(books.iter().map(|b| b.pending)),
            array(heads.iter().map(|h| h.map(|(id, _)| id))),
            array(heads.iter().map(|h| h.map_or(Decimal::ZERO, |(_, remaining)| remaining))),
            array(books.iter().map(|b| b.next_change_at)),
            array(books.iter().map(|b| b.posted_at)),
            array(books.iter().map(|b| b.last_line)),
            array(books.iter().map(|b| b.last_debt)),
        ],
    )
    .map(drop)
}
