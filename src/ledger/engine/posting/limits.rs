//! Limits of what may be spent: loaded into books that are about to spend, and brought up to the ledger after each
//! posting. Spending is counted from the lines that were posted, whatever posted them, so the limits always say what the
//! ledger says. All under the account's lock; accounts without limits are not read here.

use crate::amount::Decimal;
use crate::error::{Error, LimitExceeded};
use crate::ledger::engine::book::Book;
use crate::ledger::engine::limit::{Exceeded, Limit, Limits, Per, Use};
use crate::ledger::engine::line::Source;
use crate::ledger::engine::posting::index;
use crate::moment::Time;
use crate::outbox;
use crate::past;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{
    BOOLARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

// A limit of one member comes before those of everybody, one of a meter before those of all.
static LOAD: Statement = Statement::new(
    c"SELECT k.ordinal, nullif(l.member_id, ''), nullif(l.event_name, ''), l.per, l.seconds, l.amount,
             l.action = 'reject', l.reported, l.since, l.used,
             CASE WHEN l.seconds IS NOT NULL THEN (
                 SELECT coalesce(sum(r.amount), 0) FROM credits_internal.rolling_spending r
                 WHERE r.customer_id = l.customer_id AND r.currency = l.currency AND r.member_id = l.member_id
                   AND r.event_name = l.event_name AND r.per = l.per
                   AND r.spent_at <= k.at - l.seconds * interval '1 second') ELSE 0 END
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
      JOIN credits_internal.spending_limits l ON l.customer_id = k.customer_id AND l.currency = k.currency
                                             AND l.member_id = ANY ($4)
      ORDER BY k.ordinal, l.member_id DESC, l.event_name DESC, l.per",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID],
);

static HELD: Statement = Statement::new(
    c"SELECT k.ordinal, h.member_id, h.event_name,
             coalesce(sum((SELECT sum(part) FROM unnest(h.grant_amounts) AS part)), 0)
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
      JOIN credits_internal.holds h ON h.customer_id = k.customer_id AND h.currency = k.currency AND h.status = 'open'
                                   AND h.expires_at > k.at
      GROUP BY k.ordinal, h.member_id, h.event_name",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Loads the limits of those books that have any, except those of other members than these.
pub fn take_limits<'m>(
    session: &Session,
    books: &mut [Book],
    members: impl Iterator<Item = &'m str>,
) -> Result<(), Error> {
    let mut limited: Vec<&mut Book> = books.iter_mut().filter(|book| book.limited).collect();
    // They do not judge history, which is only counted.
    if limited.is_empty() || past::is_set() {
        return Ok(());
    }
    let members: HashSet<&str> = members.collect();
    let loaded = load(session, &limited.iter().map(|book| &**book).collect::<Vec<_>>(), &members)?;
    for (book, limits) in limited.iter_mut().zip(loaded) {
        book.limits = limits;
        count_settled(session, book)?;
    }
    Ok(())
}

static WHOSE: Statement = Statement::new(
    c"SELECT e.identifier, e.member_id, e.event_name FROM credits_internal.meter_events e
      WHERE e.customer_id = $1 AND e.identifier = ANY ($2)",
    &[TEXTOID, TEXTARRAYOID],
);

/// Counts usage that the book has settled and that is not posted yet.
fn count_settled(session: &Session, book: &mut Book) -> Result<(), Error> {
    let mut settled: BTreeMap<&str, Vec<(Time, Decimal)>> = BTreeMap::new();
    for line in &book.lines {
        if let Some(identifier) = line.source.as_ref().and_then(Source::identifier) {
            let spent = line.effect.pending - line.effect.balance;
            settled.entry(identifier).or_default().push((line.effective_at, spent));
        }
    }
    if settled.is_empty() {
        return Ok(());
    }
    let rows = WHOSE.run(session, &[book.customer_id.cell(), array(settled.keys().copied())])?;
    for mut row in rows.iter() {
        let identifier: String = row.next()?;
        let (member_id, event_name): (Option<String>, Option<String>) = (row.next()?, row.next()?);
        for (at, amount) in settled.remove(identifier.as_str()).unwrap_or_default() {
            let spending = Use { member_id: member_id.as_deref(), event_name: event_name.as_deref(), amount };
            for limit in book.limits.all.iter_mut().filter(|limit| limit.applies(&spending)) {
                limit.count(at, amount);
            }
        }
    }
    Ok(())
}

fn load(session: &Session, books: &[&Book], members: &HashSet<&str>) -> Result<Vec<Limits>, Error> {
    let mut limits: Vec<Limits> = books.iter().map(|_| Limits::default()).collect();
    let cells = [
        array(books.iter().map(|b| &b.customer_id)),
        array(books.iter().map(|b| &b.currency)),
        array(books.iter().map(|b| b.posted_at)),
    ];
    // No member's, too.
    let members = array(members.iter().copied().chain([""]).collect::<Vec<_>>());
    for mut row in LOAD.run(session, &[&cells[..], &[members]].concat())?.iter() {
        let index = index(&mut row, books.len())?;
        let (mut limit, gone) = limit(&mut row)?;
        limit.advance(books[index].posted_at, gone);
        limits[index].all.push(limit);
    }
    if books.iter().any(|book| book.held > Decimal::ZERO) {
        for mut row in HELD.run(session, &cells)?.iter() {
            let index = index(&mut row, books.len())?;
            let (member_id, event_name): (Option<String>, Option<String>) = (row.next()?, row.next()?);
            let (member_id, event_name) = (member_id.as_deref(), event_name.as_deref());
            limits[index].hold(&Use { member_id, event_name, amount: row.next()? });
        }
    }
    limits.iter_mut().flat_map(|limits| &mut limits.all).for_each(Limit::renew);
    Ok(limits)
}

/// A limit as it is stored, and what counted in a rolling window and no longer does.
fn limit(row: &mut Row<'_>) -> Result<(Limit, Decimal), Error> {
    let (member_id, event_name) = (row.next()?, row.next()?);
    let per = Per::parse(&row.next::<String>()?, row.next()?);
    let limit = Limit {
        member_id,
        event_name,
        per: per.ok_or_else(|| Error::internal("a limit has an unknown span"))?,
        most: row.next()?,
        rejects: row.next()?,
        reported: row.next()?,
        since: row.next()?,
        used: row.next()?,
        held: Decimal::ZERO,
        admitted: Decimal::ZERO,
    };
    Ok((limit, row.next()?))
}

/// Takes room in the limits that apply, in a book whose limits are loaded. Raises PC021.
pub fn admit(session: &Session, book: &mut Book, spending: &Use<'_>) -> Result<(), Error> {
    book.limits.admit(spending).map_err(|exceeded| self::exceeded(session, book, exceeded))
}

/// PC021, with when there is room again.
pub fn exceeded(session: &Session, book: &Book, exceeded: Box<Exceeded>) -> Error {
    let resets_at = match exceeded.limit.per.end(exceeded.limit.since) {
        Some(end) => Ok(Some(end)),
        None => fits_at(session, book, &exceeded),
    };
    match resets_at {
        Ok(resets_at) => Error::LimitExceeded(Box::new(LimitExceeded {
            customer_id: book.customer_id.clone(),
            currency: book.currency.clone(),
            available: book.available,
            per: exceeded.limit.per.name(),
            most: exceeded.limit.most,
            used: exceeded.limit.taken(),
            requested: exceeded.requested,
            member_id: exceeded.limit.member_id,
            event_name: exceeded.limit.event_name,
            resets_at,
        })),
        Err(error) => error,
    }
}

static FITS_AT: Statement = Statement::new(
    c"SELECT min(x.spent_at) FROM (
          SELECT r.spent_at, sum(r.amount) OVER (ORDER BY r.spent_at) AS freed
          FROM credits_internal.rolling_spending r
          WHERE r.customer_id = $1 AND r.currency = $2 AND r.member_id = $3 AND r.event_name = $4 AND r.per = $5
            AND r.spent_at >= $6) x
      WHERE x.freed >= $7",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, NUMERICOID],
);

