//! Credits whose price was paid back: what goes back for each line of an invoice is brought to what its refunds and disputes
//! come to (clawback/share.rs), each step an operation of its own that can be undone whole. Where the credits are found is
//! decided in ledger/engine/book/reclaim.rs.

mod chain;
pub mod line;
pub mod share;
mod step;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::{Book, Reclaim, Reclaimed, Taken};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::rollover;
use crate::ledger::{account, history};
use crate::moment::Time;
use crate::payments::clawback::chain::Link;
use crate::payments::clawback::line::Credits;
use crate::payments::clawback::share::Part;
use crate::payments::listener::SALES;
use crate::payments::notification::case::{self, Case};
use crate::payments::payment_intent::{Intent, Status};
use crate::payments::reckoning::Standing;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::rational::Rational;
use crate::settings::{self, Spent};
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

pub use step::Step;

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

/// Brings an invoice's credits to what its payments, refunds and disputes come to. What is taken is found by the policy; what
/// an operation took that is undone comes back exactly. Nothing before it is paid.
pub fn bring(
    session: &Session,
    case: &mut Case,
    standing: &Standing,
    (undone, function, spent): (Option<Uuid>, &str, Spent),
) -> Result<Outcome, Error> {
    if case.intent.status != Status::Succeeded {
        return Ok(Outcome::default());
    }
    case.intent.is_refunded = standing.is_refunded();
    let undone = undone.map_or_else(|| Ok(Vec::new()), |first| together(session, &case.intent, first))?;
    let gone = case.gone(standing);
    let Case { intent, lines, now, .. } = case;
    let mut outcome = Outcome::default();
    for (line, gone) in lines.iter_mut().zip(&gone) {
        let line_id = line.id;
        let Some(credits) = line.credits.as_mut().filter(|credits| credits.grant_id.is_some()) else { continue };
        let before = credits.reclaimed;
        let mut step = Step { undone: &undone, function, spent, first: &mut outcome.operation_id, now: *now };
        let target = share::of(credits.amount, gone, credits.decimals);
        let reclaimed = if credits.in_instalments {
            credits.reclaimed = target;
            let mut reclaimed = Reclaimed::default();
            for sale in SALES.all() {
                let of_instalments = sale.reclaim(session, intent, (line_id, &*credits), &mut step)?;
                add(&mut reclaimed, of_instalments);
            }
            reclaimed
        } else {
            step.bring(session, intent, credits, target)?
        };
        add(&mut outcome.reclaimed, reclaimed);
        if credits.reclaimed != before {
            line::save(session, &intent.customer_id, line_id, credits.reclaimed)?;
        }
    }
    Ok(outcome)
}

/// Adds what one step took back to a sum.
pub fn add(sum: &mut Reclaimed, more: Reclaimed) {
    sum.taken += more.taken;
    sum.owed += more.owed;
    sum.held += more.held;
}

impl Case {
    /// The share of each line that is gone.
    fn gone(&self, standing: &Standing) -> Vec<Rational> {
        let mut parts: Vec<Part> =
            self.lines.iter().map(|line| Part { net: line.net, gross: line.gross, refunded: line.refunded }).collect();
        // What a provider said of a top-up's tax and discount is in what was due for it.
        if let ([part], true) = (parts.as_mut_slice(), self.intent.is_top_up) {
            part.net = standing.due;
        }
        share::gone(&parts, standing.remaining.saturating_add(self.paid_otherwise))
    }
}

static TOGETHER: Statement = Statement::new(
    c"SELECT r.operation_id, coalesce(o.root_id, r.grant_id)
      FROM (SELECT f.operation_id, f.grant_id FROM credits_internal.reclaims f
            WHERE f.customer_id = $1 AND f.operation_id = $2 AND f.undone_at IS NULL
            UNION ALL
            SELECT n.operation_id, n.grant_id FROM credits_internal.reclaims n
            WHERE n.customer_id = $1 AND n.first_id = $2 AND n.undone_at IS NULL) r
      LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = $1 AND o.grant_id = r.grant_id",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT r.operation_id, r.grant_id FROM credits_internal.reclaims r
      WHERE r.customer_id = $1 AND r.operation_id = $2 AND r.undone_at IS NULL",
);

