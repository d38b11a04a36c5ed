//! Grants that roll over: how they do is loaded with those that end or give to a hold that does, and what they rolled over
//! into is written after the grants that the tables have.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::{Book, RolledOver, Rolling};
use crate::ledger::engine::drawdown::Grant;
use crate::moment::Time;
use crate::moment::length::Length;
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::pg::value::span::Span;
use pgrx::pg_sys::{
    BOOLARRAYOID, INT4ARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID,
};
use std::collections::HashMap;
use uuid::Uuid;

/// The columns of how a grant g rolls over, if it does, which [`rolling`] reads; they come last. In a statement that has
/// joined [`of_rolling!`].
macro_rules! rolling_columns {
    () => {
        "r.root_id, r.generation, r.percent, r.max, r.times_left, r.lives, r.until, r.decimals, g.cost_amount, r.cost_decimals,
         r.held_until, r.held "
    };
}
pub(crate) use rolling_columns;

/// The same for a schema of the release before, which has nothing to join.
macro_rules! no_rolling_columns {
    () => {
        "NULL::uuid, NULL::int, NULL::numeric, NULL::numeric, NULL::int, NULL::interval, NULL::timestamptz, NULL::int,
         NULL::numeric, NULL::int, NULL::timestamptz[], NULL::numeric[] "
    };
}
pub(crate) use no_rolling_columns;

/// Where those columns are from.
macro_rules! of_rolling {
    () => {
        " LEFT JOIN LATERAL (
              SELECT r.*, c.decimals::int AS decimals, m.decimals::int AS cost_decimals, h.held_until, h.held
              FROM credits_internal.grant_rollovers r
              JOIN credits_internal.currencies c ON c.currency = g.currency
              LEFT JOIN credits_internal.currencies m ON m.currency = g.cost_currency
              CROSS JOIN LATERAL (
                  SELECT array_agg(o.expires_at) AS held_until, array_agg(p.amount) AS held
                  FROM credits_internal.holds o
                  CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
                  WHERE o.customer_id = g.customer_id AND o.currency = g.currency AND o.status = 'open'
                    AND p.grant_id = g.grant_id) h
              WHERE r.customer_id = g.customer_id AND r.grant_id = g.grant_id AND r.rolled_to IS NULL
                AND r.times_left IS DISTINCT FROM 0) r ON true "
    };
}
pub(crate) use of_rolling;

/// Reads how a grant rolls over.
pub fn rolling(row: &mut Row<'_>, grant_id: Uuid) -> Result<Option<(Uuid, Rolling)>, Error> {
    let Some(root_id) = row.next::<Option<Uuid>>()? else { return Ok(None) };
    let decimals = |number: i32| u32::try_from(number).map_err(|_| Error::internal("a currency has no decimals"));
    let mut rolling = Rolling {
        root_id,
        generation: row.next()?,
        stored_id: grant_id,
        percent: row.next()?,
        max: row.next()?,
        times_left: row.next()?,
        lives: length(row.next()?),
        until: row.next()?,
        decimals: decimals(row.next()?)?,
        cost: None,
        held: Vec::new(),
    };
    let cost: Option<Decimal> = row.next()?;
    let of_cost = row.next::<Option<i32>>()?.map(decimals).transpose()?;
    rolling.cost = cost.zip(of_cost);
    let until = row.next::<Option<Vec<Time>>>()?.unwrap_or_default();
    rolling.held = until.into_iter().zip(row.next::<Option<Vec<Decimal>>>()?.unwrap_or_default()).collect();
    Ok(Some((grant_id, rolling)))
}

macro_rules! of_grants {
    ($columns:expr, $joins:expr) => {
        text!(
            "SELECT g.grant_id, ",
            $columns,
            " FROM credits_internal.credit_grants g ",
            $joins,
            " WHERE g.customer_id = $1 AND g.grant_id = ANY ($2)"
        )
    };
}

static OF_GRANTS: Statement = Statement::new(of_grants!(rolling_columns!(), of_rolling!()), &[TEXTOID, UUIDARRAYOID])
    .before(of_grants!(no_rolling_columns!(), ""));

/// How those of a book's grants roll over that do, whether the tables have them or not yet.
pub fn rolling_of(session: &Session, book: &Book, grants: &[&Grant]) -> Result<HashMap<Uuid, Rolling>, Error> {
    let new = book.rolled_over.iter().map(|new| (new.grant_id, new.rolling.clone()));
    let mut all: HashMap<Uuid, Rolling> = new.collect();
    let stored: Vec<Uuid> = grants.iter().map(|grant| grant.id).filter(|id| !all.contains_key(id)).collect();
    if !stored.is_empty() {
        for mut row in OF_GRANTS.run(session, &[book.customer_id.cell(), array(stored)])?.iter() {
            let grant_id = row.next()?;
            all.extend(rolling(&mut row, grant_id)?);
        }
    }
    Ok(all)
}

