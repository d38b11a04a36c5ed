//! Holds: credits set aside for work in progress, later captured in whole or part, or released.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::{ClosedHold, Hold, HoldStatus};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting::{self, hold as read_hold};
use crate::ledger::{account, balance, currency};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, in_one_snapshot, writing};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

/// How long a hold lasts by default, in seconds.
const DEFAULT_SECONDS: i64 = 15 * 60;

row! {
    /// A hold, as all three functions return it; amounts in credits of its currency.
    pub struct HoldRow {
        /// Its id.
        pub hold_id: Uuid,
        /// Whose it is.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// 'open', 'captured', 'released' or 'expired'.
        pub status: String,
        /// Credits set aside.
        pub amount: Decimal,
        /// Credits spent of them.
        pub captured: Decimal,
        /// Credits given back.
        pub released: Decimal,
        /// When it expires and counts as released.
        pub expires_at: Time,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// `credits.hold_create`. Raises PC001, PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn hold_create(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    expires_in: Option<Interval>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let amount = input::number("amount", amount, amount::over_zero)?;
        let call = Operation {
            function: String::from("hold_create"),
            operation_id: Uuid::now_v7(),
            currency: currency::code_or_default(currency)?,
            amount,
            category: None,
            grant_id: None,
            counterparty: None,
            reason: None,
        };
        let texts = Texts { description, metadata: metadata.as_ref(), ..Texts::default() };
        writing(|session| {
            let now = settings::now()?;
            let judge = || {
                currency::resolve_for(session, &call.currency, "amount", amount)
                    .and_then(|_| account::open_for(session, customer_id, &call.currency, amount, now))
            };
            match operation::begin(session, customer_id, &call, key, &texts, now, judge)? {
                Begun::First(book) => create(session, book, &call, expires_in.as_ref(), &texts),
                Begun::Replay(first) => as_it_stands(session, customer_id, first.operation_id, now),
            }
        })
        .map(One)
    })())
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.holds (customer_id, hold_id, currency, status, amount, grant_ids, grant_amounts, description,
                                 metadata, created_at, expires_at)
      VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        NUMERICOID,
        UUIDARRAYOID,
        NUMERICARRAYOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
    ],
);

fn create(
    session: &Session,
    mut book: Book,
    call: &Operation,
    expires_in: Option<&Interval>,
    texts: &Texts<'_>,
) -> Result<HoldRow, Error> {
    let expires_at = match expires_in {
        Some(interval) => interval.after("expires_in", book.posted_at)?,
        None => book.posted_at.plus_seconds(DEFAULT_SECONDS),
    };
    posting::take_windows(session, &mut [(&mut book, call.amount)], &[])?;
    let hold = book
        .hold(call.operation_id, call.amount, expires_at)
        .map_err(|short| account::insufficient(&book.customer_id, &call.currency, call.amount, short))?;
    INSERT.run(
        session,
        &[
            book.customer_id.cell(),
            hold.id.cell(),
            call.currency.cell(),
            call.amount.cell(),
            array(hold.parts.iter().map(|(id, _)| *id)),
            array(hold.parts.iter().map(|(_, amount)| *amount)),
            texts.description.cell(),
            texts.metadata.cell(),
            book.posted_at.cell(),
            expires_at.cell(),
        ],
    )?;
    let stored = Stored { hold, currency: call.currency.clone(), status: HoldStatus::Open, captured: Decimal::ZERO };
    let row = stored.row(&book, false);
    posting::post(session, &[book])?;
    Ok(row)
}

/// `credits.hold_capture`. Raises PC007, PC010, PC013.
#[pg_extern(sql = false)]
fn hold_capture(
    customer_id: Option<&str>,
    hold_id: Option<Id>,
    amount: Option<Numeric>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let hold_id = input::required("hold_id", hold_id)?.0;
        let amount = input::optional_number("amount", amount, amount::not_negative)?;
        writing(|session| {
            let now = settings::now()?;
            let (mut book, stored) = open(session, customer_id, hold_id, now)?;
            let held = stored.hold.amount();
            let captured = amount.unwrap_or(held);
            match stored.status {
                HoldStatus::Open => {
                    check(session, &stored, captured, held)?;
                    describe(session, customer_id, hold_id, description, metadata.as_ref())?;
                    close(session, &mut book, &stored.hold, captured)?;
                    finish(session, book, stored)
                }
                HoldStatus::Captured if stored.captured == captured => Ok(stored.row(&book, true)),
                // Capturing nothing is a release.
                HoldStatus::Released | HoldStatus::Expired if captured.is_zero() => Ok(stored.row(&book, true)),
                state => Err(Error::HoldNotOpen { hold_id, state: state.as_str() }),
            }
        })
        .map(One)
    })())
}

/// Checks the amount captured: at most what is held, in the currency's decimals. Raises PC007.
fn check(session: &Session, stored: &Stored, captured: Decimal, held: Decimal) -> Result<(), Error> {
    let reason = if captured > held {
        AmountError::MoreThanHeld(held)
    } else {
        match amount::fit(captured, currency::decimals(session, &stored.currency)?) {
            Ok(_) => return Ok(()),
            Err(reason) => reason,
        }
    };
    Err(Error::amount("amount", captured, reason))
}

