//! Limits of what may be spent: set, changed and removed. Whether spending keeps to them is decided in engine/limit.rs;
//! posting/limits.rs counts.

use crate::amount::{self, Decimal};
use crate::error::{Error, quoted};
use crate::input::{self, Limit as Given};
use crate::ledger::engine::book::Book;
use crate::ledger::engine::limit::{Limit, Per};
use crate::ledger::engine::posting;
use crate::ledger::{account, currency, customer, history, listener};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::subtransaction;
use crate::pg::value::{Cell, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT8OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

/// What may be done where a limit is reached: the names in SQL.
const ACTIONS: [&str; 2] = ["reject", "notify"];
/// The longest rolling window, in seconds: ten years.
const LONGEST: i64 = 3_653 * 86_400;

row! {
    /// What both functions return; amounts in credits of the currency.
    pub struct LimitRow {
        /// Whose.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// Whose spending it limits; NULL for everybody's.
        pub member_id: Option<String>,
        /// The meter; NULL for any spending.
        pub event_name: Option<String>,
        /// 'day', 'month', or the length of a rolling window.
        pub per: String,
        /// Credits, at most; NULL if it is removed.
        pub amount: Option<Decimal>,
        /// 'reject' or 'notify'.
        pub action: Option<String>,
        /// Credits spent in the window, and held.
        pub used: Decimal,
        /// What is left.
        pub remaining: Option<Decimal>,
        /// When the window ends; NULL for a rolling one.
        pub resets_at: Option<Time>,
    }
}

/// A limit to be set.
struct Call<'a> {
    member_id: Option<&'a str>,
    event_name: Option<&'a str>,
    amount: Option<Numeric>,
    per: Option<&'a str>,
    action: Option<&'a str>,
    currency: Option<&'a str>,
}

/// `credits.usage_limit_set`. Raises PC003, PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn usage_limit_set(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    amount: Option<Numeric>,
    per: Option<&str>,
    action: Option<&str>,
    currency: Option<&str>,
) -> Reply<One<LimitRow>> {
    Reply(set(customer_id, Call { member_id: None, event_name, amount, per, action, currency }).map(One))
}

/// `credits.member_limit_set`. Raises PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn member_limit_set(
    customer_id: Option<&str>,
    member_id: Option<&str>,
    amount: Option<Numeric>,
    per: Option<&str>,
    currency: Option<&str>,
) -> Reply<One<LimitRow>> {
    Reply((|| {
        let member_id = Some(input::key("member_id", member_id)?);
        set(customer_id, Call { member_id, event_name: None, amount, per, action: None, currency }).map(One)
    })())
}

fn set(customer_id: Option<&str>, call: Call<'_>) -> Result<LimitRow, Error> {
    let customer_id = input::key("customer_id", customer_id)?;
    let event_name = input::optional_key("event_name", call.event_name)?;
    let action = call.action.map(|action| input::choice("action", Some(action), action, &ACTIONS)).transpose()?;
    writing(|session| {
        let code = match event_name {
            Some(event_name) => currency_of(session, event_name, call.currency)?,
            None => currency::code_or_default(call.currency)?,
        };
        let decimals = currency::resolve(session, &code)?.decimals;
        let per = per(session, call.per)?;
        let check = |n| amount::not_negative(n).and_then(|n| amount::fit(n, decimals));
        let most = input::limit("amount", call.amount, check)?;
        customer::must_exist(session, customer_id)?;
        let book = account::open_or_make(session, customer_id, &code, settings::now()?)?;
        // Spending is counted from the lines that are posted.
        let mut book = account::post_due(session, book)?;
        let limit = (call.member_id, event_name, per);
        match (most, find(session, &mut book, limit)?) {
            (Some(Given::Removed), found) => {
                remove(session, &book, limit)?;
                finish(session, book)?;
                Ok(removed(customer_id, code, limit, found))
            }
            (None, None) => {
                Err(Error::argument("amount", "is required where no such limit is set: NULL leaves one as it is"))
            }
            (most, Some(found)) => {
                let most = if let Some(Given::At(most)) = most { most } else { found.most };
                let rejects = action.map_or(found.rejects, |action| action == ACTIONS[0]);
                keep(session, book, Limit { most, rejects, ..found })
            }
            (Some(Given::At(most)), None) => {
                let rejects = action.is_none_or(|action| action == ACTIONS[0]);
                let limit = count(session, &book, new(&book, limit, most, rejects))?;
                keep(session, book, limit)
            }
        }
    })
}

/// What identifies a limit in its account.
type Key<'a> = (Option<&'a str>, Option<&'a str>, Per);

