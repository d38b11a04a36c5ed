//! Balances: what a customer has at this moment, whether or not what fell due has been posted.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::posting;
use crate::moment::Time;
use crate::pg::call::reply::{Columns, Many, Maybe, Reply};
use crate::pg::statement::{Session, Statement, in_one_snapshot, reading, text};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};
use pgrx::{pg_extern, warning};
use std::collections::HashMap;
use uuid::Uuid;

row! {
    /// One account as `wallet_balance` returns it; amounts in credits of its currency.
    pub struct BalanceRow {
        /// The currency's code.
        pub currency: String,
        /// What a plain debit may take.
        pub available: Decimal,
        /// What only certain meters' events may take.
        pub restricted: Decimal,
        /// Set aside.
        pub held: Decimal,
        /// Usage not yet paid.
        pub pending: Decimal,
        /// When credits are lost next.
        pub next_expiry_at: Option<Time>,
        /// How many are lost then.
        pub next_expiry_amount: Option<Decimal>,
    }
}

static CURRENCIES: Statement = Statement::new(
    c"SELECT currency FROM credits_internal.accounts WHERE customer_id = $1 ORDER BY currency",
    &[TEXTOID],
);

/// The currencies in which a customer has an account.
pub fn currencies(session: &Session, customer_id: &str) -> Result<Vec<String>, Error> {
    CURRENCIES.run(session, &[customer_id.cell()])?.iter().map(|mut row| row.next()).collect()
}

/// `credits_internal.balance_now`: the general way of `wallet_balance`, which SQL answers alone when an account's row
/// is current. NULL without a currency, or with `or_null` if the account is damaged. Writes nothing. Raises PC008,
/// PC013.
#[pg_extern(sql = false)]
fn balance_now(customer_id: Option<&str>, currency: Option<&str>, or_null: Option<bool>) -> Reply<Maybe<BalanceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let Some(code) = currency else { return Ok(Maybe(None)) };
        let now = settings::now()?;
        let row = reading(|session| match book(session, customer_id, code, now)? {
            Some(book) => balance(session, book),
            None => {
                currency::check_exists(session, code)?;
                Ok(nothing(code))
            }
        });
        if or_null == Some(true) { unless_damaged(customer_id, code, row) } else { row.map(Some) }.map(Maybe)
    })())
}

/// What was read of an account, for a view that shows others as well: nothing, and a warning, if it is damaged.
fn unless_damaged<T>(customer_id: &str, currency: &str, read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error @ Error::Internal { .. }) => {
            warning!("the account of {customer_id:?} in {currency} cannot be read: {}", error.sentence());
            Ok(None)
        }
        read => read.map(Some),
    }
}

row! {
    /// A grant with a change that is due but not posted yet, as `due_grants` returns it.
    pub struct DueGrantRow {
        /// Which.
        pub grant_id: Uuid,
        /// What it is now.
        pub status: String,
        /// What is left of it now.
        pub remaining: Decimal,
        /// How much of it has expired or was voided by now.
        pub lapsed: Decimal,
        /// What it rolled over into.
        pub rolled_to: Option<Uuid>,
        /// How many credits went on.
        pub rolled_over: Option<Decimal>,
    }
}

/// `credits_internal.due_grants`: what the view grants needs to be right at the moment of reading. Raises PC013.
#[pg_extern(sql = false)]
fn due_grants(customer_id: Option<&str>, currency: Option<&str>) -> Reply<Many<DueGrantRow>> {
    Reply(due_rows(customer_id, currency, |book| {
        let next = book.rolled_to();
        let changed = book.loaded().filter(|g| g.changed);
        let rows = changed.map(|g| DueGrantRow {
            grant_id: g.id,
            status: g.status.as_str().to_string(),
            remaining: g.remaining,
            lapsed: g.lapsed,
            rolled_to: next.get(&g.id).map(|next| next.grant_id),
            rolled_over: next.get(&g.id).map(|next| next.amount),
        });
        rows.collect()
    }))
}

