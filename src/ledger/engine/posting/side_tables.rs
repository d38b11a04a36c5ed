//! The side tables, which few books write in addition to lines, grants and accounts: what grants rolled over into, holds that
//! ended, what grants paid for usage that is priced together, usage that is now settled, and clawbacks.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::{Debt, HoldStatus, Period, PeriodDraw};
use crate::ledger::engine::posting::rollover;
use crate::moment::Time;
use crate::outbox;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{
    BOOLARRAYOID, INT8ARRAYOID, INT8OID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID,
    UUIDOID,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::rc::Rc;
use uuid::Uuid;

/// Writes it.
pub fn write(session: &Session, books: &[&Book]) -> Result<(), Error> {
    rollover::write(session, books)?;
    close_holds(session, books)?;
    write_draws(session, books)?;
    write_event_debts(session, books)?;
    write_reclaims(session, books)?;
    write_clawbacks(session, books)?;
    forget_settled(session, books)?;
    take_back(session, books)
}

static CLOSE_HOLDS: Statement = Statement::new(
    c"UPDATE credits_internal.holds h SET status = x.status, captured = h.captured + x.captured, closed_at = x.closed_at
      FROM unnest($1, $2, $3, $4, $5) AS x (customer_id, hold_id, status, captured, closed_at)
      WHERE h.customer_id = x.customer_id AND h.hold_id = x.hold_id",
    &[TEXTARRAYOID, UUIDARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, TIMESTAMPTZARRAYOID],
);

fn close_holds(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let closed: Vec<_> = books.iter().copied().flat_map(|b| b.closed.iter().map(move |h| (b, h))).collect();
    if closed.is_empty() {
        return Ok(());
    }
    CLOSE_HOLDS
        .run(
            session,
            &[
                array(closed.iter().map(|(b, _)| &b.customer_id)),
                array(closed.iter().map(|(_, h)| h.id)),
                array(closed.iter().map(|(_, h)| h.status.as_str())),
                array(closed.iter().map(|(_, h)| h.captured)),
                array(closed.iter().map(|(_, h)| h.closed_at)),
            ],
        )
        .map(drop)?;
    for (book, hold) in closed.into_iter().filter(|(_, h)| h.status == HoldStatus::Expired) {
        let payload = json!({
            "hold_id": hold.id.to_string(),
            "currency": book.currency,
            "released": hold.released.normalize().to_string(),
            "expired_at": hold.closed_at.to_string(),
        });
        outbox::publish(session, &book.customer_id, "hold.expired", &payload, book.posted_at);
    }
    Ok(())
}

static WRITE_DRAWS: Statement = Statement::new(
    c"INSERT INTO credits_internal.usage_draws AS d (customer_id, event_name, period_key, line_no, grant_id, amount)
      SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
      ON CONFLICT (customer_id, event_name, period_key, line_no) DO UPDATE SET amount = excluded.amount",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, UUIDARRAYOID, NUMERICARRAYOID],
);

static FORGET_DRAWS: Statement = Statement::new(
    c"DELETE FROM credits_internal.usage_draws d USING unnest($1, $2, $3, $4)
      AS x (customer_id, event_name, period_key, line_no)
      WHERE d.customer_id = x.customer_id AND d.event_name = x.event_name AND d.period_key = x.period_key
        AND d.line_no = x.line_no",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID],
);

fn write_draws(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let changed = books.iter().copied().flat_map(|b| b.changed_draws().map(move |(line_no, draw)| (b, line_no, draw)));
    let (gone, open): (Vec<_>, Vec<_>) = changed.partition(|(_, _, draw)| draw.amount.is_zero());
    let keys = |draws: &[(&Book, i64, &PeriodDraw)]| {
        [
            array(draws.iter().map(|(b, _, _)| &b.customer_id)),
            array(draws.iter().map(|(_, _, d)| &d.period.event_name)),
            array(draws.iter().map(|(_, _, d)| &d.period.key)),
            array(draws.iter().map(|(_, line_no, _)| *line_no)),
        ]
    };
    if !gone.is_empty() {
        FORGET_DRAWS.run(session, &keys(&gone))?;
    }
    if !open.is_empty() {
        let mut cells = keys(&open).to_vec();
        cells.push(array(open.iter().map(|(_, _, d)| d.grant_id)));
        cells.push(array(open.iter().map(|(_, _, d)| d.amount)));
        WRITE_DRAWS.run(session, &cells)?;
    }
    Ok(())
}

static OWE: Statement = Statement::new(
    c"INSERT INTO credits_internal.event_debts (customer_id, identifier, currency, debt_no)
      SELECT * FROM unnest($1, $2, $3, $4)
      ON CONFLICT (customer_id, identifier) DO NOTHING",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID],
);

static OWE_NO_MORE: Statement = Statement::new(
    c"DELETE FROM credits_internal.event_debts d USING unnest($1, $2) AS x (customer_id, identifier)
      WHERE d.customer_id = x.customer_id AND d.identifier = x.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Which events owe, in what order.
fn write_event_debts(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let changed = books
        .iter()
        .copied()
        .flat_map(|book| book.changed_debts().filter_map(move |debt| Some((book, debt.source.identifier()?, debt))));
    let (owing, paid): (Vec<_>, Vec<_>) = changed.partition(|(_, _, debt)| debt.pending > Decimal::ZERO);
    let keys = |debts: &[(&Book, &str, &Debt)]| {
        [
            array(debts.iter().map(|(book, _, _)| &book.customer_id)),
            array(debts.iter().map(|(_, identifier, _)| *identifier)),
        ]
    };
    if !paid.is_empty() {
        OWE_NO_MORE.run(session, &keys(&paid))?;
    }
    if !owing.is_empty() {
        let [customers, identifiers] = keys(&owing);
        let currencies = array(owing.iter().map(|(book, _, _)| &book.currency));
        let numbers = array(owing.iter().map(|(_, _, debt)| debt.debt_no));
        OWE.run(session, &[customers, identifiers, currencies, numbers])?;
    }
    Ok(())
}

static WRITE_RECLAIMS: Statement = Statement::new(
    c"UPDATE credits_internal.reclaims r
      SET taken = r.taken + x.taken, consumed = coalesce(x.consumed, r.consumed), pending = coalesce(x.pending, r.pending),
          debt_no = coalesce(x.debt_no, r.debt_no)
      FROM unnest($1, $2, $3, $4, $5, $6) AS x (customer_id, operation_id, taken, consumed, pending, debt_no)
      WHERE r.customer_id = x.customer_id AND r.operation_id = x.operation_id",
    &[TEXTARRAYOID, UUIDARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, INT8ARRAYOID],
);

/// What clawback operations have taken so far, and what is paid and owed for them.
fn write_reclaims(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let mut changed: BTreeMap<(&str, Uuid), (Decimal, Option<&Debt>)> = BTreeMap::new();
    for book in books {
        for (operation_id, taken) in &book.taken {
            changed.entry((&book.customer_id, *operation_id)).or_default().0 += *taken;
        }
        for debt in book.changed_debts() {
            if let Some(operation_id) = debt.source.operation() {
                changed.entry((&book.customer_id, operation_id)).or_default().1 = Some(debt);
            }
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let cells = [
        array(changed.keys().map(|(customer_id, _)| *customer_id)),
        array(changed.keys().map(|(_, operation_id)| *operation_id)),
        array(changed.values().map(|(taken, _)| *taken)),
        array(changed.values().map(|(_, debt)| debt.map(|d| d.consumed))),
        array(changed.values().map(|(_, debt)| debt.map(|d| d.pending))),
        array(changed.values().map(|(_, debt)| debt.map(|d| d.debt_no))),
    ];
    WRITE_RECLAIMS.run(session, &cells).map(drop)
}

static WRITE_CLAWBACKS: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g
      SET clawback_operations = nullif($3, '{}'), clawback_amounts = nullif($4, '{}'), clawback_owes = nullif($5, '{}')
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID, UUIDARRAYOID, NUMERICARRAYOID, BOOLARRAYOID],
);

/// Open clawbacks of grants: few grants ever have any, so one by one.
fn write_clawbacks(session: &Session, books: &[&Book]) -> Result<(), Error> {
    for (book, grant) in books.iter().copied().flat_map(|b| b.changed_clawbacks().map(move |g| (b, g))) {
        let cells = [
            book.customer_id.cell(),
            grant.id.cell(),
            array(grant.clawbacks.iter().map(|clawback| clawback.operation_id)),
            array(grant.clawbacks.iter().map(|clawback| clawback.amount)),
            array(grant.clawbacks.iter().map(|clawback| clawback.owes)),
        ];
        WRITE_CLAWBACKS.run(session, &cells)?;
    }
    Ok(())
}

static DRAWS: Statement = Statement::in_order(
    c"SELECT line_no, grant_id, amount FROM credits_internal.usage_draws
      WHERE customer_id = $1 AND event_name = $2 AND period_key = $3 AND line_no < $4
      ORDER BY line_no DESC LIMIT $5",
    &[TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID],
);

/// Loads into a book what grants paid for a period's usage, newest first, up to the amount, and those grants.
pub fn take_draws(session: &Session, book: &mut Book, period: &Rc<Period>, amount: Decimal) -> Result<(), Error> {
    let mut limit: i64 = 16;
    while book.drawn_for(period) < amount {
        let oldest = book.oldest_draw(period).unwrap_or(i64::MAX);
        let arguments =
            [book.customer_id.cell(), period.event_name.cell(), period.key.cell(), oldest.cell(), limit.cell()];
        let rows = DRAWS.run(session, &arguments)?;
        let mut grants = Vec::with_capacity(rows.len());
        for mut row in rows.iter() {
            let line_no = row.next()?;
            let (grant_id, amount) = (row.next()?, row.next()?);
            grants.push(grant_id);
            book.take_draw(line_no, PeriodDraw { period: period.clone(), grant_id, amount, stored: amount });
        }
        if grants.is_empty() {
            return Err(Error::internal("a period's usage was paid by lines that are not there"));
        }
        crate::ledger::engine::posting::take_grants(session, book, &grants)?;
        limit = limit.saturating_mul(8);
    }
    Ok(())
}

static FORGET_SETTLED: Statement = Statement::new(
    c"DELETE FROM credits_internal.unsettled_events u USING unnest($1, $2, $3, $4) AS x (customer_id, currency, created_at,
                                                                                identifier)
      WHERE u.customer_id = x.customer_id AND u.currency = x.currency AND u.created_at = x.created_at
        AND u.identifier = x.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID],
);

