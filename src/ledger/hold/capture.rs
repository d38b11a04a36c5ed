//! Captures: a hold's credits are spent, at once or in parts, and where the caller says so more than it has. What all
//! captures have in common is here, and captures that are no event of a meter; the others are in metering/capture.rs.
//!
//! A capture that spends what the hold has, closes it and has no key is in the hold's row. Any other is an operation of its
//! own, with a row in hold_captures.

use crate::amount::{self, AmountError, Decimal};
use crate::error::{Error, quoted};
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::{HoldStatus, LineType, Source};
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::hold::replay::{replay_of_key, taken};
use crate::ledger::hold::{self, HoldRow, Stored, debts, take_grants};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

/// The name under which captures claim their keys.
pub(super) const FUNCTION: &str = "hold_capture";

/// What to do where a capture comes to more than the hold has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// Refuse it.
    Refuse,
    /// Take the rest from what is available, or refuse.
    Available,
    /// Take what is available, and owe what is left.
    Pending,
}

impl More {
    /// Reads the argument; NULL refuses. Raises PC013.
    pub fn read(given: Option<&str>) -> Result<Self, Error> {
        Ok(match input::choice("more", given, "refuse", &["refuse", "available", "pending"])? {
            "available" => More::Available,
            "pending" => More::Pending,
            _ => More::Refuse,
        })
    }
}

/// A capture as it was asked for.
pub struct Capture<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// The hold.
    pub hold_id: Uuid,
    /// How much; `None` for all that the hold has, or for what the event costs.
    pub amount: Option<Decimal>,
    /// Where that is more than the hold has.
    pub more: More,
    /// Whether it closes the hold.
    pub last: bool,
    /// Whether it may come after the hold ran out: then it takes what is available.
    pub late: bool,
    /// Its idempotency key.
    pub key: Option<&'a str>,
    /// The identifier of the event that it is, if it is one.
    pub identifier: Option<&'a str>,
    /// What is kept with it.
    pub texts: Texts<'a>,
}

/// A capture that may go on: the hold's account is locked and up to date.
pub struct Opened {
    /// The account.
    pub book: Book,
    /// The hold.
    pub stored: Stored,
    /// Whether the hold ran out.
    late: bool,
    /// What may be captured without asking for more.
    left: Decimal,
}

/// How a capture begins.
pub enum Begun {
    /// It may go on.
    Opened(Box<Opened>),
    /// It replays an earlier one.
    Replay(Box<HoldRow>),
}