/// When enough of a rolling window has gone by; `None` if that alone makes no room.
fn fits_at(session: &Session, book: &Book, exceeded: &Exceeded) -> Result<Option<Time>, Error> {
    let Exceeded { limit, requested } = exceeded;
    let missing = limit.taken() + *requested - limit.most;
    let [customer_id, currency, member_id, event_name, per] = key(book, limit);
    let cells = [customer_id, currency, member_id, event_name, per, limit.since.cell(), missing.cell()];
    let rows = FITS_AT.run(session, &cells)?;
    let spent_at: Option<Time> = rows.first().map_or(Ok(None), |mut row| row.next())?;
    Ok(spent_at.zip(limit.per.seconds()).map(|(at, seconds)| at.plus_seconds(seconds)))
}

fn key(book: &Book, limit: &Limit) -> [Cell; 5] {
    [
        book.customer_id.cell(),
        book.currency.cell(),
        limit.member_id.as_deref().unwrap_or_default().cell(),
        limit.event_name.as_deref().unwrap_or_default().cell(),
        limit.per.name().cell(),
    ]
}

static POSTED: Statement = Statement::new(
    c"SELECT k.ordinal, s.member_id, s.event_name, s.spent_at, s.amount
      FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS k (customer_id, currency, after, last, ordinal)
      CROSS JOIN LATERAL (
          SELECT p.* FROM credits_internal.spending p
          WHERE p.customer_id = k.customer_id AND p.currency = k.currency
            AND p.line_no > k.after AND p.line_no <= k.last) AS s",
    &[TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID],
);

