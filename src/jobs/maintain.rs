//! Maintenance: posts what fell due in accounts without other activity, settles usage, reviews auto-recharge at prices that
//! changed, publishes notices of grants that are about to end, deletes old rows of the outbox, old billing events, what became
//! of them at endpoints, and ignored webhooks, forgets whom old invoices of erased customers were for, ends checkout sessions
//! whose time is over, renews subscriptions, and releases stock and coupons that were reserved for too long. Each kind of work
//! gets its turn, however much there is of another.

use crate::auto_recharge::review;
use crate::catalog::{redemption, stock};
use crate::checkout::checkout_session;
use crate::error::Error;
use crate::input;
use crate::invoicing::erasure;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::failure;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::events;
use crate::metering::{inbox, settlement};
use crate::moment::Time;
use crate::outbox::{self, billing_event, webhook_delivery};
use crate::payments::webhook;
use crate::pg::call::argument::Timestamptz;
use crate::pg::call::procedure::{self, Call};
use crate::pg::call::reply::{Nothing, Reply, Value};
use crate::pg::locking::patience::{Patience, in_any_case};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::subtransaction::Failure;
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TIMESTAMPTZOID};
use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::CStr;

/// One kind of work.
struct Work {
    /// As `maintain_batch` calls it.
    name: &'static str,
    /// The statement with which `maintain` runs a batch of it.
    call: &'static CStr,
    /// Runs a batch of at most so many, of work that was due at that moment. Returns how many.
    batch: fn(&Session, i32, Time) -> Result<i32, Error>,
}

/// All kinds of maintenance, in the order of their turns. Rows of the inbox are charged as of when they came, so no
/// account's time goes past that meanwhile.
static WORK: [Work; 14] = [
    Work { name: "inbox", call: c"SELECT credits.maintain_batch($1, 'inbox', $2)", batch: drain },
    Work { name: "deferred", call: c"SELECT credits.maintain_batch($1, 'deferred', $2)", batch: settle },
    Work { name: "accounts", call: c"SELECT credits.maintain_batch($1, 'accounts', $2)", batch: post_due },
    Work { name: "recharges", call: c"SELECT credits.maintain_batch($1, 'recharges', $2)", batch: review::batch },
    Work { name: "notices", call: c"SELECT credits.maintain_batch($1, 'notices', $2)", batch: events::notice },
    Work { name: "outbox", call: c"SELECT credits.maintain_batch($1, 'outbox', $2)", batch: outbox::forget_old },
    Work { name: "events", call: c"SELECT credits.maintain_batch($1, 'events', $2)", batch: billing_event::forget_old },
    Work {
        name: "deliveries",
        call: c"SELECT credits.maintain_batch($1, 'deliveries', $2)",
        batch: webhook_delivery::forget_old,
    },
    Work { name: "webhooks", call: c"SELECT credits.maintain_batch($1, 'webhooks', $2)", batch: webhook::forget_old },
    Work { name: "invoices", call: c"SELECT credits.maintain_batch($1, 'invoices', $2)", batch: erasure::forget },
    Work {
        name: "sessions",
        call: c"SELECT credits.maintain_batch($1, 'sessions', $2)",
        batch: checkout_session::expire_late,
    },
    Work {
        name: "subscriptions",
        call: c"SELECT credits.maintain_batch($1, 'subscriptions', $2)",
        batch: subscriptions::renewal::renew_due,
    },
    Work { name: "stock", call: c"SELECT credits.maintain_batch($1, 'stock', $2)", batch: stock::release_late },
    Work {
        name: "discounts",
        call: c"SELECT credits.maintain_batch($1, 'discounts', $2)",
        batch: redemption::release_late,
    },
];

/// `CALL credits.maintain()`: batches of each kind of work in turn, with a commit after each, until what was due when
/// it began is done. A kind that fails does not stop the others; its error is raised at the end. Raises PC013.
#[pg_extern(sql = false)]
fn maintain(batch_size: Option<i32>, call: Call) -> Reply<Nothing> {
    Reply((|| {
        let (batch_size, began) = (input::at_least_one("batch_size", batch_size)?, settings::now()?);
        let calls = WORK.each_ref().map(|work| work.call);
        match procedure::in_turn(call, &calls, batch_size, || settings::now().unwrap_or(began)) {
            None => Ok(Nothing),
            // The work of the other kinds is committed by now.
            Some(Failure { error, message }) => Err(Error::Maintenance { error, message }),
        }
    })())
}