fn forget_settled(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let settled: Vec<(&Book, &(Time, String))> =
        books.iter().copied().flat_map(|b| b.settled.iter().map(move |s| (b, s))).collect();
    if settled.is_empty() {
        return Ok(());
    }
    let cells = [
        array(settled.iter().map(|(b, _)| &b.customer_id)),
        array(settled.iter().map(|(b, _)| &b.currency)),
        array(settled.iter().map(|(_, (created_at, _))| *created_at)),
        array(settled.iter().map(|(_, (_, identifier))| identifier)),
    ];
    FORGET_SETTLED.run(session, &cells).map(drop)
}

static TAKE_BACK: Statement = Statement::new(
    c"INSERT INTO credits_internal.canceled_events (customer_id, identifier, canceled_at, reason, returned)
      SELECT x.customer_id, x.identifier, x.at, 'more would be owed than can be counted', 0
      FROM unnest($1, $2, $3) AS x (customer_id, identifier, at)",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

/// Cancels usage that could not be charged and can no longer be refused.
fn take_back(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let taken: Vec<(&Book, &String)> =
        books.iter().copied().flat_map(|b| b.uncountable.iter().map(move |identifier| (b, identifier))).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let cells = [
        array(taken.iter().map(|(b, _)| &b.customer_id)),
        array(taken.iter().map(|(_, identifier)| *identifier)),
        array(taken.iter().map(|(b, _)| b.posted_at)),
    ];
    TAKE_BACK.run(session, &cells).map(drop)
}
