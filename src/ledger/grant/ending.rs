//! Ending grants by hand, in whole or in part: voided or expired; and grants that were a mistake, of which what was spent
//! is owed.

use crate::amount::{self, Decimal};
use crate::error::{Error, Spender};
use crate::input;
use crate::ledger::engine::book::{Book, Mistake, Owed, Short};
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::change::{currency_of, open};
use crate::ledger::grant::{GrantRow, find};
use crate::ledger::{account, currency};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::ToCell;
use crate::settings::{self, Spent};
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// `credits.credit_grant_void`. Raises PC001, PC002, PC007, PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_void_2(
    customer_id: Option<&str>,
    grant_id: Option<Id>,
    reason: Option<&str>,
    amount: Option<Numeric>,
    spent: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<GrantRow>> {
    Reply((|| {
        let spent = spent.map(|name| Spent::parse(name).ok_or_else(|| input::none_of("spent", name, &Spent::NAMES)));
        let ending = Ending {
            function: "credit_grant_void",
            status: Status::Voided,
            line_type: LineType::Void,
            reason,
            owes: spent.transpose()? == Some(Spent::Pending),
        };
        perform(customer_id, grant_id, amount, idempotency_key, &ending)
    })())
}

/// `credits.credit_grant_expire`. Raises PC001, PC002, PC007, PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_expire_2(
    customer_id: Option<&str>,
    grant_id: Option<Id>,
    amount: Option<Numeric>,
    idempotency_key: Option<&str>,
) -> Reply<One<GrantRow>> {
    let ending = Ending {
        function: "credit_grant_expire",
        status: Status::Expired,
        line_type: LineType::Expiration,
        reason: None,
        owes: false,
    };
    Reply(perform(customer_id, grant_id, amount, idempotency_key, &ending))
}

/// How a grant is ended.
struct Ending<'a> {
    function: &'static str,
    status: Status,
    line_type: LineType,
    reason: Option<&'a str>,
    /// Whether what was spent is owed.
    owes: bool,
}

fn perform(
    customer_id: Option<&str>,
    grant_id: Option<Id>,
    amount: Option<Numeric>,
    idempotency_key: Option<&str>,
    ending: &Ending<'_>,
) -> Result<One<GrantRow>, Error> {
    let customer_id = input::key("customer_id", customer_id)?;
    input::text("reason", ending.reason)?;
    let grant_id = input::required("grant_id", grant_id)?.0;
    let amount = input::optional_number("amount", amount, amount::over_zero)?;
    let key = input::optional_key("idempotency_key", idempotency_key)?;
    if amount.is_none() && key.is_some() {
        return Err(Error::argument("idempotency_key", "belongs to an amount: all of a grant ends once"));
    }
    writing(|session| {
        let replayed = match amount {
            Some(amount) => end_part(session, customer_id, (grant_id, amount), key, ending)?,
            None => {
                let ended = end(session, customer_id, grant_id, ending.status, ending.reason)?;
                let owing = ending.owes && owe_all(session, customer_id, grant_id, ending)?;
                ended && !owing
            }
        };
        find(session, customer_id, grant_id, replayed).map(One)
    })
}

/// Ends a grant of imported history, or so much of it: voided or expired. Returns whether it had ended before. Raises PC001,
/// PC007, PC009, PC013.
pub fn end_in_history(
    session: &Session,
    customer_id: &str,
    (grant_id, amount): (Uuid, Option<Decimal>),
    status: Status,
    reason: Option<&str>,
) -> Result<bool, Error> {
    let Some(amount) = amount else { return end(session, customer_id, grant_id, status, reason) };
    let (function, line_type) = match status {
        Status::Voided => ("credit_grant_void", LineType::Void),
        _ => ("credit_grant_expire", LineType::Expiration),
    };
    let ending = Ending { function, status, line_type, reason, owes: false };
    end_part(session, customer_id, (grant_id, amount), None, &ending)
}

static RECORD_END: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants SET ended_at = $3, ended_reason = $4 WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID],
);

/// Ends all of a grant now. One that has ended already, in any way, stays as it is: returns whether it has. Raises PC009.
pub fn end(
    session: &Session,
    customer_id: &str,
    grant_id: Uuid,
    status: Status,
    reason: Option<&str>,
) -> Result<bool, Error> {
    let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
    if grant.has_ended(book.posted_at) {
        return Ok(true);
    }
    let mut book = account::post_due_before_taking_back(session, book)?;
    posting::take_windows(session, &mut [(&mut book, grant.remaining)], &[])?;
    posting::take_grants(session, &mut book, &[grant_id])?;
    book.end_grant(grant_id, status);
    RECORD_END.run(session, &[customer_id.cell(), grant_id.cell(), book.posted_at.cell(), reason.cell()])?;
    posting::post(session, &[book])?;
    Ok(false)
}