/// `credits.maintain_batch`: one batch of a kind of work, or of each. Returns how much was done. Raises PC013.
#[pg_extern(sql = false)]
fn maintain_batch(batch_size: Option<i32>, work: Option<&str>, due_by: Option<Timestamptz>) -> Reply<Value<i32>> {
    Reply((|| {
        let batch_size = input::at_least_one("batch_size", batch_size)?;
        if let Some(name) = work.filter(|name| WORK.iter().all(|work| work.name != *name)) {
            return Err(input::none_of("work", name, &WORK.each_ref().map(|work| work.name)));
        }
        let due_by = due_by.map_or(Time::NEVER, |at| at.0);
        writing(|session| {
            let mut done = 0;
            for kind in WORK.iter().filter(|kind| work.is_none_or(|name| name == kind.name)) {
                done += in_any_case(|| (kind.batch)(session, batch_size, due_by))?;
            }
            Ok(Value(done))
        })
    })())
}

static DUE: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency, a.next_change_at, f.customer_id IS NOT NULL
      FROM credits_internal.accounts a
      LEFT JOIN credits_internal.account_failures f ON f.customer_id = a.customer_id AND f.currency = a.currency
      WHERE a.next_change_at <= $1 AND a.next_change_at < 'infinity' AND (f.retry_at <= clock_timestamp()) IS NOT FALSE
      ORDER BY a.next_change_at LIMIT $2",
    &[TIMESTAMPTZOID, INT4OID],
);

/// How many times as many accounts are tried if none of the first ones can be brought up to date.
const FURTHER: i32 = 8;

thread_local! {
    /// Whether the inbox gets another turn; then accounts that its rows hold back get one too.
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Brings accounts up to date in which something fell due: the first that are free, however many before them are held
/// back by rows of the inbox or locked by another session.
fn post_due(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let patience = Patience::default();
    let (mut limit, mut seen): (i32, HashSet<Key>) = (most, HashSet::new());
    loop {
        let (mut due, mut failed): (Vec<(Key, Time)>, HashSet<Key>) = (Vec::new(), HashSet::new());
        for mut row in DUE.run(session, &[now.cell(), limit.cell()])?.iter() {
            let key: Key = (row.next()?, row.next()?);
            let at = row.next()?;
            if row.next()? {
                failed.insert(key.clone());
            }
            due.push((key, at));
        }
        let were_all = (due.len() as i64) < i64::from(limit);
        due.retain(|(key, _)| seen.insert(key.clone()));
        let keys: Vec<Key> = due.iter().map(|(key, _)| key.clone()).collect();
        let (customers, since) = inbox::holds_back(session, &keys, now)?;
        // Accounts that are held back need no lock.
        let free: Vec<Key> = due
            .into_iter()
            .filter(|(key, at)| *at <= since || !customers.contains(&key.0))
            .map(|(key, _)| key)
            .collect();
        for some in free.chunks(most as usize) {
            let keys = posting::lock_free(session, some)?;
            let done = post_some(session, &keys, &failed, &customers, (now, since), &patience)?;
            if done > 0 || patience.is_out() {
                return Ok(done);
            }
        }
        if were_all || DRAINING.get() {
            return Ok(DRAINING.get().into());
        }
        limit = limit.saturating_mul(FURTHER);
    }
}

/// Brings locked accounts up to date: those of these customers to when the inbox has rows, and the others to now.
/// Returns how many were done, or failed.
fn post_some(
    session: &Session,
    keys: &[Key],
    failed: &HashSet<Key>,
    customers: &HashSet<String>,
    (now, since): (Time, Time),
    patience: &Patience,
) -> Result<i32, Error> {
    let (done, failures) = failure::each_apart(session, keys, failed, patience, |keys| {
        // Locked already, so this does not wait. Each gets a share of a batch for its unsettled usage.
        let books = posting::lock(session, keys)?;
        let each = settlement::share(settlement::BATCH, books.len());
        let (mut books, mut held): (Vec<Book>, Vec<Book>) =
            books.into_iter().partition(|book| !customers.contains(&book.customer_id));
        posting::some_by(session, &mut books, now, each, now)?;
        posting::some_by(session, &mut held, since, each, since)?;
        books.extend(held);
        let done = books.iter().filter(|book| book.is_changed()).count();
        posting::post_due(session, books)?;
        Ok(done as i32)
    })?;
    // Failed accounts count as done for now.
    Ok(done + failures)
}

fn drain(session: &Session, _most: i32, due_by: Time) -> Result<i32, Error> {
    // Rows of the inbox have the server's time.
    let due_by = if settings::is_clock_set() { Time::NEVER } else { due_by };
    // If it fails, it gets no other turn.
    DRAINING.set(false);
    match inbox::drain(session, settlement::BATCH, due_by, &Patience::default())? {
        Some(drained) => {
            DRAINING.set(drained.due > 0);
            Ok(drained.due)
        }
        None => {
            settlement::kept_out();
            Ok(0)
        }
    }
}

fn settle(session: &Session, _most: i32, due_by: Time) -> Result<i32, Error> {
    let charged = settlement::charge(session, settlement::BATCH, due_by, &Patience::default())?;
    Ok(if charged > 0 { charged } else { DRAINING.get().into() })
}
