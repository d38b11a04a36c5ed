//! Holds: credits set aside for work in progress, later captured in whole or in parts, or released. Changing an open one
//! is in hold/change.rs, what all captures do in hold/capture.rs, and hold/replay.rs where it was done before.
//! `hold_capture` itself may be an event of a meter: it is in metering/capture.rs.

pub mod capture;
mod change;
pub mod replay;

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::{ClosedHold, Debt, Hold, HoldStatus};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting::{self, hold as read_hold};
use crate::ledger::{account, balance, currency, listener};
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
    /// A hold, as its functions return it; amounts in credits of its currency.
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
        /// Credits spent of them so far.
        pub captured: Decimal,
        /// Credits given back.
        pub released: Decimal,
        /// When it expires and counts as released.
        pub expires_at: Time,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// Credits spent in addition to what was set aside.
        pub charged: Decimal,
        /// The capture that this call made, if it has a record of its own.
        pub capture_id: Option<Uuid>,
        /// What this call captured.
        pub capture_amount: Option<Decimal>,
        /// What is owed of it.
        pub pending: Option<Decimal>,
        /// The meter whose usage alone may be captured.
        pub event_name: Option<String>,
    }
}

crate::older!(hold_create_wrapper => hold_create_2_wrapper, 7 of 9);

/// `credits.hold_create`. Raises PC001 to PC005, PC007, PC008, PC013, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn hold_create_2(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    expires_in: Option<Interval>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    event_name: Option<&str>,
    member_id: Option<&str>,
) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let amount = input::number("amount", amount, amount::over_zero)?;
        let event_name = input::optional_key("event_name", event_name)?;
        let member_id = input::optional_key("member_id", member_id)?;
        let texts = Texts { description, metadata: metadata.as_ref(), member_id };
        writing(|session| {
            let now = settings::now()?;
            let meter = event_name.map(|name| listener::meter_in(session, name, currency)).transpose()?;
            let call = Operation {
                function: String::from("hold_create"),
                operation_id: Uuid::now_v7(),
                currency: match &meter {
                    Some(meter) => meter.currency.clone(),
                    None => currency::code_or_default(currency)?,
                },
                amount,
                category: None,
                grant_id: None,
                counterparty: None,
                reason: None,
            };
            let judge = || {
                currency::resolve_for(session, &call.currency, "amount", amount)?;
                match event_name.zip(meter.as_ref()) {
                    None => account::open_for(session, customer_id, &call.currency, amount, now),
                    Some((name, meter)) => {
                        meter.must_be_active(name)?;
                        account::open_for_usage(session, customer_id, &call.currency, amount, now)
                    }
                }
            };
            match operation::begin(session, customer_id, &call, key, &texts, now, judge)? {
                Begun::First(book) => create(session, book, &call, (event_name, expires_in.as_ref()), &texts),
                Begun::Replay(first) => {
                    let row = as_it_stands(session, customer_id, first.operation_id, now, |_, _| Ok(Decimal::ZERO))?;
                    same_meter(key, row, event_name)
                }
            }
        })
        .map(One)
    })())
}

/// The answer to a replay, if the first call was for the same meter. Raises PC002.
fn same_meter(key: Option<&str>, row: HoldRow, event_name: Option<&str>) -> Result<HoldRow, Error> {
    if row.event_name.as_deref() == event_name {
        return Ok(HoldRow { pending: None, ..row });
    }
    let (argument, key, difference) = ("idempotency_key", key.unwrap_or_default().to_string(), "meter");
    let (first, given) = (row.event_name, event_name.map(String::from));
    Err(Error::IdempotencyConflict { argument, key, difference, first, given })
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.holds (customer_id, hold_id, currency, status, amount, grant_ids, grant_amounts, description,
                                 metadata, created_at, expires_at, event_name, member_id)
      VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        TEXTOID,
        TEXTOID,
    ],
)
.before(
    c"INSERT INTO credits_internal.holds (customer_id, hold_id, currency, status, amount, grant_ids, grant_amounts, description,
                                 metadata, created_at, expires_at)
      SELECT $1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10 WHERE $11 IS NULL AND $12 IS NULL",
);

