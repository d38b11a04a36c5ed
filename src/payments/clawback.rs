//! Credits whose price was paid back: what goes back for a purchase is brought to what its refunds and disputes come to, each
//! step an operation of its own that can be undone whole. Where the credits are found is decided in
//! ledger/engine/book/reclaim.rs.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::{Book, Reclaim, Reclaimed, Taken};
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::{account, currency, history};
use crate::moment::Time;
use crate::payments::money;
use crate::payments::notification::case;
use crate::payments::reckoning::Standing;
use crate::payments::subject::{Status, TopUp};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings::{self, Spent};
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// How spent credits are treated: as the call says, or the setting. Raises PC013.
pub fn policy(spent: Option<&str>) -> Result<Spent, Error> {
    let Some(name) = spent else { return Ok(settings::spent_on_refund()) };
    Spent::parse(name).ok_or_else(|| input::none_of("spent", name, &Spent::NAMES))
}

/// What one call did.
#[derive(Default)]
pub struct Outcome {
    /// Credits found.
    pub reclaimed: Reclaimed,
    /// The operation that took them, where there is one.
    pub operation_id: Option<Uuid>,
}

/// Brings a purchase's credits, and its status, to what its payments, refunds and disputes come to. What is taken is found by
/// the policy; what an operation took that is undone comes back exactly. Nothing before it is paid.
pub fn bring(
    session: &Session,
    top_up: &mut TopUp,
    standing: &Standing,
    (undone, function, spent): (Option<Uuid>, &str, Spent),
    now: Time,
) -> Result<Outcome, Error> {
    if top_up.grant_id.is_none() {
        return Ok(Outcome::default());
    }
    top_up.status = if standing.is_refunded() { Status::Refunded } else { Status::Paid };
    let decimals = currency::decimals(session, &top_up.credit_currency)?;
    let target = money::taken(top_up.credits, standing.due, standing.remaining, decimals);
    if undone.is_some() || target < top_up.reclaimed {
        return give_back(session, top_up, target, undone, now);
    }
    let mut outcome = Outcome::default();
    if target > top_up.reclaimed {
        outcome = take(session, top_up, (function, target - top_up.reclaimed, spent), now)?;
        top_up.reclaimed = target;
    }
    Ok(outcome)
}

/// Gives back what an operation took, and whatever else was taken beyond what is due to be taken by now.
fn give_back(
    session: &Session,
    top_up: &mut TopUp,
    target: Decimal,
    operation_id: Option<Uuid>,
    now: Time,
) -> Result<Outcome, Error> {
    let before = case::available(session, top_up)?;
    let mut last = None;
    if let Some(operation_id) = operation_id
        && let Some((credits, spent)) = undo(session, top_up, operation_id, now)?
    {
        top_up.reclaimed -= credits;
        last = Some(spent);
    }
    while top_up.reclaimed > target {
        let newest = newest(session, top_up)?;
        let operation_id = newest.ok_or_else(|| Error::internal("credits went back by no operation"))?;
        let undone = undo(session, top_up, operation_id, now)?;
        let (credits, spent) = undone.ok_or_else(|| Error::internal("an operation was undone already"))?;
        top_up.reclaimed -= credits;
        last = Some(spent);
    }
    // Whole operations came back: of the last, which stood for more than that, the rest is taken again as it was taken then, so
    // that what was forgiven is not owed now, nor the other way round.
    if target > top_up.reclaimed {
        let spent = last.map_or_else(|| policy(None), Ok)?;
        let rest = ("payment_refunded", target - top_up.reclaimed, spent);
        take(session, top_up, rest, now)?;
        top_up.reclaimed = target;
    }
    let mut outcome = Outcome::default();
    outcome.reclaimed.taken = before - case::available(session, top_up)?;
    Ok(outcome)
}