/// The operations of one refund or dispute that are not undone, each with what was bought: the first of the grants that
/// rolled over into one another.
fn together(session: &Session, intent: &Intent, first: Uuid) -> Result<Vec<(Uuid, Uuid)>, Error> {
    let rows = TOGETHER.run(session, &[intent.customer_id.cell(), first.cell()])?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// A line's credits, which were granted.
type OfLine<'a> = (&'a Intent, &'a mut Credits, Uuid);

/// Gives back what an operation took, and whatever else was taken beyond what is due to be taken by now. Returns what became
/// available, below zero.
fn give_back(
    session: &Session,
    of_line: &mut OfLine<'_>,
    target: Decimal,
    operations: &[Uuid],
    now: Time,
) -> Result<Decimal, Error> {
    let available = |of_line: &OfLine<'_>| case::available(session, &of_line.0.customer_id, &of_line.1.currency);
    let before = available(of_line)?;
    let mut last = None;
    for operation_id in operations {
        if let Some((credits, spent)) = undo(session, of_line, *operation_id, now)? {
            of_line.1.reclaimed -= credits;
            last = Some(spent);
        }
    }
    while of_line.1.reclaimed > target {
        let newest = newest(session, of_line)?;
        let operation_id = newest.ok_or_else(|| Error::internal("credits went back by no operation"))?;
        let undone = undo(session, of_line, operation_id, now)?;
        let (credits, spent) = undone.ok_or_else(|| Error::internal("an operation was undone already"))?;
        of_line.1.reclaimed -= credits;
        last = Some(spent);
    }
    // Whole operations came back: of the last, which stood for more than that, the rest is taken again as it was taken
    // then, so that what was forgiven is not owed now, nor the other way round.
    if target > of_line.1.reclaimed {
        let spent = last.map_or_else(|| policy(None), Ok)?;
        let rest = ("payment_refunded", target - of_line.1.reclaimed, spent);
        take(session, of_line, rest, &mut None, now)?;
        of_line.1.reclaimed = target;
    }
    Ok(before - available(of_line)?)
}

static OF_GRANT: Statement = Statement::new(
    c"SELECT coalesce(sum(consumed + pending), 0), coalesce(sum(credits), 0) FROM credits_internal.reclaims
      WHERE customer_id = $1 AND top_up_id = $2 AND grant_id = $3 AND undone_at IS NULL",
    &[TEXTOID, UUIDOID, UUIDOID],
);

static HELD: Statement = Statement::new(
    c"SELECT coalesce(sum(p.amount), 0)
      FROM credits_internal.holds h CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
      WHERE h.customer_id = $1 AND h.currency = $2 AND h.status = 'open' AND p.grant_id = $3",
    &[TEXTOID, TEXTOID, UUIDOID],
);

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.reclaims (customer_id, operation_id, top_up_id, grant_id, currency, credits, owes,
                                             event_name, created_at, first_id)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    &[TEXTOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, NUMERICOID, BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID],
)
.before(
    c"INSERT INTO credits_internal.reclaims (customer_id, operation_id, top_up_id, grant_id, currency, credits, owes,
                                             event_name, created_at)
      SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE $10 IS NULL",
);

/// What the tables say of one of the grants that a line's credits are in, apart from its row.
struct Facts {
    held: Decimal,
    /// What of it has lapsed, and stands for no credits that went back before.
    lapsed: Decimal,
    /// What is owed of it already, or was paid for.
    owed: Decimal,
}

impl Facts {
    /// Reads them; `rolled_over` went on from it.
    fn read(
        session: &Session,
        (intent, line, _): &OfLine<'_>,
        grant: &Grant,
        rolled_over: Decimal,
    ) -> Result<Self, Error> {
        let (customer_id, missing) = (intent.customer_id.cell(), || Error::internal("a sum returned no row"));
        let rows = OF_GRANT.run(session, &[customer_id, intent.id.cell(), grant.id.cell()])?;
        let mut row = rows.first().ok_or_else(missing)?;
        let (owed, reclaimed): (Decimal, Decimal) = (row.next()?, row.next()?);
        let rows = HELD.run(session, &[customer_id, line.currency.cell(), grant.id.cell()])?;
        let held = rows.first().ok_or_else(missing)?.next()?;
        Ok(Facts { held, lapsed: grant.lapsed - rolled_over - reclaimed + waiting(grant) + owed, owed })
    }
}

/// What open clawbacks of a grant come to.
fn waiting(grant: &Grant) -> Decimal {
    grant.clawbacks.iter().map(|clawback| clawback.amount).sum()
}

/// Takes so many more of a line's credits back: as one operation of those that one refund or dispute makes, or one for each
/// grant that they rolled over into.
fn take(
    session: &Session,
    of_line: &OfLine<'_>,
    (function, credits, spent): (&str, Decimal, Spent),
    first: &mut Option<Uuid>,
    now: Time,
) -> Result<Reclaimed, Error> {
    let (intent, line, root_id) = of_line;
    let book = account::open_existing(session, &intent.customer_id, &line.currency, now)?;
    let mut book = account::post_due_before_taking_back(session, book)?;
    let chain = rollover::chain(session, &intent.customer_id, *root_id)?;
    posting::take_grants(session, &mut book, &chain.iter().map(|link| link.grant_id).collect::<Vec<_>>())?;
    let mut links = Vec::with_capacity(chain.len());
    for link in &chain {
        let grant = book.grant(link.grant_id).ok_or_else(|| Error::internal("a grant that was bought is not there"))?;
        let facts = Facts::read(session, of_line, grant, link.rolled_over)?;
        links.push(Link {
            grant_id: grant.id,
            remaining: grant.remaining,
            held: facts.held - waiting(grant),
            lapsed: facts.lapsed,
            spent: grant.amount - grant.remaining - facts.held - grant.lapsed - facts.owed,
        });
    }
    let mut reclaimed = Reclaimed::default();
    for (grant_id, credits) in chain::split(&links, credits) {
        let rolled_over = chain.iter().find(|link| link.grant_id == grant_id).map(|link| link.rolled_over);
        let of_grant = (grant_id, rolled_over.unwrap_or_default(), credits);
        let part = take_from(session, of_line, of_grant, (function, spent), first, now)?;
        reclaimed.taken += part.taken;
        reclaimed.held += part.held;
        reclaimed.owed += part.owed;
    }
    Ok(reclaimed)
}