fn create(
    session: &Session,
    mut book: Book,
    call: &Operation,
    (event_name, expires_in): (Option<&str>, Option<&Interval>),
    texts: &Texts<'_>,
) -> Result<HoldRow, Error> {
    let expires_at = match expires_in {
        Some(interval) => interval.after("expires_in", book.posted_at)?,
        None => book.posted_at.plus_seconds(DEFAULT_SECONDS),
    };
    account::admit(session, &mut book, &Use { member_id: texts.member_id, event_name, amount: call.amount })?;
    posting::take_windows(session, &mut [(&mut book, call.amount)], event_name.as_slice())?;
    let hold = book
        .hold(call.operation_id, event_name, call.amount, expires_at)
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
            event_name.cell(),
            texts.member_id.cell(),
        ],
    )?;
    let (currency, status) = (call.currency.clone(), HoldStatus::Open);
    let (captured, charged) = (Decimal::ZERO, Decimal::ZERO);
    let stored = Stored {
        hold,
        currency,
        status,
        amount: call.amount,
        captured,
        charged,
        member_id: texts.member_id.map(String::from),
        event_name: event_name.map(String::from),
    };
    let row = stored.row(&book, false);
    posting::post(session, &[book])?;
    Ok(row)
}

/// `credits.hold_release`: a hold that is neither open nor captured was released already. Raises PC010, PC013.
#[pg_extern(sql = false)]
fn hold_release(customer_id: Option<&str>, hold_id: Option<Id>) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let hold_id = input::required("hold_id", hold_id)?.0;
        writing(|session| {
            let now = settings::now()?;
            let (mut book, mut stored) = open(session, customer_id, hold_id, now)?;
            match stored.status {
                HoldStatus::Open => {
                    take_grants(session, &mut book, &stored.hold, (Decimal::ZERO, &[]))?;
                    let debts = debts(session, &book, &stored.hold, stored.hold.amount())?;
                    book.end_capture(&mut stored.hold, &[], Some(HoldStatus::Released), debts);
                    finish(session, book, stored)
                }
                HoldStatus::Released | HoldStatus::Expired => Ok(stored.row(&book, true)),
                HoldStatus::Captured => Err(stored.not_open()),
            }
        })
        .map(One)
    })())
}

/// A hold from its row, or as changed by what fell due since.
pub struct Stored {
    hold: Hold,
    /// What it counts.
    pub currency: String,
    status: HoldStatus,
    amount: Decimal,
    captured: Decimal,
    charged: Decimal,
    /// The member who spends.
    pub member_id: Option<String>,
    /// The meter whose usage alone may be captured.
    pub event_name: Option<String>,
}

static FIND: Statement = Statement::new(
    c"SELECT hold_id, expires_at, grant_ids, grant_amounts, currency, status, amount, captured, charged, member_id,
             event_name
      FROM credits_internal.holds WHERE customer_id = $1 AND hold_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT hold_id, expires_at, grant_ids, grant_amounts, currency, status, amount, captured, 0::numeric, NULL::text,
             NULL::text
      FROM credits_internal.holds WHERE customer_id = $1 AND hold_id = $2",
);

impl Stored {
    /// Raises PC010.
    pub fn find(session: &Session, customer_id: &str, hold_id: Uuid) -> Result<Self, Error> {
        let rows = FIND.run(session, &[customer_id.cell(), hold_id.cell()])?;
        let mut row = rows.first().ok_or(Error::HoldNotOpen { hold_id, state: "unknown" })?;
        Ok(Stored {
            hold: read_hold(&mut row)?,
            currency: row.next()?,
            status: HoldStatus::parse(&row.next::<String>()?)
                .ok_or_else(|| Error::internal("a hold has an unknown status"))?,
            amount: row.next()?,
            captured: row.next()?,
            charged: row.next()?,
            member_id: row.next()?,
            event_name: row.next()?,
        })
    }