row! {
    /// A grant that another rolled over into, which is due but not posted yet, as `due_rollovers` returns it.
    pub struct DueRolloverRow {
        /// Which.
        pub grant_id: Uuid,
        /// The last of the grants before it that is stored: they have the same terms.
        pub stored_id: Uuid,
        /// The grant that rolled over into it.
        pub rolled_from: Uuid,
        /// What it is now.
        pub status: String,
        /// What went on.
        pub amount: Decimal,
        /// What is left of it now.
        pub remaining: Decimal,
        /// How much of it has expired by now.
        pub lapsed: Decimal,
        /// When it began.
        pub effective_at: Time,
        /// When it ends.
        pub expires_at: Time,
        /// Whether it began as a suspended one.
        pub suspended: bool,
        /// What was paid for it.
        pub cost_amount: Option<Decimal>,
        /// How often it may roll over.
        pub times_left: Option<i32>,
        /// What it rolled over into.
        pub rolled_to: Option<Uuid>,
        /// How many credits went on.
        pub rolled_over: Option<Decimal>,
    }
}

/// `credits_internal.due_rollovers`: the other part of what the view grants needs. Raises PC013.
#[pg_extern(sql = false)]
fn due_rollovers(customer_id: Option<&str>, currency: Option<&str>) -> Reply<Many<DueRolloverRow>> {
    if customer_id.is_none() {
        return Reply(Ok(Many(Vec::new())));
    }
    Reply(due_rows(customer_id, currency, |book| {
        let next = book.rolled_to();
        let grants: HashMap<Uuid, &Grant> = book.loaded().map(|grant| (grant.id, grant)).collect();
        let rows = book.rolled_over.iter().filter_map(|of| {
            let (grant, next) = (grants.get(&of.grant_id)?, next.get(&of.grant_id));
            Some(DueRolloverRow {
                grant_id: of.grant_id,
                stored_id: of.rolling.stored_id,
                rolled_from: of.rolled_from,
                status: grant.status.as_str().to_string(),
                amount: of.amount,
                remaining: grant.remaining,
                lapsed: grant.lapsed,
                effective_at: of.effective_at,
                expires_at: of.expires_at,
                suspended: of.suspended,
                cost_amount: of.rolling.cost.map(|(amount, _)| amount),
                times_left: of.rolling.times_left,
                rolled_to: next.map(|next| next.grant_id),
                rolled_over: next.map(|next| next.amount),
            })
        });
        rows.collect()
    }))
}

row! {
    /// An event whose debt is paid by credits that are due but not posted yet, as `due_events` returns it.
    pub struct DueEventRow {
        /// Which.
        pub identifier: String,
        /// Credits paid by now.
        pub consumed: Decimal,
        /// Credits owed by now.
        pub pending: Decimal,
    }
}

/// `credits_internal.due_events`: what the view usage needs to be right at the moment of reading. Raises PC013.
#[pg_extern(sql = false)]
fn due_events(customer_id: Option<&str>, currency: Option<&str>) -> Reply<Many<DueEventRow>> {
    Reply(due_rows(customer_id, currency, |book| {
        let paid = book.changed_debts().filter_map(|debt| {
            let identifier = debt.source.identifier()?.to_string();
            Some(DueEventRow { identifier, consumed: debt.consumed, pending: debt.pending })
        });
        paid.collect()
    }))
}

/// What is due in an account but not posted yet; nothing if it is damaged.
fn due_rows<T: Columns>(
    customer_id: Option<&str>,
    currency: Option<&str>,
    rows: impl FnOnce(&Book) -> Vec<T>,
) -> Result<Many<T>, Error> {
    let customer_id = input::key("customer_id", customer_id)?;
    let code = input::required("currency", currency)?;
    let now = settings::now()?;
    let found = reading(|session| Ok(book(session, customer_id, code, now)?.as_ref().map(rows).unwrap_or_default()));
    unless_damaged(customer_id, code, found).map(|rows| Many(rows.unwrap_or_default()))
}