/// Spending that was posted.
struct Posted {
    member_id: Option<String>,
    event_name: Option<String>,
    spent_at: Time,
    amount: Decimal,
}

/// A limit whose row must be written, and what counts in its rolling window from now on.
struct Changed<'b> {
    book: &'b Book,
    limit: Limit,
    added: BTreeMap<Time, Decimal>,
}

/// Counts what these books have just posted, where limits are set, and publishes the limits that it reached.
pub fn count(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let limited = |book: &&&Book| book.limited && book.last_line > book.posted_line;
    let books: Vec<&Book> = books.iter().filter(limited).copied().collect();
    if books.is_empty() {
        return Ok(());
    }
    let cells = [
        array(books.iter().map(|b| &b.customer_id)),
        array(books.iter().map(|b| &b.currency)),
        array(books.iter().map(|b| b.posted_line)),
        array(books.iter().map(|b| b.last_line)),
    ];
    let mut posted: Vec<Vec<Posted>> = books.iter().map(|_| Vec::new()).collect();
    for mut row in POSTED.run(session, &cells)?.iter() {
        let index = index(&mut row, books.len())?;
        let (member_id, event_name) = (row.next()?, row.next()?);
        posted[index].push(Posted { member_id, event_name, spent_at: row.next()?, amount: row.next()? });
    }
    if posted.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let members: HashSet<&str> = posted.iter().flatten().filter_map(|p| p.member_id.as_deref()).collect();
    let limits = load(session, &books, &members)?;
    let mut changed = Vec::new();
    for ((book, posted), limits) in books.iter().zip(&posted).zip(limits) {
        for limit in limits.all {
            changed.extend(counted(book, limit, posted));
        }
    }
    write(session, &changed)
}

/// A limit after some spending, if any of that is about it; if it was reached, that is published.
fn counted<'b>(book: &'b Book, mut limit: Limit, posted: &[Posted]) -> Option<Changed<'b>> {
    let mut added: BTreeMap<Time, Decimal> = BTreeMap::new();
    let mut touched = false;
    for p in posted {
        let (member_id, event_name) = (p.member_id.as_deref(), p.event_name.as_deref());
        if limit.applies(&Use { member_id, event_name, amount: p.amount }) {
            touched = true;
            if limit.count(p.spent_at, p.amount) && !p.amount.is_zero() {
                *added.entry(p.spent_at).or_default() += p.amount;
            }
        }
    }
    touched.then_some(Changed { book, limit, added })
}

