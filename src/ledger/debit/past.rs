//! Debits of imported history: each at its own moment, those between which nothing falls due in one posting. None is refused:
//! what no credit covered then is owed.

use crate::amount::Decimal;
use crate::error::{Error, quoted};
use crate::ledger::account;
use crate::ledger::debit::FUNCTION;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Texts};
use crate::ledger::engine::posting;
use crate::moment::Time;
use crate::pg::memory;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{JSONBARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID};
use uuid::Uuid;

/// A debit of history.
pub struct Past<'d> {
    /// When it was made.
    pub at: Time,
    /// Credits.
    pub amount: Decimal,
    /// Its idempotency key.
    pub key: Option<&'d str>,
    /// What is kept with it.
    pub texts: Texts<'d>,
}

/// What went wrong, and with which of the debits.
pub type Failed = (usize, Error);

// In key order, as every call claims them.
static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.operations (customer_id, operation_id, function, currency, amount, idempotency_key,
                                               description, metadata, created_at, member_id)
      SELECT $1, x.operation_id, $2, $3, x.amount, x.key, x.description, x.metadata, x.at, x.member_id
      FROM unnest($4, $5, $6, $7, $8, $9, $10)
          AS x (operation_id, amount, key, description, metadata, at, member_id)
      ORDER BY x.key
      ON CONFLICT (customer_id, idempotency_key) DO NOTHING",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        JSONBARRAYOID,
        TIMESTAMPTZARRAYOID,
        TEXTARRAYOID,
    ],
);

/// Makes the first of these debits of an account, which are given in the order of time: at least one, and those after it up
/// to where something falls due. Returns how many. Raises PC007, PC013.
pub fn take(session: &Session, (customer_id, currency): (&str, &str), debits: &[Past<'_>]) -> Result<usize, Failed> {
    let first = |error| (0, error);
    let Some(begin) = debits.first().map(|past| past.at) else { return Ok(0) };
    let total = debits.iter().try_fold(Decimal::ZERO, |sum, past| sum.checked_add(past.amount)).unwrap_or(Decimal::MAX);
    let mut book = account::open_existing(session, customer_id, currency, begin).map_err(first)?;
    posting::take_windows(session, &mut [(&mut book, total)], &[]).map_err(first)?;
    let mut made: Vec<(Uuid, &Past<'_>)> = Vec::with_capacity(debits.len());
    for (index, past) in debits.iter().enumerate() {
        memory::let_interrupt();
        if index > 0 && !book.go_on(past.at) {
            break;
        }
        let operation_id = Uuid::now_v7();
        account::withdraw_or_owe(session, &mut book, LineType::Debit, operation_id, past.amount)
            .map_err(|error| (index, error))?;
        made.push((operation_id, past));
    }
    claim(session, (customer_id, currency), &made)?;
    posting::post(session, &[book]).map_err(first)?;
    Ok(made.len())
}

fn claim(session: &Session, (customer_id, currency): (&str, &str), made: &[(Uuid, &Past<'_>)]) -> Result<(), Failed> {
    let cells = [
        customer_id.cell(),
        FUNCTION.cell(),
        currency.cell(),
        array(made.iter().map(|(id, _)| *id)),
        array(made.iter().map(|(_, past)| past.amount)),
        array(made.iter().map(|(_, past)| past.key)),
        array(made.iter().map(|(_, past)| past.texts.description)),
        array(made.iter().map(|(_, past)| past.texts.metadata)),
        array(made.iter().map(|(_, past)| past.at)),
        array(made.iter().map(|(_, past)| past.texts.member_id)),
    ];
    let first = |error| (0, error);
    let claimed = CLAIM.run(session, &cells).map_err(first)?;
    if claimed.written() == made.len() as u64 {
        return Ok(());
    }
    for (index, (id, past)) in made.iter().enumerate() {
        let Some(key) = past.key else { continue };
        let there = operation::find(session, customer_id, key).map_err(first)?;
        if there.is_none_or(|there| there.operation_id != *id) {
            return Err((index, used(key)));
        }
    }
    Err(first(Error::internal("an idempotency_key is taken and not to be found")))
}

/// PC013: a key of history was used before.
pub fn used(key: &str) -> Error {
    Error::argument("idempotency_key", format!("{} was used before, by another call for the customer", quoted(key)))
}