/// The account as it stands now, if there is one: for answering a replay.
pub fn current(session: &Session, customer_id: &str, currency: &str) -> Result<Option<Book>, Error> {
    let now = settings::now()?;
    in_one_snapshot(session, |session| book(session, customer_id, currency, now))
}

/// The account as it stands at `now`: what is due is counted but not posted. All statements must read in one snapshot.
pub fn book(session: &Session, customer_id: &str, currency: &str, now: Time) -> Result<Option<Book>, Error> {
    let Some(mut book) = posting::read_one(session, customer_id, currency)? else { return Ok(None) };
    posting::bring_up_to_date(session, std::slice::from_mut(&mut book), now)?;
    Ok(Some(book))
}

macro_rules! next_expiry {
    ($columns:expr, $joins:expr) => {
        text!(
            "SELECT g.grant_id, g.expires_at, g.remaining, ",
            $columns,
            " FROM credits_internal.credit_grants g ",
            $joins,
            " WHERE g.customer_id = $1 AND g.currency = $2 AND g.status = 'granted' AND g.expires_at = (
                  SELECT min(e.expires_at) FROM credits_internal.credit_grants e
                  WHERE e.customer_id = $1 AND e.currency = $2 AND e.status = 'granted'
                    AND e.expires_at > $3 AND e.expires_at < 'infinity')"
        )
    };
}

// The next expiry of open grants in the tables. The remaining of the head is on the account's row.
static NEXT_EXPIRY: Statement = Statement::new(
    next_expiry!(posting::rolling_columns!(), posting::of_rolling!()),
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
)
.before(next_expiry!(posting::no_rolling_columns!(), ""));

fn balance(session: &Session, book: Book) -> Result<BalanceRow, Error> {
    let mut expiries: Vec<(Time, Decimal)> = Vec::new();
    // If nothing will change, nothing will expire, and no statement is needed.
    if book.next_change_at < Time::NEVER {
        let found =
            NEXT_EXPIRY.run(session, &[book.customer_id.cell(), book.currency.cell(), book.posted_at.cell()])?;
        for mut row in found.iter() {
            let id = row.next::<Uuid>()?;
            let at = row.next()?;
            let remaining = row.next()?;
            let rolling = posting::rolling(&mut row, id)?;
            // Counted below, with what is due.
            if book.grant(id).is_some() {
                continue;
            }
            let remaining = book.head.filter(|(head, _)| *head == id).map_or(remaining, |(_, left)| left);
            expiries.push((at, remaining - rolling.map_or(Decimal::ZERO, |(_, rolling)| rolling.credits(remaining))));
        }
        let ending: Vec<&Grant> = book.started().filter(|g| g.expires_at < Time::NEVER).collect();
        let rolling = posting::rolling_of(session, &book, &ending)?;
        expiries.extend(ending.iter().map(|grant| {
            let goes_on = rolling.get(&grant.id).map_or(Decimal::ZERO, |rolling| rolling.credits(grant.remaining));
            (grant.expires_at, grant.remaining - goes_on)
        }));
    }
    let at = expiries.iter().map(|(at, _)| *at).min();
    Ok(BalanceRow {
        next_expiry_at: at,
        next_expiry_amount: at
            .map(|first| expiries.iter().filter(|(at, _)| *at == first).map(|(_, amount)| *amount).sum()),
        currency: book.currency,
        available: book.available,
        restricted: book.restricted,
        held: book.held,
        pending: book.pending,
    })
}

fn nothing(currency: &str) -> BalanceRow {
    BalanceRow {
        currency: currency.to_string(),
        available: Decimal::ZERO,
        restricted: Decimal::ZERO,
        held: Decimal::ZERO,
        pending: Decimal::ZERO,
        next_expiry_at: None,
        next_expiry_amount: None,
    }
}