static WRITE: Statement = Statement::new(
    c"UPDATE credits_internal.spending_limits l SET since = x.since, used = x.used, reported = x.reported
      FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
        AS x (customer_id, currency, member_id, event_name, per, since, used, reported)
      WHERE l.customer_id = x.customer_id AND l.currency = x.currency AND l.member_id = x.member_id
        AND l.event_name = x.event_name AND l.per = x.per",
    &[
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TIMESTAMPTZARRAYOID,
        NUMERICARRAYOID,
        BOOLARRAYOID,
    ],
);

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.rolling_spending r
      USING unnest($1, $2, $3, $4, $5, $6) AS x (customer_id, currency, member_id, event_name, per, since)
      WHERE r.customer_id = x.customer_id AND r.currency = x.currency AND r.member_id = x.member_id
        AND r.event_name = x.event_name AND r.per = x.per AND r.spent_at < x.since",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

static ADD: Statement = Statement::new(
    c"INSERT INTO credits_internal.rolling_spending AS r (customer_id, currency, member_id, event_name, per, spent_at, amount)
      SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (customer_id, currency, member_id, event_name, per, spent_at)
      DO UPDATE SET amount = r.amount + excluded.amount",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, NUMERICARRAYOID],
);

fn write(session: &Session, changed: &[Changed<'_>]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(changed.len());
    for Changed { book, limit, .. } in changed {
        let mut limit = limit.clone();
        if limit.report() {
            publish(session, book, &limit);
        }
        rows.push((*book, limit));
    }
    let [customers, currencies, members, meters, spans] = keys(rows.iter().map(|(book, limit)| (*book, limit)));
    let cells = [
        customers,
        currencies,
        members,
        meters,
        spans,
        array(rows.iter().map(|(_, limit)| limit.since)),
        array(rows.iter().map(|(_, limit)| limit.used)),
        array(rows.iter().map(|(_, limit)| limit.reported)),
    ];
    WRITE.run(session, &cells)?;
    let rolling = || changed.iter().filter(|c| c.limit.per.seconds().is_some());
    if rolling().next().is_none() {
        return Ok(());
    }
    let [customers, currencies, members, meters, spans] = keys(rolling().map(|c| (c.book, &c.limit)));
    let since = array(rolling().map(|c| c.limit.since));
    FORGET.run(session, &[customers, currencies, members, meters, spans, since])?;
    let added: Vec<_> = rolling().flat_map(|c| c.added.iter().map(move |(at, amount)| (c, *at, *amount))).collect();
    let [customers, currencies, members, meters, spans] = keys(added.iter().map(|(c, ..)| (c.book, &c.limit)));
    let (at, amounts) = (array(added.iter().map(|(_, at, _)| *at)), array(added.iter().map(|(.., amount)| *amount)));
    ADD.run(session, &[customers, currencies, members, meters, spans, at, amounts]).map(drop)
}

fn keys<'l>(limits: impl Iterator<Item = (&'l Book, &'l Limit)> + Clone) -> [Cell; 5] {
    [
        array(limits.clone().map(|(book, _)| &book.customer_id)),
        array(limits.clone().map(|(book, _)| &book.currency)),
        array(limits.clone().map(|(_, limit)| limit.member_id.as_deref().unwrap_or_default())),
        array(limits.clone().map(|(_, limit)| limit.event_name.as_deref().unwrap_or_default())),
        array(limits.map(|(_, limit)| limit.per.name())),
    ]
}

fn publish(session: &Session, book: &Book, limit: &Limit) {
    let payload = json!({
        "currency": book.currency,
        "member_id": limit.member_id,
        "event_name": limit.event_name,
        "per": limit.per.name(),
        "amount": limit.most.normalize().to_string(),
        "used": (limit.used + limit.held).normalize().to_string(),
        "action": if limit.rejects { "reject" } else { "notify" },
        "resets_at": limit.per.end(limit.since).and_then(Time::rfc3339),
    });
    outbox::publish(session, &book.customer_id, "limit.reached", &payload, book.posted_at);
}