/// Ends so much of a grant that has begun, at most what is left of it; nothing of one that has ended. Raises PC009.
pub fn end_at_most(
    session: &Session,
    customer_id: &str,
    grant_id: Uuid,
    amount: Decimal,
    reason: &str,
) -> Result<(), Error> {
    let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
    let amount = amount.min(grant.remaining);
    if grant.has_ended(book.posted_at) || grant.status == Status::Scheduled || amount <= Decimal::ZERO {
        return Ok(());
    }
    let call = Operation {
        function: String::from("credit_grant_void"),
        operation_id: Uuid::now_v7(),
        currency: book.currency.clone(),
        amount,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: None,
    };
    let texts = Texts { description: Some(reason), ..Texts::default() };
    operation::claim(session, customer_id, &call, None, &texts, book.posted_at)?;
    let mut book = account::post_due_before_taking_back(session, book)?;
    posting::take_windows(session, &mut [(&mut book, amount)], &[])?;
    posting::take_grants(session, &mut book, &[grant_id])?;
    let ended = book.end_part(LineType::Void, grant_id, call.operation_id, amount);
    ended.map_err(|_| Error::internal("a grant has less left than it had"))?;
    RECORD_PART.run(session, &[customer_id.cell(), grant_id.cell(), amount.cell()])?;
    posting::post(session, &[book])
}

static RECORD_PART: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants SET parts_ended = parts_ended + $3 WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID],
);

/// Ends part of a grant, once per key. Returns whether it is a replay.
fn end_part(
    session: &Session,
    customer_id: &str,
    (grant_id, amount): (Uuid, Decimal),
    key: Option<&str>,
    ending: &Ending<'_>,
) -> Result<bool, Error> {
    let now = settings::now()?;
    let call = Operation {
        function: ending.function.to_string(),
        operation_id: Uuid::now_v7(),
        currency: currency_of(session, customer_id, grant_id)?,
        amount,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: ending.owes.then(|| String::from("pending")),
    };
    let texts = Texts { description: ending.reason, ..Texts::default() };
    let judge = || {
        let decimals = currency::decimals(session, &call.currency)?;
        amount::fit(amount, decimals).map_err(|reason| Error::amount("amount", amount, reason))?;
        let (book, grant) = open(session, customer_id, grant_id, now)?;
        if grant.status == Status::Scheduled {
            let reason = "cannot be part of a grant that has not begun: void it, and grant another";
            return Err(Error::argument("amount", reason));
        }
        if grant.has_ended(book.posted_at) && !ending.owes {
            return Err(Error::argument("amount", "cannot be part of a grant that has ended: nothing of it remains"));
        }
        Ok((book, grant))
    };
    let (book, grant) = match operation::begin(session, customer_id, &call, key, &texts, now, judge)? {
        Begun::Replay(_) => return Ok(true),
        Begun::First(judged) => judged,
    };
    let mut book = account::post_due_before_taking_back(session, book)?;
    let short = |short: Short| Error::InsufficientCredits {
        customer_id: customer_id.to_string(),
        currency: call.currency.clone(),
        available: short.available,
        requested: amount,
        by: Spender::Grant,
    };
    if ending.owes {
        let facts = Facts::read(session, customer_id, grant_id)?;
        let mistake = facts.mistake(&call, &grant, Some(amount));
        take_grant(session, &mut book, &grant)?;
        let owed = book.judge_mistake(&mistake).map_err(short)?;
        take_mistake(session, book, &mistake, owed)?;
    } else {
        posting::take_windows(session, &mut [(&mut book, amount)], &[])?;
        posting::take_grants(session, &mut book, &[grant_id])?;
        book.end_part(ending.line_type, grant_id, call.operation_id, amount).map_err(short)?;
        RECORD_PART.run(session, &[customer_id.cell(), grant_id.cell(), amount.cell()])?;
        posting::post(session, &[book])?;
    }
    Ok(false)
}