/// The currency that a limit on a meter's usage is in: the meter's. Raises PC004, PC013.
fn currency_of(session: &Session, event_name: &str, given: Option<&str>) -> Result<String, Error> {
    let meter = listener::meter(session, event_name)?;
    match given {
        Some(code) if code != meter.currency => {
            let reason = format!("must be what the meter charges, {}, or NULL: it is {}", meter.currency, quoted(code));
            Err(Error::argument("currency", reason))
        }
        _ => Ok(meter.currency),
    }
}

static SECONDS: Statement = Statement::new(
    c"SELECT (extract(year FROM i) = 0 AND extract(month FROM i) = 0), extract(epoch FROM i)
      FROM (SELECT $1::interval) AS x (i)",
    &[TEXTOID],
);

/// In which span a limit counts. Raises PC013.
fn per(session: &Session, given: Option<&str>) -> Result<Per, Error> {
    let text = input::required("per", given)?;
    if let Some(per) = Per::parse(text, None) {
        return Ok(per);
    }
    let wrong = || {
        let reason =
            "must be 'day', 'month', or an interval of days, hours, minutes or seconds, from 1 second to ten years";
        Error::argument("per", format!("{reason} (it is {})", quoted(text)))
    };
    // An interval is whatever PostgreSQL reads as one.
    let read = subtransaction::isolate_waiting(|| {
        let rows = SECONDS.run(session, &[text.cell()])?;
        let mut row = rows.first().ok_or_else(|| Error::internal("a question returned no row"))?;
        Ok((row.next::<bool>()?, row.next::<Option<Decimal>>()?))
    });
    let (fixed, seconds) = read.map_err(|_| wrong())?;
    let whole = seconds.filter(|seconds| fixed && seconds.fract().is_zero()).and_then(|s| i64::try_from(s).ok());
    whole.filter(|seconds| (1..=LONGEST).contains(seconds)).map(Per::Rolling).ok_or_else(wrong)
}

/// The limit as it stands, if it is set.
fn find(session: &Session, book: &mut Book, (member_id, event_name, per): Key<'_>) -> Result<Option<Limit>, Error> {
    posting::take_limits(session, std::slice::from_mut(book), member_id.into_iter())?;
    let same = |limit: &&Limit| {
        limit.member_id.as_deref() == member_id && limit.event_name.as_deref() == event_name && limit.per == per
    };
    Ok(book.limits.all.iter().find(same).cloned())
}

fn new(book: &Book, (member_id, event_name, per): Key<'_>, most: Decimal, rejects: bool) -> Limit {
    Limit {
        member_id: member_id.map(String::from),
        event_name: event_name.map(String::from),
        per,
        most,
        rejects,
        reported: false,
        since: per.start(book.posted_at),
        used: Decimal::ZERO,
        held: Decimal::ZERO,
        admitted: Decimal::ZERO,
    }
}

static COUNT: Statement = Statement::new(
    c"SELECT coalesce(sum(s.amount), 0) FROM credits_internal.spending s
      WHERE s.customer_id = $1 AND s.currency = $2 AND s.line_no > $3 AND s.spent_at >= $4
        AND ($5 = '' OR s.member_id = $5) AND ($6 = '' OR s.event_name = $6)",
    &[TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID],
);

static COUNT_ROLLING: Statement = Statement::new(
    c"INSERT INTO credits_internal.rolling_spending (customer_id, currency, member_id, event_name, per, spent_at, amount)
      SELECT $1, $2, $5, $6, $7, s.spent_at, sum(s.amount) FROM credits_internal.spending s
      WHERE s.customer_id = $1 AND s.currency = $2 AND s.line_no > $3 AND s.spent_at >= $4
        AND ($5 = '' OR s.member_id = $5) AND ($6 = '' OR s.event_name = $6)
      GROUP BY s.spent_at HAVING sum(s.amount) <> 0",
    &[TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID],
);

/// A new limit with what was spent in its window before it was set.
fn count(session: &Session, book: &Book, mut limit: Limit) -> Result<Limit, Error> {
    let before = history::last_line_by(session, book, Time(limit.since.0.saturating_sub(1)))?;
    let (member_id, event_name) = names(&limit);
    let cells = [
        book.customer_id.cell(),
        book.currency.cell(),
        before.cell(),
        limit.since.cell(),
        member_id.cell(),
        event_name.cell(),
    ];
    let rows = COUNT.run(session, &cells)?;
    limit.used = rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()?;
    if limit.per.seconds().is_some() {
        COUNT_ROLLING.run(session, &[&cells[..], &[limit.per.name().cell()]].concat())?;
    }
    Ok(limit)
}