static DESCRIBE: Statement = Statement::new(
    c"UPDATE credits_internal.holds SET capture_description = $3, capture_metadata = $4 WHERE customer_id = $1
      AND hold_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, JSONBOID],
);

fn describe(
    session: &Session,
    customer_id: &str,
    hold_id: Uuid,
    description: Option<&str>,
    metadata: Option<&Json>,
) -> Result<(), Error> {
    if description.is_none() && metadata.is_none() {
        return Ok(());
    }
    DESCRIBE.run(session, &[customer_id.cell(), hold_id.cell(), description.cell(), metadata.cell()]).map(drop)
}

/// `credits.hold_release`: a hold that is neither open nor captured was released already. Raises PC010, PC013.
#[pg_extern(sql = false)]
fn hold_release(customer_id: Option<&str>, hold_id: Option<Id>) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let hold_id = input::required("hold_id", hold_id)?.0;
        writing(|session| {
            let now = settings::now()?;
            let (mut book, stored) = open(session, customer_id, hold_id, now)?;
            match stored.status {
                HoldStatus::Open => {
                    close(session, &mut book, &stored.hold, Decimal::ZERO)?;
                    finish(session, book, stored)
                }
                HoldStatus::Released | HoldStatus::Expired => Ok(stored.row(&book, true)),
                HoldStatus::Captured => Err(Error::HoldNotOpen { hold_id, state: stored.status.as_str() }),
            }
        })
        .map(One)
    })())
}

/// A hold from its row, or as changed by what fell due since.
struct Stored {
    hold: Hold,
    currency: String,
    status: HoldStatus,
    captured: Decimal,
}

static FIND: Statement = Statement::new(
    c"SELECT hold_id, expires_at, grant_ids, grant_amounts, currency, status, captured FROM credits_internal.holds
      WHERE customer_id = $1 AND hold_id = $2",
    &[TEXTOID, UUIDOID],
);

impl Stored {
    /// Raises PC010.
    fn find(session: &Session, customer_id: &str, hold_id: Uuid) -> Result<Self, Error> {
        let rows = FIND.run(session, &[customer_id.cell(), hold_id.cell()])?;
        let mut row = rows.first().ok_or(Error::HoldNotOpen { hold_id, state: "unknown" })?;
        Ok(Stored {
            hold: read_hold(&mut row)?,
            currency: row.next()?,
            status: HoldStatus::parse(&row.next::<String>()?)
                .ok_or_else(|| Error::internal("a hold has an unknown status"))?,
            captured: row.next()?,
        })
    }

    /// Applies what the book did to it, posted or not.
    fn follow(&mut self, book: &Book) {
        if let Some(ClosedHold { status, captured, .. }) = book.closed.iter().find(|c| c.id == self.hold.id) {
            (self.status, self.captured) = (*status, *captured);
        }
    }

    fn row(&self, book: &Book, replayed: bool) -> HoldRow {
        let amount = self.hold.amount();
        let open = self.status == HoldStatus::Open;
        HoldRow {
            hold_id: self.hold.id,
            customer_id: book.customer_id.clone(),
            currency: self.currency.clone(),
            status: self.status.as_str().to_string(),
            amount,
            captured: self.captured,
            released: if open { Decimal::ZERO } else { amount - self.captured },
            expires_at: self.hold.expires_at,
            available: book.available,
            replayed,
        }
    }
}

/// The hold under its account's lock, with what is due counted. Raises PC010.
fn open(session: &Session, customer_id: &str, hold_id: Uuid, now: Time) -> Result<(Book, Stored), Error> {
    let currency = Stored::find(session, customer_id, hold_id)?.currency;
    let book = account::open_existing(session, customer_id, &currency, now)?;
    // Read again: while this waited for the lock, another session may have closed it.
    let mut stored = Stored::find(session, customer_id, hold_id)?;
    stored.follow(&book);
    Ok((book, stored))
}

fn close(session: &Session, book: &mut Book, hold: &Hold, captured: Decimal) -> Result<(), Error> {
    posting::take_windows(session, &mut [(&mut *book, Decimal::ZERO)], &[])?;
    let givers: Vec<Uuid> = hold.parts.iter().map(|(id, _)| *id).collect();
    posting::take_grants(session, book, &givers)?;
    let mut debts = posting::debts(session, book, Some(hold.amount() - captured), None)?;
    debts.extend(posting::clawback_debts(session, book, &givers)?);
    book.close_hold(hold, captured, debts);
    Ok(())
}

fn finish(session: &Session, book: Book, mut stored: Stored) -> Result<HoldRow, Error> {
    stored.follow(&book);
    let row = stored.row(&book, false);
    posting::post(session, &[book])?;
    Ok(row)
}

/// The answer to a replay.
fn as_it_stands(session: &Session, customer_id: &str, hold_id: Uuid, now: Time) -> Result<HoldRow, Error> {
    in_one_snapshot(session, |session| {
        let mut stored = Stored::find(session, customer_id, hold_id)?;
        let book = balance::book(session, customer_id, &stored.currency, now)?
            .ok_or_else(|| Error::internal("a hold has no account"))?;
        stored.follow(&book);
        Ok(stored.row(&book, true))
    })
}