static OF_PURCHASE: Statement = Statement::new(
    c"SELECT coalesce(sum(consumed + pending), 0) FROM credits_internal.reclaims
      WHERE customer_id = $1 AND top_up_id = $2 AND undone_at IS NULL",
    &[TEXTOID, UUIDOID],
);

static HELD: Statement = Statement::new(
    c"SELECT coalesce(sum(p.amount), 0)
      FROM credits_internal.holds h CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
      WHERE h.customer_id = $1 AND h.currency = $2 AND h.status = 'open' AND p.grant_id = $3",
    &[TEXTOID, TEXTOID, UUIDOID],
);

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.reclaims (customer_id, operation_id, top_up_id, grant_id, currency, credits, owes,
      event_name,
                                    created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    &[TEXTOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, NUMERICOID, BOOLOID, TEXTOID, TIMESTAMPTZOID],
);

/// Takes so many more of a paid purchase's credits back.
fn take(
    session: &Session,
    top_up: &TopUp,
    (function, credits, spent): (&str, Decimal, Spent),
    now: Time,
) -> Result<Outcome, Error> {
    let lost = || Error::internal("a purchase has no grant");
    let (customer_id, currency) = (top_up.customer_id.as_str(), top_up.credit_currency.as_str());
    let grant_id = top_up.grant_id.ok_or_else(lost)?;
    let operation_id = Uuid::now_v7();
    let book = account::open_existing(session, customer_id, currency, now)?;
    let mut book = account::post_due_before_taking_back(session, book)?;
    let meters: Vec<&str> = top_up.terms.applicable_meters.iter().flatten().map(String::as_str).collect();
    posting::take_windows(session, &mut [(&mut book, credits)], &meters)?;
    posting::take_grants(session, &mut book, &[grant_id])?;
    let (lapsed, claimed) = {
        let grant = book.grant(grant_id).ok_or_else(lost)?;
        (grant.lapsed, grant.clawbacks.iter().map(|clawback| clawback.amount).sum::<Decimal>())
    };
    let owed: Decimal = number(OF_PURCHASE.run(session, &[customer_id.cell(), top_up.id.cell()])?.first())?;
    let held: Decimal = number(HELD.run(session, &[customer_id.cell(), currency.cell(), grant_id.cell()])?.first())?;
    let reclaim = Reclaim {
        operation_id,
        grant_id,
        credits,
        owes: spent == Spent::Pending,
        event_name: meters.first().copied(),
        held,
        // Of what has lapsed, that which stands for no credits that went back before.
        lapsed: lapsed - top_up.reclaimed + claimed + owed,
    };
    let reclaimed = book.reclaim(&reclaim);
    let call = Operation {
        function: function.to_string(),
        operation_id,
        currency: currency.to_string(),
        amount: credits,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: None,
    };
    operation::claim(session, customer_id, &call, None, &Texts::default(), book.posted_at)?;
    RECORD.run(
        session,
        &[
            customer_id.cell(),
            operation_id.cell(),
            top_up.id.cell(),
            grant_id.cell(),
            currency.cell(),
            credits.cell(),
            reclaim.owes.cell(),
            reclaim.event_name.cell(),
            book.posted_at.cell(),
        ],
    )?;
    posting::post(session, &[book])?;
    Ok(Outcome { reclaimed, operation_id: Some(operation_id) })
}

fn number(row: Option<crate::pg::statement::Row<'_>>) -> Result<Decimal, Error> {
    row.ok_or_else(|| Error::internal("a sum returned no row"))?.next()
}

static FIND: Statement = Statement::new(
    c"SELECT grant_id, credits, taken, consumed, pending, created_at, owes FROM credits_internal.reclaims
      WHERE customer_id = $1 AND operation_id = $2 AND undone_at IS NULL",
    &[TEXTOID, UUIDOID],
);

