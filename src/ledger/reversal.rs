//! Reversals: what a debit, a captured hold or an adjustment took goes back to the grants that gave it, in whole or in
//! parts. Which operation it is, and what it took, is found in original.rs.

mod original;

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::{Book, newest_part};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
pub use crate::ledger::reversal::original::Named;
use crate::ledger::reversal::original::Original;
use crate::ledger::{account, balance, currency};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, in_one_snapshot, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The name under which a reversal claims its key.
const FUNCTION: &str = "operation_reverse";

row! {
    /// What `operation_reverse` returns; amounts in credits of the currency.
    pub struct ReversalRow {
        /// The reversal itself.
        pub operation_id: Uuid,
        /// What it reverses.
        pub reversed_operation_id: Uuid,
        /// The currency's code.
        pub currency: String,
        /// What the original took.
        pub taken: Decimal,
        /// What this reversal gave back, what is owed no longer included.
        pub returned: Decimal,
        /// What all its reversals gave back.
        pub total_returned: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// What of `returned` was owed, and is owed no longer.
        pub forgiven: Decimal,
    }
}

/// `credits.operation_reverse`. Raises PC002, PC003, PC007, PC013.
#[pg_extern(sql = false)]
fn operation_reverse(
    customer_id: Option<&str>,
    operation_id: Option<Id>,
    operation_key: Option<&str>,
    amount: Option<Numeric>,
    reason: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<ReversalRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let named = match (operation_id, input::optional_key("operation_key", operation_key)?) {
            (Some(id), None) => Named::Id(id.0),
            (None, Some(key)) => Named::Key(key),
            (None, None) => return Err(Error::argument("operation_id", "is required, or operation_key instead of it")),
            (Some(_), Some(_)) => {
                return Err(Error::argument("operation_key", "must be NULL where operation_id is given"));
            }
        };
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        input::text("reason", reason)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        writing(|session| reverse(session, customer_id, named, amount, reason, key)).map(One)
    })())
}

/// Gives back all that a payment from the wallet took: for the room that recorded it, which alone may. Returns the reversal's
/// id.
pub fn give_back(session: &Session, customer_id: &str, operation_id: Uuid, reason: &str) -> Result<Uuid, Error> {
    let row = reverse(session, customer_id, Named::Payment(operation_id), None, Some(reason), None)?;
    Ok(row.operation_id)
}

/// Gives back a part of that.
pub fn give_part_back(
    session: &Session,
    customer_id: &str,
    operation_id: Uuid,
    amount: Decimal,
    reason: &str,
) -> Result<(), Error> {
    reverse(session, customer_id, Named::Payment(operation_id), Some(amount), Some(reason), None).map(drop)
}

/// Gives back what an operation took, or so much of it. Raises PC002, PC003, PC007, PC013.
pub fn reverse(
    session: &Session,
    customer_id: &str,
    named: Named<'_>,
    asked: Option<Decimal>,
    reason: Option<&str>,
    key: Option<&str>,
) -> Result<ReversalRow, Error> {
    let now = settings::now()?;
    let original = Original::find(session, customer_id, named)?;
    let mut call = Operation {
        function: FUNCTION.to_string(),
        operation_id: Uuid::now_v7(),
        currency: original.currency.clone(),
        amount: asked.unwrap_or_default(),
        category: None,
        grant_id: None,
        counterparty: None,
        // A replay is compared by it.
        reason: Some(match asked {
            Some(_) => original.operation_id.to_string(),
            None => format!("all of {}", original.operation_id),
        }),
    };
    if let Some(first) = first_call(session, customer_id, key, &call, asked)? {
        return as_it_stands(session, customer_id, &original, &first);
    }
    let outcome = (|| {
        let book = account::open_existing(session, customer_id, &original.currency, now)?;
        let original = original.again(session, customer_id)?;
        let returned = Returned::read(session, customer_id, original.operation_id)?;
        let left = original.taken - returned.total;
        if asked.is_none() && left.is_zero() {
            return Ok(None);
        }
        call.amount = asked.unwrap_or(left);
        check(session, &original, call.amount, left)?;
        let texts = Texts { description: reason, metadata: None, member_id: original.member_id.as_deref() };
        let book = account::post_due(session, book)?;
        match operation::claim(session, customer_id, &call, key, &texts, now)? {
            true => post(session, book, &original, &returned, &call).map(Some),
            false => Err(Error::internal("an idempotency_key is taken and not to be found")),
        }
    })();
    match outcome {
        Ok(Some(row)) => Ok(row),
        // Another session may have made the same call while this one waited.
        Ok(None) => match first_call(session, customer_id, key, &call, asked)? {
            Some(first) => as_it_stands(session, customer_id, &original, &first),
            // All of it is back already.
            None => newest_as_it_stands(session, customer_id, &original),
        },
        Err(error) => match first_call(session, customer_id, key, &call, asked)? {
            Some(first) => as_it_stands(session, customer_id, &original, &first),
            None => Err(error),
        },
    }
}

/// The first call under the key, which must be the same. Where no amount is asked for, it is what was left then.
fn first_call(
    session: &Session,
    customer_id: &str,
    key: Option<&str>,
    call: &Operation,
    asked: Option<Decimal>,
) -> Result<Option<Operation>, Error> {
    let Some(key) = key else { return Ok(None) };
    let Some(first) = operation::find(session, customer_id, key)? else { return Ok(None) };
    let call = Operation { amount: asked.unwrap_or(first.amount), ..call.clone() };
    first.replayed(key, &call).map(Some)
}