/// What was spent of a grant that has just been ended, or was earlier, is owed: once. Returns whether anything is.
fn owe_all(session: &Session, customer_id: &str, grant_id: Uuid, ending: &Ending<'_>) -> Result<bool, Error> {
    let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
    let mut book = account::post_due_before_taking_back(session, book)?;
    let mut call = Operation {
        function: ending.function.to_string(),
        operation_id: Uuid::now_v7(),
        currency: book.currency.clone(),
        amount: Decimal::ZERO,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: Some(String::from("pending")),
    };
    let facts = Facts::read(session, customer_id, grant_id)?;
    let mistake = facts.mistake(&call, &grant, None);
    take_grant(session, &mut book, &grant)?;
    let owed = book.judge_mistake(&mistake).unwrap_or_default();
    if owed.credits() <= Decimal::ZERO {
        return Ok(false);
    }
    call.amount = owed.credits();
    let texts = Texts { description: ending.reason, ..Texts::default() };
    operation::claim(session, customer_id, &call, None, &texts, book.posted_at)?;
    take_mistake(session, book, &mistake, owed)?;
    Ok(true)
}

macro_rules! facts {
    ($bought:literal, $invoiced:literal) => {
        text!(
            "SELECT (SELECT coalesce(sum(p.amount), 0)
                     FROM credits_internal.holds h
                     CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
                     WHERE h.customer_id = $1 AND h.status = 'open' AND p.grant_id = $2),
                    (SELECT coalesce(sum(r.consumed + r.pending), 0) FROM credits_internal.reclaims r
                     WHERE r.customer_id = $1 AND r.grant_id = $2 AND r.undone_at IS NULL),
                    EXISTS (SELECT FROM credits_internal.",
            $bought,
            " b WHERE b.customer_id = $1 AND b.grant_id = $2)",
            $invoiced
        )
    };
}
static FACTS: Statement = Statement::new(
    facts!(
        "invoice_lines",
        " OR EXISTS (SELECT FROM credits_internal.invoiced_credits o
                     WHERE o.customer_id = $1 AND o.grant_id = $2)"
    ),
    &[TEXTOID, UUIDOID],
)
.before(facts!("top_ups", ""));

/// What the tables say of a grant, apart from its row.
struct Facts {
    /// What open holds have of it.
    held: Decimal,
    /// What is owed of it already, or was paid for.
    counted: Decimal,
}

impl Facts {
    /// Reads them. Raises PC013 for what was bought.
    fn read(session: &Session, customer_id: &str, grant_id: Uuid) -> Result<Self, Error> {
        let rows = FACTS.run(session, &[customer_id.cell(), grant_id.cell()])?;
        let mut row = rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?;
        let facts = Facts { held: row.next()?, counted: row.next()? };
        if row.next()? {
            let reason =
                "cannot be 'pending': the grant was bought; have its payment refunded (credits.payment_refunded)";
            return Err(Error::argument("spent", reason));
        }
        Ok(facts)
    }

    fn mistake<'g>(&self, call: &Operation, grant: &'g Grant, credits: Option<Decimal>) -> Mistake<'g> {
        Mistake {
            operation_id: call.operation_id,
            grant_id: grant.id,
            credits,
            event_name: grant.meters.as_ref().and_then(|meters| meters.first().map(String::as_str)),
            held: self.held,
            counted: self.counted,
        }
    }
}

/// Loads a grant, and those that can pay what may be owed for it.
fn take_grant(session: &Session, book: &mut Book, grant: &Grant) -> Result<(), Error> {
    let meters: Vec<&str> = grant.meters.iter().flatten().map(String::as_str).collect();
    posting::take_windows(session, &mut [(&mut *book, grant.amount + grant.remaining)], &meters)?;
    posting::take_grants(session, book, &[grant.id])
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.reclaims (customer_id, operation_id, grant_id, currency, credits, owes, event_name,
                                             created_at)
      VALUES ($1, $2, $3, $4, $5, true, $6, $7)",
    &[TEXTOID, UUIDOID, UUIDOID, TEXTOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID],
);

fn take_mistake(session: &Session, mut book: Book, mistake: &Mistake<'_>, owed: Owed) -> Result<(), Error> {
    let decimals = currency::decimals(session, &book.currency)?;
    if !amount::is_countable(book.pending + owed.owed, decimals) {
        return Err(Error::amount("amount", owed.credits(), amount::AmountError::TooMuchOwed));
    }
    RECORD.run(
        session,
        &[
            book.customer_id.cell(),
            mistake.operation_id.cell(),
            mistake.grant_id.cell(),
            book.currency.cell(),
            owed.credits().cell(),
            mistake.event_name.cell(),
            book.posted_at.cell(),
        ],
    )?;
    book.take_mistake(mistake, owed);
    posting::post(session, &[book])
}

crate::older!(credit_grant_void_wrapper => credit_grant_void_2_wrapper, 3 of 6);
crate::older!(credit_grant_expire_wrapper => credit_grant_expire_2_wrapper, 2 of 4);