fn length(span: Span) -> Length {
    let (months, days, microseconds) = span.parts();
    Length { months, days, microseconds }
}

// What a grant rolled over into in the same posting has the terms of the last one before it that is stored. An account's
// row has what remains of its head.
static WRITE: Statement = Statement::new(
    c"WITH new AS (
          SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
              AS x (customer_id, grant_id, stored_id, rolled_from, generation, times_left, amount, effective_at, expires_at,
                    cost_amount, suspended, remaining, lapsed, status, rolled_to, rolled_over, root_id)
      ), grants AS (
          INSERT INTO credits_internal.credit_grants (customer_id, grant_id, currency, category, status, priority, amount,
              remaining, lapsed, effective_at, expires_at, applicable_meters, cost_basis, name, granted_by, metadata,
              created_at, suspended_at, suspended_reason, cost_amount, cost_currency)
          SELECT x.customer_id, x.grant_id, g.currency, g.category, x.status, g.priority, x.amount, x.remaining, x.lapsed,
                 x.effective_at, x.expires_at, g.applicable_meters, g.cost_basis, g.name, g.granted_by, g.metadata,
                 x.effective_at, CASE WHEN x.suspended THEN g.suspended_at END,
                 CASE WHEN x.suspended THEN g.suspended_reason END, x.cost_amount,
                 CASE WHEN x.cost_amount IS NOT NULL THEN g.cost_currency END
          FROM new x
          JOIN credits_internal.credit_grants g ON g.customer_id = x.customer_id AND g.grant_id = x.stored_id
      ), rolled AS (
          UPDATE credits_internal.grant_rollovers r SET rolled_to = x.grant_id, rolled_over = x.amount
          FROM new x
          WHERE r.customer_id = x.customer_id AND r.grant_id = x.rolled_from
      )
      INSERT INTO credits_internal.grant_rollovers (customer_id, grant_id, root_id, generation, percent, max, times_left, lives,
          rolled_from, rolled_to, rolled_over)
      SELECT x.customer_id, x.grant_id, x.root_id, x.generation, r.percent, r.max, x.times_left, r.lives, x.rolled_from,
             x.rolled_to, x.rolled_over
      FROM new x
      JOIN credits_internal.grant_rollovers r ON r.customer_id = x.customer_id AND r.grant_id = x.stored_id",
    &[
        TEXTARRAYOID,
        UUIDARRAYOID,
        UUIDARRAYOID,
        UUIDARRAYOID,
        INT4ARRAYOID,
        INT4ARRAYOID,
        NUMERICARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZARRAYOID,
        NUMERICARRAYOID,
        BOOLARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        TEXTARRAYOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        UUIDARRAYOID,
    ],
);

/// Writes what grants of these books rolled over into, as it is by now. Few ever do.
pub fn write(session: &Session, books: &[&Book]) -> Result<(), Error> {
    let mut new: Vec<(&Book, &RolledOver, &Grant, Option<&RolledOver>)> = Vec::new();
    for book in books.iter().copied().filter(|book| !book.rolled_over.is_empty()) {
        let grants: HashMap<Uuid, &Grant> = book.loaded().map(|grant| (grant.id, grant)).collect();
        let next = book.rolled_to();
        for rolled_over in &book.rolled_over {
            let grant = grants.get(&rolled_over.grant_id);
            let grant = grant.ok_or_else(|| Error::internal("a grant rolled over into one that is not there"))?;
            new.push((book, rolled_over, grant, next.get(&rolled_over.grant_id).copied()));
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let cells = [
        array(new.iter().map(|(book, _, _, _)| &book.customer_id)),
        array(new.iter().map(|(_, of, _, _)| of.grant_id)),
        array(new.iter().map(|(_, of, _, _)| of.rolling.stored_id)),
        array(new.iter().map(|(_, of, _, _)| of.rolled_from)),
        array(new.iter().map(|(_, of, _, _)| of.rolling.generation)),
        array(new.iter().map(|(_, of, _, _)| of.rolling.times_left)),
        array(new.iter().map(|(_, of, _, _)| of.amount)),
        array(new.iter().map(|(_, of, _, _)| of.effective_at)),
        array(new.iter().map(|(_, of, _, _)| of.expires_at)),
        array(new.iter().map(|(_, of, _, _)| of.rolling.cost.map(|(amount, _)| amount))),
        array(new.iter().map(|(_, of, _, _)| of.suspended)),
        array(new.iter().map(|(_, _, grant, _)| grant.remaining)),
        array(new.iter().map(|(_, _, grant, _)| grant.lapsed)),
        array(new.iter().map(|(_, _, grant, _)| grant.status.as_str())),
        array(new.iter().map(|(_, _, _, next)| next.map(|next| next.grant_id))),
        array(new.iter().map(|(_, _, _, next)| next.map(|next| next.amount))),
        array(new.iter().map(|(_, of, _, _)| of.rolling.root_id)),
    ];
    WRITE.run(session, &cells).map(drop)
}