/// Raises PC007, PC013.
fn check(session: &Session, original: &Original, amount: Decimal, left: Decimal) -> Result<(), Error> {
    if original.taken.is_zero() {
        return Err(original.nothing_taken());
    }
    let reason = if amount > left {
        AmountError::MoreThanTaken(left)
    } else {
        match amount::fit(amount, currency::decimals(session, &original.currency)?) {
            Ok(_) => return Ok(()),
            Err(reason) => reason,
        }
    };
    Err(Error::amount("amount", amount, reason))
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.reversals (customer_id, operation_id, reversed_operation_id, currency, reversed_type,
                                              amount, created_at, spent_at, forgiven)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    &[TEXTOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, NUMERICOID],
);

fn post(
    session: &Session,
    mut book: Book,
    original: &Original,
    returned: &Returned,
    call: &Operation,
) -> Result<ReversalRow, Error> {
    // What it still owes first, as where usage is taken back.
    let own = match original.owed.is_zero() {
        true => None,
        false => posting::operation_debts(session, &book, &[original.operation_id])?.pop(),
    };
    let (pending, paid) = own.as_ref().map_or(Default::default(), |debt| (debt.pending, debt.consumed));
    let forgiven = call.amount.min(pending);
    let draws = original.draws(session, &book, paid)?;
    let parts = newest_part(&draws, returned.total - returned.forgiven, call.amount - forgiven);
    let grants: Vec<Uuid> = parts.iter().map(|(grant_id, _)| *grant_id).collect();
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    posting::take_grants(session, &mut book, &grants)?;
    // If one of the grants is for certain meters only, it may pay any of the debts.
    let restricted = grants.iter().any(|id| book.grant(*id).is_none_or(Grant::is_restricted));
    let mut debts = posting::debts(session, &book, (!restricted).then_some(call.amount), None)?;
    debts.extend(own);
    book.reverse((call.operation_id, original.operation_id), forgiven, &parts, debts);
    RECORD.run(
        session,
        &[
            book.customer_id.cell(),
            call.operation_id.cell(),
            original.operation_id.cell(),
            call.currency.cell(),
            original.line_type.as_str().cell(),
            call.amount.cell(),
            book.posted_at.cell(),
            original.spent_at.cell(),
            forgiven.cell(),
        ],
    )?;
    let total = returned.total + call.amount;
    let made = Made { operation_id: call.operation_id, amount: call.amount, forgiven };
    let row = ReversalRow::new(original, made, total, book.available, false);
    posting::post(session, &[book])?;
    Ok(row)
}

/// One reversal.
#[derive(Debug, Clone, Copy)]
struct Made {
    operation_id: Uuid,
    amount: Decimal,
    forgiven: Decimal,
}

/// What went back of an operation so far.
#[derive(Default)]
struct Returned {
    total: Decimal,
    /// What of that was owed.
    forgiven: Decimal,
    newest: Option<Made>,
}

static RETURNED: Statement = Statement::new(
    c"SELECT operation_id, amount, forgiven, sum(amount) OVER (), sum(forgiven) OVER () FROM credits_internal.reversals
      WHERE customer_id = $1 AND reversed_operation_id = $2
      ORDER BY created_at DESC, operation_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID],
);

static FORGIVEN: Statement = Statement::new(
    c"SELECT forgiven FROM credits_internal.reversals WHERE customer_id = $1 AND operation_id = $2",
    &[TEXTOID, UUIDOID],
);

impl Returned {
    fn read(session: &Session, customer_id: &str, operation_id: Uuid) -> Result<Self, Error> {
        let rows = RETURNED.run(session, &[customer_id.cell(), operation_id.cell()])?;
        let Some(mut row) = rows.first() else { return Ok(Returned::default()) };
        let newest = Made { operation_id: row.next()?, amount: row.next()?, forgiven: row.next()? };
        Ok(Returned { newest: Some(newest), total: row.next()?, forgiven: row.next()? })
    }
}

/// The answer to a replay.
fn as_it_stands(
    session: &Session,
    customer_id: &str,
    original: &Original,
    first: &Operation,
) -> Result<ReversalRow, Error> {
    let rows = FORGIVEN.run(session, &[customer_id.cell(), first.operation_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a reversal is not there"))?;
    let made = Made { operation_id: first.operation_id, amount: first.amount, forgiven: row.next()? };
    replay(session, customer_id, original, Some(made))
}

/// The answer where all of it is back already.
fn newest_as_it_stands(session: &Session, customer_id: &str, original: &Original) -> Result<ReversalRow, Error> {
    replay(session, customer_id, original, None)
}

fn replay(session: &Session, customer_id: &str, original: &Original, made: Option<Made>) -> Result<ReversalRow, Error> {
    let original = original.again(session, customer_id)?;
    let now = settings::now()?;
    in_one_snapshot(session, |session| {
        let returned = Returned::read(session, customer_id, original.operation_id)?;
        let made = made.or(returned.newest).ok_or_else(|| original.nothing_taken())?;
        let book = balance::book(session, customer_id, &original.currency, now)?;
        let available = book.map_or(Decimal::ZERO, |book| book.available);
        Ok(ReversalRow::new(&original, made, returned.total, available, true))
    })
}

impl ReversalRow {
    fn new(original: &Original, made: Made, total_returned: Decimal, available: Decimal, replayed: bool) -> Self {
        ReversalRow {
            operation_id: made.operation_id,
            reversed_operation_id: original.operation_id,
            currency: original.currency.clone(),
            taken: original.taken,
            returned: made.amount,
            total_returned,
            available,
            replayed,
            forgiven: made.forgiven,
        }
    }
}
