//! History: what happened before the application moved here, brought into an account that is empty. The ordinary calls do it,
//! entry by entry in the order of time, each with its own moment as now (past.rs); so the ledger is what it would have
//! become here. Entries are read in import/entry.rs, and made to happen in import/walk.rs; which account may take
//! history, and how far it has come, is in import/account.rs.

mod account;
mod entry;
mod walk;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::jobs::import::account::Progress;
use crate::jobs::import::entry::Entry;
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::{account as ledger_account, balance, currency};
use crate::moment::Time;
use crate::past;
use crate::pg::backend;
use crate::pg::call::argument::{ELEMENTS, JsonBatch};
use crate::pg::call::reply::{One, Reply};
use crate::pg::memory;
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::JSONBOID;
use std::collections::HashMap;
use uuid::Uuid;

/// The function, as its operations name it.
const FUNCTION: &str = "history_import";

row! {
    /// What `history_import` returns; amounts in credits of the currency.
    pub struct ImportRow {
        /// Whose.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// Entries imported so far.
        pub entries: i64,
        /// The account's ledger lines.
        pub lines: i64,
        /// When the first happened; NULL for none.
        pub first_at: Option<Time>,
        /// When the last happened; NULL for none.
        pub last_at: Option<Time>,
        /// Whether that was all.
        pub finished: bool,
        /// What a plain debit may take.
        pub available: Decimal,
        /// What only certain meters' events may take.
        pub restricted: Decimal,
        /// What is owed.
        pub pending: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// `credits.history_import`. Raises PC001, PC002, PC004, PC006 to PC008, PC013.
#[pg_extern(sql = false)]
fn history_import(
    customer_id: Option<&str>,
    entries: Option<JsonBatch>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    finished: Option<bool>,
) -> Reply<One<ImportRow>> {
    Reply((|| {
        if !backend::is_superuser() {
            return Err(Error::SuperuserOnly { function: FUNCTION });
        }
        let customer_id = input::key("customer_id", customer_id)?;
        let given = input::required("entries", entries)?.0;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let code = currency::code_or_default(currency)?;
        let finished = finished.unwrap_or(true);
        writing(|session| import(session, (customer_id, &code), &given, key, finished)).map(One)
    })())
}

static DIGEST: Statement = Statement::new(
    c"SELECT CASE jsonb_typeof($1) WHEN 'array' THEN jsonb_array_length($1) END, md5($1::text)",
    &[JSONBOID],
);

/// How many entries there are, and a digest by which a replay is compared. Raises PC013.
fn digest(session: &Session, given: &Json) -> Result<(usize, String), Error> {
    let rows = DIGEST.run(session, &[given.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a question returned no row"))?;
    let length: Option<i32> = row.next()?;
    let length = length.ok_or_else(|| Error::argument("entries", "must be a JSON array of objects"))? as usize;
    if length > ELEMENTS {
        let reason = format!(
            "must have at most {ELEMENTS} elements: import more in several calls of one transaction, with finished => false \
             except in the last"
        );
        return Err(Error::argument("entries", reason));
    }
    Ok((length, row.next()?))
}

/// Memory per entry, from reading to the last line.
const ENTRY_BYTES: usize = 4_096;

fn import(
    session: &Session,
    (customer_id, code): (&str, &str),
    given: &Json,
    key: Option<&str>,
    finished: bool,
) -> Result<ImportRow, Error> {
    let now = settings::now()?;
    let (length, digest) = digest(session, given)?;
    memory::expect(length * ENTRY_BYTES);
    let call = Operation {
        function: FUNCTION.to_string(),
        operation_id: Uuid::now_v7(),
        currency: code.to_string(),
        amount: Decimal::from(length),
        category: None,
        grant_id: None,
        counterparty: None,
        reason: Some(digest),
    };
    let judge = || {
        let decimals = currency::resolve(session, code)?.decimals;
        let entries = sorted(entry::read(session, given, customer_id, decimals)?, now)?;
        let progress = account::open(session, (customer_id, code), &entries)?;
        Ok((entries, progress))
    };
    let (entries, progress) = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(_) => return answer(session, (customer_id, code), true),
        },
    };
    let import = past::Import::begin(now);
    walk::walk(session, &import, (customer_id, code), &entries)?;
    if finished {
        import.go_to(now);
        let book = ledger_account::open_existing(session, customer_id, code, now)?;
        ledger_account::post_due(session, book)?;
    }
    drop(import);
    if finished {
        // What is low or missing now is said now.
        let book = ledger_account::open_existing(session, customer_id, code, now)?;
        ledger_account::evaluate_again(session, book)?;
    }
    account::record(session, (customer_id, code), progress.after(&entries, finished))?;
    answer(session, (customer_id, code), false)
}

/// In the order of time; of those of one moment, as they were given. Raises PC013.
fn sorted(mut entries: Vec<Entry>, now: Time) -> Result<Vec<Entry>, Error> {
    let mut claims: HashMap<(&'static str, String), usize> = HashMap::new();
    for entry in &entries {
        let wrong = |error| Err(Error::Entry { number: entry.number, error: Box::new(error) });
        if !entry.at.is_finite() || entry.at > now {
            return wrong(Error::argument(
                "at",
                format!("must be a past moment: it is {}, and now is {now}", entry.at),
            ));
        }
        if let Some((argument, key)) = entry.claims()
            && let Some(earlier) = claims.insert((argument, key.to_string()), entry.number)
        {
            return wrong(entry.claimed_by(earlier));
        }
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}

/// The account as it stands.
fn answer(session: &Session, (customer_id, code): (&str, &str), replayed: bool) -> Result<ImportRow, Error> {
    let lost = || Error::internal("an account was imported into and is not there");
    let Progress { entries, first_at, last_at, finished } =
        account::progress(session, (customer_id, code))?.ok_or_else(lost)?;
    let book = balance::current(session, customer_id, code)?.ok_or_else(lost)?;
    Ok(ImportRow {
        customer_id: customer_id.to_string(),
        currency: code.to_string(),
        entries,
        lines: book.last_line,
        first_at,
        last_at,
        finished,
        available: book.available,
        restricted: book.restricted,
        pending: book.pending,
        replayed,
    })
}