// What was captured before: in parts, and late.
static EARLIER: Statement = Statement::new(
    c"SELECT coalesce(sum(c.amount) FILTER (WHERE NOT c.final AND NOT c.late), 0),
             coalesce(sum(c.amount) FILTER (WHERE c.late), 0),
             max(c.amount) FILTER (WHERE c.final AND c.late)
      FROM credits_internal.hold_captures c WHERE c.customer_id = $1 AND c.hold_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT 0::numeric, 0::numeric, NULL::numeric WHERE $1 IS NOT NULL AND $2 IS NOT NULL");

/// Locks the hold and decides whether it may be captured. Without a key or an identifier, the last capture of a hold is
/// replayed by its amount. Raises PC010.
pub fn begin(session: &Session, capture: &Capture<'_>, now: Time) -> Result<Begun, Error> {
    let (book, stored) = hold::open(session, capture.customer_id, capture.hold_id, now)?;
    let mut left = stored.hold.amount();
    if stored.status == HoldStatus::Open {
        return Ok(Begun::Opened(Box::new(Opened { book, stored, late: false, left })));
    }
    let rows = EARLIER.run(session, &[capture.customer_id.cell(), capture.hold_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?;
    let (parts, late, late_last): (Decimal, Decimal, Option<Decimal>) = (row.next()?, row.next()?, row.next()?);
    let asked = capture.amount.unwrap_or(left);
    let same = match stored.status {
        HoldStatus::Captured => asked == stored.captured + stored.charged - parts,
        // Capturing nothing is a release.
        _ if asked.is_zero() => true,
        HoldStatus::Expired => late_last == Some(asked),
        _ => false,
    };
    if same && capture.last && capture.key.is_none() && capture.identifier.is_none() {
        let row = stored.row(&book, true);
        return Ok(Begun::Replay(Box::new(HoldRow { capture_amount: Some(asked), ..row })));
    }
    if stored.status != HoldStatus::Expired || !capture.late || late_last.is_some() {
        return Err(stored.not_open());
    }
    left = (left - late).max(Decimal::ZERO);
    Ok(Begun::Opened(Box::new(Opened { book, stored, late: true, left })))
}

impl Opened {
    /// How much of this the hold pays; the rest comes from the balance. Raises PC007 where it is more than the hold has and
    /// more is refused, or finer than the currency.
    pub fn held_part(&self, session: &Session, capture: &Capture<'_>, amount: Decimal) -> Result<Decimal, Error> {
        let reason = match amount::fit(amount, currency::decimals(session, &self.stored.currency)?) {
            Ok(_) if amount > self.left && capture.more == More::Refuse => AmountError::MoreThanHeld(self.left),
            Ok(_) if self.late => return Ok(Decimal::ZERO),
            Ok(_) => return Ok(amount.min(self.left)),
            Err(reason) => reason,
        };
        Err(Error::amount("amount", amount, reason))
    }

    /// Loads what the capture can touch: the grants that pay, and the debts that are paid by what goes back.
    pub fn load(
        &mut self,
        session: &Session,
        capture: &Capture<'_>,
        (held, rest): (Decimal, Decimal),
        meters: &[&str],
    ) -> Result<(), Error> {
        // What is spent may be owed at once, where its price was refunded: then other credits pay it.
        take_grants(session, &mut self.book, &self.stored.hold, (rest + held, meters))?;
        let member = self.stored.member_id.as_deref();
        posting::take_limits(session, std::slice::from_mut(&mut self.book), member.into_iter())?;
        let back = if capture.last && !self.late { self.left - held } else { Decimal::ZERO };
        let debts = debts(session, &self.book, &self.stored.hold, back)?;
        self.book.take_debts(debts);
        Ok(())
    }

    /// Ends the capture of an amount, of which the hold pays `held`, in the tables. `pay_rest` takes the rest from the
    /// balance, between what the hold pays and what goes back, and returns what is owed.
    pub fn finish(
        self,
        session: &Session,
        capture: &Capture<'_>,
        (capture_id, amount, held): (Option<Uuid>, Decimal, Decimal),
        source: &Source,
        pay_rest: impl FnOnce(&mut Book) -> Result<Decimal, Error>,
    ) -> Result<HoldRow, Error> {
        let Opened { mut book, mut stored, late, .. } = self;
        let closes = capture.last && !late;
        let spent = book.capture(&mut stored.hold, held, source);
        let pending = pay_rest(&mut book)?;
        let status = if amount.is_zero() { HoldStatus::Released } else { HoldStatus::Captured };
        book.end_capture(&mut stored.hold, &spent, closes.then_some(status), Vec::new());
        stored.charged += amount - held;
        if !closes && !late {
            stored.captured += held;
            write_part(session, capture.customer_id, &stored)?;
        } else if amount > held {
            let cells = [capture.customer_id.cell(), capture.hold_id.cell(), stored.charged.cell()];
            CHARGE.run(session, &cells)?;
        }
        if let Some(capture_id) = capture_id {
            let cells = [
                capture.customer_id.cell(),
                capture.hold_id.cell(),
                capture_id.cell(),
                amount.cell(),
                held.cell(),
                capture.last.cell(),
                late.cell(),
                capture.identifier.cell(),
                book.posted_at.cell(),
            ];
            RECORD.run(session, &cells)?;
        }
        book.touch();
        let row = hold::finish(session, book, stored)?;
        Ok(HoldRow { capture_id, capture_amount: Some(amount), pending: Some(pending), ..row })
    }
}

static PART: Statement = Statement::new(
    c"UPDATE credits_internal.holds SET captured = $3, charged = $4, grant_ids = $5, grant_amounts = $6
      WHERE customer_id = $1 AND hold_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID, UUIDARRAYOID, NUMERICARRAYOID],
);

static CHARGE: Statement = Statement::new(
    c"UPDATE credits_internal.holds SET charged = $3 WHERE customer_id = $1 AND hold_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID],
);

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.hold_captures (customer_id, hold_id, capture_id, amount, held, final, late, identifier,
                                         created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    &[TEXTOID, UUIDOID, UUIDOID, NUMERICOID, NUMERICOID, BOOLOID, BOOLOID, TEXTOID, TIMESTAMPTZOID],
);

/// What an open hold still has.
fn write_part(session: &Session, customer_id: &str, stored: &Stored) -> Result<(), Error> {
    let cells = [
        customer_id.cell(),
        stored.hold.id.cell(),
        stored.captured.cell(),
        stored.charged.cell(),
        array(stored.hold.parts.iter().map(|(id, _)| *id)),
        array(stored.hold.parts.iter().map(|(_, amount)| *amount)),
    ];
    PART.run(session, &cells).map(drop)
}

/// Writes the operation of a capture, and so claims its key: false if another call has it.
pub fn claim(
    session: &Session,
    capture: &Capture<'_>,
    (capture_id, amount): (Uuid, Decimal),
    stored: &Stored,
    now: Time,
) -> Result<bool, Error> {
    let call = Operation {
        function: FUNCTION.to_string(),
        operation_id: capture_id,
        currency: stored.currency.clone(),
        amount,
        category: None,
        grant_id: None,
        counterparty: None,
        reason: None,
    };
    let texts = Texts { member_id: stored.member_id.as_deref(), ..capture.texts };
    operation::claim(session, capture.customer_id, &call, capture.key, &texts, now)
}

/// Captures credits of a hold, as no event. Raises PC001, PC002, PC007, PC010.
pub fn capture(session: &Session, capture: &Capture<'_>) -> Result<HoldRow, Error> {
    let now = settings::now()?;
    if let Some(row) = replay_of_key(session, capture, now)? {
        return Ok(row);
    }
    let mut opened = match begin(session, capture, now) {
        Ok(Begun::Opened(opened)) => *opened,
        Ok(Begun::Replay(row)) => return Ok(*row),
        // While this waited for the lock, the first call under its key may have committed.
        Err(error) => return replay_of_key(session, capture, now)?.ok_or(error),
    };
    if let Some(row) = replay_of_key(session, capture, now)? {
        return Ok(row);
    }
    let amount = capture.amount.unwrap_or(opened.left);
    if let Some(event_name) = opened.stored.event_name.as_ref().filter(|_| !amount.is_zero()) {
        let reason =
            format!("is required, with the identifier of an event: the hold is for usage of {}", quoted(event_name));
        return Err(Error::argument("event_name", reason));
    }
    let held = opened.held_part(session, capture, amount)?;
    let rest = amount - held;
    let is_plain = capture.last && capture.key.is_none() && rest.is_zero() && !opened.late;
    let capture_id = (!is_plain).then(Uuid::now_v7);
    opened.load(session, capture, (held, rest), &[])?;
    let operation = capture_id.unwrap_or(capture.hold_id);
    match capture_id {
        Some(id) if !claim(session, capture, (id, amount), &opened.stored, now)? => {
            return taken(session, capture, now);
        }
        Some(_) => {}
        None => describe(session, capture)?,
    }
    let member = opened.stored.member_id.clone();
    opened.finish(session, capture, (capture_id, amount, held), &Source::Operation(operation), |book| {
        if rest.is_zero() {
            return Ok(Decimal::ZERO);
        }
        posting::admit(session, book, &Use { member_id: member.as_deref(), event_name: None, amount: rest })?;
        pay_rest(session, book, capture, (operation, rest))
    })
}

/// Takes what the hold does not pay from the balance. Returns what is owed of it. Raises PC001, PC007.
fn pay_rest(
    session: &Session,
    book: &mut Book,
    capture: &Capture<'_>,
    (operation, rest): (Uuid, Decimal),
) -> Result<Decimal, Error> {
    if capture.more != More::Pending {
        return match book.withdraw(LineType::Debit, operation, rest) {
            Ok(_) => Ok(Decimal::ZERO),
            Err(short) => Err(account::insufficient(&book.customer_id, &book.currency, rest, short)),
        };
    }
    account::withdraw_or_owe(session, book, LineType::Debit, operation, rest).map(|charged| charged.pending)
}

static DESCRIBE: Statement = Statement::new(
    c"UPDATE credits_internal.holds SET capture_description = $3, capture_metadata = $4 WHERE customer_id = $1
      AND hold_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, JSONBOID],
);

fn describe(session: &Session, capture: &Capture<'_>) -> Result<(), Error> {
    let Texts { description, metadata, .. } = capture.texts;
    if description.is_none() && metadata.is_none() {
        return Ok(());
    }
    let cells = [capture.customer_id.cell(), capture.hold_id.cell(), description.cell(), metadata.cell()];
    DESCRIBE.run(session, &cells).map(drop)
}