    /// Applies what the book did to it, posted or not.
    fn follow(&mut self, book: &Book) {
        if let Some(ClosedHold { status, captured, .. }) = book.closed.iter().find(|c| c.id == self.hold.id) {
            self.status = *status;
            self.captured += *captured;
        }
    }

    fn row(&self, book: &Book, replayed: bool) -> HoldRow {
        let open = self.status == HoldStatus::Open;
        HoldRow {
            hold_id: self.hold.id,
            customer_id: book.customer_id.clone(),
            currency: self.currency.clone(),
            status: self.status.as_str().to_string(),
            amount: self.amount,
            captured: self.captured,
            released: if open { Decimal::ZERO } else { self.amount - self.captured },
            expires_at: self.hold.expires_at,
            available: book.available,
            replayed,
            charged: self.charged,
            capture_id: None,
            capture_amount: None,
            pending: None,
            event_name: self.event_name.clone(),
        }
    }

    fn not_open(&self) -> Error {
        Error::HoldNotOpen { hold_id: self.hold.id, state: self.status.as_str() }
    }
}

/// The hold under its account's lock, with what is due counted. Raises PC010.
fn open(session: &Session, customer_id: &str, hold_id: Uuid, now: Time) -> Result<(Book, Stored), Error> {
    let currency = Stored::find(session, customer_id, hold_id)?.currency;
    let book = account::open_existing(session, customer_id, &currency, now)?;
    // Read again: while this waited for the lock, another session may have changed it.
    let mut stored = Stored::find(session, customer_id, hold_id)?;
    stored.follow(&book);
    Ok((book, stored))
}

/// Loads what a change of the hold can touch: the grants that gave to it, and those that spending in addition can need, by
/// events of these meters or by a plain debit.
fn take_grants(
    session: &Session,
    book: &mut Book,
    hold: &Hold,
    (need, meters): (Decimal, &[&str]),
) -> Result<(), Error> {
    posting::take_windows(session, &mut [(&mut *book, need)], meters)?;
    posting::take_grants(session, book, &givers(hold))
}

fn givers(hold: &Hold) -> Vec<Uuid> {
    hold.parts.iter().map(|(id, _)| *id).collect()
}

/// The debts that come into play where so many credits of the hold go back, and where the others are spent. Its grants are
/// loaded.
fn debts(session: &Session, book: &Book, hold: &Hold, back: Decimal) -> Result<Vec<Debt>, Error> {
    let givers = givers(hold);
    // If one of the grants is for certain meters only, it may pay any of the debts.
    let restricted = givers.iter().any(|id| book.grant(*id).is_none_or(Grant::is_restricted));
    let credits = (!restricted || back.is_zero()).then_some(back);
    let mut debts = posting::debts(session, book, credits, None)?;
    debts.extend(posting::clawback_debts(session, book, &givers)?);
    Ok(debts)
}

fn finish(session: &Session, book: Book, mut stored: Stored) -> Result<HoldRow, Error> {
    stored.follow(&book);
    let row = stored.row(&book, false);
    posting::post(session, &[book])?;
    Ok(row)
}

/// The answer to a replay; `owed_for` says what is owed of what it captured.
fn as_it_stands(
    session: &Session,
    customer_id: &str,
    hold_id: Uuid,
    now: Time,
    owed_for: impl FnOnce(&Session, &Book) -> Result<Decimal, Error>,
) -> Result<HoldRow, Error> {
    in_one_snapshot(session, |session| {
        let mut stored = Stored::find(session, customer_id, hold_id)?;
        let book = balance::book(session, customer_id, &stored.currency, now)?
            .ok_or_else(|| Error::internal("a hold has no account"))?;
        stored.follow(&book);
        let pending = Some(owed_for(session, &book)?);
        Ok(HoldRow { pending, ..stored.row(&book, true) })
    })
}