fn take_from(
    session: &Session,
    of_line: &OfLine<'_>,
    (grant_id, rolled_over, credits): (Uuid, Decimal, Decimal),
    (function, spent): (&str, Spent),
    first: &mut Option<Uuid>,
    now: Time,
) -> Result<Reclaimed, Error> {
    let (intent, line, _) = of_line;
    let (customer_id, currency) = (intent.customer_id.as_str(), line.currency.as_str());
    let operation_id = Uuid::now_v7();
    let mut book = account::open_existing(session, customer_id, currency, now)?;
    let meters: Vec<&str> = line.applicable_meters.iter().flatten().map(String::as_str).collect();
    posting::take_windows(session, &mut [(&mut book, credits)], &meters)?;
    posting::take_grants(session, &mut book, &[grant_id])?;
    let facts = {
        let grant = book.grant(grant_id).ok_or_else(|| Error::internal("a grant that was bought is not there"))?;
        Facts::read(session, of_line, grant, rolled_over)?
    };
    let reclaim = Reclaim {
        operation_id,
        grant_id,
        credits,
        owes: spent == Spent::Pending,
        event_name: meters.first().copied(),
        held: facts.held,
        lapsed: facts.lapsed,
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
    let cells = [
        customer_id.cell(),
        operation_id.cell(),
        intent.id.cell(),
        grant_id.cell(),
        currency.cell(),
        credits.cell(),
        reclaim.owes.cell(),
        reclaim.event_name.cell(),
        book.posted_at.cell(),
        first.cell(),
    ];
    RECORD.run(session, &cells)?;
    posting::post(session, &[book])?;
    first.get_or_insert(operation_id);
    Ok(reclaimed)
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

/// Undoes one such operation: exactly what it took comes back. Returns how many credits it stood for, and what became of
/// those that were spent; `None` where it was undone before.
fn undo(
    session: &Session,
    (intent, line, _): &OfLine<'_>,
    operation_id: Uuid,
    now: Time,
) -> Result<Option<(Decimal, Spent)>, Error> {
    let book = account::open_existing(session, &intent.customer_id, &line.currency, now)?;
    let mut book = account::post_due(session, book)?;
    let (grant_id, credits, back, owed, created_at, spent) = {
        let rows = FIND.run(session, &[intent.customer_id.cell(), operation_id.cell()])?;
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
    MARK_UNDONE.run(session, &[intent.customer_id.cell(), operation_id.cell(), book.posted_at.cell()])?;
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

/// What the operations of a refund or a dispute took, and what they wait for and are owed by now: the answer to a replay.
pub fn as_it_stands(session: &Session, intent: &Intent, first: Option<Uuid>) -> Result<Outcome, Error> {
    let mut outcome = Outcome { operation_id: first, ..Outcome::default() };
    let Some(first) = first else { return Ok(outcome) };
    let others = together(session, intent, first)?.into_iter().map(|(id, _)| id).filter(|id| *id != first);
    for operation_id in [first].into_iter().chain(others) {
        if let Some(mut row) = AS_IT_STANDS.run(session, &[intent.customer_id.cell(), operation_id.cell()])?.first() {
            outcome.reclaimed.taken += row.next::<Decimal>()?;
            outcome.reclaimed.owed += row.next::<Decimal>()?;
            outcome.reclaimed.held += row.next::<Decimal>()?;
        }
    }
    Ok(outcome)
}

static NEWEST: Statement = Statement::new(
    c"SELECT r.operation_id FROM credits_internal.reclaims r
      LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = r.customer_id AND o.grant_id = r.grant_id
      WHERE r.customer_id = $1 AND r.top_up_id = $2 AND coalesce(o.root_id, r.grant_id) = $3 AND r.undone_at IS NULL
      ORDER BY r.created_at DESC, r.operation_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID, UUIDOID],
)
.before(
    c"SELECT operation_id FROM credits_internal.reclaims
      WHERE customer_id = $1 AND top_up_id = $2 AND grant_id = $3 AND undone_at IS NULL
      ORDER BY created_at DESC, operation_id DESC LIMIT 1",
);

/// The last of the operations that took a line's credits and are not undone.
fn newest(session: &Session, (intent, _, grant_id): &OfLine<'_>) -> Result<Option<Uuid>, Error> {
    let cells = [intent.customer_id.cell(), intent.id.cell(), grant_id.cell()];
    NEWEST.run(session, &cells)?.first().map(|mut row| row.next()).transpose()
}