fn names(limit: &Limit) -> (&str, &str) {
    (limit.member_id.as_deref().unwrap_or_default(), limit.event_name.as_deref().unwrap_or_default())
}

static KEEP: Statement = Statement::new(
    c"INSERT INTO credits_internal.spending_limits AS l (customer_id, currency, member_id, event_name, per, seconds, amount,
                                                action, reported, since, used, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
      ON CONFLICT (customer_id, currency, member_id, event_name, per)
      DO UPDATE SET amount = excluded.amount, action = excluded.action, reported = excluded.reported",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        INT8OID,
        NUMERICOID,
        TEXTOID,
        BOOLOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        TIMESTAMPTZOID,
    ],
);

/// Writes a limit. That it is reached already, the caller sees: it is published when it is reached later.
fn keep(session: &Session, mut book: Book, limit: Limit) -> Result<LimitRow, Error> {
    let (member_id, event_name) = names(&limit);
    let action = ACTIONS[usize::from(!limit.rejects)];
    let cells: [Cell; 12] = [
        book.customer_id.cell(),
        book.currency.cell(),
        member_id.cell(),
        event_name.cell(),
        limit.per.name().cell(),
        limit.per.seconds().cell(),
        limit.most.cell(),
        action.cell(),
        false.cell(),
        limit.since.cell(),
        limit.used.cell(),
        book.posted_at.cell(),
    ];
    KEEP.run(session, &cells)?;
    book.limited = true;
    // With what is held.
    let key = (limit.member_id.as_deref(), limit.event_name.as_deref(), limit.per);
    let limit = find(session, &mut book, key)?.ok_or_else(|| Error::internal("a limit was set and is not there"))?;
    REPORTED.run(session, &[&cells[..5], &[limit.is_reached().cell()]].concat())?;
    let row = LimitRow {
        customer_id: book.customer_id.clone(),
        currency: book.currency.clone(),
        per: limit.per.name(),
        amount: Some(limit.most),
        action: Some(action.to_string()),
        used: limit.taken(),
        remaining: Some(limit.left()),
        resets_at: limit.per.end(limit.since),
        member_id: limit.member_id,
        event_name: limit.event_name,
    };
    finish(session, book)?;
    Ok(row)
}

static REPORTED: Statement = Statement::new(
    c"UPDATE credits_internal.spending_limits SET reported = $6
      WHERE customer_id = $1 AND currency = $2 AND member_id = $3 AND event_name = $4 AND per = $5",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID],
);

static REMOVE: Statement = Statement::new(
    c"WITH rolling AS (
          DELETE FROM credits_internal.rolling_spending
          WHERE customer_id = $1 AND currency = $2 AND member_id = $3 AND event_name = $4 AND per = $5
      )
      DELETE FROM credits_internal.spending_limits
      WHERE customer_id = $1 AND currency = $2 AND member_id = $3 AND event_name = $4 AND per = $5",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

fn remove(session: &Session, book: &Book, (member_id, event_name, per): Key<'_>) -> Result<(), Error> {
    let cells = [
        book.customer_id.cell(),
        book.currency.cell(),
        member_id.unwrap_or_default().cell(),
        event_name.unwrap_or_default().cell(),
        per.name().cell(),
    ];
    REMOVE.run(session, &cells).map(drop)
}

fn removed(
    customer_id: &str,
    currency: String,
    (member_id, event_name, per): Key<'_>,
    found: Option<Limit>,
) -> LimitRow {
    LimitRow {
        customer_id: customer_id.to_string(),
        currency,
        member_id: member_id.map(String::from),
        event_name: event_name.map(String::from),
        per: per.name(),
        amount: None,
        action: None,
        used: found.map_or(Decimal::ZERO, |limit| limit.taken()),
        remaining: None,
        resets_at: None,
    }
}

static LIMITED: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET limited = EXISTS (SELECT FROM credits_internal.spending_limits l
                            WHERE l.customer_id = a.customer_id AND l.currency = a.currency)
      WHERE a.customer_id = $1 AND a.currency = $2
      RETURNING a.limited",
    &[TEXTOID, TEXTOID],
);

/// Posts the account, whose head may not pay alone while any limit is set.
fn finish(session: &Session, mut book: Book) -> Result<(), Error> {
    let rows = LIMITED.run(session, &[book.customer_id.cell(), book.currency.cell()])?;
    book.limited = rows.first().ok_or_else(|| Error::internal("an account is not there"))?.next()?;
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    book.touch();
    posting::post(session, &[book])
}