static MARK_UNDONE: Statement = Statement::new(
    c"UPDATE credits_internal.reclaims SET taken = 0, consumed = 0, pending = 0, undone_at = $3
      WHERE customer_id = $1 AND operation_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Undoes one such operation: exactly what it took comes back. Returns how many credits it stood for, and what became of those
/// that were spent; `None` where it was undone before.
fn undo(session: &Session, top_up: &TopUp, operation_id: Uuid, now: Time) -> Result<Option<(Decimal, Spent)>, Error> {
    let book = account::open_existing(session, &top_up.customer_id, &top_up.credit_currency, now)?;
    let mut book = account::post_due(session, book)?;
    let (grant_id, credits, back, owed, created_at, spent) = {
        let rows = FIND.run(session, &[top_up.customer_id.cell(), operation_id.cell()])?;
        let Some(mut row) = rows.first() else { return Ok(None) };
        let (grant_id, credits): (Uuid, Decimal) = (row.next()?, row.next()?);
        let back = row.next::<Decimal>()? + row.next::<Decimal>()?;
        let (owed, created_at) = (row.next::<Decimal>()?, row.next::<Time>()?);
        let spent = if row.next::<bool>()? { Spent::Pending } else { Spent::Forgiven };
        (grant_id, credits, back, owed, created_at, spent)
    };
    let taken = lines(session, &book, operation_id, back, created_at)?;
    let mut grants: Vec<Uuid> = taken.iter().map(|line| line.grant_id).chain([grant_id]).collect();
    grants.sort();
    grants.dedup();
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    posting::take_grants(session, &mut book, &grants)?;
    // Some of what comes back may be for certain meters only, and every debt the one that it pays.
    let debts = posting::debts(session, &book, None, None)?;
    book.undo_reclaim((operation_id, grant_id), owed, &taken, debts);
    MARK_UNDONE.run(session, &[top_up.customer_id.cell(), operation_id.cell(), book.posted_at.cell()])?;
    posting::post(session, &[book])?;
    Ok(Some((credits, spent)))
}

/// What its lines took, oldest first.
fn lines(session: &Session, book: &Book, operation_id: Uuid, total: Decimal, since: Time) -> Result<Vec<Taken>, Error> {
    let takings = history::takings(session, book, operation_id, since, total)?.into_iter();
    let own = |line_type: &str| line_type == LineType::Refund.as_str();
    Ok(takings.map(|t| Taken { grant_id: t.grant_id, amount: t.amount, own: own(&t.line_type) }).collect())
}

static AS_IT_STANDS: Statement = Statement::new(
    c"SELECT r.taken, r.pending, coalesce(g.clawback_amounts[array_position(g.clawback_operations, r.operation_id)], 0)
      FROM credits_internal.reclaims r
      JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
      WHERE r.customer_id = $1 AND r.operation_id = $2",
    &[TEXTOID, UUIDOID],
);

/// What such an operation took, and what it waits for and is owed by now: the answer to a repeat.
pub fn as_it_stands(session: &Session, top_up: &TopUp, operation_id: Option<Uuid>) -> Result<Outcome, Error> {
    let mut outcome = Outcome { operation_id, ..Outcome::default() };
    if let Some(operation_id) = operation_id
        && let Some(mut row) = AS_IT_STANDS.run(session, &[top_up.customer_id.cell(), operation_id.cell()])?.first()
    {
        outcome.reclaimed = Reclaimed { taken: row.next()?, owed: row.next()?, held: row.next()? };
    }
    Ok(outcome)
}

static NEWEST: Statement = Statement::new(
    c"SELECT operation_id FROM credits_internal.reclaims
      WHERE customer_id = $1 AND top_up_id = $2 AND undone_at IS NULL
      ORDER BY created_at DESC, operation_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID],
);

/// The last of a purchase's operations that is not undone.
fn newest(session: &Session, top_up: &TopUp) -> Result<Option<Uuid>, Error> {
    NEWEST.run(session, &[top_up.customer_id.cell(), top_up.id.cell()])?.first().map(|mut row| row.next()).transpose()
}
